// SPDX-License-Identifier: GPL-2.0-or-later
#include "verdict.h"

#include <errno.h>

#include "tcp_state.h"

static bool ended(const struct conn *c, unsigned int flags)
{
	return (c->end.flags & flags) == flags;
}

static bool reset_was_sent(const struct conn *c)
{
	return c->flags & (CONN_RST_BEFORE | CONN_RST_AFTER);
}

/* A reset of ours in reply to a segment that came after ->CLOSE. */
static bool reset_replied(const struct conn *c)
{
	return (c->flags & (CONN_RST_AFTER | CONN_RST_REPLY)) == (CONN_RST_AFTER | CONN_RST_REPLY);
}

bool verdict_was_established(const struct conn *c)
{
	for (unsigned int i = 0; i < c->path_len; i++) {
		switch ((enum tcp_state)c->path[i]) {
		case TS_ESTABLISHED:
		case TS_FIN_WAIT1:
		case TS_FIN_WAIT2:
		case TS_CLOSE_WAIT:
		case TS_LAST_ACK:
		case TS_CLOSING:
		case TS_TIME_WAIT:
			return true;
		case TS_NONE:
		case TS_SYN_SENT:
		case TS_SYN_RECV:
		case TS_CLOSE:
		case TS_LISTEN:
		case TS_NEW_SYN_RECV:
		case TS_BOUND_INACTIVE:
		case TS_MAX:
			break;
		}
	}
	return false;
}

/* Whose FIN or RST came first; a FIN that was seen decides, but for ss -K. */
static enum side_word closed_by(const struct conn *c, enum close_word how)
{
	if (c->closed_by && how != CLOSE_KILLED)
		return c->closed_by;
	switch (how) {
	case CLOSE_RESET_RECEIVED:
		return SIDE_REMOTE;
	case CLOSE_RESET_SENT:
	case CLOSE_KILLED:
		return SIDE_LOCAL;
	case CLOSE_NONE:
	case CLOSE_FIN:
	case CLOSE_TIMEOUT:
	case CLOSE_ORPHAN:
	case CLOSE_SILENT:
	case CLOSE_STILL_OPEN:
	case CLOSE_MAX:
		break;
	}
	return SIDE_NONE;
}

static struct verdict end_as(const struct conn *c, enum outcome_word outcome, enum close_word how,
			     enum reason_word reason)
{
	struct verdict v = {
		.fate = FATE_ENDED, .outcome = outcome, .close = how, .reason = reason,
		.closed_by = closed_by(c, how), .time_wait = TRI_NO,
	};

	if (how != CLOSE_FIN && how != CLOSE_RESET_SENT)
		v.err = c->end.err;
	if (c->state == TS_FIN_WAIT2 && (how == CLOSE_RESET_SENT || how == CLOSE_RESET_RECEIVED))
		v.cause = END_RESET;
	return v;
}

static const struct verdict waits = { .fate = FATE_WAITS };
static const struct verdict parked = { .fate = FATE_PARKED };

/* ---- never established ---- */

static enum reason_word reset_reason(const struct conn *c);

static struct verdict failed_without_error(const struct conn *c, bool waited)
{
	if (c->state == TS_SYN_SENT)	/* no RST is sent from there */
		return end_as(c, ended(c, ENDING_SENT) ? OUTCOME_ABORTED : OUTCOME_NO_PORT,
			      CLOSE_SILENT, REASON_NONE);
	if (reset_was_sent(c))
		return end_as(c, OUTCOME_ABORTED, CLOSE_RESET_SENT, reset_reason(c));
	if (!waited)
		return waits;
	/* A child that nobody accepted and nobody reset: it lost a race, or there is no memory. */
	return end_as(c, ended(c, ENDING_NO_SOCKET) ? OUTCOME_OTHER : OUTCOME_ABORTED,
		      CLOSE_SILENT, REASON_NONE);
}

static struct verdict failed(const struct conn *c, bool waited)
{
	if (!c->end.err)
		return failed_without_error(c, waited);
	/* An ICMP port unreachable is ECONNREFUSED, too: the RST decides, not errno. */
	if (c->flags & CONN_RST_IN)
		return end_as(c, OUTCOME_REFUSED, CLOSE_RESET_RECEIVED, REASON_NONE);
	if (c->end.err == ETIMEDOUT)
		return end_as(c, OUTCOME_TIMEOUT, CLOSE_TIMEOUT, REASON_NONE);
	if (c->end.err == ECONNABORTED)
		return end_as(c, OUTCOME_KILLED, CLOSE_KILLED, REASON_NONE);
	return end_as(c, OUTCOME_UNREACHABLE, CLOSE_SILENT, REASON_NONE);
}

/* ---- established ---- */

static bool may_be_data_after_close(enum tcp_state old)
{
	return old == TS_FIN_WAIT1 || old == TS_FIN_WAIT2 || old == TS_LAST_ACK ||
	       old == TS_CLOSING;
}

/*
 * Data for an orphan makes tcp_rcv_state_process() call tcp_reset(), as if a
 * reset had come; ours follows.
 */
static struct verdict reset_by_segment(const struct conn *c, bool waited)
{
	if (reset_replied(c))
		return end_as(c, OUTCOME_ESTABLISHED, CLOSE_RESET_SENT, REASON_DATA_AFTER_CLOSE);
	if (!waited && may_be_data_after_close(c->state))
		return waits;
	return end_as(c, OUTCOME_ESTABLISHED, CLOSE_RESET_RECEIVED, REASON_NONE);
}

/* tcp_keepalive_timer() sends a reset before it gives up, the other timers none. */
static struct verdict timed_out(const struct conn *c)
{
	enum reason_word reason = REASON_RETRANSMITS;

	if (c->flags & CONN_RST_BEFORE)
		reason = REASON_KEEPALIVE;
	else if (ended(c, ENDING_PROBING))
		reason = REASON_ZERO_WINDOW;
	return end_as(c, OUTCOME_ESTABLISHED, CLOSE_TIMEOUT, reason);
}

/*
 * The order of the tests is the kernel's: __tcp_close() looks for unread data
 * before linger, and has set sk_shutdown to both ways before; connect() with
 * AF_UNSPEC has not.  tcp_out_of_resources() and tcp_check_oom() reset orphans.
 */
static enum reason_word reset_reason(const struct conn *c)
{
	bool orphan = ended(c, ENDING_DEAD);

	if (ended(c, ENDING_MPTCP))
		return REASON_NONE;
	if (c->state == TS_FIN_WAIT2 && orphan && ended(c, ENDING_LINGER2))
		return REASON_LINGER2;
	if (c->state == TS_FIN_WAIT2 && orphan)
		return reset_replied(c) ? REASON_DATA_AFTER_CLOSE : REASON_NONE;
	if (orphan)
		return REASON_MEMORY;
	if (ended(c, ENDING_NO_SOCKET))
		return REASON_LISTENER_CLOSED;
	if (!ended(c, ENDING_SHUT))
		return REASON_DISCONNECT;
	if (ended(c, ENDING_UNREAD))
		return REASON_UNREAD_DATA;
	return ended(c, ENDING_LINGER0) ? REASON_LINGER0 : REASON_DISCONNECT;
}

static struct verdict aborted(const struct conn *c, bool waited)
{
	if (reset_was_sent(c))
		return end_as(c, OUTCOME_ESTABLISHED, CLOSE_RESET_SENT, reset_reason(c));
	if (!waited)
		return waits;
	/* With everything sent, a linger-0 close sends nothing in these. */
	if (c->state == TS_LAST_ACK || c->state == TS_CLOSING)
		return end_as(c, OUTCOME_ESTABLISHED, CLOSE_FIN, REASON_NONE);
	return end_as(c, OUTCOME_ESTABLISHED, CLOSE_SILENT, REASON_NONE);
}

/* tcp_time_wait(): whether the table had room cannot be seen when it is full now. */
static struct verdict time_wait(const struct conn *c)
{
	struct verdict v = end_as(c, OUTCOME_ESTABLISHED, CLOSE_FIN, REASON_NONE);

	v.time_wait = ended(c, ENDING_TW_FULL) ? TRI_UNKNOWN : TRI_YES;
	if (v.time_wait == TRI_UNKNOWN)
		v.cause = END_OVERFLOW;
	return v;
}

static struct verdict fin_wait2_mini(const struct conn *c, bool waited)
{
	struct verdict v;

	if (!waited)
		return waits;
	if (!ended(c, ENDING_TW_FULL))
		return parked;
	v = end_as(c, OUTCOME_ESTABLISHED, CLOSE_ORPHAN, REASON_NONE);
	v.time_wait = TRI_UNKNOWN;
	v.cause = END_OVERFLOW;
	return v;
}

struct verdict verdict_at_close(const struct conn *c, bool waited)
{
	bool in_fin_wait2 = c->state == TS_FIN_WAIT2;

	if (!verdict_was_established(c))
		return failed(c, waited);
	if (c->end.err == ECONNABORTED)
		return end_as(c, OUTCOME_ESTABLISHED, CLOSE_KILLED, REASON_NONE);
	if (c->end.err)
		return c->flags & CONN_RST_IN ? reset_by_segment(c, waited) : timed_out(c);
	if ((in_fin_wait2 || c->state == TS_CLOSING) && ended(c, ENDING_DONE | ENDING_SYNCED))
		return time_wait(c);
	if (c->state == TS_LAST_ACK && ended(c, ENDING_SYNCED))
		return end_as(c, OUTCOME_ESTABLISHED, CLOSE_FIN, REASON_NONE);
	if (in_fin_wait2 && ended(c, ENDING_DEAD) && !ended(c, ENDING_DONE) &&
	    !ended(c, ENDING_LINGER2) && !reset_was_sent(c))
		return fin_wait2_mini(c, waited);
	return aborted(c, waited);
}

struct verdict verdict_of_parked(const struct conn *c, enum close_word how)
{
	enum reason_word reason = REASON_NONE;
	struct verdict v;

	/* A SYN is answered with RST, too; anything else that is has, or had, data. */
	if (how == CLOSE_RESET_SENT && !(c->flags & CONN_LATE_SYN))
		reason = REASON_DATA_AFTER_CLOSE;
	v = end_as(c, OUTCOME_ESTABLISHED, how, reason);
	if (how == CLOSE_FIN)
		v.time_wait = TRI_YES;
	if (how == CLOSE_ORPHAN)
		v.cause = END_ORPHAN;
	return v;
}

struct verdict verdict_of_open(const struct conn *c, enum close_word how)
{
	enum outcome_word outcome = OUTCOME_NONE;
	struct verdict v;

	if (verdict_was_established(c))
		outcome = OUTCOME_ESTABLISHED;
	v = end_as(c, outcome, how, REASON_NONE);
	if (how == CLOSE_NONE)
		v.time_wait = TRI_UNKNOWN;
	return v;
}

struct verdict verdict_of_request(const struct conn *c)
{
	if (c->flags & CONN_ACKED)
		return end_as(c, OUTCOME_NOT_ACCEPTED, CLOSE_SILENT, REASON_NONE);
	/* Expiry, RST and the listener's close look alike. */
	return end_as(c, OUTCOME_NO_ACK, CLOSE_NONE, REASON_NONE);
}
