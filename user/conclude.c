// SPDX-License-Identifier: GPL-2.0-or-later
#include "conclude.h"

#include <string.h>

#include "ladder.h"
#include "tcp_state.h"

/* A half-closed stretch that is shorter and without data is no more than a close. */
#define HALF_CLOSED_NS	1000000ull

static enum lane other(enum lane lane)
{
	return lane == LEFT ? RIGHT : LEFT;
}

/* ---- order ---- */

static void drop(struct ladder *l)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->nr; i++) {
		if (!(l->arrows[i].flags & AR_DROPPED))
			l->arrows[n++] = l->arrows[i];
	}
	l->nr = n;
}

/* Nearly in order as they come; what is of one moment stays as it came. */
static void sort(struct ladder *l)
{
	for (unsigned int i = 1; i < l->nr; i++) {
		struct arrow a = l->arrows[i];
		unsigned int j = i;

		for (; j && l->arrows[j - 1].order_ns > a.order_ns; j--)
			l->arrows[j] = l->arrows[j - 1];
		l->arrows[j] = a;
	}
}

/* ---- half-closed ---- */

static struct arrow *first_fin(struct ladder *l, enum lane from)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		if (l->arrows[i].kind == ARROW_FIN && l->arrows[i].from == from)
			return &l->arrows[i];
	}
	return NULL;
}

static bool entered(const struct arrow *a, enum tcp_state state)
{
	return a->entered[LEFT] == state || a->entered[RIGHT] == state;
}

static void insert(struct ladder *l, unsigned int at, const struct arrow *a)
{
	if (l->nr == LADDER_ARROWS) {
		l->left_out++;
		return;
	}
	memmove(&l->arrows[at + 1], &l->arrows[at], (l->nr - at) * sizeof(*a));
	l->arrows[at] = *a;
	l->nr++;
}

/* Between the FINs, if the second came, or the time until the end without it. */
static uint64_t half_closed_ns(const struct ladder *l, const struct arrow *first,
			       const struct arrow *second)
{
	uint64_t end_ns = second ? second->at_ns : 0;

	for (enum lane lane = LEFT; lane <= RIGHT && !second; lane++) {
		const struct view *v = l->ends[lane];

		if (v && v->ended && v->end_ns > end_ns &&
		    v->verdict.close == CLOSE_STILL_OPEN)
			end_ns = v->end_ns;
	}
	return end_ns > first->at_ns ? end_ns - first->at_ns : 0;
}

static bool has_data_between(const struct ladder *l, const struct arrow *a, const struct arrow *b)
{
	const struct arrow *end = b ? b : l->arrows + l->nr;

	while (++a < end) {
		if (a->kind == ARROW_DATA)
			return true;
	}
	return false;
}

/* After the FIN that began it and its ACK. */
static void mark_half_closed(struct ladder *l)
{
	struct arrow *left = first_fin(l, LEFT), *right = first_fin(l, RIGHT);
	struct arrow *first = !right || (left && left < right) ? left : right;
	struct arrow *second = first == left ? right : left;
	struct arrow a = { .kind = ARROW_HALF_CLOSED, .flags = AR_SENT };
	unsigned int at;

	if (!first || (second && (entered(first, TS_CLOSING) || entered(second, TS_CLOSING))))
		return;
	a.for_ns = half_closed_ns(l, first, second);
	if (!a.for_ns || (a.for_ns < HALF_CLOSED_NS && !has_data_between(l, first, second)))
		return;
	a.from = other(first->from);
	at = first - l->arrows + 1;
	while (at < l->nr && l->arrows[at].kind == ARROW_ACK && l->arrows[at].from == a.from)
		at++;
	a.at_ns = l->arrows[at - 1].at_ns;
	a.heard_ns = second ? second->heard_ns : l->arrows[l->nr - 1].heard_ns;
	insert(l, at, &a);
}

/* ---- the states of an end that was not seen ---- */

struct proof {
	struct ladder *l;
	enum lane seen, unseen;
};

static void guess(const struct proof *p, struct arrow *a, enum tcp_state state)
{
	if (a->entered[p->unseen])
		return;
	a->entered[p->unseen] = state;
	a->entered_ns[p->unseen] = a->heard_ns;
	a->flags |= p->unseen == LEFT ? AR_GUESS_LEFT : AR_GUESS_RIGHT;
}

/* Whether something of this kind came from the unseen end later, and what it did. */
static bool came(const struct proof *p, const struct arrow *a, enum arrow_word kind,
		 enum tcp_state entered_state)
{
	while (++a < p->l->arrows + p->l->nr) {
		if (a->kind == kind && a->from == p->unseen && a->flags & AR_RECEIVED &&
		    (!entered_state || a->entered[p->seen] == entered_state))
			return true;
	}
	return false;
}

/* Whether that was the last one before the answer. */
static bool is_last(const struct proof *p, const struct arrow *a, enum arrow_word answer)
{
	enum arrow_word kind = a->kind;

	while (++a < p->l->arrows + p->l->nr) {
		if (a->kind == kind && a->from == p->seen)
			return false;
		if (a->kind == answer && a->from == p->unseen)
			return true;
	}
	return false;
}

/* Only a peer that is established sends these. */
static bool lives(const struct proof *p, const struct arrow *a)
{
	return came(p, a, ARROW_DATA, TS_NONE) || came(p, a, ARROW_FIN, TS_NONE) ||
	       came(p, a, ARROW_ACK, TS_NONE);
}

static void conclude_sent(const struct proof *p, struct arrow *a)
{
	enum tcp_state state = a->entered[p->seen];

	if (state == TS_FIN_WAIT1 && came(p, a, ARROW_ACK, TS_FIN_WAIT2))
		guess(p, a, TS_CLOSE_WAIT);
	else if (state == TS_LAST_ACK && came(p, a, ARROW_ACK, TS_CLOSE))
		guess(p, a, TS_TIME_WAIT);
	if (a->kind == ARROW_SYN && is_last(p, a, ARROW_SYNACK))
		guess(p, a, TS_SYN_RECV);
	if (a->kind == ARROW_SYNACK && is_last(p, a, ARROW_ACK))
		guess(p, a, TS_ESTABLISHED);
	if (a->kind != ARROW_ACK || a->flags & AR_ABSENT)
		return;
	if (a > p->l->arrows && a[-1].kind == ARROW_SYNACK && lives(p, a))
		guess(p, a, TS_ESTABLISHED);
	else if (a > p->l->arrows && a[-1].kind == ARROW_FIN &&
		 a[-1].entered[p->seen] == TS_CLOSE_WAIT && came(p, a, ARROW_ACK, TS_CLOSE))
		guess(p, a, TS_FIN_WAIT2);
}

static void conclude_received(const struct proof *p, struct arrow *a)
{
	if (a->kind == ARROW_SYN && !(a->flags & AR_AGAIN))
		guess(p, a, TS_SYN_SENT);
	else if (a->kind == ARROW_FIN && !(a->flags & AR_AGAIN))
		guess(p, a, a->entered[p->seen] == TS_TIME_WAIT ? TS_LAST_ACK : TS_FIN_WAIT1);
	else if (a->kind == ARROW_ACK && a->entered[p->seen] == TS_TIME_WAIT)
		guess(p, a, TS_CLOSING);	/* the FINs crossed */
	else if (a->kind == ARROW_RST &&
		 p->l->ends[p->seen]->verdict.outcome == OUTCOME_ESTABLISHED)
		guess(p, a, TS_CLOSE);
}

static void conclude_states(struct ladder *l)
{
	struct proof p = { .l = l, .seen = l->ends[LEFT] ? LEFT : RIGHT };

	if (l->ends[LEFT] && l->ends[RIGHT])
		return;
	p.unseen = other(p.seen);
	for (unsigned int i = 0; i < l->nr; i++) {
		if (l->arrows[i].from == p.seen)
			conclude_sent(&p, &l->arrows[i]);
		else
			conclude_received(&p, &l->arrows[i]);
	}
}

/* Two SYNs or FINs of which neither knew of the other. */
static void mark_crossed(struct ladder *l)
{
	for (unsigned int i = 0; i + 1 < l->nr; i++) {
		struct arrow *a = &l->arrows[i], *b = a + 1;
		bool syns = a->kind == ARROW_SYN && b->kind == ARROW_SYN;
		bool fins = a->kind == ARROW_FIN && b->kind == ARROW_FIN &&
			    (entered(a, TS_CLOSING) || entered(b, TS_CLOSING));

		if (a->from != b->from && (syns || fins) && !((a->flags | b->flags) & AR_AGAIN))
			a->flags |= AR_CROSSED;
	}
}

void conclude(struct ladder *l)
{
	drop(l);
	sort(l);
	mark_half_closed(l);
	conclude_states(l);
	mark_crossed(l);
}
