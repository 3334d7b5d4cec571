/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_text.h - a filter as text again, in its own grammar: what was parsed of
 * it, for --explain-filter and for tests.  Pure.
 */
#ifndef SYNFIN_FILTER_TEXT_H
#define SYNFIN_FILTER_TEXT_H

#include "filter.h"
#include "text.h"

/*
 * One node with all below it, with the parentheses that it needs to be read back
 * as the same.  What only flags can say is written as they are.
 */
void filter_text(const struct filter *f, unsigned int node, struct text *t);

/* "80,443,8000-8099"; "10.0.0.0/8, not 10.1.0.0/16" */
void filter_text_ports(const struct wire_ports *ports, struct text *t);
void filter_text_addrs(const struct wire_addrs *addrs, struct text *t);

#endif
