/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mermaid.h - a ladder as a sequenceDiagram of Mermaid in a fenced block, as
 * GitHub and GitLab render it in Markdown.
 */
#ifndef SYNFIN_MERMAID_H
#define SYNFIN_MERMAID_H

#include "explain.h"
#include "text.h"

/* Returns the arrows; 0: there are none. */
unsigned int mermaid_write(struct text *t, const struct telling *part, bool absolute);

#endif
