/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmlinux.h - the kernel types that bpf/ names, and of each only the members
 * that it reads.  Offsets do not matter: CO-RE takes them from the running
 * kernel's BTF (README.md beside this file says how to add a member and how
 * `make check-vmlinux` holds this file against a kernel).
 *
 * A type with ___ in its name is a flavour: the same kernel type as it was
 * before some commit; bpf/compat.bpf.h says which.
 */
#ifndef SYNFIN_VMLINUX_H
#define SYNFIN_VMLINUX_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false, true };

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum {
	BPF_ANY = 0,
};
enum {
	BPF_F_NO_PREALLOC = 1 << 0,
	BPF_F_MMAPABLE = 1 << 10,
};
enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};
enum {
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
};
enum {
	BPF_RB_AVAIL_DATA = 0,
};
enum {
	BPF_TCP_ESTABLISHED = 1,
	BPF_TCP_SYN_SENT = 2,
	BPF_TCP_SYN_RECV = 3,
	BPF_TCP_FIN_WAIT1 = 4,
	BPF_TCP_FIN_WAIT2 = 5,
	BPF_TCP_TIME_WAIT = 6,
	BPF_TCP_CLOSE = 7,
	BPF_TCP_CLOSE_WAIT = 8,
	BPF_TCP_LAST_ACK = 9,
	BPF_TCP_LISTEN = 10,
	BPF_TCP_CLOSING = 11,
	BPF_TCP_NEW_SYN_RECV = 12,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

typedef struct {
	atomic_t refs;
} refcount_t;

typedef struct {
	__u32 val;
} kuid_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_nulls_node {
	struct hlist_nulls_node *next, **pprev;
};

struct timer_list {
	struct hlist_node entry;
	unsigned long expires;
};

struct ns_common {
	unsigned int inum;
};

struct inet_timewait_death_row {
	refcount_t tw_refcount;
	int sysctl_max_tw_buckets;
};

struct netns_ipv4 {
	struct inet_timewait_death_row tcp_death_row;
	int sysctl_tcp_fin_timeout;
	__u8 sysctl_tcp_rfc1337;
};

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	union {
		struct {
			__be32 skc_daddr;
			__be32 skc_rcv_saddr;
		};
	};
	union {
		struct {
			__be16 skc_dport;
			__u16 skc_num;
		};
	};
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct hlist_nulls_node skc_nulls_node;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	union {
		unsigned long skc_flags;
		struct sock *skc_listener;	/* of a request */
	};
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock;

struct file;

struct inode {
	unsigned short i_mode;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	atomic_t sk_drops;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	int sk_err;
	int sk_err_soft;
	struct socket *sk_socket;
	kuid_t sk_uid;
	__u16 sk_protocol;
	__u8 sk_shutdown;
	unsigned long sk_lingertime;
	struct sock_cgroup_data sk_cgrp_data;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
};

struct inet_bind_bucket {
	signed char fastreuse;
	signed char fastreuseport;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct inet_bind_bucket *icsk_bind_hash;
	__u32 icsk_rto;
	__u8 icsk_ca_state : 5;
	__u8 icsk_retransmits;
	__u8 icsk_pending;
	__u8 icsk_backoff;
	__u8 icsk_probes_out;
};

struct minmax_sample {
	__u32 t;
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u8 tcp_usec_ts : 1;
	__u32 retrans_stamp;
	__u64 tcp_wstamp_ns;
	__u32 rcv_tstamp;
	__u32 copied_seq;
	struct minmax rtt_min;
	__u32 segs_out;
	__u32 data_segs_out;
	__u64 bytes_sent;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 srtt_us;
	__u64 bytes_received;
	__u32 data_segs_in;
	__u64 bytes_acked;
	__u64 bytes_retrans;
	__u32 total_retrans;
	int linger2;
	bool is_mptcp;
};

struct request_sock {
	struct sock_common __req_common;
	__u8 num_retrans;
	__u8 syncookie : 1;
	__u8 num_timeout : 7;
	struct timer_list rsk_timer;
	__u32 timeout;
};

struct inet_request_sock {
	struct request_sock req;
	__u16 acked : 1;
};

struct tcp_request_sock {
	struct inet_request_sock req;
	__u64 snt_synack;
	__u32 rcv_isn;
	__u32 snt_isn;
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	unsigned char tw_substate;
	struct timer_list tw_timer;
	struct inet_bind_bucket *tw_tb;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
	int tw_ts_recent_stamp;
};

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	char cb[48];
	__u16 transport_header;
	__u16 network_header;
	unsigned char *head;
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	union {
		struct {
			__u16 tcp_gso_segs;
			__u16 tcp_gso_size;
		};
	};
	__u16 tcp_flags;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog_stats {
	struct {		/* u64_stats_t, since 5.16 */
		long v;
	} misses;
};

struct bpf_prog {
	int *active;		/* per CPU */
	struct bpf_prog_stats *stats;	/* likewise */
	struct bpf_prog_aux *aux;
};

struct bpf_iter__bpf_prog {
	struct bpf_prog *prog;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct bpf_map {
	__u32 id;
};

struct bpf_array {
	struct bpf_map map;
	union {
		void *pptrs[0];
	};
};

struct task_struct {
	unsigned int flags;
	int tgid;
	struct task_struct *group_leader;
	__u64 start_boottime;
	char comm[16];
	struct files_struct *files;
};

/* up to 5.17: a counter without the +1 of a refcount */
struct inet_timewait_death_row___count {
	atomic_t tw_count;
	int sysctl_max_tw_buckets;
};

/* 5.18 and 5.19: a pointer */
struct netns_ipv4___pointer {
	struct inet_timewait_death_row *tcp_death_row;
};

/* up to 5.14: the socket's cgroup as a tagged word */
struct sock_cgroup_data___tagged {
	__u64 val;
};

#pragma clang attribute pop

/* Wire formats, not kernel types: nothing to relocate. */
struct iphdr {
	__u8 ihl : 4, version : 4;
	__u8 tos;
	__be16 tot_len, id, frag_off;
	__u8 ttl, protocol;
	__u16 check;
	__be32 saddr, daddr;
};

struct ipv6hdr {
	__be32 flow;
	__be16 payload_len;
	__u8 nexthdr, hop_limit;
	__u8 saddr[16], daddr[16];
};

struct tcphdr {
	__be16 source, dest;
	__be32 seq, ack_seq;
	__u8 doff;		/* in the upper four bits */
	__u8 flags;		/* FIN 1, SYN 2, RST 4, PSH 8, ACK 16 */
	__be16 window;
	__u16 check;
	__be16 urg_ptr;
};

#endif
