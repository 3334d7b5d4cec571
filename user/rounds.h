/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rounds.h - censuses of the kernel's sockets again and again while tracing goes on:
 * each kind some seconds apart, or more, so that all of them together take less than
 * a hundredth of a core.  One at a time: in between what was traced is drained.
 */
#ifndef SYNFIN_ROUNDS_H
#define SYNFIN_ROUNDS_H

#include "capture.h"
#include "gauges.h"

/* What the capture's config has to have in its member censuses. */
#define ROUNDS_CENSUSES	(1u << WIRE_CENSUS_PORTS | 1u << WIRE_CENSUS_LISTENERS | \
			 1u << WIRE_CENSUS_AGED)

struct rounds {
	struct capture *capture;
	struct gauges *gauges;	/* which the capture's records are fed to */
	uint64_t due_ns[WIRE_CENSUS_KINDS];
};

/* The first of each, now. */
void rounds_begin(struct rounds *r, struct capture *capture, struct gauges *gauges);

/* The one that is due, if any. */
void rounds_turn(struct rounds *r, uint64_t now_ns);

#endif
