/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * field.h - every key of every record: one table, from which come JSON, CSV,
 * the man page and the order of all of them.  contract.md 2 is the promise.
 *
 * A row is one record, filled from a report.  A field that is not set is not
 * known, and absent in every format.
 */
#ifndef SYNFIN_FIELD_H
#define SYNFIN_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "words.h"

/* The commands whose records may have the field. */
#define F_TRACE		(1u << 0)
#define F_CONNS		(1u << 1)
#define F_SUMMARY	(1u << 2)
#define F_DOCTOR	(1u << 3)
#define F_AUDIT		(1u << 4)
#define F_TIMEWAIT	(1u << 5)
#define F_LISTEN	(1u << 6)
#define F_STUCK		(1u << 7)	/* conns --stuck */
#define F_EXPLAIN	(1u << 8)
#define F_RECORDS	(F_TRACE | F_CONNS | F_EXPLAIN)
#define F_SURVEYS	(F_TIMEWAIT | F_LISTEN | F_STUCK)
#define F_EVERY		(F_RECORDS | F_SURVEYS | F_SUMMARY | F_DOCTOR | F_AUDIT)

enum field_type {
	FT_TIME,	/* u: CLOCK_REALTIME nanoseconds */
	FT_UINT,	/* u */
	FT_INT,		/* i */
	FT_US,		/* u: microseconds, a duration */
	FT_SECONDS,	/* u: milliseconds, printed as seconds */
	FT_MILLI,	/* u: thousandths, printed with three decimals */
	FT_MICRO,	/* u: millionths, printed with six */
	FT_BOOL,	/* u */
	FT_ID,		/* u, printed as 16 hex digits */
	FT_TEXT,	/* text: any bytes; len */
	FT_WORD,	/* text: a constant of ours, needs no escaping */
	FT_ADDR,	/* addr: 16 bytes; len: 4 or 6 */
	FT_STATES,	/* states: enum tcp_state; len */
	FT_US_LIST,	/* list: nanoseconds, printed as microseconds; len */
	FT_COUNTS,	/* list: numbers; len */
	FT_FLAGS,	/* u: TCP flags and FIELD_FLAG_DATA, printed as a list of words */
};

/* Beside FIN 1, RST 4, ACK 16 in a FT_FLAGS: the segment has payload. */
#define FIELD_FLAG_DATA	0x100

#define OUTCOME_FIELD(name, text)	\
	X(OUTCOME_##name, "outcome_" text, FT_UINT, F_SUMMARY)
#define CLOSE_FIELD(name, text)		\
	X(CLOSE_##name, "close_" text, FT_UINT, F_SUMMARY)

/* X(name, key, type, commands), in the order of output. */
#define FIELDS							\
	X(TIME, "time", FT_TIME, F_EVERY)			\
	X(V, "v", FT_UINT, F_EVERY)				\
	X(EVENT, "event", FT_WORD, F_EVERY)			\
	X(CONN, "conn", FT_ID, F_RECORDS | F_LISTEN | F_STUCK)			\
	X(PEER_CONN, "peer_conn", FT_ID, F_EXPLAIN)		\
	X(NETNS, "netns", FT_UINT, F_RECORDS | F_SURVEYS | F_AUDIT)		\
	X(FAMILY, "family", FT_UINT, F_RECORDS | F_SURVEYS)			\
	X(LADDR, "laddr", FT_ADDR, F_RECORDS | F_SURVEYS)			\
	X(LPORT, "lport", FT_UINT, F_RECORDS | F_SURVEYS)			\
	X(RADDR, "raddr", FT_ADDR, F_RECORDS | F_TIMEWAIT | F_STUCK)			\
	X(RPORT, "rport", FT_UINT, F_RECORDS | F_TIMEWAIT | F_STUCK)			\
	X(ROLE, "role", FT_WORD, F_RECORDS | F_LISTEN)			\
	X(PID, "pid", FT_UINT, F_RECORDS | F_SURVEYS)			\
	X(COMM, "comm", FT_TEXT, F_RECORDS | F_SURVEYS)			\
	X(UID, "uid", FT_UINT, F_RECORDS | F_SURVEYS)			\
	X(OWNER_FROM, "owner_from", FT_WORD, F_RECORDS | F_SURVEYS)		\
	X(EXE, "exe", FT_TEXT, F_RECORDS)				\
	X(CMDLINE, "cmdline", FT_TEXT, F_RECORDS)			\
	X(CGROUP, "cgroup", FT_TEXT, F_RECORDS | F_SURVEYS)			\
	X(UNIT, "unit", FT_TEXT, F_RECORDS | F_SURVEYS)			\
	X(CONTAINER_ID, "container_id", FT_TEXT, F_RECORDS | F_SURVEYS)	\
	X(POD_UID, "pod_uid", FT_TEXT, F_RECORDS | F_SURVEYS)		\
	X(KIND, "kind", FT_WORD, F_EXPLAIN)			\
	X(FROM, "from", FT_WORD, F_EXPLAIN)			\
	X(OLD, "old", FT_WORD, F_TRACE)				\
	X(NEW, "new", FT_WORD, F_TRACE)				\
	X(IN_OLD, "in_old_us", FT_US, F_TRACE)			\
	X(DIRECTION, "direction", FT_WORD, F_TRACE)		\
	X(REASON, "reason", FT_WORD, F_TRACE | F_EXPLAIN)	\
	X(FLAGS, "flags", FT_FLAGS, F_TRACE)			\
	X(PHASE, "phase", FT_WORD, F_TRACE)			\
	X(CAUSE, "cause", FT_WORD, F_TRACE | F_EXPLAIN)		\
	X(STATE, "state", FT_WORD, F_TRACE | F_STUCK | F_EXPLAIN)	\
	X(PEER_STATE, "peer_state", FT_WORD, F_EXPLAIN)		\
	X(PEER_INFERRED, "peer_inferred", FT_BOOL, F_EXPLAIN)	\
	X(SEGS, "segs", FT_UINT, F_TRACE | F_EXPLAIN)		\
	X(SEQ, "seq", FT_UINT, F_TRACE | F_EXPLAIN)		\
	X(ACK, "ack", FT_UINT, F_EXPLAIN)			\
	X(LEN, "len", FT_UINT, F_TRACE | F_EXPLAIN)		\
	X(AGAIN, "again", FT_UINT, F_EXPLAIN)			\
	X(ARRIVED, "arrived", FT_BOOL, F_EXPLAIN)		\
	X(INFERRED, "inferred", FT_BOOL, F_EXPLAIN)		\
	X(FOR, "for_us", FT_US, F_EXPLAIN)			\
	X(TEXT, "text", FT_TEXT, F_EXPLAIN)			\
	X(START, "start", FT_TIME, F_CONNS | F_EXPLAIN)		\
	X(OUTCOME, "outcome", FT_WORD, F_CONNS)			\
	X(ERROR, "error", FT_WORD, F_RECORDS)			\
	X(HANDSHAKE, "handshake_us", FT_US, F_CONNS)		\
	X(SYN_RETRANS, "syn_retrans", FT_UINT, F_CONNS)		\
	X(SYNACK_RETRANS, "synack_retrans", FT_UINT, F_CONNS | F_LISTEN)	\
	X(DATA_RETRANS, "data_retrans", FT_UINT, F_CONNS)	\
	X(FIN_RETRANS, "fin_retrans", FT_UINT, F_CONNS)		\
	X(CLOSE, "close", FT_WORD, F_CONNS)			\
	X(CLOSE_REASON, "close_reason", FT_WORD, F_CONNS)	\
	X(CLOSED_BY, "closed_by", FT_WORD, F_CONNS)		\
	X(TIME_WAIT, "time_wait", FT_BOOL, F_CONNS)		\
	X(FIN_WAIT2_ORPHAN, "fin_wait2_orphan", FT_BOOL, F_CONNS)	\
	X(PATH, "path", FT_STATES, F_CONNS)			\
	X(PATH_US, "path_us", FT_US_LIST, F_CONNS)		\
	X(DURATION, "duration_us", FT_US, F_CONNS)		\
	X(TEARDOWN, "teardown_us", FT_US, F_CONNS)		\
	X(TX_BYTES, "tx_bytes", FT_UINT, F_CONNS)		\
	X(RX_BYTES, "rx_bytes", FT_UINT, F_CONNS)		\
	X(TX_SEGS, "tx_segs", FT_UINT, F_CONNS)			\
	X(RX_SEGS, "rx_segs", FT_UINT, F_CONNS)			\
	X(SRTT, "srtt_us", FT_US, F_CONNS)			\
	X(MIN_RTT, "min_rtt_us", FT_US, F_CONNS)		\
	X(COMPLETE, "complete", FT_BOOL, F_CONNS)		\
	X(MISSED, "missed", FT_UINT, F_CONNS | F_EXPLAIN)	\
	X(EXISTING, "existing", FT_BOOL, F_RECORDS)		\
	X(COUNT, "count", FT_UINT, F_RECORDS | F_TIMEWAIT | F_LISTEN)			\
	X(WHERE, "where", FT_WORD, F_RECORDS)			\
	X(BY, "by", FT_WORD, F_TIMEWAIT)			\
	X(FIN_WAIT2, "fin_wait2", FT_UINT, F_TIMEWAIT)		\
	X(LIMIT, "limit", FT_UINT, F_TIMEWAIT)			\
	X(ENTERED, "entered_per_s", FT_MILLI, F_TIMEWAIT)	\
	X(LEFT, "left_us_buckets", FT_COUNTS, F_TIMEWAIT)	\
	X(OVERFLOWS, "overflows", FT_UINT, F_TIMEWAIT)		\
	X(TW_REUSE, "tcp_tw_reuse", FT_UINT, F_TIMEWAIT)	\
	X(USED, "used", FT_UINT, F_TIMEWAIT)			\
	X(USED_TIME_WAIT, "time_wait", FT_UINT, F_TIMEWAIT)	\
	X(REUSABLE, "reusable", FT_UINT, F_TIMEWAIT)		\
	X(STAMPED, "reusable_if_enabled", FT_UINT, F_TIMEWAIT)	\
	X(CAPACITY, "capacity", FT_UINT, F_TIMEWAIT)		\
	X(RATIO, "ratio", FT_MICRO, F_TIMEWAIT)			\
	X(FULL_IN, "full_in_s", FT_SECONDS, F_TIMEWAIT)		\
	X(ACCEPT_QUEUE, "accept_queue", FT_UINT, F_LISTEN)	\
	X(ACCEPT_LIMIT, "accept_queue_limit", FT_UINT, F_LISTEN)	\
	X(HALF_OPEN, "half_open", FT_UINT, F_LISTEN)		\
	X(HALF_OPEN_ACKED, "half_open_acked", FT_UINT, F_LISTEN)	\
	X(HALF_OPEN_OLDEST, "half_open_oldest_us", FT_US, F_LISTEN)	\
	X(DROPS, "drops", FT_UINT, F_LISTEN)			\
	X(LISTEN_OVERFLOWS, "listen_overflows", FT_UINT, F_LISTEN)	\
	X(LISTEN_DROPS, "listen_drops", FT_UINT, F_LISTEN)	\
	X(COOKIES_SENT, "syncookies_sent", FT_UINT, F_LISTEN)	\
	X(COOKIES_RECV, "syncookies_recv", FT_UINT, F_LISTEN)	\
	X(COOKIES_FAILED, "syncookies_failed", FT_UINT, F_LISTEN)	\
	X(AGE, "age_us", FT_US, F_STUCK)			\
	X(FD, "fd", FT_UINT, F_STUCK)				\
	X(ORPHAN, "orphan", FT_BOOL, F_STUCK)			\
	X(FEATURE, "feature", FT_WORD, F_DOCTOR)		\
	X(IS_OK, "ok", FT_BOOL, F_DOCTOR)				\
	X(NEEDS, "needs", FT_TEXT, F_DOCTOR)			\
	X(CURE, "cure", FT_TEXT, F_DOCTOR)			\
	X(COUNTER, "counter", FT_WORD, F_AUDIT)			\
	X(KERNEL, "kernel", FT_INT, F_AUDIT)			\
	X(TRACED, "traced", FT_INT, F_AUDIT)			\
	X(RESIDUAL, "residual", FT_INT, F_AUDIT)		\
	X(WHY, "why", FT_WORD, F_AUDIT)				\
	X(SECONDS, "seconds", FT_SECONDS, F_SUMMARY)		\
	X(TRANSITIONS, "transitions", FT_UINT, F_SUMMARY)	\
	X(RETRANSMITS, "retransmits", FT_UINT, F_SUMMARY)	\
	X(RESETS, "resets", FT_UINT, F_SUMMARY)			\
	X(CONNECTIONS, "connections", FT_UINT, F_SUMMARY)	\
	X(UNSEEN, "connections_unseen", FT_UINT, F_SUMMARY)	\
	X(INCOMPLETE, "incomplete", FT_UINT, F_SUMMARY)		\
	X(LOST_RING, "lost_ring", FT_UINT, F_SUMMARY)		\
	X(LOST_NESTED, "lost_nested", FT_UINT, F_SUMMARY)	\
	X(LOST_TABLE, "lost_table", FT_UINT, F_SUMMARY)		\
	X(LOST_SINK, "lost_sink", FT_UINT, F_SUMMARY)		\
	X(OWNERS_UNKNOWN, "owners_unknown", FT_UINT, F_SUMMARY)	\
	OUTCOME_WORDS(OUTCOME_FIELD)				\
	CLOSE_WORDS(CLOSE_FIELD)

enum field {
#define X(name, key, type, commands) F_##name,
	FIELDS
#undef X
	F_MAX
};

struct field_spec {
	const char *key;
	uint8_t type;		/* enum field_type */
	uint32_t commands;
};

extern const struct field_spec field_specs[F_MAX];

struct value {
	union {
		uint64_t u;
		int64_t i;
		const char *text;
		const uint8_t *addr;
		const uint8_t *states;
		const uint64_t *list;
	};
	uint32_t len;
};

#define ROW_WORDS	((F_MAX + 63) / 64)

/* Pointers are borrowed from the report, and valid as long as it is. */
struct row {
	const char *netns_name;		/* for people only; NULL: none */
	uint64_t has[ROW_WORDS];
	struct value values[F_MAX];
};

static inline void row_clear(struct row *row)
{
	row->netns_name = NULL;
	for (unsigned int i = 0; i < ROW_WORDS; i++)
		row->has[i] = 0;
}

static inline bool row_has(const struct row *row, enum field f)
{
	return row->has[f / 64] >> (f % 64) & 1;
}

static inline struct value *row_set(struct row *row, enum field f)
{
	row->has[f / 64] |= 1ull << (f % 64);
	return &row->values[f];
}

#endif
