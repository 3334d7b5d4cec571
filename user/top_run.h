/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top_run.h - `synfin top` on the running kernel: what it watches, the keys, and the
 * screen, which is the terminal's again when it ends.  Where there is no terminal it
 * prints the digest: with -i again and again, with -d alone once.
 */
#ifndef SYNFIN_TOP_RUN_H
#define SYNFIN_TOP_RUN_H

#include "session.h"

/* The session is one of top.  An enum exit_status, its error told. */
int top_run(struct session *s, const struct options *opt, const struct scope *scope);

#endif
