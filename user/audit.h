/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit.h - the trace held against the kernel's own counters: of each row which
 * of them it is about, what in the trace must add up to it, and by how much it
 * does not.  Pure.
 *
 * Nothing is read at one instant: a counter of the kernel's and the event that
 * goes with it are some instructions apart, on whichever CPU.  So at either edge
 * the trace is read before and after the kernel's counters, far enough from them
 * that whatever was under way is done, and what the kernel says has to lie
 * between.  With nothing going on at the edges the two are the same, and so the
 * comparison is exact.
 */
#ifndef SYNFIN_AUDIT_H
#define SYNFIN_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include "wire.h"

/* The kernel's counters that the rows are made of: X(id, name). */
#define AUDIT_MIBS(X)						\
	X(ACTIVE_OPENS, "Tcp.ActiveOpens")			\
	X(PASSIVE_OPENS, "Tcp.PassiveOpens")			\
	X(ATTEMPT_FAILS, "Tcp.AttemptFails")			\
	X(ESTAB_RESETS, "Tcp.EstabResets")			\
	X(RETRANS_SEGS, "Tcp.RetransSegs")			\
	X(OUT_RSTS, "Tcp.OutRsts")				\
	X(SYN_RETRANS, "TcpExt.TCPSynRetrans")			\
	X(RETRANS_FAIL, "TcpExt.TCPRetransFail")		\
	X(EMBRYONIC_RSTS, "TcpExt.EmbryonicRsts")		\
	X(ABORT_FAILED, "TcpExt.TCPAbortFailed")		\
	X(TW, "TcpExt.TW")					\
	X(TW_KILLED, "TcpExt.TWKilled")				\
	X(TW_OVERFLOW, "TcpExt.TCPTimeWaitOverflow")

enum audit_mib {
#define X(id, name) MIB_##id,
	AUDIT_MIBS(X)
#undef X
	MIB_MAX
};

/*
 * X(id, name, the kernel's side (K: one of AUDIT_MIBS), others that the traced
 * side needs, state, the traced side).  Rows with a state are conservation laws:
 * who entered it and did not leave it must be there.
 */
#define AUDIT_COUNTERS(X, K)									\
	X(ACTIVE_OPENS, "Tcp.ActiveOpens", K(ACTIVE_OPENS), 0, 0, active_opens)			\
	X(PASSIVE_OPENS, "Tcp.PassiveOpens", K(PASSIVE_OPENS), 0, 0, passive_opens)		\
	X(ATTEMPT_FAILS, "Tcp.AttemptFails", K(ATTEMPT_FAILS), K(EMBRYONIC_RSTS), 0,		\
	  attempt_fails)									\
	X(ESTAB_RESETS, "Tcp.EstabResets", K(ESTAB_RESETS), 0, 0, estab_resets)			\
	X(RETRANS_SEGS, "Tcp.RetransSegs", K(RETRANS_SEGS), K(RETRANS_FAIL), 0, retrans_segs)	\
	X(OUT_RSTS, "Tcp.OutRsts", K(OUT_RSTS), K(ABORT_FAILED), 0, out_rsts)			\
	X(SYN_RETRANS, "TcpExt.TCPSynRetrans", K(SYN_RETRANS), K(RETRANS_FAIL), 0, syn_retrans)	\
	X(TIME_WAIT, "TcpExt.TW+TWKilled+TCPTimeWaitOverflow",					\
	  K(TW) | K(TW_KILLED) | K(TW_OVERFLOW), 0, 0, time_wait_entries)			\
	X(SYN_SENT, "sockets.syn_sent", 0, 0, TS_SYN_SENT, flow)				\
	X(SYN_RECV, "sockets.syn_recv", 0, 0, TS_SYN_RECV, flow)				\
	X(ESTABLISHED, "sockets.established", 0, 0, TS_ESTABLISHED, flow)			\
	X(FIN_WAIT1, "sockets.fin_wait1", 0, 0, TS_FIN_WAIT1, flow)				\
	X(FIN_WAIT2, "sockets.fin_wait2", 0, 0, TS_FIN_WAIT2, flow)				\
	X(CLOSE_WAIT, "sockets.close_wait", 0, 0, TS_CLOSE_WAIT, flow)				\
	X(LAST_ACK, "sockets.last_ack", 0, 0, TS_LAST_ACK, flow)				\
	X(CLOSING, "sockets.closing", 0, 0, TS_CLOSING, flow)

enum audit_counter {
#define X(id, ...) AUDIT_##id,
	AUDIT_COUNTERS(X, )
#undef X
	AUDIT_MAX
};

struct audit_mibs {
	uint32_t known;		/* bits by enum audit_mib */
	uint64_t values[MIB_MAX];
};

struct audit_reading {
	struct wire_counters traced;
	struct audit_mibs mibs;
};

/* One edge of the run, in the order of reading. */
struct audit_edge {
	struct audit_reading before;
	struct audit_mibs mibs;
	bool has_sockets;		/* they could be counted off */
	uint64_t sockets[WIRE_STATES];	/* full ones, by state */
	struct audit_reading after;
};

struct audit_netns {
	const char *why;	/* it cannot be held against anything; NULL: it can */
	bool overflow_resets;	/* tcp_abort_on_overflow */
	struct audit_edge start, end;
};

/* What this kernel does as the identities want it. */
struct audit_kernel {
	bool announces_every_reset;	/* 6.10 */
	bool counts_tw_entries;		/* 5.18; before, it counted those that had ended */
};

/* Signed: a state may have lost sockets. */
struct audit_row {
	const char *counter;
	const char *why;	/* NULL: traced and residual are valid */
	bool has_kernel;
	int64_t kernel, traced, residual;
};

/* text: as mib_read() has it.  What is not there is not known. */
void audit_read_mibs(const char *text, size_t len, struct audit_mibs *ret);

void audit_judge(enum audit_counter which, const struct audit_netns *ns,
		 const struct audit_kernel *kernel, struct audit_row *ret);

#endif
