/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owner.h - whose socket it is, and how that is known.  Pure.
 *
 * The first proof wins, in the order of enum owner_word: a better one replaces a
 * worse one, and none its like.  So a later closer never replaces a known owner,
 * and the owner of the listening socket, who stands in for whoever will accept,
 * gives way to who does.
 */
#ifndef SYNFIN_OWNER_H
#define SYNFIN_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "words.h"

/* Valid when zeroed: not known. */
struct owner {
	uint32_t pid, uid;
	uint32_t born;		/* as in the record */
	uint8_t  from;		/* enum owner_word; the rest is valid if it is set */
	char	 comm[WIRE_COMM_LEN];
};

/* by: of a record; if it names no process nothing changes. */
void owner_prove(struct owner *o, enum owner_word from, const struct wire_owner *by, uint32_t born);

/* Another socket's owner takes o's place, if that proves more. */
void owner_inherit(struct owner *o, enum owner_word from, const struct owner *by);

bool owner_is_same(const struct owner *a, const struct owner *b);

#endif
