// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "accept_queues.h"
#include "sample_events.h"

static struct accept_queues q;

static int begin(void **state)
{
	return accept_queues_init(&q);
}

static int end(void **state)
{
	accept_queues_deinit(&q);
	return 0;
}

static void add(uint16_t port, uint32_t queue, uint32_t limit)
{
	struct wire_listener listener = { .tuple = tuple_of(0), .queue = queue, .limit = limit };

	listener.tuple.lport = port;
	accept_queues_add(&q, &listener);
}

static const struct accept_queue *at(uint32_t i)
{
	assert_in_range(i, 0, q.table.nr - 1);
	return keytab_at(&q.table, i);
}

static void a_queue_is_told_by_address_and_port(void **state)
{
	accept_queues_begin(&q);
	add(80, 3, 128);
	accept_queues_end(&q);
	assert_int_equal(q.table.nr, 1);
	assert_int_equal(at(0)->key.port, 80);
	assert_int_equal(at(0)->queue, 3);
	assert_int_equal(at(0)->limit, 128);
}

static void those_that_share_address_and_port_are_one(void **state)
{
	accept_queues_begin(&q);
	add(80, 3, 9);
	add(443, 1, 9);
	add(80, 4, 19);
	accept_queues_end(&q);
	assert_int_equal(q.table.nr, 2);
	assert_int_equal(at(0)->queue, 7);
	assert_int_equal(at(0)->limit, 28);
}

static void each_round_begins_anew(void **state)
{
	accept_queues_begin(&q);
	add(80, 3, 9);
	add(81, 3, 9);
	accept_queues_end(&q);
	accept_queues_begin(&q);
	add(80, 1, 9);
	accept_queues_end(&q);
	assert_int_equal(q.table.nr, 1);
	assert_int_equal(at(0)->queue, 1);
	assert_int_equal(at(0)->limit, 9);
}

static void more_than_are_told_apart_are_told_together(void **state)
{
	accept_queues_begin(&q);
	for (uint16_t port = 1; port <= ACCEPT_QUEUES_TOLD + 3; port++)
		add(port, 2, 9);
	accept_queues_end(&q);
	assert_int_equal(q.table.nr, ACCEPT_QUEUES_TOLD);
	assert_int_equal(q.nr_rest, 3);
	assert_int_equal(q.rest_queue, 6);
	assert_int_equal(q.rest_limit, 27);
}

static void who_is_told_apart_stays_so_and_whose_place_is_free_is_taken(void **state)
{
	accept_queues_begin(&q);
	for (uint16_t port = 1; port <= ACCEPT_QUEUES_TOLD; port++)
		add(port, 0, 9);
	accept_queues_end(&q);
	for (int round = 0; round < 2; round++) {
		accept_queues_begin(&q);
		add(1000, 5, 9);
		for (uint16_t port = 2; port <= ACCEPT_QUEUES_TOLD; port++)
			add(port, 0, 9);
		accept_queues_end(&q);
		assert_int_equal(q.nr_rest, !round);
	}
	assert_int_equal(at(ACCEPT_QUEUES_TOLD - 1)->key.port, 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_queue_is_told_by_address_and_port),
		TEST(those_that_share_address_and_port_are_one),
		TEST(each_round_begins_anew),
		TEST(more_than_are_told_apart_are_told_together),
		TEST(who_is_told_apart_stays_so_and_whose_place_is_free_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
