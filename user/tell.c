// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine_parts.h"

#include "lifecycle.h"

/* Where all are of one namespace, that is no news. */
static const char *name_of_netns(struct engine *e, uint32_t inode)
{
	if (e->scope.sockets.netns || e->recorded.sockets.netns)
		return NULL;
	return names_netns(&e->names, inode);
}

/* owner: NULL if there is none, or nothing is known of him. */
static void add_names(struct engine *e, struct report *r, const struct owner *owner,
		      uint64_t cgroup)
{
	if (e->nameless & 1u << r->kind)
		return;
	if (owner) {
		r->process = names_process(&e->names, owner);
		r->cgroup = names_cgroup_of(&e->names, cgroup, r->process);
	}
	r->netns_name = name_of_netns(e, r->netns);
}

/*
 * A program that was interrupted after it had read the clock is overtaken in
 * the ring; among the lines of one connection time never goes back for that.
 */
void tell(struct engine *e, struct conn *c, struct report *r)
{
	if (c && r->kind != REPORT_CONNECTION) {
		if (r->at_ns < c->told_ns)
			r->at_ns = c->told_ns;
		c->told_ns = r->at_ns;
	}
	add_names(e, r, c ? &c->owner : NULL, c ? c->cgroup : 0);
	e->report(e->ctx, r);
}

struct report tell_about(const struct conn *c, enum report_kind kind, uint64_t at_ns)
{
	return (struct report){
		.kind = kind, .at_ns = at_ns, .clock_ns = c->clock_ns, .id = c->id,
		.netns = c->netns, .tuple = &c->tuple, .conn = c,
		.role = c->role, .owner = &c->owner, .existing = c->flags & CONN_EXISTING,
	};
}

/* Of a socket that is not in the table: what the record itself says. */
struct report tell_about_event(const struct engine *e, const struct wire_hdr *hdr,
			       const struct wire_tuple *tuple, enum report_kind kind)
{
	return (struct report){
		.kind = kind, .at_ns = hdr->ts_ns, .clock_ns = e->clock_ns,
		.id = hdr->cookie, .netns = hdr->netns, .tuple = tuple,
	};
}

void tell_state(struct engine *e, struct conn *c, uint64_t at_ns, struct report_state state)
{
	struct report r = tell_about(c, REPORT_STATE, at_ns);

	if (state.old == state.new)
		return;
	r.state = state;
	tell(e, c, &r);
}

/* tuple: as it was known then. */
void tell_birth(struct engine *e, struct conn *c, uint64_t at_ns, const struct wire_tuple *tuple)
{
	struct report r = tell_about(c, REPORT_STATE, at_ns);
	bool active = c->role == ROLE_ACTIVE;

	c->flags &= ~CONN_BIRTH_HELD;
	listeners_inherit(e, c);
	r.tuple = tuple;
	r.state = (struct report_state){
		.old = active ? TS_CLOSE : TS_LISTEN,
		.new = active ? TS_SYN_SENT : TS_SYN_RECV, .in_old_ns = UNKNOWN_NS };
	tell(e, c, &r);
}

void tell_connection(struct engine *e, struct conn *c, const struct verdict *v,
		     uint64_t at_ns)
{
	struct report r = tell_about(c, REPORT_CONNECTION, at_ns);

	r.connection = life_report(c, *v, at_ns);
	/* Its end may be among what was lost, unless it was seen since. */
	if (e->lossy && v->close == CLOSE_STILL_OPEN && c->census_ns <= e->lost_ns)
		r.connection.complete = false;
	tell(e, c, &r);
}

static const char *kernel_reason(const struct engine *e, const struct wire_reset *ev)
{
	if (!(ev->flags & WIRE_R_REASON) || ev->reason >= ENGINE_REASONS ||
	    !e->reasons[ev->reason][0])
		return NULL;
	return e->reasons[ev->reason];
}

void tell_reset(struct engine *e, const union event *event, struct conn *c)
{
	const struct wire_reset *ev = &event->reset;
	struct report r = c ? tell_about(c, REPORT_RESET, ev->hdr.ts_ns) :
			      tell_about_event(e, &ev->hdr, &ev->tuple, REPORT_RESET);

	if (ev->flags & (WIRE_R_NO_SOCK | WIRE_R_LISTENER))
		r.id = 0;
	r.reset = (struct report_reset){
		.received = ev->flags & WIRE_R_RECEIVED, .reply = ev->flags & WIRE_R_REPLY,
		.state = ev->flags & WIRE_R_NO_SOCK ? TS_NONE : ev->state,
		.reason = kernel_reason(e, ev),
	};
	tell(e, c, &r);
}

static struct report_late late_of(const struct arrival *a, enum tcp_state state)
{
	return (struct report_late){
		.tcp_flags = a->tcp_flags, .payload = a->payload, .state = state,
	};
}

void tell_late(struct engine *e, const struct arrival *a, struct conn *c, enum tcp_state state)
{
	struct report r = c ? tell_about(c, REPORT_LATE_SEGMENT, a->hdr->ts_ns) :
			      tell_about_event(e, a->hdr, a->tuple, REPORT_LATE_SEGMENT);

	r.late = late_of(a, state);
	tell(e, c, &r);
}

/*
 * What an entry of the ledger remembers.  The socket may live again, with the same
 * cookie: then its lines and those of what it left behind have one clock.
 */
static void tell_mini(struct engine *e, struct mini *m, struct report *r)
{
	struct conn *heir = m->id ? conntab_find(&e->conns, m->id) : NULL;
	const struct ownership *of = timewait_owner(&e->minis, m);
	struct wire_tuple tuple = mini_tuple(m);

	if (r->at_ns < m->told_ns)
		r->at_ns = m->told_ns;
	if (heir && r->at_ns < heir->told_ns)
		r->at_ns = heir->told_ns;
	m->told_ns = r->at_ns;
	if (heir)
		heir->told_ns = r->at_ns;
	r->clock_ns = m->clock_ns;
	r->id = m->id;
	r->netns = timewait_place_of(&e->minis, m)->netns;
	r->tuple = &tuple;
	r->role = m->role;
	r->owner = &of->owner;
	r->existing = m->flags & MINI_EXISTING;
	add_names(e, r, &of->owner, of->cgroup);
	e->report(e->ctx, r);
}

void tell_mini_late(struct engine *e, const struct arrival *a, struct mini *m,
		    enum tcp_state state)
{
	struct report r = { .kind = REPORT_LATE_SEGMENT, .at_ns = a->hdr->ts_ns,
			    .late = late_of(a, state) };

	tell_mini(e, m, &r);
}

void tell_mini_state(struct engine *e, struct mini *m, uint64_t at_ns, struct report_state state)
{
	struct report r = { .kind = REPORT_STATE, .at_ns = at_ns, .state = state };

	tell_mini(e, m, &r);
}

void tell_lost(struct engine *e, enum lost_word where, uint64_t count, uint64_t at_ns)
{
	struct report r = { .kind = REPORT_LOST, .at_ns = at_ns, .clock_ns = e->clock_ns,
			    .lost = { .where = where, .count = count } };

	if (count)
		tell(e, NULL, &r);
}
