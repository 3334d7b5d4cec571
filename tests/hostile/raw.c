// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A peer that obeys no rule, made of raw packets, fast: raw WAY MAC ADDRESS COUNT
 * SECONDS [SEED], on veth0 of its own namespace, against ADDRESS, of IPv4 or IPv6, whose
 * link-layer address is MAC.  Its own addresses are 11.0.0.0/8, or fd11::/96 with the
 * same at their ends: no kernel answers for them.
 *
 *	syn	COUNT SYNs, each of a tuple of its own, that nobody follows
 *	random	any flags, numbers, options, lengths and checksums, on 256 tuples
 *	rst	RSTs to the same tuples, which are opened in between
 *	tiny	COUNT connections whose window is a byte or none
 *	reuse	256 tuples, each opened anew as soon as it is closed
 *
 * Says at its end how many segments it sent, and how often a handshake was whole.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ports.h"

#define OWN		0x0b000000u	/* 11.0.0.0 */
#define FLOWS_MAX	65536
#define FEW		256
#define OPTIONS_MAX	40
#define DATA_MAX	100
#define RESEND_NS	50000000ull
#define ROUND		64	/* segments between two looks at what came */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* One tuple as an obedient peer would see it; the others only start from there. */
struct flow {
	uint32_t snd_nxt, rcv_nxt, isn;
	uint64_t sent_ns;
	bool open;
};

struct segment {
	unsigned int flow, flags, options_len, data_len, dport;
	uint32_t seq, ack;
	uint16_t window;
	uint8_t options[OPTIONS_MAX];
	int lie;	/* how many bytes the IP header's length is off */
	bool extended;	/* IPv6: an empty Hop-by-Hop header in front */
	int offset;	/* of the data, in words; 0: the right one */
	bool bad_checksum;
};

struct peer {
	int fd;
	uint8_t mac[ETH_ALEN];
	unsigned int ethertype;
	union { struct in_addr v4; struct in6_addr v6; } host;	/* who is under attack */
	uint64_t rng;
	uint64_t sent, whole;
	uint16_t window;	/* of obedient answers */
	bool ends;		/* closes what it opened, and opens it again */
	unsigned int nr_flows;
	struct flow flows[FLOWS_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static uint32_t any(struct peer *p)
{
	p->rng = p->rng * 6364136223846793005ull + 1442695040888963407ull;
	return p->rng >> 33 ^ p->rng >> 61;
}

static uint32_t below(struct peer *p, uint32_t limit)
{
	return any(p) % limit;
}

/* ---- packets ---- */

static uint32_t add_up(const void *bytes, size_t len, uint32_t sum)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += p[len - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static uint32_t address_of(unsigned int flow)
{
	return OWN + (flow >> 8) + 1;
}

static struct in6_addr address6_of(unsigned int flow)
{
	struct in6_addr ret = { { { 0xfd, 0x11 } } };

	ret.s6_addr32[3] = htonl(address_of(flow));
	return ret;
}

static uint16_t port_of(unsigned int flow)
{
	return 2000 + (flow & 255);
}

/* Behind the header goes TCP.  *sum: of the addresses, for its checksum. */
static void *put_ip4(const struct peer *p, const struct segment *s, void *to, size_t tcp_len,
		     uint32_t *sum)
{
	struct iphdr *ip = to;

	*ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
		.tot_len = htons(sizeof(*ip) + tcp_len + s->lie),
		.saddr = htonl(address_of(s->flow)), .daddr = p->host.v4.s_addr,
	};
	ip->check = fold(add_up(ip, sizeof(*ip), 0));
	*sum = add_up(&ip->saddr, 8, 0);
	return ip + 1;
}

static void *put_ip6(const struct peer *p, const struct segment *s, void *to, size_t tcp_len,
		     uint32_t *sum)
{
	static const uint8_t hop_by_hop[8] = { IPPROTO_TCP, 0, 1, 4 };	/* padding alone */
	size_t more = s->extended ? sizeof(hop_by_hop) : 0;
	struct ip6_hdr *ip = to;

	*ip = (struct ip6_hdr){ .ip6_src = address6_of(s->flow), .ip6_dst = p->host.v6 };
	ip->ip6_flow = htonl(6u << 28);
	ip->ip6_plen = htons(more + tcp_len + s->lie);
	ip->ip6_nxt = more ? IPPROTO_HOPOPTS : IPPROTO_TCP;
	ip->ip6_hlim = 64;
	memcpy(ip + 1, hop_by_hop, more);
	*sum = add_up(&ip->ip6_src, 32, 0);
	return (uint8_t *)(ip + 1) + more;
}

static void send_segment(struct peer *p, const struct segment *s)
{
	uint8_t frame[ETH_HLEN + sizeof(struct ip6_hdr) + 8 + 20 + OPTIONS_MAX + DATA_MAX] = {};
	size_t options_len = (s->options_len + 3) & ~3u, tcp_len = 20 + options_len + s->data_len;
	struct tcphdr *tcp;
	uint32_t sum;
	size_t len;

	memcpy(frame, p->mac, ETH_ALEN);
	frame[6] = 2;	/* locally administered */
	frame[12] = p->ethertype >> 8;
	frame[13] = p->ethertype & 0xff;
	tcp = (p->ethertype == ETH_P_IP ? put_ip4 : put_ip6)(p, s, frame + ETH_HLEN, tcp_len, &sum);
	tcp->source = htons(port_of(s->flow));
	tcp->dest = htons(s->dport);
	tcp->seq = htonl(s->seq);
	tcp->ack_seq = htonl(s->ack);
	((uint8_t *)tcp)[12] = (s->offset ? s->offset : (int)(20 + options_len) / 4) << 4;
	((uint8_t *)tcp)[13] = s->flags;
	tcp->window = htons(s->window);
	memcpy(tcp + 1, s->options, s->options_len);
	tcp->check = fold(add_up(tcp, tcp_len, sum + IPPROTO_TCP + tcp_len + s->lie));
	if (s->bad_checksum)
		tcp->check ^= 1;
	len = (uint8_t *)tcp + tcp_len - frame;
	while (send(p->fd, frame, len, 0) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			return;		/* too odd for its own kernel */
		poll(&(struct pollfd){ .fd = p->fd, .events = POLLOUT }, 1, 1);
	}
	p->sent++;
}

static const unsigned int ports[] = { PORT_PATIENT, PORT_HASTY, PORT_LOUD, PORT_CLOSED };

static unsigned int dport_of(const struct peer *p, unsigned int flow)
{
	return p->window < 2 ? PORT_LOUD : ports[flow % (p->ends ? 2 : 4)];
}

/* What an obedient peer would send on this tuple now. */
static struct segment next_on(const struct peer *p, unsigned int flow, unsigned int flags)
{
	const struct flow *f = &p->flows[flow];

	return (struct segment){
		.flow = flow, .flags = flags, .dport = dport_of(p, flow), .seq = f->snd_nxt,
		.ack = flags & ACK ? f->rcv_nxt : 0, .window = p->window,
	};
}

static void send_next(struct peer *p, unsigned int flow, unsigned int flags)
{
	struct segment s = next_on(p, flow, flags);

	send_segment(p, &s);
	p->flows[flow].snd_nxt += !!(flags & SYN) + !!(flags & FIN);
	p->flows[flow].sent_ns = now_ns();
}

static void open_flow(struct peer *p, unsigned int flow)
{
	struct flow *f = &p->flows[flow];

	/* Above what was there: the old one's TIME_WAIT must let it in. */
	f->isn = f->snd_nxt += 100000 + below(p, 1000);
	f->rcv_nxt = 0;
	f->open = false;
	send_next(p, flow, SYN);
}

/* ---- what comes back ---- */

static void on_synack(struct peer *p, unsigned int flow, const struct tcphdr *tcp)
{
	struct flow *f = &p->flows[flow];

	if (ntohl(tcp->ack_seq) != f->isn + 1)
		return;
	p->whole += !f->open;
	f->open = true;
	f->snd_nxt = f->isn + 1;
	f->rcv_nxt = ntohl(tcp->seq) + 1;
	send_next(p, flow, ACK);
	if (p->ends && flow & 4)	/* in half of them we are the first, unless it is */
		send_next(p, flow, FIN | ACK);
}

static void on_segment(struct peer *p, unsigned int flow, const struct tcphdr *tcp, size_t data_len)
{
	struct flow *f = &p->flows[flow];

	if (tcp->syn) {
		if (tcp->ack)
			on_synack(p, flow, tcp);
		return;
	}
	if (tcp->rst) {
		f->open = false;
		return;
	}
	if (f->open && tcp->ack)	/* where the host is, whatever was sent to it */
		f->snd_nxt = ntohl(tcp->ack_seq);
	if (!f->open || ntohl(tcp->seq) != f->rcv_nxt || (!data_len && !tcp->fin))
		return;
	f->rcv_nxt += data_len + tcp->fin;
	if (!tcp->fin || !p->ends) {
		send_next(p, flow, ACK);
	} else {
		send_next(p, flow, f->snd_nxt == f->isn + 1 ? FIN | ACK : ACK);
		open_flow(p, flow);
	}
}

/* Its TCP header, and on which flow it came; NULL: it is none of the host's. */
static const struct tcphdr *read_ip4(const struct peer *p, const void *from, uint32_t *own,
				     size_t *len)
{
	const struct iphdr *ip = from;

	if (ip->protocol != IPPROTO_TCP || ip->saddr != p->host.v4.s_addr)
		return NULL;
	*own = ntohl(ip->daddr);
	*len = ntohs(ip->tot_len) - sizeof(*ip);
	return (const struct tcphdr *)(ip + 1);
}

static const struct tcphdr *read_ip6(const struct peer *p, const void *from, uint32_t *own,
				     size_t *len)
{
	const struct ip6_hdr *ip = from;

	if (ip->ip6_nxt != IPPROTO_TCP || memcmp(&ip->ip6_src, &p->host.v6, sizeof(p->host.v6)))
		return NULL;
	*own = ntohl(ip->ip6_dst.s6_addr32[3]);
	*len = ntohs(ip->ip6_plen);
	return (const struct tcphdr *)(ip + 1);
}

/* All that waits; not longer than ms for the first. */
static void take_in(struct peer *p, int ms)
{
	const bool is_v4 = p->ethertype == ETH_P_IP;
	const ssize_t least = ETH_HLEN + (is_v4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr)) +
			      sizeof(struct tcphdr);
	uint8_t frame[2048];
	ssize_t len;

	if (ms)
		poll(&(struct pollfd){ .fd = p->fd, .events = POLLIN }, 1, ms);
	while ((len = recv(p->fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
		const struct tcphdr *tcp;
		unsigned int flow;
		uint32_t own;
		size_t tcp_len;

		if (len < least || frame[12] << 8 != (int)(p->ethertype & 0xff00) ||
		    frame[13] != (p->ethertype & 0xff))
			continue;
		tcp = (is_v4 ? read_ip4 : read_ip6)(p, frame + ETH_HLEN, &own, &tcp_len);
		if (!tcp)
			continue;
		flow = (own - OWN - 1) << 8 | ((ntohs(tcp->dest) - 2000) & 255);
		if (flow < p->nr_flows)
			on_segment(p, flow, tcp, tcp_len - tcp->doff * 4);
	}
}

/* ---- the ways ---- */

static void flood_syn(struct peer *p, unsigned int i)
{
	struct segment s = { .flow = i, .flags = SYN, .dport = PORT_PATIENT, .seq = any(p),
			     .window = 65535 };

	send_segment(p, &s);
}

static uint32_t near(struct peer *p, uint32_t number)
{
	static const int32_t steps[] = {
		0, 0, 0, 0, 0, 1, -1, 100, -100, 70000, 1 << 30, -(1 << 30),
	};

	return number + steps[below(p, sizeof(steps) / sizeof(*steps))];
}

static void make_odd(struct peer *p, struct segment *s)
{
	switch (below(p, 8)) {
	case 0:
		s->lie = (int)below(p, 60) - 40;
		break;
	case 1:
		s->offset = 1 + below(p, 15);
		break;
	case 2:
		s->bad_checksum = true;
		break;
	case 3:
		s->seq = any(p);
		s->ack = any(p);
		break;
	case 4:
		s->flags = any(p);
		break;
	}
}

/* Opens a tuple, or aborts what is there. */
static void open_or_abort(struct peer *p, unsigned int flow)
{
	if (!p->flows[flow].open) {
		open_flow(p, flow);
		return;
	}
	send_next(p, flow, RST);
	p->flows[flow].open = false;
}

static void send_anything(struct peer *p, unsigned int i)
{
	static const unsigned int likely[] = { SYN, ACK, ACK, FIN | ACK, PSH | ACK, SYN | ACK, RST,
					       RST | ACK, FIN, 0 };
	static const uint16_t windows[] = { 0, 1, 500, 65535 };
	unsigned int flow = below(p, p->nr_flows);
	struct segment s = next_on(p, flow, likely[below(p, 10)]);

	if (!below(p, 4)) {
		open_or_abort(p, flow);
		return;
	}
	s.seq = near(p, s.seq);
	s.ack = near(p, s.ack);
	s.window = windows[below(p, 4)];
	s.options_len = below(p, 3) ? 0 : below(p, OPTIONS_MAX + 1);
	for (unsigned int at = 0; at < s.options_len; at++)
		s.options[at] = below(p, 3) ? below(p, 35) : any(p);
	s.data_len = below(p, 3) ? 0 : below(p, DATA_MAX + 1);
	s.extended = p->ethertype == ETH_P_IPV6 && !below(p, 4);
	make_odd(p, &s);
	send_segment(p, &s);
}

static void flood_rst(struct peer *p, unsigned int i)
{
	unsigned int flow = below(p, p->nr_flows);
	struct segment s = next_on(p, flow, below(p, 2) ? RST : RST | ACK);

	if (!below(p, 16)) {
		open_or_abort(p, flow);
		return;
	}
	s.seq = near(p, s.seq);
	send_segment(p, &s);
}

/* Opens those that are not, again and again. */
static void keep_open(struct peer *p, unsigned int i)
{
	unsigned int flow = i % p->nr_flows;
	const struct flow *f = &p->flows[flow];

	if (!f->sent_ns || ((p->ends || !f->open) && now_ns() - f->sent_ns > RESEND_NS))
		open_flow(p, flow);
}

static const struct way {
	const char *name;
	void (*step)(struct peer *p, unsigned int i);
	unsigned int flows;	/* 0: as many as COUNT */
	uint16_t window;
	bool ends, endless;
} ways[] = {
	{ "syn", flood_syn, 1, 65535, false, false },
	{ "random", send_anything, FEW, 65535, false, false },
	{ "rst", flood_rst, FEW, 65535, false, false },
	{ "tiny", keep_open, 0, 1, false, true },
	{ "reuse", keep_open, FEW, 65535, true, true },
	{},
};

/* COUNT steps, over at least as long as it says; endless: until then. */
static void attack(struct peer *p, const struct way *way, unsigned int count, double seconds)
{
	uint64_t began = now_ns(), span = seconds * 1e9;

	for (unsigned int i = 0; way->endless || i < count; i++) {
		way->step(p, i);
		if (i % ROUND)
			continue;
		take_in(p, 0);
		/* no faster than the whole of it takes */
		while (!way->endless && now_ns() - began < span * ((double)i / count))
			take_in(p, 1);
		if (way->endless && now_ns() - began > span)
			return;
	}
}

static int open_link(const struct peer *p)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(p->ethertype),
				    .sll_ifindex = if_nametoindex("veth0") };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(p->ethertype)), size = 32 << 20;

	if (fd < 0 || !link.sll_ifindex || bind(fd, (struct sockaddr *)&link, sizeof(link)))
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static bool parse_host(struct peer *p, const char *text)
{
	p->ethertype = strchr(text, ':') ? ETH_P_IPV6 : ETH_P_IP;
	return inet_pton(p->ethertype == ETH_P_IP ? AF_INET : AF_INET6, text, &p->host) == 1;
}

int main(int argc, char **argv)
{
	static struct peer p;
	const struct way *way = ways;
	unsigned int count;

	while (argc >= 6 && way->name && strcmp(way->name, argv[1]))
		way++;
	if (argc < 6 || !way->name || !parse_host(&p, argv[3]) ||
	    sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &p.mac[0], &p.mac[1], &p.mac[2],
		   &p.mac[3], &p.mac[4], &p.mac[5]) != ETH_ALEN) {
		fprintf(stderr, "raw: WAY MAC ADDRESS COUNT SECONDS [SEED]\n");
		return 2;
	}
	count = strtoul(argv[4], NULL, 10);
	p.rng = argc > 6 ? strtoull(argv[6], NULL, 10) : 1;
	p.window = way->window;
	p.ends = way->ends;
	p.nr_flows = way->flows ? way->flows : count < FLOWS_MAX ? count : FLOWS_MAX;
	p.fd = open_link(&p);
	if (p.fd < 0) {
		fprintf(stderr, "raw: cannot open veth0: %s\n", strerror(errno));
		return 3;
	}
	attack(&p, way, count, strtod(argv[5], NULL));
	printf("sent=%llu\nwhole=%llu\n", (unsigned long long)p.sent, (unsigned long long)p.whole);
	return 0;
}
