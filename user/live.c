// SPDX-License-Identifier: GPL-2.0-or-later
#include "live.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "loop.h"
#include "privileges.h"
#include "resolver.h"

static void run(struct loop *l, struct session *s)
{
	while (!l->stop && !s->enough) {
		loop_turn(l, session_next_deadline(s));
		capture_recount_netns(l->capture, session_doubt(s, loop_now_ns()));
		session_flush(s);
	}
}

static void say_tracing(const struct options *opt)
{
	bool at_end = opt->command == CMD_CONNS || (opt->command == CMD_EXPLAIN && !opt->live);
	const char *what = at_end ? "connections, each when it ends" :
				    "TCP events as they happen";

	if (!strcmp(opt->netns, "all"))
		log_info("tracing %s, in all network namespaces; Ctrl-C stops", what);
	else
		log_info("tracing %s, in network namespace %s; Ctrl-C stops", what, opt->netns);
}

/*
 * What existed before is told from what is born later, whose birth may be lost; and
 * who listens, from who is born.  Wanted in the output it is a must.
 */
static int count_off(struct capture *c, bool existing)
{
	int err = capture_census(c, WIRE_CENSUS_LIVES, true);

	if (err && existing) {
		log_error("--existing: cannot count off what is there: %s; it takes a kernel of "
			  "5.9 or newer", strerror(-err));
		return err == -EOPNOTSUPP ? STATUS_NO_FEATURE : STATUS_ERROR;
	}
	if (err)
		log_debug("what existed before cannot be counted off: %s", strerror(-err));
	return 0;
}

static void resolver_destroyp(struct resolver **r)
{
	resolver_destroy(*r);
}

static int judge_cgroup(void *ctx, uint64_t id, enum wire_judged verdict)
{
	struct loop *l = ctx;

	return capture_judge_cgroup(l->capture, id, verdict);
}

/* An enum exit_status. */
static int begin_resolver(struct session *s, const struct options *opt, struct loop *l,
			  struct sieve *sieve, struct resolver **ret)
{
	const struct resolver_next next = { session_record, session_knows, s };
	int err = resolver_create(&next, opt->verbose, ret);

	if (!err && sieve_is_for(opt, resolver_has_v1(*ret))) {
		err = sieve_init(sieve, &opt->cgroups, judge_cgroup, l);
		if (!err)
			resolver_sift(*ret, sieve);
	}
	if (!err)
		return 0;
	log_error("cannot start: %s", strerror(-err));
	return STATUS_ERROR;
}

int live_run(struct session *s, const struct options *opt, const struct scope *scope)
{
	struct capture_config config = { .scope = *scope, .owners = true };
	CLEANUP(sieve_deinit) struct sieve sieve = {};
	CLEANUP(resolver_destroyp) struct resolver *resolver = NULL;
	const struct rest rest = privileges_rest(opt);
	CLEANUP(loop_deinit) struct loop l;
	int err;

	err = loop_init(&l, &s->out);
	if (err)
		return err;
	err = begin_resolver(s, opt, &l, &sieve, &resolver);
	if (err)
		return err;
	config.processes = resolver_asks_for_processes(resolver);
	config.cgroups = sieve.tell ? SIEVE_CGROUPS : 0;
	err = loop_start(&l, opt, &config, resolver_record, resolver);
	if (err)
		return err;
	err = count_off(l.capture, opt->existing);
	if (err)
		return err;
	privileges_drop(&rest);
	l.until_ns = s->until_ns;
	if (!s->enough)
		say_tracing(opt);
	session_flush(s);
	run(&l, s);
	/* Stopped by its time, the run ends there, and so does its recording. */
	capture_stop(l.capture, l.until_ns && loop_now_ns() >= l.until_ns ? l.until_ns : 0);
	return STATUS_OK;
}
