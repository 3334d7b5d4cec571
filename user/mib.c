// SPDX-License-Identifier: GPL-2.0-or-later
#include "mib.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* ---- the parser ---- */

/* What is left of a text, or of a line of it. */
struct span {
	const char *p, *end;
};

/* Up to a separator, which is skipped.  False: nothing is left. */
static bool take(struct span *from, char separator, struct span *ret)
{
	const char *stop;

	if (from->p == from->end)
		return false;
	stop = memchr(from->p, separator, from->end - from->p);
	*ret = (struct span){ from->p, stop ? stop : from->end };
	from->p = stop ? stop + 1 : from->end;
	return true;
}

static bool take_word(struct span *line, struct span *ret)
{
	while (take(line, ' ', ret)) {
		if (ret->p != ret->end)
			return true;
	}
	return false;
}

static bool is_same(struct span word, const char *text, size_t len)
{
	return (size_t)(word.end - word.p) == len && !memcmp(word.p, text, len);
}

/* A line of the group: its words follow.  group is without the colon. */
static bool starts_with_group(struct span *line, const char *group, size_t len)
{
	struct span word;

	return take_word(line, &word) && word.end - word.p == (ptrdiff_t)len + 1 &&
	       !memcmp(word.p, group, len) && word.p[len] == ':';
}

static int parse_number(struct span word, uint64_t *ret)
{
	uint64_t n = 0;

	if (word.p == word.end)
		return -EBADMSG;
	for (; word.p != word.end; word.p++) {
		unsigned int digit = (unsigned char)*word.p - '0';

		if (digit > 9)
			return -EBADMSG;
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
			return -ERANGE;
	}
	*ret = n;
	return 0;
}

/* The word of values that stands where the name does in names. */
static int find_in_pair(struct span names, struct span values, const char *name, uint64_t *ret)
{
	struct span word, value = {};
	bool has_value;

	while (take_word(&names, &word)) {
		has_value = take_word(&values, &value);
		if (is_same(word, name, strlen(name)))
			return has_value ? parse_number(value, ret) : -EBADMSG;
	}
	return -ENOENT;
}

int mib_find(const char *text, size_t len, const char *name, uint64_t *ret)
{
	struct span rest = { text, text + len }, names, values;
	const char *dot = strchr(name, '.');
	int err = -ENOENT;

	if (!dot)
		return -ENOENT;
	while (err == -ENOENT && take(&rest, '\n', &names)) {
		bool whole;

		if (!starts_with_group(&names, name, dot - name))
			continue;
		if (!take(&rest, '\n', &values))
			return -ENOENT;
		/* A number at the end of a text that was cut may be cut itself. */
		whole = values.end != text + len;
		if (!whole || !starts_with_group(&values, name, dot - name))
			return -EBADMSG;
		err = find_in_pair(names, values, dot + 1, ret);
	}
	return err;
}

/* ---- the files ---- */

int mib_open(struct mib_files *ret)
{
	/* of the thread: it may be in another namespace than the process */
	struct mib_files f = {
		.snmp = open("/proc/thread-self/net/snmp", O_RDONLY | O_CLOEXEC),
		.netstat = open("/proc/thread-self/net/netstat", O_RDONLY | O_CLOEXEC),
	};
	int err = errno;

	if (f.snmp < 0 || f.netstat < 0) {
		mib_close(&f);
		return -err;
	}
	*ret = f;
	return 0;
}

void mib_close(struct mib_files *files)
{
	if (files->snmp >= 0)
		close(files->snmp);
	if (files->netstat >= 0)
		close(files->netstat);
	*files = (struct mib_files){ -1, -1 };
}

/* From the start: the kernel makes the text anew. */
static int append(int fd, struct mib_text *text, size_t size)
{
	size_t at = 0;
	ssize_t n;

	while ((n = pread(fd, text->bytes + text->len, size - at, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text->len += n;
		at += n;
		if (at == size)
			return -E2BIG;
	}
	return 0;
}

int mib_read(const struct mib_files *files, struct mib_text *ret)
{
	int err;

	ret->len = 0;
	err = append(files->snmp, ret, MIB_TEXT_MAX);
	return err ? err : append(files->netstat, ret, MIB_TEXT_MAX);
}
