/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h - how a life ended and why, from what the socket proved at ->CLOSE
 * and the resets around it.  The rules are kernel-facts 10; no rule needs the
 * kernel's own reset reason, so kernels without it tell the same.  Pure.
 */
#ifndef SYNFIN_VERDICT_H
#define SYNFIN_VERDICT_H

#include "conn.h"

/*
 * tcp_set_state(CLOSE) is announced before the reset that explains it is sent;
 * in process context the closer may be preempted in between.  Event time.
 */
#define VERDICT_WAIT_NS	(50 * 1000 * 1000ull)

enum fate {
	FATE_ENDED,
	FATE_WAITS,	/* a reset may still come, for VERDICT_WAIT_NS */
	FATE_PARKED,	/* lives on as a FIN_WAIT2 mini-socket */
};

/* Whether this end entered TIME_WAIT. */
enum tri { TRI_UNKNOWN, TRI_NO, TRI_YES };

struct verdict {
	uint8_t fate;		/* enum fate; the rest only with FATE_ENDED */
	uint8_t outcome;	/* enum outcome_word */
	uint8_t close;		/* enum close_word */
	uint8_t reason;		/* enum reason_word */
	uint8_t closed_by;	/* enum side_word */
	uint8_t time_wait;	/* enum tri */
	uint8_t cause;		/* enum end_word: of the last transition's line */
	uint16_t err;		/* errno; 0: none */
};

/* The path has a state that only an established connection reaches. */
bool verdict_was_established(const struct conn *c);

/* Of a life after ->CLOSE; waited: VERDICT_WAIT_NS have passed. */
struct verdict verdict_at_close(const struct conn *c, bool waited);

/* Of a mini-socket in FIN_WAIT2 that ended by the given close_word. */
struct verdict verdict_of_parked(const struct conn *c, enum close_word how);

/* Of a life that has not ended: still open, or its end was lost (CLOSE_NONE). */
struct verdict verdict_of_open(const struct conn *c, enum close_word how);

/* Of a request that is gone. */
struct verdict verdict_of_request(const struct conn *c);

#endif
