/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h - what the ids in the kernel's records are called: learned from the
 * records that say it (WIRE_CGROUP and its kin), in bounded memory.  Pure.
 */
#ifndef SYNFIN_NAMES_H
#define SYNFIN_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "event.h"
#include "memo.h"
#include "owner.h"
#include "process.h"

/* Of a hierarchy's root; kernels that know no cgroup of a socket tell 0. */
#define CGROUP_ROOT	1

struct names {
	struct memo cgroups, netns, processes;
};

/* -ENOMEM and nothing to free, or 0. */
int names_init(struct names *n);
void names_deinit(struct names *n);

/* ev: one that names something; of any other kind nothing is learned. */
void names_learn(struct names *n, const union event *ev);

/*
 * Whether the name of id, or that it has none, was told and is still known, by a
 * record of kind; of a process id is process_id().  Counts as a use.
 */
bool names_know(struct names *n, enum wire_kind kind, uint64_t id);

/* NULL: not known.  Valid until something is learned. */
const struct cgroup *names_cgroup(struct names *n, uint64_t id);

/*
 * Of a socket of that cgroup whose owner, NULL if not known, is that process.  Where
 * there is version 1, too, a container's processes may be in the root of version 2, or
 * in the cgroup of who started them: then it is the owner's.  Likewise.
 */
const struct cgroup *names_cgroup_of(struct names *n, uint64_t id, const struct process *owner);

/*
 * What its sockets are counted under: the id, unless the cgroup is the owner's: then a
 * number that stands for its path, with this bit, which no kernel's id has; a
 * recording's loses it.
 */
#define CGROUP_V1	(1ull << 63)
uint64_t names_group_of(struct names *n, uint64_t id, const struct process *owner);

const char *names_netns(struct names *n, uint32_t inode);
const struct process *names_process(struct names *n, const struct owner *o);

#endif
