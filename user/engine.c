// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine.h"

#include <errno.h>
#include <string.h>

#include "engine_parts.h"
#include "lifecycle.h"
#include "outline.h"
#include "report_facts.h"

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull

/* icsk_ca_state and icsk_pending, include/net/tcp.h and inet_connection_sock.h */
#define CA_RECOVERY	3
#define CA_LOSS		4
#define ICSK_TIME_LOSS_PROBE	5

/* ---- scope ---- */

static void on_scopes(struct engine *e)
{
	e->is_whole = scope_is_whole(&e->scope) && scope_is_whole(&e->recorded);
}

bool engine_has(const struct engine *e, uint32_t netns, const struct wire_tuple *t)
{
	if (e->is_whole)
		return scope_has_netns(&e->scope, netns) && scope_has_netns(&e->recorded, netns);
	return scope_has(&e->scope, netns, t) && scope_has(&e->recorded, netns, t);
}

bool engine_is_undecided(const struct engine *e, const struct wire_tuple *t)
{
	return !e->is_whole &&
	       (scope_is_undecided(&e->scope, t) || scope_is_undecided(&e->recorded, t));
}

/* Whether it will be shown hangs on what its next event says. */
static bool has_to_wait(const struct engine *e, const struct conn *c, const struct wire_state *ev)
{
	const struct filter_facts facts = {
		.tuple = &c->tuple, .owner = &c->owner,
		.states = facts_state(ev->oldstate) | facts_state(ev->newstate),
	};

	return e->filter && filter_ask(e->filter, &facts) == FILTER_MAYBE;
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

static void take_back(struct engine *e, struct conn *c)
{
	if (c->stage == STAGE_OPEN && !(c->flags & CONN_EXISTING))
		e->adopted--;
	engine_forget(e, c);
}

/*
 * Without a cookie a socket is known by its address, which is soon another's: a census
 * may have met that one, while what is older of this one is in the ring.
 */
static bool is_anothers(const struct conn *c, const struct wire_hdr *hdr,
			const struct wire_tuple *t)
{
	if (hdr->cookie || !tuple_has_ports(&c->tuple) || !tuple_has_ports(t))
		return false;
	return memcmp(&c->tuple, t, sizeof(*t));
}

static void take_back_for(struct engine *e, struct conn *c, struct conn *heir)
{
	heir->census_ns = c->census_ns;
	owner_inherit(&heir->owner, c->owner.from, &c->owner);
	take_back(e, c);
}

/* The SYN-ACKs that were sent again for a request are its child's. */
static void inherit(struct engine *e, struct conn *request, struct conn *child)
{
	child->synack_ns = request->synack_ns;
	child->retransmits[PHASE_SYNACK] = request->retransmits[PHASE_SYNACK];
	child->id = request->id;
	take_back_for(e, request, child);
}

/* Without cookies a raw clone's request is known by its tuple. */
static void join_request(struct engine *e, struct conn *c, const struct wire_tuple *t)
{
	const struct wire_hdr hdr = { .netns = c->netns };
	struct conn *request;

	if (c->id || c->role != ROLE_PASSIVE)
		return;
	request = request_find(e, &hdr, t);
	if (request)
		inherit(e, request, c);
}

/* A raw clone (LISTEN->SYN_RECV up to 6.14) had no cookie; its next event has. */
static struct conn *find_clone(struct engine *e, const struct wire_hdr *hdr)
{
	struct conn *c = conntab_find(&e->conns, hdr->sock | NO_COOKIE);
	struct conn *request;

	if (!c || c->stage != STAGE_OPEN || c->role != ROLE_PASSIVE || c->id)
		return NULL;
	request = conntab_find(&e->conns, hdr->cookie);
	if (request)
		inherit(e, request, c);
	conntab_rekey(&e->conns, c, hdr->cookie);
	c->id = hdr->cookie;
	return c;
}

struct conn *engine_find(struct engine *e, const struct wire_hdr *hdr)
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
	c->id = hdr->cookie;
	timewait_seed(&e->minis, hdr->sock);
}

static struct conn *add_as(struct engine *e, const struct wire_hdr *hdr, uint64_t key)
{
	struct conn *c;

	while (!(c = conntab_add(&e->conns, key))) {
		struct conn *oldest = conntab_oldest(&e->conns);

		if (!oldest) {	/* no memory even for one */
			e->evicted++;
			return NULL;
		}
		if (oldest->stage != STAGE_LISTENER && !(oldest->flags & CONN_BIRTH_HELD))
			e->evicted++;
		if (oldest->stage == STAGE_LISTENER)
			listeners_doubt(e, hdr->ts_ns);
		e->forgot = true;
		if (mini_is(oldest))	/* it is there still */
			mini_unlink(e, oldest);
		engine_forget(e, oldest);
	}
	identify(e, c, hdr);
	return c;
}

struct conn *engine_add(struct engine *e, const struct wire_hdr *hdr)
{
	return add_as(e, hdr, key_of(hdr));
}

void engine_forget(struct engine *e, struct conn *c)
{
	if (c->stage == STAGE_LISTENER)
		listenmap_remove(&e->listeners, c);
	if (mini_is(c))
		mini_forget(e, c);
	conntab_remove(&e->conns, c);
}

/* Of a socket without a cookie, for good: an identity of synfin's own. */
void engine_ensure_id(struct engine *e, struct conn *c)
{
	if (!c->id)
		c->id = NO_COOKIE | ++e->serial;
}

/* then: what its tuple was until now.  False: it is out of scope, and gone. */
static bool settle_held(struct engine *e, struct conn *c, const struct wire_tuple *t,
			const struct wire_tuple *then)
{
	if (engine_is_undecided(e, &c->tuple) || !engine_has(e, c->netns, &c->tuple)) {
		engine_forget(e, c);
		return false;
	}
	join_request(e, c, t);
	engine_ensure_id(e, c);
	/* Told as it was then: its port was not chosen yet.  What a clone had was not its own. */
	tell_birth(e, c, c->start_ns, c->role == ROLE_ACTIVE ? then : &c->tuple);
	return true;
}

/* A life has its tuple: what an older one left there has ended, at end_ns if not 0. */
static void claim(struct engine *e, const struct conn *c, uint64_t at_ns, uint64_t end_ns)
{
	if (e->minis.used && tuple_has_ports(&c->tuple))
		mini_claim(e, c->netns, &c->tuple, at_ns, end_ns);
}

/* A raw clone has its tuple now; that an active one's is its own is known later. */
static OUTLINE bool settle_now(struct engine *e, struct conn *c, const struct wire_hdr *hdr,
			       const struct wire_tuple *t)
{
	const struct wire_tuple then = c->tuple;
	bool is_news = !tuple_has_ports(&then);

	if (is_news)
		c->tuple = *t;
	if (c->flags & CONN_BIRTH_HELD && !settle_held(e, c, t, &then))
		return false;
	if (is_news && c->role != ROLE_ACTIVE)
		claim(e, c, hdr->ts_ns, 0);
	return true;
}

/*
 * An event of a connection that may have been let in undecided, or had no ports, tells
 * them.  False: it is out of scope, and gone.
 */
static bool settle(struct engine *e, struct conn *c, const struct wire_hdr *hdr,
		   const struct wire_tuple *t)
{
	return (tuple_has_ports(&c->tuple) && !(c->flags & CONN_BIRTH_HELD)) ||
	       settle_now(e, c, hdr, t);
}

/* A socket turns up whose birth was not seen. */
static struct conn *adopt(struct engine *e, const struct wire_hdr *hdr,
			  const struct wire_tuple *tuple, enum tcp_state state)
{
	struct conn *c;

	if (state == TS_CLOSE || state == TS_LISTEN || !engine_has(e, hdr->netns, tuple))
		return NULL;
	c = engine_add(e, hdr);
	if (!c)
		return NULL;
	c->tuple = *tuple;
	engine_ensure_id(e, c);
	life_adopt(c, state, !e->lossy && !e->forgot);
	e->adopted += e->lossy;
	return c;
}

/* In an event, not in a census. */
static struct conn *turn_up(struct engine *e, const struct wire_hdr *hdr,
			    const struct wire_tuple *tuple, enum tcp_state state)
{
	struct conn *c = adopt(e, hdr, tuple, state);

	if (c)
		claim(e, c, hdr->ts_ns, 0);
	return c;
}

/* ---- the census ---- */

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

/* c: whoever has its cookie. */
static void on_census_request(struct engine *e, struct conn *c, const struct wire_census *ev)
{
	if (!ev->hdr.cookie)
		c = request_find(e, &ev->hdr, &ev->tuple);
	if (c && c->stage != STAGE_REQUEST)
		return;
	if (!c)
		c = add_as(e, &ev->hdr, request_key(&ev->hdr, &ev->tuple));
	if (!c)
		return;
	life_meet_request(c, ev);
	engine_ensure_id(e, c);
	listeners_inherit(e, c);
	conntab_set_deadline(&e->conns, c, request_deadline(e, ev->hdr.ts_ns, ev->timeout,
							    ev->num_timeout));
}

static bool is_of_life(enum tcp_state state)
{
	return state != TS_CLOSE && state != TS_LISTEN && state < TS_NEW_SYN_RECV;
}

/*
 * It was left in another state than it was met in.  What joins the two may be in
 * the ring still; that it is not is known when all that is older was delivered.
 */
static void doubt(struct engine *e, struct conn *c, const struct wire_census *ev)
{
	if (c->stage != STAGE_OPEN || c->state == ev->state || c->last_ns >= ev->hdr.ts_ns ||
	    !is_of_life(ev->state))
		return;
	life_meet(c, ev->state, false, ev->hdr.ts_ns);
	conntab_set_deadline(&e->conns, c, ev->hdr.ts_ns + VERDICT_WAIT_NS);
}

static void on_census(struct engine *e, const struct wire_census *ev)
{
	struct conn *c;

	if (ev->flags & WIRE_C_MINI) {
		mini_on_old_row(e, ev);
		return;
	}
	c = engine_find(e, &ev->hdr);
	if (ev->state == TS_LISTEN) {
		listeners_on_census(e, c, ev);
		return;
	}
	if (!engine_has(e, ev->hdr.netns, &ev->tuple))
		return;
	mini_on_other_row(e, &ev->hdr, &ev->tuple);
	if (ev->state == TS_NEW_SYN_RECV) {
		on_census_request(e, c, ev);
		return;
	}
	if (c && is_anothers(c, &ev->hdr, &ev->tuple))	/* its birth is in the ring */
		return;
	if (!c)
		c = adopt(e, &ev->hdr, &ev->tuple, ev->state);
	if (!c)
		return;
	doubt(e, c, ev);
	c->census_ns = ev->hdr.ts_ns;
	c->cgroup = ev->owner.cgroup;
}

/*
 * Of a descriptor, or of who used the socket first.  One that is not in the table
 * may have ended on another CPU meanwhile.
 */
static void on_owner(struct engine *e, const union event *ev)
{
	struct conn *c = engine_find(e, &ev->hdr);

	if (!c || (c->stage == STAGE_LISTENER && c->owner.from))
		return;
	if (ev->hdr.kind == WIRE_OWNER_SEEN)
		owner_prove(&c->owner, OWNER_READ, &ev->owner_seen.owner, ev->owner_seen.born);
	else if (ev->hdr.cookie || c->census_ns)	/* else who has its address now was met */
		owner_prove(&c->owner, OWNER_FD, &ev->owner_of.owner, ev->owner_of.born);
}

/*
 * After a loss: what is open in this namespace and was there before the census
 * began, and that it did not meet, has ended, and its end was lost.  Unless the
 * end is still in the ring: the deadline falls due only when all that is older
 * was delivered.
 */
static void on_census_end(struct engine *e, const struct wire_census_end *ev)
{
	struct conn *c;

	if (!ev->hdr.netns)
		return;
	if (ev->which == WIRE_CENSUS_LIVES || ev->which == WIRE_CENSUS_PORTS)
		timewait_census_end(&e->minis, ev->hdr.netns, ev->start_ns, ev->hdr.ts_ns);
	if (ev->which != WIRE_CENSUS_LIVES)
		return;
	if (!e->lossy)
		return;
	c = conntab_unseen(&e->conns, NULL, ev->hdr.netns, ev->start_ns);
	for (; c; c = conntab_unseen(&e->conns, c, ev->hdr.netns, ev->start_ns)) {
		if (c->stage == STAGE_OPEN || c->stage == STAGE_LISTENER)
			conntab_set_deadline(&e->conns, c, ev->hdr.ts_ns);
	}
}

/* ---- state events ---- */

static void on_birth(struct engine *e, struct conn *c, const struct wire_state *ev)
{
	struct conn met = {};

	e->births++;
	if (c && is_from_future(c, &ev->hdr)) {
		take_back_for(e, c, &met);
		c = NULL;
	}
	if (c && !(c->stage == STAGE_REQUEST && ev->newstate == TS_SYN_RECV)) {
		end_displaced(e, c, ev->hdr.ts_ns);
		c = NULL;
	}
	if (!engine_has(e, ev->hdr.netns, &ev->tuple)) {
		if (c)
			engine_forget(e, c);
		return;
	}
	if (!c)
		c = engine_add(e, &ev->hdr);
	if (!c)
		return;
	conntab_set_deadline(&e->conns, c, 0);
	life_begin(c, ev);
	life_own(c, ev);
	if (met.census_ns) {
		c->census_ns = met.census_ns;
		owner_inherit(&c->owner, met.owner.from, &met.owner);
	}
	if (c->role == ROLE_ACTIVE)
		engine_ensure_id(e, c);
	/* Of a raw clone identity and peer come with its next event. */
	if (engine_is_undecided(e, &c->tuple) || has_to_wait(e, c, ev) || !c->id ||
	    !c->tuple.rport)
		c->flags |= CONN_BIRTH_HELD;
	else
		tell_birth(e, c, c->start_ns, &c->tuple);
	if (c->role == ROLE_PASSIVE)	/* whether connect() gets its tuple shows later */
		claim(e, c, ev->hdr.ts_ns, 0);
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
		end_release(e, c, &v);
	if (v.time_wait == TRI_YES)
		line.new = TS_TIME_WAIT;
	if (!(c->flags & CONN_END_HELD))
		tell_state(e, c, c->last_ns, line);
	if (v.time_wait == TRI_YES) {
		life_close_into_time_wait(c);
		mini_enter(e, c, c->last_ns, c->last_ns);
	} else if (v.cause == END_OVERFLOW) {
		mini_enter_perhaps(e, c);
	}
	if (v.fate == FATE_ENDED)
		end_life(e, c, &v, c->last_ns);
	else if (!mini_on_close(e, c))
		end_conclude(e, c, false);
}

static void read_gauge(struct engine *e, const struct wire_state *ev)
{
	const struct wire_sample *s = &ev->sample;

	if (s->flags & WIRE_S_TW_GAUGE)
		mini_on_gauge(e, &ev->hdr, s->tw_count, s->tw_limit);
}

/* c, if what is no birth is of its life. */
static struct conn *same_life(struct engine *e, struct conn *c, const struct wire_state *ev)
{
	if (!c)
		return NULL;
	if (is_from_future(c, &ev->hdr) && is_anothers(c, &ev->hdr, &ev->tuple)) {
		take_back(e, c);
		return NULL;
	}
	if (c->stage != STAGE_OPEN || ev->oldstate == TS_CLOSE) {	/* its birth was lost */
		end_displaced(e, c, ev->hdr.ts_ns);
		return NULL;
	}
	return c;
}

static void on_state(struct engine *e, const union event *event)
{
	const struct wire_state *ev = &event->state;
	struct report_state line = { .old = ev->oldstate, .new = ev->newstate };
	struct conn *c = engine_find(e, &ev->hdr);

	if (life_is_birth(ev->oldstate, ev->newstate)) {
		on_birth(e, c, ev);
		return;
	}
	if (ev->oldstate != ev->newstate &&
	    (ev->newstate == TS_LISTEN || ev->oldstate == TS_LISTEN)) {
		listeners_on_state(e, c, ev);
		return;
	}
	if (ev->oldstate == ev->newstate) {	/* says nothing but that it is there, and whose */
		if (!c)
			c = turn_up(e, &ev->hdr, &ev->tuple, ev->oldstate);
		if (c && c->stage == STAGE_OPEN)
			life_own(c, ev);
		return;
	}
	c = same_life(e, c, ev);
	if (!c)
		c = turn_up(e, &ev->hdr, &ev->tuple, ev->oldstate);
	if (!c)
		return;
	if (!settle(e, c, &ev->hdr, &ev->tuple))
		return;
	engine_ensure_id(e, c);
	life_own(c, ev);
	if ((c->timer || c->met) && (!c->met || ev->hdr.ts_ns >= c->met_ns)) {
		conntab_set_deadline(&e->conns, c, 0);	/* it is there after all */
		c->met = TS_NONE;
	}
	if (is_from_future(c, &ev->hdr))
		life_adopt_again(c, ev->oldstate);
	if (ev->oldstate == TS_SYN_SENT && !life_found_no_port(ev))
		claim(e, c, ev->hdr.ts_ns, c->start_ns);
	if (ev->newstate == TS_CLOSE) {
		on_close(e, c, ev);
		read_gauge(e, ev);
		return;
	}
	line.in_old_ns = life_advance(c, ev);
	tell_state(e, c, c->last_ns, line);
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
	struct conn *c = engine_find(e, &ev->hdr);
	struct report r;

	if (!c)
		c = turn_up(e, &ev->hdr, &ev->tuple, ev->state);
	if (c)
		engine_ensure_id(e, c);
	if (c ? !settle(e, c, &ev->hdr, &ev->tuple) : !engine_has(e, ev->hdr.netns, &ev->tuple))
		return;
	if (c && ev->state == TS_SYN_SENT)
		claim(e, c, ev->hdr.ts_ns, c->start_ns);
	r = c ? tell_about(c, REPORT_RETRANSMIT, ev->hdr.ts_ns) :
		tell_about_event(e, &ev->hdr, &ev->tuple, REPORT_RETRANSMIT);
	r.retransmit = describe(ev, c);
	if (c && !ev->error)
		c->retransmits[r.retransmit.phase] += ev->segs;
	tell(e, c, &r);
}

static void on_synack(struct engine *e, const union event *event)
{
	const struct wire_synack *ev = &event->synack;
	bool of_child = ev->flags & WIRE_SA_FASTOPEN;
	struct conn *c = of_child || ev->hdr.cookie ? engine_find(e, &ev->hdr) :
						      request_find(e, &ev->hdr, &ev->tuple);
	struct report r;

	if (!engine_has(e, ev->hdr.netns, &ev->tuple))
		return;
	if (!c && of_child)	/* older than the trace */
		c = turn_up(e, &ev->hdr, &ev->tuple, TS_SYN_RECV);
	else if (!c)
		c = add_as(e, &ev->hdr, request_key(&ev->hdr, &ev->tuple));
	if (!c || (of_child && !settle(e, c, &ev->hdr, &ev->tuple)))
		return;
	life_synack(c, ev);
	listeners_inherit(e, c);
	engine_ensure_id(e, c);
	claim(e, c, ev->hdr.ts_ns, c->synack_ns);
	if (c->stage == STAGE_REQUEST)
		conntab_set_deadline(&e->conns, c, request_deadline(e, ev->hdr.ts_ns, ev->timeout,
								    ev->num_timeout + 1u));
	r = tell_about(c, REPORT_RETRANSMIT, ev->hdr.ts_ns);
	r.retransmit = (struct report_retransmit){
		.phase = PHASE_SYNACK, .state = TS_SYN_RECV, .has_seq = true, .segs = 1,
		.number = ev->snt_isn, .synack = ev,
	};
	if (!(ev->flags & WIRE_SA_FASTOPEN))
		r.retransmit.cause = ev->flags & WIRE_SA_TIMER ? RETRANSMIT_RTO :
								 RETRANSMIT_DUP_SYN;
	tell(e, c, &r);
}

/* ---- resets ---- */

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
		tell_reset(e, event, c);
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
		tell_reset(e, event, c);
		return;
	}
	c->flags |= CONN_RST_AFTER | (reply ? CONN_RST_REPLY : 0);
	v = verdict_at_close(c, false);
	end_release(e, c, &v);
	tell_reset(e, event, c);
	end_conclude(e, c, false);
}

static void on_reset(struct engine *e, const union event *event)
{
	const struct wire_reset *ev = &event->reset;
	bool of_socket = !(ev->flags & (WIRE_R_NO_SOCK | WIRE_R_LISTENER | WIRE_R_MINI));
	struct conn *c = NULL;

	if (ev->hdr.cookie || ev->hdr.sock)
		c = engine_find(e, &ev->hdr);
	if (!c && of_socket)
		c = turn_up(e, &ev->hdr, &ev->tuple, ev->state ? ev->state : TS_CLOSE);
	if (c && of_socket)	/* without cookies its first event may be this */
		engine_ensure_id(e, c);
	if (c && of_socket && ev->tuple.rport && !settle(e, c, &ev->hdr, &ev->tuple))
		return;
	if (!c && !engine_has(e, ev->hdr.netns, &ev->tuple))
		return;
	if (c && ev->flags & WIRE_R_MINI && mini_is(c))
		mini_on_reset(e, event, c);
	else if (!c || !of_socket)
		tell_reset(e, event, NULL);
	else if (ev->flags & WIRE_R_RECEIVED)
		on_reset_received(e, event, c);
	else
		on_reset_sent(e, event, c);
}

/* ---- the run ---- */

/* For want of room, or of memory to unpack them. */
static void tell_forgotten(struct engine *e, uint64_t now_ns)
{
	e->forgot |= e->conns.refused;
	tell_lost(e, LOST_TABLE, e->evicted + e->conns.refused, now_ns);
	e->evicted = e->conns.refused = 0;
}

static void on_tick(struct engine *e, uint64_t now_ns)
{
	struct conn *c;

	while ((c = conntab_due(&e->conns, now_ns)))
		end_due(e, c, now_ns);
	mini_on_tick(e, now_ns);
	tell_forgotten(e, now_ns);
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
		listeners_doubt(e, ev->hdr.ts_ns);
	}
	tell_lost(e, lost_where(ev->where), ev->count, ev->hdr.ts_ns);
}

/* What is still there, longest untouched first. */
static void on_end(struct engine *e, const struct wire_end *ev)
{
	uint64_t now_ns = ev->hdr.ts_ns;
	struct conn *c;

	on_tick(e, now_ns);
	e->ended = true;
	e->births_counted = ev->births;
	while ((c = conntab_oldest(&e->conns)))
		end_with_run(e, c, now_ns);
	tell_forgotten(e, now_ns);
}

static void on_facts(struct engine *e, const struct wire_netns_facts *ev)
{
	bool has_limit = ev->known >> WIRE_F_TW_LIMIT & 1;

	if (ev->known >> WIRE_F_TW & 1)
		mini_on_gauge(e, &ev->hdr, ev->values[WIRE_F_TW],
			      has_limit ? ev->values[WIRE_F_TW_LIMIT] : 0);
}

/* Of a socket that is left out: neither it nor its life is in the table. */
static void on_claim(struct engine *e, const struct wire_claim *ev)
{
	e->births += ev->flags & WIRE_CL_BIRTH;
	if (!tuple_has_ports(&ev->tuple) || !engine_has(e, ev->hdr.netns, &ev->tuple))
		return;
	if (ev->flags & WIRE_CL_ROW)
		mini_on_other_row(e, &ev->hdr, &ev->tuple);
	else
		mini_claim(e, ev->hdr.netns, &ev->tuple, ev->hdr.ts_ns, ev->since_ns);
}

static void on_prefixes(struct engine *e, const struct wire_prefixes *ev)
{
	e->recorded.laddrs = ev->laddrs;
	e->recorded.raddrs = ev->raddrs;
	on_scopes(e);
}

static void on_reason(struct engine *e, const struct wire_reason *ev)
{
	if (ev->id < ENGINE_REASONS)
		memcpy(e->reasons[ev->id], ev->name, sizeof(e->reasons[0]));
}

static void on_start(struct engine *e, const struct wire_start *ev)
{
	e->hz = ev->hz;
	timewait_set_hz(&e->minis, e->hz);
	e->recorded.sockets = ev->scope;
	on_scopes(e);
	e->partial = ev->flags & WIRE_ST_CGROUPS;
}

static void on_scope(struct engine *e, const union event *ev)
{
	if (ev->hdr.kind == WIRE_START)
		on_start(e, &ev->start);
	else
		on_prefixes(e, &ev->prefixes);
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
		mini_on_segment(e, &ev->tw_segment);
		break;
	case WIRE_DROPPED:
		mini_on_dropped(e, &ev->dropped);
		break;
	case WIRE_CLAIM:
		on_claim(e, &ev->claim);
		break;
	case WIRE_START:
	case WIRE_PREFIXES:
		on_scope(e, ev);
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
	case WIRE_OWNER_SEEN:
		on_owner(e, ev);
		break;
	case WIRE_CENSUS_END:
		on_census_end(e, &ev->census_end);
		break;
	case WIRE_PROCESS:
	case WIRE_CGROUP:
	case WIRE_NETNS_NAME:
		names_learn(&e->names, ev);
		break;
	case WIRE_MINI:
		mini_on_row(e, &ev->mini);
		break;
	case WIRE_NETNS_FACTS:
		on_facts(e, &ev->facts);
		break;
	default:	/* rows of other censuses are the survey's */
		break;
	}
}

bool engine_knows(struct engine *e, enum wire_kind kind, uint64_t id)
{
	return names_know(&e->names, kind, id);
}

uint32_t engine_doubt(struct engine *e, uint64_t now_ns)
{
	return timewait_doubt(&e->minis, now_ns);
}

uint64_t engine_next_deadline(const struct engine *e)
{
	uint64_t conns_ns = conntab_next_deadline(&e->conns);
	uint64_t minis_ns = timewait_next_deadline(&e->minis);

	if (e->evicted || e->conns.refused)
		return 1;
	return !conns_ns || (minis_ns && minis_ns < conns_ns) ? minis_ns : conns_ns;
}

int engine_init(struct engine *e, const struct wire_scope *scope, uint32_t max_conns,
		report_fn report, void *ctx)
{
	int err;

	*e = (struct engine){ .scope.sockets = *scope, .report = report, .ctx = ctx, .hz = 1000 };
	on_scopes(e);
	err = names_init(&e->names);
	if (err)
		return err;
	err = conntab_init(&e->conns, max_conns);
	if (!err)
		err = timewait_init(&e->minis, max_conns);
	if (err)
		engine_deinit(e);
	return err;
}

void engine_narrow(struct engine *e, const struct scope *scope, const struct filter *filter)
{
	e->scope = *scope;
	e->filter = filter;
	on_scopes(e);
}

void engine_spare_names(struct engine *e, uint32_t kinds)
{
	e->nameless = kinds;
}

void engine_deinit(struct engine *e)
{
	conntab_deinit(&e->conns);
	timewait_deinit(&e->minis);
	names_deinit(&e->names);
}
