/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resting.h - a connection while nothing happens to it, in a third of the room:
 * established, with a plain way there, and nothing of its end yet.  That is what
 * nearly all of a host's connections are nearly all of the time.  Pure.
 *
 * Nothing that a report or a verdict may say is lost by it: what is left out
 * follows from what is kept.  Only the progress is forgotten, which is that of the
 * last transition and is told with it.
 */
#ifndef SYNFIN_RESTING_H
#define SYNFIN_RESTING_H

#include "ownerset.h"

struct resting {
	uint64_t id;
	int64_t  clock_ns;
	struct wire_tuple tuple;
	uint64_t start_ns, since_ns, last_ns, told_ns, census_ns;
	uint64_t opening_ns;	/* in the state before ESTABLISHED, if there was one */
	uint32_t netns, isn;
	uint32_t owner;		/* in the ownerset */
	uint32_t retransmits[PHASE_MAX];
	uint16_t flags;		/* enum conn_flags */
	uint16_t missed;
	uint8_t  role;		/* enum role_word */
	uint8_t  path_len;
	bool	 has_synack;	/* synack_ns is start_ns; else it is not known */
};

/* False, and nothing changed: it is not quiet, or there is no memory for its owner. */
bool resting_pack(struct resting *ret, const struct conn *c, struct ownerset *owners);

/* Into c, which is zeroed but for what is conntab's.  r is used up. */
void resting_unpack(struct conn *c, const struct resting *r, struct ownerset *owners);

/* It is over.  r is used up. */
void resting_drop(const struct resting *r, struct ownerset *owners);

#endif
