// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resting.h"

#define CHUNK		1024u	/* slots: 160 kB */
#define CONN_CHUNK	256u	/* connections: some 110 kB */

#define TOUCH_BITS	30

enum slot_state { SLOT_FREE, SLOT_CONN, SLOT_PACKED };

struct conntab_slot {
	uint64_t key;
	uint32_t next;		/* in its bucket, + 1; or, free, in the free list */
	uint32_t touched : TOUCH_BITS;	/* the number of its last touch, as far as it fits */
	uint32_t state : 2;	/* enum slot_state */
	union {
		struct conn *conn;
		struct resting packed;
	};
};
_Static_assert(sizeof(struct conntab_slot) <= 160, "a million of them in 200 MB");
_Static_assert(CONNTAB_RECENT >= 32 && !(CONNTAB_RECENT & (CONNTAB_RECENT - 1)), "see conntab.h");

static struct conntab_slot *at(const struct conntab *t, uint32_t i)
{
	return &t->chunks[i / CHUNK][i % CHUNK];
}

/* One that is not packed. */
static struct conn *conn_at(const struct conntab *t, uint32_t i)
{
	return at(t, i)->conn;
}

/* ---- hash chains ---- */

/*
 * Cookies are numbers in sequence: as they are they spread best, and those of one
 * time share cache lines.  What else is a key has its top bit set, and is spread by
 * Fibonacci hashing.
 */
static uint32_t *bucket(const struct conntab *t, uint64_t key)
{
	if (key >> 63)
		key = key * 0x9e3779b97f4a7c15ull >> 32;
	return &t->buckets[key & (t->nr_buckets - 1)];
}

/* Empty is 0, so that the array may come zeroed: links are index + 1. */
static void chain_insert(struct conntab *t, uint32_t i)
{
	struct conntab_slot *s = at(t, i);
	uint32_t *head = bucket(t, s->key);

	s->next = *head;
	*head = i + 1;
}

static void chain_remove(struct conntab *t, uint32_t i)
{
	struct conntab_slot *s = at(t, i);
	uint32_t *link = bucket(t, s->key);

	while (*link != i + 1)
		link = &at(t, *link - 1)->next;
	*link = s->next;
}

/* ---- the order of use: a ring of slots, in an array of its own, which is seldom cold ---- */

/* Slots + 1.  The first has no slot: before it is the newest, behind it the oldest. */
struct conntab_age {
	uint32_t older, newer;
};

static void age_append(struct conntab *t, uint32_t i)
{
	struct conntab_age *ages = t->ages;
	uint32_t newest = ages[0].older;

	ages[i + 1] = (struct conntab_age){ .older = newest };
	ages[newest].newer = i + 1;
	ages[0].older = i + 1;
}

static void age_remove(struct conntab *t, uint32_t i)
{
	struct conntab_age a = t->ages[i + 1];

	t->ages[a.older].newer = a.newer;
	t->ages[a.newer].older = a.older;
}

/* + 1; 0: there is none. */
static uint32_t oldest(const struct conntab *t)
{
	return t->ages[0].newer;
}

static uint32_t newer_than(const struct conntab *t, uint32_t i)
{
	return t->ages[i + 1].newer;
}

/* ---- deadlines: a binary heap of indices, earliest on top; who has one is not packed ---- */

static void heap_put(struct conntab *t, uint32_t pos, uint32_t i)
{
	t->heap[pos] = i;
	conn_at(t, i)->timer = pos + 1;
}

static bool earlier(const struct conntab *t, uint32_t a, uint32_t b)
{
	return conn_at(t, a)->deadline_ns < conn_at(t, b)->deadline_ns;
}

static void heap_up(struct conntab *t, uint32_t pos)
{
	uint32_t i = t->heap[pos];

	while (pos && earlier(t, i, t->heap[(pos - 1) / 2])) {
		heap_put(t, pos, t->heap[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	heap_put(t, pos, i);
}

static void heap_down(struct conntab *t, uint32_t pos)
{
	uint32_t i = t->heap[pos], child;

	while ((child = 2 * pos + 1) < t->heap_len) {
		if (child + 1 < t->heap_len && earlier(t, t->heap[child + 1], t->heap[child]))
			child++;
		if (!earlier(t, t->heap[child], i))
			break;
		heap_put(t, pos, t->heap[child]);
		pos = child;
	}
	heap_put(t, pos, i);
}

static void heap_remove(struct conntab *t, uint32_t pos)
{
	uint32_t last = t->heap[--t->heap_len];

	conn_at(t, t->heap[pos])->timer = 0;
	if (pos == t->heap_len)
		return;
	heap_put(t, pos, last);
	heap_up(t, pos);
	heap_down(t, conn_at(t, last)->timer - 1);
}

void conntab_set_deadline(struct conntab *t, struct conn *c, uint64_t at_ns)
{
	if (c->timer)
		heap_remove(t, c->timer - 1);
	c->deadline_ns = at_ns;
	if (!at_ns)
		return;
	heap_put(t, t->heap_len++, c->self);
	heap_up(t, t->heap_len - 1);
}

uint64_t conntab_next_deadline(const struct conntab *t)
{
	return t->heap_len ? conn_at(t, t->heap[0])->deadline_ns : 0;
}

/* ---- memory ---- */

static bool grow(struct conntab *t)
{
	struct conntab_slot *chunk;
	uint32_t n = t->limit - t->allocated;

	if (n > CHUNK)
		n = CHUNK;
	if (!n)
		return false;
	chunk = calloc(CHUNK, sizeof(*chunk));
	if (!chunk)
		return false;
	t->chunks[t->allocated / CHUNK] = chunk;
	for (uint32_t i = n; i--;) {
		chunk[i].next = t->free_head;
		t->free_head = t->allocated + i + 1;
	}
	t->allocated += n;
	return true;
}

static bool grow_conns(struct conntab *t)
{
	struct conn *chunk = calloc(CONN_CHUNK, sizeof(*chunk));

	if (!chunk)
		return false;
	t->conn_chunks[t->nr_conn_chunks++] = chunk;
	for (uint32_t i = CONN_CHUNK; i--;) {
		chunk[i].next_free = t->free_conns;
		t->free_conns = &chunk[i];
	}
	return true;
}

/* A zeroed one for the slot, whatever the slot held.  NULL: there is no memory. */
static struct conn *take_conn(struct conntab *t, uint32_t i)
{
	struct conntab_slot *s = at(t, i);
	struct conn *c = t->free_conns;

	if (!c && !grow_conns(t))
		return NULL;
	c = t->free_conns;
	t->free_conns = c->next_free;
	memset(c, 0, sizeof(*c));
	c->self = i;
	c->key = s->key;
	s->state = SLOT_CONN;
	s->conn = c;
	return c;
}

static void give_conn(struct conntab *t, struct conn *c)
{
	c->next_free = t->free_conns;
	t->free_conns = c;
}

static void free_slot(struct conntab *t, uint32_t i)
{
	struct conntab_slot *s = at(t, i);

	chain_remove(t, i);
	age_remove(t, i);
	s->state = SLOT_FREE;
	s->next = t->free_head;
	t->free_head = i + 1;
	t->used--;
}

/* ---- packed ---- */

static void pack(struct conntab *t, struct conntab_slot *s)
{
	struct conn *c = s->conn;
	struct resting packed;

	if (!resting_pack(&packed, c, &t->owners))
		return;
	give_conn(t, c);
	s->state = SLOT_PACKED;
	s->packed = packed;
}

static uint32_t touches_since(const struct conntab *t, const struct conntab_slot *s)
{
	return (t->touches - s->touched) & ((1u << TOUCH_BITS) - 1);
}

/* Touched lately: that will do for as many touches again. */
static bool is_fresh(const struct conntab *t, const struct conntab_slot *s)
{
	return s->state == SLOT_CONN && touches_since(t, s) < CONNTAB_RECENT / 2;
}

/* It is asked for; whoever was asked for longest ago may be packed now. */
static void touch(struct conntab *t, uint32_t i)
{
	uint32_t *place = &t->recent[t->touches % CONNTAB_RECENT], leaves = *place;
	struct conntab_slot *s = leaves ? at(t, leaves - 1) : NULL;

	if (s && s->state == SLOT_CONN && leaves != i + 1 && touches_since(t, s) == CONNTAB_RECENT)
		pack(t, s);
	*place = i + 1;
	at(t, i)->touched = t->touches++;
}

/* It is asked for.  NULL: there is no memory for it, and it is gone. */
static struct conn *unpacked(struct conntab *t, uint32_t i)
{
	struct conntab_slot *s = at(t, i);
	struct resting packed;
	struct conn *c;

	touch(t, i);
	if (s->state == SLOT_CONN)
		return s->conn;
	packed = s->packed;
	c = take_conn(t, i);
	if (c) {
		resting_unpack(c, &packed, &t->owners);
		return c;
	}
	resting_drop(&packed, &t->owners);
	free_slot(t, i);
	t->refused++;
	return NULL;
}

/* ---- the table ---- */

int conntab_init(struct conntab *t, uint32_t limit)
{
	struct conntab new = { .limit = limit };

	if (!limit || limit > 1u << 30)
		return -EINVAL;
	for (new.nr_buckets = 1; new.nr_buckets < limit;)
		new.nr_buckets *= 2;
	/* Untouched pages of these cost nothing. */
	new.buckets = calloc(new.nr_buckets, sizeof(*new.buckets));
	new.ages = calloc(limit + 1, sizeof(*new.ages));
	new.chunks = calloc(limit / CHUNK + 1, sizeof(*new.chunks));
	new.conn_chunks = calloc(limit / CONN_CHUNK + 1, sizeof(*new.conn_chunks));
	new.heap = calloc(limit, sizeof(*new.heap));
	if (!new.buckets || !new.ages || !new.chunks || !new.conn_chunks || !new.heap) {
		conntab_deinit(&new);
		return -ENOMEM;
	}
	*t = new;
	return 0;
}

void conntab_deinit(struct conntab *t)
{
	for (uint32_t i = 0; t->chunks && i < t->allocated; i += CHUNK)
		free(t->chunks[i / CHUNK]);
	for (uint32_t i = 0; i < t->nr_conn_chunks; i++)
		free(t->conn_chunks[i]);
	free(t->chunks);
	free(t->conn_chunks);
	free(t->buckets);
	free(t->ages);
	free(t->heap);
	ownerset_deinit(&t->owners);
	memset(t, 0, sizeof(*t));
}

struct conn *conntab_find(struct conntab *t, uint64_t key)
{
	uint32_t link = *bucket(t, key), i;
	struct conntab_slot *s;

	for (; link; link = s->next) {
		s = at(t, link - 1);
		if (s->key == key)
			break;
	}
	if (!link)
		return NULL;
	i = link - 1;
	age_remove(t, i);
	age_append(t, i);
	return is_fresh(t, s) ? s->conn : unpacked(t, i);
}

struct conn *conntab_add(struct conntab *t, uint64_t key)
{
	struct conntab_slot *s;
	struct conn *c;
	uint32_t i;

	if (!t->free_head && !grow(t))
		return NULL;
	i = t->free_head - 1;
	s = at(t, i);
	s->key = key;
	c = take_conn(t, i);
	if (!c)
		return NULL;
	t->free_head = s->next;
	chain_insert(t, i);
	age_append(t, i);
	t->used++;
	touch(t, i);
	return c;
}

void conntab_rekey(struct conntab *t, struct conn *c, uint64_t key)
{
	chain_remove(t, c->self);
	at(t, c->self)->key = key;
	c->key = key;
	chain_insert(t, c->self);
}

void conntab_remove(struct conntab *t, struct conn *c)
{
	conntab_set_deadline(t, c, 0);
	free_slot(t, c->self);
	give_conn(t, c);
}

struct conn *conntab_due(struct conntab *t, uint64_t now_ns)
{
	struct conn *c;

	if (!t->heap_len || conntab_next_deadline(t) > now_ns)
		return NULL;
	c = conn_at(t, t->heap[0]);
	conntab_set_deadline(t, c, 0);
	touch(t, c->self);
	return c;
}

/* ---- one after the other ---- */

/* From this one on (+ 1); what is refused on the way is gone. */
static struct conn *first_from(struct conntab *t, uint32_t link)
{
	while (link) {
		uint32_t newer = newer_than(t, link - 1);
		struct conn *c = unpacked(t, link - 1);

		if (c)
			return c;
		link = newer;
	}
	return NULL;
}

struct conn *conntab_oldest(struct conntab *t)
{
	return first_from(t, oldest(t));
}

struct conn *conntab_newer(struct conntab *t, const struct conn *c)
{
	return first_from(t, newer_than(t, c->self));
}

static bool is_unseen(const struct conntab_slot *s, uint32_t netns, uint64_t before_ns)
{
	const struct resting *r = &s->packed;

	if (s->state == SLOT_CONN)
		return s->conn->netns == netns && conn_seen_ns(s->conn) < before_ns;
	return r->netns == netns && r->last_ns < before_ns && r->census_ns < before_ns;
}

struct conn *conntab_unseen(struct conntab *t, const struct conn *c, uint32_t netns,
			    uint64_t before_ns)
{
	uint32_t link = c ? newer_than(t, c->self) : oldest(t);

	while (link) {
		uint32_t i = link - 1;
		struct conn *found;

		link = newer_than(t, i);
		found = is_unseen(at(t, i), netns, before_ns) ? unpacked(t, i) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

void conntab_pack(struct conntab *t)
{
	for (uint32_t link = oldest(t); link; link = newer_than(t, link - 1)) {
		if (at(t, link - 1)->state == SLOT_CONN)
			pack(t, at(t, link - 1));
	}
}

void conntab_sockets(const struct conntab *t, conntab_socket_fn fn, void *ctx)
{
	for (uint32_t link = oldest(t); link; link = newer_than(t, link - 1)) {
		const struct conntab_slot *s = at(t, link - 1);

		if (s->state == SLOT_PACKED) {
			const struct ownership *of = ownerset_at(&t->owners, s->packed.owner);

			fn(ctx, &of->owner, of->cgroup, TS_ESTABLISHED);
		} else if (s->conn->stage == STAGE_OPEN || s->conn->stage == STAGE_LISTENER) {
			fn(ctx, &s->conn->owner, s->conn->cgroup, s->conn->state);
		}
	}
}

static void count_socket(void *ctx, const struct owner *owner, uint64_t cgroup,
			 enum tcp_state state)
{
	uint32_t *counts = ctx;

	counts[state]++;
}

void conntab_count(const struct conntab *t, uint32_t ret[TS_MAX])
{
	memset(ret, 0, TS_MAX * sizeof(*ret));
	conntab_sockets(t, count_socket, ret);
}

struct conn *conntab_at(const struct conntab *t, uint32_t self)
{
	const struct conntab_slot *s = self < t->allocated ? at(t, self) : NULL;

	return s && s->state == SLOT_CONN ? s->conn : NULL;
}
