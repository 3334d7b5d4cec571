// SPDX-License-Identifier: GPL-2.0-or-later
#include "feature.h"

#include <bpf/btf.h>
#include <cap-ng.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "cleanup.h"

static const struct { const char *name; uint8_t least; } tracepoints[TRACEPOINT_MAX] = {
#define X(id, name, least) { name, least },
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

int feature_probe(struct features *ret)
{
	CLEANUP(btf_freep) struct btf *btf = btf__load_vmlinux_btf();
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
	f.iter_tcp = btf__find_by_name_kind(btf, "bpf_iter__tcp", BTF_KIND_STRUCT) > 0;
	f.iter_owner = btf__find_by_name_kind(btf, "bpf_iter__task_file", BTF_KIND_STRUCT) > 0 &&
		       btf__find_by_name_kind(btf, "bpf_sock_from_file", BTF_KIND_FUNC) > 0;
	f.guard = has_member(btf, "bpf_prog", "active");
	if (!uname(&uts))
		snprintf(f.release, sizeof(f.release), "%.63s", uts.release);
	*ret = f;
	return 0;
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
		for (size_t k = 0; name[k] && k < sizeof(lower) - 1; k++)
			lower[k] = tolower((unsigned char)name[k]);
		fn(ctx, btf_enum(t)[i].val, lower);
	}
}
