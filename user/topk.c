// SPDX-License-Identifier: GPL-2.0-or-later
#include "topk.h"

#include <string.h>

/* What follows a key in the round's table. */
static uint64_t *value_of(const struct topk *t, void *row)
{
	return (uint64_t *)((char *)row + t->key_size);
}

int topk_init(struct topk *t, unsigned int k, size_t key_size)
{
	*t = (struct topk){ .k = k, .key_size = key_size };
	return keytab_init(&t->round, key_size, key_size + sizeof(uint64_t), TOPK_KEYS_MAX);
}

void topk_deinit(struct topk *t)
{
	keytab_deinit(&t->round);
}

void topk_begin(struct topk *t)
{
	keytab_clear(&t->round);
	t->sum = 0;
}

void topk_add(struct topk *t, const void *key, uint64_t value)
{
	void *row = keytab_add(&t->round, key);

	t->sum += value;
	if (row)
		*value_of(t, row) += value;
}

void topk_raise(struct topk *t, const void *key, uint64_t value)
{
	void *row = keytab_add(&t->round, key);

	if (row && value > *value_of(t, row))
		*value_of(t, row) = value;
}

/* ---- ranks ---- */

struct ranks {
	void *rows[TOPK_TOLD_MAX];	/* the one with most first */
	unsigned int nr;
};

static bool comes_before(const struct topk *t, void *a, void *b)
{
	uint64_t of_a = *value_of(t, a), of_b = *value_of(t, b);

	return of_a != of_b ? of_a > of_b : memcmp(a, b, t->key_size) < 0;
}

static void consider(const struct topk *t, struct ranks *r, void *row)
{
	unsigned int at = r->nr;

	if (!*value_of(t, row))
		return;
	if (r->nr < 2 * t->k)
		r->nr++;
	else if (!comes_before(t, row, r->rows[--at]))
		return;
	for (; at && comes_before(t, row, r->rows[at - 1]); at--)
		r->rows[at] = r->rows[at - 1];
	r->rows[at] = row;
}

static bool is_among(const struct ranks *r, const void *row)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		if (r->rows[i] == row)
			return true;
	}
	return false;
}

/* ---- who is told ---- */

static void remove_told(struct topk *t, unsigned int i)
{
	memmove(&t->told[i], &t->told[i + 1], (--t->nr - i) * sizeof(t->told[i]));
}

/* Those that have stayed long enough go. */
static void look_at_told(struct topk *t, const struct ranks *r, uint64_t at_ns)
{
	for (unsigned int i = 0; i < t->nr;) {
		struct topk_told *told = &t->told[i];
		void *row = keytab_find(&t->round, told->key);

		told->value = row ? *value_of(t, row) : 0;
		if (row && is_among(r, row))
			told->below_ns = 0;
		else if (!told->below_ns)
			told->below_ns = at_ns;
		if (told->below_ns && at_ns - told->below_ns >= TOPK_STAY_NS)
			remove_told(t, i);
		else
			i++;
	}
}

static bool is_told(const struct topk *t, const void *key)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		if (!memcmp(t->told[i].key, key, t->key_size))
			return true;
	}
	return false;
}

/* 2 k are told, and one of the 2 k with most is not: so one that is, is not one of them. */
static void make_room(struct topk *t)
{
	unsigned int first = 0;

	for (unsigned int i = 1; i < t->nr; i++) {
		if (t->told[i].below_ns - 1 < t->told[first].below_ns - 1)	/* 0 comes last */
			first = i;
	}
	remove_told(t, first);
}

static void enter(struct topk *t, void *row)
{
	struct topk_told *told;

	if (t->nr == 2 * t->k)
		make_room(t);
	told = &t->told[t->nr++];
	*told = (struct topk_told){ .value = *value_of(t, row) };
	memcpy(told->key, row, t->key_size);
}

void topk_end(struct topk *t, uint64_t at_ns)
{
	struct ranks ranks = {};

	for (uint32_t i = 0; i < t->round.nr; i++)
		consider(t, &ranks, keytab_at(&t->round, i));
	look_at_told(t, &ranks, at_ns);
	for (unsigned int i = 0; i < ranks.nr && i < t->k; i++) {
		if (!is_told(t, ranks.rows[i]))
			enter(t, ranks.rows[i]);
	}
	t->rest = t->sum;
	for (unsigned int i = 0; i < t->nr; i++)
		t->rest -= t->told[i].value;
}
