// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "filter_bound.h"
#include "filter_parse.h"
#include "filter_text.h"
#include "portset.h"
#include "sample_filters.h"
#include "scope.h"

static int no_service(const char *name)
{
	return -1;
}

static struct filter parsed(const char *text)
{
	struct filter_error error;
	struct filter f;

	assert_int_equal(filter_parse(text, no_service, &f, &error), 0);
	return f;
}

static struct scope scope_of(const struct filter *f)
{
	struct filter_bound bound = filter_bound(f);
	struct scope ret = {};

	filter_bound_scope(&bound, &ret);
	return ret;
}

/* "family 4 sport 1-5 dport ... src ... dst ...": what is bound. */
static const char *bounds(const char *text)
{
	static char buf[4096];
	struct text t = text_into(buf, sizeof(buf) - 1);
	struct filter f = parsed(text);
	struct scope s = scope_of(&f);

	if (s.sockets.family)
		text_str(&t, s.sockets.family == 4 ? "family 4 " : "family 6 ");
	text_str(&t, s.sockets.lports.len ? "sport " : "");
	filter_text_ports(&s.sockets.lports, &t);
	text_str(&t, s.sockets.lports.len ? " " : "");
	text_str(&t, s.sockets.rports.len ? "dport " : "");
	filter_text_ports(&s.sockets.rports, &t);
	text_str(&t, s.sockets.rports.len ? " " : "");
	text_str(&t, s.laddrs.len ? "src " : "");
	filter_text_addrs(&s.laddrs, &t);
	text_str(&t, s.laddrs.len ? " " : "");
	text_str(&t, s.raddrs.len ? "dst " : "");
	filter_text_addrs(&s.raddrs, &t);
	if (t.p > buf && t.p[-1] == ' ')
		t.p--;
	*t.p = 0;
	return buf;
}

#define BOUNDS(text, expected)	assert_string_equal(bounds(text), expected)

static void no_filter_bounds_nothing(void **state)
{
	BOUNDS("", "");
	BOUNDS("src *", "");
	BOUNDS("state established", "");
}

static void a_test_bounds_its_own_end(void **state)
{
	BOUNDS("sport = :80", "sport 80");
	BOUNDS("dport >= 1024", "dport 1024-65535");
	BOUNDS("dst 10/8", "family 4 dst 10.0.0.0/8");
	BOUNDS("src 2001:db8::/32", "family 6 src 2001:db8::/32");
	BOUNDS("dst 10/8:443", "family 4 dport 443 dst 10.0.0.0/8");
}

static void and_narrows(void **state)
{
	BOUNDS("sport >= 10 and sport <= 20", "sport 10-20");
	BOUNDS("state established dport = :443 dst 10/8", "family 4 dport 443 dst 10.0.0.0/8");
	BOUNDS("dst 10/8 and not dst 10.1/16", "family 4 dst 10.0.0.0/8, not 10.1.0.0/16");
}

static void or_unites_what_both_sides_bound(void **state)
{
	BOUNDS("dport = :80 or dport = :443", "dport 80,443");
	BOUNDS("dport = :80 or sport = :80", "");
	BOUNDS("dport = :80 or ( state established )", "");
	BOUNDS("dst 10/8:80 or dst 192.168/16:443",
	       "family 4 dport 80,443 dst 10.0.0.0/8, 192.168.0.0/16");
	BOUNDS("src 10/8 or dst 10/8", "family 4");
	BOUNDS("dport = :80 sport = :1 or dport = :443", "dport 80,443");
}

/* 0 is the peer of a listening socket: it is not at port 443. */
static void not_is_exact_at_a_test(void **state)
{
	BOUNDS("dport != :443", "dport 0-442,444-65535");
	BOUNDS("not dst 10/8", "dst ::/0, not 10.0.0.0/8");
	BOUNDS("not ( dport = :80 or dport = :443 )", "dport 0-79,81-442,444-65535");
	BOUNDS("not ( dport = :80 and sport = :80 )", "");
	BOUNDS("not ( dport != :80 or sport != :81 )", "sport 81 dport 80");
	BOUNDS("not ( ( state established ) or dport = :80 )", "dport 0-79,81-65535");
	BOUNDS("not not dport = :80", "dport 80");
	BOUNDS("exclude listening dport = :80", "dport 80");
}

static void nothing_at_all_is_kept_of_what_cannot_be(void **state)
{
	struct filter f = parsed("sport = :1 and sport = :2");

	assert_true(filter_bound(&f).nothing);
	BOUNDS("sport = :1 and sport = :2", "src not ::/0");
	BOUNDS("dst 10/8 and dst 11/8", "family 4 dst not ::/0");
	BOUNDS("not dst inet:* and not dst inet6:*", "dst not ::/0");	/* listening sockets */
	BOUNDS("dst 10/8 and src ::1", "src not ::/0 dst 10.0.0.0/8");
	f = parsed("sport = :1 or sport = :2");
	assert_false(filter_bound(&f).nothing);
}

static void a_scope_is_narrowed_and_never_widened(void **state)
{
	struct scope scope = {
		.sockets = { .family = 6, .rports = { .len = 1, .range = { { 1, 100 } } } },
	};
	const struct wire_scope *s = &scope.sockets;
	struct filter f = parsed("dport >= 80 and dst 10/8");
	struct filter_bound bound = filter_bound(&f);

	filter_bound_scope(&bound, &scope);
	assert_int_equal(s->family, 6);
	assert_int_equal(s->lports.len, 0);
	assert_int_equal(s->rports.len, 1);
	assert_int_equal(s->rports.range[0].lo, 80);
	assert_int_equal(s->rports.range[0].hi, 100);
	f = parsed("dport >= 200");
	bound = filter_bound(&f);
	filter_bound_scope(&bound, &scope);	/* nothing, which no set of ports can say */
	assert_int_equal(s->rports.range[0].lo, 80);
	assert_int_equal(s->rports.range[0].hi, 100);
}

/* Of more ranges than there is room for the scope stays as it was. */
static void too_many_ranges_bound_nothing(void **state)
{
	char text[4096] = "";
	struct scope scope = { .sockets.rports = { .len = 1, .range = { { 1, 100 } } } };
	struct filter_bound bound;
	struct filter f;

	for (unsigned int i = 1; i <= WIRE_RANGES; i++)
		sprintf(text + strlen(text), "dport != %u ", 2 * i);
	f = parsed(text);
	bound = filter_bound(&f);
	assert_true(portset_is_all(&bound.rports));
	filter_bound_scope(&bound, &scope);
	assert_int_equal(scope.sockets.rports.len, 1);
	assert_int_equal(scope.sockets.rports.range[0].hi, 100);
	assert_false(filter_is_bound(&f, f.len - 1));
	assert_false(filter_is_bound(&f, 0));
}

static void what_is_bound_whole_is_told(void **state)
{
	struct filter f = parsed("dport = :80 or dport = :443");

	assert_true(filter_is_bound(&f, f.len - 1));
	f = parsed("dst 10/8 and not dst 10.1/16");
	assert_true(filter_is_bound(&f, f.len - 1));
	f = parsed("dst 10/8:80");	/* two ends of it, each whole */
	assert_true(filter_is_bound(&f, 0));
	assert_true(filter_is_bound(&f, 1));
	assert_false(filter_is_bound(&f, f.len - 1));
	f = parsed("dport = :80 or sport = :80");
	assert_false(filter_is_bound(&f, f.len - 1));
	f = parsed("state established");
	assert_false(filter_is_bound(&f, f.len - 1));
}

/* ---- any filter, any socket ---- */

static struct filter_facts facts_of(const struct wire_tuple *t, bool listener, uint32_t states)
{
	return (struct filter_facts){ .tuple = t, .listener = listener, .states = states };
}

static void forget(uint64_t *seed, struct wire_tuple *t)
{
	if (random_below(seed, 2))
		t->lport = 0;
	if (random_below(seed, 2))
		t->rport = 0;
	if (random_below(seed, 2))
		memset(t->laddr + (t->family == 4 ? 12 : 0), 0, t->family == 4 ? 4 : 16);
	if (random_below(seed, 2))
		memset(t->raddr + (t->family == 4 ? 12 : 0), 0, t->family == 4 ? 4 : 16);
}

/* Neither when all is known, nor before. */
static void the_kernel_never_rejects_what_the_filter_accepts(void **state)
{
	unsigned int accepted = 0, rejected = 0;
	uint64_t seed = 17;

	for (int turn = 0; turn < 60000; turn++) {
		struct filter f = random_filter(&seed, random_below(&seed, 2));
		bool listener = random_below(&seed, 5) == 0;
		struct wire_tuple t = random_tuple(&seed, listener);
		struct filter_facts facts = facts_of(&t, listener, random_below(&seed, 1 << 12));
		struct scope scope = scope_of(&f);
		bool has = listener ? scope_asks_for_listener(&scope, 1, &t) :
				      scope_has(&scope, 1, &t);

		rejected += !has;
		if (!filter_match(&f, &facts))
			continue;
		accepted++;
		assert_true(has);
		assert_true(!listener || scope_has_listener(&scope, 1, &t));
		forget(&seed, &t);
		assert_true(scope_has(&scope, 1, &t));
	}
	assert_true(accepted > 10000 && rejected > 5000);
}

static void a_filter_that_is_bound_whole_is_decided_by_the_kernel(void **state)
{
	unsigned int told[2] = {};
	uint64_t seed = 19;

	for (int turn = 0; turn < 60000; turn++) {
		struct filter f = random_filter(&seed, true);
		struct wire_tuple t = random_tuple(&seed, false);
		struct filter_facts facts = facts_of(&t, false, 0);
		struct scope scope = scope_of(&f);

		if (!filter_is_bound(&f, f.len - 1))
			continue;
		assert_int_equal(scope_has(&scope, 1, &t), filter_match(&f, &facts));
		told[filter_match(&f, &facts)]++;
	}
	assert_true(told[0] > 2000 && told[1] > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_filter_bounds_nothing),
		cmocka_unit_test(a_test_bounds_its_own_end),
		cmocka_unit_test(and_narrows),
		cmocka_unit_test(or_unites_what_both_sides_bound),
		cmocka_unit_test(not_is_exact_at_a_test),
		cmocka_unit_test(nothing_at_all_is_kept_of_what_cannot_be),
		cmocka_unit_test(a_scope_is_narrowed_and_never_widened),
		cmocka_unit_test(too_many_ranges_bound_nothing),
		cmocka_unit_test(what_is_bound_whole_is_told),
		cmocka_unit_test(the_kernel_never_rejects_what_the_filter_accepts),
		cmocka_unit_test(a_filter_that_is_bound_whole_is_decided_by_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
