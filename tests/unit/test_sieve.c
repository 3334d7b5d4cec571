// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sieve.h"

#define IDS	(3 * SIEVE_CGROUPS)

static struct sieve sieve;
static enum wire_judged judged[IDS];	/* as the kernel has it */
static unsigned int told;
static int refuses;

static int tell(void *ctx, uint64_t id, enum wire_judged verdict)
{
	told++;
	if (refuses)
		return refuses;
	assert_int_not_equal(judged[id], verdict);
	judged[id] = verdict;
	return 0;
}

static int set_up(void **state)
{
	const struct cgroup_terms terms = { .under = "/system.slice", .unit = "web" };

	told = refuses = 0;
	memset(judged, 0, sizeof(judged));
	return sieve_init(&sieve, &terms, tell, NULL);
}

static int tear_down(void **state)
{
	sieve_deinit(&sieve);
	return 0;
}

static void who_is_not_asked_for_is_dropped(void **state)
{
	assert_int_equal(sieve_verdict(&sieve, 2), WIRE_J_NONE);
	assert_int_equal(sieve_judge(&sieve, 2, "/system.slice/db.service"), WIRE_J_DROPS);
	assert_int_equal(sieve_judge(&sieve, 3, "/user.slice/web.service"), WIRE_J_DROPS);
	assert_int_equal(sieve_judge(&sieve, 4, "/"), WIRE_J_DROPS);
	assert_int_equal(sieve_verdict(&sieve, 2), WIRE_J_DROPS);
	for (uint64_t id = 2; id <= 4; id++)
		assert_int_equal(judged[id], WIRE_J_DROPS);
	assert_int_equal(sieve.dropped, 3);
}

static void who_satisfies_every_term_passes(void **state)
{
	assert_int_equal(sieve_judge(&sieve, 2, "/system.slice/web.service"), WIRE_J_PASSES);
	assert_int_equal(sieve_judge(&sieve, 3, "/system.slice/a.slice/web.service/b"),
			 WIRE_J_PASSES);
	assert_int_equal(sieve_verdict(&sieve, 2), WIRE_J_PASSES);
	assert_int_equal(judged[2], WIRE_J_PASSES);
	assert_int_equal(sieve.dropped, 0);
}

static void who_is_not_known_passes(void **state)
{
	assert_int_equal(sieve_judge(&sieve, 2, NULL), WIRE_J_PASSES);
	assert_int_equal(sieve_verdict(&sieve, 2), WIRE_J_PASSES);
	assert_int_equal(told, 0);
}

/* What the kernel does not drop comes, and has to be let through: it was counted. */
static void whom_the_kernel_does_not_take_passes(void **state)
{
	refuses = -ENOMEM;
	assert_int_equal(sieve_judge(&sieve, 2, "/user.slice"), WIRE_J_PASSES);
	assert_int_equal(sieve_verdict(&sieve, 2), WIRE_J_PASSES);
	assert_int_equal(told, 1);
}

static void when_there_is_no_room_all_are_judged_anew(void **state)
{
	unsigned int nr = 0;

	for (uint64_t id = 0; id < SIEVE_CGROUPS; id++)
		assert_int_equal(sieve_judge(&sieve, id, id % 2 ? "/user.slice" : NULL),
				 id % 2 ? WIRE_J_DROPS : WIRE_J_PASSES);
	assert_int_equal(sieve_judge(&sieve, SIEVE_CGROUPS + 1, "/user.slice"), WIRE_J_DROPS);
	assert_int_equal(sieve_verdict(&sieve, 1), WIRE_J_NONE);
	for (unsigned int id = 0; id < IDS; id++)
		nr += judged[id] != WIRE_J_NONE;
	assert_int_equal(nr, 1);
	assert_int_equal(sieve_judge(&sieve, 1, "/user.slice"), WIRE_J_DROPS);
	assert_int_equal(judged[1], WIRE_J_DROPS);
}

static void a_path_as_long_as_the_kernels_is_judged(void **state)
{
	char path[4096];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	assert_int_equal(sieve_judge(&sieve, 2, path), WIRE_J_DROPS);
}

static const struct cgroup_terms unit = { .unit = "web" };

static bool is_for(enum command command, const char *read_path, bool stuck, bool has_v1)
{
	const struct options opt = {
		.command = command, .cgroups = unit, .read_path = read_path, .stuck = stuck,
	};

	return sieve_is_for(&opt, has_v1);
}

static void only_what_traces_and_shows_no_other_end_has_one(void **state)
{
	const struct options all = { .command = CMD_TRACE };

	assert_true(is_for(CMD_TRACE, NULL, false, false));
	assert_true(is_for(CMD_CONNS, NULL, false, false));
	assert_false(is_for(CMD_CONNS, NULL, true, false));
	assert_false(is_for(CMD_EXPLAIN, NULL, false, false));
	assert_false(is_for(CMD_TOP, NULL, false, false));
	assert_false(is_for(CMD_LISTEN, NULL, false, false));
	assert_false(is_for(CMD_TRACE, "a.rec", false, false));
	assert_false(is_for(CMD_TRACE, NULL, false, true));
	assert_false(sieve_is_for(&all, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_is_not_asked_for_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_satisfies_every_term_passes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_not_known_passes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whom_the_kernel_does_not_take_passes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(when_there_is_no_room_all_are_judged_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_path_as_long_as_the_kernels_is_judged, set_up,
						tear_down),
		cmocka_unit_test(only_what_traces_and_shows_no_other_end_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
