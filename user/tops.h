/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tops.h - what --metrics.top-k tells, of one census after another: whose sockets are
 * in TIME_WAIT, and which port spaces are the fullest; all network namespaces
 * together.  Pure.  Who is told apart, and for how long: topk.h.
 */
#ifndef SYNFIN_TOPS_H
#define SYNFIN_TOPS_H

#include "event.h"
#include "ports.h"
#include "topk.h"

/* Addresses: IPv4 as ::ffff:a.b.c.d; family: 4 or 6. */
struct tops_remote {
	uint8_t addr[16];
	uint32_t port, family;
};

/* is_pool: of laddr, all destinations (ports.h): no raddr, no rport. */
struct tops_space {
	uint8_t laddr[16], raddr[16];
	uint16_t rport, is_pool;
	uint32_t family;
};

struct tops {
	unsigned int k;		/* 0: nothing is told, and the rest is not there */
	struct topk remotes;	/* of struct tops_remote: sockets */
	struct topk lports;	/* of uint64_t: sockets */
	struct topk spaces;	/* of struct tops_space: parts of a thousand million */
};

/* k: 0 to TOPK_MAX.  -ENOMEM and nothing to free, or 0. */
int tops_init(struct tops *t, unsigned int k);
void tops_deinit(struct tops *t);

/* A number that nobody knows who could choose the addresses; before the first census. */
void tops_seed(struct tops *t, uint64_t seed);

/* A census of port space, in the order of ports.h. */
void tops_begin(struct tops *t);
void tops_add_mini(struct tops *t, const struct wire_mini *mini);
/* After ports_leave(). */
void tops_leave(struct tops *t, const struct ports *ports);
void tops_end(struct tops *t, uint64_t at_ns);

#endif
