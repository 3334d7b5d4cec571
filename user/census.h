/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * census.h - counting off what is there: one pass of an iterator over the
 * sockets of each namespace, and one over all descriptors, as raw records.
 * A namespace is entered only for the moment in which its iterator is made and
 * its /proc is read; one whose /proc says that there is no socket is not walked.
 *
 * Whoever has the skeleton (capture.h) brings the programs.
 */
#ifndef SYNFIN_CENSUS_H
#define SYNFIN_CENSUS_H

#include <stdbool.h>
#include <linux/types.h>
#include "source.h"
#include "wire.h"

struct bpf_program;

struct census {
	const char *netns;		/* as -N has it, "all" included */
	struct bpf_program *sockets;	/* loaded; an iterator over the sockets of a namespace;
					   NULL: facts alone are handed out, and no end */
	struct bpf_program *descriptors;	/* likewise of all descriptors; NULL: unwanted */
	enum wire_census_which which;	/* of the rows that sockets hands out */
	__u32 only;			/* inode of the namespace to look at; 0: at all of netns */
	bool facts;			/* with WIRE_NETNS_FACTS, ahead of the rows */
	bool quiet;			/* what is left out was told before */
	struct wire_counted *counted;	/* what sockets counts into; NULL: it tells of each */
	__u32 hz;
	record_fn record;
	void (*between)(void *ctx);	/* after each namespace; NULL: nothing */
	void *ctx;
};

/*
 * Hands out, per namespace, facts, rows and WIRE_CENSUS_END; then the descriptors;
 * then, of all namespaces, a WIRE_CENSUS_END of none.  Namespaces that may not be entered, or are
 * gone, are left out, which is told, and *left_out is how many.  0 or -errno;
 * -ENOLINK: the way back into the own namespace is lost.
 */
int census_run(const struct census *c, unsigned int *left_out);

#endif
