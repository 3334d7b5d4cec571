// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "addrset.h"
#include "sample_events.h"

struct addr { uint8_t bytes[16]; };

static struct addr v6(const char *text)
{
	struct addr ret;

	assert_int_equal(inet_pton(AF_INET6, text, ret.bytes), 1);
	return ret;
}

static struct wire_addrs prefix(const char *text, unsigned int len)
{
	return addrset_of(v6(text).bytes, len);
}

static bool has(const struct wire_addrs *set, const char *text)
{
	return addrset_contains(set, v6(text).bytes);
}

static void an_address_behind_a_prefix_is_masked(void **state)
{
	struct addr a;

	for (unsigned int len = 0; len <= 128; len++) {
		memset(&a, 0xff, sizeof(a));
		addr_mask(a.bytes, len);
		for (unsigned int bit = 0; bit < 128; bit++)
			assert_int_equal(a.bytes[bit / 8] >> (7 - bit % 8) & 1, bit < len);
	}
}

static void a_prefix_has_what_begins_with_it(void **state)
{
	struct wire_addrs set = prefix("2001:db8::", 33);

	assert_true(has(&set, "2001:db8::1"));
	assert_true(has(&set, "2001:db8:7fff:ffff::"));
	assert_false(has(&set, "2001:db8:8000::"));
	assert_false(has(&set, "2001:db9::"));
}

static void an_ipv4_prefix_is_of_mapped_addresses(void **state)
{
	struct wire_addrs set = prefix("::ffff:10.0.0.0", 96 + 8);

	assert_true(has(&set, "::ffff:10.255.0.1"));
	assert_false(has(&set, "::ffff:11.0.0.1"));
	assert_false(has(&set, "::10.0.0.1"));
}

static void an_ipv6_prefix_has_no_ipv4_address(void **state)
{
	struct wire_addrs all = prefix("::", 0), most = prefix("::", 64);
	struct wire_addrs less = prefix("::fffe:0:0", 95);

	assert_true(has(&all, "2001:db8::1"));
	assert_true(has(&most, "::1"));
	assert_true(has(&less, "::fffe:1.2.3.4"));
	assert_false(has(&all, "::ffff:1.2.3.4"));
	assert_false(has(&most, "::ffff:1.2.3.4"));
	assert_false(has(&less, "::ffff:1.2.3.4"));
	assert_false(addr_in_prefix(v6("::ffff:1.2.3.4").bytes, v6("::").bytes, 0));
	assert_true(addr_in_prefix(v6("::ffff:1.2.3.4").bytes, v6("::ffff:0:0").bytes, 96));
}

static void the_longest_prefix_decides(void **state)
{
	struct wire_addrs ten = prefix("::ffff:10.0.0.0", 104);
	struct wire_addrs sub = prefix("::ffff:10.1.0.0", 112);
	struct wire_addrs not_sub, set;

	assert_true(addrset_complement(&sub, &not_sub));
	assert_true(addrset_intersect(&ten, &not_sub, &set));
	assert_true(has(&set, "::ffff:10.2.0.1"));
	assert_false(has(&set, "::ffff:10.1.0.1"));
	assert_false(has(&set, "::ffff:11.1.0.1"));
	assert_int_equal(set.len, 2);
}

static void a_prefix_within_another_is_none(void **state)
{
	struct wire_addrs ten = prefix("::ffff:10.0.0.0", 104);
	struct wire_addrs sub = prefix("::ffff:10.1.0.0", 112);
	struct wire_addrs set;

	assert_true(addrset_union(&sub, &ten, &set));
	assert_memory_equal(&set, &ten, sizeof(set));
	assert_true(addrset_intersect(&ten, &sub, &set));
	assert_memory_equal(&set, &sub, sizeof(set));
}

static void all_and_nothing_are_sets(void **state)
{
	struct wire_addrs all = addrset_all(), none, unset = {};
	struct wire_addrs ten = prefix("::ffff:10.0.0.0", 104);
	struct wire_addrs eleven = prefix("::ffff:11.0.0.0", 104);

	assert_true(addrset_is_all(&all));
	assert_true(addrset_is_all(&unset));
	assert_true(has(&all, "::ffff:1.2.3.4"));
	assert_true(has(&all, "::1"));
	assert_true(has(&unset, "::1"));
	assert_false(addrset_is_all(&ten));
	assert_true(addrset_complement(&all, &none));
	assert_false(addrset_is_all(&none));
	assert_false(has(&none, "::1"));
	assert_true(addrset_intersect(&ten, &eleven, &none));
	assert_false(addrset_is_all(&none));
	assert_false(has(&none, "::ffff:10.0.0.1"));
	assert_true(addrset_complement(&none, &all));
	assert_true(has(&all, "::ffff:10.0.0.1"));
}

/* Short ones of few addresses, so that they overlap; some of them IPv4. */
static struct wire_addrs random_prefix(uint64_t *seed)
{
	struct addr a = v6(random_below(seed, 2) ? "::ffff:0:0" : "2001:db8::");
	unsigned int from = random_below(seed, 8) ? 96 : 0, len = from;

	len += random_below(seed, from ? 33 : 97);
	a.bytes[12] = random_below(seed, 4) << 6;
	a.bytes[15] = random_below(seed, 4);
	addr_mask(a.bytes, len);
	return addrset_of(a.bytes, len);
}

static struct addr random_addr(uint64_t *seed)
{
	struct addr a = v6(random_below(seed, 2) ? "::ffff:0:0" : "2001:db8::");

	a.bytes[0] ^= random_below(seed, 4) == 0;
	a.bytes[12] = random_below(seed, 8) << 5;
	a.bytes[15] = random_below(seed, 4);
	return a;
}

/* One step of a random expression: what it makes of the set, and of a member. */
struct step {
	enum { UNITE, INTERSECT, COMPLEMENT } op;
	struct wire_addrs operand;
};

static void apply(const struct step *step, struct wire_addrs *set)
{
	if (step->op == UNITE)
		assert_true(addrset_union(set, &step->operand, set));
	else if (step->op == INTERSECT)
		assert_true(addrset_intersect(set, &step->operand, set));
	else
		assert_true(addrset_complement(set, set));
}

static bool is_in_after(const struct step *step, bool in, const struct addr *a)
{
	bool also = addrset_contains(&step->operand, a->bytes);

	return step->op == UNITE ? in || also : step->op == INTERSECT ? in && also : !in;
}

static void operations_are_those_of_their_members(void **state)
{
	unsigned int members = 0, others = 0;
	uint64_t seed = 42;

	for (int turn = 0; turn < 2000; turn++) {
		struct wire_addrs first = random_prefix(&seed), set = first;
		struct step steps[6];

		for (int i = 0; i < 6; i++) {
			steps[i].op = random_below(&seed, 3);
			steps[i].operand = random_prefix(&seed);
			apply(&steps[i], &set);
		}
		for (int n = 0; n < 50; n++) {
			struct addr a = random_addr(&seed);
			bool in = addrset_contains(&first, a.bytes);

			for (int i = 0; i < 6; i++)
				in = is_in_after(&steps[i], in, &a);
			assert_int_equal(addrset_contains(&set, a.bytes), in);
			members += in;
			others += !in;
		}
	}
	assert_true(members > 10000 && others > 10000);	/* or this shows little */
}

static void what_takes_too_many_prefixes_is_every_address(void **state)
{
	struct wire_addrs set = prefix("2001:db8::", 128), one, ret;
	struct addr a = v6("2001:db8::");

	for (unsigned int i = 1; i < WIRE_PREFIXES_MAX; i++) {
		a.bytes[15] = 2 * i;
		one = addrset_of(a.bytes, 128);
		assert_true(addrset_union(&set, &one, &set));
	}
	assert_int_equal(set.len, WIRE_PREFIXES_MAX);
	assert_false(addrset_complement(&set, &ret));	/* ::/0 is one more */
	assert_true(addrset_is_all(&ret));
	one = prefix("::ffff:1.2.3.4", 128);
	assert_false(addrset_union(&set, &one, &ret));
	assert_true(addrset_is_all(&ret));
	assert_true(addrset_union(&set, &set, &ret));
	assert_memory_equal(&ret, &set, sizeof(set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_behind_a_prefix_is_masked),
		cmocka_unit_test(a_prefix_has_what_begins_with_it),
		cmocka_unit_test(an_ipv4_prefix_is_of_mapped_addresses),
		cmocka_unit_test(an_ipv6_prefix_has_no_ipv4_address),
		cmocka_unit_test(the_longest_prefix_decides),
		cmocka_unit_test(a_prefix_within_another_is_none),
		cmocka_unit_test(all_and_nothing_are_sets),
		cmocka_unit_test(operations_are_those_of_their_members),
		cmocka_unit_test(what_takes_too_many_prefixes_is_every_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
