/* SPDX-License-Identifier: GPL-2.0 */
/*
 * census.bpf.h - what is there: the iterators over sockets and descriptors.
 * Rows are wire records, written to the iterator's file.
 */
#ifndef SYNFIN_CENSUS_BPF_H
#define SYNFIN_CENSUS_BPF_H

#include "owner.bpf.h"
#include "counted.bpf.h"

/*
 * Rows are made here: one reader at a time, and in map memory the verifier lets
 * a socket's address become a number.
 */
static struct wire_census census_row;
static struct wire_mini mini_row;
static struct wire_socket socket_row;
static struct wire_listener listener_row;
static struct wire_request request_row;
static struct wire_aged aged_row;
static struct wire_owner_of owner_row;

static __always_inline void row_begin(struct wire_hdr *hdr, __u32 kind, __u32 len,
				      const struct sock_common *skc, __u32 netns)
{
	volatile __u64 *sock = &hdr->sock;

	hdr->ts_ns = bpf_ktime_get_ns();
	hdr->cookie = sk_cookie(skc);
	*sock = (__u64)skc;
	*sock ^= sock_mask;
	hdr->netns = netns;
	hdr->len = len;
	hdr->kind = kind;
	hdr->version = WIRE_VERSION;
}

static __always_inline void request_read(const struct request_sock *req, struct wire_census *row)
{
	const struct tcp_request_sock *treq = (const void *)req;
	const struct inet_request_sock *ireq = (const void *)req;

	row->snt_synack_us = BPF_CORE_READ(treq, snt_synack);
	row->timeout = req_timeout(req);
	row->num_retrans = BPF_CORE_READ(req, num_retrans);
	row->num_timeout = BPF_CORE_READ_BITFIELD_PROBED(req, num_timeout);
	if (BPF_CORE_READ_BITFIELD_PROBED(ireq, acked))
		row->flags |= WIRE_C_ACKED;
}

static __always_inline void full_read(const struct sock *sk, const struct tcp_sock *tp,
				      struct wire_census *row)
{
	struct sk_links links;

	sk_links_read(sk, &links);
	sk_read_tuple(sk, tp, &row->tuple);
	if (row->state == BPF_TCP_LISTEN)	/* its connection's numbers mean nothing */
		row->tuple.rport = 0;
	else
		sample_read(sk, tp, &links, false, &row->sample);
	owner_read(sk, links.cgroup, &row->owner);
}

static __always_inline void write_mini(struct seq_file *seq, const struct sock_common *skc,
				       const struct tcp_timewait_sock *tw, __u32 netns)
{
	struct wire_mini *row = &mini_row;

	row_begin(&row->hdr, WIRE_MINI, sizeof(*row), skc, netns);
	common_read_addrs(skc, &row->tuple);
	row->tuple.lport = skc->skc_num;
	row->left = tw->tw_sk.tw_timer.expires - bpf_jiffies64();
	row->substate = tw->tw_sk.tw_substate;
	row->flags = (bucket_is_shared(tw->tw_sk.tw_tb) ? WIRE_M_SHARED : 0) |
		     (tw->tw_ts_recent_stamp ? WIRE_M_STAMPED : 0);
	row->pad[0] = row->pad[1] = 0;
	if (tuple_in_scope(&row->tuple, true, true))
		bpf_seq_write(seq, row, sizeof(*row));
}

SEC("iter/tcp") int on_socket(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	const struct tcp_timewait_sock *tw;
	const struct tcp_sock *tp;
	struct wire_census *row = &census_row;
	__u32 netns;

	if (!skc)
		return 0;
	netns = common_netns(skc);
	if (!netns_in_scope(netns))
		return 0;
	tw = bpf_skc_to_tcp_timewait_sock(skc);
	if (tw) {
		write_mini(ctx->meta->seq, skc, tw, netns);
		return 0;
	}
	__builtin_memset(row, 0, sizeof(*row));
	row_begin(&row->hdr, WIRE_CENSUS, sizeof(*row), skc, netns);
	row->state = skc->skc_state;
	tp = bpf_skc_to_tcp_sock(skc);
	if (tp) {
		full_read((const struct sock *)tp, tp, row);
	} else {
		mini_read_tuple(skc, &row->tuple);
		if (row->state == BPF_TCP_NEW_SYN_RECV)
			request_read((const struct request_sock *)skc, row);
	}
	if (row->state == BPF_TCP_LISTEN ? !listener_in_scope(&row->tuple) :
					   !tuple_in_scope(&row->tuple, true, true))
		return 0;
	bpf_seq_write(ctx->meta->seq, row, sizeof(*row));
	return 0;
}

/* ---- censuses of one kind of socket: shorter, and loaded only where they are wanted ---- */

static __always_inline void write_socket(struct seq_file *seq, const struct sock_common *skc,
					 const struct tcp_sock *tp, __u32 netns)
{
	struct wire_socket *row = &socket_row;

	row_begin(&row->hdr, WIRE_SOCKET, sizeof(*row), skc, netns);
	sk_read_tuple((const struct sock *)tp, tp, &row->tuple);
	row->state = skc->skc_state;
	row->flags = bucket_is_shared(tp->inet_conn.icsk_bind_hash) ? WIRE_M_SHARED : 0;
	if (row->state == BPF_TCP_LISTEN)
		row->tuple.rport = 0;
	else if (!tuple_in_scope(&row->tuple, true, true))
		return;
	bpf_seq_write(seq, row, sizeof(*row));
}

/* Whoever has a port, and those that listen on one. */
SEC("iter/tcp") int on_port(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	const struct tcp_timewait_sock *tw;
	const struct tcp_sock *tp;
	__u32 netns;

	if (!skc)
		return 0;
	netns = common_netns(skc);
	if (!netns_in_scope(netns))
		return 0;
	tw = bpf_skc_to_tcp_timewait_sock(skc);
	if (tw) {
		write_mini(ctx->meta->seq, skc, tw, netns);
		return 0;
	}
	tp = bpf_skc_to_tcp_sock(skc);
	if (tp)		/* a request has its listener's */
		write_socket(ctx->meta->seq, skc, tp, netns);
	return 0;
}

/*
 * The same, but mini-sockets are counted here, as far as there is room, and nobody is
 * told of who takes no port.  Listening sockets come first, so it is known which ports
 * are theirs.
 */
SEC("iter/tcp") int on_port_counted(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct seq_file *seq = ctx->meta->seq;
	const struct tcp_timewait_sock *tw;
	const struct tcp_sock *tp;
	struct wire_counted *c;
	__u32 zero = 0, netns;

	if (!skc)
		return 0;
	netns = common_netns(skc);
	c = bpf_map_lookup_elem(&counted, &zero);
	if (!c || !netns_in_scope(netns))
		return 0;
	tw = bpf_skc_to_tcp_timewait_sock(skc);
	if (tw) {
		if (!count_mini(c, skc, tw))
			write_mini(seq, skc, tw, netns);
		return 0;
	}
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	if (skc->skc_state == BPF_TCP_LISTEN)
		set_bit(c->listening, skc->skc_num);
	else if (!is_taken(c, skc->skc_num, skc->skc_dport))
		return 0;
	write_socket(seq, skc, tp, netns);
	return 0;
}

static __always_inline void write_listener(struct seq_file *seq, const struct sock_common *skc,
					   const struct tcp_sock *tp)
{
	const struct sock *sk = (const struct sock *)tp;
	struct wire_listener *row = &listener_row;

	row_begin(&row->hdr, WIRE_LISTENER, sizeof(*row), skc, common_netns(skc));
	sk_read_tuple(sk, tp, &row->tuple);
	row->tuple.rport = 0;
	owner_read(sk, sk_cgroup_id(sk), &row->owner);
	row->queue = sk->sk_ack_backlog;
	row->limit = sk->sk_max_ack_backlog;
	row->drops = sk->sk_drops.counter;
	if (tuple_in_scope(&row->tuple, true, true) &&
	    (!scope_family || scope_family == row->tuple.family))
		bpf_seq_write(seq, row, sizeof(*row));
}

static __always_inline void write_request(struct seq_file *seq, const struct sock_common *skc,
					  const struct tcp_request_sock *treq)
{
	const struct request_sock *req = &treq->req.req;
	struct wire_request *row = &request_row;
	volatile __u64 *listener = &row->listener;

	row_begin(&row->hdr, WIRE_REQUEST, sizeof(*row), skc, common_netns(skc));
	common_read_addrs(skc, &row->tuple);
	row->tuple.lport = skc->skc_num;
	*listener = (__u64)skc->skc_listener;
	*listener ^= sock_mask;
	row->snt_synack_us = treq->snt_synack;
	row->timeout = req_timeout(req);
	row->num_retrans = req->num_retrans;
	row->num_timeout = BPF_CORE_READ_BITFIELD(req, num_timeout);
	row->flags = BPF_CORE_READ_BITFIELD(&treq->req, acked) ? WIRE_C_ACKED : 0;
	if (tuple_in_scope(&row->tuple, true, false))	/* its listener's, whoever sent it */
		bpf_seq_write(seq, row, sizeof(*row));
}

SEC("iter/tcp") int on_listening(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	const struct tcp_request_sock *req;
	const struct tcp_sock *tp;

	if (!skc || !netns_in_scope(common_netns(skc)))
		return 0;
	if (skc->skc_state == BPF_TCP_LISTEN) {
		tp = bpf_skc_to_tcp_sock(skc);
		if (tp)
			write_listener(ctx->meta->seq, skc, tp);
	} else if (skc->skc_state == BPF_TCP_NEW_SYN_RECV) {
		req = bpf_skc_to_tcp_request_sock(skc);
		if (req)
			write_request(ctx->meta->seq, skc, req);
	}
	return 0;
}

/* States that a healthy connection leaves soon. */
#define STATES_TO_LEAVE	(1u << BPF_TCP_SYN_SENT | 1u << BPF_TCP_FIN_WAIT1 | \
			 1u << BPF_TCP_FIN_WAIT2 | 1u << BPF_TCP_CLOSE_WAIT | \
			 1u << BPF_TCP_LAST_ACK | 1u << BPF_TCP_CLOSING)

SEC("iter/tcp") int on_aged(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	const struct tcp_sock *tp;
	const struct sock *sk;
	struct wire_aged *row = &aged_row;

	if (!skc || !netns_in_scope(common_netns(skc)))
		return 0;
	if (!(STATES_TO_LEAVE >> (skc->skc_state & 15) & 1))
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	sk = (const struct sock *)tp;
	row_begin(&row->hdr, WIRE_AGED, sizeof(*row), skc, common_netns(skc));
	sk_read_tuple(sk, tp, &row->tuple);
	owner_read(sk, sk_cgroup_id(sk), &row->owner);
	row->sent_ns = tp->tcp_wstamp_ns;
	row->heard = (__u32)bpf_jiffies64() - tp->rcv_tstamp;
	row->tried_ms = since_retrans_stamp_ms(tp, row->hdr.ts_ns);
	row->rto = tp->inet_conn.icsk_rto;
	row->snd_una = tp->snd_una;
	row->snd_nxt = tp->snd_nxt;
	row->write_seq = tp->write_seq;
	row->pad = 0;
	row->state = skc->skc_state;
	row->retransmits = tp->inet_conn.icsk_retransmits;
	row->backoff = tp->inet_conn.icsk_backoff;
	row->flags = sk->__sk_common.skc_flags & SOCK_DEAD ? WIRE_A_ORPHAN : 0;
	if (tuple_in_scope(&row->tuple, true, true))
		bpf_seq_write(ctx->meta->seq, row, sizeof(*row));
	return 0;
}

/* ---- descriptors ---- */

/*
 * The thread-group leader's rows will do; but one that has ended has no descriptors
 * any more, while its threads, each of which has a row then, go on.
 */
static __always_inline bool task_stands_for_others(struct task_struct *task,
						   struct task_struct *leader)
{
	return task == leader || !BPF_CORE_READ(leader, files);
}

/* Every descriptor of a TCP socket. */
SEC("iter/task_file") int on_descriptor(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct wire_owner_of *row = &owner_row;
	struct task_struct *leader;
	const struct sock *sk;

	if (!task || !file)
		return 0;
	leader = task->group_leader;
	if (!task_stands_for_others(task, leader))
		return 0;
	sk = file_sock(file);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP ||
	    !netns_in_scope(file_sock_netns(sk)))
		return 0;
	__builtin_memset(row, 0, sizeof(*row));
	row_begin(&row->hdr, WIRE_OWNER, sizeof(*row), &sk->__sk_common,
		  file_sock_netns(sk));
	row->owner.pid = task->tgid;
	row->owner.uid = BPF_CORE_READ(sk, sk_uid.val);
	row->owner.cgroup = file_sock_cgroup_id(sk);
	BPF_CORE_READ_INTO(&row->owner.comm, leader, comm);
	row->born = born_of(BPF_CORE_READ(leader, start_boottime));
	row->fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, row, sizeof(*row));
	return 0;
}

#endif
