// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "sample_events.h"

static struct engine engine;

static void no_report(void *ctx, const struct report *report)
{
}

static int begin(void **state)
{
	const struct wire_scope all = {};
	const union event start = { .start = start_of(T0) };

	if (engine_init(&engine, &all, 64, no_report, NULL))
		return -1;
	engine_feed(&engine, &start);
	return 0;
}

static int end(void **state)
{
	engine_deinit(&engine);
	return 0;
}

static void tick(uint64_t at_ns)
{
	const union event ev = { .tick = tick_of(at_ns) };

	engine_feed(&engine, &ev);
}

/* A census that meets one socket in TIME_WAIT, whose timer has so many seconds left. */
static void meet(uint64_t at_ns, int left_s)
{
	union event row = { .mini = mini_of_census(at_ns, 1, TS_TIME_WAIT) };
	const union event done = { .census_end = census_end_of(at_ns + MSEC, at_ns - MSEC) };

	row.mini.left = left_s * (int)HZ;
	engine_feed(&engine, &row);
	engine_feed(&engine, &done);
	tick(at_ns + 2 * MSEC);
}

static struct tw_place sum(void)
{
	struct tw_place ret;

	timewait_sum(&engine.minis, &ret);
	return ret;
}

/* The kernel's wheel is coarse that far ahead: 4.1 s at 1000 Hz. */
static void a_timer_that_is_late_is_no_correction(void **state)
{
	meet(T0, 1);
	tick(T0 + 2 * SEC);
	meet(T0 + 3 * SEC, -2);
	assert_int_equal(sum().time_wait, 1);
	assert_int_equal(sum().corrections, 0);
}

static void nor_does_it_last_longer_for_being_met(void **state)
{
	meet(T0, 1);
	tick(T0 + 2 * SEC);
	meet(T0 + 4 * SEC, -3);
	tick(T0 + 6 * SEC);
	assert_int_equal(sum().time_wait, 0);
	assert_int_equal(sum().ended[END_EXPIRED], 1);
}

static void one_that_was_set_anew_unseen_is_one(void **state)
{
	meet(T0, 10);
	meet(T0 + 5 * SEC, 60);
	assert_int_equal(sum().time_wait, 1);
	assert_int_equal(sum().corrections, 1);
}

/* A recording may say so. */
static void what_is_late_for_ever_is_there_when_it_is_met(void **state)
{
	union event row = { .mini = mini_of_census(T0, 1, TS_TIME_WAIT) };

	row.mini.left = INT32_MIN;
	engine_feed(&engine, &row);
	tick(T0 + MSEC);
	assert_int_equal(sum().time_wait, 1);
	tick(T0 + 6 * SEC);
	assert_int_equal(sum().time_wait, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_timer_that_is_late_is_no_correction, begin, end),
		cmocka_unit_test_setup_teardown(nor_does_it_last_longer_for_being_met, begin, end),
		cmocka_unit_test_setup_teardown(one_that_was_set_anew_unseen_is_one, begin, end),
		cmocka_unit_test_setup_teardown(
			what_is_late_for_ever_is_there_when_it_is_met, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
