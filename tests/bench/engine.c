// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * engine - what the way from a raw record to a verdict costs, without kernel and
 * sink; a line "name value" each:
 *
 *	engine replay FILE		records a second, decoded, fed, discarded
 *	engine metrics FILE		likewise, counted as `export` counts, nobody named
 *	engine live COUNT		COUNT connections alive at once: bytes of memory each,
 *					and the longest pause of a single event, of a census
 *	engine churn COUNT		COUNT connections that come and go: growth of memory,
 *					and the longest pause of a tick
 *	engine ledger COUNT		COUNT connections that go into TIME_WAIT: bytes each
 *	engine record COUNT FILE	a recording of COUNT lives, the same each time
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "decode.h"
#include "engine.h"
#include "metrics.h"
#include "recording.h"
#include "sample_events.h"

static uint64_t reports;

static void on_report(void *ctx, const struct report *r)
{
	reports += r->kind == REPORT_CONNECTION;
}

static struct metrics metrics;

static void on_counted_report(void *ctx, const struct report *r)
{
	on_report(ctx, r);
	metrics_report(&metrics, r);
}

static void die(const char *what)
{
	fprintf(stderr, "engine: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

static long resident_bytes(void)
{
	long pages = 0, unused;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld %ld", &unused, &pages) != 2)
		die("/proc/self/statm");
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void start_for(struct engine *e, uint32_t limit, report_fn fn)
{
	const struct wire_scope all = {};

	if (engine_init(e, &all, limit, fn, NULL))
		die("engine_init");
}

static void start(struct engine *e, uint32_t limit)
{
	start_for(e, limit, on_report);
}

/* ---- replay ---- */

/* Planted by the test of the costs (tests/check/cost), to see that it would be found. */
static void dawdle(void)
{
#ifdef NEEDLESS
	for (volatile int i = 0; i < NEEDLESS; i++)
		;
#endif
}

/* The records of a recording, and where they end. */
static const char *map_records(const char *path, const char **end)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	const char *p;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	*end = p + st.st_size;
	return p + sizeof(struct recording_header);
}

static void tell_rate(const char *of, uint64_t records, uint64_t took_ns)
{
	printf("%s_records %llu\n", of, (unsigned long long)records);
	printf("%s_lives %llu\n", of, (unsigned long long)reports);
	printf("%s_records_per_s %.0f\n", of, records * 1e9 / took_ns);
}

static void replay(const char *path)
{
	const char *end, *p = map_records(path, &end);
	uint64_t records = 0, begun;
	struct engine e;
	union event ev;

	start(&e, 1 << 20);
	begun = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (; p < end && !decode(p, end - p, &ev); p += ev.hdr.len, records++) {
		engine_feed(&e, &ev);
		dawdle();
	}
	begun = now_ns(CLOCK_PROCESS_CPUTIME_ID) - begun;
	engine_deinit(&e);
	tell_rate("replay", records, begun);
}

/* A ring's records lie as they are needed, and so do a recording's. */
static void count(const char *path)
{
	const char *end, *p = map_records(path, &end);
	uint64_t records = 0, begun;
	const union event *ev;
	struct engine e;

	start_for(&e, 1 << 20, on_counted_report);
	engine_spare_names(&e, UINT32_MAX);
	begun = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (; p < end && !decode_in_place(p, end - p, &ev); p += ev->hdr.len, records++) {
		metrics_event(&metrics, ev);
		engine_feed(&e, ev);
	}
	begun = now_ns(CLOCK_PROCESS_CPUTIME_ID) - begun;
	engine_deinit(&e);
	tell_rate("metrics", records, begun);
}

/* ---- synthetic lives ---- */

/* Where their records go. */
struct lives {
	struct engine *engine;	/* decoded there, or, NULL: */
	FILE *file;
	uint64_t sockets;	/* that live again and again; 0: each life has its own */
	bool timed;
	uint64_t longest_ns;	/* that one took */
};

static void put(struct lives *l, const void *rec, size_t len)
{
	static union event ev;
	uint64_t begun = 0, took;

	if (!l->engine) {
		if (fwrite(rec, len, 1, l->file) != 1)
			die("cannot write");
		return;
	}
	if (l->timed)
		begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
	if (decode(rec, len, &ev))
		die("decode");
	engine_feed(l->engine, &ev);
	if (!l->timed)
		return;
	took = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
	if (took > l->longest_ns)
		l->longest_ns = took;
}

static void put_state(struct lives *l, uint64_t ts_ns, uint64_t life, enum tcp_state from,
		      enum tcp_state to)
{
	struct wire_state rec = state_of(ts_ns, l->sockets ? life % l->sockets + 1 : life, from, to);

	/* A tuple of its own: 40000 ports, then the next address. */
	rec.tuple.lport = 1024 + life % 40000;
	rec.tuple.laddr[15] = life / 40000;
	rec.tuple.laddr[14] = life / 40000 >> 8;
	rec.owner = (struct wire_owner){ .uid = 33, .cgroup = 4711 };
	if (from == TS_CLOSE || from == TS_ESTABLISHED) {
		rec.owner.pid = 1000 + life % 8;
		strcpy(rec.owner.comm, "client");
		rec.born = 1;
	}
	if (to == TS_CLOSE)
		rec.sample.flags |= WIRE_S_DONE | WIRE_S_DEAD;
	put(l, &rec, sizeof(rec));
}

static void open_one(struct lives *l, uint64_t ts_ns, uint64_t life)
{
	put_state(l, ts_ns, life, TS_CLOSE, TS_SYN_SENT);
	put_state(l, ts_ns + MSEC, life, TS_SYN_SENT, TS_ESTABLISHED);
}

static void close_one(struct lives *l, uint64_t ts_ns, uint64_t life)
{
	put_state(l, ts_ns, life, TS_ESTABLISHED, TS_FIN_WAIT1);
	put_state(l, ts_ns, life, TS_FIN_WAIT1, TS_FIN_WAIT2);
	put_state(l, ts_ns, life, TS_FIN_WAIT2, TS_CLOSE);
}

static void tick(struct lives *l, uint64_t ts_ns)
{
	struct wire_tick rec = tick_of(ts_ns);

	put(l, &rec, sizeof(rec));
}

/* After a loss, all of them seen: the engine looks at each. */
static void census(struct lives *l, uint64_t ts_ns)
{
	struct wire_lost lost = {
		.hdr = hdr_of(WIRE_LOST, sizeof(lost), ts_ns, 0), .count = 1,
		.where = WIRE_LOST_RING,
	};
	struct wire_census_end end = census_end_of(ts_ns, T0);

	put(l, &lost, sizeof(lost));
	l->longest_ns = 0;
	put(l, &end, sizeof(end));
}

static void live(uint64_t count)
{
	long before = resident_bytes();
	struct engine e;
	struct lives l = { .engine = &e, .timed = true };
	uint64_t ts_ns = T0;

	start(&e, count + 1);
	for (uint64_t i = 1; i <= count; i++)
		open_one(&l, ts_ns += 1000, i);
	printf("live_bytes_each %.0f\n", (resident_bytes() - before) / (double)count);
	printf("live_longest_pause_us %.0f\n", l.longest_ns / 1e3);
	census(&l, ts_ns + SEC);
	printf("live_census_pause_us %.0f\n", l.longest_ns / 1e3);
	engine_deinit(&e);
}

/* A tick every 50 ms, as the source gives; 10 000 a second. */
static void come_and_go(struct lives *l, uint64_t i)
{
	uint64_t ts_ns = T0 + i * (SEC / 10000);

	open_one(l, ts_ns, i);
	close_one(l, ts_ns + 2 * MSEC, i);
	if (i % 500)
		return;
	l->timed = true;
	tick(l, ts_ns);
	l->timed = false;
}

/* Each is in TIME_WAIT for more than a minute: it takes that long until as many go as come. */
static void churn(uint64_t count)
{
	struct engine e;
	struct lives l = { .engine = &e };
	long before = 0;

	start(&e, 1 << 20);
	for (uint64_t i = 1; i <= count; i++) {
		come_and_go(&l, i);
		if (i == count * 3 / 4)
			before = resident_bytes();
	}
	printf("churn_growth_bytes %ld\n", resident_bytes() - before);
	printf("churn_longest_pause_us %.0f\n", l.longest_ns / 1e3);
	engine_deinit(&e);
}

static void ledger(uint64_t count)
{
	struct engine e;
	struct lives l = { .engine = &e, .sockets = 1000 };	/* the lives take none */
	long before;

	start(&e, 1 << 20);
	come_and_go(&l, 1);
	before = resident_bytes();
	for (uint64_t i = 2; i <= count; i++) {
		open_one(&l, T0 + i * 1000, i);
		close_one(&l, T0 + i * 1000 + 2 * MSEC, i);
	}
	printf("ledger_bytes_each %.0f\n", (resident_bytes() - before) / (double)e.minis.used);
	engine_deinit(&e);
}

static void record(uint64_t count, const char *path)
{
	const struct recording_header header = {
		.magic = RECORDING_MAGIC, .byte_order = RECORDING_BYTE_ORDER,
		.version = WIRE_VERSION,
	};
	struct wire_start begin = start_of(T0);
	struct wire_end end = {
		.hdr = hdr_of(WIRE_END, sizeof(end), T0 + count * (SEC / 10000) + SEC, 0),
		.births = count,
	};
	struct lives l = { .file = fopen(path, "w") };

	if (!l.file)
		die(path);
	put(&l, &header, sizeof(header));
	put(&l, &begin, sizeof(begin));
	for (uint64_t i = 1; i <= count; i++)
		come_and_go(&l, i);
	put(&l, &end, sizeof(end));
	if (fclose(l.file))
		die(path);
}

static const struct {
	const char *name;
	void (*run)(uint64_t count);
} of_a_count[] = { { "live", live }, { "churn", churn }, { "ledger", ledger } };

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "replay")) {
		replay(argv[2]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "metrics")) {
		count(argv[2]);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "record")) {
		record(strtoull(argv[2], NULL, 10), argv[3]);
		return 0;
	}
	for (unsigned int i = 0; argc == 3 && i < 3; i++) {
		if (strcmp(argv[1], of_a_count[i].name))
			continue;
		of_a_count[i].run(strtoull(argv[2], NULL, 10));
		return 0;
	}
	fprintf(stderr, "Usage: engine replay or metrics FILE | live, churn or ledger COUNT | "
		"record COUNT FILE\n");
	return 2;
}
