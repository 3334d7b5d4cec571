/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * digest.h - a board as plain text, to be pasted into a ticket: what `synfin top`
 * leaves behind, and what it prints where there is no terminal.  ASCII, no colour,
 * at most DIGEST_WIDTH columns but for long names; the worst few of each list.
 */
#ifndef SYNFIN_DIGEST_H
#define SYNFIN_DIGEST_H

#include "board.h"
#include "text.h"

#define DIGEST_WIDTH	79u
#define DIGEST_SIZE	32768u	/* bytes that it takes at most */

void digest_write(struct text *t, const struct board *b);

#endif
