// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any command line, its words separated by NUL: it is understood, helped, or
 * refused; what is understood keeps within the bounds that options.h promises.
 */
#include <string.h>

#include "fuzz.h"
#include "options.h"

#define WORDS_MAX	32

static void check(const struct options *opt)
{
	CLAIM(opt->command < CMD_MAX && opt->format < FORMAT_MAX && opt->color < COLOR_MAX);
	CLAIM(opt->family == 0 || opt->family == 4 || opt->family == 6);
	CLAIM(opt->lports.len <= WIRE_RANGES && opt->rports.len <= WIRE_RANGES);
	CLAIM(!cli_takes(opt->command, FLAG_NETNS) || (opt->netns && *opt->netns));
	CLAIM(!(opt->ring_size & (opt->ring_size - 1)));
	CLAIM(!opt->write_path || !opt->read_path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[WORDS_MAX + 2] = { "synfin" };
	struct options opt;
	size_t at = 0;
	int argc = 1, status;

	CLAIM(text);
	memcpy(text, data, size);
	text[size] = 0;
	while (at < size && argc <= WORDS_MAX) {
		argv[argc++] = text + at;
		at += strlen(text + at) + 1;
	}
	status = options_parse(argc, argv, &opt);
	CLAIM(status == 0 || status == OPTIONS_DONE || status == STATUS_USAGE);
	if (!status)
		check(&opt);
	free(text);
	return 0;
}
