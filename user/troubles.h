/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * troubles.h - what went wrong of late: handshakes that failed and lives that ended
 * abnormally, like ones together; handshakes in which something has to be sent
 * again; and the slowest of the last minutes.  With the ladder of the last of each,
 * unless they come in crowds.  Pure, and bounded.
 */
#ifndef SYNFIN_TROUBLES_H
#define SYNFIN_TROUBLES_H

#include "board.h"
#include "keytab.h"
#include "ladder_copy.h"

#define TROUBLES_PENDING	64
#define TROUBLES_SLOW		32

/* A handshake of less than this is nobody's trouble. */
#define TROUBLES_SLOW_NS	1000000ull

struct trouble {
	struct board_trouble board;
	uint64_t sampled;	/* count at the last sample */
	uint64_t start_ns;	/* of the handshake; 0: not known */
	uint64_t wanted;	/* whose ladder was asked for; 0: nobody's */
	uint64_t wanted_ns;
	struct ladder_copy *ladder;	/* of one of them; NULL: none; owned */
};

struct troubles {
	struct keytab groups;	/* struct trouble_group */
	struct trouble pending[TROUBLES_PENDING], slow[TROUBLES_SLOW];
	unsigned int nr_pending, nr_slow;
	uint64_t ungrouped;	/* for which there was no room */
	uint64_t second;	/* in which so many ladders were kept: */
	unsigned int nr_ladders;
	uint64_t handles;	/* given out */
};

/* -ENOMEM and nothing to free, or 0. */
int troubles_init(struct troubles *t);
void troubles_deinit(struct troubles *t);

/* Any report of the engine's. */
void troubles_report(struct troubles *t, const struct report *r);

/* Whether the ladder of the life that is reported is to be handed in. */
bool troubles_want_ladder(struct troubles *t, const struct report *r);
void troubles_take_ladder(struct troubles *t, uint64_t id, const struct telling *telling);

/*
 * Of those that are together the last that was kept.  NULL: there is none; then *id is
 * whose it would be, 0 if the handle is nobody's any more.
 */
const struct telling *troubles_ladder(struct troubles *t, uint64_t handle, uint64_t *id);

/* Rates are of the time since the last sample; what is long past is forgotten. */
void troubles_sample(struct troubles *t, uint64_t now_ns, uint64_t between_ns);

/* At most BOARD_TROUBLES, in no order; their number. */
unsigned int troubles_copy(const struct troubles *t, uint64_t now_ns,
			   struct board_trouble ret[BOARD_TROUBLES]);

#endif
