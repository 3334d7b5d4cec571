// SPDX-License-Identifier: GPL-2.0-or-later
#include "usage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define SHOWN_MAX	64	/* bytes of an argument that a message repeats */
#define SHOWN_SIZE	(SHOWN_MAX + sizeof("\"...\""))
#define LINE_SIZE	512
#define LIST_SIZE	256

/* len bytes of an argument: not too many, and in quotes if they need them. */
static const char *show(const char *text, size_t len, char buf[static SHOWN_SIZE])
{
	bool cut = len > SHOWN_MAX;
	const char *quote = !len || memchr(text, ' ', len) ? "\"" : "";

	snprintf(buf, SHOWN_SIZE, "%s%.*s%s%s", quote, (int)(cut ? SHOWN_MAX : len), text,
		 cut ? "..." : "", quote);
	return buf;
}

int usage_error(const char *what, const char *value, const char *why_and_cure, ...)
{
	char why[LINE_SIZE], shown[SHOWN_SIZE];
	va_list args;

	va_start(args, why_and_cure);
	vsnprintf(why, sizeof(why), why_and_cure, args);
	va_end(args);
	log_error("%s%s%s: %s", what, value ? " " : "",
		  value ? show(value, strlen(value), shown) : "", why);
	return STATUS_USAGE;
}

/* elsewhere: the flag of other commands that it is, or NULL. */
static int unknown(enum command command, const char *what, const struct cli_flag *elsewhere)
{
	const char *name = cli_commands[command].name;
	char others[LIST_SIZE];

	if (!elsewhere)
		return usage_error(what, NULL, "no such option of \"%s\"; see synfin %s --help",
				   name, name);
	cli_list_commands(elsewhere->commands, others, sizeof(others));
	return usage_error(what, NULL, "not an option of \"%s\" but of %s; see synfin %s --help",
			   name, others, name);
}

static int valueless(enum command command, const char *what, const struct cli_flag *flag)
{
	return usage_error(what, NULL, "its %s is missing; see synfin %s --help", flag->metavar,
			   cli_commands[command].name);
}

static const struct cli_flag *flag_of_letter(char letter)
{
	for (int i = 0; i < FLAG_MAX; i++) {
		if (cli_flags[i].letter == letter)
			return &cli_flags[i];
	}
	return NULL;
}

static int letters_error(enum command command, const char *arg)
{
	for (const char *s = arg + 1; *s; s++) {
		const struct cli_flag *flag = flag_of_letter(*s);
		char what[] = { '-', *s, 0 };

		if (!flag || !cli_takes(command, flag->id))
			return unknown(command, what, flag);
		if (flag->metavar)
			return valueless(command, what, flag);
	}
	return unknown(command, "-", NULL);
}

/*
 * Flags of commands that begin with the first len bytes of arg, as bits; if one
 * is just that, only this one.
 */
static uint64_t flags_like(uint32_t commands, const char *arg, size_t len)
{
	uint64_t alike = 0;

	for (int i = 0; i < FLAG_MAX; i++) {
		const struct cli_flag *flag = &cli_flags[i];

		if (!(flag->commands & commands) || strncmp(flag->spelling, arg, len))
			continue;
		if (!flag->spelling[len])
			return 1ULL << i;
		alike |= 1ULL << i;
	}
	return alike;
}

static const struct cli_flag *flag_spelt(const char *arg, size_t len)
{
	uint64_t alike = flags_like(UINT32_MAX, arg, len);
	const struct cli_flag *flag;

	if (!alike)
		return NULL;
	flag = &cli_flags[__builtin_ctzll(alike)];
	return flag->spelling[len] ? NULL : flag;
}

static int long_error(enum command command, const char *arg)
{
	size_t len = strcspn(arg, "=");
	uint64_t alike = flags_like(1u << command, arg, len);
	char what[SHOWN_SIZE], value[SHOWN_SIZE], list[LIST_SIZE];
	const struct cli_flag *flag;

	show(arg, len, what);
	if (len <= strlen("--") || !alike)
		return unknown(command, what, flag_spelt(arg, len));
	if (alike & (alike - 1)) {
		cli_list_flags(alike, list, sizeof(list));
		return usage_error(what, NULL, "could be %s; write it in full", list);
	}
	flag = &cli_flags[__builtin_ctzll(alike)];
	if (flag->metavar)
		return valueless(command, what, flag);
	return usage_error(what, NULL, "takes no value; leave out %s",
			   show(arg + len, strlen(arg + len), value));
}

int usage_error_option(enum command command, const char *arg)
{
	if (!strncmp(arg, "--", 2))
		return long_error(command, arg);
	return letters_error(command, arg);
}

int usage_error_command(const char *word)
{
	char shown[SHOWN_SIZE], commands[LIST_SIZE];

	cli_list_commands((1ULL << CMD_MAX) - 1, commands, sizeof(commands));
	return usage_error(show(word, strlen(word), shown), NULL, "no such command; write %s",
			   commands);
}

static int command_out_of_place(const char *shown, const char *word)
{
	return usage_error(shown, NULL, "a command is only known as the first word; write synfin "
			   "%s [OPTIONS]", word);
}

int usage_error_word(enum command command, const char *word)
{
	char shown[SHOWN_SIZE];
	enum command other;

	show(word, strlen(word), shown);
	if (!cli_command_named(word, &other))
		return command_out_of_place(shown, word);
	return usage_error(shown, NULL, "\"%s\" takes no filter; leave it out",
			   cli_commands[command].name);
}

int usage_error_filter(const char *text, const struct filter_error *error)
{
	char what[SHOWN_SIZE + 64], shown[SHOWN_SIZE], word[SHOWN_SIZE];
	const char *why = filter_problem_text(error->problem);
	enum command command;

	show(text + error->at, error->len, shown);
	snprintf(word, sizeof(word), "%.*s", (int)error->len, text + error->at);
	if (error->problem == FILTER_P_CONDITION && !cli_command_named(word, &command))
		return command_out_of_place(shown, word);
	if (!error->len)
		why = "comes too early";
	if (error->len)
		snprintf(what, sizeof(what), "%s (filter, character %zu)", shown, error->at + 1);
	else
		snprintf(what, sizeof(what), "the filter's end (character %zu)", error->at + 1);
	return usage_error(what, NULL, "%s; %s", why, filter_problem_cure(error->problem));
}
