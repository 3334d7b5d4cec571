/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portset.h - a set of TCP ports, as -L and -D take it.  Pure.
 */
#ifndef SYNFIN_PORTSET_H
#define SYNFIN_PORTSET_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>
#include "wire.h"

/*
 * Parse "80,443,8000-8099".  Returns 0 and fills *ret, in order and without
 * overlaps, or leaves *ret untouched:
 *   -EINVAL  an element is not a decimal number nor two with a dash between
 *   -ERANGE  a port outside 1..65535, or a range that runs backwards
 *   -E2BIG   more than WIRE_RANGES ranges are left after merging
 * With the first two *bad, unless bad is NULL, points at the element within
 * text; it ends at the next comma or at the end.
 */
int portset_parse(const char *text, struct wire_ports *ret, const char **bad);

/* Whether port stands in one of the ranges; in the empty set there is none. */
bool portset_contains(const struct wire_ports *set, uint16_t port);

/*
 * What follows is of sets in order and without overlaps, whose ports are 0..65535:
 * 0 is the port of a peer that there is none of.  ret may be one of the operands.
 * A result that is empty has no range.
 */
struct wire_ports portset_all(void);
bool portset_is_all(const struct wire_ports *set);

/* False, and every port: it would take more than WIRE_RANGES ranges. */
bool portset_union(const struct wire_ports *a, const struct wire_ports *b, struct wire_ports *ret);
bool portset_intersect(const struct wire_ports *a, const struct wire_ports *b,
		       struct wire_ports *ret);
bool portset_complement(const struct wire_ports *set, struct wire_ports *ret);

#endif
