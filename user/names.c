// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include <string.h>

/* Busy hosts have some thousand cgroups, whose paths take some 150 bytes. */
#define CGROUPS_MAX	(1u << 16)
#define CGROUPS_BYTES	(16u << 20)
#define NETNS_MAX	(1u << 12)
#define NETNS_BYTES	(1u << 20)

int names_init(struct names *n)
{
	int err = memo_init(&n->cgroups, CGROUPS_MAX, CGROUPS_BYTES);

	if (err)
		return err;
	err = memo_init(&n->netns, NETNS_MAX, NETNS_BYTES);
	if (err)
		memo_deinit(&n->cgroups);
	return err;
}

void names_deinit(struct names *n)
{
	memo_deinit(&n->cgroups);
	memo_deinit(&n->netns);
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

void names_learn(struct names *n, const union event *ev)
{
	if (ev->hdr.kind == WIRE_CGROUP)
		learn_cgroup(n, &ev->cgroup);
	else if (ev->hdr.kind == WIRE_NETNS_NAME)
		learn_netns(n, &ev->netns_name);
}

bool names_know(struct names *n, enum wire_kind kind, uint64_t id)
{
	if (kind == WIRE_CGROUP)
		return memo_find(&n->cgroups, id);
	return kind == WIRE_NETNS_NAME && memo_find(&n->netns, id);
}

const struct cgroup *names_cgroup(struct names *n, uint64_t id)
{
	const struct cgroup *c = id ? memo_find(&n->cgroups, id) : NULL;

	return c && c->path_len ? c : NULL;
}

const char *names_netns(struct names *n, uint32_t inode)
{
	const char *name = inode ? memo_find(&n->netns, inode) : NULL;

	return name && *name ? name : NULL;
}
