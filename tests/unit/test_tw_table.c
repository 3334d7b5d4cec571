// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample_events.h"
#include "tw_table.h"

static struct tw_table table;

static int begin(void **state)
{
	return tw_table_init(&table);
}

static int end(void **state)
{
	tw_table_deinit(&table);
	return 0;
}

/* In TIME_WAIT with 10.0.x.y, for so many seconds yet. */
static void add(uint16_t remote, uint16_t lport, double left_s)
{
	struct wire_mini mini = {
		.tuple = tuple_of(0), .left = left_s * HZ, .substate = TS_TIME_WAIT,
	};

	mini.tuple.lport = lport;
	mini.tuple.raddr[14] = remote >> 8;
	mini.tuple.raddr[15] = remote;
	tw_table_add(&table, &mini, HZ);
}

static void an_empty_table_has_no_groups(void **state)
{
	struct tw_group groups[4];
	uint64_t rest = 7;

	assert_int_equal(tw_table_remotes(&table, 4, groups, &rest), 0);
	assert_int_equal(rest, 0);
	assert_int_equal(tw_table_lports(&table, 4, groups, &rest), 0);
	assert_int_equal(rest, 0);
}

static void remaining_time_is_counted_in_steps_of_5_s(void **state)
{
	add(1, 1, 0);
	add(1, 1, 4.999);
	add(1, 1, 5);
	add(1, 1, 54.9);
	add(1, 1, 55);
	add(1, 1, 60);
	add(1, 1, 60.2);
	assert_int_equal(table.left[0], 2);
	assert_int_equal(table.left[1], 1);
	assert_int_equal(table.left[10], 1);
	assert_int_equal(table.left[11], 3);
	assert_int_equal(table.count, 7);
}

static void an_overdue_timer_is_about_to_fire(void **state)
{
	add(1, 1, -3);
	assert_int_equal(table.left[0], 1);
}

static void fin_wait2_is_not_time_wait(void **state)
{
	struct wire_mini mini = { .tuple = tuple_of(0), .left = HZ, .substate = TS_FIN_WAIT2 };
	struct tw_group groups[4];
	uint64_t rest;

	tw_table_add(&table, &mini, HZ);
	assert_int_equal(table.count, 0);
	assert_int_equal(table.fin_wait2, 1);
	assert_int_equal(table.left[0], 0);
	assert_int_equal(tw_table_remotes(&table, 4, groups, &rest), 0);
}

static void the_biggest_groups_come_first_and_ties_by_key(void **state)
{
	struct tw_group groups[3];
	uint64_t rest;

	for (int i = 0; i < 5; i++)
		add(7, 80, 1);
	for (int i = 0; i < 2; i++)
		add(9, 443, 1);
	for (int i = 0; i < 2; i++)
		add(3, 22, 1);
	add(1, 8080, 1);
	assert_int_equal(tw_table_remotes(&table, 3, groups, &rest), 3);
	assert_int_equal(groups[0].addr[15], 7);
	assert_int_equal(groups[0].count, 5);
	assert_int_equal(groups[1].addr[15], 3);
	assert_int_equal(groups[2].addr[15], 9);
	assert_int_equal(rest, 1);
	assert_int_equal(tw_table_lports(&table, 3, groups, &rest), 3);
	assert_int_equal(groups[0].lport, 80);
	assert_int_equal(groups[1].lport, 22);
	assert_int_equal(groups[2].lport, 443);
	assert_null(groups[2].addr);
	assert_int_equal(rest, 1);
}

static void with_room_for_no_group_all_is_rest(void **state)
{
	uint64_t rest;

	add(7, 80, 1);
	assert_int_equal(tw_table_remotes(&table, 0, NULL, &rest), 0);
	assert_int_equal(rest, 1);
}

static void more_addresses_than_are_kept_are_counted_all_the_same(void **state)
{
	struct wire_mini mini = { .tuple = tuple_of(0), .left = HZ, .substate = TS_TIME_WAIT };
	struct tw_group groups[2];
	uint64_t rest;

	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(&mini.tuple.raddr[12], &i, 4);
		mini.tuple.lport = i;
		tw_table_add(&table, &mini, HZ);
	}
	memset(&mini.tuple.raddr[12], 0, 4);
	tw_table_add(&table, &mini, HZ);
	assert_int_equal(table.count, 100001);
	assert_int_equal(tw_table_remotes(&table, 2, groups, &rest), 2);
	assert_int_equal(groups[0].count, 2);
	assert_int_equal(groups[1].count, 1);
	assert_int_equal(rest, 100001 - 3);
}

static void a_cleared_table_is_as_new(void **state)
{
	struct tw_group groups[2];
	uint64_t rest;

	add(7, 80, 30);
	tw_table_clear(&table);
	assert_int_equal(table.count, 0);
	assert_int_equal(table.left[6], 0);
	assert_int_equal(tw_table_lports(&table, 2, groups, &rest), 0);
	add(7, 80, 30);
	assert_int_equal(tw_table_remotes(&table, 2, groups, &rest), 1);
	assert_int_equal(groups[0].count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_table_has_no_groups),
		TEST(remaining_time_is_counted_in_steps_of_5_s),
		TEST(an_overdue_timer_is_about_to_fire),
		TEST(fin_wait2_is_not_time_wait),
		TEST(the_biggest_groups_come_first_and_ties_by_key),
		TEST(with_room_for_no_group_all_is_rest),
		TEST(more_addresses_than_are_kept_are_counted_all_the_same),
		TEST(a_cleared_table_is_as_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
