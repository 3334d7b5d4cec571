// SPDX-License-Identifier: GPL-2.0-or-later
#include "ladder.h"

#include <string.h>

#include "conclude.h"
#include "tcp_state.h"

#define NSEC_PER_USEC	1000ull
#define TIME_WAIT_NS	60000000000ull	/* TCP_TIMEWAIT_LEN */

/* A FIN so soon after an ACK may well have been in the same segment. */
#define SAME_NS		(50 * NSEC_PER_USEC)

#define TCPHDR_FIN	0x01
#define TCPHDR_SYN	0x02
#define TCPHDR_RST	0x04

/* What is known of one end while its steps are gone through. */
struct end {
	const struct view *view;	/* NULL: not seen */
	uint16_t next;		/* step */
	uint8_t state;
	bool opened;		/* passive: SYN and SYN-ACK are drawn */
	bool fin_waits;		/* close() was called, data goes first */
	bool fin_open;		/* its acknowledgement number is not settled */
	uint32_t fin_rcv;	/* rcv_nxt when that FIN was sent */
	struct arrow *fin;	/* as it was first sent */
	struct arrow *ack;	/* tentative, of the peer's FIN */
	struct arrow *closed;	/* a row that says no more than CLOSE */
	struct progress last;
	uint32_t again;		/* data segments sent again since `last` */
	uint64_t again_ns;	/* the first of them; 0: none */
};

struct builder {
	struct ladder *l;
	struct end ends[2];
	uint64_t bytes[2];	/* payload from LEFT, from RIGHT that is drawn */
	const struct step *step;	/* this one */
	struct step end;	/* that of the life, as one more */
	struct arrow spare;	/* for what has no room */
};

static enum lane other(enum lane lane)
{
	return lane == LEFT ? RIGHT : LEFT;
}

/* ---- arrows ---- */

static struct arrow *add(struct builder *b, enum arrow_word kind, enum lane from, uint16_t flags)
{
	struct arrow *a = &b->spare;

	if (b->l->nr < LADDER_ARROWS)
		a = &b->l->arrows[b->l->nr++];
	else
		b->l->left_out++;
	*a = (struct arrow){
		.kind = kind, .from = from, .flags = flags, .times = 1,
		.at_ns = b->step->at_ns, .order_ns = b->step->at_ns,
		.heard_ns = b->step->heard_ns,
	};
	return a;
}

/* The newest that has none of these flags. */
static struct arrow *find(const struct builder *b, enum arrow_word kind, enum lane from,
			  uint16_t without)
{
	for (unsigned int i = b->l->nr; i--;) {
		struct arrow *a = &b->l->arrows[i];

		if (a->kind == kind && a->from == from && !(a->flags & (without | AR_DROPPED)))
			return a;
	}
	return NULL;
}

/* The newest that had been sent by then, and has not been received. */
static struct arrow *find_until(const struct builder *b, enum arrow_word kind, enum lane from,
				uint64_t until_ns)
{
	for (unsigned int i = b->l->nr; i--;) {
		struct arrow *a = &b->l->arrows[i];

		if (a->kind == kind && a->from == from && !(a->flags & AR_RECEIVED) &&
		    (!until_ns || a->at_ns <= until_ns))
			return a;
	}
	return NULL;
}

/* Whether the end had moved on when the arrow came: then a line of its own tells its state. */
static bool has_moved_on(const struct builder *b, const struct arrow *a, enum lane lane)
{
	if (a == &b->spare)
		return false;
	while (++a < b->l->arrows + b->l->nr) {
		if (a->entered[lane] && !(a->flags & AR_DROPPED))
			return true;
	}
	return false;
}

static void enter(struct builder *b, struct arrow *a, enum lane lane, enum tcp_state state)
{
	if (a->entered[lane])
		return;
	if (has_moved_on(b, a, lane))
		a = add(b, ARROW_STATE, lane, AR_SENT);
	a->entered[lane] = state;
	a->entered_ns[lane] = b->step->heard_ns;
}

static void set_time(struct arrow *a, uint64_t at_ns)
{
	a->at_ns = at_ns;
	a->order_ns = at_ns;
}

static void set_seq(struct arrow *a, uint32_t seq)
{
	a->seq = seq;
	a->flags |= AR_SEQ;
}

static void set_ack(struct arrow *a, uint32_t ack)
{
	a->ack = ack;
	a->flags |= AR_ACK;
}

/* What the lane's end has sent: its arrival may have been told first. */
static struct arrow *send(struct builder *b, enum arrow_word kind, enum lane lane)
{
	struct arrow *a = find(b, kind, lane, AR_SENT | AR_AGAIN);

	if (!a || !(a->flags & AR_RECEIVED))
		return add(b, kind, lane, AR_SENT);
	a->flags |= AR_SENT;
	return a;
}

/* What has come to the lane's end, sent by the other. */
static struct arrow *receive(struct builder *b, enum arrow_word kind, enum lane lane)
{
	struct arrow *a = find(b, kind, other(lane), AR_RECEIVED | AR_ABSENT);

	if (!a)
		return add(b, kind, other(lane), AR_RECEIVED);
	if (!(a->flags & AR_SENT)) {	/* inferred so far */
		set_time(a, b->step->at_ns);
		a->flags &= ~(AR_UNTIMED | AR_TENTATIVE);
	}
	a->flags |= AR_RECEIVED;
	return a;
}

/* Sent by rule, witnessed by nothing. */
static struct arrow *infer(struct builder *b, enum arrow_word kind, enum lane lane)
{
	return add(b, kind, lane, 0);
}

/* A note of something that was seen. */
static struct arrow *note(struct builder *b, enum arrow_word kind, enum lane about)
{
	return add(b, kind, about, AR_SENT);
}

/* ---- payload ---- */

static void draw_data(struct builder *b, enum lane lane, enum lane from, uint64_t total,
		      uint64_t counted, uint32_t segs)
{
	const struct view *v = b->ends[lane].view;
	bool known = from == lane ? v->has_isn : v->has_irs;
	struct arrow *a;

	if (total <= b->bytes[from])
		return;
	a = add(b, ARROW_DATA, from, (from == lane ? AR_SENT : AR_RECEIVED) | AR_UNTIMED);
	if (from == lane && b->ends[lane].again_ns)	/* what was sent again came later */
		a->order_ns = b->ends[lane].again_ns;
	a->len = total - b->bytes[from];
	if (counted == a->len)	/* else the other end's count has told of a part */
		a->segs = segs;
	if (known)
		set_seq(a, (from == lane ? v->isn : v->irs) + 1 + (uint32_t)b->bytes[from]);
	b->bytes[from] = total;
}

static uint64_t received(const struct progress *p)
{
	return p->bytes_received - (p->fin_received && p->bytes_received);
}

/* What has flowed since the last transition: sums, whose order is not known. */
static void data(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	const struct progress *p = &b->step->progress, *q = &e->last;
	uint32_t out = p->data_segs_out - q->data_segs_out;

	for (enum lane from = LEFT; from <= RIGHT; from++) {
		if (from == lane)
			draw_data(b, lane, from, p->bytes_sent, p->bytes_sent - q->bytes_sent,
				  out > e->again ? out - e->again : 0);
		else
			draw_data(b, lane, from, received(p), received(p) - received(q),
				  p->data_segs_in - q->data_segs_in);
	}
	e->again = 0;
	e->again_ns = 0;
}

/* ---- FINs, and what acknowledges them ---- */

static void send_fin(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	const struct progress *p = &b->step->progress;

	if (p->known && p->write_seq != p->snd_nxt) {
		e->fin_waits = true;
		enter(b, note(b, ARROW_STATE, lane), lane, b->step->new);
		return;
	}
	e->fin = send(b, ARROW_FIN, lane);
	enter(b, e->fin, lane, b->step->new);
	if (!p->known)
		return;
	set_seq(e->fin, p->write_seq);
	e->fin_rcv = p->rcv_nxt;
	e->fin_open = true;
	if (p->fin_received)	/* nothing can come any more */
		set_ack(e->fin, p->rcv_nxt);
}

/*
 * A FIN is sent at once, unless data or a closed window is before it.  What it
 * acknowledged is certain only if nothing has come since.
 */
static void settle_fin(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	const struct progress *p = &b->step->progress;

	if (e->fin_open && p->rcv_nxt == e->fin_rcv)
		set_ack(e->fin, e->fin_rcv);
	e->fin_open = false;
	if (!e->fin_waits || p->snd_nxt != p->write_seq)
		return;
	e->fin_waits = false;
	e->fin = find(b, ARROW_FIN, lane, AR_AGAIN);
	if (!e->fin) {
		e->fin = infer(b, ARROW_FIN, lane);
		e->fin->flags |= AR_UNTIMED;
	}
	set_seq(e->fin, p->write_seq - 1);
}

/*
 * tcp_fin() only schedules the ACK of a FIN: if nothing has gone out since, it
 * went with our own FIN.
 */
static void settle_ack(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];

	if (!e->ack)
		return;
	if (b->step->progress.segs_out == e->last.segs_out && !(e->ack->flags & AR_RECEIVED))
		e->ack->flags |= AR_DROPPED;
	e->ack->flags &= ~AR_TENTATIVE;
	e->ack = NULL;
}

static void receive_fin(struct builder *b, enum lane lane, uint32_t seq)
{
	const struct arrow *before = b->l->nr ? &b->l->arrows[b->l->nr - 1] : NULL;
	struct arrow *fin, *ack;
	bool passed;

	fin = receive(b, ARROW_FIN, lane);
	passed = fin->entered[lane];	/* FIN_WAIT2, by the ACK in that segment */
	set_seq(fin, seq);
	enter(b, fin, lane, b->step->new);
	if (!b->ends[other(lane)].view && before && before->kind == ARROW_ACK &&
	    before->from == other(lane) && fin->at_ns - before->at_ns < SAME_NS)
		fin->flags |= AR_SAME;
	ack = infer(b, ARROW_ACK, lane);
	set_ack(ack, seq + 1);
	if (passed)
		enter(b, ack, lane, b->step->new);
	if (b->step->new != TS_CLOSE_WAIT)	/* tcp_fin() sends it there and then */
		return;
	ack->flags |= AR_TENTATIVE | AR_UNTIMED;
	b->ends[lane].ack = ack;
}

/* Whether the other end said so again after it should have had that ACK. */
static bool was_missed(const struct builder *b, const struct arrow *ack)
{
	for (const struct arrow *a = ack + 1; a < b->l->arrows + b->l->nr; a++) {
		if (a->from != ack->from && a->flags & AR_AGAIN && a->at_ns > ack->at_ns &&
		    (a->kind == ARROW_SYNACK || a->kind == ARROW_FIN))
			return true;
	}
	return false;
}

/* An ACK that moves the state; it may have come with the peer's FIN. */
static void receive_ack(struct builder *b, enum lane lane)
{
	const struct progress *p = &b->step->progress;
	enum lane from = other(lane);
	struct arrow *a = find(b, ARROW_ACK, from, AR_RECEIVED | AR_ABSENT);
	struct arrow *fin = find(b, ARROW_FIN, from, AR_RECEIVED);

	if (a && b->ends[from].view && was_missed(b, a)) {
		a->flags |= AR_ABSENT;
		a = NULL;
	}
	if (!a && fin && b->step->new == TS_FIN_WAIT2)
		a = fin;	/* whose arrival is told next */
	else
		a = receive(b, ARROW_ACK, lane);
	if (p->known)
		set_ack(a, p->snd_una);
	enter(b, a, lane, b->step->new);
}

/* ---- the handshake ---- */

/* What the kernel tells of only when the child is born, or the SYN-ACK sent again. */
static void open_passive(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	const struct view *v = e->view;
	struct arrow *syn, *synack;

	if (e->opened)
		return;
	e->opened = true;
	syn = find_until(b, ARROW_SYN, other(lane), v->synack_ns);
	if (syn)
		syn->flags |= AR_RECEIVED;
	else
		syn = infer(b, ARROW_SYN, other(lane));
	enter(b, syn, lane, TS_SYN_RECV);
	synack = find(b, ARROW_SYNACK, lane, AR_SENT);
	if (!synack)
		synack = infer(b, ARROW_SYNACK, lane);
	if (v->synack_ns) {
		synack->flags |= AR_SENT;
		set_time(synack, v->synack_ns);
	}
	if (!(syn->flags & AR_SENT)) {	/* just before */
		set_time(syn, synack->at_ns);
		syn->flags |= AR_UNTIMED;
	}
	if (arrow_is_inferred(synack))
		synack->flags |= AR_UNTIMED;
	if (v->has_irs)
		set_seq(syn, v->irs);
	if (v->has_isn)
		set_seq(synack, v->isn);
	if (v->has_irs && !v->fast_open)
		set_ack(synack, v->irs + 1);
}

static void open_active(struct builder *b, enum lane lane)
{
	const struct view *v = b->ends[lane].view;
	struct arrow *syn;

	if (v->verdict.outcome == OUTCOME_NO_PORT) {
		enter(b, note(b, ARROW_STATE, lane), lane, TS_SYN_SENT);
		return;
	}
	syn = send(b, ARROW_SYN, lane);
	enter(b, syn, lane, TS_SYN_SENT);
	if (v->has_isn)
		set_seq(syn, v->isn);
}

/* Ours and the peer's SYN have crossed. */
static void meet_syn(struct builder *b, enum lane lane)
{
	const struct view *v = b->ends[lane].view;
	struct arrow *syn = receive(b, ARROW_SYN, lane);
	struct arrow *synack;

	enter(b, syn, lane, TS_SYN_RECV);
	synack = infer(b, ARROW_SYNACK, lane);
	if (v->has_isn)
		set_seq(synack, v->isn);
	if (!v->has_irs)
		return;
	set_seq(syn, v->irs);
	set_ack(synack, v->irs + 1);
}

static void receive_synack(struct builder *b, enum lane lane)
{
	const struct view *v = b->ends[lane].view;
	struct arrow *synack = receive(b, ARROW_SYNACK, lane);
	struct arrow *ack;

	enter(b, synack, lane, TS_ESTABLISHED);
	ack = infer(b, ARROW_ACK, lane);
	if (v->has_irs) {
		set_seq(synack, v->irs);
		set_ack(ack, v->irs + 1);
	}
	if (b->step->progress.known)
		set_ack(synack, b->step->progress.snd_una);
}

static void establish(struct builder *b, enum lane lane)
{
	enum lane from = other(lane);

	if (b->step->old == TS_SYN_SENT) {
		receive_synack(b, lane);
	} else if (b->ends[lane].view->role == ROLE_PASSIVE) {
		open_passive(b, lane);
		receive_ack(b, lane);
	} else if (find(b, ARROW_SYNACK, from, AR_RECEIVED)) {	/* a simultaneous open */
		enter(b, receive(b, ARROW_SYNACK, lane), lane, TS_ESTABLISHED);
	} else {
		receive_ack(b, lane);
	}
}

/* ---- ends ---- */

static void end_socket(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	const struct step *s = b->step;
	struct arrow *rst = find(b, ARROW_RST, other(lane), 0);
	struct arrow *own = find(b, ARROW_RST, lane, AR_REPLY);
	struct arrow *a;

	if ((s->cause == END_OVERFLOW && s->old == TS_CLOSING) ||
	    (s->old == TS_LAST_ACK && s->progress.known &&
	     s->progress.snd_una == s->progress.write_seq)) {
		receive_ack(b, lane);
	} else if (s->cause == END_OVERFLOW && s->progress.fin_received) {
		receive_fin(b, lane, view_peer_fin(&s->progress));
	} else if (s->cause == END_ORPHAN) {	/* nothing announces that */
		a = infer(b, ARROW_END, lane);
		a->flags |= AR_UNTIMED | (lane == LEFT ? AR_GUESS_LEFT : AR_GUESS_RIGHT);
		enter(b, a, lane, TS_CLOSE);
	} else if (rst && rst->flags & AR_RECEIVED && !rst->entered[lane]) {
		enter(b, rst, lane, TS_CLOSE);
	} else if (own && own->flags & AR_SENT && !own->entered[lane]) {	/* sent before */
		enter(b, own, lane, TS_CLOSE);
	} else {
		e->closed = note(b, ARROW_STATE, lane);
		e->closed->end = s->cause;
		e->closed->err = e->view->ended ? e->view->verdict.err : 0;
		enter(b, e->closed, lane, TS_CLOSE);
	}
}

/* The answer to a segment that cannot be told more of. */
static void infer_offence(struct builder *b, enum lane lane)
{
	bool is_data = b->step->new == TS_CLOSE || b->step->new == TS_FIN_WAIT2;

	infer(b, is_data ? ARROW_DATA : ARROW_SEGMENT, other(lane));
}

static void reset(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	const struct step_reset *r = &b->step->reset;
	struct arrow *rst;

	if (r->received) {
		receive(b, ARROW_RST, lane);
		return;
	}
	if (r->reply)
		infer_offence(b, lane);
	rst = send(b, ARROW_RST, lane);
	rst->reason = r->reason;
	if (r->reply)
		rst->flags |= AR_REPLY;
	if (!e->closed)
		return;
	enter(b, rst, lane, TS_CLOSE);
	e->closed->flags |= AR_DROPPED;
	e->closed = NULL;
}

/* ---- steps ---- */

/* What was seen does not join. */
static void hole(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	const struct step *s = b->step;
	bool is_birth = s->old == TS_CLOSE || s->old == TS_LISTEN;
	struct arrow *a;

	if (s->old == e->state || (is_birth && !e->state) || s->old == TS_LISTEN)
		return;
	a = note(b, ARROW_HOLE, lane);
	if (e->state)
		a->missed = tcp_state_distance(e->state, s->old);
	else
		enter(b, a, lane, s->old);
}

static void move(struct builder *b, enum lane lane)
{
	switch ((enum tcp_state)b->step->new) {
	case TS_SYN_SENT:
		open_active(b, lane);
		break;
	case TS_SYN_RECV:
		if (b->step->old == TS_LISTEN)
			open_passive(b, lane);
		else
			meet_syn(b, lane);
		break;
	case TS_ESTABLISHED:
		establish(b, lane);
		break;
	case TS_FIN_WAIT1:
	case TS_LAST_ACK:
		send_fin(b, lane);
		break;
	case TS_FIN_WAIT2:
		receive_ack(b, lane);
		break;
	case TS_CLOSING:
	case TS_CLOSE_WAIT:
		receive_fin(b, lane, view_peer_fin(&b->step->progress));
		break;
	case TS_TIME_WAIT:
		if (b->step->old == TS_CLOSING)
			receive_ack(b, lane);
		else
			receive_fin(b, lane, view_peer_fin(&b->step->progress));
		break;
	case TS_CLOSE:
		end_socket(b, lane);
		break;
	case TS_NONE:
	case TS_LISTEN:
	case TS_NEW_SYN_RECV:
	case TS_BOUND_INACTIVE:
	case TS_MAX:
		break;
	}
}

static void state(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	const struct step *s = b->step;

	hole(b, lane);
	if (s->progress.known) {
		settle_ack(b, lane);
		data(b, lane);
		settle_fin(b, lane);
	}
	move(b, lane);
	if (s->progress.known)
		e->last = s->progress;
	e->state = s->new;
}

static void draw_again(struct builder *b, enum arrow_word kind, enum lane lane)
{
	const struct step_again *s = &b->step->again;
	const struct view *v = b->ends[lane].view;
	struct arrow *a = add(b, kind, lane, AR_SENT | AR_AGAIN);

	a->len = s->len;
	a->segs = s->segs;
	a->times = s->times;
	a->err = s->err;
	a->cause = s->cause;
	if (kind != ARROW_SYNACK || v->has_isn)
		set_seq(a, s->number);
	if (kind == ARROW_SYNACK && v->has_irs)
		set_ack(a, v->irs + 1);
}

/* That the SYN-ACK was sent for a duplicate bears witness to that. */
static void receive_syn_again(struct builder *b, enum lane lane)
{
	const struct view *v = b->ends[lane].view;
	struct arrow *syn = find(b, ARROW_SYN, other(lane), AR_RECEIVED);

	if (!syn || !(syn->flags & AR_SENT) || !(syn->flags & AR_AGAIN))
		syn = add(b, ARROW_SYN, other(lane), AR_AGAIN);
	syn->flags |= AR_RECEIVED;
	if (v->has_irs)
		set_seq(syn, v->irs);
}

static void again(struct builder *b, enum lane lane)
{
	const struct step_again *s = &b->step->again;

	switch ((enum phase_word)s->phase) {
	case PHASE_SYN:
		draw_again(b, ARROW_SYN, lane);
		break;
	case PHASE_SYNACK:
		if (b->ends[lane].view->role == ROLE_PASSIVE)
			open_passive(b, lane);
		if (s->cause == RETRANSMIT_DUP_SYN)
			receive_syn_again(b, lane);
		draw_again(b, ARROW_SYNACK, lane);
		break;
	case PHASE_DATA:
		draw_again(b, ARROW_DATA, lane);
		b->ends[lane].again += s->err ? 0 : s->segs;
		if (!b->ends[lane].again_ns)
			b->ends[lane].again_ns = b->step->at_ns - 1;
		break;
	case PHASE_FIN:
		draw_again(b, ARROW_FIN, lane);
		break;
	case PHASE_NONE:
	case PHASE_MAX:
		break;
	}
}

/* In TIME_WAIT the peer's FIN comes again because it has not got our ACK. */
static void late_fin(struct builder *b, enum lane lane)
{
	struct end *e = &b->ends[lane];
	struct arrow *ack = find(b, ARROW_ACK, lane, AR_RECEIVED | AR_ABSENT);
	struct arrow *fin = receive(b, ARROW_FIN, lane);

	fin->flags |= AR_AGAIN;
	if (ack)
		ack->flags |= AR_ABSENT;
	ack = infer(b, ARROW_ACK, lane);
	ack->flags |= AR_AGAIN;
	if (!e->last.known)
		return;
	set_seq(fin, view_peer_fin(&e->last));
	set_ack(ack, view_peer_fin(&e->last) + 1);
}

static void late(struct builder *b, enum lane lane)
{
	const struct step_late *s = &b->step->late;

	if (s->tcp_flags & TCPHDR_RST)
		receive(b, ARROW_RST, lane);
	else if (s->tcp_flags & TCPHDR_SYN)
		receive(b, ARROW_SYN, lane);
	else if (s->tcp_flags & TCPHDR_FIN && b->step->new == TS_TIME_WAIT)
		late_fin(b, lane);
	else if (s->payload)
		receive(b, ARROW_DATA, lane)->len = s->payload;
	else
		receive(b, ARROW_ACK, lane);
}

static void take_step(struct builder *b, enum lane lane)
{
	switch ((enum step_kind)b->step->kind) {
	case STEP_STATE:
		state(b, lane);
		break;
	case STEP_AGAIN:
		again(b, lane);
		break;
	case STEP_RESET:
		reset(b, lane);
		break;
	case STEP_LATE:
		late(b, lane);
		break;
	}
}

/* ---- the whole ---- */

/* The lane whose next step is older; NO_LANE: there is none. */
static enum lane next_lane(const struct builder *b)
{
	enum lane ret = NO_LANE;
	uint64_t at_ns = UINT64_MAX;

	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		const struct end *e = &b->ends[lane];

		if (!e->view || e->next == e->view->nr || e->view->steps[e->next].at_ns >= at_ns)
			continue;
		at_ns = e->view->steps[e->next].at_ns;
		ret = lane;
	}
	return ret;
}

static bool belongs_left(const struct view *v, const struct view *than)
{
	if (!than)
		return v->role != ROLE_PASSIVE;
	if ((v->role == ROLE_ACTIVE) != (than->role == ROLE_ACTIVE))
		return v->role == ROLE_ACTIVE;
	return v->start_ns <= than->start_ns;
}

static void begin(struct builder *b, const struct view *a, const struct view *other_view)
{
	enum lane lane = belongs_left(a, other_view) ? LEFT : RIGHT;
	struct ladder *l = b->l;

	l->nr = l->left_out = 0;
	l->ends[lane] = a;
	l->ends[other(lane)] = other_view;
	l->continued = false;
	for (lane = LEFT; lane <= RIGHT; lane++) {
		const struct view *v = l->ends[lane];
		struct end *e = &b->ends[lane];

		if (!v)
			continue;
		e->view = v;
		e->state = v->base_state;
		e->last = v->base;
		l->continued = l->continued || v->base_state;
		l->left_out += v->left_out;
		if (v->base.bytes_sent > b->bytes[lane])
			b->bytes[lane] = v->base.bytes_sent;
		if (received(&v->base) > b->bytes[other(lane)])
			b->bytes[other(lane)] = received(&v->base);
		if (e->state > TS_SYN_SENT)
			e->opened = true;
	}
}

/* What the end of a life adds, at the time of its end. */
static void finish(struct builder *b, enum lane lane)
{
	const struct view *v = b->ends[lane].view;
	struct step *end = &b->end;
	struct arrow *a;

	if (!v->ended || v->end_told)
		return;
	*end = (struct step){ .at_ns = v->end_ns, .heard_ns = v->end_heard_ns };
	for (unsigned int i = 0; i < b->l->nr; i++) {	/* it stands below all else */
		if (b->l->arrows[i].at_ns > end->at_ns)
			end->at_ns = b->l->arrows[i].at_ns;
	}
	b->step = end;
	if (v->state == TS_TIME_WAIT) {
		note(b, ARROW_TIME_WAIT, lane)->for_ns = TIME_WAIT_NS;
	} else if (v->verdict.close == CLOSE_STILL_OPEN || v->state == TS_CLOSE) {
		return;
	} else if (v->request || v->verdict.close == CLOSE_ORPHAN) {
		a = find(b, ARROW_ACK, other(lane), AR_RECEIVED);
		if (v->verdict.outcome == OUTCOME_NO_ACK && a)
			a->flags |= AR_ABSENT;
		infer(b, ARROW_END, lane)->flags |= AR_UNTIMED;
	} else {
		a = note(b, ARROW_HOLE, lane);
		a->missed = 1;
		a->flags |= AR_UNTIMED;
	}
}

void ladder_build(struct ladder *l, const struct view *a, const struct view *other_view)
{
	struct builder b = { .l = l };
	enum lane lane;

	begin(&b, a, other_view);
	while ((lane = next_lane(&b)) != NO_LANE) {
		b.step = &b.ends[lane].view->steps[b.ends[lane].next++];
		take_step(&b, lane);
	}
	for (lane = LEFT; lane <= RIGHT; lane++) {
		if (b.ends[lane].view)
			finish(&b, lane);
	}
	conclude(l);
}

enum lane ladder_local(const struct ladder *l)
{
	return l->ends[LEFT] ? LEFT : RIGHT;
}

bool ladder_isn(const struct ladder *l, enum lane lane, uint32_t *ret)
{
	const struct view *v = l->ends[lane], *w = l->ends[other(lane)];

	if (v && v->has_isn)
		*ret = v->isn;
	else if (w && w->has_irs)
		*ret = w->irs;
	else
		return false;
	return true;
}
