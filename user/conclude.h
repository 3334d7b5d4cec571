/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conclude.h - what follows from a ladder as a whole: the order of its arrows,
 * its half-closed stretch, and the states of an end that was not seen, as far
 * as what came from it proves them.  Pure.
 */
#ifndef SYNFIN_CONCLUDE_H
#define SYNFIN_CONCLUDE_H

struct ladder;

void conclude(struct ladder *l);

#endif
