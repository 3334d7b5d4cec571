// SPDX-License-Identifier: GPL-2.0-or-later
#include "recorded.h"

#include <signal.h>
#include <string.h>

#include "log.h"
#include "recording.h"

static void tell(const char *path, int err, uint32_t version, uint64_t position)
{
	if (err < 0) {
		log_error("--read %s: cannot read it: %s; name a recording that --write made", path,
			  strerror(-err));
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

int recorded_open(const char *path, struct replay **ret)
{
	uint32_t version = 0;
	int err = replay_open(path, ret, &version);

	if (!err)
		return 0;
	tell(path, err, version, sizeof(struct recording_header));
	return STATUS_ERROR;
}

/* ---- signals: the first ends the run in good order, the second kills ---- */

static volatile sig_atomic_t is_stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	is_stopped = 1;
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = stop, .sa_flags = SA_RESETHAND }, old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/* Before more is waited for, what there is reaches its reader. */
static bool before_reading(void *ctx)
{
	struct session *s = ctx;

	out_drain(&s->out);
	return !is_stopped && !s->out.err;
}

int recorded_run(struct session *s, struct replay *r, const char *path)
{
	int err;

	catch_signals();
	err = replay_run(r, session_record, before_reading, s);
	session_finish(s);
	if (!err)
		return STATUS_OK;
	tell(path, err, 0, replay_position(r));
	return STATUS_ERROR;
}
