// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cgroup_v1.h"

#define ID "3f2a9c8d1e2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5"

/* From memory of just its size; expected NULL: there is none. */
static void assert_picked(const char *text, const char *expected)
{
	char *copy = strdup(text);
	const char *picked = cgroup_v1_pick(copy);

	if (expected) {
		assert_non_null(picked);
		assert_string_equal(picked, expected);
	} else {
		assert_null(picked);
	}
	free(copy);
}

static void of_a_service_it_is_systemds_path(void **state)
{
	/* Debian 9 */
	assert_picked("9:memory:/system.slice\n8:cpu,cpuacct:/\n2:pids:/system.slice/web.service\n"
		      "1:name=systemd:/system.slice/web.service\n", "/system.slice/web.service");
	assert_picked("3:name=systemd:/user.slice/user-1000.slice/session-3.scope\n2:pids:/x\n",
		      "/user.slice/user-1000.slice/session-3.scope");
}

static void of_a_container_it_is_the_one_with_its_id(void **state)
{
	/* Ubuntu 20.04, Docker 20.10 */
	assert_picked("12:pids:/docker/" ID "\n11:rdma:/\n1:name=systemd:/docker/" ID "\n"
		      "0::/system.slice/containerd.service\n", "/docker/" ID);
	assert_picked("3:memory:/lxc/web\n1:name=systemd:/user.slice/session-1.scope\n",
		      "/lxc/web");
}

static void without_systemd_it_is_the_first_that_says_something(void **state)
{
	assert_picked("3:cpu:/\n2:memory:/web\n1:pids:/other\n", "/web");
	assert_picked("3:cpu:/\n1:name=systemd:/\n2:memory:/a:b\n", "/a:b");
}

static void version_2_and_roots_say_nothing(void **state)
{
	assert_picked("0::/system.slice/web.service\n", NULL);
	assert_picked("3:cpu:/\n2:memory:/\n1:name=systemd:/\n0::/docker/" ID "\n", NULL);
	assert_picked("", NULL);
}

static void what_is_outside_of_the_namespace_is_not_named(void **state)
{
	assert_picked("2:memory:/..\n1:name=systemd:/../" ID "\n", NULL);
	assert_picked("2:memory:/../..\n1:pids:/..web\n", "/..web");
}

static void whatever_it_is_it_is_read_to_its_end_and_no_further(void **state)
{
	char *longest = calloc(1, 10000);

	assert_picked("\n\n", NULL);
	assert_picked("1", NULL);
	assert_picked("1:", NULL);
	assert_picked("1:memory", NULL);
	assert_picked("1:memory:", NULL);
	assert_picked(":memory:/web", "/web");
	assert_picked("1:memory:web\n", NULL);
	strcpy(longest, "1:memory:/");
	memset(longest + 10, 'x', 9000);
	assert_picked(longest, longest + 9);
	free(longest);
}

static void a_host_has_version_1_if_a_line_has_a_controller(void **state)
{
	assert_true(cgroup_v1_is_used("2:memory:/\n0::/\n"));
	assert_true(cgroup_v1_is_used("0::/\n1:name=systemd:/\n"));
	assert_false(cgroup_v1_is_used("0::/a:b\n"));
	assert_false(cgroup_v1_is_used("0::/\n"));
	assert_false(cgroup_v1_is_used(""));
	assert_false(cgroup_v1_is_used("\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_service_it_is_systemds_path),
		cmocka_unit_test(of_a_container_it_is_the_one_with_its_id),
		cmocka_unit_test(without_systemd_it_is_the_first_that_says_something),
		cmocka_unit_test(version_2_and_roots_say_nothing),
		cmocka_unit_test(what_is_outside_of_the_namespace_is_not_named),
		cmocka_unit_test(whatever_it_is_it_is_read_to_its_end_and_no_further),
		cmocka_unit_test(a_host_has_version_1_if_a_line_has_a_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
