// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine.h"

#include <errno.h>
#include <string.h>

#include "lifecycle.h"
#include "scope.h"

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull

/* Identities that are no cookies: the top bit is never set in a cookie. */
#define NO_COOKIE	(1ull << 63)

#define TCPHDR_FIN	0x01
#define TCPHDR_SYN	0x02
#define TCPHDR_RST	0x04
#define TCPHDR_ACK	0x10

/* icsk_ca_state and icsk_pending, include/net/tcp.h and inet_connection_sock.h */
#define CA_RECOVERY	3
#define CA_LOSS		4
#define ICSK_TIME_LOSS_PROBE	5

/* ---- reports ---- */

/*
 * A program that was interrupted after it had read the clock is overtaken in
 * the ring; among the lines of one connection time never goes back for that.
 */
static void send(struct engine *e, struct conn *c, struct report *r)
{
	if (c && r->kind != REPORT_CONNECTION) {
		if (r->at_ns < c->told_ns)
			r->at_ns = c->told_ns;
		c->told_ns = r->at_ns;
	}
	e->report(e->ctx, r);
}

static struct report about(const struct conn *c, enum report_kind kind, uint64_t at_ns)
{
	return (struct report){
		.kind = kind, .at_ns = at_ns, .clock_ns = c->clock_ns, .id = c->id,
		.netns = c->netns, .tuple = &c->tuple, .conn = c,
	};
}

/* Of a socket that is not in the table: what the record itself says. */
static struct report about_event(const struct engine *e, const union event *ev,
				 const struct wire_tuple *tuple, enum report_kind kind)
{
	return (struct report){
		.kind = kind, .at_ns = ev->hdr.ts_ns, .clock_ns = e->clock_ns,
		.id = ev->hdr.cookie, .netns = ev->hdr.netns, .tuple = tuple,
	};
}

static void report_state(struct engine *e, struct conn *c, uint64_t at_ns,
			 struct report_state state)
{
	struct report r = about(c, REPORT_STATE, at_ns);

	if (state.old == state.new)
		return;
	r.state = state;
	send(e, c, &r);
}

static void report_birth(struct engine *e, struct conn *c, uint64_t at_ns)
{
	bool active = c->role == ROLE_ACTIVE;

	c->flags &= ~CONN_BIRTH_HELD;
	report_state(e, c, at_ns, (struct report_state){
		.old = active ? TS_CLOSE : TS_LISTEN,
		.new = active ? TS_SYN_SENT : TS_SYN_RECV, .in_old_ns = UNKNOWN_NS });
}

static void report_connection(struct engine *e, struct conn *c, const struct verdict *v,
			      uint64_t at_ns)
{
	struct report r = about(c, REPORT_CONNECTION, at_ns);

	r.connection = life_report(c, *v, at_ns);
	/* Its end may be among what was lost, unless it was seen since. */
	if (e->lossy && v->close == CLOSE_STILL_OPEN && c->census_ns <= e->lost_ns)
		r.connection.complete = false;
	send(e, c, &r);
}

static void report_lost(struct engine *e, enum lost_word where, uint64_t count, uint64_t at_ns)
{
	struct report r = { .kind = REPORT_LOST, .at_ns = at_ns, .clock_ns = e->clock_ns,
			    .lost = { .where = where, .count = count } };

	if (count)
		send(e, NULL, &r);
}

/* ---- scope ---- */

static bool in_scope(const struct engine *e, uint32_t netns, const struct wire_tuple *t)
{
	return scope_has(&e->scope, netns, t) && scope_has(&e->recorded, netns, t);
}

/* Whether a port that is still to come could put it out of scope. */
static bool undecided(const struct engine *e, const struct wire_tuple *t)
{
	return (!t->lport && (e->scope.lports.len || e->recorded.lports.len)) ||
	       (!t->rport && (e->scope.rports.len || e->recorded.rports.len));
}

/*
 * An event of a connection that may have been let in undecided tells its ports.
 * False: it is out of scope, and gone.
 */
static bool settle(struct engine *e, struct conn *c, const struct wire_tuple *t)
{
	uint16_t lport = c->tuple.lport;

	if (!c->tuple.lport || !c->tuple.rport)
		c->tuple = *t;
	if (!(c->flags & CONN_BIRTH_HELD))
		return true;
	if (undecided(e, &c->tuple) || !in_scope(e, c->netns, &c->tuple)) {
		conntab_remove(&e->conns, c);
		return false;
	}
	if (c->role == ROLE_ACTIVE)	/* told as it was then: its port was not chosen yet */
		c->tuple.lport = lport;
	report_birth(e, c, c->start_ns);
	if (!c->tuple.lport)
		c->tuple.lport = t->lport;
	return true;
}

/* ---- identity ---- */

static uint64_t key_of(const struct wire_hdr *hdr)
{
	return hdr->cookie ? hdr->cookie : hdr->sock | NO_COOKIE;
}

/* Known from a census only: no event of it has been seen yet. */
static bool is_from_census(const struct conn *c)
{
	return !(c->flags & CONN_BORN) && c->census_ns && !c->last_ns;
}

/*
 * A census meets sockets whose birth is still in the ring: they are not older
 * than the trace.  What it took them for is taken back, and who held it counts.
 */
static bool is_from_future(const struct conn *c, const struct wire_hdr *hdr)
{
	return is_from_census(c) && hdr->ts_ns < c->census_ns;
}

static void take_back(struct engine *e, struct conn *c, struct conn *heir)
{
	heir->census_ns = c->census_ns;
	if (!heir->owner.from)
		heir->owner = c->owner;
	if (c->stage == STAGE_OPEN && !(c->flags & CONN_EXISTING))
		e->adopted--;
	conntab_remove(&e->conns, c);
}

/* A raw clone (LISTEN->SYN_RECV up to 6.14) had no cookie; its next event has. */
static struct conn *find_clone(struct engine *e, const struct wire_hdr *hdr)
{
	struct conn *c = conntab_find(&e->conns, hdr->sock | NO_COOKIE);
	struct conn *request;

	if (!c || c->stage != STAGE_OPEN || c->role != ROLE_PASSIVE || c->id)
		return NULL;
	request = conntab_find(&e->conns, hdr->cookie);
	if (request) {	/* the SYN-ACKs that were sent again for it */
		c->synack_ns = request->synack_ns;
		c->retransmits[PHASE_SYNACK] = request->retransmits[PHASE_SYNACK];
		take_back(e, request, c);
	}
	conntab_rekey(&e->conns, c, hdr->cookie);
	c->id = hdr->cookie;
	return c;
}

static struct conn *find(struct engine *e, const struct wire_hdr *hdr)
{
	struct conn *c = conntab_find(&e->conns, key_of(hdr));
	struct conn *clone = NULL;

	if (hdr->cookie && (!c || c->stage == STAGE_REQUEST || is_from_future(c, hdr)))
		clone = find_clone(e, hdr);
	return clone ? clone : c;
}

static void identify(struct engine *e, struct conn *c, const struct wire_hdr *hdr)
{
	c->clock_ns = e->clock_ns;
	c->netns = hdr->netns;
	c->sock = hdr->sock;
	c->id = hdr->cookie;
}

static struct conn *add(struct engine *e, const struct wire_hdr *hdr)
{
	struct conn *c;

	while (!(c = conntab_add(&e->conns, key_of(hdr)))) {
		struct conn *oldest = conntab_oldest(&e->conns);

		if (!oldest) {	/* no memory even for one */
			e->evicted++;
			return NULL;
		}
		if (oldest->stage != STAGE_LISTENER && !(oldest->flags & CONN_BIRTH_HELD))
			e->evicted++;
		e->forgot = true;
		conntab_remove(&e->conns, oldest);
	}
	identify(e, c, hdr);
	return c;
}

/* Of a socket without a cookie, for good: an identity of synfin's own. */
static void ensure_id(struct engine *e, struct conn *c)
{
	if (!c->id)
		c->id = NO_COOKIE | ++e->serial;
}

/* A socket turns up whose birth was not seen. */
static struct conn *adopt(struct engine *e, const struct wire_hdr *hdr,
			  const struct wire_tuple *tuple, enum tcp_state state)
{
	struct conn *c;

	if (state == TS_CLOSE || state == TS_LISTEN || !in_scope(e, hdr->netns, tuple))
		return NULL;
	c = add(e, hdr);
	if (!c)
		return NULL;
	c->tuple = *tuple;
	ensure_id(e, c);
	life_adopt(c, state, !e->lossy && !e->forgot);
	e->adopted += e->lossy;
	return c;
}

/* ---- ends ---- */

static void release_reset(struct engine *e, struct conn *c)
{
	struct report r = about(c, REPORT_RESET, c->rst_in_ns);

	r.reset = (struct report_reset){ .received = true, .state = c->state };
	c->flags &= ~CONN_RST_HELD;
	send(e, c, &r);
}

static uint64_t in_last_state(const struct conn *c)
{
	return c->path_len ? c->path_ns[c->path_len - 1] : UNKNOWN_NS;
}

/* What was held back until it was known what it was. */
static void release(struct engine *e, struct conn *c, const struct verdict *v)
{
	/* Of data after close the kernel says a reset was received; none was. */
	if (c->flags & CONN_RST_HELD && v->close != CLOSE_RESET_SENT)
		release_reset(e, c);
	if (c->flags & CONN_END_HELD) {
		c->flags &= ~CONN_END_HELD;
		report_state(e, c, c->last_ns, (struct report_state){
			.old = c->state, .new = TS_CLOSE, .cause = v->cause,
			.in_old_ns = in_last_state(c) });
	}
}

static void finish(struct engine *e, struct conn *c, const struct verdict *v, uint64_t at_ns)
{
	release(e, c, v);
	report_connection(e, c, v, at_ns);
	conntab_remove(&e->conns, c);
}

/* A FIN_WAIT2 mini-socket: nothing announces its end, a timer bounds it. */
static void park(struct engine *e, struct conn *c)
{
	c->stage = STAGE_PARKED;
	c->flags &= ~CONN_END_HELD;
	/* The timer wheel is up to an eighth late. */
	conntab_set_deadline(&e->conns, c,
			     c->last_ns + c->end.mini_ns * 5 / 4 + 200 * NSEC_PER_MSEC);
}

/* The verdict if it can be told now; else it waits. */
static void conclude(struct engine *e, struct conn *c, bool waited)
{
	struct verdict v = verdict_at_close(c, waited);

	switch ((enum fate)v.fate) {
	case FATE_ENDED:
		finish(e, c, &v, c->last_ns);
		break;
	case FATE_WAITS:
		conntab_set_deadline(&e->conns, c, c->last_ns + VERDICT_WAIT_NS);
		break;
	case FATE_PARKED:
		park(e, c);
		break;
	}
}

/* The mini-socket is gone; its last transition is told now. */
static void end_parked(struct engine *e, struct conn *c, enum close_word how, uint64_t at_ns)
{
	struct verdict v = verdict_of_parked(c, how);
	uint64_t in_old = UNKNOWN_NS;

	if (at_ns < c->last_ns)
		at_ns = c->last_ns;
	if (how != CLOSE_ORPHAN && c->since_ns) {	/* its end was seen */
		in_old = at_ns - c->since_ns;
		c->path_ns[c->path_len - 1] = in_old;
	}
	report_state(e, c, at_ns, (struct report_state){
		.old = TS_FIN_WAIT2, .new = TS_CLOSE, .cause = v.cause, .in_old_ns = in_old });
	c->last_ns = at_ns;
	finish(e, c, &v, at_ns);
}

/* Half-open requests end without a word. */
static void end_request(struct engine *e, struct conn *c, uint64_t at_ns)
{
	struct verdict v = verdict_of_request(c);

	c->path[0] = TS_SYN_RECV;
	c->path_ns[0] = UNKNOWN_NS;
	c->path_len = 1;
	report_connection(e, c, &v, at_ns);
	conntab_remove(&e->conns, c);
}

/* It is over, and nothing told how. */
static void end_lost(struct engine *e, struct conn *c, uint64_t now_ns)
{
	struct verdict v = verdict_of_open(c, CLOSE_NONE);

	if (c->flags & CONN_BIRTH_HELD) {
		conntab_remove(&e->conns, c);
		return;
	}
	c->flags |= CONN_GAP;
	c->missed++;
	finish(e, c, &v, c->last_ns ? c->last_ns : now_ns);
}

/* Its deadline has passed. */
static void expire(struct engine *e, struct conn *c, uint64_t now_ns)
{
	switch ((enum conn_stage)c->stage) {
	case STAGE_VERDICT:
		conclude(e, c, true);
		break;
	case STAGE_PARKED:
		end_parked(e, c, c->flags & CONN_RST_AFTER ? CLOSE_RESET_SENT : CLOSE_ORPHAN,
			   c->flags & CONN_RST_AFTER ? c->rst_in_ns : now_ns);
		break;
	case STAGE_REQUEST:
		end_request(e, c, now_ns);
		break;
	case STAGE_OPEN:
		end_lost(e, c, now_ns);
		break;
	case STAGE_NEW:
	case STAGE_LISTENER:
		break;
	}
}

/* A new life on a socket whose old one is not over for us. */
static void displace(struct engine *e, struct conn *c, uint64_t at_ns)
{
	struct verdict v;

	switch ((enum conn_stage)c->stage) {
	case STAGE_VERDICT:
		v = verdict_at_close(c, true);
		if (v.fate == FATE_PARKED)
			v = verdict_of_parked(c, CLOSE_ORPHAN);
		finish(e, c, &v, c->last_ns);
		return;
	case STAGE_PARKED:
		end_parked(e, c, CLOSE_ORPHAN, at_ns);
		return;
	case STAGE_OPEN:
		end_lost(e, c, at_ns);
		return;
	case STAGE_REQUEST:
	case STAGE_NEW:
	case STAGE_LISTENER:
		conntab_remove(&e->conns, c);
	}
}

/* ---- the census ---- */

static void adopt_listener(struct engine *e, const struct wire_census *ev)
{
	struct conn *c = add(e, &ev->hdr);

	if (!c)
		return;
	c->stage = STAGE_LISTENER;
	c->role = ROLE_LISTENER;
	c->state = TS_LISTEN;
	c->flags |= CONN_EXISTING;
	c->tuple = ev->tuple;
	ensure_id(e, c);
}

/*
 * When the request has ended if nothing is heard of it: its timer fires again
 * timeout << backoff after `from`, an eighth late at most.
 */
static uint64_t request_deadline(const struct engine *e, uint64_t from_ns, uint32_t timeout,
				 unsigned int backoff)
{
	uint64_t jiffies = timeout ? timeout : e->hz;	/* TCP_TIMEOUT_INIT */
	uint64_t wait_ns = (jiffies << (backoff < 16 ? backoff : 16)) * (NSEC_PER_SEC / e->hz);

	return from_ns + wait_ns * 5 / 4 + 200 * NSEC_PER_MSEC;
}

/* Without a cookie it could not be tied to the child that it may become. */
static void on_census_request(struct engine *e, struct conn *c, const struct wire_census *ev)
{
	if (!ev->hdr.cookie || (c && c->stage != STAGE_REQUEST))
		return;
	if (!c)
		c = add(e, &ev->hdr);
	if (!c)
		return;
	life_meet_request(c, ev);
	conntab_set_deadline(&e->conns, c, request_deadline(e, ev->hdr.ts_ns, ev->timeout,
							    ev->num_timeout));
}

/* Mini-sockets have no life of their own here. */
static void on_census(struct engine *e, const struct wire_census *ev)
{
	struct conn *c = find(e, &ev->hdr);

	if (ev->flags & WIRE_C_MINI || !in_scope(e, ev->hdr.netns, &ev->tuple))
		return;
	if (ev->state == TS_NEW_SYN_RECV) {
		on_census_request(e, c, ev);
		return;
	}
	if (!c && ev->state == TS_LISTEN)
		adopt_listener(e, ev);
	else if (!c)
		c = adopt(e, &ev->hdr, &ev->tuple, ev->state);
	if (c)
		c->census_ns = ev->hdr.ts_ns;
}

static void on_owner_of(struct engine *e, const struct wire_owner_of *ev)
{
	struct conn *c = find(e, &ev->hdr);

	if (!c || (c->owner.from && c->owner.from != OWNER_LISTEN && c->owner.from != OWNER_CLOSE))
		return;
	if (c->stage == STAGE_LISTENER && c->owner.from)
		return;
	c->owner.from = OWNER_FD;
	c->owner.pid = ev->owner.pid;
	c->owner.uid = ev->owner.uid;
	memcpy(c->owner.comm, ev->owner.comm, sizeof(c->owner.comm));
}

/*
 * After a loss: an open life of this namespace that was there before the census
 * began, and that it did not meet, has ended, and its end was lost.  Unless the
 * end is still in the ring: the deadline falls due only when all that is older
 * was delivered.
 */
static void on_census_end(struct engine *e, const struct wire_census_end *ev)
{
	struct conn *c;

	for (c = e->lossy ? conntab_oldest(&e->conns) : NULL; c; c = conntab_newer(&e->conns, c)) {
		if (c->stage == STAGE_OPEN && c->netns == ev->hdr.netns &&
		    c->last_ns < ev->start_ns && c->census_ns < ev->start_ns)
			conntab_set_deadline(&e->conns, c, ev->hdr.ts_ns);
	}
}

/* ---- state events ---- */

static void on_birth(struct engine *e, struct conn *c, const struct wire_state *ev)
{
	struct conn met = {};

	e->births++;
	if (c && is_from_future(c, &ev->hdr)) {
		take_back(e, c, &met);
		c = NULL;
	}
	if (c && !(c->stage == STAGE_REQUEST && ev->newstate == TS_SYN_RECV)) {
		displace(e, c, ev->hdr.ts_ns);
		c = NULL;
	}
	if (!in_scope(e, ev->hdr.netns, &ev->tuple)) {
		if (c)
			conntab_remove(&e->conns, c);
		return;
	}
	if (!c)
		c = add(e, &ev->hdr);
	if (!c)
		return;
	conntab_set_deadline(&e->conns, c, 0);
	life_begin(c, ev);
	life_own(c, ev);
	if (met.census_ns) {
		c->census_ns = met.census_ns;
		if (!c->owner.from)
			c->owner = met.owner;
	}
	if (c->role == ROLE_ACTIVE)
		ensure_id(e, c);
	/* Of a raw clone identity and peer come with its next event. */
	if (undecided(e, &c->tuple) || !c->id || !c->tuple.rport)
		c->flags |= CONN_BIRTH_HELD;
	else
		report_birth(e, c, c->start_ns);
}

static void on_close(struct engine *e, struct conn *c, const struct wire_state *ev)
{
	uint64_t in_old = life_close(c, ev, e->hz);
	struct verdict v = verdict_at_close(c, false);
	struct report_state line = { .old = c->state, .new = TS_CLOSE, .cause = v.cause,
				     .in_old_ns = in_old };

	/* What a wait may yet turn into something else is not told before. */
	if (v.fate == FATE_WAITS && (c->state == TS_FIN_WAIT2 || c->flags & CONN_RST_HELD))
		c->flags |= CONN_END_HELD;
	if (v.fate == FATE_ENDED)
		release(e, c, &v);
	if (v.time_wait == TRI_YES)
		line.new = TS_TIME_WAIT;
	if (!(c->flags & CONN_END_HELD))
		report_state(e, c, c->last_ns, line);
	if (v.time_wait == TRI_YES)
		life_close_into_time_wait(c);
	if (v.fate == FATE_ENDED)
		finish(e, c, &v, c->last_ns);
	else
		conclude(e, c, false);
}

static void on_listener(struct engine *e, struct conn *c, const struct wire_state *ev)
{
	uint64_t in_old = UNKNOWN_NS;

	/* A listener has no remote port that could be asked for. */
	if (!in_scope(e, ev->hdr.netns, &ev->tuple) || e->scope.rports.len ||
	    e->recorded.rports.len)
		return;
	if (c && c->stage != STAGE_LISTENER) {
		displace(e, c, ev->hdr.ts_ns);
		c = NULL;
	}
	if (!c)
		c = add(e, &ev->hdr);
	if (!c)
		return;
	if (c->stage == STAGE_LISTENER && c->since_ns && ev->oldstate == c->state)
		in_old = ev->hdr.ts_ns - c->since_ns;
	if (c->stage != STAGE_LISTENER && ev->oldstate == TS_LISTEN)
		c->flags |= CONN_EXISTING;
	c->stage = STAGE_LISTENER;
	c->role = ROLE_LISTENER;
	c->tuple = ev->tuple;
	c->since_ns = ev->hdr.ts_ns;
	c->state = ev->newstate;
	if (ev->newstate == TS_LISTEN)	/* a census may have met it before this came */
		c->flags &= ~CONN_EXISTING;
	ensure_id(e, c);
	life_own(c, ev);
	report_state(e, c, ev->hdr.ts_ns, (struct report_state){
		.old = ev->oldstate, .new = ev->newstate, .in_old_ns = in_old });
	if (ev->newstate == TS_CLOSE)
		conntab_remove(&e->conns, c);
}

static void on_state(struct engine *e, const union event *event)
{
	const struct wire_state *ev = &event->state;
	struct report_state line = { .old = ev->oldstate, .new = ev->newstate };
	struct conn *c = find(e, &ev->hdr);

	if (life_is_birth(ev->oldstate, ev->newstate)) {
		on_birth(e, c, ev);
		return;
	}
	if (ev->oldstate != ev->newstate &&
	    (ev->newstate == TS_LISTEN || ev->oldstate == TS_LISTEN)) {
		on_listener(e, c, ev);
		return;
	}
	if (ev->oldstate == ev->newstate) {	/* says nothing but that it is there, and whose */
		if (!c)
			c = adopt(e, &ev->hdr, &ev->tuple, ev->oldstate);
		if (c && c->stage == STAGE_OPEN)
			life_own(c, ev);
		return;
	}
	/* Its birth was lost. */
	if (c && (c->stage != STAGE_OPEN || ev->oldstate == TS_CLOSE)) {
		displace(e, c, ev->hdr.ts_ns);
		c = NULL;
	}
	if (!c)
		c = adopt(e, &ev->hdr, &ev->tuple, ev->oldstate);
	if (!c)
		return;
	ensure_id(e, c);
	if (!settle(e, c, &ev->tuple))
		return;
	life_own(c, ev);
	conntab_set_deadline(&e->conns, c, 0);	/* it is there after all */
	if (is_from_future(c, &ev->hdr))
		life_adopt_again(c, ev->oldstate);
	if (ev->newstate == TS_CLOSE) {
		on_close(e, c, ev);
		return;
	}
	line.in_old_ns = life_advance(c, ev);
	report_state(e, c, c->last_ns, line);
}

/* ---- retransmits ---- */

static enum phase_word phase_of(const struct wire_retransmit *ev)
{
	if (ev->tcp_flags & TCPHDR_SYN)
		return ev->tcp_flags & TCPHDR_ACK ? PHASE_SYNACK : PHASE_SYN;
	if (ev->tcp_flags & TCPHDR_FIN && ev->end_seq - ev->seq == 1)
		return PHASE_FIN;
	return PHASE_DATA;
}

/* What made the kernel send it again; what these do not tell stays unknown. */
static enum retransmit_word cause_of(const struct wire_retransmit *ev)
{
	if (ev->ca_state == CA_LOSS && ev->retransmits)
		return RETRANSMIT_RTO;
	if (ev->ca_state == CA_RECOVERY && !ev->retransmits)
		return RETRANSMIT_FAST;
	if (ev->pending == ICSK_TIME_LOSS_PROBE && ev->ca_state < CA_RECOVERY && !ev->retransmits)
		return RETRANSMIT_TLP;
	return RETRANSMIT_NONE;
}

static struct report_retransmit describe(const struct wire_retransmit *ev, const struct conn *c)
{
	struct report_retransmit r = {
		.phase = phase_of(ev), .cause = cause_of(ev), .state = ev->state,
		.segs = ev->segs, .err = -ev->error, .len = ev->end_seq - ev->seq,
		.number = ev->seq,
	};

	if (ev->tcp_flags & TCPHDR_SYN)
		r.len--;
	if (ev->tcp_flags & TCPHDR_FIN)
		r.len--;
	if (ev->tcp_flags & TCPHDR_SYN) {
		r.has_seq = true;
	} else if (c && c->flags & CONN_ISN) {
		r.has_seq = true;
		r.seq = ev->seq - c->isn;
	}
	return r;
}

static void on_retransmit(struct engine *e, const union event *event)
{
	const struct wire_retransmit *ev = &event->retransmit;
	struct conn *c = find(e, &ev->hdr);
	struct report r;

	if (!c)
		c = adopt(e, &ev->hdr, &ev->tuple, ev->state);
	if (c ? !settle(e, c, &ev->tuple) : !in_scope(e, ev->hdr.netns, &ev->tuple))
		return;
	r = c ? about(c, REPORT_RETRANSMIT, ev->hdr.ts_ns) :
		about_event(e, event, &ev->tuple, REPORT_RETRANSMIT);
	r.retransmit = describe(ev, c);
	if (c && !ev->error)
		c->retransmits[r.retransmit.phase] += ev->segs;
	send(e, c, &r);
}

static void on_synack(struct engine *e, const union event *event)
{
	const struct wire_synack *ev = &event->synack;
	struct conn *c = find(e, &ev->hdr);
	struct report r;

	if (!in_scope(e, ev->hdr.netns, &ev->tuple))
		return;
	if (!c)
		c = add(e, &ev->hdr);
	if (!c)
		return;
	life_synack(c, ev);
	ensure_id(e, c);
	if (c->stage == STAGE_REQUEST)
		conntab_set_deadline(&e->conns, c, request_deadline(e, ev->hdr.ts_ns, ev->timeout,
								    ev->num_timeout + 1u));
	r = about(c, REPORT_RETRANSMIT, ev->hdr.ts_ns);
	r.retransmit = (struct report_retransmit){
		.phase = PHASE_SYNACK, .state = TS_SYN_RECV, .has_seq = true, .segs = 1,
		.number = ev->snt_isn, .synack = ev,
	};
	if (!(ev->flags & WIRE_SA_FASTOPEN))
		r.retransmit.cause = ev->flags & WIRE_SA_TIMER ? RETRANSMIT_RTO :
								 RETRANSMIT_DUP_SYN;
	send(e, c, &r);
}

/* ---- resets ---- */

static const char *kernel_reason(const struct engine *e, const struct wire_reset *ev)
{
	if (!(ev->flags & WIRE_R_REASON) || ev->reason >= ENGINE_REASONS ||
	    !e->reasons[ev->reason][0])
		return NULL;
	return e->reasons[ev->reason];
}

static void report_reset(struct engine *e, const union event *event, struct conn *c)
{
	const struct wire_reset *ev = &event->reset;
	struct report r = c ? about(c, REPORT_RESET, ev->hdr.ts_ns) :
			      about_event(e, event, &ev->tuple, REPORT_RESET);

	if (ev->flags & (WIRE_R_NO_SOCK | WIRE_R_LISTENER))
		r.id = 0;
	r.reset = (struct report_reset){
		.received = ev->flags & WIRE_R_RECEIVED, .reply = ev->flags & WIRE_R_REPLY,
		.state = ev->flags & WIRE_R_NO_SOCK ? TS_NONE : ev->state,
		.reason = kernel_reason(e, ev),
	};
	send(e, c, &r);
}

/*
 * tcp_reset() is entered for data after close, too.  In the states where that
 * can be, and with the receiving side shut, the line waits for the verdict.
 */
static bool may_be_no_reset(const struct wire_reset *ev)
{
	return ev->shutdown & 1 && (ev->state == TS_FIN_WAIT1 || ev->state == TS_FIN_WAIT2 ||
				    ev->state == TS_LAST_ACK || ev->state == TS_CLOSING);
}

static void on_reset_received(struct engine *e, const union event *event, struct conn *c)
{
	c->flags |= CONN_RST_IN;
	c->rst_in_ns = event->hdr.ts_ns;
	if (may_be_no_reset(&event->reset))
		c->flags |= CONN_RST_HELD;
	else
		report_reset(e, event, c);
}

/* Before ->CLOSE it foretells the end, if it is not the answer to a bad segment. */
static void on_reset_sent(struct engine *e, const union event *event, struct conn *c)
{
	const struct wire_reset *ev = &event->reset;
	bool reply = ev->flags & WIRE_R_REPLY;
	struct verdict v;

	if (c->stage == STAGE_OPEN && !reply && ev->state != TS_CLOSE)
		c->flags |= CONN_RST_BEFORE;
	if (c->stage != STAGE_VERDICT) {
		report_reset(e, event, c);
		return;
	}
	c->flags |= CONN_RST_AFTER | (reply ? CONN_RST_REPLY : 0);
	v = verdict_at_close(c, false);
	release(e, c, &v);
	report_reset(e, event, c);
	conclude(e, c, false);
}

/* By a mini-socket, which dies of it; the segment it answers is reported next. */
static void on_mini_reset(struct engine *e, const union event *event, struct conn *c)
{
	report_reset(e, event, c);
	if (c->stage == STAGE_VERDICT)
		park(e, c);
	c->flags |= CONN_RST_AFTER | CONN_RST_REPLY;
	c->rst_in_ns = event->hdr.ts_ns;
	conntab_set_deadline(&e->conns, c, event->hdr.ts_ns + VERDICT_WAIT_NS);
}

static bool is_mini(const struct conn *c)
{
	return c && (c->stage == STAGE_PARKED ||
		     (c->stage == STAGE_VERDICT && c->state == TS_FIN_WAIT2));
}

static void on_reset(struct engine *e, const union event *event)
{
	const struct wire_reset *ev = &event->reset;
	bool of_socket = !(ev->flags & (WIRE_R_NO_SOCK | WIRE_R_LISTENER | WIRE_R_MINI));
	struct conn *c = NULL;

	if (ev->hdr.cookie || ev->hdr.sock)
		c = find(e, &ev->hdr);
	if (!c && of_socket)
		c = adopt(e, &ev->hdr, &ev->tuple, ev->state ? ev->state : TS_CLOSE);
	if (c && of_socket && ev->tuple.rport && !settle(e, c, &ev->tuple))
		return;
	if (!c && !in_scope(e, ev->hdr.netns, &ev->tuple))
		return;
	if (c && ev->flags & WIRE_R_MINI && is_mini(c))
		on_mini_reset(e, event, c);
	else if (!c || !of_socket)
		report_reset(e, event, NULL);
	else if (ev->flags & WIRE_R_RECEIVED)
		on_reset_received(e, event, c);
	else
		on_reset_sent(e, event, c);
}

/* ---- mini-sockets ---- */

static void report_late(struct engine *e, const union event *event, struct conn *c,
			enum tcp_state state)
{
	const struct wire_tw_segment *ev = &event->tw_segment;
	struct report r = c ? about(c, REPORT_LATE_SEGMENT, ev->hdr.ts_ns) :
			      about_event(e, event, &ev->tuple, REPORT_LATE_SEGMENT);

	r.late = (struct report_late){
		.tcp_flags = ev->tcp_flags, .payload = ev->payload, .state = state,
	};
	send(e, c, &r);
}

/* The peer's FIN: the moment of TIME_WAIT, which no state event shows. */
static void on_awaited_fin(struct engine *e, struct conn *c, uint64_t at_ns)
{
	uint64_t in_old = life_enter_time_wait(c, at_ns);
	struct verdict v = verdict_of_parked(c, CLOSE_FIN);

	report_state(e, c, c->last_ns, (struct report_state){
		.old = TS_FIN_WAIT2, .new = TS_TIME_WAIT, .in_old_ns = in_old });
	finish(e, c, &v, c->last_ns);
}

static void on_tw_segment(struct engine *e, const union event *event)
{
	const struct wire_tw_segment *ev = &event->tw_segment;
	struct conn *c = ev->hdr.cookie ? find(e, &ev->hdr) : NULL;

	if (!is_mini(c)) {
		if (!(ev->flags & WIRE_TW_NO_MINI) && in_scope(e, ev->hdr.netns, &ev->tuple))
			report_late(e, event, NULL, ev->substate);
		return;
	}
	if (c->stage == STAGE_VERDICT)	/* here is the proof */
		park(e, c);
	if (ev->substate == TS_TIME_WAIT) {
		if (!(ev->tcp_flags & TCPHDR_FIN)) {	/* that was lost, but here is its effect */
			c->flags |= CONN_GAP;
			c->missed++;
			c->since_ns = 0;
		}
		on_awaited_fin(e, c, ev->hdr.ts_ns);
		return;
	}
	if (ev->tcp_flags & TCPHDR_SYN)
		c->flags |= CONN_LATE_SYN;
	report_late(e, event, c, TS_FIN_WAIT2);
	if (ev->tcp_flags & TCPHDR_RST)
		end_parked(e, c, CLOSE_RESET_RECEIVED, ev->hdr.ts_ns);
	else if (c->flags & CONN_RST_AFTER)
		end_parked(e, c, CLOSE_RESET_SENT, ev->hdr.ts_ns);
}

/* ---- the run ---- */

static void on_tick(struct engine *e, uint64_t now_ns)
{
	struct conn *c;

	while ((c = conntab_due(&e->conns, now_ns)))
		expire(e, c, now_ns);
	report_lost(e, LOST_TABLE, e->evicted, now_ns);
	e->evicted = 0;
}

static enum lost_word lost_where(enum wire_lost_where where)
{
	switch (where) {
	case WIRE_LOST_RING:
		return LOST_RING;
	case WIRE_LOST_NESTED:
		return LOST_NESTED;
	case WIRE_LOST_SINK:
		return LOST_SINK;
	case WIRE_LOST_TABLE:
		return LOST_TABLE;
	case WIRE_LOST_PLACES:
		break;
	}
	return LOST_NONE;
}

static void on_lost(struct engine *e, const struct wire_lost *ev)
{
	if (ev->where == WIRE_LOST_RING || ev->where == WIRE_LOST_NESTED) {
		e->lossy = true;
		e->lost_ns = ev->hdr.ts_ns;
	}
	report_lost(e, lost_where(ev->where), ev->count, ev->hdr.ts_ns);
}

/* Of a parked one nobody knows yet; an open one is told with its age. */
static void end_with_run(struct engine *e, struct conn *c, uint64_t now_ns)
{
	struct verdict v;

	if (c->stage == STAGE_PARKED && c->flags & CONN_RST_AFTER) {
		expire(e, c, now_ns);
		return;
	}
	if (c->stage == STAGE_PARKED) {
		v = verdict_of_parked(c, CLOSE_ORPHAN);
		finish(e, c, &v, now_ns);
		return;
	}
	v = verdict_of_open(c, CLOSE_STILL_OPEN);

	if (c->flags & CONN_BIRTH_HELD && undecided(e, &c->tuple)) {
		conntab_remove(&e->conns, c);
		return;
	}
	if (c->flags & CONN_BIRTH_HELD) {	/* a raw clone, still */
		ensure_id(e, c);
		report_birth(e, c, c->start_ns);
	}
	if (c->path_len && c->since_ns && now_ns >= c->since_ns)
		c->path_ns[c->path_len - 1] = now_ns - c->since_ns;
	finish(e, c, &v, now_ns);
}

/* What is still there, longest untouched first. */
static void on_end(struct engine *e, const struct wire_end *ev)
{
	uint64_t now_ns = ev->hdr.ts_ns;
	struct conn *c;

	on_tick(e, now_ns);
	e->ended = true;
	e->births_counted = ev->births;
	while ((c = conntab_oldest(&e->conns))) {
		if (c->stage == STAGE_VERDICT)	/* which may park it */
			conclude(e, c, true);
		else if (c->stage == STAGE_OPEN && c->timer)	/* a census missed it */
			end_lost(e, c, now_ns);
		else if (c->stage == STAGE_PARKED || c->stage == STAGE_OPEN)
			end_with_run(e, c, now_ns);
		else
			conntab_remove(&e->conns, c);
	}
}

static void on_reason(struct engine *e, const struct wire_reason *ev)
{
	if (ev->id < ENGINE_REASONS)
		memcpy(e->reasons[ev->id], ev->name, sizeof(e->reasons[0]));
}

void engine_feed(struct engine *e, const union event *ev)
{
	switch ((enum wire_kind)ev->hdr.kind) {
	case WIRE_STATE:
		on_state(e, ev);
		break;
	case WIRE_RETRANSMIT:
		on_retransmit(e, ev);
		break;
	case WIRE_SYNACK:
		on_synack(e, ev);
		break;
	case WIRE_RESET:
		on_reset(e, ev);
		break;
	case WIRE_TW_SEGMENT:
		on_tw_segment(e, ev);
		break;
	case WIRE_START:
		e->hz = ev->start.hz;
		e->recorded = ev->start.scope;
		break;
	case WIRE_REASON:
		on_reason(e, &ev->reason);
		break;
	case WIRE_CLOCK:
		e->clock_ns = ev->clock.offset_ns;
		break;
	case WIRE_TICK:
		on_tick(e, ev->hdr.ts_ns);
		break;
	case WIRE_LOST:
		on_lost(e, &ev->lost);
		break;
	case WIRE_END:
		on_end(e, &ev->end);
		break;
	case WIRE_CENSUS:
		on_census(e, &ev->census);
		break;
	case WIRE_OWNER:
		on_owner_of(e, &ev->owner_of);
		break;
	case WIRE_CENSUS_END:
		on_census_end(e, &ev->census_end);
		break;
	case WIRE_CGROUP:
	case WIRE_NETNS_NAME:
		names_learn(&e->names, ev);
		break;
	case WIRE_MINI:		/* has no life of its own here */
	case WIRE_KIND_MAX:
		break;
	}
}

bool engine_knows(struct engine *e, enum wire_kind kind, uint64_t id)
{
	return names_know(&e->names, kind, id);
}

uint64_t engine_next_deadline(const struct engine *e)
{
	return e->evicted ? 1 : conntab_next_deadline(&e->conns);
}

int engine_init(struct engine *e, const struct wire_scope *scope, uint32_t max_conns,
		report_fn report, void *ctx)
{
	int err;

	*e = (struct engine){ .scope = *scope, .report = report, .ctx = ctx, .hz = 1000 };
	err = names_init(&e->names);
	if (err)
		return err;
	err = conntab_init(&e->conns, max_conns);
	if (err)
		names_deinit(&e->names);
	return err;
}

void engine_deinit(struct engine *e)
{
	conntab_deinit(&e->conns);
	names_deinit(&e->names);
}
