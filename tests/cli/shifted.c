// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A library to preload: the wall clock goes by the seconds in the file SHIFTED_BY,
 * as soon as there is one.  The machine's own clock is not touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long seconds(void)
{
	const char *path = getenv("SHIFTED_BY");
	FILE *file = path ? fopen(path, "r") : NULL;
	long ret = 0;

	if (file && fscanf(file, "%ld", &ret) != 1)
		ret = 0;
	if (file)
		fclose(file);
	return ret;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int err = syscall(SYS_clock_gettime, id, ts);

	if (!err && id == CLOCK_REALTIME)
		ts->tv_sec += seconds();
	return err;
}
