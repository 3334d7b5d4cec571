// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tally.h"

static void count_life(struct tally *t, enum outcome_word outcome, enum close_word close,
		       const struct conn *c)
{
	struct report r = {
		.kind = REPORT_CONNECTION, .conn = c,
		.connection = { .verdict = { .outcome = outcome, .close = close },
				.complete = !(c->flags & CONN_GAP) },
	};

	tally_report(t, &r, false);
}

static void nothing_amounts_to_nothing(void **state)
{
	struct tally t = {};

	assert_int_equal(tally_lost(&t), 0);
	assert_int_equal(t.connections, 0);
}

static void lives_are_counted_by_outcome_and_close(void **state)
{
	struct conn c = { .owner.from = OWNER_CONNECT };
	struct tally t = {};

	count_life(&t, OUTCOME_ESTABLISHED, CLOSE_FIN, &c);
	count_life(&t, OUTCOME_ESTABLISHED, CLOSE_RESET_SENT, &c);
	count_life(&t, OUTCOME_REFUSED, CLOSE_RESET_RECEIVED, &c);
	count_life(&t, OUTCOME_NONE, CLOSE_NONE, &c);
	assert_int_equal(t.connections, 4);
	assert_int_equal(t.outcomes[OUTCOME_ESTABLISHED], 2);
	assert_int_equal(t.outcomes[OUTCOME_REFUSED], 1);
	assert_int_equal(t.closes[CLOSE_FIN], 1);
	assert_int_equal(t.closes[CLOSE_RESET_RECEIVED], 1);
	assert_int_equal(t.incomplete, 0);
	assert_int_equal(t.owners_unknown, 0);
}

static void what_is_in_doubt_is_counted(void **state)
{
	struct conn gap = { .flags = CONN_GAP, .owner.from = OWNER_FD }, nobodys = {};
	struct tally t = {};

	count_life(&t, OUTCOME_ESTABLISHED, CLOSE_FIN, &gap);
	count_life(&t, OUTCOME_ESTABLISHED, CLOSE_FIN, &nobodys);
	assert_int_equal(t.incomplete, 1);
	assert_int_equal(t.owners_unknown, 1);
	assert_int_equal(t.connections, 2);
}

static void lives_older_than_the_trace_count_if_asked_for(void **state)
{
	struct conn c = { .flags = CONN_EXISTING };
	struct report r = { .kind = REPORT_CONNECTION, .conn = &c };
	struct tally t = {};

	tally_report(&t, &r, false);
	assert_int_equal(t.connections, 0);
	assert_int_equal(t.incomplete, 0);
	assert_int_equal(t.owners_unknown, 0);
	tally_report(&t, &r, true);
	assert_int_equal(t.connections, 1);
	assert_int_equal(t.incomplete, 1);
}

static void retransmits_are_counted_in_segments(void **state)
{
	struct report r = { .kind = REPORT_RETRANSMIT, .retransmit.segs = 10 };
	struct tally t = {};

	tally_report(&t, &r, false);
	tally_report(&t, &r, false);
	assert_int_equal(t.retransmits, 20);
	r.retransmit.err = 11;	/* did not go out */
	tally_report(&t, &r, false);
	assert_int_equal(t.retransmits, 20);
}

static void events_are_counted_by_kind(void **state)
{
	struct tally t = {};

	for (enum report_kind kind = 0; kind < REPORT_KINDS; kind++) {
		struct report r = { .kind = kind };

		if (kind != REPORT_CONNECTION)
			tally_report(&t, &r, false);
	}
	assert_int_equal(t.transitions, 1);
	assert_int_equal(t.resets, 1);
	assert_int_equal(t.connections, 0);
}

static void losses_are_counted_by_place_and_added_up(void **state)
{
	static const enum lost_word places[] = { LOST_RING, LOST_NESTED, LOST_SINK, LOST_TABLE };
	struct tally t = {};

	for (unsigned int i = 0; i < 4; i++) {
		struct report r = { .kind = REPORT_LOST,
				    .lost = { .where = places[i], .count = 1 << i } };

		tally_report(&t, &r, false);
		tally_report(&t, &r, false);
		assert_int_equal(t.lost[places[i]], 2 << i);
	}
	assert_int_equal(tally_lost(&t), 30);
}

static void births_that_nobody_saw_are_the_difference(void **state)
{
	struct engine e = { .births = 7, .births_counted = 10 };
	struct tally t = {};

	tally_finish(&t, &e);
	assert_int_equal(t.unseen, 3);
}

static void who_turned_up_later_was_seen_after_all(void **state)
{
	struct engine e = { .births = 7, .adopted = 2, .births_counted = 10 };
	struct tally t = {};

	tally_finish(&t, &e);
	assert_int_equal(t.unseen, 1);
}

/* Counted before the ring was tried, and read before the ring was drained. */
static void more_births_seen_than_counted_is_none_unseen(void **state)
{
	struct engine e = { .births = 10, .births_counted = 7 };
	struct tally t = {};

	tally_finish(&t, &e);
	assert_int_equal(t.unseen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_amounts_to_nothing),
		cmocka_unit_test(lives_are_counted_by_outcome_and_close),
		cmocka_unit_test(what_is_in_doubt_is_counted),
		cmocka_unit_test(lives_older_than_the_trace_count_if_asked_for),
		cmocka_unit_test(retransmits_are_counted_in_segments),
		cmocka_unit_test(events_are_counted_by_kind),
		cmocka_unit_test(losses_are_counted_by_place_and_added_up),
		cmocka_unit_test(births_that_nobody_saw_are_the_difference),
		cmocka_unit_test(who_turned_up_later_was_seen_after_all),
		cmocka_unit_test(more_births_seen_than_counted_is_none_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
