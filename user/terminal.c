// SPDX-License-Identifier: GPL-2.0-or-later
#include "terminal.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "look.h"

#define ESCAPE_MS	25	/* an escape that nothing follows is the key */

static struct {
	SCREEN *screen;
	struct termios before;
	char leave[256];	/* what gives the screen back, for whoever cannot ask ncurses */
	size_t leave_len;
	bool color;
} term;

/* ---- coming and going ---- */

/* NULL: it has not. */
static const char *capability(const char *name)
{
	const char *s = tigetstr(name);

	return s == (const char *)-1 ? NULL : s;
}

/* Known, and one on which the cursor can go everywhere; as yet nothing is written. */
static bool can_be_drawn_on(void)
{
	int err;
	bool ret = setupterm(NULL, STDOUT_FILENO, &err) == OK && capability("cup");

	if (cur_term)
		del_curterm(cur_term);
	return ret;
}

static void add_capability(const char *name)
{
	const char *s = capability(name);
	size_t len;

	if (!s)
		return;
	len = strlen(s);
	if (term.leave_len + len > sizeof(term.leave))
		return;
	memcpy(term.leave + term.leave_len, s, len);
	term.leave_len += len;
}

/* Not to be hoped for; but who debugs should see what he types. */
static void on_crash(int signal_number)
{
	ssize_t unused = write(STDOUT_FILENO, term.leave, term.leave_len);

	(void)unused;
	tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
	raise(signal_number);	/* by the default action: see SA_RESETHAND */
}

static void catch_crashes(void)
{
	static const int signals[] = {
		SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGHUP, SIGINT, SIGTERM,
	};
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND }, old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/* The C library converts what is drawn; a locale that is not installed has a stand-in. */
static void set_locale(bool utf8)
{
	if (!utf8)
		return;
	if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
}

static const struct ink_style {
	attr_t attributes, mono;
	short color;		/* foreground; -1: the terminal's own */
} styles[INK_MAX] = {
	[INK_PLAIN] = { A_NORMAL, A_NORMAL, -1 },
	[INK_FAINT] = { A_DIM, A_DIM, -1 },
	[INK_TITLE] = { A_BOLD, A_BOLD, -1 },
	[INK_HEADER] = { A_REVERSE, A_REVERSE, -1 },
	[INK_GOOD] = { A_NORMAL, A_NORMAL, COLOR_GREEN },
	[INK_WARNING] = { A_NORMAL, A_BOLD, COLOR_YELLOW },
	[INK_FAILURE] = { A_BOLD, A_BOLD, COLOR_RED },
	[INK_SELECTED] = { A_REVERSE | A_BOLD, A_REVERSE | A_BOLD, -1 },
	[INK_KEY] = { A_BOLD, A_BOLD, COLOR_CYAN },
};

static void begin_colors(bool wanted)
{
	term.color = wanted && has_colors() && start_color() == OK &&
		     use_default_colors() == OK;
	for (short i = 0; term.color && i < INK_MAX; i++)
		init_pair(i + 1, styles[i].color, -1);
}

static void begin_input(void)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	leaveok(stdscr, TRUE);
}

int terminal_open(const struct terminal_config *config)
{
	memset(&term, 0, sizeof(term));
	set_locale(config->utf8);
	if (tcgetattr(STDIN_FILENO, &term.before))
		return -errno;
	if (can_be_drawn_on())
		term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen)
		return -ENOTTY;
	add_capability("sgr0");
	add_capability("cnorm");
	add_capability("rmkx");
	add_capability("rmcup");
	catch_crashes();
	begin_input();
	begin_colors(config->color);
	return 0;
}

void terminal_close(void)
{
	if (!term.screen)
		return;
	endwin();
	delscreen(term.screen);
	term.screen = NULL;
}

/* ---- keys ---- */

void terminal_size(unsigned int *width, unsigned int *height)
{
	*width = COLS;
	*height = LINES;
}

static uint32_t translate(int key)
{
	switch (key) {
	case KEY_UP:
		return LOOK_UP;
	case KEY_DOWN:
		return LOOK_DOWN;
	case KEY_PPAGE:
		return LOOK_PAGE_UP;
	case KEY_NPAGE:
		return LOOK_PAGE_DOWN;
	case KEY_HOME:
		return LOOK_HOME;
	case KEY_END:
		return LOOK_END;
	case KEY_LEFT:
		return LOOK_LEFT;
	case KEY_RIGHT:
		return LOOK_RIGHT;
	case KEY_BACKSPACE:
		return LOOK_BACKSPACE;
	case KEY_ENTER:
	case '\r':
		return LOOK_ENTER;
	case KEY_F(1):
		return '?';
	case KEY_F(10):
		return 'q';
	default:
		return key < KEY_MIN ? (uint32_t)key : LOOK_NO_KEY;
	}
}

uint32_t terminal_key(bool *resized)
{
	int key = getch();

	while (key == KEY_RESIZE) {
		*resized = true;
		key = getch();
	}
	return key == ERR ? LOOK_NO_KEY : translate(key);
}

bool terminal_is_there(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&in, 1, 0) <= 0 || !(in.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* ---- the picture ---- */

static void set_ink(enum ink ink)
{
	const struct ink_style *s = &styles[ink];

	attr_set(term.color ? s->attributes : s->mono, term.color ? ink + 1 : 0, NULL);
}

/* Cells of one ink at a time. */
static void draw_row(const struct grid *g, unsigned int y)
{
	wchar_t run[256];
	unsigned int x = 0;

	move(y, 0);
	while (x < g->width) {
		enum ink ink = grid_cell(g, x, y)->ink;
		int n = 0;

		while (x < g->width && n < 255 && grid_cell(g, x, y)->ink == ink)
			run[n++] = grid_cell(g, x++, y)->c;
		set_ink(ink);
		addnwstr(run, n);
	}
}

bool terminal_draw(const struct grid *g)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (poll(&out, 1, 0) <= 0 || !(out.revents & POLLOUT))
		return false;
	for (unsigned int y = 0; y < g->height; y++)
		draw_row(g, y);
	refresh();
	return true;
}

void terminal_repaint(void)
{
	clearok(stdscr, TRUE);
}
