// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recv_cost SECONDS - what a recv() of one byte takes, on a connection over lo to
 * itself: a line a round, in nanoseconds, until the time is over.  Only recv()
 * is timed; all the data is there before.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROUND	20000	/* recv()s: some milliseconds, as many bytes as a new socket's buffer takes */

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void connect_to_self(int *client, int *server)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	*client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len) || connect(*client, (void *)&addr, len))
		die("connect");
	*server = accept(listener, NULL, NULL);
	if (*server < 0)
		die("accept");
	close(listener);
}

static double round_ns(int client, int server)
{
	static char data[ROUND];
	double begun;
	char byte;

	if (send(client, data, sizeof(data), 0) != sizeof(data))
		die("send");
	while (recv(server, data, sizeof(data), MSG_PEEK) != sizeof(data))
		;
	begun = now_ns();
	for (int i = 0; i < ROUND; i++) {
		if (recv(server, &byte, 1, 0) != 1)
			die("recv");
	}
	return (now_ns() - begun) / ROUND;
}

int main(int argc, char **argv)
{
	double until = now_ns() + (argc > 1 ? atof(argv[1]) : 1) * 1e9;
	int client, server;

	connect_to_self(&client, &server);
	while (now_ns() < until) {
		printf("%.1f\n", round_ns(client, server));
		fflush(stdout);
	}
	return 0;
}
