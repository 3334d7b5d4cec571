/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns.h - what -N names: `self`, a name under /run/netns, a path, `pid:PID`.
 */
#ifndef SYNFIN_NETNS_H
#define SYNFIN_NETNS_H

#include <stddef.h>
#include <stdint.h>

/*
 * The inode number of the namespace that `text` names; not for "all".
 *   -EINVAL  pid: with something that is no process number
 *   -ENOTTY  what it names is no network namespace
 *   else     -errno of opening it
 * path, of size bytes, gets what was opened, for the message.
 */
int netns_resolve(const char *text, char *path, size_t size, uint32_t *ret);

#endif
