/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor.h - what `synfin top` knows: events, reports and the kernel's counters in,
 * a board out.  Pure.
 *
 * Where nothing but a namespace is asked for, transitions, retransmits and resets are
 * the kernel's own counts, exact whatever the ring loses; else, and of a recording,
 * they are of the reports that it is given.
 */
#ifndef SYNFIN_MONITOR_H
#define SYNFIN_MONITOR_H

#include "board.h"
#include "engine.h"
#include "explain.h"
#include "metrics.h"
#include "owner_sums.h"
#include "survey.h"
#include "troubles.h"

struct monitor_config {
	struct engine *engine;		/* not owned, as the filter */
	struct scope scope;
	const struct filter *filter;
	bool exact;			/* monitor_kernel() will be called */
	/* whether the socket is asked for */
	bool (*wants)(void *ctx, const struct conn *c);
	void *ctx;
};

struct monitor {
	struct monitor_config config;
	struct metrics metrics;
	struct survey time_wait, listening;
	struct explain explain;
	struct troubles troubles;
	struct owner_sums owners;

	struct board_counts sampled;	/* at the last sample */
	uint64_t sampled_ns, ended_tw;	/* ended_tw: TIME_WAITs that had ended by then */
	uint64_t walked[WIRE_STATES];	/* sockets, when they were counted off */
	bool has_walked;
	const struct conn *last[BOARD_CONNS];	/* within a walk: the last that it met */
	bool ended;			/* what there was then stays */
	struct board board;		/* as of now, but for what monitor_board() adds */
	struct board next;		/* of censuses that are not over */
};

/* -ENOMEM, or 0 and *ret. */
int monitor_create(const struct monitor_config *config, struct monitor **ret);
void monitor_destroy(struct monitor *m);	/* NULL is fine */

/* Every event, before the engine gets it; reports of the engine's that are asked for. */
void monitor_event(struct monitor *m, const union event *ev);
void monitor_report(struct monitor *m, const struct report *r, bool asked_for);

/* All namespaces together. */
void monitor_kernel(struct monitor *m, const struct wire_counters *counters);

/* Once, when the engine has met all that is there and older was drained (metrics.h). */
void monitor_count_off(struct monitor *m, const struct wire_counters *counters);

/* Whose the open sockets are: takes time in proportion to their number. */
void monitor_walk(struct monitor *m);

/* One more value of every rate. */
void monitor_sample(struct monitor *m, uint64_t now_ns);

/* What there is to show now; what the board has of others is theirs to set in m->board. */
void monitor_board(struct monitor *m, uint64_t now_ns, struct board *ret);

/*
 * The ladder of a trouble by its handle, or if that is 0 of a connection by its id, as
 * far as it has come; false: there is none.
 */
bool monitor_ladder(struct monitor *m, uint64_t handle, uint64_t id, tell_fn tell, void *ctx);

/* When monitor_advance() is wanted; 0: never. */
uint64_t monitor_next_deadline(const struct monitor *m);
void monitor_advance(struct monitor *m, uint64_t now_ns);

#endif
