/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup.h - a cgroup, and what its path says: the systemd unit, the container,
 * the Kubernetes pod.  By form alone: a path is all there is, and whoever may
 * make directories may give them such names.  What has not just the form that a
 * runtime gives it is none.  Pure.
 */
#ifndef SYNFIN_CGROUP_H
#define SYNFIN_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of the path; len 0: there is none. */
struct cgroup_part {
	uint16_t at, len;
};

struct cgroup {
	uint16_t path_len;
	struct cgroup_part unit;	/* as systemctl has it: nothing is unescaped */
	struct cgroup_part container_id;	/* 64 hex digits, or a name */
	bool id_is_hash;		/* of those two the first */
	char pod_uid[37];		/* as the API server has it, with dashes; "": none */
	char path[];			/* any bytes but 0, from the hierarchy's root */
};

/* path: less than 64 KB. */
size_t cgroup_size(const char *path);

/* c: of cgroup_size(path) bytes. */
void cgroup_init(struct cgroup *c, const char *path);

/*
 * What --cgroup, --unit and --container ask.  c NULL: not known, and never what is
 * asked for.
 */

/* It is path, or below it; slashes at the end of path do not matter. */
bool cgroup_is_under(const struct cgroup *c, const char *path);

/* Without a type it is a service's name. */
bool cgroup_has_unit(const struct cgroup *c, const char *name);

/* The name, or at least the first CGROUP_ID_LEAST of the 64 digits. */
#define CGROUP_ID_LEAST	4
bool cgroup_has_container(const struct cgroup *c, const char *id);

/* All that are asked together; NULL: not that. */
struct cgroup_terms {
	const char *under, *unit, *container;
};

bool cgroup_terms_any(const struct cgroup_terms *t);
bool cgroup_satisfies(const struct cgroup *c, const struct cgroup_terms *t);

/* Whether there can be such ones at all. */
bool cgroup_may_be_path(const char *path);
bool cgroup_may_be_unit(const char *name);
bool cgroup_may_be_container(const char *id);

#endif
