/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * out.h - stdout behind a bounded buffer, so that a slow reader never holds up
 * the tracer, and is never handed half a record.
 *
 * The descriptor is never made non-blocking (it is shared with whoever started
 * us).  A pipe gets at most PIPE_BUF bytes, and only after poll() says they
 * fit; a terminal is opened once more, since its POLLOUT promises one byte only;
 * a regular file is written at once.  When the buffer is full a whole record is
 * dropped and counted, or, if told so (replay), waited for.
 */
#ifndef SYNFIN_OUT_H
#define SYNFIN_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Some two seconds of a full-speed storm. */
#ifndef OUT_SIZE	/* fuzzers have a small one, to meet its bound */
#define OUT_SIZE	(8u << 20)
#endif

struct out {
	int fd;
	int own;	/* fd, or a terminal opened once more, for us alone */
	bool waits;	/* never drop */
	bool blocks;	/* not a pipe, socket or terminal: write() does not depend on a reader */
	int err;	/* errno of the failed write; EPIPE: the reader is gone */
	char *buf;
	size_t start, len;
	uint64_t dropped;	/* records */
};

/* -ENOMEM, or 0. */
int out_init(struct out *o, int fd, bool waits);
void out_deinit(struct out *o);	/* does not flush */

/* A whole record.  False: dropped, or the descriptor has failed. */
bool out_append(struct out *o, const char *record, size_t len);

/* What can be written without waiting. */
void out_flush(struct out *o);

/* All of it, however long it takes, but for a failed descriptor. */
void out_drain(struct out *o);

#endif
