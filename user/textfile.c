// SPDX-License-Identifier: GPL-2.0-or-later
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "write_all.h"

/* Where a file is to be, and under which name it waits for that. */
struct target {
	int dir;
	const char *name;
	char beside[NAME_MAX + 1];	/* not *.prom: the collector would read it, too */
};

static int open_directory(const char *path, const char *name)
{
	char dir[PATH_MAX];
	int fd;

	if ((size_t)(name - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	snprintf(dir, sizeof(dir), "%.*s", (int)(name - path), path);
	fd = open(*dir ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int find_target(const char *path, struct target *ret)
{
	const char *slash = strrchr(path, '/');

	ret->name = slash ? slash + 1 : path;
	if (!*ret->name)
		return -EISDIR;
	if ((size_t)snprintf(ret->beside, sizeof(ret->beside), "%s.new", ret->name) >=
	    sizeof(ret->beside))
		return -ENAMETOOLONG;
	ret->dir = open_directory(path, ret->name);
	return ret->dir < 0 ? ret->dir : 0;
}

/*
 * The name is ours: what is there was left by one that was killed.  A link goes, and not
 * what it points to.
 */
static int take_name(const struct target *t, int (*make)(const struct target *t, int fd), int fd)
{
	int ret = make(t, fd);

	if (ret != -EEXIST)
		return ret;
	if (unlinkat(t->dir, t->beside, 0) && errno != ENOENT)
		return -errno;
	return make(t, fd);
}

static int create(const struct target *t, int unused)
{
	int fd = openat(t->dir, t->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int give_name(const struct target *t, int fd)
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, link, t->dir, t->beside, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

/*
 * Without a name, where the file system can do that: whoever is killed while he writes
 * leaves nothing behind.
 */
static int open_unnamed(const struct target *t, bool *is_named)
{
	int fd = openat(t->dir, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);

	*is_named = fd < 0;
	return fd < 0 ? take_name(t, create, -1) : fd;
}

static int write_to(const struct target *t, const char *text, size_t len)
{
	CLEANUP(cleanup_close) int fd = -1;
	bool is_named;
	int err;

	fd = open_unnamed(t, &is_named);
	if (fd < 0)
		return fd;
	err = write_all(fd, text, len);
	if (!err && fchmod(fd, 0644))
		err = -errno;
	if (!err && !is_named) {
		err = take_name(t, give_name, fd);
		is_named = !err;
	}
	if (!err && renameat(t->dir, t->beside, t->dir, t->name))
		err = -errno;
	if (err && is_named)
		unlinkat(t->dir, t->beside, 0);
	return err;
}

int textfile_write(const char *path, const char *text, size_t len)
{
	struct target t = { .dir = -1 };
	int err = find_target(path, &t);

	if (!err)
		err = write_to(&t, text, len);
	cleanup_close(&t.dir);
	return err;
}
