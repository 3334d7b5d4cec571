/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h - the metrics over HTTP, by libmicrohttpd on the caller's own loop: one
 * thread, nothing blocks.  Serves the metrics, a landing page, /-/healthy and
 * /-/ready; everything else is 404, every method but GET and HEAD 405.
 *
 * With a web_config.h file: TLS, users and headers, read again when it changes;
 * one that is wrong then is told, and the old one stays.
 *
 * Bounded: connections at a time, requests being answered, and how long a
 * client may take.  Who opens more waits in the listening socket's queue.
 */
#ifndef SYNFIN_HTTP_H
#define SYNFIN_HTTP_H

#include <stdint.h>

#include "exposition.h"
#include "listen.h"

struct http_config {
	const char *path;		/* of the metrics */
	unsigned int max_requests;	/* being answered at a time; 0: no limit */
	/* The metrics as they are now, into t. */
	void (*render)(void *ctx, struct text *t, enum exposition_format format);
	/* Turns end when fd is readable, from now on.  0 or -errno. */
	int (*watch)(void *ctx, int fd);
	void *ctx;
	const char *web_config_path;	/* NULL: plain HTTP for everybody */
};

struct http;

/* -errno, which was told, or 0 and *ret.  config is copied. */
int http_create(const struct http_config *config, struct http **ret);
void http_destroy(struct http *h);	/* its sockets, too */

/* Serves on a listening socket, which is http's from now on.  0 or -errno. */
int http_serve(struct http *h, int fd);

/* "http" or "https" */
const char *http_scheme(const struct http *h);

/* Does what can be done now; call it some times a second in any case. */
void http_turn(struct http *h, uint64_t now_ns);

#endif
