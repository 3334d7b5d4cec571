/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of the connections: what clients and servers do, row by row of the
 * table of kinds, and the count of what really came of it.
 *
 * An end is counted as done only if every step went as its row says. Anything
 * else is odd: reported on stderr, counted apart, never part of the truth.
 */
#ifndef LOAD_ENDS_H
#define LOAD_ENDS_H

#include "kinds.h"

#include <semaphore.h>

#define MAX_DESTS 250
#define MAX_THREADS 64

/* Clients not yet accepted, all ports together: far from the 4096 of an accept queue. */
#define WINDOW 1024
#define BACKLOG 4096

enum family {
	F_V4, /* AF_INET on both ends */
	F_V6, /* AF_INET6 on both ends */
	F_MAPPED, /* AF_INET6 to ::ffff:127.0.0.N; the server is AF_INET */
	F_DUAL, /* the same, and the server is a dual-stack AF_INET6 */
	NR_FAMILIES
};

enum result {
	R_DONE,
	R_NO_PORT, /* EADDRNOTAVAIL */
	R_REFUSED, /* though somebody should listen */
	R_TIMEOUT,
	R_FAILED, /* connect() failed in another way */
	R_ODD, /* connected, but did not go as planned */
	NR_RESULTS
};

struct tally {
	unsigned long nr[MAX_KINDS][NR_FAMILIES][NR_RESULTS];
};

void tally_add(struct tally *sum, const struct tally *more);

struct target {
	const struct kind *kind;
	enum family family;
	unsigned int dest; /* from 0 */
};

/* connect(): R_DONE and the socket in @ret, or why not. */
enum result client_open(const struct target *target, int *ret);

/* The client's part from there to the end of @fd. */
enum result client_finish(const struct kind *kind, int fd);

struct servers;

/*
 * From here on what this thread opens is in a table of descriptors of its own, which
 * RLIMIT_NOFILE bounds; what is open already stays open in it, too. Ends the program if
 * it cannot be.
 */
void take_own_files(void);

/*
 * Listeners for all kinds in @mix and all families with a bit in @families, and
 * threads that serve them, each with files of its own if @own_files. @window is posted
 * once per accepted connection.
 */
int servers_start(const struct mix *mix, unsigned int families, unsigned int nr_threads,
		  bool own_files, sem_t *window, struct servers **ret);

/* Connections that have ended on the server's side, so far. */
unsigned long servers_ended(struct servers *servers);

/* End the threads, add what they saw to @sum, free @servers. */
void servers_stop(struct servers *servers, struct tally *sum);

#endif
