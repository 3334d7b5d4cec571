// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For a person at 3 a.m.  Times are local; arrows point from who opened: "->"
 * we did, "<-" the peer did, "--" not seen, nothing: a listener.
 *
 * TIME         LOCAL     REMOTE              EVENT
 * 02:11:00.123 :41234 -> 10.0.0.2:443        SYN_SENT -> ESTABLISHED +213us
 *
 * TIME     LOCAL     REMOTE              OUTCOME      LASTED CLOSE
 * 02:11:01 :41234 -> 10.0.0.2:443        established   1.24s FIN by local
 */
#include <netinet/tcp.h>
#include <string.h>

#include "cells.h"
#include "sink.h"
#include "summary.h"
#include "survey_tables.h"
#include "table.h"
#include "words.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* ---- cells of both tables ---- */

static void put_existing(struct cell *c, const struct row *row)
{
	if (row_number(row, F_EXISTING))
		text_str(&c->text, " (existing)");
}

/* A narrow terminal has room for the port, which is what tells services apart. */
static void local(struct cell *c, const struct row *row)
{
	if (c->wide)
		cell_endpoint(c, row, F_LADDR, F_LPORT);
	else if (row_has(row, F_LPORT))
		cell_number(c, ":", row, F_LPORT, "");
	else
		text_str(&c->text, ":*");
}

static void arrow(struct cell *c, const struct row *row)
{
	if (row_says(row, F_ROLE, "active"))
		text_str(&c->text, "->");
	else if (row_says(row, F_ROLE, "passive"))
		text_str(&c->text, "<-");
	else if (!row_says(row, F_ROLE, "listener"))
		text_str(&c->text, "--");
}

static void remote(struct cell *c, const struct row *row)
{
	if (row_has(row, F_RADDR) || row_has(row, F_RPORT))
		cell_endpoint(c, row, F_RADDR, F_RPORT);
}

/* ---- trace ---- */

/* An opening that came to nothing. */
static bool is_failed_opening(const struct row *row)
{
	return row_says(row, F_NEW, "close") &&
	       (row_says(row, F_OLD, "syn_sent") || row_says(row, F_OLD, "syn_recv"));
}

/* SYN_SENT -> ESTABLISHED +213us */
static void state_event(struct cell *c, const struct row *row)
{
	cell_state(c, "", row, F_OLD);
	cell_state(c, " -> ", row, F_NEW);
	cell_word(c, " (", row, F_CAUSE, ")");
	cell_duration(c, " +", row, F_IN_OLD);
	put_existing(c, row);
	if (is_failed_opening(row))
		c->color = FAILURE;
}

/* The state is worth saying where the phase does not imply it. */
static bool is_usual_state(const struct row *row)
{
	return row_says(row, F_STATE, "syn_sent") || row_says(row, F_STATE, "syn_recv") ||
	       row_says(row, F_STATE, "established");
}

/* retransmit data (rto) seq 1 len 1448 */
static void retransmit_event(struct cell *c, const struct row *row)
{
	c->color = WARNING;
	text_str(&c->text, "retransmit");
	cell_word(c, " ", row, F_PHASE, "");
	cell_word(c, " (", row, F_CAUSE, ")");
	cell_number(c, " seq ", row, F_SEQ, "");
	cell_number(c, " len ", row, F_LEN, "");
	if (row_number(row, F_SEGS) > 1)
		cell_number(c, " in ", row, F_SEGS, " segments");
	if (!is_usual_state(row))
		cell_state(c, ", in ", row, F_STATE);
	cell_word(c, ", not sent: ", row, F_ERROR, "");
	put_existing(c, row);
}

/* RST sent: tcp_abort_on_close; RST received, in ESTABLISHED */
static void reset_event(struct cell *c, const struct row *row)
{
	c->color = FAILURE;
	text_str(&c->text, "RST");
	cell_word(c, " ", row, F_DIRECTION, "");
	cell_word(c, ": ", row, F_REASON, "");
	if (!row_has(row, F_REASON))	/* which tells more */
		cell_state(c, ", in ", row, F_STATE);
	put_existing(c, row);
}

/* late FIN in TIME_WAIT; of the flags the one that says most */
static void late_event(struct cell *c, const struct row *row)
{
	uint64_t flags = row_number(row, F_FLAGS);

	c->color = WARNING;
	text_str(&c->text, "late ");
	if (flags & TH_RST)
		text_str(&c->text, "RST");
	else if (flags & TH_FIN)
		text_str(&c->text, flags & FIELD_FLAG_DATA ? "data and FIN" : "FIN");
	else if (flags & FIELD_FLAG_DATA)
		text_str(&c->text, "data");
	else
		text_str(&c->text, flags & TH_ACK ? "ACK" : "segment");
	cell_state(c, " in ", row, F_STATE);
	put_existing(c, row);
}

typedef void event_fn(struct cell *c, const struct row *row);

/* NULL: not one of trace's. */
static event_fn *event_of(const struct row *row)
{
	static const struct { const char *event; event_fn *fn; } events[] = {
		{ "state", state_event },
		{ "retransmit", retransmit_event },
		{ "reset", reset_event },
		{ "late_segment", late_event },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++) {
		if (row_says(row, F_EVENT, events[i].event))
			return events[i].fn;
	}
	return NULL;
}

static void event(struct cell *c, const struct row *row)
{
	event_of(row)(c, row);
}

static void trace_time(struct cell *c, const struct row *row)
{
	cell_clock(c, row, c->wide ? 6 : 3);
}

/* header, narrow, wide, rank, right, render */
static const struct column trace_columns[] = {
	{ "TIME", 12, 15, 2, false, trace_time },
	{ "LOCAL", 6, WIDTH_ENDPOINT, 3, false, local },
	{ "", 2, 2, 0, false, arrow },
	{ "REMOTE", WIDTH_ENDPOINT, WIDTH_ENDPOINT, 0, false, remote },
	{ "EVENT", 37, 37, 0, false, event },
	{ "PROCESS", 0, 17, 1, false, cell_process },
	{ "WHERE", 0, 20, 4, false, cell_where },
};

static const struct table trace = { trace_columns, ARRAY_SIZE(trace_columns) };

/* ---- conns ---- */

static void conns_time(struct cell *c, const struct row *row)
{
	cell_clock(c, row, c->wide ? 3 : 0);
}

/* established, or why not: the error that connect() gave */
static void outcome(struct cell *c, const struct row *row)
{
	bool failed = row_has(row, F_OUTCOME) && !row_says(row, F_OUTCOME, "established");

	if (failed)
		c->color = FAILURE;
	cell_word(c, "", row, failed && row_has(row, F_ERROR) ? F_ERROR : F_OUTCOME, "");
}

static void handshake(struct cell *c, const struct row *row)
{
	cell_duration(c, "", row, F_HANDSHAKE);
}

static void lasted(struct cell *c, const struct row *row)
{
	cell_duration(c, "", row, F_DURATION);
}

static void tx(struct cell *c, const struct row *row)
{
	if (row_has(row, F_TX_BYTES))
		human_bytes(&c->text, row->values[F_TX_BYTES].u);
}

static void rx(struct cell *c, const struct row *row)
{
	if (row_has(row, F_RX_BYTES))
		human_bytes(&c->text, row->values[F_RX_BYTES].u);
}

static void retransmits(struct cell *c, const struct row *row)
{
	uint64_t sum = row_number(row, F_SYN_RETRANS) + row_number(row, F_SYNACK_RETRANS) +
		       row_number(row, F_DATA_RETRANS) + row_number(row, F_FIN_RETRANS);

	c->color = WARNING;
	if (sum)
		text_uint(&c->text, sum);
}

/* Of a life with a hole in it, or older than the trace. */
static void put_incomplete(struct cell *c, const struct row *row)
{
	put_existing(c, row);
	if (row_number(row, F_EXISTING) || !row_has(row, F_COMPLETE) || row_number(row, F_COMPLETE))
		return;
	text_str(&c->text, c->text.p == c->buf ? "?" : " ?");
	cell_number(c, " missed ", row, F_MISSED, "");
	if (c->color == PLAIN)
		c->color = WARNING;
}

/* FIN by local; RST: unread_data; timeout: retransmits, EHOSTUNREACH; still open ? missed 2 */
static void closing(struct cell *c, const struct row *row)
{
	bool orderly = row_says(row, F_CLOSE, "fin"), open = row_says(row, F_CLOSE, "still_open");

	if (row_has(row, F_CLOSE) && !orderly && !open)
		c->color = FAILURE;
	if (row_has(row, F_CLOSE_REASON) && row_says(row, F_CLOSE, "reset_sent"))
		text_str(&c->text, "RST");	/* the reason tells whose */
	else
		cell_word(c, "", row, F_CLOSE,
			  row_says(row, F_CLOSE, "orphan") ? ", no FIN came" : "");
	cell_word(c, ": ", row, F_CLOSE_REASON, "");
	if (orderly)
		cell_word(c, " by ", row, F_CLOSED_BY, "");
	if (row_says(row, F_CLOSE, "timeout") && row_says(row, F_OUTCOME, "established") &&
	    !row_says(row, F_ERROR, "ETIMEDOUT"))
		cell_word(c, ", ", row, F_ERROR, "");
	put_incomplete(c, row);
}

static void time_wait(struct cell *c, const struct row *row)
{
	if (row_number(row, F_TIME_WAIT))
		text_str(&c->text, "TW");
}

static const struct column conns_columns[] = {
	{ "TIME", 8, 12, 5, false, conns_time },
	{ "LOCAL", 6, WIDTH_ENDPOINT, 7, false, local },
	{ "", 2, 2, 0, false, arrow },
	{ "REMOTE", WIDTH_ENDPOINT, WIDTH_ENDPOINT, 0, false, remote },
	{ "OUTCOME", 12, 12, 0, false, outcome },
	{ "HANDSHAKE", 0, 9, 1, true, handshake },
	{ "LASTED", 6, 6, 0, true, lasted },
	{ "TX", 0, 4, 6, true, tx },
	{ "RX", 0, 4, 6, true, rx },
	{ "RETR", 0, 4, 2, true, retransmits },
	{ "CLOSE", 21, 21, 0, false, closing },
	{ "TW", 0, 2, 4, false, time_wait },
	{ "PROCESS", 0, 17, 3, false, cell_process },
	{ "WHERE", 0, 20, 8, false, cell_where },
};

static const struct table conns = { conns_columns, ARRAY_SIZE(conns_columns) };

/* ---- doctor ---- */

static void feature(struct cell *c, const struct row *row)
{
	cell_word(c, "", row, F_FEATURE, "");
}

static void check_state(struct cell *c, const struct row *row)
{
	bool ok = row_number(row, F_IS_OK);

	c->color = !row_has(row, F_IS_OK) ? WARNING : ok ? PLAIN : FAILURE;
	text_str(&c->text, !row_has(row, F_IS_OK) ? "unknown" : ok ? "ok" : "MISSING");
}

static void needs(struct cell *c, const struct row *row)
{
	text_visible(&c->text, row->values[F_NEEDS].text, row->values[F_NEEDS].len);
}

static const struct column doctor_columns[] = {
	{ "FEATURE", 25, 25, 0, false, feature },
	{ "STATE", 7, 7, 0, false, check_state },
	{ "NEEDED BY", 45, 45, 0, false, needs },
};

static const struct table doctor = { doctor_columns, ARRAY_SIZE(doctor_columns) };

/* On a line of its own, below what it is for. */
static void put_cure(struct text *t, const struct row *row)
{
	if (!row_has(row, F_CURE))
		return;
	text_str(t, "\n                                  cure: ");
	text_visible(t, row->values[F_CURE].text, row->values[F_CURE].len);
}

/* ---- audit ---- */

static void netns(struct cell *c, const struct row *row)
{
	text_uint(&c->text, row_number(row, F_NETNS));
}

static void counter(struct cell *c, const struct row *row)
{
	cell_word(c, "", row, F_COUNTER, "");
}

static void put_int(struct cell *c, const struct row *row, enum field f)
{
	if (row_has(row, f))
		text_int(&c->text, row->values[f].i);
	else
		text_char(&c->text, '-');
}

static void kernels(struct cell *c, const struct row *row)
{
	put_int(c, row, F_KERNEL);
}

static void traced(struct cell *c, const struct row *row)
{
	put_int(c, row, F_TRACED);
}

static void residual(struct cell *c, const struct row *row)
{
	bool differs = row_has(row, F_RESIDUAL) && row->values[F_RESIDUAL].i;

	c->color = differs ? FAILURE : PLAIN;
	text_str(&c->text, differs ? "*** " : "");
	put_int(c, row, F_RESIDUAL);
	text_str(&c->text, differs ? " ***" : "");
}

static void why(struct cell *c, const struct row *row)
{
	c->color = FAINT;
	cell_word(c, "", row, F_WHY, "");
}

static const struct column audit_columns[] = {
	{ "NETNS", 10, 10, 0, false, netns },
	{ "COUNTER", 30, 30, 0, false, counter },
	{ "KERNEL", 10, 10, 0, true, kernels },
	{ "TRACED", 10, 10, 0, true, traced },
	{ "RESIDUAL", 9, 14, 1, true, residual },
	{ "", 1, 60, 2, false, why },
};

static const struct table audit = { audit_columns, ARRAY_SIZE(audit_columns) };

_Static_assert(ARRAY_SIZE(trace_columns) <= TABLE_COLUMNS &&
	       ARRAY_SIZE(conns_columns) <= TABLE_COLUMNS, "a line's cells are on the stack");

/* ---- what is no row of the table ---- */

/* *** 120 records lost (ring) *** */
static void note(struct cell *c, const struct row *row)
{
	if (!row_says(row, F_EVENT, "lost")) {
		cell_word(c, "", row, F_EVENT, "");
		return;
	}
	c->color = FAILURE;
	table_loss(&c->text, row);
}

static void note_line(struct sink *s, struct text *t, const struct table *table,
		      const struct row *row)
{
	/* the time stays column 0, whose form s->wide says */
	const struct column columns[] = {
		table->columns[0],
		{ "", 1, 1, 0, false, note },	/* the last: as wide as it is */
	};

	table_line(s, t, &(struct table){ columns, ARRAY_SIZE(columns) }, row);
}

/* ---- the sink ---- */

static const struct table *table_of(const struct sink *s)
{
	if (s->command & F_DOCTOR)
		return &doctor;
	if (s->command & F_AUDIT)
		return &audit;
	if (s->command & F_SURVEYS)
		return survey_table(s->command);
	return s->command & F_CONNS ? &conns : &trace;
}

static void table_begin(struct sink *s)
{
	const struct table *table = table_of(s);
	char buf[SINK_RECORD_MAX];
	struct text t = text_into(buf, sizeof(buf));

	table_fit(s, table);
	table_line(s, &t, table, NULL);
	text_char(&t, '\n');
	out_append(s->out, buf, t.p - buf);
}

static void put_line(struct sink *s, struct text *t, const struct table *table,
		     const struct row *row)
{
	bool is_row = event_of(row) != NULL;

	if (table == &conns)
		is_row = row_says(row, F_EVENT, "connection");
	else if (table == &doctor || table == &audit)
		is_row = true;
	else if (s->command & F_SURVEYS)
		is_row = survey_is_row(row);
	if (is_row)
		table_line(s, t, table, row);
	else
		note_line(s, t, table, row);
}

static void table_row(struct sink *s, struct text *t, const struct row *row)
{
	const struct table *table = table_of(s);
	const unsigned int before = s->endpoint_width;
	char *begin = t->p;

	put_line(s, t, table, row);
	if (table_refit(s, table, before)) {	/* below a header of that form */
		t->p = begin;
		table_line(s, t, table, NULL);
		text_char(t, '\n');
		put_line(s, t, table, row);
	}
	put_cure(t, row);
}

const struct sink_ops sink_table = { .name = "table", .begin = table_begin, .row = table_row };
