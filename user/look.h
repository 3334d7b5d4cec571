/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * look.h - how somebody looks at a board: which list, sorted by what, filtered by
 * what, which line; and what a key does to that.  Pure.
 */
#ifndef SYNFIN_LOOK_H
#define SYNFIN_LOOK_H

#include <stdbool.h>

#include "board.h"

/* id, its key, title */
#define PANELS(X)						\
	X(TROUBLES, '1', "failed and slow")			\
	X(OWNERS, '2', "owners")				\
	X(LISTENERS, '3', "listeners")				\
	X(SPACES, '4', "port space")				\
	X(PLACES, '5', "TIME_WAIT")				\
	X(CONNS, '6', "connections")

enum panel_id {
#define X(id, key, title) PANEL_##id,
	PANELS(X)
#undef X
	PANEL_MAX
};

/* Keys that are no character; below them the character itself. */
enum look_key {
	LOOK_NO_KEY = 0x110000,
	LOOK_UP, LOOK_DOWN, LOOK_PAGE_UP, LOOK_PAGE_DOWN, LOOK_HOME, LOOK_END,
	LOOK_LEFT, LOOK_RIGHT, LOOK_BACKSPACE,
};

#define LOOK_ENTER	'\n'
#define LOOK_ESCAPE	27

#define LOOK_FILTER	64

/* What the receiver of a key has to do about it; else all is done. */
enum look_action { LOOK_DONE, LOOK_QUIT, LOOK_EXPAND, LOOK_REPAINT };

struct look {
	bool utf8;
	enum panel_id panel;
	uint8_t sort[PANEL_MAX];	/* column + 1; 0: as it comes */
	bool ascending[PANEL_MAX];
	uint64_t marked[PANEL_MAX];	/* the line, by panel_line; 0: the first */
	bool typing, paused, help;
	char filter[LOOK_FILTER];	/* what lines have to contain; "": anything */
	unsigned int len;		/* of filter */
	unsigned int page;		/* lines of the list in front, when it was drawn last */

	/* a ladder in front of all else: text of lines, owned by whoever set it */
	const char *ladder;
	size_t ladder_len;
	unsigned int scroll;		/* of it, or of the help */
	const char *message;		/* until the next key; NULL: none */
};

enum look_action look_press(struct look *l, const struct board *b, uint32_t key);

/* What is marked: the handle of a trouble, or the id of a connection; false: neither. */
struct look_mark { uint64_t handle, id; };
bool look_marked(const struct look *l, const struct board *b, struct look_mark *ret);

#endif
