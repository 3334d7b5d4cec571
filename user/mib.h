/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mib.h - the kernel's own counters of a network namespace, /proc/net/snmp and
 * /proc/net/netstat.  The parser is pure and total: it trusts nothing about the
 * text, and what is not there is not found.
 */
#ifndef SYNFIN_MIB_H
#define SYNFIN_MIB_H

#include <stddef.h>
#include <stdint.h>

/*
 * The value of a counter, named as in Tcp.ActiveOpens or TcpExt.TW.  The text is
 * pairs of lines, one of names and one of values, each after the same "Tcp:":
 *
 *   Tcp: RtoAlgorithm RtoMin ...
 *   Tcp: 1 200 ...
 *
 * -ENOENT: the name is not there; -EBADMSG: it is, but no whole number behind it
 * (MaxConn is -1); -ERANGE: the number is too large.
 */
int mib_find(const char *text, size_t len, const char *name, uint64_t *ret);

/* The longest that is read; the kernel's are some 5 KB. */
#define MIB_TEXT_MAX	(32 * 1024)

/* Of one namespace, to be read again and again. */
struct mib_files {
	int snmp, netstat;
};

struct mib_text {
	size_t len;
	char bytes[2 * MIB_TEXT_MAX];
};

/* Opens those of the calling thread's namespace.  -errno. */
int mib_open(struct mib_files *ret);
void mib_close(struct mib_files *files);

/* Both files, as they are now.  -errno; -E2BIG: there is more than anybody can want. */
int mib_read(const struct mib_files *files, struct mib_text *ret);

#endif
