/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what both ends counted to what a tracer must report, and to what the
 * kernel's own counters must have grown by. Pure, but for the printing.
 */
#ifndef LOAD_TRUTH_H
#define LOAD_TRUTH_H

#include "ends.h"
#include "netns.h"

#include <stdio.h>

/* The lines of README.md from kind.* to unexpected.passive. */
void truth_print(FILE *out, const struct tally *client, const struct tally *server);

/* Lives whose words are not known, because something did not go as planned. */
unsigned long truth_unexpected(const struct tally *client, const struct tally *server);

/* Connections that must come to an end on the server's side. */
unsigned long truth_connected(const struct tally *client);

/* Attempts of every result. */
unsigned long truth_attempts(const struct tally *client);

/* How many counters, of those that can be foretold, did not grow as they must. */
unsigned int truth_mib_differences(const struct tally *client, const struct tally *server,
				   const struct counters *before, const struct counters *after);

/* The lines mib.* and expect.*. */
void truth_print_mib(FILE *out, const struct tally *client, const struct tally *server,
		     const struct counters *before, const struct counters *after);

#endif
