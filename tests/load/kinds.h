/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of connection that storm can make: one table row each.
 *
 * A row says what both ends do and therefore what both ends must look like to a
 * tracer. Every kind has a port of its own, so the server knows what to do
 * without a word from the client, and a test can hold one kind at a time
 * against the trace.
 */
#ifndef LOAD_KINDS_H
#define LOAD_KINDS_H

#include <stdbool.h>
#include <stddef.h>

/* Below ip_local_port_range, so that no client is ever given one of them. */
#define PORT_BASE 500
#define PORT_DUAL 600 /* the same kinds again, on dual-stack listeners */

#define MAX_KINDS 32
#define MAX_TURNS 1000

/* What the client does after connect(), and after sending `request` bytes. */
enum client_act {
	C_CLOSE, /* close at once */
	C_CLOSE_RACE, /* close within some 20 us, while the server does too */
	C_WAIT_FIN, /* read the whole reply, then close */
	C_SHUTDOWN, /* shutdown(SHUT_WR), read the whole reply, close */
	C_WAIT_RST, /* be reset */
	C_LINGER0, /* read the greeting, abort */
	C_DISCONNECT, /* read the greeting, connect(AF_UNSPEC) */
	C_UNREAD, /* see the greeting, close without reading it */
	C_FIN_LINGER0, /* after the server's FIN: abort */
	C_FIN_DATA, /* after the server's FIN: send, and be reset for it */
	C_REFUSED, /* nobody listens */
};

/* What the server does after accept(), and after sending `greeting` bytes. */
enum server_act {
	S_NONE, /* there is no server */
	S_WAIT_FIN, /* read the request to its FIN, send the reply, close */
	S_CLOSE, /* read the request, send the reply, close */
	S_WAIT_RST, /* be reset */
	S_LINGER0, /* read the request, abort */
	S_UNREAD, /* see the request, close without reading it */
};

/* Words of the connection record. NULL: the key must be absent; closed_by "any": may differ. */
struct life {
	const char *outcome;
	const char *close;
	const char *closed_by;
	const char *reason;
};

struct kind {
	const char *name;
	unsigned int weight; /* in the default mix */
	enum client_act client;
	enum server_act server;
	size_t greeting, request, reply; /* bytes */
	struct life active, passive; /* passive.outcome NULL: no such life */
	unsigned int estab_resets, out_rsts; /* what one of it adds to the MIB */
};

extern const struct kind kinds[];
extern const size_t nr_kinds;

/* The order in which kinds are made: every weight's worth of them, shuffled, over and over. */
struct mix {
	unsigned char turns[MAX_TURNS];
	size_t nr_turns;
};

/*
 * "all", or a comma list of PATTERN[=WEIGHT] with shell patterns on the names.
 * With @hold, kinds that cannot be held open are left out. -EINVAL: no such
 * kind, or bad or too many weights.
 */
int mix_parse(const char *text, bool hold, struct mix *ret);

/* Its server closes on accept, so it ends before it can be held. */
bool kind_ends_at_once(const struct kind *kind);

#endif
