/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns.h - network namespaces: what -N names (`self`, a name under /run/netns, a
 * path, `pid:PID`), which there are, and going there.
 */
#ifndef SYNFIN_NETNS_H
#define SYNFIN_NETNS_H

#include <stdbool.h>
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

/*
 * The namespaces of this host that a process is in or that have a name under
 * /run/netns, each once; or the one that `text` names.  Bounded: see netns.c.
 */
struct netns_list {
	int *fds;		/* open; closed by netns_list_deinit() */
	uint32_t *inodes;
	unsigned int len, size;
	int fd_limit;		/* descriptors from here on are for others */
	bool cut;		/* there were more */
	bool lacks_descriptors;	/* for them; else NETNS_MAX is the bound */
};

/* text: as -N has it, "all" included.  0 or -errno, and nothing to free. */
int netns_list_init(struct netns_list *list, const char *text);
void netns_list_deinit(struct netns_list *list);

/*
 * The namespace that the calling thread is in, with or without /proc (which then
 * takes CAP_NET_ADMIN).  A descriptor, or -errno.
 */
int netns_open_own(void);

/* Moves the calling thread there; -errno. */
int netns_enter(int fd);

#endif
