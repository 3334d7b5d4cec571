// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "sample_rows.h"
#include "table.h"
#include "words.h"

static struct memory_sink table;

static int close_table(void **state)
{
	close_memory(&table);
	return 0;
}

static int use_utc(void **state)
{
	setenv("TZ", "UTC", true);
	tzset();
	return 0;
}

/* Returns the header. */
static const char *open_table(uint32_t command, unsigned int width)
{
	open_memory(&table, &sink_table, command, width);
	return written(&table);
}

static void unset(struct row *row, enum field f)
{
	row->has[f / 64] &= ~(1ull << f % 64);
}

/* The line of a row from where its event, or how it closed, begins. */
static const char *tail_of(const struct row *row, const char *head)
{
	const char *text = line_of(&table, row);

	assert_memory_equal(text, head, strlen(head));
	return text + strlen(head);
}

#define assert_line(row, expected) assert_string_equal(line_of(&table, row), expected)

/* ---- trace ---- */

static const char trace_head[] = "02:11:00.123456 10.0.0.1:41234        -> 10.0.0.2:443          ";

#define assert_event(row, expected) assert_string_equal(tail_of(row, trace_head), expected)

static void trace_without_a_terminal_has_all_columns(void **state)
{
	struct row row = established();

	assert_string_equal(open_table(F_TRACE, 0),
		"TIME            LOCAL                    REMOTE                "
		"EVENT                                 PROCESS           WHERE\n");
	assert_line(&row,
		"02:11:00.123456 10.0.0.1:41234        -> 10.0.0.2:443          "
		"SYN_SENT -> ESTABLISHED +213us        curl[812]\n");
}

static void trace_fits_80_columns(void **state)
{
	struct row row = established(), close_wait = transition("established", "close_wait");

	put_u(&close_wait, F_IN_OLD, 1240000);
	assert_string_equal(open_table(F_TRACE, 80),
		"TIME         LOCAL     REMOTE              EVENT\n");
	assert_line(&row,
		"02:11:00.123 :41234 -> 10.0.0.2:443        "
		"SYN_SENT -> ESTABLISHED +213us\n");
	assert_line(&close_wait,
		"02:11:00.123 :41234 -> 10.0.0.2:443        "
		"ESTABLISHED -> CLOSE_WAIT +1.24s\n");
}

static void trace_at_100_columns_names_the_process(void **state)
{
	struct row row = established();

	assert_string_equal(open_table(F_TRACE, 100),
		"TIME         LOCAL     REMOTE                "
		"EVENT                                 PROCESS\n");
	assert_line(&row,
		"02:11:00.123 :41234 -> 10.0.0.2:443          "
		"SYN_SENT -> ESTABLISHED +213us        curl[812]\n");
}

static void a_first_event_has_no_duration(void **state)
{
	struct row row = transition("close", "syn_sent");

	open_table(F_TRACE, 0);
	assert_event(&row, "CLOSE -> SYN_SENT\n");
}

static void a_cause_and_an_older_socket_are_told(void **state)
{
	struct row row = transition("time_wait", "close");

	put_word(&row, F_CAUSE, "expired");
	put_u(&row, F_IN_OLD, 60001234);
	put_u(&row, F_EXISTING, true);
	open_table(F_TRACE, 0);
	assert_event(&row, "TIME_WAIT -> CLOSE (expired) +1m00s (existing)\n");
}

static void retransmits_say_what_why_and_where_in_the_stream(void **state)
{
	struct row row = active_row("retransmit");

	put_word(&row, F_PHASE, "data");
	put_word(&row, F_CAUSE, "rto");
	put_word(&row, F_STATE, "established");
	put_u(&row, F_SEGS, 1);
	put_u(&row, F_SEQ, 1);
	put_u(&row, F_LEN, 1448);
	open_table(F_TRACE, 0);
	assert_event(&row, "retransmit data (rto) seq 1 len 1448\n");
	put_u(&row, F_SEGS, 3);
	put_word(&row, F_STATE, "close_wait");
	assert_event(&row, "retransmit data (rto) seq 1 len 1448 in 3 segments, in CLOSE_WAIT\n");
}

static void a_retransmit_needs_neither_cause_nor_sequence(void **state)
{
	struct row row = active_row("retransmit");

	put_word(&row, F_PHASE, "fin");
	put_word(&row, F_STATE, "last_ack");
	put_u(&row, F_SEGS, 1);
	open_table(F_TRACE, 0);
	assert_event(&row, "retransmit FIN, in LAST_ACK\n");
	put_word(&row, F_PHASE, "syn");
	put_word(&row, F_STATE, "syn_sent");
	put_word(&row, F_ERROR, "ENETUNREACH");
	assert_event(&row, "retransmit SYN, not sent: ENETUNREACH\n");
}

static void a_retransmitted_syn_ack_has_a_provisional_owner(void **state)
{
	struct row row = active_row("retransmit");

	put_word(&row, F_ROLE, "passive");
	put_word(&row, F_PHASE, "synack");
	put_word(&row, F_CAUSE, "dup_syn");
	put_owner(&row, "nginx", "listen");
	open_table(F_TRACE, 0);
	assert_line(&row,
		"02:11:00.123456 10.0.0.1:41234        <- 10.0.0.2:443          "
		"retransmit SYN-ACK (duplicate SYN)    nginx[812]?\n");
}

static void resets_say_direction_reason_and_state(void **state)
{
	struct row row = active_row("reset");

	put_word(&row, F_DIRECTION, "sent");
	put_word(&row, F_REASON, "tcp_abort_on_close");
	put_word(&row, F_STATE, "close");
	open_table(F_TRACE, 0);
	assert_event(&row, "RST sent: tcp_abort_on_close\n");
	unset(&row, F_REASON);
	put_word(&row, F_DIRECTION, "received");
	put_word(&row, F_STATE, "established");
	assert_event(&row, "RST received, in ESTABLISHED\n");
}

static void a_cell_that_is_too_long_keeps_a_blank_behind_it(void **state)
{
	struct row row = active_row("reset");

	put_word(&row, F_DIRECTION, "sent");
	put_word(&row, F_REASON, "tcp_abort_on_close");
	put_word(&row, F_STATE, "close");
	put_owner(&row, "curl", "connect");
	open_table(F_TRACE, 0);
	assert_event(&row, "RST sent: tcp_abort_on_close          curl[812]\n");
}

static void a_reset_for_no_socket_has_no_role(void **state)
{
	struct row row = row_of("reset");

	put_peers(&row, 4, 81, 51234);
	put_word(&row, F_DIRECTION, "sent");
	put_word(&row, F_REASON, "no_socket");
	open_table(F_TRACE, 0);
	assert_line(&row,
		"02:11:00.123456 10.0.0.1:81           -- 10.0.0.2:51234        "
		"RST sent: no_socket\n");
}

static void a_late_segment_is_what_matters_most_in_it(void **state)
{
	struct row row = active_row("late_segment");

	put_word(&row, F_STATE, "time_wait");
	open_table(F_TRACE, 0);
	put_u(&row, F_FLAGS, 0x11);
	assert_event(&row, "late FIN in TIME_WAIT\n");
	put_u(&row, F_FLAGS, 0x14);
	assert_event(&row, "late RST in TIME_WAIT\n");
	put_u(&row, F_FLAGS, 0x10);
	assert_event(&row, "late ACK in TIME_WAIT\n");
	put_u(&row, F_FLAGS, 0x10 | FIELD_FLAG_DATA);
	assert_event(&row, "late data in TIME_WAIT\n");
	put_u(&row, F_FLAGS, 0x11 | FIELD_FLAG_DATA);
	assert_event(&row, "late data and FIN in TIME_WAIT\n");
	put_u(&row, F_FLAGS, 0);
	unset(&row, F_STATE);
	assert_event(&row, "late segment\n");
}

static void a_loss_runs_across_the_columns(void **state)
{
	struct row row = lost(120, "ring");

	open_table(F_TRACE, 0);
	assert_line(&row, "02:11:00.123456 *** 120 records lost (ring) ***\n");
	row = lost(1, "table");
	assert_line(&row, "02:11:00.123456 *** 1 connection lost (table) ***\n");
	row = lost(7, "nested");
	assert_line(&row, "02:11:00.123456 *** up to 7 records lost (nested) ***\n");
	close_memory(&table);
	open_table(F_CONNS, 80);
	row = lost(2, "sink");
	assert_line(&row, "02:11:00 *** 2 records lost (sink) ***\n");
}

static void a_listener_has_no_peer_and_no_arrow(void **state)
{
	struct row row = transition("close", "listen");

	put_word(&row, F_ROLE, "listener");
	put_owner(&row, "nginx", "listen");
	unset(&row, F_RADDR);
	unset(&row, F_RPORT);
	open_table(F_TRACE, 0);
	assert_line(&row,
		"02:11:00.123456 10.0.0.1:41234                                 "
		"CLOSE -> LISTEN                       nginx[812]\n");
}

static void a_port_that_is_not_chosen_yet_is_a_star(void **state)
{
	struct row row = transition("close", "syn_sent");

	unset(&row, F_LPORT);
	open_table(F_TRACE, 0);
	assert_line(&row,
		"02:11:00.123456 10.0.0.1:*            -> 10.0.0.2:443          "
		"CLOSE -> SYN_SENT\n");
	close_memory(&table);
	open_table(F_TRACE, 80);
	assert_line(&row, "02:11:00.123 :*     -> 10.0.0.2:443        CLOSE -> SYN_SENT\n");
}

static void nothing_known_but_the_event_is_still_a_line(void **state)
{
	struct row row;

	row_clear(&row);
	put_word(&row, F_EVENT, "state");
	put_word(&row, F_NEW, "close");
	open_table(F_TRACE, 80);
	assert_line(&row, "             :*     --                      -> CLOSE\n");
}

static void a_row_of_another_kind_is_named(void **state)
{
	struct row row = row_of("summary"), life = connection();

	open_table(F_TRACE, 0);
	assert_line(&row, "02:11:00.123456 summary\n");
	assert_line(&life, "02:11:00.123456 connection\n");
}

/* ---- endpoints ---- */

static void ipv6_has_brackets_and_widens_the_columns_for_good(void **state)
{
	static const uint8_t longer[16] = { 0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78,
					    [15] = 1 };
	struct row row = established();

	put_addr(&row, F_LADDR, longer, 6);
	put_addr(&row, F_RADDR, v6_remote, 6);
	open_table(F_TRACE, 0);
	assert_int_equal(table.sink.endpoint_width, 21);
	assert_line(&row,
		"02:11:00.123456 [2001:db8:1234:5678::1]:41234 -> [2001:db8::2]:443             "
		"SYN_SENT -> ESTABLISHED +213us        curl[812]\n");
	assert_int_equal(table.sink.endpoint_width, 29);
	row = established();
	assert_line(&row,
		"02:11:00.123456 10.0.0.1:41234                -> 10.0.0.2:443                  "
		"SYN_SENT -> ESTABLISHED +213us        curl[812]\n");
}

static const uint8_t v6_long[16] = { 0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
				     0xde, 0xf0, 0x12, 0x34, 0x56, 0x78 };

/* At the cost of forms, not of columns, and below a header that fits. */
static void on_a_terminal_long_endpoints_have_a_header_of_their_own(void **state)
{
	struct row row = established();

	assert_string_equal(open_table(F_TRACE, 120),
		"TIME            LOCAL                    REMOTE                "
		"EVENT                                 PROCESS\n");
	put_addr(&row, F_RADDR, v6_long, 6);
	assert_line(&row,
		"TIME         LOCAL     REMOTE                                    "
		"EVENT                                 PROCESS\n"
		"02:11:00.123 :41234 -> [2001:db8:1234:5678:9abc:def0:1234:5678]:443 "
		"SYN_SENT -> ESTABLISHED +213us     curl[812]\n");
	row = established();
	assert_line(&row,
		"02:11:00.123 :41234 -> 10.0.0.2:443                              "
		"SYN_SENT -> ESTABLISHED +213us        curl[812]\n");
	assert_true(table.sink.endpoint_width <= table.sink.endpoint_most);
}

/* It would cost every line, and gain nothing. */
static void on_a_narrow_terminal_a_long_endpoint_moves_its_own_line_only(void **state)
{
	struct row row = established();

	open_table(F_TRACE, 80);
	put_addr(&row, F_RADDR, v6_long, 6);
	assert_line(&row,
		"02:11:00.123 :41234 -> [2001:db8:1234:5678:9abc:def0:1234:5678]:443 "
		"SYN_SENT -> ESTABLISHED +213us\n");
	row = established();
	assert_line(&row,
		"02:11:00.123 :41234 -> 10.0.0.2:443        SYN_SENT -> ESTABLISHED +213us\n");
}

static void the_longest_ipv4_endpoint_fits_from_the_start(void **state)
{
	struct row row = established();

	put_addr(&row, F_LADDR, v4_longest, 4);
	put_u(&row, F_LPORT, 65535);
	open_table(F_TRACE, 0);
	assert_line(&row,
		"02:11:00.123456 198.168.100.100:65535 -> 10.0.0.2:443          "
		"SYN_SENT -> ESTABLISHED +213us        curl[812]\n");
}

static void a_narrow_remote_column_grows_when_it_must(void **state)
{
	struct row row = established();

	put_addr(&row, F_RADDR, v4_longest, 4);
	put_u(&row, F_RPORT, 65535);
	open_table(F_TRACE, 80);
	assert_int_equal(table.sink.endpoint_width, 19);
	assert_line(&row,
		"02:11:00.123 :41234 -> 198.168.100.100:65535 "
		"SYN_SENT -> ESTABLISHED +213us\n");
	row = established();
	assert_line(&row,
		"02:11:00.123 :41234 -> 10.0.0.2:443          "
		"SYN_SENT -> ESTABLISHED +213us\n");
}

/* ---- conns ---- */

static const char conns_head[] =
	"02:11:00 :41234 -> 10.0.0.2:443        established   1.24s ";

#define assert_closing(row, expected) assert_string_equal(tail_of(row, conns_head), expected)

static void conns_without_a_terminal_has_all_columns(void **state)
{
	struct row row = connection();

	assert_string_equal(open_table(F_CONNS, 0),
		"TIME         LOCAL                    REMOTE                OUTCOME      "
		"HANDSHAKE LASTED   TX   RX RETR CLOSE                 TW "
		"PROCESS           WHERE\n");
	assert_line(&row,
		"02:11:00.123 10.0.0.1:41234        -> 10.0.0.2:443          established  "
		"    213us  1.24s   78 1.2k      FIN by local          TW curl[812]\n");
}

static void conns_fits_80_columns(void **state)
{
	struct row row = connection();

	assert_string_equal(open_table(F_CONNS, 80),
		"TIME     LOCAL     REMOTE              OUTCOME      LASTED CLOSE\n");
	assert_line(&row,
		"02:11:00 :41234 -> 10.0.0.2:443        established   1.24s FIN by local\n");
}

static void conns_at_120_columns_leaves_out_bytes_and_local_address(void **state)
{
	struct row row = connection();

	put_word(&row, F_ROLE, "passive");
	put_u(&row, F_SYNACK_RETRANS, 1);
	put_u(&row, F_DATA_RETRANS, 10);
	put_u(&row, F_FIN_RETRANS, 100);
	assert_string_equal(open_table(F_CONNS, 120),
		"TIME     LOCAL     REMOTE                OUTCOME      HANDSHAKE LASTED RETR "
		"CLOSE                 TW PROCESS\n");
	assert_line(&row,
		"02:11:00 :41234 <- 10.0.0.2:443          established      213us  1.24s  111 "
		"FIN by local          TW curl[812]\n");
}

static void a_failed_opening_shows_its_error(void **state)
{
	struct row row = connection();

	put_word(&row, F_OUTCOME, "refused");
	put_word(&row, F_ERROR, "ECONNREFUSED");
	put_word(&row, F_CLOSE, "reset_received");
	put_u(&row, F_DURATION, 95);
	open_table(F_CONNS, 80);
	assert_line(&row,
		"02:11:00 :41234 -> 10.0.0.2:443        ECONNREFUSED   95us RST received\n");
}

static void a_failure_without_an_error_shows_the_outcome(void **state)
{
	struct row row = connection();

	put_word(&row, F_ROLE, "passive");
	put_word(&row, F_OUTCOME, "no_ack");
	unset(&row, F_CLOSE);
	unset(&row, F_DURATION);
	open_table(F_CONNS, 80);
	assert_line(&row, "02:11:00 :41234 <- 10.0.0.2:443        no_ack\n");
}

static void an_error_that_is_too_long_takes_the_blanks_behind_it(void **state)
{
	struct row row = connection();

	put_word(&row, F_OUTCOME, "no_port");
	put_word(&row, F_ERROR, "EADDRNOTAVAIL");
	put_word(&row, F_CLOSE, "silent");
	put_u(&row, F_DURATION, 95);
	open_table(F_CONNS, 80);
	assert_line(&row, "02:11:00 :41234 -> 10.0.0.2:443        EADDRNOTAVAIL  95us silent\n");
}

static void closes_are_told_in_words(void **state)
{
	struct row row = connection();

	open_table(F_CONNS, 80);
	assert_closing(&row, "FIN by local\n");
	put_word(&row, F_CLOSED_BY, "both");
	assert_closing(&row, "FIN by both\n");
	put_word(&row, F_CLOSE, "reset_sent");
	assert_closing(&row, "RST sent\n");
	put_word(&row, F_CLOSE_REASON, "unread_data");
	assert_closing(&row, "RST: unread_data\n");
	put_word(&row, F_CLOSE, "timeout");
	put_word(&row, F_CLOSE_REASON, "keepalive");
	put_word(&row, F_ERROR, "ETIMEDOUT");
	assert_closing(&row, "timeout: keepalive\n");
	put_word(&row, F_ERROR, "EHOSTUNREACH");
	assert_closing(&row, "timeout: keepalive, EHOSTUNREACH\n");
	unset(&row, F_CLOSE_REASON);
	put_word(&row, F_CLOSE, "orphan");
	assert_closing(&row, "orphan, no FIN came\n");
	put_word(&row, F_CLOSE, "still_open");
	assert_closing(&row, "still open\n");
}

static void every_close_has_words(void **state)
{
	struct row row = connection();

	open_table(F_CONNS, 80);
	unset(&row, F_CLOSED_BY);
	for (enum close_word w = CLOSE_NONE + 1; w < CLOSE_MAX; w++) {
		const char *text;

		put_word(&row, F_CLOSE, close_text(w));
		text = tail_of(&row, conns_head);
		assert_true(strlen(text) >= strlen("FIN\n"));
		assert_null(strchr(text, '_'));
	}
}

static void an_incomplete_life_is_marked(void **state)
{
	struct row row = connection();

	put_u(&row, F_COMPLETE, false);
	open_table(F_CONNS, 80);
	assert_closing(&row, "FIN by local ?\n");
	put_u(&row, F_MISSED, 2);
	assert_closing(&row, "FIN by local ? missed 2\n");
	unset(&row, F_CLOSE);
	assert_closing(&row, "? missed 2\n");
}

static void a_life_older_than_the_trace_is_marked(void **state)
{
	struct row row = connection();

	put_u(&row, F_COMPLETE, false);
	put_u(&row, F_EXISTING, true);
	unset(&row, F_ROLE);
	unset(&row, F_OUTCOME);
	unset(&row, F_DURATION);
	open_table(F_CONNS, 80);
	assert_line(&row,
		"02:11:00 :41234 -- 10.0.0.2:443                            "
		"FIN by local (existing)\n");
}

/* ---- whatever comes ---- */

static void a_hostile_comm_cannot_touch_the_terminal(void **state)
{
	struct row row = established();

	open_table(F_TRACE, 0);
	put_text(&row, F_COMM, "\033[2J\n\"a,\xff", 9);
	assert_event(&row,
		"SYN_SENT -> ESTABLISHED +213us        \\x1b[2J\\x0a\"a,\\xff[812]\n");
	put_text(&row, F_COMM, "", 0);
	assert_event(&row, "SYN_SENT -> ESTABLISHED +213us        [812]\n");
	put_text(&row, F_COMM, "\1\2\3\4\5\6\7\b\t\n\v\f\r\16\17", 15);
	assert_event(&row,
		"SYN_SENT -> ESTABLISHED +213us        "
		"\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\x09\\x0a\\x0b\\x0c\\x0d\\x0e\\x0f"
		"[812]\n");
}

static void a_word_from_a_hostile_recording_cannot_either(void **state)
{
	struct row row = active_row("reset");

	put_word(&row, F_DIRECTION, "sent");
	put_word(&row, F_REASON, "\033]0;gotcha\a");
	put_word(&row, F_STATE, "\033c");
	open_table(F_TRACE, 0);
	assert_event(&row, "RST sent: \\x1b]0;gotcha\\x07\n");
}

/* ---- where ---- */

#define ID	"3f2a9c8d1e2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5"

static void assert_where(const struct row *row, const char *expected)
{
	char line[4096];

	snprintf(line, sizeof(line), "SYN_SENT -> ESTABLISHED +213us        curl[812]%s%s\n",
		 *expected ? "         " : "", expected);
	assert_event(row, line);
}

static void a_unit_stands_behind_the_process(void **state)
{
	struct row row = established();

	put_text(&row, F_CGROUP, "/system.slice/nginx.service", 27);
	put_text(&row, F_UNIT, "nginx.service", 13);
	open_table(F_TRACE, 0);
	assert_where(&row, "nginx.service");
}

static void a_container_tells_more_than_its_unit(void **state)
{
	struct row row = established();

	put_text(&row, F_UNIT, "docker-" ID ".scope", 77);
	put_text(&row, F_CONTAINER_ID, ID, 64);
	open_table(F_TRACE, 0);
	assert_where(&row, "3f2a9c8d1e2b");
	put_text(&row, F_CONTAINER_ID, "a-name-of-some-length", 21);
	assert_where(&row, "a-name-of-some-length");
}

static void a_namespace_is_told_by_its_name_if_it_has_one(void **state)
{
	struct row row = established();

	row.netns_name = "blue";
	open_table(F_TRACE, 0);
	assert_where(&row, "netns blue");
	put_text(&row, F_UNIT, "nginx.service", 13);
	assert_where(&row, "nginx.service, netns blue");
}

static void a_cgroup_without_unit_and_container_is_nowhere(void **state)
{
	struct row row = established();

	put_text(&row, F_CGROUP, "/", 1);
	open_table(F_TRACE, 0);
	assert_where(&row, "");
}

static void names_cannot_move_the_cursor_however_long(void **state)
{
	char name[256] = {}, expected[2048] = "aaa, netns ";
	struct row row = established();

	memset(name, '\033', sizeof(name) - 1);
	for (int i = 0; i < 255; i++)
		strcat(expected, "\\x1b");
	row.netns_name = name;
	put_text(&row, F_UNIT, "aaa", 3);
	open_table(F_TRACE, 0);
	assert_where(&row, expected);
}

static void a_life_is_somewhere_too(void **state)
{
	struct row row = connection();

	put_text(&row, F_UNIT, "nginx.service", 13);
	open_table(F_CONNS, 0);
	assert_line(&row,
		"02:11:00.123 10.0.0.1:41234        -> 10.0.0.2:443          established  "
		"    213us  1.24s   78 1.2k      FIN by local          TW curl[812]         "
		"nginx.service\n");
}

static void who_is_in_time_wait_is_told_with_his_container(void **state)
{
	struct row row = {};

	put_word(&row, F_EVENT, "time_wait_group");
	put_word(&row, F_BY, "owner");
	put_u(&row, F_PID, 812);
	put_text(&row, F_COMM, "curl", 4);
	put_u(&row, F_COUNT, 70);
	open_table(F_TIMEWAIT, 0);
	assert_non_null(strstr(line_of(&table, &row), " owner      curl[812]   "));
	put_text(&row, F_UNIT, "docker.service", 14);
	assert_non_null(strstr(line_of(&table, &row), " curl[812] in docker.service   "));
	put_text(&row, F_CONTAINER_ID, ID, 64);
	assert_non_null(strstr(line_of(&table, &row), " curl[812] in 3f2a9c8d1e2b   "));
}

static void a_cell_has_an_end(void **state)
{
	char long_reason[2 * SINK_RECORD_MAX];
	struct row row = active_row("reset");

	memset(long_reason, 'x', sizeof(long_reason) - 1);
	long_reason[sizeof(long_reason) - 1] = 0;
	put_word(&row, F_REASON, long_reason);
	open_table(F_TRACE, 0);
	assert_true(strlen(line_of(&table, &row)) < 2 * CELL_SIZE);
}

/* The header and ordinary IPv4 lines, on every terminal of 80 columns and more. */
static void lines_fit_the_terminal(void **state)
{
	for (unsigned int width = 80; width < 200; width++) {
		struct row event = transition("established", "close_wait"), life = connection();

		put_u(&event, F_IN_OLD, 1240000);
		put_owner(&event, "curl", "connect");
		assert_true(strlen(open_table(F_TRACE, width)) - 1 <= width);
		assert_true(strlen(line_of(&table, &event)) - 1 <= width);
		close_memory(&table);
		assert_true(strlen(open_table(F_CONNS, width)) - 1 <= width);
		assert_true(strlen(line_of(&table, &life)) - 1 <= width);
		close_memory(&table);
	}
	open_table(F_TRACE, 0);
}

static void a_tiny_terminal_gets_the_narrow_columns(void **state)
{
	assert_string_equal(open_table(F_TRACE, 20),
		"TIME         LOCAL     REMOTE          EVENT\n");
}

static void a_wide_terminal_gets_what_a_file_gets(void **state)
{
	char header[256];

	strcpy(header, open_table(F_CONNS, 0));
	close_memory(&table);
	assert_string_equal(open_table(F_CONNS, 200), header);
}

/* ---- colour ---- */

static void colour_follows_meaning_and_changes_no_letter(void **state)
{
	struct row row = transition("syn_sent", "close");

	open_table(F_TRACE, 80);
	table.sink.color = true;
	assert_line(&row,
		"\033[2m02:11:00.123\033[0m :41234 -> 10.0.0.2:443        "
		"\033[31mSYN_SENT -> CLOSE\033[0m\n");
	row = established();
	assert_line(&row,
		"\033[2m02:11:00.123\033[0m :41234 -> 10.0.0.2:443        "
		"SYN_SENT -> ESTABLISHED +213us\n");
	row = active_row("retransmit");
	put_word(&row, F_PHASE, "syn");
	assert_line(&row,
		"\033[2m02:11:00.123\033[0m :41234 -> 10.0.0.2:443        "
		"\033[33mretransmit SYN\033[0m\n");
	row = lost(1, "ring");
	assert_line(&row,
		"\033[2m02:11:00.123\033[0m \033[31m*** 1 record lost (ring) ***\033[0m\n");
}

static void colour_in_conns_marks_failures_retransmits_and_doubt(void **state)
{
	struct row row = connection();

	open_table(F_CONNS, 100);
	table.sink.color = true;
	put_word(&row, F_OUTCOME, "refused");
	put_word(&row, F_CLOSE, "reset_received");
	put_u(&row, F_SYN_RETRANS, 1);
	unset(&row, F_TIME_WAIT);
	assert_line(&row,
		"\033[2m02:11:00\033[0m :41234 -> 10.0.0.2:443          \033[31mrefused\033[0m"
		"          213us  1.24s    \033[33m1\033[0m \033[31mRST received\033[0m\n");
	row = connection();
	put_u(&row, F_COMPLETE, false);
	unset(&row, F_TIME_WAIT);
	assert_line(&row,
		"\033[2m02:11:00\033[0m :41234 -> 10.0.0.2:443          established"
		"      213us  1.24s      \033[33mFIN by local ?\033[0m\n");
	put_word(&row, F_CLOSE, "killed");
	assert_line(&row,
		"\033[2m02:11:00\033[0m :41234 -> 10.0.0.2:443          established"
		"      213us  1.24s      \033[31mkilled ?\033[0m\n");
}

static void a_coloured_header_is_bold(void **state)
{
	table.sink = (struct sink){
		.ops = &sink_table, .out = &table.out, .command = F_TRACE, .width = 20,
		.color = true,
	};
	assert_int_equal(out_init(&table.out, -1, false), 0);
	sink_begin(&table.sink);
	assert_string_equal(written(&table),
		"\033[1mTIME\033[0m         \033[1mLOCAL\033[0m     "
		"\033[1mREMOTE\033[0m          \033[1mEVENT\033[0m\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, close_table)
		TEST(trace_without_a_terminal_has_all_columns),
		TEST(trace_fits_80_columns),
		TEST(trace_at_100_columns_names_the_process),
		TEST(a_first_event_has_no_duration),
		TEST(a_cause_and_an_older_socket_are_told),
		TEST(retransmits_say_what_why_and_where_in_the_stream),
		TEST(a_retransmit_needs_neither_cause_nor_sequence),
		TEST(a_retransmitted_syn_ack_has_a_provisional_owner),
		TEST(resets_say_direction_reason_and_state),
		TEST(a_cell_that_is_too_long_keeps_a_blank_behind_it),
		TEST(a_reset_for_no_socket_has_no_role),
		TEST(a_late_segment_is_what_matters_most_in_it),
		TEST(a_loss_runs_across_the_columns),
		TEST(a_listener_has_no_peer_and_no_arrow),
		TEST(a_port_that_is_not_chosen_yet_is_a_star),
		TEST(nothing_known_but_the_event_is_still_a_line),
		TEST(a_row_of_another_kind_is_named),
		TEST(ipv6_has_brackets_and_widens_the_columns_for_good),
		TEST(on_a_terminal_long_endpoints_have_a_header_of_their_own),
		TEST(on_a_narrow_terminal_a_long_endpoint_moves_its_own_line_only),
		TEST(the_longest_ipv4_endpoint_fits_from_the_start),
		TEST(a_narrow_remote_column_grows_when_it_must),
		TEST(conns_without_a_terminal_has_all_columns),
		TEST(conns_fits_80_columns),
		TEST(conns_at_120_columns_leaves_out_bytes_and_local_address),
		TEST(a_failed_opening_shows_its_error),
		TEST(a_failure_without_an_error_shows_the_outcome),
		TEST(an_error_that_is_too_long_takes_the_blanks_behind_it),
		TEST(closes_are_told_in_words),
		TEST(every_close_has_words),
		TEST(an_incomplete_life_is_marked),
		TEST(a_life_older_than_the_trace_is_marked),
		TEST(a_hostile_comm_cannot_touch_the_terminal),
		TEST(a_word_from_a_hostile_recording_cannot_either),
		TEST(a_unit_stands_behind_the_process),
		TEST(a_container_tells_more_than_its_unit),
		TEST(a_namespace_is_told_by_its_name_if_it_has_one),
		TEST(a_cgroup_without_unit_and_container_is_nowhere),
		TEST(names_cannot_move_the_cursor_however_long),
		TEST(a_life_is_somewhere_too),
		TEST(who_is_in_time_wait_is_told_with_his_container),
		TEST(a_cell_has_an_end),
		TEST(lines_fit_the_terminal),
		TEST(a_tiny_terminal_gets_the_narrow_columns),
		TEST(a_wide_terminal_gets_what_a_file_gets),
		TEST(colour_follows_meaning_and_changes_no_letter),
		TEST(colour_in_conns_marks_failures_retransmits_and_doubt),
		TEST(a_coloured_header_is_bold),
#undef TEST
	};

	return cmocka_run_group_tests(tests, use_utc, NULL);
}
