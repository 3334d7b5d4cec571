// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "metrics.h"
#include "sample_events.h"

static struct report life(const struct conn *c, enum outcome_word outcome, enum close_word close,
			  enum side_word closed_by)
{
	return (struct report){
		.kind = REPORT_CONNECTION, .conn = c,
		.connection = {
			.verdict = { .outcome = outcome, .close = close, .closed_by = closed_by },
			.complete = !(c->flags & (CONN_GAP | CONN_EXISTING)),
			.duration_ns = UNKNOWN_NS, .handshake_ns = UNKNOWN_NS,
			.teardown_ns = UNKNOWN_NS,
		},
	};
}

static struct report step(const struct conn *c, enum tcp_state old, enum tcp_state new)
{
	return (struct report){
		.kind = REPORT_STATE, .conn = c, .id = 7, .at_ns = 5, .clock_ns = 100,
		.state = { .old = old, .new = new, .in_old_ns = UNKNOWN_NS },
	};
}

/* ---- lives ---- */

static void an_understood_life_is_counted_by_how_it_ended(void **state)
{
	struct conn c = { .role = ROLE_ACTIVE };
	struct report r = life(&c, OUTCOME_ESTABLISHED, CLOSE_FIN, SIDE_LOCAL);
	struct metrics m = {};

	r.connection.duration_ns = 3 * SEC;
	r.connection.teardown_ns = 2 * MSEC;
	metrics_report(&m, &r);
	assert_int_equal(m.closes[CLOSE_FIN][SIDE_LOCAL], 1);
	assert_int_equal(m.duration[ROLE_ACTIVE].count, 1);
	assert_int_equal(m.duration[ROLE_ACTIVE].sum_ns, 3 * SEC);
	assert_int_equal(m.teardown[SIDE_LOCAL].sum_ns, 2 * MSEC);
	assert_int_equal(m.reports, 1);
}

static void an_end_that_nobody_began_has_no_side(void **state)
{
	struct conn c = { .role = ROLE_PASSIVE };
	struct report r = life(&c, OUTCOME_ESTABLISHED, CLOSE_TIMEOUT, SIDE_NONE);
	struct metrics m = {};

	metrics_report(&m, &r);
	assert_int_equal(m.closes[CLOSE_TIMEOUT][SIDE_NONE], 1);
	assert_int_equal(m.duration[ROLE_PASSIVE].count, 0);
}

static void a_failed_handshake_is_no_closed_connection(void **state)
{
	struct conn c = { .role = ROLE_ACTIVE };
	struct report r = life(&c, OUTCOME_REFUSED, CLOSE_RESET_RECEIVED, SIDE_REMOTE);
	struct metrics m = {};

	r.connection.duration_ns = 1;
	metrics_report(&m, &r);
	assert_int_equal(m.failures[ROLE_ACTIVE][OUTCOME_REFUSED], 1);
	assert_int_equal(m.closes[CLOSE_RESET_RECEIVED][SIDE_REMOTE], 0);
	assert_int_equal(m.duration[ROLE_ACTIVE].count, 0);
}

static void a_life_that_was_not_understood_is_only_counted_as_such(void **state)
{
	struct conn gap = { .role = ROLE_ACTIVE, .flags = CONN_GAP };
	struct conn old = { .flags = CONN_EXISTING };
	struct report holed = life(&gap, OUTCOME_ESTABLISHED, CLOSE_FIN, SIDE_LOCAL);
	struct report missed = life(&gap, OUTCOME_ESTABLISHED, CLOSE_NONE, SIDE_NONE);
	struct report existing = life(&old, OUTCOME_ESTABLISHED, CLOSE_FIN, SIDE_LOCAL);
	struct metrics m = {};

	metrics_report(&m, &holed);
	metrics_report(&m, &missed);
	metrics_report(&m, &existing);
	assert_int_equal(m.incomplete[INCOMPLETE_EVENT_LOST], 1);
	assert_int_equal(m.incomplete[INCOMPLETE_EXPIRED], 1);
	assert_int_equal(m.incomplete[INCOMPLETE_STARTED_BEFORE_ATTACH], 1);
	assert_int_equal(m.closes[CLOSE_FIN][SIDE_LOCAL], 0);
}

static void what_is_still_open_at_the_end_has_not_ended(void **state)
{
	struct conn c = { .role = ROLE_ACTIVE };
	struct report r = life(&c, OUTCOME_ESTABLISHED, CLOSE_STILL_OPEN, SIDE_NONE);
	struct metrics m = {};

	metrics_report(&m, &r);
	assert_int_equal(m.closes[CLOSE_STILL_OPEN][SIDE_NONE], 0);
	assert_int_equal(m.duration[ROLE_ACTIVE].count, 0);
}

static void a_handshake_is_observed_when_it_is_over(void **state)
{
	struct conn c = { .role = ROLE_ACTIVE, .flags = CONN_HANDSHAKE, .handshake_ns = 2 * SEC };
	struct report r = step(&c, TS_SYN_SENT, TS_ESTABLISHED);
	struct report later = step(&c, TS_ESTABLISHED, TS_FIN_WAIT1);
	struct metrics m = {};

	metrics_report(&m, &r);
	metrics_report(&m, &later);
	assert_int_equal(m.handshake[ROLE_ACTIVE].count, 1);
	assert_int_equal(m.handshake[ROLE_ACTIVE].buckets[13], 1);	/* le 2 s */
	assert_int_equal(m.exemplars[ROLE_ACTIVE][13].id, 7);
	assert_int_equal(m.exemplars[ROLE_ACTIVE][13].value_ns, 2 * SEC);
	assert_int_equal(m.exemplars[ROLE_ACTIVE][13].at_ns, 105);
}

static void a_handshake_with_a_hole_or_of_unknown_length_is_not(void **state)
{
	struct conn gap = { .role = ROLE_ACTIVE, .flags = CONN_HANDSHAKE | CONN_GAP };
	struct conn unknown = { .role = ROLE_PASSIVE };
	struct conn failed = { .role = ROLE_ACTIVE, .flags = CONN_HANDSHAKE };
	struct report reports[] = {
		step(&gap, TS_SYN_SENT, TS_ESTABLISHED),
		step(&unknown, TS_SYN_RECV, TS_ESTABLISHED),
		step(&failed, TS_SYN_SENT, TS_CLOSE),
		step(&failed, TS_SYN_SENT, TS_SYN_RECV),
		step(NULL, TS_SYN_SENT, TS_ESTABLISHED),
	};
	struct metrics m = {};

	for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++)
		metrics_report(&m, &reports[i]);
	assert_int_equal(m.handshake[ROLE_ACTIVE].count, 0);
	assert_int_equal(m.handshake[ROLE_PASSIVE].count, 0);
}

static void connections_that_the_table_forgot_are_incomplete(void **state)
{
	struct report r = { .kind = REPORT_LOST, .lost = { LOST_TABLE, 3 } };
	struct metrics m = {};

	metrics_report(&m, &r);
	assert_int_equal(m.lost[LOST_TABLE], 3);
	assert_int_equal(m.incomplete[INCOMPLETE_TABLE_FULL], 3);
}

/* ---- the kernel's counters ---- */

static void a_mini_socket_is_counted_where_it_went(void **state)
{
	struct wire_counters k = { .parked = 10, .unparked = 2 };
	struct conn mini = { .stage = STAGE_PARKED };
	struct report into_tw = step(&mini, TS_FIN_WAIT2, TS_TIME_WAIT);
	struct report reset = step(&mini, TS_FIN_WAIT2, TS_CLOSE);
	struct metrics m = {};

	k.transitions[TS_FIN_WAIT2][TS_CLOSE] = 13;	/* ten of them parked, two of these not */
	k.transitions[TS_FIN_WAIT2][TS_TIME_WAIT] = 4;
	metrics_kernel(&m, &k);
	assert_int_equal(m.transitions[TS_FIN_WAIT2][TS_CLOSE], 5);
	metrics_report(&m, &into_tw);
	metrics_report(&m, &into_tw);
	metrics_report(&m, &reset);
	metrics_kernel(&m, &k);
	assert_int_equal(m.transitions[TS_FIN_WAIT2][TS_TIME_WAIT], 6);
	assert_int_equal(m.transitions[TS_FIN_WAIT2][TS_CLOSE], 6);
}

static void no_counter_goes_back(void **state)
{
	struct wire_counters k = {};
	struct metrics m = {};

	k.transitions[TS_CLOSE][TS_SYN_SENT] = 5;
	k.transitions[TS_FIN_WAIT2][TS_CLOSE] = 3;
	k.resets_received[TS_FIN_WAIT1] = 4;
	metrics_kernel(&m, &k);
	k.no_port = 1;
	k.parked = 1;
	k.data_after_close[TS_FIN_WAIT1] = 1;
	metrics_kernel(&m, &k);
	assert_int_equal(m.handshakes[ROLE_ACTIVE], 5);
	assert_int_equal(m.transitions[TS_FIN_WAIT2][TS_CLOSE], 3);
	assert_int_equal(m.resets_received[TS_FIN_WAIT1], 4);
}

static void a_connect_without_a_port_began_no_handshake(void **state)
{
	struct wire_counters k = { .no_port = 2 };
	struct metrics m = {};

	k.transitions[TS_CLOSE][TS_SYN_SENT] = 5;
	k.transitions[TS_LISTEN][TS_SYN_RECV] = 4;
	metrics_kernel(&m, &k);
	assert_int_equal(m.handshakes[ROLE_ACTIVE], 3);
	assert_int_equal(m.handshakes[ROLE_PASSIVE], 4);
}

static void a_state_that_stays_is_no_transition(void **state)
{
	struct wire_counters k = {};
	struct metrics m = {};

	k.transitions[TS_ESTABLISHED][TS_ESTABLISHED] = 9;
	metrics_kernel(&m, &k);
	assert_int_equal(m.transitions[TS_ESTABLISHED][TS_ESTABLISHED], 0);
}

static void births_without_a_record_are_unseen(void **state)
{
	struct engine e = { .births = 90, .adopted = 4 };
	struct metrics m = {};

	metrics_settle_births(&m, 100, &e);
	assert_int_equal(m.unseen, 6);
	metrics_settle_births(&m, 80, &e);
	assert_int_equal(m.unseen, 6);
}

/* ---- sockets ---- */

static void sockets_are_those_counted_off_and_what_the_kernel_counted_since(void **state)
{
	struct wire_state died = state_of(T0, 9, TS_ESTABLISHED, TS_FIN_WAIT1);
	union event ev = { .state = died };
	struct wire_counters k = {};
	struct metrics m = {};
	struct conntab t;
	struct conn *c;
	uint64_t off;

	/* Before the count one left ESTABLISHED, which the kernel has counted, too. */
	metrics_event(&m, &ev);
	k.transitions[TS_ESTABLISHED][TS_FIN_WAIT1] = 1;
	assert_int_equal(conntab_init(&t, 10), 0);
	for (uint64_t key = 1; key <= 3; key++) {
		c = conntab_add(&t, key);
		c->stage = key == 3 ? STAGE_PARKED : STAGE_OPEN;
		c->state = key == 2 ? TS_FIN_WAIT1 : TS_ESTABLISHED;
	}
	assert_true(metrics_count_off(&m, &k, &t, &off));
	assert_int_equal(off, 0);
	conntab_deinit(&t);
	metrics_kernel(&m, &k);
	assert_int_equal(metrics_sockets(&m, TS_ESTABLISHED), 1);
	assert_int_equal(metrics_sockets(&m, TS_FIN_WAIT1), 1);

	k.transitions[TS_SYN_SENT][TS_ESTABLISHED] = 5;
	k.transitions[TS_ESTABLISHED][TS_CLOSE] = 2;
	metrics_kernel(&m, &k);
	assert_int_equal(metrics_sockets(&m, TS_ESTABLISHED), 4);
	assert_int_equal(metrics_sockets(&m, TS_SYN_SENT), 0);	/* rather than -5 */
}

static void a_listener_stays_one_when_a_child_is_born(void **state)
{
	union event ev = { .state = state_of(T0, 9, TS_LISTEN, TS_SYN_RECV) };
	struct wire_counters k = {};
	struct metrics m = {};
	struct conntab t;
	struct conn *c;
	uint64_t off;

	assert_int_equal(conntab_init(&t, 10), 0);
	metrics_event(&m, &ev);
	k.transitions[TS_LISTEN][TS_SYN_RECV] = 7;
	c = conntab_add(&t, 1);
	c->stage = STAGE_LISTENER;
	c->state = TS_LISTEN;
	assert_true(metrics_count_off(&m, &k, &t, &off));
	conntab_deinit(&t);
	metrics_kernel(&m, &k);
	assert_int_equal(metrics_sockets(&m, TS_LISTEN), 1);
}

/* One that the kernel counted, and of which a record tells. */
static void pass(struct metrics *m, struct wire_counters *k, enum tcp_state from,
		 enum tcp_state to)
{
	union event ev = { .state = state_of(T0, 9, from, to) };

	k->transitions[from][to]++;
	metrics_event(m, &ev);
}

static struct conn *add_open(struct conntab *t, uint64_t key, enum tcp_state state)
{
	struct conn *c = conntab_add(t, key);

	assert_non_null(c);
	c->stage = STAGE_OPEN;
	c->state = state;
	return c;
}

/* It keeps a transition back: nobody counted it, and no record tells. */
static void what_the_kernel_kept_back_a_later_count_puts_right(void **state)
{
	struct wire_counters k = {};
	struct metrics m = {};
	struct conntab t;
	uint64_t off = 9;
	struct conn *c;

	assert_int_equal(conntab_init(&t, 10), 0);
	c = add_open(&t, 1, TS_ESTABLISHED);
	add_open(&t, 2, TS_ESTABLISHED);
	assert_true(metrics_count_off(&m, &k, &t, &off));
	pass(&m, &k, TS_ESTABLISHED, TS_FIN_WAIT1);
	pass(&m, &k, TS_FIN_WAIT2, TS_CLOSE);
	metrics_kernel(&m, &k);
	assert_int_equal(metrics_sockets(&m, TS_FIN_WAIT1), 1);

	conntab_remove(&t, c);	/* as the census showed */
	assert_true(metrics_count_off(&m, &k, &t, &off));
	assert_int_equal(off, 1);
	assert_int_equal(m.corrections, 1);
	assert_int_equal(metrics_sockets(&m, TS_ESTABLISHED), 1);
	assert_int_equal(metrics_sockets(&m, TS_FIN_WAIT1), 0);
	assert_int_equal(metrics_sockets(&m, TS_FIN_WAIT2), 0);

	pass(&m, &k, TS_CLOSE, TS_SYN_SENT);
	metrics_kernel(&m, &k);
	assert_int_equal(metrics_sockets(&m, TS_SYN_SENT), 1);
	c = add_open(&t, 3, TS_SYN_SENT);
	assert_true(metrics_count_off(&m, &k, &t, &off));	/* all is well */
	assert_int_equal(off, 0);
	assert_int_equal(m.corrections, 1);
	conntab_deinit(&t);
}

/* A transition that is counted while its record waits in the ring is not one too few. */
static void a_count_does_not_take_what_is_under_way_for_an_error(void **state)
{
	struct wire_counters k = {};
	struct metrics m = {};
	struct conntab t;
	uint64_t off;

	assert_int_equal(conntab_init(&t, 10), 0);
	add_open(&t, 1, TS_ESTABLISHED);
	assert_true(metrics_count_off(&m, &k, &t, &off));
	k.transitions[TS_ESTABLISHED][TS_CLOSE_WAIT] = 1;
	assert_true(metrics_count_off(&m, &k, &t, &off));
	assert_int_equal(off, 0);
	metrics_kernel(&m, &k);
	assert_int_equal(metrics_sockets(&m, TS_ESTABLISHED), 0);
	assert_int_equal(metrics_sockets(&m, TS_CLOSE_WAIT), 1);
	conntab_deinit(&t);
}

/* Those that had no room the kernel counted: only in a quiet moment it shows which they were. */
static void after_losses_in_the_ring_a_quiet_moment_is_needed(void **state)
{
	struct wire_counters k = {};
	struct metrics m = {};
	struct conntab t;
	uint64_t off;

	assert_int_equal(conntab_init(&t, 10), 0);
	add_open(&t, 1, TS_CLOSE_WAIT);
	k.transitions[TS_ESTABLISHED][TS_CLOSE_WAIT] = 1;
	k.lost_ring = 1;
	assert_false(metrics_count_off(&m, &k, &t, &off));
	assert_false(m.has_sockets);
	metrics_quiet(&m, &k);
	assert_false(metrics_count_off(&m, &k, &t, &off));	/* it may be under way */
	metrics_quiet(&m, &k);
	assert_true(metrics_count_off(&m, &k, &t, &off));
	assert_int_equal(off, 0);
	metrics_kernel(&m, &k);
	assert_int_equal(metrics_sockets(&m, TS_CLOSE_WAIT), 1);
	assert_int_equal(metrics_sockets(&m, TS_ESTABLISHED), 0);

	k.lost_ring = 2;
	assert_false(metrics_count_off(&m, &k, &t, &off));
	metrics_quiet(&m, &k);
	pass(&m, &k, TS_CLOSE_WAIT, TS_LAST_ACK);
	k.transitions[TS_LAST_ACK][TS_CLOSE] = 1;	/* its record is on the way */
	metrics_quiet(&m, &k);
	assert_false(metrics_count_off(&m, &k, &t, &off));
	metrics_quiet(&m, &k);
	assert_true(metrics_count_off(&m, &k, &t, &off));
	conntab_deinit(&t);
}

static void what_has_room_in_the_ring_again_is_known_at_once(void **state)
{
	struct wire_counters k = { .lost_ring = 5 };
	struct metrics m = {};
	struct conntab t;
	struct conn *c;
	uint64_t off;

	assert_int_equal(conntab_init(&t, 10), 0);
	k.transitions[TS_CLOSE][TS_SYN_SENT] = 5;
	metrics_quiet(&m, &k);
	metrics_quiet(&m, &k);
	c = add_open(&t, 1, TS_SYN_SENT);
	pass(&m, &k, TS_CLOSE, TS_SYN_SENT);
	assert_true(metrics_count_off(&m, &k, &t, &off));
	metrics_kernel(&m, &k);
	assert_int_equal(metrics_sockets(&m, TS_SYN_SENT), 1);
	pass(&m, &k, TS_SYN_SENT, TS_ESTABLISHED);
	c->state = TS_ESTABLISHED;
	assert_true(metrics_count_off(&m, &k, &t, &off));
	assert_int_equal(off, 0);
	conntab_deinit(&t);
}

static void records_are_counted_by_kind(void **state)
{
	union event ev = { .state = state_of(T0, 9, TS_CLOSE, TS_SYN_SENT) };
	struct metrics m = {};

	metrics_event(&m, &ev);
	metrics_event(&m, &ev);
	assert_int_equal(m.events[WIRE_STATE], 2);
	assert_int_equal(m.events[WIRE_RESET], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_understood_life_is_counted_by_how_it_ended),
		cmocka_unit_test(an_end_that_nobody_began_has_no_side),
		cmocka_unit_test(a_failed_handshake_is_no_closed_connection),
		cmocka_unit_test(a_life_that_was_not_understood_is_only_counted_as_such),
		cmocka_unit_test(what_is_still_open_at_the_end_has_not_ended),
		cmocka_unit_test(a_handshake_is_observed_when_it_is_over),
		cmocka_unit_test(a_handshake_with_a_hole_or_of_unknown_length_is_not),
		cmocka_unit_test(connections_that_the_table_forgot_are_incomplete),
		cmocka_unit_test(a_mini_socket_is_counted_where_it_went),
		cmocka_unit_test(no_counter_goes_back),
		cmocka_unit_test(a_connect_without_a_port_began_no_handshake),
		cmocka_unit_test(a_state_that_stays_is_no_transition),
		cmocka_unit_test(births_without_a_record_are_unseen),
		cmocka_unit_test(sockets_are_those_counted_off_and_what_the_kernel_counted_since),
		cmocka_unit_test(a_listener_stays_one_when_a_child_is_born),
		cmocka_unit_test(what_the_kernel_kept_back_a_later_count_puts_right),
		cmocka_unit_test(a_count_does_not_take_what_is_under_way_for_an_error),
		cmocka_unit_test(after_losses_in_the_ring_a_quiet_moment_is_needed),
		cmocka_unit_test(what_has_room_in_the_ring_again_is_known_at_once),
		cmocka_unit_test(records_are_counted_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
