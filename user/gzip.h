/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gzip.h - bytes to a gzip file (RFC 1952) in memory.
 */
#ifndef SYNFIN_GZIP_H
#define SYNFIN_GZIP_H

#include <stddef.h>

/* *ret is the caller's to free.  0 or -ENOMEM. */
int gzip_compress(const char *bytes, size_t len, char **ret, size_t *ret_len);

#endif
