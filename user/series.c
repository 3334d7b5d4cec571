// SPDX-License-Identifier: GPL-2.0-or-later
#include "series.h"

void series_add(struct series *s, uint64_t value)
{
	s->values[s->nr++ % SERIES_LEN] = value;
}

uint64_t series_back(const struct series *s, unsigned int back)
{
	if (back >= s->nr || back >= SERIES_LEN)
		return 0;
	return s->values[(s->nr - 1 - back) % SERIES_LEN];
}

uint64_t series_peak(const struct series *s, unsigned int n)
{
	uint64_t peak = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t value = series_back(s, i);

		peak = value > peak ? value : peak;
	}
	return peak;
}
