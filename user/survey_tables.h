/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survey_tables.h - the tables of timewait, listen and conns --stuck.
 */
#ifndef SYNFIN_SURVEY_TABLES_H
#define SYNFIN_SURVEY_TABLES_H

#include "table.h"

/* command: one of F_SURVEYS. */
const struct table *survey_table(uint32_t command);

/* Else it is a note, such as a loss. */
bool survey_is_row(const struct row *row);

#endif
