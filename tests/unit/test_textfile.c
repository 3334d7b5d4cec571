// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include "gzip.h"
#include "textfile.h"

static char directory[64], path[96];

/* A file system that has no files without a name, if that is wanted: in place of libc's. */
static bool lacks_unnamed;

int openat(int dir, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (lacks_unnamed && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return syscall(SYS_openat, dir, name, flags, mode);
}

static int begin(void **state)
{
	strcpy(directory, "/tmp/synfin-textfile-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/synfin.prom", directory);
	return 0;
}

static int end(void **state)
{
	lacks_unnamed = false;
	unlink(path);
	return rmdir(directory);	/* fails if anything was left in it */
}

/* How many files are there; other: beside the one that is meant to be. */
static unsigned int nr_files(unsigned int *other)
{
	DIR *dir = opendir(directory);
	unsigned int nr = 0;

	*other = 0;
	assert_non_null(dir);
	for (const struct dirent *e; (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		nr++;
		*other += strcmp(e->d_name, "synfin.prom") != 0;
	}
	closedir(dir);
	return nr;
}

static void assert_holds(const char *text)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf) - 1), strlen(text));
	assert_string_equal(buf, text);
	close(fd);
}

static void what_is_written_takes_the_place_of_what_was(void **state)
{
	struct stat st;

	assert_int_equal(textfile_write(path, "one\n", 4), 0);
	assert_holds("one\n");
	assert_int_equal(textfile_write(path, "two 2\n", 6), 0);
	assert_holds("two 2\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);	/* node_exporter runs as another user */
}

/* As root, in a directory where others may write. */
static void a_link_is_replaced_and_not_followed(void **state)
{
	char precious[128];
	struct stat st;
	int fd;

	snprintf(precious, sizeof(precious), "%s/precious", directory);
	fd = open(precious, O_CREAT | O_WRONLY | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "kept", 4), 4);
	assert_int_equal(symlink(precious, path), 0);
	assert_int_equal(textfile_write(path, "one\n", 4), 0);
	assert_holds("one\n");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4);
	close(fd);
	assert_int_equal(unlink(precious), 0);
}

static void what_cannot_be_written_leaves_nothing_behind(void **state)
{
	char longest[5000];

	assert_int_equal(textfile_write("/nonexistent/synfin.prom", "x", 1), -ENOENT);
	assert_int_equal(textfile_write("/tmp/", "x", 1), -EISDIR);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(textfile_write(path, "x", 1), -EISDIR);
	assert_int_equal(rmdir(path), 0);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(textfile_write(longest, "x", 1), -ENAMETOOLONG);
}

static void write_again_and_again(void)
{
	static char text[200000];

	memset(text, 'x', sizeof(text));
	for (;;)
		textfile_write(path, text, sizeof(text));
}

/* At any moment of its writing. */
static void kill_a_writer(unsigned int after_us)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		write_again_and_again();
	usleep(after_us);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void kill_writers(unsigned int times)
{
	unsigned int other;
	struct stat st;

	for (unsigned int i = 0; i < times; i++) {
		kill_a_writer(1000 + i * 37 % 1000);
		nr_files(&other);
		assert_in_range(other, 0, 1);
		if (!stat(path, &st))
			assert_true(st.st_size == 200000 || st.st_size == 4);
		assert_int_equal(textfile_write(path, "one\n", 4), 0);
		assert_int_equal(nr_files(&other), 1);
		assert_int_equal(other, 0);
		assert_holds("one\n");
	}
}

static void who_is_killed_leaves_nothing_that_stays(void **state)
{
	kill_writers(200);
	lacks_unnamed = true;
	kill_writers(200);
}

/* By another synfin, or by who means harm: what it points to is not touched. */
static void what_has_the_name_in_the_meantime_goes(void **state)
{
	char precious[128], beside[128];
	unsigned int other;
	struct stat st;
	int fd;

	snprintf(precious, sizeof(precious), "%s/precious", directory);
	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(precious, O_CREAT | O_WRONLY | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "kept", 4), 4);
	for (unsigned int i = 0; i < 4; i++) {
		lacks_unnamed = i & 1;
		assert_int_equal(i & 2 ? link(precious, beside) : symlink(precious, beside), 0);
		assert_int_equal(textfile_write(path, "one\n", 4), 0);
		assert_holds("one\n");
		assert_int_equal(nr_files(&other), 2);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, 4);
		assert_int_equal(st.st_nlink, 1);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	close(fd);
	assert_int_equal(unlink(precious), 0);
}

static void what_gzip_shrinks_is_there_again(void **state)
{
	static char text[100000], back[100000];
	z_stream z = {};
	char *packed;
	size_t len;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'a' + i % 7;
	assert_int_equal(gzip_compress(text, sizeof(text), &packed, &len), 0);
	assert_in_range(len, 1, sizeof(text) / 10);
	assert_int_equal((unsigned char)packed[0], 0x1f);
	assert_int_equal((unsigned char)packed[1], 0x8b);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (Bytef *)packed;
	z.avail_in = len;
	z.next_out = (Bytef *)back;
	z.avail_out = sizeof(back);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_memory_equal(back, text, sizeof(text));
	inflateEnd(&z);
	free(packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_takes_the_place_of_what_was,
						begin, end),
		cmocka_unit_test_setup_teardown(a_link_is_replaced_and_not_followed, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_leaves_nothing_behind,
						begin, end),
		cmocka_unit_test_setup_teardown(who_is_killed_leaves_nothing_that_stays,
						begin, end),
		cmocka_unit_test_setup_teardown(what_has_the_name_in_the_meantime_goes,
						begin, end),
		cmocka_unit_test(what_gzip_shrinks_is_there_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
