/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cells.h - what the tables' cells are made of: a value of a row, in words and
 * figures for people.  Of a field that the row has not nothing is put.
 */
#ifndef SYNFIN_CELLS_H
#define SYNFIN_CELLS_H

#include "table.h"

const char *row_word(const struct row *row, enum field f);	/* NULL: none */
bool row_says(const struct row *row, enum field f, const char *word);
uint64_t row_number(const struct row *row, enum field f);	/* 0: none */

void cell_word(struct cell *c, const char *before, const struct row *row, enum field f,
	       const char *after);
void cell_number(struct cell *c, const char *before, const struct row *row, enum field f,
		 const char *after);
void cell_duration(struct cell *c, const char *before, const struct row *row, enum field f);

/* As ss and tcpstates spell it: FIN_WAIT1. */
void cell_state(struct cell *c, const char *before, const struct row *row, enum field f);

/* Local time of day. */
void cell_clock(struct cell *c, const struct row *row, unsigned int decimals);

/* nginx[812]; nginx[812]? where only the listener's owner is known (owner_from). */
void cell_process(struct cell *c, const struct row *row);

/* Its container, or else its unit. */
void cell_place(struct cell *c, const struct row *row);

/* Likewise; and the network namespace's name. */
void cell_where(struct cell *c, const struct row *row);

#endif
