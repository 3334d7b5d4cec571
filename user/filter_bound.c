// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter_bound.h"

#include <string.h>

#include "addrset.h"
#include "portset.h"

/* What is bound, each by itself.  Families are a set of the "ports" 4 and 6. */
enum dimension { LPORT, RPORT, FAMILY, LADDR, RADDR, DIMENSIONS };

struct set {
	union {
		struct wire_ports ports;
		struct wire_addrs addrs;
	};
};

static bool is_addrs(enum dimension d)
{
	return d == LADDR || d == RADDR;
}

static void set_all(enum dimension d, struct set *ret)
{
	if (is_addrs(d))
		ret->addrs = addrset_all();
	else
		ret->ports = portset_all();
}

/* Whether the node is a test of just this dimension. */
static bool is_of(const struct filter_node *n, enum dimension d)
{
	if (n->kind == FILTER_PORT)
		return d == (n->remote ? RPORT : LPORT);
	return n->kind == FILTER_ADDR && d == (n->remote ? RADDR : LADDR);
}

static void set_of_test(const struct filter_node *n, enum dimension d, bool negated,
			struct set *ret)
{
	set_all(d, ret);
	if (d == FAMILY && n->kind == FILTER_ADDR && !negated) {
		uint16_t family = n->len >= ADDR_V4_BITS && addr_is_v4(n->addr) ? 4 : 6;

		ret->ports = (struct wire_ports){ .len = 1, .range = { { family, family } } };
	}
	if (!is_of(n, d))
		return;
	if (is_addrs(d)) {
		ret->addrs = addrset_of(n->addr, n->len);
		if (negated)
			addrset_complement(&ret->addrs, &ret->addrs);
	} else {
		ret->ports = (struct wire_ports){
			.len = 1, .range = { { n->ports.lo, n->ports.hi } } };
		if (negated)
			portset_complement(&ret->ports, &ret->ports);
	}
}

static bool join(enum dimension d, bool is_union, const struct set *other, struct set *ret)
{
	if (is_addrs(d))
		return (is_union ? addrset_union : addrset_intersect)(&ret->addrs, &other->addrs,
								      &ret->addrs);
	return (is_union ? portset_union : portset_intersect)(&ret->ports, &other->ports,
							      &ret->ports);
}

/*
 * `not` is carried down to the tests, where it is exact.  False: a set had to be
 * widened, since it has too many parts.
 */
static bool bound_in(const struct filter *f, unsigned int node, enum dimension d, bool negated,
		     struct set *ret)
{
	const struct filter_node *n = &f->node[node];
	struct set other;
	bool exact;

	if (n->kind == FILTER_NOT)
		return bound_in(f, n->a, d, !negated, ret);
	if (n->kind != FILTER_AND && n->kind != FILTER_OR) {
		set_of_test(n, d, negated, ret);
		return true;
	}
	exact = bound_in(f, n->a, d, negated, ret);
	exact &= bound_in(f, n->b, d, negated, &other);
	return join(d, (n->kind == FILTER_OR) != negated, &other, ret) && exact;
}

static bool has_none(const struct wire_addrs *set)
{
	for (uint32_t i = 0; i < set->len; i++) {
		if (set->prefix[i].wanted)
			return false;
	}
	return set->len;
}

/* A remote end that is on no address is a listening socket's. */
static bool is_none(enum dimension d, const struct set *set)
{
	switch (d) {
	case LPORT:
	case RPORT:
		return !set->ports.len;
	case FAMILY:
		return !portset_contains(&set->ports, 4) && !portset_contains(&set->ports, 6);
	case LADDR:
		return has_none(&set->addrs);
	case RADDR:
	case DIMENSIONS:
		break;
	}
	return false;
}

struct filter_bound filter_bound_of(const struct filter *f, unsigned int node)
{
	struct filter_bound ret = {};
	struct set set[DIMENSIONS];

	for (enum dimension d = 0; d < DIMENSIONS; d++) {
		bound_in(f, node, d, false, &set[d]);
		ret.nothing |= is_none(d, &set[d]);
	}
	ret.lports = set[LPORT].ports;
	ret.rports = set[RPORT].ports;
	ret.laddrs = set[LADDR].addrs;
	ret.raddrs = set[RADDR].addrs;
	if (!portset_contains(&set[FAMILY].ports, 6))
		ret.family = 4;
	if (!portset_contains(&set[FAMILY].ports, 4))
		ret.family = 6;
	if (ret.nothing)
		ret.family = 0;
	return ret;
}

struct filter_bound filter_bound(const struct filter *f)
{
	if (f->len)
		return filter_bound_of(f, f->len - 1);
	return (struct filter_bound){
		.lports = portset_all(), .rports = portset_all(),
		.laddrs = addrset_all(), .raddrs = addrset_all(),
	};
}

struct filter_bound filter_bound_of_listeners(const struct filter_bound *bound)
{
	struct filter_bound ret = *bound;

	ret.rports = portset_all();
	ret.raddrs = addrset_all();
	return ret;
}

/* Whether every test below is one of this dimension. */
static bool is_only_of(const struct filter *f, unsigned int node, enum dimension d)
{
	const struct filter_node *n = &f->node[node];

	if (n->kind == FILTER_NOT)
		return is_only_of(f, n->a, d);
	if (n->kind == FILTER_AND || n->kind == FILTER_OR)
		return is_only_of(f, n->a, d) && is_only_of(f, n->b, d);
	return is_of(n, d);
}

bool filter_is_bound(const struct filter *f, unsigned int node)
{
	struct set set;

	for (enum dimension d = 0; d < DIMENSIONS; d++) {
		if (is_only_of(f, node, d))
			return bound_in(f, node, d, false, &set) &&
			       bound_in(f, f->len - 1, d, false, &set);
	}
	return false;
}

/* In a scope a set without ranges is every port; "none" cannot be said. */
static void narrow_ports(const struct wire_ports *by, struct wire_ports *ports)
{
	struct wire_ports both;

	if (portset_is_all(by) || !by->len)
		return;
	if (!ports->len)
		*ports = *by;
	else if (portset_intersect(ports, by, &both) && both.len)
		*ports = both;
}

void filter_bound_scope(const struct filter_bound *bound, struct scope *scope)
{
	struct wire_addrs all = addrset_all();

	if (!addrset_is_all(&bound->laddrs))
		scope->laddrs = bound->laddrs;
	if (!addrset_is_all(&bound->raddrs))
		scope->raddrs = bound->raddrs;
	if (bound->nothing)
		addrset_complement(&all, &scope->laddrs);
	narrow_ports(&bound->lports, &scope->sockets.lports);
	narrow_ports(&bound->rports, &scope->sockets.rports);
	if (!scope->sockets.family)
		scope->sockets.family = bound->family;
}
