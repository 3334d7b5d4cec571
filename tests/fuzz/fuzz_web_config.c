// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any file given to --web.config.file: it is understood, or what is wrong is told,
 * and in both cases all of it is given back.  What is understood keeps within the
 * bounds that web_config.h promises.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "web_config.h"

static void check_pairs(const struct web_pair *pairs, unsigned int nr, unsigned int max)
{
	CLAIM(nr <= max);
	for (unsigned int i = 0; i < nr; i++)
		CLAIM(pairs[i].name && pairs[i].value);
}

static void check(const struct web_config *c)
{
	CLAIM(!c->cert == !c->key && !c->cert == !c->priorities);
	CLAIM(c->client_auth <= CLIENT_AUTH_REQUIRED);
	CLAIM(!c->client_auth == !c->client_ca);
	for (unsigned int i = 0; i < c->nr_users; i++)
		CLAIM(strlen(c->users[i].value) == 60);
	for (unsigned int i = 0; i < c->nr_headers; i++)
		CLAIM(*c->headers[i].name && !strpbrk(c->headers[i].value, "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("web.yml", MFD_CLOEXEC);
	struct web_config c;
	char path[64], why[200];
	int err;

	CLAIM(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(why, 0, sizeof(why));
	err = web_config_read(path, &c, why, sizeof(why));
	CLAIM(!err || (err == -EINVAL && *why && strnlen(why, sizeof(why)) < sizeof(why)));
	check_pairs(c.users, c.nr_users, WEB_USERS_MAX);
	check_pairs(c.headers, c.nr_headers, WEB_HEADERS_MAX);
	if (!err)
		check(&c);
	CLAIM(web_config_stamp(path, &c) == web_config_stamp(path, &c));
	web_config_deinit(&c);
	close(fd);
	return 0;
}
