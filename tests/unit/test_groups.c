// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "groups.h"
#include "sample_events.h"

#define MIN	(60 * SEC)

static struct groups g;
static struct conntab conns;
static struct timewait minis;

static int begin(void **state)
{
	return groups_init(&g, NULL) || conntab_init(&conns, 1000) || timewait_init(&minis, 100);
}

static int end(void **state)
{
	groups_deinit(&g);
	conntab_deinit(&conns);
	timewait_deinit(&minis);
	return 0;
}

static struct conn *conn_of(uint64_t key, uint64_t cgroup, enum tcp_state state)
{
	struct conn *c = conntab_add(&conns, key);

	c->stage = state == TS_LISTEN ? STAGE_LISTENER : STAGE_OPEN;
	c->state = state;
	c->cgroup = cgroup;
	return c;
}

static void count(uint64_t at_ns)
{
	groups_count(&g, &conns, &minis, at_ns);
	groups_settle(&g, at_ns);
}

static void retransmit(const struct conn *c, unsigned int segs, int err)
{
	groups_report(&g, &(struct report){ .kind = REPORT_RETRANSMIT, .at_ns = T0, .conn = c,
					    .retransmit = { .segs = segs, .err = err } });
}

static void end_life(const struct conn *c, enum outcome_word outcome, bool complete)
{
	groups_report(&g, &(struct report){
		.kind = REPORT_CONNECTION, .at_ns = T0, .conn = c,
		.connection = { .complete = complete, .verdict.outcome = outcome } });
}

/* NULL: it is not told apart. */
static struct group *find(uint64_t id)
{
	return keytab_find(&g.table, &id);
}

static void learn(uint64_t id, const char *path)
{
	groups_learn(&g, find(id), path);
}

static void sockets_are_counted_by_cgroup_and_state(void **state)
{
	conn_of(1, 10, TS_ESTABLISHED);
	conn_of(2, 10, TS_ESTABLISHED);
	conn_of(3, 10, TS_LISTEN);
	conn_of(4, 11, TS_CLOSE_WAIT);
	conn_of(5, 0, TS_SYN_SENT);
	conn_of(6, 11, TS_CLOSE_WAIT)->stage = STAGE_VERDICT;
	count(T0);
	assert_int_equal(g.table.nr, 2);
	assert_int_equal(find(10)->sockets[TS_ESTABLISHED], 2);
	assert_int_equal(find(10)->sockets[TS_LISTEN], 1);
	assert_int_equal(find(11)->sockets[TS_CLOSE_WAIT], 1);
	assert_int_equal(g.unknown.sockets[TS_SYN_SENT], 1);
}

static void quiet_connections_are_counted_and_stay_packed(void **state)
{
	for (uint64_t key = 1; key <= 500; key++) {
		struct conn *c = conn_of(key, 10 + key % 2, TS_ESTABLISHED);

		c->path[0] = TS_ESTABLISHED;
		c->path_ns[0] = UNKNOWN_NS;
		c->path_len = 1;
	}
	conntab_pack(&conns);
	assert_null(conntab_at(&conns, 0));
	count(T0);
	assert_int_equal(find(10)->sockets[TS_ESTABLISHED], 250);
	assert_int_equal(find(11)->sockets[TS_ESTABLISHED], 250);
	assert_null(conntab_at(&conns, 0));
}

static void mini_sockets_count_as_what_they_are(void **state)
{
	const struct owner nobody = {};
	const struct wire_tuple tuples[] = { tuple_of(1), tuple_of(2), tuple_of(3) };
	const unsigned int flags[] = { 0, MINI_PARKED, MINI_DOUBTFUL };

	for (int i = 0; i < 3; i++)
		timewait_set_owner(&minis, timewait_add(&minis, 1, &tuples[i], flags[i]),
				   &nobody, 10);
	count(T0);
	assert_int_equal(find(10)->sockets[TS_TIME_WAIT], 1);
	assert_int_equal(find(10)->sockets[TS_FIN_WAIT2], 1);
}

static void a_state_that_was_told_once_is_told_on(void **state)
{
	struct conn *c = conn_of(1, 10, TS_ESTABLISHED);

	count(T0);
	c->state = TS_CLOSE_WAIT;
	count(T0 + 5 * SEC);
	assert_int_equal(find(10)->sockets[TS_ESTABLISHED], 0);
	assert_int_equal(find(10)->sockets[TS_CLOSE_WAIT], 1);
	assert_int_equal(find(10)->states, 1u << TS_ESTABLISHED | 1u << TS_CLOSE_WAIT);
}

static void retransmits_are_segments_that_went_out(void **state)
{
	const struct conn c = { .cgroup = 10 };

	retransmit(&c, 3, 0);
	retransmit(&c, 1, 0);
	retransmit(&c, 1, 105);
	retransmit(NULL, 1, 0);
	assert_int_equal(find(10)->retransmits, 4);
	assert_int_equal(g.unknown.retransmits, 1);
}

static void failures_are_those_of_which_all_is_known(void **state)
{
	const struct conn c = { .cgroup = 10 };
	const struct conn old = { .cgroup = 10, .flags = CONN_EXISTING };

	end_life(&c, OUTCOME_REFUSED, true);
	end_life(&c, OUTCOME_REFUSED, false);
	end_life(&old, OUTCOME_REFUSED, true);
	end_life(&c, OUTCOME_ESTABLISHED, true);
	assert_int_equal(find(10)->failures[OUTCOME_REFUSED], 1);
	assert_int_equal(find(10)->reasons, 1u << OUTCOME_REFUSED);
}

static void whoever_appears_wants_a_path_and_is_asked_once(void **state)
{
	const struct conn c = { .cgroup = 10 };

	groups_report(&g, &(struct report){ .kind = REPORT_STATE, .at_ns = T0, .conn = &c });
	groups_report(&g, &(struct report){ .kind = REPORT_STATE, .at_ns = T0 + 1, .conn = &c });
	assert_int_equal(g.nr_unasked, 1);
	assert_int_equal(find(10)->first_ns, T0);
	learn(10, "/system.slice/web.service");
	learn(10, "/elsewhere");
	assert_int_equal(g.nr_unasked, 0);
	assert_string_equal(find(10)->cgroup->path, "/system.slice/web.service");
	assert_true(find(10)->is_there);
}

static void what_finds_no_place_is_told_together(void **state)
{
	for (uint64_t i = 1; i <= GROUPS_MAX + 3; i++)
		conn_of(i, i, TS_ESTABLISHED);
	count(T0);
	assert_int_equal(g.table.nr, GROUPS_MAX);
	assert_int_equal(g.other.sockets[TS_ESTABLISHED], 3);
	retransmit(&(const struct conn){ .cgroup = GROUPS_MAX + 1 }, 2, 0);
	assert_int_equal(g.other.retransmits, 2);
}

static void a_place_is_free_a_quarter_of_an_hour_after_the_cgroup_has_gone(void **state)
{
	struct conn *c = conn_of(1, 10, TS_ESTABLISHED);

	count(T0);
	learn(10, "/a");
	conntab_remove(&conns, c);
	count(T0 + 100 * MIN);		/* it is there, though without sockets */
	find(10)->is_there = false;
	count(T0 + 101 * MIN);
	count(T0 + 116 * MIN - 1);
	assert_non_null(find(10));
	count(T0 + 116 * MIN);
	assert_null(find(10));
}

static void a_cgroup_that_has_gone_keeps_its_place_while_it_has_sockets(void **state)
{
	struct conn *c = conn_of(1, 10, TS_ESTABLISHED);

	count(T0);
	learn(10, NULL);
	count(T0 + 100 * MIN);
	assert_non_null(find(10));
	conntab_remove(&conns, c);
	count(T0 + 101 * MIN);
	conn_of(2, 10, TS_ESTABLISHED);
	count(T0 + 110 * MIN);
	conntab_remove(&conns, conntab_find(&conns, 2));
	count(T0 + 120 * MIN);
	count(T0 + 134 * MIN);
	assert_non_null(find(10));
	count(T0 + 135 * MIN);
	assert_null(find(10));
}

static void whoever_waited_for_a_place_gets_it_with_counts_of_its_own(void **state)
{
	for (uint64_t i = 1; i <= GROUPS_MAX; i++)
		conn_of(i, i, TS_ESTABLISHED);
	count(T0);
	retransmit(&(const struct conn){ .cgroup = 1000 }, 5, 0);
	conntab_remove(&conns, conntab_find(&conns, 7));
	learn(7, NULL);
	count(T0 + MIN);
	count(T0 + 16 * MIN);
	retransmit(&(const struct conn){ .cgroup = 1000 }, 1, 0);
	assert_null(find(7));
	assert_int_equal(find(1000)->retransmits, 1);
	assert_int_equal(g.other.retransmits, 5);
	assert_int_equal(g.nr_unasked, GROUPS_MAX);
}

/* ---- where cgroups of version 1 are used, too ---- */

static struct names names;

static int begin_with_version_1(void **state)
{
	return names_init(&names) || groups_init(&g, &names) || conntab_init(&conns, 1000) ||
	       timewait_init(&minis, 100);
}

static int end_with_version_1(void **state)
{
	names_deinit(&names);
	return end(state);
}

static void learn_process(uint32_t pid, const char *path)
{
	union event ev = { .process = { .hdr.kind = WIRE_PROCESS, .pid = pid, .born = 1,
					.comm = "web", .cgroup_len = strlen(path) } };

	memcpy(ev.process.text, path, strlen(path));
	names_learn(&names, &ev);
}

static struct conn *conn_owned_by(uint32_t pid, uint64_t key, uint64_t cgroup)
{
	struct conn *c = conn_of(key, cgroup, TS_ESTABLISHED);

	c->owner = (struct owner){ .from = OWNER_CONNECT, .pid = pid, .born = 1, .comm = "web" };
	return c;
}

static void a_socket_is_of_its_owners_cgroup_if_that_says_more(void **state)
{
	const struct group *group;

	learn_process(5, "/docker/a");
	learn_process(6, "/docker/a");
	learn_process(7, "");
	for (uint32_t pid = 5; pid < 9; pid++)
		conn_owned_by(pid, pid, 1);
	conn_owned_by(5, 20, 10);
	count(T0);
	assert_int_equal(g.unknown.sockets[TS_ESTABLISHED], 2);
	assert_null(find(1));
	assert_int_equal(find(10)->sockets[TS_ESTABLISHED], 1);
	assert_int_equal(g.table.nr, 2);
	group = groups_at(&g, 0)->id == 10 ? groups_at(&g, 1) : groups_at(&g, 0);
	assert_true(group->id & CGROUP_V1);
	assert_string_equal(group->cgroup->path, "/docker/a");
	assert_int_equal(group->sockets[TS_ESTABLISHED], 2);
	assert_int_equal(g.nr_unasked, 1);	/* 10 */
}

/* Nobody can tell whether it is there: it stays as long as it has sockets, and some time. */
static void its_place_is_free_when_it_has_been_without_sockets(void **state)
{
	learn_process(5, "/docker/a");
	conn_owned_by(5, 5, 1);
	count(T0);
	count(T0 + 20 * MIN);
	assert_int_equal(g.table.nr, 1);
	conntab_remove(&conns, conntab_find(&conns, 5));
	count(T0 + 21 * MIN);
	assert_int_equal(g.table.nr, 1);
	count(T0 + 37 * MIN);
	assert_int_equal(g.table.nr, 0);
}

static void retransmits_and_failures_go_the_same_way(void **state)
{
	struct conn *c;

	learn_process(5, "/docker/a");
	c = conn_owned_by(5, 5, 1);
	retransmit(c, 3, 0);
	end_life(c, OUTCOME_REFUSED, true);
	assert_int_equal(g.table.nr, 1);
	assert_int_equal(groups_at(&g, 0)->retransmits, 3);
	assert_int_equal(groups_at(&g, 0)->failures[OUTCOME_REFUSED], 1);
	assert_int_equal(g.unknown.retransmits, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(sockets_are_counted_by_cgroup_and_state),
		TEST(quiet_connections_are_counted_and_stay_packed),
		TEST(mini_sockets_count_as_what_they_are),
		TEST(a_state_that_was_told_once_is_told_on),
		TEST(retransmits_are_segments_that_went_out),
		TEST(failures_are_those_of_which_all_is_known),
		TEST(whoever_appears_wants_a_path_and_is_asked_once),
		TEST(what_finds_no_place_is_told_together),
		TEST(a_place_is_free_a_quarter_of_an_hour_after_the_cgroup_has_gone),
		TEST(a_cgroup_that_has_gone_keeps_its_place_while_it_has_sockets),
		TEST(whoever_waited_for_a_place_gets_it_with_counts_of_its_own),
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_with_version_1, end_with_version_1)
		TEST(a_socket_is_of_its_owners_cgroup_if_that_says_more),
		TEST(its_place_is_free_when_it_has_been_without_sockets),
		TEST(retransmits_and_failures_go_the_same_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
