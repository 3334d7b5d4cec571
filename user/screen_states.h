/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen_states.h - the diagram of TCP's states: how many sockets are in each, and on
 * its arrows how many go that way, per second.  Narrow, a matrix of the same.
 */
#ifndef SYNFIN_SCREEN_STATES_H
#define SYNFIN_SCREEN_STATES_H

#include "board.h"
#include "glyphs.h"
#include "grid.h"

#define STATES_WIDTH	80u	/* columns that the diagram takes */

/* From x, y on; tall: there are lines for a diagram.  How many lines it took. */
unsigned int states_draw(struct grid *g, const struct board *b, const struct glyphs *glyphs,
			 unsigned int x, unsigned int y, bool tall);

#endif
