/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source.h - where raw records come from, and the way they take: the kernel
 * (capture.h) and a recording (replay.h) hand the same bytes to the same
 * function, WIRE_START first and WIRE_END last.
 */
#ifndef SYNFIN_SOURCE_H
#define SYNFIN_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

/* rec is aligned for wire_hdr.  False: enough, nothing but WIRE_END is wanted now. */
typedef bool (*record_fn)(void *ctx, const void *rec, size_t len);

/* Called before a source waits for more.  False: stop here. */
typedef bool (*pause_fn)(void *ctx);

#endif
