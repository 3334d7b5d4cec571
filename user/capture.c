// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "census.h"
#include "cleanup.h"
#include "cpus.h"
#include "iterators.h"
#include "log.h"
#include "synfin.skel.h"

#define NSEC_PER_SEC	1000000000ll

/* NTP slews by at most 0.5 ms a second: more is a step, or a minute's drift. */
#define CLOCK_STEP_NS	1000000

/* A census after losses: this long after the first, and so at most this often. */
#define DOUBT_NS	(5 * NSEC_PER_SEC)

struct capture {
	struct synfin_bpf *skel;
	struct ring_buffer *ring;
	record_fn fn;
	void *ctx;
	const struct capture_config *config;
	struct features features;
	int nr_copies;		/* of each program; 1: no twins */
	int nr_cpus;
	struct wire_counters *counters;		/* mmap: a row a slot and CPU */
	int nr_rows;				/* of those */
	struct wire_cpu *cpus;
	struct wire_counted *counted;		/* NULL: every socket is told of */
	size_t counters_size, cpus_size, counted_size;
	int64_t clock_ns;
	uint64_t now_ns;	/* the drain's: what is younger waits for the next */
	uint64_t lost_ring, lost_nested;	/* told so far */
	uint64_t doubted_ns;	/* records were lost since the last census; 0: none */
	bool wanted;		/* one is wanted for another reason */
	bool census_told;	/* what it leaves out */
	uint32_t drained;	/* bytes, by this drain */
	struct capture_state state;
	bool enough;
};

/* ---- clocks ---- */

static uint64_t clock_now(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Realtime between two readings of monotonic; of several the closest. */
static int64_t clock_offset(void)
{
	uint64_t best = UINT64_MAX;
	int64_t ret = 0;

	for (int i = 0; i < 5; i++) {
		uint64_t before = clock_now(CLOCK_MONOTONIC);
		uint64_t real = clock_now(CLOCK_REALTIME);
		uint64_t after = clock_now(CLOCK_MONOTONIC);

		if (after - before >= best)
			continue;
		best = after - before;
		ret = real - (before + best / 2);
	}
	return ret;
}

/* ---- records made here ---- */

static void hand_out(struct capture *c, const void *rec, size_t len)
{
	if (!c->fn(c->ctx, rec, len))
		c->enough = true;
}

static struct wire_hdr header(enum wire_kind kind, size_t len, uint64_t ts_ns)
{
	return (struct wire_hdr){
		.ts_ns = ts_ns, .len = len, .kind = kind, .version = WIRE_VERSION,
	};
}

static void tell_start(struct capture *c)
{
	struct wire_start rec = {
		.hdr = header(WIRE_START, sizeof(rec), clock_now(CLOCK_MONOTONIC)),
		.hz = c->features.hz, .scope = c->config->scope.sockets,
		.flags = c->config->cgroups ? WIRE_ST_CGROUPS : 0,
	};

	snprintf(rec.release, sizeof(rec.release), "%s", c->features.release);
	snprintf(rec.netns, sizeof(rec.netns), "%s", c->config->netns);
	hand_out(c, &rec, sizeof(rec));
}

static void tell_prefixes(struct capture *c)
{
	const struct scope *scope = &c->config->scope;
	struct wire_prefixes rec = {
		.hdr = header(WIRE_PREFIXES, sizeof(rec), clock_now(CLOCK_MONOTONIC)),
		.laddrs = scope->laddrs, .raddrs = scope->raddrs,
	};

	if (scope->laddrs.len || scope->raddrs.len)
		hand_out(c, &rec, sizeof(rec));
}

static void tell_clock(struct capture *c)
{
	struct wire_clock rec = {
		.hdr = header(WIRE_CLOCK, sizeof(rec), clock_now(CLOCK_MONOTONIC)),
		.offset_ns = clock_offset(),
	};

	if (llabs(rec.offset_ns - c->clock_ns) < CLOCK_STEP_NS)
		return;
	c->clock_ns = rec.offset_ns;
	hand_out(c, &rec, sizeof(rec));
}

static void tell_reason(void *ctx, uint32_t id, const char *name)
{
	struct capture *c = ctx;
	struct wire_reason rec = {
		.hdr = header(WIRE_REASON, sizeof(rec), clock_now(CLOCK_MONOTONIC)), .id = id,
	};

	snprintf(rec.name, sizeof(rec.name), "%s", name);
	hand_out(c, &rec, sizeof(rec));
}

static void tell_tick(struct capture *c, uint64_t now_ns)
{
	struct wire_tick rec = { .hdr = header(WIRE_TICK, sizeof(rec), now_ns) };

	hand_out(c, &rec, sizeof(rec));
}

static void tell_lost(struct capture *c, enum wire_lost_where where, uint64_t total, uint64_t *told)
{
	struct wire_lost rec = {
		.hdr = header(WIRE_LOST, sizeof(rec), clock_now(CLOCK_MONOTONIC)), .where = where,
	};

	if (total <= *told)
		return;
	rec.count = total - *told;
	*told = total;
	if (!c->doubted_ns)
		c->doubted_ns = rec.hdr.ts_ns;
	hand_out(c, &rec, sizeof(rec));
}

/* ---- what is counted beside the ring ---- */

static uint64_t load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static uint64_t sum_lost_ring(const struct capture *c)
{
	uint64_t sum = 0;

	for (int i = 0; i < c->nr_rows; i++)
		sum += load((const uint64_t *)&c->counters[i].lost_ring);
	return sum;
}

static uint64_t sum_births(const struct capture *c)
{
	uint64_t sum = 0;

	for (int i = 0; i < c->nr_rows; i++) {
		sum += load((const uint64_t *)&c->counters[i].transitions[7][2]);
		sum += load((const uint64_t *)&c->counters[i].transitions[10][3]);
	}
	return sum;
}

/* Slot 0 is whoever has none of its own. */
void capture_counters(const struct capture *c, uint32_t i, struct wire_counters *ret)
{
	const struct wire_counters *rows = &c->counters[(i + 1) * c->nr_cpus];
	uint64_t *sums = (uint64_t *)ret;

	*ret = (struct wire_counters){};
	for (int cpu = 0; cpu < c->nr_cpus; cpu++) {
		const uint64_t *row = (const uint64_t *)&rows[cpu];

		for (size_t k = 0; k < sizeof(*ret) / sizeof(*row); k++)
			sums[k] += load(&row[k]);
	}
}

void capture_counters_sum(const struct capture *c, struct wire_counters *ret)
{
	uint64_t *sums = (uint64_t *)ret;

	*ret = (struct wire_counters){};
	for (int i = 0; i < c->nr_rows; i++) {
		const uint64_t *row = (const uint64_t *)&c->counters[i];

		for (size_t k = 0; k < sizeof(*ret) / sizeof(*row); k++)
			sums[k] += load(&row[k]);
	}
}

void capture_state(struct capture *c, bool forget, struct capture_state *ret)
{
	*ret = c->state;
	ret->ring_size = c->config->ring_size;
	ret->doubted = c->doubted_ns;
	if (forget)
		c->state.ring_used = 0;
}

const struct bpf_object *capture_object(const struct capture *c)
{
	return c->skel->obj;
}

/* A program and its twins. */
struct copies {
	struct bpf_program *prog[WIRE_COPIES];
	struct bpf_link **link[WIRE_COPIES];
};

/* By enum wire_prog. */
static void list_copies(const struct capture *c, struct copies *ret)
{
	struct synfin_bpf *skel = c->skel;

#define COPIES(id, name) ret[id] = (struct copies){					\
	{ skel->progs.name, skel->progs.name##_twin,					\
	  skel->progs.name##_third, skel->progs.name##_fourth },			\
	{ &skel->links.name, &skel->links.name##_twin,					\
	  &skel->links.name##_third, &skel->links.name##_fourth } }
	COPIES(WIRE_P_STATE, on_set_state);
	COPIES(WIRE_P_RETRANSMIT, on_retransmit);
	COPIES(WIRE_P_SYNACK, on_retransmit_synack);
	COPIES(WIRE_P_SEND_RESET, on_send_reset);
	COPIES(WIRE_P_RECEIVE_RESET, on_receive_reset);
	COPIES(WIRE_P_KFREE_SKB, on_kfree_skb);
#undef COPIES
}

/* Zeroed where the kernel does not tell. */
static struct bpf_prog_info info_of(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		memset(&info, 0, sizeof(info));
	return info;
}

/*
 * Hits of the first program that the kernel skipped, less those that its twins
 * took: an upper bound, since what was skipped may not have been in scope.
 * Misses are read before the twins' entries, so that a hit under way is not
 * taken for a loss.
 */
static uint64_t sum_lost_nested(const struct capture *c)
{
	struct copies copies[WIRE_PROGS];
	uint64_t sum = 0;

	list_copies(c, copies);
	for (int p = 0; p < WIRE_PROGS; p++) {
		uint64_t missed = info_of(copies[p].prog[0]).recursion_misses, taken = 0;

		for (int i = 0; missed && i < c->nr_cpus; i++)
			taken += __atomic_load_n(&c->cpus[i].nested[p], __ATOMIC_RELAXED);
		sum += missed > taken ? missed - taken : 0;
	}
	return sum;
}

static uint64_t sum_nested(const struct capture *c)
{
	uint64_t sum = 0;

	for (int i = 0; i < c->nr_cpus; i++) {
		for (int p = 0; p < WIRE_PROGS; p++)
			sum += __atomic_load_n(&c->cpus[i].nested[p], __ATOMIC_RELAXED);
	}
	return sum;
}

static void tell_losses(struct capture *c)
{
	tell_lost(c, WIRE_LOST_RING, sum_lost_ring(c), &c->lost_ring);
	tell_lost(c, WIRE_LOST_NESTED, sum_lost_nested(c), &c->lost_nested);
}

/* ---- load ---- */

/* Of a verifier's log, which comes as one message, the end says what is wrong. */
#define LINES_SHOWN	16

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text, *at, *next;
	unsigned int lines = 0;

	if (level == LIBBPF_DEBUG || log_level < LOG_VERBOSE)
		return 0;
	if (vasprintf(&text, fmt, args) < 0)
		return 0;
	for (at = text; *at; at++)
		lines += *at == '\n';
	for (at = text; *at; at = next + !!*next) {
		next = strchrnul(at, '\n');
		if (lines-- <= LINES_SHOWN || at == text)
			log_debug("libbpf: %.*s", (int)(next - at), at);
	}
	free(text);
	return 0;
}

void capture_set_log(void)
{
	libbpf_set_print(print_libbpf);
}

static void fill_ports(const struct wire_ports *ports, bool *all, uint64_t *bitmap)
{
	*all = !ports->len;
	for (uint32_t i = 0; i < ports->len; i++) {
		for (uint32_t p = ports->range[i].lo; p <= ports->range[i].hi; p++)
			bitmap[p / 64] |= 1ull << (p % 64);
	}
}

/* Without the guard nothing is skipped: no twins, and nothing to find for them. */
static int nr_copies(const struct features *f, const struct capture_config *config)
{
	if (!f->guard || config->debug_no_twin || config->census_only)
		return 1;
	return f->preempts ? WIRE_COPIES : 2;
}

static int leave_out_twins(struct capture *c)
{
	struct copies copies[WIRE_PROGS];
	int err = 0;

	if (c->nr_copies == 1)
		err = bpf_program__set_autoload(c->skel->progs.find_active, false);
	list_copies(c, copies);
	for (int p = 0; p < WIRE_PROGS; p++) {
		for (int i = c->nr_copies; i < WIRE_COPIES && !err; i++)
			err = bpf_program__set_autoload(copies[p].prog[i], false);
	}
	return err;
}

static struct bpf_program *iterator_of(const struct capture *c, enum wire_census_which which)
{
	switch (which) {
	case WIRE_CENSUS_LIVES:
		return c->skel->progs.on_socket;
	case WIRE_CENSUS_PORTS:
		return c->config->counts ? c->skel->progs.on_port_counted : c->skel->progs.on_port;
	case WIRE_CENSUS_LISTENERS:
		return c->skel->progs.on_listening;
	case WIRE_CENSUS_AGED:
		return c->skel->progs.on_aged;
	case WIRE_CENSUS_KINDS:
		break;
	}
	return NULL;
}

static bool counts(const struct capture *c)
{
	return c->config->counts && c->features.iter_tcp;
}

static int leave_out_iterators(struct capture *c)
{
	uint32_t wanted = c->features.iter_tcp ? c->config->censuses : 0;
	int err = 0;

	for (enum wire_census_which i = 0; i < WIRE_CENSUS_KINDS && !err; i++) {
		if (!(wanted >> i & 1))
			err = bpf_program__set_autoload(iterator_of(c, i), false);
	}
	if (!err)
		err = bpf_program__set_autoload(c->config->counts ? c->skel->progs.on_port :
						c->skel->progs.on_port_counted, false);
	if (!err)
		err = bpf_map__set_autocreate(c->skel->maps.counted, counts(c));
	/* Who has a port is nobody's question there. */
	if (!err && (!c->features.iter_owner || c->config->censuses == 1u << WIRE_CENSUS_PORTS))
		err = bpf_program__set_autoload(c->skel->progs.on_descriptor, false);
	return err;
}

/* Nothing is traced: no hook, no ring, no counters. */
static int leave_out_tracing(struct capture *c)
{
	struct bpf_map *const maps[] = {
		c->skel->maps.ring, c->skel->maps.slots, c->skel->maps.counters,
		c->skel->maps.cpus, c->skel->maps.percpu_probe,
	};
	struct copies copies[WIRE_PROGS];
	int err = 0;

	list_copies(c, copies);
	for (int p = 0; p < WIRE_PROGS && !err; p++)
		err = bpf_program__set_autoload(copies[p].prog[0], false);
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps) && !err; i++)
		err = bpf_map__set_autocreate(maps[i], false);
	return err;
}

/* Who uses a socket is asked only for a sink that wants owners. */
static int configure_owners(struct capture *c)
{
	const struct features *f = &c->features;
	struct synfin_bpf *skel = c->skel;
	bool wanted = c->config->owners;
	bool read = wanted && f->arguments[TRACEPOINT_READ];
	bool written = wanted && f->arguments[TRACEPOINT_WRITTEN];

	skel->rodata->wants_owners = wanted;
	skel->rodata->wants_processes = wanted && c->config->processes;
	skel->rodata->has_sk_storage = f->sk_storage;
	skel->rodata->has_task_btf = f->task_btf;
	skel->rodata->has_sock_from_file = f->sock_from_file;
	if (bpf_program__set_autoload(skel->progs.on_read, read) ||
	    bpf_program__set_autoload(skel->progs.on_written, written) ||
	    bpf_map__set_autocreate(skel->maps.seen_sockets, wanted && f->sk_storage) ||
	    bpf_map__set_autocreate(skel->maps.seen_addresses, wanted && !f->sk_storage) ||
	    bpf_map__set_autocreate(skel->maps.seen_processes, wanted && c->config->processes))
		return -errno;
	return 0;
}

/* Sixteen records a CPU are nothing to a large ring; in a small one each is looked at. */
static uint32_t wake_mask(uint32_t ring_size)
{
	return ring_size >= 1u << 20 ? 15 : 0;
}

static int configure_cgroups(struct capture *c)
{
	struct bpf_map *map = c->skel->maps.judged_cgroups;
	uint32_t limit = c->config->cgroups;

	c->skel->rodata->judges_cgroups = limit;
	if (bpf_map__set_autocreate(map, limit) ||
	    (limit && bpf_map__set_max_entries(map, limit)))
		return -errno;
	return 0;
}

static int configure(struct capture *c)
{
	const struct features *f = &c->features;
	const struct wire_scope *scope = &c->config->scope.sockets;
	struct synfin_bpf__rodata *ro = c->skel->rodata;
	struct synfin_bpf *skel = c->skel;
	uint32_t ring_size = c->config->ring_size;
	int err;

	ro->has_cookie = f->cookie;
	ro->preempts_programs = f->preempts;
	ro->retransmit_has_err = f->arguments[TRACEPOINT_RETRANSMIT] >= 3;
	ro->reset_has_reason = f->arguments[TRACEPOINT_SEND_RESET] >= 3;
	ro->kfree_skb_has_sk = f->arguments[TRACEPOINT_KFREE_SKB] >= 4;
	ro->scope_netns = scope->netns;
	ro->scope_family = scope->family;
	fill_ports(&scope->lports, (bool *)&ro->scope_lports_all, (uint64_t *)ro->scope_lports);
	fill_ports(&scope->rports, (bool *)&ro->scope_rports_all, (uint64_t *)ro->scope_rports);
	ro->scope_laddrs_all = !c->config->scope.laddrs.len;
	ro->scope_raddrs_all = !c->config->scope.raddrs.len;
	ro->wake_at = ring_size / 8;
	ro->wake_mask = wake_mask(ring_size);
	ro->nr_cpus = c->nr_cpus;
	ro->nr_slots = 1 + c->config->nr_apart;
	ro->debug_slow = c->config->debug_slow;
	if (getrandom((void *)&ro->sock_mask, sizeof(ro->sock_mask), 0) < 0)
		return -errno;
	if (bpf_map__set_max_entries(skel->maps.ring, ring_size) ||
	    bpf_map__set_max_entries(skel->maps.slots, ro->nr_slots) ||
	    bpf_map__set_max_entries(skel->maps.counters, c->nr_rows) ||
	    bpf_map__set_max_entries(skel->maps.cpus, c->nr_cpus) ||
	    bpf_map__set_autocreate(skel->maps.marks, f->preempts))
		return -errno;
	err = leave_out_iterators(c);
	if (!err && c->config->census_only)
		err = leave_out_tracing(c);
	if (!err)
		err = configure_owners(c);
	if (!err)
		err = configure_cgroups(c);
	return err ? err : leave_out_twins(c);
}

static int map_rows(const struct bpf_map *map, int prot, size_t row, int rows, size_t *size,
		    void *ret)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *p;

	*size = (row * rows + page - 1) / page * page;
	p = mmap(NULL, *size, prot, MAP_SHARED, bpf_map__fd(map), 0);
	if (p == MAP_FAILED)
		return -errno;
	*(void **)ret = p;
	return 0;
}

static int fill_slots(const struct capture *c)
{
	int err = 0;

	for (uint32_t i = 0; i < c->config->nr_apart && !err; i++) {
		uint32_t slot = i + 1;

		err = bpf_map_update_elem(bpf_map__fd(c->skel->maps.slots), &c->config->apart[i],
					  &slot, BPF_NOEXIST);
	}
	return err;
}

static int fill_addrs(const struct bpf_map *map, const struct wire_addrs *addrs)
{
	int err = 0;

	for (uint32_t i = 0; i < addrs->len && !err; i++) {
		const struct wire_prefix *p = &addrs->prefix[i];
		struct { uint32_t len; uint8_t addr[16]; } key = { .len = p->len };

		memcpy(key.addr, p->addr, sizeof(key.addr));
		err = bpf_map_update_elem(bpf_map__fd(map), &key, &p->wanted, BPF_ANY);
	}
	return err;
}

static int map_all(struct capture *c)
{
	int err;

	err = map_rows(c->skel->maps.counters, PROT_READ, sizeof(*c->counters), c->nr_rows,
		       &c->counters_size, &c->counters);
	if (err)
		return err;
	return map_rows(c->skel->maps.cpus, PROT_READ | PROT_WRITE, sizeof(*c->cpus), c->nr_cpus,
			&c->cpus_size, &c->cpus);
}

static void bpf_link_destroyp(struct bpf_link **link)
{
	bpf_link__destroy(*link);
}

static void capture_destroyp(struct capture **c)
{
	capture_destroy(*c);
}

static int load_all(struct capture *c)
{
	int err;

	c->skel = synfin_bpf__open();
	if (!c->skel)
		return -errno;
	err = configure(c);
	return err ? err : synfin_bpf__load(c->skel);
}

static int load_hastened(struct capture *c, const struct kernel_btf *btf)
{
	CLEANUP(iterators_end) struct iterators it;
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	int err;

	iterators_begin(&it, btf, &c->features);
	opts.btf_custom_path = *it.path ? it.path : NULL;
	c->skel = synfin_bpf__open_opts(&opts);
	if (!c->skel)
		return -errno;
	err = configure(c);
	if (!err)
		err = iterators_fill(&it, c->skel->obj);
	return err ? err : synfin_bpf__load(c->skel);
}

/* Should the short way not be to this libbpf's liking there is still the long one. */
static int load_iterators(struct capture *c, const struct kernel_btf *btf)
{
	int err = load_hastened(c, btf);

	if (!err || err == -EPERM || err == -ENOMEM || err == -EMFILE)
		return err;
	log_debug("libbpf has to read the kernel's BTF: %s", strerror(-err));
	synfin_bpf__destroy(TAKE(c->skel));
	return load_all(c);
}

int capture_open(const struct capture_config *config, const struct kernel_btf *btf,
		 const struct features *f, record_fn fn, void *ctx, struct capture **ret)
{
	CLEANUP(capture_destroyp) struct capture *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->config = config;
	c->features = *f;
	c->fn = fn;
	c->ctx = ctx;
	c->nr_copies = nr_copies(f, config);
	c->nr_cpus = cpus_possible();
	if (c->nr_cpus < 0)
		return c->nr_cpus;
	c->nr_rows = c->nr_cpus * (1 + config->nr_apart);
	err = config->census_only ? load_iterators(c, btf) : load_all(c);
	if (!err)
		err = fill_addrs(c->skel->maps.laddrs, &config->scope.laddrs);
	if (!err)
		err = fill_addrs(c->skel->maps.raddrs, &config->scope.raddrs);
	if (!err && !config->census_only)
		err = fill_slots(c);
	if (!err && !config->census_only)
		err = map_all(c);
	if (!err && counts(c))
		err = map_rows(c->skel->maps.counted, PROT_READ | PROT_WRITE, sizeof(*c->counted),
			       1, &c->counted_size, &c->counted);
	if (err)
		return err;
	*ret = TAKE(c);
	return 0;
}

void capture_destroy(struct capture *c)
{
	if (!c)
		return;
	if (c->counters)
		munmap(c->counters, c->counters_size);
	if (c->cpus)
		munmap(c->cpus, c->cpus_size);
	if (c->counted)
		munmap(c->counted, c->counted_size);
	ring_buffer__free(c->ring);
	synfin_bpf__destroy(c->skel);
	free(c);
}

/* ---- run ---- */

/* What is younger than the drain's clock was recorded after it began. */
static int on_record(void *ctx, void *data, size_t size)
{
	const struct wire_hdr *hdr = data;
	struct capture *c = ctx;

	c->drained += (size + BPF_RINGBUF_HDR_SZ + 7) & ~7u;
	if (!c->fn(c->ctx, data, size)) {
		c->enough = true;
		return -ECANCELED;
	}
	return hdr->ts_ns > c->now_ns ? -EAGAIN : 0;
}

static int open_iterator(struct bpf_program *prog, struct bpf_link **link, int *fd)
{
	*link = bpf_program__attach_iter(prog, NULL);
	if (!*link)
		return -errno;
	*fd = bpf_iter_create(bpf_link__fd(*link));
	return *fd < 0 ? -errno : 0;
}

/* Runs find_active: afterwards the twins know when those before them were skipped. */
static int find_active(struct capture *c)
{
	CLEANUP(bpf_link_destroyp) struct bpf_link *link = NULL;
	CLEANUP(cleanup_close) int fd = -1;
	struct copies copies[WIRE_PROGS];
	char unused[64];
	int err;

	list_copies(c, copies);
	for (int p = 0; p < WIRE_PROGS; p++)
		c->skel->bss->first_ids[p] = info_of(copies[p].prog[0]).id;
	err = open_iterator(c->skel->progs.find_active, &link, &fd);
	if (err)
		return err;
	return read(fd, unused, sizeof(unused)) < 0 ? -errno : 0;
}

static int attach_copies(struct capture *c, enum wire_prog prog)
{
	struct copies copies[WIRE_PROGS], *p = &copies[prog];

	list_copies(c, copies);
	for (int i = 0; i < c->nr_copies; i++) {
		*p->link[i] = bpf_program__attach(p->prog[i]);
		if (!*p->link[i])
			return -errno;
	}
	return 0;
}

/*
 * No twins: what is skipped, because a reader is interrupted by a softirq that
 * reads, is nobody's reading.
 */
static int attach_owners(struct capture *c)
{
	struct synfin_bpf *skel = c->skel;

	if (bpf_program__autoload(skel->progs.on_read)) {
		skel->links.on_read = bpf_program__attach(skel->progs.on_read);
		if (!skel->links.on_read)
			return -errno;
	}
	if (bpf_program__autoload(skel->progs.on_written)) {
		skel->links.on_written = bpf_program__attach(skel->progs.on_written);
		if (!skel->links.on_written)
			return -errno;
	}
	return 0;
}

/*
 * Those of events that came between the first and its twin; of any other none is needed.
 * Where programs are preempted it is: the last copy takes it away, or nobody.
 */
static void forget_marks(struct capture *c)
{
	for (int i = 0; i < c->nr_cpus; i++) {
		for (int p = 0; p < WIRE_PROGS; p++)
			__atomic_store_n(&c->cpus[i].mark[p], 0, __ATOMIC_RELAXED);
	}
}

/*
 * The first before its twins, in their order, and state transitions last: from the
 * first birth on everything about a connection is seen.
 */
static int attach(struct capture *c)
{
	int err = attach_owners(c);

	for (int p = WIRE_PROGS; !err && p--;)
		err = attach_copies(c, p);
	if (!c->features.preempts)
		forget_marks(c);
	return err;
}

int capture_start(struct capture *c, const struct kernel_btf *btf)
{
	int err = 0;

	if (c->config->census_only) {
		tell_start(c);
		tell_prefixes(c);
		tell_clock(c);
		return 0;
	}
	c->ring = ring_buffer__new(bpf_map__fd(c->skel->maps.ring), on_record, c, NULL);
	if (!c->ring)
		return -errno;
	tell_start(c);
	tell_clock(c);
	feature_reset_reasons(btf, tell_reason, c);
	if (c->nr_copies > 1)
		err = find_active(c);
	return err ? err : attach(c);
}

int capture_fd(const struct capture *c)
{
	return ring_buffer__epoll_fd(c->ring);
}

static void drain(struct capture *c)
{
	c->now_ns = clock_now(CLOCK_MONOTONIC);
	c->drained = 0;
	/* The first at once: whoever turns up unknown behind it is not older than the trace. */
	if (!c->lost_ring)
		tell_lost(c, WIRE_LOST_RING, sum_lost_ring(c), &c->lost_ring);
	ring_buffer__consume(c->ring);
	if (c->drained > c->state.ring_used)
		c->state.ring_used = c->drained;
}

bool capture_drain(struct capture *c, uint64_t next_deadline)
{
	if (c->config->census_only)
		return !c->enough;
	drain(c);
	if (!c->enough && next_deadline && next_deadline <= c->now_ns)
		tell_tick(c, c->now_ns);
	return !c->enough;
}

bool capture_is_quiet(const struct capture *c)
{
	return !c->drained;
}

int capture_judge_cgroup(struct capture *c, uint64_t id, enum wire_judged verdict)
{
	int fd = bpf_map__fd(c->skel->maps.judged_cgroups);
	uint8_t value = verdict;

	return verdict ? bpf_map_update_elem(fd, &id, &value, BPF_ANY) :
			 bpf_map_delete_elem(fd, &id);
}

/* ---- the census ---- */

static bool on_row(void *ctx, const void *rec, size_t len)
{
	hand_out(ctx, rec, len);
	return true;
}

/* Of many namespaces it takes a second: the ring is not to run over meanwhile. */
static void drain_between(void *ctx)
{
	struct capture *c = ctx;

	if (!c->enough)
		drain(c);
}

static struct census census_of(struct capture *c, enum wire_census_which which, bool owners)
{
	return (struct census){
		.netns = c->config->netns, .which = which, .sockets = iterator_of(c, which),
		.descriptors = owners && c->features.iter_owner ?
			       c->skel->progs.on_descriptor : NULL,
		.facts = which == WIRE_CENSUS_PORTS || which == WIRE_CENSUS_LISTENERS,
		.quiet = c->census_told || (which == WIRE_CENSUS_LIVES && !owners),
		.counted = c->counted, .hz = c->features.hz,
		.between = c->ring && !owners ? drain_between : NULL,
		.record = on_row, .ctx = c,
	};
}

int capture_census(struct capture *c, enum wire_census_which which, bool owners)
{
	const struct census census = census_of(c, which, owners);
	uint64_t begun_ns = clock_now(CLOCK_MONOTONIC);
	int err;

	if (!c->features.iter_tcp)
		return -EOPNOTSUPP;
	if (!census.quiet)
		c->census_told = true;
	err = census_run(&census, &c->state.censuses[which].left_out);
	c->state.censuses[which].ran = true;
	c->state.censuses[which].ok = !err;
	c->state.censuses[which].ended_ns = clock_now(CLOCK_MONOTONIC);
	c->state.censuses[which].took_ns = c->state.censuses[which].ended_ns - begun_ns;
	return err;
}

int capture_facts(struct capture *c, unsigned int *left_out)
{
	struct census census = census_of(c, WIRE_CENSUS_PORTS, false);

	census.sockets = NULL;
	return census_run(&census, left_out);
}

/* After a loss every life that is held has to be seen again, or it has ended. */
static void settle_doubts(struct capture *c)
{
	bool lost = c->doubted_ns;
	int err;

	c->doubted_ns = 0;
	c->wanted = false;
	err = capture_census(c, WIRE_CENSUS_LIVES, false);
	if (err && lost)
		log_info("records were lost, and what is still open cannot be counted off: %s",
			 strerror(-err));
	else if (err)
		log_debug("what is there cannot be counted off: %s", strerror(-err));
}

void capture_recount(struct capture *c)
{
	c->wanted = true;
}

void capture_recount_netns(struct capture *c, uint32_t netns)
{
	struct census census = census_of(c, WIRE_CENSUS_LIVES, false);
	unsigned int left_out;
	int err;

	if (!netns || !c->features.iter_tcp || c->enough)
		return;
	census.only = netns;
	err = census_run(&census, &left_out);
	if (err)
		log_debug("what is there cannot be counted off: %s", strerror(-err));
}

void capture_watch(struct capture *c)
{
	if (c->enough)
		return;
	if (!c->config->census_only)
		tell_losses(c);
	tell_clock(c);
	/* Not again and again while it rains losses. */
	if (c->wanted || (c->doubted_ns && clock_now(CLOCK_MONOTONIC) - c->doubted_ns > DOUBT_NS))
		settle_doubts(c);
}

static uint64_t end_time(uint64_t until_ns)
{
	return until_ns ? until_ns : clock_now(CLOCK_MONOTONIC);
}

/* What is left in the ring, and what was lost. */
static void end_tracing(struct capture *c)
{
	synfin_bpf__detach(c->skel);
	/* A program that runs still is done after one grace period. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	c->now_ns = UINT64_MAX;
	if (!c->enough)
		ring_buffer__consume(c->ring);
	if (!c->enough)
		tell_losses(c);
	if (!c->enough && c->doubted_ns)
		settle_doubts(c);
	log_debug("%llu hits of a program that was running already were taken by a twin",
		  (unsigned long long)sum_nested(c));
}

void capture_stop(struct capture *c, uint64_t until_ns)
{
	struct wire_end rec = { .hdr = header(WIRE_END, sizeof(rec), end_time(until_ns)) };

	if (!c->config->census_only) {
		end_tracing(c);
		rec.births = sum_births(c);
	}
	c->fn(c->ctx, &rec, sizeof(rec));
}
