/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen.h - where HTTP is served: HOST:PORT, :PORT (every address), [::1]:PORT,
 * or the sockets that systemd hands over.
 */
#ifndef SYNFIN_LISTEN_H
#define SYNFIN_LISTEN_H

#include <stddef.h>

#define LISTEN_MAX	16	/* sockets */
#define LISTEN_NAME_MAX	80	/* "[IPv6 address]:PORT" with a scope */

/* 0, or -EINVAL: not of that form. */
int listen_check(const char *address);

/*
 * A socket that listens, not blocking.  0; -errno of binding it; or -ENXIO: no
 * such host.
 */
int listen_open(const char *address, int *ret);

/* What it is bound to, as in a URL. */
void listen_name(int fd, char *buf, size_t size);

/*
 * What systemd.socket(5) hands over (sd_listen_fds(3)), at most LISTEN_MAX;
 * returns how many.  The environment no longer tells of them.
 */
unsigned int listen_inherited(int ret[LISTEN_MAX]);

#endif
