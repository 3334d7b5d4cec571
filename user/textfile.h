/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * textfile.h - the metrics in a file, for node_exporter's textfile collector:
 * written beside it and renamed, so that no reader ever sees half of it.
 *
 * It is written without a name where the file system can do that, else as FILE.new,
 * the name that it has for a moment in any case.  What one that was killed then has
 * left there the next one takes away, and follows no link.
 */
#ifndef SYNFIN_TEXTFILE_H
#define SYNFIN_TEXTFILE_H

#include <stddef.h>

/* 0, or -errno, and what was there is there still. */
int textfile_write(const char *path, const char *text, size_t len);

#endif
