// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "topk.h"

#define K	3
#define MIN	(60 * 1000000000ull)

static struct topk t;

static int begin(void **state)
{
	return topk_init(&t, K, sizeof(uint64_t));
}

static int end(void **state)
{
	topk_deinit(&t);
	return 0;
}

static void add(uint64_t key, uint64_t value)
{
	topk_add(&t, &key, value);
}

/* Keys first to last, the first with most: 1000 + last - key. */
static void round_of(uint64_t first, uint64_t last, uint64_t at_ns)
{
	topk_begin(&t);
	for (uint64_t key = first; key <= last; key++)
		add(key, 1000 + last - key);
	topk_end(&t, at_ns);
}

/* Of the key; -1: it is not told apart. */
static int value_of(uint64_t key)
{
	for (unsigned int i = 0; i < t.nr; i++) {
		if (*(const uint64_t *)t.told[i].key == key)
			return t.told[i].value;
	}
	return -1;
}

static void the_k_with_most_are_told_and_the_others_together(void **state)
{
	topk_begin(&t);
	for (uint64_t key = 1; key <= 6; key++) {
		add(key, key);
		add(key, 10 * key);
	}
	topk_end(&t, MIN);
	assert_int_equal(t.nr, K);
	assert_int_equal(value_of(6), 66);
	assert_int_equal(value_of(5), 55);
	assert_int_equal(value_of(4), 44);
	assert_int_equal(t.rest, 66);
}

static void fewer_than_k_are_all_told(void **state)
{
	topk_begin(&t);
	add(7, 2);
	topk_end(&t, MIN);
	assert_int_equal(t.nr, 1);
	assert_int_equal(t.rest, 0);
}

static void none_is_told_for_nothing(void **state)
{
	topk_begin(&t);
	add(7, 0);
	topk_end(&t, MIN);
	assert_int_equal(t.nr, 0);
}

static void ties_are_always_broken_alike(void **state)
{
	for (int turn = 0; turn < 2; turn++) {
		topk_begin(&t);
		for (uint64_t i = 0; i < 6; i++)
			add(turn ? i : 5 - i, 1);
		topk_end(&t, MIN);
		assert_int_equal(t.nr, K);
		assert_int_equal(value_of(0), 1);
		assert_int_equal(value_of(2), 1);
	}
}

static void who_is_told_stays_among_twice_as_many_for_ever(void **state)
{
	round_of(1, 6, MIN);
	for (uint64_t at = 2; at < 100; at++) {
		topk_begin(&t);
		add(1, 5);		/* the sixth of six */
		for (uint64_t key = 2; key <= 6; key++)
			add(key, 10);
		topk_end(&t, at * MIN);
		assert_int_equal(value_of(1), 5);
	}
	assert_int_equal(t.told[0].below_ns, 0);
}

static void who_falls_below_stays_for_a_quarter_of_an_hour(void **state)
{
	round_of(1, 3, MIN);
	round_of(4, 6, 2 * MIN);
	assert_int_equal(t.nr, 2 * K);
	assert_int_equal(value_of(1), 0);	/* it has none any more, and is told with 0 */
	round_of(4, 6, 16 * MIN);
	assert_int_equal(value_of(1), 0);
	round_of(4, 6, 17 * MIN);
	assert_int_equal(value_of(1), -1);
	assert_int_equal(t.nr, K);
	assert_int_equal(*(const uint64_t *)t.told[0].key, 4);
}

static void the_time_below_begins_anew_after_a_break(void **state)
{
	round_of(1, 3, MIN);
	round_of(4, 6, 2 * MIN);
	round_of(1, 6, 10 * MIN);	/* 1 to 3 have most again */
	round_of(4, 6, 11 * MIN);
	round_of(4, 6, 25 * MIN);
	assert_int_equal(value_of(1), 0);
	round_of(4, 6, 26 * MIN);
	assert_int_equal(value_of(1), -1);
}

static void a_newcomer_among_the_k_takes_the_place_of_who_fell_first(void **state)
{
	round_of(1, 3, MIN);
	round_of(4, 6, 2 * MIN);
	round_of(7, 7, 3 * MIN);	/* 1 to 3 fell at 2, 4 to 6 at 3 */
	assert_int_equal(t.nr, 2 * K);
	assert_int_equal(value_of(1), -1);
	assert_int_equal(value_of(2), 0);
	assert_int_equal(value_of(7), 1000);
}

static void whoever_comes_there_are_twice_k_at_most_and_the_k_are_among_them(void **state)
{
	for (uint64_t at = 1; at < 500; at++) {
		round_of(at * 2, at * 2 + 9, at * MIN / 10);
		assert_in_range(t.nr, K, 2 * K);
		for (uint64_t key = at * 2; key < at * 2 + K; key++)
			assert_int_not_equal(value_of(key), -1);
	}
}

static void the_rest_and_those_told_are_all(void **state)
{
	for (uint64_t at = 1; at < 50; at++) {
		uint64_t sum = 0;

		round_of(at * 2, at * 2 + 9, at * MIN);
		for (unsigned int i = 0; i < t.nr; i++)
			sum += t.told[i].value;
		assert_int_equal(sum + t.rest, 10 * 1000 + 45);
	}
}

static void what_finds_no_room_is_of_the_rest(void **state)
{
	topk_begin(&t);
	for (uint64_t key = 0; key < TOPK_KEYS_MAX + 10; key++)
		add(key, 2);
	topk_end(&t, MIN);
	assert_int_equal(t.nr, K);
	assert_int_equal(t.rest, 2 * (TOPK_KEYS_MAX + 10 - K));
}

static void a_value_can_be_the_greatest_of_several(void **state)
{
	const uint64_t key = 5;

	topk_begin(&t);
	topk_raise(&t, &key, 30);
	topk_raise(&t, &key, 20);
	topk_end(&t, MIN);
	assert_int_equal(value_of(5), 30);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(the_k_with_most_are_told_and_the_others_together),
		TEST(fewer_than_k_are_all_told),
		TEST(none_is_told_for_nothing),
		TEST(ties_are_always_broken_alike),
		TEST(who_is_told_stays_among_twice_as_many_for_ever),
		TEST(who_falls_below_stays_for_a_quarter_of_an_hour),
		TEST(the_time_below_begins_anew_after_a_break),
		TEST(a_newcomer_among_the_k_takes_the_place_of_who_fell_first),
		TEST(whoever_comes_there_are_twice_k_at_most_and_the_k_are_among_them),
		TEST(the_rest_and_those_told_are_all),
		TEST(what_finds_no_room_is_of_the_rest),
		TEST(a_value_can_be_the_greatest_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
