// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK	1024u		/* connections: some 400 kB, one page table's worth */
#define NIL	UINT32_MAX	/* no index */

static struct conn *at(const struct conntab *t, uint32_t i)
{
	return &t->chunks[i / CHUNK][i % CHUNK];
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
static void chain_insert(struct conntab *t, struct conn *c)
{
	uint32_t *head = bucket(t, c->key);

	c->next = *head;
	*head = c->self + 1;
}

static void chain_remove(struct conntab *t, struct conn *c)
{
	uint32_t *link = bucket(t, c->key);

	while (*link != c->self + 1)
		link = &at(t, *link - 1)->next;
	*link = c->next;
}

/* ---- the order of use ---- */

static void age_append(struct conntab *t, struct conn *c)
{
	c->older = t->newest;
	c->newer = NIL;
	if (t->newest != NIL)
		at(t, t->newest)->newer = c->self;
	else
		t->oldest = c->self;
	t->newest = c->self;
}

static void age_remove(struct conntab *t, struct conn *c)
{
	if (c->older != NIL)
		at(t, c->older)->newer = c->newer;
	else
		t->oldest = c->newer;
	if (c->newer != NIL)
		at(t, c->newer)->older = c->older;
	else
		t->newest = c->older;
}

/* ---- deadlines: a binary heap of indices, earliest on top ---- */

static void heap_put(struct conntab *t, uint32_t pos, uint32_t i)
{
	t->heap[pos] = i;
	at(t, i)->timer = pos + 1;
}

static bool earlier(const struct conntab *t, uint32_t a, uint32_t b)
{
	return at(t, a)->deadline_ns < at(t, b)->deadline_ns;
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

	at(t, t->heap[pos])->timer = 0;
	if (pos == t->heap_len)
		return;
	heap_put(t, pos, last);
	heap_up(t, pos);
	heap_down(t, at(t, last)->timer - 1);
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
	return t->heap_len ? at(t, t->heap[0])->deadline_ns : 0;
}

struct conn *conntab_due(struct conntab *t, uint64_t now_ns)
{
	struct conn *c;

	if (!t->heap_len || conntab_next_deadline(t) > now_ns)
		return NULL;
	c = at(t, t->heap[0]);
	conntab_set_deadline(t, c, 0);
	return c;
}

/* ---- the table ---- */

int conntab_init(struct conntab *t, uint32_t limit)
{
	struct conntab new = { .limit = limit, .free_head = NIL, .oldest = NIL, .newest = NIL };

	if (!limit || limit > 1u << 30)
		return -EINVAL;
	for (new.nr_buckets = 1; new.nr_buckets < limit;)
		new.nr_buckets *= 2;
	/* Untouched pages of these cost nothing. */
	new.buckets = calloc(new.nr_buckets, sizeof(*new.buckets));
	new.chunks = calloc(limit / CHUNK + 1, sizeof(*new.chunks));
	new.heap = calloc(limit, sizeof(*new.heap));
	if (!new.buckets || !new.chunks || !new.heap) {
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
	free(t->chunks);
	free(t->buckets);
	free(t->heap);
	memset(t, 0, sizeof(*t));
}

struct conn *conntab_find(struct conntab *t, uint64_t key)
{
	uint32_t link = *bucket(t, key);
	struct conn *c;

	for (; link; link = c->next) {
		c = at(t, link - 1);
		if (c->key != key)
			continue;
		if (t->newest != c->self) {
			age_remove(t, c);
			age_append(t, c);
		}
		return c;
	}
	return NULL;
}

/* The free list runs through `older`. */
static bool grow(struct conntab *t)
{
	struct conn *chunk;
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
		chunk[i].self = t->allocated + i;
		chunk[i].older = t->free_head;
		t->free_head = chunk[i].self;
	}
	t->allocated += n;
	return true;
}

struct conn *conntab_add(struct conntab *t, uint64_t key)
{
	struct conn *c;
	uint32_t self;

	if (t->free_head == NIL && !grow(t))
		return NULL;
	self = t->free_head;
	c = at(t, self);
	t->free_head = c->older;
	memset(c, 0, sizeof(*c));
	c->self = self;
	c->key = key;
	chain_insert(t, c);
	age_append(t, c);
	t->used++;
	return c;
}

void conntab_rekey(struct conntab *t, struct conn *c, uint64_t key)
{
	chain_remove(t, c);
	c->key = key;
	chain_insert(t, c);
}

void conntab_remove(struct conntab *t, struct conn *c)
{
	conntab_set_deadline(t, c, 0);
	chain_remove(t, c);
	age_remove(t, c);
	c->older = t->free_head;
	t->free_head = c->self;
	t->used--;
}

struct conn *conntab_oldest(struct conntab *t)
{
	return t->oldest == NIL ? NULL : at(t, t->oldest);
}

struct conn *conntab_at(const struct conntab *t, uint32_t self)
{
	return self < t->allocated ? at(t, self) : NULL;
}

struct conn *conntab_newer(const struct conntab *t, const struct conn *c)
{
	return c->newer == NIL ? NULL : at(t, c->newer);
}
