// SPDX-License-Identifier: GPL-2.0-or-later
/* The stage on this host's own file systems; what it hands on is kept as the session would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cgroup_lookup.h"
#include "decode.h"
#include "names.h"
#include "process_lookup.h"
#include "resolver.h"
#include "sample_events.h"

static struct resolver *resolver;
static struct names names;
static union event kept[16];
static unsigned int nr_kept, nr_refused;
static bool enough;

static bool keep(void *ctx, const void *rec, size_t len)
{
	assert_true(nr_kept < 16);
	if (decode(rec, len, &kept[nr_kept]))
		nr_refused++;
	else
		names_learn(&names, &kept[nr_kept++]);
	return !enough;
}

static bool knows(void *ctx, enum wire_kind kind, __u64 id)
{
	return names_know(&names, kind, id);
}

static int set_up(void **state)
{
	const struct resolver_next next = { keep, knows, NULL };

	nr_kept = nr_refused = 0;
	enough = false;
	return names_init(&names) || resolver_create(&next, true, &resolver);
}

static int tear_down(void **state)
{
	resolver_destroy(resolver);
	names_deinit(&names);
	return 0;
}

static void hand(uint32_t netns, uint64_t cgroup)
{
	struct wire_state rec = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);

	rec.hdr.netns = netns;
	rec.owner.cgroup = cgroup;
	assert_true(resolver_record(resolver, &rec, sizeof(rec)));
}

static bool has_cgroup2(void)
{
	struct cgroup_lookup *l = NULL;
	bool ret = !cgroup_lookup_open(&l);

	cgroup_lookup_close(l);
	return ret;
}

static uint32_t own_netns(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	return st.st_ino;
}

/* As a record has it: from stat, field 22, behind the name. */
static uint32_t own_birth(void)
{
	unsigned long long ticks = 0;
	char stat[1024] = {}, *p;
	FILE *f = fopen("/proc/self/stat", "r");

	assert_non_null(f);
	assert_true(fread(stat, 1, sizeof(stat) - 1, f) > 0);
	fclose(f);
	p = strrchr(stat, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	assert_int_equal(sscanf(p, "%llu", &ticks), 1);
	return (ticks * (1000000000ull / sysconf(_SC_CLK_TCK)) >> 20) + 1;
}

static unsigned int nr_of(enum wire_kind kind)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_kept; i++)
		nr += kept[i].hdr.kind == kind;
	return nr;
}

static void a_record_without_ids_passes_alone(void **state)
{
	struct wire_tick tick = tick_of(T0);

	tick.hdr.netns = 0;
	assert_true(resolver_record(resolver, &tick, sizeof(tick)));
	assert_int_equal(nr_kept, 1);
	assert_memory_equal(&kept[0], &tick, sizeof(tick));
}

static void names_come_ahead_of_the_record_and_have_its_time(void **state)
{
	hand(own_netns(), 0);
	assert_int_equal(nr_kept, 2);
	assert_int_equal(kept[0].hdr.kind, WIRE_NETNS_NAME);
	assert_int_equal(kept[0].hdr.netns, own_netns());
	assert_int_equal(kept[0].hdr.ts_ns, T0);
	assert_int_equal(kept[1].hdr.kind, WIRE_STATE);
}

static void what_is_known_is_not_told_again(void **state)
{
	for (int i = 0; i < 5; i++)
		hand(own_netns(), 1);
	assert_int_equal(nr_of(WIRE_STATE), 5);
	assert_int_equal(nr_of(WIRE_NETNS_NAME), 1);
	assert_int_equal(nr_of(WIRE_CGROUP), has_cgroup2());
}

/* Where there is version 1, too, whoever is only in that is in this root as well. */
static void the_root_of_the_hierarchy_is_a_slash_if_it_is_the_only_one(void **state)
{
	if (!has_cgroup2())
		skip();
	hand(0, 1);
	assert_int_equal(nr_of(WIRE_CGROUP), 1);
	assert_int_equal(kept[0].cgroup.id, 1);
	assert_string_equal(kept[0].cgroup.path, process_lookup_has_cgroups() ? "" : "/");
}

static void what_is_gone_is_told_once_to_be_unknown(void **state)
{
	const uint64_t never = 1ull << 62;

	if (!has_cgroup2())
		skip();
	hand(0, never);
	hand(0, never);
	assert_int_equal(nr_of(WIRE_CGROUP), 1);
	assert_string_equal(kept[0].cgroup.path, "");
	assert_int_equal(kept[0].hdr.len, offsetof(struct wire_cgroup, path) + 8);
	assert_null(names_cgroup(&names, never));
}

static void a_namespace_without_a_name_is_told_to_have_none(void **state)
{
	hand(1, 0);	/* no namespace's number */
	assert_string_equal(kept[0].netns_name.name, "");
	assert_null(names_netns(&names, 1));
	assert_true(names_know(&names, WIRE_NETNS_NAME, 1));
}

static void what_proc_shows_of_a_process_is_told_once(void **state)
{
	struct wire_owner_seen rec = {
		.hdr = hdr_of(WIRE_OWNER_SEEN, sizeof(rec), T0, 1), .owner.pid = getpid(),
	};
	FILE *f = fopen("/proc/self/comm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%15[^\n]", rec.owner.comm), 1);
	fclose(f);
	rec.hdr.netns = 0;
	rec.born = own_birth();
	for (int i = 0; i < 3; i++)
		assert_true(resolver_record(resolver, &rec, sizeof(rec)));
	assert_int_equal(nr_of(WIRE_PROCESS), 1);
	assert_int_equal(nr_of(WIRE_OWNER_SEEN), 3);
	assert_int_equal(kept[0].hdr.kind, WIRE_PROCESS);
	assert_int_equal(kept[0].process.pid, getpid());
	assert_int_equal(kept[0].process.born, rec.born);
	assert_string_equal(kept[0].process.comm, rec.owner.comm);
	assert_true(kept[0].process.exe_len && kept[0].process.cmdline_len);
}

static void a_process_that_is_gone_is_told_once_to_be_unknown(void **state)
{
	struct wire_state rec = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);

	rec.hdr.netns = 0;
	rec.owner = (struct wire_owner){ .pid = INT32_MAX, .comm = "gone" };
	rec.born = 7;
	for (int i = 0; i < 3; i++)
		assert_true(resolver_record(resolver, &rec, sizeof(rec)));
	assert_int_equal(nr_of(WIRE_PROCESS), 1);
	assert_int_equal(kept[0].hdr.len, offsetof(struct wire_process, text));
}

static void of_whom_the_kernel_tells_no_birth_nobody_asks(void **state)
{
	struct wire_state rec = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);

	rec.hdr.netns = 0;
	rec.owner = (struct wire_owner){ .pid = getpid(), .comm = "any" };
	assert_true(resolver_record(resolver, &rec, sizeof(rec)));
	assert_int_equal(nr_of(WIRE_PROCESS), 0);
}

/* The next stage tells what is wrong with it; under ASan this one must not look into it. */
static void a_record_cut_short_is_handed_on_and_not_read(void **state)
{
	struct wire_state rec = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);
	void *head = malloc(sizeof(rec.hdr));

	rec.hdr.netns = 0;
	memcpy(head, &rec, sizeof(rec.hdr));
	assert_true(resolver_record(resolver, head, sizeof(rec.hdr)));
	assert_int_equal(nr_refused, 1);
	free(head);
}

static void whether_it_is_enough_the_next_stage_says(void **state)
{
	const struct wire_tick tick = tick_of(T0);

	enough = true;
	assert_false(resolver_record(resolver, &tick, sizeof(tick)));
}

/* ---- with a sieve: nobody asks for sockets of the hierarchy's root ---- */

static struct sieve sieve;
static uint64_t told;

static int tell_drop(void *ctx, uint64_t id, enum wire_judged verdict)
{
	told = verdict == WIRE_J_DROPS ? id : 0;
	return 0;
}

static int set_up_sieve(void **state)
{
	const struct cgroup_terms terms = { .under = "/nosuch" };
	int err = set_up(state) || sieve_init(&sieve, &terms, tell_drop, NULL);

	told = 0;
	resolver_sift(resolver, &sieve);
	return err;
}

static int tear_down_sieve(void **state)
{
	tear_down(state);
	sieve_deinit(&sieve);
	return 0;
}

static void hand_transition(enum tcp_state from, enum tcp_state to, uint64_t cgroup)
{
	struct wire_state rec = state_of(T0, 1, from, to);

	rec.owner.cgroup = cgroup;
	assert_true(resolver_record(resolver, &rec, sizeof(rec)));
}

static void of_a_socket_that_is_left_out_its_birth_and_its_tuple_are_told(void **state)
{
	if (!has_cgroup2())
		skip();
	hand_transition(TS_CLOSE, TS_SYN_SENT, 1);
	assert_int_equal(told, 1);
	hand_transition(TS_SYN_SENT, TS_ESTABLISHED, 1);
	hand_transition(TS_ESTABLISHED, TS_FIN_WAIT1, 1);
	hand_transition(TS_FIN_WAIT2, TS_CLOSE, 1);
	hand_transition(TS_LISTEN, TS_SYN_RECV, 1);
	hand_transition(TS_CLOSE, TS_LISTEN, 1);
	assert_int_equal(nr_kept, 3);
	assert_int_equal(nr_of(WIRE_CLAIM), 3);
	assert_int_equal(kept[0].claim.flags, WIRE_CL_BIRTH);
	assert_int_equal(kept[0].claim.tuple.lport, 0);
	assert_int_equal(kept[1].claim.flags, 0);
	assert_int_equal(kept[2].claim.flags, WIRE_CL_BIRTH);
	assert_int_not_equal(kept[2].claim.tuple.lport, 0);
	assert_int_equal(kept[1].hdr.ts_ns, T0);
	assert_int_equal(kept[1].hdr.netns, 1);
	assert_int_equal(kept[1].hdr.cookie | kept[1].hdr.sock, 0);
	assert_memory_equal(&kept[1].claim.tuple, &(struct wire_tuple[]){ tuple_of(1) },
			    sizeof(struct wire_tuple));
}

static void who_found_no_port_has_taken_none(void **state)
{
	struct wire_state rec = state_of(T0, 1, TS_SYN_SENT, TS_CLOSE);

	if (!has_cgroup2())
		skip();
	rec.owner.cgroup = 1;
	rec.sample.segs_out = 0;
	assert_true(resolver_record(resolver, &rec, sizeof(rec)));
	assert_int_equal(nr_kept, 0);
	rec.sample.err = 110;
	assert_true(resolver_record(resolver, &rec, sizeof(rec)));
	assert_int_equal(nr_of(WIRE_CLAIM), 1);
}

static void of_a_census_whose_sockets_are_left_out_their_tuples_are_told(void **state)
{
	struct wire_census rec = {
		.hdr = hdr_of(WIRE_CENSUS, sizeof(rec), T0, 1), .tuple = tuple_of(1),
		.state = TS_ESTABLISHED, .owner.cgroup = 1,
	};

	if (!has_cgroup2())
		skip();
	assert_true(resolver_record(resolver, &rec, sizeof(rec)));
	rec.state = TS_LISTEN;
	assert_true(resolver_record(resolver, &rec, sizeof(rec)));
	assert_int_equal(nr_kept, 1);
	assert_int_equal(kept[0].claim.flags, WIRE_CL_ROW);
}

static void whose_cgroup_is_not_known_is_not_left_out(void **state)
{
	hand_transition(TS_CLOSE, TS_SYN_SENT, 0);
	hand_transition(TS_CLOSE, TS_SYN_SENT, 1ull << 62);
	assert_int_equal(nr_of(WIRE_STATE), 2);
	assert_int_equal(nr_of(WIRE_CLAIM), 0);
	assert_int_equal(told, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_record_without_ids_passes_alone),
		TEST(names_come_ahead_of_the_record_and_have_its_time),
		TEST(what_is_known_is_not_told_again),
		TEST(the_root_of_the_hierarchy_is_a_slash_if_it_is_the_only_one),
		TEST(what_is_gone_is_told_once_to_be_unknown),
		TEST(a_namespace_without_a_name_is_told_to_have_none),
		TEST(what_proc_shows_of_a_process_is_told_once),
		TEST(a_process_that_is_gone_is_told_once_to_be_unknown),
		TEST(of_whom_the_kernel_tells_no_birth_nobody_asks),
		TEST(a_record_cut_short_is_handed_on_and_not_read),
		TEST(whether_it_is_enough_the_next_stage_says),
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_sieve, tear_down_sieve)
		TEST(of_a_socket_that_is_left_out_its_birth_and_its_tuple_are_told),
		TEST(who_found_no_port_has_taken_none),
		TEST(of_a_census_whose_sockets_are_left_out_their_tuples_are_told),
		TEST(whose_cgroup_is_not_known_is_not_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
