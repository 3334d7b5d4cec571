// SPDX-License-Identifier: GPL-2.0-or-later
#include "help.h"

#include <string.h>

#define WIDTH		79	/* a line of 80 wraps on some terminals */

/* Where the right side of a list begins. */
enum { STATUS_COLUMN = 5, EXAMPLE_COLUMN = 8, COMMAND_COLUMN = 12, FLAG_COLUMN = 27 };

/* Text from column indent on, broken at blanks; the cursor is in column at. */
static void print_wrapped(FILE *out, int at, int indent, const char *text)
{
	bool first = true;

	if (at && at >= indent) {
		fputc('\n', out);
		at = 0;
	}
	fprintf(out, "%*s", indent - at, "");
	at = indent;
	while (*text) {
		int len = strcspn(text, " ");

		if (!first && at + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
			first = true;
		}
		at += fprintf(out, "%s%.*s", first ? "" : " ", len, text);
		first = false;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', out);
}

static void print_usage(FILE *out, enum command command, bool named)
{
	if (named)
		fprintf(out, "Usage: synfin %s [OPTIONS]%s\n\n", cli_commands[command].name,
			cli_takes_filter(command) ? " [FILTER]" : "");
	else
		fprintf(out, "Usage: synfin [COMMAND] [OPTIONS] [FILTER]\n\n");
	print_wrapped(out, 0, 0, "Shows with eBPF what becomes of TCP connections: every state "
				 "the kernel takes them through, and how their lives end.");
}

static void print_commands(FILE *out)
{
	fprintf(out, "\nCommands (%s if none is named):\n", cli_commands[0].name);
	for (int i = 0; i < CMD_MAX; i++)
		print_wrapped(out, fprintf(out, "  %s", cli_commands[i].name), COMMAND_COLUMN,
			      cli_commands[i].what);
}

static void print_flag(FILE *out, const struct cli_flag *flag, enum command command)
{
	uint32_t choices = cli_choices(flag->id, command);
	char list[80] = "", text[320];
	int at;

	if (flag->letter)
		at = fprintf(out, "  -%c, %s", flag->letter, flag->spelling);
	else
		at = fprintf(out, "      %s", flag->spelling);
	if (flag->metavar)
		at += fprintf(out, " %s", flag->metavar);
	if (choices)
		cli_list_choices(flag->id, choices, list, sizeof(list));
	snprintf(text, sizeof(text), "%s%s%s%s%s%s", flag->help, choices ? ": " : "", list,
		 flag->preset ? " (default: " : "", flag->preset ? flag->preset : "",
		 flag->preset ? ")" : "");
	print_wrapped(out, at, FLAG_COLUMN, text);
}

static void print_group(FILE *out, enum flag_group group, enum command command)
{
	bool any = false;

	for (int i = 0; i < FLAG_MAX; i++) {
		if (cli_flags[i].group != group || !cli_takes(command, i))
			continue;
		if (!any)
			fprintf(out, "\n%s:\n", cli_groups[group]);
		any = true;
		print_flag(out, &cli_flags[i], command);
	}
}

static void print_filter(FILE *out, enum command command)
{
	if (!cli_takes_filter(command))
		return;
	fprintf(out, "\nFilter, in the words of ss(8):\n");
	for (const struct cli_form *f = cli_filter_forms; f->form; f++)
		print_wrapped(out, fprintf(out, "  %s", f->form), FLAG_COLUMN, f->what);
}

static void print_statuses(FILE *out)
{
	fprintf(out, "\nExit codes:\n");
	for (const struct cli_status *s = cli_statuses; s->when; s++)
		print_wrapped(out, fprintf(out, "  %d", s->code), STATUS_COLUMN, s->when);
}

static void print_examples(FILE *out, enum command command)
{
	fprintf(out, "\nExamples:\n");
	for (const struct cli_example *e = cli_examples; e->line; e++) {
		if (e->command == command)
			print_wrapped(out, fprintf(out, "  %s", e->line), EXAMPLE_COLUMN,
				      e->what);
	}
}

void help_print(FILE *out, enum command command, bool named)
{
	print_usage(out, command, named);
	print_commands(out);
	if (!named)
		fprintf(out, "\nOptions of %s; the others: synfin COMMAND --help\n",
			cli_commands[command].name);
	for (int group = 0; group < GROUP_MAX; group++)
		print_group(out, group, command);
	print_filter(out, command);
	print_statuses(out);
	print_examples(out, command);
}
