// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "addrset.h"
#include "portset.h"
#include "sample_events.h"
#include "scope.h"

static struct wire_tuple ports(uint16_t lport, uint16_t rport)
{
	struct wire_tuple t = tuple_of(1);

	t.lport = lport;
	t.rport = rport;
	return t;
}

static bool has(const struct scope *scope, uint32_t netns, uint16_t lport, uint16_t rport)
{
	struct wire_tuple t = ports(lport, rport);

	return scope_has(scope, netns, &t);
}

static struct wire_addrs net_10(unsigned int octet)
{
	uint8_t addr[16] = { [10] = 0xff, 0xff, 10, octet };

	return addrset_of(addr, ADDR_V4_BITS + 16);
}

/* As a listening socket on :: of both families, or its clone, has them. */
static struct wire_tuple nowhere(void)
{
	return (struct wire_tuple){ .lport = 80, .family = 6 };
}

static void a_scope_of_nothing_in_particular_has_everything(void **state)
{
	struct scope all = {};
	struct wire_tuple t = ports(1, 65535);

	assert_true(has(&all, 0, 0, 0));
	assert_true(has(&all, UINT32_MAX, 80, 443));
	t.family = 6;
	assert_true(scope_has(&all, 1, &t));
}

static void a_namespace_is_one_namespace(void **state)
{
	struct scope one = { .sockets.netns = 4026531840 };

	assert_true(has(&one, 4026531840, 80, 443));
	assert_false(has(&one, 4026531841, 80, 443));
	assert_false(has(&one, 0, 80, 443));
}

static void a_family_is_the_tuples(void **state)
{
	struct scope v4 = { .sockets.family = 4 }, v6 = { .sockets.family = 6 };
	struct wire_tuple t = ports(80, 443);

	assert_true(scope_has(&v4, 1, &t));
	assert_false(scope_has(&v6, 1, &t));
	t.family = 6;
	assert_false(scope_has(&v4, 1, &t));
	assert_true(scope_has(&v6, 1, &t));
}

static void through_an_ipv6_listener_ipv4_comes_too(void **state)
{
	struct scope v4 = { .sockets.family = 4 }, v6 = { .sockets.family = 6 };
	struct wire_tuple t = ports(80, 0);

	assert_true(scope_has_listener(&v4, 1, &t));
	assert_false(scope_has_listener(&v6, 1, &t));
	t.family = 6;
	assert_true(scope_has_listener(&v4, 1, &t));
	assert_true(scope_has_listener(&v6, 1, &t));
}

static void of_a_listener_only_its_own_end_is_asked(void **state)
{
	struct scope some = {
		.sockets = { .netns = 7, .lports = { .len = 1, .range = { { 80, 80 } } },
			     .rports = { .len = 1, .range = { { 443, 443 } } } },
		.raddrs = net_10(7),
	};
	struct wire_tuple t = ports(80, 0);

	assert_true(scope_has_listener(&some, 7, &t));
	assert_false(scope_has_listener(&some, 8, &t));
	t.lport = 81;
	assert_false(scope_has_listener(&some, 7, &t));
	t.lport = 0;	/* not chosen yet */
	assert_true(scope_has_listener(&some, 7, &t));
	some.laddrs = net_10(0);
	assert_true(scope_has_listener(&some, 7, &t));
	some.laddrs = net_10(1);
	assert_false(scope_has_listener(&some, 7, &t));
	memset(t.laddr, 0, sizeof(t.laddr));	/* on every address */
	assert_true(scope_has_listener(&some, 7, &t));
}

static void local_ports_are_local(void **state)
{
	struct scope s = {
		.sockets.lports = { .len = 2, .range = { { 80, 80 }, { 8000, 8099 } } },
	};

	assert_true(has(&s, 1, 80, 443));
	assert_true(has(&s, 1, 8000, 443));
	assert_true(has(&s, 1, 8099, 443));
	assert_false(has(&s, 1, 8100, 443));
	assert_false(has(&s, 1, 443, 80));
}

static void remote_ports_are_remote(void **state)
{
	struct scope s = { .sockets.rports = { .len = 1, .range = { { 443, 443 } } } };

	assert_true(has(&s, 1, 80, 443));
	assert_false(has(&s, 1, 443, 80));
}

static void all_must_match(void **state)
{
	struct scope s = {
		.sockets = {
			.netns = 7, .family = 4, .lports = { .len = 1, .range = { { 80, 80 } } },
			.rports = { .len = 1, .range = { { 1024, 65535 } } },
		},
		.laddrs = net_10(0),
	};

	assert_true(has(&s, 7, 80, 40000));
	assert_false(has(&s, 8, 80, 40000));
	assert_false(has(&s, 7, 81, 40000));
	assert_false(has(&s, 7, 80, 1023));
	s.laddrs = net_10(1);
	assert_false(has(&s, 7, 80, 40000));
}

static void addresses_are_of_their_own_end(void **state)
{
	struct scope local = { .laddrs = net_10(0) }, remote = { .raddrs = net_10(0) };
	struct wire_tuple t = ports(80, 443);

	t.laddr[13] = 9;	/* 10.9.0.1 to 10.0.0.2 */
	assert_false(scope_has(&local, 1, &t));
	assert_true(scope_has(&remote, 1, &t));
	t = ports(80, 443);
	t.raddr[13] = 9;
	assert_true(scope_has(&local, 1, &t));
	assert_false(scope_has(&remote, 1, &t));
}

static void an_address_that_is_not_known_matches(void **state)
{
	struct scope s = { .laddrs = net_10(0), .raddrs = net_10(0) };
	struct wire_tuple t = nowhere();

	assert_true(scope_has(&s, 1, &t));
	t = ports(80, 0);
	memset(t.raddr + 12, 0, 4);	/* 0.0.0.0 */
	assert_true(scope_has(&s, 1, &t));
	t.raddr[15] = 1;
	assert_false(scope_has(&s, 1, &t));
}

static void of_what_is_on_no_address_the_family_is_not_known(void **state)
{
	struct scope v4 = { .sockets.family = 4 };
	struct wire_tuple t = nowhere();

	assert_true(scope_has(&v4, 1, &t));
	t.laddr[15] = 1;	/* ::1 */
	assert_false(scope_has(&v4, 1, &t));
}

static void assert_undecided(const struct scope *scope, const struct wire_tuple *t, bool is)
{
	assert_int_equal(scope_is_undecided(scope, t), is);
}

static void what_is_not_known_and_not_asked_for_is_decided(void **state)
{
	struct scope all = {};
	struct wire_tuple t = nowhere();

	t.lport = 0;
	assert_undecided(&all, &t, false);
}

static void what_is_asked_for_and_still_to_come_is_undecided(void **state)
{
	struct scope family = { .sockets.family = 4 }, lport = {}, rport = {};
	struct scope laddr = { .laddrs = net_10(0) }, raddr = { .raddrs = net_10(0) };
	struct wire_tuple t = nowhere(), known = ports(80, 443);

	lport.sockets.lports = rport.sockets.rports = portset_all();
	t.lport = 0;
	assert_undecided(&family, &t, true);
	assert_undecided(&lport, &t, true);
	assert_undecided(&rport, &t, true);
	assert_undecided(&laddr, &t, true);
	assert_undecided(&raddr, &t, true);
	assert_undecided(&family, &known, false);
	assert_undecided(&lport, &known, false);
	assert_undecided(&rport, &known, false);
	assert_undecided(&laddr, &known, false);
	assert_undecided(&raddr, &known, false);
}

static void a_listener_has_the_family_of_its_address(void **state)
{
	struct scope v4 = { .sockets.family = 4 }, v6 = { .sockets.family = 6 };
	struct wire_tuple t = nowhere();

	assert_false(scope_asks_for_listener(&v4, 1, &t));
	assert_true(scope_asks_for_listener(&v6, 1, &t));
}

static void a_listener_is_in_no_set_of_remote_ports_without_0(void **state)
{
	struct scope s = { .sockets.rports = { .len = 1, .range = { { 443, 443 } } } };
	struct wire_tuple t = nowhere();

	assert_false(scope_asks_for_listener(&s, 1, &t));
	s.sockets.rports.range[0].lo = 0;
	assert_true(scope_asks_for_listener(&s, 1, &t));
	s.sockets.lports = (struct wire_ports){ .len = 1, .range = { { 81, 81 } } };
	assert_false(scope_asks_for_listener(&s, 1, &t));
}

static void a_port_that_is_not_known_matches(void **state)
{
	struct scope s = {
		.sockets.lports = { .len = 1, .range = { { 80, 80 } } },
		.sockets.rports = { .len = 1, .range = { { 443, 443 } } },
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
		cmocka_unit_test(of_a_listener_only_its_own_end_is_asked),
		cmocka_unit_test(local_ports_are_local),
		cmocka_unit_test(remote_ports_are_remote),
		cmocka_unit_test(all_must_match),
		cmocka_unit_test(a_port_that_is_not_known_matches),
		cmocka_unit_test(addresses_are_of_their_own_end),
		cmocka_unit_test(an_address_that_is_not_known_matches),
		cmocka_unit_test(of_what_is_on_no_address_the_family_is_not_known),
		cmocka_unit_test(what_is_not_known_and_not_asked_for_is_decided),
		cmocka_unit_test(what_is_asked_for_and_still_to_come_is_undecided),
		cmocka_unit_test(a_listener_has_the_family_of_its_address),
		cmocka_unit_test(a_listener_is_in_no_set_of_remote_ports_without_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
