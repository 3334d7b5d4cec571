/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.bpf.h - every difference between kernels, one accessor a fact.
 *
 * Tested by feature (a field, a type, an argument), never by version: distros
 * backport.  Written for the newest kernel first.  Programs call an accessor
 * and do not know which kernel they run on.  What the BPF side cannot ask for
 * itself (the number of a tracepoint's arguments, the existence of a helper)
 * user space reads from BTF and writes into the constants below before the
 * load; the verifier then drops the branch that this kernel does not have.
 */
#ifndef SYNFIN_COMPAT_BPF_H
#define SYNFIN_COMPAT_BPF_H

#include "maps.bpf.h"

#define NET_XMIT_CN	2
#define ENOBUFS		105
#define PF_KTHREAD	0x00200000
#define S_IFMT		0170000
#define S_IFSOCK	0140000

/*
 * bpf_get_socket_cookie() in tracing programs: c5dbb89fc2ac ("bpf: Expose
 * bpf_get_socket_cookie to tracing programs"), v5.12.  Without it the socket's
 * address is the identity (wire_hdr.sock).
 */
const volatile bool has_cookie = true;

/*
 * tcp_retransmit_skb has a third argument, err, since ad892e912b84 ("tcp: trace
 * retransmit failures in tcp_retransmit_skb"), v6.17; before, it fired only
 * for attempts that went out.
 */
const volatile bool retransmit_has_err = true;

/* tcp_send_reset has a third argument, reason, since v6.10 (b533fb9cf4f7). */
const volatile bool reset_has_reason = true;

/* kfree_skb names the socket that dropped the segment, rx_sk, since v6.11. */
const volatile bool kfree_skb_has_sk = true;

/*
 * Up to 7.0 a tracepoint's programs run with preemption disabled.  Since 7.1 they are
 * preempted like any other code (__DO_TRACE_CALL() under SRCU-fast).
 */
const volatile bool preempts_programs = false;

/*
 * bpf_sk_storage_get() in tracing programs: 8e4597c627fb ("bpf: Allow using
 * bpf_sk_storage in FENTRY/FEXIT/RAW_TP"), v5.11.  Without it addresses of
 * sockets are remembered, as many as there is room for.
 */
const volatile bool has_sk_storage = true;

/* Whether the socket's first user was seen already; of most sockets the answer is yes. */
static __always_inline bool sk_is_seen(struct sock *sk)
{
	__u64 address = (__u64)sk;

	if (has_sk_storage)
		return bpf_sk_storage_get(&seen_sockets, sk, NULL, 0);
	return bpf_map_lookup_elem(&seen_addresses, &address);
}

/* False: there is no memory for that. */
static __always_inline bool sk_mark_seen(struct sock *sk)
{
	__u64 address = (__u64)sk;
	__u8 yes = 1;

	if (has_sk_storage)
		return bpf_sk_storage_get(&seen_sockets, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return !bpf_map_update_elem(&seen_addresses, &address, &yes, BPF_ANY);
}

/* A socket is born: who used the one that had its address has nothing to do with it. */
static __always_inline void sk_forget_seen(const struct sock *sk)
{
	__u64 address = (__u64)sk;

	if (wants_owners && !has_sk_storage)
		bpf_map_delete_elem(&seen_addresses, &address);
}

/* bpf_sock_from_file(): 4f19cab76136 ("bpf: Add a bpf_sock_from_file helper"), v5.11. */
const volatile bool has_sock_from_file = true;

/* Of a socket's descriptor its struct sock, to be read by probes; NULL: it is no socket's. */
static __always_inline const struct sock *file_sock(struct file *file)
{
	const struct socket *socket;

	if (has_sock_from_file) {
		socket = bpf_sock_from_file(file);
		return socket ? socket->sk : NULL;
	}
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return socket ? BPF_CORE_READ(socket, sk) : NULL;
}

/*
 * bpf_get_current_task_btf(): 3ca1032ab7ab ("bpf: Implement get_current_task_btf and
 * RET_PTR_TO_BTF_ID"), v5.11.
 * What it returns is read as memory is; before, each member takes a probe.
 */
const volatile bool has_task_btf = true;

/* A kernel thread: delayed fput, kernel sockets; io_uring's workers up to 5.11. */
static __always_inline bool current_is_kernel(void)
{
	const struct task_struct *task;

	if (has_task_btf)
		return bpf_get_current_task_btf()->flags & PF_KTHREAD;
	task = (const struct task_struct *)bpf_get_current_task();
	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/*
 * Of the leader of current's thread group, unless that is a kernel thread: then
 * false.  The name by two words: it has sixteen bytes.
 */
static __always_inline bool current_process(__u32 *pid, char *comm, __u64 *start_boottime)
{
	const struct task_struct *task, *leader;
	__u64 *to = (__u64 *)comm;
	const __u64 *from;

	if (has_task_btf) {
		task = bpf_get_current_task_btf();
		if (task->flags & PF_KTHREAD)
			return false;
		leader = task->group_leader;
		from = (const __u64 *)leader->comm;
		*pid = leader->tgid;
		to[0] = from[0];
		to[1] = from[1];
		*start_boottime = leader->start_boottime;
	} else {
		if (current_is_kernel())
			return false;
		task = (const void *)bpf_get_current_task();
		leader = BPF_CORE_READ(task, group_leader);
		*pid = bpf_get_current_pid_tgid() >> 32;
		bpf_core_read(comm, WIRE_COMM_LEN, &leader->comm);
		*start_boottime = BPF_CORE_READ(leader, start_boottime);
	}
	return true;
}

/* A queue's verdict is told as net_xmit_errno() does: congestion is none, a drop ENOBUFS. */
static __always_inline __s32 retransmit_error(__u64 *ctx)
{
	__s32 err = retransmit_has_err ? (__s32)ctx[2] : 0;

	if (err > 0)
		return err == NET_XMIT_CN ? 0 : -ENOBUFS;
	return err;
}

static __always_inline __u32 reset_reason(__u64 *ctx)
{
	return reset_has_reason ? (__u32)ctx[2] : 0;
}

static __always_inline const struct sock_common *kfree_skb_sk(__u64 *ctx)
{
	return kfree_skb_has_sk ? (const struct sock_common *)ctx[3] : NULL;
}

/* Generates the cookie if the socket has none yet; one that it has is read without a call. */
static __always_inline __u64 sk_cookie(const struct sock_common *sk)
{
	__u64 cookie;

	if (!has_cookie)
		return 0;
	cookie = sk->skc_cookie.counter;
	return cookie ? cookie : bpf_get_socket_cookie((void *)sk);
}

/*
 * Sockets in TIME_WAIT and FIN_WAIT2 mini-sockets of the namespace, the one
 * just made included.  A refcount that starts at 1, in place since e9bd0cca09d1,
 * v6.1; behind a pointer since fbb8295248e1, v5.18; before, a plain count.
 */
static __always_inline void tw_gauge(const struct net *net, __u32 *count, __u32 *limit)
{
	const struct netns_ipv4___pointer *old = (const void *)&net->ipv4;
	const struct inet_timewait_death_row *row = &net->ipv4.tcp_death_row;
	const struct inet_timewait_death_row___count *plain = (const void *)row;

	if (!bpf_core_field_exists(plain->tw_count) && !bpf_core_field_exists(old->tcp_death_row)) {
		*count = net->ipv4.tcp_death_row.tw_refcount.refs.counter - 1;
		*limit = net->ipv4.tcp_death_row.sysctl_max_tw_buckets;
		return;
	}
	if (bpf_core_field_exists(old->tcp_death_row))
		row = BPF_CORE_READ(old, tcp_death_row);
	plain = (const void *)row;
	if (bpf_core_field_exists(plain->tw_count))
		*count = BPF_CORE_READ(plain, tw_count.counter);
	else
		*count = BPF_CORE_READ(row, tw_refcount.refs.counter) - 1;
	*limit = BPF_CORE_READ(row, sysctl_max_tw_buckets);
}

/*
 * The socket's own cgroup.  Until 8520e224f547 ("bpf, cgroups: Fix cgroup v2
 * fallback on v1/v2 mixed mode"), v5.15, a tagged word: a pointer only if bit 0
 * is clear.  0 without CONFIG_SOCK_CGROUP_DATA.
 */
static __always_inline __u64 tagged_cgroup_id(const struct sock *sk)
{
	const struct sock_cgroup_data___tagged *tagged = (const void *)&sk->sk_cgrp_data;
	const struct cgroup *cgrp;
	__u64 val;

	if (!bpf_core_field_exists(tagged->val))
		return 0;
	val = BPF_CORE_READ(tagged, val);
	cgrp = val & 1 ? NULL : (const struct cgroup *)(val & ~3ULL);
	return cgrp ? BPF_CORE_READ(cgrp, kn, id) : 0;
}

/* By loads, of a socket that the verifier knows as one: in every transition. */
static __always_inline __u64 sk_cgroup_id(const struct sock *sk)
{
	const struct cgroup *cgrp;

	if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return tagged_cgroup_id(sk);
	cgrp = sk->sk_cgrp_data.cgroup;
	return cgrp ? cgrp->kn->id : 0;
}

/* By probes: sk comes from file_sock(). */
static __always_inline __u64 file_sock_cgroup_id(const struct sock *sk)
{
	const struct cgroup *cgrp;

	if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return tagged_cgroup_id(sk);
	cgrp = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	return cgrp ? BPF_CORE_READ(cgrp, kn, id) : 0;
}

/* A byte in 6.18, an int in 5.10: the bitfield reader takes the size from BTF. */
static __always_inline bool tcp_rfc1337(const struct net *net)
{
	/* The cast makes a relocation of its own, from the inner struct on. */
	const struct netns_ipv4 *ipv4 = (const void *)&net->ipv4;

	return BPF_CORE_READ_BITFIELD_PROBED(ipv4, sysctl_tcp_rfc1337);
}

/* CONFIG_MPTCP, v5.6. */
static __always_inline bool tp_is_mptcp(const struct tcp_sock *tp)
{
	return bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp;
}

/* request_sock.timeout: 5903123f662e ("tcp: Use BPF timeout setting for SYN ACK RTO"), v5.17. */
static __always_inline __u32 req_timeout(const struct request_sock *req)
{
	return bpf_core_field_exists(req->timeout) ? BPF_CORE_READ(req, timeout) : 0;
}

/*
 * CLOCK_MONOTONIC in milliseconds; in microseconds for sockets whose route has
 * that feature, since 614e8316aa4c ("tcp: add support for usec resolution in TCP TS
 * values"), v6.7.
 */
static __always_inline __u32 since_retrans_stamp_ms(const struct tcp_sock *tp, __u64 now_ns)
{
	if (bpf_core_field_exists(tp->tcp_usec_ts) && BPF_CORE_READ_BITFIELD(tp, tcp_usec_ts))
		return ((__u32)(now_ns / 1000) - tp->retrans_stamp) / 1000;
	return (__u32)(now_ns / 1000000) - tp->retrans_stamp;
}

/*
 * At LISTEN->SYN_RECV a child is still a raw clone of its listener up to 6.14:
 * no peer, and the listener's cookie.  Tested by what is there.
 */
static __always_inline bool sk_is_raw_clone(const struct sock *sk)
{
	return sk->__sk_common.skc_dport == 0;
}

#endif
