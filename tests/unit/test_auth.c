// SPDX-License-Identifier: GPL-2.0-or-later
#include <crypt.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auth.h"

static struct auth *auth;
static char hash[100];
static int watch;
static unsigned int answered;
static void *last_asker;

static int begin(void **state)
{
	strcpy(hash, crypt("secret", "$2y$04$abcdefghijklmnopqrstuu"));
	answered = 0;
	last_asker = NULL;
	return auth_create(&auth, &watch);
}

static int end(void **state)
{
	auth_destroy(auth);
	return 0;
}

static void on_answer(void *asker)
{
	answered++;
	last_asker = asker;
}

static void collect(void)
{
	struct pollfd p = { .fd = watch, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 20000), 1);
	auth_collect(auth, on_answer);
}

static void a_password_is_worked_out_once_and_remembered(void **state)
{
	assert_int_equal(auth_check(auth, hash, "secret", &answered), AUTH_PENDING);
	collect();
	assert_int_equal(answered, 1);
	assert_ptr_equal(last_asker, &answered);
	assert_int_equal(auth_check(auth, hash, "secret", &answered), AUTH_RIGHT);
	assert_int_equal(auth_check(auth, hash, "secret", &answered), AUTH_RIGHT);
}

static void a_wrong_one_is_wrong_and_remembered_too(void **state)
{
	assert_int_equal(auth_check(auth, hash, "Secret", &answered), AUTH_PENDING);
	collect();
	assert_int_equal(auth_check(auth, hash, "Secret", &answered), AUTH_WRONG);
	assert_int_equal(auth_check(auth, hash, "secret", &answered), AUTH_PENDING);
	collect();
	assert_int_equal(auth_check(auth, hash, "secret", &answered), AUTH_RIGHT);
}

static void nobody_has_no_right_password(void **state)
{
	assert_int_equal(auth_check(auth, NULL, "secret", &answered), AUTH_PENDING);
	collect();
	assert_int_equal(auth_check(auth, NULL, "secret", &answered), AUTH_WRONG);
}

static void what_bcrypt_would_cut_is_wrong_at_once(void **state)
{
	char longest[200];

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(auth_check(auth, hash, longest, &answered), AUTH_WRONG);
}

static void a_storm_is_turned_away_and_the_known_password_goes_through(void **state)
{
	unsigned int busy = 0;
	char guess[16] = "guess00";

	auth_check(auth, hash, "secret", &answered);
	collect();
	for (int i = 0; i < 90; i++) {
		guess[5] = '0' + i / 10;
		guess[6] = '0' + i % 10;
		busy += auth_check(auth, hash, guess, &answered) == AUTH_BUSY;
		assert_int_equal(auth_check(auth, hash, "secret", &answered), AUTH_RIGHT);
	}
	assert_in_range(busy, 1, 89);
}

static void who_has_gone_is_not_told(void **state)
{
	assert_int_equal(auth_check(auth, hash, "a", &watch), AUTH_PENDING);
	auth_forget(auth, &watch);
	assert_int_equal(auth_check(auth, hash, "b", &answered), AUTH_PENDING);
	while (!answered)
		collect();
	assert_int_equal(answered, 1);
	assert_ptr_equal(last_asker, &answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_password_is_worked_out_once_and_remembered,
						begin, end),
		cmocka_unit_test_setup_teardown(a_wrong_one_is_wrong_and_remembered_too,
						begin, end),
		cmocka_unit_test_setup_teardown(nobody_has_no_right_password, begin, end),
		cmocka_unit_test_setup_teardown(what_bcrypt_would_cut_is_wrong_at_once, begin, end),
		cmocka_unit_test_setup_teardown(
			a_storm_is_turned_away_and_the_known_password_goes_through, begin, end),
		cmocka_unit_test_setup_teardown(who_has_gone_is_not_told, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
