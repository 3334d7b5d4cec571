/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminal.h - the terminal: a grid onto it, keys from it.  The only file that knows
 * ncurses.  What it was before is restored by terminal_close(), and by whatever else
 * may end the process but SIGKILL.  One at a time.
 */
#ifndef SYNFIN_TERMINAL_H
#define SYNFIN_TERMINAL_H

#include <stdbool.h>
#include "grid.h"

struct terminal_config {
	bool color, utf8;
};

/* stdin and stdout.  0, or -errno: -ENOTTY if TERM is not known; -EOPNOTSUPP: built without. */
int terminal_open(const struct terminal_config *config);
void terminal_close(void);	/* if it is open */

/* As it is now. */
void terminal_size(unsigned int *width, unsigned int *height);

/*
 * A key, as look.h has it; LOOK_NO_KEY: none has been pressed.  *resized is set if
 * the terminal has another size now.
 */
uint32_t terminal_key(bool *resized);

/* False: nobody is there any more. */
bool terminal_is_there(void);

/* False: it takes nothing just now, and was not drawn. */
bool terminal_draw(const struct grid *g);

/* The next terminal_draw() draws all of it. */
void terminal_repaint(void);

#endif
