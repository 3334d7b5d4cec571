/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h - argv in, struct options out, constant from then on.  What exists
 * stands in cli.h; this gives it meaning, and words to what is wrong.
 */
#ifndef SYNFIN_OPTIONS_H
#define SYNFIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>
#include "wire.h"
#include "cgroup.h"
#include "cli.h"
#include "filter_bound.h"
#include "listen.h"

/*
 * The texts point into argv or are constants: nothing to free, and argv has to
 * live as long.  A member whose flag the command does not take is zero.
 */
struct options {
	enum command command;
	enum format format;
	enum color color;
	int family;			/* 4, 6, or 0: both */
	struct wire_ports lports, rports;	/* none: all */
	struct filter filter;		/* FILTER and the flags of its kind */
	struct filter_bound bound;	/* of that */
	const char *netns;		/* as given, never empty; "all" */
	struct cgroup_terms cgroups;	/* as given */
	uint64_t duration_ns;		/* 0: until stopped */
	uint64_t count;			/* records; 0: no limit */
	uint64_t interval_ns;		/* 0: once */
	uint64_t older_ns;
	uint32_t ring_size;		/* bytes, a power of two, a page .. 1G */
	const char *write_path, *read_path;	/* NULL: none; never both */
	bool quiet, verbose, strict, existing, stuck;
	bool absolute, live, scenarios;
	const char *scenario;		/* a name that exists; NULL: all */

	/* export */
	const char *listen[LISTEN_MAX];	/* as listen_check() allows */
	unsigned int nr_listen;
	bool listen_is_preset;		/* none was given */
	const char *telemetry_path;
	unsigned int max_requests;	/* 0: no limit */
	const char *web_config_path;	/* NULL: none */
	uint64_t close_wait_stale_ns;
	unsigned int top_k;		/* 0 to TOPK_MAX */
	bool by_cgroup;			/* grouped, too */
	const char *textfile_path;	/* NULL: none */
};

/* --help or --version has been printed: exit with STATUS_OK. */
#define OPTIONS_DONE (-1)

/*
 * Returns 0 and fills *ret; OPTIONS_DONE; or the enum exit_status to exit with,
 * after one line on stderr.  With the last two *ret is untouched.
 */
int options_parse(int argc, char **argv, struct options *ret);

#endif
