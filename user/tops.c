// SPDX-License-Identifier: GPL-2.0-or-later
#include "tops.h"

#include <string.h>

#include "tcp_state.h"

#define PPB	1000000000ull

int tops_init(struct tops *t, unsigned int k)
{
	int err = 0;

	*t = (struct tops){ .k = k };
	if (k)
		err = topk_init(&t->remotes, k, sizeof(struct tops_remote));
	if (k && !err)
		err = topk_init(&t->lports, k, sizeof(uint64_t));
	if (k && !err)
		err = topk_init(&t->spaces, k, sizeof(struct tops_space));
	if (err)
		tops_deinit(t);
	return err;
}

void tops_deinit(struct tops *t)
{
	topk_deinit(&t->remotes);
	topk_deinit(&t->lports);
	topk_deinit(&t->spaces);
}

void tops_seed(struct tops *t, uint64_t seed)
{
	t->remotes.round.seed = t->lports.round.seed = t->spaces.round.seed = seed;
}

void tops_begin(struct tops *t)
{
	if (!t->k)
		return;
	topk_begin(&t->remotes);
	topk_begin(&t->lports);
	topk_begin(&t->spaces);
}

void tops_add_mini(struct tops *t, const struct wire_mini *mini)
{
	const struct wire_tuple *tuple = &mini->tuple;
	struct tops_remote remote = { .port = tuple->rport, .family = tuple->family };
	const uint64_t lport = tuple->lport;

	if (!t->k || mini->substate != TS_TIME_WAIT)
		return;
	memcpy(remote.addr, tuple->raddr, sizeof(remote.addr));
	topk_add(&t->remotes, &remote, 1);
	topk_add(&t->lports, &lport, 1);
}

static void tell_space(struct tops *t, const struct port_space *s, uint32_t capacity)
{
	struct tops_space key = {
		.rport = s->key.rport, .is_pool = s->key.is_pool, .family = s->family,
	};

	memcpy(key.laddr, s->key.laddr, sizeof(key.laddr));
	memcpy(key.raddr, s->key.raddr, sizeof(key.raddr));
	topk_raise(&t->spaces, &key, (s->used - s->reusable) * PPB / capacity);
}

void tops_leave(struct tops *t, const struct ports *ports)
{
	if (!t->k || !ports->capacity)
		return;
	for (uint32_t i = 0; i < ports->nr_touched; i++)
		tell_space(t, keytab_at(&ports->spaces, ports->touched[i]), ports->capacity);
}

void tops_end(struct tops *t, uint64_t at_ns)
{
	if (!t->k)
		return;
	topk_end(&t->remotes, at_ns);
	topk_end(&t->lports, at_ns);
	topk_end(&t->spaces, at_ns);
}
