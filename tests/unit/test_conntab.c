// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "conntab.h"
#include "sample_events.h"

static struct conntab table;

static void open_table(uint32_t limit)
{
	assert_int_equal(conntab_init(&table, limit), 0);
}

static int close_table(void **state)
{
	conntab_deinit(&table);
	return 0;
}

/* Evicts where it must, as the engine does. */
static struct conn *add(uint64_t key)
{
	struct conn *c = conntab_add(&table, key);

	if (c)
		return c;
	conntab_remove(&table, conntab_oldest(&table));
	return conntab_add(&table, key);
}

/* ---- keys ---- */

static void an_empty_table_has_nothing(void **state)
{
	open_table(10);
	assert_null(conntab_find(&table, 1));
	assert_null(conntab_oldest(&table));
	assert_null(conntab_due(&table, UINT64_MAX));
	assert_int_equal(conntab_next_deadline(&table), 0);
	assert_int_equal(table.used, 0);
}

static void what_was_added_is_found_under_its_key_and_no_other(void **state)
{
	struct conn *a, *b;

	open_table(10);
	a = conntab_add(&table, 1);
	b = conntab_add(&table, UINT64_MAX);
	assert_ptr_equal(conntab_find(&table, 1), a);
	assert_ptr_equal(conntab_find(&table, UINT64_MAX), b);
	assert_null(conntab_find(&table, 2));
	assert_int_equal(a->key, 1);
	assert_int_equal(table.used, 2);
}

static void what_was_removed_is_found_no_more(void **state)
{
	open_table(10);
	conntab_remove(&table, conntab_add(&table, 1));
	assert_null(conntab_find(&table, 1));
	assert_int_equal(table.used, 0);
	assert_null(conntab_oldest(&table));
}

static void a_connection_is_zeroed_however_its_memory_was_used_before(void **state)
{
	struct conn *c, clean = {};

	open_table(1);
	c = conntab_add(&table, 7);
	memset(&c->id, 0xee, sizeof(*c) - offsetof(struct conn, id));
	conntab_set_deadline(&table, c, 5);
	conntab_remove(&table, c);
	c = conntab_add(&table, 8);
	assert_memory_equal(&c->id, &clean.id, sizeof(*c) - offsetof(struct conn, id));
	assert_int_equal(c->deadline_ns, 0);
	assert_int_equal(c->timer, 0);
}

static void a_new_key_replaces_the_old_one(void **state)
{
	struct conn *c;

	open_table(10);
	c = conntab_add(&table, 1);
	c->id = 42;
	conntab_set_deadline(&table, c, 5);
	conntab_rekey(&table, c, 2);
	assert_null(conntab_find(&table, 1));
	assert_ptr_equal(conntab_find(&table, 2), c);
	assert_int_equal(c->id, 42);
	assert_ptr_equal(conntab_due(&table, 5), c);
}

/* With one bucket all keys are in one chain. */
static void keys_that_share_a_bucket_are_kept_apart(void **state)
{
	struct conn *c[6];

	open_table(6);
	table.nr_buckets = 1;
	for (uint64_t key = 0; key < 6; key++)
		c[key] = conntab_add(&table, key + 1);
	conntab_remove(&table, c[5]);	/* the head, the tail, and one between */
	conntab_remove(&table, c[0]);
	conntab_remove(&table, c[2]);
	assert_ptr_equal(conntab_find(&table, 2), c[1]);
	assert_ptr_equal(conntab_find(&table, 4), c[3]);
	assert_ptr_equal(conntab_find(&table, 5), c[4]);
	assert_null(conntab_find(&table, 1));
	assert_null(conntab_find(&table, 3));
	assert_null(conntab_find(&table, 6));
}

/* ---- the limit ---- */

static void a_table_holds_as_many_as_it_may_and_no_more(void **state)
{
	static const uint32_t limits[] = { 1, 2, 3, 1000, 1023, 1024, 1025, 2047, 2048, 2500 };

	for (unsigned int i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		open_table(limits[i]);
		for (uint32_t n = 0; n < limits[i]; n++)
			assert_non_null(conntab_add(&table, n + 1));
		assert_null(conntab_add(&table, 1ull << 40));
		assert_null(conntab_find(&table, 1ull << 40));
		assert_int_equal(table.used, limits[i]);
		for (uint32_t n = 0; n < limits[i]; n++)
			assert_non_null(conntab_find(&table, n + 1));
		conntab_deinit(&table);
	}
}

static void limits_that_make_no_sense_are_refused(void **state)
{
	struct conntab before;

	memset(&table, 0xaa, sizeof(table));
	before = table;
	assert_int_equal(conntab_init(&table, 0), -EINVAL);
	assert_int_equal(conntab_init(&table, (1u << 30) + 1), -EINVAL);
	assert_int_equal(conntab_init(&table, UINT32_MAX), -EINVAL);
	assert_memory_equal(&table, &before, sizeof(table));
	memset(&table, 0, sizeof(table));
}

static void memory_that_was_freed_is_used_again(void **state)
{
	open_table(5000);
	for (uint64_t key = 1; key <= 100000; key++)
		conntab_remove(&table, conntab_add(&table, key));
	assert_int_equal(table.used, 0);
	assert_in_range(table.allocated, 1, 1024);
}

/* Whose shadow is larger than any limit. */
static void skip_under_asan(void)
{
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
}

static void refuse_memory(bool refuse)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
	limit.rlim_cur = refuse ? 1u << 20 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static void a_table_for_which_there_is_no_memory_is_none(void **state)
{
	struct conntab before;
	int err;

	skip_under_asan();
	memset(&table, 0xaa, sizeof(table));
	before = table;
	refuse_memory(true);
	err = conntab_init(&table, 1u << 26);
	refuse_memory(false);
	assert_int_equal(err, -ENOMEM);
	assert_memory_equal(&table, &before, sizeof(table));
	memset(&table, 0, sizeof(table));
}

static void memory_that_is_refused_is_a_full_table(void **state)
{
	uint64_t key = 1;

	skip_under_asan();
	open_table(1u << 24);
	refuse_memory(true);
	while (conntab_add(&table, key))
		key++;
	assert_in_range(key, 1, 1u << 16);
	assert_int_equal(table.used, key - 1);
	if (table.used) {
		conntab_remove(&table, conntab_oldest(&table));
		assert_non_null(conntab_add(&table, key));
	}
	refuse_memory(false);
	assert_non_null(conntab_add(&table, key + 1));
}

/* ---- who goes first ---- */

static void the_oldest_is_the_one_untouched_for_longest(void **state)
{
	struct conn *a, *b, *c;

	open_table(10);
	a = conntab_add(&table, 1);
	b = conntab_add(&table, 2);
	c = conntab_add(&table, 3);
	assert_ptr_equal(conntab_oldest(&table), a);
	conntab_find(&table, 1);
	assert_ptr_equal(conntab_oldest(&table), b);
	conntab_find(&table, 1);
	conntab_remove(&table, b);
	assert_ptr_equal(conntab_oldest(&table), c);
	conntab_find(&table, 3);
	assert_ptr_equal(conntab_oldest(&table), a);
}

static void looking_for_what_is_not_there_touches_nothing(void **state)
{
	struct conn *a;

	open_table(10);
	a = conntab_add(&table, 1);
	conntab_add(&table, 2);
	conntab_find(&table, 3);
	assert_ptr_equal(conntab_oldest(&table), a);
}

static void a_full_table_loses_them_in_the_order_of_their_use(void **state)
{
	open_table(100);
	for (uint64_t key = 1; key <= 100; key++)
		conntab_add(&table, key);
	for (uint64_t key = 2; key <= 100; key += 2)
		conntab_find(&table, key);
	for (uint64_t key = 1; key < 100; key += 2) {
		assert_int_equal(conntab_oldest(&table)->key, key);
		add(1000 + key);
	}
	for (uint64_t key = 2; key <= 100; key += 2) {
		assert_int_equal(conntab_oldest(&table)->key, key);
		add(1000 + key);
	}
}

static void a_table_of_one_forgets_at_once(void **state)
{
	open_table(1);
	for (uint64_t key = 1; key < 100; key++) {
		struct conn *c = add(key);

		assert_ptr_equal(conntab_oldest(&table), c);
		assert_ptr_equal(conntab_find(&table, key), c);
		assert_null(conntab_find(&table, key - 1));
		assert_int_equal(table.used, 1);
	}
}

static void all_are_met_from_the_oldest_to_the_newest(void **state)
{
	uint64_t key = 1;

	open_table(3000);
	while (key <= 3000)
		conntab_add(&table, key++);
	key = 1;
	for (struct conn *c = conntab_oldest(&table); c; c = conntab_newer(&table, c))
		assert_int_equal(c->key, key++);
	assert_int_equal(key, 3001);
}

/* ---- deadlines ---- */

static void deadlines_come_due_in_their_order(void **state)
{
	static const uint64_t order[] = { 70, 10, 50, 90, 30, 20, 80, 60, 40 };

	open_table(20);
	for (unsigned int i = 0; i < 9; i++)
		conntab_set_deadline(&table, conntab_add(&table, i + 1), order[i]);
	for (uint64_t at = 10; at <= 90; at += 10) {
		struct conn *c;

		assert_int_equal(conntab_next_deadline(&table), at);
		assert_null(conntab_due(&table, at - 1));
		c = conntab_due(&table, at);
		assert_int_equal(order[c->key - 1], at);
		assert_int_equal(c->deadline_ns, 0);
		assert_int_equal(c->timer, 0);
	}
	assert_int_equal(conntab_next_deadline(&table), 0);
	assert_null(conntab_due(&table, UINT64_MAX));
}

static void equal_deadlines_all_come_due(void **state)
{
	uint64_t seen = 0;
	struct conn *c;

	open_table(64);
	for (uint64_t key = 1; key <= 60; key++)
		conntab_set_deadline(&table, conntab_add(&table, key), 5);
	assert_null(conntab_due(&table, 4));
	while ((c = conntab_due(&table, 5)))
		seen |= 1ull << c->key;
	assert_int_equal(seen, (1ull << 61) - 2);
}

static void a_deadline_is_replaced_or_taken_back(void **state)
{
	struct conn *a, *b;

	open_table(10);
	a = conntab_add(&table, 1);
	b = conntab_add(&table, 2);
	conntab_set_deadline(&table, a, 10);
	conntab_set_deadline(&table, b, 20);
	conntab_set_deadline(&table, a, 30);
	assert_int_equal(conntab_next_deadline(&table), 20);
	conntab_set_deadline(&table, b, 0);
	assert_int_equal(conntab_next_deadline(&table), 30);
	conntab_set_deadline(&table, b, 0);
	conntab_set_deadline(&table, a, 5);
	assert_ptr_equal(conntab_due(&table, 5), a);
	assert_null(conntab_due(&table, UINT64_MAX));
}

static void who_is_removed_has_no_deadline(void **state)
{
	struct conn *c;

	open_table(10);
	c = conntab_add(&table, 1);
	conntab_set_deadline(&table, c, 10);
	conntab_remove(&table, c);
	assert_int_equal(conntab_next_deadline(&table), 0);
	assert_null(conntab_due(&table, UINT64_MAX));
}

static void coming_due_does_not_touch(void **state)
{
	struct conn *a;

	open_table(10);
	a = conntab_add(&table, 1);
	conntab_add(&table, 2);
	conntab_set_deadline(&table, a, 10);
	conntab_due(&table, 10);
	assert_ptr_equal(conntab_oldest(&table), a);
}

/* ---- anything in any order, against a model that cannot be wrong ---- */

#define MODEL_MAX	40
#define KEYS		60

static struct {
	struct {
		uint64_t key, deadline_ns, mark;
		struct conn *c;
	} at[MODEL_MAX];	/* from the oldest to the newest */
	unsigned int nr;
	uint64_t marks;
} model;

static int model_find(uint64_t key)
{
	for (unsigned int i = 0; i < model.nr; i++) {
		if (model.at[i].key == key)
			return i;
	}
	return -1;
}

static void model_remove(unsigned int i)
{
	model.nr--;
	memmove(&model.at[i], &model.at[i + 1], (model.nr - i) * sizeof(model.at[0]));
}

static uint64_t model_next_deadline(void)
{
	uint64_t next = 0;

	for (unsigned int i = 0; i < model.nr; i++) {
		if (model.at[i].deadline_ns && (!next || model.at[i].deadline_ns < next))
			next = model.at[i].deadline_ns;
	}
	return next;
}

static void step_add(uint64_t key)
{
	struct conn *c;

	if (model_find(key) >= 0)
		return;
	c = conntab_add(&table, key);
	if (model.nr == table.limit) {
		assert_null(c);
		assert_ptr_equal(conntab_oldest(&table), model.at[0].c);
		conntab_remove(&table, model.at[0].c);
		model_remove(0);
		c = conntab_add(&table, key);
	}
	assert_non_null(c);
	c->id = ++model.marks;
	model.at[model.nr].key = key;
	model.at[model.nr].deadline_ns = 0;
	model.at[model.nr].mark = c->id;
	model.at[model.nr++].c = c;
}

static void step_find(uint64_t key)
{
	struct conn *c = conntab_find(&table, key);
	int i = model_find(key);

	if (i < 0) {
		assert_null(c);
		return;
	}
	assert_ptr_equal(c, model.at[i].c);
	assert_int_equal(c->id, model.at[i].mark);
	model.at[model.nr] = model.at[i];
	model.nr++;
	model_remove(i);
}

static void step_remove(uint64_t key)
{
	int i = model_find(key);

	if (i < 0)
		return;
	conntab_remove(&table, model.at[i].c);
	model_remove(i);
}

static void step_rekey(uint64_t key, uint64_t to)
{
	int i = model_find(key);

	if (i < 0 || model_find(to) >= 0)
		return;
	conntab_rekey(&table, model.at[i].c, to);
	model.at[i].key = to;
}

static void step_deadline(uint64_t key, uint64_t at_ns)
{
	int i = model_find(key);

	if (i < 0)
		return;
	conntab_set_deadline(&table, model.at[i].c, at_ns);
	model.at[i].deadline_ns = at_ns;
}

static void step_due(uint64_t now_ns)
{
	uint64_t next = model_next_deadline();
	struct conn *c = conntab_due(&table, now_ns);
	int i;

	if (!next || next > now_ns) {
		assert_null(c);
		return;
	}
	assert_non_null(c);
	i = model_find(c->key);
	assert_true(i >= 0);
	assert_int_equal(model.at[i].deadline_ns, next);
	model.at[i].deadline_ns = 0;
}

static void assert_as_the_model(void)
{
	struct conn *c = conntab_oldest(&table);

	assert_int_equal(table.used, model.nr);
	assert_int_equal(conntab_next_deadline(&table), model_next_deadline());
	for (unsigned int i = 0; i < model.nr; i++) {
		assert_ptr_equal(c, model.at[i].c);
		c = conntab_newer(&table, c);
	}
	assert_null(c);
}

static void random_step(uint64_t *seed)
{
	uint64_t key = 1 + random_below(seed, KEYS);

	switch (random_below(seed, 8)) {
	case 0:
	case 1:
		step_add(key);
		break;
	case 2:
		step_find(key);
		break;
	case 3:
		step_remove(key);
		break;
	case 4:
		step_rekey(key, 1 + random_below(seed, KEYS));
		break;
	case 5:
	case 6:
		step_deadline(key, random_below(seed, 50));
		break;
	case 7:
		step_due(random_below(seed, 50));
		break;
	}
}

static void random_steps_agree_with_a_naive_table(void **state)
{
	static const uint32_t limits[] = { 1, 2, 7, MODEL_MAX - 1 };
	uint64_t seed = 3;

	for (unsigned int i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		open_table(limits[i]);
		memset(&model, 0, sizeof(model));
		for (int n = 0; n < 100000; n++) {
			random_step(&seed);
			assert_as_the_model();
		}
		conntab_deinit(&table);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_table)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_table_has_nothing),
		TEST(what_was_added_is_found_under_its_key_and_no_other),
		TEST(what_was_removed_is_found_no_more),
		TEST(a_connection_is_zeroed_however_its_memory_was_used_before),
		TEST(a_new_key_replaces_the_old_one),
		TEST(keys_that_share_a_bucket_are_kept_apart),
		TEST(a_table_holds_as_many_as_it_may_and_no_more),
		TEST(limits_that_make_no_sense_are_refused),
		TEST(memory_that_was_freed_is_used_again),
		TEST(a_table_for_which_there_is_no_memory_is_none),
		TEST(memory_that_is_refused_is_a_full_table),
		TEST(the_oldest_is_the_one_untouched_for_longest),
		TEST(looking_for_what_is_not_there_touches_nothing),
		TEST(a_full_table_loses_them_in_the_order_of_their_use),
		TEST(a_table_of_one_forgets_at_once),
		TEST(all_are_met_from_the_oldest_to_the_newest),
		TEST(deadlines_come_due_in_their_order),
		TEST(equal_deadlines_all_come_due),
		TEST(a_deadline_is_replaced_or_taken_back),
		TEST(who_is_removed_has_no_deadline),
		TEST(coming_due_does_not_touch),
		TEST(random_steps_agree_with_a_naive_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
