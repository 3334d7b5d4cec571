// SPDX-License-Identifier: GPL-2.0-or-later
#include "portset.h"

#include <errno.h>
#include <string.h>

#define PORT_MAX 65535

/* Saturates above PORT_MAX, so that no text overflows it. */
static int parse_number(const char **text, uint32_t *ret)
{
	const char *s = *text;
	uint32_t n = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (*s - '0');
		if (n > PORT_MAX)
			n = PORT_MAX + 1;
	}
	*text = s;
	*ret = n;
	return 0;
}

/* One element; leaves *text at the comma or the end behind it. */
static int parse_range(const char **text, uint32_t *lo, uint32_t *hi)
{
	const char *s = *text;
	int err;

	err = parse_number(&s, lo);
	if (err)
		return err;
	*hi = *lo;
	if (*s == '-') {
		s++;
		err = parse_number(&s, hi);
		if (err)
			return err;
	}
	if (*s && *s != ',')
		return -EINVAL;
	if (!*lo || *lo > *hi || *hi > PORT_MAX)
		return -ERANGE;
	*text = s;
	return 0;
}

/* has[] ends with a port that is never a member. */
static int ranges_of(const uint8_t has[PORT_MAX + 2], struct wire_ports *ret)
{
	struct wire_ports set = {};
	uint32_t port, lo;

	for (port = 1; port <= PORT_MAX; port++) {
		if (!has[port])
			continue;
		if (set.len == WIRE_RANGES)
			return -E2BIG;
		for (lo = port; has[port + 1]; port++)
			;
		set.range[set.len].lo = lo;
		set.range[set.len].hi = port;
		set.len++;
	}
	*ret = set;
	return 0;
}

int portset_parse(const char *text, struct wire_ports *ret, const char **bad)
{
	uint8_t has[PORT_MAX + 2] = {};	/* a byte a port: merging and sorting for free */
	uint32_t lo, hi;
	int err;

	for (;; text++) {
		const char *element = text;

		err = parse_range(&text, &lo, &hi);
		if (err) {
			if (bad)
				*bad = element;
			return err;
		}
		memset(&has[lo], 1, hi - lo + 1);
		if (!*text)
			return ranges_of(has, ret);
	}
}

bool portset_contains(const struct wire_ports *set, uint16_t port)
{
	for (uint32_t i = 0; i < set->len; i++) {
		if (set->range[i].lo <= port && port <= set->range[i].hi)
			return true;
	}
	return false;
}
