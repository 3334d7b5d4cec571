/* SPDX-License-Identifier: GPL-2.0 */
/*
 * emit.bpf.h - reserve and submit, with an account of what had no room; the
 * counters beside the ring.
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

#endif
