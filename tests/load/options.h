/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of storm. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>

#define EXIT_USAGE 2

struct options {
	unsigned long connections;
	unsigned long client_threads;
	unsigned long server_threads;
	unsigned long rate; /* per second; 0: flat out */
	unsigned long dests;
	unsigned long hold; /* 0: none is held */
	unsigned long seconds;
	unsigned int families; /* 1 << enum family */
	const char *netns;
	const char *mix;
	bool own_netns;
	bool keep_sysctls;
	bool quiet;
};

/* Ends the program for -h, -m list and wrong usage. */
struct options options_parse(int argc, char **argv);

#endif
