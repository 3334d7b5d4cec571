// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "cleanup.h"

#define CPUS_MAX	(1 << 20)	/* no kernel has as many */
#define TEXT_MAX	4096

static bool take_number(const char **at, const char *end, int *ret)
{
	const char *from = *at;

	for (*ret = 0; *at < end && **at >= '0' && **at <= '9'; ++*at) {
		*ret = *ret * 10 + (**at - '0');
		if (*ret >= CPUS_MAX)
			return false;
	}
	return *at != from;
}

/* In their order: the last is the highest. */
int cpus_parse(const char *text, size_t len)
{
	const char *end = text + len;
	int last = -1, n;

	while (text < end) {
		if (!take_number(&text, end, &n) || n <= last)
			return -EBADMSG;
		last = n;
		if (text < end && *text != '-' && *text != ',' && *text != '\n')
			return -EBADMSG;
		if (text < end && *text++ == '\n')
			return text == end ? last + 1 : -EBADMSG;
	}
	return -EBADMSG;	/* cut, or empty */
}

int cpus_possible(void)
{
	CLEANUP(cleanup_close) int fd = open("/sys/devices/system/cpu/possible",
					     O_RDONLY | O_CLOEXEC);
	char text[TEXT_MAX];
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text));
	return len < 0 ? -errno : cpus_parse(text, len);
}
