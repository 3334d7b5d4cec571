/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iterators.h - loading iterators in a fraction of the time: libbpf goes through all of
 * the kernel's BTF to find where they attach, and once for each type that they name.
 * Here that was found already (btf_walk.h), and libbpf is given what it needs: the
 * slice that its relocations take, and the ids.
 *
 * Of an object all whose programs that are loaded are iterators: begin, open with the
 * path, fill, load, end.  One at a time.
 */
#ifndef SYNFIN_ITERATORS_H
#define SYNFIN_ITERATORS_H

#include "feature.h"

struct bpf_object;

struct iterators {
	const struct kernel_btf *btf;
	int slice;		/* a file in memory; -1: libbpf goes its own way */
	int handler;
	char path[32];
};

/* path: for btf_custom_path; "" where there is no /proc, and nothing is hastened. */
void iterators_begin(struct iterators *it, const struct kernel_btf *btf,
		     const struct features *f);

/* Between opening the object and loading it.  0 or -errno. */
int iterators_fill(const struct iterators *it, const struct bpf_object *obj);

void iterators_end(struct iterators *it);

#endif
