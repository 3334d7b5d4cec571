// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gauges.h"
#include "sample_events.h"

#define STALE_NS	(60 * SEC)

static struct conntab conns;
static struct gauges g;

static int begin(void **state)
{
	return conntab_init(&conns, 10) || gauges_init(&g, STALE_NS, 0, &conns);
}

static int begin_with_tops(void **state)
{
	return conntab_init(&conns, 10) || gauges_init(&g, STALE_NS, 5, &conns);
}

static int end(void **state)
{
	gauges_deinit(&g);
	conntab_deinit(&conns);
	return 0;
}

static void feed(const void *record)
{
	gauges_feed(&g, record);
}

static void enter(uint32_t netns, uint64_t lo, uint64_t hi, uint64_t tw_limit)
{
	union event ev = { .facts = {
		.hdr.kind = WIRE_NETNS_FACTS, .hdr.netns = netns,
		.known = 1ull << WIRE_F_PORT_LO | 1ull << WIRE_F_PORT_HI |
			 1ull << WIRE_F_PORTS_RESERVED | 1ull << WIRE_F_TW_LIMIT |
			 1ull << WIRE_F_LISTEN_DROPS,
	} };

	ev.facts.values[WIRE_F_PORT_LO] = lo;
	ev.facts.values[WIRE_F_PORT_HI] = hi;
	ev.facts.values[WIRE_F_TW_LIMIT] = tw_limit;
	feed(&ev);
}

static void leave(uint32_t netns)
{
	union event ev = { .census_end = { .hdr.kind = WIRE_CENSUS_END, .hdr.netns = netns } };

	feed(&ev);
}

/* From port 40000 + n. */
static void socket_on(uint32_t n)
{
	union event ev = { .socket = {
		.hdr.kind = WIRE_SOCKET, .tuple = tuple_of(n), .state = TS_ESTABLISHED,
		.flags = WIRE_M_SHARED,
	} };

	feed(&ev);
}

static void mini_on(uint32_t n)
{
	union event ev = { .mini = {
		.hdr.kind = WIRE_MINI, .tuple = tuple_of(n), .left = 30 * HZ,
		.substate = TS_TIME_WAIT, .flags = WIRE_M_SHARED,
	} };

	feed(&ev);
}

static void census_of_two_namespaces(void)
{
	gauges_begin(&g, WIRE_CENSUS_PORTS, T0);
	for (uint32_t netns = 1; netns <= 2; netns++) {
		enter(netns, 40000, 40009, 1000);
		socket_on(0);
		for (uint32_t n = 1; n <= netns; n++)
			mini_on(n);
		leave(netns);
	}
	leave(0);
	gauges_end(&g, true);
}

static void close_wait(uint32_t n, uint64_t heard_ns)
{
	union event ev = { .aged = {
		.hdr = hdr_of(WIRE_AGED, sizeof(struct wire_aged), T0, n),
		.tuple = tuple_of(n), .state = TS_CLOSE_WAIT, .heard = heard_ns / (SEC / HZ),
	} };

	feed(&ev);
}

static void before_the_first_census_nothing_is_known(void **state)
{
	assert_true(g.ports.ports == GAUGES_NOT_KNOWN);
	assert_true(g.ports.usage_ppb == GAUGES_NOT_KNOWN);
	assert_true(g.close_wait.stale == GAUGES_NOT_KNOWN);
	assert_true(gauges_counter(&g, WIRE_F_LISTEN_DROPS) == GAUGES_NOT_KNOWN);
}

static void the_usage_is_the_fullest_spaces(void **state)
{
	gauges_begin(&g, WIRE_CENSUS_PORTS, T0);
	enter(1, 40000, 40099, 1000);
	socket_on(1);
	leave(1);
	enter(2, 40000, 40009, 500);
	socket_on(1);
	mini_on(2);
	mini_on(3);
	leave(2);
	leave(0);
	gauges_end(&g, true);
	assert_int_equal(g.ports.ports, 10);
	assert_int_equal(g.ports.usage_ppb, 300000000);
	assert_int_equal(g.ports.tw_limit, 500);
	assert_int_equal(gauges_counter(&g, WIRE_F_LISTEN_DROPS), 0);
	assert_true(gauges_counter(&g, WIRE_F_COOKIES_SENT) == GAUGES_NOT_KNOWN);
}

static void a_census_that_is_not_whole_leaves_nothing_known(void **state)
{
	gauges_begin(&g, WIRE_CENSUS_PORTS, T0);
	enter(1, 40000, 40099, 1000);
	leave(1);
	gauges_end(&g, true);
	assert_int_equal(g.ports.usage_ppb, 0);
	gauges_begin(&g, WIRE_CENSUS_PORTS, T0 + SEC);
	enter(1, 40000, 40099, 1000);
	gauges_end(&g, false);
	assert_true(g.ports.usage_ppb == GAUGES_NOT_KNOWN);
	assert_true(gauges_counter(&g, WIRE_F_LISTEN_DROPS) == GAUGES_NOT_KNOWN);
}

static void without_a_port_range_no_usage_is_known(void **state)
{
	union event ev = { .facts = { .hdr.kind = WIRE_NETNS_FACTS, .hdr.netns = 2 } };

	gauges_begin(&g, WIRE_CENSUS_PORTS, T0);
	feed(&ev);
	leave(2);
	enter(1, 40000, 40009, 1000);
	socket_on(1);
	leave(1);
	gauges_end(&g, true);
	assert_int_equal(g.ports.ports, 10);
	assert_true(g.ports.usage_ppb == GAUGES_NOT_KNOWN);
}

static void what_is_no_census_of_its_own_is_passed_over(void **state)
{
	enter(1, 40000, 40009, 1000);
	close_wait(1, 90 * SEC);
	gauges_begin(&g, WIRE_CENSUS_AGED, T0);
	socket_on(1);
	gauges_end(&g, true);
	assert_int_equal(g.close_wait.oldest_ns, 0);
	assert_true(g.ports.ports == GAUGES_NOT_KNOWN);
}

static void a_close_wait_is_stale_from_that_age_on(void **state)
{
	gauges_begin(&g, WIRE_CENSUS_AGED, T0);
	close_wait(1, 60 * SEC - MSEC);
	close_wait(2, 60 * SEC);
	close_wait(3, 90 * SEC);
	gauges_end(&g, true);
	assert_int_equal(g.close_wait.stale, 2);
	assert_int_equal(g.close_wait.oldest_ns, 90 * SEC);
}

static struct conn *life(uint32_t n, uint64_t age_ns)
{
	struct conn *c = conntab_add(&conns, n);

	assert_non_null(c);
	c->netns = 1;
	c->tuple = tuple_of(n);
	c->stage = STAGE_OPEN;
	c->state = TS_CLOSE_WAIT;
	c->since_ns = T0 - age_ns;
	return c;
}

static void its_age_is_the_transitions_if_that_was_seen(void **state)
{
	life(1, 70 * SEC);
	gauges_begin(&g, WIRE_CENSUS_AGED, T0);
	close_wait(1, 5 * SEC);
	gauges_end(&g, true);
	assert_int_equal(g.close_wait.stale, 1);
	assert_int_equal(g.close_wait.oldest_ns, 70 * SEC);
}

static void a_life_that_is_not_the_sockets_says_nothing(void **state)
{
	life(1, 70 * SEC)->since_ns = 0;
	life(2, 70 * SEC)->state = TS_ESTABLISHED;
	life(3, 70 * SEC)->netns = 2;
	life(4, 70 * SEC)->tuple.lport++;
	life(5, 70 * SEC)->since_ns = T0 + SEC;
	gauges_begin(&g, WIRE_CENSUS_AGED, T0);
	for (uint32_t n = 1; n <= 5; n++)
		close_wait(n, 5 * SEC);
	gauges_end(&g, true);
	assert_int_equal(g.close_wait.stale, 0);
	assert_int_equal(g.close_wait.oldest_ns, 5 * SEC);
}

static void unless_asked_for_nothing_is_told_apart(void **state)
{
	census_of_two_namespaces();
	assert_int_equal(g.tops.k, 0);
	assert_int_equal(g.tops.remotes.nr, 0);
}

static void time_waits_are_told_by_remote_and_by_local_port_over_all_namespaces(void **state)
{
	const struct tops_remote *remote = (const void *)g.tops.remotes.told[0].key;

	census_of_two_namespaces();
	assert_true(g.has_tops);
	assert_int_equal(g.tops.remotes.nr, 1);
	assert_int_equal(remote->port, 443);
	assert_int_equal(g.tops.remotes.told[0].value, 3);
	assert_int_equal(g.tops.lports.nr, 2);
	assert_int_equal(*(const uint64_t *)g.tops.lports.told[0].key, 40001);
	assert_int_equal(g.tops.lports.told[0].value, 2);
}

static void a_port_space_is_told_where_it_is_fullest(void **state)
{
	census_of_two_namespaces();
	assert_int_equal(g.tops.spaces.nr, 1);
	assert_int_equal(g.tops.spaces.told[0].value, 300000000);
}

static void of_a_census_that_is_not_whole_nobody_is_told(void **state)
{
	census_of_two_namespaces();
	gauges_begin(&g, WIRE_CENSUS_PORTS, T0 + SEC);
	gauges_end(&g, false);
	assert_false(g.has_tops);
	census_of_two_namespaces();
	assert_true(g.has_tops);
	assert_int_equal(g.tops.remotes.told[0].value, 3);
}

static void census_of_one_socket(void)
{
	gauges_begin(&g, WIRE_CENSUS_PORTS, T0);
	enter(1, 40000, 40009, 1000);
	socket_on(0);
	leave(1);
	leave(0);
	gauges_end(&g, true);
}

static void without_what_goes_unannounced_a_census_need_not_come_again(void **state)
{
	assert_false(gauges_would_keep(&g, WIRE_CENSUS_PORTS));
	census_of_one_socket();
	assert_true(gauges_would_keep(&g, WIRE_CENSUS_PORTS));
	assert_false(gauges_would_keep(&g, WIRE_CENSUS_AGED));
	census_of_two_namespaces();	/* with mini-sockets */
	assert_false(gauges_would_keep(&g, WIRE_CENSUS_PORTS));
	gauges_begin(&g, WIRE_CENSUS_PORTS, T0);
	gauges_end(&g, false);
	assert_false(gauges_would_keep(&g, WIRE_CENSUS_PORTS));
}

static void listener_with(uint32_t queue)
{
	union event ev = { .listener = {
		.hdr.kind = WIRE_LISTENER, .tuple = tuple_of(1), .queue = queue, .limit = 5,
	} };

	gauges_begin(&g, WIRE_CENSUS_LISTENERS, T0);
	feed(&ev);
	gauges_end(&g, true);
}

static void a_queue_gets_shorter_without_a_transition(void **state)
{
	assert_false(gauges_would_keep(&g, WIRE_CENSUS_LISTENERS));
	listener_with(0);
	assert_true(gauges_would_keep(&g, WIRE_CENSUS_LISTENERS));
	listener_with(1);
	assert_false(gauges_would_keep(&g, WIRE_CENSUS_LISTENERS));
}

static void facts_alone_leave_what_was_counted_off(void **state)
{
	census_of_one_socket();

	gauges_begin_facts(&g, T0 + SEC);
	enter(1, 40000, 40009, 900);
	gauges_end(&g, true);
	assert_int_equal(g.ports.usage_ppb, 100000000);
	assert_int_equal(g.ports.tw_limit, 900);
	assert_true(gauges_would_keep(&g, WIRE_CENSUS_PORTS));

	gauges_begin_facts(&g, T0 + 2 * SEC);
	enter(1, 40000, 40019, 900);	/* a tenth is a twentieth now */
	gauges_end(&g, true);
	assert_false(gauges_would_keep(&g, WIRE_CENSUS_PORTS));

	gauges_begin_facts(&g, T0 + 3 * SEC);
	gauges_end(&g, false);
	assert_true(g.ports.tw_limit == GAUGES_NOT_KNOWN);
	assert_true(gauges_counter(&g, WIRE_F_LISTEN_DROPS) == GAUGES_NOT_KNOWN);
}

static void that_nothing_is_in_close_wait_may_be_known_without_a_census(void **state)
{
	gauges_no_close_wait(&g);
	assert_int_equal(g.close_wait.stale, 0);
	assert_int_equal(g.close_wait.oldest_ns, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define WITH_TOPS(name) cmocka_unit_test_setup_teardown(name, begin_with_tops, end)
	const struct CMUnitTest tests[] = {
		TEST(before_the_first_census_nothing_is_known),
		TEST(the_usage_is_the_fullest_spaces),
		TEST(a_census_that_is_not_whole_leaves_nothing_known),
		TEST(without_a_port_range_no_usage_is_known),
		TEST(what_is_no_census_of_its_own_is_passed_over),
		TEST(a_close_wait_is_stale_from_that_age_on),
		TEST(its_age_is_the_transitions_if_that_was_seen),
		TEST(a_life_that_is_not_the_sockets_says_nothing),
		TEST(without_what_goes_unannounced_a_census_need_not_come_again),
		TEST(a_queue_gets_shorter_without_a_transition),
		TEST(facts_alone_leave_what_was_counted_off),
		TEST(that_nothing_is_in_close_wait_may_be_known_without_a_census),
		TEST(unless_asked_for_nothing_is_told_apart),
		WITH_TOPS(time_waits_are_told_by_remote_and_by_local_port_over_all_namespaces),
		WITH_TOPS(a_port_space_is_told_where_it_is_fullest),
		WITH_TOPS(of_a_census_that_is_not_whole_nobody_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
