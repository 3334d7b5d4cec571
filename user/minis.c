// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine_parts.h"

#include <string.h>

#include "lifecycle.h"

static bool is_cookie(uint64_t id)
{
	return id && !(id & NO_COOKIE);
}

bool mini_is(const struct conn *c)
{
	return c && (c->stage == STAGE_PARKED ||
		     (c->stage == STAGE_VERDICT && c->state == TS_FIN_WAIT2));
}

struct conn *mini_conn(struct engine *e, const struct mini *m)
{
	struct conn *c = m->conn ? conntab_at(&e->conns, m->conn - 1) : NULL;

	return mini_is(c) && c->id == m->id ? c : NULL;
}

/* The one that stands for c, which is parked, or may be. */
static struct mini *entry_of(const struct engine *e, const struct conn *c)
{
	struct mini *m = timewait_find(&e->minis, c->netns, &c->tuple);

	return m && m->conn == c->self + 1 ? m : NULL;
}

/* ---- ends ---- */

/* end_ns: when it was, if that is known; else 0. */
void mini_end(struct engine *e, struct mini *m, enum end_word cause, uint64_t at_ns,
	      uint64_t end_ns)
{
	bool parked = m->flags & MINI_PARKED, doubtful = m->flags & MINI_DOUBTFUL;
	struct report_state line = { .old = parked ? TS_FIN_WAIT2 : TS_TIME_WAIT, .new = TS_CLOSE,
				     .cause = cause, .in_old_ns = UNKNOWN_NS };

	if (m->since_ns && end_ns >= m->since_ns)
		line.in_old_ns = end_ns - m->since_ns;
	if (!doubtful && !(m->flags & MINI_UNTOLD))
		tell_mini_state(e, m, at_ns, line);
	if (!doubtful && !parked)
		timewait_place_of(&e->minis, m)->ended[cause]++;
	timewait_remove(&e->minis, m);
}

/* A connect() may take the place of a parked one, too, up to 6.8: its FIN never came. */
void mini_claim(struct engine *e, uint32_t netns, const struct wire_tuple *tuple, uint64_t at_ns,
		uint64_t end_ns)
{
	struct mini *m = timewait_find(&e->minis, netns, tuple);
	struct conn *c = m ? mini_conn(e, m) : NULL;

	/* What was seen since is the new one's. */
	if (!m || m->seen_ns >= at_ns)
		return;
	if (end_ns > at_ns)	/* nonsense */
		end_ns = 0;
	if (c)
		end_parked(e, c, CLOSE_ORPHAN, end_ns ? end_ns : at_ns);
	else
		mini_end(e, m, m->flags & MINI_PARKED ? END_ORPHAN : END_REUSED,
			 end_ns ? end_ns : at_ns, end_ns);
}

/* ---- entering ---- */

static struct mini *add_entry(struct engine *e, uint32_t netns, const struct wire_tuple *tuple,
			      unsigned int flags)
{
	struct mini *m = timewait_add(&e->minis, netns, tuple, flags);

	if (m)
		m->clock_ns = e->clock_ns;
	return m;
}

/*
 * The entry on the tuple of c is its own: it is linked to it, or it was met before
 * the records came that tell of it.  Where there are no cookies it had no name then
 * that could be compared.
 */
static bool is_own(const struct mini *m, const struct conn *c)
{
	return m->conn == c->self + 1 || m->id == c->id || !is_cookie(m->id);
}

/* What c leaves behind.  NULL: there is no room, or it has been replaced already. */
static struct mini *leave(struct engine *e, const struct conn *c, uint64_t at_ns,
			  unsigned int flags)
{
	struct mini *m;

	if (!tuple_has_ports(&c->tuple))
		return NULL;
	m = timewait_find(&e->minis, c->netns, &c->tuple);
	if (m && m->conn != c->self + 1 && m->id != c->id) {
		mini_claim(e, c->netns, &c->tuple, at_ns, 0);
		m = timewait_find(&e->minis, c->netns, &c->tuple);
	}
	if (m && !is_own(m, c))
		return NULL;
	if (c->flags & CONN_EXISTING)
		flags |= MINI_EXISTING;
	/* It has been met in TIME_WAIT, later than this. */
	if (m && flags & MINI_PARKED && m->flags & MINI_FOUND && !(m->flags & MINI_PARKED))
		flags |= MINI_MET_TW;
	if (m)
		timewait_mark(&e->minis, m, flags | (m->flags & MINI_OVERDUE));
	else
		m = add_entry(e, c->netns, &c->tuple, flags);
	return m;
}

/* What it remembers of the connection. */
static void remember(struct engine *e, struct mini *m, const struct conn *c, uint64_t since_ns)
{
	timewait_set_owner(&e->minis, m, &c->owner, c->cgroup);
	m->id = c->id;
	m->clock_ns = c->clock_ns;
	m->role = c->role;
	m->told_ns = c->told_ns;
	m->since_ns = since_ns;
	m->conn = m->flags & MINI_PARKED ? c->self + 1 : 0;
	m->has_rcv_nxt = c->progress.known && !(c->flags & CONN_GAP);
	m->rcv_nxt = c->progress.rcv_nxt;
	if (!(m->flags & MINI_PARKED) && !c->progress.fin_received)
		m->rcv_nxt++;	/* the FIN has come since */
}

/*
 * Its timer was set at at_ns; or, if that is not seen, before.  Whoever met it later,
 * and saw its timer, knows better.
 */
static void arm(struct engine *e, struct mini *m, uint64_t at_ns, bool seen, uint64_t left_ns)
{
	if (!m->end_ns || m->seen_ns < at_ns || (seen && m->seen_ns == at_ns))
		timewait_arm(&e->minis, m, at_ns, at_ns + left_ns);
}

void mini_enter(struct engine *e, const struct conn *c, uint64_t at_ns, uint64_t since_ns)
{
	struct mini *m = leave(e, c, at_ns, 0);

	if (!m)
		return;
	remember(e, m, c, since_ns);
	arm(e, m, at_ns, since_ns, TIME_WAIT_NS);
	timewait_place_of(&e->minis, m)->entered++;
}

void mini_enter_perhaps(struct engine *e, const struct conn *c)
{
	struct mini *m = leave(e, c, c->last_ns, MINI_DOUBTFUL | MINI_UNTOLD);

	if (!m)
		return;
	remember(e, m, c, c->last_ns);
	arm(e, m, c->last_ns, true, TIME_WAIT_NS);
}

void mini_on_fin(struct engine *e, struct conn *c, uint64_t at_ns, bool seen)
{
	struct verdict v;
	uint64_t in_old;

	if (!seen) {
		c->flags |= CONN_GAP;
		c->missed++;
		c->since_ns = 0;
	}
	in_old = life_enter_time_wait(c, at_ns);
	v = verdict_of_parked(c, CLOSE_FIN);
	tell_state(e, c, c->last_ns, (struct report_state){
		.old = TS_FIN_WAIT2, .new = TS_TIME_WAIT, .in_old_ns = in_old });
	mini_enter(e, c, c->last_ns, seen ? c->last_ns : 0);
	end_life(e, c, &v, c->last_ns);
}

/* doubtful: there may have been no room.  True: the FIN had come already, and c is gone. */
static bool park(struct engine *e, struct conn *c, bool doubtful)
{
	struct mini *m = leave(e, c, c->last_ns, MINI_PARKED | (doubtful ? MINI_DOUBTFUL : 0));
	uint64_t fin_ns;

	if (!m)
		return false;
	fin_ns = m->flags & MINI_MET_TW ? m->since_ns : 0;
	remember(e, m, c, c->since_ns);
	arm(e, m, c->last_ns, true, c->end.mini_ns);
	if (!fin_ns)
		return false;
	end_park(e, c);
	mini_on_fin(e, c, fin_ns, true);
	return true;
}

bool mini_on_close(struct engine *e, struct conn *c)
{
	struct verdict v;

	if (c->state != TS_FIN_WAIT2)
		return false;
	v = verdict_at_close(c, true);	/* if nothing else comes */
	if (v.fate != FATE_PARKED && v.cause != END_OVERFLOW)
		return false;
	return park(e, c, v.cause == END_OVERFLOW);
}

bool mini_has_turned(struct engine *e, struct conn *c)
{
	const struct mini *m = entry_of(e, c);

	if (!m || !(m->flags & MINI_MET_TW))
		return false;
	if (c->stage == STAGE_VERDICT)
		end_park(e, c);
	mini_on_fin(e, c, m->seen_ns, false);
	return true;
}

void mini_end_open(struct engine *e, struct conn *c)
{
	const struct mini *m = timewait_find(&e->minis, c->netns, &c->tuple);
	uint64_t end_ns = m && m->end_ns ? m->end_ns : c->met_ns + TIME_WAIT_NS;
	struct verdict v;

	life_turn_up(c, c->met);
	if (c->met == TS_FIN_WAIT2) {
		c->end.mini_ns = end_ns > c->last_ns ? end_ns - c->last_ns : 0;
		if (!park(e, c, false))
			end_park(e, c);
		return;
	}
	v = verdict_of_parked(c, CLOSE_FIN);
	mini_enter(e, c, c->met_ns, 0);
	end_life(e, c, &v, c->last_ns);
}

void mini_unlink(struct engine *e, const struct conn *c)
{
	struct mini *m = entry_of(e, c);

	if (m)
		m->conn = 0;
}

void mini_forget(struct engine *e, const struct conn *c)
{
	struct mini *m = entry_of(e, c);

	if (!m)
		return;
	m->conn = 0;
	if (m->flags & MINI_DOUBTFUL)	/* c was told to have closed; it may be there still */
		timewait_mark(&e->minis, m, m->flags | MINI_UNTOLD);
	else
		timewait_remove(&e->minis, m);
}

void mini_turn(struct engine *e, struct mini *m, uint64_t at_ns, uint64_t since_ns)
{
	struct report_state line = { .old = TS_FIN_WAIT2, .new = TS_TIME_WAIT,
				     .in_old_ns = UNKNOWN_NS };

	if (m->since_ns && since_ns >= m->since_ns)
		line.in_old_ns = since_ns - m->since_ns;
	if (!(m->flags & MINI_UNTOLD))
		tell_mini_state(e, m, at_ns, line);
	timewait_mark(&e->minis, m, m->flags & ~(MINI_PARKED | MINI_MET_TW));
	timewait_place_of(&e->minis, m)->entered++;
	m->since_ns = since_ns;
	m->rcv_nxt++;
}

/* ---- who is there ---- */

struct mini *mini_found(struct engine *e, const struct wire_hdr *hdr,
			const struct wire_tuple *tuple, enum tcp_state substate,
			unsigned int flags)
{
	struct mini *m;

	/* Else it may be one of those that were lost. */
	if (!e->lossy && !e->forgot && !e->minis.unlisted)
		flags |= MINI_EXISTING;
	if (substate == TS_FIN_WAIT2)
		flags |= MINI_PARKED;
	timewait_seed(&e->minis, hdr->sock);
	m = add_entry(e, hdr->netns, tuple, flags);
	if (m)
		m->id = hdr->cookie ? hdr->cookie : NO_COOKIE | ++e->serial;
	return m;
}

struct mini *mini_met_on(struct engine *e, const struct wire_hdr *hdr,
			 const struct wire_tuple *tuple)
{
	struct mini *m = timewait_find(&e->minis, hdr->netns, tuple);

	if (!m || !hdr->cookie || !is_cookie(m->id) || m->id == hdr->cookie)
		return m;
	mini_claim(e, hdr->netns, tuple, hdr->ts_ns, 0);
	return NULL;
}

/* A socket that lives again has its cookie still, but not its tuple. */
struct conn *mini_conn_named(struct engine *e, const struct wire_hdr *hdr,
			     const struct wire_tuple *tuple)
{
	struct conn *c = hdr->cookie ? conntab_find(&e->conns, hdr->cookie) : NULL;

	return c && c->netns == hdr->netns && !memcmp(&c->tuple, tuple, sizeof(*tuple)) ? c : NULL;
}

struct conn *mini_open_of(struct engine *e, const struct wire_hdr *hdr,
			  const struct wire_tuple *tuple)
{
	struct conn *c = mini_conn_named(e, hdr, tuple);

	return c && c->stage == STAGE_OPEN ? c : NULL;
}
