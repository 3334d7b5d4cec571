// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules of kernel-facts 10 once more, in their own order and words, against
 * verdict.c for everything that a socket can prove at its end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tcp_state.h"
#include "verdict.h"

#define ENDING_BITS	12
#define RESET_BITS	4

static const enum tcp_state unestablished[] = { TS_SYN_SENT, TS_SYN_RECV };
static const enum tcp_state established[] = {
	TS_ESTABLISHED, TS_FIN_WAIT1, TS_FIN_WAIT2, TS_CLOSE_WAIT, TS_LAST_ACK, TS_CLOSING,
};
static const uint16_t errors[] = {
	0, EPIPE, ENETUNREACH, ECONNABORTED, ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH,
};

/* A life after ->CLOSE; reset_bits: RST_IN, RST_BEFORE, RST_AFTER, RST_REPLY. */
static struct conn ended_in(enum tcp_state old, uint16_t err, uint16_t ending_flags,
			    unsigned int reset_bits)
{
	struct conn c = { .stage = STAGE_VERDICT, .state = old, .path = { old }, .path_len = 1 };

	c.end.err = err;
	c.end.flags = ending_flags;
	if (reset_bits & 1)
		c.flags |= CONN_RST_IN;
	if (reset_bits & 2)
		c.flags |= CONN_RST_BEFORE;
	if (reset_bits & 4)
		c.flags |= CONN_RST_AFTER;
	if (reset_bits & 8)
		c.flags |= CONN_RST_REPLY;
	return c;
}

static bool is_one_of(enum tcp_state old, const enum tcp_state *states, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (states[i] == old)
			return true;
	}
	return false;
}

/* ---- the rules ---- */

struct facts {
	enum tcp_state old;
	bool rrst, before, after, after_with_skb, synced, unread, linger0, linger2, d, x;
	bool no_socket, mptcp, probing, tw_full, sent, shut;
	uint16_t err;
};

static struct facts facts_of(const struct conn *c)
{
	uint16_t end = c->end.flags;

	return (struct facts){
		.old = c->state, .err = c->end.err,
		.rrst = c->flags & CONN_RST_IN, .before = c->flags & CONN_RST_BEFORE,
		.after = c->flags & CONN_RST_AFTER,
		.after_with_skb = c->flags & CONN_RST_AFTER && c->flags & CONN_RST_REPLY,
		.synced = end & ENDING_SYNCED, .unread = end & ENDING_UNREAD,
		.linger0 = end & ENDING_LINGER0, .linger2 = end & ENDING_LINGER2,
		.d = end & ENDING_DONE, .x = end & ENDING_DEAD,
		.no_socket = end & ENDING_NO_SOCKET, .mptcp = end & ENDING_MPTCP,
		.probing = end & ENDING_PROBING, .tw_full = end & ENDING_TW_FULL,
		.sent = end & ENDING_SENT, .shut = end & ENDING_SHUT,
	};
}

static struct verdict fate(enum fate f)
{
	return (struct verdict){ .fate = f };
}

static struct verdict outcome(enum outcome_word o, enum close_word close, enum reason_word reason)
{
	return (struct verdict){
		.fate = FATE_ENDED, .outcome = o, .close = close, .reason = reason,
		.time_wait = TRI_NO,
	};
}

static struct verdict close_of(enum close_word close, enum reason_word reason)
{
	return outcome(OUTCOME_ESTABLISHED, close, reason);
}

/*
 * Finer than kernel-facts in three places, where contract.md has a word for it:
 * an orphan cannot disconnect, but memory may run out; and only close() shuts
 * both ways, connect(AF_UNSPEC) does not.
 */
static enum reason_word reason_of(const struct facts *f)
{
	if (f->mptcp)
		return REASON_NONE;
	if (f->old == TS_FIN_WAIT2 && f->x && f->linger2)
		return REASON_LINGER2;
	if (f->old == TS_FIN_WAIT2 && f->x)
		return f->after_with_skb ? REASON_DATA_AFTER_CLOSE : REASON_NONE;
	if (f->x)
		return REASON_MEMORY;
	if (f->no_socket)
		return REASON_LISTENER_CLOSED;
	if (!f->shut)
		return REASON_DISCONNECT;
	if (f->unread)
		return REASON_UNREAD_DATA;
	return f->linger0 ? REASON_LINGER0 : REASON_DISCONNECT;
}

/*
 * contract.md tells `other`, the kernel's own failure, from `aborted`, by the
 * owner: nobody ever got the socket, and nobody reset it.  No port is a matter of connect().
 */
static struct verdict never_established(const struct facts *f, bool waited)
{
	bool reset = f->before || f->after;

	if (!f->err && f->old == TS_SYN_SENT)
		return outcome(f->sent ? OUTCOME_ABORTED : OUTCOME_NO_PORT, CLOSE_SILENT,
			       REASON_NONE);
	if (!f->err && reset)
		return outcome(OUTCOME_ABORTED, CLOSE_RESET_SENT, reason_of(f));
	if (!f->err && !waited)
		return fate(FATE_WAITS);
	if (!f->err)
		return outcome(f->no_socket ? OUTCOME_OTHER : OUTCOME_ABORTED, CLOSE_SILENT,
			       REASON_NONE);
	if (f->rrst)
		return outcome(OUTCOME_REFUSED, CLOSE_RESET_RECEIVED, REASON_NONE);
	if (f->err == ETIMEDOUT)
		return outcome(OUTCOME_TIMEOUT, CLOSE_TIMEOUT, REASON_NONE);
	if (f->err == ECONNABORTED)
		return outcome(OUTCOME_KILLED, CLOSE_KILLED, REASON_NONE);
	return outcome(OUTCOME_UNREACHABLE, CLOSE_SILENT, REASON_NONE);
}

/* 2 and 3 */
static struct verdict with_an_error(const struct facts *f, bool waited)
{
	static const enum tcp_state waiting[] = { TS_FIN_WAIT1, TS_FIN_WAIT2, TS_LAST_ACK,
						  TS_CLOSING };

	if (f->rrst && f->after_with_skb)
		return close_of(CLOSE_RESET_SENT, REASON_DATA_AFTER_CLOSE);
	if (f->rrst && !waited && is_one_of(f->old, waiting, 4))
		return fate(FATE_WAITS);
	if (f->rrst)
		return close_of(CLOSE_RESET_RECEIVED, REASON_NONE);
	if (f->before)
		return close_of(CLOSE_TIMEOUT, REASON_KEEPALIVE);
	return close_of(CLOSE_TIMEOUT, f->probing ? REASON_ZERO_WINDOW : REASON_RETRANSMITS);
}

static struct verdict rules(const struct facts *f, bool waited)
{
	struct verdict v;

	if (is_one_of(f->old, unestablished, 2))
		return never_established(f, waited);
	if (f->err == ECONNABORTED)						/* 1 */
		return close_of(CLOSE_KILLED, REASON_NONE);
	if (f->err)
		return with_an_error(f, waited);
	if ((f->old == TS_FIN_WAIT2 || f->old == TS_CLOSING) && f->d && f->synced) {	/* 4 */
		v = close_of(CLOSE_FIN, REASON_NONE);
		v.time_wait = f->tw_full ? TRI_UNKNOWN : TRI_YES;
		return v;
	}
	if (f->old == TS_LAST_ACK && f->synced)					/* 5 */
		return close_of(CLOSE_FIN, REASON_NONE);
	if (f->old == TS_FIN_WAIT2 && !f->d && f->x && !f->linger2 && !f->before &&
	    !f->after) {	/* 6 */
		if (!waited)
			return fate(FATE_WAITS);
		if (!f->tw_full)
			return fate(FATE_PARKED);
		v = close_of(CLOSE_ORPHAN, REASON_NONE);
		v.time_wait = TRI_UNKNOWN;
		return v;
	}
	if (!f->before && !f->after && !waited)
		return fate(FATE_WAITS);
	if ((f->old == TS_LAST_ACK || f->old == TS_CLOSING) && !f->before && !f->after)	/* 7 */
		return close_of(CLOSE_FIN, REASON_NONE);
	if (f->before || f->after)						/* 8 */
		return close_of(CLOSE_RESET_SENT, reason_of(f));
	return close_of(CLOSE_SILENT, REASON_NONE);
}

/* ---- against the engine's ---- */

static void assert_same(const struct conn *c, bool waited)
{
	struct facts f = facts_of(c);
	struct verdict want = rules(&f, waited), got = verdict_at_close(c, waited);

	if (want.fate == got.fate &&
	    (want.fate != FATE_ENDED ||
	     (want.outcome == got.outcome && want.close == got.close &&
	      want.reason == got.reason && want.time_wait == got.time_wait)))
		return;
	print_error("in %s, err %u, end %#x, flags %#x, %s: fate %u %s %s %s tw %u, "
		    "got %u %s %s %s tw %u\n",
		    tcp_state_name(c->state), c->end.err, c->end.flags, c->flags,
		    waited ? "waited" : "at once", want.fate, outcome_text(want.outcome),
		    close_text(want.close), reason_text(want.reason), want.time_wait, got.fate,
		    outcome_text(got.outcome), close_text(got.close), reason_text(got.reason),
		    got.time_wait);
	fail();
}

static void all_endings_in(enum tcp_state old, void (*check)(const struct conn *c))
{
	for (unsigned int e = 0; e < sizeof(errors) / sizeof(*errors); e++) {
		for (unsigned int end = 0; end < 1u << ENDING_BITS; end++) {
			for (unsigned int resets = 0; resets < 1u << RESET_BITS; resets++) {
				struct conn c = ended_in(old, errors[e], end, resets);

				check(&c);
			}
		}
	}
}

static void all_endings(void (*check)(const struct conn *c))
{
	for (unsigned int i = 0; i < 2; i++)
		all_endings_in(unestablished[i], check);
	for (unsigned int i = 0; i < 6; i++)
		all_endings_in(established[i], check);
}

static void check_rules(const struct conn *c)
{
	assert_same(c, false);
	assert_same(c, true);
}

static void every_ending_is_as_the_rules_say(void **state)
{
	all_endings(check_rules);
}

/* ---- what must hold whatever the rules are ---- */

#define MUST(what)	do { if (!(what)) fail_msg("%s", #what); } while (0)

static void check_promises(const struct conn *c)
{
	struct verdict now = verdict_at_close(c, false), v = verdict_at_close(c, true);

	MUST(v.fate != FATE_WAITS);
	MUST(now.fate == FATE_WAITS || !memcmp(&now, &v, sizeof(v)));
	if (v.fate != FATE_ENDED)
		return;
	MUST(v.outcome > OUTCOME_NONE && v.outcome < OUTCOME_MAX);
	MUST(v.close > CLOSE_NONE && v.close < CLOSE_MAX && v.close != CLOSE_STILL_OPEN);
	MUST(!v.err || v.err == c->end.err);
	MUST(!v.err || (v.close != CLOSE_FIN && v.close != CLOSE_RESET_SENT));
	MUST(v.err == c->end.err || v.close == CLOSE_FIN || v.close == CLOSE_RESET_SENT);
	MUST(!v.reason || v.close == CLOSE_RESET_SENT || v.close == CLOSE_TIMEOUT);
	MUST(v.time_wait != TRI_YES || v.close == CLOSE_FIN);
	MUST(v.time_wait != TRI_UNKNOWN || c->end.flags & ENDING_TW_FULL);
}

static void a_verdict_keeps_its_promises_whatever_the_ending(void **state)
{
	all_endings(check_promises);
}

/* ---- who closed ---- */

static enum side_word side_of(enum close_word want, struct conn c, enum side_word first)
{
	struct verdict v;

	c.closed_by = first;
	v = verdict_at_close(&c, true);
	assert_int_equal(v.close, want);
	return v.closed_by;
}

static void the_first_fin_decides_who_closed(void **state)
{
	static const enum side_word sides[] = { SIDE_LOCAL, SIDE_REMOTE, SIDE_BOTH };

	for (unsigned int i = 0; i < 3; i++) {
		enum side_word first = sides[i];

		assert_int_equal(side_of(CLOSE_FIN, ended_in(TS_LAST_ACK, 0, ENDING_SYNCED, 0),
					 first), first);
		assert_int_equal(side_of(CLOSE_RESET_SENT, ended_in(TS_CLOSE_WAIT, 0, 0, 4),
					 first), first);
		assert_int_equal(side_of(CLOSE_RESET_RECEIVED,
					 ended_in(TS_FIN_WAIT1, ECONNRESET, 0, 1), first), first);
		assert_int_equal(side_of(CLOSE_TIMEOUT, ended_in(TS_FIN_WAIT1, ETIMEDOUT, 0, 0),
					 first), first);
		assert_int_equal(side_of(CLOSE_SILENT, ended_in(TS_CLOSE_WAIT, 0, 0, 0),
					 first), first);
	}
}

static void without_a_fin_the_reset_decides_who_closed(void **state)
{
	assert_int_equal(side_of(CLOSE_RESET_RECEIVED, ended_in(TS_ESTABLISHED, ECONNRESET, 0, 1),
				 SIDE_NONE), SIDE_REMOTE);
	assert_int_equal(side_of(CLOSE_RESET_RECEIVED, ended_in(TS_SYN_SENT, ECONNREFUSED, 0, 1),
				 SIDE_NONE), SIDE_REMOTE);
	assert_int_equal(side_of(CLOSE_RESET_SENT, ended_in(TS_ESTABLISHED, 0, 0, 4), SIDE_NONE),
			 SIDE_LOCAL);
	assert_int_equal(side_of(CLOSE_TIMEOUT, ended_in(TS_ESTABLISHED, ETIMEDOUT, 0, 0),
				 SIDE_NONE), SIDE_NONE);
	assert_int_equal(side_of(CLOSE_SILENT, ended_in(TS_ESTABLISHED, 0, 0, 0), SIDE_NONE),
			 SIDE_NONE);
}

static void whoever_kills_is_local(void **state)
{
	for (enum side_word first = SIDE_NONE; first < SIDE_MAX; first++)
		assert_int_equal(side_of(CLOSE_KILLED, ended_in(TS_CLOSE_WAIT, ECONNABORTED, 0, 2),
					 first), SIDE_LOCAL);
}

/* ---- the last transition's line ---- */

static void the_end_of_fin_wait2_has_a_cause(void **state)
{
	struct conn c = ended_in(TS_FIN_WAIT2, 0, ENDING_DEAD | ENDING_TW_FULL, 0);

	assert_int_equal(verdict_at_close(&c, true).cause, END_OVERFLOW);
	c = ended_in(TS_FIN_WAIT2, 0, ENDING_DONE | ENDING_SYNCED | ENDING_TW_FULL, 0);
	assert_int_equal(verdict_at_close(&c, true).cause, END_OVERFLOW);
	c = ended_in(TS_FIN_WAIT2, 0, ENDING_SHUT | ENDING_UNREAD, 4);
	assert_int_equal(verdict_at_close(&c, true).cause, END_RESET);
	c = ended_in(TS_FIN_WAIT2, ECONNRESET, 0, 1);
	assert_int_equal(verdict_at_close(&c, true).cause, END_RESET);
	c = ended_in(TS_FIN_WAIT2, 0, ENDING_DONE | ENDING_SYNCED, 0);
	assert_int_equal(verdict_at_close(&c, true).cause, END_NONE);
	c = ended_in(TS_ESTABLISHED, ECONNRESET, 0, 1);
	assert_int_equal(verdict_at_close(&c, true).cause, END_NONE);
}

/* ---- those that have not closed ---- */

static void a_parked_socket_ends_as_its_last_segment_says(void **state)
{
	struct conn c = ended_in(TS_FIN_WAIT2, 0, ENDING_DEAD, 0);
	struct verdict v;

	c.closed_by = SIDE_LOCAL;
	v = verdict_of_parked(&c, CLOSE_FIN);
	assert_int_equal(v.time_wait, TRI_YES);
	assert_int_equal(v.close, CLOSE_FIN);
	v = verdict_of_parked(&c, CLOSE_RESET_RECEIVED);
	assert_int_equal(v.time_wait, TRI_NO);
	assert_int_equal(v.cause, END_RESET);
	assert_int_equal(v.reason, REASON_NONE);
	v = verdict_of_parked(&c, CLOSE_RESET_SENT);
	assert_int_equal(v.reason, REASON_DATA_AFTER_CLOSE);
	assert_int_equal(v.cause, END_RESET);
	v = verdict_of_parked(&c, CLOSE_ORPHAN);
	assert_int_equal(v.cause, END_ORPHAN);
	assert_int_equal(v.time_wait, TRI_NO);
	assert_int_equal(v.outcome, OUTCOME_ESTABLISHED);
	assert_int_equal(v.closed_by, SIDE_LOCAL);
}

static void an_open_life_has_an_outcome_only_if_it_was_established(void **state)
{
	struct conn c = ended_in(TS_SYN_SENT, 0, 0, 0);

	assert_int_equal(verdict_of_open(&c, CLOSE_STILL_OPEN).outcome, OUTCOME_NONE);
	assert_int_equal(verdict_of_open(&c, CLOSE_STILL_OPEN).close, CLOSE_STILL_OPEN);
	c = ended_in(TS_CLOSE_WAIT, 0, 0, 0);
	assert_int_equal(verdict_of_open(&c, CLOSE_STILL_OPEN).outcome, OUTCOME_ESTABLISHED);
	assert_int_equal(verdict_of_open(&c, CLOSE_STILL_OPEN).time_wait, TRI_NO);
}

static void of_an_end_that_was_lost_nothing_is_said(void **state)
{
	struct conn c = ended_in(TS_ESTABLISHED, 0, 0, 0);
	struct verdict v = verdict_of_open(&c, CLOSE_NONE);

	assert_int_equal(v.close, CLOSE_NONE);
	assert_int_equal(v.time_wait, TRI_UNKNOWN);
	assert_int_equal(v.closed_by, SIDE_NONE);
	assert_int_equal(v.err, 0);
}

static void a_request_ends_without_an_ack_or_without_a_place(void **state)
{
	struct conn c = { .stage = STAGE_REQUEST };

	assert_int_equal(verdict_of_request(&c).outcome, OUTCOME_NO_ACK);
	assert_int_equal(verdict_of_request(&c).close, CLOSE_NONE);
	c.flags |= CONN_ACKED;
	assert_int_equal(verdict_of_request(&c).outcome, OUTCOME_NOT_ACCEPTED);
	assert_int_equal(verdict_of_request(&c).close, CLOSE_SILENT);
}

static void only_some_states_prove_that_it_was_established(void **state)
{
	struct conn c;

	for (unsigned int s = 0; s < TS_MAX; s++) {
		c = ended_in(s, 0, 0, 0);
		assert_int_equal(verdict_was_established(&c),
				 s == TS_TIME_WAIT || is_one_of(s, established, 6));
	}
	c = (struct conn){ .path = { TS_SYN_SENT, TS_ESTABLISHED, TS_FIN_WAIT1 }, .path_len = 1 };
	assert_false(verdict_was_established(&c));
	c.path_len = 2;
	assert_true(verdict_was_established(&c));
	c.path_len = 0;
	assert_false(verdict_was_established(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ending_is_as_the_rules_say),
		cmocka_unit_test(a_verdict_keeps_its_promises_whatever_the_ending),
		cmocka_unit_test(the_first_fin_decides_who_closed),
		cmocka_unit_test(without_a_fin_the_reset_decides_who_closed),
		cmocka_unit_test(whoever_kills_is_local),
		cmocka_unit_test(the_end_of_fin_wait2_has_a_cause),
		cmocka_unit_test(a_parked_socket_ends_as_its_last_segment_says),
		cmocka_unit_test(an_open_life_has_an_outcome_only_if_it_was_established),
		cmocka_unit_test(of_an_end_that_was_lost_nothing_is_said),
		cmocka_unit_test(a_request_ends_without_an_ack_or_without_a_place),
		cmocka_unit_test(only_some_states_prove_that_it_was_established),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
