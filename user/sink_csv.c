// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RFC 4180 with Unix line ends, one header, then one line a record, whatever
 * its kind: every key that the command's records can have, absent ones empty.
 *
 *   time,v,event,conn,netns,family,laddr,lport,raddr,rport,role,pid,comm,...
 *   2026-11-21T02:00:00.123456789Z,1,state,00000000000021a4,4026531840,4,10.0.0.1,...
 */
#include "sink.h"

#include "value.h"

static const struct value_form form = { .between = ' ', .text = text_csv_field };

/* The header without a row: one loop, so that header and rows cannot disagree. */
static void line(struct text *t, uint32_t command, const struct row *row)
{
	bool first = true;

	for (enum field f = 0; f < F_MAX; f++) {
		if (!(field_specs[f].commands & command))
			continue;
		if (!first)
			text_char(t, ',');
		first = false;
		if (!row)
			text_str(t, field_specs[f].key);
		else if (row_has(row, f))
			value_write(t, &form, field_specs[f].type, &row->values[f]);
	}
}

static void csv_begin(struct sink *s)
{
	char buf[SINK_RECORD_MAX];
	struct text t = text_into(buf, sizeof(buf));

	line(&t, s->command, NULL);
	text_char(&t, '\n');
	out_append(s->out, buf, t.p - buf);
}

static void csv_row(struct sink *s, struct text *t, const struct row *row)
{
	line(t, s->command, row);
}

const struct sink_ops sink_csv = { .name = "csv", .begin = csv_begin, .row = csv_row };
