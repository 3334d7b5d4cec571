/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scope.h - whether a socket is in a scope: what the kernel keeps.  The kernel
 * decides the same as far as it can; this decides what the kernel had to let
 * through, and narrows a recording.  Pure.
 */
#ifndef SYNFIN_SCOPE_H
#define SYNFIN_SCOPE_H

#include <stdbool.h>
#include <stdint.h>
#include "event.h"

struct scope {
	struct wire_scope sockets;
	struct wire_addrs laddrs, raddrs;
};

static inline bool scope_has_netns(const struct scope *scope, uint32_t netns)
{
	return !scope->sockets.netns || scope->sockets.netns == netns;
}

/* It leaves nothing out but namespaces. */
bool scope_is_whole(const struct scope *scope);

/*
 * A port that is 0 and an address that is unspecified are not known yet, or wiped
 * already, and match; so does the family of what is on no address at either end.
 */
bool scope_has(const struct scope *scope, uint32_t netns, const struct wire_tuple *tuple);

/* Whether what is still to come could put it out of scope. */
bool scope_is_undecided(const struct scope *scope, const struct wire_tuple *tuple);

/*
 * Whether connections in the scope may come through a socket that listens there:
 * one on :: takes those of IPv4, too, and their remote ends are their own.
 */
bool scope_has_listener(const struct scope *scope, uint32_t netns,
			const struct wire_tuple *tuple);

/*
 * Whether the listening socket itself is asked for: it has no peer, and so is in a
 * set of remote ports only if that has 0.
 */
bool scope_asks_for_listener(const struct scope *scope, uint32_t netns,
			     const struct wire_tuple *tuple);

#endif
