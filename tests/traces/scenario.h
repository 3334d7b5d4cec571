/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenario.h - trace files, cut into scenarios and their lines. */
#ifndef SYNFIN_TESTS_SCENARIO_H
#define SYNFIN_TESTS_SCENARIO_H

#include <stdbool.h>

struct line {
	char *text;
	unsigned int number;
};

/* All text is the file's, which scenarios keeps. */
struct scenario {
	const char *file;
	const char *title;
	const char *todo;	/* NULL: is expected to pass */
	struct line *lines;	/* without comments */
	unsigned int nr;
};

struct scenarios {
	struct scenario *at;
	unsigned int nr;
	char **texts;
	unsigned int nr_texts;
};

/* False, and that is told on stderr: what cannot be read, or begins without a scenario. */
bool scenarios_load(struct scenarios *all, const char *path);
void scenarios_deinit(struct scenarios *all);

/* Whether the scenario expects any record of this kind, or none; of others nothing is checked. */
bool scenario_mentions(const struct scenario *sc, const char *event);

#endif
