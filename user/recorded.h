/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorded.h - a run on a recording: what --read does, with its errors told.
 */
#ifndef SYNFIN_RECORDED_H
#define SYNFIN_RECORDED_H

#include "replay.h"
#include "session.h"

/* 0 and *ret, or an enum exit_status. */
int recorded_open(const char *path, struct replay **ret);

/*
 * Until the recording's end, a signal, or nobody reads.  Ends the session.
 * Returns an enum exit_status.
 */
int recorded_run(struct session *s, struct replay *r, const char *path);

#endif
