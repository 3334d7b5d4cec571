// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "negotiate.h"

#define PROMETHEUS_2								\
	"application/openmetrics-text;version=1.0.0,"				\
	"application/openmetrics-text;version=0.0.1;q=0.75,"			\
	"text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
#define PROMETHEUS_3								\
	"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"	\
	"application/openmetrics-text;version=0.0.1;q=0.5,"			\
	"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"			\
	"text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

static void assert_openmetrics(const char *accept)
{
	assert_int_equal(negotiate_format(accept), EXPOSITION_OPENMETRICS);
}

static void assert_classic(const char *accept)
{
	assert_int_equal(negotiate_format(accept), EXPOSITION_CLASSIC);
}

static void whoever_asks_for_nothing_gets_the_classic_text(void **state)
{
	assert_classic(NULL);
	assert_classic("");
	assert_classic("*/*");
	assert_classic("text/html,application/xhtml+xml,*/*;q=0.8");
	assert_classic("application/json");
	assert_string_equal(negotiate_content_type(NULL, EXPOSITION_CLASSIC),
			    "text/plain; version=0.0.4; charset=utf-8");
}

static void prometheus_gets_openmetrics(void **state)
{
	assert_openmetrics(PROMETHEUS_2);
	assert_openmetrics(PROMETHEUS_3);
	assert_string_equal(negotiate_content_type(PROMETHEUS_2, EXPOSITION_OPENMETRICS),
			    "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

static void an_escaping_is_answered_if_it_was_asked_for(void **state)
{
	assert_string_equal(negotiate_content_type(PROMETHEUS_3, EXPOSITION_OPENMETRICS),
			    "application/openmetrics-text; version=1.0.0; charset=utf-8; "
			    "escaping=underscores");
	assert_string_equal(negotiate_content_type(PROMETHEUS_3, EXPOSITION_CLASSIC),
			    "text/plain; version=0.0.4; charset=utf-8");
}

static void the_weights_decide(void **state)
{
	assert_openmetrics("application/openmetrics-text");
	assert_openmetrics("APPLICATION/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.5");
	assert_openmetrics("text/plain;q=0.4, application/openmetrics-text;q=0.5");
	assert_openmetrics("*/*;q=0.1 , application/openmetrics-text;q=0.2");
	assert_classic("text/plain, application/openmetrics-text;q=0.999");
	assert_classic("text/plain;q=0.5, application/openmetrics-text;q=0.5");
	assert_classic("application/openmetrics-text;q=0");
	assert_classic("application/openmetrics-text;q=0.000");
}

static void the_range_that_names_a_format_best_weighs(void **state)
{
	assert_openmetrics("*/*, text/plain;q=0.1, application/openmetrics-text;q=0.5");
	assert_openmetrics("text/*;q=0.2, */*, application/openmetrics-text;q=0.5");
	assert_classic("*/*;q=0.1, text/plain;version=0.0.4, application/openmetrics-text;q=0.5");
}

static void another_version_is_not_ours(void **state)
{
	assert_classic("application/openmetrics-text;version=0.0.1");
	assert_classic("application/openmetrics-text;version=2.0.0, text/plain;q=0.1");
	assert_openmetrics("text/plain;version=1.0.0, application/openmetrics-text;q=0.1");
}

static void garbage_is_no_wish(void **state)
{
	static const char *const garbage[] = {
		",", ";", ";;;,,,", "=", ";=", "q=1", ";q=", "application/openmetrics-text;q",
		"application/openmetrics-text;q=x", "application/openmetrics-text;q=2",
		"application/openmetrics-text;q=-1", "application/openmetrics-text;q=0.9999x,,",
		"\"", "application/openmetrics-text;version=\"",
	};

	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		enum exposition_format format = negotiate_format(garbage[i]);

		/* Whatever it is; q of no value counts as none given. */
		assert_in_range(format, EXPOSITION_CLASSIC, EXPOSITION_OPENMETRICS);
		negotiate_gzip(garbage[i]);
	}
	assert_classic("application/openmetrics-text;q=2");
	assert_classic("application/openmetrics-text;q=x");
}

static void gzip_is_for_those_who_take_it(void **state)
{
	assert_true(negotiate_gzip("gzip"));
	assert_true(negotiate_gzip("deflate, gzip;q=1.0, *;q=0.5"));
	assert_true(negotiate_gzip("GZIP"));
	assert_true(negotiate_gzip("*"));
	assert_true(negotiate_gzip("br;q=1, gzip;q=0.001"));
	assert_false(negotiate_gzip(NULL));
	assert_false(negotiate_gzip(""));
	assert_false(negotiate_gzip("identity"));
	assert_false(negotiate_gzip("gzip;q=0"));
	assert_false(negotiate_gzip("*, gzip;q=0"));
	assert_false(negotiate_gzip("*;q=0"));
	assert_false(negotiate_gzip("gzipped"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_asks_for_nothing_gets_the_classic_text),
		cmocka_unit_test(prometheus_gets_openmetrics),
		cmocka_unit_test(an_escaping_is_answered_if_it_was_asked_for),
		cmocka_unit_test(the_weights_decide),
		cmocka_unit_test(the_range_that_names_a_format_best_weighs),
		cmocka_unit_test(another_version_is_not_ours),
		cmocka_unit_test(garbage_is_no_wish),
		cmocka_unit_test(gzip_is_for_those_who_take_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
