// SPDX-License-Identifier: GPL-2.0-or-later
#include "write_all.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}
