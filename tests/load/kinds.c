// SPDX-License-Identifier: GPL-2.0-or-later
#include "kinds.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 100
#define LARGE 65536

/* clang-format off */
#define FIN(by)           { "established", "fin", by, NULL }
#define RST_SENT(by, why) { "established", "reset_sent", by, why }
#define RST_RECEIVED(by)  { "established", "reset_received", by, NULL }
#define REFUSED           { "refused", NULL, NULL, NULL }
#define NO_LIFE           { NULL, NULL, NULL, NULL }

/*
 * The greeting of the kinds that the client aborts is there to be waited for:
 * a RST is never sent again, so the server must have left SYN_RECV before it
 * comes. Unread data is one segment, or those behind it would meet a closed
 * port and be answered with more RSTs than the truth says.
 */
const struct kind kinds[] = {
	/* name, weight, client, server, greeting, request, reply,
	 *	active life, passive life, EstabResets, OutRsts */
	{ "client_fin", 6, C_CLOSE, S_WAIT_FIN, 0, 0, 0,
		FIN("local"), FIN("remote"), 0, 0 },
	{ "client_fin_small", 6, C_CLOSE, S_WAIT_FIN, 0, SMALL, 0,
		FIN("local"), FIN("remote"), 0, 0 },
	{ "client_fin_64k", 1, C_CLOSE, S_WAIT_FIN, 0, LARGE, 0,
		FIN("local"), FIN("remote"), 0, 0 },
	{ "server_fin", 6, C_WAIT_FIN, S_CLOSE, 0, 0, 0,
		FIN("remote"), FIN("local"), 0, 0 },
	{ "server_fin_small", 6, C_WAIT_FIN, S_CLOSE, 0, SMALL, SMALL,
		FIN("remote"), FIN("local"), 0, 0 },
	{ "server_fin_64k", 1, C_WAIT_FIN, S_CLOSE, 0, SMALL, LARGE,
		FIN("remote"), FIN("local"), 0, 0 },
	{ "both_fin", 4, C_CLOSE_RACE, S_CLOSE, 0, 0, 0,
		FIN("any"), FIN("any"), 0, 0 },
	{ "half_close", 4, C_SHUTDOWN, S_WAIT_FIN, 0, SMALL, SMALL,
		FIN("local"), FIN("remote"), 0, 0 },
	{ "half_close_64k", 1, C_SHUTDOWN, S_WAIT_FIN, 0, LARGE, LARGE,
		FIN("local"), FIN("remote"), 0, 0 },
	{ "client_linger0", 3, C_LINGER0, S_WAIT_RST, 1, 0, 0,
		RST_SENT("local", "linger0"), RST_RECEIVED("remote"), 2, 1 },
	{ "server_linger0", 3, C_WAIT_RST, S_LINGER0, 0, SMALL, 0,
		RST_RECEIVED("remote"), RST_SENT("local", "linger0"), 2, 1 },
	{ "client_unread", 3, C_UNREAD, S_WAIT_RST, SMALL, 0, 0,
		RST_SENT("local", "unread_data"), RST_RECEIVED("remote"), 2, 1 },
	{ "server_unread", 3, C_WAIT_RST, S_UNREAD, 0, SMALL, 0,
		RST_RECEIVED("remote"), RST_SENT("local", "unread_data"), 2, 1 },
	{ "client_disconnect", 2, C_DISCONNECT, S_WAIT_RST, 1, 0, 0,
		RST_SENT("local", "disconnect"), RST_RECEIVED("remote"), 2, 1 },
	{ "late_linger0", 2, C_FIN_LINGER0, S_CLOSE, 0, SMALL, 0,
		RST_SENT("remote", "linger0"), RST_RECEIVED("local"), 1, 1 },
	{ "late_data", 2, C_FIN_DATA, S_CLOSE, 0, SMALL, 0,
		RST_RECEIVED("remote"), RST_SENT("local", "data_after_close"), 1, 1 },
	{ "refused", 4, C_REFUSED, S_NONE, 0, 0, 0,
		REFUSED, NO_LIFE, 0, 1 },
};
/* clang-format on */

const size_t nr_kinds = sizeof(kinds) / sizeof(kinds[0]);
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) <= MAX_KINDS, "per-kind arrays are too short");

bool kind_ends_at_once(const struct kind *kind)
{
	return kind->server == S_CLOSE && !kind->request;
}

/* Weights of the kinds that match one PATTERN[=WEIGHT]; how many kinds did, or -EINVAL. */
static int match_item(char *item, unsigned int *weights)
{
	char *equals = strchr(item, '=');
	unsigned long weight = 0;
	int matched = 0;

	if (equals) {
		char *end;

		*equals = '\0';
		weight = strtoul(equals + 1, &end, 10);
		if (end == equals + 1 || *end || weight > MAX_TURNS)
			return -EINVAL;
	}

	for (size_t i = 0; i < nr_kinds; i++) {
		if (strcmp(item, "all") && fnmatch(item, kinds[i].name, 0))
			continue;
		weights[i] = equals ? weight : kinds[i].weight;
		matched++;
	}
	return matched ? matched : -EINVAL;
}

/* Fixed seed: the same command line makes the same connections in the same order. */
static void shuffle(struct mix *mix)
{
	uint32_t seed = 1;

	for (size_t i = mix->nr_turns - 1; i > 0; i--) {
		seed = seed * 1664525 + 1013904223;
		size_t j = (seed >> 8) % (i + 1);
		unsigned char turn = mix->turns[i];

		mix->turns[i] = mix->turns[j];
		mix->turns[j] = turn;
	}
}

int mix_parse(const char *text, bool hold, struct mix *ret)
{
	unsigned int weights[MAX_KINDS] = { 0 };
	struct mix mix = { .nr_turns = 0 };
	char copy[1024], *save;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return -EINVAL;

	for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		int err = match_item(item, weights);
		if (err < 0)
			return err;
	}

	for (size_t i = 0; i < nr_kinds; i++) {
		if (hold && kind_ends_at_once(&kinds[i]))
			continue;
		if (weights[i] > MAX_TURNS - mix.nr_turns)
			return -EINVAL;
		memset(mix.turns + mix.nr_turns, (int)i, weights[i]);
		mix.nr_turns += weights[i];
	}
	if (!mix.nr_turns)
		return -EINVAL;

	shuffle(&mix);
	*ret = mix;
	return 0;
}
