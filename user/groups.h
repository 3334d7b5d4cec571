/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * groups.h - what --metrics.group-by cgroup tells: sockets, failed handshakes and
 * retransmits by the cgroup that owns the socket.  Pure.
 *
 * Where there are cgroups of version 1, too, a socket may be of its owner's, as its life
 * is told (names_group_of()); whoever is in version 2's root only, and whose owner's is
 * not known, is not told to be there.
 *
 * The first GROUPS_MAX cgroups that have any are told apart, the others together, so
 * that there are never more series than that.  A place is free again, and its counts
 * are gone, when the cgroup has been gone, and without sockets, for GROUPS_STAY_NS.
 * Counts of what the ring lost are not in it.
 */
#ifndef SYNFIN_GROUPS_H
#define SYNFIN_GROUPS_H

#include "cgroup.h"
#include "conntab.h"
#include "keytab.h"
#include "names.h"
#include "report.h"
#include "tcp_state.h"
#include "timewait.h"

#define GROUPS_MAX	200u
#define GROUPS_STAY_NS	(15 * 60 * 1000000000ull)

struct group {
	uint64_t id;		/* key: of version 2, or names_group_of() */
	uint64_t first_ns;	/* it was there then */
	bool is_asked;		/* for its path: there is none, or it is in `cgroup` */
	bool is_there;		/* in the file system, when it was last looked at */
	uint64_t gone_ns;	/* it is not, and it has no sockets, since then; or 0 */
	struct cgroup *cgroup;	/* NULL: its path is not known */
	uint32_t sockets[TS_MAX], next[TS_MAX];	/* next: of the round under way */
	uint64_t failures[OUTCOME_MAX];
	uint64_t retransmits;	/* segments */
	uint16_t states, reasons;	/* bits: there has been one */
};

struct groups {
	struct keytab table;	/* struct group */
	struct group other;	/* all that found no place */
	struct group unknown;	/* sockets whose cgroup is not known */
	struct group *last;	/* the last that was asked for; NULL: none */
	uint32_t nr_unasked;	/* of the table */
	bool has_sockets;	/* there was a round */
	struct names *names;	/* where version 1 is used; else NULL */
};

/* names: NULL unless version 1 is used, too; else they tell of owners. */
/* -ENOMEM and nothing to free, or 0. */
int groups_init(struct groups *g, struct names *names);
void groups_deinit(struct groups *g);

/* Every report of the engine. */
void groups_report(struct groups *g, const struct report *r);

/* A round: every socket there is, of the engine's table and of its ledger. */
void groups_count(struct groups *g, const struct conntab *conns, const struct timewait *minis,
		  uint64_t at_ns);

/* After a round, and after is_there of every group was brought up to date. */
void groups_settle(struct groups *g, uint64_t at_ns);

/* Those that are told apart: i < table.nr. */
struct group *groups_at(const struct groups *g, uint32_t i);

/* What came of asking for its path, once; NULL: it has none.  It is there if it has one. */
void groups_learn(struct groups *g, struct group *group, const char *path);

#endif
