// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "event.h"
#include "sample_rows.h"

static struct memory_sink json;

static int open_json(void **state)
{
	open_memory(&json, &sink_json, F_TRACE, 0);
	return 0;
}

static int close_json(void **state)
{
	close_memory(&json);
	return 0;
}

static void there_is_no_header_and_the_summary_is_a_record(void **state)
{
	assert_string_equal(written(&json), "");
	assert_true(sink_json.summary);
	assert_string_equal(sink_json.name, "json");
}

static void a_transition_is_one_object_on_one_line(void **state)
{
	struct row row = established();

	assert_string_equal(line_of(&json, &row),
		"{\"time\":\"2026-11-21T02:11:00.123456789Z\",\"v\":1,\"event\":\"state\","
		"\"conn\":\"00000000000021a4\",\"netns\":4026531840,\"family\":4,"
		"\"laddr\":\"10.0.0.1\",\"lport\":41234,\"raddr\":\"10.0.0.2\",\"rport\":443,"
		"\"role\":\"active\",\"pid\":812,\"comm\":\"curl\",\"uid\":33,"
		"\"owner_from\":\"connect\",\"old\":\"syn_sent\",\"new\":\"established\","
		"\"in_old_us\":213}\n");
	assert_int_equal(json.sink.records, 1);
}

static void a_connection_has_its_lists(void **state)
{
	struct row row = connection();

	assert_string_equal(line_of(&json, &row),
		"{\"time\":\"2026-11-21T02:11:00.123456789Z\",\"v\":1,\"event\":\"connection\","
		"\"conn\":\"00000000000021a4\",\"netns\":4026531840,\"family\":4,"
		"\"laddr\":\"10.0.0.1\",\"lport\":41234,\"raddr\":\"10.0.0.2\",\"rport\":443,"
		"\"role\":\"active\",\"pid\":812,\"comm\":\"curl\",\"uid\":33,"
		"\"owner_from\":\"connect\",\"start\":\"2026-11-21T02:10:58.883456789Z\","
		"\"outcome\":\"established\",\"handshake_us\":213,\"syn_retrans\":0,"
		"\"synack_retrans\":0,\"data_retrans\":0,\"fin_retrans\":0,\"close\":\"fin\","
		"\"closed_by\":\"local\",\"time_wait\":true,"
		"\"path\":[\"syn_sent\",\"established\",\"fin_wait1\",\"fin_wait2\",\"time_wait\"],"
		"\"path_us\":[213,1239000,400,386],\"duration_us\":1240000,\"teardown_us\":786,"
		"\"tx_bytes\":78,\"rx_bytes\":1256,\"tx_segs\":1,\"rx_segs\":1,\"srtt_us\":220,"
		"\"min_rtt_us\":180,\"complete\":true}\n");
}

static void what_is_not_known_is_absent(void **state)
{
	struct row row = row_of("reset");

	put_word(&row, F_DIRECTION, "sent");
	assert_string_equal(line_of(&json, &row),
		"{\"time\":\"2026-11-21T02:11:00.123456789Z\",\"v\":1,\"event\":\"reset\","
		"\"direction\":\"sent\"}\n");
}

static void a_loss_says_how_many_and_where(void **state)
{
	struct row row = lost(120, "ring");

	assert_string_equal(line_of(&json, &row),
		"{\"time\":\"2026-11-21T02:11:00.123456789Z\",\"v\":1,\"event\":\"lost\","
		"\"count\":120,\"where\":\"ring\"}\n");
}

/* A row with one field, after the three that all rows have. */
static void assert_field(const struct row *row, const char *expected)
{
	static const char head[] =
		"{\"time\":\"2026-11-21T02:11:00.123456789Z\",\"v\":1,\"event\":\"state\",";
	const char *text = line_of(&json, row);
	size_t len = strlen(expected);

	assert_memory_equal(text, head, sizeof(head) - 1);
	text += sizeof(head) - 1;
	assert_int_equal(strlen(text), len + 2);
	assert_memory_equal(text, expected, len);
	assert_string_equal(text + len, "}\n");
}

static void numbers_are_as_large_as_they_come(void **state)
{
	struct row row = row_of("state");

	put_u(&row, F_TX_BYTES, UINT64_MAX);
	assert_field(&row, "\"tx_bytes\":18446744073709551615");
}

static void an_id_is_a_string_of_16_digits(void **state)
{
	struct row row = row_of("state");

	put_u(&row, F_CONN, 0xfedcba9876543210);
	assert_field(&row, "\"conn\":\"fedcba9876543210\"");
}

static void seconds_have_three_decimals(void **state)
{
	struct row row = row_of("state");

	put_u(&row, F_SECONDS, 12005);
	assert_field(&row, "\"seconds\":12.005");
}

static void a_bool_may_be_false(void **state)
{
	struct row row = row_of("state");

	put_u(&row, F_COMPLETE, false);
	assert_field(&row, "\"complete\":false");
}

static void flags_are_words_in_the_order_of_contract_md(void **state)
{
	struct row row = row_of("state");

	put_u(&row, F_FLAGS, 0x11);
	assert_field(&row, "\"flags\":[\"fin\",\"ack\"]");
	put_u(&row, F_FLAGS, 0x3f | FIELD_FLAG_DATA);
	assert_field(&row, "\"flags\":[\"fin\",\"rst\",\"ack\",\"data\"]");
	put_u(&row, F_FLAGS, 0);
	assert_field(&row, "\"flags\":[]");
}

static void an_empty_list_is_a_list(void **state)
{
	struct row row = row_of("state");

	row_set(&row, F_PATH)->len = 0;
	row_set(&row, F_PATH_US)->len = 0;
	assert_field(&row, "\"path\":[],\"path_us\":[]");
}

static void an_address_is_as_its_family_writes_it(void **state)
{
	struct row row = row_of("state");

	put_addr(&row, F_LADDR, v6_local, 6);
	put_addr(&row, F_RADDR, v4_remote, 4);
	assert_field(&row, "\"laddr\":\"2001:db8::1\",\"raddr\":\"10.0.0.2\"");
}

static void a_hostile_comm_is_escaped(void **state)
{
	struct row row = row_of("state");

	put_text(&row, F_COMM, "\"},{\\\n\033[2J\xff", 11);
	assert_field(&row, "\"comm\":\"\\\"},{\\\\\\u000a\\u001b[2J\\ufffd\"");
	put_text(&row, F_COMM, "", 0);
	assert_field(&row, "\"comm\":\"\"");
	put_text(&row, F_COMM, "fifteen bytes!!", 15);
	assert_field(&row, "\"comm\":\"fifteen bytes!!\"");
}

static void a_parser_reads_back_what_was_meant(void **state)
{
	static const char program[] =
		"import json, sys\n"
		"rows = [json.loads(l) for l in sys.stdin]\n"
		"a, b, c = rows\n"
		"assert a['comm'] == 'a\\x00\\x1f\\x7f\\\"\\\\/,\\u00e9\\ufffd\\ufffd', a['comm']\n"
		"assert a['conn'] == '00000000000021a4' and a['in_old_us'] == 213\n"
		"assert b['path'][0] == 'syn_sent' and b['path_us'] == [213, 1239000, 400, 386]\n"
		"assert b['time_wait'] is True and len(b['path']) == 5\n"
		"assert c['count'] == 2**64 - 1 and 'conn' not in c\n";
	struct row hostile = established(), life = connection(), loss = lost(UINT64_MAX, "ring");

	put_text(&hostile, F_COMM, "a\0\x1f\x7f\"\\/,\xc3\xa9\xed\xa0", 12);
	sink_row(&json.sink, &hostile);
	sink_row(&json.sink, &life);
	sink_row(&json.sink, &loss);
	assert_true(python_accepts(program, written(&json)));
}

/* Every byte at every place, alone and in pairs. */
static void a_parser_takes_any_comm(void **state)
{
	static const char program[] =
		"import json, sys\n"
		"n = 0\n"
		"for line in sys.stdin.buffer:\n"
		"    comm = json.loads(line.decode('utf-8'))['comm']\n"
		"    want = bytes((n % 256, n // 256 % 256)).decode('utf-8', 'replace')\n"
		"    assert comm.strip('\\ufffd') == want.strip('\\ufffd'), (n, comm, want)\n"
		"    assert '\\n' not in line.decode()[:-1]\n"
		"    n += 1\n"
		"assert n == 65536, n\n";
	FILE *python;

	setenv("PROGRAM", program, true);
	python = popen("/usr/bin/python3 -c \"$PROGRAM\"", "w");
	assert_non_null(python);
	for (unsigned int i = 0; i < 65536; i++) {
		char comm[2] = { i % 256, i / 256 };
		struct row row = row_of("state");

		put_text(&row, F_COMM, comm, 2);
		sink_row(&json.sink, &row);
		fputs(written(&json), python);
		json.out.start = 0;
	}
	assert_int_equal(pclose(python), 0);
}

/* Every field there is, at its longest. */
static void the_longest_record_fits(void **state)
{
	static const uint8_t path[] = { 13, 13, 13, 13, 13, 13, 13, 13 };
	static const uint64_t path_ns[] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	static const uint8_t addr[16] = { 0x20, 0x01, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
					  0x44, 0x44, 0x55, 0x55, 0x66, 0x66, 0x77, 0x77 };
	char text_of_ones[4096];
	struct row row;
	const char *text;

	row_clear(&row);
	for (enum field f = 0; f < F_MAX; f++) {
		struct value *v = row_set(&row, f);

		v->u = UINT64_MAX;
		v->len = 8;
		if (field_specs[f].type == FT_WORD)
			v->text = "a_rather_long_word_from_the_kernels_list";
		else if (field_specs[f].type == FT_TEXT)
			put_text(&row, f, "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 15);
		else if (field_specs[f].type == FT_ADDR)
			put_addr(&row, f, addr, 6);
		else if (field_specs[f].type == FT_STATES)
			v->states = path;
		else if (field_specs[f].type == FT_US_LIST || field_specs[f].type == FT_COUNTS)
			v->list = path_ns;
	}
	memset(text_of_ones, 1, sizeof(text_of_ones));
	put_text(&row, F_CGROUP, text_of_ones, WIRE_PATH_LEN - 1);
	put_text(&row, F_EXE, text_of_ones, WIRE_EXE_LEN);
	put_text(&row, F_CMDLINE, text_of_ones, WIRE_CMDLINE_LEN);
	text = line_of(&json, &row);
	assert_true(strlen(text) < SINK_RECORD_MAX - 2048);
	assert_true(python_accepts("import json, sys; json.loads(sys.stdin.read())", text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_json, close_json)
		TEST(there_is_no_header_and_the_summary_is_a_record),
		TEST(a_transition_is_one_object_on_one_line),
		TEST(a_connection_has_its_lists),
		TEST(what_is_not_known_is_absent),
		TEST(a_loss_says_how_many_and_where),
		TEST(numbers_are_as_large_as_they_come),
		TEST(an_id_is_a_string_of_16_digits),
		TEST(seconds_have_three_decimals),
		TEST(a_bool_may_be_false),
		TEST(flags_are_words_in_the_order_of_contract_md),
		TEST(an_empty_list_is_a_list),
		TEST(an_address_is_as_its_family_writes_it),
		TEST(a_hostile_comm_is_escaped),
		TEST(a_parser_reads_back_what_was_meant),
		TEST(a_parser_takes_any_comm),
		TEST(the_longest_record_fits),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
