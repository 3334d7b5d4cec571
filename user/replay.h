/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.h - --read: a recording as a source.  Trusts nothing in the file;
 * needs neither root nor a kernel that could trace.
 */
#ifndef SYNFIN_REPLAY_H
#define SYNFIN_REPLAY_H

#include <stdint.h>
#include <linux/types.h>
#include "source.h"
#include "wire.h"

struct replay;

/* What is wrong with a file, beside an errno of reading it. */
enum replay_error {
	REPLAY_FOREIGN = 1,	/* no recording of synfin's */
	REPLAY_BYTE_ORDER,	/* of a machine of the other byte order */
	REPLAY_VERSION,		/* another WIRE_VERSION; replay_version() tells */
	REPLAY_TRUNCATED,	/* ends within a record, or without WIRE_END */
	REPLAY_DAMAGED,		/* a record that cannot be */
};

/*
 * Opens and checks the file's head, up to WIRE_START.  0 and *ret, or a
 * negative errno, or an enum replay_error and, with REPLAY_VERSION, *version.
 */
int replay_open(const char *path, struct replay **ret, uint32_t *version);
void replay_destroy(struct replay *r);

/* The same of bytes in memory, which have to outlive it. */
int replay_open_memory(const void *bytes, size_t len, struct replay **ret, uint32_t *version);

/* The recording's first record. */
const struct wire_start *replay_start(const struct replay *r);

/*
 * Hands out all records; before it reads on, which may take long on a pipe,
 * calls pause, and stops with 0 if that says so.  0, a negative errno, REPLAY_TRUNCATED or
 * REPLAY_DAMAGED: then everything before replay_position() was handed out, and
 * no WIRE_END.
 */
int replay_run(struct replay *r, record_fn fn, pause_fn pause, void *ctx);

/* Where in the file reading stopped, in bytes. */
uint64_t replay_position(const struct replay *r);

#endif
