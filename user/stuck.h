/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stuck.h - sockets that have been too long in a state that a healthy connection
 * leaves soon, and who holds them.  Bounded; pure.
 */
#ifndef SYNFIN_STUCK_H
#define SYNFIN_STUCK_H

#include "keytab.h"
#include "owner.h"

struct stuck_socket {
	uint64_t sock;		/* key */
	struct wire_aged aged;
	uint64_t age_ns;	/* at the least: age.h */
	struct owner owner;	/* of an orphan nobody */
	uint32_t fd;		/* valid with an owner */
};

struct stuck {
	struct keytab table;	/* struct stuck_socket */
	uint32_t *order;	/* of them, once sorted */
	uint64_t older_ns;
	uint64_t rest;		/* that found no room */
	uint64_t undated;	/* whose age is not known */
};

int stuck_init(struct stuck *s, uint64_t older_ns);
void stuck_deinit(struct stuck *s);
void stuck_clear(struct stuck *s);

/* hz: at least 1. */
void stuck_add(struct stuck *s, const struct wire_aged *aged, uint32_t hz);

/* Of several that hold it the first is its owner. */
void stuck_add_owner(struct stuck *s, const struct wire_owner_of *owner);

/* All were added: the oldest first, of one age in the order in which they came. */
void stuck_sort(struct stuck *s);
const struct stuck_socket *stuck_at(const struct stuck *s, uint32_t i);	/* i < table.nr */

#endif
