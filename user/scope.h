/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scope.h - whether a socket is in a wire_scope.  The kernel decides the same
 * as far as it can; this decides what the kernel had to let through, and
 * narrows a recording.  Pure.
 */
#ifndef SYNFIN_SCOPE_H
#define SYNFIN_SCOPE_H

#include <stdbool.h>
#include <stdint.h>
#include "event.h"

/* It leaves nothing out but namespaces. */
bool scope_is_whole(const struct wire_scope *scope);

/* A port that is 0 is not known yet, or wiped already, and matches. */
bool scope_has(const struct wire_scope *scope, uint32_t netns, const struct wire_tuple *tuple);

/*
 * Whether connections in the scope may come through a socket that listens there:
 * one on :: takes those of IPv4, too, and their remote ports are their own.
 */
bool scope_has_listener(const struct wire_scope *scope, uint32_t netns,
			const struct wire_tuple *tuple);

#endif
