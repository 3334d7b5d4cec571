// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "filter_parse.h"
#include "filter_text.h"
#include "sample_filters.h"
#include "tcp_state.h"

static struct filter_error error;

/* The services of this test. */
static int service(const char *name)
{
	return !strcmp(name, "http") ? 80 : !strcmp(name, "https") ? 443 :
	       !strcmp(name, "9pfs") ? 564 : -1;
}

static struct filter parsed(const char *text)
{
	struct filter f;

	if (filter_parse(text, service, &f, &error))
		fail_msg("\"%s\": %s at %zu", text, filter_problem_text(error.problem), error.at);
	return f;
}

/* What was understood, as text again. */
static const char *read_back(const struct filter *f)
{
	static char buf[16384];
	struct text t = text_into(buf, sizeof(buf) - 1);

	if (f->len)
		filter_text(f, f->len - 1, &t);
	assert_false(t.full);
	*t.p = 0;
	return buf;
}

#define READ(text, back)						\
	do {								\
		struct filter f_ = parsed(text);			\
		assert_string_equal(read_back(&f_), back);		\
	} while (0)

#define SAME(text, other)						\
	do {								\
		struct filter f_ = parsed(text), g_ = parsed(other);	\
		assert_true(is_same_filter(&f_, &g_));			\
	} while (0)

#define DIFFERENT(text, other)						\
	do {								\
		struct filter f_ = parsed(text), g_ = parsed(other);	\
		assert_false(is_same_filter(&f_, &g_));			\
	} while (0)

/* ---- what is understood ---- */

static void no_word_is_no_filter(void **state)
{
	READ("", "");
	READ(" \t\n", "");
}

static void ports_are_compared(void **state)
{
	READ("sport = :80", "sport = :80");
	READ("dport = :80", "dport = :80");
	READ("sport 80", "sport = :80");
	READ("sport :80", "sport = :80");
	READ("sport = 80", "sport = :80");
	READ("sport == 80", "sport = :80");
	READ("sport eq 80", "sport = :80");
	READ("sport != 80", "not sport = :80");
	READ("sport ne :80", "not sport = :80");
	READ("sport neq :80", "not sport = :80");
	READ("sport < 80", "sport <= :79");
	READ("sport lt :80", "sport <= :79");
	READ("sport <= 80", "sport <= :80");
	READ("sport le :80", "sport <= :80");
	READ("sport leq :80", "sport <= :80");
	READ("sport > 80", "sport >= :81");
	READ("sport gt :80", "sport >= :81");
	READ("sport >= 80", "sport >= :80");
	READ("sport ge :80", "sport >= :80");
	READ("sport geq :80", "sport >= :80");
	READ("sport = :1", "sport = :1");
	READ("sport = :65535", "sport = :65535");
	READ("sport = *", "src *");
	READ("sport = :*", "src *");
	READ("sport *", "src *");
}

static void services_go_by_name(void **state)
{
	READ("dport = :https", "dport = :443");
	READ("dport https", "dport = :443");
	READ("dport = :9pfs", "dport = :564");
	READ("dst 10.0.0.1:http", "dst 10.0.0.1 and dport = :80");
	READ("dst :http", "dport = :80");
}

static void addresses_are_those_of_ss(void **state)
{
	READ("dst 10.0.0.1", "dst 10.0.0.1");
	READ("dst = 10.0.0.1", "dst 10.0.0.1");
	READ("dst eq 10.0.0.1", "dst 10.0.0.1");
	READ("src 10.0.0.1:22", "src 10.0.0.1 and sport = :22");
	READ("src 10.0.0.1:*", "src 10.0.0.1");
	READ("src 10.0.0.1:", "src 10.0.0.1");
	READ("src :22", "sport = :22");
	READ("src *:22", "sport = :22");
	READ("src *", "src *");
	READ("src any", "src *");
	READ("dst default", "src *");
	READ("src *:*", "src *");
	READ("dst ::1", "dst ::1");
	READ("dst [::1]", "dst ::1");
	READ("dst [::1]:443", "dst ::1 and dport = :443");
	READ("dst 2001:db8::1", "dst 2001:db8::1");
	READ("dst inet:10.0.0.1:443", "dst 10.0.0.1 and dport = :443");
	READ("dst inet6:[::1]:443", "dst ::1 and dport = :443");
	READ("dst inet:*", "dst 0.0.0.0/0");
	READ("dst inet6:*", "dst ::/0");
	READ("dport inet::443", "dst 0.0.0.0/0 and dport = :443");
	READ("dport = inet6:443", "dst ::/0 and dport = :443");
	READ("dst != 10.0.0.1", "not dst 10.0.0.1");
	READ("dst ne 10.0.0.1:443", "not ( dst 10.0.0.1 and dport = :443 )");
}

static void prefixes_are_those_of_ss(void **state)
{
	READ("dst 10.0.0.0/8", "dst 10.0.0.0/8");
	READ("dst 10.1.2.3/8", "dst 10.0.0.0/8");
	READ("dst 10/8", "dst 10.0.0.0/8");
	READ("dst 193.233.7/24", "dst 193.233.7.0/24");
	READ("dst 10.0.0.0/8:443", "dst 10.0.0.0/8 and dport = :443");
	READ("dst 10.0.0.0/255.0.0.0", "dst 10.0.0.0/8");
	READ("dst 10.0.0.0/255.254.0.0", "dst 10.0.0.0/15");
	READ("dst 0.0.0.0/0", "dst 0.0.0.0/0");
	READ("dst 10.0.0.1/0.0.0.0", "dst 0.0.0.0/0");
	READ("dst 10.0.0.1/32", "dst 10.0.0.1");
	READ("dst ::/0", "dst ::/0");
	READ("dst 2001:db8::/32", "dst 2001:db8::/32");
	READ("dst 2001:db8::ffff/33", "dst 2001:db8::/33");
	READ("dst [2001:db8::/32]:443", "dst 2001:db8::/32 and dport = :443");
	READ("dst [2001:db8::]/32:443", "dst 2001:db8::/32 and dport = :443");
}

static void an_ipv4_mapped_address_is_an_ipv4_address(void **state)
{
	SAME("dst ::ffff:10.0.0.1", "dst 10.0.0.1");
	SAME("dst [::ffff:10.0.0.0/104]:80", "dst 10.0.0.0/8:80");
	SAME("dst ::ffff:0:0/96", "dst inet:*");
	DIFFERENT("dst ::/0", "dst 0.0.0.0/0");
}

static void states_are_those_of_ss(void **state)
{
	READ("state established", "state established");
	READ("state syn-sent", "state syn-sent");
	READ("state syn-recv", "state syn-recv");
	READ("state syn-rcv", "state syn-recv");
	READ("state fin-wait-1", "state fin-wait-1");
	READ("state fin-wait1", "state fin-wait-1");
	READ("state fin-wait-2", "state fin-wait-2");
	READ("state time-wait", "state time-wait");
	READ("state closed", "state closed");
	READ("state close", "state closed");
	READ("state unconnected", "state closed");
	READ("state close-wait", "state close-wait");
	READ("state last-ack", "state last-ack");
	READ("state listening", "state listening");
	READ("state listen", "state listening");
	READ("state closing", "state closing");
	READ("state all", "state all");
	READ("state connected", "state connected");
	READ("state synchronized", "state synchronized");
	READ("state bucket", "state bucket");
	READ("state big", "state big");
}

static void states_go_by_the_kernels_names_and_in_any_case_too(void **state)
{
	char text[40];

	for (unsigned int s = TS_ESTABLISHED; s <= TS_CLOSING; s++) {
		struct filter f;

		snprintf(text, sizeof(text), "state %s", tcp_state_name(s));
		f = parsed(text);
		assert_int_equal(f.node[0].states, 1u << s);
	}
	READ("state ESTAB", "state established");
	READ("state FIN-WAIT-1", "state fin-wait-1");
	READ("state Time_Wait", "state time-wait");
}

/* ss: states |= and states &= ~, the first exclude begins with all */
static void states_add_up_and_excludes_take_off(void **state)
{
	READ("state established state time-wait", "state established state time-wait");
	READ("state syn-recv state time-wait", "state bucket");
	READ("exclude established", "exclude established");
	READ("excl established", "exclude established");
	READ("exclude established exclude time-wait", "exclude established exclude time-wait");
	READ("state connected exclude established",
	     "( state connected ) and ( exclude established )");
	READ("exclude listening state listening",
	     "( exclude listening ) or ( state listening )");
	SAME("exclude time-wait", "not ( state time-wait )");
}

static void states_hold_for_all_that_follows(void **state)
{
	SAME("state established dport = :80", "( state established ) and dport = :80");
	SAME("state established dport = :80 or dport = :443",
	     "( state established ) and ( dport = :80 or dport = :443 )");
	SAME("state established and dport = :80", "state established dport = :80");
	SAME("state established ( dport = :80 )", "state established dport = :80");
	SAME("( state established dport = :80 ) or ( state time-wait dst 10/8 )",
	     "( ( state established ) and dport = :80 ) or ( ( state time-wait ) and dst 10/8 )");
	SAME("state fin-wait-1 dst 10.0.0.0/8 and dport = :443",
	     "( state fin-wait-1 ) and ( dst 10.0.0.0/8 and dport = :443 )");
}

/* or < and < not, as ss(8) says */
static void and_binds_tighter_than_or_and_not_tightest(void **state)
{
	SAME("sport 1 or sport 2 and sport 3", "sport 1 or ( sport 2 and sport 3 )");
	DIFFERENT("sport 1 or sport 2 and sport 3", "( sport 1 or sport 2 ) and sport 3");
	SAME("sport 1 and sport 2 or sport 3", "( sport 1 and sport 2 ) or sport 3");
	SAME("sport 1 or sport 2 sport 3", "sport 1 or ( sport 2 and sport 3 )");
	SAME("sport 1 sport 2 or sport 3 sport 4",
	     "( sport 1 and sport 2 ) or ( sport 3 and sport 4 )");
	SAME("not sport 1 and sport 2", "( not sport 1 ) and sport 2");
	SAME("not sport 1 sport 2", "( not sport 1 ) and sport 2");
	SAME("not sport 1 or sport 2", "( not sport 1 ) or sport 2");
	SAME("sport 1 and not sport 2 or sport 3", "( sport 1 and ( not sport 2 ) ) or sport 3");
	DIFFERENT("not sport 1 and sport 2", "not ( sport 1 and sport 2 )");
	READ("not not sport 1", "not not sport = :1");
}

static void operators_associate_to_the_left(void **state)
{
	SAME("sport 1 and sport 2 and sport 3", "( sport 1 and sport 2 ) and sport 3");
	SAME("sport 1 or sport 2 or sport 3", "( sport 1 or sport 2 ) or sport 3");
	DIFFERENT("sport 1 or sport 2 or sport 3", "sport 1 or ( sport 2 or sport 3 )");
}

static void operators_have_their_other_names(void **state)
{
	SAME("sport 1 & sport 2", "sport 1 and sport 2");
	SAME("sport 1 && sport 2", "sport 1 and sport 2");
	SAME("sport 1 sport 2", "sport 1 and sport 2");
	SAME("sport 1 | sport 2", "sport 1 or sport 2");
	SAME("sport 1 || sport 2", "sport 1 or sport 2");
	SAME("! sport 1", "not sport 1");
}

static void marks_need_no_blanks(void **state)
{
	SAME("(sport=:1||dport!=2)&&!src 10/8", "( sport = :1 or dport != 2 ) and not src 10/8");
	SAME("sport>=:1024", "sport >= 1024");
	SAME("((sport 1))", "sport 1");
}

static void what_is_read_back_is_the_same_filter(void **state)
{
	uint64_t seed = 7;

	for (int turn = 0; turn < 5000; turn++) {
		struct filter f = random_filter(&seed, false), g;
		char text[16384];

		strcpy(text, read_back(&f));
		g = parsed(text);
		if (!is_same_filter(&f, &g))
			fail_msg("\"%s\" is read as \"%s\"", text, read_back(&g));
	}
}

/* ---- what is not ---- */

#define BAD(text, what, word)							\
	do {									\
		static const char text_[] = text;				\
		struct filter f_;						\
		assert_int_equal(filter_parse(text_, service, &f_, &error), -EINVAL);	\
		assert_string_equal(filter_problem_text(error.problem),		\
				    filter_problem_text(FILTER_P_##what));	\
		assert_int_equal(error.problem, FILTER_P_##what);		\
		assert_true(error.at + error.len < sizeof(text_));		\
		assert_int_equal(error.len, strlen(word));			\
		assert_memory_equal(text_ + error.at, word, error.len);		\
	} while (0)

static void a_word_that_is_no_condition_is_named(void **state)
{
	BAD("bogus", CONDITION, "bogus");
	BAD("sport = :1 bogus", CONDITION, "bogus");
	BAD("sport = :1 and bogus = 2", CONDITION, "bogus");
	BAD("port 80", CONDITION, "port");
	BAD("host 10.0.0.1", CONDITION, "host");
	BAD("10.0.0.1", CONDITION, "10.0.0.1");
	BAD("SRC 10.0.0.1", CONDITION, "SRC");
	BAD("sport = :1 AND sport = :2", CONDITION, "AND");
	BAD("and sport = :1", CONDITION, "and");
	BAD("|| sport = :1", CONDITION, "||");
	BAD("= 5", CONDITION, "=");
	BAD("sport = :1 and or sport = :2", CONDITION, "or");
	BAD("sport = :1 = :2", CONDITION, "=");
	BAD("\\( sport = :1 )", CONDITION, "\\");
	BAD("( )", CONDITION, ")");
	BAD("( state established and )", CONDITION, ")");
	BAD("not )", CONDITION, ")");
}

static void an_end_that_comes_too_early_is_told(void **state)
{
	BAD("not", CONDITION, "");
	BAD("sport = :1 and", CONDITION, "");
	BAD("sport = :1 or", CONDITION, "");
	BAD("(", CONDITION, "");
	BAD("state", STATE_NAME, "");
	BAD("exclude", STATE_NAME, "");
	BAD("state established state", STATE_NAME, "");
	BAD("state established and", CONDITION, "");
	BAD("src", ADDRESS, "");
	BAD("src =", ADDRESS, "");
	BAD("dport", PORT, "");
	BAD("dport >=", PORT, "");
}

static void states_out_of_place_are_told(void **state)
{
	BAD("dport = :1 state established", STATE_LATE, "state");
	BAD("dport = :1 and exclude established", STATE_LATE, "exclude");
	BAD("not state established", STATE_LATE, "state");
	BAD("! exclude established", STATE_LATE, "exclude");
	BAD("state established and state time-wait", STATE_LATE, "state");
	BAD("state established or dport = :1", STATE_OR, "or");
	BAD("( state established || state time-wait )", STATE_OR, "||");
	BAD("state established and dport = :1 or dport = :2", STATE_OR, "or");
}

static void a_state_that_is_none_is_named(void **state)
{
	BAD("state bogus", STATE_NAME, "bogus");
	BAD("state est", STATE_NAME, "est");
	BAD("state fin-wait", STATE_NAME, "fin-wait");
	BAD("state fin-wait-3", STATE_NAME, "fin-wait-3");
	BAD("state established,time-wait", STATE_NAME, "established,time-wait");
	BAD("state established state bogus", STATE_NAME, "bogus");
	BAD("exclude bogus", STATE_NAME, "bogus");
	BAD("state ( established )", STATE_NAME, "(");
	BAD("state = established", STATE_NAME, "=");
	BAD("state 1", STATE_NAME, "1");
	BAD("state a-name-that-is-longer-than-any-state", STATE_NAME,
	    "a-name-that-is-longer-than-any-state");
}

static void an_address_that_is_none_is_named(void **state)
{
	BAD("dst 10.0.0", ADDRESS, "10.0.0");
	BAD("dst 10.0.0.0.0", ADDRESS, "10.0.0.0.0");
	BAD("dst 10.0.0.256", ADDRESS, "10.0.0.256");
	BAD("dst 010.0.0.1", ADDRESS, "010.0.0.1");
	BAD("dst 1.2.3.4.5/8", ADDRESS, "1.2.3.4.5/8");
	BAD("dst ./8", ADDRESS, "./8");
	BAD("dst /8", ADDRESS, "/8");
	BAD("dst localhost", ADDRESS, "localhost");
	BAD("dst example.org:443", ADDRESS, "example.org:443");
	BAD("dst :::", ADDRESS, ":::");
	BAD("dst 1:2", ADDRESS_PORT, "1:2");
	BAD("dst fe80::1%eth0", ADDRESS, "fe80::1%eth0");
	BAD("dst and", ADDRESS, "and");
	BAD("dst ( 10.0.0.1 )", ADDRESS, "(");
	BAD("dst 443", ADDRESS_PORT, "443");
	BAD("dst inet:[::1]", ADDRESS, "inet:[::1]");
	BAD("dst inet6:10.0.0.1", ADDRESS, "inet6:10.0.0.1");
	BAD("dst != *", ADDRESS_ANY, "*");
	BAD("dst > 10.0.0.1", HOST_OPERATOR, ">");
	BAD("dst <= 10.0.0.1", HOST_OPERATOR, "<=");
	BAD("dst 10.0.0.1 10.0.0.2", CONDITION, "10.0.0.2");
	BAD("dst [::1", BRACKET, "[::1");
	BAD("dst ::1]", BRACKET, "::1]");
	BAD("dst []", ADDRESS, "[]");
	BAD("dst [::1]x", ADDRESS, "[::1]x");
	BAD("dst [::1]x:443", ADDRESS, "[::1]x:443");
	BAD("dst unix:/tmp/socket", FAMILY, "unix:/tmp/socket");
	BAD("dst vsock:1", FAMILY, "vsock:1");
}

static void a_prefix_that_is_none_is_named(void **state)
{
	BAD("dst 10.0.0.0/33", PREFIX, "10.0.0.0/33");
	BAD("dst 10.0.0.0/", PREFIX, "10.0.0.0/");
	BAD("dst 10.0.0.0/x", PREFIX, "10.0.0.0/x");
	BAD("dst 10.0.0.0/-1", PREFIX, "10.0.0.0/-1");
	BAD("dst 10.0.0.0/8/8", PREFIX, "10.0.0.0/8/8");
	BAD("dst 10.0.0.0/99999999999999999999", PREFIX, "10.0.0.0/99999999999999999999");
	BAD("dst 10.0.0.0/255.0.255.0", PREFIX, "10.0.0.0/255.0.255.0");
	BAD("dst ::/129", PREFIX, "::/129");
	BAD("dst ::/255.0.0.0", PREFIX, "::/255.0.0.0");
	BAD("dst [::1/64]/64", PREFIX, "[::1/64]/64");
}

static void a_port_that_is_none_is_named(void **state)
{
	BAD("dport = :0", PORT, ":0");
	BAD("dport = 0", PORT, "0");
	BAD("dport = :65536", PORT, ":65536");
	BAD("dport = :99999999999999999999", PORT, ":99999999999999999999");
	BAD("dport = :-1", PORT, ":-1");
	BAD("dport = :80-90", PORT, ":80-90");
	BAD("dport = :80,443", PORT, ":80,443");
	BAD("dport = :0x50", PORT, ":0x50");
	BAD("dport = :gopher2000", PORT, ":gopher2000");
	BAD("dport = ::80", PORT, "::80");
	BAD("dport = 10.0.0.1:80", PORT, "10.0.0.1:80");
	BAD("dport = [::1]:80", PORT, "[::1]:80");
	BAD("dport = = 80", PORT, "=");
	BAD("dport and", PORT, "and");
	BAD("dport = unix:80", FAMILY, "unix:80");
	BAD("dst 10.0.0.1:0", PORT, "10.0.0.1:0");
	BAD("dst 10.0.0.1:nosuch", PORT, "10.0.0.1:nosuch");
	BAD("dst [::1]:nosuch", PORT, "[::1]:nosuch");
	BAD("dport != *", PORT_ANY, "*");
	BAD("dport > :*", PORT_ANY, ":*");
	BAD("dport > 65535", PORT_NONE, "65535");
	BAD("dport < 1", PORT_NONE, "1");
}

static void what_synfin_cannot_decide_is_named(void **state)
{
	BAD("dev eth0", DEV, "dev");
	BAD("dport = :80 and dev = eth0", DEV, "dev");
	BAD("not dev != 2", DEV, "dev");
	BAD("fwmark = 0x01/0x03", FWMARK, "fwmark");
	BAD("cgroup = /sys/fs/cgroup/x", CGROUP, "cgroup");
	BAD("autobound", AUTOBOUND, "autobound");
}

static void parentheses_that_do_not_match_are_told(void **state)
{
	BAD("( sport = :1", OPEN, "(");
	BAD("sport = :1 and ( ( sport = :2 )", OPEN, "(");
	BAD("sport = :1 )", CLOSE, ")");
	BAD(")", CLOSE, ")");
	BAD("( sport = :1 ) ) and sport = :2", CLOSE, ")");
}

static void too_much_is_too_much(void **state)
{
	char text[16384] = "";
	struct filter f;

	for (int i = 0; i < 200; i++)
		strcat(text, "( ");
	assert_int_equal(filter_parse(text, service, &f, &error), -EINVAL);
	assert_int_equal(error.problem, FILTER_P_DEEP);
	text[0] = 0;
	for (int i = 0; i < 200; i++)
		strcat(text, "not ");
	assert_int_equal(filter_parse(text, service, &f, &error), -EINVAL);
	assert_int_equal(error.problem, FILTER_P_DEEP);
	text[0] = 0;
	for (int i = 0; i < FILTER_NODES / 2; i++)	/* n tests take n - 1 operators */
		strcat(text, "sport 1 ");
	assert_int_equal(filter_parse(text, service, &f, &error), 0);
	strcat(text, "sport 2");
	assert_int_equal(filter_parse(text, service, &f, &error), -EINVAL);
	assert_int_equal(error.problem, FILTER_P_MANY);
}

/* ---- any words at all ---- */

static const char *const good[] = {
	"sport = :80", "dport >= 1024 and dport != :http", "not ( src 10/8 or dst [::1]:443 )",
	"state established state time-wait exclude closing dst 10.0.0.1:22",
	"( state connected sport 1 ) or ( exclude listening ! dport < :5 )",
	"src inet:* && dst ::/0 || sport eq 22 dport gt 5", "state all and ( ( sport 80 ) )",
	"src * dst != 192.168.0.0/16 and not not sport le 1023",
};

#define GOOD	(sizeof(good) / sizeof(*good))

/* At the blanks of a good expression, in front of it and behind it. */
static void a_foreign_word_is_found_wherever_it_stands(void **state)
{
	static const char *const foreign[] = {
		"bogus", "10.0.0.999", "dport:", "99999", "{", "state:established", "-4",
		"\xff\xfe",
	};
	unsigned int bad = 0;
	char text[256];
	struct filter f;

	for (size_t g = 0; g < GOOD; g++) {
		for (size_t at = 0; at <= strlen(good[g]); at++) {
			if (at && good[g][at] != ' ' && good[g][at])
				continue;
			for (size_t w = 0; w < sizeof(foreign) / sizeof(*foreign); w++) {
				snprintf(text, sizeof(text), "%.*s %s %s", (int)at, good[g],
					 foreign[w], good[g] + at);
				assert_int_equal(filter_parse(text, service, &f, &error),
						 -EINVAL);
				assert_int_equal(error.at, at + 1);
				assert_int_equal(error.len, strlen(foreign[w]));
				bad++;
			}
		}
	}
	assert_true(bad > 500);
}

static void assert_total(const char *text)
{
	struct filter f;

	if (!filter_parse(text, service, &f, &error)) {
		assert_true(f.len <= FILTER_NODES);
		return;
	}
	assert_true(error.problem);
	assert_non_null(filter_problem_text(error.problem));
	assert_non_null(filter_problem_cure(error.problem));
	assert_true(error.at + error.len <= strlen(text));
}

static void words_in_any_order_are_a_filter_or_an_error(void **state)
{
	static const char *const words[] = {
		"(", ")", "not", "!", "and", "or", "&", "||", "=", "!=", "<", ">=", "state",
		"exclude", "src", "dst", "sport", "dport", "dev", "10/8", "[::1]:80", ":80", "80",
		"*", "all",
		"established", "x", "10.0.0.1", "[", "]", "/", ":", "inet:", "(sport", "1)",
	};
	uint64_t seed = 3;
	unsigned int fine = 0;
	char text[512];
	struct filter f;

	for (int turn = 0; turn < 50000; turn++) {
		unsigned int n = 1 + random_below(&seed, 12);

		text[0] = 0;
		while (n--) {
			strcat(text, words[random_below(&seed, sizeof(words) / sizeof(*words))]);
			if (random_below(&seed, 8))
				strcat(text, " ");
		}
		assert_total(text);
		fine += !filter_parse(text, service, &f, &error);
	}
	assert_true(fine > 100);
}

static void any_bytes_are_a_filter_or_an_error(void **state)
{
	uint64_t seed = 5;
	char text[300];

	for (int turn = 0; turn < 20000; turn++) {
		size_t len = random_below(&seed, sizeof(text));

		for (size_t i = 0; i < len; i++)
			text[i] = 1 + random_below(&seed, 255);
		text[len] = 0;
		assert_total(text);
		for (size_t i = 0; i < len; i++)
			text[i] = "()!=<>&|:/.[]* stadr10e"[random_below(&seed, 23)];
		assert_total(text);
	}
}

static void a_filter_begins_with_a_word_of_the_grammar(void **state)
{
	assert_true(filter_begins("state"));
	assert_true(filter_begins("("));
	assert_true(filter_begins("!"));
	assert_true(filter_begins("dport = :443"));
	assert_true(filter_begins("dev"));
	assert_false(filter_begins("trace"));
	assert_false(filter_begins("sports"));
	assert_false(filter_begins(""));
	assert_false(filter_begins("  "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_word_is_no_filter),
		cmocka_unit_test(ports_are_compared),
		cmocka_unit_test(services_go_by_name),
		cmocka_unit_test(addresses_are_those_of_ss),
		cmocka_unit_test(prefixes_are_those_of_ss),
		cmocka_unit_test(an_ipv4_mapped_address_is_an_ipv4_address),
		cmocka_unit_test(states_are_those_of_ss),
		cmocka_unit_test(states_go_by_the_kernels_names_and_in_any_case_too),
		cmocka_unit_test(states_add_up_and_excludes_take_off),
		cmocka_unit_test(states_hold_for_all_that_follows),
		cmocka_unit_test(and_binds_tighter_than_or_and_not_tightest),
		cmocka_unit_test(operators_associate_to_the_left),
		cmocka_unit_test(operators_have_their_other_names),
		cmocka_unit_test(marks_need_no_blanks),
		cmocka_unit_test(what_is_read_back_is_the_same_filter),
		cmocka_unit_test(a_word_that_is_no_condition_is_named),
		cmocka_unit_test(an_end_that_comes_too_early_is_told),
		cmocka_unit_test(states_out_of_place_are_told),
		cmocka_unit_test(a_state_that_is_none_is_named),
		cmocka_unit_test(an_address_that_is_none_is_named),
		cmocka_unit_test(a_prefix_that_is_none_is_named),
		cmocka_unit_test(a_port_that_is_none_is_named),
		cmocka_unit_test(what_synfin_cannot_decide_is_named),
		cmocka_unit_test(parentheses_that_do_not_match_are_told),
		cmocka_unit_test(too_much_is_too_much),
		cmocka_unit_test(a_foreign_word_is_found_wherever_it_stands),
		cmocka_unit_test(words_in_any_order_are_a_filter_or_an_error),
		cmocka_unit_test(any_bytes_are_a_filter_or_an_error),
		cmocka_unit_test(a_filter_begins_with_a_word_of_the_grammar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
