/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sink.h - rows to text: one file and one table row a format.  A sink only
 * gives form; it decides nothing about what a row says.
 */
#ifndef SYNFIN_SINK_H
#define SYNFIN_SINK_H

#include "field.h"
#include "human.h"
#include "out.h"
#include "text.h"

/*
 * The longest record there can be, any format: a connection has some 50 keys, and
 * of its cgroup's path, its owner's program and command line each byte may be a \u001b.
 */
#define SINK_RECORD_MAX	(8192 + 6 * (4096 + 1024 + 4096))

struct sink;

struct sink_ops {
	const char *name;		/* what -o takes */
	bool summary;			/* the summary is a record on stdout, too */
	void (*begin)(struct sink *s);	/* the header; may be NULL */
	void (*row)(struct sink *s, struct text *t, const struct row *row);
};

struct sink {
	const struct sink_ops *ops;
	struct out *out;
	uint32_t command;	/* F_TRACE, F_CONNS, ... */
	unsigned int width;	/* columns of the terminal; 0: not one, no limit */
	bool color;
	uint64_t records;	/* appended so far, without the header */

	/* the table's (table.h) */
	unsigned int endpoint_width;	/* grows with IPv6, */
	unsigned int endpoint_most;	/* on a terminal so far */
	uint32_t wide;		/* columns in their wide form */
	struct local_clock clock;
};

extern const struct sink_ops sink_json, sink_csv, sink_table;

void sink_begin(struct sink *s);

/* One record.  False: it was dropped (the account is out's). */
bool sink_row(struct sink *s, const struct row *row);

#endif
