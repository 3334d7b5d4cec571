// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario.h"

#include <stdio.h>
#include <string.h>

/* Each file as it is, in read-only data. */
#define X(id, name, title, text)						\
	__asm__(".pushsection .rodata\n\t.balign 8\n"				\
		"scenario_" #id "_begin:\n"					\
		"\t.incbin \"user/scenarios/" name ".rec\"\n"			\
		"scenario_" #id "_end:\n\t.popsection\n");			\
	extern const char scenario_##id##_begin[], scenario_##id##_end[];
SCENARIOS(X)
#undef X

const struct scenario scenarios[] = {
#define X(id, name_, title_, text_)						\
	{ .name = name_, .title = title_, .text = text_,			\
	  .begin = scenario_##id##_begin, .end = scenario_##id##_end },
	SCENARIOS(X)
#undef X
	{}
};

const struct scenario *scenario_named(const char *name)
{
	for (const struct scenario *s = scenarios; s->name; s++) {
		if (!strcmp(s->name, name))
			return s;
	}
	return NULL;
}

void scenario_list(char *buf, size_t size)
{
	size_t len = 0;

	for (const struct scenario *s = scenarios; s->name && len < size; s++)
		len += snprintf(buf + len, size - len, "%s%s", s->name,
				!s[1].name ? "" : s[2].name ? ", " : " or ");
}
