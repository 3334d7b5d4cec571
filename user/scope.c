// SPDX-License-Identifier: GPL-2.0-or-later
#include "scope.h"

#include "addrset.h"
#include "portset.h"

static bool ports_have(const struct wire_ports *ports, uint16_t port)
{
	return !ports->len || !port || portset_contains(ports, port);
}

bool scope_is_whole(const struct scope *scope)
{
	const struct wire_scope *s = &scope->sockets;

	return !s->family && !s->lports.len && !s->rports.len && !scope->laddrs.len &&
	       !scope->raddrs.len;
}

static bool addrs_have(const struct wire_addrs *addrs, const uint8_t addr[16])
{
	return !addrs->len || addr_is_unspecified(addr) || addrset_contains(addrs, addr);
}

static bool is_of_any_family(const struct wire_tuple *t)
{
	return t->family == 6 && addr_is_unspecified(t->laddr) && addr_is_unspecified(t->raddr);
}

bool scope_has(const struct scope *scope, uint32_t netns, const struct wire_tuple *tuple)
{
	const struct wire_scope *s = &scope->sockets;

	return scope_has_netns(scope, netns) &&
	       (!s->family || s->family == tuple->family || is_of_any_family(tuple)) &&
	       ports_have(&s->lports, tuple->lport) && ports_have(&s->rports, tuple->rport) &&
	       addrs_have(&scope->laddrs, tuple->laddr) &&
	       addrs_have(&scope->raddrs, tuple->raddr);
}

bool scope_is_undecided(const struct scope *scope, const struct wire_tuple *tuple)
{
	const struct wire_scope *s = &scope->sockets;

	return (!tuple->lport && s->lports.len) || (!tuple->rport && s->rports.len) ||
	       (s->family && is_of_any_family(tuple)) ||
	       (scope->laddrs.len && addr_is_unspecified(tuple->laddr)) ||
	       (scope->raddrs.len && addr_is_unspecified(tuple->raddr));
}

bool scope_has_listener(const struct scope *scope, uint32_t netns, const struct wire_tuple *tuple)
{
	const struct wire_scope *s = &scope->sockets;

	return scope_has_netns(scope, netns) &&
	       (!s->family || s->family == tuple->family || tuple->family == 6) &&
	       ports_have(&s->lports, tuple->lport) && addrs_have(&scope->laddrs, tuple->laddr);
}

bool scope_asks_for_listener(const struct scope *scope, uint32_t netns,
			     const struct wire_tuple *tuple)
{
	const struct wire_scope *s = &scope->sockets;

	return scope_has(scope, netns, tuple) && (!s->family || s->family == tuple->family) &&
	       (!s->rports.len || portset_contains(&s->rports, 0));
}
