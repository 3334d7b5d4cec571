// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "duration.h"

#define MS	1000000ULL
#define SECOND	(1000 * MS)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)

static void assert_ns(const char *text, uint64_t expected)
{
	uint64_t ns = 42;

	assert_int_equal(duration_parse(text, &ns), 0);
	assert_int_equal(ns, expected);
}

static void assert_refused(const char *text, int err)
{
	uint64_t ns = 42;

	assert_int_equal(duration_parse(text, &ns), err);
	assert_int_equal(ns, 42);
}

static void a_bare_number_is_seconds(void **state)
{
	assert_ns("10", 10 * SECOND);
	assert_ns("1", SECOND);
	assert_ns("007", 7 * SECOND);
}

static void every_unit_is_known(void **state)
{
	assert_ns("500ms", 500 * MS);
	assert_ns("10s", 10 * SECOND);
	assert_ns("2m", 2 * MINUTE);
	assert_ns("1h", HOUR);
}

static void decimals_are_exact(void **state)
{
	assert_ns("1.5s", 1500 * MS);
	assert_ns("1.5", 1500 * MS);
	assert_ns("0.1s", 100 * MS);
	assert_ns("2.25ms", 2250000);
	assert_ns("0.5m", 30 * SECOND);
	assert_ns("1.999999999h", 2 * HOUR - 3600);
	assert_ns("0.000000001s", 1);
	assert_ns("1.050s", 1050 * MS);
}

static void decimals_beyond_the_ninth_do_not_count(void **state)
{
	assert_ns("1.0000000009s", SECOND);
	assert_ns("1.50000000000000000000000000000000s", 1500 * MS);
}

static void zero_is_a_duration(void **state)
{
	assert_ns("0", 0);
	assert_ns("0ms", 0);
	assert_ns("0.0", 0);
}

static void a_sign_or_a_blank_is_refused(void **state)
{
	assert_refused("-1", -EINVAL);
	assert_refused("-1s", -EINVAL);
	assert_refused("+1s", -EINVAL);
	assert_refused(" 1s", -EINVAL);
	assert_refused("1 s", -EINVAL);
	assert_refused("1s ", -EINVAL);
	assert_refused("1s\n", -EINVAL);
}

static void what_has_no_number_is_refused(void **state)
{
	assert_refused("", -EINVAL);
	assert_refused("s", -EINVAL);
	assert_refused("ms", -EINVAL);
	assert_refused("soon", -EINVAL);
	assert_refused("inf", -EINVAL);
	assert_refused("nan", -EINVAL);
}

static void half_a_decimal_is_refused(void **state)
{
	assert_refused(".5s", -EINVAL);
	assert_refused("1.s", -EINVAL);
	assert_refused("1.", -EINVAL);
	assert_refused("1..5s", -EINVAL);
	assert_refused("1.5.5s", -EINVAL);
	assert_refused("1.-5s", -EINVAL);
	assert_refused("1,5s", -EINVAL);
}

static void trailing_garbage_is_refused(void **state)
{
	assert_refused("10x", -EINVAL);
	assert_refused("1.5x", -EINVAL);
	assert_refused("10ss", -EINVAL);
	assert_refused("10msx", -EINVAL);
	assert_refused("10m5s", -EINVAL);
	assert_refused("10d", -EINVAL);
	assert_refused("10S", -EINVAL);
	assert_refused("1e3", -EINVAL);
	assert_refused("0x10", -EINVAL);
	assert_refused("99999999999999999999x", -EINVAL);
}

static void the_longest_is_what_a_signed_clock_holds(void **state)
{
	assert_ns("9223372036s", 9223372036 * SECOND);
	assert_ns("9223372036.854775807s", INT64_MAX);
	assert_refused("9223372036.854775808s", -ERANGE);
	assert_refused("9223372037", -ERANGE);
	assert_refused("18446744073.709551615s", -ERANGE);
	assert_refused("2562048h", -ERANGE);
}

static void no_number_of_digits_overflows_unseen(void **state)
{
	assert_refused("18446744073709551616", -ERANGE);
	assert_refused("18446744073709551617ms", -ERANGE);
	assert_refused("36893488147419103233s", -ERANGE);
	assert_refused("99999999999999999999999999999999999999999999h", -ERANGE);
	assert_refused("99999999999999999999999999999999999999999999.9h", -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bare_number_is_seconds),
		cmocka_unit_test(every_unit_is_known),
		cmocka_unit_test(decimals_are_exact),
		cmocka_unit_test(decimals_beyond_the_ninth_do_not_count),
		cmocka_unit_test(zero_is_a_duration),
		cmocka_unit_test(a_sign_or_a_blank_is_refused),
		cmocka_unit_test(what_has_no_number_is_refused),
		cmocka_unit_test(half_a_decimal_is_refused),
		cmocka_unit_test(trailing_garbage_is_refused),
		cmocka_unit_test(the_longest_is_what_a_signed_clock_holds),
		cmocka_unit_test(no_number_of_digits_overflows_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
