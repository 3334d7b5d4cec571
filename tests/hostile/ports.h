/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.h - where the server under attack listens, and what it does there.
 */
#ifndef SYNFIN_TESTS_HOSTILE_PORTS_H
#define SYNFIN_TESTS_HOSTILE_PORTS_H

#define PORT_PATIENT	9001	/* reads until the peer closes */
#define PORT_HASTY	9002	/* closes at once */
#define PORT_LOUD	9003	/* sends more than any window takes */
#define PORT_CLOSED	9004	/* nobody */

#endif
