/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.h - which views there are, which two are the ends of one connection,
 * and when a ladder is told: when the life ends, or as it goes on.  Pure.
 *
 * An end whose other end is on this host, too, waits up to a second for it to
 * end as well, so that both are told in one ladder; what comes of the other end
 * after that is told as a continuation.  So is what a TIME_WAIT meets.
 */
#ifndef SYNFIN_EXPLAIN_H
#define SYNFIN_EXPLAIN_H

#include "ladder.h"

/* More at a time, and those untouched for longest are not explained. */
#define EXPLAIN_VIEWS	(1u << 17)
/* All views' steps together, of some 80 bytes; a usual life takes 8. */
#define EXPLAIN_STEPS	(1u << 20)
/* Those that have been told, but may be continued. */
#define EXPLAIN_TOLD	(1u << 14)

enum explain_pace {
	PACE_END,	/* each connection when it ends */
	PACE_LIVE,	/* arrow by arrow, once what belongs together has come */
	PACE_RUN,	/* at the end of the run, late segments included */
};

/* A part of a ladder that is to be told now. */
struct telling {
	const struct ladder *ladder;
	uint64_t after_ns, until_ns;	/* what was heard in this time, until included */
	bool over;			/* and the verdict */
};

typedef void (*tell_fn)(void *ctx, const struct telling *t);

/* Of a tentative arrow only the end knows. */
static inline bool telling_has(const struct telling *t, const struct arrow *a)
{
	return a->heard_ns > t->after_ns && a->heard_ns <= t->until_ns &&
	       (!(a->flags & AR_TENTATIVE) || t->over);
}

enum view_stage {
	VIEW_OPEN,		/* nothing to tell of it yet; those touched last come last */
	VIEW_FRESH,		/* something was heard that will be told */
	VIEW_WAITS,		/* ended, the other end has not */
	VIEW_TOLD,		/* may be continued */
	VIEW_STAGES
};

struct view_list {
	struct view *oldest, *newest;
	uint32_t nr;
};

struct explain {
	enum explain_pace pace;
	bool existing;		/* lives older than the trace, too */
	tell_fn tell;
	void *ctx;
	uint64_t now_ns;
	struct view **ids, **pairs;	/* hash tables; owned */
	struct view_list lists[VIEW_STAGES];
	uint32_t budget;	/* steps that may still be allocated */
	uint64_t forgotten;	/* lives that will not be told */
	struct ladder ladder;	/* workspace */
};

/* -ENOMEM and nothing to free, or 0. */
int explain_init(struct explain *e, enum explain_pace pace, bool existing, tell_fn tell, void *ctx);
void explain_deinit(struct explain *e);

/*
 * What the engine tells, and whether it is asked for.  A ladder is told if its
 * end is, or live from what first is; of two ends one is enough.
 */
void explain_report(struct explain *e, const struct report *r, bool asked_for);

/* Time has passed: after the reports of each record.  Never goes back. */
void explain_advance(struct explain *e, uint64_t now_ns);

/* When explain_advance() is wanted if nothing comes; 0: never. */
uint64_t explain_next_deadline(const struct explain *e);

/*
 * The ladder of what goes by this id, as far as it has come, to another receiver; no
 * less will be told of it later.  False: it is not known, or was forgotten.
 */
bool explain_now(struct explain *e, uint64_t id, tell_fn tell, void *ctx);

/* The run is over: tells what waits. */
void explain_finish(struct explain *e);

#endif
