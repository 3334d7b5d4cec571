// SPDX-License-Identifier: GPL-2.0-or-later
#include "cleanup.h"

#include <unistd.h>

void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
