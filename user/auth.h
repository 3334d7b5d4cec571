/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auth.h - whether a password is right.  bcrypt is slow on purpose (76 ms at cost
 * 10), so it is worked out in the one helper thread there is, and remembered: a
 * storm of wrong passwords keeps that thread busy, and nothing else.
 */
#ifndef SYNFIN_AUTH_H
#define SYNFIN_AUTH_H

#include <stdbool.h>

struct auth;

enum auth_answer {
	AUTH_RIGHT,
	AUTH_WRONG,
	AUTH_PENDING,	/* auth_collect() will tell */
	AUTH_BUSY,	/* too many are waiting already; ask again later */
};

/* watch: readable when there is something to collect.  0 or -errno. */
int auth_create(struct auth **ret, int *watch);
void auth_destroy(struct auth *a);

/*
 * Whether password belongs to hash, bcrypt's; hash NULL: there is no such user,
 * which takes as long to find out.  asker: not NULL, handed back by auth_collect().
 */
enum auth_answer auth_check(struct auth *a, const char *hash, const char *password, void *asker);

/* Hands out every asker whose answer has come: asking once more tells it at once. */
void auth_collect(struct auth *a, void (*answered)(void *asker));

/* He does not want to be handed out any more. */
void auth_forget(struct auth *a, const void *asker);

#endif
