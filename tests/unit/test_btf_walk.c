// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/btf.h>

#include "btf_walk.h"

#define STRUCTS	(1u << BTF_KIND_STRUCT)

static struct btf *kernel;	/* of libbpf's making: it knows */
static struct btf_walk walk;
static int int_id, inner_id, outer_id;

/*
 * struct inner { int a; };
 * struct outer { struct inner *link; const struct inner in[3]; enum color color; int bits:3; };
 */
static void add_structs(void)
{
	int pointer, array, constant, color;

	int_id = btf__add_int(kernel, "int", 4, BTF_INT_SIGNED);
	inner_id = btf__add_struct(kernel, "inner", 4);
	assert_int_equal(btf__add_field(kernel, "a", int_id, 0, 0), 0);
	pointer = btf__add_ptr(kernel, inner_id);
	constant = btf__add_const(kernel, inner_id);
	array = btf__add_array(kernel, int_id, constant, 3);
	color = btf__add_enum(kernel, "color", 4);
	assert_int_equal(btf__add_enum_value(kernel, "RED", 7), 0);
	outer_id = btf__add_struct(kernel, "outer", 28);
	assert_int_equal(btf__add_field(kernel, "link", pointer, 0, 0), 0);
	assert_int_equal(btf__add_field(kernel, "in", array, 64, 0), 0);
	assert_int_equal(btf__add_field(kernel, "color", color, 160, 0), 0);
	assert_int_equal(btf__add_field(kernel, "bits", int_id, 192, 3), 0);
}

static void add_others(void)
{
	int proto = btf__add_func_proto(kernel, int_id);

	assert_int_equal(btf__add_func_param(kernel, "x", int_id), 0);
	assert_true(btf__add_func(kernel, "outer", BTF_FUNC_GLOBAL, proto) > 0);
	assert_true(btf__add_typedef(kernel, "alias", outer_id) > 0);
	assert_true(btf__add_struct(kernel, "unwanted", 0) > 0);
	assert_true(btf__add_struct(kernel, "inner", 8) > 0);	/* another one of that name */
}

static int begin(void **state)
{
	const void *data;
	uint32_t size;

	kernel = btf__new_empty();
	add_structs();
	add_others();
	data = btf__raw_data(kernel, &size);
	return btf_walk_init(&walk, data, size);
}

static int end(void **state)
{
	btf_walk_deinit(&walk);
	btf__free(kernel);
	return 0;
}

static void all_names_are_found_at_once(void **state)
{
	struct btf_wanted wanted[] = {
		{ "inner", STRUCTS, 9 }, { "outer", STRUCTS, 9 },
		{ "outer", 1u << BTF_KIND_FUNC, 9 },
		{ "alias", STRUCTS, 9 }, { "missing", STRUCTS, 9 },
		{ "inner", STRUCTS | 1u << BTF_KIND_UNION, 9 }, { "out", STRUCTS, 9 },
	};

	btf_walk_find(&walk, wanted, sizeof(wanted) / sizeof(*wanted));
	assert_int_equal(wanted[0].id, inner_id);	/* the first of two */
	assert_int_equal(wanted[1].id, outer_id);
	assert_int_equal(wanted[2].id, btf__find_by_name_kind(kernel, "outer", BTF_KIND_FUNC));
	assert_int_equal(wanted[3].id, 0);
	assert_int_equal(wanted[4].id, 0);
	assert_int_equal(wanted[5].id, inner_id);
	assert_int_equal(wanted[6].id, 0);
	assert_string_equal(btf_walk_name(&walk, btf_walk_type(&walk, outer_id)->name_off),
			    "outer");
	assert_null(btf_walk_type(&walk, 0));
	assert_null(btf_walk_type(&walk, btf__type_cnt(kernel)));
	assert_non_null(btf_walk_type(&walk, btf__type_cnt(kernel) - 1));
	assert_string_equal(btf_walk_name(&walk, UINT32_MAX), "");
}

static struct btf *slice_of(const char *const *names, unsigned int nr)
{
	void *data = NULL;
	size_t size = 0;
	struct btf *ret;

	assert_int_equal(btf_walk_slice(&walk, names, nr, &data, &size), 0);
	ret = btf__new(data, size);	/* which looks at everything in it */
	assert_non_null(ret);
	free(data);
	return ret;
}

static const struct btf_type *follow(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && btf_is_mod(t))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static void a_slice_has_all_that_a_structure_contains(void **state)
{
	static const char *const names[] = { "outer", "missing" };
	struct btf *slice = slice_of(names, 2);
	const struct btf_type *outer, *t;
	const struct btf_member *m;

	outer = btf__type_by_id(slice, btf__find_by_name_kind(slice, "outer", BTF_KIND_STRUCT));
	assert_non_null(outer);
	assert_int_equal(outer->size, 28);
	assert_int_equal(btf_vlen(outer), 4);
	m = btf_members(outer);
	assert_string_equal(btf__name_by_offset(slice, m[0].name_off), "link");
	t = btf__type_by_id(slice, m[0].type);
	assert_true(btf_is_ptr(t));
	assert_int_equal(t->type, 0);	/* to void */
	t = btf__type_by_id(slice, m[1].type);
	assert_true(btf_is_array(t));
	assert_int_equal(btf_array(t)->nelems, 3);
	t = follow(slice, btf_array(t)->type);
	assert_string_equal(btf__name_by_offset(slice, t->name_off), "inner");
	assert_int_equal(t->size, 4);
	t = btf__type_by_id(slice, m[2].type);
	assert_string_equal(btf__name_by_offset(slice, btf_enum(t)[0].name_off), "RED");
	assert_int_equal(btf_enum(t)[0].val, 7);
	assert_int_equal(btf_member_bit_offset(outer, 3), 192);
	assert_int_equal(btf_member_bitfield_size(outer, 3), 3);
	btf__free(slice);
}

static void it_has_nothing_else(void **state)
{
	static const char *const names[] = { "outer" };
	struct btf *slice = slice_of(names, 1);

	assert_true(btf__find_by_name(slice, "unwanted") < 0);
	assert_true(btf__find_by_name(slice, "alias") < 0);
	/* void, pointer, outer, array, const, inner, int, color */
	assert_int_equal(btf__type_cnt(slice), 8);
	btf__free(slice);
}

static void of_several_of_a_name_it_has_all(void **state)
{
	static const char *const names[] = { "inner" };
	struct btf *slice = slice_of(names, 1);
	unsigned int sizes = 0;

	for (uint32_t id = 1; id < btf__type_cnt(slice); id++) {
		const struct btf_type *t = btf__type_by_id(slice, id);

		if (btf_is_struct(t))
			sizes += t->size;
	}
	assert_int_equal(sizes, 4 + 8);
	btf__free(slice);
}

static void a_typedef_brings_what_it_stands_for(void **state)
{
	static const char *const names[] = { "alias" };
	struct btf *slice = slice_of(names, 1);
	int id = btf__find_by_name_kind(slice, "alias", BTF_KIND_TYPEDEF);

	assert_int_equal(btf__type_by_id(slice, btf__type_by_id(slice, id)->type)->size, 28);
	btf__free(slice);
}

/* From memory that ends there: whoever reads beyond is caught by ASan. */
static int init_exactly(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);
	struct btf_walk w = {};
	int err;

	assert_non_null(copy);
	memcpy(copy, data, size);
	err = btf_walk_init(&w, copy, size);
	if (!err) {
		static const char *const names[] = { "inner", "outer", "alias", "color" };
		struct btf_wanted wanted = { "outer", STRUCTS, 0 };
		void *slice = NULL;
		size_t len;

		btf_walk_find(&w, &wanted, 1);
		assert_int_equal(btf_walk_slice(&w, names, 4, &slice, &len), 0);
		free(slice);
		btf_walk_deinit(&w);
	}
	free(copy);
	return err;
}

static void what_is_cut_off_is_refused(void **state)
{
	uint32_t size;
	const char *data = btf__raw_data(kernel, &size);

	for (uint32_t i = 0; i < size; i++)
		assert_int_equal(init_exactly(data, i), -EBADMSG);
	assert_int_equal(init_exactly(data, size), 0);
}

static void whatever_is_in_it_it_is_survived(void **state)
{
	uint32_t size, refused = 0;
	const char *data = btf__raw_data(kernel, &size);
	char *copy = malloc(size);

	assert_non_null(copy);
	for (uint32_t i = 0; i < size; i++) {
		for (unsigned int value = 0; value < 256; value += 51) {
			memcpy(copy, data, size);
			copy[i] = value;
			refused += init_exactly(copy, size) != 0;
		}
	}
	assert_in_range(refused, 100, size * 6 - 100);
	free(copy);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(all_names_are_found_at_once),
		TEST(a_slice_has_all_that_a_structure_contains),
		TEST(it_has_nothing_else),
		TEST(of_several_of_a_name_it_has_all),
		TEST(a_typedef_brings_what_it_stands_for),
		TEST(what_is_cut_off_is_refused),
		TEST(whatever_is_in_it_it_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
