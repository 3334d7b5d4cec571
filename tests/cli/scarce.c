// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A library to preload: the allocation number SCARCE_AT (from 1) fails, once, and
 * how many there were is written to the file SCARCE_COUNT at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static long count, fails_at;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("SCARCE_AT");

	count = 0;	/* those of the dynamic linker are not ours */
	fails_at = at ? atol(at) : 0;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("SCARCE_COUNT");
	char text[32];
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;

	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%ld\n", count);
	if (write(fd, text, strlen(text)) < 0)
		_exit(97);
	close(fd);
}

static int fails(void)
{
	if (++count != fails_at)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, n * size);
}
