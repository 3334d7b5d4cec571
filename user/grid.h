/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grid.h - a screen of characters, each with a role that a terminal gives a colour
 * or an attribute: drawn into by whoever knows what is to be seen, handed to a
 * terminal by terminal.h, or read by a test.  Pure.
 *
 * What does not fit is cut.  Nothing but printable characters gets in, whatever is
 * put: the rest is a ?.
 */
#ifndef SYNFIN_GRID_H
#define SYNFIN_GRID_H

#include <stddef.h>
#include <stdint.h>

/* id: what it is for */
#define INKS(X)				\
	X(PLAIN)			\
	X(FAINT)	/* labels, nothing going on */	\
	X(TITLE)			\
	X(HEADER)	/* of a table */	\
	X(GOOD)				\
	X(WARNING)			\
	X(FAILURE)			\
	X(SELECTED)			\
	X(KEY)		/* what can be pressed */

enum ink {
#define X(id) INK_##id,
	INKS(X)
#undef X
	INK_MAX
};

struct grid_cell {
	uint32_t c;		/* Unicode */
	uint8_t ink;		/* enum ink */
};

struct grid {
	unsigned int width, height;
	struct grid_cell *cells;	/* owned */
	unsigned int x, y;	/* the pen */
	unsigned int right;	/* where it is cut; at most width */
};

/* Blank.  -ENOMEM and the grid as it was, or 0.  A zeroed one can be given its size. */
int grid_resize(struct grid *g, unsigned int width, unsigned int height);
void grid_deinit(struct grid *g);

void grid_clear(struct grid *g);

/* The pen is here, and what it writes ends before column right. */
void grid_at(struct grid *g, unsigned int x, unsigned int y, unsigned int right);

/* UTF-8, from the pen on. */
void grid_bytes(struct grid *g, enum ink ink, const char *s, size_t len);
void grid_str(struct grid *g, enum ink ink, const char *s);
void grid_char(struct grid *g, enum ink ink, uint32_t c);

/* Blanks, up to column x. */
void grid_pad(struct grid *g, enum ink ink, unsigned int x);

/* The next character of a text; *s moves on.  What is not UTF-8 is U+FFFD. */
uint32_t grid_decode(const char **s, const char *end);

static inline const struct grid_cell *grid_cell(const struct grid *g, unsigned int x,
						unsigned int y)
{
	return &g->cells[y * g->width + x];
}

#endif
