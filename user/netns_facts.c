// SPDX-License-Identifier: GPL-2.0-or-later
#include "netns_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "mib.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* ---- the parsers ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits from *at on, which moves behind them.  *ret is set on success only. */
static bool take_number(const char *text, size_t len, size_t *at, uint64_t *ret)
{
	size_t start = *at;
	uint64_t n = 0;

	for (; *at < len && is_digit(text[*at]); ++*at) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, text[*at] - '0', &n))
			return false;
	}
	if (*at == start)
		return false;
	*ret = n;
	return true;
}

static void skip_blanks(const char *text, size_t len, size_t *at)
{
	while (*at < len && (text[*at] == ' ' || text[*at] == '\t'))
		++*at;
}

static bool skip_word(const char *text, size_t len, size_t *at, const char *word)
{
	size_t size = strlen(word);

	skip_blanks(text, len, at);
	if (len - *at < size || memcmp(text + *at, word, size))
		return false;
	*at += size;
	return true;
}

static bool find_in_line(const char *line, size_t len, const char *name, uint64_t *ret)
{
	size_t at = 0, size = strlen(name);

	while (at < len) {
		size_t word;

		skip_blanks(line, len, &at);
		word = at;
		while (at < len && line[at] != ' ' && line[at] != '\t')
			at++;
		if (at - word != size || memcmp(line + word, name, size))
			continue;
		skip_blanks(line, len, &at);
		return take_number(line, len, &at, ret);
	}
	return false;
}

bool sockstat_find(const char *text, size_t len, const char *group, const char *name,
		   uint64_t *ret)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len, at = 0;

		if (skip_word(text, line, &at, group) && at < line && text[at] == ':')
			return find_in_line(text + at + 1, line - at - 1, name, ret);
		line += end ? 1 : 0;
		text += line;
		len -= line;
	}
	return false;
}

bool port_range_parse(const char *text, size_t len, uint64_t *lo, uint64_t *hi)
{
	uint64_t first, last;
	size_t at = 0;

	skip_blanks(text, len, &at);
	if (!take_number(text, len, &at, &first))
		return false;
	skip_blanks(text, len, &at);
	if (!take_number(text, len, &at, &last) || first > last || last > UINT16_MAX)
		return false;
	*lo = first;
	*hi = last;
	return true;
}

bool reserved_ports_count(const char *text, size_t len, uint64_t lo, uint64_t hi, uint64_t *ret)
{
	uint64_t count = 0;
	size_t at = 0;

	while (at < len && text[at] != '\n') {
		uint64_t first, last;

		if (!take_number(text, len, &at, &first))
			return false;
		last = first;
		if (at < len && text[at] == '-') {
			at++;
			if (!take_number(text, len, &at, &last))
				return false;
		}
		if (first > last || last > UINT16_MAX)
			return false;
		if (at < len && text[at] == ',')
			at++;
		else if (at < len && text[at] != '\n')
			return false;
		first = first < lo ? lo : first;
		last = last > hi ? hi : last;
		if (first <= last)
			count += last - first + 1;
	}
	*ret = count;
	return true;
}

/* ---- reading ---- */

/* A list of reserved ports can be long: of every other port some 200 KB. */
#define TEXT_MAX	(256 * 1024)

struct text_file {
	size_t len;
	char bytes[TEXT_MAX];
};

/* All of it, or nothing: a number at the end of what was cut may be cut itself. */
static bool read_all(int fd, struct text_file *ret)
{
	ssize_t n;

	ret->len = 0;
	while ((n = pread(fd, ret->bytes + ret->len, TEXT_MAX - ret->len, ret->len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		ret->len += n;
		if (ret->len == TEXT_MAX)
			return false;
	}
	return true;
}

static bool read_file(const char *path, struct text_file *ret)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read_all(fd, ret);
}

static void set(struct wire_netns_facts *facts, enum wire_fact fact, uint64_t value)
{
	facts->known |= 1ull << fact;
	facts->values[fact] = value;
}

/* TCP counts the IPv4 sockets, TCP6 the others; the kernel may have no IPv6 at all. */
static void read_sockstat(struct wire_netns_facts *facts, struct text_file *file)
{
	uint64_t v4, v6, tw;

	if (!read_file("/proc/thread-self/net/sockstat", file) ||
	    !sockstat_find(file->bytes, file->len, "TCP", "tw", &tw) ||
	    !sockstat_find(file->bytes, file->len, "TCP", "inuse", &v4))
		return;
	set(facts, WIRE_F_TW, tw);
	if (!read_file("/proc/thread-self/net/sockstat6", file) ||
	    !sockstat_find(file->bytes, file->len, "TCP6", "inuse", &v6))
		v6 = 0;
	set(facts, WIRE_F_SOCKETS, v4 + v6);
}

static void read_ports(struct wire_netns_facts *facts, struct text_file *file)
{
	uint64_t lo, hi, reserved;

	if (!read_file("/proc/sys/net/ipv4/ip_local_port_range", file) ||
	    !port_range_parse(file->bytes, file->len, &lo, &hi))
		return;
	set(facts, WIRE_F_PORT_LO, lo);
	set(facts, WIRE_F_PORT_HI, hi);
	if (read_file("/proc/sys/net/ipv4/ip_local_reserved_ports", file) &&
	    reserved_ports_count(file->bytes, file->len, lo, hi, &reserved))
		set(facts, WIRE_F_PORTS_RESERVED, reserved);
}

static void read_sysctls(struct wire_netns_facts *facts, struct text_file *file)
{
	static const struct { const char *path; enum wire_fact fact; } numbers[] = {
		{ "/proc/sys/net/ipv4/tcp_max_tw_buckets", WIRE_F_TW_LIMIT },
		{ "/proc/sys/net/ipv4/tcp_tw_reuse", WIRE_F_TW_REUSE },
		{ "/proc/sys/net/ipv4/tcp_tw_reuse_delay", WIRE_F_TW_REUSE_DELAY },
		{ "/proc/sys/net/ipv4/tcp_fin_timeout", WIRE_F_FIN_TIMEOUT },
		{ "/proc/sys/net/ipv4/tcp_synack_retries", WIRE_F_SYNACK_RETRIES },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t value;
		size_t at = 0;

		if (read_file(numbers[i].path, file) &&
		    take_number(file->bytes, file->len, &at, &value))
			set(facts, numbers[i].fact, value);
	}
}

static void read_mibs(struct wire_netns_facts *facts, struct text_file *file)
{
	static const struct { const char *name; enum wire_fact fact; } counters[] = {
		{ "TcpExt.TW", WIRE_F_TW_BEGUN },
		{ "TcpExt.TCPTimeWaitOverflow", WIRE_F_TW_OVERFLOWS },
		{ "TcpExt.ListenOverflows", WIRE_F_LISTEN_OVERFLOWS },
		{ "TcpExt.ListenDrops", WIRE_F_LISTEN_DROPS },
		{ "TcpExt.SyncookiesSent", WIRE_F_COOKIES_SENT },
		{ "TcpExt.SyncookiesRecv", WIRE_F_COOKIES_RECV },
		{ "TcpExt.SyncookiesFailed", WIRE_F_COOKIES_FAILED },
	};

	if (!read_file("/proc/thread-self/net/netstat", file))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(counters); i++) {
		uint64_t value;

		if (!mib_find(file->bytes, file->len, counters[i].name, &value))
			set(facts, counters[i].fact, value);
	}
}

void netns_facts_read_gauges(struct wire_netns_facts *ret)
{
	static struct text_file file;

	read_sockstat(ret, &file);
}

void netns_facts_read(struct wire_netns_facts *ret)
{
	static struct text_file file;	/* too much for a stack; one thread */

	read_sockstat(ret, &file);
	read_ports(ret, &file);
	read_sysctls(ret, &file);
	read_mibs(ret, &file);
}

int tw_gauge_open(void)
{
	int fd = open("/proc/thread-self/net/sockstat", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int tw_gauge_read(int fd, uint64_t *ret)
{
	char text[1024];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n < 0)
		return -errno;
	return sockstat_find(text, n, "TCP", "tw", ret) ? 0 : -EBADMSG;
}
