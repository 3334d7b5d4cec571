/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addrset.h - a set of IP addresses, as a filter asks for: prefixes, the longest
 * of which decides, so that any mix of `in` and `not in` is one table, and the
 * kernel's LPM trie decides the same (wire_addrs).  Pure.
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d.  An IPv6
 * prefix never has IPv4 addresses, ::/0 neither.
 */
#ifndef SYNFIN_ADDRSET_H
#define SYNFIN_ADDRSET_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>
#include "wire.h"

/* 128 - 32: the length of the prefix that holds IPv4. */
#define ADDR_V4_BITS	96

/* ::ffff:a.b.c.d; of a prefix: of at least ADDR_V4_BITS. */
bool addr_is_v4(const uint8_t addr[16]);

/* 0.0.0.0 or ::, which no connected socket has: not known (yet). */
bool addr_is_unspecified(const uint8_t addr[16]);

/* Zeroes what is behind the first len bits. */
void addr_mask(uint8_t addr[16], unsigned int len);

/* Whether addr is in the prefix, which is masked. */
bool addr_in_prefix(const uint8_t addr[16], const uint8_t prefix[16], unsigned int len);

/* Those of one prefix; every address. */
struct wire_addrs addrset_of(const uint8_t prefix[16], unsigned int len);
struct wire_addrs addrset_all(void);

bool addrset_is_all(const struct wire_addrs *set);

/* A set without any prefix, len 0, has every address. */
bool addrset_contains(const struct wire_addrs *set, const uint8_t addr[16]);

/*
 * Of sets from the functions above and below; ret may be one of the operands.
 * Where it would take more than WIRE_PREFIXES_MAX prefixes it is every address,
 * and false is returned.
 */
bool addrset_union(const struct wire_addrs *a, const struct wire_addrs *b, struct wire_addrs *ret);
bool addrset_intersect(const struct wire_addrs *a, const struct wire_addrs *b,
		       struct wire_addrs *ret);
bool addrset_complement(const struct wire_addrs *set, struct wire_addrs *ret);

#endif
