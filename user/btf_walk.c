// SPDX-License-Identifier: GPL-2.0-or-later
#include "btf_walk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define BUCKETS		1024u

/* ---- types ---- */

/* Bytes behind the struct btf_type; -1: no kind that is known. */
static long tail_of(const struct btf_type *t)
{
	size_t vlen = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	case BTF_KIND_INT:
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_VAR:
		return sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG:
		return sizeof(struct btf_decl_tag);
	default:
		return -1;
	}
}

/* Of a kind that is not known neither is where the next begins. */
static int index_types(struct btf_walk *w)
{
	uint32_t at = 0;

	w->nr = 1;
	while (w->types_len - at >= sizeof(struct btf_type)) {
		const struct btf_type *t = (const struct btf_type *)(w->types + at);
		long tail = tail_of(t);

		if (tail < 0 || (size_t)tail > w->types_len - at - sizeof(*t))
			return -EBADMSG;
		w->offsets[w->nr++] = at;
		at += sizeof(*t) + tail;
	}
	return at == w->types_len ? 0 : -EBADMSG;
}

static bool is_section(const struct btf_header *h, size_t size, uint32_t off, uint32_t len)
{
	return off % 4 == 0 && off <= size - h->hdr_len && len <= size - h->hdr_len - off;
}

int btf_walk_init(struct btf_walk *w, const void *data, size_t size)
{
	const struct btf_header *h = data;
	int err;

	if (size < sizeof(*h) || size > INT32_MAX || h->magic != BTF_MAGIC ||
	    h->version != BTF_VERSION || h->hdr_len < sizeof(*h) || h->hdr_len > size ||
	    h->hdr_len % 4 || !is_section(h, size, h->type_off, h->type_len) ||
	    !is_section(h, size, h->str_off, h->str_len) || !h->str_len)
		return -EBADMSG;
	*w = (struct btf_walk){
		.types = (const char *)data + h->hdr_len + h->type_off, .types_len = h->type_len,
		.strings = (const char *)data + h->hdr_len + h->str_off, .strings_len = h->str_len,
	};
	if (w->strings[0] || w->strings[w->strings_len - 1])
		return -EBADMSG;
	/* Untouched pages of it cost nothing. */
	w->offsets = malloc((w->types_len / sizeof(struct btf_type) + 1) * sizeof(*w->offsets));
	if (!w->offsets)
		return -ENOMEM;
	w->offsets[0] = 0;
	err = index_types(w);
	if (err)
		btf_walk_deinit(w);
	return err;
}

void btf_walk_deinit(struct btf_walk *w)
{
	free(w->offsets);
	*w = (struct btf_walk){};
}

const struct btf_type *btf_walk_type(const struct btf_walk *w, uint32_t id)
{
	return id && id < w->nr ? (const struct btf_type *)(w->types + w->offsets[id]) : NULL;
}

const char *btf_walk_name(const struct btf_walk *w, uint32_t name_off)
{
	return name_off < w->strings_len ? w->strings + name_off : "";
}

/* ---- by name ---- */

struct index {
	uint16_t heads[BUCKETS];	/* + 1 */
	uint16_t next[BTF_WANTED_MAX];	/* + 1 */
};

/* Of its beginning: most names are another's, and are told so by that. */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 0;

	for (int i = 0; i < 16 && name[i]; i++)
		hash = hash * 31 + (unsigned char)name[i];
	return (hash ^ hash >> 10) & (BUCKETS - 1);
}

/* Pointers to names, each at the beginning of something of that size. */
static void index_names(struct index *x, const void *names, size_t size, unsigned int nr)
{
	memset(x, 0, sizeof(*x));
	for (unsigned int i = 0; i < nr; i++) {
		const char *const *name = (const void *)((const char *)names + i * size);
		uint16_t *head = &x->heads[hash_of(*name)];

		x->next[i] = *head;
		*head = i + 1;
	}
}

void btf_walk_find(const struct btf_walk *w, struct btf_wanted *wanted, unsigned int nr)
{
	uint32_t kinds = 0;
	struct index x;

	index_names(&x, wanted, sizeof(*wanted), nr);
	for (unsigned int i = 0; i < nr; i++) {
		wanted[i].id = 0;
		kinds |= wanted[i].kinds;
	}
	for (uint32_t id = 1; id < w->nr; id++) {
		const struct btf_type *t = btf_walk_type(w, id);
		uint32_t kind = 1u << BTF_INFO_KIND(t->info);
		const char *name;

		if (!(kind & kinds) || !t->name_off)
			continue;
		name = btf_walk_name(w, t->name_off);
		for (unsigned int i = x.heads[hash_of(name)]; i; i = x.next[i - 1]) {
			struct btf_wanted *one = &wanted[i - 1];

			if (one->kinds & kind && !one->id && !strcmp(one->name, name))
				one->id = id;
		}
	}
}

/* ---- a slice ---- */

struct bytes {
	char *p;
	size_t len, size;
};

struct slice {
	const struct btf_walk *w;
	uint32_t *ids;		/* in the slice, by id; 0: not in it */
	uint32_t *order;	/* ids, by those in the slice */
	uint32_t nr;
	struct bytes types, strings;
};

/* All pointers are one: the first type. */
#define POINTER		1u

static void *append(struct bytes *b, const void *data, size_t len)
{
	size_t size = b->size ? b->size : 4096;
	char *p;

	while (size - b->len < len)
		size *= 2;
	if (size != b->size) {
		p = realloc(b->p, size);
		if (!p)
			return NULL;
		b->p = p;
		b->size = size;
	}
	memcpy(b->p + b->len, data, len);
	b->len += len;
	return b->p + b->len - len;
}

/* Its id in the slice, where it is from now on; void, if it makes no sense. */
static uint32_t include(struct slice *s, uint32_t id)
{
	const struct btf_type *t = btf_walk_type(s->w, id);

	if (!t || BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO)
		return 0;
	if (BTF_INFO_KIND(t->info) == BTF_KIND_PTR)
		return POINTER;
	if (!s->ids[id]) {
		s->ids[id] = ++s->nr;
		s->order[s->nr] = id;
	}
	return s->ids[id];
}

/* Names are at the beginning of all that has one.  False: no memory. */
static bool take_name(struct slice *s, void *at)
{
	const char *name = btf_walk_name(s->w, *(uint32_t *)at);

	*(uint32_t *)at = *name ? s->strings.len : 0;
	return !*name || append(&s->strings, name, strlen(name) + 1);
}

static bool take_all(struct slice *s, void *first, unsigned int nr, size_t size)
{
	for (char *at = first; nr--; at += size) {
		if (!take_name(s, at))
			return false;
	}
	return true;
}

static bool take_members(struct slice *s, struct btf_member *m, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		m[i].type = include(s, m[i].type);
	return take_all(s, m, nr, sizeof(*m));
}

static bool take_type(struct slice *s, const struct btf_type *from)
{
	struct btf_type *t = append(&s->types, from, sizeof(*from) + tail_of(from));
	unsigned int vlen = BTF_INFO_VLEN(from->info);
	struct btf_array *array;

	if (!t || !take_name(s, t))
		return false;
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return take_members(s, (struct btf_member *)(t + 1), vlen);
	case BTF_KIND_ENUM:
		return take_all(s, t + 1, vlen, sizeof(struct btf_enum));
	case BTF_KIND_ENUM64:
		return take_all(s, t + 1, vlen, sizeof(struct btf_enum64));
	case BTF_KIND_ARRAY:
		array = (struct btf_array *)(t + 1);
		array->type = include(s, array->type);
		array->index_type = include(s, array->index_type);
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		t->type = include(s, t->type);
		break;
	default:	/* refers to none that a relocation looks at */
		break;
	}
	return true;
}

/* Those of which there may be several of a name, all of them. */
static void include_named(struct slice *s, const char *const *names, const struct index *x)
{
	const uint32_t kinds = 1u << BTF_KIND_STRUCT | 1u << BTF_KIND_UNION |
			       1u << BTF_KIND_ENUM | 1u << BTF_KIND_ENUM64 |
			       1u << BTF_KIND_TYPEDEF;

	for (uint32_t id = 1; id < s->w->nr; id++) {
		const struct btf_type *t = btf_walk_type(s->w, id);
		const char *name;

		if (!(1u << BTF_INFO_KIND(t->info) & kinds) || !t->name_off)
			continue;
		name = btf_walk_name(s->w, t->name_off);
		for (unsigned int i = x->heads[hash_of(name)]; i; i = x->next[i - 1]) {
			if (!strcmp(names[i - 1], name))
				include(s, id);
		}
	}
}

static bool take_everything(struct slice *s)
{
	const struct btf_type pointer = { .info = BTF_KIND_PTR << 24 };

	if (!append(&s->strings, "", 1) || !append(&s->types, &pointer, sizeof(pointer)))
		return false;
	for (uint32_t i = POINTER + 1; i <= s->nr; i++) {	/* they become more */
		if (!take_type(s, btf_walk_type(s->w, s->order[i])))
			return false;
	}
	return true;
}

static int put_together(const struct slice *s, void **ret, size_t *size)
{
	const struct btf_header h = {
		.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h),
		.type_len = s->types.len, .str_off = s->types.len, .str_len = s->strings.len,
	};
	struct bytes all = {};

	if (!append(&all, &h, sizeof(h)) || !append(&all, s->types.p, s->types.len) ||
	    !append(&all, s->strings.p, s->strings.len)) {
		free(all.p);
		return -ENOMEM;
	}
	*ret = all.p;
	*size = all.len;
	return 0;
}

static void slice_deinit(struct slice *s)
{
	free(s->ids);
	free(s->order);
	free(s->types.p);
	free(s->strings.p);
}

int btf_walk_slice(const struct btf_walk *w, const char *const *names, unsigned int nr,
		   void **ret, size_t *size)
{
	CLEANUP(slice_deinit) struct slice s = {
		.w = w, .nr = POINTER,
		.ids = calloc(w->nr, sizeof(uint32_t)),
		.order = calloc(w->nr + POINTER + 1, sizeof(uint32_t)),
	};
	struct index x;

	if (!s.ids || !s.order)
		return -ENOMEM;
	index_names(&x, names, sizeof(*names), nr);
	include_named(&s, names, &x);
	return take_everything(&s) ? put_together(&s, ret, size) : -ENOMEM;
}
