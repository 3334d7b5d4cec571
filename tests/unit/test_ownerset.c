// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ownerset.h"

static struct ownerset set;

static struct owner owner_of(uint32_t pid, const char *comm)
{
	struct owner o = { .pid = pid, .uid = 33, .born = 7, .from = OWNER_CONNECT };

	snprintf(o.comm, sizeof(o.comm), "%s", comm);
	return o;
}

static int empty(void **state)
{
	ownerset_deinit(&set);
	return 0;
}

static void the_same_owner_is_kept_once(void **state)
{
	struct owner curl = owner_of(812, "curl");
	uint32_t i = ownerset_take(&set, &curl, 5);

	assert_int_not_equal(i, 0);
	assert_int_equal(ownerset_take(&set, &curl, 5), i);
	assert_int_equal(ownerset_users(&set, i), 2);
	assert_int_equal(ownerset_at(&set, i)->owner.pid, 812);
	assert_int_equal(ownerset_at(&set, i)->owner.uid, 33);
	assert_int_equal(ownerset_at(&set, i)->owner.born, 7);
	assert_int_equal(ownerset_at(&set, i)->owner.from, OWNER_CONNECT);
	assert_string_equal(ownerset_at(&set, i)->owner.comm, "curl");
	assert_int_equal(ownerset_at(&set, i)->cgroup, 5);
}

static void whoever_differs_in_anything_is_another(void **state)
{
	struct owner curl = owner_of(812, "curl"), other = curl;
	uint32_t i = ownerset_take(&set, &curl, 5);

	assert_int_not_equal(ownerset_take(&set, &curl, 6), i);
	other.pid++;
	assert_int_not_equal(ownerset_take(&set, &other, 5), i);
	other = curl;
	other.uid++;
	assert_int_not_equal(ownerset_take(&set, &other, 5), i);
	other = curl;
	other.born++;
	assert_int_not_equal(ownerset_take(&set, &other, 5), i);
	other = curl;
	other.from = OWNER_CLOSE;
	assert_int_not_equal(ownerset_take(&set, &other, 5), i);
	other = owner_of(812, "wget");
	assert_int_not_equal(ownerset_take(&set, &other, 5), i);
	assert_int_equal(ownerset_users(&set, i), 1);
}

static void what_stands_behind_the_name_is_not_part_of_it(void **state)
{
	struct owner curl = owner_of(812, "curl"), stale = owner_of(812, "curl-of-old");
	uint32_t i = ownerset_take(&set, &curl, 0);

	memcpy(stale.comm, "curl", 5);	/* and "of-old" behind the 0 */
	assert_int_equal(ownerset_take(&set, &stale, 0), i);
}

static void of_nobody_nothing_is_kept(void **state)
{
	struct owner nobody = { .pid = 812 };	/* not proved: from is not set */

	assert_int_equal(ownerset_take(&set, &nobody, 0), 0);
	assert_int_equal(ownerset_users(&set, 0), 0);
	assert_int_equal(ownerset_at(&set, 0)->owner.from, OWNER_NONE);
	assert_int_equal(ownerset_at(&set, 0)->cgroup, 0);
	ownerset_drop(&set, 0);
}

static void a_cgroup_is_worth_keeping_without_a_process(void **state)
{
	struct owner nobody = {};
	uint32_t i = ownerset_take(&set, &nobody, 99);

	assert_int_not_equal(i, 0);
	assert_int_equal(ownerset_at(&set, i)->cgroup, 99);
	assert_int_equal(ownerset_at(&set, i)->owner.from, OWNER_NONE);
}

static void the_last_user_takes_it_away_and_its_place_is_used_again(void **state)
{
	struct owner curl = owner_of(812, "curl"), wget = owner_of(813, "wget");
	uint32_t i = ownerset_take(&set, &curl, 0), other;

	ownerset_take(&set, &curl, 0);
	ownerset_drop(&set, i);
	assert_int_equal(ownerset_users(&set, i), 1);
	ownerset_drop(&set, i);
	other = ownerset_take(&set, &wget, 0);
	assert_int_equal(other, i);
	assert_int_equal(ownerset_at(&set, other)->owner.pid, 813);
	assert_int_not_equal(ownerset_take(&set, &curl, 0), other);
}

static void thousands_come_and_go_in_bounded_memory(void **state)
{
	uint32_t held[500] = {};
	char comm[16];

	for (uint32_t n = 0; n < 20000; n++) {
		uint32_t *slot = &held[n % 500];
		struct owner o;

		snprintf(comm, sizeof(comm), "worker-%u", n);
		o = owner_of(n, comm);
		ownerset_drop(&set, *slot);
		*slot = ownerset_take(&set, &o, n);
		assert_int_equal(ownerset_at(&set, *slot)->owner.pid, n);
		assert_string_equal(ownerset_at(&set, *slot)->owner.comm, comm);
	}
	assert_in_range(set.size, 500, 1024);
	for (uint32_t n = 0; n < 500; n++)
		assert_int_equal(ownerset_at(&set, held[n])->owner.pid % 500, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_same_owner_is_kept_once, empty),
		cmocka_unit_test_teardown(whoever_differs_in_anything_is_another, empty),
		cmocka_unit_test_teardown(what_stands_behind_the_name_is_not_part_of_it, empty),
		cmocka_unit_test_teardown(of_nobody_nothing_is_kept, empty),
		cmocka_unit_test_teardown(a_cgroup_is_worth_keeping_without_a_process, empty),
		cmocka_unit_test_teardown(the_last_user_takes_it_away_and_its_place_is_used_again,
					  empty),
		cmocka_unit_test_teardown(thousands_come_and_go_in_bounded_memory, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
