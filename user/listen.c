// SPDX-License-Identifier: GPL-2.0-or-later
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"

#define FIRST_INHERITED	3	/* SD_LISTEN_FDS_START */
#define BACKLOG		128

struct place {
	char host[256];		/* "": every address */
	char port[6];
};

static int parse(const char *address, struct place *ret)
{
	const char *colon = strrchr(address, ':');
	const char *host = address;
	size_t len;

	if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    !colon[1] || strlen(colon + 1) >= sizeof(ret->port) || atoi(colon + 1) > 65535)
		return -EINVAL;
	len = colon - host;
	if (len && host[0] == '[') {
		if (len < 2 || host[len - 1] != ']')
			return -EINVAL;
		host++;
		len -= 2;
	} else if (memchr(host, ':', len)) {	/* IPv6 takes brackets */
		return -EINVAL;
	}
	if (len >= sizeof(ret->host))
		return -EINVAL;
	memcpy(ret->host, host, len);
	ret->host[len] = 0;
	strcpy(ret->port, colon + 1);
	return 0;
}

int listen_check(const char *address)
{
	struct place place;

	return parse(address, &place);
}

static int open_socket(const struct addrinfo *ai, int *ret)
{
	CLEANUP(cleanup_close) int fd = socket(ai->ai_family,
					       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, off = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)	/* :PORT is every address, IPv4 as well */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG))
		return -errno;
	*ret = fd;
	fd = -1;
	return 0;
}

int listen_open(const char *address, int *ret)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *list = NULL;
	struct place place;
	int err;

	err = parse(address, &place);
	if (err)
		return err;
	/* Of every address IPv6's covers both, unless there is no IPv6. */
	hints.ai_family = *place.host ? AF_UNSPEC : AF_INET6;
	if (getaddrinfo(*place.host ? place.host : NULL, place.port, &hints, &list))
		return -ENXIO;
	err = open_socket(list, ret);
	freeaddrinfo(list);
	if (err != -EAFNOSUPPORT || *place.host)
		return err;
	hints.ai_family = AF_INET;
	if (getaddrinfo(NULL, place.port, &hints, &list))
		return -ENXIO;
	err = open_socket(list, ret);
	freeaddrinfo(list);
	return err;
}

void listen_name(int fd, char *buf, size_t size)
{
	struct sockaddr_storage addr = {};
	socklen_t len = sizeof(addr);
	char host[64], port[8];

	snprintf(buf, size, "?");
	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		return;
	if (addr.ss_family == AF_UNIX) {
		snprintf(buf, size, "a UNIX socket");
		return;
	}
	if (getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(buf, size, addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

unsigned int listen_inherited(int ret[LISTEN_MAX])
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	unsigned int n = 0;

	if (pid && count && atol(pid) == getpid()) {
		for (int i = 0; i < atoi(count) && n < LISTEN_MAX; i++) {
			int fd = FIRST_INHERITED + i;

			if (fcntl(fd, F_SETFD, FD_CLOEXEC))
				break;
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
			ret[n++] = fd;
		}
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n;
}
