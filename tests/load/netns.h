/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network namespace that the load runs in: entering it, making room in it,
 * and reading its counters. Refuses to touch the initial namespace.
 */
#ifndef LOAD_NETNS_H
#define LOAD_NETNS_H

#include <stdbool.h>

/* Enter /run/netns/@name (or the path @name). Call before any thread exists. */
int netns_enter(const char *name);

/* Make and enter a namespace that is gone when the program is. */
int netns_enter_own(void);

/* Inode number of the namespace, as synfin prints it; 0 if it cannot be read. */
unsigned long netns_inode(void);

/* Loopback up; unless @keep_sysctls, room for @nr_connections in TIME_WAIT, ports and queues. */
int netns_prepare(unsigned long nr_connections, bool keep_sysctls);

/* fd73:796e::2 … @nr_dests on loopback, which has only one IPv6 address of its own. */
int netns_add_v6_dests(unsigned int nr_dests);

/* X(name, file, group) */
#define COUNTERS(X)                                 \
	X(ActiveOpens, "snmp", "Tcp")               \
	X(PassiveOpens, "snmp", "Tcp")              \
	X(AttemptFails, "snmp", "Tcp")              \
	X(EstabResets, "snmp", "Tcp")               \
	X(OutRsts, "snmp", "Tcp")                   \
	X(RetransSegs, "snmp", "Tcp")               \
	X(CurrEstab, "snmp", "Tcp")                 \
	X(TW, "netstat", "TcpExt")                  \
	X(TWRecycled, "netstat", "TcpExt")          \
	X(TCPTimeWaitOverflow, "netstat", "TcpExt") \
	X(EmbryonicRsts, "netstat", "TcpExt")       \
	X(ListenDrops, "netstat", "TcpExt")         \
	X(TCPSynRetrans, "netstat", "TcpExt")       \
	X(SyncookiesSent, "netstat", "TcpExt")      \
	X(TCPReqQFullDrop, "netstat", "TcpExt")     \
	X(TCPAbortOnMemory, "netstat", "TcpExt")

enum counter {
#define X(name, file, group) MIB_##name,
	COUNTERS(X)
#undef X
	NR_COUNTERS
};

struct counters {
	unsigned long value[NR_COUNTERS];
};

extern const char *const counter_names[NR_COUNTERS];

/* One that this kernel does not have stays 0. */
int counters_read(struct counters *ret);

/* Sockets of the namespace that are not closed yet, TIME_WAIT apart. */
unsigned long netns_sockets(void);

#endif
