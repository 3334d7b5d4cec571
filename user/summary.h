/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * summary.h - the last record of a run, for a person.  Pure.
 */
#ifndef SYNFIN_SUMMARY_H
#define SYNFIN_SUMMARY_H

#include "field.h"
#include "text.h"

/* Room for the longest. */
#define SUMMARY_MAX	2048

/* "*** up to 120 records lost (nested) ***": a row of event lost.  No line end. */
void table_loss(struct text *t, const struct row *row);

/* Some lines with their line ends.  What did not happen is not mentioned. */
void table_summary(struct text *t, const struct row *row);

#endif
