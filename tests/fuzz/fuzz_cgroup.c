// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any path as a cgroup's: what it is said to name is a part of it, and asking for
 * just that finds it.
 */
#include <string.h>

#include "cgroup.h"
#include "fuzz.h"

static char *part_of(const struct cgroup *c, struct cgroup_part part)
{
	CLAIM(part.at + part.len <= c->path_len);
	CLAIM(!part.len || !memchr(c->path + part.at, '/', part.len));
	return part.len ? strndup(c->path + part.at, part.len) : NULL;
}

static void check_unit(const struct cgroup *c)
{
	char *unit = part_of(c, c->unit);

	if (!unit)
		return;
	CLAIM(strlen(unit) == c->unit.len);
	CLAIM(cgroup_may_be_unit(unit) && cgroup_has_unit(c, unit));
	free(unit);
}

static void check_container(const struct cgroup *c)
{
	char *id = part_of(c, c->container_id);

	if (!id)
		return;
	CLAIM(strlen(id) == c->container_id.len);
	CLAIM(cgroup_may_be_container(id) && cgroup_has_container(c, id));
	if (c->id_is_hash) {
		CLAIM(strlen(id) == 64);
		id[CGROUP_ID_LEAST] = 0;
		CLAIM(cgroup_has_container(c, id));
	}
	free(id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = strndup((const char *)data, size);
	struct cgroup *c;
	size_t uid;

	CLAIM(path);
	c = malloc(cgroup_size(path));
	CLAIM(c);
	cgroup_init(c, path);
	CLAIM(c->path_len == strlen(path) && !strcmp(c->path, path));
	check_unit(c);
	check_container(c);
	uid = strnlen(c->pod_uid, sizeof(c->pod_uid));
	CLAIM(uid == 0 || uid == 32 || uid == 36);
	CLAIM(cgroup_is_under(c, path));
	CLAIM(cgroup_is_under(c, "") == (!*path || *path == '/'));
	cgroup_may_be_path(path);
	free(c);
	free(path);
	return 0;
}
