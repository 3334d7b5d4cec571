// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * receives [N] - a line a round until stdin ends: waits for a line on stdin, then
 * receives N bytes one by one, on a connection over lo to itself, and prints the
 * nanoseconds per recv().  The dearest recv() there is, for whoever hooks it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BYTES	20000	/* as many as a new socket's buffer takes; some milliseconds */

static double now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void connect_to_self(int *client, int *server)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);

	*client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len) || connect(*client, (void *)&addr, len))
		die("receives: connect");
	*server = accept(listener, NULL, NULL);
	if (*server < 0)
		die("receives: accept");
	close(listener);
}

/* CPU time, not the clock's: who else runs on this core does not count. */
static double round_ns(int client, int server, int bytes)
{
	static char data[BYTES];
	double begun;
	char byte;

	if (send(client, data, bytes, 0) != bytes)
		die("receives: send");
	while (recv(server, data, bytes, MSG_PEEK) != bytes)
		;
	begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < bytes; i++) {
		if (recv(server, &byte, 1, 0) != 1)
			die("receives: recv");
	}
	return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / bytes;
}

int main(int argc, char **argv)
{
	int client, server, bytes = argc > 1 ? atoi(argv[1]) : BYTES;
	char line[16];

	if (bytes < 1 || bytes > BYTES)
		return fprintf(stderr, "Usage: receives [1..%d]\n", BYTES), 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	connect_to_self(&client, &server);
	while (fgets(line, sizeof(line), stdin))
		printf("%.1f\n", round_ns(client, server, bytes));
	return 0;
}
