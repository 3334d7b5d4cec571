/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h - lines of aligned columns, as many and as wide as the terminal
 * takes.  A table is one const array; it says nothing about what is in a row.
 *
 * Every column has a narrow form, which may be nothing, and a wide one.  The
 * narrow ones are always there; what width is left goes to the wide ones by
 * rank.  A cell that is too long pushes the next ones aside, which catch up as
 * soon as they have blanks to spare: nothing is ever cut.  Endpoints widen their
 * columns, on a terminal only as far as no column has to be left out for it.
 */
#ifndef SYNFIN_TABLE_H
#define SYNFIN_TABLE_H

#include "field.h"
#include "sink.h"
#include "text.h"

#define TABLE_COLUMNS	16

/* The longest: a unit's name, and a network namespace's, each byte as \xNN. */
#define CELL_SIZE	1344

/* A width that is sink.endpoint_width: IPv4 to begin with, growing with what comes. */
#define WIDTH_ENDPOINT	UINT8_MAX

/* What a colour says is always said in words, too. */
enum color { PLAIN, FAILURE, WARNING, FAINT, HEADER };

struct cell {
	struct text text;	/* printable ASCII only */
	enum color color;
	bool wide;		/* the form that is wanted */
	struct sink *sink;	/* whose table it is */
	char buf[CELL_SIZE];
};

struct column {
	const char *header;
	uint8_t narrow, wide;	/* widths; 0: left out */
	uint8_t rank;		/* from 1, who becomes wide first; 0: has one form */
	bool right;
	void (*render)(struct cell *c, const struct row *row);
};

struct table {
	const struct column *columns;
	unsigned int nr;
};

/* Settle the forms of the columns for s->width. */
void table_fit(struct sink *s, const struct table *table);

/*
 * Whether endpoints have become wider than `before` and the forms have been settled
 * anew for that: then the header is another one.
 */
bool table_refit(struct sink *s, const struct table *table, unsigned int before);

/* One line, without a line end: the row's, or the header's without a row. */
void table_line(struct sink *s, struct text *t, const struct table *table, const struct row *row);

/* 10.0.0.1:443 [2001:db8::1]:443; an unknown port is *.  The columns grow with it. */
void cell_endpoint(struct cell *c, const struct row *row, enum field addr, enum field port);

#endif
