// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tcp_state.h"

#define NO_WAY	UINT8_MAX

static const enum tcp_state all[] = {
	TS_ESTABLISHED, TS_SYN_SENT, TS_SYN_RECV, TS_FIN_WAIT1, TS_FIN_WAIT2, TS_TIME_WAIT,
	TS_CLOSE, TS_CLOSE_WAIT, TS_LAST_ACK, TS_LISTEN, TS_CLOSING, TS_NEW_SYN_RECV,
	TS_BOUND_INACTIVE,
};

#define EACH(s) (const enum tcp_state *s = all; s < all + sizeof(all) / sizeof(*all); s++)

/* kernel-facts 1b, and 5->6, 11->6, 6->7 as the engine tells them. */
static const struct { enum tcp_state from, to; } announced[] = {
	{ TS_CLOSE, TS_SYN_SENT }, { TS_CLOSE, TS_LISTEN },
	{ TS_LISTEN, TS_SYN_RECV }, { TS_LISTEN, TS_CLOSE },
	{ TS_SYN_SENT, TS_ESTABLISHED }, { TS_SYN_SENT, TS_SYN_RECV }, { TS_SYN_SENT, TS_CLOSE },
	{ TS_SYN_RECV, TS_ESTABLISHED }, { TS_SYN_RECV, TS_FIN_WAIT1 },
	{ TS_SYN_RECV, TS_CLOSE_WAIT }, { TS_SYN_RECV, TS_CLOSE },
	{ TS_ESTABLISHED, TS_FIN_WAIT1 }, { TS_ESTABLISHED, TS_CLOSE_WAIT },
	{ TS_ESTABLISHED, TS_CLOSE },
	{ TS_FIN_WAIT1, TS_FIN_WAIT2 }, { TS_FIN_WAIT1, TS_CLOSING }, { TS_FIN_WAIT1, TS_CLOSE },
	{ TS_FIN_WAIT2, TS_TIME_WAIT }, { TS_FIN_WAIT2, TS_CLOSE },
	{ TS_CLOSING, TS_TIME_WAIT }, { TS_CLOSING, TS_CLOSE },
	{ TS_CLOSE_WAIT, TS_LAST_ACK }, { TS_CLOSE_WAIT, TS_CLOSE },
	{ TS_LAST_ACK, TS_CLOSE },
	{ TS_TIME_WAIT, TS_CLOSE },
};

static void names_are_the_kernels_in_lower_case(void **state)
{
	static const char *const names[] = {
		NULL, "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2",
		"time_wait", "close", "close_wait", "last_ack", "listen", "closing",
		"new_syn_recv", "bound_inactive",
	};

	for (unsigned int s = 1; s < TS_MAX; s++)
		assert_string_equal(tcp_state_name(s), names[s]);
	assert_int_equal(TS_MAX, sizeof(names) / sizeof(*names));
}

static void any_other_number_has_a_name_all_the_same(void **state)
{
	assert_string_equal(tcp_state_name(0), "unknown");
	assert_string_equal(tcp_state_name(14), "unknown");
	assert_string_equal(tcp_state_name(255), "unknown");
	assert_string_equal(tcp_state_name(UINT32_MAX), "unknown");
}

static void a_state_is_no_way_from_itself(void **state)
{
	for EACH(s)
		assert_int_equal(tcp_state_distance(*s, *s), 0);
}

static bool is_announced(enum tcp_state from, enum tcp_state to)
{
	for (unsigned int i = 0; i < sizeof(announced) / sizeof(*announced); i++) {
		if (announced[i].from == from && announced[i].to == to)
			return true;
	}
	return false;
}

static void what_the_kernel_announces_is_one_step_and_nothing_else_is(void **state)
{
	for EACH(from) {
		for EACH(to)
			assert_int_equal(tcp_state_distance(*from, *to) == 1,
					 is_announced(*from, *to));
	}
}

/* Floyd and Warshall's. */
static void the_distance_is_the_shortest_way(void **state)
{
	unsigned int d[TS_MAX][TS_MAX];

	for (int a = 0; a < TS_MAX; a++) {
		for (int b = 0; b < TS_MAX; b++)
			d[a][b] = a == b ? 0 : is_announced(a, b) ? 1 : NO_WAY;
	}
	for (int via = 0; via < TS_MAX; via++) {
		for (int a = 0; a < TS_MAX; a++) {
			for (int b = 0; b < TS_MAX; b++) {
				if (d[a][via] + d[via][b] < d[a][b])
					d[a][b] = d[a][via] + d[via][b];
			}
		}
	}
	for EACH(from) {
		for EACH(to)
			assert_int_equal(tcp_state_distance(*from, *to), d[*from][*to]);
	}
}

static void some_ways_that_are_known_by_heart(void **state)
{
	assert_int_equal(tcp_state_distance(TS_CLOSE, TS_ESTABLISHED), 2);
	assert_int_equal(tcp_state_distance(TS_LISTEN, TS_ESTABLISHED), 2);
	assert_int_equal(tcp_state_distance(TS_SYN_SENT, TS_FIN_WAIT1), 2);
	assert_int_equal(tcp_state_distance(TS_ESTABLISHED, TS_FIN_WAIT2), 2);
	assert_int_equal(tcp_state_distance(TS_ESTABLISHED, TS_LAST_ACK), 2);
	assert_int_equal(tcp_state_distance(TS_ESTABLISHED, TS_TIME_WAIT), 3);
	assert_int_equal(tcp_state_distance(TS_SYN_SENT, TS_CLOSING), 3);
}

static void every_connection_can_end_at_once(void **state)
{
	for EACH(s) {
		if (*s == TS_CLOSE || *s == TS_NEW_SYN_RECV || *s == TS_BOUND_INACTIVE)
			continue;
		assert_int_equal(tcp_state_distance(*s, TS_CLOSE), 1);
	}
}

/* NEW_SYN_RECV is a request socket's, BOUND_INACTIVE only a dump's. */
static void no_way_leads_to_states_that_no_event_shows(void **state)
{
	for EACH(s) {
		if (*s != TS_NEW_SYN_RECV)
			assert_int_equal(tcp_state_distance(*s, TS_NEW_SYN_RECV), NO_WAY);
		if (*s != TS_BOUND_INACTIVE)
			assert_int_equal(tcp_state_distance(*s, TS_BOUND_INACTIVE), NO_WAY);
	}
	assert_int_equal(tcp_state_distance(TS_NEW_SYN_RECV, TS_CLOSE), NO_WAY);
	assert_int_equal(tcp_state_distance(TS_NONE, TS_CLOSE), NO_WAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_kernels_in_lower_case),
		cmocka_unit_test(any_other_number_has_a_name_all_the_same),
		cmocka_unit_test(a_state_is_no_way_from_itself),
		cmocka_unit_test(what_the_kernel_announces_is_one_step_and_nothing_else_is),
		cmocka_unit_test(the_distance_is_the_shortest_way),
		cmocka_unit_test(some_ways_that_are_known_by_heart),
		cmocka_unit_test(every_connection_can_end_at_once),
		cmocka_unit_test(no_way_leads_to_states_that_no_event_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
