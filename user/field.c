// SPDX-License-Identifier: GPL-2.0-or-later
#include "field.h"

const struct field_spec field_specs[F_MAX] = {
#define X(name, key, type, commands) [F_##name] = { key, type, commands },
	FIELDS
#undef X
};
