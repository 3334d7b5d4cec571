// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queues.h"
#include "sample_events.h"

static struct queues queues;

static int begin(void **state)
{
	return queues_init(&queues);
}

static int end(void **state)
{
	queues_deinit(&queues);
	return 0;
}

static void listener(uint64_t sock)
{
	struct wire_listener rec = {
		.hdr = hdr_of(WIRE_LISTENER, sizeof(rec), T0, sock), .tuple = tuple_of(0),
		.owner.uid = 33, .queue = 3, .limit = 128, .drops = 5,
	};

	rec.hdr.sock = sock;
	queues_add_listener(&queues, &rec);
}

static void request(uint64_t listener_sock, uint64_t sent_ns, uint8_t retrans, uint8_t flags)
{
	queues_add_request(&queues, &(struct wire_request){
		.listener = listener_sock, .snt_synack_us = sent_ns / 1000,
		.num_retrans = retrans, .flags = flags });
}

static void owner(uint64_t sock, uint32_t pid)
{
	struct wire_owner_of rec = { .owner = { .pid = pid, .uid = 33, .comm = "nginx" }, .fd = 6 };

	rec.hdr.sock = sock;
	queues_add_owner(&queues, &rec);
}

static const struct queue *queue(uint64_t sock)
{
	return keytab_find(&queues.table, &sock);
}

static void requests_belong_to_their_listening_socket(void **state)
{
	listener(100);
	listener(200);	/* of the same port */
	request(100, T0 + SEC, 2, 0);
	request(100, T0, 0, WIRE_C_ACKED);
	request(200, T0 + 2 * SEC, 1, 0);
	assert_int_equal(queue(100)->half_open, 2);
	assert_int_equal(queue(100)->acked, 1);
	assert_int_equal(queue(100)->synack_retrans, 2);
	assert_int_equal(queue(100)->oldest_ns, T0);
	assert_int_equal(queue(200)->half_open, 1);
	assert_int_equal(queue(200)->acked, 0);
	assert_int_equal(queue(200)->oldest_ns, T0 + 2 * SEC);
	assert_int_equal(queue(100)->listener.drops, 5);
}

static void without_requests_nothing_is_old(void **state)
{
	listener(100);
	assert_int_equal(queue(100)->half_open, 0);
	assert_int_equal(queue(100)->oldest_ns, 0);
}

static void a_request_whose_listening_socket_is_gone_is_nobodys(void **state)
{
	request(100, T0, 0, 0);
	assert_int_equal(queues.table.nr, 0);
}

static void of_several_that_hold_it_the_first_is_its_owner(void **state)
{
	listener(100);
	assert_int_equal(queue(100)->owner.from, OWNER_NONE);
	owner(100, 812);
	owner(100, 813);
	owner(999, 1);
	assert_int_equal(queue(100)->owner.from, OWNER_FD);
	assert_int_equal(queue(100)->owner.pid, 812);
	assert_int_equal(queue(100)->owner.uid, 33);
	assert_string_equal(queue(100)->owner.comm, "nginx");
}

static void more_listening_sockets_than_there_is_room_for_are_counted(void **state)
{
	for (uint64_t i = 1; i <= 65536 + 10; i++)
		listener(i);
	assert_int_equal(queues.table.nr, 65536);
	assert_int_equal(queues.rest, 10);
	queues_clear(&queues);
	assert_int_equal(queues.table.nr, 0);
	assert_int_equal(queues.rest, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(requests_belong_to_their_listening_socket),
		TEST(without_requests_nothing_is_old),
		TEST(a_request_whose_listening_socket_is_gone_is_nobodys),
		TEST(of_several_that_hold_it_the_first_is_its_owner),
		TEST(more_listening_sockets_than_there_is_room_for_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
