// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey_run.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "loop.h"
#include "privileges.h"
#include "resolver.h"

struct run {
	struct loop loop;
	struct session *session;
	const struct options *opt;
	enum wire_census_which which;
	uint64_t next_ns;	/* when the next census is due */
	bool said_untold, said_undated;
};

static enum wire_census_which census_of(const struct options *opt)
{
	switch (opt->command) {
	case CMD_TIMEWAIT:
		return WIRE_CENSUS_PORTS;
	case CMD_LISTEN:
		return WIRE_CENSUS_LISTENERS;
	default:
		return WIRE_CENSUS_AGED;
	}
}

static void say_untold(struct run *r)
{
	const struct survey *s = &r->session->survey;

	if (s->untold && !r->said_untold)
		log_info("%llu more sockets than are told; -L, -4, -6 or -N tell fewer",
			 (unsigned long long)s->untold);
	r->said_untold |= s->untold;
	if (s->undated && !r->said_undated)
		log_info("%llu more are closed and cannot send their FIN yet: since when is not "
			 "known", (unsigned long long)s->undated);
	r->said_undated |= s->undated;
}

static int count_off(struct run *r)
{
	int err = capture_census(r->loop.capture, r->which, r->which != WIRE_CENSUS_PORTS);

	if (!err) {
		say_untold(r);
		return 0;
	}
	if (err == -EOPNOTSUPP)
		log_error("cannot count off what is there: this kernel has no iterator for it; "
			  "5.9 and newer have");
	else if (err == -EPERM || err == -EACCES)
		log_error("cannot count off what is there: %s; it takes CAP_BPF and CAP_PERFMON",
			  strerror(-err));
	else
		log_error("cannot count off what is there: %s; is network namespace %s still "
			  "there?", strerror(-err), r->opt->netns);
	return err == -EOPNOTSUPP ? STATUS_NO_FEATURE :
	       err == -EPERM || err == -EACCES ? STATUS_NOT_PERMITTED : STATUS_ERROR;
}

static void say_tracing(const struct options *opt)
{
	if (!strcmp(opt->netns, "all"))
		log_info("tracing who enters TIME_WAIT, in all network namespaces; Ctrl-C stops");
	else
		log_info("tracing who enters TIME_WAIT, in network namespace %s; Ctrl-C stops",
			 opt->netns);
}

static int repeat(struct run *r)
{
	struct loop *l = &r->loop;
	int err = 0;

	r->next_ns = loop_now_ns() + r->opt->interval_ns;
	while (!l->stop && !r->session->enough && !err) {
		loop_turn(l, session_next_deadline(r->session));
		if (!l->stop && loop_now_ns() >= r->next_ns) {
			r->next_ns += r->opt->interval_ns;
			err = count_off(r);
			if (r->next_ns < loop_now_ns())	/* it took longer than that */
				r->next_ns = loop_now_ns() + r->opt->interval_ns;
		}
		session_flush(r->session);
	}
	return err;
}

static void resolver_destroyp(struct resolver **r)
{
	resolver_destroy(*r);
}

static void run_deinit(struct run *r)
{
	loop_deinit(&r->loop);
}

/* A recording can be asked for some of them; so it has all. */
static bool totals_will_do(const struct run *r)
{
	return r->which == WIRE_CENSUS_PORTS && !r->session->traces && !r->opt->write_path &&
	       !r->opt->filter.len;
}

static int start(struct run *r, const struct scope *scope, struct resolver *resolver)
{
	const struct capture_config config = {
		.scope = *scope, .owners = r->session->traces,
		.processes = resolver_asks_for_processes(resolver),
		.censuses = 1u << r->which, .census_only = !r->session->traces,
		.counts = totals_will_do(r),
	};
	const struct rest rest = privileges_rest(r->opt);
	int err;

	err = loop_start(&r->loop, r->opt, &config, resolver_record, resolver);
	if (!err)
		err = count_off(r);
	if (err)
		return err;
	privileges_drop(&rest);
	r->loop.until_ns = r->session->until_ns;
	if (r->session->traces && !r->session->enough)
		say_tracing(r->opt);
	session_flush(r->session);
	return 0;
}

int survey_run(struct session *s, const struct options *opt, const struct scope *scope)
{
	const struct resolver_next next = { session_record, session_knows, s };
	CLEANUP(resolver_destroyp) struct resolver *resolver = NULL;
	CLEANUP(run_deinit) struct run r = {
		.session = s, .opt = opt, .which = census_of(opt),
		.loop = { .epoll = -1, .timer = -1, .signals = -1 },
	};
	int err;

	err = loop_init(&r.loop, &s->out);
	if (err)
		return err;
	err = resolver_create(&next, false, &resolver);
	if (err) {
		log_error("cannot start: %s", strerror(-err));
		return STATUS_ERROR;
	}
	err = start(&r, scope, resolver);
	if (!err && opt->interval_ns)
		err = repeat(&r);
	if (err)
		return err;
	capture_stop(r.loop.capture, r.loop.until_ns && loop_now_ns() >= r.loop.until_ns ?
				     r.loop.until_ns : 0);
	return STATUS_OK;
}
