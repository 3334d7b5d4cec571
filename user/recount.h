/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recount.h - holds the gauge of sockets by state (metrics.h) against what a census
 * found.  The gauge follows the kernel's counters, and a transition that the kernel kept
 * back is in none of them: it would be off by it for ever.
 *
 * Every census of lives will do, whoever asked for it: there is one after each loss. If
 * there was none for five minutes, or for a thousand times what the last one took, one
 * is asked for here.
 */
#ifndef SYNFIN_RECOUNT_H
#define SYNFIN_RECOUNT_H

#include "capture.h"
#include "engine.h"
#include "metrics.h"

struct recount {
	struct capture *capture;	/* none of them owned */
	struct engine *engine;
	struct metrics *metrics;
	uint64_t census_ns;	/* when the last census ended that was seen */
	uint64_t try_ns;	/* when what it found can be counted; UINT64_MAX: it was */
	uint64_t again_ns;	/* another census is asked for then */
	uint64_t forgotten;	/* connections, for want of room, by the last turn */
	uint64_t forgotten_before;	/* by the turn before the census */
};

/* All of them are fed by the capture; the first census of lives may have been made. */
void recount_begin(struct recount *r, struct capture *capture, struct engine *engine,
		   struct metrics *metrics);

/* After a drain, at least once a second. */
void recount_turn(struct recount *r, uint64_t now_ns);

#endif
