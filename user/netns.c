// SPDX-License-Identifier: GPL-2.0-or-later
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

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
	} else if (strchr(text, '/')) {
		snprintf(path, size, "%s", text);
	} else {
		snprintf(path, size, "/run/netns/%s", text);
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
