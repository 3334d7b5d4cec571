// SPDX-License-Identifier: GPL-2.0-or-later
#include "look.h"

#include <string.h>

#include "panel.h"

/* ---- lines ---- */

static void move(struct look *l, const struct board *b, int by)
{
	struct panel_lines lines;
	int64_t to;

	panel_lines(l, l->panel, b, &lines);
	if (!lines.nr)
		return;
	to = (int64_t)lines.marked + by;
	to = to < 0 ? 0 : to >= lines.nr ? lines.nr - 1 : to;
	l->marked[l->panel] = to ? panel_line(l->panel, b, lines.index[to]) : 0;
}

bool look_marked(const struct look *l, const struct board *b, struct look_mark *ret)
{
	struct panel_lines lines;
	unsigned int i;

	*ret = (struct look_mark){};
	if (l->panel != PANEL_TROUBLES && l->panel != PANEL_CONNS)
		return false;
	panel_lines(l, l->panel, b, &lines);
	if (!lines.nr)
		return false;
	i = lines.index[lines.marked];
	if (l->panel == PANEL_TROUBLES)
		ret->handle = b->troubles[i].handle;
	else
		ret->id = b->conns[i].id;
	return ret->handle || ret->id;
}

/* ---- what it is sorted by ---- */

/* Each column that can be sorted by in turn, and at last as it comes. */
static void next_sort(struct look *l, int step)
{
	const struct panel *p = &panels[l->panel];
	unsigned int column = l->sort[l->panel];

	do {
		column = (column + p->nr + 1 + step) % (p->nr + 1);
	} while (column && !p->columns[column - 1].key);
	l->sort[l->panel] = column;
	l->ascending[l->panel] = false;
	l->message = column ? NULL : "sorted as it comes: what matters most first";
}

/* ---- typing a filter ---- */

static void backspace(struct look *l)
{
	while (l->len && (l->filter[--l->len] & 0xc0) == 0x80)
		;
	l->filter[l->len] = 0;
}

static void type(struct look *l, uint32_t key)
{
	if (key == LOOK_ENTER) {
		l->typing = false;
	} else if (key == LOOK_ESCAPE) {
		l->typing = false;
		l->len = 0;
	} else if (key == LOOK_BACKSPACE || key == 0x7f || key == 8) {
		backspace(l);
	} else if (key == 21) {		/* ^U */
		l->len = 0;
	} else if (key >= ' ' && key < 0x7f && l->len < LOOK_FILTER - 1) {
		l->filter[l->len++] = key;
	}
	l->filter[l->len] = 0;
}

/* ---- in front: a ladder, or help ---- */

static void scroll(struct look *l, int by)
{
	l->scroll = by < 0 && l->scroll < (unsigned int)-by ? 0 : l->scroll + by;
}

static enum look_action press_in_front(struct look *l, uint32_t key)
{
	switch (key) {
	case LOOK_UP: case 'k':
		scroll(l, -1);
		break;
	case LOOK_DOWN: case 'j':
		scroll(l, 1);
		break;
	case LOOK_PAGE_UP:
		scroll(l, -10);
		break;
	case LOOK_PAGE_DOWN: case ' ':
		scroll(l, 10);
		break;
	case LOOK_HOME:
		l->scroll = 0;
		break;
	default:
		l->help = false;
		l->ladder = NULL;
		l->scroll = 0;
	}
	return LOOK_DONE;
}

/* ---- the lists ---- */

static void show(struct look *l, unsigned int panel)
{
	l->panel = panel % PANEL_MAX;
}

static bool press_to_move(struct look *l, const struct board *b, uint32_t key)
{
	int page = l->page ? l->page : 10;

	switch (key) {
	case LOOK_UP: case 'k':
		move(l, b, -1);
		return true;
	case LOOK_DOWN: case 'j':
		move(l, b, 1);
		return true;
	case LOOK_PAGE_UP:
		move(l, b, -page);
		return true;
	case LOOK_PAGE_DOWN:
		move(l, b, page);
		return true;
	case LOOK_HOME: case 'g':
		move(l, b, -PANEL_LINES);
		return true;
	case LOOK_END: case 'G':
		move(l, b, PANEL_LINES);
		return true;
	default:
		return false;
	}
}

static bool press_to_choose(struct look *l, uint32_t key)
{
	if (key >= '1' && key < '1' + PANEL_MAX)
		show(l, key - '1');
	else if (key == '\t' || key == LOOK_RIGHT)
		show(l, l->panel + 1);
	else if (key == LOOK_LEFT)
		show(l, l->panel + PANEL_MAX - 1);
	else if (key == 's' || key == '>')
		next_sort(l, 1);
	else if (key == 'S' || key == '<')
		next_sort(l, -1);
	else if (key == 'r')
		l->ascending[l->panel] = !l->ascending[l->panel];
	else
		return false;
	return true;
}

static enum look_action expand(struct look *l, const struct board *b)
{
	struct look_mark mark;

	if (look_marked(l, b, &mark))
		return LOOK_EXPAND;
	l->message = l->panel == PANEL_TROUBLES || l->panel == PANEL_CONNS ?
		     "no connection is marked" :
		     "ladders are of connections: 1 has what failed or was slow, 6 what is open";
	return LOOK_DONE;
}

enum look_action look_press(struct look *l, const struct board *b, uint32_t key)
{
	l->message = NULL;
	if (l->typing) {
		type(l, key);
		return LOOK_DONE;
	}
	if (l->help || l->ladder)
		return press_in_front(l, key);
	if (press_to_move(l, b, key) || press_to_choose(l, key))
		return LOOK_DONE;
	switch (key) {
	case 'q': case 'Q':
		return LOOK_QUIT;
	case '?': case 'h':
		l->help = true;
		l->scroll = 0;
		break;
	case '/': case 'f':
		l->typing = true;
		break;
	case LOOK_ESCAPE:
		l->len = 0;
		l->filter[0] = 0;
		break;
	case 'p': case ' ':
		l->paused = !l->paused;
		break;
	case LOOK_ENTER:
		return expand(l, b);
	case 12:	/* ^L */
		return LOOK_REPAINT;
	}
	return LOOK_DONE;
}
