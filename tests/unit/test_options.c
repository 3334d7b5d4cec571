// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "filter_args.h"
#include "filter_text.h"
#include "options.h"
#include "portset.h"
#include "process_lookup.h"

#define WORDS_MAX 12

/* All that there are. */
#define COMMAND_LIST "trace, conns, explain, top, timewait, listen, doctor, audit or export"

/* What the last run() left: its result and what it printed. */
static struct options opt;
static int status;
static char out[16384], err[16384];

/* Sends fd to target; returns the descriptor that brings it back. */
static int redirect(int fd, int target)
{
	int saved = dup(fd);

	assert_true(saved >= 0);
	assert_int_equal(dup2(target, fd), fd);
	return saved;
}

static void restore(int fd, int saved)
{
	dup2(saved, fd);
	close(saved);
}

static void read_back(int fd, char *buf, size_t size)
{
	ssize_t len = pread(fd, buf, size - 1, 0);

	assert_true(len >= 0);
	buf[len] = 0;
	close(fd);
}

/* argv ends with NULL. */
static void run(char **argv)
{
	int argc = 0, out_fd = memfd_create("out", 0), err_fd = memfd_create("err", 0);
	int saved_out, saved_err;

	while (argv[argc])
		argc++;
	memset(&opt, 0xaa, sizeof(opt));
	fflush(stdout);
	saved_out = redirect(STDOUT_FILENO, out_fd);
	saved_err = redirect(STDERR_FILENO, err_fd);
	status = options_parse(argc, argv, &opt);
	fflush(stdout);
	restore(STDOUT_FILENO, saved_out);
	restore(STDERR_FILENO, saved_err);
	read_back(out_fd, out, sizeof(out));
	read_back(err_fd, err, sizeof(err));
}

#define RUN(...) run((char *[]){ "synfin", ##__VA_ARGS__, NULL })

static bool is_untouched(void)
{
	const unsigned char *byte = (const unsigned char *)&opt;

	for (size_t i = 0; i < sizeof(opt); i++) {
		if (byte[i] != 0xaa)
			return false;
	}
	return true;
}

/* One line of visible ASCII, "synfin: what: why; cure". */
static bool is_diagnostic(const char *text)
{
	const char *end = strchr(text, '\n'), *colon;

	if (strncmp(text, "synfin: ", 8) || !end || end[1])
		return false;
	for (const char *s = text; s < end; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	colon = strstr(text + 8, ": ");
	return colon && strstr(colon, "; ");
}

static void assert_accepted(void)
{
	assert_string_equal(err, "");
	assert_string_equal(out, "");
	assert_int_equal(status, 0);
}

static void assert_refused(void)
{
	assert_int_equal(status, STATUS_USAGE);
	assert_string_equal(out, "");
	assert_true(is_diagnostic(err));
	assert_true(is_untouched());
}

#define ACCEPT(...) do { RUN(__VA_ARGS__); assert_accepted(); } while (0)
#define REFUSE(message, ...)					\
	do {							\
		RUN(__VA_ARGS__);				\
		assert_string_equal(err, message "\n");		\
		assert_refused();				\
	} while (0)

/* The words of line, after "synfin", as run() wants them. */
static void run_line(const char *line)
{
	static char copy[256];
	char *argv[WORDS_MAX + 1] = {}, *word, *rest = copy;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")) && argc < WORDS_MAX)
		argv[argc++] = word;
	run(argv);
}

/* Commands and values */

static void without_words_it_is_trace_with_the_defaults(void **state)
{
	ACCEPT();
	assert_int_equal(opt.command, CMD_TRACE);
	assert_int_equal(opt.format, FORMAT_TABLE);
	assert_int_equal(opt.color, COLOR_AUTO);
	assert_int_equal(opt.family, 0);
	assert_int_equal(opt.lports.len, 0);
	assert_int_equal(opt.rports.len, 0);
	assert_string_equal(opt.netns, "all");
	assert_int_equal(opt.duration_ns, 0);
	assert_int_equal(opt.count, 0);
	assert_int_equal(opt.ring_size, 16 << 20);
	assert_null(opt.write_path);
	assert_null(opt.read_path);
	assert_false(opt.quiet || opt.verbose || opt.strict);
}

static void even_without_a_name_of_its_own_it_is_trace(void **state)
{
	run((char *[]){ NULL });
	assert_accepted();
	assert_int_equal(opt.command, CMD_TRACE);
}

static void the_first_word_names_the_command(void **state)
{
	ACCEPT("trace");
	assert_int_equal(opt.command, CMD_TRACE);
	ACCEPT("conns");
	assert_int_equal(opt.command, CMD_CONNS);
	ACCEPT("conns", "-q");
	assert_int_equal(opt.command, CMD_CONNS);
	assert_true(opt.quiet);
}

static void an_option_first_means_trace(void **state)
{
	ACCEPT("-q");
	assert_int_equal(opt.command, CMD_TRACE);
	ACCEPT("--");
	assert_int_equal(opt.command, CMD_TRACE);
}

static void every_flag_arrives(void **state)
{
	ACCEPT("conns", "-6", "-L", "80,8000-8099", "-D", "443", "-N", "pid:1", "-d", "1.5s",
	       "-c", "7", "-o", "json", "--ring-size", "64K", "-q", "-v", "--color", "never",
	       "--write", "a.rec", "--strict");
	assert_int_equal(opt.family, 6);
	assert_int_equal(opt.lports.len, 2);
	assert_true(portset_contains(&opt.lports, 8050));
	assert_int_equal(opt.rports.len, 1);
	assert_true(portset_contains(&opt.rports, 443));
	assert_string_equal(opt.netns, "pid:1");
	assert_int_equal(opt.duration_ns, 1500000000);
	assert_int_equal(opt.count, 7);
	assert_int_equal(opt.format, FORMAT_JSON);
	assert_int_equal(opt.ring_size, 64 << 10);
	assert_true(opt.quiet);
	assert_true(opt.verbose);
	assert_int_equal(opt.color, COLOR_NEVER);
	assert_string_equal(opt.write_path, "a.rec");
	assert_true(opt.strict);
}

static void letters_and_values_may_be_written_together(void **state)
{
	ACCEPT("-qvd5", "-ojson", "-L80", "--ring-size=1M", "--color=always");
	assert_true(opt.quiet && opt.verbose);
	assert_int_equal(opt.duration_ns, 5000000000);
	assert_int_equal(opt.format, FORMAT_JSON);
	assert_int_equal(opt.lports.len, 1);
	assert_int_equal(opt.ring_size, 1 << 20);
	assert_int_equal(opt.color, COLOR_ALWAYS);
}

static void a_long_name_may_be_cut_while_it_is_clear(void **state)
{
	ACCEPT("--ring", "1M", "--stri");
	assert_int_equal(opt.ring_size, 1 << 20);
	assert_true(opt.strict);
}

static void of_a_repeated_flag_the_last_counts(void **state)
{
	ACCEPT("-L", "80", "-L", "443", "-c1", "-c2", "-ojson", "-otable");
	assert_false(portset_contains(&opt.lports, 80));
	assert_true(portset_contains(&opt.lports, 443));
	assert_int_equal(opt.count, 2);
	assert_int_equal(opt.format, FORMAT_TABLE);
}

static void both_families_are_as_none(void **state)
{
	ACCEPT("-4");
	assert_int_equal(opt.family, 4);
	ACCEPT("-6");
	assert_int_equal(opt.family, 6);
	ACCEPT("-46");
	assert_int_equal(opt.family, 0);
	ACCEPT("-6", "-4", "-6");
	assert_int_equal(opt.family, 0);
}

static void a_recording_is_filtered_like_the_kernel(void **state)
{
	ACCEPT("conns", "--read", "a.rec", "-4", "-L", "80", "-D", "443", "-N", "self", "-d", "1",
	       "-c", "1", "--strict");
	assert_string_equal(opt.read_path, "a.rec");
	assert_int_equal(opt.family, 4);
	assert_string_equal(opt.netns, "self");
}

static void the_texts_point_into_argv(void **state)
{
	char netns[] = "blue", path[] = "x.rec";

	RUN("-N", netns, "--write", path);
	assert_accepted();
	assert_ptr_equal(opt.netns, netns);
	assert_ptr_equal(opt.write_path, path);
}

static void argv_stays_in_its_order(void **state)
{
	char *argv[] = { "synfin", "conns", "word", "-q", NULL }, *before[5];

	memcpy(before, argv, sizeof(argv));
	run(argv);
	assert_memory_equal(argv, before, sizeof(argv));
}

static void a_ring_is_a_power_of_two_of_at_least_a_page(void **state)
{
	char page[24];

	snprintf(page, sizeof(page), "%ld", sysconf(_SC_PAGESIZE));
	ACCEPT("--ring-size", page);
	assert_int_equal(opt.ring_size, sysconf(_SC_PAGESIZE));
	ACCEPT("--ring-size", "1G");
	assert_int_equal(opt.ring_size, 1 << 30);
	ACCEPT("--ring-size", "1048576");
	assert_int_equal(opt.ring_size, 1 << 20);
}

static void the_largest_count_is_taken(void **state)
{
	ACCEPT("-c", "18446744073709551615");
	assert_true(opt.count == UINT64_MAX);
}

/* Mistakes */

static void an_unknown_first_word_is_told_the_commands(void **state)
{
	REFUSE("synfin: foo: no such command; write " COMMAND_LIST, "foo");
	REFUSE("synfin: Trace: no such command; write " COMMAND_LIST, "Trace");
	REFUSE("synfin: trac: no such command; write " COMMAND_LIST,
	       "trac", "-q");
	REFUSE("synfin: \"\": no such command; write " COMMAND_LIST, "");
	REFUSE("synfin: -: no such command; write " COMMAND_LIST, "-");
	REFUSE("synfin: \"trace -q\": no such command; write " COMMAND_LIST,
	       "trace -q");
}

#define NO_CONDITION "is no condition; write src, dst, sport, dport, not or a parenthesis, " \
		     "and state only in front"

static const char *filter_read(void)
{
	static char buf[8192];
	struct text t = text_into(buf, sizeof(buf) - 1);

	if (opt.filter.len)
		filter_text(&opt.filter, opt.filter.len - 1, &t);
	*t.p = 0;
	return buf;
}

static void what_follows_is_a_filter_in_one_word_or_many(void **state)
{
	ACCEPT("trace", "dport", "=", ":443", "or", "dport", "=", ":80");
	assert_string_equal(filter_read(), "dport = :443 or dport = :80");
	assert_int_equal(opt.bound.rports.len, 2);
	ACCEPT("conns", "( dport = :443", "or", "dport = :80 )");
	assert_string_equal(filter_read(), "dport = :443 or dport = :80");
	ACCEPT("conns", "");
	assert_string_equal(filter_read(), "");
	ACCEPT();
	assert_string_equal(filter_read(), "");
	assert_int_equal(opt.bound.rports.len, 1);	/* every port */
}

static void options_may_stand_before_a_filter_within_it_and_behind(void **state)
{
	ACCEPT("-q", "dst", "-4", "10/8", "-v");
	assert_string_equal(filter_read(), "dst 10.0.0.0/8");
	assert_true(opt.quiet && opt.verbose);
	assert_int_equal(opt.family, 4);
}

static void a_filter_alone_is_traces(void **state)
{
	ACCEPT("state", "established");
	assert_int_equal(opt.command, CMD_TRACE);
	assert_string_equal(filter_read(), "state established");
	ACCEPT("dport = :443");
	assert_int_equal(opt.command, CMD_TRACE);
	ACCEPT("!", "dport", "443");
	assert_string_equal(filter_read(), "not dport = :443");
}

static void the_flags_of_a_filters_kind_narrow_it(void **state)
{
	ACCEPT("-p", "812", "-u", "33", "--comm", "nginx", "dport", "1", "or", "dport", "2");
	assert_string_equal(filter_read(), "( dport = :1 or dport = :2 ) and -p 812 and -u 33 and "
					   "--comm nginx");
	ACCEPT("--pid", "1");
	assert_string_equal(filter_read(), "-p 1");
	ACCEPT("-u", "root");
	assert_string_equal(filter_read(), "-u 0");
	ACCEPT("--comm", "a-name-that-no-kernel-keeps");
	assert_string_equal(filter_read(), "--comm a-name-that-no-");
	ACCEPT("--comm", "a-name-that-no-kernel-keeps", "--comm", "cat");
	assert_string_equal(filter_read(), "--comm cat");
	ACCEPT("-u", "0", "-p", "2147483647");
	assert_string_equal(filter_read(), "-p 2147483647 and -u 0");
}

static void failed_and_slow_ask_for_either(void **state)
{
	ACCEPT("conns", "--failed");
	assert_string_equal(filter_read(), "--failed");
	ACCEPT("conns", "--slow", "200ms");
	assert_string_equal(filter_read(), "--slow 200ms");
	ACCEPT("conns", "--slow", "2", "--failed", "dst", "10/8");
	assert_string_equal(filter_read(), "dst 10.0.0.0/8 and ( --failed or --slow 2s )");
}

static void a_bad_owner_is_refused(void **state)
{
	static char *const pids[] = { "0", "-1", "x", "1x", "1.0", " 1", "2147483648",
				      "99999999999999999999" };
	static char *const uids[] = { "-1", "4294967295", "1x", "no such user",
				      "99999999999999999999" };

	for (size_t i = 0; i < sizeof(pids) / sizeof(*pids); i++) {
		RUN("-p", pids[i]);
		assert_refused();
		assert_non_null(strstr(err, "synfin: -p "));
	}
	for (size_t i = 0; i < sizeof(uids) / sizeof(*uids); i++) {
		RUN("-u", uids[i]);
		assert_refused();
		assert_non_null(strstr(err, "synfin: -u "));
	}
	REFUSE("synfin: -p 0: not a process number; write it like 812; ps shows them", "-p", "0");
	REFUSE("synfin: --comm \"\": NAME is empty; give one, or leave it out", "--comm", "");
	REFUSE("synfin: --slow 0: no time at all; give more, or leave it out",
	       "conns", "--slow", "0");
}

static void a_bad_filter_is_told_its_word_and_where_it_is(void **state)
{
	REFUSE("synfin: dprot (filter, character 1): " NO_CONDITION, "-q", "dprot", "=", ":443");
	REFUSE("synfin: ip (filter, character 19): " NO_CONDITION,
	       "state", "established", "ip", "10.0.0.1");
	REFUSE("synfin: ip (filter, character 19): " NO_CONDITION, "state established ip 10.0.0.1");
	REFUSE("synfin: -q (filter, character 1): " NO_CONDITION, "conns", "--", "-q");
	REFUSE("synfin: - (filter, character 1): " NO_CONDITION, "conns", "-");
	REFUSE("synfin: dev (filter, character 1): is not known of a TCP event; leave it out; -N "
	       "takes a network namespace", "dev", "eth0");
	REFUSE("synfin: the filter's end (character 8): comes too early; write 1 to 65535, or a "
	       "service of /etc/services, like :443 or :https", "dport =");
}

static void a_filter_is_only_so_long(void **state)
{
	static char big[2 * FILTER_TEXT_SIZE];

	memset(big, ' ', FILTER_TEXT_SIZE - 2);
	ACCEPT("conns", big);
	memset(big, ' ', FILTER_TEXT_SIZE - 1);
	REFUSE("synfin: the filter: longer than 4095 bytes; write fewer conditions", "conns", big);
	REFUSE("synfin: the filter: longer than 4095 bytes; write fewer conditions",
	       "conns", "src", big);
}

/* As many conditions as there is room for, and then the flags. */
static void a_filter_that_leaves_no_room_for_flags_is_refused(void **state)
{
	static char many[FILTER_TEXT_SIZE];

	for (int i = 0; i < FILTER_NODES / 2; i++)
		strcat(many, "src * ");
	ACCEPT("conns", many);
	REFUSE("synfin: the filter: has no room for the flags beside it; write fewer conditions",
	       "conns", "-p", "1", many);
}

static void a_command_that_takes_no_filter_says_so(void **state)
{
	REFUSE("synfin: state: \"doctor\" takes no filter; leave it out",
	       "doctor", "state", "all");
	REFUSE("synfin: dst: \"audit\" takes no filter; leave it out",
	       "audit", "-q", "dst", "10/8");
	REFUSE("synfin: conns: a command is only known as the first word; write synfin conns "
	       "[OPTIONS]", "audit", "conns");
}

static void assert_explained(const char *expected)
{
	assert_int_equal(status, OPTIONS_DONE);
	assert_string_equal(err, "");
	assert_string_equal(out, expected);
}

static void a_filter_is_explained(void **state)
{
	RUN("--explain-filter");
	assert_explained("There is nothing to decide: all is wanted.\n");
	RUN("conns", "-N", "self", "-4", "-L", "80,443", "-D", "1-1023", "-p", "7",
	    "--explain-filter", "state time-wait dst 10/8 and dport != :22");
	assert_explained("The kernel decides:\n  -N self\n  -4\n  -L 80,443\n  -D 1-1023\n"
			 "  dst 10.0.0.0/8\n  not dport = :22\n"
			 "User space decides:\n  state time-wait\n  -p 7\n");
	RUN("conns", "-N", "self", "--unit", "nginx", "--cgroup", "/a", "--explain-filter",
	    "dport = :80");
	if (process_lookup_has_cgroups())
		assert_explained("The kernel decides:\n  -N self\n  dport = :80\n"
				 "User space decides, since this host has cgroups of version 1:\n"
				 "  --cgroup /a\n  --unit nginx\n");
	else
		assert_explained("The kernel decides:\n  -N self\n  dport = :80\n"
				 "User space decides once for each cgroup, and from then on the "
				 "kernel:\n  --cgroup /a\n  --unit nginx\n");
	RUN("explain", "--unit", "nginx", "--explain-filter");
	assert_explained("User space decides:\n  --unit nginx\n");
	RUN("--explain-filter", "dst 10/8:80 or dst 11/8:443");
	assert_explained("User space decides:\n"
			 "  dst 10.0.0.0/8 and dport = :80 or dst 11.0.0.0/8 and dport = :443\n"
			 "The kernel decides of that:\n  IPv4\n  dport 80,443\n"
			 "  dst 10.0.0.0/8, 11.0.0.0/8\n");
	RUN("--explain-filter", "dport = :1 and dport = :2");
	assert_explained("The kernel decides:\n  dport = :1\n  dport = :2\n"
			 "Nothing can be all of that.\n");
	RUN("--explain-filter", "dport = :1", "and");
	assert_refused();
}

static void a_command_after_the_first_word_is_told_its_place(void **state)
{
	REFUSE("synfin: conns: a command is only known as the first word; "
	       "write synfin conns [OPTIONS]", "-q", "conns");
}

static void an_unknown_option_is_told_the_help_of_its_command(void **state)
{
	REFUSE("synfin: --bogus: no such option of \"trace\"; see synfin trace --help", "--bogus");
	REFUSE("synfin: --bogus: no such option of \"conns\"; see synfin conns --help",
	       "conns", "--bogus");
	REFUSE("synfin: --bogus: no such option of \"conns\"; see synfin conns --help",
	       "conns", "--bogus=3");
	REFUSE("synfin: --quietly: no such option of \"trace\"; see synfin trace --help",
	       "--quietly");
	REFUSE("synfin: --: no such option of \"trace\"; see synfin trace --help", "--=3");
	REFUSE("synfin: ---q: no such option of \"trace\"; see synfin trace --help", "---q");
}

static void an_unknown_letter_is_found_in_its_cluster(void **state)
{
	REFUSE("synfin: -Z: no such option of \"trace\"; see synfin trace --help", "-Z");
	REFUSE("synfin: -Z: no such option of \"trace\"; see synfin trace --help", "-Zq");
	REFUSE("synfin: -Z: no such option of \"trace\"; see synfin trace --help", "-qZ");
	REFUSE("synfin: -Z: no such option of \"trace\"; see synfin trace --help", "-qZv");
	REFUSE("synfin: -Z: no such option of \"conns\"; see synfin conns --help",
	       "conns", "-q", "-c", "3", "-vZ", "-4");
	REFUSE("synfin: -Z: no such option of \"conns\"; see synfin conns --help",
	       "conns", "-qv", "-Zv", "-4");
	REFUSE("synfin: -?: no such option of \"trace\"; see synfin trace --help", "-?");
	REFUSE("synfin: -:: no such option of \"trace\"; see synfin trace --help", "-q:");
	REFUSE("synfin: --: no such option of \"trace\"; see synfin trace --help", "-q-");
}

static void a_missing_value_is_told_as_such(void **state)
{
	REFUSE("synfin: -L: its PORTS is missing; see synfin trace --help", "-L");
	REFUSE("synfin: -L: its PORTS is missing; see synfin trace --help", "-q", "-vL");
	REFUSE("synfin: --ring-size: its SIZE is missing; see synfin conns --help",
	       "conns", "--ring-size");
	REFUSE("synfin: --ring: its SIZE is missing; see synfin conns --help", "conns", "--ring");
}

static void a_value_too_many_is_told_as_such(void **state)
{
	REFUSE("synfin: --quiet: takes no value; leave out =3", "--quiet=3");
	REFUSE("synfin: --strict: takes no value; leave out =", "conns", "--strict=");
}

static void an_ambiguous_name_is_told_what_it_could_be(void **state)
{
	REFUSE("synfin: --re: could be --remoteport or --read; write it in full", "--re", "x");
	REFUSE("synfin: --ver: could be --verbose or --version; write it in full", "--ver");
	REFUSE("synfin: --r: could be --remoteport, --read or --ring-size; write it in full",
	       "conns", "--r=x");
}

static void a_bad_port_is_quoted(void **state)
{
	REFUSE("synfin: -L 80,99999: \"99999\" is not a port from 1 to 65535; "
	       "write PORTS like 80,443,8000-8099", "-L", "80,99999");
	REFUSE("synfin: -L 0: \"0\" is not a port from 1 to 65535; "
	       "write PORTS like 80,443,8000-8099", "-L", "0");
	REFUSE("synfin: -D 80,http,443: \"http\" is not a port or a range of ports; "
	       "write PORTS like 80,443,8000-8099", "-D", "80,http,443");
	REFUSE("synfin: -D 9-5,7: \"9-5\" is not a range within 1-65535, low to high; "
	       "write PORTS like 80,443,8000-8099", "-D", "9-5,7");
	REFUSE("synfin: -L \"\": \"\" is not a port or a range of ports; "
	       "write PORTS like 80,443,8000-8099", "--localport", "");
	REFUSE("synfin: -L \"80, 90\": \" 90\" is not a port or a range of ports; "
	       "write PORTS like 80,443,8000-8099", "-L", "80, 90");
}

static void too_many_ranges_are_told_the_limit(void **state)
{
	char list[WIRE_RANGES * 8] = "";

	for (int i = 0; i <= WIRE_RANGES; i++)
		sprintf(list + strlen(list), "%s%d", i ? "," : "", 1000 + 2 * i);
	RUN("-L", list);
	assert_refused();
	assert_non_null(strstr(err, ": more than 64 separate ranges; give fewer and wider ones\n"));
}

static void a_bad_duration_is_refused(void **state)
{
	REFUSE("synfin: -d 5x: not a duration; write it like 10, 10s, 500ms, 2m or 1h",
	       "-d", "5x");
	REFUSE("synfin: -d -5: not a duration; write it like 10, 10s, 500ms, 2m or 1h",
	       "-d", "-5");
	REFUSE("synfin: -d \"\": not a duration; write it like 10, 10s, 500ms, 2m or 1h",
	       "-d", "");
	REFUSE("synfin: -d 9999999h: longer than 292 years; leave it out", "-d", "9999999h");
	REFUSE("synfin: -d 0: no time at all; give more, or leave it out", "-d", "0");
	REFUSE("synfin: -d 0.0ms: no time at all; give more, or leave it out", "-d", "0.0ms");
}

static void a_bad_count_is_refused(void **state)
{
	REFUSE("synfin: -c 0: no record at all; give more, or leave it out", "-c", "0");
	REFUSE("synfin: -c -1: not a number of records; write digits only", "-c", "-1");
	REFUSE("synfin: -c 1k: not a number of records; write digits only", "-c", "1k");
	REFUSE("synfin: -c \" 1\": not a number of records; write digits only", "-c", " 1");
	REFUSE("synfin: -c \"\": not a number of records; write digits only", "-c", "");
	REFUSE("synfin: -c 18446744073709551616: more than can be counted; leave it out",
	       "-c", "18446744073709551616");
}

static void a_bad_ring_size_is_refused(void **state)
{
	char *misfits[] = { "half a page", "0", "1", "3M", "65537", "2G", "16777216M",
			    "17179869185G", "18446744073709551616", "99999999999999999999K" };
	static char *const nonsense[] = { "", "x", "-64K", "K", "64KB", "64k", "64 K", "0x10000",
					  "1.5M", "+64K", "99999999999999999999x" };

	char half_a_page[24];

	snprintf(half_a_page, sizeof(half_a_page), "%ld", sysconf(_SC_PAGESIZE) / 2);
	misfits[0] = half_a_page;
	for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
		RUN("--ring-size", misfits[i]);
		assert_refused();
		assert_non_null(strstr(err, ": not a power of two from "));
		assert_non_null(strstr(err, "K to 1G; take for example 16M\n"));
	}
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		RUN("--ring-size", nonsense[i]);
		assert_refused();
		assert_non_null(strstr(err, ": not a size; write it like 64K, 16M or 1G\n"));
	}
}

static void a_bad_choice_is_told_the_right_ones(void **state)
{
	static char *const bad[] = { "xml", "JSON", "jso", "", "table,json" };
	char list[80], expected[320];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		RUN("conns", "-o", bad[i]);
		assert_refused();
		cli_list_choices(FLAG_OUTPUT, cli_commands[CMD_CONNS].formats, list, sizeof(list));
		snprintf(expected, sizeof(expected), "synfin: -o %s: not what \"conns\" knows as "
			 "FORMAT; write %s\n", *bad[i] ? bad[i] : "\"\"", list);
		assert_string_equal(err, expected);
	}
	REFUSE("synfin: --color yes: not what \"trace\" knows as WHEN; "
	       "write auto, always or never", "--color", "yes");
}

static void whose_sockets_are_wanted_is_a_path_a_unit_or_a_container(void **state)
{
	ACCEPT("--cgroup", "/system.slice/");
	assert_string_equal(opt.cgroups.under, "/system.slice/");
	assert_null(opt.cgroups.unit);
	assert_null(opt.cgroups.container);
	ACCEPT("conns", "--unit", "nginx", "--container", "3f2a");
	assert_null(opt.cgroups.under);
	assert_string_equal(opt.cgroups.unit, "nginx");
	assert_string_equal(opt.cgroups.container, "3f2a");
}

static void whose_sockets_cannot_be_is_refused(void **state)
{
	REFUSE("synfin: --cgroup /sys/fs/cgroup/a: begins where cgroups are mounted; leave "
	       "/sys/fs/cgroup out", "--cgroup", "/sys/fs/cgroup/a");
	REFUSE("synfin: --cgroup a: no path of a cgroup; write it as in /proc/PID/cgroup, "
	       "like /system.slice/nginx.service", "--cgroup", "a");
	REFUSE("synfin: --unit web.slice: no name of a unit with processes; write one like "
	       "nginx.service, a slice as --cgroup /NAME.slice", "--unit", "web.slice");
	REFUSE("synfin: --container a/b: neither an id nor a name; write 4 hexadecimal digits or "
	       "more of the id, or LXC's name of it", "--container", "a/b");
}

static void an_empty_text_is_refused(void **state)
{
	REFUSE("synfin: -N \"\": NETNS is empty; give one, or leave it out", "-N", "");
	REFUSE("synfin: --write \"\": FILE is empty; give one, or leave it out", "--write", "");
	REFUSE("synfin: --read \"\": FILE is empty; give one, or leave it out", "--read=");
}

static void flags_that_contradict_each_other_are_refused(void **state)
{
	REFUSE("synfin: --write with --read: what is read is a recording already; "
	       "leave one of them out", "--read", "a", "--write", "b");
	REFUSE("synfin: --ring-size with --read: reading a recording takes no ring buffer; "
	       "leave one of them out", "conns", "--ring-size", "16M", "--read", "a");
}

static void of_several_mistakes_the_first_is_told(void **state)
{
	REFUSE("synfin: -c 0: no record at all; give more, or leave it out",
	       "-c", "0", "--bogus", "-d", "0", "word");
	REFUSE("synfin: --bogus: no such option of \"trace\"; see synfin trace --help",
	       "-q", "word", "--bogus");	/* a filter is read when all of it is there */
}

static void control_characters_are_shown_not_sent(void **state)
{
	REFUSE("synfin: a\\x0ab: no such command; write " COMMAND_LIST, "a\nb");
	REFUSE("synfin: --x\\x1b[31m: no such option of \"trace\"; see synfin trace --help",
	       "--x\x1b[31m");
	REFUSE("synfin: -\\xc3: no such option of \"trace\"; see synfin trace --help", "-\xc3\xa9");
	REFUSE("synfin: -\\x0a: no such option of \"trace\"; see synfin trace --help", "-q\n");
	REFUSE("synfin: --quiet: takes no value; leave out =\\x0a\\x0d", "--quiet=\n\r");
	REFUSE("synfin: -L 80\\x0a: \"80\\x0a\" is not a port or a range of ports; "
	       "write PORTS like 80,443,8000-8099", "-L", "80\n");
	REFUSE("synfin: a\\x7f (filter, character 1): " NO_CONDITION, "trace", "a\x7f");
}

static void a_percent_sign_is_only_a_character(void **state)
{
	REFUSE("synfin: %s%n: no such command; write " COMMAND_LIST, "%s%n");
	REFUSE("synfin: --%s: no such option of \"trace\"; see synfin trace --help", "--%s");
	REFUSE("synfin: -d %n: not a duration; write it like 10, 10s, 500ms, 2m or 1h",
	       "-d", "%n");
}

static void a_long_argument_is_cut_in_the_message(void **state)
{
	static char big[100000];
	static const char *const starts[] = { "", "--", "-L", "-L1-", "-d", "-c", "-o", "--color=",
					      "--ring-size=", "--quiet=", "-q" };

	memset(big, 'x', sizeof(big) - 1);
	REFUSE("synfin: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: "
	       "no such command; write " COMMAND_LIST, big);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		memset(big, '\n', sizeof(big) - 1);
		memcpy(big, starts[i], strlen(starts[i]));
		RUN("conns", big);
		assert_refused();
		assert_true(strlen(err) < 1000);
	}
}

/* For every row of the table */

static void a_flag_that_needs_a_value_says_so(void **state)
{
	for (int i = 0; i < CMD_MAX * FLAG_MAX; i++) {
		const struct cli_flag *flag = &cli_flags[i % FLAG_MAX];
		int command = i / FLAG_MAX;
		char expected[160];

		if (!flag->metavar || !cli_takes(command, flag->id))
			continue;
		RUN((char *)cli_commands[command].name, (char *)flag->spelling);
		snprintf(expected, sizeof(expected), "synfin: %s: its %s is missing; see synfin "
			 "%s --help\n", flag->spelling, flag->metavar, cli_commands[command].name);
		assert_string_equal(err, expected);
		assert_refused();
	}
}

static void a_flag_of_other_commands_is_told_whose_it_is(void **state)
{
	for (int i = 0; i < CMD_MAX * FLAG_MAX; i++) {
		const struct cli_flag *flag = &cli_flags[i % FLAG_MAX];
		int command = i / FLAG_MAX;
		char others[160], expected[320];

		if (cli_takes(command, flag->id))
			continue;
		RUN((char *)cli_commands[command].name, (char *)flag->spelling);
		cli_list_commands(flag->commands, others, sizeof(others));
		snprintf(expected, sizeof(expected), "synfin: %s: not an option of \"%s\" but of "
			 "%s; see synfin %s --help\n", flag->spelling, cli_commands[command].name,
			 others, cli_commands[command].name);
		assert_string_equal(err, expected);
		assert_refused();
	}
}

static void no_two_flags_share_a_name(void **state)
{
	for (int i = 0; i < FLAG_MAX; i++) {
		for (int j = 0; j < i; j++) {
			const struct cli_flag *a = &cli_flags[i], *b = &cli_flags[j];

			assert_string_not_equal(a->spelling, b->spelling);
			assert_true(!a->letter || a->letter != b->letter);
		}
	}
}

static void every_flag_belongs_to_a_command(void **state)
{
	for (int i = 0; i < FLAG_MAX; i++) {
		assert_true(cli_flags[i].commands != 0);
		assert_true(cli_flags[i].commands < 1ULL << CMD_MAX);
	}
}

static void every_choice_is_accepted(void **state)
{
	for (int i = 0; i < CMD_MAX * FLAG_MAX; i++) {
		const struct cli_flag *flag = &cli_flags[i % FLAG_MAX];
		int command = i / FLAG_MAX;

		for (int choice = 0; choice < 32; choice++) {
			if (!cli_takes(command, flag->id) ||
			    !(cli_choices(flag->id, command) & 1u << choice))
				continue;
			RUN((char *)cli_commands[command].name, (char *)flag->spelling,
			    (char *)cli_choice_name(flag->id, choice));
			assert_accepted();
		}
	}
}

static void every_example_is_a_correct_command_line(void **state)
{
	for (const struct cli_example *e = cli_examples; e->line; e++) {
		run_line(e->line);
		assert_accepted();
		assert_int_equal(opt.command, e->command);
	}
}

static void every_command_has_a_few_examples(void **state)
{
	int nr[CMD_MAX] = {};

	for (const struct cli_example *e = cli_examples; e->line; e++)
		nr[e->command]++;
	for (int i = 0; i < CMD_MAX; i++)
		assert_in_range(nr[i], 2, 4);
}

static void a_list_of_names_is_cut_to_its_buffer(void **state)
{
	char list[20];

	memset(list, 'x', sizeof(list));
	cli_list_flags((1ULL << FLAG_MAX) - 1, list, 10);
	assert_string_equal(list, "--ipv4, -");
	assert_int_equal(list[10], 'x');
	cli_list_commands(0, list, sizeof(list));
	assert_string_equal(list, "");
}

/* --help and --version */

static void assert_help_of(enum command command)
{
	assert_int_equal(status, OPTIONS_DONE);
	assert_string_equal(err, "");
	assert_true(is_untouched());
	assert_memory_equal(out, "Usage: synfin ", 14);
	for (int i = 0; i < CMD_MAX; i++) {
		assert_non_null(strstr(out, cli_commands[i].name));
		assert_non_null(strstr(out, cli_commands[i].what));
	}
	for (int i = 0; i < FLAG_MAX; i++) {
		char row[64], long_row[72];

		snprintf(row, sizeof(row), " %s%s%s ", cli_flags[i].spelling,
			 cli_flags[i].metavar ? " " : "",
			 cli_flags[i].metavar ? cli_flags[i].metavar : "");
		/* What is too long for its column has the help below it. */
		snprintf(long_row, sizeof(long_row), "     %.*s\n", (int)strlen(row) - 1, row);
		assert_int_equal(strstr(out, row) || strstr(out, long_row),
				 cli_takes(command, i));
	}
	for (const struct cli_example *e = cli_examples; e->line; e++)
		assert_int_equal(!!strstr(out, e->line), e->command == command);
	for (const struct cli_status *s = cli_statuses; s->when; s++)
		assert_non_null(strstr(out, s->when));
}

static void help_shows_the_commands_and_the_flags_of_one(void **state)
{
	RUN("--help");
	assert_help_of(CMD_TRACE);
	assert_non_null(strstr(out, "Usage: synfin [COMMAND] [OPTIONS] [FILTER]\n"));
	for (int i = 0; i < CMD_MAX; i++) {
		RUN((char *)cli_commands[i].name, "--help");
		assert_help_of(i);
		RUN((char *)cli_commands[i].name, "-h");
		assert_help_of(i);
	}
	RUN("conns", "--help");
	assert_non_null(strstr(out, "Usage: synfin conns [OPTIONS] [FILTER]\n"));
}

/* Every run of blanks and line ends in out becomes one blank. */
static void unwrap(void)
{
	char *to = out;

	for (const char *s = out; *s; s++) {
		bool blank = *s == ' ' || *s == '\n';

		if (!blank)
			*to++ = *s;
		else if (to > out && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = 0;
}

static void help_names_defaults_and_choices(void **state)
{
	for (int i = 0; i < CMD_MAX * FLAG_MAX; i++) {
		const struct cli_flag *flag = &cli_flags[i % FLAG_MAX];
		int command = i / FLAG_MAX;
		uint32_t choices = cli_choices(flag->id, command);
		char list[80] = "", expected[320];

		if (!cli_takes(command, flag->id))
			continue;
		RUN((char *)cli_commands[command].name, "--help");
		unwrap();
		if (choices)
			cli_list_choices(flag->id, choices, list, sizeof(list));
		snprintf(expected, sizeof(expected), "%s%s%s%s%s%s ", flag->help,
			 choices ? ": " : "", list, flag->preset ? " (default: " : "",
			 flag->preset ? flag->preset : "", flag->preset ? ")" : "");
		assert_non_null(strstr(out, expected));
	}
}

static void help_fits_80_columns_of_plain_text(void **state)
{
	for (int i = 0; i < CMD_MAX; i++) {
		const char *line;

		RUN((char *)cli_commands[i].name, "--help");
		for (line = out; *line; line += strcspn(line, "\n") + 1) {
			size_t len = strcspn(line, "\n");

			assert_true(len <= 80);
			assert_true(!len || line[len - 1] != ' ');
			assert_null(memchr(line, '\t', len));
		}
		assert_null(strstr(out, "\n\n\n"));
	}
}

static void version_is_one_line(void **state)
{
	RUN("-V");
	assert_int_equal(status, OPTIONS_DONE);
	assert_string_equal(out, "synfin " SYNFIN_VERSION "\n");
	assert_string_equal(err, "");
	RUN("conns", "--version");
	assert_string_equal(out, "synfin " SYNFIN_VERSION "\n");
}

static void help_ends_the_reading_where_it_stands(void **state)
{
	RUN("--help", "--bogus");
	assert_int_equal(status, OPTIONS_DONE);
	assert_string_equal(err, "");
	RUN("-qVZ");
	assert_int_equal(status, OPTIONS_DONE);
	assert_string_equal(err, "");
	REFUSE("synfin: --bogus: no such option of \"trace\"; see synfin trace --help",
	       "--bogus", "--help");
}

static void help_that_cannot_be_written_is_an_error(void **state)
{
	int full = open("/dev/full", O_WRONLY), err_fd = memfd_create("err", 0);
	int saved_out, saved_err;

	if (full < 0)
		skip();
	fflush(stdout);
	saved_out = redirect(STDOUT_FILENO, full);
	saved_err = redirect(STDERR_FILENO, err_fd);
	status = options_parse(2, (char *[]){ "synfin", "--help", NULL }, &opt);
	restore(STDOUT_FILENO, saved_out);
	restore(STDERR_FILENO, saved_err);
	clearerr(stdout);
	close(full);
	read_back(err_fd, err, sizeof(err));
	assert_int_equal(status, STATUS_ERROR);
	assert_string_equal(err, "synfin: writing to stdout: No space left on device; "
				 "send it elsewhere\n");
}

/* Whatever is typed */

/* xorshift: the same words in every run. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void whatever_is_typed_costs_at_most_one_line(void **state)
{
	static char *const pieces[] = {
		"trace", "conns", "-", "--", "=", "-q", "-4", "-L", "-D", "80", ",", "1-2", "-d",
		"10s", "-c", "0", "7", "-o", "json", "--ring-size", "64K", "--re", "ad", "--write",
		"--strict", "--color", "auto", "-N", "self", "\n", "\x1b[2J", "\xff", "%n", " ", "",
		"state", "established", "dst", "10/8", "dport", "and", "(", "!=", "-p",
		"-W", ":", ";", "?", "x", "--v", "ersion", "--usage", "--program-name", "-h",
	};
	uint32_t seed = 0x5ee1f1a5;

	for (int round = 0; round < 20000; round++) {
		char words[6][64], *argv[8] = { "synfin" };
		int nr = next_random(&seed) % 6;

		for (int i = 0; i < nr; i++) {
			words[i][0] = 0;
			for (int n = next_random(&seed) % 3; n >= 0; n--)
				strcat(words[i], pieces[next_random(&seed) %
							(sizeof(pieces) / sizeof(pieces[0]))]);
			argv[i + 1] = words[i];
		}
		run(argv);
		if (status == STATUS_USAGE)
			assert_refused();
		else
			assert_string_equal(err, "");
		assert_true(status == 0 || status == STATUS_USAGE || status == OPTIONS_DONE);
	}
}

static void export_serves_on_the_loopback_address_unless_told_otherwise(void **state)
{
	ACCEPT("export");
	assert_true(opt.listen_is_preset);
	assert_int_equal(opt.nr_listen, 1);
	assert_string_equal(opt.listen[0], "127.0.0.1:10047");
	assert_string_equal(opt.telemetry_path, "/metrics");
	assert_int_equal(opt.max_requests, 40);
	assert_int_equal(opt.close_wait_stale_ns, 60000000000);
	assert_null(opt.textfile_path);
	assert_int_equal(opt.top_k, 0);
	assert_false(opt.by_cgroup);
	ACCEPT("export", "--web.listen-address", ":1", "--web.listen-address=[::1]:2",
	       "--web.telemetry-path", "/m", "--web.max-requests", "0", "--textfile", "f.prom",
	       "--close-wait-stale", "5m", "--metrics.top-k", "50", "--metrics.group-by", "cgroup");
	assert_int_equal(opt.close_wait_stale_ns, 300000000000);
	assert_false(opt.listen_is_preset);
	assert_int_equal(opt.nr_listen, 2);
	assert_string_equal(opt.listen[0], ":1");
	assert_string_equal(opt.listen[1], "[::1]:2");
	assert_string_equal(opt.telemetry_path, "/m");
	assert_int_equal(opt.max_requests, 0);
	assert_string_equal(opt.textfile_path, "f.prom");
	assert_int_equal(opt.top_k, 50);
	assert_true(opt.by_cgroup);
}

static void what_export_cannot_serve_is_refused(void **state)
{
	char *many[40] = { "synfin", "export" };

	REFUSE("synfin: --web.listen-address ::1: not an address; write HOST:PORT, :PORT or "
	       "[IPV6]:PORT", "export", "--web.listen-address", "::1");
	REFUSE("synfin: --web.telemetry-path metrics: not a path; write it like /metrics",
	       "export", "--web.telemetry-path", "metrics");
	REFUSE("synfin: --web.telemetry-path /: not a path; write it like /metrics",
	       "export", "--web.telemetry-path", "/");
	REFUSE("synfin: --web.max-requests -1: not a number of requests; write digits only",
	       "export", "--web.max-requests", "-1");
	REFUSE("synfin: --metrics.top-k 51: not a number of series; write 0, which is none, to 50",
	       "export", "--metrics.top-k", "51");
	for (int i = 2; i < 36; i += 2) {
		many[i] = "--web.listen-address";
		many[i + 1] = ":0";
	}
	run(many);
	assert_string_equal(err, "synfin: --web.listen-address :0: more than 16 addresses; give "
				 "fewer, or :PORT for all\n");
	assert_refused();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_words_it_is_trace_with_the_defaults),
		cmocka_unit_test(even_without_a_name_of_its_own_it_is_trace),
		cmocka_unit_test(the_first_word_names_the_command),
		cmocka_unit_test(an_option_first_means_trace),
		cmocka_unit_test(every_flag_arrives),
		cmocka_unit_test(letters_and_values_may_be_written_together),
		cmocka_unit_test(a_long_name_may_be_cut_while_it_is_clear),
		cmocka_unit_test(of_a_repeated_flag_the_last_counts),
		cmocka_unit_test(both_families_are_as_none),
		cmocka_unit_test(a_recording_is_filtered_like_the_kernel),
		cmocka_unit_test(the_texts_point_into_argv),
		cmocka_unit_test(argv_stays_in_its_order),
		cmocka_unit_test(a_ring_is_a_power_of_two_of_at_least_a_page),
		cmocka_unit_test(the_largest_count_is_taken),
		cmocka_unit_test(an_unknown_first_word_is_told_the_commands),
		cmocka_unit_test(what_follows_is_a_filter_in_one_word_or_many),
		cmocka_unit_test(options_may_stand_before_a_filter_within_it_and_behind),
		cmocka_unit_test(a_filter_alone_is_traces),
		cmocka_unit_test(the_flags_of_a_filters_kind_narrow_it),
		cmocka_unit_test(failed_and_slow_ask_for_either),
		cmocka_unit_test(a_bad_owner_is_refused),
		cmocka_unit_test(a_bad_filter_is_told_its_word_and_where_it_is),
		cmocka_unit_test(a_filter_is_only_so_long),
		cmocka_unit_test(a_filter_that_leaves_no_room_for_flags_is_refused),
		cmocka_unit_test(a_command_that_takes_no_filter_says_so),
		cmocka_unit_test(a_filter_is_explained),
		cmocka_unit_test(a_command_after_the_first_word_is_told_its_place),
		cmocka_unit_test(an_unknown_option_is_told_the_help_of_its_command),
		cmocka_unit_test(an_unknown_letter_is_found_in_its_cluster),
		cmocka_unit_test(a_missing_value_is_told_as_such),
		cmocka_unit_test(a_value_too_many_is_told_as_such),
		cmocka_unit_test(an_ambiguous_name_is_told_what_it_could_be),
		cmocka_unit_test(a_bad_port_is_quoted),
		cmocka_unit_test(too_many_ranges_are_told_the_limit),
		cmocka_unit_test(a_bad_duration_is_refused),
		cmocka_unit_test(a_bad_count_is_refused),
		cmocka_unit_test(a_bad_ring_size_is_refused),
		cmocka_unit_test(a_bad_choice_is_told_the_right_ones),
		cmocka_unit_test(whose_sockets_are_wanted_is_a_path_a_unit_or_a_container),
		cmocka_unit_test(whose_sockets_cannot_be_is_refused),
		cmocka_unit_test(an_empty_text_is_refused),
		cmocka_unit_test(flags_that_contradict_each_other_are_refused),
		cmocka_unit_test(of_several_mistakes_the_first_is_told),
		cmocka_unit_test(control_characters_are_shown_not_sent),
		cmocka_unit_test(a_percent_sign_is_only_a_character),
		cmocka_unit_test(a_long_argument_is_cut_in_the_message),
		cmocka_unit_test(a_flag_that_needs_a_value_says_so),
		cmocka_unit_test(a_flag_of_other_commands_is_told_whose_it_is),
		cmocka_unit_test(no_two_flags_share_a_name),
		cmocka_unit_test(every_flag_belongs_to_a_command),
		cmocka_unit_test(every_choice_is_accepted),
		cmocka_unit_test(every_example_is_a_correct_command_line),
		cmocka_unit_test(every_command_has_a_few_examples),
		cmocka_unit_test(a_list_of_names_is_cut_to_its_buffer),
		cmocka_unit_test(help_shows_the_commands_and_the_flags_of_one),
		cmocka_unit_test(help_names_defaults_and_choices),
		cmocka_unit_test(help_fits_80_columns_of_plain_text),
		cmocka_unit_test(version_is_one_line),
		cmocka_unit_test(help_ends_the_reading_where_it_stands),
		cmocka_unit_test(help_that_cannot_be_written_is_an_error),
		cmocka_unit_test(export_serves_on_the_loopback_address_unless_told_otherwise),
		cmocka_unit_test(what_export_cannot_serve_is_refused),
		cmocka_unit_test(whatever_is_typed_costs_at_most_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
