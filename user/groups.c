// SPDX-License-Identifier: GPL-2.0-or-later
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "metrics.h"

int groups_init(struct groups *g, struct names *names)
{
	*g = (struct groups){ .names = names };
	return keytab_init(&g->table, sizeof(uint64_t), sizeof(struct group), GROUPS_MAX);
}

struct group *groups_at(const struct groups *g, uint32_t i)
{
	return keytab_at(&g->table, i);
}

void groups_deinit(struct groups *g)
{
	for (uint32_t i = 0; i < g->table.nr; i++)
		free(groups_at(g, i)->cgroup);
	keytab_deinit(&g->table);
}

/* Of version 1 the path is known from the start, and whether it is there yet is not. */
static void learn_at_once(struct groups *g, struct group *group, const struct cgroup *c)
{
	groups_learn(g, group, c->path);
	group->is_there = false;
}

/* Seldom another than the last. */
static struct group *group_of(struct groups *g, const struct owner *owner, uint64_t id,
			      uint64_t at_ns)
{
	const struct process *process = g->names ? names_process(g->names, owner) : NULL;
	struct group *group = g->last;

	if (process)
		id = names_group_of(g->names, id, process);
	if (!id || (g->names && id == CGROUP_ROOT))
		return &g->unknown;
	if (group && group->id == id)
		return group;
	group = keytab_add(&g->table, &id);
	if (!group)
		return &g->other;
	if (!group->first_ns) {
		group->first_ns = at_ns;
		g->nr_unasked++;
		if (id & CGROUP_V1)
			learn_at_once(g, group, process_cgroup(process));
	}
	g->last = group;
	return group;
}

/* ---- counters ---- */

/* Of whoever appears the path is wanted soon: many cgroups live for a moment. */
void groups_report(struct groups *g, const struct report *r)
{
	struct group *group;

	if (r->kind != REPORT_STATE && r->kind != REPORT_CONNECTION &&
	    r->kind != REPORT_RETRANSMIT)
		return;
	group = r->conn ? group_of(g, &r->conn->owner, r->conn->cgroup, r->at_ns) : &g->unknown;
	if (r->kind == REPORT_RETRANSMIT && !r->retransmit.err)
		group->retransmits += r->retransmit.segs;
	if (r->kind == REPORT_CONNECTION && metrics_is_failure(r)) {
		group->failures[r->connection.verdict.outcome]++;
		group->reasons |= 1u << r->connection.verdict.outcome;
	}
}

/* ---- sockets ---- */

struct round {
	struct groups *groups;
	uint64_t at_ns;
};

static void count_socket(void *ctx, const struct owner *owner, uint64_t cgroup,
			 enum tcp_state state)
{
	const struct round *r = ctx;

	group_of(r->groups, owner, cgroup, r->at_ns)->next[state]++;
}

static void count_minis(struct groups *g, const struct timewait *minis, uint64_t at_ns)
{
	for (struct mini *m = timewait_next(minis, NULL); m; m = timewait_next(minis, m)) {
		const struct ownership *of = timewait_owner(minis, m);

		if (m->flags & MINI_DOUBTFUL)
			continue;
		group_of(g, &of->owner, of->cgroup, at_ns)
			->next[m->flags & MINI_PARKED ? TS_FIN_WAIT2 : TS_TIME_WAIT]++;
	}
}

/* What was counted is told; a state that was told once is told on. */
static void take_over(struct group *group)
{
	memcpy(group->sockets, group->next, sizeof(group->sockets));
	memset(group->next, 0, sizeof(group->next));
	for (unsigned int s = 0; s < TS_MAX; s++)
		group->states |= (group->sockets[s] != 0) << s;
}

void groups_count(struct groups *g, const struct conntab *conns, const struct timewait *minis,
		  uint64_t at_ns)
{
	struct round round = { g, at_ns };

	conntab_sockets(conns, count_socket, &round);
	count_minis(g, minis, at_ns);
	take_over(&g->other);
	take_over(&g->unknown);
	for (uint32_t i = 0; i < g->table.nr; i++)
		take_over(groups_at(g, i));
	g->has_sockets = true;
}

/* ---- places ---- */

static bool has_sockets(const struct group *group)
{
	for (unsigned int s = 0; s < TS_MAX; s++) {
		if (group->sockets[s])
			return true;
	}
	return false;
}

static bool stays(const void *entry, const void *ctx)
{
	const struct group *group = entry;
	const uint64_t *at_ns = ctx;

	return !group->gone_ns || *at_ns - group->gone_ns < GROUPS_STAY_NS;
}

void groups_settle(struct groups *g, uint64_t at_ns)
{
	for (uint32_t i = 0; i < g->table.nr; i++) {
		struct group *group = groups_at(g, i);

		if (group->is_there || has_sockets(group))
			group->gone_ns = 0;
		else if (!group->gone_ns)
			group->gone_ns = at_ns;
		if (stays(group, &at_ns))
			continue;
		free(group->cgroup);
		g->nr_unasked -= !group->is_asked;
	}
	g->last = NULL;
	keytab_filter(&g->table, stays, &at_ns);
}

void groups_learn(struct groups *g, struct group *group, const char *path)
{
	if (group->is_asked)
		return;
	group->is_asked = true;
	g->nr_unasked--;
	group->is_there = path != NULL;
	if (path)
		group->cgroup = calloc(1, cgroup_size(path));
	if (group->cgroup)
		cgroup_init(group->cgroup, path);
}
