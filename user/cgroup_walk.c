// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "memo.h"

#define WALK_MAX	16384
#define WALK_BYTES	(16u << 20)
#define NSEC_PER_MSEC	1000000ll

/* Nobody waits longer than two of these. */
#define SLICE_NS	(20 * NSEC_PER_MSEC)

/* What walks may take: a twentieth of the time, saved up to this. */
#define CREDIT_SHARE	20
#define CREDIT_MAX_NS	(100 * NSEC_PER_MSEC)

/* Directories whose entries are still to be read, the upper ones first. */
struct queue {
	unsigned int first, nr;
	char *paths[WALK_MAX];
};

struct cgroup_walk {
	int top;
	struct memo seen;	/* id -> path */
	struct queue *queue;	/* of the walk under way; NULL: there is none */
	uint64_t begun_ns;	/* that one */
	uint64_t walked_ns;	/* when the last whole one had begun; 0: there was none */
	uint64_t count;
	int64_t credit_ns;
	uint64_t credited_ns;	/* when that was reckoned */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void queue_free(struct queue *q)
{
	while (q && q->nr)
		free(q->paths[--q->nr]);
	free(q);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* ---- one walk ---- */

/* Takes the path. */
static bool meet(struct cgroup_walk *w, uint64_t id, char *path)
{
	char *copy = memo_put(&w->seen, id, strlen(path) + 1);

	if (!copy || w->queue->nr == WALK_MAX) {
		free(path);
		return false;
	}
	strcpy(copy, path);
	w->queue->paths[w->queue->nr++] = path;
	return true;
}

/* One that is gone meanwhile, or lies too deep, is passed over. */
static bool walk_directory(struct cgroup_walk *w, const char *path)
{
	int fd = openat(w->top, *path ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (fd >= 0 && !dir)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		char *child;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&child, "%s/%s", path, entry->d_name) < 0 ||
		    !meet(w, entry->d_ino, child))
			return false;
	}
	return true;
}

static bool begin(struct cgroup_walk *w)
{
	char *top = strdup("");
	struct stat st;

	w->queue = calloc(1, sizeof(*w->queue));
	w->begun_ns = now_ns();
	if (top && w->queue && !fstat(w->top, &st))
		return meet(w, st.st_ino, top);
	free(top);
	return false;
}

static void end(struct cgroup_walk *w, bool whole)
{
	log_debug("walked %u cgroups%s", w->queue ? w->queue->nr : 0,
		  whole ? "" : "; there are more");
	w->walked_ns = w->begun_ns;
	w->count++;
	queue_free(w->queue);
	w->queue = NULL;
}

static void go_on(struct cgroup_walk *w)
{
	uint64_t from_ns = now_ns(), spent_ns = 0;
	bool whole = w->queue || begin(w);

	while (whole && w->queue->first < w->queue->nr && spent_ns < SLICE_NS) {
		whole = walk_directory(w, w->queue->paths[w->queue->first++]);
		spent_ns = now_ns() - from_ns;
	}
	w->credit_ns -= spent_ns;
	if (!whole || w->queue->first == w->queue->nr)
		end(w, whole);
}

/* ---- what is asked for ---- */

static bool may_go_on(struct cgroup_walk *w)
{
	uint64_t now = now_ns();

	w->credit_ns += (now - w->credited_ns) / CREDIT_SHARE;
	if (w->credit_ns > CREDIT_MAX_NS)
		w->credit_ns = CREDIT_MAX_NS;
	w->credited_ns = now;
	return w->credit_ns > 0;
}

static bool saw(struct cgroup_walk *w, uint64_t id, char *path, size_t size)
{
	const char *seen = memo_find(&w->seen, id);

	if (seen)
		snprintf(path, size, "%s", seen);
	return seen;
}

/* What a walk that began later did not meet is gone. */
static int look(struct cgroup_walk *w, uint64_t id, uint64_t since_ns, char *path, size_t size)
{
	if (saw(w, id, path, size))
		return 0;
	return w->walked_ns > since_ns ? -ENOENT : -EAGAIN;
}

int cgroup_walk_find(struct cgroup_walk *w, uint64_t id, uint64_t since_ns,
		     char *path, size_t size)
{
	int err = look(w, id, since_ns, path, size);

	/* The one under way may have passed where it is. */
	for (int walks = 0; err == -EAGAIN && walks < 2 && may_go_on(w); walks++) {
		go_on(w);
		err = look(w, id, since_ns, path, size);
	}
	return err;
}

uint64_t cgroup_walk_count(const struct cgroup_walk *w)
{
	return w->count;
}

int cgroup_walk_create(int top, struct cgroup_walk **ret)
{
	struct cgroup_walk *w = calloc(1, sizeof(*w));

	if (!w || memo_init(&w->seen, WALK_MAX, WALK_BYTES)) {
		free(w);
		return -ENOMEM;
	}
	w->top = top;
	w->credit_ns = CREDIT_MAX_NS;
	w->credited_ns = now_ns();
	*ret = w;
	return 0;
}

void cgroup_walk_destroy(struct cgroup_walk *w)
{
	if (!w)
		return;
	queue_free(w->queue);
	memo_deinit(&w->seen);
	free(w);
}
