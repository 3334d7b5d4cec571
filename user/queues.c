// SPDX-License-Identifier: GPL-2.0-or-later
#include "queues.h"

#define LISTENERS_MAX	65536	/* of 232 bytes */
#define NSEC_PER_USEC	1000ull

int queues_init(struct queues *q)
{
	*q = (struct queues){};
	return keytab_init(&q->table, sizeof(uint64_t), sizeof(struct queue), LISTENERS_MAX);
}

void queues_deinit(struct queues *q)
{
	keytab_deinit(&q->table);
}

void queues_clear(struct queues *q)
{
	keytab_clear(&q->table);
	q->rest = 0;
}

void queues_add_listener(struct queues *q, const struct wire_listener *listener)
{
	struct queue *queue = keytab_add(&q->table, &listener->hdr.sock);

	if (!queue) {
		q->rest++;
		return;
	}
	queue->listener = *listener;
}

void queues_add_request(struct queues *q, const struct wire_request *request)
{
	struct queue *queue = keytab_find(&q->table, &request->listener);
	uint64_t sent_ns = request->snt_synack_us * NSEC_PER_USEC;

	if (!queue)
		return;
	queue->half_open++;
	queue->acked += !!(request->flags & WIRE_C_ACKED);
	queue->synack_retrans += request->num_retrans;
	if (!queue->oldest_ns || sent_ns < queue->oldest_ns)
		queue->oldest_ns = sent_ns;
}

void queues_add_owner(struct queues *q, const struct wire_owner_of *owner)
{
	struct queue *queue = keytab_find(&q->table, &owner->hdr.sock);

	if (queue)
		owner_prove(&queue->owner, OWNER_FD, &owner->owner, owner->born);
}
