/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survey.h - the rows of a census in, reports of it out: TIME_WAIT and port
 * space, listening sockets and what waits at them, sockets that are stuck.  Pure,
 * as the engine is, beside which it stands: same events, same reports.
 *
 * Bounded whatever it meets: counts are exact, what is told apart is limited, and
 * the rest is told together.
 */
#ifndef SYNFIN_SURVEY_H
#define SYNFIN_SURVEY_H

#include "filter.h"
#include "names.h"
#include "ports.h"
#include "queues.h"
#include "report.h"
#include "scope.h"
#include "stuck.h"
#include "tw_owners.h"
#include "tw_table.h"

enum survey_of { SURVEY_TIME_WAIT, SURVEY_LISTENERS, SURVEY_STUCK };

#define SURVEY_GROUPS_MAX	1000

struct survey_config {
	enum survey_of of;
	struct scope scope;
	const struct filter *filter;	/* not owned */
	unsigned int groups;	/* told apart, of each kind: at most SURVEY_GROUPS_MAX */
	uint64_t least_lport;	/* members of a group by local port that is told apart; 0: any */
	uint64_t older_ns;	/* of SURVEY_STUCK */
	bool repeats;		/* rates are wanted */
	struct names *names;	/* not owned */
	const struct timewait *ledger;	/* who closed what; not owned; NULL: nothing is traced */
	report_fn report;
	void *ctx;
};

struct survey {
	struct survey_config config;
	uint32_t hz;
	int64_t clock_ns;
	uint64_t seed;
	bool saw_ports;		/* a census made for it: those of lives count no longer */
	bool in_census, in_netns;
	uint32_t netns;		/* the one whose rows come */
	struct wire_netns_facts facts;	/* of netns, if has_facts */
	bool has_facts;

	/* SURVEY_TIME_WAIT */
	struct tw_table tw;
	struct tw_owners owners;
	struct ports ports;
	struct keytab rates;	/* struct survey_rate, by namespace */

	/* SURVEY_LISTENERS */
	struct queues queues;
	struct keytab netns_facts;	/* struct survey_netns: of the whole census */

	/* SURVEY_STUCK */
	struct stuck stuck;

	/* of the last census, which is over */
	uint64_t untold;	/* sockets that found no room */
	uint64_t undated;	/* whose age is not known */
};

/* The config is copied.  -ENOMEM and nothing to free, or 0. */
int survey_init(struct survey *s, const struct survey_config *config);
void survey_deinit(struct survey *s);

/* ev: as decode() returned it.  Any kind; most say nothing to it. */
void survey_feed(struct survey *s, const union event *ev);

/* A socket entered TIME_WAIT: as the engine tells it, where something is traced. */
void survey_entered(struct survey *s, uint32_t netns);

#endif
