/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ladder_copy.h - a ladder that outlives the views it was drawn from: to be shown
 * when somebody asks for it.  Pure: imports nothing but calloc and free.
 */
#ifndef SYNFIN_LADDER_COPY_H
#define SYNFIN_LADDER_COPY_H

#include "explain.h"

struct ladder_copy {
	struct telling telling;	/* of what follows */
	struct view ends[2];	/* without their steps */
	struct ladder ladder;	/* the last: as many arrows as there are */
};

/* NULL: there is no memory for it. */
struct ladder_copy *ladder_copy_create(const struct telling *t);
void ladder_copy_destroy(struct ladder_copy *c);	/* NULL is fine */

#endif
