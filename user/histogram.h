/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * histogram.h - durations counted in buckets whose edges are fixed for ever: the
 * edges are part of the interface, since a server cannot join what was counted
 * by other ones.  Pure.
 */
#ifndef SYNFIN_HISTOGRAM_H
#define SYNFIN_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_EDGES_MAX	20

/* Nanoseconds, rising; a bucket holds what is not above its edge. */
struct histogram_edges {
	unsigned int nr;
	uint64_t ns[HISTOGRAM_EDGES_MAX];
};

/*
 * The upper half is the clock of SYN retransmission: 1, 3, 7, ... 63 s by
 * doubling, and 2 and 4 s since Linux 6.5 (tcp_syn_linear_timeouts).
 */
extern const struct histogram_edges handshake_edges;
extern const struct histogram_edges duration_edges, teardown_edges;

/* An observation that can be looked up: of the bucket's last. */
struct exemplar {
	uint64_t id;		/* of the connection; 0: none */
	uint64_t value_ns, at_ns;	/* at: CLOCK_REALTIME */
};

/* Valid when zeroed, and of one set of edges for good. */
struct histogram {
	uint64_t buckets[HISTOGRAM_EDGES_MAX + 1];	/* not cumulated; behind the edges +Inf */
	uint64_t sum_ns, count;
};

/* Returns the bucket. */
unsigned int histogram_observe(struct histogram *h, const struct histogram_edges *edges,
			       uint64_t ns);

#endif
