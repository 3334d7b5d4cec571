// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * transitions MS [new] - a line a round until it is stopped or stdin ends: waits for
 * a line on stdin, then makes a socket listen and takes that back, over and over, for
 * MS milliseconds, and prints the nanoseconds per transition.  Two transitions a turn,
 * in process context, in the network namespace it is started in; nothing but them
 * changes when a tracer comes or goes.  new: each time another socket, which is closed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0) {
		perror("transitions: socket");
		exit(1);
	}
	return fd;
}

/* CLOSE -> LISTEN -> CLOSE, on a port that the kernel chooses. */
static void turn(int fd)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	if (listen(fd, 1) || connect(fd, &nobody, sizeof(nobody))) {
		perror("transitions: listen or disconnect");
		exit(1);
	}
}

static void turn_of_another(void)
{
	int fd = new_socket();

	if (listen(fd, 1)) {
		perror("transitions: listen");
		exit(1);
	}
	close(fd);
}

/* CPU time, not the clock's: who else runs on this core does not count. */
static double round_ns(double limit_ns, int fd)
{
	double begun = now_ns(CLOCK_THREAD_CPUTIME_ID), took;
	unsigned long turns = 0;

	do {
		for (int i = 0; i < 64; i++)
			fd < 0 ? turn_of_another() : turn(fd);
		turns += 64;
		took = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
	} while (took < limit_ns);
	return took / (2 * turns);
}

int main(int argc, char **argv)
{
	char line[16];
	int fd;

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "new")))
		return fprintf(stderr, "Usage: transitions MILLISECONDS [new]\n"), 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = argc == 3 ? -1 : new_socket();
	while (fgets(line, sizeof(line), stdin))
		printf("%.1f\n", round_ns(atof(argv[1]) * 1e6, fd));
	return 0;
}
