// SPDX-License-Identifier: GPL-2.0-or-later
#include "recount.h"

#include <string.h>

#include "log.h"

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull

#define EVERY_NS	(300 * NSEC_PER_SEC)
#define APART_TIMES	1000
/* What it contradicts is settled by the engine until then: VERDICT_WAIT_NS, and a tick. */
#define SETTLE_NS	(200 * NSEC_PER_MSEC)
#define RETRY_NS	(200 * NSEC_PER_MSEC)

#define NEVER		UINT64_MAX

/* Those of which was told, and those of which will be. */
static uint64_t forgotten(const struct recount *r)
{
	return r->metrics->lost[LOST_TABLE] + r->engine->evicted + r->engine->conns.refused;
}

static void on_census(struct recount *r, const struct capture_state *state, uint64_t now_ns)
{
	uint64_t took_ns = state->censuses[WIRE_CENSUS_LIVES].took_ns * APART_TIMES;
	bool whole = state->censuses[WIRE_CENSUS_LIVES].ok &&
		     !state->censuses[WIRE_CENSUS_LIVES].left_out;

	r->census_ns = state->censuses[WIRE_CENSUS_LIVES].ended_ns;
	r->forgotten_before = r->forgotten;
	r->try_ns = whole ? r->census_ns + SETTLE_NS : NEVER;
	r->again_ns = now_ns + (took_ns > EVERY_NS ? took_ns : EVERY_NS);
}

/* On a host that is never quiet it is not known for long what the ring lost: then the next. */
static void count_off(struct recount *r, uint64_t now_ns)
{
	struct wire_counters before, after;
	uint64_t off;

	capture_counters_sum(r->capture, &before);
	capture_drain(r->capture, engine_next_deadline(r->engine));
	capture_counters_sum(r->capture, &after);
	if (!memcmp(&before, &after, sizeof(after)))
		metrics_quiet(r->metrics, &after);
	r->try_ns = now_ns + RETRY_NS;
	if (!metrics_count_off(r->metrics, &after, &r->engine->conns, &off))
		return;
	r->try_ns = NEVER;
	log_debug("the number of sockets by state was off by %llu, as a census shows",
		  (unsigned long long)off);
}

void recount_turn(struct recount *r, uint64_t now_ns)
{
	struct capture_state state;

	capture_state(r->capture, false, &state);
	if (state.censuses[WIRE_CENSUS_LIVES].ended_ns != r->census_ns)
		on_census(r, &state, now_ns);
	r->forgotten = forgotten(r);
	/* Another is to come, or the table has not all that is there. */
	if (state.doubted || r->forgotten != r->forgotten_before)
		r->try_ns = NEVER;
	if (now_ns >= r->again_ns) {
		capture_recount(r->capture);
		r->again_ns = NEVER;
	}
	if (now_ns >= r->try_ns)
		count_off(r, now_ns);
}

void recount_begin(struct recount *r, struct capture *capture, struct engine *engine,
		   struct metrics *metrics)
{
	struct capture_state state;

	*r = (struct recount){
		.capture = capture, .engine = engine, .metrics = metrics,
		.try_ns = NEVER, .again_ns = NEVER,
	};
	capture_state(capture, false, &state);
	on_census(r, &state, state.censuses[WIRE_CENSUS_LIVES].ended_ns);
	if (metrics->has_sockets)
		r->try_ns = NEVER;
}
