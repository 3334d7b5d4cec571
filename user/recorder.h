/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorder.h - --write: a tee of raw records into a file, before anything
 * reads them.
 */
#ifndef SYNFIN_RECORDER_H
#define SYNFIN_RECORDER_H

#include <stddef.h>

struct recorder;

/*
 * Readable by root only, since it tells who talks to whom; an existing file is
 * overwritten, a symbolic link is refused (-ELOOP), and so is one of several hard
 * links (-EMLINK).  -errno, *ret untouched.
 */
int recorder_create(const char *path, struct recorder **ret);

/*
 * 0, or -errno of the write that failed, now and ever after.  The file then
 * ends after the last whole record that fitted.
 */
int recorder_record(struct recorder *r, const void *rec, size_t len);

/* Writes what is buffered.  0 or -errno; r is gone either way.  NULL is fine. */
int recorder_close(struct recorder *r);

#endif
