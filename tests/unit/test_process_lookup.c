// SPDX-License-Identifier: GPL-2.0-or-later
/* On this host's own /proc, with processes made for it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "cgroup_v1.h"
#include "process_lookup.h"

static struct wire_process found;

/* Field 22 of stat, in nanoseconds; the names here have no blanks. */
static uint64_t start_ns(pid_t pid)
{
	char path[64];
	unsigned long long ticks = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
				   "%*s %*s %*s %*s %*s %*s %llu", &ticks), 1);
	fclose(f);
	return ticks * (1000000000ull / sysconf(_SC_CLK_TCK));
}

/* As the kernel would tell: stat rounds down. */
static uint32_t born(pid_t pid)
{
	return (start_ns(pid) >> 20) + 1;
}

static void assert_text(const char *text, size_t len, const char *expected)
{
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(text, expected, len);
}

static void assert_cmdline(const char *expected)
{
	assert_text(found.text + found.exe_len, found.cmdline_len, expected);
}

/* A child that is called comm and waits; where path is not NULL, after execv(). */
static pid_t child_called(const char *comm, const char *path, char *const argv[])
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		if (path)
			execv(path, argv);	/* closes the pipe */
		close(ready[1]);
		pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	return pid;
}

static int ask(pid_t pid, uint32_t when, const char *comm)
{
	return process_lookup(pid, when, comm, PROCESS_PROGRAM, &found);
}

/* After execv(): name and arguments change at moments of their own. */
static void look_up(pid_t pid, const char *comm)
{
	int err;

	for (int i = 0; i < 200; i++) {
		err = ask(pid, born(pid), comm);
		if (!err && found.cmdline_len)
			return;
		usleep(10000);
	}
	fail_msg("%s: %s", comm, strerror(-err));
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_process_has_its_program_and_command_line(void **state)
{
	char *const argv[] = { "sleep", "1000", NULL };
	char path[PATH_MAX];
	pid_t pid;

	assert_non_null(realpath("/bin/sleep", path));
	pid = child_called("unseen", "/bin/sleep", argv);
	look_up(pid, "sleep");
	assert_text(found.text, found.exe_len, path);
	assert_cmdline("sleep 1000");
	end(pid);
}

static void arguments_are_any_bytes_and_a_space_is_between_them(void **state)
{
	char *const argv[] = { "sh", "-c", "read x; :", "two words", "", "\xff\n", NULL };
	int in[2];
	pid_t pid;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_true(dup2(in[0], STDIN_FILENO) >= 0);	/* so that it waits */
	pid = child_called("unseen", "/bin/sh", argv);
	look_up(pid, "sh");
	assert_cmdline("sh -c read x; : two words  \xff\n");
	end(pid);
	close(in[0]);
	close(in[1]);
}

static void a_long_command_line_is_cut(void **state)
{
	char long_word[6000];
	char *const too_long[] = { "sh", "-c", "read x; :", long_word, NULL };
	int in[2];
	pid_t pid;

	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = 0;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_true(dup2(in[0], STDIN_FILENO) >= 0);
	pid = child_called("unseen", "/bin/sh", too_long);
	look_up(pid, "sh");
	assert_int_equal(found.cmdline_len, WIRE_CMDLINE_LEN);
	assert_memory_equal(found.text + found.exe_len, "sh -c read x; : xxx", 19);
	end(pid);
	close(in[0]);
	close(in[1]);
}

static void a_name_may_have_anything_in_it(void **state)
{
	static const char *const names[] = { "a) S 1 (b", "(", ")", " ", "new\nline", "\xff" };

	for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
		const char *name = names[n];
		pid_t pid = child_called("plain", NULL, NULL);
		uint32_t when = born(pid);

		end(pid);
		pid = child_called(name, NULL, NULL);
		/* It was born just after the other. */
		for (int i = 0; i < 200 && ask(pid, when, name); i++)
			when++;
		assert_true(found.exe_len);
		end(pid);
	}
}

static void who_is_gone_is_not_known(void **state)
{
	pid_t pid = child_called("short", NULL, NULL);
	uint32_t when = born(pid);

	assert_int_equal(ask(pid, when, "short"), 0);
	end(pid);
	found.exe_len = found.cmdline_len = 7;
	assert_int_equal(ask(pid, when, "short"), -ESRCH);
	assert_int_equal(found.exe_len + found.cmdline_len, 0);
}

/* The same pid, and a tick earlier or later. */
static void who_has_the_pid_by_now_is_somebody_else(void **state)
{
	const uint32_t tick = 1000000000ull / sysconf(_SC_CLK_TCK) >> 20;
	pid_t pid = child_called("reborn", NULL, NULL);
	uint32_t when = born(pid);

	assert_int_equal(ask(pid, when - tick - 2, "reborn"), -ESRCH);
	assert_int_equal(found.exe_len + found.cmdline_len, 0);
	assert_int_equal(ask(pid, when + tick + 2, "reborn"), -ESRCH);
	assert_int_equal(ask(pid, when + (1u << 31), "reborn"), -ESRCH);
	assert_int_equal(ask(pid, when, "reborn"), 0);
	end(pid);
}

static void who_has_another_name_by_now_may_have_another_program(void **state)
{
	pid_t pid = child_called("after", NULL, NULL);

	assert_int_equal(ask(pid, born(pid), "before"), -ESRCH);
	assert_int_equal(ask(pid, born(pid), "afte"), -ESRCH);
	assert_int_equal(found.exe_len + found.cmdline_len, 0);
	end(pid);
}

/* pid 2 is kthreadd, or nobody in a pid namespace of its own. */
static void a_kernel_thread_has_neither(void **state)
{
	int err;

	if (access("/proc/2/stat", R_OK))
		skip();
	err = ask(2, born(2), "kthreadd");
	assert_true(!err || err == -ESRCH);
	assert_int_equal(found.exe_len + found.cmdline_len, 0);
}

static void the_cgroup_of_version_1_is_told_if_it_is_wanted_and_no_more(void **state)
{
	pid_t pid = child_called("lives", NULL, NULL);
	static char text[1 << 16];
	const char *expected;
	FILE *f = fopen("/proc/self/cgroup", "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	assert_int_equal(process_lookup_has_cgroups(), cgroup_v1_is_used(text));
	expected = cgroup_v1_pick(text);
	assert_int_equal(process_lookup(pid, born(pid), "lives", PROCESS_CGROUP, &found), 0);
	assert_int_equal(found.exe_len + found.cmdline_len, 0);
	assert_text(found.text, found.cgroup_len, expected ? expected : "");
	assert_int_equal(ask(pid, born(pid), "lives"), 0);
	assert_int_equal(found.cgroup_len, 0);
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_has_its_program_and_command_line),
		cmocka_unit_test(arguments_are_any_bytes_and_a_space_is_between_them),
		cmocka_unit_test(a_long_command_line_is_cut),
		cmocka_unit_test(a_name_may_have_anything_in_it),
		cmocka_unit_test(who_is_gone_is_not_known),
		cmocka_unit_test(who_has_the_pid_by_now_is_somebody_else),
		cmocka_unit_test(who_has_another_name_by_now_may_have_another_program),
		cmocka_unit_test(a_kernel_thread_has_neither),
		cmocka_unit_test(the_cgroup_of_version_1_is_told_if_it_is_wanted_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
