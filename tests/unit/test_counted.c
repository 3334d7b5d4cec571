// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "counted.h"
#include "event.h"
#include "sample_events.h"

static struct wire_counted *counted;
static struct wire_netns_facts facts;
static union event told[8];
static unsigned int nr_told;

static int begin(void **state)
{
	facts = (struct wire_netns_facts){};
	nr_told = 0;
	counted = calloc(1, sizeof(*counted));
	return !counted;
}

static int end(void **state)
{
	free(counted);
	return 0;
}

static void fact(enum wire_fact which, uint64_t value)
{
	facts.known |= 1ull << which;
	facts.values[which] = value;
}

static bool on_record(void *ctx, const void *rec, size_t len)
{
	assert_true(nr_told < 8);
	memcpy(&told[nr_told++], rec, len);
	return true;
}

static uint32_t tell(void)
{
	return counted_tell(counted, 7, T0, on_record, NULL);
}

static void the_range_is_the_namespaces_or_all_if_that_makes_no_sense(void **state)
{
	counted_begin(counted, &facts, HZ);
	assert_int_equal(counted->lo, 0);
	assert_int_equal(counted->hi, 65535);
	fact(WIRE_F_PORT_LO, 40000);
	fact(WIRE_F_PORT_HI, 40099);
	counted_begin(counted, &facts, HZ);
	assert_int_equal(counted->lo, 40000);
	assert_int_equal(counted->hi, 40099);
	fact(WIRE_F_PORT_HI, 39999);
	counted_begin(counted, &facts, HZ);
	assert_int_equal(counted->hi, 65535);
}

/* As ports.c has it of a single one. */
static bool is_old_enough(int32_t left, uint32_t hz, uint64_t delay_ms)
{
	return 60000 - (int64_t)left * 1000 / hz >= (int64_t)delay_ms;
}

static void whoever_waits_for_the_delay_can_be_reused(void **state)
{
	static const uint32_t hzs[] = { 100, 250, 300, 1000 };
	static const uint64_t delays[] = { 0, 1, 1000, 1001, 59999, 60000 };

	for (unsigned int h = 0; h < 4; h++) {
		for (unsigned int d = 0; d < 6; d++) {
			int32_t most;

			fact(WIRE_F_TW_REUSE_DELAY, delays[d]);
			counted_begin(counted, &facts, hzs[h]);
			assert_int_equal(counted->step, 5 * hzs[h]);
			most = counted->stamped_left;
			assert_true(is_old_enough(most, hzs[h], delays[d]));
			assert_false(is_old_enough(most + 1, hzs[h], delays[d]));
		}
	}
	facts.known = 0;	/* a second, where it is no sysctl */
	counted_begin(counted, &facts, 1000);
	assert_int_equal(counted->stamped_left, 59000);
}

static void what_was_counted_is_told_and_wiped(void **state)
{
	static const struct wire_counted empty;

	counted->nr_groups = 2;
	counted->slots[77] = 2;
	counted->slots[16383] = 1;
	for (unsigned int i = 0; i < 2; i++) {
		counted->groups[i].tuple = tuple_of(i);
		counted->groups[i].time_wait = 10 + i;
		counted->groups[i].left[11] = 10 + i;
	}
	counted->pools[15].family = 4;
	counted->pools[15].taken[1023] = 1;
	counted->listening[5] = 1;
	counted->chunks[15] = 1ull << 63;
	counted->ports[1023].counts[63] = 21;
	assert_int_equal(tell(), 4);
	assert_int_equal(nr_told, 4);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(told[i].hdr.kind, WIRE_MINI_GROUP);
		assert_int_equal(told[i].hdr.len, sizeof(struct wire_mini_group));
		assert_int_equal(told[i].hdr.netns, 7);
		assert_int_equal(told[i].hdr.ts_ns, T0);
		assert_int_equal(told[i].hdr.version, WIRE_VERSION);
		assert_int_equal(told[i].mini_group.time_wait, 10 + i);
		assert_int_equal(told[i].mini_group.tuple.lport, tuple_of(i).lport);
	}
	assert_int_equal(told[2].hdr.kind, WIRE_MINI_POOL);
	assert_int_equal(told[2].mini_pool.taken[1023], 1);
	assert_int_equal(told[3].hdr.kind, WIRE_MINI_PORTS);
	assert_int_equal(told[3].mini_ports.first, 65472);
	assert_int_equal(told[3].mini_ports.counts[63], 21);
	assert_memory_equal(counted, &empty, sizeof(empty));
}

static void an_empty_namespace_has_nothing_to_tell(void **state)
{
	counted->listening[5] = 1;
	assert_int_equal(tell(), 0);
	assert_int_equal(counted->listening[5], 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(the_range_is_the_namespaces_or_all_if_that_makes_no_sense),
		TEST(whoever_waits_for_the_delay_can_be_reused),
		TEST(what_was_counted_is_told_and_wiped),
		TEST(an_empty_namespace_has_nothing_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
