// SPDX-License-Identifier: GPL-2.0-or-later
#include "memo.h"

#include <errno.h>
#include <stdlib.h>

struct memo_entry {
	uint64_t key;
	size_t size;			/* with what is before the value */
	struct memo_entry *next;	/* in its bucket */
	struct memo_entry *older, *newer;
	_Alignas(16) char value[];
};

int memo_init(struct memo *m, uint32_t limit, size_t bytes_limit)
{
	*m = (struct memo){ .limit = limit, .bytes_limit = bytes_limit, .nr_buckets = 1 };
	while (m->nr_buckets < limit)
		m->nr_buckets *= 2;
	m->buckets = calloc(m->nr_buckets, sizeof(struct memo_entry *));
	return m->buckets ? 0 : -ENOMEM;
}

/* Keys are numbers that something counts up: mixed by a multiplication (Fibonacci's). */
static struct memo_entry **bucket_of(const struct memo *m, uint64_t key)
{
	return &m->buckets[(key * 0x9e3779b97f4a7c15ull >> 32) & (m->nr_buckets - 1)];
}

static void list_remove(struct memo *m, struct memo_entry *e)
{
	*(e->older ? &e->older->newer : &m->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &m->newest) = e->older;
}

static void list_append(struct memo *m, struct memo_entry *e)
{
	e->older = m->newest;
	e->newer = NULL;
	*(m->newest ? &m->newest->newer : &m->oldest) = e;
	m->newest = e;
}

static struct memo_entry *entry_of(const struct memo *m, uint64_t key)
{
	struct memo_entry *e = *bucket_of(m, key);

	while (e && e->key != key)
		e = e->next;
	return e;
}

static void forget(struct memo *m, struct memo_entry *e)
{
	struct memo_entry **at = bucket_of(m, e->key);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	list_remove(m, e);
	m->nr--;
	m->bytes -= e->size;
	free(e);
}

void *memo_find(struct memo *m, uint64_t key)
{
	struct memo_entry *e = m->nr ? entry_of(m, key) : NULL;	/* many stay empty */

	if (!e)
		return NULL;
	if (e != m->newest) {
		list_remove(m, e);
		list_append(m, e);
	}
	return e->value;
}

void *memo_put(struct memo *m, uint64_t key, size_t size)
{
	struct memo_entry *e = entry_of(m, key), **bucket = bucket_of(m, key);
	size_t whole = sizeof(*e) + size;

	if (e)
		forget(m, e);
	if (whole > m->bytes_limit)
		return NULL;
	while (m->nr == m->limit || m->bytes_limit - m->bytes < whole)
		forget(m, m->oldest);
	e = calloc(1, whole);
	if (!e)
		return NULL;
	e->key = key;
	e->size = whole;
	e->next = *bucket;
	*bucket = e;
	list_append(m, e);
	m->nr++;
	m->bytes += whole;
	return e->value;
}

void memo_deinit(struct memo *m)
{
	while (m->oldest)
		forget(m, m->oldest);
	free(m->buckets);
	*m = (struct memo){ 0 };
}
