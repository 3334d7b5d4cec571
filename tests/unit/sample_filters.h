/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample_filters.h - filters and sockets that are made at random, of few addresses
 * and ports, so that they meet often: for the tests of what is told of filters.
 */
#ifndef SYNFIN_TESTS_SAMPLE_FILTERS_H
#define SYNFIN_TESTS_SAMPLE_FILTERS_H

#include "addrset.h"
#include "filter.h"
#include "sample_events.h"

/* 10.x.0.y, or 2001:db8::x:0:y */
static inline void random_address(uint64_t *seed, bool v4, uint8_t ret[16])
{
	static const uint8_t v4_net[16] = { [10] = 0xff, 0xff, 10 };
	static const uint8_t v6_net[16] = { 0x20, 1, 0xd, 0xb8 };

	memcpy(ret, v4 ? v4_net : v6_net, 16);
	ret[13] = random_below(seed, 3);
	ret[15] = 1 + random_below(seed, 2);
}

static inline struct filter_node random_prefix_test(uint64_t *seed)
{
	static const uint8_t v4_lens[] = { 96, 104, 112, 128 }, v6_lens[] = { 0, 32, 112, 128 };
	struct filter_node n = { .kind = FILTER_ADDR, .remote = random_below(seed, 2) };
	bool v4 = random_below(seed, 3);

	n.len = (v4 ? v4_lens : v6_lens)[random_below(seed, 4)];
	random_address(seed, v4, n.addr);
	addr_mask(n.addr, n.len);
	return n;
}

/* = N, >= N or <= N, as they are parsed. */
static inline struct filter_node random_port_test(uint64_t *seed)
{
	struct filter_node n = { .kind = FILTER_PORT, .remote = random_below(seed, 2) };
	uint16_t port = 1 + random_below(seed, 4);

	n.ports.lo = random_below(seed, 3) ? port : 1;
	n.ports.hi = random_below(seed, 3) ? port : 65535;
	return n;
}

/* only_tuple: no states, which no kernel decides. */
static inline struct filter_node random_test(uint64_t *seed, bool only_tuple)
{
	struct filter_node n = { .kind = FILTER_STATE };

	switch (random_below(seed, only_tuple ? 8 : 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		return random_prefix_test(seed);
	case 4:
	case 5:
	case 6:
		return random_port_test(seed);
	case 7:
		n.kind = FILTER_ANY;
		return n;
	}
	while (!n.states)	/* of states 1 .. 11 */
		n.states = random_below(seed, 1 << 11) << 1;
	return n;
}

/* A tree of so many tests at most.  Its index in f. */
static inline int random_tree(uint64_t *seed, unsigned int tests, bool only_tuple, struct filter *f)
{
	struct filter_node n;
	int a, b;

	if (!random_below(seed, 4))
		return filter_join(f, FILTER_NOT, random_tree(seed, tests, only_tuple, f), 0);
	if (tests < 2) {
		n = random_test(seed, only_tuple);
		return filter_add(f, &n);
	}
	a = random_tree(seed, tests / 2, only_tuple, f);
	b = random_tree(seed, tests - tests / 2, only_tuple, f);
	return filter_join(f, random_below(seed, 2) ? FILTER_AND : FILTER_OR, a, b);
}

static inline struct filter random_filter(uint64_t *seed, bool only_tuple)
{
	struct filter f = {};

	random_tree(seed, 1 + random_below(seed, 6), only_tuple, &f);
	return f;
}

/* Of a connection, or of a listening socket, all of it known. */
static inline struct wire_tuple random_tuple(uint64_t *seed, bool listener)
{
	struct wire_tuple t = { .family = random_below(seed, 3) ? 4 : 6 };

	random_address(seed, t.family == 4, t.laddr);
	random_address(seed, t.family == 4, t.raddr);
	t.lport = 1 + random_below(seed, 5);
	t.rport = 1 + random_below(seed, 5);
	if (!listener)
		return t;
	t.rport = 0;
	memset(t.raddr + (t.family == 4 ? 12 : 0), 0, t.family == 4 ? 4 : 16);
	if (random_below(seed, 2))
		memcpy(t.laddr, t.raddr, 16);
	return t;
}

/* The same trees, whatever numbers their nodes have. */
static inline bool is_same_tree(const struct filter *f, unsigned int a, const struct filter *g,
				unsigned int b)
{
	const struct filter_node *n = &f->node[a], *m = &g->node[b];

	if (n->kind != m->kind)
		return false;
	if (n->kind == FILTER_NOT)
		return is_same_tree(f, n->a, g, m->a);
	if (n->kind == FILTER_AND || n->kind == FILTER_OR)
		return is_same_tree(f, n->a, g, m->a) && is_same_tree(f, n->b, g, m->b);
	return n->remote == m->remote && n->len == m->len && !memcmp(n->addr, m->addr, 16);
}

static inline bool is_same_filter(const struct filter *f, const struct filter *g)
{
	if (!f->len || !g->len)
		return f->len == g->len;
	return is_same_tree(f, f->len - 1, g, g->len - 1);
}

#endif
