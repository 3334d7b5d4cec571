/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup_v1.h - cgroups of version 1, which a socket does not have, but its owner:
 * of the paths in /proc/PID/cgroup, one for each hierarchy, the one that says most.
 * Pure.
 */
#ifndef SYNFIN_CGROUP_V1_H
#define SYNFIN_CGROUP_V1_H

#include <stdbool.h>
#include <stddef.h>

/*
 * text: the file, terminated; it is taken apart.  Of the paths that are not the root's
 * the first that has a container in it; else systemd's own; else the first.  NULL:
 * there is none.  Version 2 is passed over, and so is what lies outside of synfin's
 * cgroup namespace, whose paths begin with "/..".
 */
const char *cgroup_v1_pick(char *text);

/* Whether a file says that there are hierarchies of version 1 at all. */
bool cgroup_v1_is_used(const char *text);

#endif
