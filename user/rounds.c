// SPDX-License-Identifier: GPL-2.0-or-later
#include "rounds.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "loop.h"

#define NSEC_PER_SEC	1000000000ull
/* Of its own CPU time that many apart: three kinds of them take 0.75 %. */
#define APART_TIMES	400

#define NEVER		UINT64_MAX

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void run(struct rounds *r, enum wire_census_which which, uint64_t now_ns)
{
	uint64_t begun_ns = cpu_ns(), took_ns;
	struct capture_state state;
	int err;

	if (r->config.gauges)
		gauges_begin(r->config.gauges, which, now_ns);
	err = capture_census(r->capture, which, false);
	capture_state(r->capture, false, &state);
	if (r->config.gauges)
		gauges_end(r->config.gauges, !err && !state.censuses[which].left_out);
	took_ns = (cpu_ns() - begun_ns) * APART_TIMES;
	r->due_ns[which] = now_ns + (took_ns > r->config.apart_ns ? took_ns : r->config.apart_ns);
	if (err == -EOPNOTSUPP)
		r->due_ns[which] = NEVER;
	if (err)
		log_debug("a census did not come to its end: %s", strerror(-err));
}

void rounds_begin(struct rounds *r, struct capture *capture, const struct rounds_config *config)
{
	*r = (struct rounds){ .capture = capture, .config = *config };
	for (enum wire_census_which i = 0; i < WIRE_CENSUS_KINDS; i++) {
		r->due_ns[i] = NEVER;
		if (config->censuses >> i & 1)
			run(r, i, loop_now_ns());
	}
}

void rounds_turn(struct rounds *r, uint64_t now_ns)
{
	enum wire_census_which first = 0;

	for (enum wire_census_which i = 1; i < WIRE_CENSUS_KINDS; i++) {
		if (r->due_ns[i] < r->due_ns[first])
			first = i;
	}
	if (r->due_ns[first] <= now_ns)
		run(r, first, now_ns);
}
