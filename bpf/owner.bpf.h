/* SPDX-License-Identifier: GPL-2.0 */
/*
 * owner.bpf.h - whose socket it is: who connects, listens and closes, as the
 * transitions tell, and who uses it first.  Never the process that a softirq
 * interrupted, never a kernel thread: then nobody is named.
 */
#ifndef SYNFIN_OWNER_BPF_H
#define SYNFIN_OWNER_BPF_H

#include "emit.bpf.h"
#include "sock.bpf.h"

/* What tells processes of one pid apart: see wire_owner. */
static __always_inline __u32 born_of(__u64 start_boottime)
{
	return (start_boottime >> 20) + 1;
}

/*
 * Who closes holds the socket's lock, as no softirq does, and the socket is still
 * his: a FIN that was asked for before ->ESTABLISHED is sent by a softirq, children
 * that nobody accepted are closed by whoever closes the listening socket, and `ss -K`
 * leaves an error.  Of a subflow MPTCP's worker, or a softirq, does it all.
 */
static __always_inline bool current_closes(const struct sock *sk, const struct tcp_sock *tp,
					   bool has_socket)
{
	return sk->sk_lock.owned && has_socket && !sk->sk_err && !tp_is_mptcp(tp);
}

/*
 * Transitions in which current is the process that works on the socket, and
 * not whoever the softirq interrupted (kernel-facts 1c): connect, listen,
 * close and shutdown.
 */
static __always_inline bool current_is_owner(const struct sock *sk, const struct tcp_sock *tp,
					     bool has_socket, int oldstate, int newstate)
{
	switch (oldstate) {
	case BPF_TCP_CLOSE:
		return newstate == BPF_TCP_SYN_SENT || newstate == BPF_TCP_LISTEN;
	case BPF_TCP_LISTEN:
		return newstate == BPF_TCP_CLOSE;
	case BPF_TCP_ESTABLISHED:
		return (newstate == BPF_TCP_FIN_WAIT1 || newstate == BPF_TCP_CLOSE) &&
		       current_closes(sk, tp, has_socket);
	case BPF_TCP_CLOSE_WAIT:
		return (newstate == BPF_TCP_LAST_ACK || newstate == BPF_TCP_CLOSE) &&
		       current_closes(sk, tp, has_socket);
	}
	return false;
}

/* Into o and *born goes who is running: a kernel thread is nobody. */
static __always_inline void process_read(struct wire_owner *o, __u32 *born)
{
	__u64 start_boottime;

	if (current_process(&o->pid, o->comm, &start_boottime))
		*born = born_of(start_boottime);
}

/* What process_read() found, as a key; 0: nobody. */
static __always_inline __u64 process_key(const struct wire_owner *o, __u32 born)
{
	return (__u64)born << 32 | o->pid;
}

/* What the socket itself says, which it always does; and no process. */
static __always_inline void owner_read(const struct sock *sk, __u64 cgroup, struct wire_owner *o)
{
	o->uid = sk->sk_uid.val;
	o->cgroup = cgroup;
	o->pid = 0;
	__builtin_memset(o->comm, 0, sizeof(o->comm));
}

/* ---- who uses it first ---- */

/*
 * A file stands for the socket of a process.  Without one it is the kernel's own
 * (NFS, NVMe), which may be read while some process waits for its disk.
 */
static __always_inline bool sk_is_of_process(const struct sock *sk)
{
	const struct socket *socket = sk->sk_socket;

	return socket && BPF_CORE_READ(socket, file);
}

static __always_inline void tell_owner_seen(const struct sock *sk)
{
	struct wire_owner_seen *rec;
	struct wire_counters *count;
	const struct tcp_sock *tp;
	struct wire_tuple tuple;
	struct sk_links links;
	__u32 netns;

	sk_links_read(sk, &links);
	netns = links.net->ns.inum;
	if (!netns_in_scope(netns) || !sk_is_of_process(sk))
		return;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return;
	sk_read_tuple(sk, tp, &tuple);
	if (!tuple_in_scope(&tuple, true, true) || !cgroup_id_in_scope(links.cgroup))
		return;
	count = counters_of(netns);
	if (!count)
		return;
	rec = record_begin(count, WIRE_OWNER_SEEN, sizeof(*rec), netns);
	if (!rec)
		return;
	record_identity(&rec->hdr, sk_cookie(&sk->__sk_common), sk);
	owner_read(sk, links.cgroup, &rec->owner);
	rec->born = 0;
	process_read(&rec->owner, &rec->born);
	rec->pad = 0;
	record_end_of(rec, 0, process_key(&rec->owner, rec->born));
}

/*
 * sk_is_seen() without its call for what this CPU saw lately: a cookie is never given
 * twice, so that what is noted of it stays true.
 */
static __always_inline bool is_seen(struct sock *sk)
{
	struct wire_cpu *cpu = has_cookie ? this_cpu() : NULL;
	__u64 cookie = sk->__sk_common.skc_cookie.counter, *noted;

	if (!cpu)
		return sk_is_seen(sk);
	noted = &cpu->used[cookie & (WIRE_USED - 1)];
	if (cookie && *noted == cookie)
		return true;
	if (!sk_is_seen(sk))
		return false;
	*noted = cookie;
	return true;
}

/*
 * Once a socket, and told or not: a second user, to whom it was passed, must not
 * be taken for the first because there was no room for him in the ring.
 */
static __always_inline void owner_seen(struct sock *sk)
{
	if (current_is_kernel() || !sk_mark_seen(sk))
		return;
	tell_owner_seen(sk);
}

/*
 * tcp_recvmsg(), and tcp_read_sock() for splice() and sendfile(), under the
 * socket's lock.  kTLS, sockmap and their like read from the softirq, too, which
 * holds the spin lock alone: then current is anybody.
 */
SEC("tp_btf/tcp_rcv_space_adjust") int on_read(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	if (is_seen(sk) || !sk->sk_lock.owned || !sk_is_tcp(sk))
		return 0;
	owner_seen(sk);
	return 0;
}

/* sock_sendmsg(), which may sleep: never in a softirq.  Of every family's sockets. */
SEC("tp_btf/sock_send_length") int on_written(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	if (!sk_is_tcp(sk) || (int)ctx[1] <= 0 || is_seen(sk))
		return 0;
	owner_seen(sk);
	return 0;
}

#endif
