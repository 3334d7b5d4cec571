/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * self.h - what synfin tells of itself in its metrics: plain numbers, filled by
 * whoever knows them.
 */
#ifndef SYNFIN_SELF_H
#define SYNFIN_SELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SELF_PROGRAMS_MAX	32
#define SELF_MAPS_MAX		16
#define SELF_NAME_LEN		32

struct self_program {
	char name[SELF_NAME_LEN];
	bool attached;
	uint64_t runs, run_ns;	/* valid with has_runs */
};

struct self_map {
	char name[SELF_NAME_LEN];
	uint64_t entries, limit;
};

/* X(id, what it is called); the first ones as enum wire_census_which */
#define SELF_COLLECTORS(X)		\
	X(CENSUS, "census")		\
	X(PORTS, "ports")		\
	X(LISTENERS, "listeners")	\
	X(CLOSE_WAIT, "close_wait")	\
	X(TEXTFILE, "textfile")		\
	X(CGROUPS, "cgroups")

enum self_collector_id {
#define X(id, name) COLLECTOR_##id,
	SELF_COLLECTORS(X)
#undef X
	COLLECTOR_MAX
};

/* Of a collector that has never run there is nothing to tell. */
struct self_collector {
	bool ran, ok;
	uint64_t duration_ns;
};

struct self_process {
	uint64_t cpu_ns, open_fds, max_fds, virtual_bytes, resident_bytes, start_ns;
};

struct self {
	const char *libbpf;	/* version */
	uint64_t ring_size, ring_used;	/* bytes; used: the most since the last scrape */
	bool has_runs;		/* the kernel keeps statistics of programs */
	unsigned int nr_programs, nr_maps;
	struct self_program programs[SELF_PROGRAMS_MAX];
	struct self_map maps[SELF_MAPS_MAX];
	struct self_collector collectors[COLLECTOR_MAX];
	struct self_process process;
};

/* Of this process; what cannot be read stays 0. */
void self_read_process(struct self_process *ret);

#endif
