// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more, zeroed. */
static void *grow(void *array, unsigned int nr, size_t size)
{
	array = realloc(array, (nr + 1) * size);
	if (!array)
		abort();
	memset((char *)array + nr * size, 0, size);
	return array;
}

static void add_scenario(struct scenarios *all, const char *file, const char *title)
{
	all->at = grow(all->at, all->nr, sizeof(*all->at));
	all->at[all->nr++] = (struct scenario){ .file = file, .title = title };
}

static void add_line(struct scenario *sc, char *text, unsigned int number)
{
	sc->lines = grow(sc->lines, sc->nr, sizeof(*sc->lines));
	sc->lines[sc->nr++] = (struct line){ text, number };
}

/* What follows the first word, if that is the given one. */
static const char *after_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(text, word, len) && text[len] == ' ' ? text + len + 1 : NULL;
}

static bool add_text(struct scenarios *all, const char *file, char *text, unsigned int number)
{
	const char *title = after_word(text, "scenario");
	const char *why = after_word(text, "todo");
	struct scenario *last = all->nr ? &all->at[all->nr - 1] : NULL;

	if (!*text || *text == '#')
		return true;
	if (title) {
		add_scenario(all, file, title);
		return true;
	}
	if (!last || last->file != file) {
		fprintf(stderr, "%s:%u: before the first scenario\n", file, number);
		return false;
	}
	if (why)
		last->todo = why;
	else
		add_line(last, text, number);
	return true;
}

/* The whole file, which scenarios keeps; NULL: that is told. */
static char *read_text(struct scenarios *all, const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, 0, f) < 0) {
		fprintf(stderr, "%s: %s\n", path, f && feof(f) ? "is empty" : strerror(errno));
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	if (!text)
		return NULL;
	all->texts = grow(all->texts, all->nr_texts, sizeof(*all->texts));
	all->texts[all->nr_texts++] = text;
	return text;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool scenarios_load(struct scenarios *all, const char *path)
{
	char *rest = read_text(all, path), *text;
	const char *file = base_name(path);
	unsigned int number = 0;

	if (!rest)
		return false;
	while ((text = strsep(&rest, "\n"))) {
		if (!add_text(all, file, text, ++number))
			return false;
	}
	return true;
}

void scenarios_deinit(struct scenarios *all)
{
	for (unsigned int i = 0; i < all->nr; i++)
		free(all->at[i].lines);
	for (unsigned int i = 0; i < all->nr_texts; i++)
		free(all->texts[i]);
	free(all->at);
	free(all->texts);
}

/* "=> KIND ..." or "=> no KIND" */
bool scenario_mentions(const struct scenario *sc, const char *event)
{
	size_t len = strlen(event);

	for (unsigned int i = 0; i < sc->nr; i++) {
		const char *kind = after_word(sc->lines[i].text, "=>");
		const char *none = kind ? after_word(kind, "no") : NULL;

		kind = none ? none : kind;
		if (kind && !strncmp(kind, event, len) && (!kind[len] || kind[len] == ' '))
			return true;
	}
	return false;
}
