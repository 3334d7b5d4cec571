/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * glyphs.h - what `synfin top` draws with: of Unicode, or of ASCII where the locale
 * has no more.  Constant.
 */
#ifndef SYNFIN_GLYPHS_H
#define SYNFIN_GLYPHS_H

#include <stdbool.h>

struct glyphs {
	const char *spark[9];	/* nothing, then from low to high */
	const char *full, *empty;	/* of a bar */
	const char *line, *head, *down;	/* --> and a line downwards */
	const char *corner_top, *corner_bottom, *tee, *top_left, *bottom_left, *bottom_tee;
	const char *to, *from;	/* who opened: this end, the other one */
	const char *cut, *sorted_down, *sorted_up;
};

extern const struct glyphs glyphs_ascii, glyphs_unicode;

static inline const struct glyphs *glyphs_of(bool utf8)
{
	return utf8 ? &glyphs_unicode : &glyphs_ascii;
}

#endif
