/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h - what of the system synfin needs, feature by feature: whether it is
 * there, what needs it, and the cure.  Judges what feature_look() found; loads
 * nothing, and needs no privilege.
 *
 * The exit status tells whether tracing would work.  Where both stand against
 * it, a kernel feature that is missing beats a privilege that is: no privilege
 * brings the feature.  Features that tracing can do without do not count, nor
 * does what only loading the programs could tell.
 */
#ifndef SYNFIN_DOCTOR_H
#define SYNFIN_DOCTOR_H

#include <stddef.h>
#include "cli.h"
#include "feature.h"

enum check_state { CHECK_UNKNOWN, CHECK_OK, CHECK_MISSING };

struct check {
	enum check_state state;
	const char *feature;	/* a name for scripts, never to change */
	const char *needs;	/* what needs it, and is not to be had without */
	const char *cure;	/* NULL unless missing */
	char found[48];		/* what was found, for -v; may be empty */
};

#define CHECKS_MAX	40

/* The checks of the table, in its order.  Returns how many. */
unsigned int doctor_check(const struct facts *facts, struct check ret[CHECKS_MAX]);

struct doctor_verdict {
	enum exit_status status;
	const char *cure;	/* of the first feature that decided; NULL: STATUS_OK */
	const char *unknown;	/* the first that counts and could not be told; or NULL */
	char against[256];	/* what stands against tracing, joined by commas */
};

struct doctor_verdict doctor_judge(const struct check *checks, unsigned int nr);

/* Prints all that, as records to fd and the verdict to stderr. */
int doctor_run(const struct facts *facts, enum format format, int fd);

#endif
