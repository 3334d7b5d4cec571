// SPDX-License-Identifier: GPL-2.0-or-later
#include "resting.h"

#include <string.h>

#include "report.h"
#include "tcp_state.h"

static enum tcp_state first_state(unsigned int role)
{
	return role == ROLE_ACTIVE ? TS_SYN_SENT : TS_SYN_RECV;
}

/* By the role's usual one, or it turned up there. */
static bool has_plain_path(const struct conn *c)
{
	if (!c->path_len || c->path_len > 2 || c->path[c->path_len - 1] != TS_ESTABLISHED ||
	    c->path_ns[c->path_len - 1] != UNKNOWN_NS)
		return false;
	return c->path_len == 1 || (c->role && c->path[0] == first_state(c->role));
}

static uint64_t opening_ns(const struct conn *c)
{
	return c->path_len == 2 ? c->path_ns[0] : 0;
}

static bool has_plain_times(const struct conn *c)
{
	return c->handshake_ns == (c->flags & CONN_HANDSHAKE ? opening_ns(c) : 0) &&
	       (!c->synack_ns || c->synack_ns == c->start_ns);
}

static bool is_quiet(const struct conn *c)
{
	return c->stage == STAGE_OPEN && c->state == TS_ESTABLISHED && !c->timer && !c->met &&
	       !c->closed_by && !c->fin_ns && !c->rst_in_ns && !c->end.flags && !c->end.mini_ns;
}

bool resting_pack(struct resting *ret, const struct conn *c, struct ownerset *owners)
{
	uint32_t owner;

	if (!is_quiet(c) || !has_plain_path(c) || !has_plain_times(c))
		return false;
	owner = ownerset_take(owners, &c->owner, c->cgroup);
	if (!owner && (c->owner.from || c->cgroup))
		return false;
	*ret = (struct resting){
		.id = c->id, .clock_ns = c->clock_ns, .tuple = c->tuple,
		.start_ns = c->start_ns, .since_ns = c->since_ns, .last_ns = c->last_ns,
		.told_ns = c->told_ns, .census_ns = c->census_ns, .opening_ns = opening_ns(c),
		.netns = c->netns, .isn = c->isn, .owner = owner,
		.flags = c->flags, .missed = c->missed,
		.role = c->role, .path_len = c->path_len, .has_synack = c->synack_ns,
	};
	memcpy(ret->retransmits, c->retransmits, sizeof(ret->retransmits));
	return true;
}

static void unpack_path(struct conn *c, const struct resting *r)
{
	c->path_len = r->path_len;
	c->path[r->path_len - 1] = TS_ESTABLISHED;
	c->path_ns[r->path_len - 1] = UNKNOWN_NS;
	if (r->path_len == 1)
		return;
	c->path[0] = first_state(r->role);
	c->path_ns[0] = r->opening_ns;
}

void resting_unpack(struct conn *c, const struct resting *r, struct ownerset *owners)
{
	const struct ownership *of = ownerset_at(owners, r->owner);

	c->id = r->id;
	c->clock_ns = r->clock_ns;
	c->tuple = r->tuple;
	c->owner = of->owner;
	c->cgroup = of->cgroup;
	c->netns = r->netns;
	c->isn = r->isn;
	c->stage = STAGE_OPEN;
	c->role = r->role;
	c->state = TS_ESTABLISHED;
	c->flags = r->flags;
	c->missed = r->missed;
	c->start_ns = r->start_ns;
	c->since_ns = r->since_ns;
	c->last_ns = r->last_ns;
	c->told_ns = r->told_ns;
	c->census_ns = r->census_ns;
	c->synack_ns = r->has_synack ? r->start_ns : 0;
	c->handshake_ns = r->flags & CONN_HANDSHAKE ? r->opening_ns : 0;
	memcpy(c->retransmits, r->retransmits, sizeof(c->retransmits));
	unpack_path(c, r);
	resting_drop(r, owners);
}

void resting_drop(const struct resting *r, struct ownerset *owners)
{
	ownerset_drop(owners, r->owner);
}
