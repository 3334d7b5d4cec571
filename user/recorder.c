// SPDX-License-Identifier: GPL-2.0-or-later
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/types.h>
#include "cleanup.h"
#include "recording.h"
#include "wire.h"

#define BUFFER_SIZE	(256u << 10)

struct recorder {
	int fd;
	int err;
	size_t len;
	off_t written;		/* up to here the file holds whole records */
	char buf[BUFFER_SIZE];
};

static void recorder_freep(struct recorder **r)
{
	if (*r && (*r)->fd >= 0)
		close((*r)->fd);
	free(*r);
}

/* Half a record at the end of the file would be taken for damage. */
static int fail(struct recorder *r, int err)
{
	off_t whole = r->written;
	const struct wire_hdr *hdr;
	size_t at = 0;
	off_t end = lseek(r->fd, 0, SEEK_CUR);

	r->err = err;
	if (whole == 0)
		at = sizeof(struct recording_header);
	while (at + sizeof(*hdr) <= r->len) {
		hdr = (const struct wire_hdr *)(r->buf + at);
		if (whole + (off_t)at + hdr->len > end)
			break;
		at += hdr->len;
	}
	r->len = 0;
	if (end > 0 && ftruncate(r->fd, whole + at))
		return err;	/* a pipe or device: nothing to mend */
	return err;
}

static int flush(struct recorder *r)
{
	size_t done = 0;

	while (done < r->len) {
		ssize_t n = write(r->fd, r->buf + done, r->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(r, n ? -errno : -ENOSPC);
		done += n;
	}
	r->written += r->len;
	r->len = 0;
	return 0;
}

/*
 * Emptied if the path is its only name: into a file that has another one, which somebody
 * may have prepared for that, nothing is written.  The path is looked at once more, since
 * it may have been the other name's that is gone now.
 */
static int empty(int fd, const char *path)
{
	struct stat opened, named;

	if (fstat(fd, &opened))
		return -errno;
	if (!S_ISREG(opened.st_mode))
		return 0;
	if (fstatat(AT_FDCWD, path, &named, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (named.st_dev != opened.st_dev || named.st_ino != opened.st_ino)
		return -ESTALE;
	if (named.st_nlink > 1)
		return -EMLINK;
	return ftruncate(fd, 0) ? -errno : 0;
}

int recorder_create(const char *path, struct recorder **ret)
{
	struct recording_header header = {
		.magic = RECORDING_MAGIC, .byte_order = RECORDING_BYTE_ORDER,
		.version = WIRE_VERSION,
	};
	CLEANUP(recorder_freep) struct recorder *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	/* A FIFO that nobody reads is an error (ENXIO), not a wait. */
	r->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (r->fd < 0 || fcntl(r->fd, F_SETFL, 0))
		return -errno;
	err = empty(r->fd, path);
	if (err)
		return err;
	if (fchmod(r->fd, 0600) && errno != EINVAL && errno != EPERM)	/* it may be a pipe */
		return -errno;
	memcpy(r->buf, &header, sizeof(header));
	r->len = sizeof(header);
	err = flush(r);	/* a full disk shows before anything is traced */
	if (err)
		return err;
	*ret = TAKE(r);
	return 0;
}

int recorder_record(struct recorder *r, const void *rec, size_t len)
{
	if (!r->err && r->len + len > sizeof(r->buf))
		flush(r);
	if (r->err)
		return r->err;
	memcpy(r->buf + r->len, rec, len);
	r->len += len;
	return 0;
}

int recorder_close(struct recorder *r)
{
	int err;

	if (!r)
		return 0;
	err = r->err ? r->err : flush(r);
	if (close(r->fd) && !err)
		err = -errno;
	free(r);
	return err;
}
