// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * synfin top  all network namespaces  12:04:33  up 2m05s  cpu 1.2%  nothing lost
 *  opens        312/s  .:-=+*#%@  active 298/s  passive 14/s  failed 2/s
 *
 *  LISTEN       14 -   14/s-> SYN_RECV      0 -   14/s-.
 *                                                      +> ESTABLISHED 1.2k
 *  CLOSE           -  298/s-> SYN_SENT      2 -  296/s-'
 */
#include "screen.h"

#include <string.h>

#include "board_text.h"
#include "human.h"
#include "panel.h"
#include "screen_states.h"
#include "tcp_state.h"

#define NSEC_PER_USEC	1000
#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull

#define RATE_LINES	4u
#define WORST_LINES	3u
#define LIST_LINES	5u	/* the least: title, header, three lines */
#define LIST_COMFORT	9u	/* from here on there is room for another one */
#define TWO_COLUMNS	150u	/* from this width on lists stand side by side */
#define SIDE_BY_SIDE	160u	/* and so do rates and states */

struct page {
	struct grid *g;
	const struct board *b;
	struct look *l;
	const struct glyphs *glyphs;
};

/* A text that is put at once. */
struct words {
	char buf[160];
	struct text t;
};

static struct text *words_begin(struct words *w)
{
	w->t = text_into(w->buf, sizeof(w->buf));
	return &w->t;
}

static void words_put(struct page *p, enum ink ink, const struct words *w)
{
	grid_bytes(p->g, ink, w->buf, w->t.p - w->buf);
}

/* ---- the first line ---- */

static void put_lost(struct page *p)
{
	const struct board *b = p->b;
	struct words w;
	struct text *t = words_begin(&w);
	bool any = false;

	for (enum lost_word i = LOST_NONE + 1; i < LOST_MAX; i++) {
		if (!b->lost[i])
			continue;
		text_str(t, any ? ", " : "LOST ");
		board_count(t, b->lost[i]);
		text_char(t, ' ');
		text_str(t, lost_text(i));
		any = true;
	}
	if (!any)
		text_str(t, "nothing lost");
	words_put(p, any ? INK_FAILURE : INK_FAINT, &w);
}

static void put_cpu(struct page *p)
{
	struct words w;
	struct text *t = words_begin(&w);

	if (p->b->cpu == BOARD_UNKNOWN)
		return;
	text_str(t, "cpu ");
	text_uint(t, p->b->cpu / 100);
	text_char(t, '.');
	text_uint(t, p->b->cpu % 100 / 10);
	text_str(t, "%  ");
	words_put(p, INK_FAINT, &w);
}

static void put_clock(struct page *p)
{
	const struct board *b = p->b;
	struct local_clock clock = {};
	struct words w;
	struct text *t = words_begin(&w);

	if (p->g->width >= 80) {
		text_str(t, "  ");
		human_clock(t, &clock, b->at_ns + b->clock_ns, 0);
	}
	text_str(t, "  up ");
	if (b->at_ns - b->start_ns < 60 * NSEC_PER_SEC) {
		text_uint(t, (b->at_ns - b->start_ns) / NSEC_PER_SEC);
		text_char(t, 's');
	} else {
		board_duration(t, b->at_ns - b->start_ns);
	}
	text_str(t, "  ");
	words_put(p, INK_PLAIN, &w);
}

static void draw_first(struct page *p)
{
	struct grid *g = p->g;

	grid_at(g, 0, 0, g->width);
	grid_str(g, p->l->paused ? INK_SELECTED : INK_TITLE,
		 p->l->paused ? "  PAUSED  " : "synfin top");
	grid_str(g, INK_PLAIN, "  ");
	if (g->width >= 110 && p->b->host[0]) {
		grid_str(g, INK_PLAIN, p->b->host);
		grid_str(g, INK_PLAIN, "  ");
	}
	grid_str(g, INK_PLAIN, p->b->scope);
	put_clock(p);
	put_cpu(p);
	put_lost(p);
}

/* ---- rates ---- */

static void put_spark(struct page *p, const struct series *s, unsigned int width, enum ink ink)
{
	uint64_t peak = series_peak(s, width);

	for (unsigned int i = width; i-- > 0;) {
		uint64_t value = series_back(s, i);
		unsigned int level = peak ? (value * 8 + peak - 1) / peak : 0;

		grid_str(p->g, ink, i < s->nr ? p->glyphs->spark[level] : " ");
	}
}

static void put_rate(struct page *p, const char *name, uint64_t per_s, enum ink ink)
{
	struct words w;

	grid_str(p->g, INK_FAINT, name);
	grid_char(p->g, INK_PLAIN, ' ');
	if (board_has_rates(p->b))
		board_rate(words_begin(&w), per_s);
	else
		text_char(words_begin(&w), '-');
	words_put(p, per_s ? ink : INK_FAINT, &w);
	grid_str(p->g, INK_PLAIN, "  ");
}

static void put_details(struct page *p, enum board_rate rate)
{
	const struct board *b = p->b;

	switch (rate) {
	case RATE_OPENS:
		put_rate(p, "active", b->active_per_s, INK_PLAIN);
		put_rate(p, "passive", b->passive_per_s, INK_PLAIN);
		put_rate(p, "failed", b->failed_per_s, INK_FAILURE);
		break;
	case RATE_CLOSES:
		put_rate(p, "TIME_WAIT in", b->per_s[TS_FIN_WAIT2][TS_TIME_WAIT] +
					     b->per_s[TS_CLOSING][TS_TIME_WAIT], INK_PLAIN);
		put_rate(p, "out", b->left_time_wait_per_s, INK_PLAIN);
		break;
	case RATE_RESETS:
		put_rate(p, "sent", b->resets_sent_per_s, INK_WARNING);
		put_rate(p, "received", b->resets_received_per_s, INK_WARNING);
		break;
	case RATE_RETRANSMITS:
		put_rate(p, "SYN", b->retransmits_per_s[WIRE_SYN], INK_WARNING);
		put_rate(p, "SYN-ACK", b->retransmits_per_s[WIRE_SYNACK_PHASE], INK_WARNING);
		put_rate(p, "data", b->retransmits_per_s[WIRE_DATA], INK_WARNING);
		put_rate(p, "FIN", b->retransmits_per_s[WIRE_FIN], INK_WARNING);
		break;
	case RATE_MAX:
		break;
	}
}

#define DETAILS_WIDTH	45u	/* SYN 123k/s  SYN-ACK 123k/s  data 123k/s  FIN 1 */

static void draw_rates(struct page *p, unsigned int y, unsigned int width)
{
	static const char *const names[] = {
#define X(id, name) name,
		BOARD_RATES(X)
#undef X
	};
	unsigned int spark = width - 21 - DETAILS_WIDTH;

	for (enum board_rate i = 0; i < RATE_MAX; i++) {
		const struct series *s = &p->b->rates[i];
		uint64_t now = series_back(s, 0);
		struct words w;

		grid_at(p->g, 1, y + i, width);
		grid_str(p->g, INK_PLAIN, names[i]);
		if (board_has_rates(p->b))
			board_rate(words_begin(&w), now);
		else
			text_char(words_begin(&w), '-');
		grid_pad(p->g, INK_PLAIN, 19 - (w.t.p - w.buf));
		words_put(p, now ? INK_TITLE : INK_FAINT, &w);
		grid_char(p->g, INK_PLAIN, ' ');
		put_spark(p, s, spark < SERIES_LEN ? spark : SERIES_LEN,
			  i < RATE_RESETS ? INK_GOOD : INK_WARNING);
		grid_char(p->g, INK_PLAIN, ' ');
		put_details(p, i);
	}
}

/* ---- the worst of each, a line ---- */

static void put_share(struct page *p, uint64_t share, unsigned int columns)
{
	enum ink ink = share >= 950 ? INK_FAILURE : share >= 800 ? INK_WARNING : INK_GOOD;
	unsigned int full = share >= 1000 ? columns : (share * columns + 999) / 1000;
	struct words w;
	struct text *t = words_begin(&w);

	if (share == BOARD_UNKNOWN)
		return;
	for (unsigned int i = 0; i < columns; i++)
		grid_str(p->g, i < full ? ink : INK_FAINT,
			 i < full ? p->glyphs->full : p->glyphs->empty);
	text_char(t, ' ');
	text_uint(t, share / 10);
	text_str(t, "%");
	words_put(p, ink == INK_GOOD ? INK_PLAIN : ink, &w);
}

static void put_strip(struct page *p)
{
	uint64_t left[TW_STEPS] = {}, most = 0;

	for (unsigned int i = 0; i < p->b->nr_places; i++) {
		for (unsigned int k = 0; k < TW_STEPS; k++)
			left[k] += p->b->places[i].left[k];
	}
	for (unsigned int k = 0; k < TW_STEPS; k++)
		most = left[k] > most ? left[k] : most;
	grid_str(p->g, INK_FAINT, "  left 0s|");
	for (unsigned int k = 0; k < TW_STEPS; k++)
		grid_str(p->g, INK_GOOD,
			 p->glyphs->spark[most ? (left[k] * 8 + most - 1) / most : 0]);
	grid_str(p->g, INK_FAINT, "|60s");
}

/* Of the table that is fullest; of the only one as it is now, not as it was counted off last. */
static uint64_t worst_table_share(const struct board *b)
{
	const struct board_place *worst = &b->places[0];
	uint64_t used = b->nr_places > 1 ? worst->count + worst->fin_wait2 :
					   b->sockets[TS_TIME_WAIT] + b->minis;

	return board_share(used, worst->limit);
}

static void draw_time_wait(struct page *p, unsigned int y, unsigned int right)
{
	const struct board *b = p->b;
	const struct board_place *worst = b->nr_places ? &b->places[0] : NULL;
	struct words w;
	struct text *t = words_begin(&w);

	grid_at(p->g, 1, y, right);
	grid_str(p->g, INK_PLAIN, "TIME_WAIT  ");
	board_count(t, b->sockets[TS_TIME_WAIT]);
	if (b->nr_places > 1) {
		text_str(t, ", most in one netns ");
		board_count(t, worst->count);
	}
	if (worst && worst->limit != BOARD_UNKNOWN) {
		text_str(t, " of ");
		board_count(t, worst->limit);
		text_char(t, ' ');
	}
	words_put(p, INK_TITLE, &w);
	if (!worst)
		return;
	put_share(p, worst_table_share(b), 10);
	put_strip(p);
	if (!worst->overflows || worst->overflows == BOARD_UNKNOWN)
		return;
	t = words_begin(&w);
	text_str(t, "  overflows ");
	board_count(t, worst->overflows);
	words_put(p, INK_WARNING, &w);
}

static void draw_worst_space(struct page *p, unsigned int y, unsigned int right)
{
	const struct board *b = p->b;
	const struct board_space *s = b->nr_spaces ? &b->spaces[0] : NULL;
	struct words w;
	struct text *t = words_begin(&w);

	grid_at(p->g, 1, y, right);
	grid_str(p->g, INK_PLAIN, "ports      ");
	if (!s) {
		grid_str(p->g, INK_FAINT, b->has_places ? "no local port is taken" :
							  "port space is not known yet");
		return;
	}
	board_space(t, s);
	text_char(t, ' ');
	words_put(p, INK_TITLE, &w);
	put_share(p, board_share(s->used, s->capacity), 10);
	t = words_begin(&w);
	if (s->capacity != BOARD_UNKNOWN) {
		text_str(t, " of ");
		board_count(t, s->capacity);
		text_str(t, " ports");
	}
	words_put(p, INK_FAINT, &w);
	if (s->full_in_ms == BOARD_UNKNOWN)
		return;
	t = words_begin(&w);
	text_str(t, ", full in ");
	board_duration(t, s->full_in_ms * NSEC_PER_MSEC);
	words_put(p, INK_WARNING, &w);
}

static void draw_worst_listener(struct page *p, unsigned int y, unsigned int right)
{
	const struct board *b = p->b;
	const struct board_listener *l = b->nr_listeners ? &b->listeners[0] : NULL;
	struct words w;
	struct text *t = words_begin(&w);

	grid_at(p->g, 1, y, right);
	grid_str(p->g, INK_PLAIN, "listeners  ");
	if (!l || !l->queue) {
		board_count(t, b->sockets[TS_LISTEN]);
		text_str(t, ", nothing waits for accept()");
		words_put(p, INK_FAINT, &w);
	} else {
		bool full = l->queue > l->limit;

		board_endpoint(t, l->tuple.laddr, l->tuple.family, l->tuple.lport);
		text_str(t, " accept queue ");
		board_count(t, l->queue);
		text_str(t, " of ");
		board_count(t, l->limit);
		text_str(t, full ? ", FULL" : "");
		words_put(p, full ? INK_FAILURE : INK_TITLE, &w);
	}
	if (!b->listening.drops || b->listening.drops == BOARD_UNKNOWN)
		return;
	t = words_begin(&w);
	text_str(t, "  dropped so far ");
	board_count(t, b->listening.drops);
	words_put(p, INK_FAINT, &w);
}

static void draw_worst(struct page *p, unsigned int y, unsigned int right)
{
	draw_time_wait(p, y, right);
	draw_worst_space(p, y + 1, right);
	draw_worst_listener(p, y + 2, right);
}

/* ---- lists ---- */

static enum panel_id panel_in_slot(const struct look *l, unsigned int slot)
{
	unsigned int panel = slot - 1;

	if (!slot)
		return l->panel;
	return panel < l->panel ? panel : panel + 1;
}

/* One above the other, from slot `first` on; the one that is looked at is the highest. */
static void draw_column(struct page *p, unsigned int x, unsigned int width, unsigned int y,
			unsigned int height, unsigned int first, unsigned int nr)
{
	unsigned int share = height / (nr + (first == 0 && nr > 1));

	for (unsigned int i = 0; i < nr; i++) {
		unsigned int slot = first + i;
		unsigned int lines = i + 1 < nr ? (slot ? share : 2 * share) : height;

		panel_draw(p->g, p->l, panel_in_slot(p->l, slot), p->b, x, y, width,
			   lines - (i + 1 < nr));
		if (!slot)
			p->l->page = lines - 2 - (i + 1 < nr);
		y += lines;
		height -= lines;
	}
}

static unsigned int most_in(unsigned int height, unsigned int most)
{
	unsigned int nr = height / LIST_COMFORT;

	return nr < 1 ? 1 : nr > most ? most : nr;
}

static void draw_lists(struct page *p, unsigned int y, unsigned int height)
{
	unsigned int width = p->g->width, left, right;

	if (width < TWO_COLUMNS) {
		draw_column(p, 0, width, y, height, 0, most_in(height, PANEL_MAX));
		return;
	}
	left = most_in(height / 2, 2);
	right = most_in(height, PANEL_MAX - left);
	draw_column(p, 0, width / 2 - 1, y, height, 0, left);
	draw_column(p, width / 2 + 1, width - width / 2 - 1, y, height, left, right);
}

/* ---- the last line ---- */

/* Left out where it has no room. */
static void put_key(struct page *p, const char *key, const char *what)
{
	if (p->g->x + strlen(key) + 1 + strlen(what) > p->g->right)
		return;
	grid_str(p->g, INK_KEY, key);
	grid_char(p->g, INK_PLAIN, ' ');
	grid_str(p->g, INK_FAINT, what);
	grid_str(p->g, INK_PLAIN, "  ");
}

static void draw_last(struct page *p)
{
	struct grid *g = p->g;

	grid_at(g, 0, g->height - 1, g->width);
	if (p->l->message) {
		grid_str(g, INK_WARNING, p->l->message);
		return;
	}
	if (p->l->typing || p->l->len) {
		grid_str(g, INK_KEY, "/");
		grid_str(g, INK_TITLE, p->l->filter);
		grid_str(g, INK_SELECTED, p->l->typing ? " " : "");
		grid_str(g, INK_FAINT, p->l->typing ? "  Enter keeps it, Esc drops it" :
				       "  filters; Esc drops it");
		return;
	}
	put_key(p, "q", "quit");
	put_key(p, "?", "help");
	put_key(p, "Tab", "list");
	put_key(p, "/", "filter");
	put_key(p, "s", "sort");
	put_key(p, "r", "turn");
	put_key(p, "p", "pause");
	put_key(p, "Enter", "ladder");
}

/* ---- in front ---- */

static const char help_text[] =
	"Rates are of the last interval; the lines beside them are the last values of each.\n"
	"Counts in the diagram are sockets now, on its arrows transitions per second, as the\n"
	"kernel counted them: they stay exact when records are lost.\n"
	"\n"
	"  1 .. 6, Tab     which list: failed and slow, owners, listeners, port space,\n"
	"                  TIME_WAIT, connections\n"
	"  up, down, j, k  another line; also PgUp, PgDn, Home, End\n"
	"  Enter           the ladder of the connection that is marked: of the last one, where\n"
	"                  several are together\n"
	"  /               filter: only lines that contain what you type; Esc drops it\n"
	"  s, S            sort by the next, the previous column; r reverses\n"
	"  p, Space        pause: the picture stays, counting goes on\n"
	"  Ctrl-L          draw the screen anew\n"
	"  q               quit, and leave a summary to paste into a ticket\n"
	"\n"
	"failed and slow   handshakes that came to nothing and lives that ended abnormally,\n"
	"                  like ones together; handshakes in which a SYN or SYN-ACK was sent\n"
	"                  again, while they last; the slowest of the last five minutes\n"
	"  TOOK            of the handshake, or until it failed\n"
	"owners            processes of one name in one cgroup together; [*] are several\n"
	"  ABNORMAL        ended by RST, timeout and the like; TW: left a TIME_WAIT behind\n"
	"listeners         ACCEPT: connections that wait for accept(); ACKED: half-open ones\n"
	"                  that their peer believes to be established\n"
	"port space        how many of the ports that connect() draws from are taken towards\n"
	"                  one destination\n"
	"TIME_WAIT         each namespace's table, then its biggest groups; how long is left\n"
	"connections       of the open ones those that something happened to last\n";

static void draw_text(struct page *p, const char *s, size_t len, unsigned int y)
{
	const char *end = s + len;
	unsigned int skip = p->l->scroll, height = p->g->height - y - 1, lines = 0;

	for (const char *c = s; c < end; c++)
		lines += *c == '\n';
	if (skip + height > lines)
		skip = lines > height ? lines - height : 0;
	p->l->scroll = skip;
	for (unsigned int i = 0; s < end && i < skip + height; i++) {
		const char *line_end = memchr(s, '\n', end - s);

		line_end = line_end ? line_end : end;
		grid_at(p->g, 1, y + i - skip, p->g->width);
		if (i >= skip)
			grid_bytes(p->g, INK_PLAIN, s, line_end - s);
		s = line_end + 1;
	}
}

static void draw_front(struct page *p)
{
	struct grid *g = p->g;

	if (p->l->ladder)
		draw_text(p, p->l->ladder, p->l->ladder_len, 2);
	else
		draw_text(p, help_text, sizeof(help_text) - 1, 2);
	grid_at(g, 0, g->height - 1, g->width);
	put_key(p, "up, down", "scroll");
	put_key(p, "any other key", "back");
}

static void draw_too_small(struct grid *g)
{
	struct words w;
	struct text *t = words_begin(&w);

	text_str(t, "too small: ");
	text_uint(t, g->width);
	text_char(t, 'x');
	text_uint(t, g->height);
	text_str(t, ", top takes ");
	text_uint(t, SCREEN_WIDTH);
	text_char(t, 'x');
	text_uint(t, SCREEN_HEIGHT);
	grid_at(g, 0, 0, g->width);
	grid_bytes(g, INK_PLAIN, w.buf, w.t.p - w.buf);
	grid_at(g, 0, 1, g->width);
	grid_str(g, INK_FAINT, "q quits");
}

/* ---- the whole ---- */

static void draw_all(struct page *p)
{
	unsigned int width = p->g->width, height = p->g->height, y = 1, states;
	bool beside = width >= SIDE_BY_SIDE;
	unsigned int left = beside ? width - STATES_WIDTH - 1 : width;

	draw_rates(p, y, left);
	y += RATE_LINES;
	states = states_draw(p->g, p->b, p->glyphs, beside ? left + 1 : 0, beside ? 1 : y,
			     height >= 24);
	if (!beside)
		y += states;
	draw_worst(p, beside ? y + 1 : y, left);
	y += WORST_LINES + beside;
	if (height - y > LIST_LINES + 4 || (beside && y < 1 + states))
		y++;
	draw_lists(p, y, height - y - 1);
	draw_last(p);
}

void screen_draw(struct grid *g, const struct board *b, struct look *l)
{
	struct page p = { .g = g, .b = b, .l = l, .glyphs = glyphs_of(l->utf8) };

	grid_clear(g);
	if (g->width < SCREEN_WIDTH || g->height < SCREEN_HEIGHT) {
		draw_too_small(g);
		return;
	}
	draw_first(&p);
	if (l->ladder || l->help)
		draw_front(&p);
	else
		draw_all(&p);
}
