// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "row.h"
#include "sample_events.h"
#include "tw_table.h"

static struct row row;

/* An active life that ended in TIME_WAIT; tests take away what they are not about. */
static struct conn life(void)
{
	return (struct conn){
		.id = 0x21a4, .tuple = tuple_of(1), .netns = 7, .stage = STAGE_VERDICT,
		.role = ROLE_ACTIVE, .start_ns = T0, .path_len = 5,
		.path = { TS_SYN_SENT, TS_ESTABLISHED, TS_FIN_WAIT1, TS_FIN_WAIT2, TS_TIME_WAIT },
		.path_ns = { 1000, 2000, 3000, 4000, UNKNOWN_NS },
		.owner = { .pid = 812, .uid = 33, .from = OWNER_CONNECT, .comm = "curl" },
		.end = { .bytes_acked = 7, .bytes_received = 7, .data_segs_out = 1,
			 .data_segs_in = 2, .srtt_us8 = 1760, .min_rtt_us = 180,
			 .flags = ENDING_SYNCED | ENDING_DONE | ENDING_SAMPLED },
	};
}

static struct report about(const struct conn *c, enum report_kind kind)
{
	return (struct report){
		.kind = kind, .at_ns = T0 + 5, .clock_ns = 1000, .id = c->id, .netns = c->netns,
		.tuple = &c->tuple, .conn = c, .role = c->role, .owner = &c->owner,
		.existing = c->flags & CONN_EXISTING,
	};
}

static struct report ended(const struct conn *c)
{
	struct report r = about(c, REPORT_CONNECTION);

	r.connection = (struct report_connection){
		.verdict = { .fate = FATE_ENDED, .outcome = OUTCOME_ESTABLISHED,
			     .close = CLOSE_FIN, .closed_by = SIDE_LOCAL, .time_wait = TRI_YES },
		.complete = true, .start_ns = c->start_ns, .duration_ns = 5999,
		.handshake_ns = 1000, .teardown_ns = UNKNOWN_NS, .has_path_ns = true,
	};
	return r;
}

static void assert_u(enum field f, uint64_t u)
{
	assert_true(row_has(&row, f));
	assert_int_equal(row.values[f].u, u);
}

static void assert_word(enum field f, const char *text)
{
	assert_true(row_has(&row, f));
	assert_string_equal(row.values[f].text, text);
}

static void assert_absent(enum field f)
{
	if (row_has(&row, f))
		fail_msg("%s is there", field_specs[f].key);
}

/* ---- what all records have ---- */

static void a_record_says_when_what_and_who(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_STATE);

	row_from_report(&row, &r);
	assert_u(F_TIME, T0 + 1005);
	assert_u(F_V, 1);
	assert_word(F_EVENT, "state");
	assert_u(F_CONN, 0x21a4);
	assert_u(F_NETNS, 7);
	assert_u(F_FAMILY, 4);
	assert_u(F_LPORT, 40001);
	assert_u(F_RPORT, 443);
	assert_memory_equal(row.values[F_LADDR].addr, c.tuple.laddr, 16);
	assert_memory_equal(row.values[F_RADDR].addr, c.tuple.raddr, 16);
	assert_int_equal(row.values[F_RADDR].len, 4);
	assert_word(F_ROLE, "active");
	assert_u(F_PID, 812);
	assert_u(F_UID, 33);
	assert_int_equal(row.values[F_COMM].len, 4);
	assert_word(F_OWNER_FROM, "connect");
	assert_absent(F_EXISTING);
}

static void what_is_not_known_is_absent(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_STATE);

	r.role = ROLE_NONE;
	c.owner.from = OWNER_NONE;
	c.tuple.lport = 0;
	r.id = 0;
	r.netns = 0;
	row_from_report(&row, &r);
	assert_absent(F_ROLE);
	assert_absent(F_PID);
	assert_absent(F_COMM);
	assert_absent(F_UID);
	assert_absent(F_OWNER_FROM);
	assert_absent(F_LPORT);
	assert_absent(F_CONN);
	assert_absent(F_NETNS);
	assert_true(row_has(&row, F_LADDR));
}

static void without_a_remote_port_there_is_no_peer(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_STATE);

	c.tuple.rport = 0;
	row_from_report(&row, &r);
	assert_absent(F_RADDR);
	assert_absent(F_RPORT);
}

static void a_record_of_no_socket_has_no_owner_and_no_role(void **state)
{
	struct wire_tuple t = tuple_of(1);
	struct report r = { .kind = REPORT_RESET, .at_ns = T0, .tuple = &t };

	row_from_report(&row, &r);
	assert_word(F_EVENT, "reset");
	assert_u(F_RPORT, 443);
	assert_absent(F_CONN);
	assert_absent(F_ROLE);
	assert_absent(F_PID);
	assert_absent(F_STATE);
	assert_absent(F_REASON);
}

static void a_socket_older_than_the_trace_says_so_in_every_record(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_STATE);

	r.existing = true;
	row_from_report(&row, &r);
	assert_u(F_EXISTING, true);
	c.flags = CONN_EXISTING;
	r = ended(&c);
	row_from_report(&row, &r);
	assert_u(F_EXISTING, true);
}

static void nothing_is_left_of_the_row_before(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	row_from_report(&row, &r);
	r = (struct report){ .kind = REPORT_LOST, .lost = { LOST_RING, 3 } };
	row_from_report(&row, &r);
	for (enum field f = 0; f < F_MAX; f++) {
		if (f != F_TIME && f != F_V && f != F_EVENT && f != F_COUNT && f != F_WHERE)
			assert_absent(f);
	}
}

/* ---- events ---- */

static void a_transition_has_its_states(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_STATE);

	r.state = (struct report_state){ TS_FIN_WAIT2, TS_CLOSE, END_ORPHAN, 1999 };
	row_from_report(&row, &r);
	assert_word(F_OLD, "fin_wait2");
	assert_word(F_NEW, "close");
	assert_word(F_CAUSE, "orphan");
	assert_u(F_IN_OLD, 1);	/* whole microseconds */
	r.state.in_old_ns = UNKNOWN_NS;
	r.state.cause = END_NONE;
	row_from_report(&row, &r);
	assert_absent(F_IN_OLD);
	assert_absent(F_CAUSE);
}

static void a_retransmit_has_its_segment(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_RETRANSMIT);

	r.retransmit = (struct report_retransmit){
		.phase = PHASE_DATA, .cause = RETRANSMIT_RTO, .state = TS_ESTABLISHED,
		.has_seq = true, .seq = 1, .len = 100, .segs = 2,
	};
	row_from_report(&row, &r);
	assert_word(F_EVENT, "retransmit");
	assert_word(F_PHASE, "data");
	assert_word(F_CAUSE, "rto");
	assert_word(F_STATE, "established");
	assert_u(F_SEGS, 2);
	assert_u(F_SEQ, 1);
	assert_u(F_LEN, 100);
	assert_absent(F_ERROR);
}

static void a_retransmit_without_a_first_sequence_number_has_none(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_RETRANSMIT);

	r.retransmit = (struct report_retransmit){ .phase = PHASE_FIN, .segs = 1, .err = EAGAIN };
	row_from_report(&row, &r);
	assert_absent(F_SEQ);
	assert_absent(F_LEN);
	assert_absent(F_CAUSE);
	assert_word(F_ERROR, "EAGAIN");
}

static void a_reset_has_its_direction(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_RESET);

	r.reset = (struct report_reset){ true, TS_ESTABLISHED, NULL };
	row_from_report(&row, &r);
	assert_word(F_DIRECTION, "received");
	assert_word(F_STATE, "established");
	assert_absent(F_REASON);
	r.reset = (struct report_reset){ false, TS_CLOSE, "tcp_state" };
	row_from_report(&row, &r);
	assert_word(F_DIRECTION, "sent");
	assert_word(F_REASON, "tcp_state");
}

static void payload_is_a_flag_of_a_late_segment(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_LATE_SEGMENT);

	r.late = (struct report_late){ 0x11, TS_TIME_WAIT, 0 };
	row_from_report(&row, &r);
	assert_word(F_EVENT, "late_segment");
	assert_word(F_STATE, "time_wait");
	assert_u(F_FLAGS, 0x11);
	r.late = (struct report_late){ 0x10, TS_NONE, 1 };
	row_from_report(&row, &r);
	assert_u(F_FLAGS, 0x10 | FIELD_FLAG_DATA);
	assert_absent(F_STATE);
}

/* ---- lives ---- */

static void a_life_has_its_verdict(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	row_from_report(&row, &r);
	assert_word(F_EVENT, "connection");
	assert_word(F_OUTCOME, "established");
	assert_word(F_CLOSE, "fin");
	assert_word(F_CLOSED_BY, "local");
	assert_u(F_TIME_WAIT, true);
	assert_u(F_START, T0 + 1000);
	assert_u(F_DURATION, 5);
	assert_u(F_HANDSHAKE, 1);
	assert_u(F_COMPLETE, true);
	assert_absent(F_TEARDOWN);
	assert_absent(F_ERROR);
	assert_absent(F_CLOSE_REASON);
	assert_absent(F_MISSED);
	assert_absent(F_FIN_WAIT2_ORPHAN);
}

static void a_last_time_wait_has_no_time(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	row_from_report(&row, &r);
	assert_int_equal(row.values[F_PATH].len, 5);
	assert_int_equal(row.values[F_PATH_US].len, 4);
	c.path_len = 4;
	row_from_report(&row, &r);
	assert_int_equal(row.values[F_PATH].len, 4);
	assert_int_equal(row.values[F_PATH_US].len, 4);
	r.connection.has_path_ns = false;
	row_from_report(&row, &r);
	assert_true(row_has(&row, F_PATH));
	assert_absent(F_PATH_US);
}

static void traffic_is_of_a_socket_that_was_sampled(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	row_from_report(&row, &r);
	assert_u(F_TX_BYTES, 5);
	assert_u(F_RX_BYTES, 6);
	assert_u(F_TX_SEGS, 1);
	assert_u(F_RX_SEGS, 2);
	assert_u(F_SRTT, 220);
	assert_u(F_MIN_RTT, 180);
	c.end.srtt_us8 = 0;
	c.end.min_rtt_us = UINT32_MAX;
	row_from_report(&row, &r);
	assert_absent(F_SRTT);
	assert_absent(F_MIN_RTT);
	c.end.flags &= ~ENDING_SAMPLED;	/* its mini-socket was met, and its close was lost */
	row_from_report(&row, &r);
	assert_absent(F_TX_BYTES);
	c.end.flags |= ENDING_SAMPLED;
	c.stage = STAGE_OPEN;	/* its end was lost */
	row_from_report(&row, &r);
	assert_absent(F_TX_BYTES);
	assert_absent(F_RX_BYTES);
	assert_absent(F_TX_SEGS);
	assert_absent(F_RX_SEGS);
}

static void time_wait_is_true_false_or_not_known(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	r.connection.verdict.time_wait = TRI_NO;
	row_from_report(&row, &r);
	assert_u(F_TIME_WAIT, false);
	r.connection.verdict.time_wait = TRI_UNKNOWN;
	row_from_report(&row, &r);
	assert_absent(F_TIME_WAIT);
}

static void a_parked_socket_says_so(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	c.stage = STAGE_PARKED;
	row_from_report(&row, &r);
	assert_u(F_FIN_WAIT2_ORPHAN, true);
	assert_u(F_TX_BYTES, 5);
}

static void an_error_has_its_name(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	r.connection.verdict.err = ECONNREFUSED;
	row_from_report(&row, &r);
	assert_word(F_ERROR, "ECONNREFUSED");
	r.connection.verdict.err = 4095;	/* of a newer kernel */
	row_from_report(&row, &r);
	assert_true(row_has(&row, F_ERROR));
	assert_non_null(row.values[F_ERROR].text);
}

static void what_was_missed_stands_in_an_incomplete_life(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	c.missed = 3;
	r.connection.complete = false;
	row_from_report(&row, &r);
	assert_u(F_COMPLETE, false);
	assert_u(F_MISSED, 3);
}

/* contract.md: complete is false without missed, and start is absent. */
static void a_life_older_than_the_trace_has_no_count_of_what_was_missed(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	c.flags = CONN_EXISTING;
	c.missed = 1;
	r.connection.complete = false;
	row_from_report(&row, &r);
	assert_u(F_COMPLETE, false);
	assert_absent(F_MISSED);
	assert_absent(F_START);
}

static void retransmits_stand_in_a_life_by_phase(void **state)
{
	struct conn c = life();
	struct report r = ended(&c);

	c.retransmits[PHASE_SYN] = 1;
	c.retransmits[PHASE_SYNACK] = 2;
	c.retransmits[PHASE_DATA] = 3;
	c.retransmits[PHASE_FIN] = 4;
	row_from_report(&row, &r);
	assert_u(F_SYN_RETRANS, 1);
	assert_u(F_SYNACK_RETRANS, 2);
	assert_u(F_DATA_RETRANS, 3);
	assert_u(F_FIN_RETRANS, 4);
}

/* ---- the summary ---- */

static void a_summary_has_all_its_counts_zeros_too(void **state)
{
	struct tally t = { .first_ns = 5 * SEC, .last_ns = 7 * SEC + 5 * MSEC };

	row_from_tally(&row, &t);
	assert_word(F_EVENT, "summary");
	assert_u(F_TIME, 7 * SEC + 5 * MSEC);
	assert_u(F_SECONDS, 2005);
	for (enum field f = 0; f < F_MAX; f++)
		assert_int_equal(row_has(&row, f), !!(field_specs[f].commands & F_SUMMARY));
}

static void a_summary_has_each_word_at_its_place(void **state)
{
	struct tally t = { .lost = { [LOST_TABLE] = 3 } };

	for (unsigned int w = 1; w < OUTCOME_MAX; w++)
		t.outcomes[w] = 100 + w;
	for (unsigned int w = 1; w < CLOSE_MAX; w++)
		t.closes[w] = 200 + w;
	row_from_tally(&row, &t);
	assert_u(F_OUTCOME_ESTABLISHED, 100 + OUTCOME_ESTABLISHED);
	assert_u(F_OUTCOME_NO_ACK, 100 + OUTCOME_NO_ACK);
	assert_u(F_OUTCOME_OTHER, 100 + OUTCOME_OTHER);
	assert_u(F_CLOSE_FIN, 200 + CLOSE_FIN);
	assert_u(F_CLOSE_STILL_OPEN, 200 + CLOSE_STILL_OPEN);
	assert_u(F_LOST_TABLE, 3);
}

static void a_clock_that_was_set_back_makes_no_run_of_a_million_years(void **state)
{
	struct tally t = { .first_ns = 7 * SEC, .last_ns = 5 * SEC };

	row_from_tally(&row, &t);
	assert_u(F_SECONDS, 0);
}

/* ---- doctor and audit ---- */

static void a_check_says_what_is_needed_and_how_to_get_it(void **state)
{
	struct check c = { .state = CHECK_MISSING, .feature = "btf", .needs = "tracing",
			   .cure = "boot another kernel" };

	row_from_check(&row, &c, 77);
	assert_u(F_TIME, 77);
	assert_u(F_V, 1);
	assert_word(F_EVENT, "check");
	assert_word(F_FEATURE, "btf");
	assert_u(F_IS_OK, false);
	assert_word(F_NEEDS, "tracing");
	assert_int_equal(row.values[F_NEEDS].len, 7);
	assert_word(F_CURE, "boot another kernel");
}

static void what_is_there_needs_no_cure(void **state)
{
	struct check c = { .state = CHECK_OK, .feature = "btf", .needs = "tracing" };

	row_from_check(&row, &c, 77);
	assert_u(F_IS_OK, true);
	assert_absent(F_CURE);
	c.state = CHECK_UNKNOWN;
	row_from_check(&row, &c, 77);
	assert_absent(F_IS_OK);
}

static void an_audit_has_what_the_kernel_says_and_what_was_traced(void **state)
{
	struct audit_row a = { .counter = "Tcp.ActiveOpens", .has_kernel = true, .kernel = 7,
			       .traced = 9, .residual = -2 };

	row_from_audit(&row, &a, 4026531840, 77);
	assert_u(F_TIME, 77);
	assert_u(F_V, 1);
	assert_word(F_EVENT, "audit");
	assert_u(F_NETNS, 4026531840);
	assert_word(F_COUNTER, "Tcp.ActiveOpens");
	assert_int_equal(row.values[F_KERNEL].i, 7);
	assert_int_equal(row.values[F_TRACED].i, 9);
	assert_int_equal(row.values[F_RESIDUAL].i, -2);
	assert_absent(F_WHY);
}

static void an_audit_that_cannot_be_made_says_why(void **state)
{
	struct audit_row a = { .counter = "Tcp.OutRsts", .why = "this kernel counts others" };

	row_from_audit(&row, &a, 1, 77);
	assert_word(F_WHY, "this kernel counts others");
	assert_absent(F_KERNEL);
	assert_absent(F_TRACED);
	assert_absent(F_RESIDUAL);
}

static void an_audit_ends_with_what_was_lost(void **state)
{
	row_from_audit_end(&row, 77, 1500, 3, 4);
	assert_u(F_TIME, 77);
	assert_u(F_V, 1);
	assert_word(F_EVENT, "summary");
	assert_u(F_SECONDS, 1500);
	assert_u(F_LOST_RING, 3);
	assert_u(F_LOST_NESTED, 4);
	assert_absent(F_TRANSITIONS);
}

/* ---- the table of fields ---- */

/* CSV has a column for each field of the command, and drops the others. */
/* ---- names ---- */

static void assert_text(enum field f, const char *text)
{
	assert_true(row_has(&row, f));
	assert_int_equal(row.values[f].len, strlen(text));
	assert_memory_equal(row.values[f].text, text, strlen(text));
}

static const struct cgroup *cgroup_of(const char *path)
{
	static _Alignas(struct cgroup) char memory[1024];
	struct cgroup *c = (struct cgroup *)memory;

	assert_true(cgroup_size(path) <= sizeof(memory));
	cgroup_init(c, path);
	return c;
}

static void a_cgroup_says_what_its_path_says(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_STATE);

	r.cgroup = cgroup_of("/kubepods/pod2f9e3c6a-7b1d-4e52-9a0c-5d8f1e2b3c4d/x.service");
	r.netns_name = "blue";
	row_from_report(&row, &r);
	assert_text(F_CGROUP, r.cgroup->path);
	assert_text(F_UNIT, "x.service");
	assert_text(F_POD_UID, "2f9e3c6a-7b1d-4e52-9a0c-5d8f1e2b3c4d");
	assert_absent(F_CONTAINER_ID);
	assert_string_equal(row.netns_name, "blue");
	r.cgroup = cgroup_of("/lxc.payload.web");
	r.netns_name = NULL;
	row_from_report(&row, &r);
	assert_text(F_CONTAINER_ID, "web");
	assert_absent(F_UNIT);
	assert_absent(F_POD_UID);
	assert_null(row.netns_name);
}

static const struct process *process_of(const char *exe, const char *cmdline)
{
	static _Alignas(struct process) char memory[1024];
	struct process *p = (struct process *)memory;
	static struct wire_process ev;

	ev.exe_len = strlen(exe);
	ev.cmdline_len = strlen(cmdline);
	memcpy(ev.text, exe, ev.exe_len);
	memcpy(ev.text + ev.exe_len, cmdline, ev.cmdline_len);
	assert_true(process_size(&ev) <= sizeof(memory));
	process_init(p, &ev);
	return p;
}

static void of_the_owner_both_are_told_or_what_is_known(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_STATE);

	r.process = process_of("/usr/bin/curl", "curl -s");
	row_from_report(&row, &r);
	assert_int_equal(row.values[F_EXE].len, strlen("/usr/bin/curl"));
	assert_memory_equal(row.values[F_EXE].text, "/usr/bin/curl", strlen("/usr/bin/curl"));
	assert_int_equal(row.values[F_CMDLINE].len, strlen("curl -s"));
	assert_memory_equal(row.values[F_CMDLINE].text, "curl -s", strlen("curl -s"));
	r.process = process_of("", "curl -s");
	row_from_report(&row, &r);
	assert_absent(F_EXE);
	assert_true(row_has(&row, F_CMDLINE));
	r.process = process_of("", "");
	row_from_report(&row, &r);
	assert_absent(F_EXE);
	assert_absent(F_CMDLINE);
}

static void a_cgroup_that_is_not_known_is_absent(void **state)
{
	struct conn c = life();
	struct report r = about(&c, REPORT_STATE);

	c.cgroup = 7;	/* a number that has no name */
	row_from_report(&row, &r);
	assert_absent(F_CGROUP);
	assert_absent(F_UNIT);
	assert_absent(F_CONTAINER_ID);
	assert_absent(F_POD_UID);
}

static uint32_t command_of(enum report_kind kind)
{
	switch (kind) {
	case REPORT_CONNECTION:
		return F_CONNS;
	case REPORT_TIME_WAIT:
	case REPORT_TW_GROUP:
	case REPORT_PORT_SPACE:
		return F_TIMEWAIT;
	case REPORT_LISTENER:
	case REPORT_LISTENERS:
		return F_LISTEN;
	case REPORT_SOCKET:
		return F_STUCK;
	default:
		return F_TRACE;
	}
}

/* Of a census: there is no life, and no peer where there is none. */
static struct report of_census(enum report_kind kind)
{
	static const uint64_t left[TW_STEPS] = { 1 };
	static const struct owner owner = { .pid = 812, .from = OWNER_FD, .comm = "nginx" };
	static struct wire_tuple tuple;
	struct report r = { .kind = kind, .netns = 1 };

	tuple = tuple_of(1);
	if (kind == REPORT_TIME_WAIT)
		r.time_wait.left = left;
	else if (kind == REPORT_LISTENER)
		tuple.rport = 0;
	if (kind == REPORT_PORT_SPACE || kind == REPORT_LISTENER || kind == REPORT_SOCKET)
		r.tuple = &tuple;
	if (kind == REPORT_LISTENER || kind == REPORT_SOCKET)
		r.owner = &owner;
	if (kind == REPORT_LISTENER)
		r.role = ROLE_LISTENER;
	if (kind == REPORT_SOCKET)
		r.socket = (struct report_socket){ .state = TS_CLOSE_WAIT, .has_fd = true };
	return r;
}

static void what_time_wait_is_told_with(void **state)
{
	struct report r = of_census(REPORT_TIME_WAIT);

	r.time_wait.count = 3;
	r.time_wait.limit = 65536;
	r.time_wait.entered_milli_s = UNKNOWN_COUNT;
	r.time_wait.overflows = UNKNOWN_COUNT;
	row_from_report(&row, &r);
	assert_word(F_EVENT, "time_wait");
	assert_u(F_COUNT, 3);
	assert_u(F_LIMIT, 65536);
	assert_int_equal(row.values[F_LEFT].len, 12);
	assert_int_equal(row.values[F_LEFT].list[0], 1);
	assert_absent(F_ENTERED);
	assert_absent(F_OVERFLOWS);
	assert_absent(F_LADDR);
}

static void a_group_has_its_key_and_the_rest_has_none(void **state)
{
	const struct wire_tuple tuple = tuple_of(1);
	struct report r = of_census(REPORT_TW_GROUP);

	r.tw_group = (struct report_tw_group){
		.by = BY_REMOTE, .addr = tuple.raddr, .count = 3, .of = 4 };
	row_from_report(&row, &r);
	assert_word(F_BY, "remote");
	assert_true(row_has(&row, F_RADDR));
	assert_u(F_FAMILY, 4);
	assert_absent(F_RPORT);
	assert_absent(F_LPORT);
	assert_u(F_RATIO, 750000);
	r.tw_group = (struct report_tw_group){ .by = BY_LOCAL_PORT, .lport = 443, .count = 3 };
	row_from_report(&row, &r);
	assert_word(F_BY, "local_port");
	assert_u(F_LPORT, 443);
	assert_absent(F_RADDR);
	r.tw_group = (struct report_tw_group){ .by = BY_LOCAL_PORT, .rest = true, .count = 9 };
	row_from_report(&row, &r);
	assert_absent(F_LPORT);
	assert_absent(F_RADDR);
	assert_u(F_COUNT, 9);
}

static void a_port_space_has_a_destination_and_a_pool_has_none(void **state)
{
	struct wire_tuple tuple = tuple_of(1);
	struct report r = of_census(REPORT_PORT_SPACE);

	tuple.lport = 0;
	r.tuple = &tuple;
	r.port_space = (struct report_port_space){
		.used = 25, .time_wait = 5, .capacity = 100, .full_in_ms = 1500 };
	row_from_report(&row, &r);
	assert_u(F_USED, 25);
	assert_u(F_USED_TIME_WAIT, 5);
	assert_u(F_CAPACITY, 100);
	assert_u(F_RATIO, 250000);
	assert_u(F_FULL_IN, 1500);
	assert_u(F_RPORT, 443);
	assert_absent(F_LPORT);
	tuple.rport = 0;
	r.port_space.capacity = r.port_space.full_in_ms = UNKNOWN_COUNT;
	row_from_report(&row, &r);
	assert_true(row_has(&row, F_LADDR));
	assert_absent(F_RADDR);
	assert_absent(F_RPORT);
	assert_absent(F_CAPACITY);
	assert_absent(F_RATIO);
	assert_absent(F_FULL_IN);
	assert_absent(F_REUSABLE);
}

static void a_listener_has_its_queues_and_its_owner(void **state)
{
	struct report r = of_census(REPORT_LISTENER);

	r.listener = (struct report_listener){
		.accept_queue = 3, .accept_queue_limit = 128, .half_open = 2,
		.oldest_ns = UNKNOWN_NS };
	row_from_report(&row, &r);
	assert_word(F_EVENT, "listener");
	assert_word(F_ROLE, "listener");
	assert_u(F_ACCEPT_QUEUE, 3);
	assert_u(F_ACCEPT_LIMIT, 128);
	assert_u(F_HALF_OPEN, 2);
	assert_absent(F_HALF_OPEN_OLDEST);
	assert_u(F_PID, 812);
	assert_word(F_OWNER_FROM, "fd");
}

static void an_orphan_says_so_and_has_no_descriptor(void **state)
{
	struct report r = of_census(REPORT_SOCKET);

	r.socket.age_ns = 90 * SEC;
	r.socket.fd = 7;
	row_from_report(&row, &r);
	assert_word(F_STATE, "close_wait");
	assert_u(F_AGE, 90000000);
	assert_u(F_FD, 7);
	assert_absent(F_ORPHAN);
	r.owner = NULL;
	r.socket.has_fd = false;
	r.socket.orphan = true;
	row_from_report(&row, &r);
	assert_u(F_ORPHAN, 1);
	assert_absent(F_FD);
	assert_absent(F_PID);
}

static void every_field_of_a_record_is_one_of_its_command(void **state)
{
	struct conn c = life();

	c.flags = CONN_EXISTING;
	c.missed = 1;
	for (enum report_kind kind = 0; kind < REPORT_KINDS; kind++) {
		uint32_t command = command_of(kind);
		struct report r = kind == REPORT_CONNECTION ? ended(&c) :
				  command & F_SURVEYS ? of_census(kind) : about(&c, kind);

		if (kind == REPORT_LOST)
			r.lost.where = LOST_RING;
		row_from_report(&row, &r);
		for (enum field f = 0; f < F_MAX; f++) {
			if (row_has(&row, f) && !(field_specs[f].commands & command))
				fail_msg("%s", field_specs[f].key);
		}
	}
}

static void every_field_of_a_command_has_a_key_of_its_own(void **state)
{
	for (enum field f = 0; f < F_MAX; f++) {
		assert_true(*field_specs[f].key);
		assert_true(field_specs[f].commands);
		for (enum field g = 0; g < f; g++) {
			if (field_specs[f].commands & field_specs[g].commands)
				assert_string_not_equal(field_specs[f].key, field_specs[g].key);
		}
	}
}

static void keys_in_microseconds_say_so(void **state)
{
	for (enum field f = 0; f < F_MAX; f++) {
		const char *key = field_specs[f].key;
		size_t len = strlen(key);
		bool says = len > 3 && !strcmp(key + len - 3, "_us");

		assert_int_equal(says, field_specs[f].type == FT_US ||
				       field_specs[f].type == FT_US_LIST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_says_when_what_and_who),
		cmocka_unit_test(what_is_not_known_is_absent),
		cmocka_unit_test(without_a_remote_port_there_is_no_peer),
		cmocka_unit_test(a_record_of_no_socket_has_no_owner_and_no_role),
		cmocka_unit_test(a_socket_older_than_the_trace_says_so_in_every_record),
		cmocka_unit_test(nothing_is_left_of_the_row_before),
		cmocka_unit_test(a_transition_has_its_states),
		cmocka_unit_test(a_retransmit_has_its_segment),
		cmocka_unit_test(a_retransmit_without_a_first_sequence_number_has_none),
		cmocka_unit_test(a_reset_has_its_direction),
		cmocka_unit_test(payload_is_a_flag_of_a_late_segment),
		cmocka_unit_test(a_life_has_its_verdict),
		cmocka_unit_test(a_last_time_wait_has_no_time),
		cmocka_unit_test(traffic_is_of_a_socket_that_was_sampled),
		cmocka_unit_test(time_wait_is_true_false_or_not_known),
		cmocka_unit_test(a_parked_socket_says_so),
		cmocka_unit_test(an_error_has_its_name),
		cmocka_unit_test(what_was_missed_stands_in_an_incomplete_life),
		cmocka_unit_test(a_life_older_than_the_trace_has_no_count_of_what_was_missed),
		cmocka_unit_test(retransmits_stand_in_a_life_by_phase),
		cmocka_unit_test(a_summary_has_all_its_counts_zeros_too),
		cmocka_unit_test(a_summary_has_each_word_at_its_place),
		cmocka_unit_test(a_clock_that_was_set_back_makes_no_run_of_a_million_years),
		cmocka_unit_test(a_check_says_what_is_needed_and_how_to_get_it),
		cmocka_unit_test(what_is_there_needs_no_cure),
		cmocka_unit_test(an_audit_has_what_the_kernel_says_and_what_was_traced),
		cmocka_unit_test(an_audit_that_cannot_be_made_says_why),
		cmocka_unit_test(an_audit_ends_with_what_was_lost),
		cmocka_unit_test(a_cgroup_says_what_its_path_says),
		cmocka_unit_test(a_cgroup_that_is_not_known_is_absent),
		cmocka_unit_test(what_time_wait_is_told_with),
		cmocka_unit_test(a_group_has_its_key_and_the_rest_has_none),
		cmocka_unit_test(a_port_space_has_a_destination_and_a_pool_has_none),
		cmocka_unit_test(a_listener_has_its_queues_and_its_owner),
		cmocka_unit_test(an_orphan_says_so_and_has_no_descriptor),
		cmocka_unit_test(of_the_owner_both_are_told_or_what_is_known),
		cmocka_unit_test(every_field_of_a_record_is_one_of_its_command),
		cmocka_unit_test(every_field_of_a_command_has_a_key_of_its_own),
		cmocka_unit_test(keys_in_microseconds_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
