// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A library to preload: one allocation fails.  Which one: by its number, SCARCE_AT (from
 * 1), or by who asks for it, SCARCE_BY=STACK:N, the Nth of those that are asked for by
 * way of the same calls.  At the end the file SCARCE_COUNT tells how many allocations there
 * were, and SCARCE_STACKS of each way that led to one STACK:NUMBER, a line each, with
 * "libbpf" behind it if the way leads through that.
 *
 * A STACK is a hash of the places that its calls return to, each within its library, so
 * that it is the same in every run.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH	32
#define STACKS	8192

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static struct { uint64_t hash; unsigned long count; int in_libbpf; } stacks[STACKS];
static unsigned long count, fails_at, fails_nth;
static uint64_t fails_by;
static int is_looking = 1;	/* backtrace() allocates, too, the first time */

/* The main program first: its dladdr() has the path that it was started by. */
static uint64_t place_of(void *address, int *in_libbpf)
{
	const char *name;
	uint64_t hash = 0;
	Dl_info info;

	if (!dladdr(address, &info))
		return 0;
	name = strrchr(info.dli_fname, '/');
	name = name ? name + 1 : info.dli_fname;
	*in_libbpf |= !strncmp(name, "libbpf", strlen("libbpf"));
	for (; *name; name++)
		hash = hash * 31 + *name;
	return hash + ((uintptr_t)address - (uintptr_t)info.dli_fbase);
}

static uint64_t stack_here(int *in_libbpf)
{
	void *frames[DEPTH];
	int depth = backtrace(frames, DEPTH);
	uint64_t hash = 0xcbf29ce484222325ull;

	for (int i = 2; i < depth; i++)		/* without this and who calls it */
		hash = (hash ^ place_of(frames[i], in_libbpf)) * 0x100000001b3ull;
	return hash ? hash : 1;
}

/* How many there have been of it, this one included. */
static unsigned long count_stack(uint64_t hash, int in_libbpf)
{
	for (uint64_t i = hash; ; i++) {
		if (!stacks[i % STACKS].hash)
			stacks[i % STACKS].hash = hash;
		if (stacks[i % STACKS].hash != hash)
			continue;
		stacks[i % STACKS].in_libbpf = in_libbpf;
		return ++stacks[i % STACKS].count;
	}
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("SCARCE_AT"), *by = getenv("SCARCE_BY");
	void *frames[1];
	char *end;

	backtrace(frames, 1);
	count = 0;	/* those of the dynamic linker are not ours */
	fails_at = at ? strtoul(at, NULL, 10) : 0;
	if (by) {
		fails_by = strtoull(by, &end, 16);
		fails_nth = strtoul(end + 1, NULL, 10);
	}
	is_looking = !by && !getenv("SCARCE_STACKS");
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("SCARCE_COUNT"), *ways = getenv("SCARCE_STACKS");
	int fd;

	is_looking = 1;
	fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	if (fd >= 0) {
		dprintf(fd, "%lu\n", count);
		close(fd);
	}
	fd = ways ? open(ways, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	if (fd < 0)
		return;
	for (unsigned int i = 0; i < STACKS; i++) {
		if (stacks[i].hash)
			dprintf(fd, "%llx:%lu%s\n", (unsigned long long)stacks[i].hash,
				stacks[i].count, stacks[i].in_libbpf ? " libbpf" : "");
	}
	close(fd);
}

static int fails(void)
{
	int ret = ++count == fails_at, in_libbpf = 0;
	uint64_t hash;

	if (!is_looking) {
		is_looking = 1;
		hash = stack_here(&in_libbpf);
		ret |= count_stack(hash, in_libbpf) == fails_nth && hash == fails_by;
		is_looking = 0;
	}
	if (ret)
		errno = ENOMEM;
	return ret;
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
