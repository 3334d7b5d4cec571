/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * row.h - from a report to a row of fields: the one place that knows which key
 * says what.  Pure.
 */
#ifndef SYNFIN_ROW_H
#define SYNFIN_ROW_H

#include "audit.h"
#include "doctor.h"
#include "field.h"
#include "ladder.h"
#include "report.h"
#include "tally.h"

/* What `v` says: the version of the records. */
#define RECORD_VERSION	1

void row_from_report(struct row *row, const struct report *r);

/* What a ladder's row is about. */
struct ladder_row {
	const struct ladder *ladder;
	const struct arrow *arrow;
	uint8_t states[2];	/* enum tcp_state of both ends after it; TS_NONE: not known */
	const char *text;	/* of the verdict; NULL: none */
	uint32_t text_len;
	bool absolute;		/* numbers as they are on the wire */
};

void row_from_arrow(struct row *row, const struct ladder_row *r);

void row_add_cgroup(struct row *row, const struct cgroup *c);

/* time_ns: CLOCK_REALTIME. */
void row_from_check(struct row *row, const struct check *c, uint64_t time_ns);

/* time_ns: CLOCK_REALTIME. */
void row_from_audit(struct row *row, const struct audit_row *a, uint32_t netns, uint64_t time_ns);

/* The last record of an audit, whose trace is not looked into; ms: how long it took. */
void row_from_audit_end(struct row *row, uint64_t time_ns, uint64_t ms, uint64_t lost_ring,
			uint64_t lost_nested);

/* The last record of censuses without a trace; ms: how long they took. */
void row_from_survey_end(struct row *row, uint64_t time_ns, uint64_t ms, uint64_t lost_sink);

/* The last record of a run. */
void row_from_tally(struct row *row, const struct tally *t);

#endif
