// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "summary.h"
#include "words.h"

static struct row row;
static char buf[SUMMARY_MAX];

static int quiet_run(void **state)
{
	row_clear(&row);
	row_set(&row, F_EVENT)->text = "summary";
	for (enum field f = F_SECONDS; f < F_MAX; f++)
		row_set(&row, f)->u = 0;
	row_set(&row, F_SECONDS)->u = 12345;
	return 0;
}

static void set(enum field f, uint64_t u)
{
	row_set(&row, f)->u = u;
}

static const char *summary(void)
{
	struct text t = text_into(buf, sizeof(buf) - 1);

	table_summary(&t, &row);
	assert_false(t.full);
	*t.p = 0;
	return buf;
}

static void a_run_without_events_says_so(void **state)
{
	assert_string_equal(summary(), "12.3s: nothing seen\n");
}

static void what_happened_is_told_in_full(void **state)
{
	set(F_TRANSITIONS, 1234);
	set(F_RETRANSMITS, 5);
	set(F_RESETS, 2);
	set(F_CONNECTIONS, 100);
	set(F_OUTCOME_ESTABLISHED, 95);
	set(F_OUTCOME_REFUSED, 3);
	set(F_OUTCOME_NO_PORT, 2);
	set(F_CLOSE_FIN, 90);
	set(F_CLOSE_RESET_RECEIVED, 6);
	set(F_CLOSE_STILL_OPEN, 4);
	set(F_INCOMPLETE, 2);
	set(F_UNSEEN, 1);
	set(F_OWNERS_UNKNOWN, 40);
	assert_string_equal(summary(),
		"12.3s: 1234 transitions, 5 retransmits, 2 resets\n"
		"100 connections: 95 established, 3 refused, 2 no port\n"
		"closed: 90 fin, 6 reset received, 4 still open\n"
		"in doubt: 2 incomplete, 1 not seen, 40 without owner\n");
}

static void one_is_not_a_plural(void **state)
{
	set(F_TRANSITIONS, 1);
	set(F_CONNECTIONS, 1);
	set(F_OUTCOME_TIMEOUT, 1);
	set(F_LOST_RING, 1);
	assert_string_equal(summary(),
		"12.3s: 1 transition\n"
		"1 connection: 1 timeout\n"
		"*** LOST: 1 record in the ring ***\n");
}

static void losses_are_loud(void **state)
{
	set(F_LOST_RING, 120);
	set(F_LOST_NESTED, 3);
	set(F_LOST_SINK, 7);
	set(F_LOST_TABLE, 2);
	assert_string_equal(summary(),
		"12.3s: nothing seen\n"
		"*** LOST: 120 records in the ring, 3 records at the most by nesting, "
		"7 records at a slow reader, 2 connections from the table ***\n");
}

static void every_outcome_and_close_has_a_place(void **state)
{
	set(F_CONNECTIONS, 1);
	for (unsigned int w = 1; w < OUTCOME_MAX; w++)
		set(F_OUTCOME_ESTABLISHED + w - 1, w);
	for (unsigned int w = 1; w < CLOSE_MAX; w++)
		set(F_CLOSE_FIN + w - 1, w);
	assert_string_equal(summary(),
		"12.3s: nothing seen\n"
		"1 connection: 1 established, 2 refused, 3 timeout, 4 killed, 5 unreachable, "
		"6 no port, 7 aborted, 8 not accepted, 9 no ack, 10 other\n"
		"closed: 1 fin, 2 reset sent, 3 reset received, 4 timeout, 5 killed, 6 orphan, "
		"7 silent, 8 still open\n");
}

static void the_longest_summary_fits(void **state)
{
	for (enum field f = F_SECONDS + 1; f < F_MAX; f++)
		set(f, UINT64_MAX);
	summary();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup(f, quiet_run)
		TEST(a_run_without_events_says_so),
		TEST(what_happened_is_told_in_full),
		TEST(one_is_not_a_plural),
		TEST(losses_are_loud),
		TEST(every_outcome_and_close_has_a_place),
		TEST(the_longest_summary_fits),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
