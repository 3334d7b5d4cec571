// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine_parts.h"

#include "lifecycle.h"

#define NSEC_PER_MSEC	1000000ull

static void release_reset(struct engine *e, struct conn *c)
{
	struct report r = tell_about(c, REPORT_RESET, c->rst_in_ns);

	r.reset = (struct report_reset){ .received = true, .state = c->state };
	c->flags &= ~CONN_RST_HELD;
	tell(e, c, &r);
}

static uint64_t in_last_state(const struct conn *c)
{
	return c->path_len ? c->path_ns[c->path_len - 1] : UNKNOWN_NS;
}

/* What was held back until it was known what it was. */
void end_release(struct engine *e, struct conn *c, const struct verdict *v)
{
	/* Of data after close the kernel says a reset was received; none was. */
	if (c->flags & CONN_RST_HELD && v->close != CLOSE_RESET_SENT)
		release_reset(e, c);
	if (c->flags & CONN_END_HELD) {
		c->flags &= ~CONN_END_HELD;
		tell_state(e, c, c->last_ns, (struct report_state){
			.old = c->state, .new = TS_CLOSE, .cause = v->cause,
			.in_old_ns = in_last_state(c) });
	}
}

void end_life(struct engine *e, struct conn *c, const struct verdict *v, uint64_t at_ns)
{
	end_release(e, c, v);
	tell_connection(e, c, v, at_ns);
	engine_forget(e, c);
}

/* A FIN_WAIT2 mini-socket: nothing announces its end, a timer bounds it. */
void end_park(struct engine *e, struct conn *c)
{
	c->stage = STAGE_PARKED;
	c->flags &= ~CONN_END_HELD;
	/* Without a cookie it was known by the full socket's address, which is free now. */
	if (c->key != c->id)
		conntab_rekey(&e->conns, c, c->id);
	/* The timer wheel is up to an eighth late. */
	conntab_set_deadline(&e->conns, c,
			     c->last_ns + c->end.mini_ns * 5 / 4 + 200 * NSEC_PER_MSEC);
}

/* The verdict if it can be told now; else it waits. */
void end_conclude(struct engine *e, struct conn *c, bool waited)
{
	struct verdict v = verdict_at_close(c, waited);

	switch ((enum fate)v.fate) {
	case FATE_ENDED:
		end_life(e, c, &v, c->last_ns);
		break;
	case FATE_WAITS:
		conntab_set_deadline(&e->conns, c, c->last_ns + VERDICT_WAIT_NS);
		break;
	case FATE_PARKED:
		end_park(e, c);
		break;
	}
}

/* The mini-socket is gone; its last transition is told now. */
void end_parked(struct engine *e, struct conn *c, enum close_word how, uint64_t at_ns)
{
	struct verdict v = verdict_of_parked(c, how);
	uint64_t in_old = UNKNOWN_NS;

	if (at_ns < c->last_ns)
		at_ns = c->last_ns;
	if (how != CLOSE_ORPHAN && c->since_ns) {	/* its end was seen */
		in_old = at_ns - c->since_ns;
		c->path_ns[c->path_len - 1] = in_old;
	}
	tell_state(e, c, at_ns, (struct report_state){
		.old = TS_FIN_WAIT2, .new = TS_CLOSE, .cause = v.cause, .in_old_ns = in_old });
	c->last_ns = at_ns;
	end_life(e, c, &v, at_ns);
}

/* Half-open requests end without a word. */
static void end_request(struct engine *e, struct conn *c, uint64_t at_ns)
{
	struct verdict v = verdict_of_request(c);

	c->path[0] = TS_SYN_RECV;
	c->path_ns[0] = UNKNOWN_NS;
	c->path_len = 1;
	tell_connection(e, c, &v, at_ns);
	engine_forget(e, c);
}

/* It is over, and nothing told how. */
void end_lost(struct engine *e, struct conn *c, uint64_t now_ns)
{
	struct verdict v = verdict_of_open(c, CLOSE_NONE);

	if (c->flags & CONN_BIRTH_HELD) {	/* whose it was is lost: as if its birth was, too */
		e->births--;
		engine_forget(e, c);
		return;
	}
	c->flags |= CONN_GAP;
	c->missed++;
	end_life(e, c, &v, c->last_ns ? c->last_ns : now_ns);
}

/* A census missed it, or it was met as what its events have not told of since. */
static void end_open(struct engine *e, struct conn *c, uint64_t now_ns)
{
	if (!c->met) {
		end_lost(e, c, now_ns);
		return;
	}
	if (c->met_mini) {
		mini_end_open(e, c);
		return;
	}
	/* The state is written just after it is announced. */
	if (c->state != c->met && c->met_ns > c->last_ns + NSEC_PER_MSEC &&
	    tcp_state_distance(c->state, c->met) != UINT8_MAX)
		life_turn_up(c, c->met);
	c->met = TS_NONE;
}

static void end_waiting(struct engine *e, struct conn *c, uint64_t now_ns)
{
	bool reset = c->flags & CONN_RST_AFTER;

	if (!mini_has_turned(e, c))
		end_parked(e, c, reset ? CLOSE_RESET_SENT : CLOSE_ORPHAN,
			   reset ? c->rst_in_ns : now_ns);
}

/* Its deadline has passed. */
void end_due(struct engine *e, struct conn *c, uint64_t now_ns)
{
	switch ((enum conn_stage)c->stage) {
	case STAGE_VERDICT:
		end_conclude(e, c, true);
		break;
	case STAGE_PARKED:
		end_waiting(e, c, now_ns);
		break;
	case STAGE_REQUEST:
		end_request(e, c, now_ns);
		break;
	case STAGE_OPEN:
		end_open(e, c, now_ns);
		break;
	case STAGE_LISTENER:	/* a census missed it */
		engine_forget(e, c);
		break;
	case STAGE_NEW:
		break;
	}
}

/* A new life on a socket whose old one is not over for us. */
void end_displaced(struct engine *e, struct conn *c, uint64_t at_ns)
{
	struct verdict v;

	switch ((enum conn_stage)c->stage) {
	case STAGE_VERDICT:
		v = verdict_at_close(c, true);
		if (v.fate == FATE_PARKED && c->id & NO_COOKIE) {	/* only the address is */
			end_park(e, c);
			return;
		}
		if (v.fate == FATE_PARKED)
			v = verdict_of_parked(c, CLOSE_ORPHAN);
		end_life(e, c, &v, c->last_ns);
		return;
	case STAGE_PARKED:
		end_parked(e, c, CLOSE_ORPHAN, at_ns);
		return;
	case STAGE_OPEN:
		end_lost(e, c, at_ns);
		return;
	case STAGE_REQUEST:
	case STAGE_NEW:
	case STAGE_LISTENER:
		engine_forget(e, c);
	}
}

/* Of a parked one nobody knows yet; an open one is told with its age. */
static void end_open_or_parked(struct engine *e, struct conn *c, uint64_t now_ns)
{
	struct verdict v;

	if (c->stage == STAGE_PARKED && c->flags & CONN_RST_AFTER) {
		end_due(e, c, now_ns);
		return;
	}
	if (c->stage == STAGE_PARKED && mini_has_turned(e, c))
		return;
	if (c->stage == STAGE_PARKED) {
		v = verdict_of_parked(c, CLOSE_ORPHAN);
		end_life(e, c, &v, now_ns);
		return;
	}
	v = verdict_of_open(c, CLOSE_STILL_OPEN);
	if (c->flags & CONN_BIRTH_HELD && engine_is_undecided(e, &c->tuple)) {
		engine_forget(e, c);
		return;
	}
	if (c->flags & CONN_BIRTH_HELD) {	/* a raw clone, still */
		engine_ensure_id(e, c);
		tell_birth(e, c, c->start_ns, &c->tuple);
	}
	if (c->path_len && c->since_ns && now_ns >= c->since_ns)
		c->path_ns[c->path_len - 1] = now_ns - c->since_ns;
	end_life(e, c, &v, now_ns);
}

/* Its deadline has not passed, but there is none after the end of the run. */
static void end_open_late(struct engine *e, struct conn *c, uint64_t now_ns)
{
	conntab_set_deadline(&e->conns, c, 0);
	end_open(e, c, now_ns);
}

void end_with_run(struct engine *e, struct conn *c, uint64_t now_ns)
{
	if (c->stage == STAGE_VERDICT)	/* which may park it */
		end_conclude(e, c, true);
	else if (c->stage == STAGE_OPEN && c->timer)
		end_open_late(e, c, now_ns);
	else if (c->stage == STAGE_PARKED || c->stage == STAGE_OPEN)
		end_open_or_parked(e, c, now_ns);
	else
		engine_forget(e, c);
}
