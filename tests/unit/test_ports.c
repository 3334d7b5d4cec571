// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ports.h"
#include "sample_events.h"

#define LO	40000
#define HI	40099

static struct ports ports;
static struct wire_netns_facts facts;

static void fact(enum wire_fact which, uint64_t value)
{
	facts.known |= 1ull << which;
	facts.values[which] = value;
}

static int begin(void **state)
{
	memset(&facts, 0, sizeof(facts));
	fact(WIRE_F_PORT_LO, LO);
	fact(WIRE_F_PORT_HI, HI);
	fact(WIRE_F_PORTS_RESERVED, 0);
	fact(WIRE_F_TW_REUSE, 0);
	return ports_init(&ports);
}

static int end(void **state)
{
	ports_deinit(&ports);
	return 0;
}

static void census(uint64_t at_ns)
{
	ports_begin(&ports, at_ns);
	ports_enter(&ports, 1, HZ, &facts);
}

static void listen_on(uint16_t lport)
{
	ports_add_socket(&ports, &(struct wire_socket){
		.tuple = { .lport = lport, .family = 4 }, .state = TS_LISTEN });
}

/* From port LO + n to host `remote`, port 443. */
static void socket_to(uint8_t remote, uint16_t n, uint8_t flags)
{
	struct wire_socket socket = {
		.tuple = tuple_of(0), .state = TS_ESTABLISHED, .flags = flags,
	};

	socket.tuple.lport = LO + n;
	socket.tuple.raddr[15] = remote;
	ports_add_socket(&ports, &socket);
}

static void connected(uint8_t remote, uint16_t n)
{
	socket_to(remote, n, WIRE_M_SHARED);
}

static struct wire_mini mini_to(uint8_t remote, uint16_t n, double left_s)
{
	struct wire_mini mini = {
		.tuple = tuple_of(0), .left = left_s * HZ, .substate = TS_TIME_WAIT,
		.flags = WIRE_M_SHARED | WIRE_M_STAMPED,
	};

	mini.tuple.lport = LO + n;
	mini.tuple.raddr[15] = remote;
	return mini;
}

static void in_time_wait(uint8_t remote, uint16_t n, double left_s)
{
	struct wire_mini mini = mini_to(remote, n, left_s);

	ports_add_mini(&ports, &mini);
}

static const struct port_space *fullest(void)
{
	struct port_space *ret = NULL;

	ports_leave(&ports, 1, &ret);
	return ret;
}

static void each_destination_is_a_space_of_its_own(void **state)
{
	struct port_space *spaces[4];

	census(T0);
	for (int i = 0; i < 5; i++)
		connected(2, i);
	for (int i = 0; i < 3; i++)
		in_time_wait(3, i, 30);
	connected(3, 90);
	assert_int_equal(ports_leave(&ports, 4, spaces), 2);
	assert_int_equal(spaces[0]->key.raddr[15], 2);
	assert_int_equal(spaces[0]->key.rport, 443);
	assert_int_equal(spaces[0]->used, 5);
	assert_int_equal(spaces[0]->time_wait, 0);
	assert_int_equal(spaces[1]->used, 4);
	assert_int_equal(spaces[1]->time_wait, 3);
	assert_int_equal(ports.capacity, 100);
}

static void the_range_less_what_is_reserved_is_its_capacity(void **state)
{
	fact(WIRE_F_PORTS_RESERVED, 10);
	census(T0);
	assert_true(ports.has_range);
	assert_int_equal(ports.capacity, 90);
	fact(WIRE_F_PORT_LO, 1);
	fact(WIRE_F_PORT_HI, 65535);
	fact(WIRE_F_PORTS_RESERVED, 0);
	census(T0);
	assert_int_equal(ports.capacity, 65535);
}

static void without_facts_there_is_no_capacity_and_no_forecast(void **state)
{
	ports_begin(&ports, T0);
	ports_enter(&ports, 1, HZ, NULL);
	connected(2, 0);
	assert_int_equal(fullest()->used, 1);
	assert_false(ports.has_range);
	ports_end(&ports);
	ports_begin(&ports, T0 + SEC);
	ports_enter(&ports, 1, HZ, NULL);
	connected(2, 0);
	connected(2, 1);
	assert_int_equal(ports_full_in_ms(&ports, fullest()), PORTS_NEVER);
}

static void nonsense_in_the_facts_is_no_range(void **state)
{
	fact(WIRE_F_PORT_LO, 50000);
	census(T0);
	assert_false(ports.has_range);
	fact(WIRE_F_PORT_HI, 1 << 20);
	census(T0);
	assert_false(ports.has_range);
}

static void a_port_outside_of_the_range_is_not_drawn_from_it(void **state)
{
	census(T0);
	connected(2, HI - LO + 1);
	assert_null(fullest());
}

static void what_was_accepted_takes_no_port(void **state)
{
	census(T0);
	listen_on(LO + 7);
	connected(2, 7);
	in_time_wait(2, 7, 30);
	connected(2, 8);
	assert_int_equal(fullest()->used, 1);
	census(T0 + SEC);	/* and the next namespace has other listening sockets */
	connected(2, 7);
	assert_int_equal(fullest()->used, 1);
}

static void a_fin_wait2_mini_socket_has_its_port_too(void **state)
{
	struct wire_mini mini = mini_to(2, 1, 30);

	mini.substate = TS_FIN_WAIT2;
	census(T0);
	ports_add_mini(&ports, &mini);
	assert_int_equal(fullest()->used, 1);
	assert_int_equal(fullest()->time_wait, 0);
}

/* ---- tcp_tw_reuse ---- */

static void with_tw_reuse_what_is_older_than_a_second_is_no_obstacle(void **state)
{
	fact(WIRE_F_TW_REUSE, 1);
	census(T0);
	in_time_wait(2, 1, 59.5);	/* for half a second */
	in_time_wait(2, 2, 59);
	in_time_wait(2, 3, 1);
	assert_int_equal(fullest()->used, 3);
	assert_int_equal(fullest()->reusable, 2);
}

static void the_delay_is_a_sysctl_where_there_is_one(void **state)
{
	fact(WIRE_F_TW_REUSE, 1);
	fact(WIRE_F_TW_REUSE_DELAY, 10000);
	census(T0);
	in_time_wait(2, 1, 51);
	in_time_wait(2, 2, 49);
	assert_int_equal(fullest()->reusable, 1);
}

static void without_timestamps_nothing_is_reusable(void **state)
{
	struct wire_mini mini = mini_to(2, 1, 1);

	fact(WIRE_F_TW_REUSE, 1);
	mini.flags = WIRE_M_SHARED;
	census(T0);
	ports_add_mini(&ports, &mini);
	assert_int_equal(fullest()->reusable, 0);
	assert_int_equal(fullest()->stamped, 0);
}

static void by_default_only_loopback_reuses(void **state)
{
	struct wire_mini mini = mini_to(2, 1, 1);

	fact(WIRE_F_TW_REUSE, 2);
	census(T0);
	ports_add_mini(&ports, &mini);
	assert_int_equal(fullest()->reusable, 0);
	assert_int_equal(fullest()->stamped, 1);
	census(T0 + SEC);
	mini.tuple.laddr[12] = mini.tuple.raddr[12] = 127;
	ports_add_mini(&ports, &mini);
	assert_int_equal(fullest()->reusable, 1);
	census(T0 + 2 * SEC);
	memset(mini.tuple.laddr, 0, 16);
	memset(mini.tuple.raddr, 0, 16);
	mini.tuple.laddr[15] = mini.tuple.raddr[15] = 1;
	mini.tuple.family = 6;
	ports_add_mini(&ports, &mini);
	assert_int_equal(fullest()->reusable, 1);
	assert_int_equal(fullest()->family, 6);
}

/* ---- the pool of bind() ---- */

static void what_was_bound_first_draws_from_one_pool_for_all_destinations(void **state)
{
	struct port_space *spaces[4];

	census(T0);
	for (int i = 0; i < 4; i++)
		socket_to(i, i, 0);
	connected(9, 0);	/* the same port as the first: the pool has it once */
	connected(9, 50);
	assert_int_equal(ports_leave(&ports, 4, spaces), 4);
	assert_true(spaces[0]->key.is_pool);
	assert_int_equal(spaces[0]->used, 5);
	assert_int_equal(spaces[0]->key.rport, 0);
	assert_false(spaces[1]->key.is_pool);
	assert_int_equal(spaces[1]->used, 2);
}

static void a_port_of_the_pool_that_is_open_too_does_not_wait(void **state)
{
	for (int order = 0; order < 2; order++) {
		struct port_space *spaces[4];
		unsigned int nr;

		census(T0 + order);
		if (order)
			in_time_wait(3, 5, 30);
		socket_to(2, 5, 0);
		if (!order)
			in_time_wait(3, 5, 30);
		in_time_wait(3, 6, 30);
		nr = ports_leave(&ports, 4, spaces);
		for (unsigned int i = 0; i < nr; i++) {
			if (!spaces[i]->key.is_pool)
				continue;
			assert_int_equal(spaces[i]->used, 2);
			assert_int_equal(spaces[i]->time_wait, 1);
			nr = 0;
		}
		assert_int_equal(nr, 0);	/* there was one */
		ports_end(&ports);
	}
}

static void without_bind_there_is_no_pool(void **state)
{
	struct port_space *spaces[4];

	census(T0);
	connected(2, 0);
	connected(3, 0);
	assert_int_equal(ports_leave(&ports, 4, spaces), 2);
}

/* ---- the forecast ---- */

/* So many are connected in this census. */
static uint64_t forecast(uint64_t at_ns, unsigned int used)
{
	uint64_t ret;

	census(at_ns);
	for (unsigned int i = 0; i < used; i++)
		connected(2, i);
	ret = ports_full_in_ms(&ports, fullest());
	ports_end(&ports);
	return ret;
}

static void one_census_is_no_rate(void **state)
{
	assert_int_equal(forecast(T0, 10), PORTS_NEVER);
}

static void what_grows_is_full_when_the_rest_is_taken_at_the_same_rate(void **state)
{
	forecast(T0, 10);
	assert_int_equal(forecast(T0 + SEC, 20), 8000);
	assert_int_equal(forecast(T0 + 2 * SEC, 30), 7000);
}

static void the_rate_looks_back_over_eight_censuses(void **state)
{
	uint64_t ret = 0;

	for (int i = 0; i < 20; i++)
		ret = forecast(T0 + i * SEC, i < 10 ? 1 : 1 + (i - 9) * 7);
	/* seven ports a second since the 13th: 29 more at 7 a second */
	assert_int_equal(ret, 29 * 1000 / 7);
}

static void what_does_not_grow_is_never_full(void **state)
{
	forecast(T0, 10);
	assert_int_equal(forecast(T0 + SEC, 10), PORTS_NEVER);
	assert_int_equal(forecast(T0 + 2 * SEC, 5), PORTS_NEVER);
}

static void what_is_full_is_full_now(void **state)
{
	forecast(T0, 99);
	assert_int_equal(forecast(T0 + SEC, 100), 0);
}

static void what_may_be_reused_does_not_fill_it(void **state)
{
	fact(WIRE_F_TW_REUSE, 1);
	census(T0);
	for (int i = 0; i < 10; i++)
		connected(2, i);
	fullest();
	ports_end(&ports);
	census(T0 + SEC);
	for (int i = 0; i < 10; i++)
		connected(2, i);
	for (int i = 10; i < 60; i++)
		in_time_wait(2, i, 30);
	assert_int_equal(fullest()->used, 60);
	assert_int_equal(ports_full_in_ms(&ports, fullest()), PORTS_NEVER);
}

static void what_a_census_did_not_meet_begins_anew(void **state)
{
	forecast(T0, 10);
	census(T0 + SEC);
	assert_null(fullest());
	ports_end(&ports);
	assert_int_equal(forecast(T0 + 2 * SEC, 20), PORTS_NEVER);
	assert_int_equal(ports.spaces.nr, 1);
}

static void a_range_that_was_changed_counts_from_then_on(void **state)
{
	forecast(T0, 10);
	fact(WIRE_F_PORT_HI, LO + 49);
	assert_int_equal(forecast(T0 + SEC, 20), 3000);
}

/* ---- bounds ---- */

static void more_destinations_than_are_kept_are_counted_together(void **state)
{
	struct port_space *spaces[1];
	struct wire_socket socket = {
		.tuple = tuple_of(0), .state = TS_ESTABLISHED, .flags = WIRE_M_SHARED,
	};

	census(T0);
	for (uint32_t i = 0; i < 70000; i++) {
		memcpy(&socket.tuple.raddr[12], &i, 4);
		ports_add_socket(&ports, &socket);
	}
	assert_int_equal(ports_leave(&ports, 1, spaces), 1);
	assert_int_equal(ports.rest, 70000 - 65536);
	ports_end(&ports);
	census(T0 + SEC);
	connected(2, 1);
	assert_int_equal(fullest()->used, 1);
	assert_int_equal(ports.rest, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(each_destination_is_a_space_of_its_own),
		TEST(the_range_less_what_is_reserved_is_its_capacity),
		TEST(without_facts_there_is_no_capacity_and_no_forecast),
		TEST(nonsense_in_the_facts_is_no_range),
		TEST(a_port_outside_of_the_range_is_not_drawn_from_it),
		TEST(what_was_accepted_takes_no_port),
		TEST(a_fin_wait2_mini_socket_has_its_port_too),
		TEST(with_tw_reuse_what_is_older_than_a_second_is_no_obstacle),
		TEST(the_delay_is_a_sysctl_where_there_is_one),
		TEST(without_timestamps_nothing_is_reusable),
		TEST(by_default_only_loopback_reuses),
		TEST(what_was_bound_first_draws_from_one_pool_for_all_destinations),
		TEST(a_port_of_the_pool_that_is_open_too_does_not_wait),
		TEST(without_bind_there_is_no_pool),
		TEST(one_census_is_no_rate),
		TEST(what_grows_is_full_when_the_rest_is_taken_at_the_same_rate),
		TEST(the_rate_looks_back_over_eight_censuses),
		TEST(what_does_not_grow_is_never_full),
		TEST(what_is_full_is_full_now),
		TEST(what_may_be_reused_does_not_fill_it),
		TEST(what_a_census_did_not_meet_begins_anew),
		TEST(a_range_that_was_changed_counts_from_then_on),
		TEST(more_destinations_than_are_kept_are_counted_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
