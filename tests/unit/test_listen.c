// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "listen.h"

static void addresses_have_a_port_and_ipv6_has_brackets(void **state)
{
	static const char *const good[] = {
		":0", ":9100", "127.0.0.1:10047", "localhost:65535", "[::1]:80", "[::]:0", "[]:1",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(listen_check(good[i]), 0);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"", ":", "80", "localhost", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
		"127.0.0.1:http", "::1:80", "[::1]", "[::1:80", "::1]:80", ":99999999999",
		"127.0.0.1:80 ", "unix:/run/synfin.sock",
	};
	char long_name[400];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(listen_check(bad[i]), -EINVAL);
	memset(long_name, 'x', sizeof(long_name));
	strcpy(long_name + sizeof(long_name) - 4, ":80");
	assert_int_equal(listen_check(long_name), -EINVAL);
}

static void port_0_picks_one_and_its_name_tells(void **state)
{
	char name[LISTEN_NAME_MAX];
	int fd, again;

	assert_int_equal(listen_open("127.0.0.1:0", &fd), 0);
	listen_name(fd, name, sizeof(name));
	assert_memory_equal(name, "127.0.0.1:", 10);
	assert_int_not_equal(atoi(name + 10), 0);
	assert_int_equal(listen_open(name, &again), -EADDRINUSE);
	close(fd);
}

static void every_address_is_ipv4_and_ipv6(void **state)
{
	char name[LISTEN_NAME_MAX], other[LISTEN_NAME_MAX];
	int fd, again;

	assert_int_equal(listen_open(":0", &fd), 0);
	listen_name(fd, name, sizeof(name));
	snprintf(other, sizeof(other), "127.0.0.1%s", strrchr(name, ':'));
	assert_int_equal(listen_open(other, &again), -EADDRINUSE);
	close(fd);
}

static void an_address_of_another_host_is_told(void **state)
{
	int fd;

	assert_int_equal(listen_open("192.0.2.1:0", &fd), -EADDRNOTAVAIL);
	assert_int_equal(listen_open("no.such.host.invalid:80", &fd), -ENXIO);
}

static void sockets_are_inherited_only_if_they_are_meant_for_us(void **state)
{
	int fds[LISTEN_MAX];

	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	assert_int_equal(listen_inherited(fds), 0);
	assert_null(getenv("LISTEN_FDS"));
	assert_int_equal(listen_inherited(fds), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_a_port_and_ipv6_has_brackets),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(port_0_picks_one_and_its_name_tells),
		cmocka_unit_test(every_address_is_ipv4_and_ipv6),
		cmocka_unit_test(an_address_of_another_host_is_told),
		cmocka_unit_test(sockets_are_inherited_only_if_they_are_meant_for_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
