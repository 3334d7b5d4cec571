// SPDX-License-Identifier: GPL-2.0-or-later
#include "cells.h"

#include <ctype.h>
#include <string.h>

#include "human.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* ---- of a row ---- */

const char *row_word(const struct row *row, enum field f)
{
	return row_has(row, f) ? row->values[f].text : NULL;
}

bool row_says(const struct row *row, enum field f, const char *word)
{
	const char *text = row_word(row, f);

	return text && !strcmp(text, word);
}

uint64_t row_number(const struct row *row, enum field f)
{
	return row_has(row, f) ? row->values[f].u : 0;
}

/* The records' words where people say them otherwise. */
static const struct { const char *word, *text; } spoken[] = {
	{ "syn", "SYN" },		{ "synack", "SYN-ACK" },
	{ "fin", "FIN" },		{ "dup_syn", "duplicate SYN" },
	{ "reset_sent", "RST sent" },	{ "reset_received", "RST received" },
	{ "still_open", "still open" },
};

static void put(struct cell *c, const char *before, const char *word, const char *after)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(spoken); i++) {
		if (!strcmp(spoken[i].word, word))
			word = spoken[i].text;
	}
	text_str(&c->text, before);
	text_visible(&c->text, word, strlen(word));
	text_str(&c->text, after);
}

void cell_word(struct cell *c, const char *before, const struct row *row, enum field f,
	       const char *after)
{
	if (row_has(row, f))
		put(c, before, row->values[f].text, after);
}

void cell_number(struct cell *c, const char *before, const struct row *row, enum field f,
		 const char *after)
{
	if (!row_has(row, f))
		return;
	text_str(&c->text, before);
	text_uint(&c->text, row->values[f].u);
	text_str(&c->text, after);
}

void cell_duration(struct cell *c, const char *before, const struct row *row, enum field f)
{
	if (!row_has(row, f))
		return;
	text_str(&c->text, before);
	human_duration(&c->text, row->values[f].u);
}

void cell_state(struct cell *c, const char *before, const struct row *row, enum field f)
{
	const char *state = row_word(row, f);

	if (!state)
		return;
	text_str(&c->text, before);
	for (; *state; state++) {
		char upper = toupper((unsigned char)*state);

		text_visible(&c->text, &upper, 1);
	}
}

void cell_clock(struct cell *c, const struct row *row, unsigned int decimals)
{
	c->color = FAINT;
	if (row_has(row, F_TIME))
		human_clock(&c->text, &c->sink->clock, row->values[F_TIME].u, decimals);
}

void cell_process(struct cell *c, const struct row *row)
{
	if (row_has(row, F_COMM))
		text_visible(&c->text, row->values[F_COMM].text, row->values[F_COMM].len);
	cell_number(c, "[", row, F_PID, "]");
	if (row_says(row, F_OWNER_FROM, "listen") && !row_says(row, F_ROLE, "listener"))
		text_char(&c->text, '?');
}

/* As docker ps shows it. */
#define SHORT_ID	12

static void put_part(struct cell *c, const struct row *row, enum field f, size_t most)
{
	const struct value *v = &row->values[f];

	text_visible(&c->text, v->text, v->len < most ? v->len : most);
}

/* 3f2a9c8d1e2b, the container; else nginx.service; and, if it has a name: netns blue */
void cell_place(struct cell *c, const struct row *row)
{
	bool is_hash = row_has(row, F_CONTAINER_ID) && row->values[F_CONTAINER_ID].len == 64;

	if (row_has(row, F_CONTAINER_ID))
		put_part(c, row, F_CONTAINER_ID, is_hash ? SHORT_ID : SIZE_MAX);
	else if (row_has(row, F_UNIT))
		put_part(c, row, F_UNIT, SIZE_MAX);
}

void cell_where(struct cell *c, const struct row *row)
{
	cell_place(c, row);
	if (!row->netns_name)
		return;
	text_str(&c->text, c->text.p > c->buf ? ", netns " : "netns ");
	text_visible(&c->text, row->netns_name, strlen(row->netns_name));
}
