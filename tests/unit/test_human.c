// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "human.h"

#define NSEC_PER_SEC	1000000000ull

static char buf[64];

static const char *duration(uint64_t us)
{
	struct text t = text_into(buf, sizeof(buf) - 1);

	human_duration(&t, us);
	*t.p = 0;
	return buf;
}

static const char *bytes(uint64_t n)
{
	struct text t = text_into(buf, sizeof(buf) - 1);

	human_bytes(&t, n);
	*t.p = 0;
	return buf;
}

static const char *local_time(struct local_clock *c, uint64_t ns, unsigned int decimals)
{
	struct text t = text_into(buf, sizeof(buf) - 1);

	human_clock(&t, c, ns, decimals);
	*t.p = 0;
	return buf;
}

static void use_zone(const char *tz)
{
	setenv("TZ", tz, true);
	tzset();
}

static void a_duration_has_three_digits(void **state)
{
	assert_string_equal(duration(0), "0us");
	assert_string_equal(duration(999), "999us");
	assert_string_equal(duration(1000), "1.00ms");
	assert_string_equal(duration(12345), "12.3ms");
	assert_string_equal(duration(123456), "123ms");
	assert_string_equal(duration(1240000), "1.24s");
	assert_string_equal(duration(12400000), "12.4s");
}

static void a_long_duration_has_two_units(void **state)
{
	assert_string_equal(duration(60000000), "1m00s");
	assert_string_equal(duration(3599999999), "59m59s");
	assert_string_equal(duration(3600000000), "1h00m");
	assert_string_equal(duration(86399999999), "23h59m");
	assert_string_equal(duration(86400000000), "1d00h");
	assert_string_equal(duration(UINT64_MAX), "213503982d08h");
}

static void a_duration_is_never_rounded_up(void **state)
{
	assert_string_equal(duration(9999), "9.99ms");
	assert_string_equal(duration(999999), "999ms");
	assert_string_equal(duration(9999999), "9.99s");
	assert_string_equal(duration(59999999), "59.9s");
}

static void bytes_are_counted_in_thousands(void **state)
{
	assert_string_equal(bytes(0), "0");
	assert_string_equal(bytes(999), "999");
	assert_string_equal(bytes(1000), "1.0k");
	assert_string_equal(bytes(1256), "1.2k");
	assert_string_equal(bytes(9999), "9.9k");
	assert_string_equal(bytes(12345), "12k");
	assert_string_equal(bytes(999999), "999k");
	assert_string_equal(bytes(1000000), "1.0M");
	assert_string_equal(bytes(1234567890), "1.2G");
	assert_string_equal(bytes(UINT64_MAX), "18E");
}

static void the_clock_has_as_many_decimals_as_asked_for(void **state)
{
	uint64_t ns = 7860 * NSEC_PER_SEC + 123456789;
	struct local_clock c = {};

	use_zone("UTC");
	assert_string_equal(local_time(&c, ns, 0), "02:11:00");
	assert_string_equal(local_time(&c, ns, 3), "02:11:00.123");
	assert_string_equal(local_time(&c, ns, 6), "02:11:00.123456");
	assert_string_equal(local_time(&c, ns, 9), "02:11:00.123456789");
	assert_string_equal(local_time(&c, 7860 * NSEC_PER_SEC + 5, 6), "02:11:00.000000");
}

static void the_clock_is_local(void **state)
{
	struct local_clock c = {};

	use_zone("EST5");
	assert_string_equal(local_time(&c, 7860 * NSEC_PER_SEC, 0), "21:11:00");
}

static void the_clock_follows_time_forth_and_back(void **state)
{
	struct local_clock c = {};

	use_zone("UTC");
	assert_string_equal(local_time(&c, 0, 0), "00:00:00");
	assert_string_equal(local_time(&c, 59 * NSEC_PER_SEC, 0), "00:00:59");
	assert_string_equal(local_time(&c, 60 * NSEC_PER_SEC, 0), "00:01:00");
	assert_string_equal(local_time(&c, 59 * NSEC_PER_SEC, 0), "00:00:59");
}

/* 2026-10-25, 01:00 UTC: 02:59:59 is followed by 02:00:00. */
static void the_clock_goes_with_summer_time(void **state)
{
	const uint64_t change = 1792890000;
	struct local_clock c = {};

	use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_string_equal(local_time(&c, (change - 1) * NSEC_PER_SEC, 0), "02:59:59");
	assert_string_equal(local_time(&c, change * NSEC_PER_SEC, 0), "02:00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duration_has_three_digits),
		cmocka_unit_test(a_long_duration_has_two_units),
		cmocka_unit_test(a_duration_is_never_rounded_up),
		cmocka_unit_test(bytes_are_counted_in_thousands),
		cmocka_unit_test(the_clock_has_as_many_decimals_as_asked_for),
		cmocka_unit_test(the_clock_is_local),
		cmocka_unit_test(the_clock_follows_time_forth_and_back),
		cmocka_unit_test(the_clock_goes_with_summer_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
