// SPDX-License-Identifier: GPL-2.0-or-later
#include "netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

static int name_path(const char *text, char *path, size_t size)
{
	unsigned long pid;
	char *end;

	if (!strcmp(text, "self")) {
		snprintf(path, size, "/proc/self/ns/net");
	} else if (!strncmp(text, "pid:", 4)) {
		snprintf(path, size, "%s", text);
		if (text[4] < '1' || text[4] > '9')
			return -EINVAL;
		errno = 0;
		pid = strtoul(text + 4, &end, 10);
		if (*end || errno || pid > INT32_MAX)
			return -EINVAL;
		snprintf(path, size, "/proc/%lu/ns/net", pid);
	} else if (snprintf(path, size, "%s%s", strchr(text, '/') ? "" : "/run/netns/", text) >=
		   (int)size) {
		return -ENAMETOOLONG;	/* cut, it would be another's */
	}
	return 0;
}

int netns_resolve(const char *text, char *path, size_t size, uint32_t *ret)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;
	int err;

	err = name_path(text, path, size);
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -ENOTTY;
	if (fstat(fd, &st))
		return -errno;
	*ret = st.st_ino;
	return 0;
}

/* ---- the namespaces of this host ---- */

/* One descriptor each; a host with more has namespaces that nobody looks at one by one. */
#define NETNS_MAX	4096

/* Left for whatever else is opened while a list is held. */
#define DESCRIPTORS_SPARED	64

static bool list_has(const struct netns_list *list, uint32_t inode)
{
	for (unsigned int i = 0; i < list->len; i++) {
		if (list->inodes[i] == inode)
			return true;
	}
	return false;
}

static int list_grow(struct netns_list *list)
{
	unsigned int size = list->size ? 2 * list->size : 16;
	uint32_t *inodes = reallocarray(list->inodes, size, sizeof(*inodes));
	int *fds;

	if (!inodes)
		return -ENOMEM;
	list->inodes = inodes;
	fds = reallocarray(list->fds, size, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	list->fds = fds;
	list->size = size;
	return 0;
}

/* The descriptor becomes the list's, or is closed. */
static int list_add_fd(struct netns_list *list, int open_fd)
{
	CLEANUP(cleanup_close) int fd = open_fd;
	struct stat st;

	if (fd < 0 || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &st) ||
	    list_has(list, st.st_ino))
		return 0;
	if (list->len == list->size && list_grow(list))
		return -ENOMEM;
	list->inodes[list->len] = st.st_ino;
	list->fds[list->len++] = fd;
	fd = -1;
	return 0;
}

/* What is no namespace, or is gone, is passed over. */
static int list_add(struct netns_list *list, const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) || list_has(list, st.st_ino))
		return 0;
	if (list->len == NETNS_MAX) {
		list->cut = true;
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* They are numbered from below. */
	if (list->len && (fd < 0 ? errno == EMFILE || errno == ENFILE : fd >= list->fd_limit)) {
		list->cut = list->lacks_descriptors = true;
		cleanup_close(&fd);
		return 0;
	}
	return list_add_fd(list, fd);
}

/* The usual 1024 are too few for a host with that many; what an administrator allows is taken. */
static int descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return INT_MAX;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur - DESCRIPTORS_SPARED;
}

static void close_dirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* DIR/NAME + suffix for each name; of /proc only the processes. */
static int list_add_dir(struct netns_list *list, const char *dir, const char *suffix)
{
	CLEANUP(close_dirp) DIR *d = opendir(dir);
	const struct dirent *entry;
	char path[PATH_MAX];
	int err = 0;

	while (d && !err && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' ||
		    (*suffix && (entry->d_name[0] < '0' || entry->d_name[0] > '9')))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", dir, entry->d_name, suffix);
		err = list_add(list, path);
	}
	return err;
}

int netns_open_own(void)
{
	CLEANUP(cleanup_close) int sock = -1;
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fd = sock < 0 ? -1 : ioctl(sock, SIOCGSKNS);
	if (fd < 0)
		return -errno;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int netns_list_init(struct netns_list *list, const char *text)
{
	char path[PATH_MAX];
	int err;

	*list = (struct netns_list){ .fd_limit = descriptor_limit() };
	if (!strcmp(text, "self")) {
		err = list_add_fd(list, netns_open_own());
	} else if (strcmp(text, "all")) {
		err = name_path(text, path, sizeof(path));
		if (!err)
			err = list_add(list, path);
	} else {
		err = list_add_fd(list, netns_open_own());
		if (!err)
			err = list_add_dir(list, "/run/netns", "");
		if (!err)
			err = list_add_dir(list, "/proc", "/ns/net");
	}
	if (err)
		netns_list_deinit(list);
	return err;
}

void netns_list_deinit(struct netns_list *list)
{
	for (unsigned int i = 0; i < list->len; i++)
		close(list->fds[i]);
	free(list->fds);
	free(list->inodes);
	*list = (struct netns_list){ 0 };
}

int netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET) ? -errno : 0;
}
