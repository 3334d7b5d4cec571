// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  LISTEN       14 -   14/s-> SYN_RECV      0 -   14/s-.
 *                                                      +-> ESTABLISHED 1.2k
 *  CLOSE           -  298/s-> SYN_SENT      2 -  296/s-'        |
 *  .------------------------------------------------------------'
 *  +-  310/s-> FIN_WAIT1     0 -  310/s-> FIN_WAIT2     3 -  305/s-> TIME_WAIT   28k
 *  |                          '-    5/s-> CLOSING       0 -    5/s--'
 *  '-  290/s-> CLOSE_WAIT   12 -  290/s-> LAST_ACK      0 -  290/s-> CLOSE
 *  else to CLOSE  SYN_SENT 2/s  ESTABLISHED 1/s
 */
#include "screen_states.h"

#include <string.h>

#include "board_text.h"
#include "tcp_state.h"

#define NODE_COUNT	4u	/* columns of a count */
#define EDGE_RATE	6u

struct pen {
	struct grid *g;
	const struct board *b;
	const struct glyphs *glyphs;
	unsigned int x, y;
};

static void at(struct pen *p, unsigned int x, unsigned int y)
{
	grid_at(p->g, p->x + x, p->y + y, p->x + STATES_WIDTH);
}

/* SYN_SENT      2, its count ending in column `end` of the diagram */
static void node(struct pen *p, unsigned int state, unsigned int end)
{
	uint64_t count = p->b->sockets[state];
	bool counts = state != TS_CLOSE;
	char buf[32];
	struct text t = text_into(buf, sizeof(buf));

	board_state(&t, state);
	grid_bytes(p->g, INK_PLAIN, buf, t.p - buf);
	if (!counts)
		return;
	t = text_into(buf, sizeof(buf));
	if (p->b->has_sockets || state == TS_TIME_WAIT)
		board_count(&t, count);
	else
		text_char(&t, '?');
	grid_pad(p->g, INK_PLAIN, p->x + end - (t.p - buf));
	grid_bytes(p->g, count ? INK_TITLE : INK_FAINT, buf, t.p - buf);
}

static void rate(struct pen *p, unsigned int from, unsigned int to)
{
	uint64_t per_s = p->b->per_s[from][to];
	char buf[32];
	struct text t = text_into(buf, sizeof(buf));

	if (board_has_rates(p->b))
		board_rate(&t, per_s);
	else
		text_str(&t, "  ");
	grid_pad(p->g, INK_PLAIN, p->g->x + EDGE_RATE - (t.p - buf));
	grid_bytes(p->g, per_s ? INK_GOOD : INK_FAINT, buf, t.p - buf);
}

/* begin 298/s end, where they are pieces of line */
static void edge(struct pen *p, const char *begin, unsigned int from, unsigned int to,
		 const char *end)
{
	grid_str(p->g, INK_FAINT, begin);
	rate(p, from, to);
	grid_str(p->g, INK_FAINT, p->glyphs->line);
	grid_str(p->g, INK_FAINT, end);
	grid_char(p->g, INK_PLAIN, ' ');
}

static void opening(struct pen *p)
{
	const struct glyphs *g = p->glyphs;

	at(p, 1, 0);
	node(p, TS_LISTEN, 16);
	grid_char(p->g, INK_PLAIN, ' ');
	edge(p, g->line, TS_LISTEN, TS_SYN_RECV, g->head);
	node(p, TS_SYN_RECV, 41);
	grid_char(p->g, INK_PLAIN, ' ');
	edge(p, g->line, TS_SYN_RECV, TS_ESTABLISHED, g->corner_top);
	at(p, 50, 1);
	grid_str(p->g, INK_FAINT, g->tee);
	grid_str(p->g, INK_FAINT, g->line);
	grid_str(p->g, INK_FAINT, g->head);
	grid_char(p->g, INK_PLAIN, ' ');
	node(p, TS_ESTABLISHED, 71);
	at(p, 1, 2);
	node(p, TS_CLOSE, 16);
	grid_pad(p->g, INK_PLAIN, p->x + 17);
	edge(p, g->line, TS_CLOSE, TS_SYN_SENT, g->head);
	node(p, TS_SYN_SENT, 41);
	grid_char(p->g, INK_PLAIN, ' ');
	edge(p, g->line, TS_SYN_SENT, TS_ESTABLISHED, g->corner_bottom);
	at(p, 59, 2);
	grid_str(p->g, INK_FAINT, g->down);
}

static void bend(struct pen *p)
{
	at(p, 1, 3);
	grid_str(p->g, INK_FAINT, p->glyphs->top_left);
	for (unsigned int i = 2; i < 59; i++)
		grid_str(p->g, INK_FAINT, p->glyphs->line);
	grid_str(p->g, INK_FAINT, p->glyphs->bottom_tee);
}

/* An arrow that begins like this, and the state that it leads to, up to this column. */
static void leads(struct pen *p, const char *begin, unsigned int from, unsigned int to,
		  unsigned int column)
{
	edge(p, begin, from, to, p->glyphs->head);
	node(p, to, column);
}

static void goes_on(struct pen *p, unsigned int from, unsigned int to, unsigned int column)
{
	grid_char(p->g, INK_PLAIN, ' ');
	leads(p, p->glyphs->line, from, to, column);
}

static void closing(struct pen *p)
{
	const struct glyphs *g = p->glyphs;

	at(p, 1, 4);
	grid_str(p->g, INK_FAINT, g->tee);
	leads(p, g->line, TS_ESTABLISHED, TS_FIN_WAIT1, 27);
	goes_on(p, TS_FIN_WAIT1, TS_FIN_WAIT2, 53);
	goes_on(p, TS_FIN_WAIT2, TS_TIME_WAIT, 79);
	at(p, 1, 5);
	grid_str(p->g, INK_FAINT, g->down);
	at(p, 28, 5);
	leads(p, g->bottom_left, TS_FIN_WAIT1, TS_CLOSING, 53);
	grid_char(p->g, INK_PLAIN, ' ');
	edge(p, g->line, TS_CLOSING, TS_TIME_WAIT, g->line);
	p->g->x--;
	grid_str(p->g, INK_FAINT, g->line);
	grid_str(p->g, INK_FAINT, g->corner_bottom);
	at(p, 1, 6);
	grid_str(p->g, INK_FAINT, g->bottom_left);
	leads(p, g->line, TS_ESTABLISHED, TS_CLOSE_WAIT, 27);
	goes_on(p, TS_CLOSE_WAIT, TS_LAST_ACK, 53);
	goes_on(p, TS_LAST_ACK, TS_CLOSE, 79);
}

/* What the diagram has an arrow for. */
static const uint8_t drawn[][2] = {
	{ TS_LISTEN, TS_SYN_RECV }, { TS_SYN_RECV, TS_ESTABLISHED }, { TS_CLOSE, TS_SYN_SENT },
	{ TS_SYN_SENT, TS_ESTABLISHED }, { TS_ESTABLISHED, TS_FIN_WAIT1 },
	{ TS_FIN_WAIT1, TS_FIN_WAIT2 }, { TS_FIN_WAIT2, TS_TIME_WAIT },
	{ TS_FIN_WAIT1, TS_CLOSING }, { TS_CLOSING, TS_TIME_WAIT },
	{ TS_ESTABLISHED, TS_CLOSE_WAIT }, { TS_CLOSE_WAIT, TS_LAST_ACK },
	{ TS_LAST_ACK, TS_CLOSE },
};

static bool is_drawn(unsigned int from, unsigned int to)
{
	for (unsigned int i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
		if (drawn[i][0] == from && drawn[i][1] == to)
			return true;
	}
	return false;
}

/* Where there is no room for it, three dots say so. */
static bool put_way(struct pen *p, const struct text *t, const char *buf)
{
	if (p->g->x + (t->p - buf) + 4 > p->g->right) {
		grid_str(p->g, INK_PLAIN, " ...");
		return false;
	}
	grid_bytes(p->g, INK_PLAIN, buf, t->p - buf);
	return true;
}

/* "  FIN_WAIT1 2/s", behind "to CLOSE"; else "  SYN_SENT -> SYN_RECV 1/s" */
static bool other_way(struct pen *p, unsigned int from, unsigned int to)
{
	char buf[64];
	struct text t = text_into(buf, sizeof(buf));

	text_str(&t, "  ");
	board_state(&t, from);
	text_char(&t, ' ');
	if (to != TS_CLOSE) {
		text_str(&t, p->glyphs->to);
		text_char(&t, ' ');
		board_state(&t, to);
		text_char(&t, ' ');
	}
	board_rate(&t, p->b->per_s[from][to]);
	return put_way(p, &t, buf);
}

static bool is_other(const struct pen *p, unsigned int from, unsigned int to)
{
	return board_has_rates(p->b) && from != TS_TIME_WAIT && p->b->per_s[from][to] &&
	       !is_drawn(from, to);
}

static void other_ways(struct pen *p)
{
	bool any = false, room = true;

	grid_str(p->g, INK_FAINT, "else to CLOSE");
	for (unsigned int from = 1; from < TS_MAX && room; from++) {
		if (!is_other(p, from, TS_CLOSE))
			continue;
		room = other_way(p, from, TS_CLOSE);
		any = true;
	}
	grid_str(p->g, INK_FAINT, any || !board_has_rates(p->b) ? "" : " none");
	for (unsigned int i = TS_MAX; i < TS_MAX * TS_MAX && room; i++) {
		if (i % TS_MAX != TS_CLOSE && is_other(p, i / TS_MAX, i % TS_MAX))
			room = other_way(p, i / TS_MAX, i % TS_MAX);
	}
}

/* SYN_SENT 2 +298 */
static void matrix(struct pen *p)
{
	static const uint8_t order[] = {
		TS_LISTEN, TS_SYN_SENT, TS_SYN_RECV, TS_ESTABLISHED, TS_FIN_WAIT1, TS_FIN_WAIT2,
		TS_CLOSING, TS_TIME_WAIT, TS_CLOSE_WAIT, TS_LAST_ACK,
	};

	for (unsigned int i = 0; i < sizeof(order); i++) {
		unsigned int column = i / 4 * 21, state = order[i];
		uint64_t in = 0;
		char buf[32];
		struct text t = text_into(buf, sizeof(buf));

		for (unsigned int from = 0; from < WIRE_STATES; from++)
			in += p->b->per_s[from][state];
		at(p, column + (column ? 1 : 0), i % 4);
		node(p, state, column + 16);
		if (!board_has_rates(p->b))
			continue;
		text_str(&t, " +");
		board_rate(&t, in);
		grid_bytes(p->g, in ? INK_GOOD : INK_FAINT, buf, t.p - buf - strlen("/s"));
	}
}

unsigned int states_draw(struct grid *g, const struct board *b, const struct glyphs *glyphs,
			 unsigned int x, unsigned int y, bool tall)
{
	struct pen p = { .g = g, .b = b, .glyphs = glyphs, .x = x, .y = y };

	if (!tall || x + STATES_WIDTH > g->width) {
		matrix(&p);
		return 4;
	}
	opening(&p);
	bend(&p);
	closing(&p);
	at(&p, 1, 7);
	other_ways(&p);
	return 8;
}
