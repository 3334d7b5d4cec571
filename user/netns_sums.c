// SPDX-License-Identifier: GPL-2.0-or-later
#include "netns_sums.h"

struct reading {
	uint64_t netns;		/* key */
	uint64_t round;		/* the last in which it was read */
	uint64_t known;		/* bits by enum wire_fact */
	uint64_t values[WIRE_FACTS_MAX];
};

int netns_sums_init(struct netns_sums *s)
{
	*s = (struct netns_sums){};
	return keytab_init(&s->table, sizeof(uint64_t), sizeof(struct reading), NETNS_SUMS_MAX);
}

void netns_sums_deinit(struct netns_sums *s)
{
	keytab_deinit(&s->table);
}

/* One that has less than it had is another, which has counted all of it since. */
static uint64_t growth(const struct reading *before, unsigned int fact, uint64_t now)
{
	uint64_t then = before->values[fact];

	if (!(before->known >> fact & 1))
		return 0;
	return now < then ? now : now - then;
}

void netns_sums_add(struct netns_sums *s, const struct wire_netns_facts *facts)
{
	const uint64_t key = facts->hdr.netns;
	struct reading *r = keytab_add(&s->table, &key);

	if (!r)
		return;
	r->round = s->round;
	for (unsigned int i = WIRE_F_TW_BEGUN; i < WIRE_FACTS; i++) {
		if (!(facts->known >> i & 1))
			continue;
		s->sums[i] += growth(r, i, facts->values[i]);
		s->known |= 1ull << i;
		r->values[i] = facts->values[i];
		r->known |= 1ull << i;
	}
}

static bool was_read(const void *entry, const void *ctx)
{
	const struct reading *r = entry;
	const struct netns_sums *s = ctx;

	return r->round == s->round;
}

void netns_sums_end_round(struct netns_sums *s)
{
	keytab_filter(&s->table, was_read, s);
	s->round++;
}
