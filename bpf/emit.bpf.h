/* SPDX-License-Identifier: GPL-2.0 */
/*
 * emit.bpf.h - reserve and submit, with an account of what had no room; the
 * counters beside the ring; the twin.
 */
#ifndef SYNFIN_EMIT_BPF_H
#define SYNFIN_EMIT_BPF_H

#include "compat.bpf.h"

#define ADD(counter, n) ((void)__sync_fetch_and_add(&(counter), (n)))

static __always_inline struct wire_cpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* This CPU's counters; NULL never happens, but the verifier asks. */
static __always_inline struct wire_counters *counters_of(__u32 netns)
{
	__u32 row = bpf_get_smp_processor_id();
	const __u32 *slot;

	if (nr_slots > 1) {
		slot = bpf_map_lookup_elem(&slots, &netns);
		if (slot)
			row += *slot * nr_cpus;
	}
	return bpf_map_lookup_elem(&counters, &row);
}

/*
 * A record of its kind's size, header filled but for cookie and sock, the rest
 * as the ring left it: the caller fills every member.
 */
static __always_inline void *record_begin(struct wire_counters *count, __u32 kind, __u64 len,
					  __u32 netns)
{
	__u64 ts_ns = bpf_ktime_get_ns();
	struct wire_hdr *hdr = bpf_ringbuf_reserve(&ring, len, 0);

	if (!hdr) {
		ADD(count->lost_ring, 1);
		return NULL;
	}
	hdr->ts_ns = ts_ns;
	hdr->netns = netns;
	hdr->len = len;
	hdr->kind = kind;
	hdr->version = WIRE_VERSION;
	return hdr;
}

/* The verifier knows sk as a pointer, and allows no XOR, until it comes back from memory. */
static __always_inline void record_identity(struct wire_hdr *hdr, __u64 cookie, const void *sk)
{
	volatile __u64 *sock = &hdr->sock;

	hdr->cookie = cookie;
	*sock = (__u64)sk;
	if (sk)
		*sock ^= sock_mask;
}

/* No wake-up a record: at the watermark, else the reader's timer. */
static __always_inline bool is_time_to_wake(struct wire_cpu *cpu)
{
	if (!cpu || ++cpu->records & wake_mask)	/* the nested one's may be lost */
		return false;
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= wake_at;
}

static __always_inline void record_end_on(struct wire_cpu *cpu, void *rec)
{
	bpf_ringbuf_submit(rec, is_time_to_wake(cpu) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline void record_end(void *rec)
{
	record_end_on(this_cpu(), rec);
}

/* key 0 stands for nobody. */
static __always_inline bool is_news(void *seen, __u64 key)
{
	__u8 one = 1;

	if (!key || bpf_map_lookup_elem(seen, &key))
		return false;
	bpf_map_update_elem(seen, &key, &one, BPF_ANY);
	return true;
}

/* Most are the same as the last on this CPU. */
static __always_inline bool is_new_cgroup(struct wire_cpu *cpu, __u64 cgroup)
{
	if (!cpu || cpu->cgroup == cgroup)
		return false;
	cpu->cgroup = cgroup;
	return is_news(&seen_cgroups, cgroup);
}

/*
 * The reader looks up what a cgroup is called, and what /proc shows of a process, and
 * what was made for a single command is gone before its timer comes: so of each of
 * them it is woken once.
 */
static __always_inline void record_end_of(void *rec, __u64 cgroup, __u64 process)
{
	struct wire_cpu *cpu = this_cpu();
	bool wakes = wants_owners && is_new_cgroup(cpu, cgroup);

	if (wants_processes && is_news(&seen_processes, process))
		wakes = true;
	if (wakes)
		bpf_ringbuf_submit(rec, BPF_RB_FORCE_WAKEUP);
	else
		record_end_on(cpu, rec);
}

/*
 * From 6.1 on (05b24ff9b2cf, "bpf: Prevent bpf program recursion for raw
 * tracepoint probes") the kernel silently skips a program that is hit again on
 * the CPU where it already runs, for instance by a softirq on top of it.  So
 * each program has a twin on the same tracepoint that does the same work exactly
 * when the first was skipped: when the kernel's own mark of a running program,
 * bpf_prog.active of the first, is set on this CPU.  The twin is called after
 * the first, within the same event, so the mark says just what the kernel saw.
 *
 * A flag of our own, set on entry and cleared on exit, would leave a hole at
 * either end, through which a softirq's whole burst of events falls.  But to ask the
 * kernel takes a call, as long as a seventh of a transition's work.  So the first leaves
 * its context's address, which no other event on this CPU has while that one is under way;
 * the twin that finds it takes it away, and knows.  Where there is none (one that was
 * skipped leaves none; or a softirq's event came between the two and left, or took, its
 * own) the twin asks the kernel.
 *
 * Without the guard there is no mark, nothing is skipped, and the twins are
 * neither needed nor attached.
 *
 * Since 7.1 a task is preempted in these programs, too.  Then the kernel skips the first
 * for all that runs on its CPU, the twin takes that, and may be preempted itself: so
 * there are as many twins there as tasks are likely to be caught.  And the kernel's mark
 * says nothing any more of the event at hand: who is preempted behind the first finds it
 * set by another, and who was skipped and is preempted before its twin finds it cleared.
 * So whoever takes an event leaves its context's address, which on the task's stack is
 * that event's alone, for the twins behind it; and an event without one was skipped, if
 * more were skipped on this CPU than twins have taken (is_owed()).
 */
static __always_inline void leave_mark(enum wire_prog prog, const void *ctx)
{
	struct wire_cpu *cpu = this_cpu();

	if (cpu)
		cpu->taken[prog][0] = (__u64)ctx;
}

/* By the first.  It is gone afterwards, whosever it was. */
static __always_inline bool was_marked(struct wire_cpu *cpu, enum wire_prog prog, const void *ctx)
{
	__u64 mark = cpu->taken[prog][0];

	cpu->taken[prog][0] = 0;
	return mark == (__u64)ctx;
}

static __always_inline bool is_skipped(const struct wire_cpu *cpu, enum wire_prog prog)
{
	int active = 0;

	bpf_probe_read_kernel(&active, sizeof(active),
			      (const void *)(first_active[prog] + cpu->percpu_offset));
	return active;
}

/* As a number, which the verifier lets a context become in memory only. */
static __always_inline __u64 address_of(const void *ctx)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &ctx);
	return address;
}

/* A stack's own place, unless it shares it with another: stacks are some 2^15 bytes apart. */
static __always_inline __u64 *place_of(struct wire_cpu *cpu, enum wire_prog prog, __u64 event)
{
	return &cpu->taken[prog][(event >> 12) * 0x9e3779b97f4a7c15ull >> 32 & (WIRE_TAKEN - 1)];
}

static __always_inline void take(enum wire_prog prog, const void *ctx)
{
	struct wire_cpu *cpu = this_cpu();
	__u64 event = address_of(ctx);

	if (cpu)
		*place_of(cpu, prog, event) = event;
}

/* By a copy before this one; the last of them forgets it. */
static __always_inline bool was_taken(struct wire_cpu *cpu, enum wire_prog prog, int copy,
				      const void *ctx)
{
	__u64 event = address_of(ctx), *place = place_of(cpu, prog, event);

	if (*place != event)
		return false;
	if (copy == WIRE_COPIES - 1)
		*place = 0;
	return true;
}

/*
 * Of the events for which the kernel skipped the first on this CPU, is there one that no
 * twin has taken?  An event that lost its mark (a place is shared, a task moves to another
 * CPU) is not taken for one that was skipped, then, unless both come together.
 */
static __always_inline bool is_owed(const struct wire_cpu *cpu, enum wire_prog prog)
{
	__u64 missed = 0;

	bpf_probe_read_kernel(&missed, sizeof(missed),
			      (const void *)(first_missed[prog] + cpu->percpu_offset));
	return (__s32)(missed - cpu->nested[prog]) > 0;
}

/* To this copy, by all before it. */
static __always_inline bool is_left(enum wire_prog prog, int copy, const void *ctx)
{
	struct wire_cpu *cpu = this_cpu();

	if (!cpu)
		return false;
	if (preempts_programs) {
		if (was_taken(cpu, prog, copy, ctx) || !is_owed(cpu, prog))
			return false;
	} else if (was_marked(cpu, prog, ctx) || !is_skipped(cpu, prog)) {
		return false;
	}
	ADD(cpu->nested[prog], 1);
	return true;
}

/* A loop that every kernel's verifier can follow; bpf_loop() came with 5.17. */
static __always_inline void be_slow(void)
{
	for (__u32 i = 0; i < debug_slow; i++)
		bpf_ktime_get_ns();
}

#define TWIN(hook, name, work, prog, copy)				\
SEC("tp_btf/" hook) int name(__u64 *ctx)				\
{									\
	if (!is_left(prog, copy, ctx))					\
		return 0;						\
	if (preempts_programs && copy < WIRE_COPIES - 1)	/* one is behind */	\
		take(prog, ctx);					\
	work(ctx);							\
	return 0;							\
}

#define PROGRAM(hook, name, prog)					\
SEC("tp_btf/" hook) int name(__u64 *ctx)				\
{									\
	if (preempts_programs)						\
		take(prog, ctx);					\
	else								\
		leave_mark(prog, ctx);					\
	be_slow();							\
	do_##name(ctx);							\
	return 0;							\
}									\
TWIN(hook, name##_twin, do_##name, prog, 1)				\
TWIN(hook, name##_third, do_##name, prog, 2)				\
TWIN(hook, name##_fourth, do_##name, prog, 3)

#endif
