/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keytab.h - entries that begin with a key of fixed size, found by it; bounded,
 * and in the order in which they came.  Nothing is ever evicted: what finds no
 * room is the caller's to count.  Pure: imports nothing but calloc and free.
 *
 * Keys may be chosen by strangers (addresses): the seed, which comes with the
 * events, keeps them from choosing where they collide.
 */
#ifndef SYNFIN_KEYTAB_H
#define SYNFIN_KEYTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keytab {
	size_t key_size, entry_size;	/* multiples of 8; the key comes first */
	uint32_t limit, nr;
	uint64_t seed;
	char *entries;
	uint32_t *slots;	/* index + 1; 0: free */
	uint32_t nr_slots;	/* a power of two */
};

/* limit: 1 to 2^24.  Memory is touched as it is used.  -ENOMEM and nothing to free, or 0. */
int keytab_init(struct keytab *t, size_t key_size, size_t entry_size, uint32_t limit);
void keytab_deinit(struct keytab *t);

/* NULL: there is none. */
void *keytab_find(const struct keytab *t, const void *key);

/* The one that is there, or a new one, zeroed but for its key.  NULL: the table is full. */
void *keytab_add(struct keytab *t, const void *key);

/* i < nr. */
void *keytab_at(const struct keytab *t, uint32_t i);

/* Those that keep() does not want are forgotten; the others keep their order. */
void keytab_filter(struct keytab *t, bool (*keep)(const void *entry, const void *ctx),
		   const void *ctx);

void keytab_clear(struct keytab *t);

#endif
