// SPDX-License-Identifier: GPL-2.0-or-later
#include "feature.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cgroup_lookup.h"
#include "cleanup.h"
#include "netns.h"

static const struct { const char *name; uint8_t least; } tracepoints[TRACEPOINT_MAX] = {
#define X(id, name, least, needed) { name, least },
	TRACEPOINTS(X)
#undef X
};

static void btf_freep(struct btf **btf)
{
	btf__free(*btf);
}

/* btf_trace_NAME is a typedef of the probe's prototype, whose first argument is not the event's. */
static uint8_t arguments_of(const struct btf *btf, const char *name)
{
	const struct btf_type *t;
	char type[80];
	int id;

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF);
	if (id < 0)
		return 0;
	t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (!t || !btf_is_ptr(t))
		return 0;
	t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) && btf_vlen(t) ? btf_vlen(t) - 1 : 0;
}

static bool has_member(const struct btf *btf, const char *name, const char *member)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; t && i < btf_vlen(t); i++) {
		const char *found = btf__str_by_offset(btf, btf_members(t)[i].name_off);

		if (found && !strcmp(found, member))
			return true;
	}
	return false;
}

static bool has_enumerator(const struct btf *btf, const char *name, const char *enumerator)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; t && i < btf_vlen(t); i++) {
		const char *found = btf__str_by_offset(btf, btf_enum(t)[i].name_off);

		if (found && !strcmp(found, enumerator))
			return true;
	}
	return false;
}

/*
 * The coarse clocks advance once a tick: their resolution is TICK_NSEC, exactly
 * what HZ was configured to, and needs no privilege.
 */
static uint32_t ticks_per_second(void)
{
	struct timespec res;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &res) || res.tv_sec || res.tv_nsec <= 0)
		return 250;
	return (1000000000 + res.tv_nsec / 2) / res.tv_nsec;
}

/*
 * libbpf tells of the last of the places it looked in.  Where the first can be
 * opened it was memory that failed.
 */
static int btf_errno(int told)
{
	CLEANUP(cleanup_close) int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	return told == ENOENT || told == ESRCH ? ENOMEM : told;
}

/* Who asked tells what is wrong; libbpf need not say it before. */
static struct btf *load_btf(void)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct btf *ret = btf__load_vmlinux_btf();
	int err = errno;

	libbpf_set_print(print);
	errno = ret ? 0 : btf_errno(err);
	return ret;
}

int feature_probe(struct features *ret)
{
	CLEANUP(btf_freep) struct btf *btf = load_btf();
	struct features f = { .hz = ticks_per_second() };
	struct utsname uts;

	if (!btf)
		return errno == ESRCH ? -ENOENT : -errno;
	for (int i = 0; i < TRACEPOINT_MAX; i++) {
		f.arguments[i] = arguments_of(btf, tracepoints[i].name);
		if (f.arguments[i] < tracepoints[i].least)
			f.arguments[i] = 0;
	}
	/* What bpf_get_socket_cookie() is in tracing programs, c5dbb89fc2ac, v5.12. */
	f.cookie = btf__find_by_name_kind(btf, "bpf_get_socket_ptr_cookie", BTF_KIND_FUNC) > 0;
	f.sk_storage = btf__find_by_name_kind(btf, "bpf_sk_storage_get_tracing",
					      BTF_KIND_FUNC) > 0;
	f.preempts = btf__find_by_name_kind(btf, "tracepoint_srcu_srcu_data", BTF_KIND_VAR) > 0 &&
		     btf__find_by_name_kind(btf, "init_srcu_struct_fast", BTF_KIND_FUNC) > 0;
	f.task_btf = btf__find_by_name_kind(btf, "bpf_get_current_task_btf", BTF_KIND_FUNC) > 0;
	f.iter_tcp = btf__find_by_name_kind(btf, "bpf_iter__tcp", BTF_KIND_STRUCT) > 0;
	f.iter_owner = btf__find_by_name_kind(btf, "bpf_iter__task_file", BTF_KIND_STRUCT) > 0;
	f.sock_from_file = btf__find_by_name_kind(btf, "bpf_sock_from_file", BTF_KIND_FUNC) > 0;
	f.guard = has_member(btf, "bpf_prog", "active");
	f.tw_refcount = has_member(btf, "inet_timewait_death_row", "tw_refcount");
	f.iter_prog = btf__find_by_name_kind(btf, "bpf_iter__bpf_prog", BTF_KIND_STRUCT) > 0;
	f.ringbuf = has_enumerator(btf, "bpf_map_type", "BPF_MAP_TYPE_RINGBUF");
	/* Gone with the accounting, 80ee81e0403c, v5.11. */
	f.memlock = btf__find_by_name_kind(btf, "bpf_map_memory", BTF_KIND_STRUCT) > 0;
	f.lockdown = btf__find_by_name_kind(btf, "lockdown_is_locked_down", BTF_KIND_FUNC) > 0;
	if (!uname(&uts))
		snprintf(f.release, sizeof(f.release), "%.63s", uts.release);
	*ret = f;
	return 0;
}

/* ---- what else doctor looks at ---- */

/* Inode numbers of the first namespaces, include/linux/proc_ns.h. */
#define INIT_USER_INO	0xeffffffdu
#define INIT_PID_INO	0xeffffffcu

static bool is_inode(const char *path, uint64_t inode)
{
	struct stat st;

	return !stat(path, &st) && st.st_ino == inode;
}

/* The first line; "" if it cannot be read. */
static void read_line(const char *path, char *buf, size_t size)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, buf, size - 1);

	buf[len < 0 ? 0 : len] = 0;
	buf[strcspn(buf, "\n")] = 0;
}

static int64_t read_sysctl(const char *path)
{
	char text[32], *end;
	int64_t ret;

	read_line(path, text, sizeof(text));
	ret = strtoll(text, &end, 10);
	return *text && !*end ? ret : UNREADABLE;
}

/* The mode in force is the one in brackets: none [integrity] confidentiality */
static void read_lockdown(char *ret, size_t size)
{
	char text[128], *mode;

	read_line("/sys/kernel/security/lockdown", text, sizeof(text));
	mode = strchr(text, '[');
	if (!mode)
		return;
	mode[strcspn(mode, "]")] = 0;
	snprintf(ret, size, "%s", mode + 1);
}

/* A look-up in no map: who may call bpf() at all is told EBADF. */
int feature_try_bpf(void)
{
	union bpf_attr attr = { .map_fd = -1u };

	return syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) ? -errno : 0;
}

static int try_setns(void)
{
	CLEANUP(cleanup_close) int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : netns_enter(fd);
}

static uint64_t effective_capabilities(void)
{
	uint64_t ret = 0;

	if (capng_get_caps_process())
		return 0;
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (capng_have_capability(CAPNG_EFFECTIVE, cap))
			ret |= 1ull << cap;
	}
	return ret;
}

static void look_at_cgroups(struct facts *ret)
{
	struct cgroup_lookup *l;

	ret->cgroup2_err = cgroup_lookup_open(&l);
	if (ret->cgroup2_err)
		return;
	ret->cgroup2_whole = cgroup_lookup_is_whole(l);
	cgroup_lookup_close(l);
}

static bool memlock_is_unlimited(void)
{
	struct rlimit memlock = {};

	return !getrlimit(RLIMIT_MEMLOCK, &memlock) && memlock.rlim_cur == RLIM_INFINITY;
}

/* Who may raise the limit has it raised by libbpf. */
bool feature_lacks_memlock(const struct features *f)
{
	return f->memlock && !memlock_is_unlimited() && !capng_get_caps_process() &&
	       !capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_RESOURCE);
}

void feature_look(struct facts *ret)
{
	*ret = (struct facts){
		.capabilities = effective_capabilities(),
		.init_userns = is_inode("/proc/self/ns/user", INIT_USER_INO),
		.init_pidns = is_inode("/proc/self/ns/pid", INIT_PID_INO),
		.bpf_err = feature_try_bpf(),
		.setns_err = try_setns(),
		.perf_event_paranoid = read_sysctl("/proc/sys/kernel/perf_event_paranoid"),
		.unprivileged_bpf_disabled =
			read_sysctl("/proc/sys/kernel/unprivileged_bpf_disabled"),
		.bpf_jit_enable = read_sysctl("/proc/sys/net/core/bpf_jit_enable"),
	};
	ret->btf_err = feature_probe(&ret->features);
	ret->memlock_unlimited = memlock_is_unlimited();
	read_lockdown(ret->lockdown, sizeof(ret->lockdown));
	look_at_cgroups(ret);
}

/* CAP_SYS_ADMIN stands for both, as it does in the kernel. */
const char *feature_missing_capability(void)
{
	if (capng_get_caps_process())
		return NULL;
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN))
		return NULL;
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF))
		return "CAP_BPF";
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON))
		return "CAP_PERFMON";
	return NULL;
}

void feature_reset_reasons(void (*fn)(void *ctx, uint32_t id, const char *name), void *ctx)
{
	static const char prefix[] = "SK_RST_REASON_";
	CLEANUP(btf_freep) struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *t;
	int id = btf ? btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM) : -ENOENT;

	if (id < 0)
		return;
	t = btf__type_by_id(btf, id);
	for (int i = 0; i < btf_vlen(t); i++) {
		const char *name = btf__str_by_offset(btf, btf_enum(t)[i].name_off);
		char lower[64] = "";

		if (!name || strncmp(name, prefix, sizeof(prefix) - 1))
			continue;
		name += sizeof(prefix) - 1;
		for (size_t k = 0; k < sizeof(lower) - 1 && name[k]; k++)
			lower[k] = tolower((unsigned char)name[k]);
		fn(ctx, btf_enum(t)[i].val, lower);
	}
}
