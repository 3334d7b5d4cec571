// SPDX-License-Identifier: GPL-2.0-or-later
/* What top knows of the events that it is fed, and how much of it it keeps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "monitor.h"
#include "sample_events.h"

static struct engine engine;
static struct monitor *monitor;
static struct filter filter;
static struct board board;
static unsigned int nr_ladders;

static bool wants_all(void *ctx, const struct conn *c)
{
	return true;
}

static void on_report(void *ctx, const struct report *r)
{
	monitor_report(monitor, r, true);
}

static void feed(union event ev)
{
	monitor_event(monitor, &ev);
	engine_feed(&engine, &ev);
	monitor_advance(monitor, ev.hdr.ts_ns);
}

static void begin(bool exact)
{
	const struct monitor_config config = {
		.engine = &engine, .filter = &filter, .exact = exact, .wants = wants_all,
	};

	nr_ladders = 0;
	assert_int_equal(engine_init(&engine, &(struct wire_scope){}, 1000, on_report, NULL), 0);
	assert_int_equal(monitor_create(&config, &monitor), 0);
	feed((union event){ .start = start_of(T0) });
	monitor_sample(monitor, T0);
}

static int deinit(void **state)
{
	monitor_destroy(monitor);
	engine_deinit(&engine);
	return 0;
}

static void state_at(uint64_t at_ns, uint64_t cookie, enum tcp_state from, enum tcp_state to)
{
	union event ev = { .state = state_of(at_ns, cookie, from, to) };

	if (from == TS_CLOSE) {
		ev.state.owner = (struct wire_owner){ .pid = 812, .comm = "nginx" };
		ev.state.born = 1;
	}
	feed(ev);
}

/* A connect() to this port that is answered by RST. */
static void refuse_at(uint64_t at_ns, uint64_t cookie, uint16_t rport)
{
	union event begin = { .state = state_of(at_ns, cookie, TS_CLOSE, TS_SYN_SENT) };
	union event rst = {
		.reset = reset_of(at_ns + MSEC, cookie, TS_SYN_SENT, WIRE_R_RECEIVED),
	};
	union event end = { .state = state_of(at_ns + MSEC, cookie, TS_SYN_SENT, TS_CLOSE) };

	begin.state.tuple.rport = rst.reset.tuple.rport = end.state.tuple.rport = rport;
	begin.state.owner = (struct wire_owner){ .pid = 812, .comm = "nginx" };
	begin.state.born = 1;
	end.state.sample.err = ECONNREFUSED;
	feed(begin);
	feed(rst);
	feed(end);
}

static void refuse(uint64_t at_ns, uint64_t cookie)
{
	refuse_at(at_ns, cookie, 443);
}

static void look(uint64_t now_ns)
{
	monitor_sample(monitor, now_ns);
	monitor_board(monitor, now_ns, &board);
}

static void count_ladder(void *ctx, const struct telling *t)
{
	nr_ladders++;
	assert_true(t->ladder->nr > 0);
}

/* ---- tests ---- */

static void failures_that_are_alike_are_one_line(void **state)
{
	begin(false);
	for (uint64_t i = 1; i <= 20; i++)
		refuse(T0 + i * 10 * MSEC, i);
	look(T0 + 2 * SEC);

	assert_int_equal(board.nr_troubles, 1);
	assert_int_equal(board.troubles[0].kind, TROUBLE_FAILED);
	assert_int_equal(board.troubles[0].outcome, OUTCOME_REFUSED);
	assert_int_equal(board.troubles[0].err, ECONNREFUSED);
	assert_int_equal(board.troubles[0].count, 20);
	assert_int_equal(board.troubles[0].per_s, 10 * 1000);
	assert_int_equal(board.troubles[0].handshake_ns, MSEC);
	assert_int_equal(board.troubles[0].owner.pid, 812);
	assert_int_equal(board.counts.outcomes[OUTCOME_REFUSED], 20);
	assert_int_equal(board.failed_per_s, 10 * 1000);
}

static void the_ladder_of_a_failure_can_be_asked_for_after_its_end(void **state)
{
	begin(false);
	refuse(T0 + MSEC, 1);
	look(T0 + 2 * SEC);

	assert_true(monitor_ladder(monitor, board.troubles[0].handle, 0, count_ladder, NULL));
	assert_int_equal(nr_ladders, 1);
	assert_false(monitor_ladder(monitor, 12345, 0, count_ladder, NULL));
	assert_int_equal(nr_ladders, 1);
}

static void of_a_crowd_of_failures_a_ladder_a_second_is_kept(void **state)
{
	begin(false);
	for (uint64_t i = 1; i <= 100; i++)
		refuse(T0 + i * MSEC, i);
	look(T0 + 2 * SEC);

	assert_true(monitor_ladder(monitor, board.troubles[0].handle, 0, count_ladder, NULL));
	assert_int_equal(monitor->troubles.nr_ladders, 1);
}

static void a_syn_that_is_sent_again_shows_while_it_lasts(void **state)
{
	union event again = { .retransmit = retransmit_of(T0 + SEC, 1, TS_SYN_SENT) };

	begin(false);
	state_at(T0, 1, TS_CLOSE, TS_SYN_SENT);
	again.retransmit.tcp_flags = 2;
	again.retransmit.seq = 100;
	again.retransmit.end_seq = 101;
	feed(again);
	look(T0 + 3 * SEC);

	assert_int_equal(board.nr_troubles, 1);
	assert_int_equal(board.troubles[0].kind, TROUBLE_PENDING);
	assert_int_equal(board.troubles[0].state, TS_SYN_SENT);
	assert_int_equal(board.troubles[0].syn_again, 1);
	assert_int_equal(board.troubles[0].handshake_ns, 3 * SEC);
	assert_int_equal(board.counts.retransmits[WIRE_SYN], 1);
	assert_true(monitor_ladder(monitor, board.troubles[0].handle, 0, count_ladder, NULL));

	state_at(T0 + 3 * SEC, 1, TS_SYN_SENT, TS_ESTABLISHED);
	look(T0 + 4 * SEC);
	assert_int_equal(board.nr_troubles, 1);
	assert_int_equal(board.troubles[0].kind, TROUBLE_SLOW);
	assert_int_equal(board.troubles[0].handshake_ns, 3 * SEC);
	assert_true(monitor_ladder(monitor, board.troubles[0].handle, 0, count_ladder, NULL));
	assert_int_equal(nr_ladders, 2);
}

static void a_quick_handshake_is_no_trouble(void **state)
{
	begin(false);
	state_at(T0, 1, TS_CLOSE, TS_SYN_SENT);
	state_at(T0 + TROUBLES_SLOW_NS - 1, 1, TS_SYN_SENT, TS_ESTABLISHED);
	look(T0 + SEC);
	assert_int_equal(board.nr_troubles, 0);
}

static void the_slowest_stay_until_they_are_long_past(void **state)
{
	begin(false);
	for (uint64_t i = 1; i <= TROUBLES_SLOW + 10; i++) {
		state_at(T0, i, TS_CLOSE, TS_SYN_SENT);
		state_at(T0 + i * 10 * MSEC, i, TS_SYN_SENT, TS_ESTABLISHED);
	}
	look(T0 + SEC);
	assert_int_equal(board.nr_troubles, TROUBLES_SLOW);
	for (unsigned int i = 0; i < board.nr_troubles; i++)
		assert_true(board.troubles[i].handshake_ns > 10 * 10 * MSEC);
	look(T0 + 1000 * SEC);
	assert_int_equal(board.nr_troubles, 0);
}

/* Every one to another port: more than there is room for. */
static void what_finds_no_room_is_not_kept_and_nothing_breaks(void **state)
{
	begin(false);
	for (uint64_t i = 1; i <= 3000; i++)
		refuse_at(T0 + i * MSEC, i, i);
	feed((union event){ .tick = tick_of(T0 + 5 * SEC) });
	look(T0 + 5 * SEC);
	assert_true(board.nr_troubles > 100 && board.nr_troubles <= BOARD_TROUBLES);
	assert_true(monitor->troubles.ungrouped > 0);
	assert_int_equal(board.counts.outcomes[OUTCOME_REFUSED], 3000);
}

static void rates_are_of_the_time_between_two_samples(void **state)
{
	begin(false);
	for (uint64_t i = 1; i <= 30; i++) {
		state_at(T0 + i * MSEC, i, TS_CLOSE, TS_SYN_SENT);
		state_at(T0 + i * MSEC + 1000, i, TS_SYN_SENT, TS_ESTABLISHED);
	}
	look(T0 + 2 * SEC);
	assert_int_equal(board.per_s[TS_CLOSE][TS_SYN_SENT], 15 * 1000);
	assert_int_equal(board.per_s[TS_SYN_SENT][TS_ESTABLISHED], 15 * 1000);
	assert_int_equal(series_back(&board.rates[RATE_OPENS], 0), 15 * 1000);
	look(T0 + 4 * SEC);
	assert_int_equal(board.per_s[TS_CLOSE][TS_SYN_SENT], 0);
	assert_int_equal(series_back(&board.rates[RATE_OPENS], 0), 0);
	assert_int_equal(series_back(&board.rates[RATE_OPENS], 1), 15 * 1000);
}

static void what_the_kernel_counted_is_told_whatever_the_ring_lost(void **state)
{
	struct wire_counters counters = {};

	begin(true);
	counters.transitions[TS_CLOSE][TS_SYN_SENT] = 500;
	counters.transitions[TS_SYN_SENT][TS_ESTABLISHED] = 400;
	counters.retransmits[WIRE_DATA] = 7;
	counters.resets_sent[3] = 2;
	counters.resets_received[TS_ESTABLISHED] = 5;
	state_at(T0 + MSEC, 1, TS_CLOSE, TS_SYN_SENT);	/* all that got through */
	monitor_kernel(monitor, &counters);
	monitor_count_off(monitor, &counters);
	look(T0 + SEC);

	assert_true(board.exact);
	assert_int_equal(board.counts.transitions[TS_CLOSE][TS_SYN_SENT], 500);
	assert_int_equal(board.per_s[TS_SYN_SENT][TS_ESTABLISHED], 400 * 1000);
	assert_int_equal(board.counts.retransmits[WIRE_DATA], 7);
	assert_int_equal(board.resets_sent_per_s, 2 * 1000);
	assert_int_equal(board.resets_received_per_s, 5 * 1000);
}

static void open_sockets_are_counted_by_their_owner(void **state)
{
	begin(false);
	for (uint64_t i = 1; i <= 5; i++) {
		state_at(T0 + i, i, TS_CLOSE, TS_SYN_SENT);
		state_at(T0 + i + MSEC / 2, i, TS_SYN_SENT, TS_ESTABLISHED);
	}
	state_at(T0 + 2 * MSEC, 5, TS_ESTABLISHED, TS_CLOSE_WAIT);
	monitor_walk(monitor);
	look(T0 + SEC);

	assert_int_equal(board.nr_owners, 1);
	assert_string_equal(board.owners[0].comm, "nginx");
	assert_int_equal(board.owners[0].pid, 812);
	assert_int_equal(board.owners[0].open, 5);
	assert_int_equal(board.owners[0].close_wait, 1);
	assert_true(board.has_sockets);
	assert_int_equal(board.sockets[TS_ESTABLISHED], 4);
	assert_int_equal(board.sockets[TS_CLOSE_WAIT], 1);
	assert_int_equal(board.nr_conns, 5);
	assert_int_equal(board.conns[0].id, 5);		/* it was touched last */
	assert_int_equal(board.conns[0].state, TS_CLOSE_WAIT);
	assert_true(monitor_ladder(monitor, 0, 5, count_ladder, NULL));
	assert_false(monitor_ladder(monitor, 0, 99, count_ladder, NULL));
}

static void processes_of_one_name_are_one_line_without_a_pid(void **state)
{
	begin(false);
	for (uint64_t i = 1; i <= 2; i++) {
		union event ev = { .state = state_of(T0 + i, i, TS_CLOSE, TS_SYN_SENT) };

		ev.state.owner = (struct wire_owner){ .pid = 800 + i, .comm = "worker" };
		ev.state.born = i;
		feed(ev);
	}
	monitor_walk(monitor);
	look(T0 + SEC);
	assert_int_equal(board.nr_owners, 1);
	assert_int_equal(board.owners[0].pid, 0);
	assert_int_equal(board.owners[0].open, 2);
}

#define REST "9c8d1e2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5"

/* Of version 1 the kernel tells of all of them that they are in the root of version 2. */
static void processes_of_two_containers_are_two_lines(void **state)
{
	static const char *const paths[] = {
		"/docker/3f2a" REST, "/docker/4f2a" REST, "",	/* not known */
	};
	unsigned int seen = 0;

	begin(false);
	for (uint64_t i = 0; i < 6; i++) {
		union event process = { .process = { .hdr.kind = WIRE_PROCESS, .pid = 800 + i,
						     .born = 1, .comm = "nginx" } };
		union event ev = { .state = state_of(T0 + i, 1 + i, TS_CLOSE, TS_SYN_SENT) };

		process.process.cgroup_len = strlen(paths[i % 3]);
		memcpy(process.process.text, paths[i % 3], strlen(paths[i % 3]));
		feed(process);
		ev.state.owner = (struct wire_owner){
			.pid = 800 + i, .comm = "nginx", .cgroup = 1 };
		ev.state.born = 1;
		feed(ev);
	}
	monitor_walk(monitor);
	look(T0 + SEC);
	assert_int_equal(board.nr_owners, 3);
	for (unsigned int i = 0; i < 3; i++) {
		const char *where = board.owners[i].where;

		assert_int_equal(board.owners[i].open, 2);
		seen |= !strcmp(where, "3f2a9c8d1e2b") << 0 | !strcmp(where, "4f2a9c8d1e2b") << 1 |
			!strcmp(where, "") << 2;
	}
	assert_int_equal(seen, 7);
}

static void losses_are_on_the_board(void **state)
{
	begin(false);
	feed((union event){ .lost = lost_of(T0 + MSEC, WIRE_LOST_RING, 120) });
	look(T0 + SEC);
	assert_int_equal(board.lost[LOST_RING], 120);
	assert_int_equal(board_lost(&board), 120);
}

/* Of a namespace of 100 ports, n of which are taken towards one destination. */
static void census_of_ports(uint64_t at_ns, unsigned int n)
{
	union event facts = { .facts = {
		.hdr = hdr_of(WIRE_NETNS_FACTS, sizeof(facts.facts), at_ns, 0),
		.known = (1ull << WIRE_FACTS) - 1,
		.values = {
			[WIRE_F_TW_LIMIT] = 1000, [WIRE_F_PORT_LO] = 40000,
			[WIRE_F_PORT_HI] = 40099,
		},
	} };
	union event end = { .census_end = census_end_of(at_ns + 1, at_ns) };

	feed(facts);
	for (unsigned int i = 0; i < n; i++) {
		union event ev = { .mini = mini_of_census(at_ns, i + 1, TS_TIME_WAIT) };

		ev.mini.flags = WIRE_M_SHARED;
		ev.mini.left = HZ * 12;
		feed(ev);
	}
	end.census_end.which = WIRE_CENSUS_PORTS;
	end.census_end.hdr.netns = 1;
	feed(end);
	end.census_end.hdr.netns = 0;
	feed(end);
}

static void a_census_tells_time_wait_and_ports(void **state)
{
	begin(true);
	census_of_ports(T0 + MSEC, 80);
	look(T0 + SEC);
	assert_true(board.has_places);
	assert_int_equal(board.nr_places, 1);
	assert_int_equal(board.places[0].count, 80);
	assert_int_equal(board.places[0].limit, 1000);
	assert_int_equal(board.places[0].left[2], 80);
	assert_int_equal(board.nr_spaces, 1);
	assert_int_equal(board.spaces[0].used, 80);
	assert_int_equal(board.spaces[0].capacity, 100);
	census_of_ports(T0 + 2 * SEC, 0);
	look(T0 + 3 * SEC);
	assert_int_equal(board.nr_places, 1);
	assert_int_equal(board.places[0].count, 0);
	assert_int_equal(board.nr_spaces, 0);
}

static void a_handshake_under_way_at_the_end_is_still_told(void **state)
{
	union event again = { .retransmit = retransmit_of(T0 + SEC, 1, TS_SYN_SENT) };

	begin(false);
	state_at(T0, 1, TS_CLOSE, TS_SYN_SENT);
	again.retransmit.tcp_flags = 2;
	feed(again);
	feed((union event){ .end = end_of(T0 + 2 * SEC, 1) });
	monitor_board(monitor, T0 + 2 * SEC, &board);
	assert_int_equal(board.nr_troubles, 1);
	assert_int_equal(board.troubles[0].kind, TROUBLE_PENDING);
	assert_int_equal(board.sockets[TS_SYN_SENT], 1);
}

static void how_failed_attempts_closed_says_nothing_more(void **state)
{
	begin(false);
	refuse(T0 + MSEC, 1);
	look(T0 + SEC);
	for (unsigned int i = 0; i < CLOSE_MAX; i++)
		assert_int_equal(board.counts.closes[i], 0);
}

static void what_was_open_at_the_end_is_what_is_left(void **state)
{
	begin(false);
	state_at(T0 + 1, 1, TS_CLOSE, TS_SYN_SENT);
	state_at(T0 + MSEC, 1, TS_SYN_SENT, TS_ESTABLISHED);
	feed((union event){ .end = end_of(T0 + SEC, 1) });
	monitor_board(monitor, T0 + SEC, &board);
	assert_int_equal(board.sockets[TS_ESTABLISHED], 1);
	assert_int_equal(board.owners[0].open, 1);
	assert_int_equal(board.unseen, 0);
	assert_int_equal(board.connections, 0);	/* none has ended */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_teardown(f, deinit)
		T(failures_that_are_alike_are_one_line),
		T(the_ladder_of_a_failure_can_be_asked_for_after_its_end),
		T(of_a_crowd_of_failures_a_ladder_a_second_is_kept),
		T(a_syn_that_is_sent_again_shows_while_it_lasts),
		T(a_quick_handshake_is_no_trouble),
		T(the_slowest_stay_until_they_are_long_past),
		T(what_finds_no_room_is_not_kept_and_nothing_breaks),
		T(rates_are_of_the_time_between_two_samples),
		T(what_the_kernel_counted_is_told_whatever_the_ring_lost),
		T(open_sockets_are_counted_by_their_owner),
		T(processes_of_one_name_are_one_line_without_a_pid),
		T(processes_of_two_containers_are_two_lines),
		T(losses_are_on_the_board),
		T(a_census_tells_time_wait_and_ports),
		T(what_was_open_at_the_end_is_what_is_left),
		T(a_handshake_under_way_at_the_end_is_still_told),
		T(how_failed_attempts_closed_says_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
