/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - events in, reports out: identity, scope, deadlines, and what is
 * held back until it is understood.  Pure: no I/O, no clock, no globals; the
 * same events give the same reports, so a recording replays exactly.
 *
 * Feed it every event of a run in order, WIRE_START first and WIRE_END last.
 * Time comes with the events; deadlines fire at WIRE_TICK only, whose clock was
 * read before the records ahead of it were drained, so that no tick overtakes
 * a record.  engine_next_deadline() tells the source when one is wanted.
 */
#ifndef SYNFIN_ENGINE_H
#define SYNFIN_ENGINE_H

#include "conntab.h"
#include "filter.h"
#include "listenmap.h"
#include "names.h"
#include "report.h"
#include "scope.h"
#include "timewait.h"

#define ENGINE_REASONS	64	/* sk_rst_reason has 25 values in 6.18 */

struct engine {
	struct conntab conns;
	struct listenmap listeners;	/* those of conns */
	struct timewait minis;		/* sockets after their close */
	struct names names;
	struct scope scope;	/* what is wanted */
	struct scope recorded;	/* what was kept by whoever recorded */
	bool is_whole;		/* neither leaves out anything but namespaces */
	bool partial;		/* of that cgroups were left out, too */
	const struct filter *filter;	/* what will be shown; NULL: all */
	report_fn report;
	void *ctx;
	uint32_t nameless;	/* 1 << enum report_kind: see engine_spare_names() */
	int64_t clock_ns;
	uint32_t hz;
	bool lossy;		/* records were lost */
	bool forgot;		/* connections were evicted */
	uint64_t lost_ns;	/* when that was last told */
	uint64_t listeners_doubted_ns;	/* since then only those that were seen are sure */
	bool ended;
	uint64_t births;	/* seen: see wire_end.births */
	uint64_t adopted;	/* lives that turned up later, their births lost */
	uint64_t births_counted;	/* by the kernel; valid when ended */
	uint64_t serial;	/* of identities made here, for kernels without cookies */
	uint64_t evicted;	/* since the last report of them */
	char reasons[ENGINE_REASONS][WIRE_NAME_LEN];
};

/* scope is copied.  -ENOMEM and nothing to free, or 0. */
int engine_init(struct engine *e, const struct wire_scope *scope, uint32_t max_conns,
		report_fn report, void *ctx);
void engine_deinit(struct engine *e);

/*
 * Before the first event: the whole scope (copied), and the filter by which the
 * receiver will choose among the reports.  The engine asks it only whether a birth
 * can be told already: one whose port it needs waits for it.
 */
void engine_narrow(struct engine *e, const struct scope *scope, const struct filter *filter);

/* Reports of these kinds (1 << enum report_kind) have no names: the receiver reads none. */
void engine_spare_names(struct engine *e, uint32_t kinds);

/* ev: as decode() returned it. */
void engine_feed(struct engine *e, const union event *ev);

/* Whether what a record of kind says of id is known: a source asks before it looks it up. */
bool engine_knows(struct engine *e, enum wire_kind kind, uint64_t id);

/*
 * A namespace of which the kernel has fewer mini-sockets than it should: a census of it
 * would tell which are gone; 0: none.  Each one rarely, and not again until there was
 * time for it; changes no report.
 */
uint32_t engine_doubt(struct engine *e, uint64_t now_ns);

/* CLOCK_MONOTONIC nanoseconds at which a tick is wanted; 0: none pending. */
uint64_t engine_next_deadline(const struct engine *e);

#endif
