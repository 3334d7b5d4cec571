/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owner_sums.h - whose connections they are, and how many: processes of one name in
 * one cgroup (names_group_of()) together, so that a server's workers, or commands that
 * come and go, are one line.  What is not known to be anybody's is not counted.  Pure,
 * and bounded.
 *
 * Of lives that ended as they are told; of open sockets when they are counted off.
 */
#ifndef SYNFIN_OWNER_SUMS_H
#define SYNFIN_OWNER_SUMS_H

#include "board.h"
#include "keytab.h"
#include "names.h"
#include "report.h"

struct owner_sums {
	struct keytab table;	/* struct owner_sum */
	uint64_t round;		/* of counting off */
	uint64_t rest;		/* lives and sockets that found no room */
};

/* -ENOMEM and nothing to free, or 0. */
int owner_sums_init(struct owner_sums *s);
void owner_sums_deinit(struct owner_sums *s);

/* A report of a life that ended, REPORT_CONNECTION. */
void owner_sums_ended(struct owner_sums *s, struct names *names, const struct report *r);

/* All open sockets are counted off anew; one of them. */
void owner_sums_begin(struct owner_sums *s);
void owner_sums_count(struct owner_sums *s, struct names *names, const struct conn *c);

/* Rates are of the time since the last sample; whoever has nothing any more may go. */
void owner_sums_sample(struct owner_sums *s, uint64_t between_ns);

/* Those that have or had most, at most BOARD_OWNERS; their number. */
unsigned int owner_sums_copy(const struct owner_sums *s, struct names *names,
			     struct board_owner ret[BOARD_OWNERS]);

#endif
