// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "addrset.h"
#include "sample_events.h"
#include "survey.h"

#define TOLD_MAX	64

static struct survey survey;
static struct names names;
static struct filter filter;	/* everything, unless a test says otherwise */
static struct report told[TOLD_MAX];
static struct wire_tuple told_tuples[TOLD_MAX];
static uint64_t told_left[TOLD_MAX][TW_STEPS];
static unsigned int nr_told;
static bool only_count;

static void on_report(void *ctx, const struct report *r)
{
	if (only_count) {
		nr_told++;
		return;
	}
	assert_true(nr_told < TOLD_MAX);
	told[nr_told] = *r;
	if (r->tuple)
		told_tuples[nr_told] = *r->tuple;
	if (r->kind == REPORT_TIME_WAIT)
		memcpy(told_left[nr_told], r->time_wait.left, sizeof(told_left[0]));
	nr_told++;
}

static void feed(union event ev)
{
	survey_feed(&survey, &ev);
}

static void init(enum survey_of of, struct wire_scope scope)
{
	const struct survey_config config = {
		.of = of, .filter = &filter, .scope.sockets = scope, .groups = 3,
		.older_ns = 60 * SEC, .repeats = true,
		.names = &names, .report = on_report,
	};

	nr_told = 0;
	filter = (struct filter){};
	assert_int_equal(names_init(&names), 0);
	assert_int_equal(survey_init(&survey, &config), 0);
	feed((union event){ .start = start_of(T0) });
	feed((union event){ .clock = {
		.hdr = hdr_of(WIRE_CLOCK, sizeof(struct wire_clock), T0, 0), .offset_ns = 7 } });
}

static int deinit(void **state)
{
	survey_deinit(&survey);
	filter.len = 0;
	names_deinit(&names);
	return 0;
}

/* ---- records ---- */

static void facts_at(uint32_t netns, uint64_t at_ns)
{
	union event ev = { .facts = {
		.hdr = hdr_of(WIRE_NETNS_FACTS, sizeof(ev.facts), at_ns, 0),
		.known = (1ull << WIRE_FACTS) - 1,
		.values = {
			[WIRE_F_TW_LIMIT] = 65536, [WIRE_F_PORT_LO] = 40000,
			[WIRE_F_PORT_HI] = 40099, [WIRE_F_TW_OVERFLOWS] = 4,
			[WIRE_F_LISTEN_OVERFLOWS] = 11, [WIRE_F_LISTEN_DROPS] = 12,
		},
	} };

	ev.hdr.netns = netns;
	feed(ev);
}

static void facts(uint32_t netns)
{
	facts_at(netns, T0);
}

static void mini(uint32_t netns, uint16_t n)
{
	union event ev = { .mini = {
		.hdr = hdr_of(WIRE_MINI, sizeof(ev.mini), T0, n), .tuple = tuple_of(n),
		.left = 30 * HZ, .substate = TS_TIME_WAIT, .flags = WIRE_M_SHARED,
	} };

	ev.hdr.netns = netns;
	feed(ev);
}

static void socket_in(uint32_t netns, uint16_t n, enum tcp_state state)
{
	union event ev = { .socket = {
		.hdr = hdr_of(WIRE_SOCKET, sizeof(ev.socket), T0, n), .tuple = tuple_of(n),
		.state = state, .flags = WIRE_M_SHARED,
	} };

	ev.hdr.netns = netns;
	feed(ev);
}

static void census_end(uint32_t netns, enum wire_census_which which, uint64_t at_ns)
{
	union event ev = { .census_end = {
		.hdr = hdr_of(WIRE_CENSUS_END, sizeof(ev.census_end), at_ns, 0),
		.which = which,
	} };

	ev.hdr.netns = netns;
	feed(ev);
}

static void listener(uint64_t sock, uint32_t netns)
{
	union event ev = { .listener = {
		.hdr = hdr_of(WIRE_LISTENER, sizeof(ev.listener), T0, sock),
		.tuple = tuple_of(0), .queue = 3, .limit = 128, .drops = 5,
	} };

	ev.hdr.sock = sock;
	ev.hdr.netns = netns;
	ev.listener.tuple.rport = 0;
	feed(ev);
}

static void request(uint64_t listener_sock, uint64_t sent_ns)
{
	feed((union event){ .request = {
		.hdr = hdr_of(WIRE_REQUEST, sizeof(struct wire_request), T0, 1),
		.tuple = tuple_of(1), .listener = listener_sock, .snt_synack_us = sent_ns / 1000,
		.num_retrans = 2 } });
}

static void owner(uint64_t sock)
{
	union event ev = { .owner_of = {
		.hdr = hdr_of(WIRE_OWNER, sizeof(ev.owner_of), T0, 0),
		.owner = { .pid = 812, .comm = "nginx" }, .fd = 6,
	} };

	ev.hdr.sock = sock;
	feed(ev);
}

static void aged(uint64_t sock, enum tcp_state state, unsigned int heard_s, uint8_t flags)
{
	union event ev = { .aged = {
		.hdr = hdr_of(WIRE_AGED, sizeof(ev.aged), T0, sock), .tuple = tuple_of(sock),
		.heard = heard_s * HZ, .state = state, .flags = flags,
	} };

	ev.hdr.sock = sock;
	feed(ev);
}

static const struct report *nth(enum report_kind kind, unsigned int n)
{
	for (unsigned int i = 0; i < nr_told; i++) {
		if (told[i].kind == kind && !n--)
			return &told[i];
	}
	return NULL;
}

/* ---- TIME_WAIT ---- */

/* What an iterator that counts makes of them. */
struct counted {
	struct wire_mini_group groups[8];
	struct wire_mini_ports ports[1024];
	struct wire_mini_pool pool;
	unsigned int nr;
};

static void count(struct counted *c, const struct wire_mini *mini, bool takes_port)
{
	bool waits = mini->substate == TS_TIME_WAIT;
	struct wire_tuple ends = mini->tuple;
	struct wire_mini_group *group = c->groups;
	uint16_t lport = ends.lport;
	uint64_t bit = 1ull << lport % 64;

	ends.lport = 0;
	ends.rport = takes_port ? ends.rport : 0;
	while (group < c->groups + c->nr && memcmp(&group->tuple, &ends, sizeof(ends)))
		group++;
	assert_true(group < c->groups + 8);
	if (group == c->groups + c->nr)
		c->groups[c->nr++].tuple = ends;
	group->time_wait += waits;
	group->fin_wait2 += !waits;
	c->ports[lport / 64].counts[lport % 64] += waits;
	if (waits)
		group->left[mini->left / (5 * (int)HZ)]++;
	if (waits && mini->flags & WIRE_M_STAMPED)	/* the delay is 0 in facts_at() */
		group->stamped++;
	if (!takes_port)
		return;
	c->pool.taken[lport / 64] |= bit;
	c->pool.waits[lport / 64] |= waits ? bit : 0;
	c->pool.bound += !(mini->flags & WIRE_M_SHARED);
}

static void feed_counted(struct counted *c)
{
	for (unsigned int i = 0; i < c->nr; i++) {
		c->groups[i].hdr = hdr_of(WIRE_MINI_GROUP, sizeof(c->groups[i]), T0, 0);
		feed((union event){ .mini_group = c->groups[i] });
	}
	for (unsigned int i = 0; i < 1024; i++) {
		c->ports[i].hdr = hdr_of(WIRE_MINI_PORTS, sizeof(c->ports[i]), T0, 0);
		c->ports[i].first = i * 64;
		feed((union event){ .mini_ports = c->ports[i] });
	}
	c->pool.hdr = hdr_of(WIRE_MINI_POOL, sizeof(c->pool), T0, 0);
	feed((union event){ .mini_pool = c->pool });
}

/* Of two hosts, on ports of which some are connect()'s, some are not, one is listened on. */
static struct wire_mini some_mini(unsigned int n)
{
	struct wire_mini mini = {
		.hdr = hdr_of(WIRE_MINI, sizeof(mini), T0, n), .tuple = tuple_of(0),
		.left = n * 997 % (60 * HZ), .substate = n % 7 ? TS_TIME_WAIT : TS_FIN_WAIT2,
		.flags = (n % 5 ? WIRE_M_SHARED : 0) | (n % 3 ? WIRE_M_STAMPED : 0),
	};

	mini.tuple.lport = n % 11 ? 39980 + n * 13 % 120 : 40050;
	mini.tuple.raddr[15] = n % 2;
	return mini;
}

static void open_one_census(void)
{
	facts(1);
	feed((union event){ .socket = {
		.hdr = hdr_of(WIRE_SOCKET, sizeof(struct wire_socket), T0, 1),
		.tuple = { .lport = 40050, .family = 4 }, .state = TS_LISTEN } });
}

static void what_the_kernel_counted_is_told_as_if_one_by_one(void **state)
{
	static struct report rows[TOLD_MAX];
	static uint64_t rows_left[TW_STEPS];
	static struct counted c;
	unsigned int nr;

	memset(&c, 0, sizeof(c));
	memcpy(c.pool.laddr, tuple_of(0).laddr, sizeof(c.pool.laddr));
	c.pool.family = 4;
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	open_one_census();
	for (unsigned int n = 0; n < 5000; n++) {
		union event ev = { .mini = some_mini(n) };
		uint16_t lport = ev.mini.tuple.lport;

		feed(ev);
		count(&c, &ev.mini, lport >= 40000 && lport <= 40099 && lport != 40050);
	}
	census_end(1, WIRE_CENSUS_PORTS, T0 + SEC);
	nr = nr_told;
	memcpy(rows, told, sizeof(rows));
	memcpy(rows_left, told_left[0], sizeof(rows_left));
	assert_non_null(nth(REPORT_PORT_SPACE, 2));	/* two hosts', and the pool */
	deinit(state);

	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	open_one_census();
	feed_counted(&c);
	census_end(1, WIRE_CENSUS_PORTS, T0 + SEC);
	assert_int_equal(nr_told, nr);
	assert_memory_equal(told_left[0], rows_left, sizeof(rows_left));
	assert_int_equal(told[0].time_wait.count, rows[0].time_wait.count);
	assert_int_equal(told[0].time_wait.fin_wait2, rows[0].time_wait.fin_wait2);
	for (unsigned int i = 1; i < nr; i++) {
		assert_int_equal(told[i].kind, rows[i].kind);
		if (told[i].kind == REPORT_TW_GROUP) {
			assert_int_equal(told[i].tw_group.by, rows[i].tw_group.by);
			assert_int_equal(told[i].tw_group.count, rows[i].tw_group.count);
			assert_int_equal(told[i].tw_group.lport, rows[i].tw_group.lport);
		} else {
			assert_memory_equal(&told[i].port_space, &rows[i].port_space,
					    sizeof(rows[i].port_space));
		}
	}
}

static void what_was_counted_elsewhere_is_nobodys(void **state)
{
	union event ev = { .mini_group = {
		.hdr = hdr_of(WIRE_MINI_GROUP, sizeof(ev.mini_group), T0, 0),
		.tuple = tuple_of(0), .time_wait = 5,
	} };

	init(SURVEY_TIME_WAIT, (struct wire_scope){ .netns = 1 });
	facts(1);
	ev.hdr.netns = 2;
	feed(ev);
	census_end(1, WIRE_CENSUS_PORTS, T0 + SEC);
	assert_int_equal(told[0].time_wait.count, 0);
}

static void a_namespace_is_told_when_its_rows_are_over(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	facts(1);
	mini(1, 0);
	mini(1, 1);
	socket_in(1, 2, TS_ESTABLISHED);
	assert_int_equal(nr_told, 0);
	census_end(1, WIRE_CENSUS_PORTS, T0 + SEC);
	assert_int_equal(told[0].kind, REPORT_TIME_WAIT);
	assert_int_equal(told[0].netns, 1);
	assert_int_equal(told[0].at_ns, T0 + SEC);
	assert_int_equal(told[0].clock_ns, 7);
	assert_int_equal(told[0].time_wait.count, 2);
	assert_int_equal(told[0].time_wait.limit, 65536);
	assert_int_equal(told[0].time_wait.overflows, 4);
	assert_int_equal(told_left[0][6], 2);
	assert_int_equal(told[0].time_wait.entered_milli_s, UNKNOWN_COUNT);
	assert_int_equal(nth(REPORT_TW_GROUP, 0)->tw_group.by, BY_REMOTE);
	assert_int_equal(nth(REPORT_TW_GROUP, 0)->tw_group.count, 2);
	assert_int_equal(nth(REPORT_TW_GROUP, 1)->tw_group.by, BY_LOCAL_PORT);
	assert_int_equal(nth(REPORT_PORT_SPACE, 0)->port_space.used, 3);
	assert_int_equal(nth(REPORT_PORT_SPACE, 0)->port_space.time_wait, 2);
	assert_int_equal(nth(REPORT_PORT_SPACE, 0)->port_space.capacity, 100);
}

static void namespaces_do_not_mix(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	facts(1);
	mini(1, 0);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	facts(2);
	mini(2, 0);
	mini(2, 1);
	census_end(2, WIRE_CENSUS_PORTS, T0);
	assert_int_equal(nth(REPORT_TIME_WAIT, 0)->time_wait.count, 1);
	assert_int_equal(nth(REPORT_TIME_WAIT, 1)->time_wait.count, 2);
	assert_int_equal(nth(REPORT_PORT_SPACE, 1)->port_space.used, 2);
}

static void an_empty_namespace_is_told_too(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	facts(1);
	mini(1, 0);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	facts(2);
	census_end(2, WIRE_CENSUS_PORTS, T0);
	assert_int_equal(nth(REPORT_TIME_WAIT, 1)->netns, 2);
	assert_int_equal(nth(REPORT_TIME_WAIT, 1)->time_wait.count, 0);
	assert_int_equal(told[nr_told - 1].kind, REPORT_TIME_WAIT);
}

static void groups_that_are_not_told_apart_are_told_together(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	facts(1);
	for (int i = 0; i < 5; i++)
		mini(1, i);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	assert_int_equal(nth(REPORT_TW_GROUP, 4)->tw_group.by, BY_LOCAL_PORT);
	assert_true(nth(REPORT_TW_GROUP, 4)->tw_group.rest);
	assert_int_equal(nth(REPORT_TW_GROUP, 4)->tw_group.count, 2);
	assert_null(nth(REPORT_TW_GROUP, 5));
}

static void without_facts_limits_are_not_known(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	mini(1, 0);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	assert_int_equal(told[0].time_wait.count, 1);
	assert_int_equal(told[0].time_wait.limit, UNKNOWN_COUNT);
	assert_int_equal(told[0].time_wait.overflows, UNKNOWN_COUNT);
	assert_int_equal(nth(REPORT_PORT_SPACE, 0)->port_space.capacity, UNKNOWN_COUNT);
}

static void facts_are_of_their_namespace_only(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	facts(1);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	mini(2, 0);
	census_end(2, WIRE_CENSUS_PORTS, T0);
	assert_int_equal(nth(REPORT_TIME_WAIT, 1)->time_wait.limit, UNKNOWN_COUNT);
}

static void what_entered_between_two_censuses_is_a_rate(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	survey_entered(&survey, 1);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	census_end(0, WIRE_CENSUS_PORTS, T0);
	for (int i = 0; i < 5; i++)
		survey_entered(&survey, 1);
	census_end(1, WIRE_CENSUS_PORTS, T0 + 2 * SEC);
	assert_int_equal(nth(REPORT_TIME_WAIT, 1)->time_wait.entered_milli_s, 2500);
}

static void a_space_that_grows_has_a_forecast(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	for (int census = 0; census < 2; census++) {
		facts_at(1, T0 + census * SEC);
		for (int i = 0; i < 10 * (census + 1); i++)
			mini(1, i);
		census_end(1, WIRE_CENSUS_PORTS, T0 + census * SEC);
		census_end(0, WIRE_CENSUS_PORTS, T0 + census * SEC);
	}
	assert_int_equal(nth(REPORT_PORT_SPACE, 0)->port_space.full_in_ms, UNKNOWN_COUNT);
	assert_int_equal(nth(REPORT_PORT_SPACE, 1)->port_space.full_in_ms, 8000);
}

static void what_is_out_of_scope_is_not_counted(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){
		.netns = 1, .rports = { .len = 1, .range = { { 443, 443 } } },
		.lports = { .len = 1, .range = { { 40001, 40001 } } } });
	facts(1);
	mini(1, 0);
	mini(1, 1);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	mini(2, 1);
	census_end(2, WIRE_CENSUS_PORTS, T0);
	assert_int_equal(nth(REPORT_TIME_WAIT, 0)->time_wait.count, 1);
	assert_null(nth(REPORT_TIME_WAIT, 1));
}

static void a_filter_asks_for_states_and_ports(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	filter_add(&filter, &(struct filter_node){
		.kind = FILTER_STATE, .states = 1u << TS_TIME_WAIT });
	filter_add(&filter, &(struct filter_node){
		.kind = FILTER_PORT, .ports = { 40001, 40002 } });
	filter_join(&filter, FILTER_AND, 0, 1);
	facts(1);
	mini(1, 0);
	mini(1, 1);
	socket_in(1, 2, TS_ESTABLISHED);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	assert_int_equal(told[0].time_wait.count, 1);
	assert_int_equal(nth(REPORT_PORT_SPACE, 0)->port_space.used, 1);
}

/* What waits at a listening socket waits there, whoever it is. */
static void requests_are_counted_whatever_is_asked_of_their_peers(void **state)
{
	init(SURVEY_LISTENERS, (struct wire_scope){ .family = 4 });
	listener(0x1000, 1);
	request(0x1000, T0);
	survey.config.scope.raddrs = addrset_of(tuple_of(0).laddr, 128);
	request(0x1000, T0);
	request(0x2000, T0);	/* of a socket that nobody asked for */
	census_end(0, WIRE_CENSUS_LISTENERS, T0 + SEC);
	assert_int_equal(nth(REPORT_LISTENER, 0)->listener.half_open, 2);
	assert_null(nth(REPORT_LISTENER, 1));
}

/* What a recording of trace begins with. */
static void a_census_of_lives_will_do_if_there_is_no_other(void **state)
{
	union event ev = { .census = {
		.hdr = hdr_of(WIRE_CENSUS, sizeof(ev.census), T0, 9), .tuple = tuple_of(9),
		.state = TS_ESTABLISHED,
	} };

	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	mini(1, 0);
	feed(ev);
	census_end(1, WIRE_CENSUS_LIVES, T0);
	assert_int_equal(nth(REPORT_TIME_WAIT, 0)->time_wait.count, 1);
	assert_int_equal(nth(REPORT_PORT_SPACE, 0)->port_space.used, 2);
}

/* After losses, in between. */
static void a_census_of_lives_does_not_disturb_the_others(void **state)
{
	init(SURVEY_TIME_WAIT, (struct wire_scope){});
	mini(1, 0);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	census_end(0, WIRE_CENSUS_PORTS, T0);
	nr_told = 0;
	mini(1, 0);
	mini(1, 1);
	census_end(1, WIRE_CENSUS_LIVES, T0);
	census_end(0, WIRE_CENSUS_LIVES, T0);
	assert_int_equal(nr_told, 0);
	mini(1, 0);
	census_end(1, WIRE_CENSUS_PORTS, T0 + SEC);
	assert_int_equal(told[0].time_wait.count, 1);
	assert_int_equal(nth(REPORT_PORT_SPACE, 0)->port_space.used, 1);
}

/* ---- listening sockets ---- */

static void listening_sockets_are_told_with_owners_when_all_is_over(void **state)
{
	init(SURVEY_LISTENERS, (struct wire_scope){});
	facts(1);
	listener(100, 1);
	request(100, T0 - SEC);
	census_end(1, WIRE_CENSUS_LISTENERS, T0);
	facts(2);
	census_end(2, WIRE_CENSUS_LISTENERS, T0);
	assert_int_equal(nr_told, 0);
	owner(100);
	census_end(0, WIRE_CENSUS_LISTENERS, T0 + SEC);
	assert_int_equal(told[0].kind, REPORT_LISTENER);
	assert_int_equal(told[0].listener.accept_queue, 3);
	assert_int_equal(told[0].listener.accept_queue_limit, 128);
	assert_int_equal(told[0].listener.half_open, 1);
	assert_int_equal(told[0].listener.synack_retrans, 2);
	assert_int_equal(told[0].listener.oldest_ns, 2 * SEC);
	assert_int_equal(told[0].listener.drops, 5);
	assert_int_equal(told[0].owner->pid, 812);
	assert_int_equal(told[1].kind, REPORT_LISTENERS);
	assert_int_equal(told[1].netns, 1);
	assert_int_equal(told[1].listeners.count, 1);
	assert_int_equal(told[1].listeners.overflows, 11);
	assert_int_equal(told[1].listeners.drops, 12);
	assert_int_equal(told[2].netns, 2);
	assert_int_equal(told[2].listeners.count, 0);
	assert_int_equal(nr_told, 3);
}

static void each_census_begins_anew(void **state)
{
	init(SURVEY_LISTENERS, (struct wire_scope){});
	listener(100, 1);
	census_end(0, WIRE_CENSUS_LISTENERS, T0);
	nr_told = 0;
	listener(100, 1);
	census_end(0, WIRE_CENSUS_LISTENERS, T0 + SEC);
	assert_int_equal(nr_told, 2);
	assert_null(told[0].owner);
	assert_int_equal(told[0].listener.oldest_ns, UNKNOWN_NS);
	assert_int_equal(told[1].listeners.overflows, UNKNOWN_COUNT);
}

/* ---- stuck sockets ---- */

static void who_is_older_than_the_limit_is_told(void **state)
{
	init(SURVEY_STUCK, (struct wire_scope){});
	aged(1, TS_CLOSE_WAIT, 90, 0);
	aged(2, TS_CLOSE_WAIT, 59, 0);
	aged(3, TS_FIN_WAIT2, 60, WIRE_A_ORPHAN);
	aged(4, TS_LAST_ACK, 90, 0);	/* nothing bounds its age */
	census_end(1, WIRE_CENSUS_AGED, T0);
	owner(1);
	census_end(0, WIRE_CENSUS_AGED, T0);
	assert_int_equal(nr_told, 2);
	assert_int_equal(told[0].socket.state, TS_CLOSE_WAIT);
	assert_int_equal(told[0].socket.age_ns, 90 * SEC);
	assert_true(told[0].socket.has_fd);
	assert_int_equal(told[0].socket.fd, 6);
	assert_int_equal(told[0].owner->pid, 812);
	assert_false(told[0].socket.orphan);
	assert_int_equal(told_tuples[0].lport, 40001);
	assert_true(told[1].socket.orphan);
	assert_false(told[1].socket.has_fd);
	assert_null(told[1].owner);
	assert_int_equal(survey.undated, 1);
}

static void the_oldest_is_told_first(void **state)
{
	static const unsigned int ages[] = { 61, 900, 61, 75, 3600, 900, 62, 3600 };
	static const unsigned int order[] = { 4, 7, 1, 5, 3, 6, 0, 2 };

	init(SURVEY_STUCK, (struct wire_scope){});
	for (unsigned int i = 0; i < 8; i++)
		aged(i + 1, TS_CLOSE_WAIT, ages[i], 0);
	census_end(0, WIRE_CENSUS_AGED, T0);
	assert_int_equal(nr_told, 8);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(told[i].id, order[i] + 1);
}

/* As many as there is room for; what is left out is known when the census is over. */
static void of_a_crowd_what_found_no_room_is_counted(void **state)
{
	init(SURVEY_STUCK, (struct wire_scope){});
	only_count = true;
	for (unsigned int i = 1; i <= 100000; i++)
		aged(i, TS_CLOSE_WAIT, 90, 0);
	census_end(0, WIRE_CENSUS_AGED, T0);
	assert_int_equal(nr_told, 65536);
	assert_int_equal(survey.untold, 100000 - 65536);
	assert_int_equal(survey.undated, 0);
	aged(1, TS_CLOSE_WAIT, 90, 0);
	census_end(0, WIRE_CENSUS_AGED, T0 + SEC);
	assert_int_equal(nr_told, 65536 + 1);
	assert_int_equal(survey.untold, 0);
	deinit(state);
	init(SURVEY_LISTENERS, (struct wire_scope){});
	for (unsigned int i = 1; i <= 100000; i++)
		listener(i, 1);
	census_end(0, WIRE_CENSUS_LISTENERS, T0);
	assert_int_equal(nr_told, 65536 + 1);		/* and the namespace */
	assert_int_equal(survey.untold, 100000 - 65536);
	only_count = false;
}

static void other_rows_mean_nothing_here(void **state)
{
	init(SURVEY_STUCK, (struct wire_scope){});
	mini(1, 0);
	listener(100, 1);
	facts(1);
	census_end(1, WIRE_CENSUS_PORTS, T0);
	census_end(0, WIRE_CENSUS_PORTS, T0);
	assert_int_equal(nr_told, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, deinit)
	const struct CMUnitTest tests[] = {
		TEST(what_the_kernel_counted_is_told_as_if_one_by_one),
		TEST(what_was_counted_elsewhere_is_nobodys),
		TEST(a_namespace_is_told_when_its_rows_are_over),
		TEST(namespaces_do_not_mix),
		TEST(an_empty_namespace_is_told_too),
		TEST(groups_that_are_not_told_apart_are_told_together),
		TEST(without_facts_limits_are_not_known),
		TEST(facts_are_of_their_namespace_only),
		TEST(what_entered_between_two_censuses_is_a_rate),
		TEST(a_space_that_grows_has_a_forecast),
		TEST(what_is_out_of_scope_is_not_counted),
		TEST(a_filter_asks_for_states_and_ports),
		TEST(requests_are_counted_whatever_is_asked_of_their_peers),
		TEST(a_census_of_lives_will_do_if_there_is_no_other),
		TEST(a_census_of_lives_does_not_disturb_the_others),
		TEST(listening_sockets_are_told_with_owners_when_all_is_over),
		TEST(each_census_begins_anew),
		TEST(who_is_older_than_the_limit_is_told),
		TEST(the_oldest_is_told_first),
		TEST(of_a_crowd_what_found_no_room_is_counted),
		TEST(other_rows_mean_nothing_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
