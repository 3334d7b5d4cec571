// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * synfin top on db7, all network namespaces, 2026-11-29 12:04:33 UTC, 2m05s
 * connections  37402 opened (35011 active, 2391 passive), 120 failed, 37100 closed
 * failed       118 refused, 2 timeout
 */
#include "digest.h"

#include "board_text.h"
#include "human.h"
#include "panel.h"
#include "tcp_state.h"

#define NSEC_PER_MSEC	1000000ull
#define LINES		8u	/* of each list */
#define LABEL		13u

static void label(struct text *t, const char *name)
{
	text_str(t, name);
	for (size_t i = strlen(name); i < LABEL; i++)
		text_char(t, ' ');
}

/* Whole figures: a ticket is read long after. */
static void counted(struct text *t, bool *any, uint64_t count, const char *what)
{
	if (!count)
		return;
	text_str(t, *any ? ", " : "");
	text_uint(t, count);
	text_char(t, ' ');
	text_str(t, what);
	*any = true;
}

static void line_end(struct text *t, bool any)
{
	text_str(t, any ? "\n" : "none\n");
}

static uint64_t closes_of(const struct board *b)
{
	uint64_t sum = 0;

	for (unsigned int from = TS_ESTABLISHED; from < TS_MAX; from++) {
		if (from == TS_TIME_WAIT || from == TS_LISTEN || from == TS_SYN_SENT)
			continue;
		sum += b->counts.transitions[from][TS_CLOSE] +
		       b->counts.transitions[from][TS_TIME_WAIT];
	}
	return sum;
}

static void write_head(struct text *t, const struct board *b)
{
	text_str(t, "synfin top");
	if (b->host[0]) {
		text_str(t, b->recorded ? " of the recording " : " on ");
		board_name(t, b->host);
	}
	text_str(t, ", ");
	text_str(t, b->scope);
	text_str(t, ", ");
	text_time_utc(t, b->at_ns + b->clock_ns);
	text_str(t, ", after ");
	board_duration(t, b->at_ns - b->start_ns);
	text_char(t, '\n');
}

static void write_counts(struct text *t, const struct board *b)
{
	const struct board_counts *c = &b->counts;
	bool any = false;

	label(t, "opened");
	counted(t, &any, c->transitions[TS_CLOSE][TS_SYN_SENT], "active");
	counted(t, &any, c->transitions[TS_LISTEN][TS_SYN_RECV], "passive");
	line_end(t, any);
	label(t, "failed");
	any = false;
	for (enum outcome_word i = OUTCOME_NONE + 1; i < OUTCOME_MAX; i++) {
		if (i != OUTCOME_ESTABLISHED)
			counted(t, &any, c->outcomes[i], outcome_text(i));
	}
	line_end(t, any);
	label(t, "closed");
	any = false;
	counted(t, &any, closes_of(b), "in all");
	for (enum close_word i = CLOSE_NONE + 1; i < CLOSE_MAX; i++)
		counted(t, &any, c->closes[i], close_text(i));
	line_end(t, any);
	label(t, "sent again");
	any = false;
	for (enum wire_phase i = 0; i < WIRE_PHASES; i++)
		counted(t, &any, c->retransmits[i], phase_text(PHASE_SYN + i));
	line_end(t, any);
	label(t, "resets");
	any = false;
	counted(t, &any, c->resets_sent, "sent");
	counted(t, &any, c->resets_received, "received");
	line_end(t, any);
}

static void write_now(struct text *t, const struct board *b)
{
	char buf[24];
	bool any = false;

	label(t, "sockets now");
	for (unsigned int i = 1; i < WIRE_STATES && i < TS_MAX; i++) {
		struct text name = text_into(buf, sizeof(buf) - 1);

		if (i == TS_CLOSE)
			continue;
		board_state(&name, i);
		*name.p = 0;
		counted(t, &any, b->sockets[i], buf);
	}
	line_end(t, any);
}

static void write_losses(struct text *t, const struct board *b)
{
	bool any = false;

	label(t, "lost");
	for (enum lost_word i = LOST_NONE + 1; i < LOST_MAX; i++)
		counted(t, &any, b->lost[i], lost_text(i));
	counted(t, &any, b->unseen, "connections unseen");
	counted(t, &any, b->incomplete, "incomplete");
	text_str(t, any ? "" : "nothing");
	if (b->cpu != BOARD_UNKNOWN) {
		text_str(t, "; synfin itself took ");
		text_uint(t, b->cpu / 100);
		text_char(t, '.');
		text_uint_padded(t, b->cpu % 100, 2);
		text_str(t, " % of a core");
	}
	text_char(t, '\n');
}

/* ---- the lists, as they are drawn, without their blank ends ---- */

static void put_grid_line(struct text *t, const struct grid *g, unsigned int y)
{
	unsigned int end = g->width;

	while (end && grid_cell(g, end - 1, y)->c == ' ')
		end--;
	for (unsigned int x = 0; x < end; x++)
		text_char(t, grid_cell(g, x, y)->c < 0x7f ? grid_cell(g, x, y)->c : '?');
	text_char(t, '\n');
}

static void write_list(struct text *t, const struct board *b, enum panel_id id, struct grid *g)
{
	const struct look look = { .panel = PANEL_MAX };
	struct panel_lines lines;
	unsigned int nr;

	panel_lines(&look, id, b, &lines);
	if (!lines.nr || (id == PANEL_PLACES && !b->places[0].count))
		return;
	nr = lines.nr < LINES ? lines.nr : LINES;
	grid_clear(g);
	panel_draw(g, &look, id, b, 0, 0, g->width, nr + 2);
	text_char(t, '\n');
	text_str(t, panels[id].title);
	if (lines.nr > nr) {
		text_str(t, ", ");
		text_uint(t, nr);
		text_str(t, " of ");
		text_uint(t, lines.nr);
	}
	text_str(t, ":\n");
	for (unsigned int y = 1; y < nr + 2; y++)
		put_grid_line(t, g, y);
}

void digest_write(struct text *t, const struct board *b)
{
	struct grid g = {};

	write_head(t, b);
	write_counts(t, b);
	write_now(t, b);
	write_losses(t, b);
	if (grid_resize(&g, DIGEST_WIDTH, LINES + 2))
		return;
	for (enum panel_id id = 0; id < PANEL_CONNS; id++)	/* too many to say anything */
		write_list(t, b, id, &g);
	grid_deinit(&g);
}
