// SPDX-License-Identifier: GPL-2.0-or-later
#include "sentence.h"

#include <string.h>

#include "human.h"
#include "label.h"
#include "tcp_state.h"

#define NSEC_PER_USEC	1000ull

/*
 * A form in which %l is the end whose verdict it is, %r the other one; a capital
 * letter begins a sentence.
 */
static void say(struct text *t, const struct ladder *l, enum lane lane, const char *form)
{
	for (; *form; form++) {
		enum lane who = *form == '%' && (form[1] == 'r' || form[1] == 'R') ?
				lane == LEFT ? RIGHT : LEFT : lane;
		const char *end;

		if (*form != '%') {
			text_char(t, *form);
			continue;
		}
		form++;
		end = label_end(l, who);
		if (!strncmp(end, "this ", 5)) {
			text_str(t, *form == 'L' || *form == 'R' ? "This end" : "this end");
			continue;
		}
		text_str(t, *form == 'L' || *form == 'R' ? "The " : "the ");
		text_str(t, end);
	}
}

static void times(struct text *t, uint32_t n)
{
	if (n <= 2) {
		text_str(t, n == 2 ? "twice" : "once");
		return;
	}
	text_uint(t, n);
	text_str(t, " times");
}

/* ---- failed ---- */

static void say_timeout(struct text *t, const struct view *v)
{
	text_str(t, "Timed out: the SYN was sent ");
	times(t, v->retransmits[PHASE_SYN] + 1);
	text_str(t, " and never answered.");
}

static void say_request(struct text *t, const struct ladder *l, enum lane lane)
{
	const struct view *v = l->ends[lane], *m = l->ends[lane == LEFT ? RIGHT : LEFT];

	if (v->verdict.outcome == OUTCOME_NOT_ACCEPTED) {
		say(t, l, lane, "Not accepted: the third ACK came, but the accept queue of %l was "
				"full until the request expired");
	} else {
		say(t, l, lane, "Half-open: %l sent its SYN-ACK ");
		times(t, v->retransmits[PHASE_SYNACK] + 1);
		text_str(t, m ? " and gave up" : ", no ACK came, and the request is gone");
	}
	if (m && m->state != TS_SYN_SENT)
		say(t, l, lane, "; %r believed it was connected");
	text_char(t, '.');
}

static void say_failed(struct text *t, const struct ladder *l, enum lane lane)
{
	const struct view *v = l->ends[lane];
	const char *error = v->verdict.err ? strerrorname_np(v->verdict.err) : NULL;

	switch ((enum outcome_word)v->verdict.outcome) {
	case OUTCOME_REFUSED:
		say(t, l, lane, "Refused: %r answered the SYN with RST.");
		break;
	case OUTCOME_TIMEOUT:
		say_timeout(t, v);
		break;
	case OUTCOME_KILLED:
		say(t, l, lane, "Killed: somebody destroyed the socket of %l (ss -K) before it was "
				"connected.");
		break;
	case OUTCOME_UNREACHABLE:
		text_str(t, "Unreachable: neither answer nor timeout, but ");
		text_str(t, error ? error : "an error");
		text_str(t, ", as ICMP or a failed ARP gives it.");
		break;
	case OUTCOME_NO_PORT:
		text_str(t, "No local port was left: no SYN was sent.");
		break;
	case OUTCOME_ABORTED:
		say(t, l, lane, "Given up: %l closed the socket before it was connected.");
		break;
	case OUTCOME_NOT_ACCEPTED:
	case OUTCOME_NO_ACK:
		say_request(t, l, lane);
		break;
	case OUTCOME_OTHER:
		say(t, l, lane, "Failed in the kernel of %l: no memory, or its place was taken.");
		break;
	case OUTCOME_NONE:
	case OUTCOME_ESTABLISHED:
	case OUTCOME_MAX:
		break;
	}
}

/* ---- established ---- */

static void say_fin(struct text *t, const struct ladder *l, enum lane lane)
{
	const struct verdict *v = &l->ends[lane]->verdict;
	const struct view *m = l->ends[lane == LEFT ? RIGHT : LEFT];
	bool remote = v->closed_by == SIDE_REMOTE;

	if (v->closed_by == SIDE_BOTH) {
		text_str(t, "Both closed at once and the FINs crossed");
		if (v->time_wait == TRI_YES && m && m->state == TS_TIME_WAIT)
			text_str(t, ": both keep TIME_WAIT for 60 s");
		else if (v->time_wait == TRI_YES)
			say(t, l, lane, ": %l keeps TIME_WAIT for 60 s, and so should %r");
	} else {
		say(t, l, lane, remote ? "%R closed first" : "%L closed first");
		if (v->time_wait == TRI_YES)
			text_str(t, " and so keeps TIME_WAIT for 60 s");
		else if (remote)
			text_str(t, ": TIME_WAIT is on its side");
	}
	if (v->time_wait == TRI_UNKNOWN)
		text_str(t, "; the table of TIME_WAIT was full");
	text_char(t, '.');
}

static const char *const reset_forms[REASON_MAX] = {
	[REASON_NONE] = "Reset: %l sent RST.",
	[REASON_UNREAD_DATA] = "Reset: %l closed with received data unread, and so sent RST, "
			       "not FIN.",
	[REASON_LINGER0] = "Reset: %l closed with SO_LINGER at 0, and so sent RST, not FIN.",
	[REASON_DISCONNECT] = "Reset: %l broke the connection off with RST.",
	[REASON_DATA_AFTER_CLOSE] = "Reset: data came after %l had closed, and was answered with "
				    "RST.",
	[REASON_LINGER2] = "Reset: %l closed with TCP_LINGER2 below 0, and so did not wait for the "
			   "FIN of %r.",
	[REASON_LISTENER_CLOSED] = "Reset: the listening socket of %l was closed before anybody "
				   "accepted this connection.",
	[REASON_MEMORY] = "Reset: the kernel of %l had too many orphans, or no memory.",
};

static const char *timeout_form(enum reason_word reason)
{
	if (reason == REASON_KEEPALIVE)
		return "Timed out: %r did not answer the keepalive probes of %l.";
	if (reason == REASON_ZERO_WINDOW)
		return "Timed out: %r kept its window shut.";
	return "Timed out: %r acknowledged nothing any more.";
}

static void say_open(struct text *t, const struct ladder *l)
{
	const char *joint = "Still open when the trace ended: ";

	if (l->ends[LEFT] && l->ends[RIGHT] && l->ends[LEFT]->state == l->ends[RIGHT]->state) {
		text_str(t, joint);
		text_str(t, "both ends in ");
		label_state(t, l->ends[LEFT]->state);
		text_char(t, '.');
		return;
	}
	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		if (!l->ends[lane])
			continue;
		text_str(t, joint);
		joint = ", ";
		say(t, l, lane, "%l in ");
		label_state(t, l->ends[lane]->state);
	}
	text_char(t, '.');
}

static void say_close(struct text *t, const struct ladder *l, enum lane lane)
{
	const struct verdict *v = &l->ends[lane]->verdict;

	switch ((enum close_word)v->close) {
	case CLOSE_FIN:
		say_fin(t, l, lane);
		break;
	case CLOSE_RESET_SENT:
		say(t, l, lane, reset_forms[v->reason] ? reset_forms[v->reason] : reset_forms[0]);
		break;
	case CLOSE_RESET_RECEIVED:
		say(t, l, lane, "Reset: %r sent RST.");
		break;
	case CLOSE_TIMEOUT:
		say(t, l, lane, timeout_form(v->reason));
		break;
	case CLOSE_KILLED:
		say(t, l, lane, "Killed: somebody destroyed the socket of %l (ss -K).");
		break;
	case CLOSE_ORPHAN:
		say(t, l, lane, "%L closed first, and the FIN of %r never came.");
		break;
	case CLOSE_SILENT:
		text_str(t, "It ended with neither FIN nor RST.");
		break;
	case CLOSE_STILL_OPEN:
		say_open(t, l);
		break;
	case CLOSE_NONE:
		text_str(t, "How it ended was missed.");
		break;
	case CLOSE_MAX:
		break;
	}
}

/* ---- both ---- */

/* Whose verdict says most: who failed, who reset, who closed. */
static enum lane teller(const struct ladder *l)
{
	static const uint8_t ranks[CLOSE_MAX] = {
		[CLOSE_STILL_OPEN] = 1, [CLOSE_RESET_RECEIVED] = 2, [CLOSE_FIN] = 3,
		[CLOSE_ORPHAN] = 4, [CLOSE_SILENT] = 5, [CLOSE_TIMEOUT] = 6,
		[CLOSE_RESET_SENT] = 7, [CLOSE_KILLED] = 8,
	};
	const struct view *left = l->ends[LEFT], *right = l->ends[RIGHT];

	if (!left || !left->ended)
		return RIGHT;
	if (!right || !right->ended)
		return LEFT;
	if (left->request || right->request)
		return left->request ? LEFT : RIGHT;
	if (right->verdict.close == left->verdict.close)
		return right->verdict.closed_by == SIDE_LOCAL ? RIGHT : LEFT;
	return ranks[right->verdict.close] > ranks[left->verdict.close] ? RIGHT : LEFT;
}

/* In SYN_SENT nothing but a wrong ACK is answered so (tcp_rcv_synsent_state_process()). */
static void say_wrong_ack(struct text *t, const struct ladder *l)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		if (l->arrows[i].kind != ARROW_SEGMENT)
			continue;
		text_str(t, "A wrong ACK, as an old duplicate SYN causes it, was answered with "
			    "RST. ");
		return;
	}
}

static void say_handshake(struct text *t, const struct ladder *l)
{
	const struct view *left = l->ends[LEFT], *right = l->ends[RIGHT];
	uint32_t syns = left ? left->retransmits[PHASE_SYN] : 0;
	uint32_t synacks = right ? right->retransmits[PHASE_SYNACK] : 0;
	const struct view *v = left ? left : right;

	if (!syns && !synacks)
		return;
	text_str(t, "The handshake took ");
	if (right && right->ended && right->handshake_ns != UNKNOWN_NS &&
	    (v->handshake_ns == UNKNOWN_NS || right->handshake_ns > v->handshake_ns))
		v = right;
	if (v->handshake_ns != UNKNOWN_NS) {
		human_duration(t, v->handshake_ns / NSEC_PER_USEC);
		text_str(t, ": ");
	}
	text_str(t, syns ? "the SYN was sent " : "the SYN-ACK was sent ");
	times(t, (syns ? syns : synacks) + 1);
	text_str(t, ". ");
}

/* What became of a TIME_WAIT; tcp_timewait_state_process() arms it anew for the FIN. */
static void say_late(struct text *t, const struct ladder *l)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		const struct arrow *a = &l->arrows[i];
		enum lane to = a->from == LEFT ? RIGHT : LEFT;
		bool received = a->flags & AR_RECEIVED;

		if (a->kind == ARROW_FIN && a->flags & AR_AGAIN && received) {
			say(t, l, a->from, "%L sent its FIN again, as the last ACK had not "
					   "arrived: the 60 s of %r begin anew.");
			return;
		}
		if (a->kind == ARROW_RST && received && a->entered[to]) {
			say(t, l, a->from, "RST from %l ended the TIME_WAIT of %r.");
			return;
		}
		if (a->kind == ARROW_STATE && a->end) {
			say(t, l, a->from, "TIME_WAIT of %l is over.");
			return;
		}
	}
	text_str(t, "A late segment met TIME_WAIT.");
}

static bool has_late_fin(const struct ladder *l)
{
	for (unsigned int i = 1; i < l->nr; i++) {
		if (l->arrows[i].kind == ARROW_ACK && l->arrows[i].flags & AR_AGAIN)
			return true;
	}
	return false;
}

void sentence_write(struct text *t, const struct ladder *l)
{
	enum lane lane = teller(l);
	const struct view *v = l->ends[lane];

	if (v->end_told) {
		say_late(t, l);
		return;
	}
	if (v->verdict.outcome && v->verdict.outcome != OUTCOME_ESTABLISHED) {
		say_failed(t, l, lane);
	} else {
		if (!l->continued)
			say_wrong_ack(t, l);
		if (!l->continued)
			say_handshake(t, l);
		say_close(t, l, lane);
	}
	if (has_late_fin(l)) {
		text_char(t, ' ');
		say_late(t, l);
	}
	if (!v->complete && !v->existing)
		text_str(t, " Part of it was missed.");
}
