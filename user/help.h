/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * help.h - prints what --help prints, at most 80 columns wide.  All of it comes
 * from the lists of cli.h.
 */
#ifndef SYNFIN_HELP_H
#define SYNFIN_HELP_H

#include <stdbool.h>
#include <stdio.h>
#include "cli.h"

/* named: the user named the command, so the usage line names it too. */
void help_print(FILE *out, enum command command, bool named);

#endif
