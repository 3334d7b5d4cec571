// SPDX-License-Identifier: GPL-2.0-or-later
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "decode.h"
#include "digest.h"
#include "lifecycle.h"
#include "log.h"
#include "report_facts.h"
#include "row.h"
#include "summary.h"

/* A life takes 172 bytes while it is quiet, and 600 while it begins or ends. */
#ifndef MAX_CONNS	/* fuzzers have a small table, to meet its bound */
#define MAX_CONNS	(1u << 20)
#endif

/* ---- what is printed ---- */


/* An event each: trace alone prints them. */
#define EVENT_KINDS	(1u << REPORT_STATE | 1u << REPORT_LATE_SEGMENT | \
			 1u << REPORT_RETRANSMIT | 1u << REPORT_RESET)

static bool is_wanted(const struct session *s, const struct report *r)
{
	if (EVENT_KINDS & 1u << r->kind)
		return s->opt->command == CMD_TRACE;
	if (r->kind != REPORT_CONNECTION)
		return true;
	return s->opt->command == CMD_CONNS && !s->surveys &&
	       (s->opt->existing || !(r->conn->flags & CONN_EXISTING));
}

/* What is left out is not counted in the summary, either. */
static bool is_asked_for(const struct options *opt, const struct report *r)
{
	struct filter_facts facts;

	if (!report_is_of_socket(r))
		return true;
	if (opt->filter.len) {
		facts = report_facts(r);
		if (!filter_match(&opt->filter, &facts))
			return false;
	}
	return cgroup_satisfies(r->cgroup, &opt->cgroups);
}

static void on_report(void *ctx, const struct report *r)
{
	struct session *s = ctx;
	bool asked_for = !s->enough && is_asked_for(s->opt, r);

	if (s->monitor)
		monitor_report(s->monitor, r, asked_for);
	/* A ladder's beginning may matter before it is known whether it is asked for. */
	if (s->explainer && !s->enough)
		explainer_report(s->explainer, r, asked_for);
	if (!asked_for)
		return;
	tally_report(&s->tally, r, s->opt->existing);
	if (s->explainer || s->monitor)
		return;
	if (s->surveys && r->kind == REPORT_STATE && r->state.new == TS_TIME_WAIT)
		survey_entered(&s->survey, r->netns);
	if (!is_wanted(s, r))
		return;
	row_from_report(&s->row, r);
	sink_row(&s->sink, &s->row);
	if (s->opt->count && s->sink.records >= s->opt->count)
		s->enough = true;
}

/* ---- the run ---- */

/* Only now: a run that cannot start leaves an older recording as it was. */
static void open_recorder(struct session *s, const char *path)
{
	int err = recorder_create(path, &s->recorder);

	if (!err)
		return;
	s->recorder_failed = s->enough = true;
	if (err == -ELOOP)
		log_error("--write %s: is a symbolic link; name the file itself", path);
	else if (err == -EMLINK)
		log_error("--write %s: is a hard link, and what goes by the other name would be "
			  "overwritten; name a new file, or remove this one", path);
	else
		log_error("--write %s: cannot create the recording: %s; name a file that can be "
			  "written", path, strerror(-err));
}

static void tell_recorder_error(struct session *s, int err)
{
	s->recorder_failed = s->enough = true;
	log_error("--write %s: cannot write the recording: %s; it ends after the last record that "
		  "fitted", s->opt->write_path, strerror(-err));
}

static void record(struct session *s, const union event *ev)
{
	int err;

	if (!s->recorder || s->recorder_failed)
		return;
	err = recorder_record(s->recorder, ev, ev->hdr.len);
	if (err)
		tell_recorder_error(s, err);
}

bool session_close_recorder(struct session *s)
{
	int err = recorder_close(TAKE(s->recorder));

	if (err && !s->recorder_failed)
		tell_recorder_error(s, err);
	return s->recorder_failed;
}

static void begin(struct session *s, const union event *ev)
{
	s->start_ns = ev->hdr.ts_ns;
	if (s->opt->duration_ns)
		s->until_ns = s->start_ns + s->opt->duration_ns;
	if (s->opt->write_path)
		open_recorder(s, s->opt->write_path);
	if (s->explainer)
		explainer_begin(s->explainer);
	else if (!s->monitor)
		sink_begin(&s->sink);
}

/* Of the run as a whole: its end, and what was lost until then. */
static bool is_of_run(const union event *ev)
{
	return ev->hdr.kind == WIRE_END || ev->hdr.kind == WIRE_LOST;
}

/*
 * -d is in event time, so that a recording ends where the run did.  What came
 * later is not part of the run, nor of its account of births.
 */
static bool is_too_late(struct session *s, const union event *ev)
{
	if (!s->until_ns || ev->hdr.ts_ns <= s->until_ns)
		return false;
	if (ev->hdr.kind == WIRE_STATE &&
	    life_is_birth(ev->state.oldstate, ev->state.newstate))
		s->late_births++;
	if (ev->hdr.kind == WIRE_CLAIM && ev->claim.flags & WIRE_CL_BIRTH)
		s->late_births++;
	return !is_of_run(ev);
}

/*
 * A run that -c ended is over with its last record; births that nobody was
 * going to hand out are not unseen.
 */
static void settle_end(const struct session *s, struct wire_end *end)
{
	if (s->enough) {
		end->hdr.ts_ns = s->last_ns;
		end->births = s->engine.births + s->engine.adopted;
	} else {
		end->births -= end->births < s->late_births ? end->births : s->late_births;
	}
}

/* What is of the run as a whole is told as of its end: a copy is put right. */
static const union event *settle(const struct session *s, const union event *ev, union event *copy)
{
	if (!is_of_run(ev))
		return ev;
	memcpy(copy, ev, ev->hdr.len);
	if (s->until_ns && ev->hdr.ts_ns > s->until_ns)
		copy->hdr.ts_ns = s->until_ns;
	if (ev->hdr.kind == WIRE_END)
		settle_end(s, &copy->end);
	return copy;
}

/* Of a census: of the sockets that are there, or of who holds them. */
static bool is_row(enum wire_kind kind)
{
	switch (kind) {
	case WIRE_CENSUS:
	case WIRE_OWNER:
	case WIRE_CENSUS_END:
	case WIRE_AGED:
	case WIRE_MINI:
	case WIRE_MINI_GROUP:
	case WIRE_MINI_PORTS:
	case WIRE_MINI_POOL:
	case WIRE_LISTENER:
	case WIRE_REQUEST:
	case WIRE_SOCKET:
		return true;
	default:
		return false;
	}
}

/* Ladders that only time tells to be whole. */
static void explain_so_far(struct session *s)
{
	struct explainer *x = s->explainer;

	if (!s->enough)
		explain_advance(&x->explain, s->last_ns);
	if (s->opt->count && x->told >= s->opt->count)
		s->enough = true;
}

bool session_record(void *ctx, const void *rec, size_t len)
{
	struct session *s = ctx;
	const union event *ev;
	union event settled;
	int err = decode_in_place(rec, len, &ev);

	if (err) {
		log_error("cannot read a record of %zu bytes: %s; please report this",
			  len, strerrordesc_np(-err));
		return !s->enough;
	}
	if (ev->hdr.kind == WIRE_START)
		begin(s, ev);
	if (is_too_late(s, ev))
		return !s->enough;
	ev = settle(s, ev, &settled);
	if (ev->hdr.ts_ns > s->last_ns)
		s->last_ns = ev->hdr.ts_ns;
	record(s, ev);
	if (s->monitor)
		monitor_event(s->monitor, ev);
	if (s->surveys)
		survey_feed(&s->survey, ev);
	if (!s->surveys || s->traces || !is_row(ev->hdr.kind))
		engine_feed(&s->engine, ev);
	if (s->explainer)
		explain_so_far(s);
	if (s->monitor)
		monitor_advance(s->monitor, s->last_ns);
	return !s->enough;
}

bool session_knows(void *ctx, enum wire_kind kind, __u64 id)
{
	struct session *s = ctx;

	return engine_knows(&s->engine, kind, id);
}

static void tell_sink_losses(struct session *s)
{
	union event ev;

	if (s->out.dropped == s->sink_lost)
		return;
	ev.lost = (struct wire_lost){
		.hdr = { .ts_ns = s->last_ns, .kind = WIRE_LOST },
		.count = s->out.dropped - s->sink_lost, .where = WIRE_LOST_SINK,
	};
	s->sink_lost = s->out.dropped;
	engine_feed(&s->engine, &ev);
}

void session_flush(struct session *s)
{
	out_flush(&s->out);
	/* Told only when there is room for it again. */
	if (s->out.len < OUT_SIZE / 2)
		tell_sink_losses(s);
	if (s->out.err)
		s->enough = true;
}

uint32_t session_doubt(struct session *s, uint64_t now_ns)
{
	return engine_doubt(&s->engine, now_ns);
}

uint64_t session_next_deadline(const struct session *s)
{
	uint64_t engines = engine_next_deadline(&s->engine);
	uint64_t ladders = s->explainer ? explain_next_deadline(&s->explainer->explain) :
			   s->monitor ? monitor_next_deadline(s->monitor) : 0;

	if (!engines || !ladders)
		return engines ? engines : ladders;
	return engines < ladders ? engines : ladders;
}

void session_print_digest(struct session *s)
{
	char buf[DIGEST_SIZE];
	struct text t = text_into(buf, sizeof(buf));
	struct board *board = malloc(sizeof(*board));

	if (!board)
		return;
	monitor_board(s->monitor, s->last_ns, board);
	digest_write(&t, board);
	out_append(&s->out, buf, t.p - buf);
	free(board);
}

static void print_summary(struct session *s)
{
	char buf[SINK_RECORD_MAX];
	struct text t = text_into(buf, sizeof(buf));

	if (s->opt->scenarios)	/* many short runs */
		return;
	if (s->monitor) {
		session_print_digest(s);
		return;
	}
	if (s->surveys && !s->traces)
		row_from_survey_end(&s->row, s->tally.last_ns,
				    (s->last_ns - s->start_ns) / 1000000, s->out.dropped);
	else
		row_from_tally(&s->row, &s->tally);
	if (s->sink.ops->summary) {
		sink_row(&s->sink, &s->row);
		return;
	}
	if (s->opt->quiet || s->surveys)
		return;
	table_summary(&t, &s->row);
	fwrite(buf, 1, t.p - buf, stderr);
}

/* How far the ledger of mini-sockets can be trusted. */
static void tell_corrections(const struct session *s)
{
	struct tw_place sum;

	timewait_sum(&s->engine.minis, &sum);
	log_debug("of the mini-sockets %llu were not as censuses found them; their number was off "
		  "by %u at the most", (unsigned long long)sum.corrections, sum.most_off);
}

void session_finish(struct session *s)
{
	union event end = { .end.hdr = { .ts_ns = s->last_ns, .kind = WIRE_END } };

	if (!s->engine.ended) {	/* a recording that breaks off */
		end.end.births = s->engine.births;
		engine_feed(&s->engine, &end);
	}
	if (s->explainer && !s->enough)
		explain_finish(&s->explainer->explain);
	out_drain(&s->out);
	tell_sink_losses(s);
	s->tally.first_ns = s->start_ns + s->engine.clock_ns;
	s->tally.last_ns = s->last_ns + s->engine.clock_ns;
	tally_finish(&s->tally, &s->engine);
	if (!s->out.err)
		print_summary(s);
	out_drain(&s->out);
	if (!s->surveys || s->traces)
		tell_corrections(s);
}

/* ---- setup ---- */

static const struct sink_ops *format_ops(enum format format)
{
	switch (format) {
	case FORMAT_TABLE:
		return &sink_table;
	case FORMAT_JSON:
		return &sink_json;
	case FORMAT_CSV:
		return &sink_csv;
	case FORMAT_MERMAID:
	case FORMAT_MAX:
		break;
	}
	return NULL;
}

static unsigned int terminal_width(int fd)
{
	struct winsize size;

	if (!isatty(fd))
		return 0;
	return !ioctl(fd, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

/* https://no-color.org */
static bool wants_color(const struct options *opt, int fd)
{
	const char *no_color = getenv("NO_COLOR");

	if (opt->color != COLOR_AUTO)
		return opt->color == COLOR_ALWAYS;
	return isatty(fd) && !(no_color && *no_color);
}

/* What is told apart: for people the biggest few, for scripts whatever may matter. */
static int init_survey(struct session *s, const struct scope *scope)
{
	const struct options *opt = s->opt;
	bool table = opt->format == FORMAT_TABLE;
	struct survey_config config;

	s->surveys = true;
	s->traces = opt->read_path || (opt->command == CMD_TIMEWAIT && opt->interval_ns);
	config = (struct survey_config){
		.of = opt->command == CMD_TIMEWAIT ? SURVEY_TIME_WAIT :
		      opt->command == CMD_LISTEN ? SURVEY_LISTENERS : SURVEY_STUCK,
		.scope = *scope, .filter = &opt->filter,
		.groups = table ? 6 : 100, .least_lport = table ? 2 : 0,
		.older_ns = opt->older_ns, .repeats = opt->interval_ns || opt->read_path,
		.names = &s->engine.names, .ledger = s->traces ? &s->engine.minis : NULL,
		.report = on_report, .ctx = s,
	};

	return survey_init(&s->survey, &config);
}

bool session_surveys(const struct options *opt)
{
	return opt->command == CMD_TIMEWAIT || opt->command == CMD_LISTEN || opt->stuck;
}

static uint32_t fields_of(const struct options *opt)
{
	switch (opt->command) {
	case CMD_TIMEWAIT:
		return F_TIMEWAIT;
	case CMD_LISTEN:
		return F_LISTEN;
	case CMD_CONNS:
		return opt->stuck ? F_STUCK : F_CONNS;
	case CMD_EXPLAIN:
		return F_EXPLAIN;
	default:
		return F_TRACE;
	}
}

/* Whether a socket is what the user asks for, as far as it is known. */
static bool asks_for_conn(void *ctx, const struct conn *c)
{
	struct session *s = ctx;
	const struct report r = {
		.kind = REPORT_STATE, .id = c->id, .netns = c->netns, .tuple = &c->tuple,
		.conn = c, .owner = c->owner.from ? &c->owner : NULL, .role = c->role,
		.cgroup = names_cgroup_of(&s->engine.names, c->cgroup,
					  names_process(&s->engine.names, &c->owner)),
		.state = { .old = c->state, .new = c->state },
	};

	return is_asked_for(s->opt, &r);
}

static void describe_scope(struct board *b, const struct options *opt)
{
	struct text t = text_into(b->scope, sizeof(b->scope) - 1);

	if (!strcmp(opt->netns, "all"))
		text_str(&t, "all namespaces");
	else
		text_str(&t, "netns ");
	if (strcmp(opt->netns, "all"))
		text_visible(&t, opt->netns, strlen(opt->netns));
}

/* What a recording tells is what records told; so is what only user space can filter. */
static int init_monitor(struct session *s, const struct scope *scope)
{
	const struct options *opt = s->opt;
	const struct monitor_config config = {
		.engine = &s->engine, .scope = *scope, .filter = &opt->filter,
		.exact = !opt->read_path && scope_is_whole(scope) && !opt->filter.len &&
			 !cgroup_terms_any(&opt->cgroups),
		.wants = asks_for_conn, .ctx = s,
	};
	int err = monitor_create(&config, &s->monitor);

	if (err)
		return err;
	s->monitor->board.recorded = opt->read_path;
	describe_scope(&s->monitor->board, opt);
	return 0;
}

/* Of which not even whether they are asked for depends on names: they are counted. */
static uint32_t kinds_unread(const struct options *opt)
{
	if (opt->command != CMD_CONNS || opt->filter.len || cgroup_terms_any(&opt->cgroups))
		return 0;
	return EVENT_KINDS;
}

int session_init(struct session *s, const struct options *opt, const struct scope *scope,
		 int fd, bool waits)
{
	int err;

	*s = (struct session){ .opt = opt };
	err = engine_init(&s->engine, &scope->sockets, MAX_CONNS, on_report, s);
	if (err)
		return err;
	engine_narrow(&s->engine, scope, &opt->filter);
	engine_spare_names(&s->engine, kinds_unread(opt));
	if (session_surveys(opt))
		err = init_survey(s, scope);
	if (!err)
		err = out_init(&s->out, fd, waits);
	if (err) {
		survey_deinit(&s->survey);
		engine_deinit(&s->engine);
		return err;
	}
	s->sink = (struct sink){
		.ops = format_ops(opt->format), .out = &s->out,
		.command = fields_of(opt),
		.width = terminal_width(fd), .color = wants_color(opt, fd),
	};
	if (opt->command == CMD_TOP)
		err = init_monitor(s, scope);
	if (err)
		session_deinit(s);
	if (opt->command != CMD_EXPLAIN)
		return err;
	if (explainer_ops(opt->format))
		s->sink.ops = explainer_ops(opt->format);
	err = explainer_create(opt, &s->sink, &s->engine.names, &s->explainer);
	if (err)
		session_deinit(s);
	return err;
}

void session_deinit(struct session *s)
{
	recorder_close(TAKE(s->recorder));
	explainer_destroy(TAKE(s->explainer));
	monitor_destroy(TAKE(s->monitor));
	out_deinit(&s->out);
	survey_deinit(&s->survey);
	engine_deinit(&s->engine);
}
