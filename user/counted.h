/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counted.h - the mini-sockets of one namespace after the other, as the iterator counts
 * them in memory that it shares with us (wire_counted): what it has to know before, and
 * the records that come of it.
 */
#ifndef SYNFIN_COUNTED_H
#define SYNFIN_COUNTED_H

#include <linux/types.h>
#include "source.h"
#include "wire.h"

/* Before the iterator runs.  c is as it is when it is new, or was wiped. */
void counted_begin(struct wire_counted *c, const struct wire_netns_facts *facts, __u32 hz);

/* It is through: hands out WIRE_MINI_GROUP, _PORTS and _POOL, how many of them, and wipes. */
__u32 counted_tell(struct wire_counted *c, __u32 netns, __u64 now_ns, record_fn fn, void *ctx);

#endif
