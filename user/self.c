// SPDX-License-Identifier: GPL-2.0-or-later
#include "self.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

#define NSEC_PER_SEC	1000000000ull

static void closefilep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static uint64_t time_ns(const struct timeval *tv)
{
	return tv->tv_sec * NSEC_PER_SEC + tv->tv_usec * 1000ull;
}

/* proc(5): starttime is field 22, in ticks since boot; the name may hold anything. */
static uint64_t read_start(void)
{
	CLEANUP(closefilep) FILE *file = fopen("/proc/self/stat", "re");
	uint64_t age_ns = clock_ns(CLOCK_BOOTTIME);
	unsigned long long ticks;
	char line[1024];
	const char *p;

	if (!file || !fgets(line, sizeof(line), file))
		return 0;
	p = strrchr(line, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p || sscanf(p, "%llu", &ticks) != 1)
		return 0;
	age_ns -= ticks * (NSEC_PER_SEC / sysconf(_SC_CLK_TCK));
	return clock_ns(CLOCK_REALTIME) - age_ns;
}

static void read_memory(struct self_process *ret)
{
	CLEANUP(closefilep) FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long size, resident, page = sysconf(_SC_PAGESIZE);

	if (!file || fscanf(file, "%llu %llu", &size, &resident) != 2)
		return;
	ret->virtual_bytes = size * page;
	ret->resident_bytes = resident * page;
}

static uint64_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return 0;
	for (const struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n - 1;	/* the directory's own */
}

void self_read_process(struct self_process *ret)
{
	struct rlimit limit = {};
	struct rusage usage = {};

	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &limit);
	ret->cpu_ns = time_ns(&usage.ru_utime) + time_ns(&usage.ru_stime);
	ret->open_fds = count_fds();
	ret->max_fds = limit.rlim_cur;
	if (!ret->start_ns)	/* once: it does not change, but the clock may */
		ret->start_ns = read_start();
	read_memory(ret);
}
