// SPDX-License-Identifier: GPL-2.0-or-later
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "decode.h"
#include "recording.h"

#define BUFFER_SIZE	(1u << 20)

struct replay {
	int fd;			/* -1: what is in memory is all there is */
	const char *memory;
	size_t memory_len;
	bool eof;
	pause_fn pause;		/* NULL: none */
	void *ctx;
	uint64_t position;	/* of buf[start] in the file */
	size_t start, len;
	union event first;
	_Alignas(8) char buf[BUFFER_SIZE];
};

static void replay_destroyp(struct replay **r)
{
	replay_destroy(*r);
}

void replay_destroy(struct replay *r)
{
	if (!r)
		return;
	cleanup_close(&r->fd);
	free(r);
}

/* As read(). */
static ssize_t read_some(struct replay *r, void *buf, size_t size)
{
	size_t len = r->memory_len < size ? r->memory_len : size;

	if (r->fd >= 0)
		return read(r->fd, buf, size);
	memcpy(buf, r->memory, len);
	r->memory += len;
	r->memory_len -= len;
	return len;
}

/* At least want bytes in the buffer, if the file has them. */
static int fill(struct replay *r, size_t want)
{
	if (r->len >= want)
		return 0;
	memmove(r->buf, r->buf + r->start, r->len);
	r->start = 0;
	while (!r->eof && r->len < want) {
		ssize_t n;

		if (r->pause && !r->pause(r->ctx))
			return -ECANCELED;
		n = read_some(r, r->buf + r->len, sizeof(r->buf) - r->len);
		if (n < 0 && errno != EINTR)
			return -errno;
		r->eof = !n;
		r->len += n > 0 ? n : 0;
	}
	return 0;
}

static const void *take(struct replay *r, size_t len)
{
	const void *p = r->buf + r->start;

	r->start += len;
	r->len -= len;
	r->position += len;
	return p;
}

/* The next record stays where it is: *ret borrows it.  NULL at the end of the file. */
static int peek(struct replay *r, const struct wire_hdr **ret)
{
	const struct wire_hdr *hdr;
	int err;

	err = fill(r, sizeof(*hdr));
	if (err)
		return err;
	*ret = NULL;
	if (r->len < sizeof(*hdr))
		return REPLAY_TRUNCATED;	/* WIRE_END ends the reading before */
	hdr = (const struct wire_hdr *)(r->buf + r->start);
	if (hdr->len < sizeof(*hdr) || hdr->len % 8)
		return REPLAY_DAMAGED;
	err = fill(r, hdr->len);
	if (err)
		return err;
	hdr = (const struct wire_hdr *)(r->buf + r->start);
	if (r->len < hdr->len)
		return REPLAY_TRUNCATED;
	*ret = hdr;
	return 0;
}

static int check_header(struct replay *r, uint32_t *version)
{
	struct recording_header h;
	int err;

	err = fill(r, sizeof(h));
	if (err)
		return err;
	if (r->len < sizeof(h))
		return REPLAY_FOREIGN;
	memcpy(&h, take(r, sizeof(h)), sizeof(h));
	if (memcmp(h.magic, RECORDING_MAGIC, sizeof(h.magic)))
		return REPLAY_FOREIGN;
	if (h.byte_order == __builtin_bswap32(RECORDING_BYTE_ORDER))
		return REPLAY_BYTE_ORDER;
	if (h.byte_order != RECORDING_BYTE_ORDER)
		return REPLAY_FOREIGN;
	if (h.version != WIRE_VERSION) {
		*version = h.version;
		return REPLAY_VERSION;
	}
	return 0;
}

static int make(struct replay **ret)
{
	struct replay *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->fd = -1;
	r->memory = NULL;
	r->memory_len = 0;
	r->position = 0;
	r->start = r->len = 0;
	r->eof = false;
	r->pause = NULL;
	*ret = r;
	return 0;
}

static int read_head(struct replay *r, uint32_t *version)
{
	const struct wire_hdr *hdr;
	int err;

	err = check_header(r, version);
	if (err)
		return err;
	err = peek(r, &hdr);
	if (err)
		return err;
	if (hdr->kind != WIRE_START || decode(hdr, hdr->len, &r->first))
		return REPLAY_DAMAGED;
	return 0;
}

int replay_open(const char *path, struct replay **ret, uint32_t *version)
{
	CLEANUP(replay_destroyp) struct replay *r = NULL;
	int err;

	err = make(&r);
	if (err)
		return err;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return -errno;
	err = read_head(r, version);
	if (err)
		return err;
	*ret = TAKE(r);
	return 0;
}

int replay_open_memory(const void *bytes, size_t len, struct replay **ret, uint32_t *version)
{
	CLEANUP(replay_destroyp) struct replay *r = NULL;
	int err;

	err = make(&r);
	if (err)
		return err;
	r->memory = bytes;
	r->memory_len = len;
	err = read_head(r, version);
	if (err)
		return err;
	*ret = TAKE(r);
	return 0;
}

const struct wire_start *replay_start(const struct replay *r)
{
	return &r->first.start;
}

int replay_run(struct replay *r, record_fn fn, pause_fn pause, void *ctx)
{
	const struct wire_hdr *hdr;
	const union event *ev;
	bool enough = false;
	int err;

	r->pause = pause;
	r->ctx = ctx;
	for (;;) {
		err = peek(r, &hdr);
		if (err == -ECANCELED)
			return 0;
		if (err)
			return err;
		err = decode_in_place(hdr, hdr->len, &ev);
		if (err && err != -ENOTSUP)	/* a newer synfin's kind is skipped */
			return REPLAY_DAMAGED;
		if (!err && (!enough || hdr->kind == WIRE_END))
			enough = !fn(ctx, hdr, hdr->len) || enough;
		if (!err && hdr->kind == WIRE_END) {
			take(r, hdr->len);
			return 0;
		}
		take(r, hdr->len);
	}
}

uint64_t replay_position(const struct replay *r)
{
	return r->position;
}
