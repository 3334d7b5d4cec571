// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 5 /* longer than any step takes that ends at all */
#define RACE_NS 150000 /* about what a server needs to be woken */
#define ODD_LINES 10
#define ACCEPT_BURST 32
#define NR_EVENTS 64

enum input {
	IN_PENDING, /* nothing there; in a client: not in PATIENCE_S */
	IN_ENOUGH,
	IN_FIN,
	IN_RST,
	IN_ERROR,
};

static const char payload[65536];

/* Servers that were about to close while their client is, so far. */
static atomic_ulong races;

static const char *input_name(enum input input)
{
	switch (input) {
	case IN_PENDING:
		return "nothing";
	case IN_ENOUGH:
		return "data";
	case IN_FIN:
		return "FIN";
	case IN_RST:
		return "RST";
	case IN_ERROR:
		return "error";
	}
	return "?";
}

static void report_odd(const struct kind *kind, const char *who, const char *what)
{
	static atomic_int lines;

	if (atomic_fetch_add(&lines, 1) < ODD_LINES)
		fprintf(stderr, "storm: %s: %s: %s\n", kind->name, who, what);
}

static enum result odd_input(const struct kind *kind, const char *who, enum input saw, size_t got)
{
	char what[128];

	snprintf(what, sizeof(what), "saw %s after %zu bytes (errno %d)", input_name(saw), got,
		 errno);
	report_odd(kind, who, what);
	return R_ODD;
}

void tally_add(struct tally *sum, const struct tally *more)
{
	for (size_t kind = 0; kind < MAX_KINDS; kind++)
		for (int family = 0; family < NR_FAMILIES; family++)
			for (int result = 0; result < NR_RESULTS; result++)
				sum->nr[kind][family][result] += more->nr[kind][family][result];
}

void take_own_files(void)
{
	if (unshare(CLONE_FILES)) {
		perror("storm: unshare(CLONE_FILES)");
		abort();
	}
}

/* ---- the wire, for both ends ---- */

static in_port_t port_of(const struct kind *kind, enum family family)
{
	return htons((family == F_DUAL ? PORT_DUAL : PORT_BASE) + (kind - kinds));
}

static int family_domain(enum family family)
{
	return family == F_V4 ? AF_INET : AF_INET6;
}

/* Receives until @want bytes are there in all, or something else comes. */
static enum input take(int fd, size_t want, int flags, size_t *got)
{
	char buffer[sizeof(payload)];

	while (*got < want) {
		size_t len = want - *got < sizeof(buffer) ? want - *got : sizeof(buffer);
		ssize_t nr = recv(fd, buffer, len, flags);

		if (nr > 0)
			*got += nr;
		else if (!nr)
			return IN_FIN;
		else if (errno == EAGAIN)
			return IN_PENDING;
		else if (errno == ECONNRESET)
			return IN_RST;
		else if (errno != EINTR)
			return IN_ERROR;
	}
	return IN_ENOUGH;
}

static bool give(int fd, size_t len)
{
	while (len) {
		ssize_t nr = send(fd, payload, len < sizeof(payload) ? len : sizeof(payload),
				  MSG_NOSIGNAL);
		if (nr < 0 && errno != EINTR)
			return false;
		if (nr > 0)
			len -= nr;
	}
	return true;
}

static void set_linger0(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* ---- the client ---- */

static socklen_t dest_address(const struct target *target, struct sockaddr_storage *ret)
{
	in_port_t port = port_of(target->kind, target->family);
	in_addr_t v4 = htonl(INADDR_LOOPBACK + target->dest);

	memset(ret, 0, sizeof(*ret));
	if (target->family == F_V4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
		in->sin_addr.s_addr = v4;
		return sizeof(*in);
	}

	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	uint8_t *bytes = in6->sin6_addr.s6_addr;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = port;
	if (target->family != F_V6) {
		bytes[10] = bytes[11] = 0xff;
		memcpy(bytes + 12, &v4, sizeof(v4));
	} else if (target->dest) { /* netns_add_v6_dests() */
		memcpy(bytes, "\xfd\x73\x79\x6e", 4);
		bytes[15] = target->dest + 1;
	} else {
		bytes[15] = 1;
	}
	return sizeof(*in6);
}

static enum result connect_result(const struct target *target, int error)
{
	char what[64];

	switch (error) {
	case EADDRNOTAVAIL:
		return R_NO_PORT;
	case ECONNREFUSED:
		return target->kind->client == C_REFUSED ? R_DONE : R_REFUSED;
	case ETIMEDOUT:
		return R_TIMEOUT;
	}
	snprintf(what, sizeof(what), "cannot connect: errno %d", error);
	report_odd(target->kind, "client", what);
	return R_FAILED;
}

enum result client_open(const struct target *target, int *ret)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_storage address;
	socklen_t len = dest_address(target, &address);

	int fd = socket(family_domain(target->family), SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return connect_result(target, errno);

	if (connect(fd, (struct sockaddr *)&address, len)) {
		enum result result = connect_result(target, errno);

		close(fd);
		return result;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*ret = fd;
	return R_DONE;
}

/*
 * Until some server thread is about to close, for FINs that cross; at most for a
 * random time, so that now and then the client is first. Spins, since a wake-up
 * takes longer than the server's close.
 */
static void race_pause(void)
{
	unsigned long seen = atomic_load(&races);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t start_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	uint64_t end_ns = start_ns + start_ns / 16 % RACE_NS;
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (atomic_load(&races) == seen && now.tv_sec * 1000000000ull + now.tv_nsec < end_ns);
}

/* The RST that answers data after close: EPIPE, since our end is in CLOSE_WAIT. */
static bool reset_in_close_wait(int fd)
{
	struct pollfd pollfd = { .fd = fd };
	int error = 0;
	socklen_t len = sizeof(error);

	if (!give(fd, 1) || poll(&pollfd, 1, PATIENCE_S * 1000) != 1)
		return false;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error == EPIPE;
}

/* What the client waits for before its last step. */
static enum input client_expects(const struct kind *kind)
{
	switch (kind->client) {
	case C_WAIT_FIN:
	case C_SHUTDOWN:
	case C_FIN_LINGER0:
	case C_FIN_DATA:
		return IN_FIN;
	case C_WAIT_RST:
		return IN_RST;
	case C_LINGER0:
	case C_DISCONNECT:
	case C_UNREAD:
	case C_CLOSE:
	case C_CLOSE_RACE:
	case C_REFUSED:
		return IN_ENOUGH;
	}
	return IN_ERROR;
}

static enum input client_wait(const struct kind *kind, int fd, size_t *got)
{
	enum input expected = client_expects(kind);

	if (kind->client == C_SHUTDOWN && shutdown(fd, SHUT_WR))
		return IN_ERROR;
	if (expected != IN_ENOUGH)
		return take(fd, SIZE_MAX, 0, got);
	if (kind->client == C_UNREAD)
		return take(fd, kind->greeting, MSG_PEEK, got);
	return take(fd, kind->greeting, 0, got);
}

static enum result client_last_step(const struct kind *kind, int fd)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	switch (kind->client) {
	case C_CLOSE_RACE:
		race_pause();
		break;
	case C_LINGER0:
	case C_FIN_LINGER0:
		set_linger0(fd);
		break;
	case C_DISCONNECT:
		if (!connect(fd, &nobody, sizeof(nobody)))
			break;
		report_odd(kind, "client", "cannot disconnect");
		return R_ODD;
	case C_FIN_DATA:
		if (reset_in_close_wait(fd))
			break;
		report_odd(kind, "client", "not reset for data after close");
		return R_ODD;
	case C_REFUSED:
		report_odd(kind, "client", "was not refused");
		return R_ODD;
	case C_CLOSE:
	case C_WAIT_FIN:
	case C_SHUTDOWN:
	case C_WAIT_RST:
	case C_UNREAD:
		break;
	}
	return R_DONE;
}

enum result client_finish(const struct kind *kind, int fd)
{
	enum result result = R_ODD;
	size_t got = 0;

	if (give(fd, kind->request)) {
		enum input saw = client_wait(kind, fd, &got);

		if (saw == client_expects(kind) && got == kind->greeting + kind->reply)
			result = client_last_step(kind, fd);
		else
			result = odd_input(kind, "client", saw, got);
	} else {
		report_odd(kind, "client", "cannot send the request");
	}
	close(fd);
	return result;
}

/* ---- the server ---- */

/* A listener, or a connection that its server thread waits for. */
struct sock {
	const struct kind *kind;
	enum family family;
	int fd;
	bool listening;
	size_t got;
};

struct server {
	struct servers *all;
	pthread_t thread;
	int epoll_fd;
	struct tally tally;
};

struct servers {
	struct sock listeners[MAX_KINDS * NR_FAMILIES];
	size_t nr_listeners;
	struct server threads[MAX_THREADS];
	unsigned int nr_threads;
	bool own_files;
	sem_t *window;
	atomic_ulong ended;
	atomic_bool stop;
};

static enum input server_expects(const struct kind *kind)
{
	switch (kind->server) {
	case S_WAIT_FIN:
		return IN_FIN;
	case S_WAIT_RST:
		return IN_RST;
	case S_CLOSE:
	case S_LINGER0:
	case S_UNREAD:
		return IN_ENOUGH;
	case S_NONE:
		break;
	}
	return IN_ERROR;
}

static enum input server_wait(struct sock *sock)
{
	const struct kind *kind = sock->kind;

	if (server_expects(kind) != IN_ENOUGH)
		return take(sock->fd, SIZE_MAX, MSG_DONTWAIT, &sock->got);
	if (kind->server == S_UNREAD)
		return take(sock->fd, kind->request, MSG_DONTWAIT | MSG_PEEK, &sock->got);
	return take(sock->fd, kind->request, MSG_DONTWAIT, &sock->got);
}

/* One turn of a connection: false if it must wait for the client. Closes it when it is over. */
static bool serve(struct server *server, struct sock *sock)
{
	const struct kind *kind = sock->kind;
	enum result result = R_DONE;

	enum input saw = server_wait(sock);
	if (saw == IN_PENDING)
		return false;

	if (saw != server_expects(kind) || sock->got != kind->request) {
		result = odd_input(kind, "server", saw, sock->got);
	} else if (!give(sock->fd, kind->reply)) {
		report_odd(kind, "server", "cannot send the reply");
		result = R_ODD;
	} else if (kind->server == S_LINGER0) {
		set_linger0(sock->fd);
	}
	if (kind->client == C_CLOSE_RACE)
		atomic_fetch_add(&races, 1);
	close(sock->fd);
	server->tally.nr[kind - kinds][sock->family][result]++;
	atomic_fetch_add(&server->all->ended, 1);
	return true;
}

static int watch(struct server *server, struct sock *sock, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = sock };

	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, sock->fd, &event) ? -errno : 0;
}

static void adopt(struct server *server, struct sock *sock)
{
	if (!give(sock->fd, sock->kind->greeting))
		report_odd(sock->kind, "server", "cannot send the greeting");
	if (serve(server, sock))
		return;

	struct sock *waiting = malloc(sizeof(*waiting));
	if (!waiting)
		abort();
	*waiting = *sock;
	if (watch(server, waiting, EPOLLIN))
		abort();
}

static void accept_some(struct server *server, const struct sock *listener)
{
	for (int i = 0; i < ACCEPT_BURST; i++) {
		struct sock sock = { .kind = listener->kind, .family = listener->family };

		sock.fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
		if (sock.fd < 0) {
			if (errno != EAGAIN && errno != EINTR)
				report_odd(sock.kind, "server", "cannot accept");
			return;
		}
		sem_post(server->all->window);
		adopt(server, &sock);
	}
}

static void *server_main(void *argument)
{
	struct server *server = argument;
	struct epoll_event events[NR_EVENTS];

	pthread_setname_np(pthread_self(), "storm-server");
	if (server->all->own_files)
		take_own_files();
	while (!atomic_load(&server->all->stop)) {
		int nr = epoll_wait(server->epoll_fd, events, NR_EVENTS, 50);

		for (int i = 0; i < nr; i++) {
			struct sock *sock = events[i].data.ptr;

			if (sock->listening)
				accept_some(server, sock);
			else if (serve(server, sock))
				free(sock);
		}
	}
	return NULL;
}

static int listener_open(const struct kind *kind, enum family family, struct sock *ret)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = port_of(kind, family) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = port_of(kind, family) };
	bool v4 = family == F_V4;
	int on = 1, v6_only = family == F_V6;

	int fd = socket(family_domain(family), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;

	/* or a TIME_WAIT of the run before would keep the port */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!v4)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
	if (bind(fd, v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
		 v4 ? sizeof(in) : sizeof(in6)) ||
	    listen(fd, BACKLOG)) {
		int err = -errno;

		close(fd);
		return err;
	}
	*ret = (struct sock){ .kind = kind, .family = family, .fd = fd, .listening = true };
	return 0;
}

static int listeners_open(struct servers *servers, const struct mix *mix, unsigned int families)
{
	bool seen[MAX_KINDS] = { false };

	if (families & 1 << F_MAPPED) /* its server is the AF_INET one */
		families |= 1 << F_V4;
	families &= ~(1u << F_MAPPED);

	for (size_t i = 0; i < mix->nr_turns; i++) {
		const struct kind *kind = &kinds[mix->turns[i]];

		if (seen[mix->turns[i]] || kind->server == S_NONE)
			continue;
		seen[mix->turns[i]] = true;
		for (int family = 0; family < NR_FAMILIES; family++) {
			if (!(families & 1 << family))
				continue;
			int err = listener_open(kind, family,
						&servers->listeners[servers->nr_listeners]);
			if (err)
				return err;
			servers->nr_listeners++;
		}
	}
	return 0;
}

/* Every thread watches every listener; EPOLLEXCLUSIVE wakes one of them. */
static int thread_start(struct servers *servers)
{
	struct server *server = &servers->threads[servers->nr_threads];

	server->all = servers;
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return -errno;

	for (size_t i = 0; i < servers->nr_listeners; i++) {
		int err = watch(server, &servers->listeners[i], EPOLLIN | EPOLLEXCLUSIVE);
		if (err)
			return err;
	}
	int err = pthread_create(&server->thread, NULL, server_main, server);
	if (err)
		return -err;
	servers->nr_threads++;
	return 0;
}

int servers_start(const struct mix *mix, unsigned int families, unsigned int nr_threads,
		  bool own_files, sem_t *window, struct servers **ret)
{
	struct servers *servers = calloc(1, sizeof(*servers));

	if (!servers)
		return -ENOMEM;
	servers->own_files = own_files;
	servers->window = window;

	int err = listeners_open(servers, mix, families);
	for (unsigned int i = 0; !err && i < nr_threads; i++)
		err = thread_start(servers);
	if (err) {
		servers_stop(servers, NULL);
		return err;
	}
	*ret = servers;
	return 0;
}

unsigned long servers_ended(struct servers *servers)
{
	return atomic_load(&servers->ended);
}

void servers_stop(struct servers *servers, struct tally *sum)
{
	atomic_store(&servers->stop, true);
	for (unsigned int i = 0; i < servers->nr_threads; i++) {
		pthread_join(servers->threads[i].thread, NULL);
		close(servers->threads[i].epoll_fd);
		if (sum)
			tally_add(sum, &servers->threads[i].tally);
	}
	for (size_t i = 0; i < servers->nr_listeners; i++)
		close(servers->listeners[i].fd);
	free(servers);
}
