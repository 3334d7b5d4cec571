// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any Accept and Accept-Encoding, a NUL between them: nobody is given what he did not
 * name, and the type of the answer is the answer's.
 */
#include <string.h>

#include "fuzz.h"
#include "negotiate.h"

static bool names(const char *text, const char *word)
{
	return strcasestr(text, word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly so long: what reads beyond is found out. */
	const char *nul = memchr(data, 0, size);
	size_t len = nul ? (size_t)(nul - (const char *)data) : size;
	char *accept = strndup((const char *)data, len);
	char *encoding = nul ? strndup(nul + 1, size - len - 1) : NULL;
	enum exposition_format format;
	const char *type;

	CLAIM(accept);
	format = negotiate_format(accept);
	type = negotiate_content_type(accept, format);
	if (format == EXPOSITION_OPENMETRICS) {
		CLAIM(names(accept, "application/openmetrics-text"));
		CLAIM(!strncmp(type, "application/openmetrics-text; version=1.0.0;", 44));
		CLAIM(!names(type, "escaping") || names(accept, "escaping"));
	} else {
		CLAIM(format == EXPOSITION_CLASSIC);
		CLAIM(!strncmp(type, "text/plain; version=0.0.4;", 26));
	}
	if (negotiate_gzip(encoding))
		CLAIM(names(encoding, "gzip") || strchr(encoding, '*'));
	free(accept);
	free(encoding);
	return 0;
}
