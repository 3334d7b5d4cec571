// SPDX-License-Identifier: GPL-2.0-or-later
#include "ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fact.h"
#include "tcp_state.h"

#define SPACES_MAX	65536	/* of 120 bytes */
#define POOLS_MAX	64	/* of 24 KB; a host has few addresses of its own */
#define NSEC_PER_MSEC	1000000ull
#define TIME_WAIT_SEC	60	/* TCP_TIMEWAIT_LEN */

int ports_init(struct ports *p)
{
	int err;

	*p = (struct ports){};
	err = keytab_init(&p->spaces, sizeof(struct port_key), sizeof(struct port_space),
			  SPACES_MAX);
	if (!err)
		err = keytab_init(&p->pools, sizeof(((struct port_pool *)0)->laddr),
				  sizeof(struct port_pool), POOLS_MAX);
	if (!err) {
		p->touched = calloc(SPACES_MAX, sizeof(*p->touched));
		err = p->touched ? 0 : -ENOMEM;
	}
	if (err)
		ports_deinit(p);
	return err;
}

void ports_deinit(struct ports *p)
{
	keytab_deinit(&p->spaces);
	keytab_deinit(&p->pools);
	free(p->touched);
	*p = (struct ports){};
}

void ports_begin(struct ports *p, uint64_t at_ns)
{
	p->census++;
	p->at_ns[p->census % PORTS_PAST] = at_ns;
}

static void learn_range(struct ports *p, const struct wire_netns_facts *facts)
{
	uint64_t lo = fact_or(facts, WIRE_F_PORT_LO, 0), hi = fact_or(facts, WIRE_F_PORT_HI, 0);
	uint64_t reserved = fact_or(facts, WIRE_F_PORTS_RESERVED, 0);

	p->has_range = lo <= hi && hi && hi <= UINT16_MAX;
	p->lo = p->has_range ? lo : 0;
	p->hi = p->has_range ? hi : UINT16_MAX;
	p->capacity = p->has_range && reserved <= hi - lo + 1 ? hi - lo + 1 - reserved : 0;
}

void ports_enter(struct ports *p, uint32_t netns, uint32_t hz,
		 const struct wire_netns_facts *facts)
{
	p->netns = netns;
	p->hz = hz;
	learn_range(p, facts);
	p->tw_reuse = fact_or(facts, WIRE_F_TW_REUSE, 0);
	p->tw_reuse_delay_ms = fact_or(facts, WIRE_F_TW_REUSE_DELAY, 1000);
	p->nr_touched = 0;
	p->rest = p->rest_time_wait = 0;
	memset(p->listening, 0, sizeof(p->listening));
	keytab_clear(&p->pools);
}

static bool has_bit(const uint64_t *bits, uint16_t port)
{
	return bits[port / 64] >> (port % 64) & 1;
}

static void set_bit(uint64_t *bits, uint16_t port)
{
	bits[port / 64] |= 1ull << (port % 64);
}

static bool takes_port(const struct ports *p, const struct wire_tuple *t)
{
	return t->lport >= p->lo && t->lport <= p->hi && t->lport && t->rport &&
	       !has_bit(p->listening, t->lport);
}

/* NULL: no room.  The first touch in a census begins its count anew. */
static struct port_space *touch(struct ports *p, const struct port_key *key, uint8_t family)
{
	struct port_space *s = keytab_add(&p->spaces, key);

	if (!s || s->last == p->census)
		return s;
	if (!s->last || s->last + 1 != p->census)
		s->first = p->census;
	/* should nobody leave: a census that was broken off */
	s->past[p->census % PORTS_PAST] = s->past[s->last % PORTS_PAST];
	s->last = p->census;
	s->used = s->time_wait = s->reusable = s->stamped = 0;
	s->family = family;
	p->touched[p->nr_touched++] = ((char *)s - p->spaces.entries) / sizeof(*s);
	return s;
}

static struct port_space *take(struct ports *p, const struct wire_tuple *t, uint32_t n)
{
	struct port_key key = { .netns = p->netns, .rport = t->rport };
	struct port_space *s;

	memcpy(key.laddr, t->laddr, sizeof(key.laddr));
	memcpy(key.raddr, t->raddr, sizeof(key.raddr));
	s = touch(p, &key, t->family);
	if (s)
		s->used += n;
	else
		p->rest += n;
	return s;
}

/* NULL: no room. */
static struct port_pool *take_from_pool(struct ports *p, const struct wire_tuple *t, bool shared)
{
	struct port_pool *pool = keytab_add(&p->pools, t->laddr);

	if (!pool)
		return NULL;
	pool->family = t->family;
	pool->bound += !shared;
	set_bit(pool->taken, t->lport);
	return pool;
}

void ports_add_socket(struct ports *p, const struct wire_socket *socket)
{
	struct port_pool *pool;

	if (socket->state == TS_LISTEN) {
		set_bit(p->listening, socket->tuple.lport);
		return;
	}
	if (!takes_port(p, &socket->tuple))
		return;
	take(p, &socket->tuple, 1);
	pool = take_from_pool(p, &socket->tuple, socket->flags & WIRE_M_SHARED);
	if (pool)
		set_bit(pool->open, socket->tuple.lport);
}

static bool is_loopback(const uint8_t *addr)
{
	static const uint8_t v6[16] = { [15] = 1 };
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	return !memcmp(addr, v6, sizeof(v6)) ||
	       (!memcmp(addr, mapped, sizeof(mapped)) && addr[12] == 127);
}

/* tcp_twsk_unique(): with timestamps, after a while; 2, the default, is for loopback. */
static bool is_reusable(const struct ports *p, const struct wire_tuple *t)
{
	return p->tw_reuse == 1 ||
	       (p->tw_reuse == 2 && (is_loopback(t->laddr) || is_loopback(t->raddr)));
}

static bool is_old_enough(const struct ports *p, const struct wire_mini *mini)
{
	int64_t for_ms = TIME_WAIT_SEC * 1000 - (int64_t)mini->left * 1000 / (int64_t)p->hz;

	return for_ms >= (int64_t)p->tw_reuse_delay_ms;
}

void ports_add_mini(struct ports *p, const struct wire_mini *mini)
{
	bool time_wait = mini->substate == TS_TIME_WAIT;
	struct port_pool *pool;
	struct port_space *s;

	if (!takes_port(p, &mini->tuple))
		return;
	pool = take_from_pool(p, &mini->tuple, mini->flags & WIRE_M_SHARED);
	if (pool && time_wait)
		set_bit(pool->waits, mini->tuple.lport);
	s = take(p, &mini->tuple, 1);
	if (!s) {
		p->rest_time_wait += time_wait;
		return;
	}
	s->time_wait += time_wait;
	if (!time_wait || !(mini->flags & WIRE_M_STAMPED) || !is_old_enough(p, mini))
		return;
	s->stamped++;
	s->reusable += is_reusable(p, &mini->tuple);
}

void ports_add_group(struct ports *p, const struct wire_mini_group *group)
{
	struct port_space *s;

	if (!group->tuple.rport)	/* of none of their ports */
		return;
	s = take(p, &group->tuple, group->time_wait + group->fin_wait2);
	if (!s) {
		p->rest_time_wait += group->time_wait;
		return;
	}
	s->time_wait += group->time_wait;
	s->stamped += group->stamped;
	s->reusable += is_reusable(p, &group->tuple) ? group->stamped : 0;
}

void ports_add_pool(struct ports *p, const struct wire_mini_pool *from)
{
	struct port_pool *pool = keytab_add(&p->pools, from->laddr);

	if (!pool)
		return;
	pool->family = from->family;
	pool->bound += from->bound;
	for (unsigned int i = 0; i < 1024; i++) {
		pool->taken[i] |= from->taken[i];
		pool->waits[i] |= from->waits[i];
	}
}

static uint32_t count_bits(uint64_t word)
{
	uint32_t ret = 0;

	for (; word; word &= word - 1)
		ret++;
	return ret;
}

/* A pool that nobody drew from at bind() is no more than the sum of the spaces. */
static void tell_pools(struct ports *p)
{
	for (uint32_t i = 0; i < p->pools.nr; i++) {
		const struct port_pool *pool = keytab_at(&p->pools, i);
		struct port_key key = { .netns = p->netns, .is_pool = 1 };
		struct port_space *s;

		if (!pool->bound)
			continue;
		memcpy(key.laddr, pool->laddr, sizeof(key.laddr));
		s = touch(p, &key, pool->family);
		if (!s)
			continue;
		for (unsigned int k = 0; k < 1024; k++) {
			s->used += count_bits(pool->taken[k]);
			s->time_wait += count_bits(pool->waits[k] & ~pool->open[k]);
		}
	}
}

static bool comes_before(const struct port_space *a, const struct port_space *b)
{
	if (a->used != b->used)
		return a->used > b->used;
	return memcmp(&a->key, &b->key, sizeof(a->key)) < 0;
}

unsigned int ports_leave(struct ports *p, unsigned int n, struct port_space **ret)
{
	unsigned int nr = 0;

	tell_pools(p);
	for (uint32_t i = 0; i < p->nr_touched; i++) {
		struct port_space *s = keytab_at(&p->spaces, p->touched[i]);
		unsigned int at = nr;

		s->past[p->census % PORTS_PAST] = s->used - s->reusable;
		if (at == n && (!n || !comes_before(s, ret[n - 1])))
			continue;
		if (at < n)
			nr++;
		else
			at--;
		for (; at && comes_before(s, ret[at - 1]); at--)
			ret[at] = ret[at - 1];
		ret[at] = s;
	}
	for (unsigned int i = 0; i < nr; i++)
		ret[i]->told = p->census;
	return nr;
}

uint32_t ports_most_taken(const struct ports *p)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < p->nr_touched; i++) {
		const struct port_space *s = keytab_at(&p->spaces, p->touched[i]);

		if (s->used - s->reusable > most)
			most = s->used - s->reusable;
	}
	return most;
}

static bool was_met(const void *entry, const void *ctx)
{
	const struct port_space *s = entry;
	const struct ports *p = ctx;

	return s->last == p->census;
}

static bool was_told(const void *entry, const void *ctx)
{
	const struct port_space *s = entry;
	const struct ports *p = ctx;

	return s->told == p->census;
}

void ports_end(struct ports *p)
{
	keytab_filter(&p->spaces, was_met, p);
	if (p->spaces.nr > p->spaces.limit / 4 * 3)
		keytab_filter(&p->spaces, was_told, p);
}

uint64_t ports_full_in_ms(const struct ports *p, const struct port_space *s)
{
	uint32_t since = s->first, used = s->used - s->reusable, then;
	uint64_t ns;

	if (!p->capacity || s->last != p->census)
		return PORTS_NEVER;
	if (p->census - since >= PORTS_PAST)
		since = p->census - PORTS_PAST + 1;
	then = s->past[since % PORTS_PAST];
	ns = p->at_ns[p->census % PORTS_PAST] - p->at_ns[since % PORTS_PAST];
	if (since == p->census || used <= then || !ns)
		return PORTS_NEVER;
	if (used >= p->capacity)
		return 0;
	return (uint64_t)(p->capacity - used) * (ns / NSEC_PER_MSEC) / (used - then);
}
