/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect.h - a line "=> KIND WORD... KEY=VALUE..." against a record in JSON.
 * README.md has the language.
 */
#ifndef SYNFIN_TESTS_EXPECT_H
#define SYNFIN_TESTS_EXPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "vocabulary.h"

#define RECORD_KEYS	64

/* One JSON object, flat; a list is its elements with commas between. */
struct record {
	struct {
		const char *key;
		char *value;
	} at[RECORD_KEYS];
	unsigned int nr;
	char text[8192];
};

/* False: not one flat object, or a key twice. */
bool record_parse(struct record *r, const char *json);
const char *record_get(const struct record *r, const char *key);	/* NULL: absent */

/* Whether there are records of this kind. */
bool expect_knows(const char *event);

/*
 * What is wrong with the record, a line for each key, into wrong; an empty text
 * if nothing.  w: the words after "=>".
 */
void expect_match(struct words *w, const struct record *r, char *wrong, size_t size);

#endif
