/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ladder.h - the diagram every textbook draws of a connection: two lifelines,
 * and between them who sent what, with the numbers and the states.  Drawn from
 * one view or two, without a packet: an arrow is concluded from the transition
 * that sent it or that it brought about.  Pure.
 *
 * What no record bears witness to is marked as inferred; a number that is not
 * certain is absent.  Times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef SYNFIN_LADDER_H
#define SYNFIN_LADDER_H

#include "view.h"

/* Two views' steps, each worth three arrows at the most but for what is sent again. */
#define LADDER_ARROWS	(2 * VIEW_STEPS + 32)

enum lane { LEFT, RIGHT, NO_LANE };

enum arrow_flags {
	AR_SENT		= 1 << 0,	/* a record witnesses its sending */
	AR_RECEIVED	= 1 << 1,	/* a record witnesses its arrival */
	AR_SEQ		= 1 << 2,	/* seq is known */
	AR_ACK		= 1 << 3,	/* ack is known */
	AR_AGAIN	= 1 << 4,	/* not for the first time */
	AR_ABSENT	= 1 << 5,	/* it did not arrive in time: what follows shows it */
	AR_TENTATIVE	= 1 << 6,	/* it may yet go with something else */
	AR_DROPPED	= 1 << 7,	/* it did: there is no such arrow */
	AR_SAME		= 1 << 8,	/* the ACK before it may have been the same segment */
	AR_UNTIMED	= 1 << 9,	/* its moment is not known: at_ns is the evidence's */
	AR_REPLY	= 1 << 10,	/* a reset that answers a segment */
	AR_GUESS_LEFT	= 1 << 11,	/* the state that LEFT entered is inferred */
	AR_GUESS_RIGHT	= 1 << 12,	/* likewise RIGHT */
	AR_CROSSED	= 1 << 13,	/* on its way it met the next arrow */
};

struct arrow {
	uint64_t at_ns;		/* of its sending if that was witnessed, else of its arrival */
	uint64_t order_ns;	/* by which it is in order */
	uint64_t heard_ns;	/* when it was told */
	uint64_t entered_ns[2];	/* when the states were told */
	uint64_t len;		/* payload; 0: none */
	uint64_t for_ns;	/* of a stretch: how long; 0: not known */
	const char *reason;	/* of a reset; NULL: not known */
	uint32_t seq, ack;	/* as on the wire; of a FIN its own number */
	uint32_t segs;		/* 0: not known */
	uint32_t times;		/* of what is sent again: how often */
	uint32_t missed;	/* of a hole: transitions */
	uint16_t flags;		/* enum arrow_flags */
	uint16_t err;		/* errno; of what is sent again: did not go out */
	uint8_t  kind;		/* enum arrow_word */
	uint8_t  from;		/* enum lane; of a note whom it is about */
	uint8_t  cause;		/* enum retransmit_word */
	uint8_t  end;		/* enum end_word, of a transition to CLOSE */
	uint8_t  entered[2];	/* enum tcp_state that LEFT and RIGHT entered with it */
};

struct ladder {
	const struct view *ends[2];	/* NULL: that end was not seen */
	bool continued;		/* its beginning was told before */
	uint32_t left_out;	/* what had no room */
	unsigned int nr;
	struct arrow arrows[LADDER_ARROWS];
};

/*
 * a: a view; b: the other end's, or NULL.  Who opened is on the left.  Borrows
 * the views as long as the ladder lives.
 */
void ladder_build(struct ladder *l, const struct view *a, const struct view *b);

/* The connection's own end: the one that was seen, of both the left one. */
enum lane ladder_local(const struct ladder *l);

/* Initial sequence number of an end, by whichever end told it. */
bool ladder_isn(const struct ladder *l, enum lane lane, uint32_t *ret);

static inline bool arrow_is_inferred(const struct arrow *a)
{
	return !(a->flags & (AR_SENT | AR_RECEIVED));
}

#endif
