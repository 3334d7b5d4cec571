// SPDX-License-Identifier: GPL-2.0-or-later
#include "counted.h"

#include <string.h>

#include "fact.h"

#define TIME_WAIT_MS	60000	/* TCP_TIMEWAIT_LEN */
#define STEP_SECONDS	5

/* As ports.h has it: who has been waiting for so long has no more left than this. */
static __s32 left_when_reusable(__u64 delay_ms, __u32 hz)
{
	if (delay_ms > TIME_WAIT_MS)
		return -1;
	return ((TIME_WAIT_MS + 1 - (__s64)delay_ms) * hz - 1) / 1000;
}

void counted_begin(struct wire_counted *c, const struct wire_netns_facts *facts, __u32 hz)
{
	__u64 lo = fact_or(facts, WIRE_F_PORT_LO, 0), hi = fact_or(facts, WIRE_F_PORT_HI, 0);
	_Bool has_range = lo <= hi && hi && hi <= 0xffff;

	c->lo = has_range ? lo : 0;
	c->hi = has_range ? hi : 0xffff;
	c->step = STEP_SECONDS * hz;
	c->stamped_left = left_when_reusable(fact_or(facts, WIRE_F_TW_REUSE_DELAY, 1000), hz);
}

/* Where it is handed out it is wiped. */
struct tell {
	record_fn fn;
	void *ctx;
	struct wire_hdr hdr;
	__u32 nr;
};

static void hand_out(struct tell *t, void *rec, __u16 len, enum wire_kind kind)
{
	struct wire_hdr *hdr = rec;

	*hdr = t->hdr;
	hdr->len = len;
	hdr->kind = kind;
	t->fn(t->ctx, rec, len);
	t->nr++;
	memset(rec, 0, len);
}

static void tell_ports(struct wire_counted *c, struct tell *t)
{
	for (__u32 i = 0; i < 1024; i++) {
		if (!(c->chunks[i / 64] >> (i % 64) & 1))
			continue;
		c->ports[i].first = i * 64;
		hand_out(t, &c->ports[i], sizeof(c->ports[i]), WIRE_MINI_PORTS);
	}
}

__u32 counted_tell(struct wire_counted *c, __u32 netns, __u64 now_ns, record_fn fn, void *ctx)
{
	struct tell t = { .fn = fn, .ctx = ctx, .hdr = {
		.ts_ns = now_ns, .netns = netns, .version = WIRE_VERSION,
	} };

	for (__u32 i = 0; i < c->nr_groups; i++)
		hand_out(&t, &c->groups[i], sizeof(c->groups[i]), WIRE_MINI_GROUP);
	for (__u32 i = 0; i < WIRE_POOLS; i++) {
		if (c->pools[i].family)
			hand_out(&t, &c->pools[i], sizeof(c->pools[i]), WIRE_MINI_POOL);
	}
	tell_ports(c, &t);
	if (c->nr_groups)
		memset(c->slots, 0, sizeof(c->slots));
	memset(c->chunks, 0, sizeof(c->chunks));
	memset(c->listening, 0, sizeof(c->listening));
	c->nr_groups = 0;
	return t.nr;
}
