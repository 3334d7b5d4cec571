/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view.h - one end's view of a connection: what the kernel told of this socket,
 * step by step, and how it ended.  A ladder is drawn from one view, or from two
 * if both ends are on this host.  Valid when zeroed.  Pure.
 *
 * Times are CLOCK_MONOTONIC nanoseconds, sequence numbers those of the wire.
 */
#ifndef SYNFIN_VIEW_H
#define SYNFIN_VIEW_H

#include "report.h"

/*
 * A life has some eight transitions at the most; the rest is what was sent
 * again, which is added up once it is many.
 */
#define VIEW_STEPS	64
#define VIEW_SINGLE	24	/* steps from which on that is done */

enum step_kind {
	STEP_STATE,		/* a transition */
	STEP_AGAIN,		/* a retransmit */
	STEP_RESET,
	STEP_LATE,		/* a segment that met a mini-socket */
};

struct step_again {
	uint32_t number, len;	/* of the first one, if they are several */
	uint32_t segs, times;
	uint16_t err;		/* errno: did not go out */
	uint8_t  phase;		/* enum phase_word */
	uint8_t  cause;		/* enum retransmit_word */
};

struct step_reset {
	const char *reason;	/* the engine's; NULL: the kernel gives none */
	bool received, reply;
};

struct step_late {
	uint32_t payload;
	uint8_t  tcp_flags;
};

struct step {
	uint64_t at_ns;		/* when it was */
	uint64_t heard_ns;	/* when it was told: the newest record's time */
	uint8_t  kind;		/* enum step_kind */
	uint8_t  old, new;	/* enum tcp_state; beside transitions both the present one */
	uint8_t  cause;		/* enum end_word, of a transition to CLOSE */
	union {
		struct progress progress;	/* known only if `known` */
		struct step_again again;
		struct step_reset reset;
		struct step_late late;
	};
};

struct view {
	/* the table's (explain.h) */
	struct view *same_id, *same_pair;	/* hash chains */
	struct view *older, *newer;	/* in the list of its stage */
	uint64_t wait_until_ns;
	uint8_t  stage;		/* enum view_stage */
	bool	 is_in_ids, is_in_pairs;
	bool	 alone;		/* the other end has been told without it */
	bool	 wanted;	/* it is asked for */

	uint64_t id;
	struct wire_tuple tuple;
	struct owner owner;
	int64_t  clock_ns;
	uint64_t cgroup;	/* 0: not known */
	uint32_t netns;
	uint32_t isn, irs;	/* own and peer's initial sequence number */
	bool	 has_isn, has_irs;
	bool	 born;		/* its birth was seen */
	bool	 existing;	/* it is older than the trace */
	bool	 request;	/* half-open, and never more */
	bool	 acked;		/* a request's ACK met a full accept queue */
	bool	 fast_open;	/* passive: it had data before the third ACK */
	bool	 ended;		/* what follows is known */
	uint8_t  role;		/* enum role_word */
	uint8_t  state;		/* the last one known */
	bool	 complete;
	struct verdict verdict;
	uint16_t missed;
	uint64_t start_ns, end_ns;
	uint64_t end_heard_ns;	/* as of a step */
	uint64_t synack_ns;	/* passive: the first SYN-ACK went out; 0: not known */
	uint64_t handshake_ns;	/* or UNKNOWN_NS */
	uint32_t retransmits[PHASE_MAX];
	struct progress progress;	/* at the last transition */

	struct step *steps;	/* owned */
	uint16_t nr, room;
	uint32_t left_out;	/* steps that found no room */

	/* what has been told already */
	uint64_t told_ns;	/* all that was heard up to then; 0: nothing */
	uint64_t told_at_ns;	/* time of the last step among that */
	bool	 end_told;
	uint8_t  base_state;	/* where the first of the steps begins */
	struct progress base;
};

/*
 * Takes in what the engine told of it, now_ns being the newest record's time.
 * *budget is how many steps all views may still allocate.  No meaning is given
 * here: it is cheap.
 */
void view_report(struct view *v, const struct report *r, uint64_t now_ns, uint32_t *budget);

/* Frees the steps, and gives the budget back; what comes later builds on them. */
void view_forget_steps(struct view *v, uint32_t *budget);

/* The number of the peer's FIN, come or to come. */
uint32_t view_peer_fin(const struct progress *p);

#endif
