/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sock.bpf.h - from the kernel's sockets and segments to wire fields, and the
 * decision whether a socket is in scope.  Facts only.
 */
#ifndef SYNFIN_SOCK_BPF_H
#define SYNFIN_SOCK_BPF_H

#include "emit.bpf.h"

#define AF_INET		2
#define AF_INET6	10
#define IPPROTO_TCP	6
#define SOCK_DEAD	(1UL << 0)	/* enum sock_flags: bits of skc_flags */
#define SOCK_DONE	(1UL << 1)
#define SOCK_LINGER	(1UL << 4)
#define TCPHDR_FIN	0x01
#define TCPHDR_SYN	0x02
#define TCPHDR_RST	0x04

/* Until bf9765145b85, v5.6, a bitfield; every kernel with a ring buffer has it plain. */
static __always_inline bool sk_is_tcp(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP;
}

/* ---- addresses ---- */

static __always_inline void addr_from_v4(__u8 *to, __be32 v4)
{
	__u32 *words = (__u32 *)to;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = v4;
}

static __always_inline void addr_from_v6(__u8 *to, const __be32 *v6)
{
	__u32 *words = (__u32 *)to;

	words[0] = v6[0];
	words[1] = v6[1];
	words[2] = v6[2];
	words[3] = v6[3];
}

static __always_inline bool addr_is_v4(const __u8 *addr)
{
	const __u32 *words = (const __u32 *)addr;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

/*
 * Of an AF_INET6 socket with IPv4 ends: ::ffff:a.b.c.d in both, so it comes out
 * the same as the AF_INET socket at its other end.  A listener's peer is ::.
 */
static __always_inline void tuple_set_family(struct wire_tuple *t)
{
	t->family = addr_is_v4(t->raddr) || addr_is_v4(t->laddr) ? 4 : 6;
	t->pad[0] = t->pad[1] = t->pad[2] = 0;
}

/* Of whatever starts with a sock_common; lport is the caller's to fill. */
static __always_inline void common_read_addrs(const struct sock_common *skc, struct wire_tuple *t)
{
	if (skc->skc_family == AF_INET6) {
		addr_from_v6(t->laddr, skc->skc_v6_rcv_saddr.in6_u.u6_addr32);
		addr_from_v6(t->raddr, skc->skc_v6_daddr.in6_u.u6_addr32);
	} else {
		addr_from_v4(t->laddr, skc->skc_rcv_saddr);
		addr_from_v4(t->raddr, skc->skc_daddr);
	}
	t->rport = bpf_ntohs(skc->skc_dport);
	tuple_set_family(t);
}

/*
 * The local port from inet_sport: skc_num is wiped by inet_put_port() before
 * the transition to CLOSE is announced, inet_sport is not.
 */
static __always_inline void sk_read_tuple(const struct sock *sk, const struct tcp_sock *tp,
					  struct wire_tuple *t)
{
	common_read_addrs(&sk->__sk_common, t);
	t->lport = bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
}

/* The same of a request or timewait socket, by probe reads: it may be freed already. */
static __always_inline void mini_read_tuple(const struct sock_common *mini, struct wire_tuple *t)
{
	if (BPF_CORE_READ(mini, skc_family) == AF_INET6) {
		bpf_core_read(t->laddr, 16, &mini->skc_v6_rcv_saddr);
		bpf_core_read(t->raddr, 16, &mini->skc_v6_daddr);
	} else {
		addr_from_v4(t->laddr, BPF_CORE_READ(mini, skc_rcv_saddr));
		addr_from_v4(t->raddr, BPF_CORE_READ(mini, skc_daddr));
	}
	t->lport = BPF_CORE_READ(mini, skc_num);
	t->rport = bpf_ntohs(BPF_CORE_READ(mini, skc_dport));
	tuple_set_family(t);
}

/* By loads, of one that the verifier knows. */
static __always_inline __u32 common_netns(const struct sock_common *skc)
{
	return skc->skc_net.net->ns.inum;
}

/* By probes: sk comes from file_sock(). */
static __always_inline __u32 file_sock_netns(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* ---- scope: what is not known yet passes ---- */

static __always_inline bool addr_is_unspecified(const __u8 *addr)
{
	const __u32 *words = (const __u32 *)addr;

	return !words[0] && !words[1] && !words[3] &&
	       (!words[2] || words[2] == bpf_htonl(0xffff));
}

static __always_inline bool addr_in(void *set, const __u8 *addr)
{
	struct addr_key key = { .len = 128 };
	const __u8 *wanted;

	if (addr_is_unspecified(addr))
		return true;
	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	wanted = bpf_map_lookup_elem(set, &key);
	return wanted && *wanted;
}

/* On no address at either end, as after tcp_disconnect(), it is not known. */
static __always_inline bool family_in_scope(const struct wire_tuple *t)
{
	return !scope_family || scope_family == t->family ||
	       (t->family == 6 && addr_is_unspecified(t->laddr) &&
		addr_is_unspecified(t->raddr));
}

static __always_inline bool port_in(const volatile __u64 *set, __u16 port)
{
	return set[port >> 6] >> (port & 63) & 1;
}

static __always_inline bool netns_in_scope(__u32 netns)
{
	return !scope_netns || scope_netns == netns;
}

/*
 * A port that is 0 and an unspecified address are not known yet, or wiped already.
 * lport_final, ends_final: it was known before this event already, too, so that it
 * is nobody's that was let in for not being known.
 */
static __always_inline bool tuple_in_scope(const struct wire_tuple *t, bool lport_final,
					   bool ends_final)
{
	if (!scope_lports_all && lport_final && t->lport && !port_in(scope_lports, t->lport))
		return false;
	if (!ends_final)
		return true;
	if (!family_in_scope(t))
		return false;
	if (!scope_rports_all && t->rport && !port_in(scope_rports, t->rport))
		return false;
	if (!scope_laddrs_all && !addr_in(&laddrs, t->laddr))
		return false;
	return scope_raddrs_all || addr_in(&raddrs, t->raddr);
}

/* A socket on :: takes connections of IPv4, too; and of a listener no remote port is known. */
static __always_inline bool listener_in_scope(const struct wire_tuple *t)
{
	if (scope_family && scope_family != t->family && t->family != 6)
		return false;
	if (!scope_laddrs_all && !addr_in(&laddrs, t->laddr))
		return false;
	return scope_lports_all || !t->lport || port_in(scope_lports, t->lport);
}

/* What has no cgroup, or one that nobody looked at, stays. */
static __always_inline bool cgroup_id_in_scope(__u64 id)
{
	const __u8 *verdict;
	struct wire_cpu *cpu;

	if (!judges_cgroups)
		return true;
	cpu = this_cpu();
	if (!cpu || cpu->passing == id)
		return true;
	verdict = bpf_map_lookup_elem(&judged_cgroups, &id);
	if (verdict && *verdict == WIRE_J_PASSES)
		cpu->passing = id;
	return !verdict || *verdict != WIRE_J_DROPS;
}

/* sk: full, or listening. */
static __always_inline bool cgroup_in_scope(const struct sock *sk)
{
	return !judges_cgroups || cgroup_id_in_scope(sk_cgroup_id(sk));
}

/* ---- what its pointers lead to ---- */

/*
 * Read before a program's paths part: since 6.4 the verifier goes through all of the
 * kernel's BTF by name for each pointer that is loaded, on each path on which it is
 * (btf_nested_type_is_trusted()), a millisecond at a time.
 */
struct sk_links {
	const struct net *net;
	__u64 cgroup;		/* id; 0: none */
	bool has_socket;
};

static __always_inline void sk_links_read(const struct sock *sk, struct sk_links *l)
{
	l->net = sk->__sk_common.skc_net.net;
	l->cgroup = sk_cgroup_id(sk);
	l->has_socket = sk->sk_socket;
}

/* ---- the sample ---- */

static __always_inline void sample_read_close(const struct sock *sk, const struct tcp_sock *tp,
					      const struct net *net, struct wire_sample *s)
{
	s->lingertime = sk->sk_lingertime;
	s->linger2 = tp->linger2;
	s->rto = tp->inet_conn.icsk_rto;
	s->fin_timeout = net->ipv4.sysctl_tcp_fin_timeout;
	tw_gauge(net, &s->tw_count, &s->tw_limit);
	s->flags |= WIRE_S_TW_GAUGE;
}

static __always_inline void sample_clear_close(struct wire_sample *s)
{
	s->lingertime = 0;
	s->linger2 = 0;
	s->rto = 0;
	s->fin_timeout = 0;
	s->tw_count = 0;
	s->tw_limit = 0;
}

static __always_inline __u16 sample_flags(const struct sock *sk, const struct tcp_sock *tp,
					  bool has_socket)
{
	unsigned long flags = sk->__sk_common.skc_flags;
	__u16 ret = WIRE_S_VALID;

	if (flags & SOCK_DONE)
		ret |= WIRE_S_DONE;
	if (flags & SOCK_DEAD)
		ret |= WIRE_S_DEAD;
	if (flags & SOCK_LINGER)
		ret |= WIRE_S_LINGER;
	if (!has_socket)
		ret |= WIRE_S_NO_SOCKET;
	if (tp_is_mptcp(tp))
		ret |= WIRE_S_MPTCP;
	return ret;
}

static __always_inline void sample_read(const struct sock *sk, const struct tcp_sock *tp,
					const struct sk_links *l, bool closing,
					struct wire_sample *s)
{
	s->bytes_acked = tp->bytes_acked;
	s->bytes_received = tp->bytes_received;
	s->bytes_sent = tp->bytes_sent;
	s->bytes_retrans = tp->bytes_retrans;
	s->snd_una = tp->snd_una;
	s->snd_nxt = tp->snd_nxt;
	s->write_seq = tp->write_seq;
	s->rcv_nxt = tp->rcv_nxt;
	s->copied_seq = tp->copied_seq;
	s->segs_out = tp->segs_out;
	s->data_segs_out = tp->data_segs_out;
	s->data_segs_in = tp->data_segs_in;
	s->total_retrans = tp->total_retrans;
	s->srtt_us8 = tp->srtt_us;
	s->min_rtt_us = tp->rtt_min.s[0].v;
	s->flags = sample_flags(sk, tp, l->has_socket);
	s->err = sk->sk_err;
	s->err_soft = sk->sk_err_soft;
	s->shutdown = sk->sk_shutdown;
	s->probes_out = tp->inet_conn.icsk_probes_out;
	s->retransmits = tp->inet_conn.icsk_retransmits;
	s->pending = tp->inet_conn.icsk_pending;
	s->ca_state = BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);
	s->pad = 0;
	if (closing)
		sample_read_close(sk, tp, l->net, s);
	else
		sample_clear_close(s);
}

/* ---- segments ---- */

struct segment {
	struct wire_tuple tuple;	/* as its receiver sees it */
	__u32 seq;
	__u32 payload;
	__u8  flags;
};

/* Without options, as nearly always, IPv4's and TCP's are read at once: a probe is a call. */
static __always_inline bool headers_read(const unsigned char *net, const unsigned char *transport,
					 struct iphdr *ip, struct tcphdr *tcp)
{
	struct { struct iphdr ip; struct tcphdr tcp; } both;

	if (transport - net != sizeof(both.ip))
		return !bpf_probe_read_kernel(tcp, sizeof(*tcp), transport) &&
		       !bpf_probe_read_kernel(ip, sizeof(*ip), net);
	if (bpf_probe_read_kernel(&both, sizeof(both), net))
		return false;
	*ip = both.ip;
	*tcp = both.tcp;
	return true;
}

/* Of an skb on its way in, whose headers are set.  False: not TCP over IP. */
static __always_inline bool segment_read(const struct sk_buff *skb, struct segment *seg)
{
	const unsigned char *head = skb->head;
	const unsigned char *net = head + skb->network_header;
	const unsigned char *transport = head + skb->transport_header;
	struct ipv6hdr ip6;
	struct iphdr ip;
	struct tcphdr tcp;
	__u32 len;

	if (!headers_read(net, transport, &ip, &tcp))
		return false;
	if (ip.version == 4) {
		if (ip.protocol != IPPROTO_TCP)
			return false;
		addr_from_v4(seg->tuple.laddr, ip.daddr);
		addr_from_v4(seg->tuple.raddr, ip.saddr);
		len = bpf_ntohs(ip.tot_len) - ip.ihl * 4;
	} else {
		if (ip.version != 6 || bpf_probe_read_kernel(&ip6, sizeof(ip6), net))
			return false;
		addr_from_v6(seg->tuple.laddr, (const void *)ip6.daddr);
		addr_from_v6(seg->tuple.raddr, (const void *)ip6.saddr);
		len = bpf_ntohs(ip6.payload_len) + sizeof(ip6) - (transport - net);
	}
	seg->tuple.lport = bpf_ntohs(tcp.dest);
	seg->tuple.rport = bpf_ntohs(tcp.source);
	tuple_set_family(&seg->tuple);
	len -= (tcp.doff >> 4) * 4;
	seg->seq = bpf_ntohl(tcp.seq);
	seg->payload = len > 0xffff ? 0 : len;
	seg->flags = tcp.flags;
	return true;
}

static __always_inline __u32 segment_end_seq(const struct segment *seg)
{
	return seg->seq + seg->payload + !!(seg->flags & TCPHDR_SYN) + !!(seg->flags & TCPHDR_FIN);
}

/*
 * It came as far as tcp_v4_rcv(): tcp_v4_fill_cb() has written there what the header
 * says.  What netfilter dropped has IP's own notes in that place.
 */
static __always_inline bool segment_met_tcp(const struct sk_buff *skb, const struct segment *seg)
{
	const struct tcp_skb_cb *cb = (const void *)skb->cb;

	return cb->seq == seg->seq && cb->end_seq == segment_end_seq(seg);
}

static __always_inline const struct net *skb_net(const struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;

	return dev ? dev->nd_net.net : NULL;
}

static __always_inline __u32 skb_netns(const struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;

	return dev ? dev->nd_net.net->ns.inum : 0;
}

#endif
