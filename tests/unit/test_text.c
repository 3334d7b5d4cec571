// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "text.h"

#define BUF_SIZE	256

static char buf[BUF_SIZE];
static struct text text;

static struct text *fresh(void)
{
	memset(buf, 0x55, sizeof(buf));
	text = text_into(buf, sizeof(buf) - 1);
	return &text;
}

static const char *result(void)
{
	assert_false(text.full);
	*text.p = 0;
	return buf;
}

static void strings_and_characters_follow_each_other(void **state)
{
	struct text *t = fresh();

	text_str(t, "ab");
	text_char(t, 'c');
	text_bytes(t, "def", 2);
	text_str(t, "");
	assert_string_equal(result(), "abcde");
}

static void what_does_not_fit_is_cut_and_says_so(void **state)
{
	char small[4] = "....";
	struct text t = text_into(small, 3);

	text_str(&t, "abc");
	assert_false(t.full);
	text_char(&t, 'd');
	assert_true(t.full);
	assert_int_equal(t.p - small, 3);
	assert_memory_equal(small, "abc.", 4);
}

static void a_string_that_is_too_long_leaves_its_beginning(void **state)
{
	char small[4] = "....";
	struct text t = text_into(small, 3);

	text_str(&t, "abcdef");
	assert_true(t.full);
	assert_memory_equal(small, "abc.", 4);
}

static const char *uint_text(uint64_t u, unsigned int digits)
{
	text_uint_padded(fresh(), u, digits);
	return result();
}

static void numbers_of_any_size_are_written(void **state)
{
	text_uint(fresh(), 0);
	assert_string_equal(result(), "0");
	text_uint(fresh(), 10);
	assert_string_equal(result(), "10");
	text_uint(fresh(), UINT64_MAX);
	assert_string_equal(result(), "18446744073709551615");
}

static void padding_never_shortens_a_number(void **state)
{
	assert_string_equal(uint_text(7, 3), "007");
	assert_string_equal(uint_text(1234, 3), "1234");
	assert_string_equal(uint_text(0, 9), "000000000");
	assert_string_equal(uint_text(1, 20), "00000000000000000001");
	assert_string_equal(uint_text(1, 99), "00000000000000000001");
}

static void an_id_has_sixteen_digits(void **state)
{
	text_hex16(fresh(), 0x21a4);
	assert_string_equal(result(), "00000000000021a4");
	text_hex16(fresh(), 0x8123456789abcdef);
	assert_string_equal(result(), "8123456789abcdef");
}

/* ---- addresses ---- */

static const char *addr_text(const char *address, unsigned int family)
{
	uint8_t addr[16];

	assert_int_equal(inet_pton(AF_INET6, address, addr), 1);
	text_addr(fresh(), addr, family);
	return result();
}

static void ipv4_is_the_last_four_bytes(void **state)
{
	assert_string_equal(addr_text("::ffff:10.0.0.1", 4), "10.0.0.1");
	assert_string_equal(addr_text("::ffff:255.255.255.255", 4), "255.255.255.255");
	assert_string_equal(addr_text("::ffff:0.0.0.0", 4), "0.0.0.0");
}

static void ipv6_is_as_rfc_5952_writes_it(void **state)
{
	assert_string_equal(addr_text("2001:db8:0:0:0:0:0:1", 6), "2001:db8::1");
	assert_string_equal(addr_text("::", 6), "::");
	assert_string_equal(addr_text("fe80::1:0:0:1", 6), "fe80::1:0:0:1");
	assert_string_equal(addr_text("1111:2222:3333:4444:5555:6666:7777:8888", 6),
			    "1111:2222:3333:4444:5555:6666:7777:8888");
}

/* ---- time ---- */

static const char *time_text(uint64_t seconds, uint64_t ns)
{
	text_time_utc(fresh(), seconds * 1000000000 + ns);
	return result();
}

static void time_begins_at_the_epoch(void **state)
{
	assert_string_equal(time_text(0, 0), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(time_text(0, 1), "1970-01-01T00:00:00.000000001Z");
	assert_string_equal(time_text(86399, 999999999), "1970-01-01T23:59:59.999999999Z");
	assert_string_equal(time_text(86400, 0), "1970-01-02T00:00:00.000000000Z");
}

static void leap_days_come_when_they_should(void **state)
{
	assert_string_equal(time_text(1709164800, 0), "2024-02-29T00:00:00.000000000Z");
	assert_string_equal(time_text(1709251199, 0), "2024-02-29T23:59:59.000000000Z");
	assert_string_equal(time_text(1709251200, 0), "2024-03-01T00:00:00.000000000Z");
	assert_string_equal(time_text(951782400, 0), "2000-02-29T00:00:00.000000000Z");
	assert_string_equal(time_text(1677628800, 0), "2023-03-01T00:00:00.000000000Z");
	assert_string_equal(time_text(4107542400, 0), "2100-03-01T00:00:00.000000000Z");
}

static void time_does_not_end_in_2038(void **state)
{
	assert_string_equal(time_text(2147483647, 0), "2038-01-19T03:14:07.000000000Z");
	assert_string_equal(time_text(2147483648, 0), "2038-01-19T03:14:08.000000000Z");
	assert_string_equal(time_text(4294967296, 0), "2106-02-07T06:28:16.000000000Z");
	text_time_utc(fresh(), UINT64_MAX);
	assert_string_equal(result(), "2554-07-21T23:34:33.709551615Z");
}

/* Against the C library, a prime number of seconds apart, over 584 years. */
static void every_day_is_the_c_librarys(void **state)
{
	for (uint64_t s = 0; s < UINT64_MAX / 1000000000; s += 86399 * 3) {
		char expected[40];
		time_t when = s;
		struct tm tm;

		gmtime_r(&when, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000042Z", &tm);
		assert_string_equal(time_text(s, 42), expected);
	}
}

/* ---- strings of others ---- */

static const char *json_text(const char *bytes, size_t len)
{
	text_json_string(fresh(), bytes, len);
	return result();
}

static const char *csv_text(const char *bytes, size_t len)
{
	text_csv_field(fresh(), bytes, len);
	return result();
}

static const char *visible_text(const char *bytes, size_t len)
{
	text_visible(fresh(), bytes, len);
	return result();
}

static void an_ordinary_name_stays_what_it_is(void **state)
{
	assert_string_equal(json_text("nginx", 5), "\"nginx\"");
	assert_string_equal(csv_text("nginx", 5), "nginx");
	assert_string_equal(visible_text("nginx", 5), "nginx");
}

static void an_empty_name_is_still_a_text(void **state)
{
	assert_string_equal(json_text("", 0), "\"\"");
	assert_string_equal(csv_text("", 0), "\"\"");
	assert_string_equal(visible_text("", 0), "");
}

static void json_escapes_what_ends_a_string_or_obeys_a_terminal(void **state)
{
	assert_string_equal(json_text("a\"\\b", 4), "\"a\\\"\\\\b\"");
	assert_string_equal(json_text("\0\n\033\x7f", 4), "\"\\u0000\\u000a\\u001b\\u007f\"");
	assert_string_equal(json_text("\xc2\x9b\xc2\x80\xc2\xa0", 6), "\"\\u009b\\u0080\xc2\xa0\"");
}

static void utf8_is_kept(void **state)
{
	static const char all[] = "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"
				  "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
	char expected[40] = "\"";

	strcat(strcat(expected, all), "\"");
	assert_string_equal(json_text(all, strlen(all)), expected);
	assert_string_equal(csv_text(all, strlen(all)), all);
}

/* Lone, too long, surrogates, beyond U+10FFFF, cut short: a byte, a U+FFFD. */
static void what_is_not_utf8_is_replaced_byte_by_byte(void **state)
{
	static const struct { const char *bytes; size_t len; } bad[] = {
		{ "\x80", 1 }, { "\xff", 1 }, { "\xc0\x80", 2 }, { "\xc1\xbf", 2 },
		{ "\xe0\x80\x80", 3 }, { "\xed\xa0\x80", 3 }, { "\xf0\x80\x80\x80", 4 },
		{ "\xf4\x90\x80\x80", 4 }, { "\xf5\x80\x80\x80", 4 }, { "\xc3", 1 },
		{ "\xe2\x82", 2 }, { "\xf0\x9f\x98", 3 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char json[40] = "\"", csv[40] = "";

		for (size_t n = 0; n < bad[i].len; n++) {
			strcat(json, "\\ufffd");
			strcat(csv, "\xef\xbf\xbd");
		}
		strcat(json, "\"");
		assert_string_equal(json_text(bad[i].bytes, bad[i].len), json);
		assert_string_equal(csv_text(bad[i].bytes, bad[i].len), csv);
	}
}

static void a_bad_byte_does_not_take_the_next_character_with_it(void **state)
{
	assert_string_equal(json_text("\xe2\"\xc3,", 4), "\"\\ufffd\\\"\\ufffd,\"");
	assert_string_equal(csv_text("\xe2\"\xc3,", 4), "\"\xef\xbf\xbd\"\"\xef\xbf\xbd,\"");
}

static void csv_doubles_quotes_and_needs_them_for_commas(void **state)
{
	assert_string_equal(csv_text("a\"b", 3), "\"a\"\"b\"");
	assert_string_equal(csv_text("a,b", 3), "\"a,b\"");
	assert_string_equal(csv_text("a\nb", 3), "a\xef\xbf\xbd" "b");
	assert_string_equal(csv_text("a\\b", 3), "a\\b");
}

static void a_terminal_sees_printable_ascii_only(void **state)
{
	for (int i = 0; i < 256; i++) {
		char c = i;

		for (const char *p = visible_text(&c, 1); *p; p++)
			assert_in_range(*p, 0x20, 0x7e);
	}
	assert_string_equal(visible_text("a\0\n\033[2J\xc3\xa9~", 10),
			    "a\\x00\\x0a\\x1b[2J\\xc3\\xa9~");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_and_characters_follow_each_other),
		cmocka_unit_test(what_does_not_fit_is_cut_and_says_so),
		cmocka_unit_test(a_string_that_is_too_long_leaves_its_beginning),
		cmocka_unit_test(numbers_of_any_size_are_written),
		cmocka_unit_test(padding_never_shortens_a_number),
		cmocka_unit_test(an_id_has_sixteen_digits),
		cmocka_unit_test(ipv4_is_the_last_four_bytes),
		cmocka_unit_test(ipv6_is_as_rfc_5952_writes_it),
		cmocka_unit_test(time_begins_at_the_epoch),
		cmocka_unit_test(leap_days_come_when_they_should),
		cmocka_unit_test(time_does_not_end_in_2038),
		cmocka_unit_test(every_day_is_the_c_librarys),
		cmocka_unit_test(an_ordinary_name_stays_what_it_is),
		cmocka_unit_test(an_empty_name_is_still_a_text),
		cmocka_unit_test(json_escapes_what_ends_a_string_or_obeys_a_terminal),
		cmocka_unit_test(utf8_is_kept),
		cmocka_unit_test(what_is_not_utf8_is_replaced_byte_by_byte),
		cmocka_unit_test(a_bad_byte_does_not_take_the_next_character_with_it),
		cmocka_unit_test(csv_doubles_quotes_and_needs_them_for_commas),
		cmocka_unit_test(a_terminal_sees_printable_ascii_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
