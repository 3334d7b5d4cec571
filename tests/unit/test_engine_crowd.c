// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lives of all kinds at once, interleaved at random: each must have the end that
 * it was meant to have, whatever the others do.  What single lives look like is
 * in tests/traces.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine.h"
#include "sample_events.h"

#define CROWD		200	/* lives at a time */
#define LIVES		20000
#define STEPS_MAX	8

/* ---- plots ---- */

enum act { DONE_ACTING, MOVE, RST_IN, RST_OUT, RST_REPLY, RETX, LATE };

enum circumstance {
	DONE	= 1 << 0,	/* the peer's FIN was processed */
	DEAD	= 1 << 1,	/* orphan, closed */
	CLOSED	= 1 << 2,	/* shut both ways */
	UNREAD	= 1 << 3,
	UNACKED	= 1 << 4,
	LINGER0	= 1 << 5,
	NOBODYS	= 1 << 6,	/* sk_socket NULL */
	NOW	= 1 << 7,	/* in the same softirq or system call as the step before */
};

struct step {
	enum act act;
	enum tcp_state from, to;	/* LATE: to is the substate after it */
	unsigned int how;		/* enum circumstance */
	uint16_t err;
	uint8_t tcp_flags;
};

struct plot {
	const char *name;
	struct step steps[STEPS_MAX];
	enum outcome_word outcome;
	enum close_word close;
	enum reason_word reason;
	enum side_word closed_by;
	enum tri time_wait;
	bool parked;
	uint16_t err;
};

#define GO(from, to, how, err)		{ MOVE, TS_##from, TS_##to, how, err, 0 }
#define BESIDE(act, state, how)		{ act, TS_##state, TS_NONE, how, 0, 0 }
#define MEET(substate, tcp_flags)	{ LATE, TS_NONE, TS_##substate, 0, 0, tcp_flags }

#define CONNECT		GO(CLOSE, SYN_SENT, 0, 0)
#define CONNECTED	GO(SYN_SENT, ESTABLISHED, 0, 0)
#define CHILD		GO(LISTEN, SYN_RECV, 0, 0)
#define ACCEPTED	GO(SYN_RECV, ESTABLISHED, NOW, 0)
#define SEND_FIN	GO(ESTABLISHED, FIN_WAIT1, CLOSED, 0)
#define FIN_ACKED	GO(FIN_WAIT1, FIN_WAIT2, DEAD, 0)
#define GET_FIN		GO(ESTABLISHED, CLOSE_WAIT, DONE, 0)
#define ANSWER_FIN	GO(CLOSE_WAIT, LAST_ACK, DONE | CLOSED, 0)
#define PARK		GO(FIN_WAIT2, CLOSE, DEAD | NOW, 0)
#define RESET		BESIDE(RST_OUT, CLOSE, NOW)

#define ENDS(o, c, r, by, tw) \
	.outcome = OUTCOME_##o, .close = CLOSE_##c, .reason = REASON_##r, .closed_by = SIDE_##by, \
	.time_wait = TRI_##tw

static const struct plot plots[] = {
	{ .name = "closed by us",
	  .steps = { CONNECT, CONNECTED, SEND_FIN, FIN_ACKED,
		     GO(FIN_WAIT2, CLOSE, DONE | DEAD, 0) },
	  ENDS(ESTABLISHED, FIN, NONE, LOCAL, YES) },
	{ .name = "closed by them",
	  .steps = { CHILD, ACCEPTED, GET_FIN, ANSWER_FIN, GO(LAST_ACK, CLOSE, DONE | DEAD, 0) },
	  ENDS(ESTABLISHED, FIN, NONE, REMOTE, NO) },
	{ .name = "closed by both",
	  .steps = { CONNECT, CONNECTED, SEND_FIN, GO(FIN_WAIT1, CLOSING, DONE | DEAD, 0),
		     GO(CLOSING, CLOSE, DONE | DEAD, 0) },
	  ENDS(ESTABLISHED, FIN, NONE, BOTH, YES) },
	{ .name = "parked, then the FIN",
	  .steps = { CONNECT, CONNECTED, SEND_FIN, FIN_ACKED, PARK, MEET(TIME_WAIT, 0x11) },
	  ENDS(ESTABLISHED, FIN, NONE, LOCAL, YES), .parked = true },
	{ .name = "parked, then a RST",
	  .steps = { CONNECT, CONNECTED, SEND_FIN, FIN_ACKED, PARK, MEET(FIN_WAIT2, 0x04) },
	  ENDS(ESTABLISHED, RESET_RECEIVED, NONE, LOCAL, NO), .parked = true },
	{ .name = "parked, then nothing",
	  .steps = { CHILD, ACCEPTED, SEND_FIN, FIN_ACKED, PARK },
	  ENDS(ESTABLISHED, ORPHAN, NONE, LOCAL, NO), .parked = true },
	{ .name = "data with the ACK of the FIN",
	  .steps = { CONNECT, CONNECTED, SEND_FIN, FIN_ACKED, PARK, BESIDE(RST_REPLY, CLOSE, NOW) },
	  ENDS(ESTABLISHED, RESET_SENT, DATA_AFTER_CLOSE, LOCAL, NO) },
	{ .name = "data after close",
	  .steps = { CONNECT, CONNECTED, SEND_FIN, BESIDE(RST_IN, FIN_WAIT1, 0),
		     GO(FIN_WAIT1, CLOSE, DEAD | UNACKED | NOW, ECONNRESET),
		     BESIDE(RST_REPLY, CLOSE, NOW) },
	  ENDS(ESTABLISHED, RESET_SENT, DATA_AFTER_CLOSE, LOCAL, NO) },
	{ .name = "reset by them, as an orphan",
	  .steps = { CONNECT, CONNECTED, SEND_FIN, BESIDE(RST_IN, FIN_WAIT1, 0),
		     GO(FIN_WAIT1, CLOSE, DEAD | UNACKED | NOW, ECONNRESET) },
	  ENDS(ESTABLISHED, RESET_RECEIVED, NONE, LOCAL, NO), .err = ECONNRESET },
	{ .name = "reset by them",
	  .steps = { CHILD, ACCEPTED, BESIDE(RST_IN, ESTABLISHED, 0),
		     GO(ESTABLISHED, CLOSE, NOW, ECONNRESET) },
	  ENDS(ESTABLISHED, RESET_RECEIVED, NONE, REMOTE, NO), .err = ECONNRESET },
	{ .name = "reset by them after their FIN",
	  .steps = { CONNECT, CONNECTED, GET_FIN, BESIDE(RST_IN, CLOSE_WAIT, 0),
		     GO(CLOSE_WAIT, CLOSE, DONE | NOW, EPIPE) },
	  ENDS(ESTABLISHED, RESET_RECEIVED, NONE, REMOTE, NO), .err = EPIPE },
	{ .name = "unread data",
	  .steps = { CONNECT, CONNECTED, GO(ESTABLISHED, CLOSE, CLOSED | UNREAD, 0), RESET },
	  ENDS(ESTABLISHED, RESET_SENT, UNREAD_DATA, LOCAL, NO) },
	{ .name = "linger 0 after their FIN",
	  .steps = { CONNECT, CONNECTED, GET_FIN,
		     GO(CLOSE_WAIT, CLOSE, DONE | CLOSED | LINGER0, 0), RESET },
	  ENDS(ESTABLISHED, RESET_SENT, LINGER0, REMOTE, NO) },
	{ .name = "disconnected",
	  .steps = { CONNECT, CONNECTED, GO(ESTABLISHED, CLOSE, 0, 0), RESET },
	  ENDS(ESTABLISHED, RESET_SENT, DISCONNECT, LOCAL, NO) },
	{ .name = "never accepted",
	  .steps = { CHILD, ACCEPTED, GO(ESTABLISHED, CLOSE, NOBODYS, 0), RESET },
	  ENDS(ESTABLISHED, RESET_SENT, LISTENER_CLOSED, LOCAL, NO) },
	{ .name = "keepalive",
	  .steps = { CONNECT, CONNECTED, BESIDE(RST_OUT, ESTABLISHED, 0),
		     GO(ESTABLISHED, CLOSE, NOW, ETIMEDOUT) },
	  ENDS(ESTABLISHED, TIMEOUT, KEEPALIVE, NONE, NO), .err = ETIMEDOUT },
	{ .name = "retransmitted in vain",
	  .steps = { CONNECT, CONNECTED, BESIDE(RETX, ESTABLISHED, 0), BESIDE(RETX, ESTABLISHED, 0),
		     GO(ESTABLISHED, CLOSE, UNACKED, ETIMEDOUT) },
	  ENDS(ESTABLISHED, TIMEOUT, RETRANSMITS, NONE, NO), .err = ETIMEDOUT },
	{ .name = "killed",
	  .steps = { CHILD, ACCEPTED, BESIDE(RST_OUT, ESTABLISHED, 0),
		     GO(ESTABLISHED, CLOSE, NOW, ECONNABORTED) },
	  ENDS(ESTABLISHED, KILLED, NONE, LOCAL, NO), .err = ECONNABORTED },
	{ .name = "silent",
	  .steps = { CONNECT, CONNECTED, GO(ESTABLISHED, CLOSE, CLOSED, 0) },
	  ENDS(ESTABLISHED, SILENT, NONE, NONE, NO) },
	{ .name = "refused",
	  .steps = { CONNECT, BESIDE(RST_IN, SYN_SENT, 0), GO(SYN_SENT, CLOSE, NOW, ECONNREFUSED) },
	  ENDS(REFUSED, RESET_RECEIVED, NONE, REMOTE, NO), .err = ECONNREFUSED },
	{ .name = "unreachable",
	  .steps = { CONNECT, GO(SYN_SENT, CLOSE, 0, EHOSTUNREACH) },
	  ENDS(UNREACHABLE, SILENT, NONE, NONE, NO), .err = EHOSTUNREACH },
	{ .name = "timed out",
	  .steps = { CONNECT, BESIDE(RETX, SYN_SENT, 0), GO(SYN_SENT, CLOSE, UNACKED, ETIMEDOUT) },
	  ENDS(TIMEOUT, TIMEOUT, NONE, NONE, NO), .err = ETIMEDOUT },
	{ .name = "aborted",
	  .steps = { CONNECT, GO(SYN_SENT, CLOSE, 0, 0) },
	  ENDS(ABORTED, SILENT, NONE, NONE, NO) },
};

#define NR_PLOTS	(sizeof(plots) / sizeof(*plots))

/* ---- the play ---- */

struct actor {
	const struct plot *plot;
	uint64_t cookie;
	unsigned int next;
	uint64_t birth_ns, last_ns;
	uint32_t retransmits;
};

static struct {
	struct engine engine;
	struct actor actors[CROWD];
	struct actor lives[LIVES + 1];	/* as they were when their last step was taken */
	unsigned int reports[LIVES + 1];
	uint64_t seed, now_ns;
	uint64_t born;
} stage;

static uint16_t flags_of(unsigned int how)
{
	uint16_t ret = 0;

	if (how & DONE)
		ret |= WIRE_S_DONE;
	if (how & DEAD)
		ret |= WIRE_S_DEAD | WIRE_S_NO_SOCKET;
	if (how & LINGER0)
		ret |= WIRE_S_LINGER;
	if (how & NOBODYS)
		ret |= WIRE_S_NO_SOCKET;
	return ret;
}

static union event move_of(const struct actor *a, const struct step *s)
{
	struct wire_state ev = state_of(stage.now_ns, a->cookie, s->from, s->to);

	ev.sample.flags |= flags_of(s->how);
	ev.sample.err = s->err;
	ev.sample.shutdown = s->how & (CLOSED | DEAD) ? 3 : 0;
	ev.sample.write_seq += s->how & UNACKED ? 1 : 0;
	ev.sample.rcv_nxt += (s->how & UNREAD ? 5 : 0) + (s->how & DONE ? 1 : 0);
	return (union event){ .state = ev };
}

static union event event_of(const struct actor *a, const struct step *s)
{
	union event ev = {};

	switch (s->act) {
	case MOVE:
		return move_of(a, s);
	case RST_IN:
		ev.reset = reset_of(stage.now_ns, a->cookie, s->from, WIRE_R_RECEIVED);
		ev.reset.shutdown = s->from == TS_FIN_WAIT1 ? 3 : 0;
		break;
	case RST_OUT:
		ev.reset = reset_of(stage.now_ns, a->cookie, s->from, 0);
		break;
	case RST_REPLY:
		ev.reset = reset_of(stage.now_ns, a->cookie, s->from, WIRE_R_REPLY);
		break;
	case RETX:
		ev.retransmit = retransmit_of(stage.now_ns, a->cookie, s->from);
		break;
	case LATE:
		ev.tw_segment = segment_of(stage.now_ns, a->cookie, s->to, s->tcp_flags);
		break;
	case DONE_ACTING:
		break;
	}
	return ev;
}

static void begin(struct actor *a)
{
	*a = (struct actor){
		.plot = &plots[random_below(&stage.seed, NR_PLOTS)], .cookie = ++stage.born,
		.birth_ns = stage.now_ns,
	};
}

static void act(struct actor *a)
{
	const struct step *s = &a->plot->steps[a->next++];
	union event ev = event_of(a, s);

	a->retransmits += s->act == RETX;
	if (s->act == MOVE || s->act == LATE)
		a->last_ns = stage.now_ns;
	stage.lives[a->cookie] = *a;
	engine_feed(&stage.engine, &ev);
}

static bool is_over(const struct actor *a)
{
	return !a->plot || a->next == STEPS_MAX || a->plot->steps[a->next].act == DONE_ACTING;
}

/* A step, and all that belong to the same moment. */
static void step(struct actor *a)
{
	if (is_over(a))
		begin(a);
	do
		act(a);
	while (!is_over(a) && a->plot->steps[a->next].how & NOW);
}

static void tick(void)
{
	union event ev = { .tick = tick_of(stage.now_ns) };

	engine_feed(&stage.engine, &ev);
}

/* ---- the judgement ---- */

static void judge_times(const struct report *r, const struct actor *a)
{
	const struct report_connection *x = &r->connection;

	assert_int_equal(x->start_ns, a->birth_ns);
	if (x->verdict.close == CLOSE_ORPHAN)
		return;
	assert_int_equal(r->at_ns, a->last_ns);
	assert_int_equal(x->duration_ns, a->last_ns - a->birth_ns);
	assert_true(x->has_path_ns);
}

static void judge(const struct report *r, const struct actor *a)
{
	const struct verdict *v = &r->connection.verdict;
	const struct plot *p = a->plot;

	if (v->outcome != p->outcome || v->close != p->close || v->reason != p->reason ||
	    v->closed_by != p->closed_by || v->time_wait != p->time_wait || v->err != p->err)
		fail_msg("%s: %s %s %s", p->name, outcome_text(v->outcome), close_text(v->close),
			 reason_text(v->reason));
	assert_true(is_over(a));
	assert_true(r->connection.complete);
	assert_int_equal(r->conn->stage == STAGE_PARKED, p->parked);
	assert_int_equal(r->conn->retransmits[PHASE_DATA], a->retransmits);
	assert_int_equal(r->tuple->lport, tuple_of(a->cookie).lport);
	judge_times(r, a);
}

static void on_report(void *ctx, const struct report *r)
{
	assert_in_range(r->id, 1, stage.born);
	if (r->kind != REPORT_CONNECTION)
		return;
	stage.reports[r->id]++;
	judge(r, &stage.lives[r->id]);
}

static void tick_now_and_then(void)
{
	stage.now_ns += random_below(&stage.seed, 20) * MSEC;
	if (!random_below(&stage.seed, 8))
		tick();
}

static void play_all(void)
{
	while (stage.born < LIVES) {
		tick_now_and_then();
		step(&stage.actors[random_below(&stage.seed, CROWD)]);
	}
	for (unsigned int i = 0; i < CROWD; i++) {
		while (!is_over(&stage.actors[i])) {
			tick_now_and_then();
			step(&stage.actors[i]);
		}
	}
	stage.now_ns += 200 * SEC;
	tick();
}

static void every_life_in_a_crowd_has_the_end_it_was_meant_to_have(void **state)
{
	struct wire_scope all = {};
	union event ev = { .start = start_of(T0) };

	memset(&stage, 0, sizeof(stage));
	stage.seed = 23;
	stage.now_ns = T0;
	assert_int_equal(engine_init(&stage.engine, &all, LIVES, on_report, NULL), 0);
	engine_feed(&stage.engine, &ev);
	play_all();
	assert_int_equal(stage.engine.conns.used, 0);
	for (uint64_t cookie = 1; cookie <= LIVES; cookie++)
		assert_int_equal(stage.reports[cookie], 1);
	engine_deinit(&stage.engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_life_in_a_crowd_has_the_end_it_was_meant_to_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
