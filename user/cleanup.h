/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cleanup.h - scope-bound ownership: a local tagged CLEANUP(fn) is released
 * by fn(&local) on every way out, unless it was handed on with TAKE().
 */
#ifndef SYNFIN_CLEANUP_H
#define SYNFIN_CLEANUP_H

#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define TAKE(p) __extension__({ __auto_type take_ = (p); (p) = NULL; take_; })

/* -1: none. */
void cleanup_close(int *fd);

/* p: the address of a pointer to what malloc() gave; NULL in it: none. */
void cleanup_free(void *p);

#endif
