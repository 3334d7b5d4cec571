/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rounds.h - censuses of the kernel's sockets again and again while tracing goes on:
 * each kind some seconds apart, or more, so that all of them together take less than
 * a hundredth of a core.  One at a time: in between what was traced is drained.
 *
 * A walk over all sockets of a namespace costs some milliseconds, whoever is there.  If
 * it is known without one what it would find, it is not made, but once a minute.
 */
#ifndef SYNFIN_ROUNDS_H
#define SYNFIN_ROUNDS_H

#include "capture.h"
#include "gauges.h"
#include "metrics.h"

struct rounds_config {
	uint32_t censuses;	/* by enum wire_census_which; the capture's config has them, too */
	uint64_t apart_ns;	/* each kind, at the least */
	struct gauges *gauges;	/* which the capture's records are fed to; NULL: none */
	struct metrics *metrics;	/* likewise; if there are gauges */
};

struct rounds {
	struct capture *capture;
	struct rounds_config config;
	uint64_t due_ns[WIRE_CENSUS_KINDS];
	uint64_t walked_ns[WIRE_CENSUS_KINDS];	/* the last census began then, */
	uint64_t transitions[WIRE_CENSUS_KINDS];	/* after so many */
};

/* The first of each, now.  The config is copied. */
void rounds_begin(struct rounds *r, struct capture *capture, const struct rounds_config *config);

/* The one that is due, if any. */
void rounds_turn(struct rounds *r, uint64_t now_ns);

#endif
