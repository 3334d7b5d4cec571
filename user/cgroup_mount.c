// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/mount.h>

#include "cleanup.h"

/* Of every hierarchy's root (kernfs_create_root() counts from it). */
#define ROOT_ID		1

ssize_t cgroup_mount_path_of(int fd, char *buf, size_t size)
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

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* \040 and its kin, as mountinfo writes blanks, tabs, line ends and backslashes. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (*text == '\\' && is_octal(text[1]) && is_octal(text[2]) && is_octal(text[3])) {
			*to = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = 0;
}

/*
 * Takes the directory if it is cgroup2 and better than what is there: the whole is.
 * root: what is mounted, as mountinfo has it.
 */
static void take_mount(struct cgroup_mount *m, int directory, const char *root)
{
	CLEANUP(cleanup_close) int fd = directory;
	struct statfs fs;
	struct stat st;

	/* Another mount may lie on top of it. */
	if (fd < 0 || fstatfs(fd, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC || fstat(fd, &st))
		return;
	if (m->fd >= 0 && (m->is_root || st.st_ino != ROOT_ID))
		return;
	if (cgroup_mount_path_of(fd, m->path, sizeof(m->path)) < 0)
		return;
	cleanup_close(&m->fd);
	m->fd = fd;
	m->is_root = st.st_ino == ROOT_ID;
	snprintf(m->above, sizeof(m->above), "%s", m->is_root || !strcmp(root, "/") ? "" : root);
	fd = -1;
}

static void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* 31 23 0:28 ROOT MOUNTPOINT rw,relatime shared:9 - cgroup2 SOURCE rw */
bool cgroup_mount_parse(char *line, char **root, char **mountpoint)
{
	char *kind = strstr(line, " - "), *rest = NULL;

	if (!kind || strncmp(kind, " - cgroup2 ", strlen(" - cgroup2 ")))
		return false;
	strtok_r(line, " ", &rest);
	strtok_r(NULL, " ", &rest);
	strtok_r(NULL, " ", &rest);
	*root = strtok_r(NULL, " ", &rest);
	*mountpoint = strtok_r(NULL, " ", &rest);
	if (!*mountpoint)
		return false;
	unescape(*root);
	unescape(*mountpoint);
	return true;
}

/* process: a directory of /proc, its mountpoints as seen from `from`. */
static void look_for_mounts(struct cgroup_mount *m, const char *process, const char *from)
{
	CLEANUP(fclosep) FILE *f = NULL;
	CLEANUP(cleanup_free) char *line = NULL;
	char path[PATH_MAX];
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/mountinfo", process);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		char *root, *mountpoint;

		if (!cgroup_mount_parse(line, &root, &mountpoint))
			continue;
		if (snprintf(path, sizeof(path), "%s%s", from, mountpoint) < (int)sizeof(path))
			take_mount(m, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), root);
	}
}

/* Whoever has no such line has version 1 only, and a mount would change that. */
static bool has_cgroup2(void)
{
	CLEANUP(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
	CLEANUP(cleanup_free) char *line = NULL;
	size_t size = 0;
	bool ret = false;

	while (f && !ret && getline(&line, &size, f) > 0)
		ret = !strncmp(line, "0::", 3);
	return ret;
}

/* A mount that nobody else sees (CAP_SYS_ADMIN), gone with its descriptor. */
static void mount_own(struct cgroup_mount *m)
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
		take_mount(m, openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/");
}

/*
 * Our own mounts may not show it: `ip netns exec` puts a new /sys over them, and in
 * a container there is a part.
 */
int cgroup_mount_open(struct cgroup_mount *m)
{
	*m = (struct cgroup_mount){ .fd = -1 };
	look_for_mounts(m, "/proc/self", "");
	if (!m->is_root)
		look_for_mounts(m, "/proc/1", "/proc/1/root");
	if (!m->is_root)
		mount_own(m);
	return m->fd >= 0 ? 0 : -ENOENT;
}

void cgroup_mount_close(struct cgroup_mount *m)
{
	cleanup_close(&m->fd);
}
