/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web_config.h - the file that Prometheus' exporters share (exporter-toolkit's):
 * TLS, users with bcrypt hashes, extra headers.  What of it synfin does not
 * have is an error, not silently left out.
 */
#ifndef SYNFIN_WEB_CONFIG_H
#define SYNFIN_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#define WEB_USERS_MAX	64
#define WEB_HEADERS_MAX	16
#define WEB_FILE_MAX	(1 << 20)	/* bytes, of each file */

struct web_pair {
	char *name, *value;	/* a user and his hash; a header and its value */
};

enum web_client_auth { CLIENT_AUTH_NONE, CLIENT_AUTH_IF_GIVEN, CLIENT_AUTH_REQUIRED };

/* Valid when zeroed: neither TLS nor users. */
struct web_config {
	char *cert_file, *key_file, *client_ca_file;	/* as they are opened */
	char *cert, *key, *client_ca;	/* what is in them; cert NULL: no TLS */
	char *priorities;		/* gnutls_priority_init(3) */
	enum web_client_auth client_auth;
	unsigned int nr_users, nr_headers;
	struct web_pair users[WEB_USERS_MAX], headers[WEB_HEADERS_MAX];
	unsigned long long stamp;	/* of the files that were read, also if one is wrong */
};

/*
 * 0; or -EINVAL and why, in one line: where in the file, and what is wrong
 * there.  ret is to be released then, too.
 */
int web_config_read(const char *path, struct web_config *ret, char *why, size_t size);
void web_config_deinit(struct web_config *c);

/* As the files are now: another stamp when one of them has changed since it was read. */
unsigned long long web_config_stamp(const char *path, const struct web_config *c);

#endif
