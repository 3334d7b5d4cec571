/* SPDX-License-Identifier: GPL-2.0 */
/*
 * twin.bpf.h - programs of which none is skipped: PROGRAM() makes the copies of one, and
 * each event is the work of exactly one of them.
 */
#ifndef SYNFIN_TWIN_BPF_H
#define SYNFIN_TWIN_BPF_H

#include "emit.bpf.h"

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
 * there are as many twins there as tasks are likely to be caught (behind a first that was
 * slow on purpose the second copy took 11000 events, the third 500, the fourth 15).
 *
 * And the kernel's mark says nothing any more of the event at hand: who is preempted
 * behind the first finds it set by another, and who was skipped and is preempted before
 * its twin finds it cleared, or is on another CPU by then.  So whoever takes an event
 * leaves its context's address for the twins behind it, at a place that its task's stack
 * has; and an event without one was skipped, if more were skipped than twins have taken
 * (is_owed()).
 */
static __always_inline void mark_cpu(enum wire_prog prog, const void *ctx)
{
	struct wire_cpu *cpu = this_cpu();

	if (cpu)
		cpu->mark[prog] = (__u64)ctx;
}

/* It is gone afterwards, whosever it was. */
static __always_inline bool was_cpu_marked(struct wire_cpu *cpu, enum wire_prog prog,
					   const void *ctx)
{
	__u64 mark = cpu->mark[prog];

	cpu->mark[prog] = 0;
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
static __always_inline __u64 *place_of(enum wire_prog prog, __u64 event)
{
	__u32 place = (event >> 12) * 0x9e3779b97f4a7c15ull >> 32 & (STACKS - 1);
	struct stack_marks *stack = bpf_map_lookup_elem(&marks, &place);

	return stack ? &stack->event[prog] : NULL;
}

/*
 * In an address's low bits, which are 0, stands the last copy that came by.  For of the next
 * event on the stack the address is often the same, and the last copy may have been skipped,
 * so that it could not wipe the mark: that event's is one that copies before this have left.
 */
static __always_inline void mark_stack(enum wire_prog prog, int copy, const void *ctx)
{
	__u64 event = address_of(ctx), *place = place_of(prog, event);

	if (place)
		*place = event | copy;
}

static __always_inline bool is_stack_marked(enum wire_prog prog, int copy, const void *ctx)
{
	__u64 event = address_of(ctx), *place = place_of(prog, event);

	if (!place || *place < event || *place >= (event | copy))
		return false;
	*place = event | copy;
	return true;
}

/*
 * Of the events for which the kernel skipped the first, is there one that no twin has
 * taken?  An event that lost its mark to another stack's is not taken for one that was
 * skipped, then, unless both come together.  Of all CPUs: the task may have moved since.
 */
static __always_inline bool is_owed(enum wire_prog prog)
{
	__u64 missed, owed = 0;
	struct wire_cpu *row;

	for (__u32 cpu = 0; cpu < nr_cpus; cpu++) {
		row = bpf_map_lookup_elem(&cpus, &cpu);
		if (!row)
			break;
		missed = 0;
		bpf_probe_read_kernel(&missed, sizeof(missed),
				      (const void *)(first_missed[prog] + row->percpu_offset));
		owed += missed - row->nested[prog];
	}
	return (__s32)owed > 0;
}

/* This copy has the event: for those behind it. */
static __always_inline void leave_mark(enum wire_prog prog, int copy, const void *ctx)
{
	if (preempts_programs)
		mark_stack(prog, copy, ctx);
	else if (copy == 0)
		mark_cpu(prog, ctx);
}

/* To this copy, by all before it. */
static __always_inline bool is_left(enum wire_prog prog, int copy, const void *ctx)
{
	struct wire_cpu *cpu = this_cpu();

	if (!cpu)
		return false;
	if (preempts_programs) {
		if (is_stack_marked(prog, copy, ctx) || !is_owed(prog))
			return false;
	} else if (was_cpu_marked(cpu, prog, ctx) || !is_skipped(cpu, prog)) {
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
	leave_mark(prog, copy, ctx);					\
	work(ctx);							\
	return 0;							\
}

#define PROGRAM(hook, name, prog)					\
SEC("tp_btf/" hook) int name(__u64 *ctx)				\
{									\
	leave_mark(prog, 0, ctx);					\
	be_slow();							\
	do_##name(ctx);							\
	return 0;							\
}									\
TWIN(hook, name##_twin, do_##name, prog, 1)				\
TWIN(hook, name##_third, do_##name, prog, 2)				\
TWIN(hook, name##_fourth, do_##name, prog, 3)

#endif
