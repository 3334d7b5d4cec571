/* SPDX-License-Identifier: GPL-2.0 */
/*
 * counted.bpf.h - mini-sockets counted where they are met, instead of a row each: by
 * their ends, by local port, and which ports they take.
 */
#ifndef SYNFIN_COUNTED_BPF_H
#define SYNFIN_COUNTED_BPF_H

#include "sock.bpf.h"

#define PROBES		8	/* of slots, at most half of which are taken */

/* The one that is looked at: in map memory, as the rows are. */
static struct wire_tuple counted_ends __attribute__((aligned(8)));

/*
 * connect() without a bound port takes one from a bucket that has no bind() in
 * it, or makes such a bucket: __inet_hash_connect().
 */
static __always_inline bool bucket_is_shared(const struct inet_bind_bucket *tb)
{
	return tb && tb->fastreuse < 0 && tb->fastreuseport < 0;
}

static __always_inline void set_bit(__u64 *bits, __u16 port)
{
	bits[port >> 6 & 1023] |= 1ull << (port & 63);
}

/* Of connect()'s, and nobody listens on it. */
static __always_inline bool is_taken(const struct wire_counted *c, __u16 lport, __u16 rport)
{
	return lport >= c->lo && lport <= c->hi && lport && rport && !port_in(c->listening, lport);
}

static __always_inline __u32 ends_hash(const struct wire_tuple *t)
{
	const __u32 *words = (const __u32 *)t;
	__u64 hash = sock_mask;

	for (int i = 0; i < 9; i++)	/* both addresses, and rport */
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ull;
	return hash >> 32;
}

static __always_inline bool same_ends(const struct wire_tuple *a, const struct wire_tuple *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3] && x[4] == y[4];
}

/*
 * What a loop found, by way of memory: otherwise the verifier goes through all that
 * follows once for each turn in which it may have been found.
 */
static __u32 counted_found;

static __always_inline __u32 forget(__u32 found)
{
	volatile __u32 *memory = &counted_found;

	*memory = found;
	return *memory;
}

static __always_inline bool is_pool_of(struct wire_mini_pool *p, const struct wire_tuple *t)
{
	const __u64 *x = (const __u64 *)p->laddr, *y = (const __u64 *)t->laddr;

	if (!p->family) {
		__builtin_memcpy(p->laddr, t->laddr, sizeof(p->laddr));
		p->family = t->family;
	}
	return x[0] == y[0] && x[1] == y[1];
}

/* In one place, or in the other.  Counted from 1; 0: no room. */
static __always_inline __u32 pool_of(struct wire_counted *c, const struct wire_tuple *t)
{
	const __u64 *words = (const __u64 *)t->laddr;
	__u64 hash = (words[0] ^ words[1] ^ sock_mask) * 0x9e3779b97f4a7c15ull;
	__u32 one = hash >> 60, other = hash >> 56 & (WIRE_POOLS - 1);

	if (is_pool_of(&c->pools[one & (WIRE_POOLS - 1)], t))
		return one + 1;
	return is_pool_of(&c->pools[other], t) ? other + 1 : 0;
}

/* False: no room. */
static __always_inline bool add_group(struct wire_counted *c, __u32 slot,
				      const struct wire_tuple *ends)
{
	__u32 pool = ends->rport ? pool_of(c, ends) : 0;
	__u32 at = c->nr_groups;
	struct wire_mini_group *group;

	if (at >= WIRE_GROUPS || (ends->rport && !pool))
		return false;
	c->nr_groups = at + 1;
	c->slots[slot] = at + 1;
	group = &c->groups[at];
	group->tuple = *ends;
	group->pool = pool;
	return true;
}

/* NULL: no room. */
static __always_inline struct wire_mini_group *group_of(struct wire_counted *c,
							const struct wire_tuple *ends)
{
	__u32 slot = ends_hash(ends), i, at;

	for (i = 0; i < PROBES; i++, slot++) {
		at = c->slots[slot & (WIRE_GROUP_SLOTS - 1)];
		if (!at || same_ends(&c->groups[(at - 1) & (WIRE_GROUPS - 1)].tuple, ends))
			break;
	}
	if (i == PROBES)
		return NULL;
	slot = forget(slot) & (WIRE_GROUP_SLOTS - 1);
	if (!c->slots[slot] && !add_group(c, slot, ends))
		return NULL;
	return &c->groups[(c->slots[slot] - 1) & (WIRE_GROUPS - 1)];
}

static __always_inline void count_left(struct wire_counted *c, struct wire_mini_group *group,
				       const struct tcp_timewait_sock *tw, __u16 lport)
{
	__s32 left = tw->tw_sk.tw_timer.expires - bpf_jiffies64();
	__u32 step = left < 0 || !c->step ? 0 : (__u32)left / c->step;

	if (step >= WIRE_LEFT_STEPS)
		step = WIRE_LEFT_STEPS - 1;
	group->left[step]++;
	group->time_wait++;
	if (left <= c->stamped_left && tw->tw_ts_recent_stamp)
		group->stamped++;
	set_bit(c->chunks, lport >> 6);
	c->ports[lport >> 6 & 1023].counts[lport & 63]++;
}

/* All who have the port have its bucket, too, which is far away: one look will do. */
static __always_inline void take_port(struct wire_counted *c, const struct wire_mini_group *group,
				      const struct tcp_timewait_sock *tw, __u16 lport, bool waits)
{
	struct wire_mini_pool *pool = &c->pools[(group->pool - 1) & (WIRE_POOLS - 1)];

	if (waits)
		set_bit(pool->waits, lport);
	if (port_in(pool->taken, lport))
		return;
	set_bit(pool->taken, lport);
	if (!bucket_is_shared(tw->tw_sk.tw_tb))
		pool->bound++;
}

/* Who is between these ends is counted among them: no port, unless it is a taken one. */
static __always_inline bool ends_of(const struct wire_counted *c, const struct sock_common *skc,
				    struct wire_tuple *ends)
{
	__u16 lport = skc->skc_num;

	common_read_addrs(skc, ends);
	ends->lport = lport;
	if (!tuple_in_scope(ends, true, true))
		return false;
	if (!is_taken(c, lport, ends->rport))
		ends->rport = 0;
	ends->lport = 0;
	return true;
}

/* False: there was no room for it. */
static __always_inline bool count_mini(struct wire_counted *c, const struct sock_common *skc,
				       const struct tcp_timewait_sock *tw)
{
	struct wire_mini_group *group;
	bool waits;

	if (!ends_of(c, skc, &counted_ends))
		return true;
	group = group_of(c, &counted_ends);
	if (!group)
		return false;
	waits = tw->tw_sk.tw_substate == BPF_TCP_TIME_WAIT;
	if (waits)
		count_left(c, group, tw, skc->skc_num);
	else
		group->fin_wait2++;
	if (group->pool)
		take_port(c, group, tw, skc->skc_num, waits);
	return true;
}

#endif
