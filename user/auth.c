// SPDX-License-Identifier: GPL-2.0-or-later
#include "auth.h"

#include <crypt.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"

#define JOBS		16
#define REMEMBERED	64	/* of right and of wrong ones, each */
#define PASSWORD_MAX	72	/* bcrypt looks at no more */
#define HASH_LEN	60
#define NICE		10	/* tracing goes first */

/* Of a password that nobody has. */
#define NOBODYS_HASH	"$2y$10$abcdefghijklmnopqrstuu5zI2rXw2nOa1l8k3vSdbIHYrC0Y3nDu"

/* What is remembered of a password and its hash: a MAC under a key of this run's. */
struct trace { uint8_t bytes[32]; };

struct job {
	enum { FREE, WAITING, UNDER_WAY, DONE } stage;
	void *asker;		/* NULL: gone */
	char hash[HASH_LEN + 1], password[PASSWORD_MAX + 1];
	struct trace trace;
	bool known;		/* there is such a user */
	bool right;
};

struct memory {
	struct trace traces[REMEMBERED];
	unsigned int nr, next;
};

struct auth {
	pthread_mutex_t lock;	/* jobs and stop; all else is the owner's alone */
	pthread_cond_t wanted;
	pthread_t thread;
	bool has_thread, stop;
	struct job jobs[JOBS];
	int event;
	uint8_t key[32];
	struct memory right, wrong;
	struct crypt_data data;	/* the thread's: with none of its own to ask for it cannot fail */
};

/* ---- the thread ---- */

static struct job *find_job(struct auth *a, unsigned int stage)
{
	for (unsigned int i = 0; i < JOBS; i++) {
		if (a->jobs[i].stage == stage)
			return &a->jobs[i];
	}
	return NULL;
}

/* Both are as long as the kind of hash wants them, so their length tells nothing. */
static bool same(const char *a, const char *b)
{
	unsigned char diff = strlen(a) != strlen(b);

	for (; *a && *b; a++, b++)
		diff |= *a ^ *b;
	return !diff;
}

static void work_out(struct job *job, struct crypt_data *data)
{
	const char *got = crypt_r(job->password, job->hash, data);

	job->right = got && same(got, job->hash) && job->known;
	explicit_bzero(job->password, sizeof(job->password));
}

static void *work(void *ctx)
{
	struct auth *a = ctx;
	struct job *job;

	setpriority(PRIO_PROCESS, gettid(), NICE);
	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		job = find_job(a, WAITING);
		if (!job) {
			pthread_cond_wait(&a->wanted, &a->lock);
			continue;
		}
		job->stage = UNDER_WAY;
		pthread_mutex_unlock(&a->lock);
		work_out(job, &a->data);
		pthread_mutex_lock(&a->lock);
		job->stage = DONE;
		eventfd_write(a->event, 1);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Only when there is a password: nobody needs it who needs none. */
static bool has_thread(struct auth *a)
{
	if (!a->has_thread)
		a->has_thread = !pthread_create(&a->thread, NULL, work, a);
	return a->has_thread;
}

/* ---- what is remembered ---- */

static struct trace trace_of(const struct auth *a, const char *hash, const char *password)
{
	char both[HASH_LEN + PASSWORD_MAX + 2];
	size_t hash_len = strlen(hash) + 1, len = strlen(password);
	struct trace ret = {};

	memcpy(both, hash, hash_len);
	memcpy(both + hash_len, password, len);
	gnutls_hmac_fast(GNUTLS_MAC_SHA256, a->key, sizeof(a->key), both, hash_len + len,
			 ret.bytes);
	explicit_bzero(both, sizeof(both));
	return ret;
}

static bool remembers(const struct memory *m, const struct trace *trace)
{
	for (unsigned int i = 0; i < m->nr; i++) {
		if (!memcmp(&m->traces[i], trace, sizeof(*trace)))
			return true;
	}
	return false;
}

static void remember(struct memory *m, const struct trace *trace)
{
	m->traces[m->next] = *trace;
	m->next = (m->next + 1) % REMEMBERED;
	if (m->nr < REMEMBERED)
		m->nr++;
}

/* ---- asking ---- */

static enum auth_answer ask(struct auth *a, const char *hash, const char *password, bool known,
			    const struct trace *trace, void *asker)
{
	struct job *job;

	if (!has_thread(a))
		return AUTH_BUSY;
	pthread_mutex_lock(&a->lock);
	job = find_job(a, FREE);
	if (job) {
		*job = (struct job){
			.stage = WAITING, .asker = asker, .trace = *trace, .known = known,
		};
		strcpy(job->hash, hash);
		strcpy(job->password, password);
		pthread_cond_signal(&a->wanted);
	}
	pthread_mutex_unlock(&a->lock);
	return job ? AUTH_PENDING : AUTH_BUSY;
}

enum auth_answer auth_check(struct auth *a, const char *hash, const char *password, void *asker)
{
	bool known = hash;
	struct trace trace;

	if (!hash)
		hash = NOBODYS_HASH;
	if (strlen(hash) > HASH_LEN || strlen(password) > PASSWORD_MAX)
		return AUTH_WRONG;
	trace = trace_of(a, hash, password);
	if (known && remembers(&a->right, &trace))
		return AUTH_RIGHT;
	if (remembers(&a->wrong, &trace))
		return AUTH_WRONG;
	return ask(a, hash, password, known, &trace, asker);
}

void auth_collect(struct auth *a, void (*answered)(void *asker))
{
	eventfd_t unused;
	struct job *job;

	eventfd_read(a->event, &unused);
	for (;;) {
		void *asker;

		pthread_mutex_lock(&a->lock);
		job = find_job(a, DONE);
		if (job) {
			remember(job->right ? &a->right : &a->wrong, &job->trace);
			asker = job->asker;
			job->stage = FREE;
		}
		pthread_mutex_unlock(&a->lock);
		if (!job)
			return;
		if (asker)
			answered(asker);
	}
}

void auth_forget(struct auth *a, const void *asker)
{
	pthread_mutex_lock(&a->lock);
	for (unsigned int i = 0; i < JOBS; i++) {
		if (a->jobs[i].asker == asker)
			a->jobs[i].asker = NULL;
	}
	pthread_mutex_unlock(&a->lock);
}

/* ---- setup ---- */

int auth_create(struct auth **ret, int *watch)
{
	struct auth *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->event < 0 || gnutls_rnd(GNUTLS_RND_KEY, a->key, sizeof(a->key))) {
		cleanup_close(&a->event);
		free(a);
		return -EIO;
	}
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wanted, NULL);
	*watch = a->event;
	*ret = a;
	return 0;
}

void auth_destroy(struct auth *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->wanted);
	pthread_mutex_unlock(&a->lock);
	if (a->has_thread)
		pthread_join(a->thread, NULL);
	close(a->event);
	explicit_bzero(a, sizeof(*a));
	free(a);
}
