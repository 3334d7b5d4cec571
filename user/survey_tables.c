// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TIME     WHAT       WHOSE                       COUNT      OF FULL
 * 06:10:01 TIME_WAIT  netns 4026531840            28010   65536  43% 0s|.:-=+*#%@@@@|60s 1204/s
 *          remote     10.0.0.2                    28000          99% ##########
 *          ports      10.0.0.1 -> 10.0.0.2:443    28000   28232  99% ########## full in 12.3s
 *
 * LISTENING             ACCEPT  LIMIT HALF-OPEN OLDEST RETR  DROPS PROCESS
 * 0.0.0.0:443                0   4096        12  1.24s    3      0 nginx[812]
 *
 * STATE         AGE   FD LOCAL     REMOTE                PROCESS
 * CLOSE_WAIT 12m03s    7 :8080     10.0.0.2:41234        leaky[812]
 */
#include "survey_tables.h"

#include <string.h>

#include "cells.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))
#define USEC_PER_MSEC	1000
#define BAR_WIDTH	10

static bool is_event(const struct row *row, const char *event)
{
	return row_says(row, F_EVENT, event);
}

/* Either the name that people gave the namespace, or its number. */
static void put_netns(struct cell *c, const struct row *row)
{
	text_str(&c->text, "netns ");
	if (row->netns_name)
		text_visible(&c->text, row->netns_name, strlen(row->netns_name));
	else
		text_uint(&c->text, row_number(row, F_NETNS));
}

static void netns(struct cell *c, const struct row *row)
{
	if (is_event(row, "listeners"))	/* says so already */
		return;
	if (row->netns_name)
		text_visible(&c->text, row->netns_name, strlen(row->netns_name));
	else
		text_uint(&c->text, row_number(row, F_NETNS));
}

static void put_addr(struct cell *c, const struct row *row, enum field f)
{
	text_addr(&c->text, row->values[f].addr, row->values[f].len);
}

/* ---- timewait ---- */

static void time_of_census(struct cell *c, const struct row *row)
{
	if (is_event(row, "time_wait"))
		cell_clock(c, row, 0);
}

static void what(struct cell *c, const struct row *row)
{
	if (is_event(row, "time_wait"))
		text_str(&c->text, "TIME_WAIT");
	else if (is_event(row, "port_space"))
		text_str(&c->text, "ports");
	else if (row_says(row, F_BY, "local_port"))
		text_str(&c->text, "local port");
	else
		cell_word(c, "", row, F_BY, "");
}

static void whose_space(struct cell *c, const struct row *row)
{
	if (!row_has(row, F_LADDR)) {
		text_str(&c->text, "all others");
		return;
	}
	put_addr(c, row, F_LADDR);
	text_str(&c->text, " -> ");
	if (row_has(row, F_RADDR))
		cell_endpoint(c, row, F_RADDR, F_RPORT);
	else
		text_str(&c->text, "anywhere (bind)");
}

static void whose_close(struct cell *c, const struct row *row)
{
	cell_process(c, row);
	if (!row_has(row, F_CONTAINER_ID) && !row_has(row, F_UNIT))
		return;
	text_str(&c->text, " in ");
	cell_place(c, row);
}

static void whose(struct cell *c, const struct row *row)
{
	if (is_event(row, "time_wait"))
		put_netns(c, row);
	else if (is_event(row, "port_space"))
		whose_space(c, row);
	else if (row_has(row, F_RADDR))
		put_addr(c, row, F_RADDR);
	else if (row_has(row, F_LPORT))
		cell_number(c, ":", row, F_LPORT, "");
	else if (row_has(row, F_PID))
		whose_close(c, row);
	else
		text_str(&c->text, "all others");
}

static void count(struct cell *c, const struct row *row)
{
	cell_number(c, "", row, row_has(row, F_USED) ? F_USED : F_COUNT, "");
}

static void of(struct cell *c, const struct row *row)
{
	cell_number(c, "", row, row_has(row, F_CAPACITY) ? F_CAPACITY : F_LIMIT, "");
}

/* Millionths; of a table its count against its limit. */
static bool ratio_of(const struct row *row, uint64_t *ret)
{
	uint64_t limit = row_number(row, F_LIMIT);

	if (row_has(row, F_RATIO))
		*ret = row_number(row, F_RATIO);
	else if (limit)
		*ret = (row_number(row, F_COUNT) + row_number(row, F_FIN_WAIT2)) * 1000000 / limit;
	else
		return false;
	return true;
}

static void color_by_ratio(struct cell *c, const struct row *row, uint64_t ratio)
{
	if (is_event(row, "time_wait_group"))
		return;
	if (ratio >= 950000)
		c->color = FAILURE;
	else if (ratio >= 800000)
		c->color = WARNING;
}

static void full(struct cell *c, const struct row *row)
{
	uint64_t ratio;

	if (!ratio_of(row, &ratio))
		return;
	color_by_ratio(c, row, ratio);
	text_uint(&c->text, ratio / 10000);
	text_char(&c->text, '%');
}

/* How many go in the next 5 s, in the 5 s after that, and so on, each against the most. */
static void put_strip(struct cell *c, const struct value *left)
{
	static const char ramp[] = " .:-=+*#%@";
	uint64_t most = 0;

	for (uint32_t i = 0; i < left->len; i++)
		most = left->list[i] > most ? left->list[i] : most;
	text_str(&c->text, "0s|");
	for (uint32_t i = 0; i < left->len; i++) {
		uint64_t level = most ? (left->list[i] * (sizeof(ramp) - 2) + most - 1) / most : 0;

		text_char(&c->text, ramp[level]);
	}
	text_str(&c->text, "|60s");
}

static void put_bar(struct cell *c, uint64_t ratio)
{
	uint64_t length = (ratio * BAR_WIDTH + 999999) / 1000000;

	for (uint64_t i = 0; i < BAR_WIDTH; i++)
		text_char(&c->text, i < length ? '#' : '.');
}

static void put_per_second(struct cell *c, const struct row *row)
{
	if (!row_has(row, F_ENTERED))
		return;
	text_char(&c->text, ' ');
	text_uint(&c->text, row_number(row, F_ENTERED) / 1000);
	text_str(&c->text, "/s");
}

static void put_full_in(struct cell *c, const struct row *row)
{
	if (!row_has(row, F_FULL_IN))
		return;
	text_str(&c->text, " full in ");
	human_duration(&c->text, row_number(row, F_FULL_IN) * USEC_PER_MSEC);
	c->color = WARNING;
}

/* What connect() may take all the same, or might. */
static void put_reusable(struct cell *c, const struct row *row)
{
	if (row_number(row, F_REUSABLE))
		cell_number(c, ", ", row, F_REUSABLE, " reusable");
	else if (row_number(row, F_STAMPED))
		cell_number(c, ", tcp_tw_reuse=1 would free ", row, F_STAMPED, "");
}

static void notes(struct cell *c, const struct row *row)
{
	uint64_t ratio;

	if (row_has(row, F_LEFT)) {
		put_strip(c, &row->values[F_LEFT]);
		put_per_second(c, row);
		if (row_number(row, F_FIN_WAIT2))
			cell_number(c, ", FIN_WAIT2 ", row, F_FIN_WAIT2, "");
		if (row_number(row, F_OVERFLOWS))
			cell_number(c, ", overflows ", row, F_OVERFLOWS, "");
		return;
	}
	if (ratio_of(row, &ratio))
		put_bar(c, ratio);
	put_full_in(c, row);
	put_reusable(c, row);
}

static const struct column timewait_columns[] = {
	{ "TIME", 0, 8, 1, false, time_of_census },
	{ "WHAT", 10, 10, 0, false, what },
	{ "WHOSE", 25, 40, 2, false, whose },
	{ "COUNT", 7, 7, 0, true, count },
	{ "OF", 7, 7, 0, true, of },
	{ "FULL", 4, 4, 0, true, full },
	{ "", 19, 19, 0, false, notes },
};

/* ---- listen ---- */

/* : overflows 12, drops 14; SYN cookies: sent 3, received 3, failed 0 */
static void put_totals(struct cell *c, const struct row *row)
{
	cell_number(c, ": overflows ", row, F_LISTEN_OVERFLOWS, "");
	cell_number(c, ", drops ", row, F_LISTEN_DROPS, "");
	if (!row_number(row, F_COOKIES_SENT) && !row_number(row, F_COOKIES_FAILED))
		return;
	cell_number(c, "; SYN cookies: sent ", row, F_COOKIES_SENT, "");
	cell_number(c, ", received ", row, F_COOKIES_RECV, "");
	cell_number(c, ", failed ", row, F_COOKIES_FAILED, "");
}

/* Of a whole namespace all in one cell: the others have nothing to say of it. */
static void listening(struct cell *c, const struct row *row)
{
	if (!is_event(row, "listeners")) {
		cell_endpoint(c, row, F_LADDR, F_LPORT);
		return;
	}
	put_netns(c, row);
	put_totals(c, row);
}

static bool is_full(const struct row *row)
{
	return row_has(row, F_ACCEPT_QUEUE) &&
	       row_number(row, F_ACCEPT_QUEUE) > row_number(row, F_ACCEPT_LIMIT);
}

static void accept_queue(struct cell *c, const struct row *row)
{
	if (is_full(row))
		c->color = FAILURE;
	cell_number(c, "", row, F_ACCEPT_QUEUE, is_full(row) ? " full" : "");
}

static void limit(struct cell *c, const struct row *row)
{
	cell_number(c, "", row, F_ACCEPT_LIMIT, "");
}

static void half_open(struct cell *c, const struct row *row)
{
	cell_number(c, "", row, F_HALF_OPEN, "");
	if (!row_number(row, F_HALF_OPEN_ACKED))
		return;
	c->color = WARNING;
	cell_number(c, ", ", row, F_HALF_OPEN_ACKED, " acked");
}

static void oldest(struct cell *c, const struct row *row)
{
	cell_duration(c, "", row, F_HALF_OPEN_OLDEST);
}

static void synack_retrans(struct cell *c, const struct row *row)
{
	if (row_number(row, F_SYNACK_RETRANS))
		cell_number(c, "", row, F_SYNACK_RETRANS, "");
}

static void drops(struct cell *c, const struct row *row)
{
	if (row_number(row, F_DROPS))
		c->color = WARNING;
	cell_number(c, "", row, F_DROPS, "");
}

static void who(struct cell *c, const struct row *row)
{
	if (!is_event(row, "listeners"))
		cell_process(c, row);
}

static const struct column listen_columns[] = {
	{ "LISTENING", WIDTH_ENDPOINT, WIDTH_ENDPOINT, 0, false, listening },
	{ "ACCEPT", 6, 6, 0, true, accept_queue },
	{ "LIMIT", 6, 6, 0, true, limit },
	{ "HALF-OPEN", 9, 9, 0, true, half_open },
	{ "OLDEST", 0, 6, 1, true, oldest },
	{ "RETR", 0, 4, 2, true, synack_retrans },
	{ "DROPS", 6, 6, 0, true, drops },
	{ "NETNS", 0, 10, 4, false, netns },
	{ "PROCESS", 14, 17, 3, false, who },
	{ "WHERE", 0, 20, 5, false, cell_place },
};

/* ---- conns --stuck ---- */

static void state(struct cell *c, const struct row *row)
{
	cell_state(c, "", row, F_STATE);
}

static void age(struct cell *c, const struct row *row)
{
	cell_duration(c, "", row, F_AGE);
}

static void descriptor(struct cell *c, const struct row *row)
{
	cell_number(c, "", row, F_FD, "");
}

/* Narrow: of the host's own addresses one is as good as the other. */
static void local(struct cell *c, const struct row *row)
{
	if (c->wide)
		cell_endpoint(c, row, F_LADDR, F_LPORT);
	else
		cell_number(c, ":", row, F_LPORT, "");
}

static void remote(struct cell *c, const struct row *row)
{
	cell_endpoint(c, row, F_RADDR, F_RPORT);
}

static void holder(struct cell *c, const struct row *row)
{
	if (row_number(row, F_ORPHAN))
		text_str(&c->text, "(closed)");
	else
		cell_process(c, row);
}

static const struct column stuck_columns[] = {
	{ "STATE", 10, 10, 0, false, state },
	{ "AGE", 6, 6, 0, true, age },
	{ "FD", 4, 4, 0, true, descriptor },
	{ "LOCAL", 6, WIDTH_ENDPOINT, 2, false, local },
	{ "REMOTE", WIDTH_ENDPOINT, WIDTH_ENDPOINT, 0, false, remote },
	{ "NETNS", 0, 10, 3, false, netns },
	{ "PROCESS", 12, 17, 1, false, holder },
	{ "WHERE", 0, 20, 4, false, cell_place },
};

_Static_assert(ARRAY_SIZE(listen_columns) <= TABLE_COLUMNS &&
	       ARRAY_SIZE(timewait_columns) <= TABLE_COLUMNS, "a line's cells are on the stack");

const struct table *survey_table(uint32_t command)
{
	static const struct table timewait = { timewait_columns, ARRAY_SIZE(timewait_columns) };
	static const struct table listen = { listen_columns, ARRAY_SIZE(listen_columns) };
	static const struct table stuck = { stuck_columns, ARRAY_SIZE(stuck_columns) };

	if (command & F_TIMEWAIT)
		return &timewait;
	return command & F_LISTEN ? &listen : &stuck;
}

bool survey_is_row(const struct row *row)
{
	static const char *const events[] = {
		"time_wait", "time_wait_group", "port_space", "listener", "listeners", "socket",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++) {
		if (is_event(row, events[i]))
			return true;
	}
	return false;
}
