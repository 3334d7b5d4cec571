/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - one run, whatever its source: recorder, decode, engine, tally,
 * rows, sink, in that order.  Knows no kernel and no clock: time is the
 * records'.
 */
#ifndef SYNFIN_SESSION_H
#define SYNFIN_SESSION_H

#include "engine.h"
#include "explainer.h"
#include "monitor.h"
#include "options.h"
#include "recorder.h"
#include "sink.h"
#include "source.h"
#include "survey.h"
#include "tally.h"

struct session {
	const struct options *opt;
	struct engine engine;
	struct survey survey;		/* if surveys: what is told comes from there */
	bool surveys;
	bool traces;			/* the engine is wanted, too */
	struct tally tally;
	struct sink sink;
	struct out out;
	struct explainer *explainer;	/* NULL unless it explains; owned */
	struct monitor *monitor;	/* NULL unless it is top; owned */
	struct recorder *recorder;	/* NULL: none; owned */
	bool recorder_failed;		/* and that was told */
	uint64_t start_ns, until_ns;	/* CLOCK_MONOTONIC; until 0: no limit */
	uint64_t last_ns;
	uint64_t late_births;		/* after until_ns */
	uint64_t sink_lost;		/* told so far */
	bool enough;			/* -c is satisfied, or nobody reads */
	struct row row;
};

/* Whether the command tells of censuses, instead of what is traced. */
bool session_surveys(const struct options *opt);

/* fd: where records go.  waits: rather wait for the reader than drop. */
int session_init(struct session *s, const struct options *opt, const struct scope *scope,
		 int fd, bool waits);
void session_deinit(struct session *s);

/* A record_fn.  ctx is the session. */
bool session_record(void *ctx, const void *rec, size_t len);

/* Whether a record of kind has told it about id.  ctx is the session. */
bool session_knows(void *ctx, enum wire_kind kind, __u64 id);

/* Writes what can be written now, and tells what could not be kept. */
void session_flush(struct session *s);

/* See engine_doubt(). */
uint32_t session_doubt(struct session *s, uint64_t now_ns);

/* When the source wants to know: see engine_next_deadline(). */
uint64_t session_next_deadline(const struct session *s);

/*
 * After the last record; if there was no WIRE_END, ends the run where it is.
 * The summary goes where the format wants it, and everything is written.
 */
void session_finish(struct session *s);

/* Of top: what there is now, as text, to stdout. */
void session_print_digest(struct session *s);

/* False: the recording is whole, or there is none.  Else that was told. */
bool session_close_recorder(struct session *s);

#endif
