/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup_rounds.h - keeps --metrics.group-by cgroup (groups.h) up to date: asks for the
 * path of each cgroup as soon as it appears, and every 5 s, or less often where it takes
 * long, counts sockets by cgroup and looks which cgroups are still there.
 */
#ifndef SYNFIN_CGROUP_ROUNDS_H
#define SYNFIN_CGROUP_ROUNDS_H

#include "cgroup_lookup.h"
#include "engine.h"
#include "groups.h"
#include "self.h"

struct cgroup_rounds {
	struct groups groups;
	struct engine *engine;
	struct cgroup_lookup *lookup;	/* NULL: no cgroup v2 is mounted; no path is known */
	uint64_t due_ns;
	struct self_collector state;
};

/*
 * As long as there are privileges; engine: has to live as long.  has_v1: cgroups of
 * version 1 are used, and the engine is told of processes.  0 or -ENOMEM.
 */
int cgroup_rounds_begin(struct cgroup_rounds *r, struct engine *engine, bool has_v1);
void cgroup_rounds_deinit(struct cgroup_rounds *r);	/* a zeroed one, too */

/* What is due.  now_ns: CLOCK_MONOTONIC. */
void cgroup_rounds_turn(struct cgroup_rounds *r, uint64_t now_ns);

#endif
