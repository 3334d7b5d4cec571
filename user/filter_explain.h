/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_explain.h - what --explain-filter says: which part of a filter the kernel
 * decides, which is decided in user space, and how it was understood.
 */
#ifndef SYNFIN_FILTER_EXPLAIN_H
#define SYNFIN_FILTER_EXPLAIN_H

#include <stdio.h>
#include "options.h"

/* has_v1: this host has cgroups of version 1. */
void filter_explain(FILE *out, const struct options *opt, bool has_v1);

#endif
