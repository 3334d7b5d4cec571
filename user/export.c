// SPDX-License-Identifier: GPL-2.0-or-later
#include "export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup_rounds.h"
#include "cleanup.h"
#include "decode.h"
#include "gauges.h"
#include "http.h"
#include "inventory.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "notify.h"
#include "privileges.h"
#include "process_lookup.h"
#include "recount.h"
#include "resolver.h"
#include "rounds.h"
#include "textfile.h"

/* A life takes 172 bytes while it is quiet, and 600 while it begins or ends. */
#define MAX_CONNS	(1u << 20)

#define NSEC_PER_SEC	1000000000ull
#define TEXTFILE_NS	(15 * NSEC_PER_SEC)
#define APART_NS	(5 * NSEC_PER_SEC)
#define SETTLE_NS	(1 * NSEC_PER_SEC)

#define CENSUSES	(1u << WIRE_CENSUS_PORTS | 1u << WIRE_CENSUS_LISTENERS | \
			 1u << WIRE_CENSUS_AGED)

struct export {
	const struct options *opt;
	struct loop loop;
	struct engine engine;
	struct metrics metrics;
	struct gauges gauges;
	struct rounds rounds;
	struct recount recount;
	struct cgroup_rounds cgroups;	/* zero unless they were asked for */
	struct resolver *resolver;	/* NULL unless owners' cgroups are wanted, too; owned */
	struct self self;
	struct http *http;		/* NULL: not served */
	uint64_t settled_ns, births;	/* when the kernel's births were read last */
	uint64_t written_ns;
	bool write_failed;		/* and that was told */
	char *buf;			/* of EXPOSITION_MAX bytes, for the textfile */
};

/* ---- what comes ---- */

static void on_report(void *ctx, const struct report *r)
{
	struct export *x = ctx;

	metrics_report(&x->metrics, r);
	if (x->opt->by_cgroup)
		groups_report(&x->cgroups.groups, r);
}

static bool on_record(void *ctx, const void *rec, size_t len)
{
	struct export *x = ctx;
	const union event *ev;
	int err = decode_in_place(rec, len, &ev);

	if (err) {
		log_error("cannot read a record of %zu bytes: %s; please report this",
			  len, strerrordesc_np(-err));
		return true;
	}
	metrics_event(&x->metrics, ev);
	engine_feed(&x->engine, ev);
	gauges_feed(&x->gauges, ev);
	return true;
}

static bool knows(void *ctx, enum wire_kind kind, __u64 id)
{
	struct export *x = ctx;

	return engine_knows(&x->engine, kind, id);
}

/* ---- what is told ---- */

static void read_kernel(struct export *x)
{
	struct wire_counters counters;

	capture_counters_sum(x->loop.capture, &counters);
	metrics_kernel(&x->metrics, &counters);
}

static void read_self(struct export *x, bool forget)
{
	struct capture_state state;

	capture_state(x->loop.capture, forget, &state);
	x->self.ring_size = state.ring_size;
	x->self.ring_used = state.ring_used;
	for (enum wire_census_which i = 0; i < WIRE_CENSUS_KINDS; i++) {
		x->self.collectors[i] = (struct self_collector){
			.ran = state.censuses[i].ran,
			.ok = state.censuses[i].ok && !state.censuses[i].left_out,
			.duration_ns = state.censuses[i].took_ns,
		};
	}
	inventory_take(capture_object(x->loop.capture), &x->self);
	x->self.collectors[COLLECTOR_CGROUPS] = x->cgroups.state;
	self_read_process(&x->self.process);
}

static void render_now(struct export *x, struct text *t, enum exposition_format format,
		       bool forget)
{
	const struct exposition exposition = {
		.metrics = &x->metrics, .gauges = &x->gauges, .minis = &x->engine.minis,
		.groups = x->opt->by_cgroup ? &x->cgroups.groups : NULL,
		.self = &x->self, .reasons = x->engine.reasons, .tracked = x->engine.conns.used,
	};

	read_kernel(x);
	read_self(x, forget);
	exposition_write(t, &exposition, format);
}

static void render(void *ctx, struct text *t, enum exposition_format format)
{
	render_now(ctx, t, format, true);
}

/* ---- the textfile ---- */

static void tell_textfile_error(struct export *x, int err)
{
	if (!x->write_failed)
		log_error("--textfile %s: cannot write it: %s; it stays as it was, and synfin "
			  "goes on and tries again", x->opt->textfile_path, strerror(-err));
	x->write_failed = true;
}

static int write_textfile(struct export *x, uint64_t now_ns)
{
	struct text t = text_into(x->buf, EXPOSITION_MAX);
	int err;

	x->written_ns = now_ns;
	render_now(x, &t, EXPOSITION_CLASSIC, false);
	err = t.full ? -EMSGSIZE : textfile_write(x->opt->textfile_path, x->buf, t.p - x->buf);
	x->self.collectors[COLLECTOR_TEXTFILE] = (struct self_collector){
		.ran = true, .ok = !err, .duration_ns = loop_now_ns() - now_ns,
	};
	if (!err)
		x->write_failed = false;
	return err;
}

/* What a user got wrong ends the run; a disk that is full may have room again. */
static int begin_textfile(struct export *x)
{
	int err;

	if (!x->opt->textfile_path)
		return 0;
	err = write_textfile(x, loop_now_ns());
	if (!err)
		return 0;
	if (err == -ENOSPC || err == -EDQUOT || err == -EIO) {
		tell_textfile_error(x, err);
		return 0;
	}
	log_error("--textfile %s: cannot write it: %s; name a file in a directory that can be "
		  "written", x->opt->textfile_path, strerror(-err));
	return STATUS_ERROR;
}

static void refresh_textfile(struct export *x, uint64_t now_ns)
{
	int err;

	if (!x->opt->textfile_path || now_ns - x->written_ns < TEXTFILE_NS)
		return;
	err = write_textfile(x, now_ns);
	if (err)
		tell_textfile_error(x, err);
}

/* ---- HTTP ---- */

static int watch(void *ctx, int fd)
{
	struct export *x = ctx;

	return loop_watch(&x->loop, fd);
}

static int serve(struct export *x, int fd)
{
	char name[LISTEN_NAME_MAX];
	int err;

	listen_name(fd, name, sizeof(name));
	err = http_serve(x->http, fd);
	if (err) {
		log_error("cannot serve HTTP on %s: %s", name, strerror(-err));
		return STATUS_ERROR;
	}
	log_info("metrics on %s://%s%s", http_scheme(x->http), name, x->opt->telemetry_path);
	return 0;
}

static int listen_and_serve(struct export *x, const char *address)
{
	int fd, err = listen_open(address, &fd);

	if (!err)
		return serve(x, fd);
	if (err == -ENXIO)
		log_error("--web.listen-address %s: no such host; give an address of this one, "
			  "or :PORT for all", address);
	else if (err == -EADDRINUSE)
		log_error("--web.listen-address %s: %s; give another port, or end what listens "
			  "there (ss -ltnp)", address, strerror(-err));
	else
		log_error("--web.listen-address %s: cannot listen: %s; give an address of this "
			  "host, or :PORT for all", address, strerror(-err));
	return STATUS_ERROR;
}

/* Alone, a textfile needs no port; and what systemd hands over is meant. */
static int begin_http(struct export *x)
{
	const struct options *opt = x->opt;
	const struct http_config config = {
		.path = opt->telemetry_path, .max_requests = opt->max_requests,
		.render = render, .watch = watch, .ctx = x,
		.web_config_path = opt->web_config_path,
	};
	int fds[LISTEN_MAX], err = 0;
	unsigned int n = listen_inherited(fds);

	if (!n && opt->textfile_path && opt->listen_is_preset)
		return 0;
	if (http_create(&config, &x->http))
		return STATUS_ERROR;
	for (unsigned int i = 0; i < n && !err; i++)
		err = serve(x, fds[i]);
	for (unsigned int i = 0; !n && i < opt->nr_listen && !err; i++)
		err = listen_and_serve(x, opt->listen[i]);
	return err;
}

/* ---- the run ---- */

/*
 * What is there now; from then on the kernel's counters tell.  The first drain
 * hands out all that is older than the census's end.
 */
static void count_off(struct export *x)
{
	struct wire_counters counters;
	struct capture_state state;
	uint64_t off;
	int err = capture_census(x->loop.capture, WIRE_CENSUS_LIVES, x->resolver);

	capture_drain(x->loop.capture, 0);
	capture_state(x->loop.capture, false, &state);
	capture_counters_sum(x->loop.capture, &counters);
	if (err || state.censuses[WIRE_CENSUS_LIVES].left_out || x->engine.forgot ||
	    !metrics_count_off(&x->metrics, &counters, &x->engine.conns, &off))
		log_info("there is no synfin_sockets: what was there before could not be counted "
			 "off%s%s", err ? ": " : "", err ? strerror(-err) : "");
}

/* A later census may have found all, and what records that were lost had told. */
static void recount(struct export *x, uint64_t now_ns)
{
	bool had_sockets = x->metrics.has_sockets;

	recount_turn(&x->recount, now_ns);
	if (x->metrics.has_sockets && !had_sockets)
		log_info("there is synfin_sockets now: what is there could be counted off");
}

/*
 * Births that no record told of are unseen, once whatever of them lives has been
 * met by a census.  Read before a drain, held against what is known after it.
 */
static void settle_births(struct export *x, uint64_t now_ns)
{
	struct wire_counters counters;
	struct capture_state state;

	if (now_ns - x->settled_ns < SETTLE_NS)
		return;
	x->settled_ns = now_ns;
	capture_state(x->loop.capture, false, &state);
	capture_counters_sum(x->loop.capture, &counters);
	if (x->births && !state.doubted && counters.lost_ring == x->metrics.told_ring)
		metrics_settle_births(&x->metrics, x->births, &x->engine);
	x->births = metrics_births(&counters);
}

static void say_tracing(const struct options *opt)
{
	if (!strcmp(opt->netns, "all"))
		log_info("tracing, for metrics, in all network namespaces; Ctrl-C stops");
	else
		log_info("tracing, for metrics, in network namespace %s; Ctrl-C stops", opt->netns);
}

static void run(struct export *x)
{
	struct loop *l = &x->loop;

	while (!l->stop) {
		uint64_t now_ns;

		loop_turn(l, engine_next_deadline(&x->engine));
		now_ns = loop_now_ns();
		capture_recount_netns(l->capture, engine_doubt(&x->engine, now_ns));
		settle_births(x, now_ns);
		recount(x, now_ns);
		rounds_turn(&x->rounds, now_ns);
		if (x->opt->by_cgroup)
			cgroup_rounds_turn(&x->cgroups, now_ns);
		refresh_textfile(x, now_ns);
		if (x->http)
			http_turn(x->http, now_ns);
	}
}

static int trace(struct export *x, const struct scope *scope)
{
	const struct capture_config config = {
		.scope = *scope, .censuses = CENSUSES, .owners = x->resolver,
		.processes = x->resolver,
	};
	const struct rounds_config rounds = {
		.censuses = CENSUSES, .apart_ns = APART_NS, .gauges = &x->gauges,
		.metrics = &x->metrics,
	};
	struct rest rest = privileges_rest(x->opt);
	int err;

	if (x->resolver)
		err = loop_start(&x->loop, x->opt, &config, resolver_record, x->resolver);
	else
		err = loop_start(&x->loop, x->opt, &config, on_record, x);
	if (err)
		return err;
	count_off(x);
	recount_begin(&x->recount, x->loop.capture, &x->engine, &x->metrics);
	rounds_begin(&x->rounds, x->loop.capture, &rounds);
	if (x->opt->by_cgroup)
		cgroup_rounds_turn(&x->cgroups, loop_now_ns());
	privileges_drop(&rest);
	err = begin_textfile(x);
	if (err)
		return err;
	if (x->opt->duration_ns)
		x->loop.until_ns = loop_now_ns() + x->opt->duration_ns;
	say_tracing(x->opt);
	notify("READY=1\nSTATUS=tracing");
	run(x);
	notify("STOPPING=1");
	capture_stop(x->loop.capture, 0);
	if (x->opt->textfile_path) {
		err = write_textfile(x, loop_now_ns());
		if (err)
			tell_textfile_error(x, err);
	}
	return err ? STATUS_ERROR : STATUS_OK;
}

/* Served to the end, and the loop outlives what it watches. */
static void export_deinit(struct export *x)
{
	http_destroy(x->http);
	loop_deinit(&x->loop);
	resolver_destroy(x->resolver);
	cgroup_rounds_deinit(&x->cgroups);
	engine_deinit(&x->engine);
	gauges_deinit(&x->gauges);
	free(x->buf);
}

/* Of a socket's owner synfin is told only where cgroups go by that: of version 1. */
static int begin_cgroups(struct export *x)
{
	const struct resolver_next next = { on_record, knows, x };
	bool has_v1 = process_lookup_has_cgroups();
	int err;

	if (!x->opt->by_cgroup)
		return 0;
	err = cgroup_rounds_begin(&x->cgroups, &x->engine, has_v1);
	return err || !has_v1 ? err : resolver_create(&next, false, &x->resolver);
}

int export_run(const struct options *opt, const struct scope *scope)
{
	CLEANUP(export_deinit) struct export x = {
		.opt = opt, .loop = { .epoll = -1, .timer = -1, .signals = -1 },
	};
	int err;

	x.buf = malloc(EXPOSITION_MAX);
	if (!x.buf || engine_init(&x.engine, &scope->sockets, MAX_CONNS, on_report, &x) ||
	    gauges_init(&x.gauges, opt->close_wait_stale_ns, opt->top_k, &x.engine.conns) ||
	    begin_cgroups(&x)) {
		log_error("cannot start: %s", strerror(ENOMEM));
		return STATUS_ERROR;
	}
	engine_spare_names(&x.engine, UINT32_MAX);
	err = loop_init(&x.loop, NULL);
	if (!err)
		err = begin_http(&x);
	return err ? err : trace(&x, scope);
}
