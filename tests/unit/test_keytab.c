// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keytab.h"

struct entry {
	uint64_t key[2];
	uint64_t value;
};

static struct entry *add(struct keytab *t, uint64_t a, uint64_t b)
{
	const uint64_t key[2] = { a, b };

	return keytab_add(t, key);
}

static struct entry *find(const struct keytab *t, uint64_t a, uint64_t b)
{
	const uint64_t key[2] = { a, b };

	return keytab_find(t, key);
}

static struct keytab table(uint32_t limit)
{
	struct keytab t;

	assert_int_equal(keytab_init(&t, 16, sizeof(struct entry), limit), 0);
	return t;
}

static void an_entry_is_found_by_its_whole_key(void **state)
{
	struct keytab t = table(4);

	assert_null(find(&t, 1, 2));
	add(&t, 1, 2)->value = 12;
	add(&t, 2, 1)->value = 21;
	assert_int_equal(find(&t, 1, 2)->value, 12);
	assert_int_equal(find(&t, 2, 1)->value, 21);
	assert_null(find(&t, 1, 1));
	assert_ptr_equal(add(&t, 1, 2), find(&t, 1, 2));
	assert_int_equal(t.nr, 2);
	keytab_deinit(&t);
}

static void a_full_table_keeps_what_it_has(void **state)
{
	struct keytab t = table(3);

	for (uint64_t i = 0; i < 3; i++)
		add(&t, i, 0)->value = i;
	assert_null(add(&t, 3, 0));
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(find(&t, i, 0)->value, i);
	assert_non_null(add(&t, 1, 0));
	keytab_deinit(&t);
}

static void entries_come_in_their_order(void **state)
{
	struct keytab t = table(1000);

	for (uint64_t i = 0; i < 1000; i++)
		assert_non_null(add(&t, i * 7919, i));
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(((struct entry *)keytab_at(&t, i))->key[1], i);
	keytab_deinit(&t);
}

/* Of few entries and of many, which are wiped in different ways. */
static void what_was_cleared_is_gone_and_new_entries_are_zero(void **state)
{
	struct keytab t = table(64);

	for (uint32_t nr = 1; nr <= 64; nr += 7) {
		for (uint64_t i = 0; i < nr; i++)
			add(&t, i, nr)->value = 5;
		keytab_clear(&t);
		assert_int_equal(t.nr, 0);
		for (uint64_t i = 0; i < nr; i++)
			assert_null(find(&t, i, nr));
		assert_int_equal(add(&t, 0, nr)->value, 0);
		keytab_clear(&t);
	}
	keytab_deinit(&t);
}

static bool is_wanted(const void *entry, const void *ctx)
{
	const struct entry *e = entry;

	return e->key[0] % *(const uint64_t *)ctx == 0;
}

static void a_filter_keeps_order_and_frees_room(void **state)
{
	struct keytab t = table(10);
	const uint64_t three = 3;

	for (uint64_t i = 0; i < 10; i++)
		add(&t, i, i)->value = i;
	keytab_filter(&t, is_wanted, &three);
	assert_int_equal(t.nr, 4);
	for (uint64_t i = 0; i < 10; i++) {
		if (i % 3)
			assert_null(find(&t, i, i));
		else
			assert_int_equal(find(&t, i, i)->value, i);
	}
	assert_int_equal(((struct entry *)keytab_at(&t, 1))->value, 3);
	for (uint64_t i = 100; i < 106; i++)
		assert_non_null(add(&t, i, i));
	assert_null(add(&t, 200, 200));
	keytab_deinit(&t);
}

static void the_seed_decides_who_collides(void **state)
{
	struct keytab a = table(1024), b = table(1024);
	unsigned int differ = 0;

	b.seed = 12345;
	for (uint64_t i = 0; i < 64; i++) {
		add(&a, i, 0);
		add(&b, i, 0);
	}
	for (uint32_t i = 0; i < a.nr_slots; i++)
		differ += a.slots[i] != b.slots[i];
	assert_true(differ > 64);
	keytab_deinit(&a);
	keytab_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_found_by_its_whole_key),
		cmocka_unit_test(a_full_table_keeps_what_it_has),
		cmocka_unit_test(entries_come_in_their_order),
		cmocka_unit_test(what_was_cleared_is_gone_and_new_entries_are_zero),
		cmocka_unit_test(a_filter_keeps_order_and_frees_room),
		cmocka_unit_test(the_seed_decides_who_collides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
