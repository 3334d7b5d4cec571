/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage.h - tells the user what is wrong with the command line, in one line on
 * stderr (log.h): "synfin: WHAT: WHY; CURE".  Every function returns
 * STATUS_USAGE, so that a caller can complain and return in one statement.
 */
#ifndef SYNFIN_USAGE_H
#define SYNFIN_USAGE_H

#include "cli.h"
#include "filter_parse.h"

/* WHAT is what, followed by value unless that is NULL. */
int usage_error(const char *what, const char *value, const char *why_and_cure, ...)
	__attribute__((format(printf, 3, 4)));

/* WHAT is a flag, by its letter if it has one, and the value it was given. */
#define usage_error_flag(flag, value, ...)					\
	usage_error((flag)->letter ? (char[]){ '-', (flag)->letter, 0 } :	\
				     (flag)->spelling, value, __VA_ARGS__)

/* An argument that is not a correct option of command. */
int usage_error_option(enum command command, const char *arg);

/* A first word that is no command; a word of a command that takes no FILTER. */
int usage_error_command(const char *word);
int usage_error_word(enum command command, const char *word);

/* What is wrong with a filter of this text, and where. */
int usage_error_filter(const char *text, const struct filter_error *error);

#endif
