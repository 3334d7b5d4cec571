/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics.h - what `synfin export` has counted so far.  Pure.
 *
 * Two sources.  What the kernel counts beside the ring is exact whatever the
 * ring loses: transitions, births, retransmits, resets.  What only a verdict
 * tells (how handshakes failed, how connections ended, how long it all took)
 * counts the lives that were understood; the others are in `incomplete` and
 * `unseen`, so that nothing is in two places and nothing in none.
 *
 * No counter ever goes back.
 */
#ifndef SYNFIN_METRICS_H
#define SYNFIN_METRICS_H

#include "engine.h"
#include "histogram.h"
#include "tcp_state.h"

#define INCOMPLETE_REASONS(X)				\
	X(STARTED_BEFORE_ATTACH, "started_before_attach")	\
	X(EVENT_LOST, "event_lost")			\
	X(TABLE_FULL, "table_full")			\
	X(EXPIRED, "expired")

enum incomplete_reason {
#define X(id, text) INCOMPLETE_##id,
	INCOMPLETE_REASONS(X)
#undef X
	INCOMPLETE_MAX
};

#define METRICS_BUCKETS	(HISTOGRAM_EDGES_MAX + 1)

struct metrics {
	/* the kernel's, see metrics_kernel() */
	struct wire_counters kernel;
	uint64_t transitions[WIRE_STATES][WIRE_STATES];
	uint64_t resets_received[WIRE_STATES];
	uint64_t handshakes[ROLE_MAX];

	/* of lives, see metrics_report() */
	uint64_t failures[ROLE_MAX][OUTCOME_MAX];
	uint64_t closes[CLOSE_MAX][SIDE_MAX];	/* SIDE_NONE: neither FIN nor RST */
	uint64_t incomplete[INCOMPLETE_MAX];
	uint64_t unseen;
	uint64_t of_minis[WIRE_STATES];	/* FIN_WAIT2 mini-sockets that went to this state */
	struct histogram handshake[ROLE_MAX], duration[ROLE_MAX], teardown[SIDE_MAX];
	struct exemplar exemplars[ROLE_MAX][METRICS_BUCKETS];	/* of handshake */

	/* of records and reports themselves */
	uint64_t events[WIRE_KIND_MAX];
	uint64_t lost[LOST_MAX];
	uint64_t told_ring;	/* of lost[LOST_RING], what the engine was told */
	uint64_t reports;

	/*
	 * Sockets by state: those counted off, less what the kernel had counted of them by
	 * then: the flow that records told, and what they did not tell, since so many of
	 * them had no room in the ring.
	 */
	bool has_sockets;
	int64_t sockets_base[WIRE_STATES];
	int64_t flow[WIRE_STATES];
	int64_t untold[WIRE_STATES], rest[WIRE_STATES];	/* rest: as it was seen once */
	uint64_t untold_ring, rest_ring;
	uint64_t corrections;	/* sockets by which it was off whenever they were counted off */
};

/* Every record of the kernel, before the engine sees it. */
void metrics_event(struct metrics *m, const union event *ev);

/* Every report of the engine. */
void metrics_report(struct metrics *m, const struct report *r);

/* The counters beside the ring, all namespaces together. */
void metrics_kernel(struct metrics *m, const struct wire_counters *counters);

/*
 * When the table holds every socket that there is, and everything older than the
 * counters, which were read just now, was drained.  False, and nothing changed: records
 * were lost in the ring, and what they would have told is not known (yet: the next).
 * Else *off is by how many sockets the gauge was wrong, 0 the first time.  A transition
 * that the kernel kept back is in none of its counters: only so the gauge gets over it.
 */
bool metrics_count_off(struct metrics *m, const struct wire_counters *counters,
		       struct conntab *conns, uint64_t *off);

/*
 * All was drained, and the counters were the same before and after: what they have
 * beyond the records, these will not tell any more.  Believed when it is seen twice, for
 * a record may be under way.
 */
void metrics_quiet(struct metrics *m, const struct wire_counters *counters);

/*
 * births: what the kernel had counted before the ring was drained the last time;
 * call it when lives that lost their birth have had their chance to turn up.
 */
void metrics_settle_births(struct metrics *m, uint64_t births, const struct engine *e);

/* Full sockets in that state; 0 rather than fewer than none. */
uint64_t metrics_sockets(const struct metrics *m, enum tcp_state state);

/* REPORT_CONNECTION, of a handshake that never reached ESTABLISHED and of which all is known. */
bool metrics_is_failure(const struct report *r);

uint64_t metrics_births(const struct wire_counters *counters);

const char *incomplete_text(enum incomplete_reason reason);

#endif
