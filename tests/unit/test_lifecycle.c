// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lifecycle.h"
#include "sample_events.h"

/* ---- a life, step by step ---- */

static uint64_t step(struct conn *c, uint64_t ts_ns, enum tcp_state from, enum tcp_state to)
{
	struct wire_state ev = state_of(ts_ns, 1, from, to);

	if (life_is_birth(from, to)) {
		life_begin(c, &ev);
		return UNKNOWN_NS;
	}
	return to == TS_CLOSE ? life_close(c, &ev, HZ) : life_advance(c, &ev);
}

/* An active life that has been established for 9 ms. */
static struct conn established(void)
{
	struct conn c = {};

	step(&c, T0, TS_CLOSE, TS_SYN_SENT);
	step(&c, T0 + MSEC, TS_SYN_SENT, TS_ESTABLISHED);
	return c;
}

static void assert_path(const struct conn *c, const enum tcp_state *states, unsigned int len)
{
	assert_int_equal(c->path_len, len);
	for (unsigned int i = 0; i < len; i++)
		assert_int_equal(c->path[i], states[i]);
}

#define ASSERT_PATH(c, ...)	do {						\
	static const enum tcp_state states_[] = { __VA_ARGS__ };		\
	assert_path(c, states_, sizeof(states_) / sizeof(*states_));		\
} while (0)

static void births_are_connects_and_children_and_nothing_else(void **state)
{
	for (unsigned int from = 0; from < 256; from++) {
		for (unsigned int to = 0; to < 256; to++)
			assert_int_equal(life_is_birth(from, to),
					 (from == TS_CLOSE && to == TS_SYN_SENT) ||
					 (from == TS_LISTEN && to == TS_SYN_RECV));
	}
}

static void a_life_remembers_where_it_was_and_how_long(void **state)
{
	struct conn c = established();

	assert_int_equal(c.handshake_ns, MSEC);
	assert_int_equal(step(&c, T0 + 5 * MSEC, TS_ESTABLISHED, TS_FIN_WAIT1), 4 * MSEC);
	assert_int_equal(step(&c, T0 + 6 * MSEC, TS_FIN_WAIT1, TS_FIN_WAIT2), MSEC);
	assert_int_equal(step(&c, T0 + 9 * MSEC, TS_FIN_WAIT2, TS_CLOSE), 3 * MSEC);
	life_close_into_time_wait(&c);
	ASSERT_PATH(&c, TS_SYN_SENT, TS_ESTABLISHED, TS_FIN_WAIT1, TS_FIN_WAIT2, TS_TIME_WAIT);
	assert_int_equal(c.path_ns[0], MSEC);
	assert_int_equal(c.path_ns[3], 3 * MSEC);
	assert_int_equal(c.path_ns[4], UNKNOWN_NS);
	assert_int_equal(c.fin_ns, T0 + 5 * MSEC);
	assert_int_equal(c.flags & CONN_GAP, 0);
}

static void closing_leaves_the_state_it_was_in(void **state)
{
	struct conn c = established();

	step(&c, T0 + 5 * MSEC, TS_ESTABLISHED, TS_CLOSE);
	assert_int_equal(c.state, TS_ESTABLISHED);
	assert_int_equal(c.stage, STAGE_VERDICT);
	ASSERT_PATH(&c, TS_SYN_SENT, TS_ESTABLISHED);
}

static void time_never_goes_back(void **state)
{
	struct conn c = established();

	assert_int_equal(step(&c, T0, TS_ESTABLISHED, TS_FIN_WAIT1), 0);
	assert_int_equal(c.last_ns, T0 + MSEC);
	assert_int_equal(step(&c, 0, TS_FIN_WAIT1, TS_FIN_WAIT2), 0);
	assert_int_equal(step(&c, 1, TS_FIN_WAIT2, TS_CLOSE), 0);
	assert_int_equal(life_enter_time_wait(&c, 2), 0);
	assert_int_equal(c.last_ns, T0 + MSEC);
}

static void the_tuple_is_taken_until_it_is_whole(void **state)
{
	struct wire_state ev = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);
	struct conn c = {};

	ev.tuple.lport = 0;
	life_begin(&c, &ev);
	assert_int_equal(c.tuple.lport, 0);
	step(&c, T0 + 1, TS_SYN_SENT, TS_ESTABLISHED);
	assert_int_equal(c.tuple.lport, 40001);
	ev = state_of(T0 + 2, 1, TS_ESTABLISHED, TS_CLOSE);
	ev.tuple = (struct wire_tuple){ .family = 4 };	/* wiped */
	life_close(&c, &ev, HZ);
	assert_int_equal(c.tuple.lport, 40001);
	assert_int_equal(c.tuple.rport, 443);
}

/* ---- who closed first ---- */

static void the_first_fin_is_remembered(void **state)
{
	struct conn c = established();

	step(&c, T0 + 2 * MSEC, TS_ESTABLISHED, TS_CLOSE_WAIT);
	assert_int_equal(c.closed_by, SIDE_REMOTE);
	step(&c, T0 + 3 * MSEC, TS_CLOSE_WAIT, TS_LAST_ACK);
	assert_int_equal(c.closed_by, SIDE_REMOTE);
	assert_int_equal(c.fin_ns, T0 + 2 * MSEC);
}

static void fins_that_cross_are_both(void **state)
{
	struct conn c = established();

	step(&c, T0 + 2 * MSEC, TS_ESTABLISHED, TS_FIN_WAIT1);
	assert_int_equal(c.closed_by, SIDE_LOCAL);
	step(&c, T0 + 3 * MSEC, TS_FIN_WAIT1, TS_CLOSING);
	assert_int_equal(c.closed_by, SIDE_BOTH);
}

/* ---- holes ---- */

static void a_missed_transition_is_a_gap_not_a_lie(void **state)
{
	struct conn c = {};

	step(&c, T0, TS_CLOSE, TS_SYN_SENT);
	assert_int_equal(step(&c, T0 + 9 * MSEC, TS_ESTABLISHED, TS_CLOSE_WAIT), UNKNOWN_NS);
	assert_true(c.flags & CONN_GAP);
	assert_int_equal(c.missed, 1);
	assert_int_equal(c.path_ns[0], UNKNOWN_NS);
	assert_int_equal(c.path_ns[1], UNKNOWN_NS);
	ASSERT_PATH(&c, TS_SYN_SENT, TS_ESTABLISHED, TS_CLOSE_WAIT);
	assert_int_equal(step(&c, T0 + 10 * MSEC, TS_CLOSE_WAIT, TS_LAST_ACK), MSEC);
}

static void an_end_across_a_hole_is_a_gap_too(void **state)
{
	struct conn c = {};

	step(&c, T0, TS_CLOSE, TS_SYN_SENT);
	assert_int_equal(step(&c, T0 + 9 * MSEC, TS_LAST_ACK, TS_CLOSE), UNKNOWN_NS);
	assert_int_equal(c.missed, 3);
	assert_int_equal(c.closed_by, SIDE_REMOTE);
}

static void a_way_that_does_not_exist_misses_one(void **state)
{
	struct conn c = established();

	step(&c, T0 + 2 * MSEC, TS_NEW_SYN_RECV, TS_CLOSE_WAIT);
	assert_int_equal(c.missed, 1);
	assert_true(c.flags & CONN_GAP);
}

static void more_states_than_there_are_is_a_gap(void **state)
{
	struct conn c = established();

	for (unsigned int i = 0; i < 1000; i++) {
		step(&c, T0 + 2 * MSEC, TS_ESTABLISHED, TS_FIN_WAIT1);
		step(&c, T0 + 3 * MSEC, TS_FIN_WAIT1, TS_ESTABLISHED);
	}
	assert_int_equal(c.path_len, CONN_PATH_MAX);
	assert_true(c.flags & CONN_GAP);
}

static void a_hole_makes_a_report_incomplete_and_takes_its_durations(void **state)
{
	struct verdict v = { .close = CLOSE_FIN };
	struct report_connection r;
	struct conn c = {};

	step(&c, T0, TS_CLOSE, TS_SYN_SENT);
	step(&c, T0 + 3 * MSEC, TS_ESTABLISHED, TS_CLOSE_WAIT);
	step(&c, T0 + 4 * MSEC, TS_CLOSE_WAIT, TS_LAST_ACK);
	step(&c, T0 + 5 * MSEC, TS_LAST_ACK, TS_CLOSE);
	r = life_report(&c, v, c.last_ns);
	assert_false(r.complete);
	assert_false(r.has_path_ns);
	assert_int_equal(r.duration_ns, UNKNOWN_NS);
	assert_int_equal(r.teardown_ns, UNKNOWN_NS);
	assert_int_equal(r.handshake_ns, UNKNOWN_NS);
}

/* ---- births that were not seen ---- */

static void a_socket_older_than_the_trace_has_missed_nothing(void **state)
{
	struct conn c = {};

	life_adopt(&c, TS_CLOSE_WAIT, true);
	assert_true(c.flags & CONN_EXISTING);
	assert_false(c.flags & CONN_GAP);
	assert_int_equal(c.missed, 0);
	assert_int_equal(c.role, ROLE_NONE);
	assert_int_equal(c.closed_by, SIDE_REMOTE);
	assert_int_equal(c.stage, STAGE_OPEN);
	ASSERT_PATH(&c, TS_CLOSE_WAIT);
}

static void a_birth_that_was_lost_missed_the_shorter_way(void **state)
{
	static const struct { enum tcp_state state; unsigned int missed; } ways[] = {
		{ TS_SYN_SENT, 1 }, { TS_SYN_RECV, 1 }, { TS_ESTABLISHED, 2 },
		{ TS_FIN_WAIT1, 2 }, { TS_CLOSE_WAIT, 2 }, { TS_FIN_WAIT2, 3 },
		{ TS_LAST_ACK, 3 }, { TS_CLOSING, 3 },
	};

	for (unsigned int i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct conn c = {};

		life_adopt(&c, ways[i].state, false);
		assert_int_equal(c.missed, ways[i].missed);
		assert_true(c.flags & CONN_GAP);
		assert_false(c.flags & CONN_EXISTING);
	}
}

static void a_socket_older_than_the_trace_has_no_durations(void **state)
{
	struct verdict v = { .close = CLOSE_FIN };
	struct report_connection r;
	struct conn c = {};

	life_adopt(&c, TS_CLOSE_WAIT, true);
	step(&c, T0, TS_CLOSE_WAIT, TS_LAST_ACK);
	step(&c, T0 + MSEC, TS_LAST_ACK, TS_CLOSE);
	r = life_report(&c, v, c.last_ns);
	assert_false(r.complete);
	assert_false(r.has_path_ns);
	assert_int_equal(r.duration_ns, UNKNOWN_NS);
	assert_int_equal(r.teardown_ns, UNKNOWN_NS);
}

/* ---- handshakes ---- */

static uint64_t child_handshake(struct wire_state *ev, uint64_t synack_ns)
{
	struct conn c = { .synack_ns = synack_ns };

	if (synack_ns)
		c.stage = STAGE_REQUEST;
	step(&c, T0, TS_LISTEN, TS_SYN_RECV);
	life_advance(&c, ev);
	return c.flags & CONN_HANDSHAKE ? c.handshake_ns : UNKNOWN_NS;
}

static void a_childs_handshake_is_its_first_sample(void **state)
{
	struct wire_state ev = state_of(T0 + 10000, 1, TS_SYN_RECV, TS_ESTABLISHED);

	ev.sample.srtt_us8 = 176 << 3;
	assert_int_equal(child_handshake(&ev, 0), 176000);
	ev.sample.srtt_us8 = 7;
	assert_int_equal(child_handshake(&ev, 0), 0);
	ev.sample.srtt_us8 = 0;
	assert_int_equal(child_handshake(&ev, 0), UNKNOWN_NS);
	ev.sample.srtt_us8 = 176 << 3;
	ev.sample.total_retrans = 1;
	assert_int_equal(child_handshake(&ev, 0), UNKNOWN_NS);
}

static void a_synack_that_was_sent_again_is_better_than_a_sample(void **state)
{
	struct wire_state ev = state_of(T0 + 10000, 1, TS_SYN_RECV, TS_ESTABLISHED);

	ev.sample.srtt_us8 = 176 << 3;
	assert_int_equal(child_handshake(&ev, T0 - SEC), SEC + 10000);
}

static void a_synack_in_the_future_is_not_believed(void **state)
{
	struct wire_state ev = state_of(T0 + 10000, 1, TS_SYN_RECV, TS_ESTABLISHED);

	assert_int_equal(child_handshake(&ev, T0 + SEC), UNKNOWN_NS);
}

static void a_sample_longer_than_the_clock_has_run_is_not_believed(void **state)
{
	struct wire_state birth = state_of(1000, 1, TS_LISTEN, TS_SYN_RECV);
	struct wire_state ev = state_of(2000, 1, TS_SYN_RECV, TS_ESTABLISHED);
	struct conn c = {};

	ev.sample.srtt_us8 = UINT32_MAX;
	life_begin(&c, &birth);
	life_advance(&c, &ev);
	assert_false(c.flags & CONN_HANDSHAKE);
	assert_int_equal(c.start_ns, 1000);
}

static void over_a_millisecond_in_syn_recv_is_fast_open(void **state)
{
	struct wire_state ev = state_of(T0 + MSEC, 1, TS_SYN_RECV, TS_ESTABLISHED);

	ev.sample.srtt_us8 = 50 << 3;
	assert_int_equal(child_handshake(&ev, 0), 50000);
	ev.hdr.ts_ns = T0 + MSEC + 1;
	assert_int_equal(child_handshake(&ev, 0), MSEC + 1);
}

static void the_start_of_a_child_is_its_synack_if_that_is_known(void **state)
{
	struct wire_state ev = state_of(T0 + 10000, 1, TS_SYN_RECV, TS_ESTABLISHED);
	struct conn c = {};

	ev.sample.srtt_us8 = 176 << 3;
	step(&c, T0, TS_LISTEN, TS_SYN_RECV);
	life_advance(&c, &ev);
	assert_int_equal(c.start_ns, T0 + 10000 - 176000);
	assert_int_equal(c.path_ns[0], 176000);
}

static void the_first_sequence_number_is_before_the_first_byte(void **state)
{
	struct wire_state ev = state_of(T0 + 1, 1, TS_SYN_SENT, TS_ESTABLISHED);
	struct conn c = {};

	step(&c, T0, TS_CLOSE, TS_SYN_SENT);
	ev.sample.snd_una = 5;
	ev.sample.bytes_acked = 6;	/* the SYN and five bytes of TFO */
	life_advance(&c, &ev);
	assert_int_equal(c.isn, UINT32_MAX);
	c = (struct conn){};
	step(&c, T0, TS_LISTEN, TS_SYN_RECV);
	ev = state_of(T0 + 1, 1, TS_SYN_RECV, TS_ESTABLISHED);
	ev.sample.snd_una = 101;
	ev.sample.bytes_acked = 0;	/* a child's SYN is not counted */
	life_advance(&c, &ev);
	assert_int_equal(c.isn, 100);
	assert_true(c.flags & CONN_ISN);
}

static void without_a_sample_there_is_no_first_sequence_number(void **state)
{
	struct wire_state ev = state_of(T0 + 1, 1, TS_SYN_SENT, TS_ESTABLISHED);
	struct conn c = {};

	step(&c, T0, TS_CLOSE, TS_SYN_SENT);
	ev.sample.flags = 0;
	life_advance(&c, &ev);
	assert_false(c.flags & CONN_ISN);
}

/* ---- the end ---- */

static uint16_t flags_of(const struct wire_sample *sample)
{
	struct wire_state ev = state_of(T0 + 5 * MSEC, 1, TS_ESTABLISHED, TS_CLOSE);
	struct conn c = established();

	ev.sample = *sample;
	life_close(&c, &ev, HZ);
	assert_true(c.end.flags & ENDING_SAMPLED);
	return c.end.flags & ~ENDING_SAMPLED;
}

static void what_is_unread_is_more_than_the_peers_fin(void **state)
{
	struct wire_sample s = healthy_sample();

	assert_false(flags_of(&s) & ENDING_UNREAD);
	s.rcv_nxt = s.copied_seq + 1;
	assert_int_equal(flags_of(&s), ENDING_UNREAD | ENDING_SYNCED | ENDING_SENT);
	s.flags |= WIRE_S_DONE;
	assert_false(flags_of(&s) & ENDING_UNREAD);
	s.rcv_nxt = s.copied_seq + 2;
	assert_true(flags_of(&s) & ENDING_UNREAD);
}

static void sequence_numbers_wrap_around(void **state)
{
	struct wire_sample s = healthy_sample();

	s.copied_seq = UINT32_MAX - 1;
	s.rcv_nxt = 3;
	assert_true(flags_of(&s) & ENDING_UNREAD);
	s.copied_seq = 3;	/* urgent data, read ahead */
	s.rcv_nxt = UINT32_MAX - 1;
	assert_false(flags_of(&s) & ENDING_UNREAD);
}

static void linger_0_is_linger_without_time(void **state)
{
	struct wire_sample s = healthy_sample();

	assert_false(flags_of(&s) & ENDING_LINGER0);
	s.flags |= WIRE_S_LINGER;
	assert_true(flags_of(&s) & ENDING_LINGER0);
	s.lingertime = 1;
	assert_false(flags_of(&s) & ENDING_LINGER0);
}

static void a_socket_proves_what_its_sample_says(void **state)
{
	struct wire_sample s = healthy_sample();

	assert_int_equal(flags_of(&s), ENDING_SYNCED | ENDING_SENT);
	s.snd_una--;
	assert_int_equal(flags_of(&s), ENDING_SENT);
	s.segs_out = 0;
	assert_int_equal(flags_of(&s), 0);
	s.linger2 = -1;
	s.shutdown = 3;
	s.probes_out = 1;
	assert_int_equal(flags_of(&s), ENDING_LINGER2 | ENDING_SHUT | ENDING_PROBING);
	s.retransmits = 1;
	s.shutdown = 1;
	assert_int_equal(flags_of(&s), ENDING_LINGER2);
	s.linger2 = 1;
	s.flags |= WIRE_S_DEAD | WIRE_S_NO_SOCKET | WIRE_S_MPTCP;
	assert_int_equal(flags_of(&s), ENDING_DEAD | ENDING_NO_SOCKET | ENDING_MPTCP);
}

static void a_table_is_full_if_the_gauge_says_so(void **state)
{
	struct wire_sample s = healthy_sample();

	s.tw_limit = 3;
	s.tw_count = 2;
	assert_false(flags_of(&s) & ENDING_TW_FULL);
	s.tw_count = 3;
	assert_true(flags_of(&s) & ENDING_TW_FULL);
	s.tw_count = 4;
	assert_true(flags_of(&s) & ENDING_TW_FULL);
	s.flags &= ~WIRE_S_TW_GAUGE;
	assert_false(flags_of(&s) & ENDING_TW_FULL);
}

static uint64_t mini_ms(int32_t linger2, uint32_t fin_timeout, uint32_t rto, uint32_t hz)
{
	struct wire_state ev = state_of(T0 + 5 * MSEC, 1, TS_FIN_WAIT2, TS_CLOSE);
	struct conn c = established();

	ev.sample.linger2 = linger2;
	ev.sample.fin_timeout = fin_timeout;
	ev.sample.rto = rto;
	life_close(&c, &ev, hz);
	return c.end.mini_ns / MSEC;
}

static void a_mini_socket_lives_as_long_as_the_kernel_lets_it(void **state)
{
	assert_int_equal(mini_ms(0, 60000, 200, 1000), 60000);
	assert_int_equal(mini_ms(0, 15000, 62, 250), 60000);
	assert_int_equal(mini_ms(2000, 60000, 200, 1000), 2000);
	assert_int_equal(mini_ms(0, 1000, 200, 1000), 1000);
	assert_int_equal(mini_ms(0, 1000, 1000, 1000), 3500);	/* 3.5 RTO */
	/* the full socket had the first minute */
	assert_int_equal(mini_ms(0, 120000, 200, 1000), 60000);
	assert_int_equal(mini_ms(120000, 60000, 200, 1000), 60000);
	assert_int_equal(mini_ms(-1, 60000, 200, 1000), 60000);
}

static void numbers_from_hell_do_not_hurt(void **state)
{
	mini_ms(INT32_MAX, UINT32_MAX, UINT32_MAX, 1);
	mini_ms(INT32_MIN, UINT32_MAX, UINT32_MAX, 10000);
	mini_ms(0, UINT32_MAX, 0, 1);
}

/* ---- traffic ---- */

static uint64_t tx(const struct conn *c)
{
	uint64_t bytes = 4711;

	return life_tx_bytes(c, &bytes) ? bytes : UNKNOWN_NS;
}

static uint64_t rx(const struct conn *c)
{
	uint64_t bytes = 4711;

	return life_rx_bytes(c, &bytes) ? bytes : UNKNOWN_NS;
}

static void neither_syn_nor_fin_is_payload(void **state)
{
	struct conn c = { .role = ROLE_ACTIVE, .path = { TS_FIN_WAIT1 }, .path_len = 1 };

	c.end.bytes_acked = 7;
	assert_int_equal(tx(&c), 6);	/* its FIN was not acknowledged */
	c.end.flags = ENDING_SYNCED;
	assert_int_equal(tx(&c), 5);
	c.role = ROLE_PASSIVE;
	assert_int_equal(tx(&c), 6);
	c.path[0] = TS_CLOSE_WAIT;
	assert_int_equal(tx(&c), 7);
	c.end.bytes_received = 7;
	assert_int_equal(rx(&c), 7);
	c.end.flags |= ENDING_DONE;
	assert_int_equal(rx(&c), 6);
}

static void a_syn_that_nobody_acknowledged_is_not_in_the_count(void **state)
{
	struct conn c = { .role = ROLE_ACTIVE, .path = { TS_SYN_SENT }, .path_len = 1 };

	assert_int_equal(tx(&c), 0);
	assert_int_equal(rx(&c), 0);
}

static void numbers_that_cannot_be_are_not_known(void **state)
{
	struct conn c = { .role = ROLE_ACTIVE, .path = { TS_LAST_ACK }, .path_len = 1 };

	c.end.flags = ENDING_SYNCED | ENDING_DONE;
	c.end.bytes_acked = 1;
	assert_int_equal(tx(&c), UNKNOWN_NS);
	assert_int_equal(rx(&c), UNKNOWN_NS);
	c.role = ROLE_NONE;
	c.end.bytes_acked = 100;
	assert_int_equal(tx(&c), UNKNOWN_NS);
}

/* ---- requests and owners ---- */

static void a_request_is_known_by_its_synack(void **state)
{
	struct wire_synack ev = synack_of(T0 + SEC, 1);
	struct conn c = {};

	life_synack(&c, &ev);
	assert_int_equal(c.stage, STAGE_REQUEST);
	assert_int_equal(c.role, ROLE_PASSIVE);
	assert_int_equal(c.start_ns, T0);
	assert_int_equal(c.retransmits[PHASE_SYNACK], 1);
	assert_int_equal(c.isn, 100);
	assert_true(c.flags & CONN_ISN);
	assert_false(c.flags & CONN_ACKED);
	ev.flags |= WIRE_SA_ACKED;
	life_synack(&c, &ev);
	assert_int_equal(c.retransmits[PHASE_SYNACK], 2);
	assert_true(c.flags & CONN_ACKED);
}

static void a_child_inherits_from_its_request(void **state)
{
	struct wire_synack ev = synack_of(T0 + SEC, 1);
	struct conn c = {};

	life_synack(&c, &ev);
	step(&c, T0 + 2 * SEC, TS_LISTEN, TS_SYN_RECV);
	assert_int_equal(c.stage, STAGE_OPEN);
	assert_true(c.flags & CONN_ISN);
	step(&c, T0 + 2 * SEC, TS_SYN_RECV, TS_ESTABLISHED);
	assert_int_equal(c.handshake_ns, 2 * SEC);
	assert_int_equal(c.retransmits[PHASE_SYNACK], 1);
}

static enum owner_word owner_from(enum tcp_state from, enum tcp_state to)
{
	struct wire_state ev = state_of(T0, 1, from, to);
	struct conn c = {};

	ev.owner.pid = 7;
	life_own(&c, &ev);
	return c.owner.from;
}

static void the_transition_tells_what_the_owner_did(void **state)
{
	assert_int_equal(owner_from(TS_CLOSE, TS_SYN_SENT), OWNER_CONNECT);
	assert_int_equal(owner_from(TS_CLOSE, TS_LISTEN), OWNER_LISTEN);
	assert_int_equal(owner_from(TS_ESTABLISHED, TS_FIN_WAIT1), OWNER_CLOSE);
	assert_int_equal(owner_from(TS_CLOSE_WAIT, TS_LAST_ACK), OWNER_CLOSE);
	assert_int_equal(owner_from(TS_LISTEN, TS_CLOSE), OWNER_CLOSE);
}

static void a_later_closer_never_replaces_a_known_owner(void **state)
{
	struct wire_state ev = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);
	struct conn c = {};

	life_own(&c, &ev);	/* nobody */
	assert_int_equal(c.owner.from, OWNER_NONE);
	ev.owner = (struct wire_owner){ .pid = 7, .uid = 33, .comm = "curl" };
	life_own(&c, &ev);
	ev = state_of(T0, 1, TS_ESTABLISHED, TS_FIN_WAIT1);
	ev.owner = (struct wire_owner){ .pid = 8, .uid = 34, .comm = "other" };
	life_own(&c, &ev);
	assert_int_equal(c.owner.from, OWNER_CONNECT);
	assert_int_equal(c.owner.pid, 7);
	assert_int_equal(c.owner.uid, 33);
	assert_string_equal(c.owner.comm, "curl");
}

/* ---- the report ---- */

static struct report_connection report_of(struct conn *c, enum close_word how)
{
	struct verdict v = { .close = how };

	return life_report(c, v, c->last_ns);
}

static void a_report_has_the_lifes_durations(void **state)
{
	struct report_connection r;
	struct conn c = established();

	step(&c, T0 + 2 * MSEC, TS_ESTABLISHED, TS_CLOSE_WAIT);
	step(&c, T0 + 5 * MSEC, TS_CLOSE_WAIT, TS_LAST_ACK);
	step(&c, T0 + 9 * MSEC, TS_LAST_ACK, TS_CLOSE);
	r = report_of(&c, CLOSE_FIN);
	assert_true(r.complete);
	assert_true(r.has_path_ns);
	assert_int_equal(r.start_ns, T0);
	assert_int_equal(r.duration_ns, 9 * MSEC);
	assert_int_equal(r.handshake_ns, MSEC);
	assert_int_equal(r.teardown_ns, 7 * MSEC);
}

static void a_timeout_or_a_kill_tears_nothing_down(void **state)
{
	struct conn c = established();

	step(&c, T0 + 2 * MSEC, TS_ESTABLISHED, TS_FIN_WAIT1);
	step(&c, T0 + 9 * MSEC, TS_FIN_WAIT1, TS_CLOSE);
	assert_int_equal(report_of(&c, CLOSE_TIMEOUT).teardown_ns, UNKNOWN_NS);
	assert_int_equal(report_of(&c, CLOSE_KILLED).teardown_ns, UNKNOWN_NS);
	assert_int_equal(report_of(&c, CLOSE_STILL_OPEN).teardown_ns, UNKNOWN_NS);
	assert_int_equal(report_of(&c, CLOSE_TIMEOUT).duration_ns, 9 * MSEC);
}

static void a_reset_without_a_fin_tears_down_at_once(void **state)
{
	struct conn c = established();

	step(&c, T0 + 9 * MSEC, TS_ESTABLISHED, TS_CLOSE);
	assert_int_equal(report_of(&c, CLOSE_RESET_SENT).teardown_ns, 0);
	c.rst_in_ns = T0 + 8 * MSEC;
	assert_int_equal(report_of(&c, CLOSE_RESET_RECEIVED).teardown_ns, MSEC);
}

static void of_an_orphan_the_end_is_not_known(void **state)
{
	struct report_connection r;
	struct conn c = established();

	step(&c, T0 + 2 * MSEC, TS_ESTABLISHED, TS_FIN_WAIT1);
	step(&c, T0 + 3 * MSEC, TS_FIN_WAIT1, TS_FIN_WAIT2);
	step(&c, T0 + 3 * MSEC, TS_FIN_WAIT2, TS_CLOSE);
	r = report_of(&c, CLOSE_ORPHAN);
	assert_int_equal(r.duration_ns, UNKNOWN_NS);
	assert_int_equal(r.teardown_ns, UNKNOWN_NS);
	assert_false(r.has_path_ns);
	assert_true(r.complete);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(births_are_connects_and_children_and_nothing_else),
		cmocka_unit_test(a_life_remembers_where_it_was_and_how_long),
		cmocka_unit_test(closing_leaves_the_state_it_was_in),
		cmocka_unit_test(time_never_goes_back),
		cmocka_unit_test(the_tuple_is_taken_until_it_is_whole),
		cmocka_unit_test(the_first_fin_is_remembered),
		cmocka_unit_test(fins_that_cross_are_both),
		cmocka_unit_test(a_missed_transition_is_a_gap_not_a_lie),
		cmocka_unit_test(an_end_across_a_hole_is_a_gap_too),
		cmocka_unit_test(a_way_that_does_not_exist_misses_one),
		cmocka_unit_test(more_states_than_there_are_is_a_gap),
		cmocka_unit_test(a_hole_makes_a_report_incomplete_and_takes_its_durations),
		cmocka_unit_test(a_socket_older_than_the_trace_has_missed_nothing),
		cmocka_unit_test(a_birth_that_was_lost_missed_the_shorter_way),
		cmocka_unit_test(a_socket_older_than_the_trace_has_no_durations),
		cmocka_unit_test(a_childs_handshake_is_its_first_sample),
		cmocka_unit_test(a_synack_that_was_sent_again_is_better_than_a_sample),
		cmocka_unit_test(a_synack_in_the_future_is_not_believed),
		cmocka_unit_test(a_sample_longer_than_the_clock_has_run_is_not_believed),
		cmocka_unit_test(over_a_millisecond_in_syn_recv_is_fast_open),
		cmocka_unit_test(the_start_of_a_child_is_its_synack_if_that_is_known),
		cmocka_unit_test(the_first_sequence_number_is_before_the_first_byte),
		cmocka_unit_test(without_a_sample_there_is_no_first_sequence_number),
		cmocka_unit_test(what_is_unread_is_more_than_the_peers_fin),
		cmocka_unit_test(sequence_numbers_wrap_around),
		cmocka_unit_test(linger_0_is_linger_without_time),
		cmocka_unit_test(a_socket_proves_what_its_sample_says),
		cmocka_unit_test(a_table_is_full_if_the_gauge_says_so),
		cmocka_unit_test(a_mini_socket_lives_as_long_as_the_kernel_lets_it),
		cmocka_unit_test(numbers_from_hell_do_not_hurt),
		cmocka_unit_test(neither_syn_nor_fin_is_payload),
		cmocka_unit_test(a_syn_that_nobody_acknowledged_is_not_in_the_count),
		cmocka_unit_test(numbers_that_cannot_be_are_not_known),
		cmocka_unit_test(a_request_is_known_by_its_synack),
		cmocka_unit_test(a_child_inherits_from_its_request),
		cmocka_unit_test(the_transition_tells_what_the_owner_did),
		cmocka_unit_test(a_later_closer_never_replaces_a_known_owner),
		cmocka_unit_test(a_report_has_the_lifes_durations),
		cmocka_unit_test(a_timeout_or_a_kill_tears_nothing_down),
		cmocka_unit_test(a_reset_without_a_fin_tears_down_at_once),
		cmocka_unit_test(of_an_orphan_the_end_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
