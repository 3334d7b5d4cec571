/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_args.h - what the command line says of a filter, until all of it has been
 * read: the words of FILTER, and the flags that are of its kind.  The one place that
 * asks the system for names of services and users.
 */
#ifndef SYNFIN_FILTER_ARGS_H
#define SYNFIN_FILTER_ARGS_H

#include "cli.h"
#include "filter.h"

#define FILTER_TEXT_SIZE	4096

/* Valid when zeroed. */
struct filter_args {
	char text[FILTER_TEXT_SIZE];	/* the words, with blanks between them */
	size_t len;
	uint32_t pid;			/* 0: any */
	uint32_t uid;
	bool has_uid, failed, slow;
	uint64_t slow_ns;
	char comm[WIRE_COMM_LEN];	/* "": any */
};

/* Each returns 0, or STATUS_USAGE after it has told what is wrong. */
int filter_args_add(struct filter_args *args, const char *word);
int filter_args_set_pid(struct filter_args *args, const struct cli_flag *flag, const char *arg);
int filter_args_set_uid(struct filter_args *args, const struct cli_flag *flag, const char *arg);
int filter_args_set_comm(struct filter_args *args, const struct cli_flag *flag, const char *arg);
int filter_args_build(const struct filter_args *args, struct filter *ret);

#endif
