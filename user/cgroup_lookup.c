// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_lookup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/mount.h>

#include "cleanup.h"
#include "log.h"
#include "memo.h"

/* include/linux/exportfs.h: 64 bits of kernfs node id; 40430452fd5d, v5.5 */
#define FILEID_KERNFS	0xfe

/* Of every hierarchy's root (kernfs_create_root() counts from it). */
#define ROOT_ID		1

/* A tenth of a second's walk; what is beyond is not known. */
#define WALK_MAX	16384
#define WALK_BYTES	(16u << 20)

/* What walks may take: a twentieth of the time, saved up to this. */
#define CREDIT_SHARE	20
#define CREDIT_MAX_NS	(100 * 1000000ll)

struct cgroup_lookup {
	int mount;
	bool is_root;		/* of the hierarchy; else what is mounted is a part of it */
	bool has_handles;
	char above[PATH_MAX];	/* what is mounted, as seen from the cgroup namespace's root */
	char mountpoint[PATH_MAX];
	struct memo seen;	/* in walks: id -> path */
	uint64_t walked_ns;	/* the last walk's begin; 0: none yet */
	int64_t credit_ns;
	uint64_t credited_ns;	/* when that was reckoned */
	struct cgroup_lookup_counts counts;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* ---- the mount ---- */

/* \040 and its kin, as mountinfo writes blanks, tabs, line ends and backslashes. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		unsigned int code;

		if (*text == '\\' && sscanf(text + 1, "%3o", &code) == 1) {
			*to = code;
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = 0;
}

/* The descriptor's own path, whatever led to it. */
static ssize_t path_of(int fd, char *buf, size_t size)
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, buf, size - 1);
	if (len < 0)
		return -errno;
	buf[len] = 0;
	return len;
}

/*
 * Takes the directory if it is cgroup2 and better than what is there: the whole is.
 * root: what is mounted, as mountinfo has it.
 */
static void take_mount(struct cgroup_lookup *l, int directory, const char *root)
{
	CLEANUP(cleanup_close) int fd = directory;
	struct statfs fs;
	struct stat st;

	/* Another mount may lie on top of it. */
	if (fd < 0 || fstatfs(fd, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC || fstat(fd, &st))
		return;
	if (l->mount >= 0 && (l->is_root || st.st_ino != ROOT_ID))
		return;
	if (path_of(fd, l->mountpoint, sizeof(l->mountpoint)) < 0)
		return;
	cleanup_close(&l->mount);
	l->mount = fd;
	l->is_root = st.st_ino == ROOT_ID;
	snprintf(l->above, sizeof(l->above), "%s", l->is_root || !strcmp(root, "/") ? "" : root);
	fd = -1;
}

static void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static void freep(char **p)
{
	free(*p);
}

/*
 * 31 23 0:28 ROOT MOUNTPOINT rw,relatime shared:9 - cgroup2 SOURCE rw
 *
 * process: a directory of /proc, its mountpoints as seen from `from`.
 */
static void look_for_mounts(struct cgroup_lookup *l, const char *process, const char *from)
{
	CLEANUP(fclosep) FILE *f = NULL;
	CLEANUP(freep) char *line = NULL;
	char path[PATH_MAX];
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/mountinfo", process);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		char *kind = strstr(line, " - "), *rest = NULL, *root, *mountpoint;

		if (!kind || strncmp(kind, " - cgroup2 ", strlen(" - cgroup2 ")))
			continue;
		strtok_r(line, " ", &rest);
		strtok_r(NULL, " ", &rest);
		strtok_r(NULL, " ", &rest);
		root = strtok_r(NULL, " ", &rest);
		mountpoint = strtok_r(NULL, " ", &rest);
		if (!mountpoint)
			continue;
		unescape(root);
		unescape(mountpoint);
		if (snprintf(path, sizeof(path), "%s%s", from, mountpoint) < (int)sizeof(path))
			take_mount(l, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), root);
	}
}

/* Whoever has no such line has version 1 only, and a mount would change that. */
static bool has_cgroup2(void)
{
	CLEANUP(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
	CLEANUP(freep) char *line = NULL;
	size_t size = 0;
	bool ret = false;

	while (f && !ret && getline(&line, &size, f) > 0)
		ret = !strncmp(line, "0::", 3);
	return ret;
}

/* A mount that nobody else sees (CAP_SYS_ADMIN), gone with its descriptor. */
static void mount_own(struct cgroup_lookup *l)
{
	CLEANUP(cleanup_close) int fs = -1;
	CLEANUP(cleanup_close) int mount = -1;

	if (!has_cgroup2())
		return;
	fs = syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return;
	mount = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mount >= 0)
		take_mount(l, openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/");
}

/*
 * Ours may not show it: `ip netns exec` puts a new /sys over them, and in a
 * container there is a part.
 */
static int find_mount(struct cgroup_lookup *l)
{
	look_for_mounts(l, "/proc/self", "");
	if (!l->is_root)
		look_for_mounts(l, "/proc/1", "/proc/1/root");
	if (!l->is_root)
		mount_own(l);
	return l->mount >= 0 ? 0 : -ENOENT;
}

/* ---- by handle ---- */

static const char deleted[] = " (deleted)";

/* The kernel says so of a directory without a name; it may also be the name. */
static void drop_deleted(const struct cgroup_lookup *l, char *path, uint64_t id)
{
	size_t len = strlen(path), mark = strlen(deleted);
	struct stat st;

	if (len <= mark || strcmp(path + len - mark, deleted))
		return;
	if (fstatat(l->mount, path + 1, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != id)
		path[len - mark] = 0;
}

/* From a descriptor's path to what is below the mountpoint; -ENOENT: it is not. */
static int relative(const struct cgroup_lookup *l, char *path)
{
	size_t len = strcmp(l->mountpoint, "/") ? strlen(l->mountpoint) : 0;

	if (*path != '/' || strncmp(path, l->mountpoint, len) || (path[len] && path[len] != '/'))
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
	CLEANUP(cleanup_close) int fd = open_by_handle_at(l->mount, &handle.head,
							  O_PATH | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return errno == ESTALE ? -ENOENT : -errno;
	len = path_of(fd, path, size);
	if (len < 0)
		return len == -ENAMETOOLONG ? -ENOENT : (int)len;
	if (len >= (ssize_t)size - 1 || relative(l, path))
		return -ENOENT;
	drop_deleted(l, path, id);
	return 0;
}

/* ---- by walking ---- */

/* Directories whose entries are still to be read, the upper ones first. */
struct queue {
	char *paths[WALK_MAX];
	unsigned int first, nr;
};

static void queue_freep(struct queue **q)
{
	while (*q && (*q)->nr)
		free((*q)->paths[--(*q)->nr]);
	free(*q);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool meet(struct cgroup_lookup *l, struct queue *q, uint64_t id, char *path)
{
	char *copy = memo_put(&l->seen, id, strlen(path) + 1);

	if (!copy || q->nr == WALK_MAX) {
		free(path);
		return false;
	}
	strcpy(copy, path);
	q->paths[q->nr++] = path;
	return true;
}

/* One that is gone meanwhile, or lies too deep, is passed over. */
static bool walk_directory(struct cgroup_lookup *l, struct queue *q, const char *path)
{
	int fd = openat(l->mount, *path ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (fd >= 0 && !dir)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		char *child;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&child, "%s/%s", path, entry->d_name) < 0 ||
		    !meet(l, q, entry->d_ino, child))
			return false;
	}
	return true;
}

static bool may_walk(struct cgroup_lookup *l)
{
	uint64_t now = now_ns();

	l->credit_ns += (now - l->credited_ns) / CREDIT_SHARE;
	if (l->credit_ns > CREDIT_MAX_NS)
		l->credit_ns = CREDIT_MAX_NS;
	l->credited_ns = now;
	return l->credit_ns > 0;
}

static void walk(struct cgroup_lookup *l)
{
	CLEANUP(queue_freep) struct queue *q = calloc(1, sizeof(*q));
	uint64_t begun_ns = now_ns(), took_ns;
	char *root = strdup("");
	struct stat st;
	bool whole;

	if (!q || !root || fstat(l->mount, &st)) {
		free(root);
		return;
	}
	whole = meet(l, q, st.st_ino, root);
	while (whole && q->first < q->nr)
		whole = walk_directory(l, q, q->paths[q->first++]);
	took_ns = now_ns() - begun_ns;
	l->walked_ns = begun_ns;
	l->credit_ns -= took_ns;
	l->counts.walks++;
	log_debug("walked %u cgroups in %llu us%s", q->nr, (unsigned long long)took_ns / 1000,
		  whole ? "" : "; there are more");
}

static bool saw(struct cgroup_lookup *l, uint64_t id, char *path, size_t size)
{
	const char *seen = memo_find(&l->seen, id);

	if (seen)
		snprintf(path, size, "%s", seen);
	return seen;
}

/* What a walk that began later did not meet is gone. */
static int by_walk(struct cgroup_lookup *l, uint64_t id, uint64_t since_ns, char *path, size_t size)
{
	if (saw(l, id, path, size))
		return 0;
	if (l->walked_ns > since_ns)
		return -ENOENT;
	if (!may_walk(l))
		return -EAGAIN;
	walk(l);
	return saw(l, id, path, size) ? 0 : -ENOENT;
}

/* ---- either ---- */

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
	return by_walk(l, id, since_ns, path, size);
}

/* Puts what is mounted in front of what is below it. */
static int complete(const struct cgroup_lookup *l, char *path, size_t size)
{
	size_t above = strlen(l->above), len = strlen(path);

	if (above + len >= size)
		return -ENOENT;
	memmove(path + above, path, len + 1);
	memcpy(path, l->above, above);
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

bool cgroup_lookup_is_whole(const struct cgroup_lookup *l)
{
	return l->is_root;
}

struct cgroup_lookup_counts cgroup_lookup_counts(const struct cgroup_lookup *l)
{
	return l->counts;
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
	l->mount = -1;
	l->has_handles = true;
	l->credit_ns = CREDIT_MAX_NS;
	l->credited_ns = now_ns();
	err = memo_init(&l->seen, WALK_MAX, WALK_BYTES);
	if (err)
		return err;
	err = find_mount(l);
	if (err)
		return err;
	*ret = TAKE(l);
	return 0;
}

void cgroup_lookup_close(struct cgroup_lookup *l)
{
	if (!l)
		return;
	cleanup_close(&l->mount);
	memo_deinit(&l->seen);
	free(l);
}
