/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify.h - sd_notify(3) without libsystemd: a datagram, if anybody asked for one.
 */
#ifndef SYNFIN_NOTIFY_H
#define SYNFIN_NOTIFY_H

/* "READY=1" and the like.  Nobody listens, or it fails: nothing happens. */
void notify(const char *state);

#endif
