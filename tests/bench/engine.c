// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * engine - what the way from a raw record to a verdict costs, without kernel and
 * sink; a line "name value" each:
 *
 *	engine replay FILE		records a second, decoded, fed, discarded
 *	engine live COUNT		COUNT connections alive at once: bytes of memory each,
 *					and the longest pause of a single event
 *	engine churn COUNT		COUNT connections that come and go: growth of memory
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
#include "recording.h"
#include "sample_events.h"

static uint64_t reports;

static void on_report(void *ctx, const struct report *r)
{
	reports += r->kind == REPORT_CONNECTION;
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

static void start(struct engine *e, uint32_t limit)
{
	const struct wire_scope all = {};

	if (engine_init(e, &all, limit, on_report, NULL))
		die("engine_init");
}

/* ---- replay ---- */

static void replay(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	struct engine e;
	uint64_t records = 0, begun;
	union event ev;
	const char *p, *end;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	end = p + st.st_size;
	p += sizeof(struct recording_header);
	start(&e, 1 << 20);
	begun = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (; p < end && !decode(p, end - p, &ev); p += ev.hdr.len, records++)
		engine_feed(&e, &ev);
	begun = now_ns(CLOCK_PROCESS_CPUTIME_ID) - begun;
	engine_deinit(&e);
	printf("replay_records %llu\n", (unsigned long long)records);
	printf("replay_lives %llu\n", (unsigned long long)reports);
	printf("replay_records_per_s %.0f\n", records * 1e9 / begun);
}

/* ---- synthetic lives ---- */

static uint64_t longest_ns;

static void feed_state(struct engine *e, uint64_t ts_ns, uint64_t cookie, enum tcp_state from,
		       enum tcp_state to)
{
	union event ev = { .state = state_of(ts_ns, cookie, from, to) };
	uint64_t begun = now_ns(CLOCK_THREAD_CPUTIME_ID), took;

	/* A tuple of its own: 40000 ports, then the next address. */
	ev.state.tuple.lport = 1024 + cookie % 40000;
	ev.state.tuple.laddr[15] = cookie / 40000;
	ev.state.tuple.laddr[14] = cookie / 40000 >> 8;
	if (to == TS_CLOSE)
		ev.state.sample.flags |= WIRE_S_DONE | WIRE_S_DEAD;
	engine_feed(e, &ev);
	took = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
	if (took > longest_ns)
		longest_ns = took;
}

static void open_one(struct engine *e, uint64_t ts_ns, uint64_t cookie)
{
	feed_state(e, ts_ns, cookie, TS_CLOSE, TS_SYN_SENT);
	feed_state(e, ts_ns + MSEC, cookie, TS_SYN_SENT, TS_ESTABLISHED);
}

static void close_one(struct engine *e, uint64_t ts_ns, uint64_t cookie)
{
	feed_state(e, ts_ns, cookie, TS_ESTABLISHED, TS_FIN_WAIT1);
	feed_state(e, ts_ns, cookie, TS_FIN_WAIT1, TS_FIN_WAIT2);
	feed_state(e, ts_ns, cookie, TS_FIN_WAIT2, TS_CLOSE);
}

static void live(uint64_t count)
{
	long before = resident_bytes();
	struct engine e;
	uint64_t ts_ns = T0;

	start(&e, count + 1);
	for (uint64_t i = 1; i <= count; i++)
		open_one(&e, ts_ns += 1000, i);
	printf("live_bytes_each %.0f\n", (resident_bytes() - before) / (double)count);
	printf("live_longest_pause_us %.0f\n", longest_ns / 1e3);
	engine_deinit(&e);
}

/*
 * A tick every 50 ms, as the source gives; 10 000 a second.  Each is in TIME_WAIT for
 * more than a minute, so it takes that long until as many go as come.
 */
static void churn(uint64_t count)
{
	struct engine e;
	uint64_t ts_ns = T0;
	long before = 0;
	union event tick;

	start(&e, 1 << 20);
	for (uint64_t i = 1; i <= count; i++) {
		open_one(&e, ts_ns += SEC / 10000, i);
		close_one(&e, ts_ns + 2 * MSEC, i);
		tick.tick = tick_of(ts_ns);
		if (i % 500 == 0)
			engine_feed(&e, &tick);
		if (i == count * 3 / 4)
			before = resident_bytes();
	}
	printf("churn_growth_bytes %ld\n", resident_bytes() - before);
	engine_deinit(&e);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "replay"))
		replay(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "live"))
		live(strtoull(argv[2], NULL, 10));
	else if (argc == 3 && !strcmp(argv[1], "churn"))
		churn(strtoull(argv[2], NULL, 10));
	else
		return fprintf(stderr, "Usage: engine replay FILE | live COUNT | churn COUNT\n"), 2;
	return 0;
}
