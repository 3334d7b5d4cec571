/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_state.h - the kernel's TCP states, their names, and which may follow
 * which.  Pure.
 */
#ifndef SYNFIN_TCP_STATE_H
#define SYNFIN_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* As the kernel numbers them (include/net/tcp_states.h).  13 is diag only. */
#define TCP_STATE_LIST(X)		\
	X(1, ESTABLISHED, "established")	\
	X(2, SYN_SENT, "syn_sent")	\
	X(3, SYN_RECV, "syn_recv")	\
	X(4, FIN_WAIT1, "fin_wait1")	\
	X(5, FIN_WAIT2, "fin_wait2")	\
	X(6, TIME_WAIT, "time_wait")	\
	X(7, CLOSE, "close")		\
	X(8, CLOSE_WAIT, "close_wait")	\
	X(9, LAST_ACK, "last_ack")	\
	X(10, LISTEN, "listen")		\
	X(11, CLOSING, "closing")	\
	X(12, NEW_SYN_RECV, "new_syn_recv")	\
	X(13, BOUND_INACTIVE, "bound_inactive")

/* TS_ and not TCP_, which <netinet/tcp.h> has. */
enum tcp_state {
	TS_NONE = 0,
#define X(num, name, text) TS_##name = num,
	TCP_STATE_LIST(X)
#undef X
	TS_MAX
};

/* Lower case, as in contract.md; "unknown" for anything else, never NULL. */
const char *tcp_state_name(unsigned int state);

/*
 * The least number of transitions that lead from one state to the other, as
 * inet_sock_set_state announces them; 0 if they are the same, UINT8_MAX if none
 * do.  A life with a hole in it missed at least that many.
 */
uint8_t tcp_state_distance(enum tcp_state from, enum tcp_state to);

#endif
