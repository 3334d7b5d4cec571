/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vocabulary.h - the words of a trace: numbers, times, states, and what
 * key=value and flags a record of each kind takes.
 */
#ifndef SYNFIN_TESTS_VOCABULARY_H
#define SYNFIN_TESTS_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/* 0ms of every scenario, as CLOCK_MONOTONIC and, before any CLOCK line, as CLOCK_REALTIME. */
#define TRACE_MONOTONIC_NS	(1000 * 1000000000ull)
#define TRACE_REALTIME_NS	(1767225600 * 1000000000ull)	/* 2026-01-01T00:00:00Z */

#define WORDS_MAX	32

/* A line cut at its blanks; next is the first that nobody has taken yet. */
struct words {
	char *at[WORDS_MAX];
	unsigned int nr, next;
};

bool words_split(struct words *w, char *line);	/* in place; false: too many */
char *words_take(struct words *w);		/* NULL: no more */
char *words_peek(const struct words *w);	/* "": no more */

/* False: not one. */
bool parse_number(const char *text, int64_t *ret);
bool parse_duration(const char *text, int64_t *ret);	/* "1.5ms"; nanoseconds */
bool parse_tcp_state(const char *text, int64_t *ret);	/* any case */
bool parse_addr(const char *text, struct wire_tuple *t, uint8_t *addr);	/* sets the family */

/* fin|ack; *data: the word data was there. */
bool parse_tcp_flags(const char *text, uint8_t *flags, bool *data);

/* Reset reasons as on 6.18, some of them.  NULL: no more. */
const char *reason_name(unsigned int i, uint32_t *id);

/*
 * Into the record, whose kind is set, go the words that are left.  The first
 * that does not fit is returned, else NULL.
 */
const char *fill_event(union event *ev, uint32_t hz, struct words *w);

/* The same for what all records of a socket have. */
const char *fill_identity(struct wire_hdr *hdr, struct wire_tuple *t, struct words *w);

#endif
