// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server that is attacked: serve BACKLOG FAMILY, which is 4 or 6, until SIGTERM;
 * then it closes what is open, and says of each port how many connections it accepted:
 * accepted.PORT=N.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports.h"

#define NR_PORTS	3
#define LOUD_BYTES	(64 << 10)
#define EVENTS		64

struct port {
	int fd;
	unsigned long accepted;
};

static int listen_on(unsigned int port, int backlog, bool is_v6)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr *at = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, at, is_v6 ? sizeof(v6) : sizeof(v4)) || listen(fd, backlog)) {
		fprintf(stderr, "serve: cannot listen on %u: %s\n", port, strerror(errno));
		exit(3);
	}
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		exit(3);
}

static void accept_all(int epoll, struct port *port, unsigned int number)
{
	static const char noise[LOUD_BYTES];
	int fd;

	while ((fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		port->accepted++;
		if (number == PORT_HASTY) {
			close(fd);
			continue;
		}
		if (number == PORT_LOUD)
			(void)!send(fd, noise, sizeof(noise), MSG_NOSIGNAL);
		watch(epoll, fd);
	}
}

static void drain(int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	if (!n || errno != EAGAIN)
		close(fd);
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct port ports[NR_PORTS] = {};
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC), stop = signals(), n, left = 1;
	struct rlimit files = { 1 << 17, 1 << 17 };

	if (argc != 3)
		return 2;
	setrlimit(RLIMIT_NOFILE, &files);
	watch(epoll, stop);
	for (int i = 0; i < NR_PORTS; i++) {
		ports[i].fd = listen_on(PORT_PATIENT + i, atoi(argv[1]), argv[2][0] == '6');
		watch(epoll, ports[i].fd);
	}
	puts("serving");
	fflush(stdout);
	while (left && (n = epoll_wait(epoll, events, EVENTS, -1)) >= 0) {
		for (int at = 0; at < n; at++) {
			int fd = events[at].data.fd, i = 0;

			left &= fd != stop;
			while (i < NR_PORTS && ports[i].fd != fd)
				i++;
			if (i < NR_PORTS)
				accept_all(epoll, &ports[i], PORT_PATIENT + i);
			else if (fd != stop)
				drain(fd);
		}
	}
	for (int i = 0; i < NR_PORTS; i++) {
		accept_all(epoll, &ports[i], PORT_PATIENT + i);
		printf("accepted.%d=%lu\n", PORT_PATIENT + i, ports[i].accepted);
	}
	return 0;
}
