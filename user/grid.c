// SPDX-License-Identifier: GPL-2.0-or-later
#include "grid.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT	0xfffdu

void grid_clear(struct grid *g)
{
	for (size_t i = 0; i < (size_t)g->width * g->height; i++)
		g->cells[i] = (struct grid_cell){ ' ', INK_PLAIN };
	grid_at(g, 0, 0, g->width);
}

int grid_resize(struct grid *g, unsigned int width, unsigned int height)
{
	struct grid_cell *cells = calloc((size_t)width * height + 1, sizeof(*cells));

	if (!cells)
		return -ENOMEM;
	free(g->cells);
	*g = (struct grid){ .width = width, .height = height, .cells = cells };
	grid_clear(g);
	return 0;
}

void grid_deinit(struct grid *g)
{
	free(g->cells);
	*g = (struct grid){};
}

void grid_at(struct grid *g, unsigned int x, unsigned int y, unsigned int right)
{
	g->x = x;
	g->y = y;
	g->right = right < g->width ? right : g->width;
}

/* No control characters, neither C0 nor C1. */
static bool is_printable(uint32_t c)
{
	return c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && c != REPLACEMENT;
}

void grid_char(struct grid *g, enum ink ink, uint32_t c)
{
	if (g->x >= g->right || g->y >= g->height)
		return;
	g->cells[g->y * g->width + g->x] = (struct grid_cell){ is_printable(c) ? c : '?', ink };
	g->x++;
}

/* The bits of a first byte, and how many bytes follow it; -1: it is none. */
static int lead(unsigned char first, uint32_t *bits)
{
	if (first < 0x80) {
		*bits = first;
		return 0;
	}
	for (int more = 1; more <= 3; more++) {
		unsigned char mask = 0xff << (6 - more);

		if ((first & mask) == (unsigned char)(mask << 1)) {
			*bits = first & ~mask;
			return more;
		}
	}
	return -1;
}

uint32_t grid_decode(const char **s, const char *end)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)*s;
	uint32_t c;
	int more = lead(*p, &c);

	(*s)++;
	if (more < 0 || end - *s < more)
		return REPLACEMENT;
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return REPLACEMENT;
		c = c << 6 | (p[i] & 0x3f);
	}
	*s += more;
	return c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? REPLACEMENT : c;
}

void grid_bytes(struct grid *g, enum ink ink, const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end)
		grid_char(g, ink, grid_decode(&s, end));
}

void grid_str(struct grid *g, enum ink ink, const char *s)
{
	grid_bytes(g, ink, s, strlen(s));
}

void grid_pad(struct grid *g, enum ink ink, unsigned int x)
{
	while (g->x < x && g->x < g->right)
		grid_char(g, ink, ' ');
}
