// SPDX-License-Identifier: GPL-2.0-or-later
#include "metric.h"

const struct metric_spec metric_specs[METRIC_MAX] = {
#define X(id, name_, type_, unit_, labels_, help_)				\
	[M_##id] = { .name = name_, .labels = labels_, .help = help_,		\
		     .type = METRIC_##type_, .unit = UNIT_##unit_ },
	METRICS(X)
#undef X
};

const char *const metric_types[] = {
#define X(id, text) [METRIC_##id] = text,
	METRIC_TYPES(X)
#undef X
};

const char *const metric_units[] = {
#define X(id, text) [UNIT_##id] = text,
	METRIC_UNITS(X)
#undef X
};
