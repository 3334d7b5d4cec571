// SPDX-License-Identifier: GPL-2.0-or-later
#include "tw_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tcp_state.h"

#define REMOTES_MAX	65536
#define PORTS		65536
#define STEP_SECONDS	5

int tw_table_init(struct tw_table *t)
{
	int err;

	*t = (struct tw_table){};
	err = keytab_init(&t->remotes, sizeof(((struct tw_remote *)0)->addr),
			  sizeof(struct tw_remote), REMOTES_MAX);
	if (err)
		return err;
	t->lports = calloc(PORTS, sizeof(*t->lports));
	if (t->lports)
		return 0;
	keytab_deinit(&t->remotes);
	return -ENOMEM;
}

void tw_table_deinit(struct tw_table *t)
{
	keytab_deinit(&t->remotes);
	free(t->lports);
	*t = (struct tw_table){};
}

void tw_table_clear(struct tw_table *t)
{
	if (t->count)
		memset(t->lports, 0, PORTS * sizeof(*t->lports));
	keytab_clear(&t->remotes);
	memset(t->left, 0, sizeof(t->left));
	t->count = t->fin_wait2 = 0;
}

/* The timer's slack leaves a few overdue; they are about to go. */
static unsigned int step_of(int32_t left, uint32_t hz)
{
	uint32_t step = left < 0 ? 0 : left / hz / STEP_SECONDS;

	return step < TW_STEPS ? step : TW_STEPS - 1;
}

void tw_table_add(struct tw_table *t, const struct wire_mini *mini, uint32_t hz)
{
	struct tw_remote *remote;

	if (mini->substate != TS_TIME_WAIT) {
		t->fin_wait2++;
		return;
	}
	t->count++;
	t->left[step_of(mini->left, hz)]++;
	t->lports[mini->tuple.lport]++;
	remote = keytab_add(&t->remotes, mini->tuple.raddr);
	if (remote)
		remote->count++;
}

void tw_table_add_group(struct tw_table *t, const struct wire_mini_group *group)
{
	struct tw_remote *remote;

	t->fin_wait2 += group->fin_wait2;
	t->count += group->time_wait;
	for (unsigned int i = 0; i < TW_STEPS; i++)
		t->left[i] += group->left[i];
	remote = group->time_wait ? keytab_add(&t->remotes, group->tuple.raddr) : NULL;
	if (remote)
		remote->count += group->time_wait;
}

void tw_table_add_ports(struct tw_table *t, const struct wire_mini_ports *ports)
{
	for (unsigned int i = 0; i < 64; i++)
		t->lports[ports->first + i] += ports->counts[i];
}

static bool comes_before(const struct tw_group *a, const struct tw_group *b)
{
	if (a->count != b->count)
		return a->count > b->count;
	if (a->addr)
		return memcmp(a->addr, b->addr, 16) < 0;
	return a->lport < b->lport;
}

void tw_group_consider(struct tw_group *ret, unsigned int *nr, unsigned int n,
		       struct tw_group group)
{
	unsigned int at = *nr;

	if (at == n && (!n || !comes_before(&group, &ret[n - 1])))
		return;
	if (at < n)
		++*nr;
	else
		at--;
	for (; at && comes_before(&group, &ret[at - 1]); at--)
		ret[at] = ret[at - 1];
	ret[at] = group;
}

static uint64_t sum(const struct tw_group *groups, unsigned int nr)
{
	uint64_t ret = 0;

	for (unsigned int i = 0; i < nr; i++)
		ret += groups[i].count;
	return ret;
}

unsigned int tw_table_remotes(const struct tw_table *t, unsigned int n, struct tw_group *ret,
			      uint64_t *rest)
{
	unsigned int nr = 0;

	for (uint32_t i = 0; i < t->remotes.nr; i++) {
		const struct tw_remote *remote = keytab_at(&t->remotes, i);

		tw_group_consider(ret, &nr, n, (struct tw_group){
			.addr = remote->addr, .count = remote->count });
	}
	*rest = t->count - sum(ret, nr);
	return nr;
}

unsigned int tw_table_lports(const struct tw_table *t, unsigned int n, struct tw_group *ret,
			     uint64_t *rest)
{
	unsigned int nr = 0;

	for (uint32_t port = 0; t->count && port < PORTS; port++) {
		if (t->lports[port])
			tw_group_consider(ret, &nr, n, (struct tw_group){
				.lport = port, .count = t->lports[port] });
	}
	*rest = t->count - sum(ret, nr);
	return nr;
}
