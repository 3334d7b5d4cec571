// SPDX-License-Identifier: GPL-2.0-or-later
#include "iterators.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "cleanup.h"
#include "write_all.h"

#define SECTION	"iter/"

static uint32_t hook_of(const struct features *f, const char *section)
{
	static const char *const sections[ITER_HOOK_MAX] = {
#define X(id, name) SECTION name,
		ITER_HOOKS(X)
#undef X
	};

	for (int i = 0; i < ITER_HOOK_MAX; i++) {
		if (!strcmp(section, sections[i]))
			return f->iter_hooks[i];
	}
	return 0;
}

/*
 * As long as it is no tracing program libbpf sees no need for the kernel's BTF; now it
 * becomes one, with all that libbpf would have looked up.
 */
static int become_iterator(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct features *f = (const struct features *)cookie;

	opts->attach_btf_id = hook_of(f, bpf_program__section_name(prog));
	opts->expected_attach_type = BPF_TRACE_ITER;
	return opts->attach_btf_id ? bpf_program__set_type(prog, BPF_PROG_TYPE_TRACING) : -ESRCH;
}

static int handle_iterators(const struct features *f)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)f,
		    .prog_prepare_load_fn = become_iterator);

	return libbpf_register_prog_handler(SECTION, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &opts);
}

void iterators_begin(struct iterators *it, const struct kernel_btf *btf,
		     const struct features *f)
{
	*it = (struct iterators){ .btf = btf, .handler = -1 };
	it->slice = memfd_create("btf", MFD_CLOEXEC);
	snprintf(it->path, sizeof(it->path), "/proc/self/fd/%d", it->slice);
	if (it->slice >= 0 && !access(it->path, R_OK))
		it->handler = handle_iterators(f);
	if (it->handler < 0)
		iterators_end(it);
}

/* As the kernel has it: what follows ___ tells one use of it from another. */
static const char *essential(char *buf, size_t size, const char *name)
{
	const char *flavour = strstr(name, "___");

	if (!flavour || (size_t)(flavour - name) >= size)
		return name;
	snprintf(buf, size, "%.*s", (int)(flavour - name), name);
	return buf;
}

/* Whatever the object knows by a name may be what it is relocated by. */
static unsigned int list_names(const struct btf *btf, const char **names, char flavours[][64],
			       unsigned int max)
{
	unsigned int nr = 0;

	for (uint32_t id = 1; id < btf__type_cnt(btf) && nr < max; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off);

		if (!name || !*name || (!btf_is_composite(t) && !btf_is_any_enum(t) &&
					!btf_is_typedef(t)))
			continue;
		names[nr] = essential(flavours[nr], sizeof(*flavours), name);
		nr++;
	}
	return nr;
}

int iterators_fill(const struct iterators *it, const struct bpf_object *obj)
{
	CLEANUP(cleanup_free) const char **names = calloc(BTF_WANTED_MAX, sizeof(*names));
	CLEANUP(cleanup_free) char (*flavours)[64] = calloc(BTF_WANTED_MAX, sizeof(*flavours));
	CLEANUP(cleanup_free) void *slice = NULL;
	unsigned int nr;
	size_t size;
	int err;

	if (it->slice < 0)
		return 0;
	if (!names || !flavours)
		return -ENOMEM;
	nr = list_names(bpf_object__btf(obj), names, flavours, BTF_WANTED_MAX);
	err = btf_walk_slice(&it->btf->walk, names, nr, &slice, &size);
	return err ? err : write_all(it->slice, slice, size);
}

void iterators_end(struct iterators *it)
{
	if (it->handler >= 0)
		libbpf_unregister_prog_handler(it->handler);
	it->handler = -1;
	it->path[0] = 0;
	cleanup_close(&it->slice);
	it->slice = -1;
}
