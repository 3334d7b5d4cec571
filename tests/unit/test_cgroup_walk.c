// SPDX-License-Identifier: GPL-2.0-or-later
/* On a tree of ordinary directories: a walk only asks for names and inode numbers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "cgroup_walk.h"

#define PATH_SIZE	4096

static char top[32];
static int top_fd;
static struct cgroup_walk *walk;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int set_up(void **state)
{
	strcpy(top, "/tmp/test_walk.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top_fd < 0 || cgroup_walk_create(top_fd, &walk);
}

static int tear_down(void **state)
{
	cgroup_walk_destroy(walk);
	close(top_fd);
	return nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static uint64_t id_of(const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(top_fd, *path ? path + 1 : ".", &st, 0), 0);
	return st.st_ino;
}

static uint64_t make(const char *path)
{
	assert_int_equal(mkdirat(top_fd, path + 1, 0755), 0);
	return id_of(path);
}

/* Some file systems number a directory's entries otherwise: nothing to test on them. */
static void skip_unless_numbered(const char *name, uint64_t id)
{
	DIR *dir = opendir(top);
	const struct dirent *entry;
	bool same = false;

	while ((entry = readdir(dir)))
		same |= !strcmp(entry->d_name, name) && entry->d_ino == id &&
			entry->d_type == DT_DIR;
	closedir(dir);
	if (!same)
		skip();
}

static void assert_found(uint64_t id, uint64_t since_ns, const char *expected)
{
	char path[PATH_SIZE];

	assert_int_equal(cgroup_walk_find(walk, id, since_ns, path, sizeof(path)), 0);
	assert_string_equal(path, expected);
}

static void assert_not_found(uint64_t id, uint64_t since_ns, int err)
{
	char path[PATH_SIZE];

	assert_int_equal(cgroup_walk_find(walk, id, since_ns, path, sizeof(path)), err);
}

static void what_is_there_is_found_wherever_it_is(void **state)
{
	uint64_t a = make("/a"), b = make("/b"), deep;

	make("/b/c");
	deep = make("/b/c/d");
	skip_unless_numbered("a", a);
	assert_found(deep, 1, "/b/c/d");
	assert_found(a, 1, "/a");
	assert_found(b, 1, "/b");
	assert_found(id_of(""), 1, "");
	assert_int_equal(cgroup_walk_count(walk), 1);
}

static void files_are_none(void **state)
{
	int fd = openat(top_fd, "a", O_CREAT | O_WRONLY, 0644);
	struct stat st;

	fstat(fd, &st);
	close(fd);
	assert_not_found(st.st_ino, 1, -ENOENT);
}

static void what_a_later_walk_did_not_meet_is_gone_and_not_looked_for_again(void **state)
{
	uint64_t since = now_ns(), id = make("/a");

	skip_unless_numbered("a", id);
	unlinkat(top_fd, "a", AT_REMOVEDIR);
	assert_not_found(id, since, -ENOENT);
	assert_not_found(id, since, -ENOENT);
	assert_int_equal(cgroup_walk_count(walk), 1);
}

static void what_was_seen_is_known_even_when_it_is_gone(void **state)
{
	uint64_t id = make("/a");

	skip_unless_numbered("a", id);
	assert_found(id, 1, "/a");
	unlinkat(top_fd, "a", AT_REMOVEDIR);
	assert_found(id, now_ns(), "/a");
}

static void what_is_younger_than_the_last_walk_takes_another(void **state)
{
	uint64_t a = make("/a"), b;

	skip_unless_numbered("a", a);
	assert_found(a, 1, "/a");
	b = make("/b");
	assert_found(b, now_ns(), "/b");
	assert_int_equal(cgroup_walk_count(walk), 2);
}

/* Whoever asks without end for what is new has it looked for in its share of the time only. */
static void walks_have_a_budget(void **state)
{
	uint64_t end = now_ns() + 10000000000;	/* on a busy machine */
	unsigned int refused = 0;
	char path[PATH_SIZE];

	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		make(path);
	}
	while ((!refused || !cgroup_walk_count(walk)) && now_ns() < end) {
		int err = cgroup_walk_find(walk, 1ull << 62, now_ns(), path, sizeof(path));

		assert_true(err == -ENOENT || err == -EAGAIN);
		refused += err == -EAGAIN;
	}
	assert_true(refused > 0);
	assert_true(cgroup_walk_count(walk) > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(what_is_there_is_found_wherever_it_is),
		TEST(files_are_none),
		TEST(what_a_later_walk_did_not_meet_is_gone_and_not_looked_for_again),
		TEST(what_was_seen_is_known_even_when_it_is_gone),
		TEST(what_is_younger_than_the_last_walk_takes_another),
		TEST(walks_have_a_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
