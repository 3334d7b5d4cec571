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

static void keep(struct memo *m, uint64_t id, const char *name)
{
	size_t size = strlen(name) + 1;
	char *copy = memo_put(m, id, size);

	if (copy)
		memcpy(copy, name, size);
}

void names_learn(struct names *n, const union event *ev)
{
	if (ev->hdr.kind == WIRE_CGROUP)
		keep(&n->cgroups, ev->cgroup.id, ev->cgroup.path);
	else if (ev->hdr.kind == WIRE_NETNS_NAME)
		keep(&n->netns, ev->hdr.netns, ev->netns_name.name);
}

bool names_know(struct names *n, enum wire_kind kind, uint64_t id)
{
	if (kind == WIRE_CGROUP)
		return memo_find(&n->cgroups, id);
	return kind == WIRE_NETNS_NAME && memo_find(&n->netns, id);
}

/* "" stands for what is known to have none. */
static const char *name_in(struct memo *m, uint64_t id)
{
	const char *name = memo_find(m, id);

	return name && *name ? name : NULL;
}

const char *names_cgroup(struct names *n, uint64_t id)
{
	return name_in(&n->cgroups, id);
}

const char *names_netns(struct names *n, uint32_t inode)
{
	return name_in(&n->netns, inode);
}
