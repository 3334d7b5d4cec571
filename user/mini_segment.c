// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine_parts.h"

#include "lifecycle.h"

/* What the peer sends is in its window, or behind it: tcp_in_window(). */
#define WINDOW_MAX	(1u << 30)

/* By a mini-socket, which dies of it; the segment it answers is reported next. */
void mini_on_reset(struct engine *e, const union event *event, struct conn *c)
{
	tell_reset(e, event, c);
	if (c->stage == STAGE_VERDICT)
		end_park(e, c);
	c->flags |= CONN_RST_AFTER | CONN_RST_REPLY;
	c->rst_in_ns = event->hdr.ts_ns;
	conntab_set_deadline(&e->conns, c, event->hdr.ts_ns + VERDICT_WAIT_NS);
}

/* ---- what became of the mini-socket ---- */

enum effect { STAYS, ENTERS, DIES };

/* Where the kernel names it, it tells that, too; recordings from before have the segment only. */
static enum effect effect_of_named(const struct arrival *a, bool parked)
{
	if (parked && a->substate == TS_TIME_WAIT)
		return ENTERS;
	if (a->flags & (WIRE_TW_GONE | WIRE_TW_STAYS))
		return a->flags & WIRE_TW_GONE ? DIES : STAYS;
	return a->tcp_flags & TCPHDR_RST ? DIES : STAYS;
}

/* tcp_timewait_state_process() in FIN_WAIT2, of a FIN or RST. */
static enum effect effect_on_parked(const struct arrival *a, const struct mini *m)
{
	uint32_t ahead = a->seq - m->rcv_nxt;
	int32_t past_fin = a->end_seq - (m->rcv_nxt + 1);

	if (!a->has_seq || !m->has_rcv_nxt)
		return a->tcp_flags & TCPHDR_RST ? DIES : ENTERS;
	if (a->tcp_flags & TCPHDR_RST)
		return ahead < WINDOW_MAX ? DIES : STAYS;
	if (past_fin < 0 || !(a->tcp_flags & TCPHDR_ACK))
		return STAYS;
	return past_fin ? DIES : ENTERS;	/* behind data that was not there: RST */
}

/* The same in TIME_WAIT; whether PAWS rejects it is not known here. */
static enum effect effect_in_time_wait(const struct arrival *a, const struct mini *m)
{
	if (!(a->tcp_flags & TCPHDR_RST) || a->ignores_rst)
		return STAYS;
	return !a->has_seq || !m->has_rcv_nxt || a->seq == m->rcv_nxt ? DIES : STAYS;
}

/* m: NULL if the connection is parked, but there was no room for it in the ledger. */
static enum effect effect_of(const struct arrival *a, const struct mini *m)
{
	bool parked = !m || m->flags & MINI_PARKED;

	if (a->is_named)
		return effect_of_named(a, parked);
	return parked ? effect_on_parked(a, m) : effect_in_time_wait(a, m);
}

/* ---- whose it was ---- */

static void on_parked(struct engine *e, const struct arrival *a, const struct mini *m,
		      struct conn *c)
{
	enum effect effect = effect_of(a, m);
	uint64_t at_ns = a->hdr->ts_ns;

	if (c->stage == STAGE_VERDICT)	/* here is the proof */
		end_park(e, c);
	if (effect == ENTERS) {
		mini_on_fin(e, c, at_ns, a->tcp_flags & TCPHDR_FIN);
		return;
	}
	if (a->tcp_flags & TCPHDR_SYN)
		c->flags |= CONN_LATE_SYN;
	tell_late(e, a, c, TS_FIN_WAIT2);
	if (effect == DIES && a->tcp_flags & TCPHDR_RST)
		end_parked(e, c, CLOSE_RESET_RECEIVED, at_ns);
	else if (effect == DIES || c->flags & CONN_RST_AFTER)
		end_parked(e, c, CLOSE_RESET_SENT, at_ns);
}

static void on_entry(struct engine *e, const struct arrival *a, struct mini *m)
{
	bool parked = m->flags & MINI_PARKED, rst = a->tcp_flags & TCPHDR_RST;
	enum effect effect = effect_of(a, m);
	uint64_t at_ns = a->hdr->ts_ns;

	if (m->flags & MINI_DOUBTFUL) {
		if (!a->is_named)	/* it is no proof that there is one */
			return;
		timewait_mark(&e->minis, m, m->flags & ~MINI_DOUBTFUL);
	}
	if (effect == ENTERS)
		mini_turn(e, m, at_ns, a->tcp_flags & TCPHDR_FIN ? at_ns : 0);
	if (effect != ENTERS || m->flags & MINI_UNTOLD)
		tell_mini_late(e, a, m, m->flags & MINI_PARKED ? TS_FIN_WAIT2 : TS_TIME_WAIT);
	if (effect == DIES && (parked || rst))
		mini_end(e, m, END_RESET, at_ns, at_ns);
	else if (!(m->flags & MINI_PARKED) && a->tcp_flags & TCPHDR_ACK && !rst)
		timewait_arm(&e->minis, m, at_ns, at_ns + TIME_WAIT_NS);
	else
		timewait_met(m, at_ns);
}

static void on_stranger(struct engine *e, const struct arrival *a)
{
	struct mini *m = NULL;

	if (a->substate)	/* else it is known only that it was there */
		m = mini_found(e, a->hdr, a->tuple, a->substate, 0);
	if (!m) {
		tell_late(e, a, NULL, a->substate);
		return;
	}
	timewait_arm(&e->minis, m, a->hdr->ts_ns, a->hdr->ts_ns + TIME_WAIT_NS);
	on_entry(e, a, m);
}

/*
 * tcp_time_wait() lets the mini-socket be found before tcp_done() announces that
 * the full one has closed: what came is known when that is told, or was lost.
 */
static void on_early(struct engine *e, const struct arrival *a, struct mini *m, struct conn *c)
{
	uint64_t at_ns = a->hdr->ts_ns;

	if (!m)
		m = mini_found(e, a->hdr, a->tuple, a->substate, MINI_FOUND);
	if (m && a->substate == TS_TIME_WAIT && a->tcp_flags & TCPHDR_FIN && !m->since_ns)
		m->since_ns = at_ns;
	if (m)
		timewait_arm(&e->minis, m, at_ns, at_ns + TIME_WAIT_NS);
	life_meet(c, a->substate, true, at_ns);
	conntab_set_deadline(&e->conns, c, at_ns + VERDICT_WAIT_NS);
}

/* Timers never fire early, and seldom late by much: after it the segment met no socket. */
static bool is_over(const struct mini *m, uint64_t now_ns)
{
	return m->end_ns && now_ns > m->end_ns;
}

static void on_arrival(struct engine *e, const struct arrival *a)
{
	struct conn *c;
	struct mini *m;

	if (!engine_has(e, a->hdr->netns, a->tuple))
		return;
	m = mini_met_on(e, a->hdr, a->tuple);
	if (m && !a->is_named && is_over(m, a->hdr->ts_ns))
		return;
	c = m ? mini_conn(e, m) : NULL;
	if (!c && a->is_named)	/* perhaps there was no room for an entry */
		c = mini_conn_named(e, a->hdr, a->tuple);
	if (mini_is(c))
		on_parked(e, a, m, c);
	else if (c && c->stage == STAGE_OPEN)
		on_early(e, a, m, c);
	else if (m)
		on_entry(e, a, m);
	else if (a->is_named)
		on_stranger(e, a);
}

/* ---- records ---- */

void mini_on_segment(struct engine *e, const struct wire_tw_segment *ev)
{
	const struct arrival a = {
		.hdr = &ev->hdr, .tuple = &ev->tuple, .payload = ev->payload,
		.tcp_flags = ev->tcp_flags, .flags = ev->flags, .substate = ev->substate,
		.is_named = !(ev->flags & WIRE_TW_NO_MINI),
	};

	if (!a.is_named || a.substate == TS_TIME_WAIT || a.substate == TS_FIN_WAIT2 ||
	    (!a.substate && a.flags & WIRE_TW_GONE))
		on_arrival(e, &a);
}

void mini_on_dropped(struct engine *e, const struct wire_dropped *ev)
{
	uint32_t control = !!(ev->tcp_flags & TCPHDR_SYN) + !!(ev->tcp_flags & TCPHDR_FIN);
	const struct arrival a = {
		.hdr = &ev->hdr, .tuple = &ev->tuple, .payload = ev->end_seq - ev->seq - control,
		.tcp_flags = ev->tcp_flags, .ignores_rst = ev->flags & WIRE_D_RFC1337,
		.has_seq = true, .seq = ev->seq, .end_seq = ev->end_seq,
	};

	on_arrival(e, &a);
}
