/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conn.h - what is remembered about one socket.  Valid when zeroed.  Only
 * facts that a later verdict needs; owned by conntab, filled by lifecycle.
 *
 * Times are CLOCK_MONOTONIC nanoseconds, durations nanoseconds.
 */
#ifndef SYNFIN_CONN_H
#define SYNFIN_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "owner.h"
#include "words.h"

/*
 * The longest way through TCP's diagram has six states (simultaneous open and
 * close); more is nonsense from a broken or hostile recording.
 */
#define CONN_PATH_MAX	8

enum conn_stage {
	STAGE_NEW,		/* just made, nothing known yet */
	STAGE_REQUEST,		/* half-open: seen by a retransmitted SYN-ACK */
	STAGE_OPEN,		/* a full socket, not closed yet */
	STAGE_VERDICT,		/* ->CLOSE was seen, the verdict waits (kernel-facts 10) */
	STAGE_PARKED,		/* FIN_WAIT2 mini-socket, the peer's FIN is awaited */
	STAGE_LISTENER,
};

enum conn_flags {
	CONN_BORN	 = 1 << 0,	/* its birth was seen */
	CONN_EXISTING	 = 1 << 1,	/* older than the trace */
	CONN_GAP	 = 1 << 2,	/* transitions are missing */
	CONN_HANDSHAKE	 = 1 << 3,	/* handshake_ns is known */
	CONN_RST_IN	 = 1 << 4,	/* tcp_receive_reset in this life */
	CONN_RST_BEFORE	 = 1 << 5,	/* reset sent before ->CLOSE, not in reply */
	CONN_RST_AFTER	 = 1 << 6,	/* reset sent after ->CLOSE */
	CONN_RST_REPLY	 = 1 << 7,	/* that one was in reply to a segment */
	CONN_RST_HELD	 = 1 << 8,	/* the received reset is not reported yet */
	CONN_END_HELD	 = 1 << 9,	/* the last transition is not reported yet */
	CONN_ISN	 = 1 << 10,	/* isn is known */
	CONN_ACKED	 = 1 << 11,	/* request: its ACK met a full accept queue */
	CONN_SHUT_EARLY	 = 1 << 12,	/* shutdown() before ->ESTABLISHED (TFO) */
	CONN_LATE_SYN	 = 1 << 14,	/* a SYN met its FIN_WAIT2 mini-socket */
	CONN_BIRTH_HELD	 = 1 << 13,	/* in scope? not known yet, its birth is not reported */
};

/* What the socket proved at ->CLOSE. */
enum ending_flags {
	ENDING_SYNCED	 = 1 << 0,	/* snd_una == write_seq: all sent was acknowledged */
	ENDING_UNREAD	 = 1 << 1,	/* received data that nobody read */
	ENDING_LINGER0	 = 1 << 2,
	ENDING_LINGER2	 = 1 << 3,	/* TCP_LINGER2 < 0 */
	ENDING_DONE	 = 1 << 4,	/* the peer's FIN was processed */
	ENDING_DEAD	 = 1 << 5,	/* orphan */
	ENDING_NO_SOCKET = 1 << 6,
	ENDING_MPTCP	 = 1 << 7,
	ENDING_PROBING	 = 1 << 8,	/* zero-window probes were out, no retransmits */
	ENDING_TW_FULL	 = 1 << 9,	/* the TIME_WAIT table was full */
	ENDING_SENT	 = 1 << 10,	/* at least one segment went out */
	ENDING_SHUT	 = 1 << 11,	/* sk_shutdown both ways: closed, not disconnected */
	ENDING_SAMPLED	 = 1 << 12,	/* its close was seen, and all of the ending is known */
};

struct ending {
	uint64_t bytes_acked, bytes_received;	/* as the kernel counts: with SYN and FIN */
	uint64_t mini_ns;	/* how long a mini-socket would live */
	uint32_t data_segs_out, data_segs_in;
	uint32_t srtt_us8, min_rtt_us;
	uint16_t err;
	uint16_t flags;		/* enum ending_flags */
};

/*
 * How far both directions had come at the last transition: sequence numbers and
 * counts as the kernel has them.  `known` is false before the first sample.
 */
struct progress {
	uint64_t bytes_sent;	/* payload, each byte once */
	uint64_t bytes_received;	/* in order; the peer's FIN counts one */
	uint32_t snd_una, snd_nxt, write_seq, rcv_nxt;
	uint32_t segs_out, data_segs_out, data_segs_in;
	bool known;
	bool fin_received;
};

struct conn {
	/* conntab's */
	uint64_t key;
	uint32_t self;		/* its place in the table */
	uint32_t timer;		/* position in the heap + 1; 0: none */
	uint64_t deadline_ns;
	struct conn *next_free;

	struct conn *next_listener;	/* listenmap's */

	/* lifecycle's */
	uint64_t id;		/* what `conn` prints; 0: not known yet */
	int64_t  clock_ns;	/* realtime - monotonic at birth: one life, one clock */
	struct wire_tuple tuple;
	uint64_t cgroup;	/* the socket's own; 0: not known */
	uint32_t netns;
	uint32_t isn;
	uint8_t  stage;		/* enum conn_stage */
	uint8_t  role;		/* enum role_word */
	uint8_t  state;		/* enum tcp_state; the one it is in, or was in before ->CLOSE */
	uint8_t  closed_by;	/* enum side_word */
	uint16_t flags;		/* enum conn_flags */
	uint16_t missed;
	uint64_t start_ns;	/* birth; of a request the first SYN-ACK */
	uint64_t since_ns;	/* in `state` since; 0: unknown */
	uint64_t last_ns;	/* last transition */
	uint64_t fin_ns;	/* first FIN or RST; 0: none seen */
	uint64_t rst_in_ns;
	uint64_t synack_ns;	/* first SYN-ACK, where known */
	uint64_t handshake_ns;
	uint64_t told_ns;	/* time of its last line */
	uint64_t census_ns;	/* a census saw it then; 0: none did */
	uint64_t met_ns;	/* it was met in the state `met`, by what is no event of it */
	uint8_t  met;		/* enum tcp_state; TS_NONE: it was not */
	bool	 met_mini;	/* as a mini-socket */
	uint32_t retransmits[PHASE_MAX];
	uint8_t  path_len;
	uint8_t  path[CONN_PATH_MAX];
	uint64_t path_ns[CONN_PATH_MAX];
	struct owner owner;
	struct progress progress;
	struct ending end;
};

/* When it is known to have been there. */
static inline uint64_t conn_seen_ns(const struct conn *c)
{
	uint64_t at_ns = c->stage == STAGE_LISTENER ? c->since_ns : c->last_ns;

	return at_ns > c->census_ns ? at_ns : c->census_ns;
}

#endif
