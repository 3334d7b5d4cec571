// SPDX-License-Identifier: GPL-2.0-or-later

#include "scope.h"
#include "portset.h"

static bool ports_have(const struct wire_ports *ports, uint16_t port)
{
	return !ports->len || !port || portset_contains(ports, port);
}

bool scope_is_whole(const struct wire_scope *scope)
{
	return !scope->family && !scope->lports.len && !scope->rports.len;
}

bool scope_has(const struct wire_scope *scope, uint32_t netns, const struct wire_tuple *tuple)
{
	return (!scope->netns || scope->netns == netns) &&
	       (!scope->family || scope->family == tuple->family) &&
	       ports_have(&scope->lports, tuple->lport) &&
	       ports_have(&scope->rports, tuple->rport);
}

bool scope_has_listener(const struct wire_scope *scope, uint32_t netns,
			const struct wire_tuple *tuple)
{
	return (!scope->netns || scope->netns == netns) &&
	       (!scope->family || scope->family == tuple->family || tuple->family == 6) &&
	       ports_have(&scope->lports, tuple->lport);
}
