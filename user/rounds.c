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
/* Where nothing happens that is too much. */
#define KEPT_APART_TIMES	1500
/* As long as figures are kept at the most. */
#define KEEP_NS		(60 * NSEC_PER_SEC)

#define NEVER		UINT64_MAX

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static uint64_t read_transitions(struct rounds *r)
{
	struct wire_counters counters;
	uint64_t sum = 0;

	capture_counters_sum(r->capture, &counters);
	if (r->config.metrics)
		metrics_kernel(r->config.metrics, &counters);
	for (unsigned int from = 0; from < WIRE_STATES; from++) {
		for (unsigned int to = 0; to < WIRE_STATES; to++)
			sum += counters.transitions[from][to];
	}
	return sum;
}

static bool is_known(const struct rounds *r, enum wire_census_which which, uint64_t transitions,
		     uint64_t now_ns)
{
	const struct metrics *m = r->config.metrics;

	if (!r->config.gauges || now_ns - r->walked_ns[which] >= KEEP_NS)
		return false;
	if (which == WIRE_CENSUS_AGED)
		return m->has_sockets && !metrics_sockets(m, TS_CLOSE_WAIT);
	return transitions == r->transitions[which] &&
	       gauges_would_keep(r->config.gauges, which);
}

static int walk(struct rounds *r, enum wire_census_which which, uint64_t now_ns)
{
	struct capture_state state;
	int err;

	r->walked_ns[which] = now_ns;
	if (r->config.gauges)
		gauges_begin(r->config.gauges, which, now_ns);
	err = capture_census(r->capture, which, false);
	capture_state(r->capture, false, &state);
	if (r->config.gauges)
		gauges_end(r->config.gauges, !err && !state.censuses[which].left_out);
	return err;
}

/* Sysctls and counters change without a transition. */
static int keep(struct rounds *r, enum wire_census_which which, uint64_t now_ns)
{
	unsigned int left_out;
	int err;

	if (which == WIRE_CENSUS_AGED)
		gauges_no_close_wait(r->config.gauges);
	if (which != WIRE_CENSUS_PORTS)
		return 0;
	gauges_begin_facts(r->config.gauges, now_ns);
	err = capture_facts(r->capture, &left_out);
	gauges_end(r->config.gauges, !err && !left_out);
	return err;
}

static void run(struct rounds *r, enum wire_census_which which, uint64_t now_ns)
{
	uint64_t begun_ns = cpu_ns(), took_ns, transitions = read_transitions(r);
	bool known = is_known(r, which, transitions, now_ns);
	int err;

	if (!known)
		r->transitions[which] = transitions;
	err = known ? keep(r, which, now_ns) : walk(r, which, now_ns);
	took_ns = (cpu_ns() - begun_ns) * (known ? KEPT_APART_TIMES : APART_TIMES);
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
