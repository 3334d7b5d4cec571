// SPDX-License-Identifier: GPL-2.0-or-later
#include "lifecycle.h"

#include <string.h>

#define NSEC_PER_USEC	1000ull
#define NSEC_PER_SEC	1000000000ull

/* TFO: 10->3 comes with the SYN, 3->1 with the ACK; else both come with the ACK. */
#define TFO_MIN_NS	(1000 * NSEC_PER_USEC)

bool life_found_no_port(const struct wire_state *ev)
{
	return ev->newstate == TS_CLOSE && !ev->sample.err && !ev->sample.segs_out;
}

/* ---- the path ---- */

/* Time never goes back within one life, whatever the records say. */
static uint64_t not_before(const struct conn *c, uint64_t ts_ns)
{
	return ts_ns > c->last_ns ? ts_ns : c->last_ns;
}

static void path_enter(struct conn *c, enum tcp_state state, uint64_t since_ns)
{
	c->state = state;
	c->since_ns = since_ns;
	if (c->path_len == CONN_PATH_MAX) {
		c->flags |= CONN_GAP;
		return;
	}
	c->path[c->path_len] = state;
	c->path_ns[c->path_len] = UNKNOWN_NS;
	c->path_len++;
}

static uint64_t path_leave(struct conn *c, uint64_t at_ns)
{
	uint64_t in_old = c->since_ns ? at_ns - c->since_ns : UNKNOWN_NS;

	if (c->path_len)
		c->path_ns[c->path_len - 1] = in_old;
	return in_old;
}

/* The states alone tell who closed first, even across a hole. */
static void note_closer(struct conn *c)
{
	switch ((enum tcp_state)c->state) {
	case TS_FIN_WAIT1:
	case TS_FIN_WAIT2:
		if (!c->closed_by)
			c->closed_by = SIDE_LOCAL;
		break;
	case TS_CLOSE_WAIT:
	case TS_LAST_ACK:
		if (!c->closed_by)
			c->closed_by = SIDE_REMOTE;
		break;
	case TS_CLOSING:
		c->closed_by = SIDE_BOTH;
		break;
	case TS_NONE:
	case TS_ESTABLISHED:
	case TS_SYN_SENT:
	case TS_SYN_RECV:
	case TS_TIME_WAIT:
	case TS_CLOSE:
	case TS_LISTEN:
	case TS_NEW_SYN_RECV:
	case TS_BOUND_INACTIVE:
	case TS_MAX:
		break;
	}
}

/* The event says the socket was in `old`, and it is not where we left it. */
static void mend(struct conn *c, enum tcp_state old)
{
	uint8_t missed = tcp_state_distance(c->state, old);

	c->flags |= CONN_GAP;
	c->missed += missed == UINT8_MAX ? 1 : missed;
	if (c->path_len)
		c->path_ns[c->path_len - 1] = UNKNOWN_NS;
	path_enter(c, old, 0);
	note_closer(c);
}

/* ---- birth ---- */

void life_begin(struct conn *c, const struct wire_state *ev)
{
	bool was_request = c->stage == STAGE_REQUEST;

	c->stage = STAGE_OPEN;
	c->flags |= CONN_BORN;
	c->role = ev->newstate == TS_SYN_SENT ? ROLE_ACTIVE : ROLE_PASSIVE;
	c->start_ns = ev->hdr.ts_ns;
	c->last_ns = ev->hdr.ts_ns;
	c->tuple = ev->tuple;
	c->netns = ev->hdr.netns;
	if (!was_request)
		c->synack_ns = 0;
	path_enter(c, ev->newstate, ev->hdr.ts_ns);
}

static enum role_word role_in(enum tcp_state state)
{
	return state == TS_SYN_SENT ? ROLE_ACTIVE : ROLE_NONE;
}

void life_adopt(struct conn *c, enum tcp_state state, bool existing)
{
	uint8_t as_client = tcp_state_distance(TS_CLOSE, state);
	uint8_t as_server = tcp_state_distance(TS_LISTEN, state);

	c->stage = STAGE_OPEN;
	if (existing) {
		c->flags |= CONN_EXISTING;
	} else {
		c->flags |= CONN_GAP;
		c->role = role_in(state);
		c->missed = as_client < as_server ? as_client : as_server;
	}
	path_enter(c, state, 0);
	note_closer(c);
}

void life_adopt_again(struct conn *c, enum tcp_state state)
{
	c->path_len = 0;
	c->closed_by = SIDE_NONE;
	path_enter(c, state, 0);
	note_closer(c);
}

void life_meet(struct conn *c, enum tcp_state state, bool mini, uint64_t at_ns)
{
	c->met = state;
	c->met_mini = mini;
	c->met_ns = at_ns;
}

void life_turn_up(struct conn *c, enum tcp_state state)
{
	mend(c, state);
}

/* ---- transitions ---- */

/*
 * From the SYN-ACK to the third ACK.  The child does not remember when the
 * SYN-ACK went out, but the first round-trip sample is just that, unless the
 * SYN-ACK was sent again (then tcp_retransmit_synack told) or was a cookie.
 */
static bool passive_handshake(const struct conn *c, const struct wire_state *ev, uint64_t at_ns,
			      uint64_t *ret)
{
	if (c->synack_ns && c->synack_ns <= at_ns)
		*ret = at_ns - c->synack_ns;
	else if (c->since_ns && at_ns - c->since_ns > TFO_MIN_NS)
		*ret = at_ns - c->since_ns;
	else if (!ev->sample.total_retrans && ev->sample.srtt_us8)
		*ret = (ev->sample.srtt_us8 >> 3) * NSEC_PER_USEC;
	else
		return false;
	return *ret <= at_ns;
}

static void note_isn(struct conn *c, const struct wire_sample *s)
{
	/* bytes_acked counts an active end's SYN, and not a child's. */
	uint32_t acked = (uint32_t)s->bytes_acked;

	if (!(s->flags & WIRE_S_VALID) || !c->role)
		return;
	c->isn = s->snd_una - acked - (c->role == ROLE_PASSIVE ? 1 : 0);
	c->flags |= CONN_ISN;
}

/* At the end of ->ESTABLISHED, before the path is entered. */
static void note_handshake(struct conn *c, const struct wire_state *ev, uint64_t at_ns)
{
	uint64_t handshake_ns;

	note_isn(c, &ev->sample);
	if (!(c->flags & CONN_BORN) || c->flags & CONN_GAP)
		return;
	if (c->role == ROLE_ACTIVE) {
		c->handshake_ns = at_ns - c->start_ns;
	} else {
		if (!passive_handshake(c, ev, at_ns, &handshake_ns))
			return;
		c->handshake_ns = handshake_ns;
		c->start_ns = at_ns - handshake_ns;
		c->path_ns[0] = handshake_ns;
	}
	c->flags |= CONN_HANDSHAKE;
}

static void note_progress(struct conn *c, const struct wire_sample *s)
{
	if (!(s->flags & WIRE_S_VALID))
		return;
	c->progress = (struct progress){
		.bytes_sent = s->bytes_sent - s->bytes_retrans,
		.bytes_received = s->bytes_received,
		.snd_una = s->snd_una, .snd_nxt = s->snd_nxt,
		.write_seq = s->write_seq, .rcv_nxt = s->rcv_nxt,
		.segs_out = s->segs_out,
		.data_segs_out = s->data_segs_out, .data_segs_in = s->data_segs_in,
		.known = true, .fin_received = s->flags & WIRE_S_DONE,
	};
}

/* What every transition brings: the tuple when it is final, and holes. */
static uint64_t step(struct conn *c, const struct wire_state *ev, uint64_t at_ns)
{
	if (c->state != ev->oldstate)
		mend(c, ev->oldstate);
	if (!tuple_has_ports(&c->tuple))
		c->tuple = ev->tuple;
	note_progress(c, &ev->sample);
	return path_leave(c, at_ns);
}

uint64_t life_advance(struct conn *c, const struct wire_state *ev)
{
	uint64_t at_ns = not_before(c, ev->hdr.ts_ns);
	uint64_t in_old = step(c, ev, at_ns);

	if (ev->newstate == TS_ESTABLISHED) {
		note_handshake(c, ev, at_ns);
		if (ev->sample.shutdown & 2)
			c->flags |= CONN_SHUT_EARLY;
	}
	path_enter(c, ev->newstate, at_ns);
	note_closer(c);
	if (!c->fin_ns && (ev->newstate == TS_FIN_WAIT1 || ev->newstate == TS_CLOSE_WAIT))
		c->fin_ns = at_ns;
	c->last_ns = at_ns;
	return in_old;
}

/* ---- the end ---- */

static uint16_t ending_flags(const struct wire_sample *s)
{
	bool done = s->flags & WIRE_S_DONE;
	uint16_t ret = ENDING_SAMPLED;

	if (s->snd_una == s->write_seq)
		ret |= ENDING_SYNCED;
	/* Signed, as the kernel's sequence arithmetic is; the peer's FIN is no data. */
	if ((int32_t)(s->rcv_nxt - s->copied_seq - done) > 0)
		ret |= ENDING_UNREAD;
	if (s->flags & WIRE_S_LINGER && !s->lingertime)
		ret |= ENDING_LINGER0;
	if (s->linger2 < 0)
		ret |= ENDING_LINGER2;
	if (done)
		ret |= ENDING_DONE;
	if (s->flags & WIRE_S_DEAD)
		ret |= ENDING_DEAD;
	if (s->flags & WIRE_S_NO_SOCKET)
		ret |= ENDING_NO_SOCKET;
	if (s->flags & WIRE_S_MPTCP)
		ret |= ENDING_MPTCP;
	if (!s->retransmits && s->probes_out)
		ret |= ENDING_PROBING;
	if (s->flags & WIRE_S_TW_GAUGE && s->tw_count >= s->tw_limit)
		ret |= ENDING_TW_FULL;
	if (s->segs_out)
		ret |= ENDING_SENT;
	if ((s->shutdown & 3) == 3)
		ret |= ENDING_SHUT;
	return ret;
}

/*
 * tcp_time_wait(): max(tcp_fin_time(), 3.5 RTO); of a longer tcp_fin_time()
 * the full socket has waited all but TCP_TIMEWAIT_LEN (60 s) itself.
 */
static uint64_t mini_lifetime_ns(const struct wire_sample *s, uint32_t hz)
{
	uint64_t jiffies = s->linger2 > 0 ? (uint32_t)s->linger2 : s->fin_timeout;
	uint64_t floor = (uint64_t)s->rto * 4 - s->rto / 2;

	if (jiffies > 60ull * hz)
		jiffies -= 60ull * hz;
	if (jiffies < floor)
		jiffies = floor;
	return jiffies * (NSEC_PER_SEC / hz);
}

uint64_t life_close(struct conn *c, const struct wire_state *ev, uint32_t hz)
{
	uint64_t at_ns = not_before(c, ev->hdr.ts_ns);
	uint64_t in_old = step(c, ev, at_ns);
	const struct wire_sample *s = &ev->sample;

	c->stage = STAGE_VERDICT;
	c->last_ns = at_ns;
	c->end = (struct ending){
		.bytes_acked = s->bytes_acked, .bytes_received = s->bytes_received,
		.mini_ns = mini_lifetime_ns(s, hz),
		.data_segs_out = s->data_segs_out, .data_segs_in = s->data_segs_in,
		.srtt_us8 = s->srtt_us8, .min_rtt_us = s->min_rtt_us,
		.err = s->err, .flags = ending_flags(s),
	};
	return in_old;
}

uint64_t life_enter_time_wait(struct conn *c, uint64_t at_ns)
{
	uint64_t in_old;

	c->last_ns = not_before(c, at_ns);
	in_old = path_leave(c, c->last_ns);
	path_enter(c, TS_TIME_WAIT, c->last_ns);
	return in_old;
}

void life_close_into_time_wait(struct conn *c)
{
	path_enter(c, TS_TIME_WAIT, c->last_ns);
}

/* ---- beside the transitions ---- */

void life_synack(struct conn *c, const struct wire_synack *ev)
{
	c->retransmits[PHASE_SYNACK]++;
	c->synack_ns = ev->snt_synack_us * NSEC_PER_USEC;
	c->isn = ev->snt_isn;
	c->flags |= CONN_ISN;
	if (ev->flags & WIRE_SA_ACKED)
		c->flags |= CONN_ACKED;
	if (c->stage != STAGE_NEW)
		return;
	c->stage = STAGE_REQUEST;
	c->role = ROLE_PASSIVE;
	c->tuple = ev->tuple;
	c->netns = ev->hdr.netns;
	c->start_ns = c->synack_ns;
}

void life_meet_request(struct conn *c, const struct wire_census *ev)
{
	c->stage = STAGE_REQUEST;
	c->role = ROLE_PASSIVE;
	c->tuple = ev->tuple;
	c->retransmits[PHASE_SYNACK] = ev->num_retrans;
	c->synack_ns = ev->snt_synack_us * NSEC_PER_USEC;
	c->start_ns = c->synack_ns;
	if (ev->flags & WIRE_C_ACKED)
		c->flags |= CONN_ACKED;
}

/*
 * What the transition proves (kernel-facts 1c); the closer is the last resort.  A FIN
 * that was asked for before ->ESTABLISHED is sent by the softirq that brings the
 * ACK (tcp_rcv_state_process()).
 */
void life_own(struct conn *c, const struct wire_state *ev)
{
	enum owner_word from = OWNER_CLOSE;

	if (ev->owner.cgroup)
		c->cgroup = ev->owner.cgroup;
	if (ev->oldstate == TS_CLOSE)
		from = ev->newstate == TS_LISTEN ? OWNER_LISTEN : OWNER_CONNECT;
	else if (c->flags & CONN_SHUT_EARLY)
		return;
	owner_prove(&c->owner, from, &ev->owner, ev->born);
}

/* ---- the record ---- */

static bool path_is_timed(const struct conn *c)
{
	unsigned int timed = c->path_len;

	if (timed && c->path[timed - 1] == TS_TIME_WAIT)
		timed--;
	for (unsigned int i = 0; i < timed; i++) {
		if (c->path_ns[i] == UNKNOWN_NS)
			return false;
	}
	return timed && !(c->flags & (CONN_GAP | CONN_EXISTING));
}

static uint64_t teardown_ns(const struct conn *c, const struct verdict *v)
{
	uint64_t first = c->fin_ns;

	switch ((enum close_word)v->close) {
	case CLOSE_FIN:
	case CLOSE_SILENT:
		break;
	case CLOSE_RESET_RECEIVED:
		if (!first && !c->closed_by)
			first = c->rst_in_ns;
		break;
	case CLOSE_RESET_SENT:	/* sent at ->CLOSE, or just after */
		if (!first && !c->closed_by)
			first = c->last_ns;
		break;
	case CLOSE_NONE:
	case CLOSE_TIMEOUT:
	case CLOSE_KILLED:
	case CLOSE_ORPHAN:
	case CLOSE_STILL_OPEN:
	case CLOSE_MAX:
		return UNKNOWN_NS;
	}
	if (!first || c->flags & CONN_GAP)
		return UNKNOWN_NS;
	return c->last_ns > first ? c->last_ns - first : 0;
}

static uint64_t duration_ns(const struct conn *c, const struct verdict *v, uint64_t at_ns)
{
	bool end_seen = v->close && v->close != CLOSE_ORPHAN;

	if (!(c->flags & CONN_BORN) || c->flags & CONN_GAP || !end_seen)
		return UNKNOWN_NS;
	return at_ns > c->start_ns ? at_ns - c->start_ns : 0;
}

struct report_connection life_report(const struct conn *c, struct verdict v, uint64_t at_ns)
{
	bool timed = path_is_timed(c) && v.close && v.close != CLOSE_ORPHAN;

	return (struct report_connection){
		.verdict = v,
		.complete = !(c->flags & (CONN_GAP | CONN_EXISTING)),
		.start_ns = c->start_ns,
		.duration_ns = duration_ns(c, &v, at_ns),
		.handshake_ns = c->flags & CONN_HANDSHAKE ? c->handshake_ns : UNKNOWN_NS,
		.teardown_ns = teardown_ns(c, &v),
		.has_path_ns = timed,
	};
}

static bool sent_fin(const struct conn *c)
{
	for (unsigned int i = 0; i < c->path_len; i++) {
		if (c->path[i] == TS_FIN_WAIT1 || c->path[i] == TS_FIN_WAIT2 ||
		    c->path[i] == TS_LAST_ACK || c->path[i] == TS_CLOSING)
			return true;
	}
	return false;
}

bool life_tx_bytes(const struct conn *c, uint64_t *ret)
{
	uint64_t control = 0;

	if (!c->role)
		return false;
	if (c->role == ROLE_ACTIVE && c->end.bytes_acked)
		control++;
	if (sent_fin(c) && c->end.flags & ENDING_SYNCED)
		control++;
	if (c->end.bytes_acked < control)
		return false;
	*ret = c->end.bytes_acked - control;
	return true;
}

bool life_rx_bytes(const struct conn *c, uint64_t *ret)
{
	uint64_t fin = c->end.flags & ENDING_DONE ? 1 : 0;

	if (c->end.bytes_received < fin)
		return false;
	*ret = c->end.bytes_received - fin;
	return true;
}
