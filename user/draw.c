// SPDX-License-Identifier: GPL-2.0-or-later
#include "draw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "label.h"
#include "sentence.h"
#include "tcp_state.h"

/* The most columns that a ladder uses, and the least. */
#define WIDTH_MAX	120u
#define WIDTH_MIN	40u
#define WIDTH_PIPE	80u
/* From here on the states have columns of their own. */
#define WIDTH_STATES	72u
/* From here on there is a clock, too. */
#define WIDTH_CLOCK	110u

#define TIME_COLUMNS	9u	/* +1012.008 */
#define LONGEST_MS_NS	10000000000000ull	/* +9999999; what is longer has a unit: +2h46m */
#define NSEC_PER_USEC	1000ull
#define STATE_COLUMNS	13u	/* (ESTABLISHED) */
#define CLOCK_COLUMNS	16u	/* 02:11:00.123456 and a blank */
#define LABEL_SIZE	96u
#define LEGEND_STROKES	5u
#define CROSSING_LEAST	6u	/* likewise, of half a line */
#define SHAFT_LEAST	5u	/* around a label: two blanks, a dash at either end, the head */

enum paint { PLAIN, FAILURE, WARNING, FAINT, TITLE };

static const char *const escapes[] = {
	[FAILURE] = "\033[31m", [WARNING] = "\033[33m", [FAINT] = "\033[2m", [TITLE] = "\033[1m",
};

/* Two columns each, so that a broken line can be drawn by repeating them. */
struct stroke { const char *left, *right; };

struct glyphs {
	struct stroke seen, again, inferred, data;
	const char *to_left, *to_right, *absent, *to;
	const char *down, *up, *cross;
	const char *lane, *unseen, *waiting;	/* lifelines */
};

static const struct glyphs ascii = {
	.seen = { "-", "-" }, .again = { "-", " " }, .inferred = { ".", " " }, .data = { "=", "=" },
	.to_left = "<", .to_right = ">", .absent = "X", .to = "->",
	.down = "\\", .up = "/", .cross = "X",
	.lane = "|", .unseen = ":", .waiting = "'",
};

static const struct glyphs unicode = {
	.seen = { "\u2500", "\u2500" }, .again = { "\u2500", " " }, .inferred = { "\u00b7", " " },
	.data = { "\u2550", "\u2550" },
	.to_left = "\u25c4", .to_right = "\u25ba", .absent = "\u2717", .to = "\u2192",
	.down = "\u2572", .up = "\u2571", .cross = "\u2573",
	.lane = "\u2502", .unseen = "\u250a", .waiting = "\u2506",
};

/* One ladder that is being drawn. */
struct page {
	const struct draw *d;
	const struct glyphs *g;
	const struct telling *t;
	const struct ladder *l;
	struct text text;
	unsigned int column;		/* of this line */
	unsigned int width, left, right;	/* columns of the lifelines */
	bool states, clocks;		/* have columns of their own */
	uint64_t last_ns;		/* time of the row above; 0: there is none */
	bool over[2];			/* the lifeline has ended */
	bool waits[2];			/* it is in TIME_WAIT */
};

/* ---- lines ---- */

static void bytes(struct page *p, const char *s, unsigned int len)
{
	text_bytes(&p->text, s, len);
	p->column += len;
}

static void str(struct page *p, const char *s)
{
	bytes(p, s, strlen(s));
}

static void glyph(struct page *p, const char *s)
{
	text_str(&p->text, s);
	p->column++;
}

static void pad(struct page *p, unsigned int column)
{
	while (p->column < column)
		glyph(p, " ");
}

static void color(struct page *p, enum paint paint)
{
	if (p->d->color && paint != PLAIN)
		text_str(&p->text, escapes[paint]);
}

static void uncolor(struct page *p, enum paint paint)
{
	if (p->d->color && paint != PLAIN)
		text_str(&p->text, "\033[0m");
}

/* Blanks at the end of a line help nobody. */
static void line_end(struct page *p)
{
	while (p->text.p > p->d->buf && p->text.p[-1] == ' ')
		p->text.p--;
	text_char(&p->text, '\n');
	p->column = 0;
}

static void lifeline(struct page *p, enum lane lane)
{
	bool seen = p->l->ends[lane];

	pad(p, lane == LEFT ? p->left : p->right);
	if (p->over[lane]) {
		glyph(p, " ");
		return;
	}
	color(p, seen ? PLAIN : FAINT);
	glyph(p, p->waits[lane] ? p->g->waiting : seen ? p->g->lane : p->g->unseen);
	uncolor(p, seen ? PLAIN : FAINT);
}

/* ---- the margin ---- */

static bool is_timed(const struct arrow *a)
{
	return !(a->flags & AR_UNTIMED) && a->kind < ARROW_HALF_CLOSED &&
	       (!arrow_is_inferred(a) || a->kind > ARROW_SEGMENT);
}

static void margin(struct page *p, const struct arrow *a)
{
	uint64_t since_ns = p->last_ns && a->at_ns > p->last_ns ? a->at_ns - p->last_ns : 0;
	char buf[32];
	struct text t = text_into(buf, sizeof(buf));
	unsigned int len;

	if (!is_timed(a))
		return;
	color(p, FAINT);
	if (p->clocks) {
		int64_t clock_ns = p->l->ends[ladder_local(p->l)]->clock_ns;

		human_clock(&p->text, (struct local_clock *)&p->d->clock, a->at_ns + clock_ns, 6);
		p->column += CLOCK_COLUMNS - 1;
	}
	if (p->last_ns)
		text_char(&t, '+');
	if (since_ns < LONGEST_MS_NS)
		label_ms(&t, since_ns);
	else
		human_duration(&t, since_ns / NSEC_PER_USEC);
	len = t.p - buf;
	pad(p, (p->clocks ? CLOCK_COLUMNS : 0) + (len < TIME_COLUMNS ? TIME_COLUMNS - len : 0));
	bytes(p, buf, len);
	uncolor(p, FAINT);
	p->last_ns = a->at_ns;
}

/* ---- states ---- */

static bool is_guess(const struct arrow *a, enum lane lane)
{
	return a->flags & (lane == LEFT ? AR_GUESS_LEFT : AR_GUESS_RIGHT);
}

static enum paint paint_of_state(const struct arrow *a, enum lane lane)
{
	return is_guess(a, lane) ? FAINT : PLAIN;
}

/* "ESTABLISHED", "(CLOSE_WAIT)" */
static unsigned int name_state(char buf[static 24], const struct arrow *a, enum lane lane)
{
	struct text t = text_into(buf, 23);

	if (is_guess(a, lane))
		text_char(&t, '(');
	label_state(&t, a->entered[lane]);
	if (is_guess(a, lane))
		text_char(&t, ')');
	*t.p = 0;
	return t.p - buf;
}

static void state(struct page *p, const struct arrow *a, enum lane lane)
{
	char buf[24];
	unsigned int len;

	if (!a->entered[lane])
		return;
	len = name_state(buf, a, lane);
	if (p->states)
		pad(p, lane == LEFT ? p->left - 1 - len : p->right + 2);
	else
		pad(p, lane == LEFT ? p->left + 1 : p->right - len);
	color(p, paint_of_state(a, lane));
	str(p, buf);
	uncolor(p, paint_of_state(a, lane));
}

/* Narrow: the state that one end entered, on a line of its own between the lifelines. */
static void state_line(struct page *p, const struct arrow *a, enum lane lane)
{
	if (p->states || !a->entered[lane])
		return;
	lifeline(p, LEFT);
	state(p, a, lane);
	lifeline(p, RIGHT);
	line_end(p);
}

/* ---- arrows ---- */

static enum paint paint_of(const struct arrow *a)
{
	if (a->kind == ARROW_RST || a->kind == ARROW_HOLE)
		return FAILURE;
	if (a->flags & (AR_AGAIN | AR_ABSENT))
		return WARNING;
	return arrow_is_inferred(a) || a->kind > ARROW_STATE ? FAINT : PLAIN;
}

static const struct stroke *stroke_of(const struct page *p, const struct arrow *a)
{
	if (arrow_is_inferred(a))
		return &p->g->inferred;
	if (a->flags & AR_AGAIN)
		return &p->g->again;
	return a->kind == ARROW_DATA ? &p->g->data : &p->g->seen;
}

/* A broken line is unbroken in column `full`. */
static void strokes(struct page *p, const struct stroke *s, unsigned int column, unsigned int full)
{
	while (p->column < column)
		glyph(p, (p->column - full) % 2 ? s->right : s->left);
}

/* Between the lifelines: -- label -->, the label in the middle. */
static void shaft(struct page *p, const struct arrow *a, const char *label, unsigned int len)
{
	const struct stroke *s = stroke_of(p, a);
	unsigned int begin = p->left + 1, end = p->right, middle;
	bool absent = a->flags & AR_ABSENT;

	color(p, paint_of(a));
	if (a->from == RIGHT) {
		glyph(p, absent ? " " : p->g->to_left);
		begin++;
	} else {
		end--;
	}
	middle = begin + (end - begin - len) / 2;
	if (absent && a->from == RIGHT)
		glyph(p, p->g->absent);
	strokes(p, s, middle - 1, middle - 2);
	glyph(p, " ");
	bytes(p, label, len);
	glyph(p, " ");
	strokes(p, s, end - (absent && a->from == LEFT), p->column);
	if (absent && a->from == LEFT)
		glyph(p, p->g->absent);
	if (a->from == LEFT)
		glyph(p, absent ? " " : p->g->to_right);
	uncolor(p, paint_of(a));
}

/* A note stands between the lifelines without a line. */
static void inscription(struct page *p, const struct arrow *a, const char *label,
			unsigned int len)
{
	unsigned int room = p->right - p->left - 1;

	pad(p, p->left + 1 + (len < room ? (room - len) / 2 : 0));
	color(p, paint_of(a));
	bytes(p, label, len);
	uncolor(p, paint_of(a));
}

/* Where a label that is too long is broken: at a blank, or wherever it must be. */
static unsigned int break_label(const char *label, unsigned int len, unsigned int room)
{
	unsigned int at = room;

	if (len <= room)
		return len;
	while (at && label[at] != ' ')
		at--;
	return at ? at : room;
}

static void after(struct page *p, const struct arrow *a)
{
	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		if (a->entered[lane] == TS_CLOSE)
			p->over[lane] = true;
		if (a->entered[lane] == TS_TIME_WAIT)
			p->waits[lane] = true;
	}
}

/* A second line of what did not fit on the arrow. */
static void rest_of_label(struct page *p, const struct arrow *a, const char *label)
{
	if (!*label)
		return;
	lifeline(p, LEFT);
	inscription(p, a, label, strlen(label));
	lifeline(p, RIGHT);
	line_end(p);
}

/* TIME_WAIT outlasts the ladder: its time stands where its state does. */
static void time_wait(struct page *p, const char *label, bool left, bool right)
{
	unsigned int len = strlen(label);

	if (p->states && left) {
		pad(p, p->left - 1 - len);
		str(p, label);
	}
	lifeline(p, LEFT);
	if (!p->states && left)
		str(p, label);
	if (!p->states && right) {
		pad(p, p->right - len);
		str(p, label);
	}
	lifeline(p, RIGHT);
	if (p->states && right) {
		pad(p, p->right + 2);
		str(p, label);
	}
	line_end(p);
}

static void arrow_line(struct page *p, const struct arrow *a, const char *label, unsigned int len)
{
	bool is_line = a->kind <= ARROW_SEGMENT;

	margin(p, a);
	if (p->states)
		state(p, a, LEFT);
	lifeline(p, LEFT);
	if (is_line)
		shaft(p, a, label, len);
	else
		inscription(p, a, label, len);
	lifeline(p, RIGHT);
	if (p->states)
		state(p, a, RIGHT);
	line_end(p);
}

static void draw_arrow(struct page *p, const struct arrow *a)
{
	bool is_line = a->kind <= ARROW_SEGMENT;
	unsigned int room = p->right - p->left - 1 - (is_line ? SHAFT_LEAST : 0), len;
	char label[LABEL_SIZE];
	struct text t = text_into(label, sizeof(label) - 1);

	label_arrow(&t, p->l, a, p->d->absolute);
	*t.p = 0;
	if (a->kind == ARROW_TIME_WAIT) {	/* of both ends in one line */
		bool both = a + 1 < p->l->arrows + p->l->nr && a[1].kind == ARROW_TIME_WAIT;

		if (a == p->l->arrows || a[-1].kind != ARROW_TIME_WAIT)
			time_wait(p, label, both || a->from == LEFT, both || a->from == RIGHT);
		return;
	}
	len = break_label(label, t.p - label, room);
	if (is_line)
		state_line(p, a, a->from);
	if (len || p->states)
		arrow_line(p, a, label, len);
	rest_of_label(p, a, label + len + (label[len] == ' '));
	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		if (!is_line || lane != a->from)
			state_line(p, a, lane);
	}
	after(p, a);
}

/* ---- two arrows that cross ---- */

/* A label with a line on both sides, up to a column. */
static void half_shaft(struct page *p, const char *label, unsigned int column)
{
	unsigned int len = strlen(label), before = (column - p->column - len - 2) / 2;
	const struct stroke *s = &p->g->seen;

	strokes(p, s, p->column + before, p->column);
	glyph(p, " ");
	str(p, label);
	glyph(p, " ");
	strokes(p, s, column, p->column);
}

static void crossing_top(struct page *p, const struct arrow *a, const struct arrow *b,
			 const char *left, const char *right)
{
	unsigned int middle = (p->left + p->right) / 2;

	margin(p, a);
	state(p, a->from == LEFT ? a : b, LEFT);
	lifeline(p, LEFT);
	half_shaft(p, left, middle - 1);
	glyph(p, p->g->down);
	pad(p, middle + 1);
	glyph(p, p->g->up);
	half_shaft(p, right, p->right);
	lifeline(p, RIGHT);
	state(p, a->from == LEFT ? b : a, RIGHT);
	line_end(p);
}

static void crossing_bottom(struct page *p, const struct arrow *a, const struct arrow *b)
{
	unsigned int middle = (p->left + p->right) / 2;

	lifeline(p, LEFT);
	pad(p, middle);
	glyph(p, p->g->cross);
	lifeline(p, RIGHT);
	line_end(p);
	if (!(b->flags & AR_SENT))	/* or else it was sent as the first one was */
		margin(p, b);
	state(p, a->from == LEFT ? b : a, LEFT);
	lifeline(p, LEFT);
	glyph(p, p->g->to_left);
	strokes(p, &p->g->seen, middle - 1, p->column);
	glyph(p, p->g->up);
	pad(p, middle + 1);
	glyph(p, p->g->down);
	strokes(p, &p->g->seen, p->right - 1, p->column);
	glyph(p, p->g->to_right);
	lifeline(p, RIGHT);
	state(p, a->from == LEFT ? a : b, RIGHT);
	line_end(p);
}

/* False: there is no room to draw it so. */
static bool draw_crossing(struct page *p, const struct arrow *a, const struct arrow *b)
{
	unsigned int room = (p->right - p->left) / 2 - CROSSING_LEAST;
	char labels[2][LABEL_SIZE];

	if (!p->states || arrow_is_inferred(a) || arrow_is_inferred(b))
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		struct text t = text_into(labels[(i ? b : a)->from], LABEL_SIZE - 1);

		label_arrow(&t, p->l, i ? b : a, p->d->absolute);
		*t.p = 0;
		if (strlen(labels[(i ? b : a)->from]) > room)
			return false;
	}
	crossing_top(p, a, b, labels[LEFT], labels[RIGHT]);
	crossing_bottom(p, a, b);
	after(p, a);
	after(p, b);
	return true;
}

/* ---- above and below ---- */

static void endpoint(struct page *p, const uint8_t *addr, uint16_t port, unsigned int family)
{
	char buf[64];
	struct text t = text_into(buf, sizeof(buf) - 1);

	if (family == 6)
		text_char(&t, '[');
	text_addr(&t, addr, family);
	if (family == 6)
		text_char(&t, ']');
	text_char(&t, ':');
	if (port)
		text_uint(&t, port);
	else
		text_char(&t, '*');
	*t.p = 0;
	str(p, buf);
}

/* nginx[812]; as in tables, a ? says that only the listener's owner is known. */
static void owner(struct page *p, const struct view *v)
{
	char buf[4 * WIRE_COMM_LEN + 16];
	struct text t = text_into(buf, sizeof(buf) - 1);

	if (!v || !v->owner.from) {
		str(p, "?");
		return;
	}
	text_visible(&t, v->owner.comm, strlen(v->owner.comm));
	text_char(&t, '[');
	text_uint(&t, v->owner.pid);
	text_char(&t, ']');
	if (v->owner.from == OWNER_LISTEN)
		text_char(&t, '?');
	*t.p = 0;
	str(p, buf);
}

static void to(struct page *p)
{
	str(p, " ");
	text_str(&p->text, p->g->to);
	p->column += strlen(ascii.to);
	str(p, " ");
}

/* 10.0.0.1:41234 -> 10.0.0.2:443; each on a line of its own if both have no room */
static void ends(struct page *p, const struct wire_tuple *t, enum lane local)
{
	bool here = local == LEFT;
	struct page before;

	color(p, TITLE);
	endpoint(p, here ? t->laddr : t->raddr, here ? t->lport : t->rport, t->family);
	before = *p;
	to(p);
	endpoint(p, here ? t->raddr : t->laddr, here ? t->rport : t->lport, t->family);
	if (p->column > p->width) {
		*p = before;
		line_end(p);
		to(p);
		endpoint(p, here ? t->raddr : t->laddr, here ? t->rport : t->lport, t->family);
	}
	uncolor(p, TITLE);
}

/* And on a line of its own when, and who. */
static void title(struct page *p)
{
	enum lane local = ladder_local(p->l);
	const struct view *v = p->l->ends[local];
	const struct wire_tuple *t = &v->tuple;
	uint64_t begin_ns = v->end_ns;

	for (unsigned int i = p->l->nr; i--;) {
		if (telling_has(p->t, &p->l->arrows[i]))
			begin_ns = p->l->arrows[i].at_ns;
	}
	ends(p, t, local);
	if (p->l->continued || p->t->after_ns)
		str(p, " (continued)");
	line_end(p);
	human_clock(&p->text, (struct local_clock *)&p->d->clock, begin_ns + v->clock_ns, 6);
	if ((p->l->ends[LEFT] && p->l->ends[LEFT]->owner.from) ||
	    (p->l->ends[RIGHT] && p->l->ends[RIGHT]->owner.from)) {
		str(p, "  ");
		owner(p, p->l->ends[LEFT]);
		to(p);
		owner(p, p->l->ends[RIGHT]);
	}
	line_end(p);
}

/* Whose lifelines these are, and what the margin counts. */
static void heads(struct page *p)
{
	color(p, FAINT);
	pad(p, (p->clocks ? CLOCK_COLUMNS : 0) + TIME_COLUMNS - 2);
	str(p, "ms");
	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		const char *name = label_end(p->l, lane);
		const char *more = p->l->ends[lane] ? "" : ", not seen";
		unsigned int len = strlen(name) + strlen(more);
		unsigned int column = (lane == LEFT ? p->left : p->right) - len / 2;

		if (!p->states)
			column = lane == LEFT ? p->left : p->right + 1 - len;
		pad(p, column > p->column ? column : p->column + 1);
		str(p, name);
		str(p, more);
	}
	uncolor(p, FAINT);
	line_end(p);
}

static void wrapped(struct page *p, const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end) {
		size_t word = 0;

		while (s + word < end && s[word] != ' ')
			word++;
		if (p->column && p->column + 1 + word > p->width)
			line_end(p);
		else if (p->column)
			glyph(p, " ");
		text_bytes(&p->text, s, word);
		p->column += word;
		s += word + (s + word < end);
	}
	line_end(p);
}

static void verdict(struct page *p)
{
	char buf[SENTENCE_MAX + 64];
	struct text t = text_into(buf, sizeof(buf));

	sentence_write(&t, p->l);
	if (p->l->left_out) {
		text_char(&t, ' ');
		text_uint(&t, p->l->left_out);
		text_str(&t, " more arrows had no room.");
	}
	wrapped(p, buf, t.p - buf);
}

/* ---- the page ---- */

static void lay_out(struct page *p)
{
	unsigned int width = p->d->width ? p->d->width : WIDTH_PIPE;
	unsigned int margin_columns;

	width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
	p->width = width;
	p->states = width >= WIDTH_STATES;
	p->clocks = width >= WIDTH_CLOCK;
	margin_columns = TIME_COLUMNS + (p->clocks ? CLOCK_COLUMNS : 0);
	p->left = margin_columns + (p->states ? STATE_COLUMNS + 2 : 0);
	p->right = width - 1 - (p->states ? STATE_COLUMNS + 1 : 0);
}

static bool is_told_now(const struct telling *t, uint64_t heard_ns)
{
	return heard_ns > t->after_ns && heard_ns <= t->until_ns;
}

/* Live: a state that came of an arrow which has been drawn before. */
static void draw_late_states(struct page *p, const struct arrow *a)
{
	struct arrow only = { .kind = ARROW_STATE, .flags = AR_SENT | AR_UNTIMED, .from = a->from };

	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		if (a->entered[lane] && is_told_now(p->t, a->entered_ns[lane]))
			only.entered[lane] = a->entered[lane];
	}
	if (only.entered[LEFT] || only.entered[RIGHT])
		draw_arrow(p, &only);
	else
		after(p, a);
}

static unsigned int draw_arrows(struct page *p)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < p->l->nr; i++) {
		const struct arrow *a = &p->l->arrows[i];

		if (telling_has(p->t, a)) {
			nr++;
			if (a->flags & AR_CROSSED && telling_has(p->t, a + 1) &&
			    draw_crossing(p, a, a + 1))
				i++;
			else
				draw_arrow(p, a);
		} else if (!(a->flags & AR_TENTATIVE)) {
			draw_late_states(p, a);
		}
	}
	return nr;
}

static void emit(struct draw *d, struct page *p)
{
	out_append(d->out, d->buf, p->text.p - d->buf);
	d->begun = true;
}

static struct page page_of(struct draw *d)
{
	struct page p = {
		.d = d, .g = d->utf8 ? &unicode : &ascii, .text = text_into(d->buf, DRAW_SIZE),
	};

	lay_out(&p);
	if (d->begun && !d->last_id)
		text_char(&p.text, '\n');
	return p;
}

/* Where the part that was told before has left it. */
static void begin_lane(struct page *p, enum lane lane)
{
	const struct view *v = p->l->ends[lane];

	if (!v)
		return;
	p->waits[lane] = v->base_state == TS_TIME_WAIT;
	if (v->told_at_ns > p->last_ns)
		p->last_ns = v->told_at_ns;
}

/* Whether there is anything to tell. */
static bool draw_page(struct page *p, const struct telling *t)
{
	unsigned int nr;

	p->t = t;
	p->l = t->ladder;
	for (enum lane lane = LEFT; lane <= RIGHT; lane++)
		begin_lane(p, lane);
	if (!p->d->last_id) {
		title(p);
		heads(p);
	}
	nr = draw_arrows(p);
	if (t->over)
		verdict(p);
	return nr || t->over;
}

size_t draw_alone(struct draw *d, const struct telling *t)
{
	struct page p;

	d->begun = false;
	d->last_id = 0;
	p = page_of(d);
	draw_page(&p, t);
	return p.text.p - d->buf;
}

void draw_ladder(struct draw *d, const struct telling *t)
{
	const struct view *v = t->ladder->ends[ladder_local(t->ladder)];
	struct page p;

	if (d->last_id != v->id)
		d->last_id = 0;
	p = page_of(d);
	if (!draw_page(&p, t))
		return;
	emit(d, &p);
	d->last_id = t->over ? 0 : v->id;
}

/* ---- beside the ladders ---- */

static void legend_line(struct page *p, const struct stroke *s, const char *what)
{
	unsigned int len = LEGEND_STROKES + 1 + strlen(what);

	if (p->column && p->column + 2 + len > p->width)
		line_end(p);
	else if (p->column)
		pad(p, p->column + 2);
	strokes(p, s, p->column + LEGEND_STROKES, p->column);
	glyph(p, " ");
	str(p, what);
}

void draw_begin(struct draw *d)
{
	static const char numbers[] = "J, K: initial sequence numbers, left and right. "
				      "(STATE): inferred, as that end was not seen.";
	struct page p = page_of(d);

	color(&p, FAINT);
	legend_line(&p, &p.g->seen, "seen");
	legend_line(&p, &p.g->again, "sent again");
	legend_line(&p, &p.g->inferred, "inferred");
	legend_line(&p, &p.g->data, "data, summed up");
	line_end(&p);
	wrapped(&p, numbers, sizeof(numbers) - 1);
	uncolor(&p, FAINT);
	emit(d, &p);
}

void draw_heading(struct draw *d, const char *title, const char *what)
{
	struct page p = page_of(d);

	color(&p, TITLE);
	wrapped(&p, title, strlen(title));
	uncolor(&p, TITLE);
	wrapped(&p, what, strlen(what));
	emit(d, &p);
}

void draw_note(struct draw *d, const char *note, size_t len)
{
	struct page p;

	d->last_id = 0;
	p = page_of(d);
	color(&p, FAILURE);
	wrapped(&p, note, len);
	uncolor(&p, FAILURE);
	emit(d, &p);
}

int draw_init(struct draw *d)
{
	d->buf = malloc(DRAW_SIZE);
	return d->buf ? 0 : -ENOMEM;
}

void draw_deinit(struct draw *d)
{
	free(d->buf);
	d->buf = NULL;
}
