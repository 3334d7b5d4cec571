// SPDX-License-Identifier: GPL-2.0-or-later
#include "ownerset.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define FIRST_SIZE	64u

struct owned {
	struct ownership of;
	uint32_t users;
	uint32_t next;		/* in its bucket, or in the free list; 0: the last */
};

static const struct ownership nobody;

void ownerset_deinit(struct ownerset *s)
{
	free(s->at);
	free(s->buckets);
	memset(s, 0, sizeof(*s));
}

_Static_assert(sizeof(struct ownership) % sizeof(uint64_t) == 0, "hashed by words");

/* Whoever chooses his name to collide has as many processes to start. */
static uint32_t *bucket_of(const struct ownerset *s, const struct ownership *o)
{
	return &s->buckets[hash_words(0, o, sizeof(*o)) & (s->nr_buckets - 1)];
}

static void insert(struct ownerset *s, uint32_t i)
{
	uint32_t *head = bucket_of(s, &s->at[i].of);

	s->at[i].next = *head;
	*head = i;
}

/* The free list is empty then: all there are have users, but for 0. */
static bool grow(struct ownerset *s)
{
	uint32_t size = s->size ? s->size * 2 : FIRST_SIZE;
	struct owned *at = calloc(size, sizeof(*at));
	uint32_t *buckets = calloc(size, sizeof(*buckets));

	if (!at || !buckets) {
		free(at);
		free(buckets);
		return false;
	}
	if (s->nr)
		memcpy(at, s->at, s->nr * sizeof(*at));
	free(s->at);
	free(s->buckets);
	s->at = at;
	s->buckets = buckets;
	s->size = s->nr_buckets = size;
	if (!s->nr)
		s->nr = 1;
	for (uint32_t i = 1; i < s->nr; i++)
		insert(s, i);
	return true;
}

static uint32_t find(const struct ownerset *s, const struct ownership *o)
{
	uint32_t i = s->nr_buckets ? *bucket_of(s, o) : 0;

	while (i && memcmp(&s->at[i].of, o, sizeof(*o)))
		i = s->at[i].next;
	return i;
}

static uint32_t add(struct ownerset *s, const struct ownership *o)
{
	uint32_t i = s->free_head;

	if (!i && s->nr == s->size && !grow(s))
		return 0;
	if (i)
		s->free_head = s->at[i].next;
	else
		i = s->nr++;
	memcpy(&s->at[i].of, o, sizeof(*o));
	insert(s, i);
	return i;
}

uint32_t ownerset_take(struct ownerset *s, const struct owner *owner, uint64_t cgroup)
{
	struct ownership o;
	uint32_t i;

	/* Compared as bytes: what is between the members, or behind the name, is 0. */
	memset(&o, 0, sizeof(o));
	if (owner->from) {
		o.owner.pid = owner->pid;
		o.owner.uid = owner->uid;
		o.owner.born = owner->born;
		o.owner.from = owner->from;
		memcpy(o.owner.comm, owner->comm, strlen(owner->comm));
	}
	o.cgroup = cgroup;
	if (!owner->from && !cgroup)
		return 0;
	i = find(s, &o);
	if (!i)
		i = add(s, &o);
	if (i)
		s->at[i].users++;
	return i;
}

void ownerset_drop(struct ownerset *s, uint32_t i)
{
	uint32_t *link;

	if (!i || --s->at[i].users)
		return;
	link = bucket_of(s, &s->at[i].of);
	while (*link != i)
		link = &s->at[*link].next;
	*link = s->at[i].next;
	s->at[i].next = s->free_head;
	s->free_head = i;
}

const struct ownership *ownerset_at(const struct ownerset *s, uint32_t i)
{
	return i ? &s->at[i].of : &nobody;
}

uint32_t ownerset_users(const struct ownerset *s, uint32_t i)
{
	return i ? s->at[i].users : 0;
}
