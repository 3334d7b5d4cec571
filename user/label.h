/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * label.h - what stands on an arrow, in plain words: ASCII, the same in every
 * picture of it.  Pure.
 *
 * J and K stand for the initial sequence numbers of the left and the right end,
 * as in the textbooks, unless the kernel's own numbers are asked for.
 */
#ifndef SYNFIN_LABEL_H
#define SYNFIN_LABEL_H

#include "ladder.h"
#include "text.h"

/* "SYN,ACK seq=K ack=J+1", "data 8 B in 1 segment, seq=J+1", "half-closed for 421 ms" */
void label_arrow(struct text *t, const struct ladder *l, const struct arrow *a, bool absolute);

/* "client", "server"; "this end", "the peer" where nobody was seen to open. */
const char *label_end(const struct ladder *l, enum lane lane);

/* "FIN_WAIT1" */
void label_state(struct text *t, unsigned int state);

/* 0.034 12.345 1012.008 60000 */
void label_ms(struct text *t, uint64_t ns);

#endif
