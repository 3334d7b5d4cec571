/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fact.h - what a record says of a network namespace, as far as it was to be had.
 */
#ifndef SYNFIN_FACT_H
#define SYNFIN_FACT_H

#include <stdint.h>
#include <linux/types.h>
#include "wire.h"

/* facts: NULL if there is no record at all. */
static inline uint64_t fact_or(const struct wire_netns_facts *facts, enum wire_fact which,
			       uint64_t otherwise)
{
	return facts && facts->known >> which & 1 ? facts->values[which] : otherwise;
}

#endif
