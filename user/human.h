/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * human.h - figures as a person reads them: short, three digits at the most,
 * cut and never rounded up.  Machine formats have none of it.
 */
#ifndef SYNFIN_HUMAN_H
#define SYNFIN_HUMAN_H

#include <stdint.h>

#include "text.h"

/* 213us 1.24ms 12.4ms 124ms 1.24s 12.4s 2m03s 3h05m 2d04h */
void human_duration(struct text *t, uint64_t us);

/* 999 1.2k 12k 123k 1.2M ...; k is 1000. */
void human_bytes(struct text *t, uint64_t bytes);

/* The last second that was converted, since events come in crowds.  Valid when zeroed. */
struct local_clock {
	uint64_t second;
	char hms[8];
};

/* HH:MM:SS in the local time zone and 0 to 9 decimals; ns: CLOCK_REALTIME. */
void human_clock(struct text *t, struct local_clock *c, uint64_t ns, unsigned int decimals);

#endif
