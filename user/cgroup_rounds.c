// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_rounds.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "log.h"

#define NSEC_PER_SEC	1000000000ull
#define APART_NS	(5 * NSEC_PER_SEC)

/* Of its own CPU time that many apart: a quarter of a hundredth of a core. */
#define APART_TIMES	400

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* One that is not known yet is asked for again: next time. */
static void ask(struct cgroup_rounds *r, struct group *group)
{
	char path[WIRE_PATH_LEN];
	int err = -ENOENT;

	if (r->lookup)
		err = cgroup_lookup_path(r->lookup, group->id, group->first_ns, path, sizeof(path));
	if (err != -EAGAIN)
		groups_learn(&r->groups, group, err ? NULL : path);
}

static void ask_for_paths(struct cgroup_rounds *r)
{
	struct group *group;

	for (uint32_t i = 0; r->groups.nr_unasked && i < r->groups.table.nr; i++) {
		group = groups_at(&r->groups, i);
		if (!group->is_asked)
			ask(r, group);
	}
}

static void look_for_them(struct cgroup_rounds *r)
{
	struct group *group;

	for (uint32_t i = 0; i < r->groups.table.nr; i++) {
		group = groups_at(&r->groups, i);
		if (group->is_there)	/* no id is used twice: who has gone stays so */
			group->is_there = group->cgroup &&
				cgroup_lookup_is_there(r->lookup, group->id, group->cgroup->path);
	}
}

static void run(struct cgroup_rounds *r, uint64_t now_ns)
{
	uint64_t begun_ns = cpu_ns(), took_ns;

	groups_count(&r->groups, &r->engine->conns, &r->engine->minis, now_ns);
	ask_for_paths(r);
	look_for_them(r);
	groups_settle(&r->groups, now_ns);
	took_ns = cpu_ns() - begun_ns;
	r->state = (struct self_collector){
		.ran = true, .ok = r->lookup || r->groups.names, .duration_ns = took_ns,
	};
	took_ns *= APART_TIMES;
	r->due_ns = now_ns + (took_ns > APART_NS ? took_ns : APART_NS);
}

void cgroup_rounds_turn(struct cgroup_rounds *r, uint64_t now_ns)
{
	if (r->groups.nr_unasked)
		ask_for_paths(r);
	if (r->due_ns <= now_ns)
		run(r, now_ns);
}

int cgroup_rounds_begin(struct cgroup_rounds *r, struct engine *engine, bool has_v1)
{
	int err;

	*r = (struct cgroup_rounds){ .engine = engine };
	err = groups_init(&r->groups, has_v1 ? &engine->names : NULL);
	if (err)
		return err;
	err = cgroup_lookup_open(&r->lookup);
	if (err == -ENOMEM) {
		groups_deinit(&r->groups);
		return err;
	}
	if (err && !has_v1)
		log_info("cgroups have no paths: %s", err == -ENOENT ?
			 "no cgroup v2 hierarchy is mounted here" : strerror(-err));
	return 0;
}

void cgroup_rounds_deinit(struct cgroup_rounds *r)
{
	cgroup_lookup_close(r->lookup);
	groups_deinit(&r->groups);
}
