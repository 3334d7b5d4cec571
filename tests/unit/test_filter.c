// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "filter_parse.h"
#include "report.h"
#include "sample_filters.h"

static int no_service(const char *name)
{
	return -1;
}

/* 10.0.0.1:40000 to 10.0.0.2:443, all of it known but for what a test takes away. */
static struct wire_tuple tuple;
static struct owner owner;
static struct filter_facts facts;

static int setup(void **state)
{
	tuple = tuple_of(0);
	owner = (struct owner){};
	facts = (struct filter_facts){ .tuple = &tuple, .owner = &owner,
				       .handshake_ns = UNKNOWN_NS };
	return 0;
}

static enum filter_answer ask(const char *text)
{
	struct filter_error error;
	struct filter f;

	assert_int_equal(filter_parse(text, no_service, &f, &error), 0);
	return filter_ask(&f, &facts);
}

#define YES(text)	assert_int_equal(ask(text), FILTER_YES)
#define NO(text)	assert_int_equal(ask(text), FILTER_NO)
#define MAYBE(text)	assert_int_equal(ask(text), FILTER_MAYBE)

static enum filter_answer ask_one(struct filter_node node)
{
	struct filter f = {};

	filter_add(&f, &node);
	return filter_ask(&f, &facts);
}

static void no_filter_shows_everything(void **state)
{
	YES("");
	facts = (struct filter_facts){};
	YES("");
	assert_true(filter_match(&(struct filter){}, &facts));
}

static void src_and_sport_are_the_local_end(void **state)
{
	YES("src 10.0.0.1");
	NO("dst 10.0.0.1");
	YES("dst 10.0.0.2");
	NO("src 10.0.0.2");
	YES("sport = :40000");
	NO("dport = :40000");
	YES("dport = :443");
	YES("dst 10.0.0.2:443");
	NO("dst 10.0.0.2:80");
	NO("dst 10.0.0.3:443");
}

static void comparisons_have_their_bounds(void **state)
{
	NO("dport < 443");
	YES("dport <= 443");
	YES("dport >= 443");
	NO("dport > 443");
	YES("dport > 442");
	YES("dport < 444");
	YES("dport != 80");
	NO("dport != 443");
}

static void prefixes_have_their_addresses(void **state)
{
	YES("dst 10/8");
	YES("dst 10.0.0.0/30");
	NO("dst 10.0.0.0/31");
	YES("dst 0.0.0.0/0");
	NO("dst ::/0");
	YES("dst ::ffff:10.0.0.2");
	tuple.raddr[0] = 0x20;
	NO("dst 0.0.0.0/0");
	YES("dst ::/0");
}

static void words_are_combined(void **state)
{
	YES("dport 443 and sport 40000");
	NO("dport 443 and sport 1");
	YES("dport 1 or sport 40000");
	NO("dport 1 or sport 1");
	YES("not dport 1");
	NO("not ( dport 443 or dport 1 )");
	YES("src *");
	NO("not src *");
}

static void a_state_is_one_of_those_that_it_has(void **state)
{
	facts.states = 1 << 4 | 1 << 5;	/* FIN_WAIT1 -> FIN_WAIT2 */
	YES("state fin-wait-1");
	YES("state fin-wait-2");
	NO("state established");
	YES("state connected");
	NO("exclude fin-wait-1");
	YES("exclude established");
	YES("state established state fin-wait-2");
	NO("state fin-wait-1 exclude fin-wait-2");
	facts.states = 0;
	NO("state all");
	YES("exclude all");
}

static void a_port_that_is_not_known_may_be_any(void **state)
{
	tuple.lport = 0;
	MAYBE("sport = :40000");
	MAYBE("sport != :40000");
	MAYBE("not sport = :40000");
	MAYBE("sport = :1 and dport = :443");
	NO("sport = :1 and dport = :80");
	YES("sport = :1 or dport = :443");
	MAYBE("sport = :1 or dport = :80");
	YES("dport = :443");
	tuple.rport = 0;
	MAYBE("dport = :443");
}

static void an_address_that_is_not_known_may_be_any(void **state)
{
	memset(tuple.raddr, 0, 16);
	MAYBE("dst 10/8");
	MAYBE("not dst ::/0");
	YES("src 10/8");
	tuple.raddr[10] = tuple.raddr[11] = 0xff;	/* 0.0.0.0 */
	MAYBE("dst 0.0.0.0/0");
	YES("dst *");
	facts.tuple = NULL;
	MAYBE("src 10/8");
	MAYBE("dport = :443");
	YES("src *");
}

static void what_may_be_is_not_shown(void **state)
{
	struct filter_error error;
	struct filter f;

	assert_int_equal(filter_parse("sport = :1", no_service, &f, &error), 0);
	tuple.lport = 0;
	assert_false(filter_match(&f, &facts));
	tuple.lport = 1;
	assert_true(filter_match(&f, &facts));
}

/* Its local address is what it says, even if that is 0.0.0.0; a peer it has not. */
static void a_listener_has_no_remote_end(void **state)
{
	facts.listener = true;
	memset(tuple.laddr + 12, 0, 4);
	memset(tuple.raddr, 0, 16);
	tuple.lport = 80;
	tuple.rport = 0;
	YES("sport = :80");
	YES("src 0.0.0.0");
	YES("src 0.0.0.0/0");
	NO("src 10/8");
	NO("dst 0.0.0.0/0");
	NO("dst ::/0");
	NO("dport = :443");
	NO("dport < 1024");
	YES("dport != 443");
	YES("not dst 10/8");
	YES("dst *");
	tuple.lport = 0;	/* listen() without bind() chooses it after */
	MAYBE("sport = :80");
}

static void an_owner_is_its_own(void **state)
{
	const struct filter_node pid = { .kind = FILTER_PID, .pid = 812 };
	const struct filter_node uid = { .kind = FILTER_UID, .uid = 33 };
	const struct filter_node comm = { .kind = FILTER_COMM, .comm = "nginx" };

	owner = (struct owner){ .from = OWNER_CONNECT, .pid = 812, .uid = 33, .comm = "nginx" };
	assert_int_equal(ask_one(pid), FILTER_YES);
	assert_int_equal(ask_one(uid), FILTER_YES);
	assert_int_equal(ask_one(comm), FILTER_YES);
	owner.pid++;
	owner.uid++;
	strcpy(owner.comm, "nginx2");
	assert_int_equal(ask_one(pid), FILTER_NO);
	assert_int_equal(ask_one(uid), FILTER_NO);
	assert_int_equal(ask_one(comm), FILTER_NO);
}

/* Root is 0, and no name is "". */
static void an_owner_that_is_not_known_is_nobody(void **state)
{
	const struct filter_node pid = { .kind = FILTER_PID }, uid = { .kind = FILTER_UID };
	const struct filter_node comm = { .kind = FILTER_COMM };

	assert_int_equal(ask_one(pid), FILTER_NO);
	assert_int_equal(ask_one(uid), FILTER_NO);
	assert_int_equal(ask_one(comm), FILTER_NO);
	facts.owner = NULL;
	assert_int_equal(ask_one(uid), FILTER_NO);
	owner.from = OWNER_LISTEN;
	facts.owner = &owner;
	assert_int_equal(ask_one(uid), FILTER_YES);
}

static void failed_is_what_the_facts_say(void **state)
{
	const struct filter_node failed = { .kind = FILTER_FAILED };

	assert_int_equal(ask_one(failed), FILTER_NO);
	facts.failed = true;
	assert_int_equal(ask_one(failed), FILTER_YES);
}

static void slow_is_more_than_this(void **state)
{
	const struct filter_node slow = { .kind = FILTER_SLOW, .slow_ns = 1000 };

	assert_int_equal(ask_one(slow), FILTER_NO);
	facts.handshake_ns = 1000;
	assert_int_equal(ask_one(slow), FILTER_NO);
	facts.handshake_ns = 1001;
	assert_int_equal(ask_one(slow), FILTER_YES);
}

/* ---- any filter, any socket ---- */

/* As the filter says it, node by node from the root. */
static int by_hand(const struct filter *f, unsigned int node)
{
	const struct filter_node *n = &f->node[node];
	struct filter test = {};
	int a, b;

	if (n->kind == FILTER_NOT)
		return 2 - by_hand(f, n->a);
	if (n->kind != FILTER_AND && n->kind != FILTER_OR) {
		filter_add(&test, n);
		return filter_ask(&test, &facts);
	}
	a = by_hand(f, n->a);
	b = by_hand(f, n->b);
	if (n->kind == FILTER_AND)
		return a == 0 || b == 0 ? 0 : a == 2 && b == 2 ? 2 : 1;
	return a == 2 || b == 2 ? 2 : a == 0 && b == 0 ? 0 : 1;
}

static void forget_something(uint64_t *seed)
{
	if (random_below(seed, 2))
		tuple.lport = 0;
	if (random_below(seed, 2))
		tuple.rport = 0;
	if (random_below(seed, 3) == 0)
		memset(tuple.laddr, 0, 16);
	if (random_below(seed, 3) == 0)
		memset(tuple.raddr, 0, 16);
}

static void a_filter_is_its_parts(void **state)
{
	unsigned int told[3] = {};
	uint64_t seed = 11;

	for (int turn = 0; turn < 20000; turn++) {
		struct filter f = random_filter(&seed, false);

		tuple = random_tuple(&seed, false);
		facts.states = random_below(&seed, 1 << 12);
		if (random_below(&seed, 2))
			forget_something(&seed);
		assert_int_equal(filter_ask(&f, &facts), by_hand(&f, f.len - 1));
		told[filter_ask(&f, &facts)]++;
	}
	assert_true(told[FILTER_NO] > 2000 && told[FILTER_MAYBE] > 500 && told[FILTER_YES] > 2000);
}

/* What was certain before a port was known stays so. */
static void what_becomes_known_changes_no_answer(void **state)
{
	unsigned int certain = 0;
	uint64_t seed = 13;

	for (int turn = 0; turn < 20000; turn++) {
		struct filter f = random_filter(&seed, false);
		struct wire_tuple whole = random_tuple(&seed, false);
		enum filter_answer before;

		facts.states = random_below(&seed, 1 << 12);
		tuple = whole;
		forget_something(&seed);
		before = filter_ask(&f, &facts);
		tuple = whole;
		assert_int_not_equal(filter_ask(&f, &facts), FILTER_MAYBE);
		if (before == FILTER_MAYBE)
			continue;
		assert_int_equal(filter_ask(&f, &facts), before);
		certain++;
	}
	assert_true(certain > 5000);
}

static void there_is_room_for_so_many_nodes(void **state)
{
	struct filter_node any = { .kind = FILTER_ANY };
	struct filter f = {};

	for (int i = 0; i < FILTER_NODES; i++)
		assert_int_equal(filter_add(&f, &any), i);
	assert_int_equal(filter_add(&f, &any), -1);
	assert_int_equal(filter_join(&f, FILTER_AND, 0, 1), -1);
	assert_int_equal(filter_ask(&f, &facts), FILTER_YES);
}

int main(void)
{
#define TEST(name)	cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(no_filter_shows_everything),
		TEST(src_and_sport_are_the_local_end),
		TEST(comparisons_have_their_bounds),
		TEST(prefixes_have_their_addresses),
		TEST(words_are_combined),
		TEST(a_state_is_one_of_those_that_it_has),
		TEST(a_port_that_is_not_known_may_be_any),
		TEST(an_address_that_is_not_known_may_be_any),
		TEST(what_may_be_is_not_shown),
		TEST(a_listener_has_no_remote_end),
		TEST(an_owner_is_its_own),
		TEST(an_owner_that_is_not_known_is_nobody),
		TEST(failed_is_what_the_facts_say),
		TEST(slow_is_more_than_this),
		TEST(a_filter_is_its_parts),
		TEST(what_becomes_known_changes_no_answer),
		TEST(there_is_room_for_so_many_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
