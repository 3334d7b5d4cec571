// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - the composition root: options, scope, source, session, exit code.
 * The only file that knows all.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "audit_run.h"
#include "cleanup.h"
#include "doctor.h"
#include "export.h"
#include "live.h"
#include "log.h"
#include "netns.h"
#include "options.h"
#include "recorded.h"
#include "replay.h"
#include "scenario.h"
#include "session.h"
#include "survey_run.h"
#include "top_run.h"

/* What the command line wants of the kernel; a recording's namespace may go by its name. */
static int make_scope(const struct options *opt, const struct wire_start *recorded,
		      struct scope *ret)
{
	uint32_t *netns = &ret->sockets.netns;
	char path[PATH_MAX];
	int err;

	*ret = (struct scope){ .sockets = {
		.family = opt->family, .lports = opt->lports, .rports = opt->rports,
	} };
	filter_bound_scope(&opt->bound, ret);
	if (!strcmp(opt->netns, "all"))
		return 0;
	if (recorded && !strcmp(opt->netns, recorded->netns)) {
		*netns = recorded->scope.netns;
		return 0;
	}
	err = netns_resolve(opt->netns, path, sizeof(path), netns);
	if (!err)
		return 0;
	if (err == -EINVAL)
		log_error("-N %s: what follows pid: is no process number; write pid:1234",
			  opt->netns);
	else if (err == -ENAMETOOLONG)	/* too long to be repeated, too */
		log_error("-N: a path of %zu bytes is too long; make a link to it",
			  strlen(opt->netns));
	else if (err == -ENOTTY)
		log_error("-N %s: %s is no network namespace; ip netns lists those with a name",
			  opt->netns, path);
	else if (err == -EACCES || err == -EPERM)
		log_error("-N %s: cannot open %s: %s; another user's process takes CAP_SYS_PTRACE",
			  opt->netns, path, strerror(-err));
	else
		log_error("-N %s: cannot open %s: %s; ip netns lists the namespaces with a name",
			  opt->netns, path, strerror(-err));
	return err == -EACCES || err == -EPERM ? STATUS_NOT_PERMITTED : STATUS_ERROR;
}

/* ---- errors that show at the end ---- */

static int exit_status(struct session *s, const struct options *opt, int status)
{
	if (session_close_recorder(s))
		status = STATUS_ERROR;
	if (s->out.err && s->out.err != EPIPE) {
		log_error("cannot write to stdout: %s; send it where there is room",
			  strerror(s->out.err));
		status = STATUS_ERROR;
	}
	if (!status && opt->strict && tally_lost(&s->tally)) {
		log_error("%llu records were lost, and --strict was given; a larger --ring-size or "
			  "a narrower filter helps", (unsigned long long)tally_lost(&s->tally));
		status = STATUS_LOST;
	}
	return status;
}

/* ---- a recording ---- */

static void replay_destroyp(struct replay **r)
{
	replay_destroy(*r);
}

static int run_recorded(const struct options *opt)
{
	CLEANUP(replay_destroyp) struct replay *replay = NULL;
	CLEANUP(session_deinit) struct session s = {};
	struct scope scope;
	int err;

	err = recorded_open(opt->read_path, &replay);
	if (err)
		return err;
	err = make_scope(opt, replay_start(replay), &scope);
	if (err)
		return err;
	err = session_init(&s, opt, &scope, STDOUT_FILENO, true);
	if (err) {
		log_error("cannot start: %s", strerror(-err));
		return STATUS_ERROR;
	}
	err = recorded_run(&s, replay, opt->read_path);
	return exit_status(&s, opt, err);
}

/* ---- recordings that are built in ---- */

static int run_scenario(const struct options *opt, const struct scenario *which, bool is_first)
{
	CLEANUP(replay_destroyp) struct replay *replay = NULL;
	CLEANUP(session_deinit) struct session s = {};
	struct scope scope;
	uint32_t version = 0;
	int err;

	err = make_scope(opt, NULL, &scope);
	if (err)
		return err;
	err = replay_open_memory(which->begin, which->end - which->begin, &replay, &version);
	if (!err)
		err = session_init(&s, opt, &scope, STDOUT_FILENO, true);
	if (err) {
		log_error("cannot show the scenario %s: %s", which->name,
			  err < 0 ? strerror(-err) : "it is damaged; please report this");
		return STATUS_ERROR;
	}
	s.explainer->title = which->title;
	s.explainer->text = which->text;
	s.explainer->legend = is_first;
	err = recorded_run(&s, replay, which->name);
	return exit_status(&s, opt, err);
}

static int run_scenarios(const struct options *opt)
{
	int err = STATUS_OK;

	if (opt->scenario)
		return run_scenario(opt, scenario_named(opt->scenario), true);
	for (const struct scenario *which = scenarios; which->name && !err; which++)
		err = run_scenario(opt, which, which == scenarios);
	return err;
}

/* ---- the kernel ---- */

static int run_live(const struct options *opt)
{
	CLEANUP(session_deinit) struct session s = {};
	struct scope scope;
	int err;

	err = make_scope(opt, NULL, &scope);
	if (err)
		return err;
	/* What is told once can wait for its reader. */
	err = session_init(&s, opt, &scope, STDOUT_FILENO,
			   session_surveys(opt) && !opt->interval_ns);
	if (err) {
		log_error("cannot start: %s", strerror(-err));
		return STATUS_ERROR;
	}
	if (session_surveys(opt))
		err = survey_run(&s, opt, &scope);
	else if (opt->command == CMD_TOP)
		err = top_run(&s, opt, &scope);
	else
		err = live_run(&s, opt, &scope);
	if (err)
		return err;
	session_finish(&s);
	return exit_status(&s, opt, STATUS_OK);
}

static int run_doctor(const struct options *opt)
{
	struct facts facts;

	feature_look(&facts);
	return doctor_run(&facts, opt->format, STDOUT_FILENO);
}

/*
 * A standard descriptor that is closed would be taken by the next file that is
 * opened.  stdin and stderr may be missing; records have to go somewhere.
 */
static int check_descriptors(void)
{
	bool has_stdout = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	cleanup_close(&fd);
	if (has_stdout)
		return 0;
	log_error("cannot write to stdout: it is closed; redirect it to /dev/null or a file");
	return STATUS_ERROR;
}

static int run_audit(const struct options *opt)
{
	struct scope scope;
	int err;

	err = make_scope(opt, NULL, &scope);
	return err ? err : audit_run(opt, &scope.sockets, STDOUT_FILENO);
}

static int run_export(const struct options *opt)
{
	struct scope scope;
	int err;

	err = make_scope(opt, NULL, &scope);
	return err ? err : export_run(opt, &scope);
}

int main(int argc, char **argv)
{
	struct options opt;
	int status;

	status = check_descriptors();
	if (status)
		return status;
	signal(SIGPIPE, SIG_IGN);	/* a closed pipe is an error of write() */
	status = options_parse(argc, argv, &opt);
	if (status)
		return status == OPTIONS_DONE ? STATUS_OK : status;
	log_level = opt.quiet ? LOG_QUIET : opt.verbose ? LOG_VERBOSE : LOG_NORMAL;
	if (opt.command == CMD_DOCTOR)
		return run_doctor(&opt);
	if (opt.command == CMD_AUDIT)
		return run_audit(&opt);
	if (opt.command == CMD_EXPORT)
		return run_export(&opt);
	if (opt.scenarios)
		return run_scenarios(&opt);
	return opt.read_path ? run_recorded(&opt) : run_live(&opt);
}
