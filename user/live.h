/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live.h - a session on the running kernel (loop.h).
 */
#ifndef SYNFIN_LIVE_H
#define SYNFIN_LIVE_H

#include "session.h"

/* Until a signal, -d, -c, or nobody reads.  An enum exit_status, its error told. */
int live_run(struct session *s, const struct options *opt, const struct scope *scope);

#endif
