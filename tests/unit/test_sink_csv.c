// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample_rows.h"

#define TRACE_HEADER							\
	"time,v,event,conn,netns,family,laddr,lport,raddr,rport,role,"	\
	"pid,comm,uid,owner_from,exe,cmdline,"	\
	"cgroup,unit,container_id,pod_uid,old,new,in_old_us,direction,reason,"	\
	"flags,phase,cause,state,segs,seq,len,error,existing,count,where\n"

#define CONNS_HEADER							\
	"time,v,event,conn,netns,family,laddr,lport,raddr,rport,role,"	\
	"pid,comm,uid,owner_from,exe,cmdline,"	\
	"cgroup,unit,container_id,pod_uid,start,outcome,error,handshake_us,"	\
	"syn_retrans,synack_retrans,data_retrans,fin_retrans,close,"	\
	"close_reason,closed_by,time_wait,fin_wait2_orphan,path,"	\
	"path_us,duration_us,teardown_us,tx_bytes,rx_bytes,tx_segs,"	\
	"rx_segs,srtt_us,min_rtt_us,complete,missed,existing,count,where\n"

static struct memory_sink csv;

static int close_csv(void **state)
{
	close_memory(&csv);
	return 0;
}

static void open_csv(uint32_t command)
{
	open_memory(&csv, &sink_csv, command, 0);
}

static void the_header_has_the_keys_of_the_command(void **state)
{
	open_csv(F_TRACE);
	assert_string_equal(written(&csv), TRACE_HEADER);
	assert_int_equal(csv.sink.records, 0);
	close_memory(&csv);
	open_csv(F_CONNS);
	assert_string_equal(written(&csv), CONNS_HEADER);
}

static void a_transition_fills_its_columns_and_leaves_the_others_empty(void **state)
{
	struct row row = established();

	open_csv(F_TRACE);
	written(&csv);
	assert_string_equal(line_of(&csv, &row),
		"2026-11-21T02:11:00.123456789Z,1,state,00000000000021a4,4026531840,4,"
		"10.0.0.1,41234,10.0.0.2,443,active,812,curl,33,connect,,,,,,,"
		"syn_sent,established,213,,,,,,,,,,,,,\n");
	assert_int_equal(csv.sink.records, 1);
}

static void a_connection_joins_its_lists_by_spaces(void **state)
{
	struct row row = connection();

	open_csv(F_CONNS);
	written(&csv);
	assert_string_equal(line_of(&csv, &row),
		"2026-11-21T02:11:00.123456789Z,1,connection,00000000000021a4,4026531840,4,"
		"10.0.0.1,41234,10.0.0.2,443,active,812,curl,33,connect,,,,,,,"
		"2026-11-21T02:10:58.883456789Z,established,,213,0,0,0,0,fin,,local,true,,"
		"syn_sent established fin_wait1 fin_wait2 time_wait,213 1239000 400 386,"
		"1240000,786,78,1256,1,1,220,180,true,,,,\n");
}

static void a_loss_is_a_row_like_any_other(void **state)
{
	struct row row = lost(120, "ring");

	open_csv(F_TRACE);
	written(&csv);
	assert_string_equal(line_of(&csv, &row),
		"2026-11-21T02:11:00.123456789Z,1,lost,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,120,ring\n");
}

static void ipv6_has_no_brackets_and_flags_are_a_list(void **state)
{
	struct row row = row_of("late_segment");

	put_peers(&row, 6, 443, 51234);
	put_u(&row, F_FLAGS, 0x11 | FIELD_FLAG_DATA);
	put_u(&row, F_EXISTING, true);
	open_csv(F_TRACE);
	written(&csv);
	assert_string_equal(line_of(&csv, &row),
		"2026-11-21T02:11:00.123456789Z,1,late_segment,,,6,2001:db8::1,443,"
		"2001:db8::2,51234,,,,,,,,,,,,,,,,,fin ack data,,,,,,,,true,,\n");
}

static void a_key_of_another_command_has_no_column(void **state)
{
	struct row row = lost(1, "sink");

	put_u(&row, F_SECONDS, 1);
	put_u(&row, F_TX_BYTES, 1);
	open_csv(F_TRACE);
	written(&csv);
	assert_string_equal(line_of(&csv, &row),
		"2026-11-21T02:11:00.123456789Z,1,lost,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,1,sink\n");
}

/* A row with nothing but a comm. */
static void assert_comm(const char *comm, size_t len, const char *expected)
{
	const char *text;
	struct row row;

	row_clear(&row);
	put_text(&row, F_COMM, comm, len);
	text = line_of(&csv, &row);
	assert_memory_equal(text, ",,,,,,,,,,,,", 12);
	assert_memory_equal(text + 12, expected, strlen(expected));
	assert_string_equal(text + 12 + strlen(expected), ",,,,,,,,,,,,,,,,,,,,,,,,\n");
}

static void a_comm_is_quoted_where_rfc_4180_wants_it(void **state)
{
	open_csv(F_TRACE);
	written(&csv);
	assert_comm("fifteen bytes!!", 15, "fifteen bytes!!");
	assert_comm(" a b ", 5, " a b ");
	assert_comm("a,b", 3, "\"a,b\"");
	assert_comm("a\"b", 3, "\"a\"\"b\"");
	assert_comm("\"", 1, "\"\"\"\"");
	assert_comm("c:\\d", 4, "c:\\d");
	assert_comm("caf\xc3\xa9", 5, "caf\xc3\xa9");
}

static void a_comm_that_is_known_to_be_empty_is_quoted(void **state)
{
	open_csv(F_TRACE);
	written(&csv);
	assert_comm("", 0, "\"\"");
}

static void control_characters_and_bad_utf8_are_replaced(void **state)
{
	open_csv(F_TRACE);
	written(&csv);
	assert_comm("a\nb\r", 4, "a\xef\xbf\xbd" "b\xef\xbf\xbd");
	assert_comm("\033[2J", 4, "\xef\xbf\xbd[2J");
	assert_comm("\0,\x7f", 3, "\"\xef\xbf\xbd,\xef\xbf\xbd\"");
	assert_comm("\xff", 1, "\xef\xbf\xbd");
	assert_comm("\xc2\x9b", 2, "\xef\xbf\xbd");
	assert_comm("\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd");
}

static void a_parser_reads_back_what_was_meant(void **state)
{
	static const char program[] =
		"import csv, sys\n"
		"a, b, c = csv.DictReader(sys.stdin, strict=True)\n"
		"assert None not in a and None not in a.values()\n"
		"assert a['comm'] == 'a,\\\"b\\\" \\u00e9\\ufffd', a['comm']\n"
		"assert a['old'] == 'syn_sent' and a['in_old_us'] == '213' and a['where'] == ''\n"
		"assert b['comm'] == ' =1+1\\\\n' and b['raddr'] == '2001:db8::2'\n"
		"assert c['count'] == '120' and c['event'] == 'lost' and c['comm'] == ''\n";
	struct row hostile = established(), strange = established(), loss = lost(120, "ring");

	put_text(&hostile, F_COMM, "a,\"b\" \xc3\xa9\n", 9);
	put_text(&strange, F_COMM, " =1+1\\n", 7);
	put_peers(&strange, 6, 1, 2);
	open_csv(F_TRACE);
	sink_row(&csv.sink, &hostile);
	sink_row(&csv.sink, &strange);
	sink_row(&csv.sink, &loss);
	assert_true(python_accepts(program, written(&csv)));
}

static void a_parser_counts_the_same_columns_whatever_the_comm(void **state)
{
	static const char program[] =
		"import csv, sys\n"
		"rows = list(csv.reader(sys.stdin, strict=True))\n"
		"assert len(rows) == 257, len(rows)\n"
		"assert {len(r) for r in rows} == {49}\n"
		"assert rows[1 + ord(',')][12] == 'x,y' and rows[1 + ord('a')][12] == 'xay'\n";

	open_csv(F_CONNS);
	for (unsigned int i = 0; i < 256; i++) {
		char comm[3] = { 'x', i, 'y' };
		struct row row = connection();

		put_text(&row, F_COMM, comm, 3);
		sink_row(&csv.sink, &row);
	}
	assert_true(python_accepts(program, written(&csv)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, close_csv)
		TEST(the_header_has_the_keys_of_the_command),
		TEST(a_transition_fills_its_columns_and_leaves_the_others_empty),
		TEST(a_connection_joins_its_lists_by_spaces),
		TEST(a_loss_is_a_row_like_any_other),
		TEST(ipv6_has_no_brackets_and_flags_are_a_list),
		TEST(a_key_of_another_command_has_no_column),
		TEST(a_comm_is_quoted_where_rfc_4180_wants_it),
		TEST(a_comm_that_is_known_to_be_empty_is_quoted),
		TEST(control_characters_and_bad_utf8_are_replaced),
		TEST(a_parser_reads_back_what_was_meant),
		TEST(a_parser_counts_the_same_columns_whatever_the_comm),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
