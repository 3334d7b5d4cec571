// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text as --web.listen-address: what is taken for one ends in a port, and what
 * is served there is not asked of any resolver to find that out.
 */
#include <string.h>

#include "fuzz.h"
#include "listen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *address = strndup((const char *)data, size);
	const char *colon;

	CLAIM(address);
	if (!listen_check(address)) {
		colon = strrchr(address, ':');
		CLAIM(colon && colon[1] && strlen(colon + 1) <= 5);
		CLAIM(strspn(colon + 1, "0123456789") == strlen(colon + 1));
		CLAIM(atoi(colon + 1) <= 65535);
		CLAIM(address[0] == '[' ? colon[-1] == ']' : strchr(address, ':') == colon);
	}
	free(address);
	return 0;
}
