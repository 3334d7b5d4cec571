/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tw_table.h - the kernel's TIME_WAIT table of one network namespace, as a census
 * finds it: how many, how long yet, and of whom.  Pure.
 *
 * Exact in its counts, whatever there is; groups are kept of the first 65536
 * remote addresses only, which are met in the order of the kernel's hash, so that
 * no big group fails to be among them.
 */
#ifndef SYNFIN_TW_TABLE_H
#define SYNFIN_TW_TABLE_H

#include "event.h"
#include "keytab.h"

/* Remaining time in steps of 5 s; the last is 55 s and more (TCP_TIMEWAIT_LEN is 60 s). */
#define TW_STEPS	WIRE_LEFT_STEPS

struct tw_remote {
	uint8_t addr[16];	/* IPv4 as ::ffff:a.b.c.d */
	uint64_t count;
};

struct tw_table {
	uint64_t count;		/* TIME_WAIT proper */
	uint64_t fin_wait2;	/* mini-sockets that wait for the peer's FIN */
	uint64_t left[TW_STEPS];	/* of count */
	struct keytab remotes;	/* struct tw_remote */
	uint32_t *lports;	/* by port */
};

int tw_table_init(struct tw_table *t);
void tw_table_deinit(struct tw_table *t);

/* Another namespace, or the next census. */
void tw_table_clear(struct tw_table *t);

void tw_table_add(struct tw_table *t, const struct wire_mini *mini, uint32_t hz);

/* Likewise of many, that the kernel counted: both kinds of records, what they say of each other. */
void tw_table_add_group(struct tw_table *t, const struct wire_mini_group *group);
void tw_table_add_ports(struct tw_table *t, const struct wire_mini_ports *ports);

struct ownership;

/* A group by one of these; the others are zero. */
struct tw_group {
	const uint8_t *addr;
	uint16_t lport;
	const struct ownership *owner;
	uint64_t count;
};

/*
 * ret holds the biggest n of those that came so far, *nr of them, in order: the
 * biggest first, ties by key, owners as they came.  Another may belong there.
 */
void tw_group_consider(struct tw_group *ret, unsigned int *nr, unsigned int n,
		       struct tw_group group);

/*
 * The biggest n groups by remote address, or by local port, into ret; their
 * number.  *rest: what is in all others, together.
 */
unsigned int tw_table_remotes(const struct tw_table *t, unsigned int n, struct tw_group *ret,
			      uint64_t *rest);
unsigned int tw_table_lports(const struct tw_table *t, unsigned int n, struct tw_group *ret,
			     uint64_t *rest);

#endif
