/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lifecycle.h - one connection's way through the states: birth, transitions,
 * handshake, retransmits, close, holes.  Pure; each call changes only the
 * connection it is given.
 *
 * A hole is never filled: where the chain of states is broken the life is
 * marked, the least number of missing transitions counted, and no duration
 * crosses it.
 */
#ifndef SYNFIN_LIFECYCLE_H
#define SYNFIN_LIFECYCLE_H

#include "conn.h"
#include "report.h"
#include "tcp_state.h"

/* 7->2 and 10->3. */
static inline bool life_is_birth(unsigned int old, unsigned int new)
{
	return (old == TS_CLOSE && new == TS_SYN_SENT) || (old == TS_LISTEN && new == TS_SYN_RECV);
}

/* connect() that ended so found no port (EADDRNOTAVAIL): the tuple is another's, and stays it. */
bool life_found_no_port(const struct wire_state *ev);

/* A life begins: c is zeroed, or holds the request that becomes the child. */
void life_begin(struct conn *c, const struct wire_state *ev);

/*
 * A socket whose birth was not seen turns up in `state`.  existing: it is
 * older than the trace; else its birth was lost.
 */
void life_adopt(struct conn *c, enum tcp_state state, bool existing);

/* The socket moves on, to anything but CLOSE.  Returns the time in the old state. */
uint64_t life_advance(struct conn *c, const struct wire_state *ev);

/* The socket moves to CLOSE; what its sample proves is kept in c->end. */
uint64_t life_close(struct conn *c, const struct wire_state *ev, uint32_t hz);

/* The peer's FIN reached the mini-socket: FIN_WAIT2 is over. */
uint64_t life_enter_time_wait(struct conn *c, uint64_t at_ns);

/* TIME_WAIT was entered by the transition that life_close() took. */
void life_close_into_time_wait(struct conn *c);

/* A retransmitted SYN-ACK of this life, or of the request before it. */
void life_synack(struct conn *c, const struct wire_synack *ev);

/* A census met the request: all that is known of it, c zeroed or not. */
void life_meet_request(struct conn *c, const struct wire_census *ev);

/*
 * A census saw the socket in a state that an older event is only now telling
 * of: what the event says is the truth about the time before.
 */
void life_adopt_again(struct conn *c, enum tcp_state state);

/* It was seen in `state`, which its events have yet to tell, or were lost. */
void life_meet(struct conn *c, enum tcp_state state, bool mini, uint64_t at_ns);

/* They were lost: it is there now. */
void life_turn_up(struct conn *c, enum tcp_state state);

/* The socket's cgroup; the process of a transition in which current is the owner. */
void life_own(struct conn *c, const struct wire_state *ev);

/* The connection record's figures; at_ns: the record's time. */
struct report_connection life_report(const struct conn *c, struct verdict v, uint64_t at_ns);

/* As the peer sees it: SYN and FIN not counted.  False: not known. */
bool life_tx_bytes(const struct conn *c, uint64_t *ret);
bool life_rx_bytes(const struct conn *c, uint64_t *ret);

#endif
