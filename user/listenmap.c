// SPDX-License-Identifier: GPL-2.0-or-later
#include "listenmap.h"

#include <string.h>

/* How near a listening socket is to a connection, the nearest first. */
enum nearness { THIS_ADDRESS, ANY_OF_FAMILY, ANY_ADDRESS, NOT_AT_ALL };

static const uint8_t any_v4[16] = { [10] = 0xff, 0xff };
static const uint8_t any_v6[16];

static uint32_t bucket_of(uint32_t netns, uint16_t port)
{
	return (netns * 31 + port) % LISTENMAP_BUCKETS;
}

static struct conn **find(struct listenmap *m, const struct conn *listener)
{
	struct conn **link = &m->buckets[bucket_of(listener->netns, listener->tuple.lport)];

	while (*link && *link != listener)
		link = &(*link)->next_listener;
	return link;
}

void listenmap_add(struct listenmap *m, struct conn *listener)
{
	struct conn **link = find(m, listener);

	if (*link)
		return;
	listener->next_listener = NULL;
	*link = listener;
}

void listenmap_remove(struct listenmap *m, struct conn *listener)
{
	struct conn **link = find(m, listener);

	if (*link)
		*link = listener->next_listener;
}

static bool is_addr(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, 16);
}

static enum nearness nearness(const struct conn *l, uint32_t netns, const struct wire_tuple *t)
{
	if (l->netns != netns || l->tuple.lport != t->lport)
		return NOT_AT_ALL;
	if (is_addr(l->tuple.laddr, t->laddr))
		return THIS_ADDRESS;
	if (t->family == 4 && is_addr(l->tuple.laddr, any_v4))
		return ANY_OF_FAMILY;
	if (is_addr(l->tuple.laddr, any_v6))
		return t->family == 4 ? ANY_ADDRESS : ANY_OF_FAMILY;
	return NOT_AT_ALL;
}

/* A child has its listener's cgroup (sk_clone_lock(), cgroup_sk_clone()). */
static bool is_of_cgroup(const struct conn *l, uint64_t cgroup)
{
	return !cgroup || !l->cgroup || l->cgroup == cgroup;
}

static bool is_sure(const struct conn *l, uint64_t sure_ns)
{
	return l->since_ns >= sure_ns || l->census_ns >= sure_ns;
}

/* Those that are equally near. */
struct place {
	const struct owner *owner;	/* NULL: nobody yet */
	bool unclear;			/* of several processes, or of nobody known */
};

static void put(struct place *p, const struct conn *l, uint64_t sure_ns)
{
	bool is_another = p->owner && !owner_is_same(p->owner, &l->owner);

	if (!l->owner.from || !is_sure(l, sure_ns) || is_another)
		p->unclear = true;
	else
		p->owner = &l->owner;
}

static bool is_empty(const struct place *p)
{
	return !p->owner && !p->unclear;
}

static bool is_all_of(const struct place *p, const struct owner *owner)
{
	return is_empty(p) || (!p->unclear && owner_is_same(p->owner, owner));
}

const struct owner *listenmap_owner(const struct listenmap *m, uint32_t netns,
				    const struct wire_tuple *t, uint64_t cgroup,
				    uint64_t sure_ns)
{
	struct place places[NOT_AT_ALL + 1] = {}, *p = places;
	const struct owner *owner;
	const struct conn *l;

	for (l = m->buckets[bucket_of(netns, t->lport)]; l; l = l->next_listener) {
		if (is_of_cgroup(l, cgroup))
			put(&places[nearness(l, netns, t)], l, sure_ns);
	}
	while (p < &places[NOT_AT_ALL] && is_empty(p))
		p++;
	if (p == &places[NOT_AT_ALL] || p->unclear)
		return NULL;
	owner = p->owner;
	/*
	 * On one port this address and any go together only by SO_REUSEPORT, or if
	 * each has a device of its own, which then decides (inet_csk_bind_conflict()).
	 * 0.0.0.0 and :: do so in peace: the latter is for IPv6 alone, or comes second.
	 */
	if (p == &places[THIS_ADDRESS] &&
	    !(is_all_of(&places[ANY_OF_FAMILY], owner) && is_all_of(&places[ANY_ADDRESS], owner)))
		return NULL;
	return owner;
}
