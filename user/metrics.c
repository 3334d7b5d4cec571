// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics.h"

#include <string.h>

/* ---- the kernel's counters ---- */

/* A difference of two counters that are read one after the other may waver. */
static void raise(uint64_t *counter, uint64_t now)
{
	if (now > *counter)
		*counter = now;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

uint64_t metrics_births(const struct wire_counters *counters)
{
	return counters->transitions[TS_CLOSE][TS_SYN_SENT] +
	       counters->transitions[TS_LISTEN][TS_SYN_RECV];
}

/*
 * To the kernel ->CLOSE is also how a FIN_WAIT2 socket becomes a mini-socket.
 * Where that one went is known from its segments only.
 */
static void derive_transitions(struct metrics *m)
{
	const struct wire_counters *k = &m->kernel;

	for (unsigned int from = 0; from < WIRE_STATES; from++) {
		for (unsigned int to = 0; to < WIRE_STATES; to++) {
			uint64_t count = k->transitions[from][to];

			if (from == TS_FIN_WAIT2 && to == TS_CLOSE)
				count = less(count, less(k->parked, k->unparked));
			if (from == TS_FIN_WAIT2)
				count += m->of_minis[to];
			if (from != to)
				raise(&m->transitions[from][to], count);
		}
	}
}

void metrics_kernel(struct metrics *m, const struct wire_counters *counters)
{
	const struct wire_counters *k = counters;

	m->kernel = *k;
	derive_transitions(m);
	for (unsigned int s = 0; s < WIRE_STATES; s++)
		raise(&m->resets_received[s], less(k->resets_received[s], k->data_after_close[s]));
	raise(&m->handshakes[ROLE_ACTIVE],
	      less(k->transitions[TS_CLOSE][TS_SYN_SENT], k->no_port));
	raise(&m->handshakes[ROLE_PASSIVE], k->transitions[TS_LISTEN][TS_SYN_RECV]);
	m->lost[LOST_RING] = k->lost_ring;
}

/* ---- records ---- */

/* LISTEN->SYN_RECV is a birth: the listener stays one. */
static bool leaves(unsigned int from, unsigned int to)
{
	return from != TS_LISTEN || to != TS_SYN_RECV;
}

void metrics_event(struct metrics *m, const union event *ev)
{
	m->events[ev->hdr.kind]++;
	if (ev->hdr.kind == WIRE_STATE) {
		if (leaves(ev->state.oldstate, ev->state.newstate))
			m->flow[ev->state.oldstate]--;
		m->flow[ev->state.newstate]++;
	}
}

/* ---- sockets ---- */

/* Into the state, less those out of it. */
static int64_t flow_of(const struct wire_counters *k, unsigned int state)
{
	int64_t sum = 0;

	for (unsigned int s = 0; s < WIRE_STATES; s++) {
		if (s == state)
			continue;
		sum += k->transitions[s][state];
		if (leaves(state, s))
			sum -= k->transitions[state][s];
	}
	return sum;
}

/* To the kernel's counters, and not to records, the entry into TIME_WAIT is none into CLOSE. */
static bool is_told(unsigned int state)
{
	return state != TS_CLOSE && state != TS_TIME_WAIT;
}

void metrics_quiet(struct metrics *m, const struct wire_counters *counters)
{
	int64_t rest[WIRE_STATES];
	bool seen_twice;

	for (unsigned int s = 0; s < WIRE_STATES; s++)
		rest[s] = is_told(s) ? flow_of(counters, s) - m->flow[s] : 0;
	seen_twice = m->rest_ring == counters->lost_ring && !memcmp(m->rest, rest, sizeof(rest));
	memcpy(m->rest, rest, sizeof(rest));
	m->rest_ring = counters->lost_ring;
	if (!seen_twice)
		return;
	memcpy(m->untold, rest, sizeof(rest));
	m->untold_ring = m->rest_ring;
}

/* One that was in a wrong state is too few there, and too many elsewhere. */
static uint64_t distance(const int64_t a[WIRE_STATES], const int64_t b[WIRE_STATES])
{
	uint64_t more = 0, fewer = 0;

	for (unsigned int s = 0; s < WIRE_STATES; s++) {
		if (is_told(s) && a[s] > b[s])
			more += a[s] - b[s];
		else if (is_told(s))
			fewer += b[s] - a[s];
	}
	return more > fewer ? more : fewer;
}

bool metrics_count_off(struct metrics *m, const struct wire_counters *counters,
		       struct conntab *conns, uint64_t *off)
{
	int64_t base[WIRE_STATES];
	uint32_t there[TS_MAX];

	if (counters->lost_ring != m->untold_ring)
		return false;
	conntab_count(conns, there);
	for (unsigned int s = 0; s < WIRE_STATES; s++)
		base[s] = (s < TS_MAX ? there[s] : 0) - m->flow[s] - m->untold[s];
	*off = m->has_sockets ? distance(base, m->sockets_base) : 0;
	m->corrections += *off;
	memcpy(m->sockets_base, base, sizeof(base));
	m->has_sockets = true;
	return true;
}

uint64_t metrics_sockets(const struct metrics *m, enum tcp_state state)
{
	int64_t sum = m->sockets_base[state] + flow_of(&m->kernel, state);

	return sum > 0 ? sum : 0;
}

void metrics_settle_births(struct metrics *m, uint64_t births, const struct engine *e)
{
	raise(&m->unseen, less(births, e->births + e->adopted));
}

/* ---- lives ---- */

/*
 * When it becomes known, not when the connection ends: the report of the
 * transition that ends the handshake.
 */
static void observe_handshake(struct metrics *m, const struct report *r)
{
	const struct conn *c = r->conn;
	unsigned int bucket;

	if ((r->state.old != TS_SYN_SENT && r->state.old != TS_SYN_RECV) ||
	    r->state.new == TS_SYN_RECV || r->state.new == TS_CLOSE)
		return;
	if (!c || !(c->flags & CONN_HANDSHAKE) || c->flags & (CONN_GAP | CONN_EXISTING))
		return;
	bucket = histogram_observe(&m->handshake[c->role], &handshake_edges, c->handshake_ns);
	m->exemplars[c->role][bucket] = (struct exemplar){
		.id = r->id, .value_ns = c->handshake_ns, .at_ns = r->at_ns + r->clock_ns,
	};
}

static void count_state(struct metrics *m, const struct report *r)
{
	if (r->conn && r->conn->stage == STAGE_PARKED)
		m->of_minis[r->state.new]++;
	observe_handshake(m, r);
}

static void count_close(struct metrics *m, const struct report *r)
{
	const struct report_connection *life = &r->connection;

	m->closes[life->verdict.close][life->verdict.closed_by]++;
	if (life->duration_ns != UNKNOWN_NS)
		histogram_observe(&m->duration[r->conn->role], &duration_edges,
				  life->duration_ns);
	if (life->teardown_ns != UNKNOWN_NS)
		histogram_observe(&m->teardown[life->verdict.closed_by], &teardown_edges,
				  life->teardown_ns);
}

bool metrics_is_failure(const struct report *r)
{
	return r->connection.complete && !(r->conn->flags & CONN_EXISTING) &&
	       r->connection.verdict.outcome != OUTCOME_ESTABLISHED &&
	       r->connection.verdict.close != CLOSE_STILL_OPEN;
}

static void count_life(struct metrics *m, const struct report *r)
{
	const struct report_connection *life = &r->connection;

	if (life->verdict.close == CLOSE_STILL_OPEN)
		return;
	if (r->conn->flags & CONN_EXISTING)
		m->incomplete[INCOMPLETE_STARTED_BEFORE_ATTACH]++;
	else if (!life->complete && life->verdict.close)
		m->incomplete[INCOMPLETE_EVENT_LOST]++;
	else if (!life->complete)
		m->incomplete[INCOMPLETE_EXPIRED]++;
	else if (metrics_is_failure(r))
		m->failures[r->conn->role][life->verdict.outcome]++;
	else
		count_close(m, r);
}

static void count_lost(struct metrics *m, const struct report_lost *lost)
{
	if (lost->where == LOST_RING)	/* the kernel's counter is exact */
		m->told_ring += lost->count;
	else
		m->lost[lost->where] += lost->count;
	if (lost->where == LOST_TABLE)
		m->incomplete[INCOMPLETE_TABLE_FULL] += lost->count;
}

void metrics_report(struct metrics *m, const struct report *r)
{
	m->reports++;
	switch (r->kind) {
	case REPORT_STATE:
		count_state(m, r);
		break;
	case REPORT_CONNECTION:
		count_life(m, r);
		break;
	case REPORT_LOST:
		count_lost(m, &r->lost);
		break;
	case REPORT_LATE_SEGMENT:
	case REPORT_RETRANSMIT:
	case REPORT_RESET:
	case REPORT_TIME_WAIT:
	case REPORT_TW_GROUP:
	case REPORT_PORT_SPACE:
	case REPORT_LISTENER:
	case REPORT_LISTENERS:
	case REPORT_SOCKET:
	case REPORT_KINDS:
		break;
	}
}

const char *incomplete_text(enum incomplete_reason reason)
{
	static const char *const texts[] = {
#define X(id, text) [INCOMPLETE_##id] = text,
		INCOMPLETE_REASONS(X)
#undef X
	};

	return texts[reason];
}
