// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter_host.h"

#include <arpa/inet.h>
#include <string.h>

#include "addrset.h"

#define WORD_SIZE	128	/* no address and no service is longer */

/* Digits and nothing else; saturates. */
static bool parse_digits(const char *text, unsigned int limit, unsigned int *ret)
{
	unsigned int n = 0;

	if (!*text)
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		n = n * 10 + (*text - '0');
		if (n > limit)
			n = limit + 1;
	}
	*ret = n;
	return !*text;
}

static bool is_any(const char *text)
{
	return !*text || !strcmp(text, "*");
}

static enum filter_problem parse_port(const char *text, filter_service_fn service,
				      struct filter_host *ret)
{
	unsigned int n = 0;
	int port;

	if (is_any(text))
		return FILTER_FINE;
	if (parse_digits(text, 65535, &n))
		port = n;
	else
		port = service(text);
	if (port < 1 || port > 65535)
		return FILTER_P_PORT;
	ret->has_port = true;
	ret->port = port;
	return FILTER_FINE;
}

/* 255.255.0.0 */
static bool parse_netmask(const char *text, unsigned int *ret)
{
	uint8_t mask[4];
	uint32_t bits;

	if (inet_pton(AF_INET, text, mask) != 1)
		return false;
	bits = (uint32_t)mask[0] << 24 | mask[1] << 16 | mask[2] << 8 | mask[3];
	*ret = __builtin_popcount(bits);
	return !(~bits & (~bits + 1));	/* ones, then zeros */
}

/* a.b.c.d; with a prefix length the last of them may be missing, as in 10/8. */
static bool parse_v4(const char *text, bool has_prefix, uint8_t ret[16])
{
	uint8_t v4[4] = {};
	char whole[32];
	int dots = 0;

	for (const char *s = text; *s; s++)
		dots += *s == '.';
	if (dots > 3 || (dots < 3 && !has_prefix) || strlen(text) > 15)
		return false;
	strcpy(whole, text);
	while (dots++ < 3)
		strcat(whole, ".0");
	if (inet_pton(AF_INET, whole, v4) != 1)
		return false;
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	memcpy(ret + 12, v4, sizeof(v4));
	return true;
}

/* family: 4, 6, or 0: either. */
static enum filter_problem parse_addr(char *text, int family, struct filter_host *ret)
{
	char *slash = strchr(text, '/');
	unsigned int bits, len = 0;
	bool v4;

	if (slash)
		*slash++ = 0;
	v4 = parse_v4(text, slash, ret->addr);
	if (!v4 && inet_pton(AF_INET6, text, ret->addr) != 1)
		return parse_digits(text, 0, &len) ? FILTER_P_ADDRESS_PORT : FILTER_P_ADDRESS;
	if (family && family != (v4 || addr_is_v4(ret->addr) ? 4 : 6))
		return FILTER_P_ADDRESS;
	bits = v4 ? 32 : 128;
	if (slash && !parse_digits(slash, bits, &len) && !(v4 && parse_netmask(slash, &len)))
		return FILTER_P_PREFIX;
	if (!slash)
		len = bits;
	if (len > bits)
		return FILTER_P_PREFIX;
	ret->has_addr = true;
	ret->len = v4 ? len + ADDR_V4_BITS : len;
	addr_mask(ret->addr, ret->len);
	return FILTER_FINE;
}

/* All addresses of a family. */
static void set_family(int family, struct filter_host *ret)
{
	memset(ret->addr, 0, sizeof(ret->addr));
	ret->len = 0;
	ret->has_addr = true;
	if (family != 4)
		return;
	memset(ret->addr + 10, 0xff, 2);
	ret->len = ADDR_V4_BITS;
}

/* Cuts "inet:" and its like off. */
static enum filter_problem take_family(char **text, int *family)
{
	static const struct { const char *prefix; int family; } families[] = {
		{ "inet:", 4 }, { "inet6:", 6 }, { "unix:", -1 }, { "link:", -1 },
		{ "netlink:", -1 }, { "vsock:", -1 }, { "tipc:", -1 }, { "xdp:", -1 },
	};

	*family = 0;
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		size_t len = strlen(families[i].prefix);

		if (strncmp(*text, families[i].prefix, len))
			continue;
		*text += len;
		*family = families[i].family;
	}
	return *family < 0 ? FILTER_P_FAMILY : FILTER_FINE;
}

/*
 * Where the address ends and where the port begins, NULL if there is none.  Two
 * colons without brackets are an IPv6 address.
 */
static enum filter_problem split(char **addr, char **port)
{
	char *close, *rest;

	*port = NULL;
	if (**addr != '[') {
		if (strpbrk(*addr, "[]"))
			return FILTER_P_BRACKET;
		rest = strchr(*addr, ':');
		if (!rest || strchr(rest + 1, ':'))
			return FILTER_FINE;
		*rest = 0;
		*port = rest + 1;
		return FILTER_FINE;
	}
	close = strchr(*addr, ']');
	if (!close)
		return FILTER_P_BRACKET;
	rest = strchr(close, ':');
	if (rest) {
		*rest = 0;
		*port = rest + 1;
	}
	if ((close[1] && close[1] != '/') || close == *addr + 1)
		return FILTER_P_ADDRESS;
	memmove(close, close + 1, strlen(close));	/* [::]/64 as [::/64] */
	++*addr;
	return FILTER_FINE;
}

static bool is_any_addr(const char *text)
{
	return is_any(text) || !strcmp(text, "any") || !strcmp(text, "all") ||
	       !strcmp(text, "default");
}

static enum filter_problem parse_host(char *text, int family, filter_service_fn service,
				      struct filter_host *ret)
{
	enum filter_problem problem;
	char *port;

	problem = split(&text, &port);
	if (problem)
		return problem;
	if (port) {
		problem = parse_port(port, service, ret);
		if (problem)
			return problem;
	}
	if (!is_any_addr(text))
		return parse_addr(text, family, ret);
	if (family)
		set_family(family, ret);
	return FILTER_FINE;
}

enum filter_problem filter_host_parse(const char *word, size_t len, bool port_only,
				      filter_service_fn service, struct filter_host *ret)
{
	enum filter_problem problem;
	char copy[WORD_SIZE], *text = copy;
	int family;

	*ret = (struct filter_host){};
	if (len >= sizeof(copy))
		return port_only ? FILTER_P_PORT : FILTER_P_ADDRESS;
	memcpy(copy, word, len);
	copy[len] = 0;
	problem = take_family(&text, &family);
	if (problem)
		return problem;
	if (!port_only)
		return parse_host(text, family, service, ret);
	text += *text == ':';
	if (strpbrk(text, ":./[]"))
		return FILTER_P_PORT;
	if (family)
		set_family(family, ret);
	return parse_port(text, service, ret);
}
