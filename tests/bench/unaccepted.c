// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unaccepted COUNT - leaves COUNT connections in CLOSE_WAIT in this network namespace,
 * over the loopback: nobody accepts them, and their clients have closed, so that no
 * descriptor bounds how many there are.  Says so in a line, and waits to be killed.
 * They go to 100 addresses from 127.0.1.1 on.  net.core.somaxconn is the caller's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT		500	/* below any range */
#define ADDRESSES	100

static int fail(const char *what)
{
	fprintf(stderr, "unaccepted: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (!count) {
		fprintf(stderr, "usage: unaccepted COUNT\n");
		return 2;
	}
	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(listener, INT_MAX))
		return fail("cannot listen");
	for (unsigned long i = 0; i < count; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x100 + i % ADDRESSES);
		if (client < 0 || connect(client, (struct sockaddr *)&addr, sizeof(addr)))
			return fail("cannot connect");
		close(client);
	}
	printf("%lu are there\n", count);
	fflush(stdout);
	pause();
	return 0;
}
