// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "engine_parts.h"

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 32;
}

uint64_t request_key(const struct wire_hdr *hdr, const struct wire_tuple *t)
{
	uint64_t words[4], hash = mix(hdr->netns, (uint64_t)t->lport << 16 | t->rport);

	if (hdr->cookie)
		return hdr->cookie;
	memcpy(words, t->laddr, 16);
	memcpy(words + 2, t->raddr, 16);
	for (int i = 0; i < 4; i++)
		hash = mix(hash, words[i]);
	return hash | NO_COOKIE;
}

/* Keys are hashes: another tuple, or a socket's address, may have the same. */
struct conn *request_find(struct engine *e, const struct wire_hdr *hdr, const struct wire_tuple *t)
{
	struct conn *c = conntab_find(&e->conns, request_key(hdr, t));

	if (!c || c->stage != STAGE_REQUEST || c->netns != hdr->netns)
		return NULL;
	return memcmp(&c->tuple, t, sizeof(*t)) ? NULL : c;
}
