/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture.h - the kernel as a source: loads and attaches the BPF programs,
 * drains the ring, watches what was lost, and says the rest of what the engine
 * has to know (clock, reset reasons, ticks) as raw records, too.  The only
 * file that knows the skeleton.
 *
 * One thread.  Nothing is handed out but from the calls below.
 */
#ifndef SYNFIN_CAPTURE_H
#define SYNFIN_CAPTURE_H

#include <stdint.h>
#include <linux/types.h>
#include "feature.h"
#include "scope.h"
#include "source.h"
#include "wire.h"

struct capture;

/* A row of counters takes 3 KB a namespace and CPU: 270 MB with 100 CPUs. */
#define CAPTURE_NETNS_MAX	1024

struct capture_config {
	struct scope scope;
	uint32_t censuses;	/* those that will be wanted: bits by enum wire_census_which */
	bool census_only;	/* trace nothing */
	bool counts;		/* of mini-sockets totals will do, where a census of ports is all */
	bool owners;		/* tell whose the sockets are */
	uint32_t cgroups;	/* so many may be judged: capture_judge_cgroup() */
	bool processes;		/* of each owner wake the reader, who will ask /proc about him */
	const char *netns;	/* as the user named it */
	uint32_t ring_size;	/* bytes; a power of two, at least a page */
	const uint32_t *apart;	/* namespaces counted apart, inodes, each once; or NULL */
	uint32_t nr_apart;	/* at most CAPTURE_NETNS_MAX */
	uint32_t debug_slow;	/* tests: make the programs slow, so that they are nested often */
	bool debug_no_twin;	/* tests: leave out what makes up for that */
};

/* libbpf's own messages become ours, from now on: shown with -v. */
void capture_set_log(void);

/*
 * Loads.  0 and *ret, or -errno.  btf: the kernel's.  f: as feature_probe() found it,
 * with every tracepoint there.  config has to live as long as the capture.
 */
int capture_open(const struct capture_config *config, const struct kernel_btf *btf,
		 const struct features *f, record_fn fn, void *ctx, struct capture **ret);

/* Without capture_stop(): detaches, hands nothing out. */
void capture_destroy(struct capture *c);

/*
 * Hands out WIRE_START and what goes with it, then attaches, unless the config
 * says census_only: then only censuses may follow.  0 or -errno.
 */
int capture_start(struct capture *c, const struct kernel_btf *btf);

/* Readable when the ring has been filled to its watermark; else look every 50 ms. */
int capture_fd(const struct capture *c);

/*
 * Hands out what was recorded before this call began, and a tick if a deadline
 * of next_deadline (CLOCK_MONOTONIC ns, 0: none) has passed by then.  False:
 * the receiver has had enough.
 */
bool capture_drain(struct capture *c, uint64_t next_deadline);

/* The last of these found nothing in the ring. */
bool capture_is_quiet(const struct capture *c);

/* About once a second: losses since the last call, and steps of the clock. */
void capture_watch(struct capture *c);

/*
 * From now on nothing is recorded or counted of sockets of this cgroup, but that they
 * took their tuples (WIRE_CLAIM); or all is, and that is final; or as at first, for
 * WIRE_J_NONE.  0 or -errno.
 */
int capture_judge_cgroup(struct capture *c, uint64_t id, enum wire_judged verdict);

/* What is there is counted off at the next capture_watch(), as after a loss. */
void capture_recount(struct capture *c);

/* Now, but in this namespace only (inode; 0: none, and nothing is done). */
void capture_recount_netns(struct capture *c, uint32_t netns);

/*
 * What has been counted since the programs were attached, in the namespace
 * config->apart[i].  A sum over the CPUs, each member of which only grows.
 */
void capture_counters(const struct capture *c, uint32_t i, struct wire_counters *ret);

/* The same of every namespace together. */
void capture_counters_sum(const struct capture *c, struct wire_counters *ret);

/* How the source itself is doing. */
struct capture_state {
	uint32_t ring_size;	/* bytes, as is */
	uint32_t ring_used;	/* the most that one drain found */
	bool doubted;		/* records were lost, and no census has been since */
	struct {		/* the last of each kind */
		bool ran, ok;
		unsigned int left_out;	/* namespaces that could not be entered */
		uint64_t ended_ns, took_ns;	/* CLOCK_MONOTONIC; 0: there was none */
	} censuses[WIRE_CENSUS_KINDS];
};

/* forget: ring_used begins anew. */
void capture_state(struct capture *c, bool forget, struct capture_state *ret);

/* Its programs and maps, for inventory.h. */
struct bpf_object;
const struct bpf_object *capture_object(const struct capture *c);

/*
 * Hands out what is there in every namespace in scope (census.h), and with owners
 * the processes that hold it.  Without, in between also what was recorded, as
 * capture_drain() does: it may take long.  0 or -errno; -EOPNOTSUPP: this kernel has no
 * iterator for it.
 */
int capture_census(struct capture *c, enum wire_census_which which, bool owners);

/*
 * Hands out WIRE_NETNS_FACTS of every namespace in scope, and nothing else; in *left_out
 * how many could not be entered.  0 or -errno.
 */
int capture_facts(struct capture *c, unsigned int *left_out);

/*
 * Detaches, hands out what is left, what was lost, and WIRE_END, whose time is
 * until_ns unless that is 0.
 */
void capture_stop(struct capture *c, uint64_t until_ns);

#endif
