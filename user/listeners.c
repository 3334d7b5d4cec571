// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine_parts.h"

#include "lifecycle.h"
#include "scope.h"

static bool may_be_of_scope(const struct engine *e, uint32_t netns, const struct wire_tuple *t)
{
	return scope_has_listener(&e->scope, netns, t) &&
	       scope_has_listener(&e->recorded, netns, t);
}

/* Those that nobody asked for are known for the sake of their connections. */
static bool is_wanted(const struct engine *e, const struct conn *c)
{
	return scope_asks_for_listener(&e->scope, c->netns, &c->tuple) &&
	       scope_asks_for_listener(&e->recorded, c->netns, &c->tuple);
}

static void set_listener(struct engine *e, struct conn *c, const struct wire_tuple *t)
{
	listenmap_remove(&e->listeners, c);
	c->stage = STAGE_LISTENER;
	c->role = ROLE_LISTENER;
	c->tuple = *t;
	engine_ensure_id(e, c);
	conntab_set_deadline(&e->conns, c, 0);
	listenmap_add(&e->listeners, c);
}

/* The port that listen() chose is known only now. */
void listeners_on_census(struct engine *e, struct conn *c, const struct wire_census *ev)
{
	if (!may_be_of_scope(e, ev->hdr.netns, &ev->tuple))
		return;
	if (!c) {
		c = engine_add(e, &ev->hdr);
		if (!c)
			return;
		c->flags |= CONN_EXISTING;
		c->state = TS_LISTEN;
	} else if (c->stage != STAGE_LISTENER) {	/* what made it one is still to come */
		return;
	}
	c->census_ns = ev->hdr.ts_ns;
	c->cgroup = ev->owner.cgroup;
	set_listener(e, c, &ev->tuple);
}

void listeners_on_state(struct engine *e, struct conn *c, const struct wire_state *ev)
{
	uint64_t in_old = UNKNOWN_NS;

	if (!may_be_of_scope(e, ev->hdr.netns, &ev->tuple))
		return;
	if (c && c->stage != STAGE_LISTENER) {
		end_displaced(e, c, ev->hdr.ts_ns);
		c = NULL;
	}
	if (!c)
		c = engine_add(e, &ev->hdr);
	if (!c)
		return;
	if (c->stage == STAGE_LISTENER && c->since_ns && ev->oldstate == c->state &&
	    c->since_ns <= ev->hdr.ts_ns)	/* a broken recording's time goes back */
		in_old = ev->hdr.ts_ns - c->since_ns;
	if (c->stage != STAGE_LISTENER && ev->oldstate == TS_LISTEN)
		c->flags |= CONN_EXISTING;
	if (ev->newstate == TS_LISTEN)	/* a census may have met it before this came */
		c->flags &= ~CONN_EXISTING;
	set_listener(e, c, &ev->tuple);
	c->since_ns = ev->hdr.ts_ns;
	c->state = ev->newstate;
	life_own(c, ev);
	if (is_wanted(e, c))
		tell_state(e, c, ev->hdr.ts_ns, (struct report_state){
			.old = ev->oldstate, .new = ev->newstate, .in_old_ns = in_old });
	if (ev->newstate == TS_CLOSE)
		engine_forget(e, c);
}

/*
 * What was lost may have been the end of a listening socket, and another's birth
 * in its place: until it is seen again, nobody knows whose it is.
 */
void listeners_doubt(struct engine *e, uint64_t now_ns)
{
	e->listeners_doubted_ns = now_ns;
}

void listeners_inherit(struct engine *e, struct conn *c)
{
	const struct owner *owner;

	if (c->owner.from || c->role != ROLE_PASSIVE)
		return;
	owner = listenmap_owner(&e->listeners, c->netns, &c->tuple, c->cgroup,
				e->listeners_doubted_ns);
	if (owner)
		owner_inherit(&c->owner, OWNER_LISTEN, owner);
}
