// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "memo.h"
#include "sample_events.h"

static struct memo memo;

static void open_memo(uint32_t limit, size_t bytes)
{
	assert_int_equal(memo_init(&memo, limit, bytes), 0);
}

static int close_memo(void **state)
{
	memo_deinit(&memo);
	return 0;
}

static void put(uint64_t key, uint64_t value)
{
	uint64_t *at = memo_put(&memo, key, sizeof(*at));

	assert_non_null(at);
	*at = value;
}

static bool has(uint64_t key, uint64_t value)
{
	const uint64_t *at = memo_find(&memo, key);

	return at && *at == value;
}

static void an_empty_memo_has_nothing(void **state)
{
	open_memo(10, 1000);
	assert_null(memo_find(&memo, 0));
	assert_null(memo_find(&memo, 1));
}

static void what_was_put_is_found_under_its_key_and_no_other(void **state)
{
	open_memo(10, 10000);
	put(0, 1);
	put(UINT64_MAX, 2);
	put(1ull << 32, 3);
	assert_true(has(0, 1));
	assert_true(has(UINT64_MAX, 2));
	assert_true(has(1ull << 32, 3));
	assert_null(memo_find(&memo, 1));
}

static void a_new_value_takes_the_place_of_the_old(void **state)
{
	size_t bytes;

	open_memo(10, 10000);
	put(1, 1);
	bytes = memo.bytes;
	put(1, 2);
	assert_true(has(1, 2));
	assert_int_equal(memo.nr, 1);
	assert_int_equal(memo.bytes, bytes);
}

static void a_value_is_zeroed_and_aligned(void **state)
{
	static const uint8_t zero[100];

	open_memo(10, 10000);
	for (size_t size = 1; size <= sizeof(zero); size++) {
		uint8_t *at = memo_put(&memo, 1, size);

		assert_int_equal((uintptr_t)at % 16, 0);
		assert_memory_equal(at, zero, size);
		memset(at, 0xee, size);
	}
}

static void beyond_the_limit_the_least_used_goes(void **state)
{
	open_memo(3, 10000);
	put(1, 1);
	put(2, 2);
	put(3, 3);
	assert_true(has(1, 1));		/* used: 2 is the oldest now */
	put(4, 4);
	assert_null(memo_find(&memo, 2));
	assert_true(has(1, 1));
	assert_true(has(3, 3));
	assert_true(has(4, 4));
	assert_int_equal(memo.nr, 3);
}

static void beyond_the_bytes_as_many_go_as_it_takes(void **state)
{
	open_memo(100, 1000);
	for (uint64_t key = 0; key < 5; key++)
		put(key, key);
	assert_non_null(memo_put(&memo, 9, 1000 - memo.bytes));
	assert_true(memo.bytes <= 1000);
	assert_non_null(memo_find(&memo, 9));
	assert_null(memo_find(&memo, 0));
	put(10, 10);
	assert_true(memo.bytes <= 1000);
	assert_true(has(10, 10));
}

static void what_is_larger_than_all_the_bytes_is_not_kept_nor_what_it_replaces(void **state)
{
	open_memo(10, 1000);
	put(1, 1);
	put(2, 2);
	assert_null(memo_put(&memo, 1, 1001));
	assert_null(memo_put(&memo, 3, SIZE_MAX - 100));
	assert_null(memo_find(&memo, 1));
	assert_true(has(2, 2));
}

/* Against a model: the last uses of each key, newest first. */
static void it_holds_what_was_used_last(void **state)
{
	uint64_t model[8] = {}, seed = 1;
	unsigned int nr = 0;

	open_memo(8, 100000);
	for (int i = 0; i < 100000; i++) {
		uint64_t key = 1 + random_below(&seed, 20);
		unsigned int at = 0;

		while (at < nr && model[at] != key)
			at++;
		assert_int_equal(memo_find(&memo, key) != NULL, at < nr);
		if (at == nr) {
			put(key, key);
			nr = nr < 8 ? nr + 1 : 8;
			at = nr - 1;
		}
		memmove(model + 1, model, at * sizeof(*model));
		model[0] = key;
		assert_true(has(key, key));
		assert_int_equal(memo.nr, nr);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, close_memo)
		TEST(an_empty_memo_has_nothing),
		TEST(what_was_put_is_found_under_its_key_and_no_other),
		TEST(a_new_value_takes_the_place_of_the_old),
		TEST(a_value_is_zeroed_and_aligned),
		TEST(beyond_the_limit_the_least_used_goes),
		TEST(beyond_the_bytes_as_many_go_as_it_takes),
		TEST(what_is_larger_than_all_the_bytes_is_not_kept_nor_what_it_replaces),
		TEST(it_holds_what_was_used_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
