/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns_sums.h - counters that the kernel keeps for each network namespace, as one:
 * by how much they have grown since each namespace was first read.  No sum goes back:
 * not when a namespace vanishes, nor when a new one has its number.  Pure.
 */
#ifndef SYNFIN_NETNS_SUMS_H
#define SYNFIN_NETNS_SUMS_H

#include "event.h"
#include "keytab.h"

#define NETNS_SUMS_MAX	4096	/* namespaces: as many as a census visits */

struct netns_sums {
	struct keytab table;	/* what was read last, by namespace */
	uint64_t round;
	uint64_t known;		/* bits by enum wire_fact: there is a sum */
	uint64_t sums[WIRE_FACTS_MAX];
};

/* -ENOMEM and nothing to free, or 0. */
int netns_sums_init(struct netns_sums *s);
void netns_sums_deinit(struct netns_sums *s);

/* A namespace was read.  Of facts only those count that are counters. */
void netns_sums_add(struct netns_sums *s, const struct wire_netns_facts *facts);

/* Every namespace was read: one that was not is gone. */
void netns_sums_end_round(struct netns_sums *s);

#endif
