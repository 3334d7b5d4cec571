// SPDX-License-Identifier: GPL-2.0-or-later
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A terminal says POLLOUT when there is room for one byte, and then keeps a
 * writer of more until somebody reads (n_tty_write): after Ctrl-S for good.  So
 * it is opened once more, and only our own descriptor made non-blocking.  Where
 * that fails the shared one has to do.
 */
static int own_terminal(int fd)
{
	char path[32];
	int own;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return own < 0 ? fd : own;
}

int out_init(struct out *o, int fd, bool waits)
{
	struct stat st;

	*o = (struct out){ .fd = fd, .waits = waits };
	o->own = isatty(fd) ? own_terminal(fd) : fd;
	o->blocks = !fstat(fd, &st) && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
	o->buf = malloc(OUT_SIZE);
	if (o->buf)
		return 0;
	out_deinit(o);
	return -ENOMEM;
}

void out_deinit(struct out *o)
{
	if (o->own != o->fd)
		close(o->own);
	o->own = o->fd;
	free(o->buf);
	o->buf = NULL;
}

static bool is_writable(const struct out *o, int timeout_ms)
{
	struct pollfd p = { .fd = o->own, .events = POLLOUT };
	int n = poll(&p, 1, timeout_ms);

	return n > 0 || (n < 0 && errno == EINTR && timeout_ms);
}

/* False: not now (poll first), or, with err, not any more. */
static bool write_some(struct out *o, size_t most)
{
	size_t len = o->len < most ? o->len : most;
	ssize_t n = write(o->own, o->buf + o->start, len);

	if (n < 0) {
		if (errno != EINTR && errno != EAGAIN)
			o->err = errno;
		return errno == EINTR;
	}
	o->start += n;
	o->len -= n;
	if (!o->len)
		o->start = 0;
	return true;
}

void out_flush(struct out *o)
{
	size_t most = o->blocks ? SIZE_MAX : PIPE_BUF;

	while (o->len && (o->blocks || is_writable(o, 0))) {
		if (!write_some(o, most))
			break;
	}
}

/* A terminal with room for half of a "\r\n" is writable and takes nothing. */
#define RETRY_US	1000

void out_drain(struct out *o)
{
	while (o->len && !o->err) {
		size_t before = o->len;

		if (!o->blocks)
			is_writable(o, -1);
		out_flush(o);
		if (o->len == before)
			usleep(RETRY_US);
	}
}

static bool fits(const struct out *o, size_t len)
{
	return o->start + o->len + len <= OUT_SIZE;
}

/*
 * Moved only when half of it is free: with a reader that takes a page now and
 * then, moving 8 MB for each would cost a core, just when records are dropped.
 */
static bool make_room(struct out *o, size_t len)
{
	if (fits(o, len))
		return true;
	if (o->waits)
		out_drain(o);
	else
		out_flush(o);
	if (o->start >= OUT_SIZE / 2) {
		memmove(o->buf, o->buf + o->start, o->len);
		o->start = 0;
	}
	return fits(o, len);
}

bool out_append(struct out *o, const char *record, size_t len)
{
	if (o->err)
		return false;
	if (!make_room(o, len)) {
		if (!o->err)
			o->dropped++;
		return false;
	}
	memcpy(o->buf + o->start + o->len, record, len);
	o->len += len;
	return true;
}
