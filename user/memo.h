/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memo.h - key -> bytes, in bounded memory: what is used least goes first.
 * Pure: imports nothing but calloc and free.
 */
#ifndef SYNFIN_MEMO_H
#define SYNFIN_MEMO_H

#include <stddef.h>
#include <stdint.h>

struct memo_entry;

struct memo {
	uint32_t limit, nr;	/* entries */
	size_t bytes_limit, bytes;	/* of all, with what they take beside their values */
	uint32_t nr_buckets;	/* a power of two */
	struct memo_entry **buckets;
	struct memo_entry *oldest, *newest;
};

/* limit: from 1 to 2^30.  -ENOMEM and nothing to free, or 0. */
int memo_init(struct memo *m, uint32_t limit, size_t bytes_limit);
void memo_deinit(struct memo *m);

/* Aligned for anything; valid until the next memo_put().  Uses it.  NULL: there is none. */
void *memo_find(struct memo *m, uint64_t key);

/*
 * A value of size bytes, zeroed, in place of the one that the key has; others
 * go for it as far as they must.  NULL: there is no memory for it, and the key
 * has none.
 */
void *memo_put(struct memo *m, uint64_t key, size_t size);

#endif
