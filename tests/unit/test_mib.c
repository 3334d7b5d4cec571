// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mib.h"

/* Cut from 6.18's. */
static const char snmp[] =
	"Ip: Forwarding DefaultTTL\n"
	"Ip: 1 64\n"
	"Tcp: RtoAlgorithm MaxConn ActiveOpens PassiveOpens OutRsts\n"
	"Tcp: 1 -1 17 4 18446744073709551615\n"
	"TcpExt: SyncookiesSent TW TWKilled TWRecycled\n"
	"TcpExt: 0 5 6 7\n";

/* From memory of its very size: a read beyond its end does not go unseen. */
static int find_in(const char *text, size_t len, const char *name, uint64_t *ret)
{
	char *copy = malloc(len ? len : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = mib_find(copy, len, name, ret);
	free(copy);
	return err;
}

static void assert_value(const char *text, const char *name, uint64_t expected)
{
	uint64_t value = 42;

	assert_int_equal(find_in(text, strlen(text), name, &value), 0);
	assert_int_equal(value, expected);
}

static void assert_refused(const char *text, const char *name, int err)
{
	uint64_t value = 42;

	assert_int_equal(find_in(text, strlen(text), name, &value), err);
	assert_int_equal(value, 42);
}

static void a_counter_is_found_by_the_place_of_its_name(void **state)
{
	assert_value(snmp, "Tcp.RtoAlgorithm", 1);
	assert_value(snmp, "Tcp.ActiveOpens", 17);
	assert_value(snmp, "Tcp.PassiveOpens", 4);
	assert_value(snmp, "TcpExt.TWRecycled", 7);
	assert_value(snmp, "Ip.DefaultTTL", 64);
}

static void a_name_is_not_found_by_its_beginning(void **state)
{
	assert_value(snmp, "TcpExt.TW", 5);
	assert_value(snmp, "TcpExt.TWKilled", 6);
	assert_refused(snmp, "TcpExt.TWK", -ENOENT);
	assert_refused(snmp, "Tcp.Active", -ENOENT);
}

static void a_group_is_not_found_by_its_beginning(void **state)
{
	assert_refused(snmp, "Tcp.TW", -ENOENT);
	assert_refused(snmp, "TcpE.TW", -ENOENT);
	assert_refused(snmp, "TcpExt.ActiveOpens", -ENOENT);
}

static void what_is_not_there_is_not_found(void **state)
{
	assert_refused(snmp, "Tcp.Nothing", -ENOENT);
	assert_refused(snmp, "Udp.InDatagrams", -ENOENT);
	assert_refused(snmp, "ActiveOpens", -ENOENT);
	assert_refused(snmp, "", -ENOENT);
	assert_refused(snmp, "Tcp.", -ENOENT);
	assert_refused(snmp, ".ActiveOpens", -ENOENT);
	assert_refused("", "Tcp.ActiveOpens", -ENOENT);
	assert_refused("\n\n \n", "Tcp.ActiveOpens", -ENOENT);
}

static void the_largest_number_is_one(void **state)
{
	assert_value(snmp, "Tcp.OutRsts", UINT64_MAX);
}

static void numbers_that_are_too_large_are_refused(void **state)
{
	assert_refused("Tcp: A\nTcp: 18446744073709551616\n", "Tcp.A", -ERANGE);
	assert_refused("Tcp: A\nTcp: 99999999999999999999999999\n", "Tcp.A", -ERANGE);
}

static void what_is_no_whole_number_is_refused(void **state)
{
	assert_refused(snmp, "Tcp.MaxConn", -EBADMSG);
	assert_refused("Tcp: A\nTcp: 0x10\n", "Tcp.A", -EBADMSG);
	assert_refused("Tcp: A\nTcp: 1.5\n", "Tcp.A", -EBADMSG);
	assert_refused("Tcp: A\nTcp: +1\n", "Tcp.A", -EBADMSG);
	assert_refused("Tcp: A\nTcp: \xff\n", "Tcp.A", -EBADMSG);
}

static void a_missing_value_is_refused(void **state)
{
	assert_refused("Tcp: A B\nTcp: 1\n", "Tcp.B", -EBADMSG);
	assert_value("Tcp: A B\nTcp: 1\n", "Tcp.A", 1);
	assert_refused("Tcp: A\nTcp:\n", "Tcp.A", -EBADMSG);
	assert_refused("Tcp: A\n\n", "Tcp.A", -EBADMSG);
}

static void values_of_another_group_are_refused(void **state)
{
	assert_refused("Tcp: A\nUdp: 1\n", "Tcp.A", -EBADMSG);
}

static void a_group_may_have_several_pairs(void **state)
{
	assert_value("Tcp: A\nTcp: 1\nTcp: B\nTcp: 2\n", "Tcp.B", 2);
}

static void blanks_do_not_count(void **state)
{
	assert_value("  Tcp:   A    B  \n Tcp:  1   2 \n", "Tcp.B", 2);
}

/* Wherever it is cut, a value is right or none. */
static void a_cut_text_never_yields_a_wrong_number(void **state)
{
	uint64_t value;

	for (size_t len = 0; len < sizeof(snmp) - 1; len++) {
		if (!find_in(snmp, len, "Tcp.ActiveOpens", &value))
			assert_int_equal(value, 17);
		if (!find_in(snmp, len, "TcpExt.TWRecycled", &value))
			assert_int_equal(value, 7);
		if (!find_in(snmp, len, "Tcp.OutRsts", &value))
			assert_true(value == UINT64_MAX);
	}
}

static void any_bytes_do_no_harm(void **state)
{
	static const char bytes[] = "Tcp: AO\n 1-\0\xff";
	char text[64];
	uint64_t value;

	srand(1);
	for (int i = 0; i < 100000; i++) {
		size_t len = rand() % sizeof(text);

		for (size_t k = 0; k < len; k++)
			text[k] = bytes[rand() % (sizeof(bytes) - 1)];
		find_in(text, len, "Tcp.A", &value);
	}
}

static void the_running_kernels_files_are_read_again_and_again(void **state)
{
	static struct mib_text text;
	struct mib_files files;
	uint64_t value;

	assert_int_equal(mib_open(&files), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mib_read(&files, &text), 0);
		assert_int_equal(mib_find(text.bytes, text.len, "Tcp.ActiveOpens", &value), 0);
		assert_int_equal(mib_find(text.bytes, text.len, "TcpExt.TW", &value), 0);
	}
	mib_close(&files);
	assert_true(mib_read(&files, &text) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_is_found_by_the_place_of_its_name),
		cmocka_unit_test(a_name_is_not_found_by_its_beginning),
		cmocka_unit_test(a_group_is_not_found_by_its_beginning),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(the_largest_number_is_one),
		cmocka_unit_test(numbers_that_are_too_large_are_refused),
		cmocka_unit_test(what_is_no_whole_number_is_refused),
		cmocka_unit_test(a_missing_value_is_refused),
		cmocka_unit_test(values_of_another_group_are_refused),
		cmocka_unit_test(a_group_may_have_several_pairs),
		cmocka_unit_test(blanks_do_not_count),
		cmocka_unit_test(a_cut_text_never_yields_a_wrong_number),
		cmocka_unit_test(any_bytes_do_no_harm),
		cmocka_unit_test(the_running_kernels_files_are_read_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
