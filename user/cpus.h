/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpus.h - how many rows a table by CPU takes: one more than the highest number that one
 * may have.  Where there are gaps between the numbers there are fewer CPUs than that.
 */
#ifndef SYNFIN_CPUS_H
#define SYNFIN_CPUS_H

#include <stddef.h>

/* 0-3,8-11 (sysfs' lists) takes 12.  -EBADMSG: it is no such list. */
int cpus_parse(const char *text, size_t len);

/* Of this machine, with those that may be plugged in later.  -errno. */
int cpus_possible(void);

#endif
