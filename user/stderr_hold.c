// SPDX-License-Identifier: GPL-2.0-or-later
#include "stderr_hold.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

void stderr_hold_begin(struct stderr_hold *h)
{
	*h = (struct stderr_hold){ -1, -1, false };
	if (!isatty(STDERR_FILENO))
		return;
	h->kept = memfd_create("stderr", MFD_CLOEXEC);
	h->before = h->kept < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	h->active = h->before >= 0 && dup2(h->kept, STDERR_FILENO) >= 0;
	if (h->active)
		return;
	if (h->kept >= 0)
		close(h->kept);
	if (h->before >= 0)
		close(h->before);
}

void stderr_hold_end(struct stderr_hold *h)
{
	char buf[4096];
	ssize_t len, unused;

	if (!h->active)
		return;
	dup2(h->before, STDERR_FILENO);
	lseek(h->kept, 0, SEEK_SET);
	while ((len = read(h->kept, buf, sizeof(buf))) > 0) {
		unused = write(STDERR_FILENO, buf, len);
		(void)unused;
	}
	close(h->kept);
	close(h->before);
	h->active = false;
}
