/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.h - a filter: an expression over sockets, and whether a socket, a life
 * or an event satisfies it.  Pure; filter_parse.h makes one of words, filter_bound.h
 * tells what the kernel can decide of it.
 *
 * What is not known is never guessed: a test on it is neither true nor false, and
 * what hangs on it is not shown.  A filter is plain data: copy it, nothing to free;
 * zeroed it is satisfied by everything.
 */
#ifndef SYNFIN_FILTER_H
#define SYNFIN_FILTER_H

#include "conn.h"

#define FILTER_NODES	256

enum filter_kind {
	FILTER_ANY,		/* `src *` */
	FILTER_ADDR,		/* its address is in the prefix */
	FILTER_PORT,		/* its port is in lo..hi */
	FILTER_STATE,		/* one of its states is in the set */
	FILTER_PID,
	FILTER_UID,
	FILTER_COMM,
	FILTER_FAILED,
	FILTER_SLOW,		/* its handshake took longer */
	FILTER_NOT,
	FILTER_AND,
	FILTER_OR,
};

struct filter_node {
	uint8_t kind;		/* enum filter_kind */
	bool remote;		/* ADDR, PORT: of the remote end, else of the local one */
	uint8_t len;		/* ADDR: bits of the prefix */
	uint16_t a, b;		/* AND, OR: the two operands; NOT: a */
	union {
		uint8_t addr[16];	/* masked; IPv4 as ::ffff:a.b.c.d */
		struct { uint16_t lo, hi; } ports;	/* 1 .. 65535 */
		uint32_t states;	/* bits by enum tcp_state */
		uint32_t pid, uid;
		char comm[WIRE_COMM_LEN];	/* terminated; zero behind that */
		uint64_t slow_ns;
	};
};

/* Operands stand before what they are operands of; the last node is the whole. */
struct filter {
	uint16_t len;
	struct filter_node node[FILTER_NODES];
};

/*
 * Appends a node.  Its index, or -1: there is no room.  filter_join(): of kind AND
 * or OR over a and b; NOT over a.
 */
int filter_add(struct filter *f, const struct filter_node *node);
int filter_join(struct filter *f, enum filter_kind kind, int a, int b);

/*
 * What a filter is asked about.  A port that is 0 and an address that is
 * unspecified are not known, but a listening socket's: its local address is what
 * it says, and it has no remote end, so that no test of that is true.
 */
struct filter_facts {
	const struct wire_tuple *tuple;	/* NULL: none, all of it unknown */
	uint32_t states;	/* bits by enum tcp_state: what it is in, or has been in */
	bool listener;
	const struct owner *owner;	/* NULL, or from nowhere: not known, and nobody's */
	bool failed;		/* a life that is not as it should be */
	uint64_t handshake_ns;	/* 0, or UNKNOWN_NS: not known */
};

enum filter_answer { FILTER_NO, FILTER_MAYBE, FILTER_YES };

/* MAYBE: it hangs on a port or an address that is not known. */
enum filter_answer filter_ask(const struct filter *f, const struct filter_facts *facts);

/* Whether it is to be shown. */
bool filter_match(const struct filter *f, const struct filter_facts *facts);

#endif
