/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metric.h - every metric family of `synfin export`: name, type, unit, labels,
 * help, each once.  The writers, docs/metrics.md and the checks come from here.
 *
 * Names are a promise: the list may grow, and nothing in it changes.  The name
 * is what a sample of a counter or gauge is called; a histogram's samples add
 * _bucket, _sum and _count.
 */
#ifndef SYNFIN_METRIC_H
#define SYNFIN_METRIC_H

#include <stdint.h>

#define METRIC_TYPES(X)			\
	X(COUNTER, "counter")		\
	X(GAUGE, "gauge")		\
	X(HISTOGRAM, "histogram")

#define METRIC_UNITS(X)			\
	X(NONE, "")			\
	X(SECONDS, "seconds")		\
	X(BYTES, "bytes")		\
	X(RATIO, "ratio")

#define METRIC_LABELS_MAX	5

/*
 * X(id, name, type, unit, labels joined by blanks, help), in the order of the
 * exposition.  No help has a quote or a backslash, so none needs escaping.
 */
#define METRICS(X)										\
	X(BUILD_INFO, "synfin_build_info", GAUGE, NONE, "version revision libbpf",		\
	  "Always 1; the labels tell which synfin runs.")					\
	X(STATE_TRANSITIONS, "synfin_state_transitions_total", COUNTER, NONE, "from to",	\
	  "TCP state changes, counted in the kernel. Of a FIN_WAIT2 mini-socket the way on.")	\
	X(HANDSHAKES, "synfin_handshakes_total", COUNTER, NONE, "role",				\
	  "Handshakes begun: active by a SYN sent, passive by the third ACK.")			\
	X(HANDSHAKE_FAILURES, "synfin_handshake_failures_total", COUNTER, NONE, "role reason",	\
	  "Handshakes that never reached ESTABLISHED, by how they ended.")			\
	X(HANDSHAKE_DURATION, "synfin_handshake_duration_seconds", HISTOGRAM, SECONDS, "role",	\
	  "Active: SYN sent to ESTABLISHED. Passive: SYN-ACK sent to third ACK. "		\
	  "From 1 s on a SYN or SYN-ACK was sent again.")					\
	X(CONNECTIONS_CLOSED, "synfin_connections_closed_total", COUNTER, NONE,			\
	  "close closed_by",									\
	  "Ends of established connections, by how they ended and whose FIN or RST was first.")	\
	X(CONNECTION_DURATION, "synfin_connection_duration_seconds", HISTOGRAM, SECONDS,	\
	  "role", "Lives of established connections, from the handshake on.")			\
	X(TEARDOWN_DURATION, "synfin_teardown_duration_seconds", HISTOGRAM, SECONDS,		\
	  "closed_by", "First FIN or RST to the last state, TIME_WAIT not included.")		\
	X(SOCKETS, "synfin_sockets", GAUGE, NONE, "state",					\
	  "TCP sockets now, by state: what was there at the start and what was counted "	\
	  "since, mini-sockets as the ledger has them. No half-open requests.")			\
	X(TIME_WAIT_CREATED, "synfin_time_wait_created_total", COUNTER, NONE, "",		\
	  "Entries into TIME_WAIT.")								\
	X(TIME_WAIT_REMOVED, "synfin_time_wait_removed_total", COUNTER, NONE, "cause",		\
	  "TIME_WAIT sockets gone: expired, reused by a connection, reset by a segment, or "	\
	  "early, for whatever reason; as far as it is known.")					\
	X(TIME_WAIT_OVERFLOWS, "synfin_time_wait_overflows_total", COUNTER, NONE, "",		\
	  "Connections that skipped TIME_WAIT, which was full (TcpExt TCPTimeWaitOverflow). "	\
	  "Read every 5 s or more.")								\
	X(TIME_WAIT_LIMIT, "synfin_time_wait_sockets_limit", GAUGE, NONE, "",			\
	  "net.ipv4.tcp_max_tw_buckets, the lowest of any network namespace. "			\
	  "Read every 5 s or more.")								\
	X(TIME_WAIT_REMOTE, "synfin_time_wait_remote_sockets", GAUGE, NONE,			\
	  "remote_addr remote_port",								\
	  "Sockets in TIME_WAIT, of the remotes with most and of other. Only with "		\
	  "--metrics.top-k. Counted off every 5 s or more.")					\
	X(TIME_WAIT_LOCAL, "synfin_time_wait_local_sockets", GAUGE, NONE, "local_port",		\
	  "Sockets in TIME_WAIT, of the local ports with most and of other. Only with "		\
	  "--metrics.top-k. Counted off every 5 s or more.")					\
	X(EPHEMERAL_PORTS, "synfin_ephemeral_ports", GAUGE, NONE, "",				\
	  "Ports of ip_local_port_range but for ip_local_reserved_ports, the fewest of any "	\
	  "network namespace. Read every 5 s or more.")						\
	X(PORT_USAGE_MAX, "synfin_ephemeral_port_usage_max_ratio", GAUGE, RATIO, "",		\
	  "Part of the ephemeral ports that connect() cannot take any more, where it is the "	\
	  "greatest, of all local addresses and their destinations. "				\
	  "Counted off every 5 s or more.")							\
	X(PORT_USAGE, "synfin_ephemeral_port_usage_ratio", GAUGE, RATIO,			\
	  "local_addr remote_addr remote_port",							\
	  "Part of the ephemeral ports that connect() cannot take any more, from the local "	\
	  "address to the remote one, of the fullest. Only with --metrics.top-k. "		\
	  "Counted off every 5 s or more.")							\
	X(PORT_EXHAUSTIONS, "synfin_ephemeral_port_exhaustions_total", COUNTER, NONE, "",	\
	  "connect() that found no local port.")						\
	X(ACCEPT_QUEUE, "synfin_listen_accept_queue_sockets", GAUGE, NONE,			\
	  "local_addr local_port",								\
	  "Connections that wait for accept(); of at most 50 listening sockets, the rest "	\
	  "under other. Counted off every 5 s or more.")					\
	X(ACCEPT_QUEUE_LIMIT, "synfin_listen_accept_queue_limit_sockets", GAUGE, NONE,		\
	  "local_addr local_port",								\
	  "The backlog, as net.core.somaxconn bounds it: with more than that it is full. "	\
	  "Counted off every 5 s or more.")							\
	X(LISTEN_OVERFLOWS, "synfin_listen_overflows_total", COUNTER, NONE, "",			\
	  "Handshakes that met a full accept queue (TcpExt ListenOverflows). "			\
	  "Read every 5 s or more.")								\
	X(LISTEN_DROPS, "synfin_listen_drops_total", COUNTER, NONE, "",				\
	  "SYNs and ACKs dropped at listening sockets, those that met a full accept queue "	\
	  "included (TcpExt ListenDrops). Read every 5 s or more.")				\
	X(SYN_COOKIES_SENT, "synfin_syn_cookies_sent_total", COUNTER, NONE, "",			\
	  "SYN cookies sent (TcpExt SyncookiesSent). Read every 5 s or more.")			\
	X(CLOSE_WAIT_STALE, "synfin_close_wait_stale_sockets", GAUGE, NONE, "",			\
	  "Sockets in CLOSE_WAIT for longer than --close-wait-stale. "				\
	  "Counted off every 5 s or more.")							\
	X(CLOSE_WAIT_OLDEST, "synfin_close_wait_oldest_age_seconds", GAUGE, SECONDS, "",	\
	  "How long the oldest socket in CLOSE_WAIT has been there, at the least. "		\
	  "Counted off every 5 s or more.")							\
	X(RETRANSMITS, "synfin_retransmits_total", COUNTER, NONE, "phase",			\
	  "Segments sent again (Tcp RetransSegs), counted in the kernel.")			\
	X(RESETS_SENT, "synfin_resets_sent_total", COUNTER, NONE, "reason",			\
	  "RSTs sent (Tcp OutRsts), by the kernel's reason; unknown before Linux 6.10.")	\
	X(RESETS_RECEIVED, "synfin_resets_received_total", COUNTER, NONE, "state",		\
	  "RSTs received, by the state of the socket that they met.")				\
	X(EVENTS, "synfin_events_total", COUNTER, NONE, "kind",					\
	  "Records of the kernel that synfin read.")						\
	X(EVENTS_LOST, "synfin_events_lost_total", COUNTER, NONE, "reason",			\
	  "Records (table: connections) that were lost: no room in the ring buffer, skipped "	\
	  "by the kernel while nested (at most), or no room in the connection table.")		\
	X(LIFECYCLES_INCOMPLETE, "synfin_lifecycles_incomplete_total", COUNTER, NONE, "reason",	\
	  "Connections that ended and are in no other count of lives, since part of their "	\
	  "life was missed.")									\
	X(CONNECTIONS_UNSEEN, "synfin_connections_unseen_total", COUNTER, NONE, "",		\
	  "Connections that the kernel counted and of which no record was left.")		\
	X(RECONCILE_CORRECTIONS, "synfin_reconcile_corrections_total", COUNTER, NONE, "",	\
	  "Sockets of which a gauge was wrong, as a census of them showed.")		\
	X(CONNECTIONS_TRACKED, "synfin_connections_tracked", GAUGE, NONE, "",			\
	  "Connections in synfin's table.")							\
	X(RINGBUF_USED, "synfin_ringbuf_used_bytes", GAUGE, BYTES, "",				\
	  "Most that has waited in the ring buffer since the last scrape.")			\
	X(RINGBUF_SIZE, "synfin_ringbuf_size_bytes", GAUGE, BYTES, "",				\
	  "Size of the ring buffer.")								\
	X(MAP_ENTRIES, "synfin_map_entries", GAUGE, NONE, "map", "Entries of a BPF map.")	\
	X(MAP_ENTRIES_LIMIT, "synfin_map_entries_limit", GAUGE, NONE, "map",			\
	  "Entries that a BPF map has room for.")						\
	X(PROGRAM_ATTACHED, "synfin_program_attached", GAUGE, NONE, "program",			\
	  "1 if the BPF program is in the kernel, 0 if this kernel cannot take it.")		\
	X(PROGRAM_RUNS, "synfin_program_runs_total", COUNTER, NONE, "program",			\
	  "Runs of the BPF program; only while sysctl kernel.bpf_stats_enabled is on.")		\
	X(PROGRAM_RUN_SECONDS, "synfin_program_run_seconds_total", COUNTER, SECONDS, "program",	\
	  "Time in the BPF program; only while sysctl kernel.bpf_stats_enabled is on.")		\
	X(SINK_EVENTS, "synfin_sink_events_total", COUNTER, NONE, "sink",			\
	  "What was told to a sink.")								\
	X(SINK_DROPPED, "synfin_sink_dropped_events_total", COUNTER, NONE, "sink",		\
	  "What a sink was too slow for: that of metrics waits for nobody and drops nothing.")	\
	X(COLLECTOR_DURATION, "synfin_collector_duration_seconds", GAUGE, SECONDS, "collector",	\
	  "How long the last run took.")							\
	X(COLLECTOR_SUCCESS, "synfin_collector_success", GAUGE, NONE, "collector",		\
	  "Whether the last run was good.")							\
	X(CGROUP_INFO, "synfin_cgroup_info", GAUGE, NONE,					\
	  "cgroup_id path unit container_id pod_uid",						\
	  "Always 1; the labels tell what a cgroup_id is called, as far as its path says; a "	\
	  "cgroup of version 1 has one that begins with v1-. "					\
	  "Only with --metrics.group-by cgroup.")						\
	X(CGROUP_SOCKETS, "synfin_cgroup_sockets", GAUGE, NONE, "cgroup_id state",		\
	  "TCP sockets by the cgroup that owns them, of at most 200 cgroups, the rest under "	\
	  "other. Only with --metrics.group-by cgroup. Counted off every 5 s or more.")		\
	X(CGROUP_FAILURES, "synfin_cgroup_handshake_failures_total", COUNTER, NONE,		\
	  "cgroup_id reason",									\
	  "Handshakes that never reached ESTABLISHED, by the cgroup that owns the socket. "	\
	  "Only with --metrics.group-by cgroup.")						\
	X(CGROUP_RETRANSMITS, "synfin_cgroup_retransmits_total", COUNTER, NONE, "cgroup_id",	\
	  "Segments sent again, by the cgroup that owns the socket, as far as records of "	\
	  "them were not lost. Only with --metrics.group-by cgroup.")				\
	X(PROCESS_CPU, "process_cpu_seconds_total", COUNTER, SECONDS, "",			\
	  "User and system CPU time of synfin.")						\
	X(PROCESS_OPEN_FDS, "process_open_fds", GAUGE, NONE, "",				\
	  "Open file descriptors of synfin.")							\
	X(PROCESS_MAX_FDS, "process_max_fds", GAUGE, NONE, "",					\
	  "Limit of open file descriptors.")							\
	X(PROCESS_VIRTUAL, "process_virtual_memory_bytes", GAUGE, BYTES, "",			\
	  "Virtual memory of synfin, the ring buffer's mapping twice.")				\
	X(PROCESS_RESIDENT, "process_resident_memory_bytes", GAUGE, BYTES, "",			\
	  "Resident memory of synfin, the ring buffer included, which is mapped twice.")	\
	X(PROCESS_START, "process_start_time_seconds", GAUGE, SECONDS, "",			\
	  "When synfin was started, in seconds since 1970.")

enum metric_type {
#define X(id, ...) METRIC_##id,
	METRIC_TYPES(X)
#undef X
};

enum metric_unit {
#define X(id, ...) UNIT_##id,
	METRIC_UNITS(X)
#undef X
};

enum metric {
#define X(id, ...) M_##id,
	METRICS(X)
#undef X
	METRIC_MAX
};

struct metric_spec {
	const char *name, *labels, *help;
	enum metric_type type;
	enum metric_unit unit;
};

extern const struct metric_spec metric_specs[METRIC_MAX];
extern const char *const metric_types[], *const metric_units[];

#endif
