// SPDX-License-Identifier: GPL-2.0-or-later
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "tcp_state.h"

#define FIRST_STEPS	8u

uint32_t view_peer_fin(const struct progress *p)
{
	return p->rcv_nxt - p->fin_received;
}

/* ---- room ---- */

static bool grow(struct view *v, uint32_t *budget)
{
	uint16_t room = v->room ? v->room * 2 : FIRST_STEPS;
	struct step *steps;

	if (v->room >= VIEW_STEPS || *budget < (uint32_t)room - v->room)
		return false;
	steps = calloc(room, sizeof(*steps));
	if (!steps)
		return false;
	if (v->nr)
		memcpy(steps, v->steps, v->nr * sizeof(*steps));
	free(v->steps);
	*budget -= room - v->room;
	v->steps = steps;
	v->room = room;
	return true;
}

void view_forget_steps(struct view *v, uint32_t *budget)
{
	free(v->steps);
	*budget += v->room;
	v->steps = NULL;
	v->nr = v->room = 0;
	v->base_state = v->state;
	v->base = v->progress;
}

/*
 * What is sent again in crowds is added to the last of its kind, unless that
 * was told, or something else has happened since.
 */
static bool add_up(struct view *v, const struct step *s)
{
	struct step *last = v->nr ? &v->steps[v->nr - 1] : NULL;

	if (s->kind != STEP_AGAIN || v->nr < VIEW_SINGLE || last->kind != STEP_AGAIN ||
	    last->again.phase != s->again.phase || last->again.err != s->again.err ||
	    last->heard_ns <= v->told_ns)
		return false;
	if (last->again.cause != s->again.cause)
		last->again.cause = RETRANSMIT_NONE;
	last->again.len += s->again.len;
	last->again.segs += s->again.segs;
	last->again.times += s->again.times;
	return true;
}

static void add_step(struct view *v, const struct step *s, uint32_t *budget)
{
	if (add_up(v, s))
		return;
	if (v->nr == v->room && !grow(v, budget)) {
		v->left_out++;
		return;
	}
	v->steps[v->nr++] = *s;
}

/* ---- what is known of the whole ---- */

/*
 * The peer's first number follows from how far it has come; not before its SYN
 * was processed (tcp_rcv_synsent_state_process() and tcp_rcv_state_process()
 * move the state first).
 */
static void note_irs(struct view *v, const struct report *r)
{
	const struct progress *p = &v->progress;
	bool early = r->state.new == TS_SYN_RECV ||
		     (r->state.old == TS_SYN_SENT && r->state.new != TS_ESTABLISHED);

	if (v->has_irs || !p->known || early)
		return;
	v->irs = p->rcv_nxt - (uint32_t)p->bytes_received - 1;
	v->has_irs = true;
}

static void note_conn(struct view *v, const struct conn *c)
{
	if (!v->is_in_pairs)
		v->tuple = c->tuple;
	v->owner = c->owner;
	v->clock_ns = c->clock_ns;
	v->cgroup = c->cgroup;
	v->netns = c->netns;
	v->start_ns = c->start_ns;
	v->role = c->role;
	v->born = c->flags & CONN_BORN;
	v->existing = c->flags & CONN_EXISTING;
	v->request = c->stage == STAGE_REQUEST;
	v->acked = c->flags & CONN_ACKED;
	v->synack_ns = c->role == ROLE_PASSIVE ? c->synack_ns : 0;
	if (c->flags & CONN_ISN) {
		v->isn = c->isn;
		v->has_isn = true;
	}
	if (c->role == ROLE_PASSIVE && c->flags & CONN_HANDSHAKE)
		v->synack_ns = c->start_ns;
	v->handshake_ns = c->flags & CONN_HANDSHAKE ? c->handshake_ns : UNKNOWN_NS;
	memcpy(v->retransmits, c->retransmits, sizeof(v->retransmits));
}

/* ---- reports ---- */

static struct step step_of(const struct view *v, enum step_kind kind, const struct report *r,
			   uint64_t now_ns)
{
	return (struct step){
		.kind = kind, .at_ns = r->at_ns, .heard_ns = now_ns > r->at_ns ? now_ns : r->at_ns,
		.old = v->state, .new = v->state,
	};
}

static void on_state(struct view *v, const struct report *r, struct step *s)
{
	bool is_birth = r->state.new == TS_SYN_SENT || r->state.old == TS_LISTEN;

	s->old = r->state.old;
	s->new = r->state.new;
	s->cause = r->state.cause;
	s->progress = (struct progress){};
	if (r->conn && !is_birth)	/* else the last life's, or none */
		s->progress = r->conn->progress;
	if (s->old == TS_SYN_RECV && v->role == ROLE_PASSIVE && s->progress.known &&
	    (s->progress.bytes_received || s->new != TS_ESTABLISHED))
		v->fast_open = true;
	if (s->progress.known)
		v->progress = s->progress;
	v->state = s->new;
	note_irs(v, r);
}

static void on_retransmit(struct view *v, const struct report *r, struct step *s)
{
	const struct report_retransmit *x = &r->retransmit;

	s->again = (struct step_again){
		.number = x->number, .len = x->len, .segs = x->segs, .times = 1, .err = x->err,
		.phase = x->phase, .cause = x->cause,
	};
	if (x->synack) {
		v->irs = x->synack->rcv_isn;
		v->has_irs = true;
	}
	if (x->phase == PHASE_SYN) {
		v->isn = x->number;
		v->has_isn = true;
	}
}

static void on_connection(struct view *v, const struct report *r, uint64_t now_ns)
{
	const struct report_connection *x = &r->connection;

	v->ended = true;
	v->verdict = x->verdict;
	v->complete = x->complete;
	v->missed = r->conn->missed;
	v->start_ns = x->start_ns;
	v->end_ns = r->at_ns;
	v->end_heard_ns = now_ns > r->at_ns ? now_ns : r->at_ns;
}

void view_report(struct view *v, const struct report *r, uint64_t now_ns, uint32_t *budget)
{
	struct step s;

	v->id = r->id;
	if (r->conn)
		note_conn(v, r->conn);
	s = step_of(v, STEP_STATE, r, now_ns);
	switch (r->kind) {
	case REPORT_STATE:
		on_state(v, r, &s);
		break;
	case REPORT_RETRANSMIT:
		s.kind = STEP_AGAIN;
		on_retransmit(v, r, &s);
		break;
	case REPORT_RESET:
		s.kind = STEP_RESET;
		s.reset = (struct step_reset){ .reason = r->reset.reason,
			.received = r->reset.received, .reply = r->reset.reply };
		break;
	case REPORT_LATE_SEGMENT:
		s.kind = STEP_LATE;
		s.late = (struct step_late){ r->late.payload, r->late.tcp_flags };
		break;
	case REPORT_CONNECTION:
		on_connection(v, r, now_ns);
		return;
	case REPORT_LOST:
	case REPORT_TIME_WAIT:
	case REPORT_TW_GROUP:
	case REPORT_PORT_SPACE:
	case REPORT_LISTENER:
	case REPORT_LISTENERS:
	case REPORT_SOCKET:
	case REPORT_KINDS:
		return;
	}
	add_step(v, &s, budget);
}
