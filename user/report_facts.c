// SPDX-License-Identifier: GPL-2.0-or-later
#include "report_facts.h"

#include "tcp_state.h"

uint32_t facts_state(unsigned int state)
{
	if (state == TS_NONE)
		return 0;
	if (state == TS_NEW_SYN_RECV)
		state = TS_SYN_RECV;
	return 1u << (state == TS_BOUND_INACTIVE ? TS_CLOSE : state);
}

/* Where it went in the end; TIME_WAIT stands in its path. */
static bool ended_in_close(const struct verdict *v)
{
	return v->close != CLOSE_NONE && v->close != CLOSE_STILL_OPEN && v->time_wait == TRI_NO;
}

static uint32_t states_of_life(const struct report *r)
{
	uint32_t ret = 0;

	for (unsigned int i = 0; i < r->conn->path_len; i++)
		ret |= facts_state(r->conn->path[i]);
	if (ended_in_close(&r->connection.verdict))
		ret |= facts_state(TS_CLOSE);
	return ret;
}

/* No handshake, or an end that is no orderly one.  What is not known is no failure. */
static bool has_failed(const struct verdict *v)
{
	if (v->outcome != OUTCOME_NONE && v->outcome != OUTCOME_ESTABLISHED)
		return true;
	return v->close != CLOSE_NONE && v->close != CLOSE_FIN && v->close != CLOSE_STILL_OPEN;
}

static uint32_t states_of(const struct report *r)
{
	switch (r->kind) {
	case REPORT_STATE:
		return facts_state(r->state.old) | facts_state(r->state.new);
	case REPORT_LATE_SEGMENT:
		return facts_state(r->late.state);
	case REPORT_RETRANSMIT:
		return facts_state(r->retransmit.state);
	case REPORT_RESET:
		return facts_state(r->reset.state);
	case REPORT_CONNECTION:
		return states_of_life(r);
	case REPORT_LISTENER:
		return facts_state(TS_LISTEN);
	case REPORT_SOCKET:
		return facts_state(r->socket.state);
	case REPORT_TIME_WAIT:
	case REPORT_TW_GROUP:
	case REPORT_PORT_SPACE:
	case REPORT_LISTENERS:
	case REPORT_LOST:
	case REPORT_KINDS:
		break;
	}
	return 0;
}

bool report_is_of_socket(const struct report *r)
{
	switch (r->kind) {
	case REPORT_STATE:
	case REPORT_LATE_SEGMENT:
	case REPORT_RETRANSMIT:
	case REPORT_RESET:
	case REPORT_CONNECTION:
	case REPORT_LISTENER:
	case REPORT_SOCKET:
		return true;
	case REPORT_TIME_WAIT:
	case REPORT_TW_GROUP:
	case REPORT_PORT_SPACE:
	case REPORT_LISTENERS:
	case REPORT_LOST:
	case REPORT_KINDS:
		break;
	}
	return false;
}

struct filter_facts report_facts(const struct report *r)
{
	struct filter_facts ret = {
		.tuple = r->conn ? &r->conn->tuple : r->tuple, .states = states_of(r),
		.listener = r->role == ROLE_LISTENER, .owner = r->owner,
		.handshake_ns = UNKNOWN_NS,
	};

	if (r->kind == REPORT_CONNECTION) {
		ret.failed = has_failed(&r->connection.verdict);
		ret.handshake_ns = r->connection.handshake_ns;
	}
	return ret;
}
