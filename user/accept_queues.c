// SPDX-License-Identifier: GPL-2.0-or-later
#include "accept_queues.h"

#include <string.h>

int accept_queues_init(struct accept_queues *q)
{
	*q = (struct accept_queues){};
	return keytab_init(&q->table, sizeof(struct accept_queue_key),
			   sizeof(struct accept_queue), ACCEPT_QUEUES_TOLD);
}

void accept_queues_deinit(struct accept_queues *q)
{
	keytab_deinit(&q->table);
}

void accept_queues_begin(struct accept_queues *q)
{
	q->round++;
	q->rest_queue = q->rest_limit = q->nr_rest = 0;
}

void accept_queues_add(struct accept_queues *q, const struct wire_listener *listener)
{
	struct accept_queue_key key = {
		.port = listener->tuple.lport, .family = listener->tuple.family,
	};
	struct accept_queue *a;

	memcpy(key.addr, listener->tuple.laddr, sizeof(key.addr));
	a = keytab_add(&q->table, &key);
	if (!a) {
		q->rest_queue += listener->queue;
		q->rest_limit += listener->limit;
		q->nr_rest++;
		return;
	}
	if (a->round != q->round)
		a->queue = a->limit = 0;
	a->round = q->round;
	a->queue += listener->queue;
	a->limit += listener->limit;
}

bool accept_queues_are_empty(const struct accept_queues *q)
{
	uint64_t sum = q->rest_queue;

	for (uint32_t i = 0; i < q->table.nr; i++)
		sum += ((const struct accept_queue *)keytab_at(&q->table, i))->queue;
	return !sum;
}

static bool was_met(const void *entry, const void *ctx)
{
	const struct accept_queue *a = entry;
	const struct accept_queues *q = ctx;

	return a->round == q->round;
}

void accept_queues_end(struct accept_queues *q)
{
	keytab_filter(&q->table, was_met, q);
}
