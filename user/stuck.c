// SPDX-License-Identifier: GPL-2.0-or-later
#include "stuck.h"

#include "age.h"

#define SOCKETS_MAX	65536	/* of 200 bytes */

int stuck_init(struct stuck *s, uint64_t older_ns)
{
	*s = (struct stuck){ .older_ns = older_ns };
	return keytab_init(&s->table, sizeof(uint64_t), sizeof(struct stuck_socket), SOCKETS_MAX);
}

void stuck_deinit(struct stuck *s)
{
	keytab_deinit(&s->table);
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
