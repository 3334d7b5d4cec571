// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "engine_parts.h"
#include "hash.h"

uint64_t request_key(const struct wire_hdr *hdr, const struct wire_tuple *t)
{
	uint64_t hash = hash_word(hdr->netns, (uint64_t)t->lport << 16 | t->rport);

	if (hdr->cookie)
		return hdr->cookie;
	hash = hash_words(hash, t->laddr, sizeof(t->laddr));
	hash = hash_words(hash, t->raddr, sizeof(t->raddr));
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
