/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * draw.h - a ladder as text, for a terminal of any width from 40 columns on.
 *
 *        ms                client                             server
 *     0.000      SYN_SENT |------------- SYN seq=J ------------>| SYN_RECV
 *    +0.034   ESTABLISHED |<-------- SYN,ACK seq=K ack=J+1 -----|
 *
 * What a line or a colour says is said by a word, too.
 */
#ifndef SYNFIN_DRAW_H
#define SYNFIN_DRAW_H

#include "explain.h"
#include "human.h"
#include "out.h"

/*
 * The longest that is drawn at a time: an arrow takes three lines at the most,
 * and each some 120 columns of three bytes, and colours.
 */
#define DRAW_LINE	1024u
#define DRAW_SIZE	((3 * LADDER_ARROWS + 16) * DRAW_LINE)

struct draw {
	struct out *out;
	unsigned int width;	/* columns; 0: not a terminal */
	bool color, utf8, absolute;
	char *buf;		/* one ladder; owned */
	struct local_clock clock;
	uint64_t last_id;	/* live: whose ladder was drawn last; 0: none */
	bool begun;		/* something stands above */
};

/* The members above buf are the caller's to set.  -ENOMEM, or 0. */
int draw_init(struct draw *d);
void draw_deinit(struct draw *d);

/* What the lines mean, once a run. */
void draw_begin(struct draw *d);

/* A ladder, or the part of it that is to be told; nothing if there is nothing in it. */
void draw_ladder(struct draw *d, const struct telling *t);

/* The same into d->buf, to nobody's out: how many bytes. */
size_t draw_alone(struct draw *d, const struct telling *t);

/* What the next ladders are to show. */
void draw_heading(struct draw *d, const char *title, const char *what);

/* A line between two ladders, printable ASCII. */
void draw_note(struct draw *d, const char *note, size_t len);

#endif
