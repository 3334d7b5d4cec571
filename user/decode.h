/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode.h - bytes in, an event or an error out.  Total: trusts nothing, reads
 * nothing beyond len, needs no alignment.  Pure.
 */
#ifndef SYNFIN_DECODE_H
#define SYNFIN_DECODE_H

#include <stddef.h>
#include "event.h"

/*
 * Decode one record.  Returns 0 and fills *ret, or leaves *ret untouched:
 *   -EBADMSG  truncated, a length that its kind does not have, or a member
 *             outside its range (a time after 292 years, state, family,
 *             unterminated text, ...)
 *   -EPROTO   written by another WIRE_VERSION
 *   -ENOTSUP  a kind unknown to this build; skip it and carry on
 * After 0 all states are 1..13 (0 where a member may be absent), a mini-socket's
 * 5 or 6, family is 4 or 6, text is terminated.
 */
int decode(const void *buf, size_t len, union event *ret);

/* How long a record of kind is, at most if it ends in text; 0: no such kind. */
size_t decode_size(unsigned int kind);

/*
 * The same without a copy, for who changes nothing: buf is aligned as the union,
 * and nobody writes to it while *ret, which points there, is in use.
 */
int decode_in_place(const void *buf, size_t len, const union event **ret);

#endif
