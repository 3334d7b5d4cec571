/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * btf_walk.h - the kernel's BTF, gone through once for many names, where libbpf goes
 * through all of its hundred thousand types for each.  Works on memory, whatever is in
 * it: what makes no sense is -EBADMSG, or not found.
 */
#ifndef SYNFIN_BTF_WALK_H
#define SYNFIN_BTF_WALK_H

#include <stddef.h>
#include <stdint.h>
#include <linux/btf.h>

struct btf_walk {
	const char *types, *strings;	/* the caller's memory */
	uint32_t types_len, strings_len;
	uint32_t *offsets;	/* of the types, by id; [0] is void's */
	uint32_t nr;		/* ids are less */
};

/* size bytes, of this machine's byte order.  0; -EBADMSG or -ENOMEM and nothing to free. */
int btf_walk_init(struct btf_walk *w, const void *data, size_t size);
void btf_walk_deinit(struct btf_walk *w);

/* A name that is looked for. */
struct btf_wanted {
	const char *name;
	uint32_t kinds;		/* bits by BTF_KIND_* */
	uint32_t id;		/* the first of that name and kind; 0: there is none */
};

#define BTF_WANTED_MAX	1024u

/* All of them at once; at most BTF_WANTED_MAX. */
void btf_walk_find(const struct btf_walk *w, struct btf_wanted *wanted, unsigned int nr);

/* NULL: there is no such type.  What it says of others may be wrong. */
const struct btf_type *btf_walk_type(const struct btf_walk *w, uint32_t id);

/* "": it has none. */
const char *btf_walk_name(const struct btf_walk *w, uint32_t name_off);

/*
 * BTF of all structures, unions, enumerations and typedefs of these names, in full, and
 * of what they contain; but pointers point to void.  That is what CO-RE relocations
 * take.  Into *ret, to be freed.  At most BTF_WANTED_MAX.  0 or -ENOMEM.
 */
int btf_walk_slice(const struct btf_walk *w, const char *const *names, unsigned int nr,
		   void **ret, size_t *size);

#endif
