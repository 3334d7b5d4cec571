// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_mount.h"
#include "cgroup_walk.h"
#include "cleanup.h"
#include "log.h"

/* include/linux/exportfs.h: 64 bits of kernfs node id; 40430452fd5d, v5.5 */
#define FILEID_KERNFS	0xfe

struct cgroup_lookup {
	struct cgroup_mount mount;
	struct cgroup_walk *walk;
	bool has_handles;
	struct cgroup_lookup_counts counts;
};

/* ---- by handle ---- */

static const char deleted[] = " (deleted)";

/* The kernel says so of a directory without a name; it may also be the name. */
static void drop_deleted(const struct cgroup_lookup *l, char *path, uint64_t id)
{
	size_t len = strlen(path), mark = strlen(deleted);
	struct stat st;

	if (len <= mark || strcmp(path + len - mark, deleted))
		return;
	if (fstatat(l->mount.fd, path + 1, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != id)
		path[len - mark] = 0;
}

/* From a descriptor's path to what is below the mountpoint; -ENOENT: it is not. */
static int relative(const struct cgroup_lookup *l, char *path)
{
	size_t len = strcmp(l->mount.path, "/") ? strlen(l->mount.path) : 0;

	if (*path != '/' || strncmp(path, l->mount.path, len) || (path[len] && path[len] != '/'))
		return -ENOENT;
	memmove(path, path + len, strlen(path + len) + 1);
	return 0;
}

static int by_handle(struct cgroup_lookup *l, uint64_t id, char *path, size_t size)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = { { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS }, id };
	CLEANUP(cleanup_close) int fd = open_by_handle_at(l->mount.fd, &handle.head,
							  O_PATH | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return errno == ESTALE ? -ENOENT : -errno;
	len = cgroup_mount_path_of(fd, path, size);
	if (len < 0)
		return len == -ENAMETOOLONG ? -ENOENT : (int)len;
	if (len >= (ssize_t)size - 1 || relative(l, path))
		return -ENOENT;
	drop_deleted(l, path, id);
	return 0;
}

/* ---- either way ---- */

static bool is_for_want_of_handles(int err)
{
	return err == -EPERM || err == -EOPNOTSUPP || err == -ENOSYS || err == -EINVAL;
}

static int find(struct cgroup_lookup *l, uint64_t id, uint64_t since_ns, char *path, size_t size)
{
	int err;

	if (l->has_handles) {
		err = by_handle(l, id, path, size);
		if (!is_for_want_of_handles(err))
			return err && err != -ENOENT ? -EAGAIN : err;
		l->has_handles = false;
		log_debug("cgroups cannot be opened by their ids: %s; their tree is walked",
			  strerror(-err));
	}
	return cgroup_walk_find(l->walk, id, since_ns, path, size);
}

/* Puts what is mounted in front of what is below it. */
static int complete(const struct cgroup_lookup *l, char *path, size_t size)
{
	size_t above = strlen(l->mount.above), len = strlen(path);

	if (above + len >= size)
		return -ENOENT;
	memmove(path + above, path, len + 1);
	memcpy(path, l->mount.above, above);
	if (!*path)
		strcpy(path, "/");
	return 0;
}

int cgroup_lookup_path(struct cgroup_lookup *l, uint64_t id, uint64_t since_ns,
		       char *path, size_t size)
{
	int err = find(l, id, since_ns, path, size);

	if (err == -EAGAIN)
		return err;
	if (!err)
		err = complete(l, path, size);
	l->counts.lookups++;
	l->counts.unknown += err != 0;
	return err;
}

bool cgroup_lookup_is_there(const struct cgroup_lookup *l, uint64_t id, const char *path)
{
	size_t above = strlen(l->mount.above);
	struct stat st;

	if (strncmp(path, l->mount.above, above))
		return false;
	path += above;
	path += *path == '/';
	return !fstatat(l->mount.fd, path, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) &&
	       st.st_ino == id;
}

bool cgroup_lookup_is_whole(const struct cgroup_lookup *l)
{
	return l->mount.is_root;
}

struct cgroup_lookup_counts cgroup_lookup_counts(const struct cgroup_lookup *l)
{
	struct cgroup_lookup_counts ret = l->counts;

	ret.walks = cgroup_walk_count(l->walk);
	return ret;
}

static void cgroup_lookup_closep(struct cgroup_lookup **l)
{
	cgroup_lookup_close(*l);
}

int cgroup_lookup_open(struct cgroup_lookup **ret)
{
	CLEANUP(cgroup_lookup_closep) struct cgroup_lookup *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->has_handles = true;
	err = cgroup_mount_open(&l->mount);
	if (err)
		return err;
	err = cgroup_walk_create(l->mount.fd, &l->walk);
	if (err)
		return err;
	*ret = TAKE(l);
	return 0;
}

void cgroup_lookup_close(struct cgroup_lookup *l)
{
	if (!l)
		return;
	cgroup_walk_destroy(l->walk);
	cgroup_mount_close(&l->mount);
	free(l);
}
