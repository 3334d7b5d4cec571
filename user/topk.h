/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topk.h - which of very many keys are told apart, so that a series does not come and
 * go with every census.  Pure.
 *
 * Whoever is among the k with most is told apart from then on, until it was not among
 * the 2 k with most for TOPK_STAY_NS without a break.  At most 2 k are told at a time:
 * who finds them full and is among the k takes the place of the one that has not been
 * among the 2 k for longest, of which there is one then.  All others are the rest.
 *
 * Memory is touched as it is used: some 32 to 64 bytes for each of TOPK_KEYS_MAX keys.
 */
#ifndef SYNFIN_TOPK_H
#define SYNFIN_TOPK_H

#include "keytab.h"

#define TOPK_MAX	50	/* of k: 100 series are what a family should have at most */
#define TOPK_TOLD_MAX	(2 * TOPK_MAX)
#define TOPK_STAY_NS	(15 * 60 * 1000000000ull)
#define TOPK_KEYS_MAX	65536u	/* in a round; what finds no room is of the rest */
#define TOPK_KEY_MAX	40	/* bytes */

struct topk_told {
	uint8_t key[TOPK_KEY_MAX];
	uint64_t value;		/* of the last round; 0: it did not have it */
	uint64_t below_ns;	/* not among the 2 k since then; 0: it is */
};

struct topk {
	unsigned int k;
	size_t key_size;
	struct keytab round;	/* struct topk_row: of the round under way */
	uint64_t sum;		/* of the round's values */
	struct topk_told told[TOPK_TOLD_MAX];	/* as they came */
	unsigned int nr;
	uint64_t rest;		/* sum of those that are not told, if values are added */
};

/* k: 1 to TOPK_MAX; key_size: a multiple of 8.  -ENOMEM and nothing to free, or 0. */
int topk_init(struct topk *t, unsigned int k, size_t key_size);
void topk_deinit(struct topk *t);

/* All values come anew. */
void topk_begin(struct topk *t);

/* The key's value grows by that; or is at least that. */
void topk_add(struct topk *t, const void *key, uint64_t value);
void topk_raise(struct topk *t, const void *key, uint64_t value);

/* All have come.  at_ns: never 0. */
void topk_end(struct topk *t, uint64_t at_ns);

#endif
