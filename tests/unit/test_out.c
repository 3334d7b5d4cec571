// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "out.h"

/* Does not divide PIPE_BUF: no write ends where a record ends. */
#define RECORD_LEN	1001
#define PIPE_SIZE	4096
#define FILLS_IT	(OUT_SIZE / RECORD_LEN)
/* Whatever blocks kills the test. */
#define PATIENCE_S	60

static struct out out;
static int reader, writer;

static int open_pipe(bool waits)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	reader = fds[0];
	writer = fds[1];
	fcntl(writer, F_SETPIPE_SZ, PIPE_SIZE);
	return out_init(&out, writer, waits);
}

static int ready(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	alarm(PATIENCE_S);
	return open_pipe(false);
}

static int done(void **state)
{
	out_deinit(&out);
	close(writer);
	if (reader >= 0)
		close(reader);
	alarm(0);
	return 0;
}

/* A record is its number, padded by dots, and a line end. */
static bool append(unsigned int number)
{
	char record[RECORD_LEN];

	memset(record, '.', sizeof(record));
	record[snprintf(record, sizeof(record), "%u", number)] = '.';
	record[RECORD_LEN - 1] = '\n';
	return out_append(&out, record, sizeof(record));
}

struct seen {
	unsigned int records;
	unsigned int last;
	bool broken;		/* a record is not whole, or out of order */
	size_t len;		/* of the record that has begun */
	char record[RECORD_LEN];
};

static void check_record(struct seen *s)
{
	unsigned int number = strtoul(s->record, NULL, 10);

	if (s->record[RECORD_LEN - 1] != '\n' ||
	    memchr(s->record, '\n', RECORD_LEN) != s->record + RECORD_LEN - 1 ||
	    (s->records && number <= s->last))
		s->broken = true;
	s->records++;
	s->last = number;
}

/* What can be read now; false at the end of file. */
static bool read_some(int fd, struct seen *s)
{
	ssize_t n = read(fd, s->record + s->len, RECORD_LEN - s->len);

	if (n <= 0)
		return false;
	s->len += n;
	if (s->len == RECORD_LEN) {
		check_record(s);
		s->len = 0;
	}
	return true;
}

static bool is_readable(void)
{
	struct pollfd p = { .fd = reader, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void read_all(struct seen *s)
{
	do {
		while (is_readable())
			read_some(reader, s);
		out_flush(&out);
	} while (is_readable());
}

static void what_is_appended_waits_for_a_flush(void **state)
{
	char buf[16] = "";

	assert_true(out_append(&out, "one\n", 4));
	assert_true(out_append(&out, "two\n", 4));
	assert_false(is_readable());
	out_flush(&out);
	assert_int_equal(read(reader, buf, sizeof(buf)), 8);
	assert_string_equal(buf, "one\ntwo\n");
	assert_int_equal(out.len, 0);
	assert_int_equal(out.dropped, 0);
}

static void a_full_pipe_is_not_waited_for(void **state)
{
	for (unsigned int i = 0; i < 10; i++)
		assert_true(append(i));
	out_flush(&out);
	assert_int_equal(out.len, 10 * RECORD_LEN - PIPE_SIZE);
	out_flush(&out);
	assert_int_equal(out.len, 10 * RECORD_LEN - PIPE_SIZE);
	assert_int_equal(out.err, 0);
}

static void a_full_buffer_drops_whole_records_and_counts_them(void **state)
{
	const unsigned int nr = 2 * FILLS_IT;
	unsigned int dropped = 0;
	struct seen seen = {};

	for (unsigned int i = 0; i < nr; i++) {
		if (!append(i))
			dropped++;
	}
	assert_int_equal(out.dropped, dropped);
	assert_in_range(dropped, FILLS_IT - PIPE_SIZE / RECORD_LEN - 1, FILLS_IT + 1);
	read_all(&seen);
	assert_int_equal(seen.records, nr - dropped);
	assert_int_equal(seen.len, 0);
	assert_false(seen.broken);
}

/* What was lost is a hole in the middle: once there is room, records go on. */
static void a_reader_that_comes_back_gets_the_next_records(void **state)
{
	struct seen seen = {};

	for (unsigned int i = 0; i < 2 * FILLS_IT; i++)
		append(i);
	read_all(&seen);
	assert_true(append(2 * FILLS_IT));
	read_all(&seen);
	assert_int_equal(seen.last, 2 * FILLS_IT);
	assert_int_equal(seen.records + out.dropped, 2 * FILLS_IT + 1);
	assert_false(seen.broken);
}

/* Reads and writes in turn, so that the contents wander through the buffer. */
static void a_slow_reader_gets_whole_records_in_order(void **state)
{
	const unsigned int nr = 3 * FILLS_IT;
	struct seen seen = {};

	for (unsigned int i = 0; i < nr; i++) {
		append(i);
		if (i % 64 == 0)
			out_flush(&out);
		if (i % 3 == 0 && is_readable())
			read_some(reader, &seen);
	}
	read_all(&seen);
	assert_false(seen.broken);
	assert_int_equal(seen.len, 0);
	assert_true(out.dropped > 0);
	assert_int_equal(seen.records + out.dropped, nr);
}

static void a_record_as_large_as_the_buffer_fits_and_a_larger_one_never(void **state)
{
	char *record = calloc(1, OUT_SIZE + 1);

	assert_false(out_append(&out, record, OUT_SIZE + 1));
	assert_int_equal(out.dropped, 1);
	assert_true(out_append(&out, record, OUT_SIZE));
	assert_false(out_append(&out, record, 1));
	assert_int_equal(out.dropped, 2);
	free(record);
}

static void a_closed_pipe_is_an_error_and_not_a_loss(void **state)
{
	append(0);
	close(reader);
	reader = -1;
	out_flush(&out);
	assert_int_equal(out.err, EPIPE);
	assert_false(append(1));
	assert_int_equal(out.dropped, 0);
	out_flush(&out);
	out_drain(&out);
	assert_int_equal(out.err, EPIPE);
}

static void draining_ends_when_the_reader_has_gone(void **state)
{
	append(0);
	close(reader);
	reader = -1;
	out_drain(&out);
	assert_int_equal(out.err, EPIPE);
}

static void the_descriptor_stays_a_blocking_one(void **state)
{
	append(0);
	out_flush(&out);
	out_drain(&out);
	assert_false(fcntl(writer, F_GETFL) & O_NONBLOCK);
	assert_false(out.blocks);
}

/* ---- a reader that is somebody else ---- */

static void *read_to_the_end(void *arg)
{
	struct seen *s = arg;

	while (read_some(reader, s)) {
		if (s->records % 1000 == 0)
			usleep(10);
	}
	return NULL;
}

static void waiting_loses_nothing(void **state)
{
	const unsigned int nr = 3 * FILLS_IT;
	struct seen seen = {};
	pthread_t thread;

	out.waits = true;
	assert_int_equal(pthread_create(&thread, NULL, read_to_the_end, &seen), 0);
	for (unsigned int i = 0; i < nr; i++)
		assert_true(append(i));
	out_drain(&out);
	assert_int_equal(out.len, 0);
	close(writer);
	pthread_join(thread, NULL);
	assert_int_equal(out.dropped, 0);
	assert_int_equal(seen.records, nr);
	assert_false(seen.broken);
	writer = dup(reader);
}

static void *close_the_reader(void *arg)
{
	usleep(20000);
	close(reader);
	reader = -1;
	return NULL;
}

static void waiting_ends_when_the_reader_goes(void **state)
{
	pthread_t thread;

	out.waits = true;
	assert_int_equal(pthread_create(&thread, NULL, close_the_reader, NULL), 0);
	for (unsigned int i = 0; i < 2 * FILLS_IT && append(i); i++)
		;
	pthread_join(thread, NULL);
	assert_int_equal(out.err, EPIPE);
	assert_int_equal(out.dropped, 0);
}

/* ---- other descriptors ---- */

static void a_file_is_written_at_once_and_in_full(void **state)
{
	const unsigned int nr = 3 * FILLS_IT;
	struct seen seen = {};
	int fd = memfd_create("test_out", MFD_CLOEXEC);

	out_deinit(&out);
	assert_int_equal(out_init(&out, fd, false), 0);
	assert_true(out.blocks);
	for (unsigned int i = 0; i < nr; i++)
		assert_true(append(i));
	out_flush(&out);
	assert_int_equal(out.len, 0);
	assert_int_equal(out.dropped, 0);
	lseek(fd, 0, SEEK_SET);
	while (read_some(fd, &seen))
		;
	assert_int_equal(seen.records, nr);
	assert_false(seen.broken);
	close(fd);
}

static void a_full_disk_is_an_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	out_deinit(&out);
	assert_int_equal(out_init(&out, fd, false), 0);
	append(0);
	out_flush(&out);
	assert_int_equal(out.err, ENOSPC);
	close(fd);
}

/* Ctrl-S, or a terminal that nobody reads. */
static void a_terminal_that_stands_still_is_not_waited_for(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal;

	assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
	terminal = open(ptsname(master), O_WRONLY | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal >= 0);
	out_deinit(&out);
	assert_int_equal(out_init(&out, terminal, false), 0);
	for (unsigned int i = 0; i < 2 * FILLS_IT; i++) {
		append(i);
		if (i % 16 == 0)
			out_flush(&out);
	}
	assert_true(out.dropped > 0);
	assert_int_equal(out.err, 0);
	close(terminal);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)
		TEST(what_is_appended_waits_for_a_flush),
		TEST(a_full_pipe_is_not_waited_for),
		TEST(a_full_buffer_drops_whole_records_and_counts_them),
		TEST(a_reader_that_comes_back_gets_the_next_records),
		TEST(a_slow_reader_gets_whole_records_in_order),
		TEST(a_record_as_large_as_the_buffer_fits_and_a_larger_one_never),
		TEST(a_closed_pipe_is_an_error_and_not_a_loss),
		TEST(draining_ends_when_the_reader_has_gone),
		TEST(the_descriptor_stays_a_blocking_one),
		TEST(waiting_loses_nothing),
		TEST(waiting_ends_when_the_reader_goes),
		TEST(a_file_is_written_at_once_and_in_full),
		TEST(a_full_disk_is_an_error),
		TEST(a_terminal_that_stands_still_is_not_waited_for),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
