// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report_facts.h"
#include "sample_events.h"
#include "verdict.h"

#define BIT(state)	(1u << TS_##state)

static struct conn conn;
static struct wire_tuple told;
static struct report report;

static int setup(void **state)
{
	conn = (struct conn){ .tuple = tuple_of(1), .role = ROLE_ACTIVE };
	told = tuple_of(1);
	report = (struct report){ .tuple = &told, .conn = &conn, .owner = &conn.owner,
				  .role = ROLE_ACTIVE };
	return 0;
}

static uint32_t states(enum report_kind kind)
{
	report.kind = kind;
	return report_facts(&report).states;
}

static void a_transition_has_both_its_states(void **state)
{
	report.state = (struct report_state){ .old = TS_FIN_WAIT2, .new = TS_TIME_WAIT };
	assert_int_equal(states(REPORT_STATE), BIT(FIN_WAIT2) | BIT(TIME_WAIT));
}

static void what_happens_to_a_socket_has_the_state_that_it_is_in(void **state)
{
	report.retransmit = (struct report_retransmit){ .state = TS_SYN_SENT };
	assert_int_equal(states(REPORT_RETRANSMIT), BIT(SYN_SENT));
	report.reset = (struct report_reset){ .state = TS_CLOSE };
	assert_int_equal(states(REPORT_RESET), BIT(CLOSE));
	report.late = (struct report_late){ .state = TS_TIME_WAIT };
	assert_int_equal(states(REPORT_LATE_SEGMENT), BIT(TIME_WAIT));
	report.late.state = TS_NONE;
	assert_int_equal(states(REPORT_LATE_SEGMENT), 0);
}

static void a_half_open_request_is_in_syn_recv(void **state)
{
	assert_int_equal(facts_state(TS_NEW_SYN_RECV), BIT(SYN_RECV));
	assert_int_equal(facts_state(TS_SYN_RECV), BIT(SYN_RECV));
	assert_int_equal(facts_state(TS_NONE), 0);
}

static void take_path(unsigned int len, const uint8_t *path)
{
	memcpy(conn.path, path, len);
	conn.path_len = len;
}

static void a_life_has_all_states_of_its_path(void **state)
{
	take_path(3, (uint8_t[]){ TS_SYN_SENT, TS_ESTABLISHED, TS_FIN_WAIT1 });
	report.connection.verdict.close = CLOSE_STILL_OPEN;
	assert_int_equal(states(REPORT_CONNECTION),
			 BIT(SYN_SENT) | BIT(ESTABLISHED) | BIT(FIN_WAIT1));
}

static void a_life_ends_in_time_wait_or_in_close(void **state)
{
	struct verdict *v = &report.connection.verdict;

	take_path(2, (uint8_t[]){ TS_FIN_WAIT2, TS_TIME_WAIT });
	*v = (struct verdict){ .close = CLOSE_FIN, .time_wait = TRI_YES };
	assert_int_equal(states(REPORT_CONNECTION), BIT(FIN_WAIT2) | BIT(TIME_WAIT));
	take_path(1, (uint8_t[]){ TS_LAST_ACK });
	*v = (struct verdict){ .close = CLOSE_FIN, .time_wait = TRI_NO };
	assert_int_equal(states(REPORT_CONNECTION), BIT(LAST_ACK) | BIT(CLOSE));
	v->time_wait = TRI_UNKNOWN;	/* the table was full */
	assert_int_equal(states(REPORT_CONNECTION), BIT(LAST_ACK));
	*v = (struct verdict){ .close = CLOSE_NONE, .time_wait = TRI_NO };	/* missed */
	assert_int_equal(states(REPORT_CONNECTION), BIT(LAST_ACK));
}

static bool failed(enum outcome_word outcome, enum close_word close)
{
	report.kind = REPORT_CONNECTION;
	report.connection.verdict = (struct verdict){ .outcome = outcome, .close = close };
	return report_facts(&report).failed;
}

static void an_orderly_life_has_not_failed(void **state)
{
	assert_false(failed(OUTCOME_ESTABLISHED, CLOSE_FIN));
	assert_false(failed(OUTCOME_ESTABLISHED, CLOSE_STILL_OPEN));
	assert_false(failed(OUTCOME_NONE, CLOSE_STILL_OPEN));
}

static void no_handshake_is_a_failure(void **state)
{
	for (unsigned int w = OUTCOME_NONE + 1; w < OUTCOME_MAX; w++) {
		if (w != OUTCOME_ESTABLISHED)
			assert_true(failed(w, CLOSE_SILENT));
	}
	assert_true(failed(OUTCOME_NO_ACK, CLOSE_NONE));
	assert_true(failed(OUTCOME_REFUSED, CLOSE_RESET_RECEIVED));
}

static void an_abnormal_end_is_a_failure(void **state)
{
	for (unsigned int w = CLOSE_NONE + 1; w < CLOSE_MAX; w++)
		assert_int_equal(failed(OUTCOME_ESTABLISHED, w),
				 w != CLOSE_FIN && w != CLOSE_STILL_OPEN);
}

static void what_is_not_known_is_no_failure(void **state)
{
	assert_false(failed(OUTCOME_NONE, CLOSE_NONE));
	assert_false(failed(OUTCOME_ESTABLISHED, CLOSE_NONE));
	report.kind = REPORT_STATE;
	assert_false(report_facts(&report).failed);
}

static void a_handshake_is_as_long_as_the_record_says(void **state)
{
	report.kind = REPORT_CONNECTION;
	report.connection.handshake_ns = 1234;
	assert_int_equal(report_facts(&report).handshake_ns, 1234);
	report.connection.handshake_ns = UNKNOWN_NS;
	assert_true(report_facts(&report).handshake_ns == UNKNOWN_NS);
	report.kind = REPORT_STATE;
	assert_true(report_facts(&report).handshake_ns == UNKNOWN_NS);
}

/* A connect() is told without the port that was not chosen yet; by now it is known. */
static void its_ends_are_those_that_are_known_by_now(void **state)
{
	told.lport = 0;
	assert_int_equal(report_facts(&report).tuple->lport, conn.tuple.lport);
	report.conn = NULL;
	assert_int_equal(report_facts(&report).tuple->lport, 0);
}

static void a_listener_is_one(void **state)
{
	assert_false(report_facts(&report).listener);
	report.role = ROLE_LISTENER;
	assert_true(report_facts(&report).listener);
}

/* Of a mini-socket, too, whose connection is no longer in the table. */
static void its_owner_is_the_reports(void **state)
{
	struct owner owner = { .from = OWNER_FD };

	assert_ptr_equal(report_facts(&report).owner, &conn.owner);
	report.owner = &owner;
	report.conn = NULL;
	assert_ptr_equal(report_facts(&report).owner, &owner);
}

static void sockets_that_a_census_met_are_in_their_state(void **state)
{
	report.socket = (struct report_socket){ .state = TS_CLOSE_WAIT };
	assert_int_equal(states(REPORT_SOCKET), BIT(CLOSE_WAIT));
	assert_int_equal(states(REPORT_LISTENER), BIT(LISTEN));
}

static void some_reports_are_of_no_socket(void **state)
{
	static const enum report_kind none[] = {
		REPORT_LOST, REPORT_TIME_WAIT, REPORT_TW_GROUP, REPORT_PORT_SPACE, REPORT_LISTENERS,
	};
	unsigned int nr = 0;

	for (unsigned int i = 0; i < sizeof(none) / sizeof(*none); i++) {
		report.kind = none[i];
		assert_false(report_is_of_socket(&report));
		assert_int_equal(report_facts(&report).states, 0);
	}
	for (unsigned int kind = 0; kind < REPORT_KINDS; kind++) {
		report.kind = kind;
		nr += report_is_of_socket(&report);
	}
	assert_int_equal(nr, REPORT_KINDS - sizeof(none) / sizeof(*none));
}

int main(void)
{
#define TEST(name)	cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(a_transition_has_both_its_states),
		TEST(what_happens_to_a_socket_has_the_state_that_it_is_in),
		TEST(a_half_open_request_is_in_syn_recv),
		TEST(a_life_has_all_states_of_its_path),
		TEST(a_life_ends_in_time_wait_or_in_close),
		TEST(an_orderly_life_has_not_failed),
		TEST(no_handshake_is_a_failure),
		TEST(an_abnormal_end_is_a_failure),
		TEST(what_is_not_known_is_no_failure),
		TEST(a_handshake_is_as_long_as_the_record_says),
		TEST(its_ends_are_those_that_are_known_by_now),
		TEST(a_listener_is_one),
		TEST(its_owner_is_the_reports),
		TEST(sockets_that_a_census_met_are_in_their_state),
		TEST(some_reports_are_of_no_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
