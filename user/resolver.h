/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolver.h - a stage between capture and session: looks at each record of the
 * kernel's, and ahead of it inserts records of what its ids are called
 * (WIRE_CGROUP, WIRE_NETNS_NAME, WIRE_PROCESS), which has to be looked up outside.  So
 * --write records the names, too, and a replay looks nothing up.
 *
 * Asks the next stage what was told already: nothing is looked up twice while
 * that remembers it, and none of it per connection.  Waits for nothing but the
 * file system of the kernel's own (cgroupfs, nsfs, procfs).
 *
 * With a sieve (sieve.h) it also leaves out what sockets of cgroups do that nobody asks
 * for: what the kernel had recorded before it was told to drop that itself.  What it
 * leaves out it still says as the kernel does (WIRE_CLAIM).
 *
 * One more kind of name is a need_...() called from resolver_record(), and what
 * remembers it (names.h).
 */
#ifndef SYNFIN_RESOLVER_H
#define SYNFIN_RESOLVER_H

#include <linux/types.h>
#include "sieve.h"
#include "source.h"
#include "wire.h"

struct resolver;

/* The next stage. */
struct resolver_next {
	record_fn record;
	/* Whether it remembers what a record of kind, of that id, has told it. */
	bool (*knows)(void *ctx, enum wire_kind kind, __u64 id);
	void *ctx;		/* of both */
};

/*
 * programs: tell of those of processes, and their command lines, too.  0 or -ENOMEM.
 * A host without cgroup v2 is no error: its ids have no names.  With v1 the cgroups of
 * processes are told of.
 */
int resolver_create(const struct resolver_next *next, bool programs, struct resolver **ret);
void resolver_destroy(struct resolver *r);

/* Before the first record.  s: not needed any more before resolver_destroy(). */
void resolver_sift(struct resolver *r, struct sieve *s);

/* Whether this host has cgroups of version 1. */
bool resolver_has_v1(const struct resolver *r);

/* Whether /proc will be asked about processes, which do not wait for it. */
bool resolver_asks_for_processes(const struct resolver *r);

/* A record_fn.  ctx is the resolver. */
bool resolver_record(void *ctx, const void *rec, size_t len);

#endif
