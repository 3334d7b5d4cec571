/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * board_text.h - what stands on a board, in words and figures for people.  What
 * comes from elsewhere (names of processes) is made visible: printable ASCII.
 */
#ifndef SYNFIN_BOARD_TEXT_H
#define SYNFIN_BOARD_TEXT_H

#include "board.h"
#include "text.h"

/* 0/s 1.2/s 312/s 1.2k/s; thousandths per second */
void board_rate(struct text *t, uint64_t per_s);

/* 999 1.2k 12k; nothing if it is not known */
void board_count(struct text *t, uint64_t count);

void board_duration(struct text *t, uint64_t ns);	/* nothing if it is not known */

/* 10.0.0.1:443 [2001:db8::1]:443 *:443 */
void board_endpoint(struct text *t, const uint8_t addr[16], unsigned int family, uint16_t port);

/* nginx[812]; nginx[812]? of whom only the listener's owner is known */
void board_process(struct text *t, const struct owner *o);

/* ECONNREFUSED; RST sent: linger0; slow; SYN_SENT */
void board_trouble(struct text *t, const struct board_trouble *x);

/* -> 10.0.0.2:443; <- 10.0.0.1:80 */
void board_where(struct text *t, const struct board_trouble *x, const char *to, const char *from);

/* 10.0.0.1 -> 10.0.0.2:443; 10.0.0.1 -> anywhere (bind) */
void board_space(struct text *t, const struct board_space *s);

/* FIN_WAIT1 */
void board_state(struct text *t, unsigned int state);

/* Any bytes of a name that ends with 0. */
void board_name(struct text *t, const char *name);

/* Thousandths; BOARD_UNKNOWN: of is not known, or 0. */
uint64_t board_share(uint64_t part, uint64_t of);

#endif
