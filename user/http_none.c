// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In place of http.c in a static binary: libmicrohttpd brings GnuTLS, of which
 * there is no complete static form to link with.
 */
#include "http.h"

#include <errno.h>

#include "log.h"

int http_create(const struct http_config *config, struct http **ret)
{
	log_error("cannot serve HTTP: this binary is static, without an HTTP server; take one "
		  "that is not, or --textfile");
	return -EOPNOTSUPP;
}

void http_destroy(struct http *h)
{
}

int http_serve(struct http *h, int fd)
{
	return -EOPNOTSUPP;
}

const char *http_scheme(const struct http *h)
{
	return "http";
}

void http_turn(struct http *h, uint64_t now_ns)
{
}
