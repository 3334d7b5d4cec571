// SPDX-License-Identifier: GPL-2.0-or-later
#include "addrset.h"

#include <string.h>

#define ADDR_BITS	128

static const uint8_t v4_prefix[16] = { [10] = 0xff, 0xff };
static const uint8_t zero[16];

bool addr_is_v4(const uint8_t addr[16])
{
	return !memcmp(addr, v4_prefix, ADDR_V4_BITS / 8);
}

bool addr_is_unspecified(const uint8_t addr[16])
{
	return !memcmp(addr, zero, sizeof(zero)) || !memcmp(addr, v4_prefix, sizeof(v4_prefix));
}

void addr_mask(uint8_t addr[16], unsigned int len)
{
	for (unsigned int i = len / 8; i < 16; i++)
		addr[i] = i == len / 8 && len % 8 ? addr[i] & 0xff00 >> len % 8 : 0;
}

/* Whether the first len bits are the same. */
static bool starts_alike(const uint8_t a[16], const uint8_t b[16], unsigned int len)
{
	return !memcmp(a, b, len / 8) &&
	       (!(len % 8) || !((a[len / 8] ^ b[len / 8]) & 0xff00 >> len % 8));
}

bool addr_in_prefix(const uint8_t addr[16], const uint8_t prefix[16], unsigned int len)
{
	return starts_alike(addr, prefix, len) && (len >= ADDR_V4_BITS || !addr_is_v4(addr));
}

/* ---- tables of prefixes ---- */

/* The verdict on all that is in the prefix and in no longer one of the table. */
static bool verdict_on(const struct wire_addrs *set, const uint8_t addr[16], unsigned int len)
{
	const struct wire_prefix *best = NULL;

	for (uint32_t i = 0; i < set->len; i++) {
		const struct wire_prefix *p = &set->prefix[i];

		if (p->len <= len && starts_alike(addr, p->addr, p->len) &&
		    (!best || p->len > best->len))
			best = p;
	}
	return best && best->wanted;
}

/*
 * After all shorter ones.  A prefix that says the same as the next shorter one
 * is none.  False: there is no room.
 */
static bool add(struct wire_addrs *set, const struct wire_prefix *p, bool wanted)
{
	struct wire_prefix *new = &set->prefix[set->len];

	if (verdict_on(set, p->addr, p->len) == wanted)
		return true;
	if (set->len == WIRE_PREFIXES_MAX)
		return false;
	*new = *p;
	new->wanted = wanted;
	set->len++;
	return true;
}

static bool too_many(struct wire_addrs *ret)
{
	*ret = addrset_all();
	return false;
}

struct wire_addrs addrset_of(const uint8_t prefix[16], unsigned int len)
{
	struct wire_addrs ret = {};
	struct wire_prefix p = { .len = len }, v4 = { .len = ADDR_V4_BITS };

	memcpy(p.addr, prefix, sizeof(p.addr));
	memcpy(v4.addr, v4_prefix, sizeof(v4.addr));
	add(&ret, &p, true);
	if (len < ADDR_V4_BITS && starts_alike(prefix, v4_prefix, len))
		add(&ret, &v4, false);
	return ret;
}

struct wire_addrs addrset_all(void)
{
	return (struct wire_addrs){ .len = 1, .prefix = { { .wanted = true } } };
}

bool addrset_is_all(const struct wire_addrs *set)
{
	return !set->len || (set->len == 1 && !set->prefix[0].len && set->prefix[0].wanted);
}

bool addrset_contains(const struct wire_addrs *set, const uint8_t addr[16])
{
	return !set->len || verdict_on(set, addr, ADDR_BITS);
}

/* ---- sets of sets ---- */

/* What is asked of a and b is asked at each of their prefixes, the shortest first. */
struct both {
	const struct wire_addrs *a, *b;
	const struct wire_prefix *prefix[2 * WIRE_PREFIXES_MAX];
	unsigned int len;
};

static void sort_in(struct both *both, const struct wire_addrs *set)
{
	for (uint32_t i = 0; i < set->len; i++) {
		unsigned int at = both->len++;

		for (; at && both->prefix[at - 1]->len > set->prefix[i].len; at--)
			both->prefix[at] = both->prefix[at - 1];
		both->prefix[at] = &set->prefix[i];
	}
}

static bool combine(const struct wire_addrs *a, const struct wire_addrs *b, bool is_union,
		    struct wire_addrs *ret)
{
	struct both both = { .a = a, .b = b };
	struct wire_addrs set = {};

	sort_in(&both, a);
	sort_in(&both, b);
	for (unsigned int i = 0; i < both.len; i++) {
		const struct wire_prefix *p = both.prefix[i];
		bool in_a = verdict_on(a, p->addr, p->len), in_b = verdict_on(b, p->addr, p->len);

		if (!add(&set, p, is_union ? in_a || in_b : in_a && in_b))
			return too_many(ret);
	}
	if (!set.len)	/* nothing at all, which is not len 0 */
		set.len = 1;
	*ret = set;
	return true;
}

bool addrset_union(const struct wire_addrs *a, const struct wire_addrs *b, struct wire_addrs *ret)
{
	return combine(a, b, true, ret);
}

bool addrset_intersect(const struct wire_addrs *a, const struct wire_addrs *b,
		       struct wire_addrs *ret)
{
	return combine(a, b, false, ret);
}

bool addrset_complement(const struct wire_addrs *set, struct wire_addrs *ret)
{
	struct wire_addrs inverse = addrset_all();

	for (uint32_t i = 0; i < set->len; i++) {
		const struct wire_prefix *p = &set->prefix[i];

		if (!p->len)
			inverse.prefix[0].wanted = !p->wanted;
		else if (!add(&inverse, p, !p->wanted))
			return too_many(ret);
	}
	*ret = inverse;
	return true;
}
