// SPDX-License-Identifier: GPL-2.0-or-later
#include "age.h"

#include "tcp_state.h"

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull

static uint64_t jiffies_to_ns(uint64_t jiffies, uint32_t hz)
{
	return jiffies * NSEC_PER_SEC / hz;
}

/*
 * Our FIN went out when the state began, and whatever was sent last came after it.
 * If nothing but the FIN is out, each timeout since the peer's last word was the
 * FIN's, each twice as long as the one before (tcp_retransmit_timer()); rto is
 * the one that runs.
 */
static uint64_t since_fin(const struct wire_aged *s, uint32_t hz)
{
	unsigned int timeouts = s->retransmits < s->backoff ? s->retransmits : s->backoff;
	uint64_t ns;

	if (s->snd_nxt != s->write_seq || !s->sent_ns || s->sent_ns > s->hdr.ts_ns)
		return AGE_UNKNOWN;	/* it waits for the peer's window, or for pacing */
	ns = s->hdr.ts_ns - s->sent_ns;
	if (s->write_seq - s->snd_una == 1)
		ns += jiffies_to_ns(s->rto - (timeouts < 32 ? s->rto >> timeouts : 0), hz);
	return ns;
}

uint64_t age_at_least(const struct wire_aged *s, uint32_t hz)
{
	switch (s->state) {
	case TS_SYN_SENT:	/* tcp_connect() sets retrans_stamp, and no timeout moves it */
		return s->tried_ms * NSEC_PER_MSEC;
	case TS_FIN_WAIT2:	/* the ACK of our FIN: tcp_ack() sets it */
	case TS_CLOSE_WAIT:	/* the peer's FIN, which has an ACK, too */
	case TS_CLOSING:
		return jiffies_to_ns(s->heard, hz);
	case TS_FIN_WAIT1:
	case TS_LAST_ACK:
		return since_fin(s, hz);
	default:
		return AGE_UNKNOWN;
	}
}
