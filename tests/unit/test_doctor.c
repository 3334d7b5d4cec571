// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/capability.h>
#include <cmocka.h>

#include "doctor.h"
#include "row.h"

static struct facts facts;
static struct check checks[CHECKS_MAX];
static struct doctor_verdict verdict;
static unsigned int nr;

/* A current kernel, and root on it. */
static int all_is_there(void **state)
{
	facts = (struct facts){
		.features = {
			.arguments = {
				[TRACEPOINT_SET_STATE] = 3, [TRACEPOINT_RETRANSMIT] = 3,
				[TRACEPOINT_SYNACK] = 2, [TRACEPOINT_SEND_RESET] = 3,
				[TRACEPOINT_RECEIVE_RESET] = 1, [TRACEPOINT_KFREE_SKB] = 4,
				[TRACEPOINT_READ] = 1, [TRACEPOINT_WRITTEN] = 2,
			},
			.cookie = true, .guard = true, .iter_tcp = true, .iter_owner = true,
			.iter_prog = true, .sk_storage = true, .tw_refcount = true,
			.ringbuf = true, .lockdown = true, .release = "6.18.0",
		},
		.capabilities = UINT64_MAX, .init_userns = true, .init_pidns = true,
		.bpf_err = -EBADF, .lockdown = "none", .perf_event_paranoid = 2,
		.unprivileged_bpf_disabled = 2, .bpf_jit_enable = 1, .cgroup2_whole = true,
	};
	return 0;
}

static void examine(void)
{
	nr = doctor_check(&facts, checks);
	verdict = doctor_judge(checks, nr);
}

static const struct check *check_of(const char *feature)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!strcmp(checks[i].feature, feature))
			return &checks[i];
	}
	fail_msg("no such feature: %s", feature);
	return NULL;
}

static void expect(const char *feature, enum check_state state)
{
	examine();
	assert_int_equal(check_of(feature)->state, state);
}

static void with_all_there_tracing_works(void **state)
{
	examine();
	assert_int_equal(verdict.status, STATUS_OK);
	assert_null(verdict.cure);
	assert_null(verdict.unknown);
	assert_string_equal(verdict.against, "");
	for (unsigned int i = 0; i < nr; i++)
		assert_int_equal(checks[i].state, CHECK_OK);
}

static void every_tracepoint_has_a_check(void **state)
{
	examine();
#define X(id, name, least, needed) check_of(name);
	TRACEPOINTS(X)
#undef X
}

static void a_feature_has_one_name_and_something_that_needs_it(void **state)
{
	examine();
	for (unsigned int i = 0; i < nr; i++) {
		assert_true(*checks[i].feature && *checks[i].needs);
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(checks[i].feature, checks[k].feature);
	}
}

static void what_is_missing_has_a_cure_and_nothing_else_has(void **state)
{
	facts = (struct facts){ .lockdown = "confidentiality" };
	examine();
	for (unsigned int i = 0; i < nr; i++) {
		assert_int_equal(!!checks[i].cure, checks[i].state == CHECK_MISSING);
		if (checks[i].state == CHECK_UNKNOWN)
			assert_string_equal(checks[i].found, "");
	}
}

static void an_old_tracepoint_lacks_its_last_argument_only(void **state)
{
	facts.features.arguments[TRACEPOINT_RETRANSMIT] = 2;
	facts.features.arguments[TRACEPOINT_SEND_RESET] = 2;
	facts.features.arguments[TRACEPOINT_KFREE_SKB] = 3;
	expect("tcp_retransmit_skb", CHECK_OK);
	expect("tcp_retransmit_skb.err", CHECK_MISSING);
	expect("tcp_send_reset", CHECK_OK);
	expect("tcp_send_reset.reason", CHECK_MISSING);
	expect("kfree_skb.rx_sk", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_OK);
}

static void a_missing_tracepoint_is_a_missing_feature(void **state)
{
	facts.features.arguments[TRACEPOINT_SEND_RESET] = 0;
	expect("tcp_send_reset", CHECK_MISSING);
	expect("tcp_send_reset.reason", CHECK_UNKNOWN);
	assert_int_equal(verdict.status, STATUS_NO_FEATURE);
	assert_string_equal(verdict.against, "tcp_send_reset");
	assert_string_equal(verdict.cure, check_of("tcp_send_reset")->cure);
}

static void without_btf_nothing_else_is_known_of_the_kernel(void **state)
{
	facts.features = (struct features){};
	facts.btf_err = -ENOENT;
	expect("btf", CHECK_MISSING);
	expect("inet_sock_set_state", CHECK_UNKNOWN);
	expect("tcp_retransmit_skb.err", CHECK_UNKNOWN);
	expect("ringbuf", CHECK_UNKNOWN);
	expect("twins", CHECK_UNKNOWN);
	expect("memlock", CHECK_OK);
	expect("CAP_BPF", CHECK_OK);
	assert_int_equal(verdict.status, STATUS_NO_FEATURE);
	assert_string_equal(verdict.against, "btf");
}

static void a_kernel_without_the_guard_needs_no_twins(void **state)
{
	facts.features.guard = facts.features.iter_prog = false;
	expect("twins", CHECK_OK);
	facts.features.guard = true;
	expect("twins", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_NO_FEATURE);
}

static void what_tracing_can_do_without_does_not_count(void **state)
{
	facts.features.cookie = facts.features.iter_tcp = facts.features.iter_owner = false;
	facts.features.arguments[TRACEPOINT_READ] = 0;
	facts.features.arguments[TRACEPOINT_WRITTEN] = 0;
	facts.features.sk_storage = facts.features.tw_refcount = false;
	facts.init_pidns = false;
	facts.setns_err = -EPERM;
	facts.bpf_jit_enable = 0;
	expect("socket_cookie", CHECK_MISSING);
	expect("iter/tcp", CHECK_MISSING);
	expect("iter/task_file", CHECK_MISSING);
	expect("tcp_rcv_space_adjust", CHECK_MISSING);
	expect("sock_send_length", CHECK_MISSING);
	expect("sk_storage", CHECK_MISSING);
	expect("tcp_timewait_counter", CHECK_MISSING);
	expect("pid_namespace", CHECK_MISSING);
	expect("setns", CHECK_MISSING);
	expect("bpf_jit_enable", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_OK);
	assert_null(verdict.unknown);
}

static void a_part_of_the_cgroups_is_not_enough(void **state)
{
	expect("cgroup2", CHECK_OK);
	facts.cgroup2_whole = false;
	expect("cgroup2", CHECK_MISSING);
	assert_string_equal(check_of("cgroup2")->found, "a part of the hierarchy");
	facts.cgroup2_err = -ENOENT;
	expect("cgroup2", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_OK);
	assert_null(verdict.unknown);
}

static void without_privileges_both_capabilities_are_named(void **state)
{
	facts.capabilities = 0;
	examine();
	assert_int_equal(verdict.status, STATUS_NOT_PERMITTED);
	assert_string_equal(verdict.against, "CAP_BPF, CAP_PERFMON");
}

static void cap_sys_admin_stands_for_both(void **state)
{
	facts.capabilities = 1ull << CAP_SYS_ADMIN;
	expect("CAP_BPF", CHECK_OK);
	expect("CAP_PERFMON", CHECK_OK);
	expect("CAP_SYS_PTRACE", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_OK);
}

static void both_capabilities_are_enough(void **state)
{
	facts.capabilities = 1ull << CAP_BPF | 1ull << CAP_PERFMON;
	expect("CAP_SYS_ADMIN", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_OK);
	facts.capabilities = 1ull << CAP_BPF;
	expect("CAP_PERFMON", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_NOT_PERMITTED);
	assert_string_equal(verdict.against, "CAP_PERFMON");
}

static void a_missing_feature_beats_a_missing_privilege(void **state)
{
	facts.capabilities = 0;
	facts.features.ringbuf = false;
	examine();
	assert_int_equal(verdict.status, STATUS_NO_FEATURE);
	assert_string_equal(verdict.against, "ringbuf, CAP_BPF, CAP_PERFMON");
	assert_string_equal(verdict.cure, check_of("ringbuf")->cure);
}

static void memory_is_limited_on_old_kernels_only(void **state)
{
	facts.capabilities &= ~(1ull << CAP_SYS_RESOURCE);
	expect("memlock", CHECK_OK);
	facts.features.memlock = true;
	expect("memlock", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_NOT_PERMITTED);
	facts.memlock_unlimited = true;
	expect("memlock", CHECK_OK);
	facts.memlock_unlimited = false;
	facts.btf_err = -ENOENT;
	expect("memlock", CHECK_UNKNOWN);
}

static void a_child_user_namespace_may_not_trace(void **state)
{
	facts.init_userns = false;
	expect("user_namespace", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_NOT_PERMITTED);
}

static void only_confidentiality_locks_tracing_out(void **state)
{
	strcpy(facts.lockdown, "integrity");
	expect("lockdown", CHECK_OK);
	strcpy(facts.lockdown, "confidentiality");
	expect("lockdown", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_NOT_PERMITTED);
}

static void a_lockdown_that_cannot_be_read_is_unknown(void **state)
{
	facts.lockdown[0] = 0;
	expect("lockdown", CHECK_UNKNOWN);
	assert_int_equal(verdict.status, STATUS_OK);
	assert_string_equal(verdict.unknown, "lockdown");
	facts.features.lockdown = false;	/* this kernel has none */
	expect("lockdown", CHECK_OK);
}

static void a_refused_bpf_call_tells_something_to_the_privileged_only(void **state)
{
	facts.bpf_err = -EPERM;
	expect("bpf", CHECK_MISSING);
	assert_int_equal(verdict.status, STATUS_NOT_PERMITTED);
	facts.capabilities = 0;
	expect("bpf", CHECK_UNKNOWN);
	facts.bpf_err = -ENOSYS;
	expect("bpf", CHECK_MISSING);
}

static void a_sysctl_that_cannot_be_read_is_unknown(void **state)
{
	facts.perf_event_paranoid = facts.bpf_jit_enable = UNREADABLE;
	expect("perf_event_paranoid", CHECK_UNKNOWN);
	expect("bpf_jit_enable", CHECK_UNKNOWN);
	facts.perf_event_paranoid = -1;
	expect("perf_event_paranoid", CHECK_OK);
	assert_string_equal(check_of("perf_event_paranoid")->found, "-1");
	assert_int_equal(verdict.status, STATUS_OK);
}

static void a_record_has_no_ok_where_it_is_unknown(void **state)
{
	struct row row;

	facts.lockdown[0] = 0;
	facts.bpf_jit_enable = 0;
	examine();
	row_from_check(&row, check_of("lockdown"), 1);
	assert_false(row_has(&row, F_IS_OK));
	assert_false(row_has(&row, F_CURE));
	row_from_check(&row, check_of("bpf_jit_enable"), 1);
	assert_true(row_has(&row, F_IS_OK) && !row.values[F_IS_OK].u);
	assert_true(row_has(&row, F_CURE));
	row_from_check(&row, check_of("btf"), 1);
	assert_true(row_has(&row, F_IS_OK) && row.values[F_IS_OK].u);
	assert_false(row_has(&row, F_CURE));
}

#define TEST(name) cmocka_unit_test_setup(name, all_is_there)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(with_all_there_tracing_works),
		TEST(every_tracepoint_has_a_check),
		TEST(a_feature_has_one_name_and_something_that_needs_it),
		TEST(what_is_missing_has_a_cure_and_nothing_else_has),
		TEST(an_old_tracepoint_lacks_its_last_argument_only),
		TEST(a_missing_tracepoint_is_a_missing_feature),
		TEST(without_btf_nothing_else_is_known_of_the_kernel),
		TEST(a_kernel_without_the_guard_needs_no_twins),
		TEST(what_tracing_can_do_without_does_not_count),
		TEST(a_part_of_the_cgroups_is_not_enough),
		TEST(without_privileges_both_capabilities_are_named),
		TEST(cap_sys_admin_stands_for_both),
		TEST(both_capabilities_are_enough),
		TEST(a_missing_feature_beats_a_missing_privilege),
		TEST(memory_is_limited_on_old_kernels_only),
		TEST(a_child_user_namespace_may_not_trace),
		TEST(only_confidentiality_locks_tracing_out),
		TEST(a_lockdown_that_cannot_be_read_is_unknown),
		TEST(a_refused_bpf_call_tells_something_to_the_privileged_only),
		TEST(a_sysctl_that_cannot_be_read_is_unknown),
		TEST(a_record_has_no_ok_where_it_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
