// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "netns_facts.h"

/* As a 6.18 kernel writes it. */
static const char sockstat[] =
	"sockets: used 134\n"
	"TCP: inuse 12 orphan 3 tw 345 alloc 29 mem 4\n"
	"UDP: inuse 2 mem 1\n"
	"UDPLITE: inuse 0\n"
	"RAW: inuse 0\n"
	"FRAG: inuse 0 memory 0\n";

static bool find(const char *text, const char *group, const char *name, uint64_t *ret)
{
	/* whoever reads beyond the text is caught by ASan */
	char *copy = malloc(strlen(text) + 1);
	bool found;

	memcpy(copy, text, strlen(text));
	copy = realloc(copy, strlen(text) ? strlen(text) : 1);
	found = sockstat_find(copy, strlen(text), group, name, ret);
	free(copy);
	return found;
}

static void a_gauge_is_found_by_group_and_name(void **state)
{
	uint64_t n = 7;

	assert_true(find(sockstat, "TCP", "tw", &n));
	assert_int_equal(n, 345);
	assert_true(find(sockstat, "TCP", "inuse", &n));
	assert_int_equal(n, 12);
	assert_true(find(sockstat, "UDP", "inuse", &n));
	assert_int_equal(n, 2);
	assert_true(find(sockstat, "FRAG", "memory", &n));
	assert_int_equal(n, 0);
}

static void what_is_not_there_is_not_found(void **state)
{
	uint64_t n = 7;

	assert_false(find(sockstat, "UDP", "tw", &n));
	assert_false(find(sockstat, "TCP6", "inuse", &n));
	assert_false(find(sockstat, "TC", "inuse", &n));
	assert_false(find(sockstat, "TCP", "t", &n));
	assert_false(find(sockstat, "TCP", "twx", &n));
	assert_false(find("", "TCP", "tw", &n));
	assert_false(find("TCP:", "TCP", "tw", &n));
	assert_false(find("TCP: tw", "TCP", "tw", &n));
	assert_false(find("TCP: tw ", "TCP", "tw", &n));
	assert_false(find("TCP: tw x\n", "TCP", "tw", &n));
	assert_false(find("TCP: tw 99999999999999999999\n", "TCP", "tw", &n));
	assert_int_equal(n, 7);
}

static void a_text_without_a_last_newline_is_read_to_its_end(void **state)
{
	uint64_t n = 0;

	assert_true(find("TCP: inuse 1 tw 2", "TCP", "tw", &n));
	assert_int_equal(n, 2);
}

static bool range(const char *text, uint64_t *lo, uint64_t *hi)
{
	return port_range_parse(text, strlen(text), lo, hi);
}

static void a_port_range_is_two_numbers(void **state)
{
	uint64_t lo = 1, hi = 2;

	assert_true(range("32768\t60999\n", &lo, &hi));
	assert_int_equal(lo, 32768);
	assert_int_equal(hi, 60999);
	assert_true(range("5 5", &lo, &hi));
	assert_int_equal(lo, 5);
	assert_int_equal(hi, 5);
	assert_false(range("", &lo, &hi));
	assert_false(range("5\n", &lo, &hi));
	assert_false(range("6\t5\n", &lo, &hi));
	assert_false(range("1\t65536\n", &lo, &hi));
	assert_false(range("a\tb\n", &lo, &hi));
	assert_int_equal(lo, 5);
}

static uint64_t reserved(const char *text, uint64_t lo, uint64_t hi)
{
	uint64_t n = 0;

	assert_true(reserved_ports_count(text, strlen(text), lo, hi, &n));
	return n;
}

static void reserved_ports_count_within_the_range(void **state)
{
	assert_int_equal(reserved("\n", 1000, 2000), 0);
	assert_int_equal(reserved("", 1000, 2000), 0);
	assert_int_equal(reserved("8080\n", 1000, 2000), 0);
	assert_int_equal(reserved("1000\n", 1000, 2000), 1);
	assert_int_equal(reserved("2000", 1000, 2000), 1);
	assert_int_equal(reserved("2001", 1000, 2000), 0);
	assert_int_equal(reserved("990-1009,1500,1600-1609\n", 1000, 2000), 10 + 1 + 10);
	assert_int_equal(reserved("1-65535\n", 1000, 2000), 1001);
}

static void no_list_of_ports_is_not_counted(void **state)
{
	static const char *const texts[] = {
		"x", "5-", "5-4", "65536", "1,,2", "1;2", "-5", "1-2-3", "99999999999999999999",
	};
	uint64_t n = 7;

	for (unsigned int i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_false(reserved_ports_count(texts[i], strlen(texts[i]), 1, 65535, &n));
	assert_int_equal(n, 7);
}

/* Of the namespace that the test runs in: whatever it is, the two ways agree. */
static void what_is_read_here_makes_sense(void **state)
{
	struct wire_netns_facts facts = {};
	uint64_t tw = 0;
	int fd = tw_gauge_open();

	netns_facts_read(&facts);
	assert_true(fd >= 0);
	assert_int_equal(tw_gauge_read(fd, &tw), 0);
	assert_true(facts.known >> WIRE_F_TW & 1);
	assert_true(facts.known >> WIRE_F_PORT_HI & 1);
	assert_true(facts.values[WIRE_F_PORT_LO] <= facts.values[WIRE_F_PORT_HI]);
	assert_true(facts.known >> WIRE_F_LISTEN_DROPS & 1);
	assert_int_equal(facts.known >> WIRE_FACTS, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gauge_is_found_by_group_and_name),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(a_text_without_a_last_newline_is_read_to_its_end),
		cmocka_unit_test(a_port_range_is_two_numbers),
		cmocka_unit_test(reserved_ports_count_within_the_range),
		cmocka_unit_test(no_list_of_ports_is_not_counted),
		cmocka_unit_test(what_is_read_here_makes_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
