// SPDX-License-Identifier: GPL-2.0-or-later
#include "stuck.h"

#include <errno.h>
#include <stdlib.h>

#include "age.h"

#define SOCKETS_MAX	65536	/* of 200 bytes */

int stuck_init(struct stuck *s, uint64_t older_ns)
{
	int err;

	*s = (struct stuck){ .older_ns = older_ns };
	err = keytab_init(&s->table, sizeof(uint64_t), sizeof(struct stuck_socket), SOCKETS_MAX);
	if (err)
		return err;
	s->order = calloc(SOCKETS_MAX, sizeof(*s->order));
	if (s->order)
		return 0;
	keytab_deinit(&s->table);
	return -ENOMEM;
}

void stuck_deinit(struct stuck *s)
{
	keytab_deinit(&s->table);
	free(s->order);
	s->order = NULL;
}

void stuck_clear(struct stuck *s)
{
	keytab_clear(&s->table);
	s->rest = s->undated = 0;
}

void stuck_add(struct stuck *s, const struct wire_aged *aged, uint32_t hz)
{
	uint64_t age_ns = age_at_least(aged, hz);
	struct stuck_socket *socket;

	if (age_ns == AGE_UNKNOWN) {
		s->undated++;
		return;
	}
	if (age_ns < s->older_ns)
		return;
	socket = keytab_add(&s->table, &aged->hdr.sock);
	if (!socket) {
		s->rest++;
		return;
	}
	socket->aged = *aged;
	socket->age_ns = age_ns;
}

void stuck_add_owner(struct stuck *s, const struct wire_owner_of *owner)
{
	struct stuck_socket *socket = keytab_find(&s->table, &owner->hdr.sock);

	if (!socket || socket->owner.from)
		return;
	owner_prove(&socket->owner, OWNER_FD, &owner->owner, owner->born);
	socket->fd = owner->fd;
}

/* ---- the oldest first ---- */

static bool comes_later(const struct stuck *s, uint32_t a, uint32_t b)
{
	const struct stuck_socket *x = keytab_at(&s->table, a), *y = keytab_at(&s->table, b);

	return x->age_ns != y->age_ns ? x->age_ns < y->age_ns : a > b;
}

/* A heap with what comes last on top, but for the entry at i. */
static void sift_down(struct stuck *s, uint32_t i, uint32_t nr)
{
	uint32_t moved = s->order[i], child;

	for (; 2 * i + 1 < nr; i = child) {
		child = 2 * i + 1;
		if (child + 1 < nr && comes_later(s, s->order[child + 1], s->order[child]))
			child++;
		if (!comes_later(s, s->order[child], moved))
			break;
		s->order[i] = s->order[child];
	}
	s->order[i] = moved;
}

void stuck_sort(struct stuck *s)
{
	uint32_t nr = s->table.nr;

	for (uint32_t i = 0; i < nr; i++)
		s->order[i] = i;
	for (uint32_t i = nr / 2; i--;)
		sift_down(s, i, nr);
	while (nr-- > 1) {
		uint32_t last = s->order[0];

		s->order[0] = s->order[nr];
		s->order[nr] = last;
		sift_down(s, 0, nr);
	}
}

const struct stuck_socket *stuck_at(const struct stuck *s, uint32_t i)
{
	return keytab_at(&s->table, s->order[i]);
}
