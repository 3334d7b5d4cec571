/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tw_owners.h - who closed the sockets that are in TIME_WAIT, as the ledger
 * (timewait.h) remembers it from before the close; a census cannot tell.  Pure.
 */
#ifndef SYNFIN_TW_OWNERS_H
#define SYNFIN_TW_OWNERS_H

#include "filter.h"
#include "keytab.h"
#include "timewait.h"
#include "tw_table.h"

struct tw_owners {
	struct keytab table;	/* struct tw_owner */
};

int tw_owners_init(struct tw_owners *o);
void tw_owners_deinit(struct tw_owners *o);

/*
 * The owners with most sockets in TIME_WAIT of the namespace that were there since
 * since_ns and satisfy the filter, at most n, into ret; their number.  Of a census that
 * is its start: what it did not meet is gone, though the ledger does not know yet.
 * Valid until the ledger changes.
 */
unsigned int tw_owners_of(struct tw_owners *o, const struct timewait *ledger, uint32_t netns,
			  uint64_t since_ns, const struct filter *filter, unsigned int n,
			  struct tw_group *ret);

#endif
