/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privileges.h - what is left of the capabilities once tracing is attached:
 * nothing, but for what the rest of the run cannot do without.  One table.
 *
 * Of the calling thread, and for good: to be called before there is another.
 */
#ifndef SYNFIN_PRIVILEGES_H
#define SYNFIN_PRIVILEGES_H

#include <stdbool.h>

#include "options.h"

/* What the rest of a run will still do. */
struct rest {
	bool enters_netns;	/* counts off the sockets of other network namespaces */
	bool finds_cgroups;	/* by their ids; no loss beside SYS_ADMIN, else not worth it */
	bool looks_into_proc;	/* at what /proc shows of other users' processes */
	bool writes_files;	/* or reads them, again and again, and they may be another user's */
};

/* X(capability, who keeps it) */
#define KEPT_CAPABILITIES(X)				\
	X(CAP_SYS_ADMIN, rest->enters_netns)		\
	X(CAP_SYS_PTRACE, rest->looks_into_proc)	\
	X(CAP_DAC_READ_SEARCH, rest->finds_cgroups)	\
	X(CAP_DAC_OVERRIDE, rest->writes_files)

/* Of trace, conns and export; only of network namespaces other than its own is there a rest. */
struct rest privileges_rest(const struct options *opt);

/*
 * Gives up every other capability, from every set, and the right to gain any by
 * execve().  Up to 5.18 the kernel may ask for CAP_BPF even to read what is open
 * (kernel.unprivileged_bpf_disabled; c8644cd0efe7): where it does, that is kept, too.
 * What could not be given up is told, and the run goes on.
 */
void privileges_drop(const struct rest *rest);

#endif
