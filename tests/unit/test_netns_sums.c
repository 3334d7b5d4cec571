// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "netns_sums.h"
#include "sample_events.h"

#define FACT	WIRE_F_LISTEN_DROPS

static struct netns_sums s;

static int begin(void **state)
{
	return netns_sums_init(&s);
}

static int end(void **state)
{
	netns_sums_deinit(&s);
	return 0;
}

static void read_netns(uint32_t netns, uint64_t drops)
{
	struct wire_netns_facts facts = { .hdr.netns = netns, .known = 1ull << FACT };

	facts.values[FACT] = drops;
	netns_sums_add(&s, &facts);
}

static void what_was_counted_before_is_not_in_the_sum(void **state)
{
	read_netns(1, 1000);
	assert_int_equal(s.sums[FACT], 0);
	assert_int_equal(s.known, 1ull << FACT);
	read_netns(1, 1003);
	assert_int_equal(s.sums[FACT], 3);
}

static void what_no_namespace_told_is_not_known(void **state)
{
	assert_int_equal(s.known, 0);
}

static void namespaces_are_summed(void **state)
{
	read_netns(1, 10);
	read_netns(2, 20);
	netns_sums_end_round(&s);
	read_netns(1, 11);
	read_netns(2, 25);
	assert_int_equal(s.sums[FACT], 6);
}

static void a_namespace_that_vanishes_takes_nothing_away(void **state)
{
	read_netns(1, 10);
	read_netns(2, 20);
	netns_sums_end_round(&s);
	read_netns(1, 10);
	read_netns(2, 27);
	netns_sums_end_round(&s);
	read_netns(1, 11);
	netns_sums_end_round(&s);
	assert_int_equal(s.sums[FACT], 8);
	assert_int_equal(s.table.nr, 1);
}

static void one_that_returns_under_the_number_is_another(void **state)
{
	read_netns(1, 0);
	netns_sums_end_round(&s);
	netns_sums_end_round(&s);
	read_netns(1, 500);
	assert_int_equal(s.sums[FACT], 0);
}

static void one_that_has_less_than_it_had_is_another_and_has_counted_all_since(void **state)
{
	read_netns(1, 100);
	netns_sums_end_round(&s);
	read_netns(1, 4);
	assert_int_equal(s.sums[FACT], 4);
}

static void a_fact_that_was_not_read_once_begins_where_it_is_read(void **state)
{
	struct wire_netns_facts nothing = { .hdr.netns = 1 };

	netns_sums_add(&s, &nothing);
	read_netns(1, 9);
	assert_int_equal(s.sums[FACT], 0);
	netns_sums_add(&s, &nothing);
	read_netns(1, 11);
	assert_int_equal(s.sums[FACT], 2);
}

static void more_namespaces_than_there_is_room_for_are_left_out(void **state)
{
	for (uint32_t i = 1; i <= NETNS_SUMS_MAX + 10; i++)
		read_netns(i, 1);
	for (uint32_t i = 1; i <= NETNS_SUMS_MAX + 10; i++)
		read_netns(i, 2);
	assert_int_equal(s.sums[FACT], NETNS_SUMS_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(what_was_counted_before_is_not_in_the_sum),
		TEST(what_no_namespace_told_is_not_known),
		TEST(namespaces_are_summed),
		TEST(a_namespace_that_vanishes_takes_nothing_away),
		TEST(one_that_returns_under_the_number_is_another),
		TEST(one_that_has_less_than_it_had_is_another_and_has_counted_all_since),
		TEST(a_fact_that_was_not_read_once_begins_where_it_is_read),
		TEST(more_namespaces_than_there_is_room_for_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
