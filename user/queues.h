/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queues.h - listening sockets and what waits at them: established connections
 * for accept(), half-open ones for their third ACK.  Requests are tied to their
 * listening socket by its address, so that those of one port (SO_REUSEPORT) are
 * told apart.  Pure.
 */
#ifndef SYNFIN_QUEUES_H
#define SYNFIN_QUEUES_H

#include "keytab.h"
#include "owner.h"

struct queue {
	uint64_t sock;		/* key */
	struct wire_listener listener;
	struct owner owner;
	uint32_t half_open;	/* requests */
	uint32_t acked;		/* of them: the third ACK came, the accept queue was full */
	uint32_t synack_retrans;	/* of them all, so far */
	uint64_t oldest_ns;	/* first SYN-ACK of the oldest; CLOCK_MONOTONIC; 0: none */
};

struct queues {
	struct keytab table;	/* struct queue */
	uint64_t rest;		/* listening sockets that found no room */
};

int queues_init(struct queues *q);
void queues_deinit(struct queues *q);
void queues_clear(struct queues *q);

void queues_add_listener(struct queues *q, const struct wire_listener *listener);

/* One whose listening socket is gone, or found no room, is left out. */
void queues_add_request(struct queues *q, const struct wire_request *request);

/* Of several that hold it the first is its owner. */
void queues_add_owner(struct queues *q, const struct wire_owner_of *owner);

#endif
