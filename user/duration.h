/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * duration.h - a length of time as the command line takes it.  Pure.
 */
#ifndef SYNFIN_DURATION_H
#define SYNFIN_DURATION_H

#include <stdint.h>

/*
 * Parse "10" or "10s", "500ms", "2m", "1h", "1.5s" into nanoseconds; of the
 * decimals nine count.  The result fits a signed 64-bit number, so that it can
 * be added to a clock.  Returns 0 and sets *ret, or leaves *ret untouched:
 *   -EINVAL  not of that form (a sign, a blank and "" included)
 *   -ERANGE  2^63 ns (292 years) or longer
 * Zero is a duration; whether it makes sense is the caller's business.
 */
int duration_parse(const char *text, uint64_t *ret);

#endif
