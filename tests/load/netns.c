// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOPBACK_INDEX 1

/* struct in6_ifreq of linux/ipv6.h, which does not go with netinet/in.h. */
struct v6_address_request {
	struct in6_addr addr;
	uint32_t prefix_len;
	int ifindex;
};

const char *const counter_names[NR_COUNTERS] = {
#define X(name, file, group) [MIB_##name] = #name,
	COUNTERS(X)
#undef X
};

unsigned long netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

int netns_enter(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	int err = setns(fd, CLONE_NEWNET) ? -errno : 0;
	close(fd);
	if (err)
		return err;
	/* a sysctl of the whole machine, which only the initial namespace shows */
	return access("/proc/sys/net/ipv4/tcp_max_orphans", F_OK) ? 0 : -EPERM;
}

int netns_enter_own(void)
{
	return unshare(CLONE_NEWNET) ? -errno : 0;
}

static int loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int err = 0;

	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;

	if (ioctl(fd, SIOCGIFFLAGS, &request))
		err = -errno;
	request.ifr_flags |= IFF_UP;
	if (!err && ioctl(fd, SIOCSIFFLAGS, &request))
		err = -errno;
	close(fd);
	return err;
}

static int sysctl_write(const char *name, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	int err = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

int netns_prepare(unsigned long nr_connections, bool keep_sysctls)
{
	char buckets[32];

	/* both_fin leaves two, and earlier runs may have left some */
	snprintf(buckets, sizeof(buckets), "%lu", 2 * nr_connections + 262144);
	const char *const wanted[][2] = {
		{ "ipv4/ip_local_port_range", "1024 65535" },
		{ "ipv4/tcp_max_tw_buckets", buckets },
		{ "ipv4/tcp_max_syn_backlog", "8192" },
		{ "core/somaxconn", "8192" },
	};

	int err = loopback_up();
	for (size_t i = 0; !err && !keep_sysctls && i < sizeof(wanted) / sizeof(wanted[0]); i++)
		err = sysctl_write(wanted[i][0], wanted[i][1]);
	return err;
}

int netns_add_v6_dests(unsigned int nr_dests)
{
	int err = 0;

	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;

	for (unsigned int dest = 2; !err && dest <= nr_dests; dest++) {
		struct v6_address_request request = { .prefix_len = 128,
						      .ifindex = LOOPBACK_INDEX };
		char text[INET6_ADDRSTRLEN];

		snprintf(text, sizeof(text), "fd73:796e::%x", dest);
		inet_pton(AF_INET6, text, &request.addr);
		if (ioctl(fd, SIOCSIFADDR, &request) && errno != EEXIST)
			err = -errno;
	}
	close(fd);
	return err;
}

/* The two lines "GROUP: name name …", "GROUP: value value …" of /proc/self/net/@file. */
static int read_group(const char *file, const char *group, char *names, char *values, int len)
{
	char path[64];
	size_t group_len = strlen(group);
	int err = -ENOENT;

	snprintf(path, sizeof(path), "/proc/self/net/%s", file);
	FILE *stream = fopen(path, "re");
	if (!stream)
		return -errno;

	while (fgets(names, len, stream)) {
		if (strncmp(names, group, group_len) || names[group_len] != ':')
			continue;
		err = fgets(values, len, stream) ? 0 : -EIO;
		break;
	}
	fclose(stream);
	return err;
}

static int read_counter(const char *file, const char *group, const char *name, unsigned long *ret)
{
	char names[8192], values[8192], *save_name, *save_value;

	int err = read_group(file, group, names, values, sizeof(names));
	if (err)
		return err;

	char *key = strtok_r(names, " \n", &save_name);
	char *value = strtok_r(values, " \n", &save_value);
	while (key && value) {
		if (!strcmp(key, name)) {
			*ret = strtoul(value, NULL, 10);
			return 0;
		}
		key = strtok_r(NULL, " \n", &save_name);
		value = strtok_r(NULL, " \n", &save_value);
	}
	return 0;
}

int counters_read(struct counters *ret)
{
	struct counters now = { { 0 } };
	int err = 0;

#define X(name, file, group) \
	if (!err)            \
		err = read_counter(file, group, #name, &now.value[MIB_##name]);
	COUNTERS(X)
#undef X
	if (!err)
		*ret = now;
	return err;
}

unsigned long netns_sockets(void)
{
	static const char *const files[][2] = { { "sockstat", "TCP: inuse %lu" },
						{ "sockstat6", "TCP6: inuse %lu" } };
	unsigned long sum = 0;

	for (size_t i = 0; i < 2; i++) {
		char path[64], line[256];
		unsigned long inuse;

		snprintf(path, sizeof(path), "/proc/self/net/%s", files[i][0]);
		FILE *stream = fopen(path, "re");
		if (!stream)
			continue;
		while (fgets(line, sizeof(line), stream))
			if (sscanf(line, files[i][1], &inuse) == 1)
				sum += inuse;
		fclose(stream);
	}
	return sum;
}
