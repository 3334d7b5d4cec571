// SPDX-License-Identifier: GPL-2.0-or-later
#include "tcp_state.h"

const char *tcp_state_name(unsigned int state)
{
	switch (state) {
#define X(num, name, text) case num: return text;
	TCP_STATE_LIST(X)
#undef X
	}
	return "unknown";
}

#define TO(name) (1u << TS_##name)

/*
 * RFC 9293's diagram as Linux walks it: a child is born LISTEN->SYN_RECV; every
 * state can be aborted to CLOSE; FIN+ACK in one segment passes FIN_WAIT2; a TFO
 * child may close in SYN_RECV.
 */
static const uint16_t next_states[TS_MAX] = {
	[TS_CLOSE]	 = TO(SYN_SENT) | TO(LISTEN),
	[TS_LISTEN]	 = TO(SYN_RECV) | TO(CLOSE),
	[TS_SYN_SENT]	 = TO(ESTABLISHED) | TO(SYN_RECV) | TO(CLOSE),
	[TS_SYN_RECV]	 = TO(ESTABLISHED) | TO(FIN_WAIT1) | TO(CLOSE_WAIT) | TO(CLOSE),
	[TS_ESTABLISHED] = TO(FIN_WAIT1) | TO(CLOSE_WAIT) | TO(CLOSE),
	[TS_FIN_WAIT1]	 = TO(FIN_WAIT2) | TO(CLOSING) | TO(CLOSE),
	[TS_FIN_WAIT2]	 = TO(TIME_WAIT) | TO(CLOSE),
	[TS_CLOSING]	 = TO(TIME_WAIT) | TO(CLOSE),
	[TS_CLOSE_WAIT]	 = TO(LAST_ACK) | TO(CLOSE),
	[TS_LAST_ACK]	 = TO(CLOSE),
	[TS_TIME_WAIT]	 = TO(CLOSE),
};

uint8_t tcp_state_distance(enum tcp_state from, enum tcp_state to)
{
	uint16_t reached = 1u << from, before = 0;
	uint8_t steps = 0;

	while (!(reached & 1u << to)) {
		if (reached == before)
			return UINT8_MAX;
		before = reached;
		for (unsigned int s = 0; s < TS_MAX; s++) {
			if (before & 1u << s)
				reached |= next_states[s];
		}
		steps++;
	}
	return steps;
}
