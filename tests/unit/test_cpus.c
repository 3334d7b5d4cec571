// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cpus.h"

static int of(const char *text)
{
	return cpus_parse(text, strlen(text));
}

static void as_many_as_there_are_without_gaps(void **state)
{
	assert_int_equal(of("0\n"), 1);
	assert_int_equal(of("0-1\n"), 2);
	assert_int_equal(of("0-1023\n"), 1024);
}

static void the_highest_number_counts_where_there_are_gaps(void **state)
{
	assert_int_equal(of("0,2\n"), 3);
	assert_int_equal(of("0-3,8-11\n"), 12);
	assert_int_equal(of("0-1,4,6-7\n"), 8);
}

static void what_is_no_list_is_an_error(void **state)
{
	static const char *const texts[] = {
		"", "\n", "0", "0-", "0-1", "-1\n", "0--1\n", "1-0\n", "0,\n", "0 1\n", "x\n",
		"0-1\n2\n", "99999999999\n", "0-4294967297\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(of(texts[i]), -EBADMSG);
}

static void this_machine_has_some(void **state)
{
	assert_true(cpus_possible() >= sysconf(_SC_NPROCESSORS_ONLN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_as_there_are_without_gaps),
		cmocka_unit_test(the_highest_number_counts_where_there_are_gaps),
		cmocka_unit_test(what_is_no_list_is_an_error),
		cmocka_unit_test(this_machine_has_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
