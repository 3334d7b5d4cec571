/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stderr_hold.h - what is said on stderr while the screen is somebody's: kept, and
 * said when it is free again.  Only if stderr is a terminal; else it goes where it went.
 */
#ifndef SYNFIN_STDERR_HOLD_H
#define SYNFIN_STDERR_HOLD_H

struct stderr_hold {
	int before, kept;	/* descriptors; valid if active */
	int active;
};

void stderr_hold_begin(struct stderr_hold *h);
void stderr_hold_end(struct stderr_hold *h);	/* if it was begun */

#endif
