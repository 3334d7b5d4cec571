// SPDX-License-Identifier: GPL-2.0-or-later
#include "histogram.h"

#define US	1000ull
#define MS	1000000ull
#define S	1000000000ull

const struct histogram_edges handshake_edges = { 20, {
	100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
	100 * MS, 250 * MS, 500 * MS, 1 * S, 2 * S, 3 * S, 4 * S, 7 * S, 15 * S, 31 * S, 63 * S,
} };

const struct histogram_edges duration_edges = { 12, {
	1 * MS, 10 * MS, 100 * MS, 1 * S, 5 * S, 15 * S, 60 * S, 300 * S, 900 * S, 3600 * S,
	4 * 3600 * S, 24 * 3600 * S,
} };

const struct histogram_edges teardown_edges = { 11, {
	100 * US, 500 * US, 1 * MS, 5 * MS, 10 * MS, 50 * MS, 100 * MS, 500 * MS, 1 * S, 10 * S,
	60 * S,
} };

unsigned int histogram_observe(struct histogram *h, const struct histogram_edges *edges,
			       uint64_t ns)
{
	unsigned int i = 0;

	while (i < edges->nr && ns > edges->ns[i])
		i++;
	h->buckets[i]++;
	h->sum_ns += ns;
	h->count++;
	return i;
}
