// SPDX-License-Identifier: GPL-2.0-or-later
#include "ladder_copy.h"

#include <stdlib.h>
#include <string.h>

struct ladder_copy *ladder_copy_create(const struct telling *t)
{
	size_t ladder_size = offsetof(struct ladder, arrows) +
			     t->ladder->nr * sizeof(t->ladder->arrows[0]);
	struct ladder_copy *c = calloc(1, offsetof(struct ladder_copy, ladder) + ladder_size);

	if (!c)
		return NULL;
	memcpy(&c->ladder, t->ladder, ladder_size);
	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		if (!t->ladder->ends[lane])
			continue;
		c->ends[lane] = *t->ladder->ends[lane];
		c->ends[lane].steps = NULL;
		c->ends[lane].nr = c->ends[lane].room = 0;
		c->ladder.ends[lane] = &c->ends[lane];
	}
	c->telling = *t;
	c->telling.ladder = &c->ladder;
	return c;
}

void ladder_copy_destroy(struct ladder_copy *c)
{
	free(c);
}
