/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export.h - the command: traces without printing anything, and serves what was
 * counted as metrics.
 */
#ifndef SYNFIN_EXPORT_H
#define SYNFIN_EXPORT_H

#include "options.h"

/* Returns an enum exit_status, its error told. */
int export_run(const struct options *opt, const struct scope *scope);

#endif
