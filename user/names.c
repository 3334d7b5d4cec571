// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include <string.h>

/* Busy hosts have some thousand cgroups, whose paths take some 150 bytes. */
#define CGROUPS_MAX	(1u << 16)
#define CGROUPS_BYTES	(16u << 20)
#define NETNS_MAX	(1u << 12)
#define NETNS_BYTES	(1u << 20)

/* Some 200 bytes each; of those that open a connection each and end only the last. */
#define PROCESSES_MAX	(1u << 16)
#define PROCESSES_BYTES	(32u << 20)

int names_init(struct names *n)
{
	int err;

	*n = (struct names){};
	err = memo_init(&n->cgroups, CGROUPS_MAX, CGROUPS_BYTES);
	if (!err)
		err = memo_init(&n->netns, NETNS_MAX, NETNS_BYTES);
	if (!err)
		err = memo_init(&n->processes, PROCESSES_MAX, PROCESSES_BYTES);
	if (err)
		names_deinit(n);
	return err;
}

void names_deinit(struct names *n)
{
	memo_deinit(&n->cgroups);
	memo_deinit(&n->netns);
	memo_deinit(&n->processes);
}

/* "" is kept, too: it is known to have no name. */
static void learn_cgroup(struct names *n, const struct wire_cgroup *ev)
{
	struct cgroup *c = memo_put(&n->cgroups, ev->id, cgroup_size(ev->path));

	if (c)
		cgroup_init(c, ev->path);
}

static void learn_netns(struct names *n, const struct wire_netns_name *ev)
{
	size_t size = strlen(ev->name) + 1;
	char *copy = memo_put(&n->netns, ev->hdr.netns, size);

	if (copy)
		memcpy(copy, ev->name, size);
}

static void learn_process(struct names *n, const struct wire_process *ev)
{
	uint64_t id = process_id(ev->pid, ev->born, ev->comm);
	struct process *p = memo_put(&n->processes, id, process_size(ev));

	if (p)
		process_init(p, ev);
}

void names_learn(struct names *n, const union event *ev)
{
	if (ev->hdr.kind == WIRE_CGROUP)
		learn_cgroup(n, &ev->cgroup);
	else if (ev->hdr.kind == WIRE_NETNS_NAME)
		learn_netns(n, &ev->netns_name);
	else if (ev->hdr.kind == WIRE_PROCESS)
		learn_process(n, &ev->process);
}

bool names_know(struct names *n, enum wire_kind kind, uint64_t id)
{
	if (kind == WIRE_CGROUP)
		return memo_find(&n->cgroups, id);
	if (kind == WIRE_PROCESS)
		return memo_find(&n->processes, id);
	return kind == WIRE_NETNS_NAME && memo_find(&n->netns, id);
}

const struct cgroup *names_cgroup(struct names *n, uint64_t id)
{
	const struct cgroup *c = id ? memo_find(&n->cgroups, id) : NULL;

	return c && c->path_len ? c : NULL;
}

const struct cgroup *names_cgroup_of(struct names *n, uint64_t id, const struct process *owner)
{
	const struct cgroup *owners = owner ? process_cgroup(owner) : NULL;
	const struct cgroup *own = names_cgroup(n, id);

	if (!owners)
		return own;
	if (id <= CGROUP_ROOT)
		return owners;
	return own && !own->container_id.len && owners->container_id.len ? owners : own;
}

/* FNV-1a. */
static uint64_t number_of(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	while (*path)
		hash = (hash ^ (uint8_t)*path++) * 0x100000001b3ull;
	return hash;
}

uint64_t names_group_of(struct names *n, uint64_t id, const struct process *owner)
{
	const struct cgroup *c = owner ? names_cgroup_of(n, id, owner) : NULL;

	if (c && c == process_cgroup(owner))
		return number_of(c->path) | CGROUP_V1;
	return id & ~CGROUP_V1;
}

const char *names_netns(struct names *n, uint32_t inode)
{
	const char *name = inode ? memo_find(&n->netns, inode) : NULL;

	return name && *name ? name : NULL;
}

const struct process *names_process(struct names *n, const struct owner *o)
{
	const struct process *p = NULL;

	if (o->from && o->born && n->processes.nr)	/* of most runs nobody asked for them */
		p = memo_find(&n->processes, process_id(o->pid, o->born, o->comm));
	return p && process_is(p, o->pid, o->born, o->comm) ? p : NULL;
}
