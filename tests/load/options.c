// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include "ends.h"
#include "kinds.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"storm -N NETNS | -U [OPTIONS]: TCP connections over loopback, and the truth about them\n"
	"  -N NETNS    run in /run/netns/NETNS (or the namespace at this path)\n"
	"  -U          run in a namespace of its own, gone at the end\n"
	"  -n COUNT    connections to make (10000)\n"
	"  -s SECONDS  begin none after this long (60)\n"
	"  -t THREADS  client threads (2)\n"
	"  -T THREADS  server threads (2)\n"
	"  -r RATE     connections per second (as fast as it goes)\n"
	"  -d DESTS    destinations: 127.0.0.1 to 127.0.0.DESTS (1)\n"
	"  -H COUNT    open so many, then finish them all in one burst; again until -n is reached\n"
	"  -m MIX      all, or a comma list of KIND[=WEIGHT], with * (all); 'list' lists them\n"
	"  -4 -6 -M    IPv4 (default), IPv6, IPv4-mapped; together: in turn\n"
	"  -k          keep the namespace's sysctls as they are\n"
	"  -q          no summary on stderr\n";

/* Upper bounds: a run must stay within what memory, ports and patience allow. */
static const struct number_option {
	char letter;
	unsigned long max;
	size_t offset;
} number_options[] = {
	{ 'n', 2000000, offsetof(struct options, connections) },
	{ 's', 3600, offsetof(struct options, seconds) },
	{ 't', MAX_THREADS, offsetof(struct options, client_threads) },
	{ 'T', MAX_THREADS, offsetof(struct options, server_threads) },
	{ 'r', 1000000, offsetof(struct options, rate) },
	{ 'd', MAX_DESTS, offsetof(struct options, dests) },
	{ 'H', 1000000, offsetof(struct options, hold) },
};

static void wrong_usage(void)
{
	fputs(usage, stderr);
	exit(EXIT_USAGE);
}

static void list_kinds(void)
{
	for (size_t i = 0; i < nr_kinds; i++)
		printf("%-20s weight %u, port %zu%s\n", kinds[i].name, kinds[i].weight,
		       PORT_BASE + i, kind_ends_at_once(&kinds[i]) ? ", not with -H" : "");
}

static unsigned long parse_number(const struct number_option *row, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text >= '0' && *text <= '9' && !*end && value && value <= row->max)
		return value;
	fprintf(stderr, "storm: -%c takes a number from 1 to %lu, not '%s'\n", row->letter,
		row->max, text);
	exit(EXIT_USAGE);
}

static void set_number(struct options *options, int letter)
{
	for (size_t i = 0; i < sizeof(number_options) / sizeof(number_options[0]); i++) {
		const struct number_option *row = &number_options[i];

		if (row->letter != letter)
			continue;
		*(unsigned long *)((char *)options + row->offset) = parse_number(row, optarg);
		return;
	}
	wrong_usage();
}

static void set_option(struct options *options, int letter)
{
	switch (letter) {
	case 'N':
		options->netns = optarg;
		break;
	case 'U':
		options->own_netns = true;
		break;
	case 'm':
		options->mix = optarg;
		break;
	case '4':
		options->families |= 1 << F_V4;
		break;
	case '6':
		options->families |= 1 << F_V6;
		break;
	case 'M':
		options->families |= 1 << F_MAPPED | 1 << F_DUAL;
		break;
	case 'k':
		options->keep_sysctls = true;
		break;
	case 'q':
		options->quiet = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		set_number(options, letter);
	}
}

struct options options_parse(int argc, char **argv)
{
	struct options options = {
		.connections = 10000,
		.client_threads = 2,
		.server_threads = 2,
		.dests = 1,
		.seconds = 60,
		.mix = "all",
	};
	int letter;

	while ((letter = getopt(argc, argv, "N:Un:s:t:T:r:d:H:m:46Mkqh")) != -1)
		set_option(&options, letter);
	if (!strcmp(options.mix, "list")) {
		list_kinds();
		exit(0);
	}
	if (optind != argc || !options.netns == !options.own_netns)
		wrong_usage();
	if (!options.families)
		options.families = 1 << F_V4;
	return options;
}
