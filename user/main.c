// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - the composition root: options, scope, source, session, exit code.
 * The only file that knows all.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "live.h"
#include "log.h"
#include "netns.h"
#include "options.h"
#include "replay.h"
#include "session.h"

/* What the command line wants; a recording's namespace may go by its name. */
static int make_scope(const struct options *opt, const struct wire_start *recorded,
		      struct wire_scope *ret)
{
	char path[256];
	int err;

	*ret = (struct wire_scope){
		.family = opt->family, .lports = opt->lports, .rports = opt->rports,
	};
	if (!strcmp(opt->netns, "all"))
		return 0;
	if (recorded && !strcmp(opt->netns, recorded->netns)) {
		ret->netns = recorded->scope.netns;
		return 0;
	}
	err = netns_resolve(opt->netns, path, sizeof(path), &ret->netns);
	if (!err)
		return 0;
	if (err == -EINVAL)
		log_error("-N %s: what follows pid: is no process number; write pid:1234",
			  opt->netns);
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
		log_error("cannot write to stdout: %s", strerror(s->out.err));
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

static void tell_replay_error(const char *path, int err, uint32_t version, uint64_t position)
{
	if (err < 0) {
		log_error("--read %s: %s", path, strerror(-err));
		return;
	}
	switch ((enum replay_error)err) {
	case REPLAY_FOREIGN:
		log_error("--read %s: is no recording of synfin's; --write makes one", path);
		break;
	case REPLAY_BYTE_ORDER:
		log_error("--read %s: was recorded on a machine of the other byte order; replay "
			  "it there", path);
		break;
	case REPLAY_VERSION:
		log_error("--read %s: its records have version %u, this synfin reads %u; replay it "
			  "with the synfin that recorded it", path, version, WIRE_VERSION);
		break;
	case REPLAY_TRUNCATED:
		log_error("--read %s: breaks off at byte %llu; what was before it is shown, the "
			  "end was never written", path, (unsigned long long)position);
		break;
	case REPLAY_DAMAGED:
		log_error("--read %s: is damaged at byte %llu; what was before it is shown", path,
			  (unsigned long long)position);
		break;
	}
}

static void replay_destroyp(struct replay **r)
{
	replay_destroy(*r);
}

static int run_replay(const struct options *opt)
{
	CLEANUP(replay_destroyp) struct replay *replay = NULL;
	CLEANUP(session_deinit) struct session s = {};
	struct wire_scope scope;
	uint32_t version = 0;
	int err;

	err = replay_open(opt->read_path, &replay, &version);
	if (err) {
		tell_replay_error(opt->read_path, err, version, 0);
		return STATUS_ERROR;
	}
	err = make_scope(opt, replay_start(replay), &scope);
	if (err)
		return err;
	err = session_init(&s, opt, &scope, STDOUT_FILENO, true);
	if (err) {
		log_error("cannot start: %s", strerror(-err));
		return STATUS_ERROR;
	}
	err = replay_run(replay, session_record, &s);
	session_finish(&s);
	if (err)
		tell_replay_error(opt->read_path, err, 0, replay_position(replay));
	return exit_status(&s, opt, err ? STATUS_ERROR : STATUS_OK);
}

/* ---- the kernel ---- */

static int run_live(const struct options *opt)
{
	CLEANUP(session_deinit) struct session s = {};
	struct wire_scope scope;
	int err;

	err = make_scope(opt, NULL, &scope);
	if (err)
		return err;
	err = session_init(&s, opt, &scope, STDOUT_FILENO, false);
	if (err) {
		log_error("cannot start: %s", strerror(-err));
		return STATUS_ERROR;
	}
	err = live_run(&s, opt, &scope);
	if (err)
		return err;
	session_finish(&s);
	return exit_status(&s, opt, STATUS_OK);
}

int main(int argc, char **argv)
{
	struct options opt;
	int status;

	signal(SIGPIPE, SIG_IGN);	/* a closed pipe is an error of write() */
	status = options_parse(argc, argv, &opt);
	if (status)
		return status == OPTIONS_DONE ? STATUS_OK : status;
	log_level = opt.quiet ? LOG_QUIET : opt.verbose ? LOG_VERBOSE : LOG_NORMAL;
	return opt.read_path ? run_replay(&opt) : run_live(&opt);
}
