/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * series.h - the last values of something that is sampled again and again, for a
 * sparkline.  Valid when zeroed.  Pure.
 */
#ifndef SYNFIN_SERIES_H
#define SYNFIN_SERIES_H

#include <stdint.h>

#define SERIES_LEN	256	/* more columns than a terminal has for one */

struct series {
	uint64_t values[SERIES_LEN];
	uint64_t nr;		/* samples ever */
};

void series_add(struct series *s, uint64_t value);

/* The last but `back`; 0 where there was none yet. */
uint64_t series_back(const struct series *s, unsigned int back);

/* The greatest of the last n; 0: there are none. */
uint64_t series_peak(const struct series *s, unsigned int n);

#endif
