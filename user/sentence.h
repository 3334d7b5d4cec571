/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sentence.h - how a connection came and how it ended, as one would say it.
 * ASCII, a sentence or two, no line end.
 */
#ifndef SYNFIN_SENTENCE_H
#define SYNFIN_SENTENCE_H

#include "ladder.h"
#include "text.h"

/* Room for the longest. */
#define SENTENCE_MAX	512

void sentence_write(struct text *t, const struct ladder *l);

#endif
