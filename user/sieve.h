/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sieve.h - which cgroups --cgroup, --unit and --container leave out: of each it is
 * decided once, when its path has just been looked up, and told to the kernel, which
 * from then on drops what sockets of that cgroup do.  Pure, but for who is told.
 *
 * A cgroup's id stands for one path for good, so a verdict stays true; one whose path
 * is not known is not left out: who comes behind decides.  Of SIEVE_CGROUPS at a time
 * the verdicts are kept; then all are forgotten, here and in the kernel, and given anew.
 */
#ifndef SYNFIN_SIEVE_H
#define SYNFIN_SIEVE_H

#include <stdbool.h>
#include <stdint.h>

#include "keytab.h"
#include "options.h"

/* Busy hosts have some thousand; a verdict takes 16 bytes here and 64 in the kernel. */
#define SIEVE_CGROUPS	(1u << 14)

/*
 * What becomes of this cgroup's sockets from now on; WIRE_J_NONE: that is forgotten.
 * 0, or -errno: all is as it was.
 */
typedef int (*sieve_tell_fn)(void *ctx, uint64_t id, enum wire_judged verdict);

struct sieve {
	struct cgroup_terms terms;
	struct keytab verdicts;
	sieve_tell_fn tell;
	void *ctx;
	uint64_t dropped;	/* cgroups */
};

/*
 * Whether this run can have one.  A ladder shows the other end, too, and top has ladders;
 * where there is version 1, too, a socket may be its owner's (names_cgroup_of()).
 */
bool sieve_is_for(const struct options *opt, bool has_v1);

/* -ENOMEM and nothing to free, or 0. */
int sieve_init(struct sieve *s, const struct cgroup_terms *terms, sieve_tell_fn tell, void *ctx);
void sieve_deinit(struct sieve *s);	/* a zeroed one, too */

/* WIRE_J_NONE: it is not judged (any more). */
enum wire_judged sieve_verdict(const struct sieve *s, uint64_t id);

/* path: from the hierarchy's root; NULL: not known.  Never WIRE_J_NONE. */
enum wire_judged sieve_judge(struct sieve *s, uint64_t id, const char *path);

#endif
