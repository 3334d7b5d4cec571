// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "age.h"
#include "sample_events.h"

#define MSEC_IN_JIFFIES(ms)	((ms) * HZ / 1000)

/* Heard of 90 s ago; said something 3 s ago, its FIN, which is all that is out. */
static struct wire_aged aged(enum tcp_state state)
{
	return (struct wire_aged){
		.hdr = hdr_of(WIRE_AGED, sizeof(struct wire_aged), T0, 1), .tuple = tuple_of(1),
		.sent_ns = T0 - 3 * SEC, .heard = 90 * HZ, .rto = HZ / 5, .snd_una = 1000,
		.snd_nxt = 1001, .write_seq = 1001, .state = state,
	};
}

static uint64_t age(const struct wire_aged *a)
{
	return age_at_least(a, HZ);
}

static void what_the_peer_said_last_began_these_states_or_came_later(void **state)
{
	static const enum tcp_state states[] = { TS_FIN_WAIT2, TS_CLOSE_WAIT, TS_CLOSING };

	for (unsigned int i = 0; i < sizeof(states) / sizeof(*states); i++) {
		struct wire_aged a = aged(states[i]);

		assert_int_equal(age(&a), 90 * SEC);
	}
}

static void a_connect_has_a_time_of_its_own(void **state)
{
	struct wire_aged a = aged(TS_SYN_SENT);

	a.tried_ms = 7500;
	assert_int_equal(age(&a), 7500 * MSEC);
}

static void after_our_fin_it_is_what_we_said_last(void **state)
{
	struct wire_aged a = aged(TS_FIN_WAIT1);

	assert_int_equal(age(&a), 3 * SEC);
	a.state = TS_LAST_ACK;
	assert_int_equal(age(&a), 3 * SEC);
}

/* 200 400 800 ms ran out, and 1600 runs. */
static void each_timeout_of_the_fin_took_half_of_the_next(void **state)
{
	struct wire_aged a = aged(TS_LAST_ACK);

	a.rto = MSEC_IN_JIFFIES(1600);
	a.retransmits = a.backoff = 3;
	assert_int_equal(age(&a), 3 * SEC + 1400 * MSEC);
}

static void a_backoff_from_before_is_not_the_fins(void **state)
{
	struct wire_aged a = aged(TS_LAST_ACK);

	a.rto = MSEC_IN_JIFFIES(1600);
	a.backoff = 3;
	assert_int_equal(age(&a), 3 * SEC);
	a.retransmits = 1;
	assert_int_equal(age(&a), 3 * SEC + 800 * MSEC);
}

static void timeouts_of_data_may_be_older_than_the_fin(void **state)
{
	struct wire_aged a = aged(TS_LAST_ACK);

	a.rto = MSEC_IN_JIFFIES(1600);
	a.retransmits = a.backoff = 3;
	a.snd_una -= 500;
	assert_int_equal(age(&a), 3 * SEC);
}

static void a_fin_that_did_not_go_out_tells_nothing(void **state)
{
	struct wire_aged a = aged(TS_FIN_WAIT1);

	a.write_seq++;
	assert_int_equal(age(&a), AGE_UNKNOWN);
	a = aged(TS_FIN_WAIT1);
	a.sent_ns = 0;
	assert_int_equal(age(&a), AGE_UNKNOWN);
	a.sent_ns = T0 + SEC;	/* paced: it leaves later */
	assert_int_equal(age(&a), AGE_UNKNOWN);
}

static void nonsense_in_the_counters_does_not_matter(void **state)
{
	struct wire_aged a = aged(TS_LAST_ACK);

	a.rto = UINT32_MAX;
	a.retransmits = a.backoff = UINT8_MAX;
	assert_true(age(&a) >= 3 * SEC && age(&a) != AGE_UNKNOWN);
}

static void other_states_have_no_age(void **state)
{
	struct wire_aged a = aged(TS_ESTABLISHED);

	assert_int_equal(age(&a), AGE_UNKNOWN);
	a.state = TS_LISTEN;
	assert_int_equal(age(&a), AGE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_peer_said_last_began_these_states_or_came_later),
		cmocka_unit_test(a_connect_has_a_time_of_its_own),
		cmocka_unit_test(after_our_fin_it_is_what_we_said_last),
		cmocka_unit_test(each_timeout_of_the_fin_took_half_of_the_next),
		cmocka_unit_test(a_backoff_from_before_is_not_the_fins),
		cmocka_unit_test(timeouts_of_data_may_be_older_than_the_fin),
		cmocka_unit_test(a_fin_that_did_not_go_out_tells_nothing),
		cmocka_unit_test(nonsense_in_the_counters_does_not_matter),
		cmocka_unit_test(other_states_have_no_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
