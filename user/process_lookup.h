/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process_lookup.h - from a process that a record names to its program and command
 * line, by asking /proc: the process itself, and not who has its pid by now.
 */
#ifndef SYNFIN_PROCESS_LOOKUP_H
#define SYNFIN_PROCESS_LOOKUP_H

#include <stdbool.h>
#include <linux/types.h>
#include "wire.h"

enum process_wanted {
	PROCESS_PROGRAM	= 1 << 0,	/* and command line */
	PROCESS_CGROUP	= 1 << 1,	/* of version 1: cgroup_v1.h */
};

/*
 * Of the process that was seen as pid, born and comm, fills text and the lengths of
 * what is wanted; what is not to be seen, or not any more, has a length of 0.  0, or
 *   -ESRCH  it is gone, or has another name now: nothing is known of it
 *   -errno  of /proc
 */
int process_lookup(__u32 pid, __u32 born, const char *comm, unsigned int wanted,
		   struct wire_process *ret);

/* Whether this host has cgroups of version 1. */
bool process_lookup_has_cgroups(void);

/*
 * The parser: whether /proc/PID/stat, which is changed, is that of the process born
 * then, under this name.  Total: it trusts nothing about the text.
 */
bool process_stat_is(char *stat, __u32 born, const char *comm);

#endif
