// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void text_str(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

/* Two digits at a time: a division each, and most of what is printed is numbers. */
static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

/* Two, four and nine digits, of what has no more. */
static void put_pair(char *to, uint32_t u)
{
	memcpy(to, &digit_pairs[u * 2], 2);
}

static void put_four(char *to, uint32_t u)
{
	put_pair(to, u / 100);
	put_pair(to + 2, u % 100);
}

static void put_nine(char *to, uint32_t u)
{
	uint32_t rest = u % 100000000;

	*to = '0' + u / 100000000;
	put_four(to + 1, rest / 10000);
	put_four(to + 5, rest % 10000);
}

/* From the first digit on, before end.  Most fit into 32 bits, which are cheaper. */
static char *put_uint(char *end, uint64_t u)
{
	uint32_t rest;

	for (; u > UINT32_MAX; u /= 100)
		put_pair(end -= 2, u % 100);
	for (rest = u; rest >= 100; rest /= 100)
		put_pair(end -= 2, rest % 100);
	if (rest >= 10)
		put_pair(end -= 2, rest);
	else
		*--end = '0' + rest;
	return end;
}

void text_uint(struct text *t, uint64_t u)
{
	char buf[TEXT_BLOCK + 20], *end = buf + 20, *p;

	if (u < 10) {
		text_char(t, '0' + u);
		return;
	}
	p = put_uint(end, u);
	text_block(t, p, end - p);
}

void text_uint_padded(struct text *t, uint64_t u, unsigned int digits)
{
	char buf[20], *p = buf + sizeof(buf);

	do {
		*--p = '0' + u % 10;
		u /= 10;
	} while (u);
	while ((size_t)(buf + sizeof(buf) - p) < digits && p > buf)
		*--p = '0';
	text_bytes(t, p, buf + sizeof(buf) - p);
}

void text_int(struct text *t, int64_t i)
{
	if (i < 0)
		text_char(t, '-');
	text_uint(t, i < 0 ? -(uint64_t)i : (uint64_t)i);
}

/* Eight digits at once: a byte for each four bits, then '0' or 'a' - 10 to each. */
static void put_hex8(char *to, uint32_t u)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t x = u;

	x = (x << 16 | x) & 0x0000ffff0000ffff;
	x = (x << 8 | x) & 0x00ff00ff00ff00ff;
	x = (x << 4 | x) & 0x0f0f0f0f0f0f0f0f;
	x += ones * '0' + ((x + ones * 6) >> 4 & ones) * ('a' - '0' - 10);
	x = htobe64(x);
	memcpy(to, &x, sizeof(x));
}

void text_hex16(struct text *t, uint64_t u)
{
	char buf[16];

	put_hex8(buf, u >> 32);
	put_hex8(buf + 8, u);
	text_bytes(t, buf, sizeof(buf));
}

/* ---- addresses ---- */

static void text_addr_v4(struct text *t, const uint8_t *addr)
{
	char block[TEXT_BLOCK + INET_ADDRSTRLEN], *end = block + INET_ADDRSTRLEN, *p = end;

	for (int i = 4; i--;) {
		p = put_uint(p, addr[i]);
		if (i)
			*--p = '.';
	}
	text_block(t, p, end - p);
}

void text_addr(struct text *t, const uint8_t *addr, unsigned int family)
{
	char buf[INET6_ADDRSTRLEN];

	if (family == 4) {
		text_addr_v4(t, addr + 12);
		return;
	}
	if (inet_ntop(AF_INET6, addr, buf, sizeof(buf)))
		text_str(t, buf);
}

/* ---- time ---- */

/* Days since 1970-01-01 to the proleptic Gregorian calendar: H. Hinnant, civil_from_days. */
static void date_from_days(uint32_t days, unsigned int *year, unsigned int *month,
			   unsigned int *day)
{
	uint32_t z = days + 719468;
	uint32_t era = z / 146097;
	unsigned int of_era = z - era * 146097;
	unsigned int year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned int mp = (5 * of_year + 2) / 153;

	*day = of_year - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

void text_time_utc(struct text *t, uint64_t ns)
{
	char buf[] = "yyyy-mm-ddThh:mm:ss.nnnnnnnnnZ";
	uint64_t s = ns / 1000000000;
	uint32_t of_day = s % 86400;
	unsigned int year, month, day;

	date_from_days(s / 86400, &year, &month, &day);
	put_four(buf, year);
	put_pair(buf + 5, month);
	put_pair(buf + 8, day);
	put_pair(buf + 11, of_day / 3600);
	put_pair(buf + 14, of_day / 60 % 60);
	put_pair(buf + 17, of_day % 60);
	put_nine(buf + 20, ns % 1000000000);
	text_bytes(t, buf, sizeof(buf) - 1);
}

/* ---- strings ---- */

size_t text_utf8_len(const uint8_t *p, size_t left)
{
	size_t len;
	uint8_t lo = 0x80, hi = 0xbf;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (len > left)
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	if (p[0] == 0xed)
		hi = 0x9f;
	if (p[0] == 0xf0)
		lo = 0x90;
	if (p[0] == 0xf4)
		hi = 0x8f;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

/* ASCII's and Latin-1's (C1, two bytes in UTF-8): a terminal may obey both. */
static bool is_control(const uint8_t *p, size_t utf8_bytes)
{
	if (utf8_bytes == 1)
		return *p < 0x20 || *p == 0x7f;
	return p[0] == 0xc2 && p[1] < 0xa0;
}

static void json_escape(struct text *t, uint8_t c)
{
	text_str(t, "\\u00");
	text_char(t, hex_digits[c >> 4]);
	text_char(t, hex_digits[c & 15]);
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/*
 * Whether eight bytes are, each: the top bit of one that is not comes out set.  None
 * but such a one borrows from the next, or carries into it.
 */
static bool are_plain(const uint8_t *p)
{
	const uint64_t ones = 0x0101010101010101, tops = ones << 7;
	uint64_t w, quotes, backslashes;

	memcpy(&w, p, sizeof(w));
	quotes = (w ^ ones * '"') - ones;
	backslashes = (w ^ ones * '\\') - ones;
	return !((w | (w - ones * 0x20) | (w + ones) | quotes | backslashes) & tops);
}

/* How many bytes from p on stand for themselves in JSON. */
static size_t plain_len(const uint8_t *p, size_t left)
{
	size_t n = 0;

	while (left - n >= 8 && are_plain(p + n))
		n += 8;
	while (n < left && is_plain(p[n]))
		n++;
	return n;
}

void text_json_string(struct text *t, const char *bytes, size_t len)
{
	const uint8_t *p = (const uint8_t *)bytes, *end = p + len;

	text_char(t, '"');
	while (p < end) {
		size_t n = plain_len(p, end - p);

		if (n) {
			text_bytes(t, (const char *)p, n);
			p += n;
			continue;
		}
		n = text_utf8_len(p, end - p);
		if (!n) {
			text_str(t, "\\ufffd");
			n = 1;
		} else if (*p == '"' || *p == '\\') {
			text_char(t, '\\');
			text_char(t, *p);
		} else if (is_control(p, n)) {
			json_escape(t, p[n - 1]);
		} else {
			text_bytes(t, (const char *)p, n);
		}
		p += n;
	}
	text_char(t, '"');
}

static bool needs_csv_quotes(const char *bytes, size_t len)
{
	return !len || memchr(bytes, ',', len) || memchr(bytes, '"', len);
}

void text_csv_field(struct text *t, const char *bytes, size_t len)
{
	const uint8_t *p = (const uint8_t *)bytes, *end = p + len;
	bool quotes = needs_csv_quotes(bytes, len);

	if (quotes)
		text_char(t, '"');
	while (p < end) {
		size_t n = text_utf8_len(p, end - p);

		if (!n || is_control(p, n))
			text_str(t, "\xef\xbf\xbd");
		else
			text_bytes(t, (const char *)p, n);
		if (*p == '"')
			text_char(t, '"');
		p += n ? n : 1;
	}
	if (quotes)
		text_char(t, '"');
}

void text_visible(struct text *t, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = bytes[i];

		if (c >= 0x20 && c < 0x7f) {
			text_char(t, c);
			continue;
		}
		text_str(t, "\\x");
		text_char(t, hex_digits[c >> 4]);
		text_char(t, hex_digits[c & 15]);
	}
}
