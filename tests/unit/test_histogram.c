// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "histogram.h"

#define MS	1000000ull
#define S	1000000000ull

static void assert_rising(const struct histogram_edges *edges)
{
	assert_in_range(edges->nr, 1, HISTOGRAM_EDGES_MAX);
	for (unsigned int i = 1; i < edges->nr; i++)
		assert_true(edges->ns[i - 1] < edges->ns[i]);
}

static void edges_rise(void **state)
{
	assert_rising(&handshake_edges);
	assert_rising(&duration_edges);
	assert_rising(&teardown_edges);
}

/* Part of the interface: a server cannot join what other edges counted. */
static void edges_are_those_that_were_promised(void **state)
{
	static const uint64_t handshake_us[] = {
		100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
		1000000, 2000000, 3000000, 4000000, 7000000, 15000000, 31000000, 63000000,
	};
	static const uint64_t duration_ms[] = {
		1, 10, 100, 1000, 5000, 15000, 60000, 300000, 900000, 3600000, 14400000, 86400000,
	};

	assert_int_equal(handshake_edges.nr, 20);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(handshake_edges.ns[i], handshake_us[i] * 1000);
	assert_int_equal(duration_edges.nr, 12);
	for (unsigned int i = 0; i < 12; i++)
		assert_int_equal(duration_edges.ns[i], duration_ms[i] * MS);
	assert_int_equal(teardown_edges.nr, 11);
	assert_int_equal(teardown_edges.ns[0], 100 * 1000);
	assert_int_equal(teardown_edges.ns[10], 60 * S);
}

static void a_bucket_holds_what_is_at_its_edge_and_not_above(void **state)
{
	struct histogram h = {};

	assert_int_equal(histogram_observe(&h, &handshake_edges, 0), 0);
	assert_int_equal(histogram_observe(&h, &handshake_edges, 100 * 1000), 0);
	assert_int_equal(histogram_observe(&h, &handshake_edges, 100 * 1000 + 1), 1);
	assert_int_equal(histogram_observe(&h, &handshake_edges, 1 * S), 12);
	assert_int_equal(histogram_observe(&h, &handshake_edges, 63 * S), 19);
	assert_int_equal(h.buckets[0], 2);
	assert_int_equal(h.buckets[1], 1);
}

static void what_is_above_all_edges_is_counted_too(void **state)
{
	struct histogram h = {};

	assert_int_equal(histogram_observe(&h, &teardown_edges, 61 * S), 11);
	assert_int_equal(h.buckets[11], 1);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.sum_ns, 61 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_rise),
		cmocka_unit_test(edges_are_those_that_were_promised),
		cmocka_unit_test(a_bucket_holds_what_is_at_its_edge_and_not_above),
		cmocka_unit_test(what_is_above_all_edges_is_counted_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
