/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listenmap.h - whose listening socket a connection came through, as far as
 * address and port tell.  Pure: imports nothing but memcmp.
 *
 * Who listens on the connection's own address comes first, then who listens on
 * any address of its family, then who listens on :: (inet_lookup_listener(),
 * compute_score()).  By what else the kernel chooses (device, SO_REUSEPORT) is not
 * known here: where that could matter, nobody is named.
 */
#ifndef SYNFIN_LISTENMAP_H
#define SYNFIN_LISTENMAP_H

#include "conn.h"

#define LISTENMAP_BUCKETS	1024	/* busy hosts have some hundred listening sockets */

/* Valid when zeroed: empty. */
struct listenmap {
	struct conn *buckets[LISTENMAP_BUCKETS];
};

/*
 * A listening socket, by its netns and tuple, which may not change while it is in,
 * nor may it be freed.  To add one that is in, or remove one that is not, is nothing.
 */
void listenmap_add(struct listenmap *m, struct conn *listener);
void listenmap_remove(struct listenmap *m, struct conn *listener);

/*
 * The owner of the listening socket behind the local end of t; of its family the
 * peer decides.  cgroup: the connection's own, which is its listener's; 0: not known.
 * One that was last seen before sure_ns may be gone by now, and nobody knows whose is
 * in its place.  NULL: not known.  Borrowed from the listener.
 */
const struct owner *listenmap_owner(const struct listenmap *m, uint32_t netns,
				    const struct wire_tuple *t, uint64_t cgroup,
				    uint64_t sure_ns);

#endif
