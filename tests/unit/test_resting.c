// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "conntab.h"
#include "lifecycle.h"
#include "resting.h"
#include "sample_events.h"

static struct ownerset owners;

static int forget_owners(void **state)
{
	ownerset_deinit(&owners);
	return 0;
}

/* Everything has a value that is not another's. */
static struct conn quiet(enum role_word role)
{
	struct conn c = {
		.id = 11, .clock_ns = -12, .tuple = tuple_of(13), .cgroup = 14, .netns = 15,
		.isn = 16,
		.stage = STAGE_OPEN, .role = role, .state = TS_ESTABLISHED,
		.flags = CONN_BORN | CONN_HANDSHAKE | CONN_ISN, .missed = 17,
		.start_ns = 18, .since_ns = 19, .last_ns = 20, .handshake_ns = 21, .told_ns = 22,
		.census_ns = 23, .retransmits = { 0, 24, 25, 26, 27 },
		.path_len = 2, .path = { TS_SYN_SENT, TS_ESTABLISHED },
		.path_ns = { 21, UNKNOWN_NS },
		.owner = { .pid = 28, .uid = 29, .born = 30, .from = OWNER_READ, .comm = "nginx" },
	};

	if (role == ROLE_PASSIVE)
		c.path[0] = TS_SYN_RECV;
	return c;
}

static struct conn through_rest(const struct conn *c)
{
	struct conn again = {};
	struct resting r;

	assert_true(resting_pack(&r, c, &owners));
	resting_unpack(&again, &r, &owners);
	return again;
}

static void assert_comes_back(const struct conn *c)
{
	struct conn again = through_rest(c);

	assert_memory_equal(&again, c, sizeof(again));
}

static void assert_stays(const struct conn *c)
{
	struct resting r, untouched;

	memset(&r, 0xee, sizeof(r));
	untouched = r;
	assert_false(resting_pack(&r, c, &owners));
	assert_memory_equal(&r, &untouched, sizeof(r));
	assert_int_equal(owners.nr, 0);
}

static void what_rests_comes_back_as_it_was(void **state)
{
	struct conn c = quiet(ROLE_ACTIVE);

	assert_comes_back(&c);
	c = quiet(ROLE_PASSIVE);
	assert_comes_back(&c);
	c.synack_ns = c.start_ns;
	assert_comes_back(&c);
}

static void a_handshake_that_nobody_timed_comes_back_as_it_was(void **state)
{
	struct conn c = quiet(ROLE_PASSIVE);

	c.flags &= ~CONN_HANDSHAKE;
	c.handshake_ns = 0;
	assert_comes_back(&c);
	c.path_ns[0] = UNKNOWN_NS;
	assert_comes_back(&c);
}

static void one_that_turned_up_established_comes_back_as_it_was(void **state)
{
	struct conn c = {
		.stage = STAGE_OPEN, .state = TS_ESTABLISHED, .flags = CONN_EXISTING,
		.census_ns = T0, .tuple = tuple_of(1),
		.path_len = 1, .path = { TS_ESTABLISHED }, .path_ns = { UNKNOWN_NS },
	};

	assert_comes_back(&c);
	assert_int_equal(owners.nr, 0);	/* nobody's */
}

static void a_cgroup_without_a_process_comes_back(void **state)
{
	struct conn c = quiet(ROLE_ACTIVE);

	memset(&c.owner, 0, sizeof(c.owner));
	assert_comes_back(&c);
}

static void only_the_progress_of_the_last_transition_is_forgotten(void **state)
{
	struct conn c = quiet(ROLE_ACTIVE), again;

	c.progress = (struct progress){ .snd_una = 1, .known = true };
	again = through_rest(&c);
	assert_false(again.progress.known);
	c.progress = (struct progress){};
	assert_memory_equal(&again, &c, sizeof(again));
}

/* Whatever else there is of a life is not quiet. */
static void what_has_more_to_remember_stays(void **state)
{
#define STAYS_WITH(member, value)	do {		\
	struct conn c = quiet(ROLE_ACTIVE);		\
							\
	c.member = value;				\
	assert_stays(&c);				\
} while (0)

	STAYS_WITH(stage, STAGE_LISTENER);
	STAYS_WITH(state, TS_CLOSE_WAIT);
	STAYS_WITH(timer, 1);
	STAYS_WITH(met, TS_TIME_WAIT);
	STAYS_WITH(closed_by, SIDE_LOCAL);
	STAYS_WITH(fin_ns, 1);
	STAYS_WITH(rst_in_ns, 1);
	STAYS_WITH(synack_ns, 1);
	STAYS_WITH(handshake_ns, 1);
	STAYS_WITH(end.flags, ENDING_SAMPLED);
	STAYS_WITH(end.mini_ns, 1);
	STAYS_WITH(path_len, 0);
	STAYS_WITH(path_len, 1);
	STAYS_WITH(path_len, 3);
	STAYS_WITH(path[0], TS_SYN_RECV);
	STAYS_WITH(path[1], TS_CLOSE_WAIT);
	STAYS_WITH(path_ns[1], 1);
	STAYS_WITH(role, ROLE_NONE);
}

static void owners_go_with_the_last_that_rests(void **state)
{
	struct conn c = quiet(ROLE_ACTIVE), again = {};
	struct resting a, b;

	assert_true(resting_pack(&a, &c, &owners));
	assert_true(resting_pack(&b, &c, &owners));
	assert_int_equal(a.owner, b.owner);
	assert_int_equal(ownerset_users(&owners, a.owner), 2);
	resting_unpack(&again, &a, &owners);
	assert_int_equal(ownerset_users(&owners, b.owner), 1);
	resting_drop(&b, &owners);
	assert_int_equal(ownerset_users(&owners, b.owner), 0);
}

/* ---- in the table ---- */

static struct conntab table;

static int close_table(void **state)
{
	conntab_deinit(&table);
	return 0;
}

static struct conn *add(uint64_t key)
{
	struct conn *c = conntab_add(&table, key), what = quiet(ROLE_ACTIVE);

	assert_non_null(c);
	memcpy(&c->id, &what.id, sizeof(what) - offsetof(struct conn, id));
	c->id = key;
	return c;
}

static void the_table_packs_what_was_asked_for_long_ago(void **state)
{
	struct conn *c;

	assert_int_equal(conntab_init(&table, 4 * CONNTAB_RECENT), 0);
	for (uint64_t key = 1; key <= CONNTAB_RECENT; key++)
		add(key);
	assert_non_null(conntab_at(&table, 0));
	add(CONNTAB_RECENT + 1);
	assert_null(conntab_at(&table, 0));	/* key 1: packed */
	assert_non_null(conntab_at(&table, 1));

	c = conntab_find(&table, 1);
	assert_int_equal(c->id, 1);
	assert_int_equal(c->self, 0);
	assert_ptr_equal(conntab_at(&table, 0), c);
	assert_null(conntab_at(&table, 1));	/* which pushed the next one out */
}

static void who_is_asked_for_again_and_again_is_not_packed(void **state)
{
	struct conn *first;

	assert_int_equal(conntab_init(&table, 8 * CONNTAB_RECENT), 0);
	first = add(1);
	for (uint64_t key = 2; key <= 4 * CONNTAB_RECENT; key++) {
		add(key);
		if (key % 8 == 0)
			assert_ptr_equal(conntab_find(&table, 1), first);
	}
}

/* Whoever holds it while others are asked for relies on that. */
static void who_was_asked_for_stays_while_half_as_many_others_are(void **state)
{
	struct conn *first;

	assert_int_equal(conntab_init(&table, 8 * CONNTAB_RECENT), 0);
	first = add(1);
	for (uint64_t key = 2; key <= CONNTAB_RECENT / 2; key++)
		add(key);
	assert_ptr_equal(conntab_find(&table, 1), first);
	for (uint64_t key = 1; key <= CONNTAB_RECENT / 2; key++)
		add(CONNTAB_RECENT + key);
	assert_ptr_equal(conntab_at(&table, 0), first);
}

static void packed_ones_keep_their_order_and_are_counted(void **state)
{
	uint32_t there[TS_MAX];
	uint64_t key = 1;

	assert_int_equal(conntab_init(&table, 4 * CONNTAB_RECENT), 0);
	while (key <= 3 * CONNTAB_RECENT)
		add(key++);
	conntab_count(&table, there);
	assert_int_equal(there[TS_ESTABLISHED], 3 * CONNTAB_RECENT);
	key = 1;
	for (struct conn *c = conntab_oldest(&table); c; c = conntab_newer(&table, c))
		assert_int_equal(c->id, key++);
	assert_int_equal(key, 3 * CONNTAB_RECENT + 1);
}

static void those_that_were_not_seen_are_found_packed_or_not(void **state)
{
	unsigned int found = 0;

	assert_int_equal(conntab_init(&table, 4 * CONNTAB_RECENT), 0);
	for (uint64_t key = 1; key <= 2 * CONNTAB_RECENT; key++) {
		struct conn *c = add(key);

		c->netns = key % 2;
		c->last_ns = key;
		c->census_ns = 0;
	}
	for (struct conn *c = conntab_unseen(&table, NULL, 1, CONNTAB_RECENT + 6); c;
	     c = conntab_unseen(&table, c, 1, CONNTAB_RECENT + 6)) {
		assert_int_equal(c->netns, 1);
		assert_int_equal(c->id, 2 * found + 1);
		found++;
	}
	assert_int_equal(found, CONNTAB_RECENT / 2 + 3);
}

/* The place of one that has ended is another's, who was asked for less long ago. */
static void the_account_of_a_place_outlives_who_had_it(void **state)
{
	struct conn *second;

	assert_int_equal(conntab_init(&table, 4 * CONNTAB_RECENT), 0);
	conntab_remove(&table, add(1));
	second = add(2);
	assert_int_equal(second->self, 0);
	for (uint64_t key = 3; key < CONNTAB_RECENT + 2; key++) {
		add(key);
		assert_ptr_equal(conntab_at(&table, 0), second);
	}
	add(CONNTAB_RECENT + 2);
	assert_null(conntab_at(&table, 0));
}

#define RESTING(test)	cmocka_unit_test_teardown(test, forget_owners)
#define TABLE(test)	cmocka_unit_test_teardown(test, close_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESTING(what_rests_comes_back_as_it_was),
		RESTING(a_handshake_that_nobody_timed_comes_back_as_it_was),
		RESTING(one_that_turned_up_established_comes_back_as_it_was),
		RESTING(a_cgroup_without_a_process_comes_back),
		RESTING(only_the_progress_of_the_last_transition_is_forgotten),
		RESTING(what_has_more_to_remember_stays),
		RESTING(owners_go_with_the_last_that_rests),
		TABLE(the_table_packs_what_was_asked_for_long_ago),
		TABLE(who_is_asked_for_again_and_again_is_not_packed),
		TABLE(who_was_asked_for_stays_while_half_as_many_others_are),
		TABLE(packed_ones_keep_their_order_and_are_counted),
		TABLE(those_that_were_not_seen_are_found_packed_or_not),
		TABLE(the_account_of_a_place_outlives_who_had_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
