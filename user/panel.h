/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * panel.h - the lists of `synfin top`: what stands in which column, by what they can
 * be sorted, and which lines there are.  One const table a list.
 */
#ifndef SYNFIN_PANEL_H
#define SYNFIN_PANEL_H

#include "glyphs.h"
#include "grid.h"
#include "look.h"
#include "text.h"

#define PANEL_COLUMNS	12
#define PANEL_LINES	256	/* as many as any of the lists has */

/* What a cell is made of; its ink may be set. */
struct panel_cell {
	struct text text;	/* UTF-8 */
	enum ink ink;
	const struct glyphs *g;
	unsigned int width;	/* what there is for it */
};

struct panel_column {
	const char *header;
	uint8_t width;
	uint8_t rank;		/* the higher, the sooner it is left out; 0: never */
	bool right, fills;	/* fills: gets what is left over */
	bool names;		/* by which a line is the same as a moment ago */
	void (*render)(struct panel_cell *c, const struct board *b, unsigned int i);
	uint64_t (*key)(const struct board *b, unsigned int i);	/* NULL: not sortable */
};

struct panel {
	const char *title, *empty;	/* empty: what is said if there is no line */
	const struct panel_column *columns;
	unsigned int nr;
	unsigned int (*lines)(const struct board *b);
	/* the order in which they come; NULL: that of the board */
	uint64_t (*order)(const struct board *b, unsigned int i);
};

extern const struct panel panels[PANEL_MAX];

struct panel_lines {
	unsigned int nr, of;	/* of: without the filter */
	uint16_t index[PANEL_LINES];	/* into the board's array */
	unsigned int marked;	/* the one that is marked */
};

/* What is to be shown, in order. */
void panel_lines(const struct look *l, enum panel_id id, const struct board *b,
		 struct panel_lines *ret);

/* The name of a line, that does not change while its figures do; never 0. */
uint64_t panel_line(enum panel_id id, const struct board *b, unsigned int i);

/* Into a place of the grid, with its title and header. */
void panel_draw(struct grid *g, const struct look *l, enum panel_id id, const struct board *b,
		unsigned int x, unsigned int y, unsigned int width, unsigned int height);

#endif
