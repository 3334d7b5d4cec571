// SPDX-License-Identifier: GPL-2.0-or-later
#include "census.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cleanup.h"
#include "counted.h"
#include "log.h"
#include "netns.h"
#include "netns_facts.h"

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static struct wire_hdr header(enum wire_kind kind, size_t len, uint32_t netns)
{
	return (struct wire_hdr){
		.ts_ns = monotonic_ns(), .len = len, .kind = kind, .version = WIRE_VERSION,
		.netns = netns,
	};
}

static void link_destroyp(struct bpf_link **link)
{
	bpf_link__destroy(*link);
}

/* Rows come whole: the kernel's seq_file never splits one, if it fits the buffer. */
static int hand_out_rows(const struct census *c, int fd, uint32_t *rows)
{
	_Alignas(8) char buf[32 * 1024];
	size_t have = 0, at;
	ssize_t n;

	while ((n = read(fd, buf + have, sizeof(buf) - have)) != 0) {
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		have += n;
		for (at = 0; have - at >= sizeof(struct wire_hdr); ++*rows) {
			const struct wire_hdr *hdr = (const struct wire_hdr *)(buf + at);

			if (hdr->len < sizeof(*hdr) || hdr->len > sizeof(buf))
				return -EBADMSG;
			if (have - at < hdr->len)
				break;
			c->record(c->ctx, hdr, hdr->len);
			at += hdr->len;
		}
		memmove(buf, buf + at, have - at);
		have -= at;
	}
	return 0;
}

/* An iterator over sockets sees the namespace of whoever creates it.  -errno. */
static int open_iterator(struct bpf_program *prog)
{
	CLEANUP(link_destroyp) struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;

	return fd < 0 ? -errno : fd;
}

static void tell_end(const struct census *c, uint32_t netns, uint64_t start_ns, uint32_t rows)
{
	struct wire_census_end end = {
		.hdr = header(WIRE_CENSUS_END, sizeof(end), netns), .start_ns = start_ns,
		.rows = rows, .which = c->which,
	};

	c->record(c->ctx, &end, sizeof(end));
}

/* Half-open requests are counted nowhere; but they have a listener, or had. */
static bool is_empty(const struct wire_netns_facts *facts)
{
	const uint64_t both = 1ull << WIRE_F_SOCKETS | 1ull << WIRE_F_TW;

	return (facts->known & both) == both && !facts->values[WIRE_F_SOCKETS] &&
	       !facts->values[WIRE_F_TW];
}

/* A namespace, as it was found by going there. */
struct visit {
	uint32_t netns;
	uint64_t start_ns;
	struct wire_netns_facts facts;
	int iterator;		/* -1: not wanted */
};

static int look_around(const struct census *c, struct visit *v)
{
	v->start_ns = monotonic_ns();
	v->facts = (struct wire_netns_facts){
		.hdr = header(WIRE_NETNS_FACTS, sizeof(v->facts), v->netns),
	};
	if (c->facts)
		netns_facts_read(&v->facts);
	else
		netns_facts_read_gauges(&v->facts);
	if (!c->sockets || is_empty(&v->facts))
		return 0;
	v->iterator = open_iterator(c->sockets);
	return v->iterator < 0 ? v->iterator : 0;
}

static int tell_visit(const struct census *c, const struct visit *v)
{
	uint32_t rows = 0;
	int err = 0;

	if (c->facts)
		c->record(c->ctx, &v->facts, sizeof(v->facts));
	if (v->iterator >= 0 && c->counted)
		counted_begin(c->counted, &v->facts, c->hz);
	if (v->iterator >= 0)
		err = hand_out_rows(c, v->iterator, &rows);
	if (v->iterator >= 0 && c->counted)
		rows += counted_tell(c->counted, v->netns, monotonic_ns(), c->record, c->ctx);
	if (!err && c->sockets)
		tell_end(c, v->netns, v->start_ns, rows);
	return err;
}

/* -EACCES: it may not be entered. */
static int count_netns(const struct census *c, uint32_t netns, int fd, int home)
{
	struct visit v = { .netns = netns, .iterator = -1 };
	int err;

	if (fd >= 0 && (home < 0 || netns_enter(fd)))
		return -EACCES;
	err = look_around(c, &v);
	if (fd >= 0 && netns_enter(home))
		err = -ENOLINK;
	if (!err)
		err = tell_visit(c, &v);
	cleanup_close(&v.iterator);
	return err;
}

static int count_descriptors(const struct census *c, uint32_t *rows)
{
	CLEANUP(cleanup_close) int fd = open_iterator(c->descriptors);

	return fd < 0 ? fd : hand_out_rows(c, fd, rows);
}

static void tell_left_out(const struct census *c, const struct netns_list *list,
			  unsigned int left_out)
{
	if (c->quiet)
		return;
	if (left_out)
		log_info("%u network namespaces are left out of what is there: entering them "
			 "takes CAP_SYS_ADMIN", left_out);
	if (list->cut)
		log_info("only %u network namespaces are looked at, and there are more%s; -N names "
			 "one of them", list->len, list->lacks_descriptors ?
			 " than ulimit -n has descriptors for" : "");
}

static const char *census_text(enum wire_census_which which)
{
	static const char *const texts[WIRE_CENSUS_KINDS] = {
		[WIRE_CENSUS_LIVES] = "lives", [WIRE_CENSUS_PORTS] = "ports",
		[WIRE_CENSUS_LISTENERS] = "listeners", [WIRE_CENSUS_AGED] = "states that last",
	};

	return texts[which];
}

int census_run(const struct census *c, unsigned int *left_out)
{
	CLEANUP(netns_list_deinit) struct netns_list list = {};
	CLEANUP(cleanup_close) int home = netns_open_own();
	uint64_t begun_ns = monotonic_ns();
	struct stat st = {};
	uint32_t rows = 0;
	int err;

	*left_out = 0;
	err = netns_list_init(&list, c->netns);
	if (err)
		return err;
	if (!list.len)
		return -ENOENT;
	if (home >= 0)
		fstat(home, &st);
	for (unsigned int i = 0; i < list.len && !err; i++) {
		bool is_home = list.inodes[i] == st.st_ino;

		if (c->only && c->only != list.inodes[i])
			continue;
		err = count_netns(c, list.inodes[i], is_home ? -1 : list.fds[i], home);
		if (err == -EACCES) {
			++*left_out;
			err = 0;
		}
		if (c->between)
			c->between(c->ctx);
	}
	tell_left_out(c, &list, *left_out);
	if (!err && c->descriptors)
		err = count_descriptors(c, &rows);
	if (!err && !c->only && c->sockets)
		tell_end(c, 0, begun_ns, rows);
	log_debug("the census of %s in %u network namespaces took %llu us",
		  c->sockets ? census_text(c->which) : "facts", c->only ? 1 : list.len,
		  (unsigned long long)(monotonic_ns() - begun_ns) / 1000);
	return err;
}
