// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * storm: TCP connections of many kinds over loopback, and the exact truth about
 * them. What a tracer must have seen of a run is printed at its end.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ends.h"
#include "kinds.h"
#include "netns.h"
#include "options.h"
#include "truth.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define GRACE_S 30 /* from the end of the load to the end of the program */
#define DRAIN_MS 5000
#define SETTLE_MS 2000
#define NO_PORT_NAP_US 10000

enum {
	EXIT_INEXACT = 1, /* something did not go as planned, or the kernel disagrees */
	EXIT_SETUP = 3,
};

struct storm {
	const struct options *options;
	struct mix mix;
	enum family families[NR_FAMILIES];
	unsigned int nr_families;
	uint64_t start_ns;
	uint64_t end_ns; /* no connection is begun after it */
	atomic_ulong next; /* number of the next connection */
	atomic_ulong connected; /* that a server must accept */
	struct servers *servers;
	sem_t window;
	pthread_barrier_t wave; /* of the clients, with -H */
};

struct client {
	struct storm *storm;
	pthread_t thread;
	unsigned long index;
	struct tally tally;
	struct held *held;
	size_t nr_held;
};

struct held {
	struct target target;
	int fd;
};

static volatile sig_atomic_t interrupted;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec due = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

/* ---- clients ---- */

/* The next connection of the plan, when it is due; false: no more. */
static bool next_target(struct storm *storm, struct target *ret)
{
	const struct options *options = storm->options;
	unsigned long number = atomic_fetch_add(&storm->next, 1);
	uint64_t due_ns = storm->start_ns;

	if (number >= options->connections || interrupted)
		return false;
	if (options->rate)
		due_ns += number * 1000000000ull / options->rate;
	if (due_ns >= storm->end_ns || now_ns() >= storm->end_ns)
		return false;
	if (options->rate)
		sleep_until(due_ns);

	unsigned long round = number / storm->mix.nr_turns;
	*ret = (struct target){
		.kind = &kinds[storm->mix.turns[number % storm->mix.nr_turns]],
		.family = storm->families[round % storm->nr_families],
		.dest = round / storm->nr_families % options->dests,
	};
	return true;
}

static void count(struct client *client, const struct target *target, enum result result)
{
	client->tally.nr[target->kind - kinds][target->family][result]++;
}

/* True and a socket if there is a connection to finish; else it has been counted. */
static bool begin(struct client *client, const struct target *target, int *ret)
{
	bool accepted = target->kind->server != S_NONE;

	while (accepted && sem_wait(&client->storm->window))
		;
	*ret = -1;
	enum result result = client_open(target, ret);
	if (*ret >= 0) {
		atomic_fetch_add(&client->storm->connected, accepted);
		return true;
	}

	if (accepted)
		sem_post(&client->storm->window);
	count(client, target, result);
	if (result == R_NO_PORT)
		usleep(NO_PORT_NAP_US);
	return false;
}

static void one_by_one(struct client *client)
{
	struct target target;
	int fd;

	while (next_target(client->storm, &target))
		if (begin(client, &target, &fd))
			count(client, &target, client_finish(target.kind, fd));
}

/* Until all that was begun has ended on the server's side too, as far as it ever will. */
static void wait_for_servers(struct storm *storm)
{
	uint64_t end_ns = now_ns() + DRAIN_MS * 1000000ull;

	while (servers_ended(storm->servers) < atomic_load(&storm->connected) && now_ns() < end_ns)
		usleep(200);
}

/* Open this thread's share, wait for the others, finish them all, wait for both ends of all. */
static void one_wave(struct client *client, size_t share)
{
	struct held held;

	client->nr_held = 0;
	for (size_t i = 0; i < share && next_target(client->storm, &held.target); i++)
		if (begin(client, &held.target, &held.fd))
			client->held[client->nr_held++] = held;

	pthread_barrier_wait(&client->storm->wave);
	for (size_t i = 0; i < client->nr_held; i++) {
		held = client->held[i];
		count(client, &held.target, client_finish(held.target.kind, held.fd));
	}
	wait_for_servers(client->storm);
	pthread_barrier_wait(&client->storm->wave);
}

static void in_waves(struct client *client)
{
	const struct options *options = client->storm->options;
	unsigned long waves = (options->connections + options->hold - 1) / options->hold;
	size_t share = options->hold / options->client_threads +
		       (client->index < options->hold % options->client_threads);

	client->held = calloc(share + 1, sizeof(*client->held));
	if (!client->held)
		abort();
	/* every thread must come to every barrier, so the number of waves is fixed */
	for (unsigned long wave = 0; wave < waves; wave++)
		one_wave(client, share);
	free(client->held);
}

static void *client_main(void *argument)
{
	struct client *client = argument;

	pthread_setname_np(pthread_self(), "storm-client");
	if (!client->storm->options->hold) {
		one_by_one(client);
	} else {
		take_own_files();
		in_waves(client);
	}
	return NULL;
}

/* All the clients there are, from their start to their end. */
static int run_clients(struct storm *storm, struct tally *sum)
{
	unsigned long nr = storm->options->client_threads;
	struct client *clients = calloc(nr, sizeof(*clients));

	if (!clients)
		return -ENOMEM;

	for (unsigned long i = 0; i < nr; i++) {
		clients[i].storm = storm;
		clients[i].index = i;
		int err = pthread_create(&clients[i].thread, NULL, client_main, &clients[i]);
		if (err) { /* the others may stand at a barrier */
			fprintf(stderr, "storm: cannot start a thread: %s\n", strerror(err));
			_exit(EXIT_SETUP);
		}
	}
	for (unsigned long i = 0; i < nr; i++) {
		pthread_join(clients[i].thread, NULL);
		tally_add(sum, &clients[i].tally);
	}
	free(clients);
	return 0;
}

/* ---- one run ---- */

static int storm_init(struct storm *storm, const struct options *options)
{
	storm->options = options;
	for (int family = 0; family < NR_FAMILIES; family++)
		if (options->families & 1 << family)
			storm->families[storm->nr_families++] = family;
	sem_init(&storm->window, 0, WINDOW);
	pthread_barrier_init(&storm->wave, NULL, options->client_threads);
	return mix_parse(options->mix, options->hold, &storm->mix);
}

/* Until the last segments are through and the last orphans gone, as far as they ever will. */
static int settle(unsigned long sockets, const struct tally *client, const struct tally *server,
		  const struct counters *before, struct counters *ret)
{
	uint64_t end_ns = now_ns() + SETTLE_MS * 1000000ull;

	for (;;) {
		int err = counters_read(ret);
		if (err)
			return err;
		if (netns_sockets() <= sockets &&
		    !truth_mib_differences(client, server, before, ret))
			return 0;
		if (now_ns() >= end_ns)
			return 0;
		usleep(5000);
	}
}

static void print_header(const struct tally *client, double seconds)
{
	unsigned long attempts = truth_attempts(client);

	printf("pid=%d\nnetns=%lu\n", getpid(), netns_inode());
	printf("attempts=%lu\nseconds=%.3f\nrate=%.0f\n", attempts, seconds, attempts / seconds);
}

static int report(const struct options *options, const struct tally *client,
		  const struct tally *server, const struct counters *before,
		  const struct counters *after, double seconds)
{
	unsigned long unexpected = truth_unexpected(client, server);
	unsigned int differences = truth_mib_differences(client, server, before, after);

	print_header(client, seconds);
	truth_print(stdout, client, server);
	truth_print_mib(stdout, client, server, before, after);
	printf("unexpected.mib=%u\n", differences);
	if (!options->quiet)
		fprintf(stderr, "storm: %lu connections in %.3f s: %.0f/s\n",
			truth_attempts(client), seconds, truth_attempts(client) / seconds);
	if (!unexpected && !differences)
		return 0;
	fprintf(stderr, "storm: the truth is not exact: %lu ends, %u counters off\n", unexpected,
		differences);
	return EXIT_INEXACT;
}

static int run(const struct options *options)
{
	static struct storm storm;
	static struct tally client, server;
	struct counters before, after;

	int err = storm_init(&storm, options);
	if (err) {
		fprintf(stderr, "storm: bad mix '%s' (see storm -m list)\n", options->mix);
		return EXIT_USAGE;
	}
	unsigned long sockets = netns_sockets();
	err = counters_read(&before);
	if (!err)
		err = servers_start(&storm.mix, options->families, options->server_threads,
				    options->hold, &storm.window, &storm.servers);
	if (err) {
		fprintf(stderr, "storm: cannot start the servers: %s\n", strerror(-err));
		return EXIT_SETUP;
	}

	storm.start_ns = now_ns();
	storm.end_ns = storm.start_ns + options->seconds * 1000000000ull;
	err = run_clients(&storm, &client);
	wait_for_servers(&storm);
	double seconds = (now_ns() - storm.start_ns) / 1e9;

	servers_stop(storm.servers, &server);
	if (!err)
		err = settle(sockets, &client, &server, &before, &after);
	if (err) {
		fprintf(stderr, "storm: cannot read the counters: %s\n", strerror(-err));
		return EXIT_SETUP;
	}
	return report(options, &client, &server, &before, &after, seconds);
}

/* ---- surroundings ---- */

/*
 * Orphans beyond tcp_max_orphans are reset (TCPAbortOnMemory), and a burst makes
 * as many as it holds. Read it outside: only the initial namespace shows it.
 */
static unsigned long max_orphans(void)
{
	unsigned long orphans = 4096;

	FILE *stream = fopen("/proc/sys/net/ipv4/tcp_max_orphans", "re");
	if (stream) {
		if (fscanf(stream, "%lu", &orphans) != 1)
			orphans = 4096;
		fclose(stream);
	}
	return orphans;
}

/*
 * Room for all that is held; an error names what stands against it. Each thread has
 * its own table of descriptors, and one server may accept them all.
 */
static int check_hold(unsigned long hold)
{
	unsigned long files = hold + 2048;
	struct rlimit limit;

	if (hold > max_orphans() / 4) {
		fprintf(stderr, "storm: -H %lu is more than a quarter of tcp_max_orphans\n", hold);
		return EXIT_USAGE;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = files;
	if (limit.rlim_max < files)
		limit.rlim_max = files;
	if (!setrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	fprintf(stderr, "storm: -H %lu needs %lu open files: %s (see ulimit -Hn)\n", hold, files,
		strerror(errno));
	return EXIT_SETUP;
}

static int set_up(const struct options *options)
{
	int err = options->own_netns ? netns_enter_own() : netns_enter(options->netns);
	if (err) {
		fprintf(stderr, "storm: cannot enter the namespace %s: %s%s\n",
			options->own_netns ? "of its own" : options->netns, strerror(-err),
			err == -EPERM ? " (needs root, and not the initial one)" : "");
		return EXIT_SETUP;
	}

	err = netns_prepare(options->connections, options->keep_sysctls);
	if (!err && options->families & 1 << F_V6)
		err = netns_add_v6_dests(options->dests);
	if (err) {
		fprintf(stderr, "storm: cannot prepare the namespace: %s\n", strerror(-err));
		return EXIT_SETUP;
	}
	return 0;
}

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

int main(int argc, char **argv)
{
	struct options options = options_parse(argc, argv);
	struct sigaction stop = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	/* whatever happens, SIGALRM ends it */
	signal(SIGALRM, SIG_DFL);
	alarm(options.seconds + GRACE_S);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);

	int code = check_hold(options.hold);
	if (!code)
		code = set_up(&options);
	if (!code)
		code = run(&options);
	return code;
}
