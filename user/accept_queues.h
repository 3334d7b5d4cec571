/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accept_queues.h - accept queues by local address and port, those that share them
 * (SO_REUSEPORT, other network namespaces) together.  At most ACCEPT_QUEUES_TOLD are
 * told apart, the others together; who is told apart stays so until it is gone, so
 * that a series does not come and go.  Pure.
 */
#ifndef SYNFIN_ACCEPT_QUEUES_H
#define SYNFIN_ACCEPT_QUEUES_H

#include "event.h"
#include "keytab.h"

#define ACCEPT_QUEUES_TOLD	50

struct accept_queue_key {
	uint8_t addr[16];	/* IPv4 as ::ffff:a.b.c.d */
	uint32_t port;
	uint32_t family;	/* 4 or 6 */
};

struct accept_queue {
	struct accept_queue_key key;
	uint64_t round;		/* the last that met it */
	uint64_t queue, limit;	/* sockets; one that is longer than its limit is full */
};

struct accept_queues {
	struct keytab table;	/* struct accept_queue */
	uint64_t round;
	uint64_t rest_queue, rest_limit, nr_rest;
};

/* -ENOMEM and nothing to free, or 0. */
int accept_queues_init(struct accept_queues *q);
void accept_queues_deinit(struct accept_queues *q);

/* All listening sockets are added anew. */
void accept_queues_begin(struct accept_queues *q);

/* Nobody waits in any of them. */
bool accept_queues_are_empty(const struct accept_queues *q);

void accept_queues_add(struct accept_queues *q, const struct wire_listener *listener);

/* All were added: one that was not is gone, and another may have its place next time. */
void accept_queues_end(struct accept_queues *q);

#endif
