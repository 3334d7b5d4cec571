// SPDX-License-Identifier: GPL-2.0-or-later
#include "audit_run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"
#include "cleanup.h"
#include "decode.h"
#include "log.h"
#include "loop.h"
#include "mib.h"
#include "netns.h"
#include "privileges.h"
#include "row.h"
#include "sink.h"

/* After a grace period of the kernel's: a task may have been interrupted half way. */
#define SETTLE_NS	(30 * 1000 * 1000)

#define NSEC_PER_MSEC	1000000ull

/* A namespace, and its files, which keep it alive: what it counts stays readable. */
struct place {
	struct audit_netns ns;
	struct mib_files files;
};

struct audit_run {
	struct netns_list list;		/* as it was at the start */
	unsigned int nr;		/* of those that are audited, the first ones */
	struct place *places;
	struct loop loop;
	struct audit_edge *(*edge_of)(struct place *p);	/* which one is being read; or NULL */
	unsigned int last;		/* place that was found last */
	uint64_t lost[WIRE_LOST_PLACES];
	uint64_t start_ns, end_ns;	/* CLOCK_MONOTONIC */
	uint64_t time_ns;		/* CLOCK_REALTIME of end_ns */
};

struct result {
	unsigned int agree, differ, unheld;
	uint32_t differing;		/* bits by enum audit_counter */
};

_Static_assert(AUDIT_MAX <= 32, "sets of rows are 32-bit masks");

static struct audit_edge *start_of(struct place *p)
{
	return &p->ns.start;
}

static struct audit_edge *end_of(struct place *p)
{
	return &p->ns.end;
}

/* ---- records: only what was lost, and the census, are looked at ---- */

static struct place *place_of(struct audit_run *run, uint32_t netns)
{
	if (run->last < run->nr && run->list.inodes[run->last] == netns)
		return &run->places[run->last];
	for (unsigned int i = 0; i < run->nr; i++) {
		if (run->list.inodes[i] != netns)
			continue;
		run->last = i;
		return &run->places[i];
	}
	return NULL;
}

static void on_census(struct audit_run *run, const union event *ev)
{
	struct place *p = run->edge_of ? place_of(run, ev->hdr.netns) : NULL;

	if (!p)
		return;
	if (ev->hdr.kind == WIRE_CENSUS_END)
		run->edge_of(p)->has_sockets = true;
	else if (!(ev->census.flags & WIRE_C_MINI))
		run->edge_of(p)->sockets[ev->census.state % WIRE_STATES]++;
}

static bool on_record(void *ctx, const void *rec, size_t len)
{
	uint8_t kind = ((const struct wire_hdr *)rec)->kind;
	struct audit_run *run = ctx;
	union event ev;

	if (kind != WIRE_LOST && kind != WIRE_CENSUS && kind != WIRE_CENSUS_END)
		return true;
	if (decode(rec, len, &ev))
		return true;
	if (kind == WIRE_LOST)
		run->lost[ev.lost.where] += ev.lost.count;
	else
		on_census(run, &ev);
	return true;
}

/* ---- the edges ---- */

static void read_mibs(struct place *p, struct audit_mibs *ret)
{
	struct mib_text text;

	*ret = (struct audit_mibs){};
	if (p->ns.why)
		return;
	if (mib_read(&p->files, &text))
		p->ns.why = "its counters cannot be read";
	else
		audit_read_mibs(text.bytes, text.len, ret);
}

static void read_side(struct audit_run *run, unsigned int i, struct audit_reading *ret)
{
	capture_counters(run->loop.capture, i, &ret->traced);
	read_mibs(&run->places[i], &ret->mibs);
}

static void settle(struct audit_run *run)
{
	const struct timespec pause = { 0, SETTLE_NS };

	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	nanosleep(&pause, NULL);
	capture_drain(run->loop.capture, 0);
}

static void read_edge(struct audit_run *run, struct audit_edge *(*edge_of)(struct place *))
{
	int err;

	for (unsigned int i = 0; i < run->nr; i++)
		read_side(run, i, &edge_of(&run->places[i])->before);
	settle(run);
	for (unsigned int i = 0; i < run->nr; i++)
		read_mibs(&run->places[i], &edge_of(&run->places[i])->mibs);
	run->edge_of = edge_of;
	err = capture_census(run->loop.capture, WIRE_CENSUS_LIVES, false);
	run->edge_of = NULL;
	if (err)
		log_debug("sockets cannot be counted off: %s", strerror(-err));
	settle(run);
	for (unsigned int i = 0; i < run->nr; i++)
		read_side(run, i, &edge_of(&run->places[i])->after);
}

/* ---- the namespaces ---- */

/* Here, in the calling thread's namespace.  Not readable counts as set: the weaker claim. */
static bool overflow_resets(void)
{
	CLEANUP(cleanup_close) int fd = open("/proc/sys/net/ipv4/tcp_abort_on_overflow",
					     O_RDONLY | O_CLOEXEC);
	char c = 0;

	return fd < 0 || read(fd, &c, 1) != 1 || c != '0';
}

static void open_here(struct place *p)
{
	if (mib_open(&p->files))
		p->ns.why = "its counters cannot be read";
	p->ns.overflow_resets = overflow_resets();
}

/* -errno: there is no way back. */
static int open_place(struct place *p, int fd, bool is_home, int home)
{
	p->files = (struct mib_files){ -1, -1 };
	if (is_home) {
		open_here(p);
		return 0;
	}
	if (netns_enter(fd)) {
		p->ns.why = "it cannot be entered, which takes CAP_SYS_ADMIN";
		return 0;
	}
	open_here(p);
	return netns_enter(home);
}

static int open_places(struct audit_run *run)
{
	CLEANUP(cleanup_close) int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct stat st = {};
	int err = 0;

	fstat(home, &st);
	for (unsigned int i = 0; i < run->nr && !err; i++)
		err = open_place(&run->places[i], run->list.fds[i],
				 run->list.inodes[i] == st.st_ino, home);
	return err;
}

/* Three descriptors a namespace are more than the usual 1024 allow for. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void audit_run_deinit(struct audit_run *run)
{
	for (unsigned int i = 0; run->places && i < run->nr; i++)
		mib_close(&run->places[i].files);
	free(run->places);
	loop_deinit(&run->loop);
	netns_list_deinit(&run->list);
}

static int list_places(struct audit_run *run, const char *netns)
{
	int err;

	raise_descriptor_limit();
	err = netns_list_init(&run->list, netns);
	if (err)
		return err;
	if (!run->list.len)
		return -ENOENT;
	run->nr = run->list.len;
	if (run->nr > CAPTURE_NETNS_MAX) {
		log_info("%u of %u network namespaces are left out; -N names one of them",
			 run->nr - CAPTURE_NETNS_MAX, run->nr);
		run->nr = CAPTURE_NETNS_MAX;
	}
	run->places = calloc(run->nr, sizeof(*run->places));
	if (!run->places)
		return -ENOMEM;
	return open_places(run);
}

static bool is_listed(const struct netns_list *list, uint32_t inode)
{
	for (unsigned int i = 0; i < list->len; i++) {
		if (list->inodes[i] == inode)
			return true;
	}
	return false;
}

/* Nobody can be in it any more; its last sockets were ended without a word. */
static void mark_gone(struct audit_run *run, const struct netns_list *now)
{
	for (unsigned int i = 0; i < run->nr; i++) {
		if (!is_listed(now, run->list.inodes[i]))
			run->places[i].ns.why = "the namespace went during the run";
	}
}

/* ---- output ---- */

static uint64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void count_row(struct result *r, enum audit_counter which, const struct audit_row *row)
{
	if (row->why) {
		r->unheld++;
	} else if (row->residual) {
		r->differ++;
		r->differing |= 1u << which;
	} else {
		r->agree++;
	}
}

static void print_netns(struct audit_run *run, struct sink *sink, uint32_t inode,
			const struct audit_netns *ns, struct result *result)
{
	const struct features *f = &run->loop.features;
	const struct audit_kernel kernel = {
		.announces_every_reset = f->arguments[TRACEPOINT_SEND_RESET] >= 3,
		.counts_tw_entries = f->tw_refcount,
	};

	for (enum audit_counter i = 0; i < AUDIT_MAX; i++) {
		struct audit_row judged;
		struct row row;

		audit_judge(i, ns, &kernel, &judged);
		count_row(result, i, &judged);
		row_from_audit(&row, &judged, inode, run->time_ns);
		sink_row(sink, &row);
	}
}

static void print_summary(const struct audit_run *run, struct sink *sink)
{
	struct row row;

	if (!sink->ops->summary)
		return;
	row_from_audit_end(&row, run->time_ns, (run->end_ns - run->start_ns) / NSEC_PER_MSEC,
			   run->lost[WIRE_LOST_RING], run->lost[WIRE_LOST_NESTED]);
	sink_row(sink, &row);
}

static void print_all(struct audit_run *run, const struct options *opt, struct out *out,
		      struct result *result)
{
	static const struct audit_netns new = { .why = "the namespace came during the run" };
	CLEANUP(netns_list_deinit) struct netns_list now = {};
	struct sink sink = {
		.ops = opt->format == FORMAT_JSON ? &sink_json : &sink_table, .out = out,
		.command = F_AUDIT,
	};

	if (netns_list_init(&now, opt->netns))
		log_debug("the namespaces cannot be listed again");
	else
		mark_gone(run, &now);
	sink_begin(&sink);
	for (unsigned int i = 0; i < run->nr; i++)
		print_netns(run, &sink, run->list.inodes[i], &run->places[i].ns, result);
	for (unsigned int i = 0; i < now.len && !run->list.cut; i++) {
		if (!is_listed(&run->list, now.inodes[i]))
			print_netns(run, &sink, now.inodes[i], &new, result);
	}
	print_summary(run, &sink);
	out_drain(out);
}

static void list_counters(uint32_t set, char *buf, size_t size)
{
	static const char *const names[AUDIT_MAX] = {
#define X(id, name, ...) name,
		AUDIT_COUNTERS(X, )
#undef X
	};
	size_t len = 0;

	for (buf[0] = 0; set && len < size; set &= set - 1)
		len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
				names[__builtin_ctz(set)]);
}

static int conclude(const struct audit_run *run, const struct result *r)
{
	char names[512], unheld[80] = "";

	if (r->unheld)
		snprintf(unheld, sizeof(unheld), ", %u cannot be held against it", r->unheld);
	if (!r->differ) {
		log_info("%u counters agree with the kernel's, none differs%s", r->agree, unheld);
		return STATUS_OK;
	}
	list_counters(r->differing, names, sizeof(names));
	log_error("%u counters agree with the kernel's, %u differ%s: %s; the trace missed events "
		  "(lost by nesting: up to %llu): please report this", r->agree, r->differ, unheld,
		  names, (unsigned long long)run->lost[WIRE_LOST_NESTED]);
	return STATUS_DIFFERS;
}

/* ---- the run ---- */

static void say_tracing(const struct audit_run *run, const struct options *opt)
{
	if (!strcmp(opt->netns, "all"))
		log_info("tracing, to hold it against the kernel's own counters, in %u network "
			 "namespaces; Ctrl-C stops", run->nr);
	else
		log_info("tracing, to hold it against the kernel's own counters, in network "
			 "namespace %s; Ctrl-C stops", opt->netns);
}

static int trace(struct audit_run *run, const struct options *opt, const struct wire_scope *scope)
{
	const struct capture_config config = {
		.scope.sockets = *scope, .apart = run->list.inodes, .nr_apart = run->nr,
	};
	struct loop *l = &run->loop;
	struct rest rest = privileges_rest(opt);	/* sockets are counted off at both ends */
	int err;

	err = loop_start(l, opt, &config, on_record, run);
	if (err)
		return err;
	rest.finds_cgroups = false;
	privileges_drop(&rest);
	read_edge(run, start_of);
	run->start_ns = loop_now_ns();
	if (opt->duration_ns)
		l->until_ns = run->start_ns + opt->duration_ns;
	say_tracing(run, opt);
	while (!l->stop)
		loop_turn(l, 0);
	run->end_ns = loop_now_ns();
	run->time_ns = realtime_ns();
	read_edge(run, end_of);
	capture_stop(l->capture, 0);
	return 0;
}

int audit_run(const struct options *opt, const struct wire_scope *scope, int fd)
{
	CLEANUP(audit_run_deinit) struct audit_run run = {
		.loop = { .epoll = -1, .timer = -1, .signals = -1 },
	};
	CLEANUP(out_deinit) struct out out = {};
	struct result result = {};
	int err;

	err = out_init(&out, fd, true);
	if (!err)
		err = list_places(&run, opt->netns);
	if (err) {
		log_error("cannot open the counters of network namespace %s: %s; is it still "
			  "there?", opt->netns, strerror(-err));
		return STATUS_ERROR;
	}
	err = loop_init(&run.loop, &out);
	if (!err)
		err = trace(&run, opt, scope);
	if (err)
		return err;
	print_all(&run, opt, &out, &result);
	if (out.err && out.err != EPIPE) {
		log_error("cannot write to stdout: %s", strerror(out.err));
		return STATUS_ERROR;
	}
	return out.err ? STATUS_OK : conclude(&run, &result);
}
