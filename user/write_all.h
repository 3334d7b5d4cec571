/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * write_all.h - write() until all is written: it may take less at a time, or be interrupted.
 */
#ifndef SYNFIN_WRITE_ALL_H
#define SYNFIN_WRITE_ALL_H

#include <stddef.h>

/* 0 or -errno; then some of it may be written. */
int write_all(int fd, const char *data, size_t len);

#endif
