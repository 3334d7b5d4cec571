/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup_lookup.h - from a cgroup's id to its path, by asking the file system
 * (cgroup_mount.h).  Ids are never used twice, and v2 has no rename: an answer stays
 * true.  A handle opens the directory itself (CAP_DAC_READ_SEARCH, 8 us); who may not
 * do that walks the tree (cgroup_walk.h).
 */
#ifndef SYNFIN_CGROUP_LOOKUP_H
#define SYNFIN_CGROUP_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup_lookup;

/* How often what was done. */
struct cgroup_lookup_counts {
	uint64_t lookups, unknown, walks;
};

/* 0, or -errno: -ENOENT: no cgroup v2 is mounted here. */
int cgroup_lookup_open(struct cgroup_lookup **ret);
void cgroup_lookup_close(struct cgroup_lookup *l);

/*
 * The path from the root of the hierarchy, "/" the root itself; where synfin's
 * cgroup namespace does not show the root, as /proc/PID/cgroup has it.
 * since_ns (CLOCK_MONOTONIC): the cgroup was there then.  0, or
 *   -ENOENT  it is gone, or not to be seen from here, for good
 *   -EAGAIN  not known yet: ask again when it is needed again
 */
int cgroup_lookup_path(struct cgroup_lookup *l, uint64_t id, uint64_t since_ns,
		       char *path, size_t size);

/* Whether the cgroup of that id, whose path cgroup_lookup_path() said, is still there. */
bool cgroup_lookup_is_there(const struct cgroup_lookup *l, uint64_t id, const char *path);

/* False: what is mounted is a part of the hierarchy only. */
bool cgroup_lookup_is_whole(const struct cgroup_lookup *l);

struct cgroup_lookup_counts cgroup_lookup_counts(const struct cgroup_lookup *l);

#endif
