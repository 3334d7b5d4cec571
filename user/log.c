// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

enum log_level log_level = LOG_NORMAL;

static void line(const char *fmt, va_list args)
{
	char raw[1024], visible[4 * sizeof(raw)];
	struct text t = text_into(visible, sizeof(visible) - 1);
	ssize_t unused;
	int len = vsnprintf(raw, sizeof(raw), fmt, args);

	if (len < 0)
		return;
	text_str(&t, "synfin: ");
	text_visible(&t, raw, strlen(raw));
	*t.p++ = '\n';
	unused = write(STDERR_FILENO, visible, t.p - visible);
	(void)unused;	/* nowhere to tell */
}

#define LINE_IF(condition)		\
	do {				\
		va_list args;		\
					\
		if (!(condition))	\
			return;		\
		va_start(args, fmt);	\
		line(fmt, args);	\
		va_end(args);		\
	} while (0)

void log_error(const char *fmt, ...)
{
	LINE_IF(true);
}

void log_info(const char *fmt, ...)
{
	LINE_IF(log_level >= LOG_NORMAL);
}

void log_debug(const char *fmt, ...)
{
	LINE_IF(log_level >= LOG_VERBOSE);
}
