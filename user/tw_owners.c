// SPDX-License-Identifier: GPL-2.0-or-later
#include "tw_owners.h"

#include <string.h>

#include "addrset.h"
#include "report.h"
#include "tcp_state.h"

#define OWNERS_MAX	4096	/* of a namespace; whoever finds no room is not told apart */

struct tw_owner {
	uint64_t place;		/* key: in the ledger's set of owners */
	uint64_t count;
	const struct ownership *who;
};

int tw_owners_init(struct tw_owners *o)
{
	return keytab_init(&o->table, sizeof(uint64_t), sizeof(struct tw_owner), OWNERS_MAX);
}

void tw_owners_deinit(struct tw_owners *o)
{
	keytab_deinit(&o->table);
}

static void count(struct tw_owners *o, const struct timewait *ledger, const struct mini *m)
{
	const struct ownership *who = timewait_owner(ledger, m);
	const uint64_t key = m->owner;
	struct tw_owner *owner;

	if (!who->owner.from)
		return;
	owner = keytab_add(&o->table, &key);
	if (!owner)
		return;
	owner->who = who;
	owner->count++;
}

static bool satisfies(const struct filter *filter, const struct mini *m,
		      const struct ownership *who)
{
	struct wire_tuple tuple = {
		.lport = m->lport, .rport = m->rport, .family = addr_is_v4(m->raddr) ? 4 : 6,
	};
	const struct filter_facts facts = {
		.tuple = &tuple, .states = 1u << TS_TIME_WAIT, .owner = &who->owner,
		.handshake_ns = UNKNOWN_NS,
	};

	memcpy(tuple.laddr, m->laddr, sizeof(tuple.laddr));
	memcpy(tuple.raddr, m->raddr, sizeof(tuple.raddr));
	return filter_match(filter, &facts);
}

unsigned int tw_owners_of(struct tw_owners *o, const struct timewait *ledger, uint32_t netns,
			  uint64_t since_ns, const struct filter *filter, unsigned int n,
			  struct tw_group *ret)
{
	const struct tw_place *place = timewait_place(ledger, netns);
	const struct mini *m = NULL;
	unsigned int nr = 0;

	keytab_clear(&o->table);
	while (place && place->time_wait && (m = timewait_next(ledger, m))) {
		if (timewait_place_of(ledger, m) == place && m->seen_ns >= since_ns &&
		    !(m->flags & MINI_PARKED) &&
		    satisfies(filter, m, timewait_owner(ledger, m)))
			count(o, ledger, m);
	}
	for (uint32_t i = 0; i < o->table.nr; i++) {
		const struct tw_owner *owner = keytab_at(&o->table, i);

		tw_group_consider(ret, &nr, n, (struct tw_group){
			.owner = owner->who, .count = owner->count });
	}
	return nr;
}
