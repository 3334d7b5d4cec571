// SPDX-License-Identifier: GPL-2.0-or-later
#include "feature.h"

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

static const uint8_t least_arguments[TRACEPOINT_MAX] = {
#define X(id, name, least, needed) least,
	TRACEPOINTS(X)
#undef X
};

/* btf_trace_NAME is a typedef of the probe's prototype, whose first argument is not the event's. */
static uint8_t arguments_of(const struct btf_walk *btf, uint32_t id)
{
	const struct btf_type *t = btf_walk_type(btf, id);

	t = t ? btf_walk_type(btf, t->type) : NULL;
	if (!t || BTF_INFO_KIND(t->info) != BTF_KIND_PTR)
		return 0;
	t = btf_walk_type(btf, t->type);
	return t && BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO && BTF_INFO_VLEN(t->info) ?
	       BTF_INFO_VLEN(t->info) - 1 : 0;
}

/* A structure's, or an enumeration's: names come first in each. */
static bool has_part(const struct btf_walk *btf, uint32_t id, size_t size, const char *name)
{
	const struct btf_type *t = btf_walk_type(btf, id);
	const char *at = (const char *)(t + 1);

	for (unsigned int i = 0; t && i < BTF_INFO_VLEN(t->info); i++, at += size) {
		if (!strcmp(btf_walk_name(btf, *(const uint32_t *)at), name))
			return true;
	}
	return false;
}

static bool has_member(const struct btf_walk *btf, uint32_t id, const char *name)
{
	return has_part(btf, id, sizeof(struct btf_member), name);
}

static bool has_enumerator(const struct btf_walk *btf, uint32_t id, const char *name)
{
	return has_part(btf, id, sizeof(struct btf_enum), name);
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

/* What the kernel's BTF is asked for: X(enum, kind, name) */
#define TYPES(X)									\
	/* What bpf_get_socket_cookie() is in tracing programs, c5dbb89fc2ac, v5.12. */	\
	X(COOKIE, FUNC, "bpf_get_socket_ptr_cookie")					\
	X(SK_STORAGE, FUNC, "bpf_sk_storage_get_tracing")				\
	X(SRCU_DATA, VAR, "tracepoint_srcu_srcu_data")					\
	X(SRCU_FAST, FUNC, "init_srcu_struct_fast")					\
	X(TASK_BTF, FUNC, "bpf_get_current_task_btf")					\
	X(ITER_TCP, STRUCT, "bpf_iter__tcp")						\
	X(ITER_OWNER, STRUCT, "bpf_iter__task_file")					\
	X(SOCK_FROM_FILE, FUNC, "bpf_sock_from_file")					\
	X(PROG, STRUCT, "bpf_prog")							\
	X(DEATH_ROW, STRUCT, "inet_timewait_death_row")					\
	X(ITER_PROG, STRUCT, "bpf_iter__bpf_prog")					\
	X(MAP_TYPE, ENUM, "bpf_map_type")						\
	/* Gone with the accounting, 80ee81e0403c, v5.11. */				\
	X(MAP_MEMORY, STRUCT, "bpf_map_memory")						\
	X(LOCKDOWN, FUNC, "lockdown_is_locked_down")

enum type {
#define X(id, ...) TYPE_##id,
	TYPES(X)
#undef X
	TYPE_MAX
};

/* And of each tracepoint the probe's type, of each iterator its function. */
#define FIRST_PROBE	TYPE_MAX
#define FIRST_HOOK	(FIRST_PROBE + TRACEPOINT_MAX)
#define WANTED_MAX	(FIRST_HOOK + ITER_HOOK_MAX)

static void find_types(const struct btf_walk *btf, struct btf_wanted *ret)
{
	static const struct btf_wanted wanted[WANTED_MAX] = {
#define X(id, kind, name) { name, 1u << BTF_KIND_##kind, 0 },
		TYPES(X)
#undef X
#define X(id, name, ...) { "btf_trace_" name, 1u << BTF_KIND_TYPEDEF, 0 },
		TRACEPOINTS(X)
#undef X
#define X(id, name) { "bpf_iter_" name, 1u << BTF_KIND_FUNC, 0 },
		ITER_HOOKS(X)
#undef X
	};

	memcpy(ret, wanted, sizeof(wanted));
	btf_walk_find(btf, ret, WANTED_MAX);
}

void feature_probe(const struct kernel_btf *from, struct features *ret)
{
	struct features f = { .hz = ticks_per_second() };
	struct btf_wanted types[WANTED_MAX];
	const struct btf_walk *btf = &from->walk;
	struct utsname uts;

	find_types(btf, types);
	for (int i = 0; i < TRACEPOINT_MAX; i++) {
		f.arguments[i] = arguments_of(btf, types[FIRST_PROBE + i].id);
		if (f.arguments[i] < least_arguments[i])
			f.arguments[i] = 0;
	}
	for (int i = 0; i < ITER_HOOK_MAX; i++)
		f.iter_hooks[i] = types[FIRST_HOOK + i].id;
	f.cookie = types[TYPE_COOKIE].id;
	f.sk_storage = types[TYPE_SK_STORAGE].id;
	f.preempts = types[TYPE_SRCU_DATA].id && types[TYPE_SRCU_FAST].id;
	f.task_btf = types[TYPE_TASK_BTF].id;
	f.iter_tcp = types[TYPE_ITER_TCP].id;
	f.iter_owner = types[TYPE_ITER_OWNER].id;
	f.sock_from_file = types[TYPE_SOCK_FROM_FILE].id;
	f.guard = has_member(btf, types[TYPE_PROG].id, "active");
	f.tw_refcount = has_member(btf, types[TYPE_DEATH_ROW].id, "tw_refcount");
	f.iter_prog = types[TYPE_ITER_PROG].id;
	f.ringbuf = has_enumerator(btf, types[TYPE_MAP_TYPE].id, "BPF_MAP_TYPE_RINGBUF");
	f.memlock = types[TYPE_MAP_MEMORY].id;
	f.lockdown = types[TYPE_LOCKDOWN].id;
	if (!uname(&uts))
		snprintf(f.release, sizeof(f.release), "%.63s", uts.release);
	*ret = f;
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
	CLEANUP(kernel_btf_close) struct kernel_btf btf = {};

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
	ret->btf_err = kernel_btf_open(&btf);
	if (!ret->btf_err)
		feature_probe(&btf, &ret->features);
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

void feature_reset_reasons(const struct kernel_btf *from,
			   void (*fn)(void *ctx, uint32_t id, const char *name), void *ctx)
{
	static const char prefix[] = "SK_RST_REASON_";
	struct btf_wanted reasons = { "sk_rst_reason", 1u << BTF_KIND_ENUM, 0 };
	const struct btf_walk *btf = &from->walk;
	const struct btf_type *t;
	const struct btf_enum *e;

	btf_walk_find(btf, &reasons, 1);
	t = btf_walk_type(btf, reasons.id);
	e = (const struct btf_enum *)(t + 1);
	for (unsigned int i = 0; t && i < BTF_INFO_VLEN(t->info); i++) {
		const char *name = btf_walk_name(btf, e[i].name_off);
		char lower[64] = "";

		if (strncmp(name, prefix, sizeof(prefix) - 1))
			continue;
		name += sizeof(prefix) - 1;
		for (size_t k = 0; k < sizeof(lower) - 1 && name[k]; k++)
			lower[k] = tolower((unsigned char)name[k]);
		fn(ctx, e[i].val, lower);
	}
}
