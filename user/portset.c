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

/* ---- sets of sets ---- */

struct wire_ports portset_all(void)
{
	return (struct wire_ports){ .len = 1, .range = { { 0, PORT_MAX } } };
}

bool portset_is_all(const struct wire_ports *set)
{
	return set->len == 1 && !set->range[0].lo && set->range[0].hi == PORT_MAX;
}

/* Where the range that port is in ends, or the gap. */
static uint32_t run_of(const struct wire_ports *set, uint32_t port, bool *in)
{
	for (uint32_t i = 0; i < set->len; i++) {
		*in = port >= set->range[i].lo;
		if (!*in)
			return set->range[i].lo - 1;
		if (port <= set->range[i].hi)
			return set->range[i].hi;
	}
	*in = false;
	return PORT_MAX;
}

/* What is left of 0..65535 where wanted[in a][in b], from run to run. */
static bool combine(const struct wire_ports *a, const struct wire_ports *b,
		    const bool wanted[2][2], struct wire_ports *ret)
{
	struct wire_ports set = {};
	bool in_a, in_b, open = false;

	for (uint32_t port = 0; port <= PORT_MAX; port++) {
		uint32_t lo = port, end_a = run_of(a, port, &in_a), end_b = run_of(b, port, &in_b);

		port = end_a < end_b ? end_a : end_b;
		if (!wanted[in_a][in_b]) {
			open = false;
			continue;
		}
		if (!open && set.len == WIRE_RANGES) {
			*ret = portset_all();
			return false;
		}
		if (!open)
			set.range[set.len++].lo = lo;
		set.range[set.len - 1].hi = port;
		open = true;
	}
	*ret = set;
	return true;
}

bool portset_union(const struct wire_ports *a, const struct wire_ports *b, struct wire_ports *ret)
{
	return combine(a, b, (const bool[2][2]){ { false, true }, { true, true } }, ret);
}

bool portset_intersect(const struct wire_ports *a, const struct wire_ports *b,
		       struct wire_ports *ret)
{
	return combine(a, b, (const bool[2][2]){ { false, false }, { false, true } }, ret);
}

bool portset_complement(const struct wire_ports *set, struct wire_ports *ret)
{
	return combine(set, set, (const bool[2][2]){ { true, true }, { false, false } }, ret);
}
