// SPDX-License-Identifier: GPL-2.0
/*
 * synfin.bpf.c - the hooks.  Facts only, no history: each reads top to bottom
 * as in scope? count, reserve, fill, submit.  What a fact means is decided in
 * user space, where it can be tested.
 */
#include "vmlinux.h"
#include "emit.bpf.h"
#include "sock.bpf.h"
#include "owner.bpf.h"
#include "census.bpf.h"
#include "twin.bpf.h"

char LICENSE[] SEC("license") = "GPL";

_Static_assert(!(WIRE_STATES & (WIRE_STATES - 1)) && WIRE_STATES > 13, "a row for every state");

static __always_inline void count_transition(struct wire_counters *count, int oldstate,
					     int newstate, const struct sock *sk,
					     const struct tcp_sock *tp)
{
	__u32 from = oldstate, to = newstate;

	/* The entry into TIME_WAIT is announced as ->CLOSE (kernel-facts 2). */
	if (to == BPF_TCP_CLOSE && (from == BPF_TCP_FIN_WAIT2 || from == BPF_TCP_CLOSING) &&
	    !sk->sk_err && sk->__sk_common.skc_flags & SOCK_DONE && tp->snd_una == tp->write_seq)
		to = BPF_TCP_TIME_WAIT;
	barrier_var(from);	/* keeps the compiler from proving the masks away */
	barrier_var(to);
	ADD(count->transitions[from & (WIRE_STATES - 1)][to & (WIRE_STATES - 1)], 1);
}

/*
 * tcp_done() counts a failed attempt; close(), disconnect(), and a child that finds
 * its place taken (inet_ehash_nolisten()) come here without it.  They leave no
 * error, and the socket is no orphan yet.
 */
static __always_inline bool is_failed_attempt(const struct sock *sk, int oldstate)
{
	if (oldstate == BPF_TCP_SYN_SENT)
		return sk->sk_err;
	return oldstate == BPF_TCP_SYN_RECV &&
	       (sk->sk_err || sk->__sk_common.skc_flags & SOCK_DEAD);
}

/* An orphan in FIN_WAIT2 that nobody reset: the mark of one that is parked as a mini-socket. */
static __always_inline bool looks_parked(const struct sock *sk, const struct tcp_sock *tp)
{
	unsigned long flags = sk->__sk_common.skc_flags;

	return !sk->sk_err && flags & SOCK_DEAD && !(flags & SOCK_DONE) && tp->linger2 >= 0;
}

static __always_inline void count_end(struct wire_counters *count, int oldstate,
				      const struct sock *sk, const struct tcp_sock *tp)
{
	if (oldstate == BPF_TCP_SYN_SENT && !sk->sk_err && !tp->segs_out)
		ADD(count->no_port, 1);
	if (is_failed_attempt(sk, oldstate))
		ADD(count->attempt_fails, 1);
	if (oldstate == BPF_TCP_FIN_WAIT2 && looks_parked(sk, tp))
		ADD(count->parked, 1);
}

/*
 * Whether a connection is in scope may not be known at its birth: its own port
 * is chosen after 7->2, the ends of a raw clone are written after 10->3.  Then
 * the birth passes, and so must the transition that completes it, or user space
 * would never learn what became of the one it let in.
 */
static __always_inline bool state_in_scope(const struct wire_tuple *t, int oldstate, int newstate)
{
	if (newstate == BPF_TCP_LISTEN || (oldstate == BPF_TCP_LISTEN && newstate == BPF_TCP_CLOSE))
		return listener_in_scope(t);
	if (oldstate == BPF_TCP_LISTEN && !t->rport)	/* a raw clone, its ends its listener's */
		return listener_in_scope(t);
	if (oldstate == BPF_TCP_LISTEN && !clones_have_peers)
		clones_have_peers = true;
	return tuple_in_scope(t, oldstate != BPF_TCP_SYN_SENT,
			      oldstate != BPF_TCP_SYN_RECV || clones_have_peers);
}

/*
 * Of a socket that is out of scope for its cgroup: another's TIME_WAIT may end by it,
 * whose cgroup is in scope.  Nothing else of it is told or counted.
 */
static __always_inline void claim_record(__u32 netns, const struct wire_tuple *t, __u64 since_ns)
{
	struct wire_counters *count = counters_of(netns);
	struct wire_claim *rec;

	if (!count)
		return;
	rec = record_begin(count, WIRE_CLAIM, sizeof(*rec), netns);
	if (!rec)
		return;
	record_identity(&rec->hdr, 0, NULL);
	rec->tuple = *t;
	rec->since_ns = since_ns;
	rec->flags = 0;
	__builtin_memset(rec->pad, 0, sizeof(rec->pad));
	record_end(rec);
}

/*
 * Now its ports are chosen: connect()'s, unless it found none; a child's, which up to
 * 6.14 are its own only with its next transition.
 */
static __always_inline bool claims(const struct sock *sk, const struct tcp_sock *tp, int oldstate,
				   int newstate)
{
	if (oldstate == BPF_TCP_SYN_SENT)
		return newstate != BPF_TCP_CLOSE || sk->sk_err || tp->segs_out;
	if (oldstate == BPF_TCP_LISTEN)
		return newstate == BPF_TCP_SYN_RECV && !sk_is_raw_clone(sk);
	return oldstate == BPF_TCP_SYN_RECV && !clones_have_peers;
}

static __always_inline void do_on_set_state(__u64 *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	int oldstate = (int)ctx[1], newstate = (int)ctx[2];
	struct wire_counters *count;
	const struct tcp_sock *tp;
	struct wire_state *rec;
	struct wire_tuple tuple;
	struct sk_links links;
	bool cloned;
	__u32 netns;

	if (!sk_is_tcp(sk))
		return;
	sk_links_read(sk, &links);
	netns = links.net->ns.inum;
	if (!netns_in_scope(netns))
		return;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return;
	sk_read_tuple(sk, tp, &tuple);
	if (oldstate == BPF_TCP_CLOSE && !sk->__sk_common.skc_num)
		tuple.lport = 0;	/* its last life's: inet_put_port() leaves inet_sport */
	if (!state_in_scope(&tuple, oldstate, newstate))
		return;
	cloned = oldstate == BPF_TCP_LISTEN && newstate == BPF_TCP_SYN_RECV;
	if (cloned)
		sk_forget_seen(sk);
	if (!cgroup_id_in_scope(links.cgroup)) {
		if (claims(sk, tp, oldstate, newstate))
			claim_record(netns, &tuple, 0);
		return;
	}
	count = counters_of(netns);
	if (!count)
		return;
	count_transition(count, oldstate, newstate, sk, tp);
	if (newstate == BPF_TCP_CLOSE)
		count_end(count, oldstate, sk, tp);
	rec = record_begin(count, WIRE_STATE, sizeof(*rec), netns);
	if (!rec)
		return;
	record_identity(&rec->hdr,
			cloned && sk_is_raw_clone(sk) ? 0 : sk_cookie(&sk->__sk_common), sk);
	rec->tuple = tuple;
	owner_read(sk, links.cgroup, &rec->owner);
	rec->born = 0;
	if (wants_owners && current_is_owner(sk, tp, links.has_socket, oldstate, newstate))
		process_read(&rec->owner, &rec->born);
	if (cloned)	/* the listener's numbers */
		__builtin_memset(&rec->sample, 0, sizeof(rec->sample));
	else
		sample_read(sk, tp, &links, newstate == BPF_TCP_CLOSE, &rec->sample);
	rec->oldstate = oldstate;
	rec->newstate = newstate;
	__builtin_memset(rec->pad, 0, sizeof(rec->pad));
	if (oldstate == BPF_TCP_CLOSE || oldstate == BPF_TCP_LISTEN)	/* a socket's first */
		record_end_of(rec, rec->owner.cgroup, process_key(&rec->owner, rec->born));
	else
		record_end(rec);
}

static __always_inline enum wire_phase segment_phase(__u8 tcp_flags, __u32 len)
{
	if (tcp_flags & TCPHDR_SYN)
		return tcp_flags & 0x10 ? WIRE_SYNACK_PHASE : WIRE_SYN;
	return tcp_flags & TCPHDR_FIN && len == 1 ? WIRE_FIN : WIRE_DATA;
}

static __always_inline void do_on_retransmit(__u64 *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct sk_buff *skb = (const struct sk_buff *)ctx[1];
	const struct tcp_skb_cb *cb = (const void *)skb->cb;
	struct wire_retransmit *rec;
	struct wire_counters *count;
	const struct tcp_sock *tp;
	struct wire_tuple tuple;
	__u32 netns, seq, end_seq;
	__u16 segs, flags;
	__s32 error;

	if (!sk_is_tcp(sk))
		return;
	netns = sk->__sk_common.skc_net.net->ns.inum;
	if (!netns_in_scope(netns))
		return;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return;
	sk_read_tuple(sk, tp, &tuple);
	if (!tuple_in_scope(&tuple, true, true))
		return;
	if (!cgroup_in_scope(sk)) {
		if (sk->__sk_common.skc_state == BPF_TCP_SYN_SENT)
			claim_record(netns, &tuple, 0);
		return;
	}
	count = counters_of(netns);
	if (!count)
		return;
	seq = cb->seq;
	end_seq = cb->end_seq;
	segs = cb->tcp_gso_segs;
	flags = BPF_CORE_READ_BITFIELD(cb, tcp_flags);	/* a byte up to 6.14 */
	error = retransmit_error(ctx);
	if (!segs)
		segs = 1;
	if (!error)
		ADD(count->retransmits[segment_phase(flags, end_seq - seq)], segs);
	rec = record_begin(count, WIRE_RETRANSMIT, sizeof(*rec), netns);
	if (!rec)
		return;
	record_identity(&rec->hdr, sk_cookie(&sk->__sk_common), sk);
	rec->tuple = tuple;
	rec->seq = seq;
	rec->end_seq = end_seq;
	rec->error = error;
	rec->segs = segs;
	rec->tcp_flags = flags;
	rec->state = sk->__sk_common.skc_state;
	rec->ca_state = BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);
	rec->retransmits = tp->inet_conn.icsk_retransmits;
	rec->pending = tp->inet_conn.icsk_pending;
	__builtin_memset(rec->pad, 0, sizeof(rec->pad));
	record_end(rec);
}

/*
 * timer_list.entry.pprev is NULL while the timer's handler runs
 * (detach_timer()), and set while a duplicate SYN is answered by
 * tcp_check_req().  A TFO child's SYN-ACK has no timer of its own.
 */
static __always_inline __u8 synack_flags(const struct sock *sk, const struct request_sock *req)
{
	const struct inet_request_sock *ireq = (const void *)req;
	__u8 ret = 0;

	if (BPF_CORE_READ_BITFIELD_PROBED(ireq, acked))
		ret |= WIRE_SA_ACKED;
	if (sk->__sk_common.skc_state != BPF_TCP_LISTEN)
		ret |= WIRE_SA_FASTOPEN;
	else if (!BPF_CORE_READ(req, rsk_timer.entry.pprev))
		ret |= WIRE_SA_TIMER;
	return ret;
}

static __always_inline void do_on_retransmit_synack(__u64 *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct request_sock *req = (const struct request_sock *)ctx[1];
	const struct tcp_request_sock *treq = (const void *)req;
	struct wire_counters *count;
	struct wire_synack *rec;
	struct wire_tuple tuple;
	__u32 netns;

	if (!sk_is_tcp(sk))
		return;
	netns = sk->__sk_common.skc_net.net->ns.inum;
	if (!netns_in_scope(netns))
		return;
	/* The socket is the listener and knows no peer: all from the request. */
	mini_read_tuple(&req->__req_common, &tuple);
	if (!tuple_in_scope(&tuple, true, true))
		return;
	if (!cgroup_in_scope(sk)) {	/* its listener's is the request's */
		claim_record(netns, &tuple, BPF_CORE_READ(treq, snt_synack) * 1000);
		return;
	}
	count = counters_of(netns);
	if (!count)
		return;
	ADD(count->retransmits[WIRE_SYNACK_PHASE], 1);
	rec = record_begin(count, WIRE_SYNACK, sizeof(*rec), netns);
	if (!rec)
		return;
	if (sk->__sk_common.skc_state == BPF_TCP_LISTEN)
		record_identity(&rec->hdr, sk_cookie(&req->__req_common), req);
	else	/* a TFO child, which is there already */
		record_identity(&rec->hdr, sk_cookie(&sk->__sk_common), sk);
	rec->tuple = tuple;
	rec->snt_synack_us = BPF_CORE_READ(treq, snt_synack);
	rec->snt_isn = BPF_CORE_READ(treq, snt_isn);
	rec->rcv_isn = BPF_CORE_READ(treq, rcv_isn);
	rec->timeout = req_timeout(req);
	rec->num_retrans = req->num_retrans;
	rec->num_timeout = BPF_CORE_READ_BITFIELD_PROBED(req, num_timeout);
	rec->flags = synack_flags(sk, req);
	rec->pad = 0;
	record_end(rec);
}

/*
 * Whose reset it is: a full socket's, a mini-socket's, or nobody's (then it
 * answers a segment, and the segment tells the addresses).  Of a full socket
 * after tcp_disconnect() ports and addresses are gone; the cookie is not.
 */
static __always_inline bool reset_read_tuple(const struct sock *sk, const struct sk_buff *skb,
					     struct wire_tuple *t, __u16 *flags)
{
	const struct tcp_sock *tp;
	struct segment seg;
	__u8 state = sk ? sk->__sk_common.skc_state : 0;

	if (skb)
		*flags |= WIRE_R_REPLY;
	if (state == BPF_TCP_TIME_WAIT || state == BPF_TCP_NEW_SYN_RECV) {
		*flags |= WIRE_R_MINI;
		mini_read_tuple(&sk->__sk_common, t);
		return true;
	}
	if (sk && state != BPF_TCP_LISTEN) {
		tp = bpf_skc_to_tcp_sock((void *)sk);
		if (!tp)
			return false;
		sk_read_tuple(sk, tp, t);
		return true;
	}
	*flags |= sk ? WIRE_R_LISTENER : WIRE_R_NO_SOCK;
	if (!skb || !segment_read(skb, &seg))
		return false;
	*t = seg.tuple;
	return true;
}

/* Of a mini-socket the state that it stands for. */
static __always_inline void reset_read_sock(const struct sock *sk, struct wire_reset *rec)
{
	const struct inet_timewait_sock *mini = (const void *)sk;

	rec->state = sk->__sk_common.skc_state;
	if (!(rec->flags & WIRE_R_MINI)) {
		rec->hdr.cookie = sk_cookie(&sk->__sk_common);
		rec->shutdown = sk->sk_shutdown;
		return;
	}
	rec->hdr.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (rec->state == BPF_TCP_TIME_WAIT)
		rec->state = BPF_CORE_READ(mini, tw_substate);
}

/*
 * A reset that tells that 5->7 was no mini-socket's birth: after it the answer to
 * data that came with the ACK of the FIN; before it the keepalive timer's, which
 * gives up on an orphan (and unlike `ss -K` does not own the socket).
 */
static __always_inline bool is_unparked(const struct sock *sk, const struct sk_buff *skb)
{
	__u8 state = sk->__sk_common.skc_state;
	const struct tcp_sock *tp;

	if (skb ? state != BPF_TCP_CLOSE : state != BPF_TCP_FIN_WAIT2 || sk->sk_lock.owned)
		return false;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	return tp && looks_parked(sk, tp);
}

/*
 * tcp_reset() is entered for data after close, too, and only the answer tells.
 * The state that it met is gone; without the peer's FIN it was FIN_WAIT1, or
 * FIN_WAIT2 if all was acknowledged.
 */
static __always_inline void count_data_after_close(struct wire_counters *count,
						   const struct sock *sk)
{
	const struct tcp_sock *tp;

	if (sk->__sk_common.skc_state != BPF_TCP_CLOSE || !sk->sk_err)
		return;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return;
	if (sk->__sk_common.skc_flags & SOCK_DONE)
		ADD(count->data_after_close[BPF_TCP_LAST_ACK], 1);
	else if (tp->snd_una == tp->write_seq)
		ADD(count->data_after_close[BPF_TCP_FIN_WAIT2], 1);
	else
		ADD(count->data_after_close[BPF_TCP_FIN_WAIT1], 1);
}

/* Sent by a full socket that is no listener. */
static __always_inline bool is_sockets_own(const struct sock *sk, __u16 flags)
{
	return sk && !(flags & (WIRE_R_RECEIVED | WIRE_R_MINI | WIRE_R_LISTENER));
}

static __always_inline void count_reset(struct wire_counters *count, const struct sock *sk,
					__u32 reason, __u16 flags)
{
	__u32 which = WIRE_RESET_REASONS - 1;

	if (flags & WIRE_R_RECEIVED) {
		which = sk ? sk->__sk_common.skc_state : 0;
		barrier_var(which);	/* keeps the mask */
		ADD(count->resets_received[which & (WIRE_STATES - 1)], 1);
		return;
	}
	if (flags & WIRE_R_REASON && reason < WIRE_RESET_REASONS)
		which = reason;
	barrier_var(which);
	ADD(count->resets_sent[which & (WIRE_RESET_REASONS - 1)], 1);
}

static __always_inline void reset_record(const struct sock *sk, const struct sk_buff *skb,
					 __u32 reason, __u16 flags)
{
	struct wire_counters *count;
	struct wire_tuple tuple;
	struct wire_reset *rec;
	__u32 netns;

	if (sk)
		netns = common_netns(&sk->__sk_common);
	else
		netns = skb ? skb_netns(skb) : 0;
	if (!netns_in_scope(netns) || !reset_read_tuple(sk, skb, &tuple, &flags))
		return;
	if (!tuple_in_scope(&tuple, true, true))
		return;
	if (sk && !(flags & WIRE_R_MINI) && !cgroup_in_scope(sk))
		return;
	count = counters_of(netns);
	if (!count)
		return;
	count_reset(count, sk, reason, flags);
	if (is_sockets_own(sk, flags) && is_unparked(sk, skb))
		ADD(count->unparked, 1);
	if (is_sockets_own(sk, flags) && skb)
		count_data_after_close(count, sk);
	rec = record_begin(count, WIRE_RESET, sizeof(*rec), netns);
	if (!rec)
		return;
	record_identity(&rec->hdr, 0, sk);
	rec->tuple = tuple;
	rec->reason = reason;
	rec->flags = flags;
	rec->state = 0;
	rec->shutdown = 0;
	if (sk)
		reset_read_sock(sk, rec);
	record_end(rec);
}

/* sk: NULL, listening, timewait or full; skb: NULL unless it answers a segment. */
static __always_inline void do_on_send_reset(__u64 *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct sk_buff *skb = (const struct sk_buff *)ctx[1];

	reset_record(sk, skb, reset_reason(ctx), reset_has_reason ? WIRE_R_REASON : 0);
}

static __always_inline void do_on_receive_reset(__u64 *ctx)
{
	const struct sock *sk = (const struct sock *)ctx[0];

	if (sk_is_tcp(sk))
		reset_record(sk, NULL, 0, WIRE_R_RECEIVED);
}

/*
 * Whether it is hashed still, after the segment: inet_twsk_kill() takes it out by
 * sk_nulls_del_node_init_rcu().  Its memory may be free by now, but is not cleared:
 * the slab is SLAB_TYPESAFE_BY_RCU.
 */
static __always_inline __u8 mini_fate(const struct sock_common *mini)
{
	return BPF_CORE_READ(mini, skc_nulls_node.pprev) ? WIRE_TW_STAYS : WIRE_TW_GONE;
}

/*
 * Its memory may even be another's by now: the segment that ended it was for another
 * tuple then.
 */
static __always_inline bool mini_is_on(const struct sock_common *mini, const struct wire_tuple *t)
{
	const __u32 *of_segment = (const __u32 *)t->laddr, *own;
	struct wire_tuple tuple;

	mini_read_tuple(mini, &tuple);
	own = (const __u32 *)tuple.laddr;
	for (int i = 0; i < 8; i++) {	/* raddr is behind it */
		if (own[i] != of_segment[i])
			return false;
	}
	return tuple.lport == t->lport && tuple.rport == t->rport;
}

/* The kernel names the mini-socket. */
static __always_inline void segment_record(const struct sk_buff *skb,
					   const struct sock_common *mini)
{
	const struct inet_timewait_sock *tw = (const void *)mini;
	struct wire_tw_segment *rec;
	struct wire_counters *count;
	struct segment seg;
	__u32 netns;

	if (!segment_read(skb, &seg))
		return;
	netns = common_netns(mini);
	if (!netns_in_scope(netns) || !tuple_in_scope(&seg.tuple, true, true))
		return;
	count = counters_of(netns);
	if (!count)
		return;
	rec = record_begin(count, WIRE_TW_SEGMENT, sizeof(*rec), netns);
	if (!rec)
		return;
	record_identity(&rec->hdr, BPF_CORE_READ(mini, skc_cookie.counter), mini);
	rec->tuple = seg.tuple;
	rec->payload = seg.payload;
	rec->tcp_flags = seg.flags;
	rec->substate = BPF_CORE_READ(tw, tw_substate);
	rec->flags = mini_fate(mini);
	rec->pad = 0;
	if (!mini_is_on(mini, &rec->tuple)) {	/* after all that was read of it */
		rec->hdr.cookie = 0;
		rec->substate = 0;
		rec->flags = WIRE_TW_GONE;
	}
	record_end(rec);
}

/* It does not. */
static __always_inline void dropped_record(const struct sk_buff *skb)
{
	struct wire_counters *count;
	struct wire_dropped *rec;
	struct segment seg;
	__u32 netns;

	if (!segment_read(skb, &seg) || !(seg.flags & (TCPHDR_FIN | TCPHDR_RST)) ||
	    !segment_met_tcp(skb, &seg))
		return;
	netns = skb_netns(skb);
	if (!netns_in_scope(netns) || !tuple_in_scope(&seg.tuple, true, true))
		return;
	count = counters_of(netns);
	if (!count)
		return;
	rec = record_begin(count, WIRE_DROPPED, sizeof(*rec), netns);
	if (!rec)
		return;
	record_identity(&rec->hdr, 0, NULL);
	rec->tuple = seg.tuple;
	rec->seq = seg.seq;
	rec->end_seq = segment_end_seq(&seg);
	rec->tcp_flags = seg.flags;
	rec->flags = tcp_rfc1337(skb_net(skb)) ? WIRE_D_RFC1337 : 0;
	__builtin_memset(rec->pad, 0, sizeof(rec->pad));
	record_end(rec);
}

/*
 * The eye into TIME_WAIT (kernel-facts 2b): tcp_v4_rcv() and tcp_v6_rcv() drop
 * every segment that met a mini-socket, after it has done its work.  Where the
 * kernel does not say whose it was: any FIN or RST that TCP dropped, and user
 * space matches the tuple.
 */
static __always_inline void do_on_kfree_skb(__u64 *ctx)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx[0];
	const struct sock_common *mini = kfree_skb_sk(ctx);

	if (!kfree_skb_has_sk)
		dropped_record(skb);
	else if (mini && mini->skc_state == BPF_TCP_TIME_WAIT)
		segment_record(skb, mini);
}

/*
 * How far each CPU's copy of a per-CPU variable is from the variable's own
 * address, as __per_cpu_offset[] has it; but that is a symbol, and symbols may
 * be hidden.  A per-CPU map knows both addresses of its value.
 */
static long find_percpu_offset(__u32 cpu, void *unused)
{
	const struct bpf_array *array;
	volatile __u64 *number;
	struct wire_cpu *row;
	__u32 zero = 0;
	__u64 base = 0;

	row = bpf_map_lookup_elem(&cpus, &cpu);
	if (!row)
		return 1;
	/* Through memory, where the verifier lets a pointer become a number. */
	number = &row->percpu_offset;
	*number = (__u64)&percpu_probe;
	array = (const void *)*number;
	bpf_core_read(&base, sizeof(base), &array->pptrs[0]);
	*number = (__u64)bpf_map_lookup_percpu_elem(&percpu_probe, &zero, cpu);
	*number -= base;
	return 0;
}

/* The per-CPU address of bpf_prog_stats.misses, which bpf_prog_inc_misses_counter() counts. */
static __always_inline __u64 misses_of(const struct bpf_prog *prog)
{
	__u64 stats = 0;

	bpf_core_read(&stats, sizeof(stats), &prog->stats);
	return stats + bpf_core_field_offset(struct bpf_prog_stats, misses);
}

/*
 * Run once, before anything is attached, on kernels with the guard: where the
 * kernel marks the first copy of each program as running, and counts how often it
 * skipped that (see PROGRAM).
 */
SEC("iter/bpf_prog") int find_active(struct bpf_iter__bpf_prog *ctx)
{
	struct bpf_prog *prog = ctx->prog;
	__u32 id;

	if (!prog) {	/* the last call */
		bpf_loop(nr_cpus, find_percpu_offset, NULL, 0);
		return 0;
	}
	id = prog->aux->id;
	for (int i = 0; i < WIRE_PROGS; i++) {
		if (first_ids[i] != id)
			continue;
		bpf_core_read(&first_active[i], sizeof(first_active[i]), &prog->active);
		first_missed[i] = misses_of(prog);
	}
	return 0;
}

PROGRAM("inet_sock_set_state", on_set_state, WIRE_P_STATE)
PROGRAM("tcp_retransmit_skb", on_retransmit, WIRE_P_RETRANSMIT)
PROGRAM("tcp_retransmit_synack", on_retransmit_synack, WIRE_P_SYNACK)
PROGRAM("tcp_send_reset", on_send_reset, WIRE_P_SEND_RESET)
PROGRAM("tcp_receive_reset", on_receive_reset, WIRE_P_RECEIVE_RESET)
PROGRAM("kfree_skb", on_kfree_skb, WIRE_P_KFREE_SKB)
