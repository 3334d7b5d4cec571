/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample_rows.h - rows made by hand, a sink that writes into memory, and a real
 * parser to hold its output against: for the tests of the formats.
 */
#ifndef SYNFIN_TESTS_SAMPLE_ROWS_H
#define SYNFIN_TESTS_SAMPLE_ROWS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"
#include "tcp_state.h"

/* 2026-11-21T02:11:00.123456789Z, a Saturday at 3 a.m. in Berlin */
#define SAMPLE_NS	1795227060123456789ull

static inline void put_u(struct row *row, enum field f, uint64_t u)
{
	row_set(row, f)->u = u;
}

static inline void put_word(struct row *row, enum field f, const char *text)
{
	row_set(row, f)->text = text;
}

static inline void put_text(struct row *row, enum field f, const char *bytes, uint32_t len)
{
	struct value *v = row_set(row, f);

	v->text = bytes;
	v->len = len;
}

static inline void put_addr(struct row *row, enum field f, const uint8_t *addr, uint32_t family)
{
	struct value *v = row_set(row, f);

	v->addr = addr;
	v->len = family;
}

static const uint8_t v4_local[16] = { [10] = 0xff, 0xff, 10, 0, 0, 1 };
static const uint8_t v4_remote[16] = { [10] = 0xff, 0xff, 10, 0, 0, 2 };
static const uint8_t v4_longest[16] = { [10] = 0xff, 0xff, 198, 168, 100, 100 };
static const uint8_t v6_local[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
static const uint8_t v6_remote[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 };

static inline void put_peers(struct row *row, uint32_t family, uint64_t lport, uint64_t rport)
{
	put_u(row, F_FAMILY, family);
	put_addr(row, F_LADDR, family == 4 ? v4_local : v6_local, family);
	put_u(row, F_LPORT, lport);
	put_addr(row, F_RADDR, family == 4 ? v4_remote : v6_remote, family);
	put_u(row, F_RPORT, rport);
}

static inline void put_owner(struct row *row, const char *comm, const char *from)
{
	put_u(row, F_PID, 812);
	put_text(row, F_COMM, comm, strlen(comm));
	put_u(row, F_UID, 33);
	put_word(row, F_OWNER_FROM, from);
}

static inline struct row row_of(const char *event)
{
	struct row row;

	row_clear(&row);
	put_u(&row, F_TIME, SAMPLE_NS);
	put_u(&row, F_V, 1);
	put_word(&row, F_EVENT, event);
	return row;
}

/* An active connection 10.0.0.1:41234 to 10.0.0.2:443. */
static inline struct row active_row(const char *event)
{
	struct row row = row_of(event);

	put_u(&row, F_CONN, 0x21a4);
	put_u(&row, F_NETNS, 4026531840);
	put_peers(&row, 4, 41234, 443);
	put_word(&row, F_ROLE, "active");
	return row;
}

static inline struct row transition(const char *old, const char *new)
{
	struct row row = active_row("state");

	put_word(&row, F_OLD, old);
	put_word(&row, F_NEW, new);
	return row;
}

static inline struct row established(void)
{
	struct row row = transition("syn_sent", "established");

	put_owner(&row, "curl", "connect");
	put_u(&row, F_IN_OLD, 213);
	return row;
}

/* An orderly life of 1.24 s, closed by us. */
static inline struct row connection(void)
{
	static const uint8_t path[] = { TS_SYN_SENT, TS_ESTABLISHED, TS_FIN_WAIT1, TS_FIN_WAIT2,
					TS_TIME_WAIT };
	static const uint64_t path_ns[] = { 213000, 1239000999, 400000, 386000 };
	struct row row = active_row("connection");

	put_owner(&row, "curl", "connect");
	put_u(&row, F_START, SAMPLE_NS - 1240000000);
	put_word(&row, F_OUTCOME, "established");
	put_u(&row, F_HANDSHAKE, 213);
	put_u(&row, F_SYN_RETRANS, 0);
	put_u(&row, F_SYNACK_RETRANS, 0);
	put_u(&row, F_DATA_RETRANS, 0);
	put_u(&row, F_FIN_RETRANS, 0);
	put_word(&row, F_CLOSE, "fin");
	put_word(&row, F_CLOSED_BY, "local");
	put_u(&row, F_TIME_WAIT, true);
	*row_set(&row, F_PATH) = (struct value){ .states = path, .len = 5 };
	*row_set(&row, F_PATH_US) = (struct value){ .list = path_ns, .len = 4 };
	put_u(&row, F_DURATION, 1240000);
	put_u(&row, F_TEARDOWN, 786);
	put_u(&row, F_TX_BYTES, 78);
	put_u(&row, F_RX_BYTES, 1256);
	put_u(&row, F_TX_SEGS, 1);
	put_u(&row, F_RX_SEGS, 1);
	put_u(&row, F_SRTT, 220);
	put_u(&row, F_MIN_RTT, 180);
	put_u(&row, F_COMPLETE, true);
	return row;
}

static inline struct row lost(uint64_t count, const char *where)
{
	struct row row = row_of("lost");

	put_u(&row, F_COUNT, count);
	put_word(&row, F_WHERE, where);
	return row;
}

/* ---- a sink into memory ---- */

struct memory_sink {
	struct sink sink;
	struct out out;
};

/* No descriptor: nothing leaves the buffer. */
static inline void open_memory(struct memory_sink *m, const struct sink_ops *ops, uint32_t command,
			       unsigned int width)
{
	if (out_init(&m->out, -1, false))
		abort();
	m->sink = (struct sink){
		.ops = ops, .out = &m->out, .command = command, .width = width,
	};
	sink_begin(&m->sink);
}

/* What was written since the last call. */
static inline const char *written(struct memory_sink *m)
{
	struct out *o = &m->out;
	char *text = o->buf + o->start;

	text[o->len] = 0;
	o->start += o->len + 1;
	o->len = 0;
	return text;
}

static inline const char *line_of(struct memory_sink *m, const struct row *row)
{
	sink_row(&m->sink, row);
	return written(m);
}

static inline void close_memory(struct memory_sink *m)
{
	out_deinit(&m->out);
}

/* ---- a parser that is not ours ---- */

/* Whether the Python program, which reads text as its stdin, is content. */
static inline bool python_accepts(const char *program, const char *text)
{
	FILE *python;

	setenv("PYTHONIOENCODING", "utf-8", true);
	setenv("PROGRAM", program, true);
	python = popen("/usr/bin/python3 -c \"$PROGRAM\"", "w");
	if (!python)
		return false;
	fputs(text, python);
	return pclose(python) == 0;
}

#endif
