// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 1 failed and slow (3)                 COUNT   PER S   TOOK PROCESS
 * ECONNREFUSED     -> 10.0.0.2:443        54k  1.2k/s    0us nginx[812]
 */
#include "panel.h"

#include <string.h>

#include "board_text.h"

#define GAP	1

/* ---- columns that fit ---- */

struct fit {
	bool shown[PANEL_COLUMNS];
	unsigned int width[PANEL_COLUMNS];
};

static unsigned int needed(const struct panel *p, unsigned int rank)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < p->nr; i++) {
		if (p->columns[i].rank <= rank)
			sum += p->columns[i].width + GAP;
	}
	return sum - GAP;
}

static void fit_columns(const struct panel *p, unsigned int width, struct fit *ret)
{
	unsigned int rank = UINT8_MAX, sum, left, fills = 0;

	while (rank && needed(p, rank) > width)
		rank--;
	sum = needed(p, rank);
	left = width > sum ? width - sum : 0;
	for (unsigned int i = 0; i < p->nr; i++)
		fills += p->columns[i].fills && p->columns[i].rank <= rank;
	for (unsigned int i = 0; i < p->nr; i++) {
		const struct panel_column *c = &p->columns[i];

		ret->shown[i] = c->rank <= rank;
		ret->width[i] = c->width;
		if (c->fills && ret->shown[i]) {	/* the last takes what is left over */
			ret->width[i] += left / fills;
			left -= left / fills--;
		}
	}
}

/* ---- one line ---- */

static void render(struct panel_cell *cell, char *buf, size_t size, const struct panel_column *c,
		   const struct look *l, const struct board *b, unsigned int i, unsigned int width)
{
	*cell = (struct panel_cell){
		.text = text_into(buf, size), .ink = INK_PLAIN, .g = glyphs_of(l->utf8),
		.width = width,
	};
	c->render(cell, b, i);
}

static unsigned int columns_of(const char *s, const char *end)
{
	unsigned int n = 0;

	while (s < end) {
		grid_decode(&s, end);
		n++;
	}
	return n;
}

/* What is too long loses its middle: of an address the port matters, of a name both ends. */
static void put_cut(struct grid *g, enum ink ink, const char *s, const char *end,
		    unsigned int width, unsigned int n, const char *cut)
{
	unsigned int head = (width - 1) / 2, tail = width - 1 - head;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t c = grid_decode(&s, end);

		if (i == head)
			grid_str(g, ink, cut);
		if (i < head || i >= n - tail)
			grid_char(g, ink, c);
	}
}

static void put_cell(struct grid *g, const struct panel_cell *cell, const char *buf, bool right,
		     bool marked)
{
	unsigned int n = columns_of(buf, cell->text.p), begin = g->x;
	enum ink ink = marked ? INK_SELECTED : cell->ink, blank = marked ? ink : INK_PLAIN;

	if (right && n < cell->width)
		grid_pad(g, blank, begin + cell->width - n);
	if (n > cell->width)
		put_cut(g, ink, buf, cell->text.p, cell->width, n, cell->g->cut);
	else
		grid_bytes(g, ink, buf, cell->text.p - buf);
	grid_pad(g, blank, begin + cell->width + GAP);
}

static void draw_line(struct grid *g, const struct look *l, const struct panel *p,
		      const struct fit *fit, const struct board *b, unsigned int i, bool marked)
{
	struct panel_cell cell;
	char buf[512];

	for (unsigned int c = 0; c < p->nr; c++) {
		if (!fit->shown[c])
			continue;
		render(&cell, buf, sizeof(buf), &p->columns[c], l, b, i, fit->width[c]);
		put_cell(g, &cell, buf, p->columns[c].right, marked);
	}
	if (marked)
		grid_pad(g, INK_SELECTED, g->right);
}

/* ---- which lines, and in which order ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool contains(const char *s, size_t len, const char *what, size_t what_len)
{
	for (size_t at = 0; at + what_len <= len; at++) {
		size_t i = 0;

		while (i < what_len && lower(s[at + i]) == lower(what[i]))
			i++;
		if (i == what_len)
			return true;
	}
	return false;
}

static bool is_asked_for(const struct look *l, const struct panel *p, const struct board *b,
			 unsigned int i)
{
	struct panel_cell cell;
	char buf[512];

	if (!l->len)
		return true;
	for (unsigned int c = 0; c < p->nr; c++) {
		render(&cell, buf, sizeof(buf), &p->columns[c], l, b, i, 255);
		if (contains(buf, cell.text.p - buf, l->filter, l->len))
			return true;
	}
	return false;
}

static uint64_t (*key_of(const struct look *l, enum panel_id id))(const struct board *,
								  unsigned int)
{
	unsigned int sort = l->sort[id];

	return sort ? panels[id].columns[sort - 1].key : panels[id].order;
}

uint64_t panel_line(enum panel_id id, const struct board *b, unsigned int i)
{
	const struct panel *p = &panels[id];
	const struct look plain = {};
	struct panel_cell cell;
	uint64_t hash = 0xcbf29ce484222325ull;
	char buf[512];

	for (unsigned int c = 0; c < p->nr; c++) {
		if (!p->columns[c].names)
			continue;
		render(&cell, buf, sizeof(buf), &p->columns[c], &plain, b, i, 255);
		for (const char *s = buf; s < cell.text.p; s++)
			hash = (hash ^ (unsigned char)*s) * 0x100000001b3ull;
	}
	return hash | 1;
}

static void insert(struct panel_lines *ret, uint64_t keys[PANEL_LINES], uint16_t i, uint64_t key,
		   bool ascending)
{
	unsigned int at = ret->nr++;

	while (at && (ascending ? keys[at - 1] > key : keys[at - 1] < key)) {
		keys[at] = keys[at - 1];
		ret->index[at] = ret->index[at - 1];
		at--;
	}
	keys[at] = key;
	ret->index[at] = i;
}

void panel_lines(const struct look *l, enum panel_id id, const struct board *b,
		 struct panel_lines *ret)
{
	const struct panel *p = &panels[id];
	uint64_t (*key)(const struct board *, unsigned int) = key_of(l, id);
	uint64_t keys[PANEL_LINES];

	ret->nr = ret->marked = 0;
	ret->of = p->lines(b);
	for (unsigned int i = 0; i < ret->of; i++) {
		if (is_asked_for(l, p, b, i))
			insert(ret, keys, i, key ? key(b, i) : 0,
			       l->ascending[id] && l->sort[id]);
	}
	for (unsigned int i = 0; i < ret->nr && l->marked[id]; i++) {
		if (panel_line(id, b, ret->index[i]) == l->marked[id]) {
			ret->marked = i;
			break;
		}
	}
}

/* ---- the whole ---- */

/* 1 failed and slow, 3 of 40 */
static void draw_title(struct grid *g, const struct look *l, enum panel_id id,
		       const struct panel_lines *lines)
{
	static const char keys[] = {
#define X(id, key, title) key,
		PANELS(X)
#undef X
	};
	enum ink ink = id == l->panel ? INK_TITLE : INK_PLAIN;
	char buf[64];
	struct text t = text_into(buf, sizeof(buf));

	grid_char(g, INK_KEY, keys[id]);
	grid_char(g, INK_PLAIN, ' ');
	grid_str(g, ink, panels[id].title);
	text_str(&t, "  ");
	text_uint(&t, lines->nr);
	if (lines->nr != lines->of) {
		text_str(&t, " of ");
		text_uint(&t, lines->of);
	}
	grid_bytes(g, INK_FAINT, buf, t.p - buf);
}

/* Beside the header of the column that is sorted by: those are all to the right. */
static void mark_sorted(struct grid *g, const struct look *l, enum panel_id id,
			const struct panel_column *c)
{
	const struct glyphs *glyphs = glyphs_of(l->utf8);
	unsigned int end = g->x;

	if (end < GAP + strlen(c->header) + 1)
		return;
	g->x = end - GAP - strlen(c->header) - 1;
	grid_str(g, INK_HEADER, l->ascending[id] ? glyphs->sorted_up : glyphs->sorted_down);
	g->x = end;
}

static void draw_header(struct grid *g, const struct look *l, enum panel_id id,
			const struct fit *fit)
{
	const struct panel *p = &panels[id];
	const struct glyphs *glyphs = glyphs_of(l->utf8);

	for (unsigned int c = 0; c < p->nr; c++) {
		const struct panel_column *column = &p->columns[c];
		char buf[64];
		struct panel_cell cell = {
			.text = text_into(buf, sizeof(buf)), .ink = INK_HEADER, .g = glyphs,
			.width = fit->width[c],
		};

		if (!fit->shown[c])
			continue;
		text_str(&cell.text, column->header);
		put_cell(g, &cell, buf, column->right, false);
		for (unsigned int x = g->x - fit->width[c] - GAP; x < g->x && x < g->right; x++)
			g->cells[g->y * g->width + x].ink = INK_HEADER;
		if (l->sort[id] == c + 1)
			mark_sorted(g, l, id, column);
	}
	grid_pad(g, INK_HEADER, g->right);
}

void panel_draw(struct grid *g, const struct look *l, enum panel_id id, const struct board *b,
		unsigned int x, unsigned int y, unsigned int width, unsigned int height)
{
	const struct panel *p = &panels[id];
	unsigned int rows = height > 2 ? height - 2 : 0, first = 0;
	struct panel_lines lines;
	struct fit fit;

	panel_lines(l, id, b, &lines);
	fit_columns(p, width, &fit);
	grid_at(g, x, y, x + width);
	draw_title(g, l, id, &lines);
	grid_at(g, x, y + 1, x + width);
	draw_header(g, l, id, &fit);
	if (lines.marked >= rows)
		first = lines.marked - rows + 1;
	for (unsigned int i = 0; i < rows && first + i < lines.nr; i++) {
		grid_at(g, x, y + 2 + i, x + width);
		draw_line(g, l, p, &fit, b, lines.index[first + i],
			  id == l->panel && first + i == lines.marked);
	}
	if (lines.nr)
		return;
	grid_at(g, x, y + 2, x + width);
	grid_str(g, INK_FAINT, lines.of ? "no line has what the filter wants" : p->empty);
}
