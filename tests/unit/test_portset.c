// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "portset.h"
#include "sample_events.h"

/* The set as text: "80 443 8000-8099". */
static const char *ranges(const struct wire_ports *set)
{
	static char text[WIRE_RANGES * 12 + 1];
	size_t len = 0;

	text[0] = 0;
	for (uint32_t i = 0; i < set->len; i++) {
		uint16_t lo = set->range[i].lo, hi = set->range[i].hi;

		len += sprintf(text + len, lo == hi ? "%s%u" : "%s%u-%u", i ? " " : "", lo, hi);
	}
	return text;
}

static void assert_ranges(const char *text, const char *expected)
{
	struct wire_ports set;

	memset(&set, 0xaa, sizeof(set));
	assert_int_equal(portset_parse(text, &set, NULL), 0);
	assert_string_equal(ranges(&set), expected);
}

/* text is refused with err, at offset, and the set stays what it was. */
static void assert_refused(const char *text, int err, int offset)
{
	struct wire_ports set, before;
	const char *bad = NULL;

	memset(&set, 0xaa, sizeof(set));
	before = set;
	assert_int_equal(portset_parse(text, &set, &bad), err);
	assert_int_equal(bad - text, offset);
	assert_memory_equal(&set, &before, sizeof(set));
	assert_int_equal(portset_parse(text, &set, NULL), err);
}

static void ports_and_ranges_are_taken_as_listed(void **state)
{
	assert_ranges("80", "80");
	assert_ranges("80,443,8000-8099", "80 443 8000-8099");
	assert_ranges("1-65535", "1-65535");
	assert_ranges("65535", "65535");
	assert_ranges("7-7", "7");
	assert_ranges("00080", "80");
}

static void ranges_come_out_sorted(void **state)
{
	assert_ranges("8000-8099,443,80", "80 443 8000-8099");
}

static void overlaps_duplicates_and_neighbours_are_merged(void **state)
{
	assert_ranges("80,80", "80");
	assert_ranges("10-20,15-30", "10-30");
	assert_ranges("10-40,20-30", "10-40");
	assert_ranges("80,81,82", "80-82");
	assert_ranges("65534,65535", "65534-65535");
}

static void unused_ranges_and_padding_are_zero(void **state)
{
	struct wire_ports set, expected = { .len = 1, .range = { { 80, 80 } } };

	memset(&set, 0xaa, sizeof(set));
	assert_int_equal(portset_parse("80", &set, NULL), 0);
	assert_memory_equal(&set, &expected, sizeof(set));
}

static void what_is_not_a_number_is_refused(void **state)
{
	assert_refused("", -EINVAL, 0);
	assert_refused("http", -EINVAL, 0);
	assert_refused("80x", -EINVAL, 0);
	assert_refused("0x50", -EINVAL, 0);
	assert_refused("+80", -EINVAL, 0);
	assert_refused(" 80", -EINVAL, 0);
	assert_refused("80 ", -EINVAL, 0);
	assert_refused("80\n", -EINVAL, 0);
	assert_refused("-80", -EINVAL, 0);
	assert_refused("80;443", -EINVAL, 0);
	assert_refused("8.0", -EINVAL, 0);
}

static void a_hole_in_the_list_is_refused(void **state)
{
	assert_refused(",", -EINVAL, 0);
	assert_refused(",80", -EINVAL, 0);
	assert_refused("80,", -EINVAL, 3);
	assert_refused("80,,443", -EINVAL, 3);
	assert_refused("80, 443", -EINVAL, 3);
}

static void half_a_range_is_refused(void **state)
{
	assert_refused("80-", -EINVAL, 0);
	assert_refused("80-,443", -EINVAL, 0);
	assert_refused("80--90", -EINVAL, 0);
	assert_refused("80-90-100", -EINVAL, 0);
	assert_refused("443,80-x", -EINVAL, 4);
}

static void ports_outside_1_to_65535_are_refused(void **state)
{
	assert_refused("0", -ERANGE, 0);
	assert_refused("0-10", -ERANGE, 0);
	assert_refused("65536", -ERANGE, 0);
	assert_refused("80,99999", -ERANGE, 3);
	assert_refused("80,1-65536,90", -ERANGE, 3);
	assert_refused("99999999999999999999999999999999", -ERANGE, 0);
	/* 80 modulo 2^16, 2^32 and 2^64 */
	assert_refused("65616", -ERANGE, 0);
	assert_refused("4294967376", -ERANGE, 0);
	assert_refused("18446744073709551696", -ERANGE, 0);
}

static void a_range_that_runs_backwards_is_refused(void **state)
{
	assert_refused("90-80", -ERANGE, 0);
	assert_refused("1,90-80", -ERANGE, 2);
}

/* n ports, step apart, then tail. */
static const char *many(int n, int step, const char *tail)
{
	static char text[1 << 16];
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += sprintf(text + len, "%s%d", i ? "," : "", 100 + i * step);
	strcpy(text + len, tail);
	return text;
}

static void as_many_ranges_as_fit_are_taken(void **state)
{
	struct wire_ports set;

	assert_int_equal(portset_parse(many(WIRE_RANGES, 2, ""), &set, NULL), 0);
	assert_int_equal(set.len, WIRE_RANGES);
	assert_int_equal(set.range[WIRE_RANGES - 1].hi, 100 + (WIRE_RANGES - 1) * 2);
}

static void one_range_more_is_refused(void **state)
{
	struct wire_ports set = { .len = 7 };

	assert_int_equal(portset_parse(many(WIRE_RANGES + 1, 2, ""), &set, NULL), -E2BIG);
	assert_int_equal(set.len, 7);
}

static void only_ranges_left_after_merging_count(void **state)
{
	assert_ranges(many(1000, 1, ""), "100-1099");
	assert_ranges(many(1000, 2, ",100-2100"), "100-2100");
}

static void a_set_contains_its_ports_and_no_other(void **state)
{
	struct wire_ports set;

	assert_int_equal(portset_parse("1,80,8000-8099,65535", &set, NULL), 0);
	for (uint32_t port = 0; port <= 65535; port++) {
		bool expected = port == 1 || port == 80 || (port >= 8000 && port <= 8099) ||
				port == 65535;

		assert_int_equal(portset_contains(&set, port), expected);
	}
}

static void the_empty_set_contains_nothing(void **state)
{
	struct wire_ports set = {};

	assert_false(portset_contains(&set, 0));
	assert_false(portset_contains(&set, 80));
}

/* A recording may hold a set that was not made here. */
static void membership_does_not_depend_on_order(void **state)
{
	struct wire_ports set = { .len = 2, .range = { { 443, 443 }, { 80, 90 } } };

	assert_true(portset_contains(&set, 85));
	assert_true(portset_contains(&set, 443));
	assert_false(portset_contains(&set, 100));
}

/* ---- sets of sets ---- */

#define PORTS	65536u

/* Some ranges, in order, apart by at least one port. */
static struct wire_ports random_set(uint64_t *seed, uint32_t max)
{
	struct wire_ports set = {};
	uint32_t port = random_below(seed, 3);

	for (uint32_t n = random_below(seed, max + 1); n && port < PORTS; n--) {
		uint32_t hi = port + random_below(seed, 4);

		if (hi >= PORTS || random_below(seed, 20) == 0)
			hi = PORTS - 1;
		set.range[set.len].lo = port;
		set.range[set.len++].hi = hi;
		port = hi + 2 + random_below(seed, 3);
	}
	return set;
}

/* In order and apart, so that each set has one form only. */
static void assert_tidy(const struct wire_ports *set)
{
	for (uint32_t i = 0; i < set->len; i++) {
		assert_true(set->range[i].lo <= set->range[i].hi);
		assert_true(!i || set->range[i].lo > set->range[i - 1].hi + 1);
	}
}

static void union_intersection_and_complement_are_those_of_their_members(void **state)
{
	uint64_t seed = 1;

	for (int turn = 0; turn < 300; turn++) {
		struct wire_ports a = random_set(&seed, 8), b = random_set(&seed, 8);
		struct wire_ports either, both, other;

		assert_true(portset_union(&a, &b, &either));
		assert_true(portset_intersect(&a, &b, &both));
		assert_true(portset_complement(&a, &other));
		assert_tidy(&either);
		assert_tidy(&both);
		assert_tidy(&other);
		for (uint32_t port = 0; port < PORTS; port += port < 100 ? 1 : 97) {
			bool in_a = portset_contains(&a, port), in_b = portset_contains(&b, port);

			assert_int_equal(portset_contains(&either, port), in_a || in_b);
			assert_int_equal(portset_contains(&both, port), in_a && in_b);
			assert_int_equal(portset_contains(&other, port), !in_a);
		}
	}
}

static void the_result_may_take_the_place_of_an_operand(void **state)
{
	struct wire_ports a = { .len = 1, .range = { { 80, 80 } } };
	struct wire_ports b = { .len = 1, .range = { { 443, 443 } } }, c = a;

	assert_true(portset_union(&a, &b, &a));
	assert_string_equal(ranges(&a), "80 443");
	assert_true(portset_intersect(&a, &b, &b));
	assert_string_equal(ranges(&b), "443");
	assert_true(portset_complement(&c, &c));
	assert_string_equal(ranges(&c), "0-79 81-65535");
}

static void all_and_nothing_are_sets(void **state)
{
	struct wire_ports all = portset_all(), none = {}, ret;

	assert_true(portset_is_all(&all));
	assert_false(portset_is_all(&none));
	assert_true(portset_complement(&all, &ret));
	assert_int_equal(ret.len, 0);
	assert_true(portset_complement(&none, &ret));
	assert_true(portset_is_all(&ret));
	assert_true(portset_union(&all, &none, &ret));
	assert_true(portset_is_all(&ret));
	assert_true(portset_intersect(&all, &none, &ret));
	assert_int_equal(ret.len, 0);
}

static void neighbours_become_one(void **state)
{
	struct wire_ports a = { .len = 1, .range = { { 1, 80 } } };
	struct wire_ports b = { .len = 1, .range = { { 81, 90 } } };

	assert_true(portset_union(&a, &b, &a));
	assert_string_equal(ranges(&a), "1-90");
}

static void what_takes_too_many_ranges_is_every_port(void **state)
{
	struct wire_ports a = {}, b = { .len = 1, .range = { { 65535, 65535 } } }, ret;

	assert_int_equal(portset_parse(many(WIRE_RANGES, 2, ""), &a, NULL), 0);
	assert_false(portset_complement(&a, &ret));	/* a gap more than it has ranges */
	assert_true(portset_is_all(&ret));
	assert_false(portset_union(&a, &b, &ret));
	assert_true(portset_is_all(&ret));
	assert_true(portset_intersect(&a, &a, &ret));
	assert_memory_equal(&ret, &a, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_and_ranges_are_taken_as_listed),
		cmocka_unit_test(ranges_come_out_sorted),
		cmocka_unit_test(overlaps_duplicates_and_neighbours_are_merged),
		cmocka_unit_test(unused_ranges_and_padding_are_zero),
		cmocka_unit_test(what_is_not_a_number_is_refused),
		cmocka_unit_test(a_hole_in_the_list_is_refused),
		cmocka_unit_test(half_a_range_is_refused),
		cmocka_unit_test(ports_outside_1_to_65535_are_refused),
		cmocka_unit_test(a_range_that_runs_backwards_is_refused),
		cmocka_unit_test(as_many_ranges_as_fit_are_taken),
		cmocka_unit_test(one_range_more_is_refused),
		cmocka_unit_test(only_ranges_left_after_merging_count),
		cmocka_unit_test(a_set_contains_its_ports_and_no_other),
		cmocka_unit_test(the_empty_set_contains_nothing),
		cmocka_unit_test(membership_does_not_depend_on_order),
		cmocka_unit_test(union_intersection_and_complement_are_those_of_their_members),
		cmocka_unit_test(the_result_may_take_the_place_of_an_operand),
		cmocka_unit_test(all_and_nothing_are_sets),
		cmocka_unit_test(neighbours_become_one),
		cmocka_unit_test(what_takes_too_many_ranges_is_every_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
