// SPDX-License-Identifier: GPL-2.0-or-later
#include "table.h"

#include <string.h>

#define ENDPOINT_V4	21	/* 255.255.255.255:65535 */
#define ENDPOINT_V6	47	/* 8 groups of 4 digits, in brackets */
#define ENDPOINT_STEP	8	/* on a terminal, lest there be a new header for each column */
#define ENDPOINT_LEAST	15	/* 10.0.0.99:54321, where the terminal is narrow */

static const char *const escapes[] = {
	[FAILURE] = "\033[31m", [WARNING] = "\033[33m", [FAINT] = "\033[2m", [HEADER] = "\033[1m",
};

static bool is_wide(const struct sink *s, unsigned int i)
{
	return s->wide >> i & 1;
}

static unsigned int width_of(const struct sink *s, const struct table *table, unsigned int i)
{
	const struct column *col = &table->columns[i];
	unsigned int width = is_wide(s, i) ? col->wide : col->narrow;

	return width == WIDTH_ENDPOINT ? s->endpoint_width : width;
}

/* ---- which columns ---- */

static bool fits(const struct sink *s, const struct table *table)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < table->nr; i++) {
		unsigned int width = width_of(s, table, i);

		if (width)
			sum += width + 1;
	}
	return sum <= s->width + 1;
}

static uint32_t columns_of_rank(const struct table *table, unsigned int rank)
{
	uint32_t set = 0;

	for (unsigned int i = 0; i < table->nr; i++) {
		if (table->columns[i].rank == rank)
			set |= 1u << i;
	}
	return set;
}

/* As many of the wide forms as there is room for. */
static void widen(struct sink *s, const struct table *table)
{
	s->wide = 0;
	for (unsigned int rank = 1; rank <= table->nr; rank++) {
		uint32_t set = columns_of_rank(table, rank);

		s->wide |= set;
		if (!fits(s, table))
			s->wide &= ~set;
	}
}

static uint32_t shown(const struct sink *s, const struct table *table)
{
	uint32_t set = 0;

	for (unsigned int i = 0; i < table->nr; i++) {
		if (width_of(s, table, i))
			set |= 1u << i;
	}
	return set;
}

/* That no column is left out for, though some may have to take their narrow forms. */
static unsigned int most_for_endpoints(struct sink s, const struct table *table)
{
	const uint32_t columns = shown(&s, table);

	for (s.endpoint_width = ENDPOINT_V6; s.endpoint_width > ENDPOINT_V4; s.endpoint_width--) {
		widen(&s, table);
		if (fits(&s, table) && !(columns & ~shown(&s, table)))
			break;
	}
	return s.endpoint_width;
}

void table_fit(struct sink *s, const struct table *table)
{
	s->endpoint_width = ENDPOINT_V4;
	s->wide = s->width ? 0 : UINT32_MAX;
	if (!s->width)
		return;
	while (!fits(s, table) && s->endpoint_width > ENDPOINT_LEAST)
		s->endpoint_width--;
	widen(s, table);
	s->endpoint_most = most_for_endpoints(*s, table);
}

bool table_refit(struct sink *s, const struct table *table, unsigned int before)
{
	if (!s->width || s->endpoint_width == before || s->endpoint_width <= ENDPOINT_V4)
		return false;
	widen(s, table);
	return true;
}

/* ---- one line ---- */

static void pad(struct text *t, unsigned int n)
{
	while (n--)
		text_char(t, ' ');
}

static void paint(struct text *t, const struct sink *s, const struct cell *c, size_t len)
{
	bool color = s->color && c->color != PLAIN;

	if (color)
		text_str(t, escapes[c->color]);
	text_bytes(t, c->buf, len);
	if (color)
		text_str(t, "\033[0m");
}

/* The cells come first: a long endpoint moves all that is right of it. */
static void fill(struct cell *cells, struct sink *s, const struct table *table,
		 const struct row *row)
{
	for (unsigned int i = 0; i < table->nr; i++) {
		struct cell *c = &cells[i];

		c->text = text_into(c->buf, sizeof(c->buf));
		c->color = row ? PLAIN : HEADER;
		c->wide = is_wide(s, i);
		c->sink = s;
		if (!width_of(s, table, i))
			continue;
		if (row)
			table->columns[i].render(c, row);
		else
			text_str(&c->text, table->columns[i].header);
	}
}

void table_line(struct sink *s, struct text *t, const struct table *table, const struct row *row)
{
	struct cell cells[TABLE_COLUMNS];
	unsigned int column = 0, at = 0;	/* where this one begins; where we are */

	fill(cells, s, table, row);
	for (unsigned int i = 0; i < table->nr; i++) {
		unsigned int width = width_of(s, table, i), begin = column;
		size_t len = cells[i].text.p - cells[i].buf;

		if (!width)
			continue;
		column += width + 1;
		if (!len)
			continue;
		if (table->columns[i].right && len < width)
			begin += width - len;
		if (at && begin <= at)
			begin = at + 1;
		pad(t, begin - at);
		paint(t, s, &cells[i], len);
		at = begin + len;
	}
}

static void grow(struct sink *s, unsigned int len)
{
	unsigned int width = ENDPOINT_V4;

	if (len <= s->endpoint_width)
		return;
	if (!s->width || len <= ENDPOINT_V4) {
		s->endpoint_width = len;
		return;
	}
	while (width < len)
		width += ENDPOINT_STEP;
	if (width > s->endpoint_most)
		width = s->endpoint_most;
	if (width >= ENDPOINT_V4 + ENDPOINT_STEP && width > s->endpoint_width)
		s->endpoint_width = width;	/* less would gain nothing */
}

void cell_endpoint(struct cell *c, const struct row *row, enum field addr, enum field port)
{
	const struct value *a = &row->values[addr];

	if (row_has(row, addr) && a->len == 6)
		text_char(&c->text, '[');
	if (row_has(row, addr))
		text_addr(&c->text, a->addr, a->len);
	if (row_has(row, addr) && a->len == 6)
		text_char(&c->text, ']');
	text_char(&c->text, ':');
	if (row_has(row, port))
		text_uint(&c->text, row->values[port].u);
	else
		text_char(&c->text, '*');
	grow(c->sink, c->text.p - c->buf);
}
