// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine_parts.h"

#include "lifecycle.h"
#include "scope.h"

#define NSEC_PER_SEC	1000000000ull

/* A timer that is further off than this was set anew, unseen. */
#define CLOSE_ENOUGH_NS	NSEC_PER_SEC

/* ---- rows ---- */

/* end_ns: when its timer falls due, or did; UNKNOWN_NS: the row does not say. */
static void set_end(struct engine *e, struct mini *m, uint64_t at_ns, uint64_t end_ns)
{
	bool was_seen = m->end_ns && !(m->flags & MINI_FOUND);

	if (end_ns == UNKNOWN_NS) {
		timewait_met(m, at_ns);
		if (!m->end_ns)
			timewait_arm(&e->minis, m, at_ns, at_ns + TIME_WAIT_NS);
		return;
	}
	if (was_seen && end_ns > m->end_ns + CLOSE_ENOUGH_NS)
		timewait_place_of(&e->minis, m)->corrections++;
	timewait_arm(&e->minis, m, at_ns, end_ns);
}

/* The close of a connection that is open for us may be in the ring still, or lost. */
static void on_row(struct engine *e, const struct wire_hdr *hdr, const struct wire_tuple *tuple,
		   enum tcp_state substate, uint64_t end_ns)
{
	struct mini *m;
	struct conn *c;

	if (!engine_has(e, hdr->netns, tuple))
		return;
	m = mini_met_on(e, hdr, tuple);
	if (!m)
		m = mini_found(e, hdr, tuple, substate, MINI_FOUND);
	if (m) {
		unsigned int flags = m->flags & ~MINI_DOUBTFUL;

		if (m->flags & MINI_PARKED && substate == TS_TIME_WAIT)
			flags |= MINI_MET_TW;
		timewait_mark(&e->minis, m, flags);
		set_end(e, m, hdr->ts_ns, end_ns);
	}
	c = mini_open_of(e, hdr, tuple);
	if (!c || c->last_ns > hdr->ts_ns)
		return;
	life_meet(c, substate, true, hdr->ts_ns);
	conntab_set_deadline(&e->conns, c, hdr->ts_ns + VERDICT_WAIT_NS);
}

void mini_on_row(struct engine *e, const struct wire_mini *ev)
{
	int64_t left_ns = ev->left * (int64_t)(NSEC_PER_SEC / e->hz);
	int64_t late_ns = e->minis.late_ns;

	/* It is there yet, so it cannot be later than the kernel's timers ever are. */
	if (left_ns < -late_ns)
		left_ns = -late_ns;
	if (left_ns < 0 && (uint64_t)-left_ns >= ev->hdr.ts_ns)
		left_ns = 0;
	on_row(e, &ev->hdr, &ev->tuple, ev->substate, ev->hdr.ts_ns + left_ns);
}

void mini_on_old_row(struct engine *e, const struct wire_census *ev)
{
	if (ev->state == TS_TIME_WAIT || ev->state == TS_FIN_WAIT2)
		on_row(e, &ev->hdr, &ev->tuple, ev->state, UNKNOWN_NS);
}

void mini_on_other_row(struct engine *e, const struct wire_hdr *hdr,
		       const struct wire_tuple *tuple)
{
	struct mini *m = timewait_find(&e->minis, hdr->netns, tuple);

	if (m && m->seen_ns < hdr->ts_ns)
		timewait_mark(&e->minis, m, m->flags | MINI_REPLACED);
}

/* ---- what they contradict ---- */

static enum end_word cause_of_missing(const struct engine *e, const struct mini *m)
{
	if (m->flags & MINI_PARKED)
		return END_ORPHAN;
	if (m->flags & MINI_REPLACED)
		return END_REUSED;
	return m->flags & MINI_OVERDUE ||
	       m->end_ns <= timewait_place_of(&e->minis, m)->census_start_ns ? END_EXPIRED :
									       END_EARLY;
}

static void on_missing(struct engine *e, struct mini *m, uint64_t now_ns)
{
	struct tw_place *p = timewait_place_of(&e->minis, m);
	enum end_word cause = cause_of_missing(e, m);
	struct conn *c = mini_conn(e, m);

	if (c && c->stage == STAGE_VERDICT)	/* it may never have been one */
		return;
	if (!(m->flags & MINI_DOUBTFUL) && cause != END_EXPIRED) {
		p->corrections++;
		p->patience_ns = 0;
	}
	if (c)
		end_parked(e, c, CLOSE_ORPHAN, now_ns);
	else
		mini_end(e, m, cause, now_ns, 0);
}

static void settle(struct engine *e, struct mini *m, uint64_t now_ns)
{
	struct tw_place *p = timewait_place_of(&e->minis, m);
	struct conn *c = mini_conn(e, m);

	if (timewait_is_missing(&e->minis, m)) {
		on_missing(e, m, now_ns);
		return;
	}
	if (m->flags & MINI_FOUND && p->counted_off)
		p->corrections++;
	if (m->flags & MINI_MET_TW) {
		p->corrections++;
		if (c)
			mini_has_turned(e, c);
		else
			mini_turn(e, m, now_ns, 0);
		if (c)
			return;
	}
	timewait_mark(&e->minis, m, m->flags & ~(MINI_FOUND | MINI_MET_TW | MINI_REPLACED));
}

/* The kernel's count is the whole namespace's, the ledger's what is wanted of it. */
void mini_on_gauge(struct engine *e, const struct wire_hdr *hdr, uint32_t count, uint32_t limit)
{
	if (!e->partial && e->is_whole)
		timewait_read(&e->minis, hdr->netns, count, limit, hdr->ts_ns);
}

/* ---- time ---- */

/* Its time is up, and was all along as far as can be seen. */
static void expire(struct engine *e, struct mini *m, uint64_t now_ns)
{
	if (!mini_conn(e, m))	/* which has a deadline of its own */
		mini_end(e, m, m->flags & MINI_PARKED ? END_ORPHAN : END_EXPIRED, now_ns, 0);
}

void mini_on_tick(struct engine *e, uint64_t now_ns)
{
	struct mini *m;

	while ((m = timewait_unsettled(&e->minis, now_ns)))
		settle(e, m, now_ns);
	while ((m = timewait_due(&e->minis, now_ns)))
		expire(e, m, now_ns);
}
