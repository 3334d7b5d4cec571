/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns_lookup.h - from a network namespace's inode number to its name under
 * /run/netns (ip netns), by asking the file system.  Names come and go, and the
 * numbers are used again.
 */
#ifndef SYNFIN_NETNS_LOOKUP_H
#define SYNFIN_NETNS_LOOKUP_H

#include <stdint.h>

struct netns_lookup;

/* Knows no name yet.  0 or -ENOMEM. */
int netns_lookup_open(struct netns_lookup **ret);
void netns_lookup_close(struct netns_lookup *l);

typedef void (*netns_named_fn)(void *ctx, uint32_t inode, const char *name);

/*
 * Looks for names that have changed since the last call, and tells each; "":
 * it has none any more.  One stat() if nothing did.
 */
void netns_lookup_refresh(struct netns_lookup *l, netns_named_fn changed, void *ctx);

/* As of the last refresh.  "": it has none.  Valid until the next. */
const char *netns_lookup_name(const struct netns_lookup *l, uint32_t inode);

#endif
