// SPDX-License-Identifier: GPL-2.0-or-later
#include "inventory.h"

#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cleanup.h"

static bool keeps_statistics(void)
{
	FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	int c = file ? fgetc(file) : '0';

	if (file)
		fclose(file);
	return c != '0' && c != EOF;
}

/* The twins of a kernel that needs none are not missing. */
static bool is_left_out(const struct bpf_program *prog)
{
	static const char *const twins[] = { "_twin", "_third", "_fourth" };
	const char *ends = strrchr(bpf_program__name(prog), '_');
	bool is_twin = false;

	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		is_twin = is_twin || !strcmp(ends, twins[i]);
	return is_twin && !bpf_program__autoload(prog);
}

static void take_program(const struct bpf_program *prog, struct self *ret)
{
	struct self_program *p = &ret->programs[ret->nr_programs];
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	/* It runs once, before the others are attached. */
	if (!strcmp(bpf_program__name(prog), "find_active") || is_left_out(prog) ||
	    ret->nr_programs == SELF_PROGRAMS_MAX)
		return;
	ret->nr_programs++;
	snprintf(p->name, sizeof(p->name), "%s", bpf_program__name(prog));
	p->attached = bpf_program__fd(prog) >= 0;
	if (!ret->has_runs || !p->attached ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		return;
	p->runs = info.run_cnt;
	p->run_ns = info.run_time_ns;
}

/* Of an array all entries are there always. */
static uint64_t count_entries(const struct bpf_map *map)
{
	char key[64], next[64];
	uint64_t n = 0;

	if (bpf_map__type(map) != BPF_MAP_TYPE_HASH && bpf_map__type(map) != BPF_MAP_TYPE_LRU_HASH)
		return bpf_map__max_entries(map);
	if (bpf_map__key_size(map) > sizeof(key) ||
	    bpf_map_get_next_key(bpf_map__fd(map), NULL, next))
		return 0;
	do {
		memcpy(key, next, bpf_map__key_size(map));
		n++;
	} while (n < bpf_map__max_entries(map) &&
		 !bpf_map_get_next_key(bpf_map__fd(map), key, next));
	return n;
}

static void take_map(const struct bpf_map *map, struct self *ret)
{
	struct self_map *m = &ret->maps[ret->nr_maps];

	/* The ring has families of its own; constants and variables are no tables. */
	if (bpf_map__is_internal(map) || bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF ||
	    !bpf_map__max_entries(map) || ret->nr_maps == SELF_MAPS_MAX)
		return;
	ret->nr_maps++;
	snprintf(m->name, sizeof(m->name), "%s", bpf_map__name(map));
	m->entries = count_entries(map);
	m->limit = bpf_map__max_entries(map);
}

void inventory_take(const struct bpf_object *obj, struct self *ret)
{
	const struct bpf_program *prog;
	const struct bpf_map *map;

	ret->libbpf = libbpf_version_string();
	ret->has_runs = keeps_statistics();
	ret->nr_programs = ret->nr_maps = 0;
	for (prog = bpf_object__next_program(obj, NULL); prog;
	     prog = bpf_object__next_program(obj, (struct bpf_program *)prog))
		take_program(prog, ret);
	for (map = bpf_object__next_map(obj, NULL); map; map = bpf_object__next_map(obj, map))
		take_map(map, ret);
}
