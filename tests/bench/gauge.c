// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gauge - microseconds of CPU that a reading of this network namespace's TIME_WAIT
 * gauge takes, and of the two gauges of sockstat without a descriptor that is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "netns_facts.h"

#define TURNS	2000

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

int main(void)
{
	struct wire_netns_facts facts;
	int fd = tw_gauge_open();
	uint64_t count;
	double begun;

	if (fd < 0 || tw_gauge_read(fd, &count)) {
		fprintf(stderr, "gauge: cannot read sockstat\n");
		return 1;
	}
	begun = now_us();
	for (int i = 0; i < TURNS; i++)
		tw_gauge_read(fd, &count);
	printf("gauge_us %.2f\n", (now_us() - begun) / TURNS);
	begun = now_us();
	for (int i = 0; i < TURNS; i++)
		netns_facts_read_gauges(&facts);
	printf("gauge_opened_us %.2f\n", (now_us() - begun) / TURNS);
	return 0;
}
