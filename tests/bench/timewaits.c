// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * timewaits COUNT [DESTINATIONS] - leaves COUNT sockets in TIME_WAIT in this
 * network namespace, over the loopback, as fast as one thread can: some 30 us
 * each.  They go to DESTINATIONS addresses from 127.0.0.2 on, 20 unless given, each
 * with its own port space.  sysctls are the caller's: tcp_max_tw_buckets and
 * ip_local_port_range large enough, tcp_tw_reuse 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT	500	/* below any range */

static int fail(const char *what)
{
	fprintf(stderr, "timewaits: %s: %s\n", what, strerror(errno));
	return 1;
}

static int listen_anywhere(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 16))
		return -1;
	return fd;
}

/* The client closes first; the server's close() then brings the FIN that it awaits. */
static int leave_one(int listener, uint32_t address)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(address),
	};
	int client = socket(AF_INET, SOCK_STREAM, 0), server;

	if (client < 0 || connect(client, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	server = accept(listener, NULL, NULL);
	if (server < 0)
		return -1;
	close(client);
	close(server);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long destinations = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
	int listener = listen_anywhere();

	if (!count || !destinations) {
		fprintf(stderr, "usage: timewaits COUNT [DESTINATIONS]\n");
		return 2;
	}
	if (listener < 0)
		return fail("cannot listen");
	for (unsigned long i = 0; i < count; i++) {
		if (leave_one(listener, INADDR_LOOPBACK + 1 + i % destinations))
			return fail("cannot connect");
	}
	return 0;
}
