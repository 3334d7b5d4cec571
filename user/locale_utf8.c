// SPDX-License-Identifier: GPL-2.0-or-later
#include "locale_utf8.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool locale_is_utf8(void)
{
	const char *name = getenv("LC_ALL");

	if (!name || !*name)
		name = getenv("LC_CTYPE");
	if (!name || !*name)
		name = getenv("LANG");
	return name && (strcasestr(name, "UTF-8") || strcasestr(name, "UTF8"));
}
