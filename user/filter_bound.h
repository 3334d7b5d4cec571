/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_bound.h - the part of a filter that the kernel can decide: sets of ports,
 * of addresses, of families in which every socket is that satisfies it.  Never too
 * narrow: `and` narrows, `or` unites only what both sides bound, `not` is exact
 * where it stands on a test.  Pure.
 */
#ifndef SYNFIN_FILTER_BOUND_H
#define SYNFIN_FILTER_BOUND_H

#include "filter.h"
#include "scope.h"

/*
 * What is not bound is every port or address.  In rports 0 is the peer of a
 * listening socket.
 */
struct filter_bound {
	uint32_t family;	/* 4, 6, or 0: both */
	struct wire_ports lports, rports;
	struct wire_addrs laddrs, raddrs;
	bool nothing;		/* no socket at all satisfies it */
};

/* Of the whole. */
struct filter_bound filter_bound(const struct filter *f);

/* Of one node, for telling what becomes of it. */
struct filter_bound filter_bound_of(const struct filter *f, unsigned int node);

/*
 * Whether the bound of this node says all that it says: then the kernel decides
 * it, and not only part of it.
 */
bool filter_is_bound(const struct filter *f, unsigned int node);

/* Without what is said of remote ends, which listening sockets have not. */
struct filter_bound filter_bound_of_listeners(const struct filter_bound *bound);

/*
 * Narrows a scope, of which no addresses are bound yet.  What it says itself is
 * never widened: where both together would take too many ranges it stays as it is.
 */
void filter_bound_scope(const struct filter_bound *bound, struct scope *scope);

#endif
