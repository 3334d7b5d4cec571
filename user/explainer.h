/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explainer.h - explain as a sink: reports in, ladders out, in whatever format.
 */
#ifndef SYNFIN_EXPLAINER_H
#define SYNFIN_EXPLAINER_H

#include "draw.h"
#include "explain.h"
#include "names.h"
#include "options.h"
#include "sink.h"

struct explainer {
	struct explain explain;
	struct draw draw;
	const struct options *opt;
	struct names *names;	/* the engine's */
	struct sink *sink;	/* the session's, for the formats that have rows */
	uint64_t told;		/* ladders, to their ends */
	const char *title, *text;	/* of a scenario, above its ladders; NULL: none */
	bool legend;		/* stands above the first ladder */
	struct row row;
};

/* sink: all but its format is used.  -ENOMEM and nothing to free, or 0 and *ret. */
int explainer_create(const struct options *opt, struct sink *sink, struct names *names,
		     struct explainer **ret);
void explainer_destroy(struct explainer *x);	/* NULL is fine */

/* What stands above the first ladder. */
void explainer_begin(struct explainer *x);

/* Takes it in, and tells what is due.  asked_for: the filter lets it through. */
void explainer_report(struct explainer *x, const struct report *r, bool asked_for);

/* Formats that are no rows; NULL: it is one. */
const struct sink_ops *explainer_ops(enum format format);

#endif
