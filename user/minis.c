// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine_parts.h"

#include "lifecycle.h"

bool mini_is(const struct conn *c)
{
	return c && (c->stage == STAGE_PARKED ||
		     (c->stage == STAGE_VERDICT && c->state == TS_FIN_WAIT2));
}

/* By a mini-socket, which dies of it; the segment it answers is reported next. */
void mini_on_reset(struct engine *e, const union event *event, struct conn *c)
{
	tell_reset(e, event, c);
	if (c->stage == STAGE_VERDICT)
		end_park(e, c);
	c->flags |= CONN_RST_AFTER | CONN_RST_REPLY;
	c->rst_in_ns = event->hdr.ts_ns;
	conntab_set_deadline(&e->conns, c, event->hdr.ts_ns + VERDICT_WAIT_NS);
}

static void tell_late(struct engine *e, const union event *event, struct conn *c,
		      enum tcp_state state)
{
	const struct wire_tw_segment *ev = &event->tw_segment;
	struct report r = c ? tell_about(c, REPORT_LATE_SEGMENT, ev->hdr.ts_ns) :
			      tell_about_event(e, event, &ev->tuple, REPORT_LATE_SEGMENT);

	r.late = (struct report_late){
		.tcp_flags = ev->tcp_flags, .payload = ev->payload, .state = state,
	};
	tell(e, c, &r);
}

/* The peer's FIN: the moment of TIME_WAIT, which no state event shows. */
static void on_awaited_fin(struct engine *e, struct conn *c, uint64_t at_ns)
{
	uint64_t in_old = life_enter_time_wait(c, at_ns);
	struct verdict v = verdict_of_parked(c, CLOSE_FIN);

	tell_state(e, c, c->last_ns, (struct report_state){
		.old = TS_FIN_WAIT2, .new = TS_TIME_WAIT, .in_old_ns = in_old });
	end_life(e, c, &v, c->last_ns);
}

void mini_on_segment(struct engine *e, const union event *event)
{
	const struct wire_tw_segment *ev = &event->tw_segment;
	struct conn *c = ev->hdr.cookie ? engine_find(e, &ev->hdr) : NULL;

	if (!mini_is(c)) {
		if (!(ev->flags & WIRE_TW_NO_MINI) && engine_has(e, ev->hdr.netns, &ev->tuple))
			tell_late(e, event, NULL, ev->substate);
		return;
	}
	if (c->stage == STAGE_VERDICT)	/* here is the proof */
		end_park(e, c);
	if (ev->substate == TS_TIME_WAIT) {
		if (!(ev->tcp_flags & TCPHDR_FIN)) {	/* that was lost, but here is its effect */
			c->flags |= CONN_GAP;
			c->missed++;
			c->since_ns = 0;
		}
		on_awaited_fin(e, c, ev->hdr.ts_ns);
		return;
	}
	if (ev->tcp_flags & TCPHDR_SYN)
		c->flags |= CONN_LATE_SYN;
	tell_late(e, event, c, TS_FIN_WAIT2);
	if (ev->tcp_flags & TCPHDR_RST)
		end_parked(e, c, CLOSE_RESET_RECEIVED, ev->hdr.ts_ns);
	else if (c->flags & CONN_RST_AFTER)
		end_parked(e, c, CLOSE_RESET_SENT, ev->hdr.ts_ns);
}
