/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntab.h - identity -> connection, in bounded memory.  Pure: imports
 * nothing but memory functions.
 *
 * Keys are whatever lifecycle uses as identity; 0 is not a key.  Memory grows by
 * chunks up to the limit, is reused, and given back only by conntab_deinit(); when
 * the limit is reached, or memory is refused, the caller gets NULL and evicts
 * conntab_oldest(), the one untouched for longest.
 *
 * Of most connections nothing is heard for long.  Those that are quiet (resting.h),
 * and of which nothing was among the last CONNTAB_RECENT that were found, added or
 * due, are kept packed, 172 bytes each, until somebody asks for them.  Every other
 * keeps its address until it is removed; so does this one until half as many others
 * were asked for.  If there is no memory to unpack one it is gone, and counted in
 * `refused`.
 *
 * Each connection may have one deadline; conntab_due() hands out those that
 * have passed, earliest first.
 */
#ifndef SYNFIN_CONNTAB_H
#define SYNFIN_CONNTAB_H

#include "conn.h"
#include "ownerset.h"
#include "tcp_state.h"

/* A power of two.  No event asks for as many connections as half the least, 32. */
#ifndef CONNTAB_RECENT	/* sanitized tests have few, so that most are packed at some time */
#define CONNTAB_RECENT	1024u
#endif

struct conntab_slot;
struct conntab_age;

struct conntab {
	uint32_t limit, used, allocated;
	uint32_t nr_buckets;	/* a power of two */
	uint32_t *buckets;
	struct conntab_slot **chunks;
	struct conntab_age *ages;	/* of the slots */
	uint32_t free_head;	/* + 1 */
	uint32_t *heap;
	uint32_t heap_len;
	struct conn **conn_chunks;	/* of those that are not packed */
	uint32_t nr_conn_chunks;
	struct conn *free_conns;
	struct ownerset owners;		/* of those that are */
	uint32_t recent[CONNTAB_RECENT];	/* self + 1, by the number of the touch */
	uint32_t touches;
	uint32_t refused;
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

/* The one whose place (conn.self) this is; NULL: there is none, or it is packed. */
struct conn *conntab_at(const struct conntab *t, uint32_t self);

/* The one used next after c; NULL: c is the newest. */
struct conn *conntab_newer(struct conntab *t, const struct conn *c);

/* The one used next after c (NULL: the oldest) of this namespace not seen since before_ns. */
struct conn *conntab_unseen(struct conntab *t, const struct conn *c, uint32_t netns,
			    uint64_t before_ns);

/* Packs whatever may be packed, between two events; only tests are in such a hurry. */
void conntab_pack(struct conntab *t);

/* Each full socket: its owner, its cgroup (0: not known), and state.  None is unpacked for it. */
typedef void (*conntab_socket_fn)(void *ctx, const struct owner *owner, uint64_t cgroup,
				  enum tcp_state state);
void conntab_sockets(const struct conntab *t, conntab_socket_fn fn, void *ctx);

/* How many full sockets are in each state. */
void conntab_count(const struct conntab *t, uint32_t ret[TS_MAX]);

/* Replaces the one it has; 0 removes it. */
void conntab_set_deadline(struct conntab *t, struct conn *c, uint64_t at_ns);

/* One whose deadline is at or before now, without its deadline; NULL: none. */
struct conn *conntab_due(struct conntab *t, uint64_t now_ns);

/* The earliest deadline; 0: none. */
uint64_t conntab_next_deadline(const struct conntab *t);

#endif
