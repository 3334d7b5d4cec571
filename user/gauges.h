/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gauges.h - what `synfin export` tells of censuses: port space, sockets that stay in
 * CLOSE_WAIT, accept queues, and what the kernel counts for each network namespace; and
 * of single addresses and ports, if that is asked for (tops.h).  Pure.
 *
 * A figure is of the last census that was whole; what such a one did not tell, or if
 * there was none, is not known.
 */
#ifndef SYNFIN_GAUGES_H
#define SYNFIN_GAUGES_H

#include "accept_queues.h"
#include "conntab.h"
#include "netns_sums.h"
#include "ports.h"
#include "tops.h"

#define GAUGES_NOT_KNOWN	UINT64_MAX

/* Each GAUGES_NOT_KNOWN if it is not. */
struct gauges_ports {
	uint64_t tw_limit;	/* the lowest of any namespace */
	uint64_t ports;		/* likewise */
	uint64_t usage_ppb;	/* the highest of any space, of a thousand million */
};

struct gauges_close_wait {
	uint64_t stale;		/* sockets */
	uint64_t oldest_ns;	/* 0: there is none */
};

struct gauges {
	uint64_t stale_ns;	/* CLOSE_WAIT, for that long, is stale */
	struct conntab *conns;	/* the engine's: when it was that a state began; not owned */
	uint32_t hz;
	bool in_census;
	bool facts_only;
	enum wire_census_which which;
	uint64_t begun_ns;
	struct ports space;
	struct netns_sums sums;
	bool has_sums;
	struct gauges_ports ports, next_ports;	/* next: of the census under way */
	uint64_t capacities, next_capacities;	/* of all namespaces; 0: not known */
	bool met_minis;		/* by the last census of ports */
	struct gauges_close_wait close_wait, next_close_wait;
	struct accept_queues queues;
	bool has_queues;
	struct tops tops;
	bool has_tops;
};

/* top_k: 0 to TOPK_MAX.  conns: may be NULL.  -ENOMEM and nothing to free, or 0. */
int gauges_init(struct gauges *g, uint64_t stale_ns, unsigned int top_k, struct conntab *conns);
void gauges_deinit(struct gauges *g);

/* A census begins: what is fed from now on is of it. */
void gauges_begin(struct gauges *g, enum wire_census_which which, uint64_t at_ns);

/* In its place, where gauges_would_keep() says so: what is fed are the facts alone. */
void gauges_begin_facts(struct gauges *g, uint64_t at_ns);

/*
 * Whether a census would find what the last one of its kind found if there was no
 * transition since: it was whole, and met nothing that goes without one, as mini-sockets
 * do, and connections that wait to be accepted.
 */
bool gauges_would_keep(const struct gauges *g, enum wire_census_which which);

/* Nothing is in CLOSE_WAIT, and that is known without a census. */
void gauges_no_close_wait(struct gauges *g);

/* ev: as decode() returned it; any kind. */
void gauges_feed(struct gauges *g, const union event *ev);

/* It is over; not whole: it broke off, or left namespaces out. */
void gauges_end(struct gauges *g, bool whole);

/* Of the kernel's counters, enum wire_fact: by how much it has grown; or not known. */
uint64_t gauges_counter(const struct gauges *g, enum wire_fact fact);

#endif
