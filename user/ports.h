/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.h - port space: how many of the local ports that connect() draws from are
 * taken towards one destination, and when none will be left.  Pure.
 *
 * A connection needs a local port that no other from the same local address to
 * the same remote address and port has: so each (laddr, raddr, rport) is a space
 * of its own, as large as ip_local_port_range less the reserved ports.  But a
 * socket that was bound to an address before connect(), without
 * IP_BIND_ADDRESS_NO_PORT, drew its port when nobody knew yet where to: from one
 * pool for all destinations (inet_csk_find_open_port()).
 *
 * What is accepted on a listening socket takes no port.  Which namespace, and
 * its facts, come first; then the listening sockets, then the others.
 */
#ifndef SYNFIN_PORTS_H
#define SYNFIN_PORTS_H

#include <stdbool.h>

#include "event.h"
#include "keytab.h"

#define PORTS_PAST	8	/* censuses that a rate looks back, at most */

struct port_key {
	uint8_t laddr[16], raddr[16];	/* IPv4 as ::ffff:a.b.c.d */
	uint32_t netns;
	uint16_t rport;
	uint16_t is_pool;	/* of laddr, all destinations: raddr and rport are zero */
};

struct port_space {
	struct port_key key;
	uint32_t used, time_wait;
	uint32_t reusable;	/* of time_wait: what connect() may take all the same */
	uint32_t stamped;	/* likewise, if tcp_tw_reuse were 1 */
	uint32_t past[PORTS_PAST];	/* used - reusable, by census */
	uint32_t first, last;	/* censuses that met it, without a break */
	uint32_t told;		/* census that had it among the fullest */
	uint8_t family;
};

/* Of one local address: which ports are taken at all. */
struct port_pool {
	uint8_t laddr[16];
	/* ports, as bits: of all sockets, of those that are open, of those in TIME_WAIT */
	uint64_t taken[1024], open[1024], waits[1024];
	uint32_t bound;		/* those whose port was drawn at bind() */
	uint8_t family;
};

struct ports {
	struct keytab spaces;	/* struct port_space */
	struct keytab pools;	/* struct port_pool; of one namespace */
	uint32_t *touched;	/* spaces of this namespace */
	uint32_t nr_touched;
	uint32_t census;	/* counted from 1 */
	uint64_t at_ns[PORTS_PAST];	/* when they began */
	uint64_t listening[1024];	/* ports of this namespace, as bits */
	uint64_t rest, rest_time_wait;	/* sockets of spaces that found no room */

	/* of this namespace */
	uint32_t netns, hz;
	bool has_range;
	uint16_t lo, hi;
	uint32_t capacity;
	uint64_t tw_reuse, tw_reuse_delay_ms;
};

int ports_init(struct ports *p);
void ports_deinit(struct ports *p);

/* A census begins. */
void ports_begin(struct ports *p, uint64_t at_ns);

/* A namespace of it.  facts: NULL, none are known. */
void ports_enter(struct ports *p, uint32_t netns, uint32_t hz,
		 const struct wire_netns_facts *facts);
void ports_add_socket(struct ports *p, const struct wire_socket *socket);
void ports_add_mini(struct ports *p, const struct wire_mini *mini);

/* Likewise of many, that the kernel counted; after all others of the namespace. */
void ports_add_group(struct ports *p, const struct wire_mini_group *group);
void ports_add_pool(struct ports *p, const struct wire_mini_pool *pool);

/*
 * All of the namespace was added: what its fullest n spaces are, into ret, the
 * fullest first; their number.
 */
unsigned int ports_leave(struct ports *p, unsigned int n, struct port_space **ret);

/*
 * Likewise: how many ports the fullest space has that connect() cannot take.  Not
 * counted are sockets that found no room, see rest.
 */
uint32_t ports_most_taken(const struct ports *p);

/*
 * The census is over: what it did not meet is forgotten; and if there is hardly
 * room for more, whatever was not among the fullest, so that a newcomer finds some.
 */
void ports_end(struct ports *p);

#define PORTS_NEVER	UINT64_MAX

/* Milliseconds until none is left, at the rate of the last censuses; or PORTS_NEVER. */
uint64_t ports_full_in_ms(const struct ports *p, const struct port_space *space);

#endif
