// SPDX-License-Identifier: GPL-2.0-or-later
#include "owner.h"

#include <string.h>

static bool proves_more(enum owner_word from, const struct owner *o)
{
	return !o->from || from < o->from;
}

void owner_prove(struct owner *o, enum owner_word from, const struct wire_owner *by, uint32_t born)
{
	if (!by->pid || !proves_more(from, o))
		return;
	o->from = from;
	o->pid = by->pid;
	o->uid = by->uid;
	o->born = born;
	memcpy(o->comm, by->comm, sizeof(o->comm));
}

void owner_inherit(struct owner *o, enum owner_word from, const struct owner *by)
{
	if (!by->from || !proves_more(from, o))
		return;
	*o = *by;
	o->from = from;
}

bool owner_is_same(const struct owner *a, const struct owner *b)
{
	return a->from && b->from && a->pid == b->pid && a->born == b->born;
}
