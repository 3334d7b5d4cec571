// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "audit.h"
#include "tcp_state.h"

static const struct audit_kernel newest = {
	.announces_every_reset = true, .counts_tw_entries = true,
};

static struct audit_netns ns;

static int begin(void **state)
{
	struct audit_mibs all = { .known = (1u << MIB_MAX) - 1 };

	ns = (struct audit_netns){};
	ns.start.before.mibs = ns.start.mibs = ns.start.after.mibs = all;
	ns.end.before.mibs = ns.end.mibs = ns.end.after.mibs = all;
	ns.start.has_sockets = ns.end.has_sockets = true;
	return 0;
}

/* The same before and after: nothing was going on at the edge. */
static void count(struct audit_edge *e, enum tcp_state from, enum tcp_state to, uint64_t n)
{
	e->before.traced.transitions[from][to] += n;
	e->after.traced.transitions[from][to] += n;
}

static void count_mib(struct audit_edge *e, enum audit_mib mib, uint64_t n)
{
	e->before.mibs.values[mib] += n;
	e->mibs.values[mib] += n;
	e->after.mibs.values[mib] += n;
}

static struct audit_row judge(enum audit_counter which)
{
	struct audit_row row;

	audit_judge(which, &ns, &newest, &row);
	return row;
}

static void assert_row(enum audit_counter which, int64_t kernel, int64_t traced, int64_t residual)
{
	struct audit_row row = judge(which);

	assert_null(row.why);
	assert_true(row.has_kernel);
	assert_int_equal(row.kernel, kernel);
	assert_int_equal(row.traced, traced);
	assert_int_equal(row.residual, residual);
}

static void nothing_at_all_agrees(void **state)
{
	for (int i = 0; i < AUDIT_MAX; i++)
		assert_row(i, 0, 0, 0);
}

static void only_what_came_during_the_run_counts(void **state)
{
	count_mib(&ns.start, MIB_PASSIVE_OPENS, 1000);
	count_mib(&ns.end, MIB_PASSIVE_OPENS, 1007);
	count(&ns.start, TS_LISTEN, TS_SYN_RECV, 3);
	count(&ns.end, TS_LISTEN, TS_SYN_RECV, 10);
	assert_row(AUDIT_PASSIVE_OPENS, 7, 7, 0);
}

static void a_missed_event_is_a_positive_residual(void **state)
{
	count_mib(&ns.end, MIB_PASSIVE_OPENS, 7);
	count(&ns.end, TS_LISTEN, TS_SYN_RECV, 5);
	assert_row(AUDIT_PASSIVE_OPENS, 7, 5, 2);
}

static void an_event_too_many_is_a_negative_residual(void **state)
{
	count_mib(&ns.end, MIB_PASSIVE_OPENS, 7);
	count(&ns.end, TS_LISTEN, TS_SYN_RECV, 10);
	assert_row(AUDIT_PASSIVE_OPENS, 7, 10, -3);
}

static void what_moved_at_an_edge_is_allowed_for(void **state)
{
	ns.start.before.traced.transitions[TS_LISTEN][TS_SYN_RECV] = 10;
	ns.start.after.traced.transitions[TS_LISTEN][TS_SYN_RECV] = 12;
	ns.end.before.traced.transitions[TS_LISTEN][TS_SYN_RECV] = 100;
	ns.end.after.traced.transitions[TS_LISTEN][TS_SYN_RECV] = 105;
	for (int kernel = 80; kernel < 105; kernel++) {
		ns.end.mibs.values[MIB_PASSIVE_OPENS] = kernel;
		assert_row(AUDIT_PASSIVE_OPENS, kernel, 93,
			   kernel < 88 ? kernel - 88 : kernel > 95 ? kernel - 95 : 0);
	}
}

static void a_counter_that_wraps_still_counts(void **state)
{
	count_mib(&ns.start, MIB_PASSIVE_OPENS, UINT64_MAX - 2);
	count_mib(&ns.end, MIB_PASSIVE_OPENS, 4);
	count(&ns.end, TS_LISTEN, TS_SYN_RECV, 7);
	assert_row(AUDIT_PASSIVE_OPENS, 7, 7, 0);
}

static void a_connect_without_a_port_is_no_open(void **state)
{
	count(&ns.end, TS_CLOSE, TS_SYN_SENT, 10);
	ns.end.before.traced.no_port = ns.end.after.traced.no_port = 4;
	count_mib(&ns.end, MIB_ACTIVE_OPENS, 6);
	assert_row(AUDIT_ACTIVE_OPENS, 6, 6, 0);
}

/* What is subtracted may be counted after what it is subtracted from. */
static void a_subtrahend_that_is_late_is_allowed_for(void **state)
{
	count(&ns.end, TS_CLOSE, TS_SYN_SENT, 10);
	ns.end.before.traced.no_port = 3;
	ns.end.after.traced.no_port = 4;
	for (int kernel = 6; kernel <= 7; kernel++) {
		ns.end.mibs.values[MIB_ACTIVE_OPENS] = kernel;
		assert_row(AUDIT_ACTIVE_OPENS, kernel, 6, 0);
	}
	ns.end.mibs.values[MIB_ACTIVE_OPENS] = 8;
	assert_row(AUDIT_ACTIVE_OPENS, 8, 6, 1);
}

static void embryonic_resets_are_failed_attempts(void **state)
{
	ns.end.before.traced.attempt_fails = ns.end.after.traced.attempt_fails = 5;
	count_mib(&ns.end, MIB_EMBRYONIC_RSTS, 3);
	count_mib(&ns.end, MIB_ATTEMPT_FAILS, 8);
	assert_row(AUDIT_ATTEMPT_FAILS, 8, 8, 0);
	ns.end.mibs.values[MIB_ATTEMPT_FAILS] = 7;
	assert_row(AUDIT_ATTEMPT_FAILS, 7, 8, -1);
}

static void embryonic_resets_may_be_overflows_if_those_are_reset(void **state)
{
	ns.overflow_resets = true;
	ns.end.before.traced.attempt_fails = ns.end.after.traced.attempt_fails = 5;
	count_mib(&ns.end, MIB_EMBRYONIC_RSTS, 3);
	for (int kernel = 5; kernel <= 8; kernel++) {
		ns.end.mibs.values[MIB_ATTEMPT_FAILS] = kernel;
		assert_row(AUDIT_ATTEMPT_FAILS, kernel, 5, 0);
	}
	ns.end.mibs.values[MIB_ATTEMPT_FAILS] = 9;
	assert_row(AUDIT_ATTEMPT_FAILS, 9, 5, 1);
}

/* A RST to a TFO child counts twice, one to a simultaneous open once. */
static void a_reset_in_syn_recv_may_count_twice(void **state)
{
	count(&ns.end, TS_SYN_RECV, TS_CLOSE, 1);
	ns.end.before.traced.attempt_fails = ns.end.after.traced.attempt_fails = 1;
	for (int kernel = 1; kernel <= 2; kernel++) {
		ns.end.mibs.values[MIB_ATTEMPT_FAILS] = kernel;
		assert_row(AUDIT_ATTEMPT_FAILS, kernel, 1, 0);
	}
	ns.end.mibs.values[MIB_ATTEMPT_FAILS] = 3;
	assert_row(AUDIT_ATTEMPT_FAILS, 3, 1, 1);
}

static void retransmits_that_did_not_go_out_count_too(void **state)
{
	for (int phase = 0; phase < WIRE_PHASES; phase++) {
		ns.end.before.traced.retransmits[phase] = 10 + phase;
		ns.end.after.traced.retransmits[phase] = 10 + phase;
	}
	count_mib(&ns.end, MIB_RETRANS_FAIL, 4);
	count_mib(&ns.end, MIB_RETRANS_SEGS, 50);
	assert_row(AUDIT_RETRANS_SEGS, 50, 50, 0);
	count_mib(&ns.end, MIB_SYN_RETRANS, 20);
	assert_row(AUDIT_SYN_RETRANS, 20, 21, -1);
	count_mib(&ns.end, MIB_SYN_RETRANS, 5);
	assert_row(AUDIT_SYN_RETRANS, 25, 21, 0);
	count_mib(&ns.end, MIB_SYN_RETRANS, 1);
	assert_row(AUDIT_SYN_RETRANS, 26, 21, 1);
}

static void time_wait_is_three_counters_and_four_events(void **state)
{
	count_mib(&ns.end, MIB_TW, 10);
	count_mib(&ns.end, MIB_TW_KILLED, 20);
	count_mib(&ns.end, MIB_TW_OVERFLOW, 30);
	count(&ns.end, TS_FIN_WAIT2, TS_TIME_WAIT, 25);
	count(&ns.end, TS_CLOSING, TS_TIME_WAIT, 5);
	ns.end.before.traced.parked = ns.end.after.traced.parked = 32;
	ns.end.before.traced.unparked = ns.end.after.traced.unparked = 2;
	assert_row(AUDIT_TIME_WAIT, 60, 60, 0);
}

static void sockets_are_conserved(void **state)
{
	count(&ns.end, TS_SYN_SENT, TS_ESTABLISHED, 10);
	count(&ns.end, TS_SYN_RECV, TS_ESTABLISHED, 10);
	count(&ns.end, TS_ESTABLISHED, TS_FIN_WAIT1, 4);
	count(&ns.end, TS_ESTABLISHED, TS_CLOSE_WAIT, 3);
	count(&ns.end, TS_ESTABLISHED, TS_CLOSE, 2);
	ns.start.sockets[TS_ESTABLISHED] = 5;
	ns.end.sockets[TS_ESTABLISHED] = 16;
	assert_row(AUDIT_ESTABLISHED, 11, 11, 0);
	ns.end.sockets[TS_ESTABLISHED] = 15;
	assert_row(AUDIT_ESTABLISHED, 10, 11, -1);
}

static void a_state_may_lose_sockets(void **state)
{
	count(&ns.end, TS_ESTABLISHED, TS_CLOSE, 3);
	ns.start.sockets[TS_ESTABLISHED] = 3;
	assert_row(AUDIT_ESTABLISHED, -3, -3, 0);
}

static void self_transitions_move_nobody(void **state)
{
	count(&ns.end, TS_FIN_WAIT2, TS_FIN_WAIT2, 9);
	assert_row(AUDIT_FIN_WAIT2, 0, 0, 0);
}

/* A socket may come and go while the others are counted, unseen or seen. */
static void a_census_under_way_sees_those_who_pass_or_not(void **state)
{
	ns.end.after.traced.transitions[TS_SYN_SENT][TS_ESTABLISHED] = 2;
	ns.end.after.traced.transitions[TS_ESTABLISHED][TS_CLOSE] = 2;
	for (int there = 0; there <= 14; there++) {
		ns.start.sockets[TS_ESTABLISHED] = 10;
		ns.end.sockets[TS_ESTABLISHED] = there;
		assert_row(AUDIT_ESTABLISHED, there - 10, 0,
			   there < 8 ? there - 8 : there > 12 ? there - 12 : 0);
	}
}

static void assert_why(enum audit_counter which, const struct audit_kernel *kernel, bool has_kernel)
{
	struct audit_row row;

	audit_judge(which, &ns, kernel, &row);
	assert_non_null(row.why);
	assert_non_null(row.counter);
	assert_int_equal(row.has_kernel, has_kernel);
}

static void a_namespace_that_was_not_there_all_the_time_is_not_held(void **state)
{
	ns.why = "the namespace came during the run";
	for (int i = 0; i < AUDIT_MAX; i++) {
		assert_why(i, &newest, false);
		assert_string_equal(judge(i).why, ns.why);
	}
}

static void a_counter_that_is_not_known_at_some_reading_is_not_held(void **state)
{
	ns.end.after.mibs.known &= ~(1u << MIB_ACTIVE_OPENS | 1u << MIB_RETRANS_FAIL);
	assert_why(AUDIT_ACTIVE_OPENS, &newest, false);
	assert_why(AUDIT_RETRANS_SEGS, &newest, true);
	assert_null(judge(AUDIT_PASSIVE_OPENS).why);
}

static void identities_that_older_kernels_do_not_keep_are_not_held(void **state)
{
	static const struct audit_kernel old = {};

	count_mib(&ns.end, MIB_OUT_RSTS, 5);
	assert_why(AUDIT_OUT_RSTS, &old, true);
	assert_why(AUDIT_TIME_WAIT, &old, true);
	assert_null(judge(AUDIT_TIME_WAIT).why);
}

static void sockets_that_were_not_counted_are_not_held(void **state)
{
	ns.start.has_sockets = false;
	assert_why(AUDIT_ESTABLISHED, &newest, false);
	assert_null(judge(AUDIT_ACTIVE_OPENS).why);
}

static void the_kernels_text_is_read_by_name(void **state)
{
	static const char text[] = "Tcp: PassiveOpens ActiveOpens\nTcp: 4 17\n"
				   "TcpExt: TWKilled TW\nTcpExt: 6 5\n";
	struct audit_mibs mibs;

	audit_read_mibs(text, strlen(text), &mibs);
	assert_int_equal(mibs.known, 1u << MIB_ACTIVE_OPENS | 1u << MIB_PASSIVE_OPENS |
			 1u << MIB_TW | 1u << MIB_TW_KILLED);
	assert_int_equal(mibs.values[MIB_ACTIVE_OPENS], 17);
	assert_int_equal(mibs.values[MIB_PASSIVE_OPENS], 4);
	assert_int_equal(mibs.values[MIB_TW], 5);
	assert_int_equal(mibs.values[MIB_TW_KILLED], 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_at_all_agrees, begin),
		cmocka_unit_test_setup(only_what_came_during_the_run_counts, begin),
		cmocka_unit_test_setup(a_missed_event_is_a_positive_residual, begin),
		cmocka_unit_test_setup(an_event_too_many_is_a_negative_residual, begin),
		cmocka_unit_test_setup(what_moved_at_an_edge_is_allowed_for, begin),
		cmocka_unit_test_setup(a_counter_that_wraps_still_counts, begin),
		cmocka_unit_test_setup(a_connect_without_a_port_is_no_open, begin),
		cmocka_unit_test_setup(a_subtrahend_that_is_late_is_allowed_for, begin),
		cmocka_unit_test_setup(embryonic_resets_are_failed_attempts, begin),
		cmocka_unit_test_setup(embryonic_resets_may_be_overflows_if_those_are_reset, begin),
		cmocka_unit_test_setup(a_reset_in_syn_recv_may_count_twice, begin),
		cmocka_unit_test_setup(retransmits_that_did_not_go_out_count_too, begin),
		cmocka_unit_test_setup(time_wait_is_three_counters_and_four_events, begin),
		cmocka_unit_test_setup(sockets_are_conserved, begin),
		cmocka_unit_test_setup(a_state_may_lose_sockets, begin),
		cmocka_unit_test_setup(self_transitions_move_nobody, begin),
		cmocka_unit_test_setup(a_census_under_way_sees_those_who_pass_or_not, begin),
		cmocka_unit_test_setup(a_namespace_that_was_not_there_all_the_time_is_not_held,
				       begin),
		cmocka_unit_test_setup(a_counter_that_is_not_known_at_some_reading_is_not_held,
				       begin),
		cmocka_unit_test_setup(identities_that_older_kernels_do_not_keep_are_not_held,
				       begin),
		cmocka_unit_test_setup(sockets_that_were_not_counted_are_not_held, begin),
		cmocka_unit_test_setup(the_kernels_text_is_read_by_name, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
