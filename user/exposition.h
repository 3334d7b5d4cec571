/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exposition.h - metrics as text: Prometheus' classic format 0.0.4, or
 * OpenMetrics 1.0.  Pure.  A family of which nothing is known is left out.
 */
#ifndef SYNFIN_EXPOSITION_H
#define SYNFIN_EXPOSITION_H

#include "gauges.h"
#include "groups.h"
#include "metrics.h"
#include "self.h"
#include "text.h"

enum exposition_format { EXPOSITION_CLASSIC, EXPOSITION_OPENMETRICS };

/* What there is to tell. */
struct exposition {
	const struct metrics *metrics;
	const struct self *self;
	const struct gauges *gauges;
	const struct groups *groups;	/* NULL: were not asked for */
	const struct timewait *minis;	/* what the engine's ledger has */
	uint64_t tracked;	/* connections in the table */
	const char (*reasons)[WIRE_NAME_LEN];	/* of resets, by number; "": none */
};

/*
 * Enough for all families with every label value that there can be: some 100 KB, and
 * 200 cgroups whose paths are as long as can be.
 */
#define EXPOSITION_MAX	(4 * 1024 * 1024)

void exposition_write(struct text *t, const struct exposition *x, enum exposition_format format);

#endif
