// SPDX-License-Identifier: GPL-2.0-or-later
/* What it finds is told by tests/traces/inherited.trace; here, that it keeps its books. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "listenmap.h"
#include "sample_events.h"

#define PORTS	5000	/* some in every bucket */

static struct listenmap map;
static struct conn listeners[PORTS];

static int fill(void **state)
{
	map = (struct listenmap){};
	for (uint32_t i = 0; i < PORTS; i++) {
		struct conn *c = &listeners[i];

		*c = (struct conn){ .netns = 1 + i % 7, .tuple = tuple_of(1), .since_ns = T0 };
		c->tuple.lport = 1 + i;
		c->owner = (struct owner){ .from = OWNER_LISTEN, .pid = 100 + i };
		listenmap_add(&map, c);
	}
	return 0;
}

/* The owner's pid; 0: nobody. */
static uint32_t pid_at(uint32_t i, uint64_t sure_ns)
{
	struct wire_tuple t = tuple_of(1);
	const struct owner *owner;

	t.lport = 1 + i;
	owner = listenmap_owner(&map, 1 + i % 7, &t, 0, sure_ns);
	return owner ? owner->pid : 0;
}

static void each_is_found_by_namespace_and_port(void **state)
{
	struct wire_tuple t = tuple_of(1);

	for (uint32_t i = 0; i < PORTS; i++)
		assert_int_equal(pid_at(i, 0), 100 + i);
	t.lport = 1;
	assert_null(listenmap_owner(&map, 2, &t, 0, 0));
	t.lport = PORTS + 1;
	assert_null(listenmap_owner(&map, 1, &t, 0, 0));
}

static void what_is_taken_out_is_not_found_and_all_else_is(void **state)
{
	for (uint32_t i = 0; i < PORTS; i += 3)
		listenmap_remove(&map, &listeners[i]);
	for (uint32_t i = 0; i < PORTS; i++)
		assert_int_equal(pid_at(i, 0), i % 3 ? 100 + i : 0);
	for (uint32_t i = 0; i < PORTS; i++)
		listenmap_remove(&map, &listeners[i]);
	for (uint32_t i = 0; i < LISTENMAP_BUCKETS; i++)
		assert_null(map.buckets[i]);
}

static void to_add_twice_or_to_remove_twice_is_nothing(void **state)
{
	listenmap_add(&map, &listeners[5]);
	listenmap_add(&map, &listeners[5]);
	assert_int_equal(pid_at(5, 0), 105);
	listenmap_remove(&map, &listeners[5]);
	assert_int_equal(pid_at(5, 0), 0);
	listenmap_remove(&map, &listeners[5]);
	assert_int_equal(pid_at(5, 0), 0);
	assert_int_equal(pid_at(5 + LISTENMAP_BUCKETS, 0), 105 + LISTENMAP_BUCKETS);
}

static void who_was_not_seen_since_the_doubt_is_not_sure(void **state)
{
	assert_int_equal(pid_at(5, T0), 105);
	assert_int_equal(pid_at(5, T0 + 1), 0);
	listeners[5].census_ns = T0 + 1;
	assert_int_equal(pid_at(5, T0 + 1), 105);
}

/* One that is not sure may stand beside one that is. */
static void who_is_not_sure_makes_the_others_unclear(void **state)
{
	struct conn second = listeners[5];

	second.since_ns = T0 + 1;
	second.owner.pid = 9;
	listenmap_add(&map, &second);
	assert_int_equal(pid_at(5, T0 + 1), 0);
	listenmap_remove(&map, &listeners[5]);
	assert_int_equal(pid_at(5, T0 + 1), 9);
}

/* On one port, by SO_REUSEPORT: a connection is of the cgroup of whom it came through. */
static void of_two_who_listen_there_the_cgroup_tells_which(void **state)
{
	struct wire_tuple t = tuple_of(1);
	struct conn second = listeners[5];

	t.lport = 6;
	listeners[5].cgroup = 7;
	second.cgroup = 8;
	second.owner.pid = 9;
	listenmap_add(&map, &second);
	assert_null(listenmap_owner(&map, second.netns, &t, 0, 0));
	assert_int_equal(listenmap_owner(&map, second.netns, &t, 7, 0)->pid, 105);
	assert_int_equal(listenmap_owner(&map, second.netns, &t, 8, 0)->pid, 9);
	assert_null(listenmap_owner(&map, second.netns, &t, 6, 0));
	second.cgroup = 0;	/* not known */
	assert_null(listenmap_owner(&map, second.netns, &t, 7, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_is_found_by_namespace_and_port, fill),
		cmocka_unit_test_setup(what_is_taken_out_is_not_found_and_all_else_is, fill),
		cmocka_unit_test_setup(to_add_twice_or_to_remove_twice_is_nothing, fill),
		cmocka_unit_test_setup(who_was_not_seen_since_the_doubt_is_not_sure, fill),
		cmocka_unit_test_setup(who_is_not_sure_makes_the_others_unclear, fill),
		cmocka_unit_test_setup(of_two_who_listen_there_the_cgroup_tells_which, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
