// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * completion - prints what a shell completes after "synfin", from the tables of
 * cli.h and nothing else:  completion bash|zsh|fish.  Run when synfin is built.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* Names of the network namespaces that have one, in any shell's words. */
#define NETNS_NAMES	"all self $(ls /run/netns 2>/dev/null)"

enum value { VALUE_NONE, VALUE_WORDS, VALUE_FILE, VALUE_NETNS, VALUE_FREE };

static enum value value_of(const struct cli_flag *flag, enum command command)
{
	if (!flag->metavar)
		return VALUE_NONE;
	if (cli_choices(flag->id, command))
		return VALUE_WORDS;
	if (!strcmp(flag->metavar, "FILE") || !strcmp(flag->metavar, "PATH"))
		return VALUE_FILE;
	return flag->id == FLAG_NETNS ? VALUE_NETNS : VALUE_FREE;
}

static void print_choices(const struct cli_flag *flag, enum command command)
{
	uint32_t choices = cli_choices(flag->id, command);

	for (unsigned int i = 0; choices >> i; i++) {
		if (choices >> i & 1)
			printf("%s%s", choices & ((1u << i) - 1) ? " " : "",
			       cli_choice_name(flag->id, i));
	}
}

/* The names of commands, or of the flags that one takes. */
static void print_commands(const char *between)
{
	for (int i = 0; i < CMD_MAX; i++)
		printf("%s%s", i ? between : "", cli_commands[i].name);
}

static void print_flags(enum command command)
{
	for (int i = 0; i < FLAG_MAX; i++) {
		if (!cli_takes(command, i))
			continue;
		if (cli_flags[i].letter)
			printf("-%c ", cli_flags[i].letter);
		printf("%s ", cli_flags[i].spelling);
	}
}

/* Between quotes that it must not end: the help has none of the others. */
static void print_escaped(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			printf("'\\''");
		else
			printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
	}
}

/* ---- bash ---- */

static void print_bash_value(const struct cli_flag *flag, enum command command)
{
	enum value value = value_of(flag, command);

	if (value == VALUE_NONE)
		return;
	printf("\t");
	if (flag->letter)
		printf("%s:-%c|", cli_commands[command].name, flag->letter);
	printf("%s:%s) ", cli_commands[command].name, flag->spelling);
	switch (value) {
	case VALUE_WORDS:
		printf("words='");
		print_choices(flag, command);
		printf("'");
		break;
	case VALUE_FILE:
		printf("compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); "
		       "return");
		break;
	case VALUE_NETNS:
		printf("words=\"" NETNS_NAMES "\"");
		break;
	case VALUE_FREE:
		printf("return");
		break;
	case VALUE_NONE:
		break;
	}
	printf(" ;;\n");
}

static void print_bash(void)
{
	printf("# bash completion for synfin, made from its own tables\n"
	       "_synfin()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tlocal command=%s words=\n\n"
	       "\tCOMPREPLY=()\n\tcase ${COMP_WORDS[1]} in\n\t", cli_commands[0].name);
	print_commands("|");
	printf(") command=${COMP_WORDS[1]} ;;\n\tesac\n\tcase $command:$prev in\n");
	for (int c = 0; c < CMD_MAX; c++) {
		for (int i = 0; i < FLAG_MAX; i++) {
			if (cli_takes(c, i))
				print_bash_value(&cli_flags[i], c);
		}
	}
	printf("\tesac\n\tif [[ -z $words && $cur == -* ]]; then\n\t\tcase $command in\n");
	for (int c = 0; c < CMD_MAX; c++) {
		printf("\t\t%s) words='", cli_commands[c].name);
		print_flags(c);
		printf("' ;;\n");
	}
	printf("\t\tesac\n\telif [[ -z $words && $COMP_CWORD == 1 ]]; then\n\t\twords='");
	print_commands(" ");
	printf("'\n\tfi\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
	       "complete -F _synfin synfin\n");
}

/* ---- zsh ---- */

static void print_zsh_value(const struct cli_flag *flag, enum command command)
{
	enum value value = value_of(flag, command);

	if (value == VALUE_NONE)
		return;
	printf(":%s:", flag->metavar);
	if (value == VALUE_FILE)
		printf("_files");
	else if (value == VALUE_NETNS)
		printf("(" NETNS_NAMES ")");
	if (value != VALUE_WORDS)
		return;
	printf("(");
	print_choices(flag, command);
	printf(")");
}

static void print_zsh_flag(const struct cli_flag *flag, enum command command)
{
	const char *equals = flag->metavar ? "=" : "";

	if (flag->letter)
		printf("\t\t\t'(-%c %s)'{-%c,%s%s}'[", flag->letter, flag->spelling, flag->letter,
		       flag->spelling, equals);
	else
		printf("\t\t\t'%s%s[", flag->spelling, equals);
	print_escaped(flag->help, "[]:\\");
	printf("]");
	print_zsh_value(flag, command);
	printf("' \\\n");
}

static void print_zsh(void)
{
	printf("#compdef synfin\n# zsh completion for synfin, made from its own tables\n\n"
	       "_synfin()\n{\n\tlocal command=%s\n\tlocal -a commands=(\n", cli_commands[0].name);
	for (int c = 0; c < CMD_MAX; c++) {
		printf("\t\t'%s:", cli_commands[c].name);
		print_escaped(cli_commands[c].what, "");
		printf("'\n");
	}
	printf("\t)\n\n\tif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
	       "\t\t_describe command commands\n\t\treturn\n\tfi\n\tcase $words[2] in\n\t(");
	print_commands("|");
	printf(")\n\t\tcommand=$words[2]\n\t\tshift words\n\t\t(( CURRENT-- ))\n\t\t;;\n\tesac\n"
	       "\tcase $command in\n");
	for (int c = 0; c < CMD_MAX; c++) {
		printf("\t(%s)\n\t\t_arguments -s \\\n", cli_commands[c].name);
		for (int i = 0; i < FLAG_MAX; i++) {
			if (cli_takes(c, i))
				print_zsh_flag(&cli_flags[i], c);
		}
		printf("\t\t\t&& return\n\t\t;;\n");
	}
	printf("\tesac\n}\n\n_synfin \"$@\"\n");
}

/* ---- fish ---- */

static void print_fish_flag(const struct cli_flag *flag, enum command command)
{
	enum value value = value_of(flag, command);

	printf("complete -c synfin -n '__synfin_is %s' -l %s", cli_commands[command].name,
	       flag->spelling + strlen("--"));
	if (flag->letter)
		printf(" -s %c", flag->letter);
	if (value == VALUE_FILE) {
		printf(" -r -F");
	} else if (value != VALUE_NONE) {
		printf(" -x");
	}
	if (value == VALUE_WORDS) {
		printf(" -a '");
		print_choices(flag, command);
		printf("'");
	} else if (value == VALUE_NETNS) {
		printf(" -a 'all self (ls /run/netns 2>/dev/null)'");
	}
	printf(" -d '");
	print_escaped(flag->help, "");
	printf("'\n");
}

static void print_fish(void)
{
	printf("# fish completion for synfin, made from its own tables\n"
	       "function __synfin_is\n\tset -l words (commandline -opc)\n\tset -l command %s\n"
	       "\tif set -q words[2]; and contains -- $words[2] ", cli_commands[0].name);
	print_commands(" ");
	printf("\n\t\tset command $words[2]\n\tend\n\ttest $command = $argv[1]\nend\n"
	       "complete -c synfin -f\n");
	for (int c = 0; c < CMD_MAX; c++) {
		printf("complete -c synfin -n '__fish_is_first_arg' -a %s -d '",
		       cli_commands[c].name);
		print_escaped(cli_commands[c].what, "");
		printf("'\n");
	}
	for (int c = 0; c < CMD_MAX; c++) {
		for (int i = 0; i < FLAG_MAX; i++) {
			if (cli_takes(c, i))
				print_fish_flag(&cli_flags[i], c);
		}
	}
}

int main(int argc, char **argv)
{
	const char *shell = argc == 2 ? argv[1] : "";

	if (!strcmp(shell, "bash"))
		print_bash();
	else if (!strcmp(shell, "zsh"))
		print_zsh();
	else if (!strcmp(shell, "fish"))
		print_fish();
	else
		return fprintf(stderr, "Usage: completion bash|zsh|fish\n"), 2;
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
