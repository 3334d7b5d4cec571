/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process.h - a process, and what /proc showed of it.  One is known by its pid, its
 * birth, and its name: a pid is given again, and with execve() the name changes, and
 * with it all that is told here.  Pure.
 */
#ifndef SYNFIN_PROCESS_H
#define SYNFIN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup.h"
#include "event.h"

struct process {
	uint32_t pid, born;
	char comm[WIRE_COMM_LEN];
	uint16_t exe_len, cmdline_len;	/* 0: not known */
	uint16_t cgroup_len;		/* likewise */
	char text[];			/* exe, then cmdline: any bytes; then a struct cgroup */
};

/* A key; of two processes it is hardly ever the same: process_is() tells them apart. */
uint64_t process_id(uint32_t pid, uint32_t born, const char *comm);

size_t process_size(const struct wire_process *ev);

/* p: of process_size(ev) bytes, aligned for whatever C has. */
void process_init(struct process *p, const struct wire_process *ev);

/* Its cgroup of version 1; NULL: not known, or there is none. */
const struct cgroup *process_cgroup(const struct process *p);

bool process_is(const struct process *p, uint32_t pid, uint32_t born, const char *comm);

#endif
