// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel_btf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

static void unmap(struct kernel_btf *btf)
{
	if (btf->data)
		munmap(btf->data, btf->size);
	btf->data = NULL;
}

/* Its file says how long it is, and hands out a page at a time. */
static int read_all(int fd, char *to, size_t size)
{
	size_t have = 0;
	ssize_t n;

	while (have < size) {
		n = read(fd, to + have, size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EBADMSG;
		have += n;
	}
	return 0;
}

static int load(struct kernel_btf *btf, int fd)
{
	int err;

	btf->data = mmap(NULL, btf->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (btf->data != MAP_FAILED)
		return 0;
	btf->data = mmap(NULL, btf->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (btf->data == MAP_FAILED) {
		btf->data = NULL;
		return -errno;
	}
	err = read_all(fd, btf->data, btf->size);
	if (err)
		unmap(btf);
	return err;
}

int kernel_btf_open(struct kernel_btf *btf)
{
	CLEANUP(cleanup_close) int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	struct stat st;
	int err;

	*btf = (struct kernel_btf){};
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	btf->size = st.st_size;
	err = load(btf, fd);
	if (!err)
		err = btf_walk_init(&btf->walk, btf->data, btf->size);
	if (err)
		unmap(btf);
	return err;
}

void kernel_btf_close(struct kernel_btf *btf)
{
	if (!btf->data)
		return;
	btf_walk_deinit(&btf->walk);
	unmap(btf);
}
