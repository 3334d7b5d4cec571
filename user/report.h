/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - what the engine tells the sinks: one struct, one kind a line of
 * output.  Valid only during the call; sinks copy what they keep.
 *
 * Times are CLOCK_MONOTONIC nanoseconds; add clock_ns for CLOCK_REALTIME.
 */
#ifndef SYNFIN_REPORT_H
#define SYNFIN_REPORT_H

#include "cgroup.h"
#include "conn.h"
#include "process.h"
#include "verdict.h"

enum report_kind {
	REPORT_STATE,
	REPORT_LATE_SEGMENT,
	REPORT_RETRANSMIT,
	REPORT_RESET,
	REPORT_CONNECTION,
	REPORT_LOST,
	/* of a census (survey.h) */
	REPORT_TIME_WAIT,
	REPORT_TW_GROUP,
	REPORT_PORT_SPACE,
	REPORT_LISTENER,
	REPORT_LISTENERS,
	REPORT_SOCKET,
	REPORT_KINDS
};

/* A duration that is not known. */
#define UNKNOWN_NS	UINT64_MAX

struct report_state {
	uint8_t old, new;	/* enum tcp_state; never the same */
	uint8_t cause;		/* enum end_word */
	uint64_t in_old_ns;	/* or UNKNOWN_NS */
};

struct report_late {
	uint8_t tcp_flags;
	uint8_t state;		/* TS_TIME_WAIT, TS_FIN_WAIT2; TS_NONE: not known */
	uint32_t payload;
};

struct report_retransmit {
	uint8_t phase;		/* enum phase_word */
	uint8_t cause;		/* enum retransmit_word */
	uint8_t state;		/* enum tcp_state; TS_NONE: a request */
	bool has_seq;
	uint32_t seq, len;	/* relative, as in tcpdump */
	uint32_t number;	/* seq as it is on the wire */
	uint16_t segs;
	uint16_t err;		/* errno: did not go out */
	const struct wire_synack *synack;	/* of a request or a TFO child; else NULL */
};

struct report_reset {
	bool received;
	uint8_t state;		/* enum tcp_state; TS_NONE: no socket */
	const char *reason;	/* NULL: the kernel gives none */
	bool reply;		/* sent: in reply to a segment */
};

struct report_connection {
	struct verdict verdict;
	bool complete;
	uint64_t start_ns;
	uint64_t duration_ns, handshake_ns, teardown_ns;	/* or UNKNOWN_NS */
	bool has_path_ns;	/* path_ns of conn is known throughout */
};

struct report_lost {
	uint8_t where;		/* enum lost_word */
	uint64_t count;
};

/* A count that is not known. */
#define UNKNOWN_COUNT	UINT64_MAX

struct report_time_wait {
	uint64_t count, fin_wait2;
	uint64_t limit, overflows;	/* or UNKNOWN_COUNT */
	uint64_t entered_milli_s;	/* thousandths per second, or UNKNOWN_COUNT */
	uint64_t tw_reuse;		/* tcp_tw_reuse, or UNKNOWN_COUNT */
	const uint64_t *left;		/* TW_STEPS of them */
};

struct report_tw_group {
	uint8_t by;		/* enum by_word */
	bool rest;		/* all that are not told apart: no key */
	const uint8_t *addr;	/* by remote; IPv4 as ::ffff:a.b.c.d */
	uint16_t lport;		/* by local port; by owner: the report's owner */
	uint64_t count, of;	/* of: all of the namespace */
};

/* tuple: laddr, and unless it is a pool raddr and rport; NULL: all that are not told apart. */
struct report_port_space {
	uint64_t used, time_wait, reusable, stamped;
	uint64_t capacity;	/* or UNKNOWN_COUNT */
	uint64_t full_in_ms;	/* or UNKNOWN_COUNT */
};

struct report_listener {
	uint64_t accept_queue, accept_queue_limit;
	uint64_t half_open, acked, synack_retrans, drops;
	uint64_t oldest_ns;	/* age, or UNKNOWN_NS */
};

/* Of a namespace; each or UNKNOWN_COUNT. */
struct report_listeners {
	uint64_t count;
	uint64_t overflows, drops, cookies_sent, cookies_recv, cookies_failed;
};

struct report_socket {
	uint8_t state;		/* enum tcp_state */
	uint64_t age_ns;
	bool orphan;		/* closed: nobody has it any more */
	bool has_fd;
	uint32_t fd;
};

struct report {
	enum report_kind kind;
	uint64_t at_ns;
	int64_t clock_ns;
	uint64_t id;			/* of the connection; 0: none */
	uint32_t netns;			/* 0: not known */
	const struct wire_tuple *tuple;	/* NULL: none */
	const struct conn *conn;	/* NULL: not in the table */
	const struct cgroup *cgroup;	/* NULL: not known, or it has no path */
	const struct process *process;	/* the owner; NULL: no more is known of it */
	const char *netns_name;		/* NULL: it has none, or it is not known */
	/* of the socket, whether it is in the table or a mini-socket is left of it */
	const struct owner *owner;	/* NULL: not known */
	uint8_t role;			/* enum role_word */
	bool existing;			/* older than the trace */
	union {
		struct report_state state;
		struct report_late late;
		struct report_retransmit retransmit;
		struct report_reset reset;
		struct report_connection connection;
		struct report_lost lost;
		struct report_time_wait time_wait;
		struct report_tw_group tw_group;
		struct report_port_space port_space;
		struct report_listener listener;
		struct report_listeners listeners;
		struct report_socket socket;
	};
};

typedef void (*report_fn)(void *ctx, const struct report *r);

#endif
