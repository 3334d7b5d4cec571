/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * age.h - how long a socket has been in its state at the least.  The kernel keeps
 * no such time; but it keeps what was last heard and said, and that was not before
 * the state began.  Pure.
 */
#ifndef SYNFIN_AGE_H
#define SYNFIN_AGE_H

#include <stdint.h>

#include "event.h"

#define AGE_UNKNOWN	UINT64_MAX

/*
 * Nanoseconds, never more than it is, or AGE_UNKNOWN.  Of SYN_SENT it is exact, as
 * it is of the others while the peer is silent, which is what makes them stay.
 * hz: at least 1.
 */
uint64_t age_at_least(const struct wire_aged *socket, uint32_t hz);

#endif
