// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "names.h"
#include "sample_events.h"

static struct names names;

static int set_up(void **state)
{
	return names_init(&names);
}

static int tear_down(void **state)
{
	names_deinit(&names);
	return 0;
}

static void learn_cgroup(uint64_t id, const char *path)
{
	union event ev = { .cgroup.hdr.kind = WIRE_CGROUP, .cgroup.id = id };

	strcpy(ev.cgroup.path, path);
	names_learn(&names, &ev);
}

static void learn_netns(uint32_t inode, const char *name)
{
	union event ev = { .hdr = { .kind = WIRE_NETNS_NAME, .netns = inode } };

	strcpy(ev.netns_name.name, name);
	names_learn(&names, &ev);
}

static void nothing_is_known_at_first(void **state)
{
	assert_null(names_cgroup(&names, 0));
	assert_null(names_cgroup(&names, 7));
	assert_null(names_netns(&names, 7));
	assert_false(names_know(&names, WIRE_CGROUP, 7));
	assert_false(names_know(&names, WIRE_NETNS_NAME, 7));
}

static void what_was_told_is_known(void **state)
{
	learn_cgroup(7, "/system.slice/nginx.service");
	learn_netns(7, "blue");
	assert_string_equal(names_cgroup(&names, 7)->path, "/system.slice/nginx.service");
	assert_int_equal(names_cgroup(&names, 7)->unit.len, strlen("nginx.service"));
	assert_string_equal(names_netns(&names, 7), "blue");
	assert_true(names_know(&names, WIRE_CGROUP, 7));
	assert_true(names_know(&names, WIRE_NETNS_NAME, 7));
}

static void kinds_are_not_mixed_up(void **state)
{
	learn_cgroup(7, "/a");
	learn_netns(8, "blue");
	assert_false(names_know(&names, WIRE_NETNS_NAME, 7));
	assert_false(names_know(&names, WIRE_CGROUP, 8));
	assert_false(names_know(&names, WIRE_STATE, 7));
}

static void that_there_is_none_is_known_too(void **state)
{
	learn_cgroup(7, "");
	learn_netns(7, "");
	assert_null(names_cgroup(&names, 7));
	assert_null(names_netns(&names, 7));
	assert_true(names_know(&names, WIRE_CGROUP, 7));
	assert_true(names_know(&names, WIRE_NETNS_NAME, 7));
}

static void what_is_told_last_counts(void **state)
{
	learn_netns(7, "blue");
	learn_netns(7, "green");
	assert_string_equal(names_netns(&names, 7), "green");
	learn_netns(7, "");
	assert_null(names_netns(&names, 7));
}

static void other_records_teach_nothing(void **state)
{
	union event ev = { .tick = tick_of(T0) };

	names_learn(&names, &ev);
	assert_int_equal(names.cgroups.nr + names.netns.nr, 0);
}

static void memory_is_bounded_however_many_there_are(void **state)
{
	char path[WIRE_PATH_LEN] = "/";

	memset(path + 1, 'a', sizeof(path) - 2);
	for (uint64_t id = 1; id <= 10000; id++)
		learn_cgroup(id, path);
	assert_true(names.cgroups.bytes <= 16 << 20);
	assert_null(names_cgroup(&names, 1));
	assert_non_null(names_cgroup(&names, 10000));
	for (uint64_t id = 1; id <= 100000; id++)
		learn_cgroup(id, "/a");
	assert_int_equal(names.cgroups.nr, 1 << 16);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(nothing_is_known_at_first),
		TEST(what_was_told_is_known),
		TEST(kinds_are_not_mixed_up),
		TEST(that_there_is_none_is_known_too),
		TEST(what_is_told_last_counts),
		TEST(other_records_teach_nothing),
		TEST(memory_is_bounded_however_many_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
