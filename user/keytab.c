// SPDX-License-Identifier: GPL-2.0-or-later
#include "keytab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

int keytab_init(struct keytab *t, size_t key_size, size_t entry_size, uint32_t limit)
{
	*t = (struct keytab){
		.key_size = key_size, .entry_size = entry_size, .limit = limit, .nr_slots = 2,
	};
	while (t->nr_slots < 2 * limit)	/* at most half full: probes stay short */
		t->nr_slots *= 2;
	t->entries = calloc(limit, entry_size);
	t->slots = calloc(t->nr_slots, sizeof(*t->slots));
	if (t->entries && t->slots)
		return 0;
	keytab_deinit(t);
	return -ENOMEM;
}

void keytab_deinit(struct keytab *t)
{
	free(t->entries);
	free(t->slots);
	*t = (struct keytab){};
}

void *keytab_at(const struct keytab *t, uint32_t i)
{
	return t->entries + i * t->entry_size;
}

static uint32_t slot_of(const struct keytab *t, const void *key)
{
	return hash_words(t->seed, key, t->key_size) & (t->nr_slots - 1);
}

/* Where the key is, or would be. */
static uint32_t *probe(const struct keytab *t, const void *key)
{
	uint32_t i = slot_of(t, key);

	while (t->slots[i] && memcmp(keytab_at(t, t->slots[i] - 1), key, t->key_size))
		i = (i + 1) & (t->nr_slots - 1);
	return &t->slots[i];
}

void *keytab_find(const struct keytab *t, const void *key)
{
	uint32_t slot = *probe(t, key);

	return slot ? keytab_at(t, slot - 1) : NULL;
}

void *keytab_add(struct keytab *t, const void *key)
{
	uint32_t *slot = probe(t, key);
	char *entry;

	if (*slot)
		return keytab_at(t, *slot - 1);
	if (t->nr == t->limit)
		return NULL;
	*slot = ++t->nr;
	entry = keytab_at(t, *slot - 1);
	memset(entry, 0, t->entry_size);
	memcpy(entry, key, t->key_size);
	return entry;
}

/* Few entries are looked up; many are wiped with all slots. */
void keytab_clear(struct keytab *t)
{
	if (t->nr > t->nr_slots / 16) {
		memset(t->slots, 0, t->nr_slots * sizeof(*t->slots));
		t->nr = 0;
		return;
	}
	/* last first: who came later never stands in the way of who came before */
	while (t->nr) {
		*probe(t, keytab_at(t, t->nr - 1)) = 0;
		t->nr--;
	}
}

void keytab_filter(struct keytab *t, bool (*keep)(const void *entry, const void *ctx),
		   const void *ctx)
{
	uint32_t nr = t->nr;

	keytab_clear(t);	/* the entries stay where they are */
	for (uint32_t i = 0; i < nr; i++) {
		const char *entry = keytab_at(t, i);

		if (!keep(entry, ctx))
			continue;
		*probe(t, entry) = t->nr + 1;
		memmove(keytab_at(t, t->nr++), entry, t->entry_size);
	}
}
