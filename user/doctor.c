// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FEATURE                   STATE   NEEDED BY
 * btf                       ok      tracing
 * tcp_send_reset.reason     MISSING why RSTs were sent, RSTs of no socket
 *                                   cure: Linux 6.10 or newer
 */
#include "doctor.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "log.h"
#include "row.h"
#include "sink.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* What it means for tracing if the feature is missing. */
enum weight { OPTIONAL, NEEDS_KERNEL, NEEDS_RIGHT };

struct feature_row;
typedef enum check_state probe_fn(const struct facts *f, const struct feature_row *row,
				  struct check *c);

struct feature_row {
	const char *feature;
	probe_fn *probe;
	unsigned int arg, arg2;	/* the probe's */
	enum weight weight;
	const char *needs, *cure;
};

static enum check_state state_of(bool ok)
{
	return ok ? CHECK_OK : CHECK_MISSING;
}

#define FOUND(c, ...)	snprintf((c)->found, sizeof((c)->found), __VA_ARGS__)

/* ---- the kernel, as its BTF tells ---- */

static enum check_state btf(const struct facts *f, const struct feature_row *row, struct check *c)
{
	if (f->btf_err)
		FOUND(c, "%s", strerrordesc_np(-f->btf_err));
	else
		FOUND(c, "Linux %.40s", f->features.release);
	return state_of(!f->btf_err);
}

/* arg: enum tracepoint */
static enum check_state tracepoint(const struct facts *f, const struct feature_row *row,
				   struct check *c)
{
	unsigned int arguments = f->features.arguments[row->arg];

	if (f->btf_err)
		return CHECK_UNKNOWN;
	if (arguments)
		FOUND(c, "%u argument%s", arguments, arguments == 1 ? "" : "s");
	return state_of(arguments);
}

/* arg: enum tracepoint; arg2: which argument, from 1 */
static enum check_state argument(const struct facts *f, const struct feature_row *row,
				 struct check *c)
{
	unsigned int arguments = f->features.arguments[row->arg];

	if (f->btf_err || !arguments)
		return CHECK_UNKNOWN;
	FOUND(c, "%u argument%s, it is number %u", arguments, arguments == 1 ? "" : "s",
	      row->arg2);
	return state_of(arguments >= row->arg2);
}

/* arg: offset of a bool in struct features */
static enum check_state flag(const struct facts *f, const struct feature_row *row, struct check *c)
{
	if (f->btf_err)
		return CHECK_UNKNOWN;
	return state_of(*(const bool *)((const char *)&f->features + row->arg));
}

static enum check_state twins(const struct facts *f, const struct feature_row *row,
			      struct check *c)
{
	if (f->btf_err)
		return CHECK_UNKNOWN;
	FOUND(c, f->features.guard ? "the kernel has the guard" :
				     "the kernel has no guard, none needed");
	return state_of(!f->features.guard || f->features.iter_prog);
}

/* ---- privileges ---- */

/* CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, as it does in the kernel. */
static bool has_capability(const struct facts *f, unsigned int cap)
{
	uint64_t enough = 1ull << cap;

	if (cap == CAP_BPF || cap == CAP_PERFMON)
		enough |= 1ull << CAP_SYS_ADMIN;
	return f->capabilities & enough;
}

/* arg: the capability */
static enum check_state capability(const struct facts *f, const struct feature_row *row,
				   struct check *c)
{
	return state_of(has_capability(f, row->arg));
}

static enum check_state memlock(const struct facts *f, const struct feature_row *row,
				struct check *c)
{
	bool may = f->memlock_unlimited || has_capability(f, CAP_SYS_RESOURCE);

	if (f->btf_err)
		return may ? CHECK_OK : CHECK_UNKNOWN;
	FOUND(c, f->features.memlock ? "maps count as locked memory" :
				       "maps do not count as locked memory");
	return state_of(!f->features.memlock || may);
}

static enum check_state user_namespace(const struct facts *f, const struct feature_row *row,
				       struct check *c)
{
	return state_of(f->init_userns);
}

static enum check_state pid_namespace(const struct facts *f, const struct feature_row *row,
				      struct check *c)
{
	return state_of(f->init_pidns);
}

/* Without the capability every bpf() may be refused: that says nothing. */
static enum check_state bpf_call(const struct facts *f, const struct feature_row *row,
				 struct check *c)
{
	if (f->bpf_err == -EBADF)
		return CHECK_OK;
	FOUND(c, "%s", f->bpf_err ? strerrordesc_np(-f->bpf_err) : "");
	return has_capability(f, CAP_BPF) || f->bpf_err == -ENOSYS ? CHECK_MISSING : CHECK_UNKNOWN;
}

static enum check_state setns_call(const struct facts *f, const struct feature_row *row,
				   struct check *c)
{
	FOUND(c, "%s", f->setns_err ? strerrordesc_np(-f->setns_err) : "");
	return state_of(!f->setns_err);
}

/* ---- what is mounted ---- */

static enum check_state cgroup2(const struct facts *f, const struct feature_row *row,
				struct check *c)
{
	if (f->cgroup2_err)
		FOUND(c, "%s", strerrordesc_np(-f->cgroup2_err));
	else
		FOUND(c, f->cgroup2_whole ? "the whole hierarchy" : "a part of the hierarchy");
	return state_of(f->cgroup2_whole);
}

/* ---- what the administrator has set ---- */

/* Kernel memory may not be read by programs in mode confidentiality. */
static enum check_state lockdown(const struct facts *f, const struct feature_row *row,
				 struct check *c)
{
	FOUND(c, "%s", f->lockdown);
	if (*f->lockdown)
		return state_of(strcmp(f->lockdown, "confidentiality"));
	return !f->btf_err && !f->features.lockdown ? CHECK_OK : CHECK_UNKNOWN;
}

/* arg: offset of an int64_t in struct facts; arg2: the least that is good */
static enum check_state sysctl(const struct facts *f, const struct feature_row *row,
			       struct check *c)
{
	int64_t value = *(const int64_t *)((const char *)f + row->arg);

	if (value == UNREADABLE)
		return CHECK_UNKNOWN;
	FOUND(c, "%lld", (long long)value);
	return state_of(value >= (int32_t)row->arg2);
}

/* ---- the table ---- */

#define TRACEPOINT(id)		tracepoint, TRACEPOINT_##id, 0, NEEDS_KERNEL
#define OPTIONAL_TRACEPOINT(id)	tracepoint, TRACEPOINT_##id, 0, OPTIONAL
#define ARGUMENT(id, number)	argument, TRACEPOINT_##id, number, OPTIONAL
#define FLAG(member)		flag, offsetof(struct features, member), 0
#define SYSCTL(member, least)	sysctl, offsetof(struct facts, member), least, OPTIONAL
#define ANY			((unsigned int)INT32_MIN)

static const struct feature_row table[] = {
	{ "btf", btf, 0, 0, NEEDS_KERNEL, "tracing",
	  "a kernel with CONFIG_DEBUG_INFO_BTF=y, and /sys/kernel/btf to be seen" },
	{ "inet_sock_set_state", TRACEPOINT(SET_STATE),
	  "state transitions, and all that follows", "Linux 5.10 or newer" },
	{ "tcp_retransmit_skb", TRACEPOINT(RETRANSMIT),
	  "retransmits", "Linux 5.10 or newer" },
	{ "tcp_retransmit_skb.err", ARGUMENT(RETRANSMIT, 3),
	  "the error of a retransmit that did not go out", "Linux 6.17 or newer" },
	{ "tcp_retransmit_synack", TRACEPOINT(SYNACK),
	  "SYN-ACK retransmits, requests never answered", "Linux 5.10 or newer" },
	{ "tcp_send_reset", TRACEPOINT(SEND_RESET),
	  "RSTs that were sent", "Linux 5.10 or newer" },
	{ "tcp_send_reset.reason", ARGUMENT(SEND_RESET, 3),
	  "why RSTs were sent, RSTs of no socket", "Linux 6.10 or newer" },
	{ "tcp_receive_reset", TRACEPOINT(RECEIVE_RESET),
	  "RSTs that were received", "Linux 5.10 or newer" },
	{ "kfree_skb", TRACEPOINT(KFREE_SKB),
	  "TIME_WAIT after FIN_WAIT2, late segments", "Linux 5.10 or newer" },
	{ "kfree_skb.rx_sk", ARGUMENT(KFREE_SKB, 4),
	  "late segments that are neither FIN nor RST", "Linux 6.11 or newer" },
	{ "tcp_rcv_space_adjust", OPTIONAL_TRACEPOINT(READ),
	  "owners of connections that were accepted", "Linux 5.10 or newer" },
	{ "sock_send_length", OPTIONAL_TRACEPOINT(WRITTEN),
	  "owners of those whose server writes first", "Linux 6.3 or newer" },
	{ "sk_storage", FLAG(sk_storage), OPTIONAL,
	  "owners cheaply, of however many connections", "Linux 5.11 or newer" },
	{ "ringbuf", FLAG(ringbuf), NEEDS_KERNEL, "tracing", "Linux 5.8 or newer" },
	{ "socket_cookie", FLAG(cookie), OPTIONAL,
	  "conn as ss -e has it (sk:), else an own id", "Linux 5.12 or newer" },
	{ "tcp_timewait_counter", FLAG(tw_refcount), OPTIONAL,
	  "audit of the entries into TIME_WAIT", "Linux 5.18 or newer" },
	{ "twins", twins, 0, 0, NEEDS_KERNEL,
	  "events that interrupt a running program", "a kernel with iterators over programs" },
	{ "iter/tcp", FLAG(iter_tcp), OPTIONAL,
	  "--existing, lives settled after a loss", "Linux 5.9 or newer" },
	{ "iter/task_file", FLAG(iter_owner), OPTIONAL,
	  "--existing, owners of what is older", "Linux 5.8 or newer" },
	{ "CAP_BPF", capability, CAP_BPF, 0, NEEDS_RIGHT, "tracing",
	  "run as root, or give it CAP_BPF and CAP_PERFMON" },
	{ "CAP_PERFMON", capability, CAP_PERFMON, 0, NEEDS_RIGHT, "tracing",
	  "run as root, or give it CAP_BPF and CAP_PERFMON" },
	{ "CAP_SYS_ADMIN", capability, CAP_SYS_ADMIN, 0, OPTIONAL,
	  "existing sockets of other network namespaces", "run as root, or give it CAP_SYS_ADMIN" },
	{ "CAP_SYS_PTRACE", capability, CAP_SYS_PTRACE, 0, OPTIONAL,
	  "-N pid:PID, nameless netns of other users",
	  "run as root, or give it CAP_SYS_PTRACE" },
	{ "CAP_DAC_READ_SEARCH", capability, CAP_DAC_READ_SEARCH, 0, OPTIONAL,
	  "cgroups at once, else by walking their tree",
	  "run as root, or give it CAP_DAC_READ_SEARCH" },
	{ "cgroup2", cgroup2, 0, 0, OPTIONAL, "cgroup, unit, container_id, pod_uid",
	  "mount the host's hierarchy: mount -t cgroup2 none DIR; docker run --cgroupns=host" },
	{ "memlock", memlock, 0, 0, NEEDS_RIGHT, "tracing, before Linux 5.11",
	  "ulimit -l unlimited, or give it CAP_SYS_RESOURCE" },
	{ "user_namespace", user_namespace, 0, 0, NEEDS_RIGHT, "tracing",
	  "start it in the host's user namespace: docker run --userns=host" },
	{ "pid_namespace", pid_namespace, 0, 0, OPTIONAL,
	  "--existing, owners outside of this container",
	  "start it in the host's pid namespace: docker run --pid=host" },
	{ "bpf", bpf_call, 0, 0, NEEDS_RIGHT, "tracing",
	  "let it call bpf(): no seccomp filter or security module in its way" },
	{ "setns", setns_call, 0, 0, OPTIONAL, "existing sockets of other network namespaces",
	  "give it CAP_SYS_ADMIN, and no seccomp filter in its way" },
	{ "lockdown", lockdown, 0, 0, NEEDS_RIGHT, "tracing",
	  "boot with lockdown=integrity or without" },
	{ "perf_event_paranoid", SYSCTL(perf_event_paranoid, ANY),
	  "nothing: CAP_PERFMON stands above it", NULL },
	{ "unprivileged_bpf_disabled", SYSCTL(unprivileged_bpf_disabled, ANY),
	  "nothing: CAP_BPF stands above it", NULL },
	{ "bpf_jit_enable", SYSCTL(bpf_jit_enable, 1), "speed: interpreted programs are slow",
	  "sysctl net.core.bpf_jit_enable=1" },
};

_Static_assert(ARRAY_SIZE(table) <= CHECKS_MAX, "callers have room for that many");

unsigned int doctor_check(const struct facts *facts, struct check ret[CHECKS_MAX])
{
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		const struct feature_row *row = &table[i];
		struct check *c = &ret[i];

		*c = (struct check){ .feature = row->feature, .needs = row->needs };
		c->state = row->probe(facts, row, c);
		if (c->state == CHECK_MISSING)
			c->cure = row->cure;
	}
	return ARRAY_SIZE(table);
}

/* ---- the verdict ---- */

static enum exit_status status_without(enum weight weight)
{
	switch (weight) {
	case NEEDS_KERNEL:
		return STATUS_NO_FEATURE;
	case NEEDS_RIGHT:
		return STATUS_NOT_PERMITTED;
	case OPTIONAL:
		break;
	}
	return STATUS_OK;
}

struct doctor_verdict doctor_judge(const struct check *checks, unsigned int nr)
{
	struct doctor_verdict v = { .status = STATUS_OK };
	size_t len = 0;

	for (unsigned int i = 0; i < nr; i++) {
		enum exit_status status = status_without(table[i].weight);
		int n;

		if (checks[i].state == CHECK_UNKNOWN && status && !v.unknown)
			v.unknown = checks[i].feature;
		if (checks[i].state != CHECK_MISSING || !status)
			continue;
		if (status > v.status) {	/* a feature beats a right */
			v.status = status;
			v.cure = checks[i].cure;
		}
		n = snprintf(v.against + len, sizeof(v.against) - len, "%s%s",
			     len ? ", " : "", checks[i].feature);
		len += (size_t)n < sizeof(v.against) - len ? (size_t)n :
							     sizeof(v.against) - len - 1;
	}
	return v;
}

_Static_assert(STATUS_NO_FEATURE > STATUS_NOT_PERMITTED, "as doctor_judge() compares them");

/* ---- output ---- */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int print_checks(const struct check *checks, unsigned int nr, enum format format, int fd)
{
	CLEANUP(out_deinit) struct out out = {};
	struct sink sink = {
		.ops = format == FORMAT_JSON ? &sink_json : &sink_table, .out = &out,
		.command = F_DOCTOR,
	};
	uint64_t time_ns = now_ns();
	int err;

	err = out_init(&out, fd, true);
	if (err)
		return err;
	sink_begin(&sink);
	for (unsigned int i = 0; i < nr; i++) {
		struct row row;

		row_from_check(&row, &checks[i], time_ns);
		sink_row(&sink, &row);
	}
	out_drain(&out);
	return out.err == EPIPE ? 0 : -out.err;
}

int doctor_run(const struct facts *facts, enum format format, int fd)
{
	struct check checks[CHECKS_MAX];
	unsigned int nr = doctor_check(facts, checks);
	struct doctor_verdict v = doctor_judge(checks, nr);
	int err;

	for (unsigned int i = 0; i < nr; i++) {
		if (*checks[i].found)
			log_debug("%s: %s", checks[i].feature, checks[i].found);
	}
	err = print_checks(checks, nr, format, fd);
	if (err) {
		log_error("cannot write to stdout: %s; send it elsewhere", strerror(-err));
		return STATUS_ERROR;
	}
	if (v.status)
		log_error("tracing will not work: missing: %s; %s", v.against, v.cure);
	else if (v.unknown)
		log_info("tracing will work, unless %s, of which nothing could be told, stands "
			 "against it; synfin trace -d 1 tries", v.unknown);
	else
		log_info("tracing will work");
	return v.status;
}
