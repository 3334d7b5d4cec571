/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ownerset.h - whose sockets are, each owner kept once: those that one process
 * closed by the thousand share an entry of 40 bytes.  Pure: imports nothing but
 * memory functions.  Bounded by its users: an owner goes with the last of them.
 */
#ifndef SYNFIN_OWNERSET_H
#define SYNFIN_OWNERSET_H

#include "conn.h"

struct ownership {
	struct owner owner;
	uint64_t cgroup;	/* the socket's own; 0: not known */
};

struct owned;

struct ownerset {
	struct owned *at;	/* 0 is nobody */
	uint32_t nr, size;	/* of at: used once, and there */
	uint32_t free_head;
	uint32_t *buckets;
	uint32_t nr_buckets;	/* a power of two, or 0 */
};

/* A zeroed one is empty, and needs no init. */
void ownerset_deinit(struct ownerset *s);

/* One more user of this owner.  0: nothing is known of it, or there is no memory. */
uint32_t ownerset_take(struct ownerset *s, const struct owner *owner, uint64_t cgroup);

/* One user less; i as ownerset_take() returned it. */
void ownerset_drop(struct ownerset *s, uint32_t i);

/* Never NULL: of 0 one of which nothing is known.  Valid until something is taken. */
const struct ownership *ownerset_at(const struct ownerset *s, uint32_t i);

/* How many use it. */
uint32_t ownerset_users(const struct ownerset *s, uint32_t i);

#endif
