/* SPDX-License-Identifier: GPL-2.0 */
/*
 * census.bpf.h - what is there: the iterators over sockets and descriptors.
 * Rows are wire records, written to the iterator's file.
 */
#ifndef SYNFIN_CENSUS_BPF_H
#define SYNFIN_CENSUS_BPF_H

#include "sock.bpf.h"

/*
 * Rows are made here: one reader at a time, and in map memory the verifier lets
 * a socket's address become a number.
 */
static struct wire_census census_row;
static struct wire_mini mini_row;
static struct wire_owner_of owner_row;

static __always_inline void row_begin(struct wire_hdr *hdr, __u32 kind, __u32 len,
				      const struct sock_common *skc)
{
	volatile __u64 *sock = &hdr->sock;

	hdr->ts_ns = bpf_ktime_get_ns();
	hdr->cookie = sk_cookie(skc);
	*sock = (__u64)skc;
	*sock ^= sock_mask;
	hdr->netns = common_netns(skc);
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
	sk_read_tuple(sk, tp, &row->tuple);
	if (row->state == BPF_TCP_LISTEN)	/* its connection's numbers mean nothing */
		row->tuple.rport = 0;
	else
		sample_read(sk, tp, false, &row->sample);
	owner_read(sk, false, &row->owner);
}

/*
 * connect() without a bound port takes one from a bucket that has no bind() in
 * it, or makes such a bucket: __inet_hash_connect().
 */
static __always_inline bool bucket_is_shared(const struct inet_bind_bucket *tb)
{
	return tb && tb->fastreuse < 0 && tb->fastreuseport < 0;
}

static __always_inline void write_mini(struct seq_file *seq, const struct sock_common *skc,
				       const struct inet_timewait_sock *tw)
{
	struct wire_mini *row = &mini_row;

	row_begin(&row->hdr, WIRE_MINI, sizeof(*row), skc);
	common_read_addrs(skc, &row->tuple);
	row->tuple.lport = skc->skc_num;
	row->left = tw->tw_timer.expires - bpf_jiffies64();
	row->substate = tw->tw_substate;
	row->flags = bucket_is_shared(tw->tw_tb) ? WIRE_M_SHARED : 0;
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

	if (!skc || !netns_in_scope(common_netns(skc)))
		return 0;
	tw = bpf_skc_to_tcp_timewait_sock(skc);
	if (tw) {
		write_mini(ctx->meta->seq, skc, &tw->tw_sk);
		return 0;
	}
	__builtin_memset(row, 0, sizeof(*row));
	row_begin(&row->hdr, WIRE_CENSUS, sizeof(*row), skc);
	row->state = skc->skc_state;
	tp = bpf_skc_to_tcp_sock(skc);
	if (tp) {
		full_read((const struct sock *)tp, tp, row);
	} else {
		mini_read_tuple(skc, &row->tuple);
		if (row->state == BPF_TCP_NEW_SYN_RECV)
			request_read((const struct request_sock *)skc, row);
	}
	if (!tuple_in_scope(&row->tuple, true, true))
		return 0;
	bpf_seq_write(ctx->meta->seq, row, sizeof(*row));
	return 0;
}

/* Every descriptor of a TCP socket: the thread-group leader's rows will do. */
SEC("iter/task_file") int on_descriptor(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct wire_owner_of *row = &owner_row;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file || task->group_leader != task)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || !sk_is_tcp(sk) || !netns_in_scope(common_netns(&sk->__sk_common)))
		return 0;
	__builtin_memset(row, 0, sizeof(*row));
	row_begin(&row->hdr, WIRE_OWNER, sizeof(*row), &sk->__sk_common);
	row->owner.pid = task->tgid;
	row->owner.uid = sk->sk_uid.val;
	row->owner.cgroup = sk_cgroup_id(sk);
	BPF_CORE_READ_INTO(&row->owner.comm, task, comm);
	row->fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, row, sizeof(*row));
	return 0;
}

#endif
