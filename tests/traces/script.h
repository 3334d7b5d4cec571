/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script.h - a line of a trace to the record that the kernel would have sent.
 * README.md has the language.
 *
 * What a line does not say is filled in as on a healthy 6.18: one tuple and
 * one cookie for each socket, all that was sent acknowledged, all that came
 * read, room in the TIME_WAIT table.
 */
#ifndef SYNFIN_TESTS_SCRIPT_H
#define SYNFIN_TESTS_SCRIPT_H

#include "filter.h"
#include "scope.h"
#include "vocabulary.h"

#define SCRIPT_SOCKETS	32	/* #1 .. #31 */

struct script_socket {
	struct wire_tuple tuple;
	uint32_t netns;
	uint8_t state;		/* enum tcp_state: after its last transition */
	bool passive;
};

struct script {
	uint32_t hz;
	uint32_t table;			/* how many connections it holds */
	bool has_cookies;
	struct scope wanted, recorded;
	struct filter filter;
	uint64_t births;
	struct script_socket sockets[SCRIPT_SOCKETS];
	char error[128];		/* of the line that was not understood */
};

void script_init(struct script *s);

/* False: see error. */
bool script_directive(struct script *s, struct words *w);
bool script_event(struct script *s, struct words *w, union event *ret);

/* The records that come before a scenario's first event; false: no more. */
bool script_preamble(const struct script *s, unsigned int i, union event *ret);

/* WIRE_END, where the scenario has none. */
void script_end(const struct script *s, uint64_t ts_ns, union event *ret);

#endif
