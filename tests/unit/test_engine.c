// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the engine promises whatever it is fed.  How single lives end is in
 * tests/traces.
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

#define SOCKETS		12
#define EVENTS		100000

/* What came out. */
static struct {
	unsigned int kinds[REPORT_KINDS];
	uint64_t born, unborn;		/* connection reports by whether their birth was seen */
	uint64_t evicted;
	uint64_t sum;			/* over all reports, to tell two runs apart */
	uint64_t last_line_ns[EVENTS + 1], last_life_ns[EVENTS + 1];
	unsigned int went_back;
	uint64_t now_ns;
	struct report last;
} seen;

static struct engine engine;

static void feed(union event ev)
{
	seen.now_ns = ev.hdr.ts_ns;
	engine_feed(&engine, &ev);
}

static void feed_state(uint64_t ts_ns, uint64_t cookie, enum tcp_state from, enum tcp_state to)
{
	feed((union event){ .state = state_of(ts_ns, cookie, from, to) });
}

static void feed_tick(uint64_t ts_ns)
{
	feed((union event){ .tick = tick_of(ts_ns) });
}

static void feed_end(uint64_t ts_ns, uint64_t births)
{
	feed((union event){ .end = end_of(ts_ns, births) });
}

static void keep(void *ctx, const struct report *r)
{
	seen.kinds[r->kind]++;
	seen.last = *r;
}

static void open_engine_of(uint32_t max_conns, const struct wire_scope *scope, report_fn report)
{
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(engine_init(&engine, scope, max_conns, report, &seen), 0);
	feed((union event){ .start = start_of(T0) });
}

static void open_engine(uint32_t max_conns)
{
	struct wire_scope all = {};

	open_engine_of(max_conns, &all, keep);
}

static int close_engine(void **state)
{
	engine_deinit(&engine);
	return 0;
}

/* ---- ticks ---- */

static void nothing_is_pending_at_first(void **state)
{
	open_engine(10);
	assert_int_equal(engine_next_deadline(&engine), 0);
	feed_state(T0, 1, TS_CLOSE, TS_SYN_SENT);
	assert_int_equal(engine_next_deadline(&engine), 0);
}

static void a_verdict_that_waits_wants_a_tick_50_ms_later(void **state)
{
	open_engine(10);
	feed_state(T0, 1, TS_CLOSE, TS_SYN_SENT);
	feed_state(T0 + 1, 1, TS_SYN_SENT, TS_ESTABLISHED);
	feed_state(T0 + 2, 1, TS_ESTABLISHED, TS_CLOSE);
	assert_int_equal(engine_next_deadline(&engine), T0 + 2 + 50 * MSEC);
	feed_tick(T0 + 1 + 50 * MSEC);
	assert_int_equal(seen.kinds[REPORT_CONNECTION], 0);
	feed_tick(T0 + 2 + 50 * MSEC);
	assert_int_equal(seen.kinds[REPORT_CONNECTION], 1);
	assert_int_equal(engine_next_deadline(&engine), 0);
}

/* A record may come late; only a tick says that all that is older was delivered. */
static void only_a_tick_lets_a_deadline_pass(void **state)
{
	open_engine(10);
	feed_state(T0, 1, TS_CLOSE, TS_SYN_SENT);
	feed_state(T0 + 1, 1, TS_SYN_SENT, TS_ESTABLISHED);
	feed_state(T0 + 2, 1, TS_ESTABLISHED, TS_CLOSE);
	feed_state(T0 + 60 * SEC, 2, TS_CLOSE, TS_SYN_SENT);
	assert_int_equal(seen.kinds[REPORT_CONNECTION], 0);
}

static void a_parked_socket_wants_a_tick_when_its_time_is_up(void **state)
{
	struct wire_state ev = state_of(T0 + 3, 1, TS_FIN_WAIT2, TS_CLOSE);

	open_engine(10);
	feed_state(T0, 1, TS_CLOSE, TS_SYN_SENT);
	feed_state(T0 + 1, 1, TS_SYN_SENT, TS_ESTABLISHED);
	feed_state(T0 + 2, 1, TS_ESTABLISHED, TS_FIN_WAIT1);
	feed_state(T0 + 3, 1, TS_FIN_WAIT1, TS_FIN_WAIT2);
	ev.sample.flags |= WIRE_S_DEAD;
	feed((union event){ .state = ev });
	feed_tick(engine_next_deadline(&engine));
	assert_int_equal(seen.kinds[REPORT_CONNECTION], 0);
	for (int i = 0; i < 10 && !seen.kinds[REPORT_CONNECTION]; i++)
		feed_tick(engine_next_deadline(&engine));
	assert_int_equal(seen.kinds[REPORT_CONNECTION], 1);
	assert_int_equal(seen.last.connection.verdict.close, CLOSE_ORPHAN);
	assert_in_range(seen.last.at_ns - T0, 60 * SEC + 60 * SEC / 8, 80 * SEC);
}

static void an_eviction_wants_a_tick_at_once(void **state)
{
	open_engine(1);
	feed_state(T0, 1, TS_CLOSE, TS_SYN_SENT);
	assert_int_equal(engine_next_deadline(&engine), 0);
	feed_state(T0 + 1, 2, TS_CLOSE, TS_SYN_SENT);
	assert_in_range(engine_next_deadline(&engine), 1, T0 + 1);
	feed_tick(T0 + 2);
	assert_int_equal(engine_next_deadline(&engine), 0);
	assert_int_equal(seen.kinds[REPORT_LOST], 1);
}

/* Ticks that are asked for come to an end: no loop of deadlines in the past. */
static void a_tick_at_the_deadline_is_always_enough(void **state)
{
	uint64_t now_ns = T0;

	open_engine(100);
	for (uint64_t cookie = 1; cookie <= 50; cookie++)
		feed((union event){ .synack = synack_of(T0 + cookie * 7 * MSEC, cookie) });
	for (int turns = 0; engine_next_deadline(&engine); turns++) {
		assert_true(turns < 60);
		assert_true(engine_next_deadline(&engine) > now_ns);
		now_ns = engine_next_deadline(&engine);
		feed_tick(now_ns);
	}
	assert_int_equal(seen.kinds[REPORT_CONNECTION], 50);
}

/* ---- the end ---- */

static void after_the_end_nothing_is_left(void **state)
{
	open_engine(100);
	for (uint64_t cookie = 1; cookie <= 20; cookie++)
		feed_state(T0 + cookie, cookie, TS_CLOSE, TS_SYN_SENT);
	for (uint64_t cookie = 21; cookie <= 30; cookie++)
		feed_state(T0 + cookie, cookie, TS_CLOSE, TS_LISTEN);
	for (uint64_t cookie = 31; cookie <= 40; cookie++)
		feed((union event){ .synack = synack_of(T0 + cookie, cookie) });
	feed_end(T0 + 100, 20);
	assert_int_equal(engine.conns.used, 0);
	assert_int_equal(seen.kinds[REPORT_CONNECTION], 20);
	assert_true(engine.ended);
	assert_int_equal(engine_next_deadline(&engine), 0);
}

static void births_seen_and_counted_are_kept_for_the_account(void **state)
{
	open_engine(100);
	feed_state(T0, 1, TS_CLOSE, TS_SYN_SENT);
	feed_state(T0, 2, TS_LISTEN, TS_SYN_RECV);
	feed_state(T0, 3, TS_CLOSE, TS_LISTEN);
	feed_state(T0, 4, TS_ESTABLISHED, TS_CLOSE_WAIT);
	feed_end(T0 + 1, 5);
	assert_int_equal(engine.births, 2);
	assert_int_equal(engine.births_counted, 5);
}

static void tables_that_make_no_sense_are_refused(void **state)
{
	struct wire_scope all = {};

	assert_int_equal(engine_init(&engine, &all, 0, keep, NULL), -EINVAL);
	engine_deinit(&engine);
	assert_int_equal(engine_init(&engine, &all, 1, keep, NULL), 0);
}

/* ---- what a report is made of ---- */

static void a_report_has_the_clock_of_its_life(void **state)
{
	struct wire_clock clock = { .hdr = hdr_of(WIRE_CLOCK, sizeof(clock), T0, 0) };

	open_engine(10);
	clock.offset_ns = 77;
	feed((union event){ .clock = clock });
	feed_state(T0, 1, TS_CLOSE, TS_SYN_SENT);
	clock.offset_ns = -99;
	feed((union event){ .clock = clock });
	feed_state(T0 + 1, 1, TS_SYN_SENT, TS_ESTABLISHED);
	assert_int_equal(seen.last.clock_ns, 77);
	feed_state(T0 + 2, 2, TS_CLOSE, TS_SYN_SENT);
	assert_int_equal(seen.last.clock_ns, -99);
}

static void reset_reasons_have_the_names_of_the_kernel(void **state)
{
	struct wire_reason reason = {
		.hdr = hdr_of(WIRE_REASON, sizeof(reason), T0, 0), .id = 14, .name = "tcp_state",
	};
	union event rst = { .reset = reset_of(T0, 1, TS_ESTABLISHED, WIRE_R_REASON) };

	open_engine(10);
	feed((union event){ .reason = reason });
	rst.reset.reason = 14;
	feed(rst);
	assert_string_equal(seen.last.reset.reason, "tcp_state");
	rst.reset.flags = 0;	/* a kernel that gives none */
	feed(rst);
	assert_null(seen.last.reset.reason);
	rst.reset.flags = WIRE_R_REASON;
	rst.reset.reason = 15;	/* not told of */
	feed(rst);
	assert_null(seen.last.reset.reason);
	rst.reset.reason = UINT32_MAX;
	feed(rst);
	assert_null(seen.last.reset.reason);
}

static void reasons_beyond_the_table_are_no_harm(void **state)
{
	struct wire_reason reason = {
		.hdr = hdr_of(WIRE_REASON, sizeof(reason), T0, 0), .name = "of_the_future",
	};

	open_engine(10);
	reason.id = ENGINE_REASONS;
	feed((union event){ .reason = reason });
	reason.id = UINT32_MAX;
	feed((union event){ .reason = reason });
	reason.id = ENGINE_REASONS - 1;
	feed((union event){ .reason = reason });
	assert_string_equal(engine.reasons[ENGINE_REASONS - 1], "of_the_future");
}

/* ---- anything in any order ---- */

static void check_durations(const struct report *r)
{
	const struct report_connection *x = &r->connection;

	if (x->duration_ns != UNKNOWN_NS)
		assert_in_range(x->duration_ns, 0, seen.now_ns);
	if (x->handshake_ns != UNKNOWN_NS)
		assert_in_range(x->handshake_ns, 0, seen.now_ns);
	if (x->teardown_ns != UNKNOWN_NS)
		assert_in_range(x->teardown_ns, 0, seen.now_ns);
	for (unsigned int i = 0; x->has_path_ns && i < r->conn->path_len; i++) {
		if (r->conn->path[i] != TS_TIME_WAIT)
			assert_in_range(r->conn->path_ns[i], 0, seen.now_ns);
	}
}

static void check_path(const struct conn *c)
{
	assert_in_range(c->path_len, 1, CONN_PATH_MAX);
	for (unsigned int i = 0; i < c->path_len; i++) {
		assert_int_not_equal(c->path[i], TS_NONE);
		assert_int_not_equal(c->path[i], TS_CLOSE);
		assert_int_not_equal(c->path[i], TS_LISTEN);
	}
}

static void check_life(const struct report *r)
{
	const struct conn *c = r->conn;
	const struct verdict *v = &r->connection.verdict;

	assert_non_null(c);
	check_durations(r);
	check_path(c);
	assert_int_equal(v->fate, FATE_ENDED);
	assert_true(v->outcome < OUTCOME_MAX && v->close < CLOSE_MAX && v->reason < REASON_MAX);
	assert_true(!v->err || (v->close != CLOSE_FIN && v->close != CLOSE_RESET_SENT));
	assert_true(!(c->flags & CONN_EXISTING) || !r->connection.complete);
	assert_true(!c->missed || !r->connection.complete);
	if (c->flags & CONN_BORN)
		seen.born++;
	else
		seen.unborn++;
}

static void check_line(const struct report *r)
{
	uint64_t *last = r->kind == REPORT_CONNECTION ? seen.last_life_ns : seen.last_line_ns;

	if (r->kind == REPORT_STATE) {
		assert_int_not_equal(r->state.old, r->state.new);
		if (r->state.in_old_ns != UNKNOWN_NS)
			assert_in_range(r->state.in_old_ns, 0, seen.now_ns);
	}
	if (!r->id || r->id > EVENTS)
		return;
	seen.went_back += r->at_ns < last[r->id];
	last[r->id] = r->at_ns;
}

static void check(void *ctx, const struct report *r)
{
	seen.kinds[r->kind]++;
	seen.sum = seen.sum * 31 + r->kind * 7 + r->at_ns + r->id;
	check_line(r);
	if (r->kind == REPORT_CONNECTION)
		check_life(r);
	if (r->kind == REPORT_LOST && r->lost.where == LOST_TABLE)
		seen.evicted += r->lost.count;
}

/* A sample of any kind, errors that the kernel sets now and then. */
static void randomize_sample(struct wire_sample *s, uint64_t *seed)
{
	static const uint16_t errors[] = { 0, 0, 0, 0, ETIMEDOUT, ECONNRESET, EPIPE,
					   ECONNABORTED, ECONNREFUSED, EHOSTUNREACH };

	s->flags = random_next(seed) & 0x7f;
	s->err = errors[random_below(seed, 10)];
	s->snd_una -= random_below(seed, 2);
	s->rcv_nxt += random_below(seed, 3);
	s->shutdown = random_below(seed, 4);
	s->linger2 = (int32_t)random_below(seed, 3) - 1;
	s->segs_out = random_below(seed, 2);
	s->tw_count = random_below(seed, 2) * s->tw_limit;
	s->srtt_us8 = random_below(seed, 3) * 1000;
	s->total_retrans = random_below(seed, 2);
	s->bytes_acked = random_below(seed, 4);
	s->bytes_received = random_below(seed, 3);
	s->fin_timeout = random_below(seed, 200) * HZ / 10;
}

static enum tcp_state random_state(uint64_t *seed)
{
	return 1 + random_below(seed, 13);
}

/* ---- lives as the kernel leads them, with records lost ---- */

struct slot {
	uint64_t cookie;
	enum tcp_state state;
	bool rst_due;		/* ours comes after ->CLOSE was announced */
	enum tcp_state mini;	/* it lives on in FIN_WAIT2 or TIME_WAIT; TS_NONE: it does not */
};

struct walk {
	uint64_t seed, ts_ns;
	struct slot slots[SOCKETS];
	uint64_t cookies, births;
	unsigned int loss;	/* one record of so many is lost; 0: none */
};

static bool delivered(struct walk *w, union event ev)
{
	if (w->loss && !random_below(&w->seed, w->loss))
		return false;
	feed(ev);
	return true;
}

static enum tcp_state next_state(enum tcp_state from, uint64_t *seed)
{
	enum tcp_state to;

	do
		to = random_state(seed);
	while (tcp_state_distance(from, to) != 1 || to == TS_TIME_WAIT || to == TS_LISTEN);
	return to;
}

/* A connect, or a child: a request that was seen has its cookie already. */
static void be_born(struct walk *w, struct slot *s)
{
	bool active = random_below(&w->seed, 2);
	uint64_t ts_ns = w->ts_ns;

	if (!active || s->mini || random_below(&w->seed, 2))
		s->cookie = ++w->cookies;
	s->mini = TS_NONE;
	s->state = active ? TS_SYN_SENT : TS_SYN_RECV;
	if (!active && !random_below(&w->seed, 4))
		delivered(w, (union event){ .synack = synack_of(ts_ns, s->cookie) });
	w->births += delivered(w, (union event){ .state = state_of(ts_ns, s->cookie,
			active ? TS_CLOSE : TS_LISTEN, s->state) });
}

/* kernel-facts 2 */
static enum tcp_state mini_of(const struct wire_state *ev)
{
	const struct wire_sample *s = &ev->sample;
	bool done = s->flags & WIRE_S_DONE;

	if (s->err || (ev->oldstate != TS_FIN_WAIT2 && ev->oldstate != TS_CLOSING))
		return TS_NONE;
	if (done && s->snd_una == s->write_seq)
		return TS_TIME_WAIT;
	if (ev->oldstate == TS_FIN_WAIT2 && !done && s->flags & WIRE_S_DEAD && s->linger2 >= 0)
		return TS_FIN_WAIT2;
	return TS_NONE;
}

static void close(struct walk *w, struct slot *s)
{
	struct wire_state ev = state_of(w->ts_ns, s->cookie, s->state, TS_CLOSE);
	union event rst = { .reset = reset_of(w->ts_ns, s->cookie, s->state, WIRE_R_RECEIVED) };

	randomize_sample(&ev.sample, &w->seed);
	rst.reset.shutdown = ev.sample.shutdown;
	if (ev.sample.err && random_below(&w->seed, 2))
		delivered(w, rst);
	delivered(w, (union event){ .state = ev });
	s->mini = mini_of(&ev);
	s->rst_due = !s->mini && random_below(&w->seed, 2);
	s->state = TS_CLOSE;
}

/* The reset that explains the end, or the segments that meet what is left. */
static void follow_up(struct walk *w, struct slot *s)
{
	static const uint8_t tcp_flags[] = { 0x01, 0x04, 0x10, 0x11 };
	uint16_t reply = random_below(&w->seed, 2) ? WIRE_R_REPLY : 0;
	uint8_t flags = tcp_flags[random_below(&w->seed, 4)];

	if (flags & 1 && s->mini)
		s->mini = TS_TIME_WAIT;
	if (s->rst_due)
		delivered(w, (union event){ .reset = reset_of(w->ts_ns, s->cookie, TS_CLOSE,
							      reply) });
	else if (s->mini)
		delivered(w, (union event){ .tw_segment = segment_of(w->ts_ns, s->cookie, s->mini,
								     flags) });
	if (flags & 4)
		s->mini = TS_NONE;
	s->rst_due = false;
}

static void move_on(struct walk *w, struct slot *s)
{
	enum tcp_state to = next_state(s->state, &w->seed);
	struct wire_state ev = state_of(w->ts_ns, s->cookie, s->state, to);

	if (to == TS_CLOSE) {
		close(w, s);
		return;
	}
	if (!random_below(&w->seed, 6))
		delivered(w, (union event){ .retransmit = retransmit_of(w->ts_ns, s->cookie,
									s->state) });
	randomize_sample(&ev.sample, &w->seed);
	delivered(w, (union event){ .state = ev });
	s->state = to;
}

static void walk_one(struct walk *w, struct slot *s)
{
	if (s->state != TS_CLOSE)
		move_on(w, s);
	else if (s->rst_due || (s->mini && random_below(&w->seed, 3)))
		follow_up(w, s);
	else
		be_born(w, s);
}

static void walk(struct walk *w, unsigned int steps)
{
	w->ts_ns = T0;
	for (unsigned int i = 0; i < SOCKETS; i++)
		w->slots[i] = (struct slot){ .cookie = ++w->cookies, .state = TS_CLOSE };
	for (unsigned int i = 0; i < steps; i++) {
		w->ts_ns += random_below(&w->seed, 20) * MSEC;
		if (!random_below(&w->seed, 10))
			feed_tick(w->ts_ns);
		if (w->loss && !random_below(&w->seed, 50))
			feed((union event){ .lost = lost_of(w->ts_ns, WIRE_LOST_RING, 1) });
		walk_one(w, &w->slots[random_below(&w->seed, SOCKETS)]);
	}
	feed_end(w->ts_ns, w->births);
}

static void open_checked(uint32_t max_conns)
{
	struct wire_scope all = {};

	open_engine_of(max_conns, &all, check);
}

static void every_birth_is_one_life(void **state)
{
	struct walk w = { .seed = 11 };

	open_checked(EVENTS);
	walk(&w, EVENTS);
	assert_true(w.births > EVENTS / 10);
	assert_int_equal(engine.births, w.births);
	assert_int_equal(seen.born, w.births);
	assert_int_equal(seen.evicted, 0);
	assert_int_equal(engine.conns.used, 0);
	assert_int_equal(seen.went_back, 0);
}

static void every_birth_that_was_seen_is_one_life_if_records_are_lost(void **state)
{
	struct walk w = { .seed = 13, .loss = 5 };

	open_checked(EVENTS);
	walk(&w, EVENTS);
	assert_int_equal(engine.births, w.births);
	assert_int_equal(seen.born, w.births);
	assert_true(seen.unborn > 0);
	assert_int_equal(engine.conns.used, 0);
	assert_int_equal(seen.went_back, 0);
}

static void lives_that_do_not_fit_are_told_as_lost(void **state)
{
	struct walk w = { .seed = 14 };

	open_checked(SOCKETS / 2);
	walk(&w, EVENTS);
	assert_int_equal(engine.births, w.births);
	assert_true(seen.evicted > 0);
	assert_in_range(w.births - seen.born, 1, seen.evicted);
	assert_int_equal(engine.conns.used, 0);
	assert_int_equal(seen.went_back, 0);
}

static void a_table_of_one_is_enough_to_keep_the_promises(void **state)
{
	struct walk w = { .seed = 15, .loss = 10 };

	open_checked(1);
	walk(&w, EVENTS);
	assert_in_range(w.births - seen.born, 1, seen.evicted);
	assert_int_equal(engine.conns.used, 0);
	assert_int_equal(seen.went_back, 0);
}

static void the_same_events_give_the_same_reports(void **state)
{
	struct walk w = { .seed = 16, .loss = 7 }, again = w;
	uint64_t sum;

	open_checked(5);
	walk(&w, EVENTS / 10);
	sum = seen.sum;
	engine_deinit(&engine);
	open_checked(5);
	walk(&again, EVENTS / 10);
	assert_int_equal(seen.sum, sum);
}

/* ---- recordings made by nobody's kernel ---- */

/* Of a socket, but for its transitions; or of none. */
static union event random_other(uint64_t ts_ns, uint64_t cookie, uint64_t *seed)
{
	static const uint16_t reset_flags[] = {
		0, WIRE_R_REPLY, WIRE_R_RECEIVED, WIRE_R_MINI | WIRE_R_REPLY,
		WIRE_R_NO_SOCK | WIRE_R_REPLY, WIRE_R_LISTENER | WIRE_R_REPLY,
	};
	union event ev = {};

	switch (random_below(seed, 11)) {
	case 0:
		ev.retransmit = retransmit_of(ts_ns, cookie, random_state(seed));
		ev.retransmit.tcp_flags = random_next(seed);
		ev.retransmit.error = random_below(seed, 4) ? 0 : -EAGAIN;
		break;
	case 1:
		ev.synack = synack_of(ts_ns, cookie);
		ev.synack.flags = random_next(seed);
		ev.synack.num_timeout = random_next(seed);
		ev.synack.timeout = random_next(seed);
		break;
	case 2:
		ev.reset = reset_of(ts_ns, cookie, random_below(seed, 14),
				    reset_flags[random_below(seed, 6)]);
		ev.reset.shutdown = random_below(seed, 4);
		break;
	case 3:
		ev.tw_segment = segment_of(ts_ns, cookie, random_below(seed, 14),
					   random_next(seed));
		ev.tw_segment.flags = random_below(seed, 8);
		break;
	case 4:
		ev.lost = lost_of(ts_ns, random_below(seed, WIRE_LOST_PLACES), 1);
		break;
	case 5:
		ev.dropped = dropped_of(ts_ns, cookie, random_next(seed));
		ev.dropped.seq += random_below(seed, 3);
		ev.dropped.end_seq += random_below(seed, 5);
		ev.dropped.flags = random_below(seed, 2);
		break;
	case 6:
		ev.mini = mini_of_census(ts_ns, cookie, random_below(seed, 2) ? TS_TIME_WAIT :
								TS_FIN_WAIT2);
		ev.mini.left = (int32_t)random_below(seed, 61 * HZ) - (int32_t)HZ;
		break;
	case 7:
		ev.census_end = census_end_of(ts_ns, ts_ns - random_below(seed, 200) * MSEC);
		break;
	case 8:
		ev.census = census_of(ts_ns, cookie, random_state(seed));
		ev.census.flags = random_below(seed, 2);
		break;
	case 9:
		ev.claim = (struct wire_claim){
			.hdr = hdr_of(WIRE_CLAIM, sizeof(ev.claim), ts_ns, 0),
			.tuple = tuple_of(cookie), .flags = random_below(seed, 2) * WIRE_CL_ROW,
			.since_ns = random_below(seed, 2) * (ts_ns - random_below(seed, 3)),
		};
		break;
	default:
		ev.tick = tick_of(ts_ns);
	}
	return ev;
}

static union event random_event(uint64_t ts_ns, uint64_t *seed)
{
	uint64_t cookie = 1 + random_below(seed, SOCKETS);
	union event ev;

	if (random_below(seed, 3))
		return random_other(ts_ns, cookie, seed);
	ev.state = state_of(ts_ns, cookie, random_state(seed), random_state(seed));
	randomize_sample(&ev.state.sample, seed);
	return ev;
}

/* What the ledger says of itself is what is in it, and it knows who is parked. */
static void check_ledger(void)
{
	const struct tw_place *p = timewait_place(&engine.minis, 1);
	uint32_t time_wait = 0, fin_wait2 = 0, overdue = 0, doubtful = 0;

	for (struct mini *m = timewait_next(&engine.minis, NULL); m;
	     m = timewait_next(&engine.minis, m)) {
		struct wire_tuple tuple = mini_tuple(m);
		bool counts = !(m->flags & MINI_DOUBTFUL);

		assert_ptr_equal(timewait_find(&engine.minis, 1, &tuple), m);
		time_wait += counts && !(m->flags & MINI_PARKED);
		fin_wait2 += counts && m->flags & MINI_PARKED;
		overdue += counts && m->flags & MINI_OVERDUE;
		doubtful += !counts;
		if (m->conn) {
			const struct conn *c = conntab_at(&engine.conns, m->conn - 1);

			assert_int_equal(c->id, m->id);
			assert_true(c->stage == STAGE_PARKED || c->stage == STAGE_VERDICT);
		}
	}
	if (!p)
		return;
	assert_int_equal(p->time_wait, time_wait);
	assert_int_equal(p->fin_wait2, fin_wait2);
	assert_int_equal(p->overdue, overdue);
	assert_int_equal(p->doubtful, doubtful);
}

static uint64_t feed_anything(uint64_t seed)
{
	uint64_t ts_ns = T0, births = 0;

	for (unsigned int i = 0; i < EVENTS; i++) {
		union event ev;

		ts_ns += random_below(&seed, 20) * MSEC;
		ev = random_event(ts_ns, &seed);
		births += ev.hdr.kind == WIRE_STATE &&
			  ((ev.state.oldstate == TS_CLOSE && ev.state.newstate == TS_SYN_SENT) ||
			   (ev.state.oldstate == TS_LISTEN && ev.state.newstate == TS_SYN_RECV));
		feed(ev);
		if (i % 100 == 0)
			check_ledger();
	}
	feed_end(ts_ns, births);
	return births;
}

static void any_events_at_all_keep_the_promises(void **state)
{
	uint64_t births;

	open_checked(1000);
	births = feed_anything(17);
	assert_int_equal(engine.births, births);
	assert_int_equal(seen.born, births);
	assert_int_equal(engine.conns.used, 0);
}

/* No promise but to survive: addresses for cookies, ports that come late, times that jump. */
static void survive(void *ctx, const struct report *r)
{
	seen.kinds[r->kind]++;
}

static void wear_down(union event *ev, uint64_t *seed)
{
	struct wire_tuple *t = &ev->state.tuple;	/* at the same place in all of a socket */

	if (ev->hdr.kind > WIRE_TW_SEGMENT && ev->hdr.kind != WIRE_CENSUS &&
	    ev->hdr.kind != WIRE_MINI && ev->hdr.kind != WIRE_DROPPED &&
	    ev->hdr.kind != WIRE_CLAIM)
		return;
	if (!random_below(seed, 3))
		ev->hdr.cookie = 0;
	if (!random_below(seed, 3))
		ev->hdr.sock = 0x1000 * random_below(seed, 4);
	if (!random_below(seed, 3))
		t->lport = random_below(seed, 2) * 80;
	if (!random_below(seed, 3))
		t->rport = random_below(seed, 2) * 443;
	if (!random_below(seed, 8))
		ev->hdr.ts_ns = random_next(seed) >> random_below(seed, 64);
}

static void any_nonsense_is_survived(void **state)
{
	struct wire_scope web = { .lports = { .len = 1, .range = { { 80, 80 } } } };
	uint64_t seed = 18, ts_ns = T0;

	for (uint32_t max_conns = 1; max_conns <= 64; max_conns *= 4) {
		open_engine_of(max_conns, &web, survive);
		for (unsigned int i = 0; i < EVENTS; i++) {
			union event ev = random_event(ts_ns += MSEC, &seed);

			wear_down(&ev, &seed);
			feed(ev);
			engine_next_deadline(&engine);
		}
		feed_end(ts_ns, 0);
		assert_int_equal(engine.conns.used, 0);
		engine_deinit(&engine);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_engine)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_pending_at_first),
		TEST(a_verdict_that_waits_wants_a_tick_50_ms_later),
		TEST(only_a_tick_lets_a_deadline_pass),
		TEST(a_parked_socket_wants_a_tick_when_its_time_is_up),
		TEST(an_eviction_wants_a_tick_at_once),
		TEST(a_tick_at_the_deadline_is_always_enough),
		TEST(after_the_end_nothing_is_left),
		TEST(births_seen_and_counted_are_kept_for_the_account),
		TEST(tables_that_make_no_sense_are_refused),
		TEST(a_report_has_the_clock_of_its_life),
		TEST(reset_reasons_have_the_names_of_the_kernel),
		TEST(reasons_beyond_the_table_are_no_harm),
		TEST(every_birth_is_one_life),
		TEST(every_birth_that_was_seen_is_one_life_if_records_are_lost),
		TEST(lives_that_do_not_fit_are_told_as_lost),
		TEST(a_table_of_one_is_enough_to_keep_the_promises),
		TEST(the_same_events_give_the_same_reports),
		TEST(any_events_at_all_keep_the_promises),
		TEST(any_nonsense_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
