// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample_events.h"
#include "scope.h"

static struct wire_tuple ports(uint16_t lport, uint16_t rport)
{
	struct wire_tuple t = tuple_of(1);

	t.lport = lport;
	t.rport = rport;
	return t;
}

static bool has(const struct wire_scope *scope, uint32_t netns, uint16_t lport, uint16_t rport)
{
	struct wire_tuple t = ports(lport, rport);

	return scope_has(scope, netns, &t);
}

static void a_scope_of_nothing_in_particular_has_everything(void **state)
{
	struct wire_scope all = {};
	struct wire_tuple t = ports(1, 65535);

	assert_true(has(&all, 0, 0, 0));
	assert_true(has(&all, UINT32_MAX, 80, 443));
	t.family = 6;
	assert_true(scope_has(&all, 1, &t));
}

static void a_namespace_is_one_namespace(void **state)
{
	struct wire_scope one = { .netns = 4026531840 };

	assert_true(has(&one, 4026531840, 80, 443));
	assert_false(has(&one, 4026531841, 80, 443));
	assert_false(has(&one, 0, 80, 443));
}

static void a_family_is_the_tuples(void **state)
{
	struct wire_scope v4 = { .family = 4 }, v6 = { .family = 6 };
	struct wire_tuple t = ports(80, 443);

	assert_true(scope_has(&v4, 1, &t));
	assert_false(scope_has(&v6, 1, &t));
	t.family = 6;
	assert_false(scope_has(&v4, 1, &t));
	assert_true(scope_has(&v6, 1, &t));
}

static void through_an_ipv6_listener_ipv4_comes_too(void **state)
{
	struct wire_scope v4 = { .family = 4 }, v6 = { .family = 6 };
	struct wire_tuple t = ports(80, 0);

	assert_true(scope_has_listener(&v4, 1, &t));
	assert_false(scope_has_listener(&v6, 1, &t));
	t.family = 6;
	assert_true(scope_has_listener(&v4, 1, &t));
	assert_true(scope_has_listener(&v6, 1, &t));
}

static void of_a_listener_only_namespace_and_own_port_are_asked(void **state)
{
	struct wire_scope some = { .netns = 7, .lports = { .len = 1, .range = { { 80, 80 } } },
				   .rports = { .len = 1, .range = { { 443, 443 } } } };
	struct wire_tuple t = ports(80, 0);

	assert_true(scope_has_listener(&some, 7, &t));
	assert_false(scope_has_listener(&some, 8, &t));
	t.lport = 81;
	assert_false(scope_has_listener(&some, 7, &t));
	t.lport = 0;	/* not chosen yet */
	assert_true(scope_has_listener(&some, 7, &t));
}

static void local_ports_are_local(void **state)
{
	struct wire_scope s = { .lports = { .len = 2, .range = { { 80, 80 }, { 8000, 8099 } } } };

	assert_true(has(&s, 1, 80, 443));
	assert_true(has(&s, 1, 8000, 443));
	assert_true(has(&s, 1, 8099, 443));
	assert_false(has(&s, 1, 8100, 443));
	assert_false(has(&s, 1, 443, 80));
}

static void remote_ports_are_remote(void **state)
{
	struct wire_scope s = { .rports = { .len = 1, .range = { { 443, 443 } } } };

	assert_true(has(&s, 1, 80, 443));
	assert_false(has(&s, 1, 443, 80));
}

static void all_must_match(void **state)
{
	struct wire_scope s = {
		.netns = 7, .family = 4, .lports = { .len = 1, .range = { { 80, 80 } } },
		.rports = { .len = 1, .range = { { 1024, 65535 } } },
	};

	assert_true(has(&s, 7, 80, 40000));
	assert_false(has(&s, 8, 80, 40000));
	assert_false(has(&s, 7, 81, 40000));
	assert_false(has(&s, 7, 80, 1023));
}

static void a_port_that_is_not_known_matches(void **state)
{
	struct wire_scope s = {
		.lports = { .len = 1, .range = { { 80, 80 } } },
		.rports = { .len = 1, .range = { { 443, 443 } } },
	};

	assert_true(has(&s, 1, 0, 443));
	assert_true(has(&s, 1, 80, 0));
	assert_true(has(&s, 1, 0, 0));
	assert_false(has(&s, 1, 0, 444));
	assert_false(has(&s, 1, 81, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scope_of_nothing_in_particular_has_everything),
		cmocka_unit_test(a_namespace_is_one_namespace),
		cmocka_unit_test(a_family_is_the_tuples),
		cmocka_unit_test(through_an_ipv6_listener_ipv4_comes_too),
		cmocka_unit_test(of_a_listener_only_namespace_and_own_port_are_asked),
		cmocka_unit_test(local_ports_are_local),
		cmocka_unit_test(remote_ports_are_remote),
		cmocka_unit_test(all_must_match),
		cmocka_unit_test(a_port_that_is_not_known_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
