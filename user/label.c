// SPDX-License-Identifier: GPL-2.0-or-later
#include "label.h"

#include <string.h>

#include "tcp_state.h"

#define NSEC_PER_USEC	1000ull
#define NSEC_PER_MSEC	1000000ull

static enum lane other(enum lane lane)
{
	return lane == LEFT ? RIGHT : LEFT;
}

/* ---- words ---- */

/* In a simultaneous open nobody is the server. */
static bool has_roles(const struct ladder *l)
{
	const struct view *left = l->ends[LEFT], *right = l->ends[RIGHT];

	for (unsigned int i = 0; i < l->nr; i++) {
		if (l->arrows[i].kind == ARROW_SYN && l->arrows[i].from == RIGHT)
			return false;
	}
	if (left && right)
		return left->role != right->role && left->role && right->role;
	return (left ? left : right)->role;
}

const char *label_end(const struct ladder *l, enum lane lane)
{
	if (has_roles(l))
		return lane == LEFT ? "client" : "server";
	if (l->ends[LEFT] && l->ends[RIGHT])
		return lane == LEFT ? "left end" : "right end";
	return l->ends[lane] ? "this end" : "peer";
}

void label_state(struct text *t, unsigned int state)
{
	for (const char *p = tcp_state_name(state); *p; p++)
		text_char(t, *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
}

/* Microseconds as long as they matter. */
void label_ms(struct text *t, uint64_t ns)
{
	text_uint(t, ns / NSEC_PER_MSEC);
	if (ns >= 10000 * NSEC_PER_MSEC)
		return;
	text_char(t, '.');
	text_uint_padded(t, ns % NSEC_PER_MSEC / NSEC_PER_USEC, 3);
}

static void count(struct text *t, uint64_t n, const char *one, const char *many)
{
	text_uint(t, n);
	text_char(t, ' ');
	text_str(t, n == 1 ? one : many);
}

/* ---- numbers ---- */

/* A number of the lane's end; nothing if it cannot be said in this form. */
static void number(struct text *t, const struct ladder *l, enum lane lane, const char *what,
		   uint32_t n, bool absolute)
{
	uint32_t isn;

	if (!absolute && !ladder_isn(l, lane, &isn))
		return;
	text_str(t, what);
	if (absolute) {
		text_uint(t, n);
		return;
	}
	text_char(t, lane == LEFT ? 'J' : 'K');
	if (n == isn)
		return;
	text_char(t, '+');
	text_uint(t, n - isn);
}

static void numbers(struct text *t, const struct ladder *l, const struct arrow *a, bool absolute)
{
	bool opens = a->kind == ARROW_SYN || a->kind == ARROW_SYNACK;
	uint32_t isn;

	if (opens && !absolute)	/* by their very meaning */
		text_str(t, a->from == LEFT ? " seq=J" : " seq=K");
	else if (opens && ladder_isn(l, a->from, &isn))
		number(t, l, a->from, " seq=", isn, absolute);
	else if (a->flags & AR_SEQ && !opens)
		number(t, l, a->from, " seq=", a->seq, absolute);
	if (a->flags & AR_ACK)
		number(t, l, other(a->from), " ack=", a->ack, absolute);
}

/* ---- arrows ---- */

static void data(struct text *t, const struct ladder *l, const struct arrow *a, bool absolute)
{
	text_str(t, "data");
	if (a->len) {
		text_char(t, ' ');
		text_uint(t, a->len);
		text_str(t, " B");
	}
	if (a->segs > 1) {
		text_str(t, " in ");
		count(t, a->segs, "segment", "segments");
	}
	if (a->len)
		numbers(t, l, a, absolute);
}

static void circumstances(struct text *t, const struct arrow *a)
{
	const char *cause = retransmit_text(a->cause);

	if (a->flags & AR_AGAIN)
		text_str(t, " again");
	if (a->times > 1) {
		text_char(t, ' ');
		count(t, a->times, "time", "times");
	}
	if (cause) {
		text_str(t, " (");
		text_str(t, cause);
		text_char(t, ')');
	}
	if (a->flags & AR_AGAIN && a->err)
		text_str(t, ", not sent");
	if (a->flags & AR_ABSENT)
		text_str(t, ", did not arrive");
	if (a->flags & AR_SAME)
		text_str(t, " (same segment?)");
}

/* ---- notes ---- */

static void half_closed(struct text *t, const struct ladder *l, const struct arrow *a)
{
	text_str(t, "half-closed for ");
	label_ms(t, a->for_ns);
	text_str(t, " ms");
}

static void hole(struct text *t, const struct ladder *l, const struct arrow *a)
{
	if (a->missed && !(a->flags & AR_UNTIMED)) {
		text_str(t, "*** at least ");
		count(t, a->missed, "transition missed ***", "transitions missed ***");
	} else if (a->missed) {
		text_str(t, "*** the end was missed ***");
	} else {
		text_str(t, l->ends[a->from]->existing ? "(older than the trace)" :
							 "*** the beginning was missed ***");
	}
}

static void change(struct text *t, const struct ladder *l, const struct arrow *a)
{
	const struct view *v = l->ends[a->from];
	const char *error = a->err ? strerrorname_np(a->err) : NULL;

	switch (a->entered[a->from]) {
	case TS_SYN_SENT:
		text_str(t, "no port left: no SYN");
		break;
	case TS_FIN_WAIT1:
	case TS_LAST_ACK:
		text_str(t, "closed: FIN follows the data");
		break;
	case TS_CLOSE:
		if (a->end == END_REUSED)
			text_str(t, "a new connection takes its place");
		else if (a->end == END_EARLY)
			text_str(t, "over before its time");
		else if (error)
			text_str(t, error);
		else if (v->verdict.close == CLOSE_SILENT)
			text_str(t, "closed");
		break;
	}
}

static void end(struct text *t, const struct ladder *l, const struct arrow *a)
{
	const struct view *v = l->ends[a->from];

	text_str(t, v->request ? "the request is gone" : "the FIN never came");
}

void label_arrow(struct text *t, const struct ladder *l, const struct arrow *a, bool absolute)
{
	switch ((enum arrow_word)a->kind) {
	case ARROW_SYN:
		text_str(t, "SYN");
		numbers(t, l, a, absolute);
		break;
	case ARROW_SYNACK:
		text_str(t, "SYN,ACK");
		numbers(t, l, a, absolute);
		break;
	case ARROW_ACK:
		text_str(t, "ACK");
		numbers(t, l, a, absolute);
		break;
	case ARROW_DATA:
		data(t, l, a, absolute);
		break;
	case ARROW_FIN:
		text_str(t, a->flags & AR_ACK ? "FIN,ACK" : "FIN");
		numbers(t, l, a, absolute);
		break;
	case ARROW_RST:
		text_str(t, "RST");
		break;
	case ARROW_SEGMENT:
		text_str(t, "a segment with a wrong ACK");
		break;
	case ARROW_STATE:
		change(t, l, a);
		break;
	case ARROW_HALF_CLOSED:
		half_closed(t, l, a);
		break;
	case ARROW_TIME_WAIT:
		text_str(t, "for 60 s");
		break;
	case ARROW_HOLE:
		hole(t, l, a);
		break;
	case ARROW_END:
		end(t, l, a);
		break;
	case ARROW_NONE:
	case ARROW_VERDICT:
	case ARROW_MAX:
		break;
	}
	circumstances(t, a);
}
