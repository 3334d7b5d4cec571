// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text in /proc: what is read out of it stands in it.  The first byte says which
 * file it is.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cgroup_mount.h"
#include "fuzz.h"
#include "mib.h"
#include "netns_facts.h"
#include "process_lookup.h"

#define UNTOUCHED	0xa5a5a5a5a5a5a5a5ull

static void read_mib(const char *text, size_t len)
{
	static const char *const names[] = { "Tcp.ActiveOpens", "TcpExt.TW", "Tcp.", ".", "none" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint64_t value = UNTOUCHED;
		int err = mib_find(text, len, names[i], &value);

		CLAIM(!err || err == -ENOENT || err == -EBADMSG || err == -ERANGE);
		CLAIM(!err || value == UNTOUCHED);
	}
}

static void read_sockstat(const char *text, size_t len)
{
	uint64_t value = UNTOUCHED;

	if (!sockstat_find(text, len, "TCP", "tw", &value))
		CLAIM(value == UNTOUCHED);
	else
		CLAIM(memmem(text, len, "TCP:", 4) && memmem(text, len, "tw", 2));
}

static void read_ports(const char *text, size_t len)
{
	uint64_t lo = UNTOUCHED, hi = UNTOUCHED;

	if (port_range_parse(text, len, &lo, &hi))
		CLAIM(lo <= hi && hi <= UINT16_MAX);
	else
		CLAIM(lo == UNTOUCHED && hi == UNTOUCHED);
}

static void read_reserved(const char *text, size_t len)
{
	uint64_t count = UNTOUCHED;

	if (!reserved_ports_count(text, len, 1024, 2047, &count))
		CLAIM(count == UNTOUCHED);
}

/* These two are strings: with a NUL at their end, and nothing behind it. */
static void read_mountinfo(const char *text, size_t len)
{
	char *line = strndup(text, len), *root, *mountpoint;

	CLAIM(line);
	len = strlen(line);
	if (cgroup_mount_parse(line, &root, &mountpoint)) {
		CLAIM(root >= line && root + strlen(root) < mountpoint);
		CLAIM(mountpoint + strlen(mountpoint) <= line + len);
	}
	free(line);
}

static void read_stat(const char *text, size_t len)
{
	char *stat = strndup(text, len);

	CLAIM(stat);
	process_stat_is(stat, 1000, "synfin");
	free(stat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const char *, size_t) = {
		read_mib, read_sockstat, read_ports, read_reserved, read_mountinfo, read_stat,
	};
	char *text;

	if (!size)
		return 0;
	/* Exactly so long: what reads beyond is found out. */
	text = malloc(size - 1 ? size - 1 : 1);
	CLAIM(text);
	memcpy(text, data + 1, size - 1);
	readers[(data[0] - '0') % (sizeof(readers) / sizeof(*readers))](text, size - 1);
	free(text);
	return 0;
}
