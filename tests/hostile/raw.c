// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A peer that obeys no rule, made of raw packets, fast: raw WAY MAC ADDRESS COUNT
 * SECONDS [SEED], on veth0 of its own namespace, against ADDRESS, whose link-layer
 * address is MAC.  Its own addresses are 11.0.0.0/8: no kernel answers for them.
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
	int offset;	/* of the data, in words; 0: the right one */
	bool bad_checksum;
};

struct peer {
	int fd;
	uint8_t mac[ETH_ALEN];
	uint32_t address;	/* of the host under attack, host order */
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

static uint16_t port_of(unsigned int flow)
{
	return 2000 + (flow & 255);
}

static void put_ip(const struct peer *p, const struct segment *s, struct iphdr *ip, size_t tcp_len)
{
	*ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
		.tot_len = htons(sizeof(*ip) + tcp_len + s->lie),
		.saddr = htonl(address_of(s->flow)), .daddr = htonl(p->address),
	};
	ip->check = fold(add_up(ip, sizeof(*ip), 0));
}

static void send_segment(struct peer *p, const struct segment *s)
{
	uint8_t frame[ETH_HLEN + sizeof(struct iphdr) + 20 + OPTIONS_MAX + DATA_MAX] = {};
	struct iphdr *ip = (struct iphdr *)(frame + ETH_HLEN);
	struct tcphdr *tcp = (struct tcphdr *)(ip + 1);
	size_t options_len = (s->options_len + 3) & ~3u, tcp_len = 20 + options_len + s->data_len;

	memcpy(frame, p->mac, ETH_ALEN);
	frame[6] = 2;	/* locally administered */
	frame[12] = ETH_P_IP >> 8;
	put_ip(p, s, ip, tcp_len);
	tcp->source = htons(port_of(s->flow));
	tcp->dest = htons(s->dport);
	tcp->seq = htonl(s->seq);
	tcp->ack_seq = htonl(s->ack);
	((uint8_t *)tcp)[12] = (s->offset ? s->offset : (int)(20 + options_len) / 4) << 4;
	((uint8_t *)tcp)[13] = s->flags;
	tcp->window = htons(s->window);
	memcpy(tcp + 1, s->options, s->options_len);
	tcp->check = fold(add_up(tcp, tcp_len,
				 add_up(&ip->saddr, 8, IPPROTO_TCP + tcp_len + s->lie)));
	if (s->bad_checksum)
		tcp->check ^= 1;
	while (send(p->fd, frame, ETH_HLEN + sizeof(*ip) + tcp_len, 0) < 0) {
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

/* All that waits; not longer than ms for the first. */
static void take_in(struct peer *p, int ms)
{
	uint8_t frame[2048];
	ssize_t len;

	if (ms)
		poll(&(struct pollfd){ .fd = p->fd, .events = POLLIN }, 1, ms);
	while ((len = recv(p->fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
		const struct iphdr *ip = (struct iphdr *)(frame + ETH_HLEN);
		const struct tcphdr *tcp = (struct tcphdr *)(ip + 1);
		unsigned int flow;

		if (len < ETH_HLEN + 40 || frame[12] != ETH_P_IP >> 8 || frame[13] ||
		    ip->protocol != IPPROTO_TCP || ntohl(ip->saddr) != p->address)
			continue;
		flow = (ntohl(ip->daddr) - OWN - 1) << 8 | ((ntohs(tcp->dest) - 2000) & 255);
		if (flow < p->nr_flows)
			on_segment(p, flow, tcp, ntohs(ip->tot_len) - 20 - tcp->doff * 4);
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

static int open_link(void)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				    .sll_ifindex = if_nametoindex("veth0") };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP)), size = 32 << 20;

	if (fd < 0 || !link.sll_ifindex || bind(fd, (struct sockaddr *)&link, sizeof(link)))
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

int main(int argc, char **argv)
{
	static struct peer p;
	const struct way *way = ways;
	unsigned int count;
	struct in_addr to;

	while (argc >= 6 && way->name && strcmp(way->name, argv[1]))
		way++;
	if (argc < 6 || !way->name || inet_aton(argv[3], &to) == 0 ||
	    sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &p.mac[0], &p.mac[1], &p.mac[2],
		   &p.mac[3], &p.mac[4], &p.mac[5]) != ETH_ALEN) {
		fprintf(stderr, "raw: WAY MAC ADDRESS COUNT SECONDS [SEED]\n");
		return 2;
	}
	p.address = ntohl(to.s_addr);
	count = strtoul(argv[4], NULL, 10);
	p.rng = argc > 6 ? strtoull(argv[6], NULL, 10) : 1;
	p.window = way->window;
	p.ends = way->ends;
	p.nr_flows = way->flows ? way->flows : count < FLOWS_MAX ? count : FLOWS_MAX;
	p.fd = open_link();
	if (p.fd < 0) {
		fprintf(stderr, "raw: cannot open veth0: %s\n", strerror(errno));
		return 3;
	}
	attack(&p, way, count, strtod(argv[5], NULL));
	printf("sent=%llu\nwhole=%llu\n", (unsigned long long)p.sent, (unsigned long long)p.whole);
	return 0;
}
