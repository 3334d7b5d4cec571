/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup_walk.h - from a cgroup's id to its path without privileges: by walking
 * the tree, whose directories have the ids as inode numbers, and keeping what was
 * seen.  A large tree is walked in slices of 20 ms, when something is asked for, and
 * in a twentieth of the time at most.  The 16384 directories nearest to the root
 * are looked at, in 16 MB of memory.
 */
#ifndef SYNFIN_CGROUP_WALK_H
#define SYNFIN_CGROUP_WALK_H

#include <stddef.h>
#include <stdint.h>

struct cgroup_walk;

/* top: the directory to begin at, open as long as the walk.  0 or -ENOMEM. */
int cgroup_walk_create(int top, struct cgroup_walk **ret);
void cgroup_walk_destroy(struct cgroup_walk *w);

/*
 * From the top, which is "".  since_ns (CLOCK_MONOTONIC): it was there then.
 *   -ENOENT  it is gone, or out of reach
 *   -EAGAIN  not met yet
 */
int cgroup_walk_find(struct cgroup_walk *w, uint64_t id, uint64_t since_ns,
		     char *path, size_t size);

/* Whole walks so far. */
uint64_t cgroup_walk_count(const struct cgroup_walk *w);

#endif
