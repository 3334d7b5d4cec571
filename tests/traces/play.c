// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * play FILE.trace... - the engine against scenarios in text: events in, records
 * out, held against what the scenario says they are.  Prints TAP.  Needs no
 * root and no kernel.  README.md has the language.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "engine.h"
#include "expect.h"
#include "report_facts.h"
#include "row.h"
#include "scenario.h"
#include "script.h"
#include "sink.h"
#include "tally.h"

#define RECORDS_MAX	64	/* that one event may bring */
#define LIVES_MAX	64

struct life_clock {
	uint64_t id, at_ns;
	bool of_lives;
};

struct play {
	const struct scenario *scenario;
	struct script script;
	struct engine engine;
	struct tally tally;
	bool running, ended;
	uint64_t last_ns;
	char *records[RECORDS_MAX];	/* of the last event, in JSON, not yet expected */
	unsigned int nr_records, next_record;
	struct life_clock clocks[LIVES_MAX];
	char *diagnosis;		/* "# " lines */
	size_t diagnosis_len;
	FILE *out;			/* into diagnosis */
	bool failed;
};

static void complain(struct play *p, unsigned int number, const char *format, ...)
{
	va_list args;

	p->failed = true;
	fprintf(p->out, "# %s:%u: ", p->scenario->file, number);
	va_start(args, format);
	vfprintf(p->out, format, args);
	va_end(args);
	fputc('\n', p->out);
}

/* Within one conn time never goes back, neither in what trace prints nor in what conns does. */
static void check_clock(struct play *p, const struct report *r)
{
	bool of_lives = r->kind == REPORT_CONNECTION;
	struct life_clock *clock = p->clocks;

	if (!r->id)
		return;
	while (clock->id && (clock->id != r->id || clock->of_lives != of_lives))
		clock++;
	if (clock == p->clocks + LIVES_MAX - 1)
		abort();
	clock->id = r->id;
	clock->of_lives = of_lives;
	if (r->at_ns < clock->at_ns)
		complain(p, 0, "time goes back within conn %016lx", (unsigned long)r->id);
	clock->at_ns = r->at_ns;
}

static void keep_row(struct play *p, const struct row *row)
{
	static struct record record;
	char json[SINK_RECORD_MAX];
	struct text t = text_into(json, sizeof(json) - 1);
	struct sink sink = { .ops = &sink_json };

	sink_json.row(&sink, &t, row);
	*t.p = 0;
	if (t.full || !record_parse(&record, json))
		complain(p, 0, "not a record: %s", json);
	else if (!scenario_mentions(p->scenario, record_get(&record, "event")))
		return;
	if (p->nr_records == RECORDS_MAX)
		abort();
	p->records[p->nr_records++] = strdup(json);
}

static void on_report(void *ctx, const struct report *r)
{
	const struct filter_facts facts = report_facts(r);
	struct play *p = ctx;
	struct row row;

	if (report_is_of_socket(r) && !filter_match(&p->script.filter, &facts))
		return;
	check_clock(p, r);
	tally_report(&p->tally, r, false);
	row_from_report(&row, r);
	keep_row(p, &row);
}

/* What the last event brought, and nobody expected. */
static void check_rest(struct play *p, unsigned int number)
{
	for (; p->next_record < p->nr_records; p->next_record++)
		complain(p, number, "unexpected: %s", p->records[p->next_record]);
	while (p->nr_records)
		free(p->records[--p->nr_records]);
	p->next_record = 0;
}

static void summarize(struct play *p)
{
	struct row row;

	p->ended = true;
	p->tally.first_ns = TRACE_REALTIME_NS;
	p->tally.last_ns = p->last_ns + p->engine.clock_ns;
	tally_finish(&p->tally, &p->engine);
	row_from_tally(&row, &p->tally);
	keep_row(p, &row);
}

static void feed(struct play *p, const union event *ev, unsigned int number)
{
	union event decoded;

	if (decode(ev, ev->hdr.len, &decoded)) {
		complain(p, number, "decode() refuses it");
		return;
	}
	p->last_ns = ev->hdr.ts_ns;
	engine_feed(&p->engine, &decoded);
	conntab_pack(&p->engine.conns);	/* or what is told might hang on that */
	if (ev->hdr.kind != WIRE_END)
		return;
	if (p->engine.conns.used)
		complain(p, number, "%u connections are left after the end",
			 p->engine.conns.used);
	summarize(p);
}

static bool start(struct play *p, unsigned int number)
{
	union event ev;

	if (engine_init(&p->engine, &p->script.wanted.sockets, p->script.table, on_report, p)) {
		complain(p, number, "no table of %u", p->script.table);
		return false;
	}
	engine_narrow(&p->engine, &p->script.wanted, &p->script.filter);
	p->running = true;
	for (unsigned int i = 0; script_preamble(&p->script, i, &ev); i++)
		feed(p, &ev, number);
	return true;
}

static bool play_event(struct play *p, struct words *w, unsigned int number)
{
	union event ev;

	check_rest(p, number);
	if (!p->running && !start(p, number))
		return false;
	if (!script_event(&p->script, w, &ev)) {
		complain(p, number, "%s", p->script.error);
		return false;
	}
	feed(p, &ev, number);
	return true;
}

static void play_expectation(struct play *p, struct words *w, const char *text,
			     unsigned int number)
{
	static struct record record;
	char wrong[2048], *rest = NULL;
	const char *json;

	if (w->nr == 3 && !strcmp(w->at[1], "no")) {	/* a mention is all it is */
		if (!expect_knows(w->at[2]))
			complain(p, number, "no such kind of record: %s", w->at[2]);
		return;
	}
	if (p->next_record == p->nr_records) {
		complain(p, number, "expected, and did not come: %s", text);
		return;
	}
	json = p->records[p->next_record++];
	record_parse(&record, json);
	w->next = 1;
	expect_match(w, &record, wrong, sizeof(wrong));
	if (!*wrong)
		return;
	complain(p, number, "%s", text);
	for (char *line = strtok_r(wrong, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		fprintf(p->out, "#     %s\n", line);
	fprintf(p->out, "#     in %s\n", json);
}

/* False: the rest makes no sense any more. */
static bool play_line(struct play *p, const struct line *line)
{
	char copy[1024];
	struct words w;

	if (snprintf(copy, sizeof(copy), "%s", line->text) >= (int)sizeof(copy) ||
	    !words_split(&w, copy)) {
		complain(p, line->number, "too long");
		return false;
	}
	if (!w.nr)
		return true;
	if (!strcmp(w.at[0], "=>")) {
		play_expectation(p, &w, line->text, line->number);
		return true;
	}
	if (*w.at[0] >= '0' && *w.at[0] <= '9')
		return play_event(p, &w, line->number);
	if (script_directive(&p->script, &w))
		return true;
	complain(p, line->number, "%s", p->script.error);
	return false;
}

static void play_end(struct play *p)
{
	unsigned int number = p->scenario->nr ? p->scenario->lines[p->scenario->nr - 1].number : 0;
	union event ev;

	check_rest(p, number);
	if (!p->running) {
		complain(p, number, "nothing happens");
		return;
	}
	if (!p->ended) {
		script_end(&p->script, p->last_ns, &ev);
		feed(p, &ev, number);
		check_rest(p, number);
	}
	engine_deinit(&p->engine);
}

/* Returns whether it counts as a failure. */
static bool play(const struct scenario *sc, unsigned int n)
{
	struct play p = { .scenario = sc };
	bool makes_sense = true;

	p.out = open_memstream(&p.diagnosis, &p.diagnosis_len);
	if (!p.out)
		abort();
	script_init(&p.script);
	for (unsigned int i = 0; makes_sense && i < sc->nr; i++)
		makes_sense = play_line(&p, &sc->lines[i]);
	play_end(&p);
	fclose(p.out);
	printf("%sok %u - %s: %s%s%s\n%s", p.failed ? "not " : "", n, sc->file, sc->title,
	       sc->todo ? " # TODO " : "", sc->todo ? sc->todo : "", p.diagnosis);
	free(p.diagnosis);
	return p.failed && !sc->todo;
}

static bool play_all(const struct scenarios *all)
{
	bool failed = false;

	printf("1..%u\n", all->nr);
	for (unsigned int i = 0; i < all->nr; i++)
		failed |= play(&all->at[i], i + 1);
	return failed;
}

int main(int argc, char **argv)
{
	struct scenarios all = {};
	int status = 0;

	for (int i = 1; i < argc; i++) {
		if (!scenarios_load(&all, argv[i]))
			status = 2;
	}
	if (argc < 2)
		fprintf(stderr, "usage: play FILE.trace...\n");
	if (!all.nr)
		status = 2;
	if (!status)
		status = play_all(&all);
	scenarios_deinit(&all);
	return status;
}
