// SPDX-License-Identifier: GPL-2.0-or-later
#include "process_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_v1.h"
#include "cleanup.h"

#define NSEC_PER_SEC	1000000000ull
#define STARTTIME	22	/* its number among the fields of stat, proc(5) */

/* Of what is behind dir.  The length, or -errno; a process that is gone: -ESRCH. */
static ssize_t read_file(int dir, const char *name, char *buf, size_t size)
{
	CLEANUP(cleanup_close) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (len < size && (n = read(fd, buf + len, size - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += n;
	}
	return len;
}

/*
 * The kernel's steps of born are finer than the clock ticks of stat, and wrap after
 * 52 days: whether there is a moment that is in both.
 */
static bool is_born_at(uint32_t born, uint64_t ticks)
{
	const uint64_t tick_ns = NSEC_PER_SEC / sysconf(_SC_CLK_TCK), step_ns = 1 << 20;
	uint64_t from = ((uint64_t)(born - 1) << 20) - ticks * tick_ns;

	from = from << 12 >> 12;	/* 32 bits of steps */
	return from < tick_ns || from > (1ull << 52) - step_ns;
}

/* PID (NAME) STATE ...: the name may have anything in it. */
bool process_stat_is(char *stat, __u32 born, const char *comm)
{
	char *name = strchr(stat, '('), *end = strrchr(stat, ')');

	if (!name || !end || end < name)
		return false;
	*end++ = 0;
	if (strcmp(name + 1, comm))
		return false;
	for (int field = 3; field <= STARTTIME; field++) {
		end = strchr(end, ' ');
		if (!end)
			return false;
		end++;
	}
	return is_born_at(born, strtoull(end, NULL, 10));
}

static int check(int dir, uint32_t born, const char *comm)
{
	char stat[1024];
	ssize_t len = read_file(dir, "stat", stat, sizeof(stat) - 1);

	if (len < 0)
		return len;
	stat[len] = 0;
	return process_stat_is(stat, born, comm) ? 0 : -ESRCH;
}

/* A path that is cut would be another's. */
static void read_exe(int dir, struct wire_process *p)
{
	ssize_t len = readlinkat(dir, "exe", p->text, WIRE_EXE_LEN);

	p->exe_len = len > 0 && len < WIRE_EXE_LEN ? len : 0;
}

/* Each argument ends with a 0, unless the process has written over them. */
static void read_cmdline(int dir, struct wire_process *p)
{
	char *text = p->text + p->exe_len;
	ssize_t len = read_file(dir, "cmdline", text, WIRE_CMDLINE_LEN);

	while (len > 0 && !text[len - 1])
		len--;
	for (ssize_t i = 0; i < len; i++) {
		if (!text[i])
			text[i] = ' ';
	}
	p->cmdline_len = len > 0 ? len : 0;
}

#define CGROUPS_LEN	(4 * WIRE_PATH_LEN)

/* A dozen lines: whole ones, of whatever there is room for. */
static void read_cgroups(int dir, char *text)
{
	ssize_t len = read_file(dir, "cgroup", text, CGROUPS_LEN - 1);

	while (len > 0 && text[len - 1] != '\n')
		len--;
	text[len > 0 ? len : 0] = 0;
}

static void read_cgroup(int dir, struct wire_process *p)
{
	char text[CGROUPS_LEN];
	const char *path;

	read_cgroups(dir, text);
	path = cgroup_v1_pick(text);
	if (!path || strlen(path) >= WIRE_PATH_LEN)
		return;
	p->cgroup_len = strlen(path);
	memcpy(p->text + p->exe_len + p->cmdline_len, path, p->cgroup_len);
}

bool process_lookup_has_cgroups(void)
{
	CLEANUP(cleanup_close) int dir = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char text[CGROUPS_LEN];

	if (dir < 0)
		return false;
	read_cgroups(dir, text);
	return cgroup_v1_is_used(text);
}

int process_lookup(__u32 pid, __u32 born, const char *comm, unsigned int wanted,
		   struct wire_process *ret)
{
	CLEANUP(cleanup_close) int dir = -1;
	char path[32];
	int err;

	ret->exe_len = ret->cmdline_len = ret->cgroup_len = 0;
	snprintf(path, sizeof(path), "/proc/%u", pid);
	/* Stands for this process, and for no later one of its pid. */
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	err = check(dir, born, comm);
	if (err)
		return err;
	if (wanted & PROCESS_PROGRAM) {
		read_exe(dir, ret);
		read_cmdline(dir, ret);
	}
	if (wanted & PROCESS_CGROUP)
		read_cgroup(dir, ret);
	err = check(dir, born, comm);	/* execve() meanwhile */
	if (err)
		ret->exe_len = ret->cmdline_len = ret->cgroup_len = 0;
	return err;
}
