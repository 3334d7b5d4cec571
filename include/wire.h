/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - the ABI between the BPF programs and user space, and between a
 * recording and whoever replays it.  Nothing else.
 *
 * Compiled twice: by clang for the BPF target and by the host compiler.
 * Fixed-width members only, no implicit padding, no kernel pointers, every
 * record a multiple of 8 bytes.  Includes nothing: the includer supplies
 * __u8 .. __u64 and __s32 (vmlinux.h in bpf/, <linux/types.h> in user/).
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d.  Ports and
 * everything else are in host order.  Times are CLOCK_MONOTONIC nanoseconds
 * unless the name says otherwise.  A field that does not apply is zero.
 */
#ifndef SYNFIN_WIRE_H
#define SYNFIN_WIRE_H

#define WIRE_VERSION	1
#define WIRE_COMM_LEN	16
#define WIRE_NAME_LEN	40
/* Paths, with the 0 at their end: as long as the kernel's own. */
#define WIRE_PATH_LEN	4096
/* Of a process: a longer path of its program is left out, a longer command line cut. */
#define WIRE_EXE_LEN	1024
#define WIRE_CMDLINE_LEN	4096
/* TCP states 1..13 as the kernel numbers them; a power of two, so that an index is a mask. */
#define WIRE_STATES	16
/* A port list on the command line has at most this many ranges. */
#define WIRE_RANGES	64
/* A set of addresses has at most this many prefixes. */
#define WIRE_PREFIXES_MAX	32

enum wire_kind {
	/* from the kernel */
	WIRE_STATE = 1,		/* inet_sock_set_state */
	WIRE_RETRANSMIT,	/* tcp_retransmit_skb */
	WIRE_SYNACK,		/* tcp_retransmit_synack */
	WIRE_RESET,		/* tcp_send_reset, tcp_receive_reset */
	WIRE_TW_SEGMENT,	/* kfree_skb of a segment that met a mini-socket */
	/* from user space: whatever else the engine or a sink learns */
	WIRE_START,		/* first record of a run */
	WIRE_REASON,		/* name of a reset reason of this kernel */
	WIRE_CLOCK,		/* realtime minus monotonic, at start and at steps */
	WIRE_TICK,		/* time has passed: every record older was delivered */
	WIRE_LOST,		/* records or connections were lost */
	WIRE_END,		/* last record of a run */
	/* the census: iter/tcp and iter/task_file, one namespace after the other */
	WIRE_CENSUS,		/* a socket that is there */
	WIRE_OWNER,		/* a descriptor of it */
	WIRE_CENSUS_END,	/* of a namespace: what was there was told */
	/* from the kernel again */
	WIRE_OWNER_SEEN = 16,	/* tcp_rcv_space_adjust, sock_send_length: who used it first */
	/* names, looked up outside of the kernel's records: ahead of the record that has the id */
	WIRE_PROCESS = 15,	/* of a process: its program and command line */
	WIRE_CGROUP = 17,	/* of a cgroup: its path */
	WIRE_NETNS_NAME = 18,	/* of a network namespace */
	/* the census again */
	WIRE_AGED = 19,		/* a socket, and what bounds the time it has been in its state */
	WIRE_MINI = 20,		/* a mini-socket that is there */
	WIRE_LISTENER = 21,	/* a listening socket, and its queue */
	WIRE_NETNS_FACTS = 22,	/* sysctls and counters of a network namespace */
	WIRE_REQUEST = 23,	/* a half-open request, and whose it is */
	WIRE_PREFIXES = 24,	/* behind WIRE_START, if any: addresses that are kept */
	WIRE_SOCKET = 25,	/* a socket, in short: a port that is taken */
	/* in place of a WIRE_MINI each, where only totals are wanted */
	WIRE_MINI_GROUP = 26,	/* mini-sockets between the same ends */
	WIRE_MINI_PORTS = 27,	/* how many are on which local ports */
	WIRE_MINI_POOL = 28,	/* which ports of a local address they take */
	/* from the kernel again */
	WIRE_DROPPED = 40,	/* kfree_skb of a segment that TCP dropped, no socket named */
	WIRE_CLAIM = 41,	/* a socket that is left out for its cgroup has its tuple now */
	WIRE_KIND_MAX
};

/*
 * cookie: the socket cookie, the connection's identity; 0 where it is not
 * valid yet or the kernel has no helper for it.  A request socket's cookie is
 * inherited by the child, a connection's by its TIME_WAIT mini-socket.
 * sock: the socket's address XOR a random of the run, never printed; it ties a
 * record without a cookie to the socket's next one.
 */
struct wire_hdr {
	__u64 ts_ns;
	__u64 cookie;
	__u64 sock;
	__u32 netns;		/* inode number */
	__u16 len;		/* whole record, header included */
	__u8  kind;		/* enum wire_kind */
	__u8  version;		/* WIRE_VERSION */
};

struct wire_tuple {
	__u8  laddr[16], raddr[16];
	__u16 lport, rport;	/* 0: not chosen yet, or wiped already */
	__u8  family;		/* 4 or 6 */
	__u8  pad[3];
};

/*
 * The process behind the socket; pid 0 where current is not its owner.  Of a record
 * with an owner `born` tells processes of one pid apart: the leader's start_boottime
 * in steps of 2^20 ns, of which the low 32 bits, plus 1; 0: not told.
 */
struct wire_owner {
	__u32 pid;		/* tgid, initial pid namespace */
	__u32 uid;		/* the socket's sk_uid, always there */
	__u64 cgroup;		/* the socket's own cgroup id, always there */
	char  comm[WIRE_COMM_LEN];	/* of the thread-group leader */
};

enum wire_sample_flags {
	WIRE_S_VALID	= 1 << 0,	/* the fields below are this socket's own */
	WIRE_S_DONE	= 1 << 1,	/* SOCK_DONE: the peer's FIN was processed */
	WIRE_S_DEAD	= 1 << 2,	/* SOCK_DEAD: orphan, no descriptor any more */
	WIRE_S_LINGER	= 1 << 3,	/* SO_LINGER is on (see lingertime) */
	WIRE_S_NO_SOCKET = 1 << 4,	/* sk_socket NULL: orphan or never accepted */
	WIRE_S_MPTCP	= 1 << 5,	/* a subflow */
	WIRE_S_TW_GAUGE	= 1 << 6,	/* tw_count and tw_limit were read */
};

/*
 * What ladder and verdict need of the socket, at the transition.
 * The last group is only read on the way to CLOSE.  jiffies are the kernel's;
 * HZ stands in WIRE_START.
 */
struct wire_sample {
	__u64 bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	__u32 snd_una, snd_nxt, write_seq, rcv_nxt, copied_seq;
	__u32 segs_out, data_segs_out, data_segs_in, total_retrans;
	__u32 srtt_us8;		/* as the kernel keeps it: microseconds << 3 */
	__u32 min_rtt_us;	/* ~0: no sample */
	__u16 flags;		/* enum wire_sample_flags */
	__u16 err, err_soft;	/* errno, positive */
	__u8  shutdown;		/* 1 receive, 2 send */
	__u8  probes_out, retransmits, pending, ca_state;
	__u8  pad;

	__u32 lingertime;	/* jiffies */
	__s32 linger2;		/* jiffies; < 0: TCP_LINGER2 negative */
	__u32 rto, fin_timeout;	/* jiffies */
	__u32 tw_count, tw_limit;	/* TIME_WAIT table of the namespace */
};

struct wire_state {
	struct wire_hdr    hdr;
	struct wire_tuple  tuple;
	struct wire_owner  owner;
	struct wire_sample sample;
	__u8 oldstate, newstate;
	__u8 pad[2];
	__u32 born;		/* the owner */
};

struct wire_retransmit {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u32 seq, end_seq;	/* SYN and FIN count one each */
	__s32 error;		/* negative errno: did not go out; up to 6.14 always 0 */
	__u16 segs;		/* segments in this skb */
	__u8  tcp_flags;	/* FIN 1, SYN 2, ACK 16 */
	__u8  state;
	__u8  ca_state, retransmits, pending;
	__u8  pad[5];
};

enum wire_synack_flags {
	WIRE_SA_ACKED	= 1 << 0,	/* third ACK came, the accept queue was full */
	WIRE_SA_TIMER	= 1 << 1,	/* sent by the timer, not for a duplicate SYN */
	WIRE_SA_FASTOPEN = 1 << 2,	/* sock is the TFO child, not the listener */
};

/* hdr.cookie is the request's, which the child inherits; with FASTOPEN the child's. */
struct wire_synack {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u64 snt_synack_us;	/* first SYN-ACK; CLOCK_MONOTONIC microseconds */
	__u32 snt_isn, rcv_isn;
	__u32 timeout;		/* jiffies, before back-off; 0: kernel has no such field */
	__u8  num_retrans, num_timeout;	/* before this one is counted */
	__u8  flags;		/* enum wire_synack_flags */
	__u8  pad;
};

enum wire_reset_flags {
	WIRE_R_RECEIVED	= 1 << 0,	/* tcp_receive_reset; else tcp_send_reset */
	WIRE_R_REPLY	= 1 << 1,	/* sent: in reply to a segment */
	WIRE_R_NO_SOCK	= 1 << 2,	/* sent: for no socket, addresses from the segment */
	WIRE_R_MINI	= 1 << 3,	/* sent: by a timewait mini-socket */
	WIRE_R_LISTENER	= 1 << 4,	/* sent: by a listener, addresses from the segment */
	WIRE_R_REASON	= 1 << 5,	/* reason is valid */
};

struct wire_reset {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u32 reason;		/* names: WIRE_REASON */
	__u16 flags;		/* enum wire_reset_flags */
	__u8  state;		/* of the socket, 0 if none */
	__u8  shutdown;		/* as in the sample */
};

enum wire_tw_flags {
	WIRE_TW_NO_MINI	= 1 << 0,	/* the kernel did not name the mini-socket, in
					 * recordings from before there was WIRE_DROPPED:
					 * any dropped FIN or RST, match by tuple */
	/* neither: not told, as in recordings from before these were */
	WIRE_TW_GONE	= 1 << 1,	/* the mini-socket is in the table no more */
	WIRE_TW_STAYS	= 1 << 2,	/* it is */
};

struct wire_tw_segment {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u32 payload;		/* bytes */
	__u8  tcp_flags;
	__u8  substate;		/* 5 or 6, after the segment was processed; 0, with
				 * WIRE_TW_GONE and no cookie: its memory was another's */
	__u8  flags;		/* enum wire_tw_flags */
	__u8  pad;
};

enum wire_dropped_flags {
	WIRE_D_RFC1337	= 1 << 0,	/* tcp_rfc1337: TIME_WAIT ignores a RST */
};

/*
 * A FIN or RST that tcp_v4_rcv() or tcp_v6_rcv() dropped, perhaps after it met a
 * mini-socket: where kfree_skb does not name the socket.  Match by tuple; no cookie.
 */
struct wire_dropped {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u32 seq, end_seq;	/* SYN and FIN count one each */
	__u8  tcp_flags;
	__u8  flags;		/* enum wire_dropped_flags */
	__u8  pad[6];
};

/* A set of ports, as ranges; none: all.  0 stands for a listening socket's peer. */
struct wire_ports {
	__u32 len;
	struct { __u16 lo, hi; } range[WIRE_RANGES];
	__u32 pad;
};

/* What the kernel was told to keep. */
struct wire_scope {
	__u32 netns;		/* 0: all */
	__u32 family;		/* 0: both */
	struct wire_ports lports, rports;
};

enum wire_start_flags {
	WIRE_ST_CGROUPS	= 1 << 0,	/* sockets of cgroups that nobody asked for are left out */
};

struct wire_start {
	struct wire_hdr   hdr;
	char  release[64];	/* uname -r */
	char  netns[64];	/* -N as it was given; a longer one cut */
	__u32 hz;
	__u32 flags;		/* enum wire_start_flags */
	struct wire_scope scope;
};

/* The longest prefix of an address decides; an address of none is not wanted. */
struct wire_prefix {
	__u8 addr[16];		/* zero behind the prefix */
	__u8 len;		/* 0 .. 128 */
	__u8 wanted;
	__u8 pad[6];
};

/* A set of addresses; none: all. */
struct wire_addrs {
	__u32 len;
	__u32 pad;
	struct wire_prefix prefix[WIRE_PREFIXES_MAX];
};

enum wire_claim_flags {
	WIRE_CL_BIRTH	= 1 << 0,	/* a birth that the kernel has counted: wire_end */
	WIRE_CL_ROW	= 1 << 1,	/* from a census: hdr as in wire_census */
};

/*
 * What matters of a socket that is left out: whoever was on this tuple is there no
 * more.  No cookie.  Instead of its transition, retransmit or row.
 */
struct wire_claim {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u64 since_ns;		/* when it was taken; 0: not known, but not after hdr.ts_ns */
	__u8  flags;		/* enum wire_claim_flags */
	__u8  pad[7];
};

struct wire_prefixes {
	struct wire_hdr   hdr;
	struct wire_addrs laddrs, raddrs;
};

struct wire_reason {
	struct wire_hdr hdr;
	__u32 id;
	char  name[WIRE_NAME_LEN];	/* lower case, without SK_RST_REASON_ */
	__u32 pad;
};

struct wire_clock {
	struct wire_hdr hdr;
	__s64 offset_ns;	/* CLOCK_REALTIME - CLOCK_MONOTONIC */
};

struct wire_tick {
	struct wire_hdr hdr;
};

enum wire_lost_where { WIRE_LOST_RING, WIRE_LOST_NESTED, WIRE_LOST_SINK, WIRE_LOST_TABLE,
		       WIRE_LOST_PLACES };

struct wire_lost {
	struct wire_hdr hdr;
	__u64 count;		/* since the previous one of the same place */
	__u32 where;		/* enum wire_lost_where */
	__u32 pad;
};

struct wire_end {
	struct wire_hdr hdr;
	__u64 births;		/* 7->2 and 10->3, counted before the ring was tried */
};

/*
 * hdr.ts_ns: when the iterator saw it; an event of the socket with an older
 * time is part of what was seen.  state 12: a request; 6 and 5 with WIRE_C_MINI:
 * mini-sockets, in recordings from before there was WIRE_MINI.
 */
enum wire_census_flags {
	WIRE_C_MINI	= 1 << 0,
	WIRE_C_ACKED	= 1 << 1,	/* as WIRE_SA_ACKED */
};

struct wire_census {
	struct wire_hdr    hdr;
	struct wire_tuple  tuple;
	struct wire_owner  owner;
	struct wire_sample sample;
	__u64 snt_synack_us;	/* as in wire_synack */
	__u32 timeout;		/* likewise */
	__u8  num_retrans, num_timeout;
	__u8  state;
	__u8  flags;		/* enum wire_census_flags */
};

enum wire_mini_flags {
	WIRE_M_SHARED	= 1 << 0,	/* its port's bucket is one that connect() takes
					 * ports from: nobody holds it by bind() */
	WIRE_M_STAMPED	= 1 << 1,	/* the peer sent timestamps: tcp_twsk_unique() may
					 * give the tuple to a new connection */
};

/* hdr as in wire_census. */
struct wire_mini {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__s32 left;		/* jiffies until its timer fires; < 0: that is overdue */
	__u8  substate;		/* 6 TIME_WAIT, 5 FIN_WAIT2 */
	__u8  flags;		/* enum wire_mini_flags */
	__u8  pad[2];
};

/* Steps of remaining time, of 5 s each; the last is all that is more. */
#define WIRE_LEFT_STEPS	12

/*
 * What is in it is in no WIRE_MINI.  tuple.lport is 0; so is rport, where their own
 * ports are none that connect() takes (ports.h).
 */
struct wire_mini_group {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u32 time_wait, fin_wait2;
	__u32 left[WIRE_LEFT_STEPS];	/* of time_wait */
	__u32 stamped;		/* likewise: WIRE_M_STAMPED, for tcp_tw_reuse_delay already */
	__u32 pool;		/* the kernel's own; 0: it takes no port */
};

/* Of the groups' TIME_WAIT, by local port. */
struct wire_mini_ports {
	struct wire_hdr hdr;
	__u32 first;		/* a multiple of 64 */
	__u32 pad;
	__u32 counts[64];
};

/* Of the groups' sockets, those whose ports connect() takes. */
struct wire_mini_pool {
	struct wire_hdr hdr;
	__u8  laddr[16];
	__u32 bound;		/* ports without WIRE_M_SHARED */
	__u8  family;
	__u8  pad[3];
	__u64 taken[1024];	/* ports, as bits */
	__u64 waits[1024];	/* of those: by one in TIME_WAIT */
};

/* Beside mini-sockets what counts where a port is wanted; listening ones, too. */
struct wire_socket {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u8  state;
	__u8  flags;		/* enum wire_mini_flags */
	__u8  pad[6];
};

/* The accept queue is full when queue > limit: sk_acceptq_is_full(). */
struct wire_listener {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	struct wire_owner owner;	/* pid 0 */
	__u32 queue, limit;	/* sk_ack_backlog, sk_max_ack_backlog */
	__u32 drops;		/* sk_drops */
	__u32 pad;
};

struct wire_request {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	__u64 listener;		/* hdr.sock of its listening socket */
	__u64 snt_synack_us;	/* as in wire_synack */
	__u32 timeout;		/* likewise */
	__u8  num_retrans, num_timeout;
	__u8  flags;		/* WIRE_C_ACKED */
	__u8  pad;
};

enum wire_aged_flags {
	WIRE_A_ORPHAN	= 1 << 0,	/* closed: no descriptor any more */
};

/* What was last heard and said on a socket (age.h makes an age of it). */
struct wire_aged {
	struct wire_hdr   hdr;
	struct wire_tuple tuple;
	struct wire_owner owner;	/* pid 0 */
	__u64 sent_ns;		/* last transmission: tcp_wstamp_ns; 0: none */
	__u32 heard;		/* jiffies since the last acceptable ACK: rcv_tstamp */
	__u32 tried_ms;		/* in SYN_SENT, since connect(): retrans_stamp */
	__u32 rto;		/* jiffies, backed off */
	__u32 snd_una, snd_nxt, write_seq;
	__u32 pad;
	__u8  state;
	__u8  retransmits;	/* timeouts since the peer last acknowledged anything new */
	__u8  backoff;
	__u8  flags;		/* enum wire_aged_flags */
};

/*
 * Of a network namespace, read in it from /proc, ahead of its rows.  values[]
 * by enum wire_fact, each valid if its bit in known is set.
 */
enum wire_fact {
	WIRE_F_SOCKETS,		/* hashed full sockets, listening ones included: sockstat */
	WIRE_F_TW,		/* mini-sockets */
	WIRE_F_TW_LIMIT,	/* tcp_max_tw_buckets */
	WIRE_F_PORT_LO, WIRE_F_PORT_HI,	/* ip_local_port_range */
	WIRE_F_PORTS_RESERVED,	/* within it: ip_local_reserved_ports */
	WIRE_F_TW_REUSE,	/* tcp_tw_reuse: 0, 1, 2 loopback only */
	WIRE_F_TW_REUSE_DELAY,	/* milliseconds */
	WIRE_F_FIN_TIMEOUT,	/* seconds */
	WIRE_F_SYNACK_RETRIES,
	/* since the namespace began: TcpExt */
	WIRE_F_TW_BEGUN,	/* TW: minis that were scheduled for more than 4 s */
	WIRE_F_TW_OVERFLOWS,
	WIRE_F_LISTEN_OVERFLOWS, WIRE_F_LISTEN_DROPS,
	WIRE_F_COOKIES_SENT, WIRE_F_COOKIES_RECV, WIRE_F_COOKIES_FAILED,
	WIRE_FACTS
};
#define WIRE_FACTS_MAX	24

struct wire_netns_facts {
	struct wire_hdr hdr;
	__u64 known;
	__u64 values[WIRE_FACTS_MAX];
};

struct wire_owner_of {
	struct wire_hdr   hdr;
	struct wire_owner owner;
	__u32 fd;
	__u32 born;		/* the owner */
};

/* Once a socket: the first process that was seen to read or, where that shows, to write. */
struct wire_owner_seen {
	struct wire_hdr   hdr;
	struct wire_owner owner;
	__u32 born;		/* the owner */
	__u32 pad;
};

/* What was counted off, and as which records. */
enum wire_census_which {
	WIRE_CENSUS_LIVES,	/* whatever the engine can adopt: WIRE_CENSUS, WIRE_MINI */
	WIRE_CENSUS_PORTS,	/* who has a port: WIRE_SOCKET, WIRE_MINI; with facts */
	WIRE_CENSUS_LISTENERS,	/* WIRE_LISTENER, WIRE_REQUEST; with facts */
	WIRE_CENSUS_AGED,	/* in states that a healthy connection leaves soon: WIRE_AGED */
	WIRE_CENSUS_KINDS
};

/* hdr.netns 0: of the last namespace, and of their descriptors, too. */
struct wire_census_end {
	struct wire_hdr hdr;	/* ts_ns: when it ended; netns */
	__u64 start_ns;		/* whoever was there all the time since was seen */
	__u32 rows;
	__u32 which;		/* enum wire_census_which */
};

/*
 * From the root of the cgroup v2 hierarchy; "/" is the root itself.  "": it is
 * gone, or not to be found.  Any bytes but 0.  The record ends with the text: its
 * length is what that takes, rounded up to 8.
 */
struct wire_cgroup {
	struct wire_hdr hdr;
	__u64 id;
	char  path[WIRE_PATH_LEN];
};

/*
 * What /proc shows of the process that was seen by this pid, birth and name.  Any
 * bytes, in the path but 0; between the arguments a space.  Without all of them: it
 * is gone, or has another name now, or is not to be seen, or nobody asked.  The
 * record ends with the text, as above.
 */
struct wire_process {
	struct wire_hdr hdr;
	__u32 pid;
	__u32 born;		/* as in wire_owner */
	char  comm[WIRE_COMM_LEN];
	__u16 exe_len, cmdline_len;
	__u16 cgroup_len;
	__u8  pad[2];
	/* program, command line, path of its cgroup of version 1 */
	char  text[WIRE_EXE_LEN + WIRE_CMDLINE_LEN + WIRE_PATH_LEN];
};

/* Of hdr.netns.  "": it has none (any more). */
struct wire_netns_name {
	struct wire_hdr hdr;
	char name[256];		/* of a file under /run/netns: any bytes but 0 and / */
};

#define WIRE_ASSERT(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type " is ABI")
WIRE_ASSERT(wire_hdr, 32);
WIRE_ASSERT(wire_tuple, 40);
WIRE_ASSERT(wire_owner, 32);
WIRE_ASSERT(wire_sample, 112);
WIRE_ASSERT(wire_state, 224);
WIRE_ASSERT(wire_retransmit, 96);
WIRE_ASSERT(wire_synack, 96);
WIRE_ASSERT(wire_reset, 80);
WIRE_ASSERT(wire_tw_segment, 80);
WIRE_ASSERT(wire_dropped, 88);
WIRE_ASSERT(wire_ports, 264);
WIRE_ASSERT(wire_start, 704);
WIRE_ASSERT(wire_claim, 88);
WIRE_ASSERT(wire_prefix, 24);
WIRE_ASSERT(wire_addrs, 776);
WIRE_ASSERT(wire_prefixes, 1584);
WIRE_ASSERT(wire_reason, 80);
WIRE_ASSERT(wire_clock, 40);
WIRE_ASSERT(wire_tick, 32);
WIRE_ASSERT(wire_lost, 48);
WIRE_ASSERT(wire_end, 40);
WIRE_ASSERT(wire_census, 232);
WIRE_ASSERT(wire_mini, 80);
WIRE_ASSERT(wire_socket, 80);
WIRE_ASSERT(wire_mini_group, 136);
WIRE_ASSERT(wire_mini_ports, 296);
WIRE_ASSERT(wire_mini_pool, 56 + 2 * 8192);
WIRE_ASSERT(wire_listener, 120);
WIRE_ASSERT(wire_request, 96);
WIRE_ASSERT(wire_aged, 144);
WIRE_ASSERT(wire_netns_facts, 232);
WIRE_ASSERT(wire_owner_of, 72);
WIRE_ASSERT(wire_census_end, 48);
WIRE_ASSERT(wire_owner_seen, 72);
WIRE_ASSERT(wire_cgroup, 40 + WIRE_PATH_LEN);
WIRE_ASSERT(wire_process, 64 + WIRE_EXE_LEN + WIRE_CMDLINE_LEN + WIRE_PATH_LEN);
WIRE_ASSERT(wire_netns_name, 288);

/*
 * Beside the ring: rows of counters, one for each (namespace slot, CPU), added
 * to before the ring is tried, so that they stay exact when it overflows.
 * transitions[5][6] and [11][6] are entries into TIME_WAIT, which the kernel
 * announces as ->7.  Slot 0: every namespace that has no slot of its own.
 */
enum wire_phase { WIRE_SYN, WIRE_SYNACK_PHASE, WIRE_DATA, WIRE_FIN, WIRE_PHASES };

/*
 * One for each reason of the kernel's (25 in 6.18), the last for those that are
 * higher, and for all of a kernel that gives none.  A power of two.
 */
#define WIRE_RESET_REASONS	32

struct wire_counters {
	__u64 transitions[WIRE_STATES][WIRE_STATES];
	__u64 retransmits[WIRE_PHASES];	/* segments */
	__u64 resets_sent[WIRE_RESET_REASONS];	/* by the kernel's number of the reason */
	__u64 resets_received[WIRE_STATES];	/* by the state they met */
	__u64 data_after_close[WIRE_STATES];	/* of those: it was no reset */
	__u64 lost_ring;	/* records for which the ring had no room */
	/* what a transition alone does not say */
	__u64 no_port;		/* 2->7 before a SYN was sent */
	__u64 attempt_fails;	/* 2->7 and 3->7 by tcp_done() */
	__u64 parked;		/* 5->7 that looks like a FIN_WAIT2 mini-socket's birth */
	__u64 unparked;		/* a reset told that it was none */
};
WIRE_ASSERT(wire_counters, (WIRE_STATES * (WIRE_STATES + 2) + WIRE_RESET_REASONS + 9) * 8);

/*
 * Beside the iterator that counts, of one namespace: rows that grow where they are, to
 * be handed out, and wiped, when it is through.  What finds no room is a row of its own.
 */
#define WIRE_GROUPS	8192	/* powers of two */
#define WIRE_GROUP_SLOTS	(2 * WIRE_GROUPS)
#define WIRE_POOLS	16

struct wire_counted {
	__u32 nr_groups;
	__u32 pad;
	/* given, before it begins */
	__u32 lo, hi;		/* ports that connect() takes */
	__s32 stamped_left;	/* jiffies: who has no more left can be reused */
	__u32 step;		/* jiffies: 5 s */
	__u64 listening[1024];	/* ports, as bits */
	__u16 slots[WIRE_GROUP_SLOTS];	/* of groups: + 1 */
	struct wire_mini_group groups[WIRE_GROUPS];
	struct wire_mini_pool  pools[WIRE_POOLS];	/* family 0: of none */
	__u64 chunks[16];	/* of ports, those that count any, as bits */
	struct wire_mini_ports ports[1024];
};
WIRE_ASSERT(wire_counted, 24 + 128 + 8192 + 2 * WIRE_GROUP_SLOTS + 136 * WIRE_GROUPS +
	    16440 * WIRE_POOLS + 296 * 1024);

/*
 * Programs that have twins (twin.bpf.h): the first of its copies and one more where the
 * kernel skips what is nested, all of them where it preempts them, too.
 */
#define WIRE_COPIES	4
enum wire_prog { WIRE_P_STATE, WIRE_P_RETRANSMIT, WIRE_P_SYNACK, WIRE_P_SEND_RESET,
		 WIRE_P_RECEIVE_RESET, WIRE_P_KFREE_SKB, WIRE_PROGS };

/* What becomes of a cgroup's sockets (sieve.h): values of a map, by its id. */
enum wire_judged {
	WIRE_J_NONE,		/* not judged, and not in the map: they pass for now */
	WIRE_J_PASSES,		/* they are asked for, for good; or nobody knows */
	WIRE_J_DROPS,		/* they are not, for good */
};

#define WIRE_USED	64	/* sockets that are used most on one CPU; a power of two */

/* One a CPU, the first cache line the busy one: written by that CPU only. */
struct wire_cpu {
	__u64 percpu_offset;	/* of the kernel's per-CPU variables; stays in the kernel */
	__u32 nested[8];	/* by enum wire_prog: hits that a twin took */
	__u32 records;		/* submitted, roughly: see wake_mask */
	__u32 pad;
	__u64 cgroup;		/* of which user space was last told */
	__u64 passing;		/* the last whose sockets pass: WIRE_J_PASSES */
	__u64 mark[8];		/* by enum wire_prog: the event that the first took, until its
				 * twin comes; wiped by user space, too */
	__u64 used[WIRE_USED];	/* by their low bits: cookies of sockets whose users were seen */
};
WIRE_ASSERT(wire_cpu, 64 + 64 + 8 * WIRE_USED);

#endif
