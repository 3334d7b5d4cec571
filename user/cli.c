// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FORMAT_BIT(id)	(1u << FORMAT_##id)
#define COMMAND_BIT(id)	(1u << CMD_##id)

_Static_assert(CMD_MAX <= 32 && FORMAT_MAX <= 32 && COLOR_MAX <= 32, "sets are 32-bit masks");
_Static_assert(FLAG_MAX <= 64, "sets of flags are 64-bit masks");

const struct cli_command cli_commands[] = {
#define X(id, name_, formats_, what_) \
	[CMD_##id] = { .name = name_, .what = what_, .formats = formats_ },
	COMMANDS(X, FORMAT_BIT)
#undef X
};

const struct cli_flag cli_flags[] = {
#define X(id_, letter_, name_, metavar_, preset_, commands_, group_, help_)			\
	[FLAG_##id_] = {									\
		.id = FLAG_##id_, .letter = letter_, .spelling = "--" name_,			\
		.metavar = metavar_, .preset = preset_, .commands = commands_,			\
		.group = GROUP_##group_, .help = help_,						\
	},
	FLAGS(X, COMMAND_BIT)
#undef X
};

const char *const cli_groups[] = {
#define X(id, heading) [GROUP_##id] = heading,
	FLAG_GROUPS(X)
#undef X
};

const struct cli_form cli_filter_forms[] = {
#define X(form_, what_) { .form = form_, .what = what_ },
	FILTER_FORMS(X)
#undef X
	{}
};

const struct cli_status cli_statuses[] = {
#define X(code_, name, when_) { .code = code_, .when = when_ },
	EXIT_STATUSES(X)
#undef X
	{}
};

const struct cli_example cli_examples[] = {
#define X(id, line_, what_) { .command = CMD_##id, .line = line_, .what = what_ },
	EXAMPLES(X)
#undef X
	{}
};

static const char *const format_names[] = {
#define X(id, name) [FORMAT_##id] = name,
	FORMATS(X)
#undef X
};

static const char *const group_by_names[] = {
#define X(id, name) [GROUP_BY_##id] = name,
	GROUP_BYS(X)
#undef X
};

static const char *const color_names[] = {
#define X(id, name) [COLOR_##id] = name,
	COLORS(X)
#undef X
};

bool cli_takes(enum command command, enum flag flag)
{
	return cli_flags[flag].commands & 1u << command;
}

bool cli_takes_filter(enum command command)
{
	return (OF_FILTER(COMMAND_BIT)) & 1u << command;
}

int cli_command_named(const char *name, enum command *ret)
{
	for (int i = 0; i < CMD_MAX; i++) {
		if (!strcmp(cli_commands[i].name, name)) {
			*ret = i;
			return 0;
		}
	}
	return -ENOENT;
}

uint32_t cli_choices(enum flag flag, enum command command)
{
	if (flag == FLAG_OUTPUT)
		return cli_commands[command].formats;
	if (flag == FLAG_COLOR)
		return (1u << COLOR_MAX) - 1;
	if (flag == FLAG_METRICS_GROUP_BY)
		return (1u << GROUP_BY_MAX) - 1;
	return 0;
}

const char *cli_choice_name(enum flag flag, unsigned int choice)
{
	if (flag == FLAG_METRICS_GROUP_BY)
		return group_by_names[choice];
	return flag == FLAG_OUTPUT ? format_names[choice] : color_names[choice];
}

/* Adds one name to buf; left is how many are still to come behind it. */
static void add_name(char *buf, size_t size, size_t *len, const char *name, int left)
{
	const char *joint = !*len ? "" : left ? ", " : " or ";
	int n;

	n = snprintf(buf + *len, size - *len, "%s%s", joint, name);
	*len += n < 0 || (size_t)n >= size - *len ? size - *len - 1 : (size_t)n;
}

void cli_list_choices(enum flag flag, uint32_t mask, char *buf, size_t size)
{
	size_t len = 0;

	for (buf[0] = 0; mask; mask &= mask - 1) {
		const char *name = cli_choice_name(flag, __builtin_ctz(mask));

		add_name(buf, size, &len, name, __builtin_popcount(mask) - 1);
	}
}

void cli_list_commands(uint32_t mask, char *buf, size_t size)
{
	size_t len = 0;

	for (buf[0] = 0; mask; mask &= mask - 1) {
		const char *name = cli_commands[__builtin_ctz(mask)].name;

		add_name(buf, size, &len, name, __builtin_popcount(mask) - 1);
	}
}

void cli_list_flags(uint64_t mask, char *buf, size_t size)
{
	size_t len = 0;

	for (buf[0] = 0; mask; mask &= mask - 1) {
		const char *name = cli_flags[__builtin_ctzll(mask)].spelling;

		add_name(buf, size, &len, name, __builtin_popcountll(mask) - 1);
	}
}
