// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine, fed with any sequence of records that decode() lets through, on few
 * sockets, so that they meet.  The input is a program:
 *
 *	table's size, scope, then: kind, who, time, patches, (where, XOR) ...
 *
 * Whatever comes: no state from nowhere, no negative duration, the table within
 * its bound, every life told once or counted, nothing left at the end.
 */
#include <string.h>

#include "decode.h"
#include "engine.h"
#include "fuzz.h"
#include "lifecycle.h"
#include "sample_events.h"

#define SOCKETS		16
#define EVENTS_MAX	4096	/* an input of a megabyte is no better than one of this */

struct run {
	struct engine engine;
	uint64_t first_ns, last_ns;	/* the span of all times fed */
	uint64_t born;			/* reported lives whose birth was seen */
	uint64_t evicted;
};

static bool is_duration(const struct run *r, uint64_t ns)
{
	return ns == UNKNOWN_NS || ns <= r->last_ns - r->first_ns;
}

/* What the socket knows of the time before the trace counts, too: its SYN-ACK, its RTT. */
static bool is_since_boot(const struct run *r, uint64_t ns)
{
	return ns == UNKNOWN_NS || ns <= r->last_ns;
}

static void check_path(const struct conn *c)
{
	CLAIM(c->path_len <= CONN_PATH_MAX);
	for (int i = 0; i < c->path_len; i++) {
		CLAIM(c->path[i] > TS_NONE && c->path[i] < TS_MAX);
		CLAIM(c->path[i] != TS_CLOSE && c->path[i] != TS_LISTEN);
	}
}

static void check_connection(struct run *r, const struct report *report)
{
	const struct report_connection *c = &report->connection;

	CLAIM(report->conn && report->id);
	CLAIM(c->verdict.outcome < OUTCOME_MAX && c->verdict.close < CLOSE_MAX);
	CLAIM(is_since_boot(r, c->duration_ns) && is_since_boot(r, c->handshake_ns));
	CLAIM(is_duration(r, c->teardown_ns));
	CLAIM(!(c->complete && report->conn->flags & (CONN_GAP | CONN_EXISTING)));
	CLAIM(!(c->complete && report->conn->missed));
	check_path(report->conn);
	if (report->conn->flags & CONN_BORN)
		r->born++;
}

static void on_report(void *ctx, const struct report *report)
{
	struct run *r = ctx;

	CLAIM(report->kind < REPORT_KINDS);
	switch (report->kind) {
	case REPORT_STATE:
		CLAIM(report->state.old != report->state.new);
		CLAIM(report->state.old > TS_NONE && report->state.old < TS_MAX);
		CLAIM(report->state.new > TS_NONE && report->state.new < TS_MAX);
		CLAIM(is_duration(r, report->state.in_old_ns));
		break;
	case REPORT_CONNECTION:
		check_connection(r, report);
		break;
	case REPORT_RETRANSMIT:
		CLAIM(report->retransmit.phase < PHASE_MAX);
		break;
	case REPORT_LOST:
		if (report->lost.where == LOST_TABLE)
			r->evicted += report->lost.count;
		break;
	default:
		break;
	}
}

/* A likely record of its kind, about one of the sockets. */
static void make_record(union event *ev, unsigned int kind, uint8_t who, uint64_t ts_ns)
{
	uint64_t cookie = who & 0x80 ? 0 : who % SOCKETS + 1;
	size_t len = decode_size(kind);

	memset(ev, 0, sizeof(*ev));
	if (kind == WIRE_STATE)
		ev->state = state_of(ts_ns, cookie, TS_CLOSE, TS_SYN_SENT);
	else if (kind == WIRE_START)
		ev->start = start_of(ts_ns);
	else if (len >= sizeof(struct wire_tick) + sizeof(struct wire_tuple) && kind != WIRE_REASON)
		ev->tick = tick_of(ts_ns), memcpy((char *)ev + sizeof(ev->hdr), &(struct wire_tuple){
			.lport = 1, .rport = 1, .family = 4 }, sizeof(struct wire_tuple));
	ev->hdr = hdr_of(kind, len, ts_ns, cookie);
	ev->hdr.sock = (who % SOCKETS + 1) << 12;
}

static void patch(union event *ev, struct input *in)
{
	uint8_t n = take_byte(in);

	while (n--) {
		uint16_t where = take_byte(in) | take_byte(in) << 8;
		uint8_t *body = (uint8_t *)ev + sizeof(ev->hdr);

		if (ev->hdr.len > sizeof(ev->hdr))
			body[where % (ev->hdr.len - sizeof(ev->hdr))] ^= take_byte(in);
	}
}

/* Mostly on, by nanoseconds to hours; sometimes a little back, as one CPU overtakes another. */
static uint64_t move_clock(uint64_t now_ns, uint8_t how)
{
	if (how & 0x80)
		return now_ns - (1ull << (how % 16));
	return now_ns + (1ull << (how % 44));
}

static void feed(struct run *r, const union event *raw)
{
	union event ev;

	if (decode(raw, raw->hdr.len, &ev))
		return;
	if (ev.hdr.ts_ns < r->first_ns)
		r->first_ns = ev.hdr.ts_ns;
	if (ev.hdr.ts_ns > r->last_ns)
		r->last_ns = ev.hdr.ts_ns;
	engine_feed(&r->engine, &ev);
	CLAIM(r->engine.conns.used <= r->engine.conns.limit);
}

static void finish(struct run *r)
{
	union event end = { .end = end_of(r->last_ns, r->engine.births) };

	engine_feed(&r->engine, &end);
	CLAIM(!r->engine.conns.used);
	CLAIM(r->born <= r->engine.births);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .first_ns = T0, .last_ns = T0 };
	struct input in = { data, size };
	struct wire_scope scope = {};
	uint64_t now_ns = T0;
	union event ev;
	uint8_t how;

	CLAIM(!engine_init(&r.engine, &scope, 1 + take_byte(&in) % 32, on_report, &r));
	how = take_byte(&in);
	if (how & 1)
		r.engine.scope.sockets.lports = (struct wire_ports){ 1, { { 1, 1 } }, 0 };
	ev.start = start_of(T0);
	feed(&r, &ev);
	for (int i = 0; in.left && i < EVENTS_MAX; i++) {
		unsigned int kind = take_byte(&in) % WIRE_KIND_MAX;
		uint8_t who = take_byte(&in);

		now_ns = move_clock(now_ns, take_byte(&in));
		make_record(&ev, kind, who, now_ns);
		patch(&ev, &in);
		if (decode_size(kind) && kind != WIRE_END && kind != WIRE_START)
			feed(&r, &ev);
	}
	finish(&r);
	engine_deinit(&r.engine);
	return 0;
}
