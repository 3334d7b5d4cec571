/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit_run.h - `synfin audit`: traces the running kernel, reads both sides at the
 * edges, and prints what audit.h makes of them.
 */
#ifndef SYNFIN_AUDIT_RUN_H
#define SYNFIN_AUDIT_RUN_H

#include "options.h"
#include "wire.h"

/* Until a signal or -d.  An enum exit_status, its error told. */
int audit_run(const struct options *opt, const struct wire_scope *scope, int fd);

#endif
