// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_v1.h"

#include <limits.h>
#include <string.h>

#include "cgroup.h"

/* ID:CONTROLLERS:PATH, of which the last may have colons. */
struct line {
	const char *controllers, *path;
};

static bool parse(char *text, struct line *ret)
{
	char *controllers = strchr(text, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return false;
	*path++ = 0;
	ret->controllers = controllers + 1;
	ret->path = path;
	return true;
}

/* Version 2 has no controllers in its line. */
static bool says_something(const struct line *l)
{
	return *l->controllers && l->path[0] == '/' && l->path[1] &&
	       strcmp(l->path, "/..") && strncmp(l->path, "/../", 4);
}

static bool has_container(const char *path)
{
	_Alignas(struct cgroup) char memory[sizeof(struct cgroup) + PATH_MAX];
	struct cgroup *c = (struct cgroup *)memory;

	if (cgroup_size(path) > sizeof(memory))
		return false;
	cgroup_init(c, path);
	return c->container_id.len;
}

const char *cgroup_v1_pick(char *text)
{
	const char *first = NULL, *systemds = NULL;
	struct line l;
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!parse(line, &l) || !says_something(&l))
			continue;
		if (has_container(l.path))
			return l.path;
		if (!systemds && !strcmp(l.controllers, "name=systemd"))
			systemds = l.path;
		if (!first)
			first = l.path;
	}
	return systemds ? systemds : first;
}

bool cgroup_v1_is_used(const char *text)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *controllers;

		line += *line == '\n';
		controllers = strchr(line, ':');
		if (controllers && controllers[1] != ':')
			return true;
	}
	return false;
}
