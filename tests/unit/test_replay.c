// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "recorder.h"
#include "recording.h"
#include "replay.h"
#include "sample_events.h"

#define FILE_MAX	(4u << 20)

/* A file of our own, and what is read back from it. */
static char directory[] = "/tmp/test_replay.XXXXXX", path[64];
static uint8_t bytes[FILE_MAX], read_back[FILE_MAX];
static size_t bytes_len, read_back_len;
static unsigned int nr_read;
static bool end_was_read;

static int open_directory(void **state)
{
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/recording", directory);
	return 0;
}

static int close_directory(void **state)
{
	unlink(path);
	return rmdir(directory);
}

/* ---- files ---- */

static void add(const void *data, size_t len)
{
	memcpy(bytes + bytes_len, data, len);
	bytes_len += len;
}

/* In place: a file that was emptied first is written out by ext4 when it is closed. */
static void write_file(size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(ftruncate(fd, len), 0);
	close(fd);
}

static size_t read_file(void)
{
	FILE *f = fopen(path, "r");
	size_t len;

	assert_non_null(f);
	len = fread(read_back, 1, sizeof(read_back), f);
	fclose(f);
	return len;
}

/* One of each kind; kinds that are missing here are all the same to a file. */
static unsigned int build(uint32_t version)
{
	struct recording_header header = {
		.magic = RECORDING_MAGIC, .byte_order = RECORDING_BYTE_ORDER, .version = version,
	};
	struct wire_start start = start_of(T0);
	struct wire_state born = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);
	struct wire_retransmit retransmit = retransmit_of(T0, 1, TS_SYN_SENT);
	struct wire_synack synack = synack_of(T0, 2);
	struct wire_reset reset = reset_of(T0, 1, TS_SYN_SENT, WIRE_R_RECEIVED);
	struct wire_tw_segment segment = segment_of(T0, 3, TS_TIME_WAIT, 1);
	struct wire_tick tick = tick_of(T0);
	struct wire_lost lost = lost_of(T0, WIRE_LOST_RING, 1);
	struct wire_end end = end_of(T0, 1);

	bytes_len = 0;
	add(&header, sizeof(header));
	add(&start, sizeof(start));
	add(&born, sizeof(born));
	add(&retransmit, sizeof(retransmit));
	add(&synack, sizeof(synack));
	add(&reset, sizeof(reset));
	add(&segment, sizeof(segment));
	add(&tick, sizeof(tick));
	add(&lost, sizeof(lost));
	add(&end, sizeof(end));
	return 9;
}

/* ---- reading ---- */

static bool keep(void *ctx, const void *rec, size_t len)
{
	const struct wire_hdr *hdr = rec;
	bool *enough = ctx;

	assert_int_equal((uintptr_t)rec % 8, 0);
	assert_int_equal(hdr->len, len);
	assert_false(end_was_read);
	memcpy(read_back + read_back_len, rec, len);
	read_back_len += len;
	nr_read++;
	end_was_read = hdr->kind == WIRE_END;
	return !enough || !*enough;
}

/* What opening or running said; *position: where reading stopped. */
static int replay(uint64_t *position, bool *enough)
{
	struct replay *r = NULL;
	uint32_t version = 0;
	int err;

	read_back_len = nr_read = 0;
	end_was_read = false;
	err = replay_open(path, &r, &version);
	if (err) {
		assert_null(r);
		return err;
	}
	assert_int_equal(replay_start(r)->hdr.kind, WIRE_START);
	err = replay_run(r, keep, NULL, enough);
	if (position)
		*position = replay_position(r);
	replay_destroy(r);
	return err;
}

static void assert_replay(int err)
{
	assert_int_equal(replay(NULL, NULL), err);
}

/* ---- round trips ---- */

static void what_was_recorded_is_read_back_byte_for_byte(void **state)
{
	unsigned int nr = build(WIRE_VERSION);
	uint64_t position;

	write_file(bytes_len);
	assert_int_equal(replay(&position, NULL), 0);
	assert_int_equal(nr_read, nr);
	assert_true(end_was_read);
	assert_int_equal(position, bytes_len);
	assert_int_equal(read_back_len, bytes_len - sizeof(struct recording_header));
	assert_memory_equal(read_back, bytes + sizeof(struct recording_header), read_back_len);
}

static void record_all(struct recorder *r)
{
	size_t at = sizeof(struct recording_header);

	while (at < bytes_len) {
		const struct wire_hdr *hdr = (const void *)(bytes + at);

		assert_int_equal(recorder_record(r, hdr, hdr->len), 0);
		at += hdr->len;
	}
}

static void the_recorder_writes_just_that_file(void **state)
{
	struct recorder *r;

	build(WIRE_VERSION);
	unlink(path);
	assert_int_equal(recorder_create(path, &r), 0);
	record_all(r);
	assert_int_equal(recorder_close(r), 0);
	assert_int_equal(read_file(), bytes_len);
	assert_memory_equal(read_back, bytes, bytes_len);
}

/* Buffers are 256 kB and 1 MB: records of all lengths across all their edges. */
static void many_records_cross_every_buffer(void **state)
{
	struct recorder *r;
	uint64_t seed = 21;

	build(WIRE_VERSION);
	bytes_len -= sizeof(struct wire_end);
	while (bytes_len < FILE_MAX - 4096) {
		struct wire_state ev = state_of(bytes_len, 1, TS_CLOSE, TS_SYN_SENT);
		struct wire_tick tick = tick_of(bytes_len);

		if (random_below(&seed, 2))
			add(&ev, sizeof(ev));
		else
			add(&tick, sizeof(tick));
	}
	add(&(struct wire_end){ .hdr = end_of(T0, 0).hdr }, sizeof(struct wire_end));
	unlink(path);
	assert_int_equal(recorder_create(path, &r), 0);
	record_all(r);
	assert_int_equal(recorder_close(r), 0);
	assert_replay(0);
	assert_int_equal(read_back_len, bytes_len - sizeof(struct recording_header));
	assert_memory_equal(read_back, bytes + sizeof(struct recording_header), read_back_len);
}

static void what_follows_the_end_is_not_read(void **state)
{
	build(WIRE_VERSION);
	memset(bytes + bytes_len, 0xee, 1000);
	write_file(bytes_len + 1000);
	assert_replay(0);
	assert_true(end_was_read);
}

static void who_has_enough_gets_the_end_and_nothing_else(void **state)
{
	bool enough = true;

	build(WIRE_VERSION);
	write_file(bytes_len);
	assert_int_equal(replay(NULL, &enough), 0);
	assert_int_equal(nr_read, 2);	/* WIRE_START, after which it said so, and WIRE_END */
	assert_true(end_was_read);
}

static bool stop(void *ctx)
{
	*(bool *)ctx = true;
	return false;
}

static void a_pause_that_stops_the_reading_is_no_error(void **state)
{
	bool asked = false;
	struct replay *r;
	uint32_t version;

	build(WIRE_VERSION);
	write_file(bytes_len - sizeof(struct wire_end));
	read_back_len = nr_read = 0;
	end_was_read = false;
	assert_int_equal(replay_open(path, &r, &version), 0);
	assert_int_equal(replay_run(r, keep, stop, &asked), 0);
	assert_true(asked);
	assert_false(end_was_read);
	replay_destroy(r);
}

static void a_kind_of_the_future_is_skipped(void **state)
{
	struct wire_tick future = tick_of(T0);
	struct wire_end end = end_of(T0, 1);
	unsigned int nr = build(WIRE_VERSION);

	future.hdr.kind = 200;
	bytes_len -= sizeof(end);
	add(&future, sizeof(future));
	add(&end, sizeof(end));
	write_file(bytes_len);
	assert_replay(0);
	assert_int_equal(nr_read, nr);
}

/* ---- breaking off ---- */

/* How many whole records are in the first len bytes. */
static unsigned int whole_records(size_t len, size_t *end)
{
	unsigned int nr = 0;

	*end = sizeof(struct recording_header);
	while (*end < len) {
		const struct wire_hdr *hdr = (const void *)(bytes + *end);

		if (*end + hdr->len > len)
			break;
		*end += hdr->len;
		nr++;
	}
	return nr;
}

static void a_recording_may_break_off_at_every_byte(void **state)
{
	build(WIRE_VERSION);
	for (size_t len = 0; len < bytes_len; len++) {
		uint64_t position = 0;
		unsigned int nr;
		size_t end;
		int err;

		nr = whole_records(len, &end);
		write_file(len);
		err = replay(&position, NULL);
		if (len < sizeof(struct recording_header)) {
			assert_int_equal(err, REPLAY_FOREIGN);
			continue;
		}
		assert_int_equal(err, REPLAY_TRUNCATED);
		assert_int_equal(nr_read, nr);
		assert_false(end_was_read);
		if (!nr)
			continue;
		assert_int_equal(position, end);
		assert_memory_equal(read_back, bytes + sizeof(struct recording_header),
				    read_back_len);
	}
}

static void a_missing_end_is_told(void **state)
{
	unsigned int nr = build(WIRE_VERSION);

	write_file(bytes_len - sizeof(struct wire_end));
	assert_replay(REPLAY_TRUNCATED);
	assert_int_equal(nr_read, nr - 1);
}

/* ---- foreign files ---- */

static void an_empty_file_is_foreign(void **state)
{
	write_file(0);
	assert_replay(REPLAY_FOREIGN);
}

static void a_text_is_foreign(void **state)
{
	bytes_len = 0;
	for (int i = 0; i < 100; i++)
		add("#!/bin/sh\nexit 0\n", 17);
	write_file(bytes_len);
	assert_replay(REPLAY_FOREIGN);
}

static void a_recording_that_went_through_a_text_editor_is_foreign(void **state)
{
	build(WIRE_VERSION);
	assert_memory_equal(bytes + 6, "\r\n", 2);
	bytes[6] = '\n';
	memmove(bytes + 7, bytes + 8, bytes_len - 8);
	write_file(bytes_len - 1);
	assert_replay(REPLAY_FOREIGN);
}

static void the_other_byte_order_is_told(void **state)
{
	uint32_t swapped = __builtin_bswap32(RECORDING_BYTE_ORDER);

	build(WIRE_VERSION);
	memcpy(bytes + offsetof(struct recording_header, byte_order), &swapped, 4);
	write_file(bytes_len);
	assert_replay(REPLAY_BYTE_ORDER);
	memset(bytes + offsetof(struct recording_header, byte_order), 0, 4);
	write_file(bytes_len);
	assert_replay(REPLAY_FOREIGN);
}

static void another_version_is_told_with_its_number(void **state)
{
	struct replay *r = NULL;
	uint32_t version = 0;

	build(WIRE_VERSION + 41);
	write_file(bytes_len);
	assert_int_equal(replay_open(path, &r, &version), REPLAY_VERSION);
	assert_int_equal(version, WIRE_VERSION + 41);
	assert_null(r);
}

static void what_cannot_be_opened_is_an_errno(void **state)
{
	struct replay *r = NULL;
	uint32_t version;

	assert_int_equal(replay_open("/tmp/there/is/no/such", &r, &version), -ENOENT);
	assert_int_equal(replay_open(directory, &r, &version), -EISDIR);
	assert_null(r);
}

/* ---- damage ---- */

static void a_recording_that_does_not_begin_with_its_start_is_damaged(void **state)
{
	size_t start = sizeof(struct recording_header) + sizeof(struct wire_start);

	build(WIRE_VERSION);
	memmove(bytes + sizeof(struct recording_header), bytes + start, bytes_len - start);
	write_file(bytes_len - sizeof(struct wire_start));
	assert_replay(REPLAY_DAMAGED);
	build(WIRE_VERSION);
	((struct wire_start *)(bytes + sizeof(struct recording_header)))->hz = 0;
	write_file(bytes_len);
	assert_replay(REPLAY_DAMAGED);
}

/* The record after WIRE_START, with one of its header's members changed. */
static void assert_damage(void (*change)(struct wire_hdr *hdr), int err)
{
	size_t at = sizeof(struct recording_header) + sizeof(struct wire_start);
	uint64_t position = 0;

	build(WIRE_VERSION);
	change((struct wire_hdr *)(bytes + at));
	write_file(bytes_len);
	assert_int_equal(replay(&position, NULL), err);
	assert_int_equal(nr_read, 1);
	assert_int_equal(position, at);
}

static void no_length(struct wire_hdr *hdr)
{
	hdr->len = 0;
}

static void odd_length(struct wire_hdr *hdr)
{
	hdr->len++;
}

static void wrong_length(struct wire_hdr *hdr)
{
	hdr->len += 8;
}

static void longest_length(struct wire_hdr *hdr)
{
	hdr->len = UINT16_MAX - 7;
}

static void other_version(struct wire_hdr *hdr)
{
	hdr->version++;
}

static void no_state(struct wire_hdr *hdr)
{
	((struct wire_state *)hdr)->newstate = 99;
}

static void a_record_that_cannot_be_is_damage(void **state)
{
	assert_damage(no_length, REPLAY_DAMAGED);
	assert_damage(odd_length, REPLAY_DAMAGED);
	assert_damage(wrong_length, REPLAY_DAMAGED);
	assert_damage(other_version, REPLAY_DAMAGED);
	assert_damage(no_state, REPLAY_DAMAGED);
}

static void a_record_longer_than_the_file_is_its_end(void **state)
{
	assert_damage(longest_length, REPLAY_TRUNCATED);
}

static void any_damage_is_survived(void **state)
{
	uint64_t seed = 22;

	for (int i = 0; i < 2000; i++) {
		unsigned int changes = 1 + random_below(&seed, 4);
		int err;

		build(WIRE_VERSION);
		while (changes--)
			bytes[random_below(&seed, bytes_len)] = random_next(&seed);
		write_file(bytes_len);
		err = replay(NULL, NULL);
		assert_in_range(err, 0, REPLAY_DAMAGED);
		assert_int_equal(err == 0, end_was_read);
	}
}

/* ---- the recorder ---- */

static void a_recording_is_for_root_only(void **state)
{
	struct recorder *r;
	struct stat st;

	unlink(path);
	assert_int_equal(recorder_create(path, &r), 0);
	recorder_close(r);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void an_older_file_is_overwritten_and_closed_to_others(void **state)
{
	struct recorder *r;
	struct stat st;

	memset(bytes, 'x', 10000);
	write_file(10000);
	chmod(path, 0644);
	assert_int_equal(recorder_create(path, &r), 0);
	recorder_close(r);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, sizeof(struct recording_header));
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_symbolic_link_is_refused(void **state)
{
	struct recorder *r = NULL;
	char link[80];

	snprintf(link, sizeof(link), "%s/link", directory);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(recorder_create(link, &r), -ELOOP);
	assert_null(r);
	unlink(link);
}

static void one_of_several_hard_links_is_refused(void **state)
{
	struct recorder *r = NULL;
	char other[80];
	struct stat st;

	snprintf(other, sizeof(other), "%s/other", directory);
	memset(bytes, 'x', 10000);
	write_file(10000);
	chmod(path, 0644);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(recorder_create(other, &r), -EMLINK);
	assert_null(r);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 10000);
	assert_int_equal(st.st_mode & 0777, 0644);
	unlink(other);
	assert_int_equal(recorder_create(path, &r), 0);
	recorder_close(r);
}

static void what_cannot_be_created_is_an_errno(void **state)
{
	struct recorder *r = NULL;

	assert_int_equal(recorder_create("/tmp/there/is/no/such", &r), -ENOENT);
	assert_int_equal(recorder_create(directory, &r), -EISDIR);
	assert_null(r);
}

static void closing_none_is_fine(void **state)
{
	assert_int_equal(recorder_close(NULL), 0);
}

/* As a full disk does it: a write that is cut short, then one that fails. */
static void limit_files_to(rlim_t bytes_max)
{
	struct rlimit limit = { .rlim_cur = bytes_max, .rlim_max = RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_disk_that_is_full_at_once_shows_before_anything_is_traced(void **state)
{
	struct recorder *r = NULL;
	int err;

	unlink(path);
	limit_files_to(0);
	err = recorder_create(path, &r);
	limit_files_to(RLIM_INFINITY);
	assert_int_equal(err, -EFBIG);
	assert_null(r);
}

static void a_recording_on_a_full_disk_ends_after_a_whole_record(void **state)
{
	build(WIRE_VERSION);
	for (size_t room = sizeof(struct recording_header); room < bytes_len; room += 37) {
		struct recorder *r;
		uint64_t position;
		unsigned int nr;
		size_t end;
		int err;

		nr = whole_records(room, &end);
		unlink(path);
		assert_int_equal(recorder_create(path, &r), 0);
		record_all(r);
		limit_files_to(room);
		err = recorder_close(r);
		limit_files_to(RLIM_INFINITY);
		assert_int_equal(err, -EFBIG);
		assert_int_equal(read_file(), end);
		assert_int_equal(replay(&position, NULL), REPLAY_TRUNCATED);
		assert_int_equal(nr_read, nr);
	}
}

static void a_failed_write_is_told_ever_after(void **state)
{
	struct wire_state ev = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);
	struct recorder *r;
	int err = 0;

	unlink(path);
	assert_int_equal(recorder_create(path, &r), 0);
	limit_files_to(1000);
	for (int i = 0; i < 10000 && !err; i++)
		err = recorder_record(r, &ev, sizeof(ev));
	limit_files_to(RLIM_INFINITY);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(recorder_record(r, &ev, sizeof(ev)), -EFBIG);
	assert_int_equal(recorder_close(r), -EFBIG);
	assert_int_equal((read_file() - sizeof(struct recording_header)) % sizeof(ev), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_recorded_is_read_back_byte_for_byte),
		cmocka_unit_test(the_recorder_writes_just_that_file),
		cmocka_unit_test(many_records_cross_every_buffer),
		cmocka_unit_test(what_follows_the_end_is_not_read),
		cmocka_unit_test(who_has_enough_gets_the_end_and_nothing_else),
		cmocka_unit_test(a_pause_that_stops_the_reading_is_no_error),
		cmocka_unit_test(a_kind_of_the_future_is_skipped),
		cmocka_unit_test(a_recording_may_break_off_at_every_byte),
		cmocka_unit_test(a_missing_end_is_told),
		cmocka_unit_test(an_empty_file_is_foreign),
		cmocka_unit_test(a_text_is_foreign),
		cmocka_unit_test(a_recording_that_went_through_a_text_editor_is_foreign),
		cmocka_unit_test(the_other_byte_order_is_told),
		cmocka_unit_test(another_version_is_told_with_its_number),
		cmocka_unit_test(what_cannot_be_opened_is_an_errno),
		cmocka_unit_test(a_recording_that_does_not_begin_with_its_start_is_damaged),
		cmocka_unit_test(a_record_that_cannot_be_is_damage),
		cmocka_unit_test(a_record_longer_than_the_file_is_its_end),
		cmocka_unit_test(any_damage_is_survived),
		cmocka_unit_test(a_recording_is_for_root_only),
		cmocka_unit_test(an_older_file_is_overwritten_and_closed_to_others),
		cmocka_unit_test(a_symbolic_link_is_refused),
		cmocka_unit_test(one_of_several_hard_links_is_refused),
		cmocka_unit_test(what_cannot_be_created_is_an_errno),
		cmocka_unit_test(closing_none_is_fine),
		cmocka_unit_test(a_disk_that_is_full_at_once_shows_before_anything_is_traced),
		cmocka_unit_test(a_recording_on_a_full_disk_ends_after_a_whole_record),
		cmocka_unit_test(a_failed_write_is_told_ever_after),
	};

	return cmocka_run_group_tests(tests, open_directory, close_directory);
}
