/* SPDX-License-Identifier: GPL-2.0 */
/*
 * maps.bpf.h - every map, and every constant that user space sets before the
 * load.  User space sizes ring, counters, slots and cpus before the load.
 */
#ifndef SYNFIN_MAPS_BPF_H
#define SYNFIN_MAPS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "wire.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

/*
 * Namespaces that are counted apart: inode number to slot, filled before anything
 * is attached.  With one slot nobody looks.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} slots SEC(".maps");

const volatile __u32 nr_slots = 1;

/* Row slot * nr_cpus + cpu.  Read by mmap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_cpu);
} cpus SEC(".maps");

/*
 * Of the first copies, by enum wire_prog: their ids, given by user space, and the per-CPU
 * addresses of bpf_prog.active and of how often each was skipped, found by find_active.
 */
__u32 first_ids[WIRE_PROGS];
__u64 first_active[WIRE_PROGS];
__u64 first_missed[WIRE_PROGS];

const volatile __u32 nr_cpus = 1;

/*
 * Only where programs are preempted: by a stack's place, and by enum wire_prog, the event
 * under way on it that a copy has taken.  A place fills a cache line.
 */
#define STACKS	4096	/* places; a power of two */

struct stack_marks {
	__u64 event[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STACKS);
	__type(key, __u32);
	__type(value, struct stack_marks);
} marks SEC(".maps");

/* A per-CPU variable whose addresses can be asked for: see find_active. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} percpu_probe SEC(".maps");

/* Tests only: turns of a loop that make the first copies slow, so that they are nested often. */
const volatile __u32 debug_slow = 0;

/* XORed into socket addresses, so that no kernel address leaves the kernel. */
const volatile __u64 sock_mask = 0;

/*
 * The reader is woken when this many bytes wait; else its timer does.  Each CPU looks
 * once in (mask + 1) records, a power of two.
 */
const volatile __u64 wake_at = 1 << 20;
const volatile __u32 wake_mask = 0;

/* Whether anybody asks whose a socket is.  If not, only what is the socket's own is told. */
const volatile bool wants_owners = true;

/*
 * Sockets whose first user was seen.  The first goes with the socket; the second
 * is for kernels without it.  Only one of them is made, or neither.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u8);
} seen_sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, __u64);
	__type(value, __u8);
} seen_addresses SEC(".maps");

/* Cgroups of which user space was told: the names of others are looked up at once. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, __u64);
	__type(value, __u8);
} seen_cgroups SEC(".maps");

/* Whether user space asks /proc about processes, and those of which it was told. */
const volatile bool wants_processes = false;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, __u64);
	__type(value, __u8);
} seen_processes SEC(".maps");

/* Where mini-sockets are counted.  Read and wiped by mmap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_counted);
} counted SEC(".maps");

/* The scope (wire_scope): port sets as bitmaps. */
const volatile __u32 scope_netns = 0;
const volatile __u32 scope_family = 0;
const volatile bool scope_lports_all = true;
const volatile bool scope_rports_all = true;
const volatile __u64 scope_lports[1024] = {};
const volatile __u64 scope_rports[1024] = {};

/*
 * Whether somebody asked for the sockets of some cgroups only, and whose those are, as
 * user space found when it looked at their paths (enum wire_judged).
 */
const volatile bool judges_cgroups = false;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u8);
} judged_cgroups SEC(".maps");

/* Sets of addresses (wire_addrs): whether the longest prefix is a wanted one. */
struct addr_key {
	__u32 len;		/* bits */
	__u8  addr[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, WIRE_PREFIXES_MAX);
	__type(key, struct addr_key);
	__type(value, __u8);
} laddrs SEC(".maps"), raddrs SEC(".maps");

const volatile bool scope_laddrs_all = true;
const volatile bool scope_raddrs_all = true;

/*
 * A child had a peer at LISTEN->SYN_RECV: this kernel makes no raw clones, so what
 * comes after can be rejected by its peer, too.  Set by the first that is seen.
 */
bool clones_have_peers;

#endif
