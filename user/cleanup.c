// SPDX-License-Identifier: GPL-2.0-or-later
#include "cleanup.h"

#include <stdlib.h>
#include <unistd.h>

void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void cleanup_free(void *p)
{
	free(*(void **)p);
}
