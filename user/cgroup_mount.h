/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup_mount.h - where the cgroup v2 hierarchy is mounted: for synfin, alone or
 * beside v1's as "hybrid" hosts have it; or for PID 1; or else (CAP_SYS_ADMIN) just
 * for this, where nobody else sees it.
 */
#ifndef SYNFIN_CGROUP_MOUNT_H
#define SYNFIN_CGROUP_MOUNT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cgroup_mount {
	int fd;			/* of the directory */
	bool is_root;		/* of the hierarchy; else what is mounted is a part of it */
	char above[PATH_MAX];	/* the part, as mountinfo has it; "": the root */
	char path[PATH_MAX];	/* as cgroup_mount_path_of() has it */
};

/* 0, or -ENOENT: it is mounted nowhere. */
int cgroup_mount_open(struct cgroup_mount *m);
void cgroup_mount_close(struct cgroup_mount *m);

/* A descriptor's own path, whatever led to it: its length, or -errno. */
ssize_t cgroup_mount_path_of(int fd, char *buf, size_t size);

/*
 * The parser: whether a line of mountinfo, which is changed, is of cgroup2, what of it
 * is mounted, and where.  Total: it trusts nothing about the line.
 */
bool cgroup_mount_parse(char *line, char **root, char **mountpoint);

#endif
