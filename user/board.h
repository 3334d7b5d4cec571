/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * board.h - all that `synfin top` shows, as it was at one moment: plain data, filled
 * by the monitor, read by whoever draws.  Nothing in it points anywhere, so that one
 * can be kept while the run goes on (pause).
 *
 * Rates are thousandths per second, durations nanoseconds, times CLOCK_MONOTONIC.
 * What is not known is BOARD_UNKNOWN, never 0.
 */
#ifndef SYNFIN_BOARD_H
#define SYNFIN_BOARD_H

#include "owner.h"
#include "series.h"
#include "tw_table.h"
#include "words.h"

#define BOARD_UNKNOWN	UINT64_MAX
#define BOARD_NAME	48	/* of a namespace, a container, a unit; a longer one is cut */

#define BOARD_TROUBLES	256
#define BOARD_OWNERS	128
#define BOARD_LISTENERS	256
#define BOARD_SPACES	128
#define BOARD_PLACES	64
#define BOARD_GROUPS	128
#define BOARD_CONNS	256

/* id, what it is called: with a sparkline each */
#define BOARD_RATES(X)			\
	X(OPENS, "opens")		\
	X(CLOSES, "closes")		\
	X(RESETS, "resets")		\
	X(RETRANSMITS, "retransmits")

enum board_rate {
#define X(id, name) RATE_##id,
	BOARD_RATES(X)
#undef X
	RATE_MAX
};

/* Since the start; what is below each rate. */
struct board_counts {
	uint64_t transitions[WIRE_STATES][WIRE_STATES];
	uint64_t retransmits[WIRE_PHASES];
	uint64_t resets_sent, resets_received;
	/* of lives that were understood */
	uint64_t outcomes[OUTCOME_MAX], closes[CLOSE_MAX];
};

/* What may have gone wrong: how it stands in the list. */
enum trouble_kind {
	TROUBLE_PENDING,	/* a handshake in which something had to be sent again */
	TROUBLE_FAILED,		/* handshakes that came to nothing, like ones together */
	TROUBLE_ENDED,		/* abnormal ends, like ones together */
	TROUBLE_SLOW,		/* a handshake that took long */
};

struct board_trouble {
	uint8_t kind;		/* enum trouble_kind */
	uint8_t role;		/* enum role_word */
	uint8_t outcome;	/* enum outcome_word */
	uint8_t close, reason;	/* enum close_word, enum reason_word */
	uint8_t state;		/* enum tcp_state, of PENDING */
	uint16_t err;		/* errno; 0: none */
	uint32_t netns;
	uint64_t handle;	/* by which its ladder can be asked for; stays */
	uint64_t id;		/* of the last one; what `conn` prints */
	struct wire_tuple tuple;	/* of the last one */
	struct owner owner;	/* of the last one */
	uint64_t count;		/* together; 1 of what stands alone */
	uint64_t per_s;
	uint64_t last_ns;	/* when the last one was told */
	uint64_t handshake_ns;	/* how long it took, or has taken; or BOARD_UNKNOWN */
	uint32_t syn_again, synack_again;	/* of the last one */
};

/* Processes of one name in one cgroup. */
struct board_owner {
	char comm[WIRE_COMM_LEN];
	uint32_t pid;		/* 0: they are several */
	char where[BOARD_NAME];	/* container, or unit; "": not known */
	uint64_t open, close_wait;	/* sockets now */
	uint64_t ended, failed, abnormal;	/* lives */
	uint64_t per_s;		/* lives that ended */
	uint64_t retransmits, tx_bytes, rx_bytes;	/* of those that ended */
	uint64_t time_wait;	/* of those that ended: went into TIME_WAIT */
};

struct board_listener {
	struct wire_tuple tuple;
	uint32_t netns;
	struct owner owner;
	uint64_t queue, limit, half_open, acked, synack_again, drops;
	uint64_t oldest_ns;	/* or BOARD_UNKNOWN */
};

struct board_space {
	struct wire_tuple tuple;
	uint32_t netns;
	bool is_rest;		/* all that are not told apart: no tuple */
	uint64_t used, time_wait, reusable;
	uint64_t capacity, full_in_ms;	/* or BOARD_UNKNOWN */
};

/* A namespace's TIME_WAIT table. */
struct board_place {
	uint32_t netns;
	char name[BOARD_NAME];
	uint64_t count, fin_wait2;
	uint64_t limit, overflows, per_s;	/* or BOARD_UNKNOWN */
	uint64_t left[TW_STEPS];
};

struct board_group {
	uint32_t netns;
	uint8_t by;		/* enum by_word */
	uint8_t addr[16];	/* by remote */
	uint8_t family;
	uint16_t lport;
	struct owner owner;
	uint64_t count, of;
};

/* One that is open. */
struct board_conn {
	struct wire_tuple tuple;
	uint32_t netns;
	uint8_t state;		/* enum tcp_state */
	uint8_t role;		/* enum role_word */
	struct owner owner;
	uint64_t id;
	uint64_t start_ns, since_ns;	/* since: in its state; 0: not known */
	uint64_t again;		/* segments that were sent again */
};

/* Of all namespaces. */
struct board_listening {
	uint64_t sockets, overflows, drops;	/* or BOARD_UNKNOWN */
};

struct board {
	/* set by whoever runs it */
	char host[BOARD_NAME], scope[BOARD_NAME];	/* "all network namespaces" */
	uint64_t cpu;		/* hundredths of a percent of one core; or BOARD_UNKNOWN */
	bool recorded;

	bool exact;		/* counts are the kernel's; else of what records told */
	bool has_sockets, has_places, has_listeners;
	uint64_t start_ns, at_ns;
	int64_t clock_ns;	/* realtime - monotonic */
	uint64_t sockets[WIRE_STATES];	/* now; mini-sockets included */
	uint64_t minis;		/* of those in FIN_WAIT2: mini-sockets */
	struct board_counts counts;
	uint64_t per_s[WIRE_STATES][WIRE_STATES];
	uint64_t retransmits_per_s[WIRE_PHASES];
	uint64_t resets_sent_per_s, resets_received_per_s;
	uint64_t failed_per_s, active_per_s, passive_per_s, left_time_wait_per_s;
	struct series rates[RATE_MAX];
	uint64_t lost[LOST_MAX];	/* records, connections */
	uint64_t connections, incomplete, unseen;

	struct board_listening listening;
	unsigned int nr_troubles, nr_owners, nr_listeners, nr_spaces, nr_places, nr_groups;
	unsigned int nr_conns;		/* those that something happened to last */
	uint64_t all_conns;
	struct board_trouble troubles[BOARD_TROUBLES];
	struct board_owner owners[BOARD_OWNERS];
	struct board_listener listeners[BOARD_LISTENERS];
	struct board_space spaces[BOARD_SPACES];
	struct board_place places[BOARD_PLACES];
	struct board_group groups[BOARD_GROUPS];
	struct board_conn conns[BOARD_CONNS];
};

/* Before the first interval is over no rate is known. */
static inline bool board_has_rates(const struct board *b)
{
	return b->rates[0].nr;
}

static inline uint64_t board_lost(const struct board *b)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LOST_MAX; i++)
		sum += b->lost[i];
	return sum;
}

#endif
