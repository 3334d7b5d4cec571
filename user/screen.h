/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen.h - a board, looked at, drawn into a grid of any size: rates, the diagram
 * of states, the worst of TIME_WAIT, port space and listeners, and as many lists as
 * there is room for.  Below SCREEN_WIDTH x SCREEN_HEIGHT it says so instead.
 *
 * What a colour says is said by words or figures, too.
 */
#ifndef SYNFIN_SCREEN_H
#define SYNFIN_SCREEN_H

#include "grid.h"
#include "look.h"

#define SCREEN_WIDTH	64u
#define SCREEN_HEIGHT	18u

/* l->page is set. */
void screen_draw(struct grid *g, const struct board *b, struct look *l);

#endif
