// SPDX-License-Identifier: GPL-2.0-or-later
#include "expect.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_USEC	1000
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* ---- the record ---- */

/* A string without its quotes; escapes stay as they are. */
static char *read_string(char **p)
{
	char *start = ++*p;

	while (**p && **p != '"')
		*p += 1 + (**p == '\\' && (*p)[1]);
	if (!**p)
		return NULL;
	*(*p)++ = 0;
	return start;
}

static char *read_plain(char **p, char *end)
{
	char *start = *p;

	*p += strcspn(*p, ",}");
	*end = **p;
	if (*p == start || !*end)
		return NULL;
	*(*p)++ = 0;
	return start;
}

/* ["a","b"] to a,b in place. */
static char *read_list(char **p)
{
	char *start = *p, *to = *p;

	for (++*p; **p && **p != ']'; ++*p) {
		if (**p != '"')
			*to++ = **p;
	}
	if (!**p)
		return NULL;
	++*p;
	*to = 0;
	return start;
}

/* *end: the character after the value. */
static char *read_value(char **p, char *end)
{
	char *value;

	if (**p != '"' && **p != '[')
		return read_plain(p, end);
	value = **p == '"' ? read_string(p) : read_list(p);
	if (value)
		*end = *(*p)++;
	return value;
}

bool record_parse(struct record *r, const char *json)
{
	char *p = r->text, end = ',';

	r->nr = 0;
	if (strlen(json) >= sizeof(r->text) || *json != '{')
		return false;
	strcpy(r->text, json);
	for (p++; end == ','; r->nr++) {
		char *key = *p == '"' ? read_string(&p) : NULL;

		if (!key || *p++ != ':' || r->nr == RECORD_KEYS || record_get(r, key))
			return false;
		r->at[r->nr].key = key;
		r->at[r->nr].value = read_value(&p, &end);
		if (!r->at[r->nr].value)
			return false;
	}
	return end == '}' && !*p;
}

const char *record_get(const struct record *r, const char *key)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		if (!strcmp(r->at[i].key, key))
			return r->at[i].value;
	}
	return NULL;
}

/* ---- what was expected, in the record's words ---- */

/* A time of the scenario, as CLOCK_REALTIME. */
static void to_time(const char *text, char *to, size_t size)
{
	int64_t ns;
	uint64_t at;
	struct tm tm;
	time_t s;

	if (!parse_duration(text, &ns)) {
		snprintf(to, size, "%s", text);
		return;
	}
	at = TRACE_REALTIME_NS + ns;
	s = at / NSEC_PER_SEC;
	gmtime_r(&s, &tm);
	snprintf(to, size, "%04d-%02d-%02dT%02d:%02d:%02d.%09lluZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, at % NSEC_PER_SEC);
}

/* 1ms,20us to 1000,20. */
static void to_us(const char *text, char *to, size_t size)
{
	char copy[256], *rest = NULL;
	const char *between = "";
	size_t len = 0;
	int64_t ns;

	snprintf(copy, sizeof(copy), "%s", text);
	*to = 0;
	for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
		if (parse_duration(part, &ns))
			len += snprintf(to + len, size - len, "%s%" PRId64, between,
					ns / NSEC_PER_USEC);
		else
			len += snprintf(to + len, size - len, "%s%s", between, part);
		between = ",";
	}
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

static void translate(const char *key, const char *text, char *to, size_t size)
{
	if (!strcmp(key, "time") || !strcmp(key, "start"))
		to_time(text, to, size);
	else if (ends_in(key, "_us"))
		to_us(text, to, size);
	else if (*text == '#')
		snprintf(to, size, "%016llx", strtoull(text + 1, NULL, 10));
	else
		snprintf(to, size, "%s", text);
}

/* ---- the comparison ---- */

struct complaint {
	char *text;
	size_t len, size;
};

static void check(struct complaint *c, const struct record *r, const char *key, const char *text)
{
	const char *value = record_get(r, key);
	char want[512];

	translate(key, text, want, sizeof(want));
	if (!strcmp(want, "-") ? !value : value && !fnmatch(want, value, 0))
		return;
	if (c->len < c->size)
		c->len += snprintf(c->text + c->len, c->size - c->len, "%s: expected %s, got %s\n",
				   key, want, value ? value : "-");
}

/* The words that need no key. */
static const struct { const char *event, *keys[2]; } positions[] = {
	{ "state", { "old", "new" } },
	{ "retransmit", { "phase", "state" } },
	{ "reset", { "direction", "state" } },
	{ "late_segment", { "flags", "state" } },
	{ "connection", { "outcome", "close" } },
	{ "lost", { "where", "count" } },
	{ "summary", {} },
};

static const char *const *keys_of(const char *event)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(positions); i++) {
		if (!strcmp(positions[i].event, event))
			return positions[i].keys;
	}
	return NULL;
}

bool expect_knows(const char *event)
{
	return keys_of(event);
}

void expect_match(struct words *w, const struct record *r, char *wrong, size_t size)
{
	struct complaint c = { wrong, 0, size };
	const char *event = words_take(w);
	const char *const *keys = event ? keys_of(event) : NULL;
	unsigned int position = 0;
	char *word;

	*wrong = 0;
	if (!keys) {
		snprintf(wrong, size, "no such kind of record: %s\n", event ? event : "none");
		return;
	}
	check(&c, r, "event", event);
	while ((word = words_take(w))) {
		char *value = strchr(word, '=');

		if (*word == '#') {
			check(&c, r, "conn", word);
		} else if (value) {
			*value++ = 0;
			check(&c, r, word, value);
		} else if (position < 2 && keys[position]) {
			check(&c, r, keys[position++], word);
		} else {
			snprintf(wrong, size, "one word too many: %s\n", word);
			return;
		}
	}
}
