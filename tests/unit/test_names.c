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

static struct owner owner_of(uint32_t pid, uint32_t born, const char *comm)
{
	struct owner o = { .from = OWNER_CONNECT, .pid = pid, .born = born };

	strcpy(o.comm, comm);
	return o;
}

static void learn_process(uint32_t pid, uint32_t born, const char *comm, const char *exe,
			  const char *cmdline)
{
	union event ev = { .process = { .hdr.kind = WIRE_PROCESS, .pid = pid, .born = born } };

	strcpy(ev.process.comm, comm);
	ev.process.exe_len = strlen(exe);
	ev.process.cmdline_len = strlen(cmdline);
	memcpy(ev.process.text, exe, strlen(exe));
	memcpy(ev.process.text + strlen(exe), cmdline, strlen(cmdline));
	names_learn(&names, &ev);
}

/* exe and cmdline; "": they are not known. */
static const char *texts_of(uint32_t pid, uint32_t born, const char *comm)
{
	struct owner o = owner_of(pid, born, comm);
	const struct process *p = names_process(&names, &o);
	static char texts[64];

	if (!p)
		return "";
	snprintf(texts, sizeof(texts), "%.*s|%.*s", p->exe_len, p->text, p->cmdline_len,
		 p->text + p->exe_len);
	return texts;
}

static void a_process_is_known_by_pid_birth_and_name(void **state)
{
	learn_process(7, 1, "curl", "/usr/bin/curl", "curl -s");
	learn_process(7, 2, "curl", "/opt/curl", "curl -v");
	assert_string_equal(texts_of(7, 1, "curl"), "/usr/bin/curl|curl -s");
	assert_string_equal(texts_of(7, 2, "curl"), "/opt/curl|curl -v");
	assert_string_equal(texts_of(7, 3, "curl"), "");
	assert_string_equal(texts_of(8, 1, "curl"), "");
	assert_string_equal(texts_of(7, 1, "sh"), "");
	assert_true(names_know(&names, WIRE_PROCESS, process_id(7, 1, "curl")));
	assert_false(names_know(&names, WIRE_PROCESS, process_id(7, 1, "sh")));
}

static void of_whom_nobody_knows_the_birth_nothing_is_known(void **state)
{
	struct owner nobody = {};

	learn_process(7, 0, "curl", "/usr/bin/curl", "curl");
	assert_string_equal(texts_of(7, 0, "curl"), "");
	assert_null(names_process(&names, &nobody));
}

static void a_process_that_was_gone_has_no_texts(void **state)
{
	learn_process(7, 1, "curl", "", "");
	assert_true(names_know(&names, WIRE_PROCESS, process_id(7, 1, "curl")));
	assert_string_equal(texts_of(7, 1, "curl"), "|");
}

#define ID "3f2a9c8d1e2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5"

static void learn_process_in(uint32_t pid, const char *path)
{
	union event ev = { .process = { .hdr.kind = WIRE_PROCESS, .pid = pid, .born = 1,
					.comm = "curl", .exe_len = 3, .cmdline_len = 2,
					.text = "abcde", .cgroup_len = strlen(path) } };

	memcpy(ev.process.text + 5, path, strlen(path));
	names_learn(&names, &ev);
}

static void assert_cgroup_of(uint64_t id, uint32_t pid, const char *expected)
{
	struct owner o = owner_of(pid, 1, "curl");
	const struct cgroup *c = names_cgroup_of(&names, id, names_process(&names, &o));

	if (!expected)
		assert_null(c);
	else
		assert_string_equal(c->path, expected);
}

/* Where there is version 1. */
static void whose_socket_is_in_the_root_has_his_own_cgroup(void **state)
{
	learn_cgroup(1, "");
	learn_cgroup(7, "/system.slice/web.service");
	learn_process_in(5, "/docker/" ID);
	learn_process_in(6, "/web");
	learn_process_in(7, "");
	assert_cgroup_of(1, 5, "/docker/" ID);
	assert_cgroup_of(0, 5, "/docker/" ID);
	assert_cgroup_of(1, 6, "/web");
	assert_cgroup_of(1, 7, NULL);
	assert_cgroup_of(1, 8, NULL);
	assert_string_equal(texts_of(5, 1, "curl"), "abc|de");
	assert_null(names_cgroup_of(&names, 1, NULL));
	assert_true(names_cgroup_of(&names, 7, NULL) == names_cgroup(&names, 7));
}

/* containerd's own, where Docker makes cgroups of version 1 only. */
static void a_containers_cgroup_stands_before_that_of_who_started_it(void **state)
{
	learn_cgroup(7, "/system.slice/containerd.service");
	learn_cgroup(8, "/system.slice/docker-" ID ".scope");
	learn_process_in(5, "/docker/" ID);
	learn_process_in(6, "/web");
	assert_cgroup_of(7, 5, "/docker/" ID);
	assert_cgroup_of(7, 6, "/system.slice/containerd.service");
	assert_cgroup_of(8, 5, "/system.slice/docker-" ID ".scope");
	assert_cgroup_of(9, 5, NULL);		/* it had one of its own, which is gone */
}

static uint64_t group_of(uint64_t id, uint32_t pid)
{
	struct owner o = owner_of(pid, 1, "curl");

	return names_group_of(&names, id, names_process(&names, &o));
}

static void who_is_told_to_be_in_one_cgroup_is_counted_together(void **state)
{
	learn_cgroup(1, "");
	learn_cgroup(7, "/system.slice/containerd.service");
	learn_process_in(5, "/docker/" ID);
	learn_process_in(6, "/docker/" ID);
	learn_process_in(7, "/web");
	assert_true(group_of(1, 5) & CGROUP_V1);
	assert_int_equal(names_group_of(&names, CGROUP_V1 | 7, NULL), 7);	/* a recording's */
	assert_true(group_of(1, 5) == group_of(0, 6) && group_of(1, 5) == group_of(7, 6));
	assert_true(group_of(1, 7) & CGROUP_V1 && group_of(1, 7) != group_of(1, 5));
	assert_int_equal(group_of(7, 7), 7);
	assert_int_equal(group_of(9, 5), 9);	/* which is gone */
	assert_int_equal(group_of(1, 8), 1);
	assert_int_equal(names_group_of(&names, 7, NULL), 7);
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
	assert_int_equal(names.cgroups.nr + names.netns.nr + names.processes.nr, 0);
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
		TEST(a_process_is_known_by_pid_birth_and_name),
		TEST(of_whom_nobody_knows_the_birth_nothing_is_known),
		TEST(a_process_that_was_gone_has_no_texts),
		TEST(whose_socket_is_in_the_root_has_his_own_cgroup),
		TEST(a_containers_cgroup_stands_before_that_of_who_started_it),
		TEST(who_is_told_to_be_in_one_cgroup_is_counted_together),
		TEST(other_records_teach_nothing),
		TEST(memory_is_bounded_however_many_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
