// SPDX-License-Identifier: GPL-2.0-or-later
#include "explainer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "locale_utf8.h"
#include "mermaid.h"
#include "row.h"
#include "sentence.h"
#include "summary.h"
#include "tcp_state.h"

#define NOTE_SIZE	128

/* ---- as rows ---- */

/* After each arrow; an end that was not seen may have moved on since. */
static void follow(uint8_t states[2], const struct ladder *l, const struct arrow *a)
{
	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		if (a->entered[lane] || !l->ends[lane])
			states[lane] = a->entered[lane];
	}
}

static void put_row(struct explainer *x, const struct ladder_row *r)
{
	const struct view *v = r->ladder->ends[ladder_local(r->ladder)];
	const struct cgroup *c = names_cgroup_of(x->names, v->cgroup,
						 names_process(x->names, &v->owner));

	row_from_arrow(&x->row, r);
	if (c)
		row_add_cgroup(&x->row, c);
	sink_row(x->sink, &x->row);
}

static void tell_rows(struct explainer *x, const struct telling *t)
{
	const struct ladder *l = t->ladder;
	struct arrow verdict = { .kind = ARROW_VERDICT, .flags = AR_SENT };
	struct ladder_row r = { .ladder = l, .absolute = x->opt->absolute };
	char buf[SENTENCE_MAX];
	struct text text = text_into(buf, sizeof(buf));

	for (enum lane lane = LEFT; lane <= RIGHT; lane++)
		r.states[lane] = l->ends[lane] ? l->ends[lane]->base_state : TS_NONE;
	for (unsigned int i = 0; i < l->nr; i++) {
		r.arrow = &l->arrows[i];
		follow(r.states, l, r.arrow);
		if (r.arrow->at_ns > verdict.at_ns)
			verdict.at_ns = r.arrow->at_ns;
		if (telling_has(t, r.arrow))
			put_row(x, &r);
	}
	if (!t->over)
		return;
	sentence_write(&text, l);
	r.arrow = &verdict;
	r.text = buf;
	r.text_len = text.p - buf;
	put_row(x, &r);
}

/* ---- as pictures ---- */

static void tell_mermaid(struct explainer *x, const struct telling *t)
{
	struct draw *d = &x->draw;
	struct text text = text_into(d->buf, DRAW_SIZE);
	unsigned int nr;

	if (d->begun)
		text_char(&text, '\n');
	nr = mermaid_write(&text, t, x->opt->absolute);
	if (!nr)
		return;
	out_append(d->out, d->buf, text.p - d->buf);
	d->begun = true;
}

static void tell(void *ctx, const struct telling *t)
{
	struct explainer *x = ctx;

	if (x->opt->count && x->told >= x->opt->count)
		return;
	switch (x->opt->format) {
	case FORMAT_TABLE:
		draw_ladder(&x->draw, t);
		break;
	case FORMAT_MERMAID:
		tell_mermaid(x, t);
		break;
	case FORMAT_JSON:
	case FORMAT_CSV:
		tell_rows(x, t);
		break;
	case FORMAT_MAX:
		break;
	}
	x->told += t->over;
}

/* ---- losses ---- */

static void tell_loss(struct explainer *x, const struct report *r)
{
	char buf[NOTE_SIZE];
	struct text t = text_into(buf, sizeof(buf));

	row_from_report(&x->row, r);
	if (!explainer_ops(x->opt->format)) {
		sink_row(x->sink, &x->row);
		return;
	}
	table_loss(&t, &x->row);
	if (x->opt->format == FORMAT_TABLE) {
		draw_note(&x->draw, buf, t.p - buf);
		return;
	}
	text_char(&t, '\n');	/* a paragraph between two diagrams */
	out_append(x->draw.out, "\n", x->draw.begun);
	out_append(x->draw.out, buf, t.p - buf);
	x->draw.begun = true;
}

void explainer_report(struct explainer *x, const struct report *r, bool asked_for)
{
	if (r->kind == REPORT_LOST)
		tell_loss(x, r);
	else
		explain_report(&x->explain, r, asked_for);
}

/* ---- setup ---- */

const struct sink_ops *explainer_ops(enum format format)
{
	static const struct sink_ops table = { .name = "table" }, mermaid = { .name = "mermaid" };

	return format == FORMAT_TABLE ? &table : format == FORMAT_MERMAID ? &mermaid : NULL;
}

/* ## Title, and a paragraph */
static void begin_mermaid(struct explainer *x)
{
	struct text t = text_into(x->draw.buf, DRAW_SIZE);

	if (!x->title)
		return;
	text_str(&t, x->legend ? "## " : "\n## ");
	text_str(&t, x->title);
	text_str(&t, "\n\n");
	text_str(&t, x->text);
	text_char(&t, '\n');
	out_append(x->draw.out, x->draw.buf, t.p - x->draw.buf);
	x->draw.begun = true;
}

void explainer_begin(struct explainer *x)
{
	switch (x->opt->format) {
	case FORMAT_TABLE:
		if (x->legend)
			draw_begin(&x->draw);
		x->draw.begun = true;
		if (x->title)
			draw_heading(&x->draw, x->title, x->text);
		break;
	case FORMAT_MERMAID:
		begin_mermaid(x);
		break;
	case FORMAT_JSON:
	case FORMAT_CSV:
		if (x->legend)
			sink_begin(x->sink);
		break;
	case FORMAT_MAX:
		break;
	}
}

void explainer_destroy(struct explainer *x)
{
	if (!x)
		return;
	explain_deinit(&x->explain);
	draw_deinit(&x->draw);
	free(x);
}

static void explainer_destroyp(struct explainer **x)
{
	explainer_destroy(*x);
}

int explainer_create(const struct options *opt, struct sink *sink, struct names *names,
		     struct explainer **ret)
{
	enum explain_pace pace = opt->scenarios ? PACE_RUN : opt->live ? PACE_LIVE : PACE_END;
	CLEANUP(explainer_destroyp) struct explainer *x = calloc(1, sizeof(*x));
	int err;

	if (!x)
		return -ENOMEM;
	x->opt = opt;
	x->sink = sink;
	x->names = names;
	x->legend = true;
	x->draw = (struct draw){
		.out = sink->out, .width = sink->width, .color = sink->color,
		.utf8 = locale_is_utf8(), .absolute = opt->absolute,
	};
	err = draw_init(&x->draw);
	if (!err)
		err = explain_init(&x->explain, pace, opt->existing, tell, x);
	if (err)
		return err;
	*ret = TAKE(x);
	return 0;
}
