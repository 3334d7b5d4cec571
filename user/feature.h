/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * feature.h - what this kernel and these privileges allow, asked before
 * anything is loaded.  By feature, never by version.
 */
#ifndef SYNFIN_FEATURE_H
#define SYNFIN_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_btf.h"

/*
 * The tracepoints that the BPF side hooks: X(enum, name, least arguments, whether
 * tracing needs it).
 */
#define TRACEPOINTS(X)						\
	X(SET_STATE, "inet_sock_set_state", 3, true)		\
	X(RETRANSMIT, "tcp_retransmit_skb", 2, true)		\
	X(SYNACK, "tcp_retransmit_synack", 2, true)		\
	X(SEND_RESET, "tcp_send_reset", 2, true)		\
	X(RECEIVE_RESET, "tcp_receive_reset", 1, true)		\
	X(KFREE_SKB, "kfree_skb", 2, true)			\
	X(READ, "tcp_rcv_space_adjust", 1, false)		\
	X(WRITTEN, "sock_send_length", 2, false)

enum tracepoint {
#define X(id, ...) TRACEPOINT_##id,
	TRACEPOINTS(X)
#undef X
	TRACEPOINT_MAX
};

/* Iterators: X(enum, name), as in SEC("iter/name"). */
#define ITER_HOOKS(X)	X(TCP, "tcp") X(TASK_FILE, "task_file")

enum iter_hook {
#define X(id, ...) ITER_HOOK_##id,
	ITER_HOOKS(X)
#undef X
	ITER_HOOK_MAX
};

struct features {
	uint8_t arguments[TRACEPOINT_MAX];	/* 0: the kernel has no such tracepoint */
	bool sk_storage;	/* bpf_sk_storage_get() in tracing programs */
	bool task_btf;		/* bpf_get_current_task_btf() */
	bool preempts;		/* programs of tracepoints: SRCU-fast guards those, 7.1 */
	bool cookie;		/* bpf_get_socket_cookie() in tracing programs */
	bool guard;		/* a running program is not entered again (6.1) */
	bool tw_refcount;	/* TIME_WAIT counts at its entry, no longer at its end (5.18) */
	bool iter_tcp;		/* sockets can be counted off (5.9) */
	bool iter_owner;	/* and their descriptors (5.8) */
	bool sock_from_file;	/* by a helper, else by its inode and private_data (5.11) */
	bool iter_prog;		/* and programs, which the guard's twins need */
	bool ringbuf;
	bool memlock;		/* maps count against RLIMIT_MEMLOCK (before 5.11) */
	bool lockdown;		/* the kernel can be locked down */
	uint32_t iter_hooks[ITER_HOOK_MAX];	/* where iterators attach: ids in its BTF */
	uint32_t hz;
	char release[64];	/* uname -r */
};

void feature_probe(const struct kernel_btf *from, struct features *ret);

/*
 * What `doctor` judges: the system as it is found, without a need for any
 * privilege.  A sysctl that cannot be read is INT64_MIN.
 */
#define UNREADABLE	INT64_MIN

struct facts {
	int btf_err;		/* of kernel_btf_open(); 0: features are known */
	struct features features;
	uint64_t capabilities;	/* effective; bits by CAP_* */
	bool init_userns, init_pidns;
	int bpf_err;		/* of a bpf() that asks for nothing */
	int setns_err;		/* of entering the network namespace we are in */
	int cgroup2_err;	/* of finding where cgroup v2 is mounted */
	bool cgroup2_whole;	/* from its root on */
	bool memlock_unlimited;
	char lockdown[32];	/* the mode; "": not to be read */
	int64_t perf_event_paranoid, unprivileged_bpf_disabled, bpf_jit_enable;
};

void feature_look(struct facts *ret);

/* A bpf() that asks for nothing: -EBADF, or how the kernel refuses it. */
int feature_try_bpf(void);

/* NULL, or the name of the first capability that tracing needs and is missing. */
const char *feature_missing_capability(void);

/* Maps count as locked memory, and this process may not have as much of it as it takes. */
bool feature_lacks_memlock(const struct features *f);

/*
 * Names of this kernel's reset reasons, lower case, without their prefix, are
 * handed out one by one; none where there is no such enum.
 */
void feature_reset_reasons(const struct kernel_btf *from,
			   void (*fn)(void *ctx, uint32_t id, const char *name), void *ctx);

#endif
