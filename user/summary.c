// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   12.3s: 1234 transitions, 5 retransmits, 2 resets
 *   100 connections: 95 established, 3 refused, 2 timeout
 *   closed: 90 fin, 5 reset received, 3 still open
 *   in doubt: 2 incomplete, 1 not seen, 40 without owner
 *   *** LOST: 120 records in the ring, 2 connections from the table ***
 */
#include "summary.h"

#include <string.h>

#include "human.h"
#include "words.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

struct count {
	enum field field;
	const char *one, *many;
};

static const struct count events[] = {
	{ F_TRANSITIONS, "transition", "transitions" },
	{ F_RETRANSMITS, "retransmit", "retransmits" },
	{ F_RESETS, "reset", "resets" },
};

static const struct count doubts[] = {
	{ F_INCOMPLETE, "incomplete", "incomplete" },
	{ F_UNSEEN, "not seen", "not seen" },
	{ F_OWNERS_UNKNOWN, "without owner", "without owner" },
};

static const struct count losses[] = {
	{ F_LOST_RING, "record in the ring", "records in the ring" },
	{ F_LOST_NESTED, "record at the most by nesting", "records at the most by nesting" },
	{ F_LOST_SINK, "record at a slow reader", "records at a slow reader" },
	{ F_LOST_TABLE, "connection from the table", "connections from the table" },
};

static uint64_t count_of(const struct row *row, enum field f)
{
	return row_has(row, f) ? row->values[f].u : 0;
}

/* One of a list whose first has `head` in front, the others a comma. */
static void item(struct text *t, const char **head, uint64_t count)
{
	text_str(t, *head);
	*head = ", ";
	text_uint(t, count);
	text_char(t, ' ');
}

/* Returns whether there was anything to tell. */
static bool tell(struct text *t, const char *head, const struct row *row,
		 const struct count *counts, unsigned int nr)
{
	const char *start = head;

	for (unsigned int i = 0; i < nr; i++) {
		uint64_t count = count_of(row, counts[i].field);

		if (!count)
			continue;
		item(t, &head, count);
		text_str(t, count == 1 ? counts[i].one : counts[i].many);
	}
	return head != start;
}

/* The fields of one vocabulary, by the words in their keys: close_still_open. */
static bool tell_words(struct text *t, const char *head, const struct row *row,
		       enum field first, unsigned int nr, const char *prefix)
{
	const char *start = head;

	for (enum field f = first; f < first + nr; f++) {
		if (!count_of(row, f))
			continue;
		item(t, &head, count_of(row, f));
		for (const char *p = field_specs[f].key + strlen(prefix); *p; p++)
			text_char(t, *p == '_' ? ' ' : *p);
	}
	return head != start;
}

static void connections(struct text *t, const struct row *row)
{
	uint64_t count = count_of(row, F_CONNECTIONS);

	if (!count)
		return;
	text_uint(t, count);
	text_str(t, count == 1 ? " connection" : " connections");
	tell_words(t, ": ", row, F_OUTCOME_ESTABLISHED, OUTCOME_MAX - 1, "outcome_");
	text_char(t, '\n');
	if (tell_words(t, "closed: ", row, F_CLOSE_FIN, CLOSE_MAX - 1, "close_"))
		text_char(t, '\n');
}

void table_summary(struct text *t, const struct row *row)
{
	human_duration(t, count_of(row, F_SECONDS) * 1000);	/* FT_SECONDS: ms */
	if (!tell(t, ": ", row, events, ARRAY_SIZE(events)))
		text_str(t, ": nothing seen");
	text_char(t, '\n');
	connections(t, row);
	if (tell(t, "in doubt: ", row, doubts, ARRAY_SIZE(doubts)))
		text_char(t, '\n');
	if (tell(t, "*** LOST: ", row, losses, ARRAY_SIZE(losses)))
		text_str(t, " ***\n");
}

void table_loss(struct text *t, const struct row *row)
{
	const char *where = row_has(row, F_WHERE) ? row->values[F_WHERE].text : "";
	uint64_t count = count_of(row, F_COUNT);

	text_str(t, strcmp(where, "nested") ? "*** " : "*** up to ");
	text_uint(t, count);
	text_str(t, strcmp(where, "table") ? " record" : " connection");
	text_str(t, count == 1 ? " lost" : "s lost");
	if (*where) {
		text_str(t, " (");
		text_str(t, where);
		text_char(t, ')');
	}
	text_str(t, " ***");
}
