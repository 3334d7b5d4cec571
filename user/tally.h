/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally.h - what a run amounts to: counts of reports, for the summary (and, in
 * time, the metrics).  Pure.  All counts are of the whole run.
 */
#ifndef SYNFIN_TALLY_H
#define SYNFIN_TALLY_H

#include "engine.h"

struct tally {
	uint64_t first_ns, last_ns;	/* WIRE_START and the last event: realtime */
	uint64_t transitions, retransmits, resets;
	uint64_t connections, incomplete, unseen, owners_unknown;
	uint64_t outcomes[OUTCOME_MAX], closes[CLOSE_MAX], lost[LOST_MAX];
};

/* existing: lives older than the trace count, too. */
void tally_report(struct tally *t, const struct report *r, bool existing);

/* After the last event: what the engine counted beside the reports. */
void tally_finish(struct tally *t, const struct engine *e);

/* Records lost, wherever; what --strict asks. */
uint64_t tally_lost(const struct tally *t);

#endif
