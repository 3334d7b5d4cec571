/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntab.h - identity -> connection, in bounded memory.  Pure: imports
 * nothing but calloc and free.
 *
 * Keys are whatever lifecycle uses as identity; 0 is not a key.  Connections
 * keep their address until they are removed.  Memory grows by chunks up to the
 * limit, is reused, and given back only by conntab_deinit(); when the limit is
 * reached, or memory is refused, the caller gets NULL and evicts
 * conntab_oldest(), the one untouched for longest.
 *
 * Each connection may have one deadline; conntab_due() hands out those that
 * have passed, earliest first.
 */
#ifndef SYNFIN_CONNTAB_H
#define SYNFIN_CONNTAB_H

#include "conn.h"

struct conntab {
	uint32_t limit, used, allocated;
	uint32_t nr_buckets;	/* a power of two */
	uint32_t *buckets;
	struct conn **chunks;
	uint32_t free_head, oldest, newest;
	uint32_t *heap;
	uint32_t heap_len, heap_size;
};

/* limit: at least 1, at most 2^30.  -EINVAL, or -ENOMEM and nothing to free. */
int conntab_init(struct conntab *t, uint32_t limit);
void conntab_deinit(struct conntab *t);

/* NULL if there is none; touches it. */
struct conn *conntab_find(struct conntab *t, uint64_t key);

/* A zeroed connection under a key that is not in the table, or NULL: see above. */
struct conn *conntab_add(struct conntab *t, uint64_t key);

/* Give it another key, which is not in the table. */
void conntab_rekey(struct conntab *t, struct conn *c, uint64_t key);

void conntab_remove(struct conntab *t, struct conn *c);

/* NULL if the table is empty. */
struct conn *conntab_oldest(struct conntab *t);

/* The one whose place (conn.self) this is or was; it may be in use no more. */
struct conn *conntab_at(const struct conntab *t, uint32_t self);

/* The one used next after c; NULL: c is the newest. */
struct conn *conntab_newer(const struct conntab *t, const struct conn *c);

/* Replaces the one it has; 0 removes it. */
void conntab_set_deadline(struct conntab *t, struct conn *c, uint64_t at_ns);

/* One whose deadline is at or before now, without its deadline; NULL: none. */
struct conn *conntab_due(struct conntab *t, uint64_t now_ns);

/* The earliest deadline; 0: none. */
uint64_t conntab_next_deadline(const struct conntab *t);

#endif
