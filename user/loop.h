/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.h - what every run on the running kernel has in common: the checks before
 * it, the capture, and one epoll loop of ring, timer, signals and stdout.  One
 * thread.
 */
#ifndef SYNFIN_LOOP_H
#define SYNFIN_LOOP_H

#include "capture.h"
#include "options.h"
#include "out.h"

struct loop {
	int epoll, timer, signals;
	struct out *out;
	struct features features;	/* from loop_start() on, as capture */
	struct capture_config config;
	struct capture *capture;
	uint64_t until_ns;	/* CLOCK_MONOTONIC; 0: no limit */
	bool stop;		/* a signal came, the time is up, or nobody reads */
	bool out_is_pollable, out_is_awaited;
	bool is_slow;		/* nothing was there in the last turn */
	uint64_t watched_ns;	/* when capture_watch() was last called */
};

/*
 * Signals stop the loop from now on.  out: NULL if nothing is written to stdout,
 * whatever becomes of it.  An enum exit_status, its error told.
 */
int loop_init(struct loop *l, struct out *out);
void loop_deinit(struct loop *l);

/*
 * Checks what the kernel and the privileges allow, loads, and attaches.  config:
 * of the members the scope and the namespaces that are counted apart; the others
 * come from opt and the environment.  An enum exit_status, its error told.
 */
int loop_start(struct loop *l, const struct options *opt, const struct capture_config *config,
	       record_fn fn, void *ctx);

/* A turn ends, too, when this descriptor is readable.  0 or -errno. */
int loop_watch(struct loop *l, int fd);

/*
 * Waits, at most some 50 ms, or 100 where nothing happens; then hands out what was
 * recorded, see capture_drain().
 */
void loop_turn(struct loop *l, uint64_t next_deadline);

/* CLOCK_MONOTONIC. */
uint64_t loop_now_ns(void);

#endif
