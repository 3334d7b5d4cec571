/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * row.h - from a report to a row of fields: the one place that knows which key
 * says what.  Pure.
 */
#ifndef SYNFIN_ROW_H
#define SYNFIN_ROW_H

#include "field.h"
#include "report.h"
#include "tally.h"

/* What `v` says: the version of the records. */
#define RECORD_VERSION	1

void row_from_report(struct row *row, const struct report *r);

/* The last record of a run. */
void row_from_tally(struct row *row, const struct tally *t);

#endif
