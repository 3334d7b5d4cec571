/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survey_run.h - censuses of the running kernel: once, or again and again with
 * -i.  timewait -i traces in between, since no census tells rates and owners.
 */
#ifndef SYNFIN_SURVEY_RUN_H
#define SYNFIN_SURVEY_RUN_H

#include "session.h"

/* Until it is told, or a signal, -d, -c, or nobody reads.  An enum exit_status, its error told. */
int survey_run(struct session *s, const struct options *opt, const struct scope *scope);

#endif
