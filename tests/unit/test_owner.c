// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "owner.h"

static const struct wire_owner curl = { .pid = 7, .uid = 33, .comm = "curl" };
static const struct wire_owner other = { .pid = 8, .uid = 34, .comm = "other" };

static void a_proof_tells_all_of_the_process(void **state)
{
	struct owner o = {};

	owner_prove(&o, OWNER_READ, &curl, 5);
	assert_int_equal(o.from, OWNER_READ);
	assert_int_equal(o.pid, 7);
	assert_int_equal(o.uid, 33);
	assert_int_equal(o.born, 5);
	assert_string_equal(o.comm, "curl");
}

static void a_record_without_a_process_proves_nothing(void **state)
{
	const struct wire_owner nobody = { .uid = 33 };
	struct owner o = {};

	owner_prove(&o, OWNER_CONNECT, &nobody, 0);
	assert_int_equal(o.from, OWNER_NONE);
	owner_prove(&o, OWNER_CLOSE, &curl, 0);
	owner_prove(&o, OWNER_CONNECT, &nobody, 0);
	assert_int_equal(o.from, OWNER_CLOSE);
}

/* contract 2: connect/accept/read, fd, listen, close */
static void the_better_proof_replaces_the_worse_and_no_other(void **state)
{
	static const enum owner_word order[] = { OWNER_CONNECT, OWNER_READ, OWNER_FD, OWNER_LISTEN,
						 OWNER_CLOSE };
	const int nr = sizeof(order) / sizeof(*order);

	assert_int_equal(nr, OWNER_MAX - 1);
	for (int first = 0; first < nr; first++) {
		for (int later = 0; later < nr; later++) {
			struct owner o = {};

			owner_prove(&o, order[first], &curl, 1);
			owner_prove(&o, order[later], &other, 2);
			assert_int_equal(o.pid, later < first ? 8 : 7);
			assert_int_equal(o.from, order[later < first ? later : first]);
			assert_int_equal(o.born, later < first ? 2 : 1);
		}
	}
}

static void what_is_inherited_says_so(void **state)
{
	struct owner listener = {}, o = {};

	owner_inherit(&o, OWNER_LISTEN, &listener);
	assert_int_equal(o.from, OWNER_NONE);
	owner_prove(&listener, OWNER_FD, &curl, 5);
	owner_inherit(&o, OWNER_LISTEN, &listener);
	assert_int_equal(o.from, OWNER_LISTEN);
	assert_int_equal(o.pid, 7);
	assert_int_equal(o.born, 5);
	assert_string_equal(o.comm, "curl");
}

static void what_is_inherited_replaces_no_better_proof(void **state)
{
	struct owner listener = {}, o = {};

	owner_prove(&listener, OWNER_LISTEN, &other, 1);
	owner_prove(&o, OWNER_READ, &curl, 1);
	owner_inherit(&o, OWNER_LISTEN, &listener);
	assert_int_equal(o.pid, 7);
	assert_int_equal(o.from, OWNER_READ);
}

static void a_process_is_its_pid_and_its_birth(void **state)
{
	struct owner a = {}, b = {}, nobody = {};

	owner_prove(&a, OWNER_LISTEN, &curl, 5);
	owner_prove(&b, OWNER_FD, &curl, 5);
	assert_true(owner_is_same(&a, &b));
	b.born = 6;
	assert_false(owner_is_same(&a, &b));
	b = a;
	b.pid = 8;
	assert_false(owner_is_same(&a, &b));
	assert_false(owner_is_same(&a, &nobody));
	assert_false(owner_is_same(&nobody, &nobody));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_tells_all_of_the_process),
		cmocka_unit_test(a_record_without_a_process_proves_nothing),
		cmocka_unit_test(the_better_proof_replaces_the_worse_and_no_other),
		cmocka_unit_test(what_is_inherited_says_so),
		cmocka_unit_test(what_is_inherited_replaces_no_better_proof),
		cmocka_unit_test(a_process_is_its_pid_and_its_birth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
