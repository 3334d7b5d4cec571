/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns_facts.h - what /proc says of the network namespace that the calling
 * thread is in: sysctls and counters, as a raw record.  The parsers are pure and
 * total: they trust nothing about the text.
 */
#ifndef SYNFIN_NETNS_FACTS_H
#define SYNFIN_NETNS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include "wire.h"

/*
 * Fills known and values.  What cannot be read is not known; without /proc
 * nothing is.
 */
void netns_facts_read(struct wire_netns_facts *ret);

/* The two of sockstat only, which is cheap: whether anything is there to be counted off. */
void netns_facts_read_gauges(struct wire_netns_facts *ret);

/*
 * TIME_WAIT's gauge alone, to be read again and again: opened in the namespace,
 * read from anywhere.  -errno.
 */
int tw_gauge_open(void);
int tw_gauge_read(int fd, uint64_t *ret);

/* ---- the parsers; false: not there ---- */

/* TCP: inuse 12 orphan 0 tw 345 ...: what stands behind name in the line of the group. */
bool sockstat_find(const char *text, size_t len, const char *group, const char *name,
		   uint64_t *ret);

/* "32768\t60999\n" */
bool port_range_parse(const char *text, size_t len, uint64_t *lo, uint64_t *hi);

/* "8080,9000-9010\n": how many of lo..hi are in it.  False: that is no such list. */
bool reserved_ports_count(const char *text, size_t len, uint64_t lo, uint64_t hi, uint64_t *ret);

#endif
