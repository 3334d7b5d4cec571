// SPDX-License-Identifier: GPL-2.0-or-later
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

/*
 * A record reaches its reader within 100 ms, whatever the watermark.  Waking up is most
 * of what an idle host costs.
 */
#define TURN_NS		(50 * 1000 * 1000)
#define SLOW_TURN_NS	(80 * 1000 * 1000)
#define UNREAD_TURN_NS	(100 * 1000 * 1000)	/* where no record is written */
#define WATCH_NS	(1000 * 1000 * 1000)

static int watch(struct loop *l, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

int loop_watch(struct loop *l, int fd)
{
	return watch(l, fd, EPOLLIN);
}

static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP };

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals); i++) {
		struct sigaction old;

		/* nohup: what is ignored stays ignored */
		if (!sigaction(stop_signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaddset(&set, stop_signals[i]);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The first signal stops in good order; a second one kills, should that hang. */
static void on_signal(struct loop *l)
{
	struct signalfd_siginfo info;
	sigset_t set;

	if (read(l->signals, &info, sizeof(info)) != sizeof(info))
		return;
	l->stop = true;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals); i++)
		sigaddset(&set, stop_signals[i]);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void set_timer(int fd, long every_ns)
{
	const struct itimerspec every = { { 0, every_ns }, { 0, every_ns } };

	timerfd_settime(fd, 0, &every, NULL);
}

static int start_timer(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		set_timer(fd, TURN_NS);
	return fd;
}

void loop_deinit(struct loop *l)
{
	cleanup_close(&l->epoll);
	cleanup_close(&l->timer);
	cleanup_close(&l->signals);
	capture_destroy(l->capture);
}

static int open_all(struct loop *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = start_timer();
	l->signals = block_signals();
	if (l->epoll < 0 || l->timer < 0 || l->signals < 0)
		return -errno;
	/* A regular file cannot be polled, and needs not be. */
	l->out_is_pollable = l->out && !watch(l, STDOUT_FILENO, 0);
	return watch(l, l->timer, EPOLLIN) || watch(l, l->signals, EPOLLIN) ? -errno : 0;
}

int loop_init(struct loop *l, struct out *out)
{
	int err;

	*l = (struct loop){
		.out = out, .epoll = -1, .timer = -1, .signals = -1, .watched_ns = loop_now_ns(),
	};
	err = open_all(l);
	if (!err)
		return 0;
	log_error("cannot set up the event loop: %s", strerror(-err));
	return STATUS_ERROR;
}

/* Told to wait for stdout only while something is left for it. */
static void await_out(struct loop *l)
{
	bool wanted = l->out && l->out->len;
	struct epoll_event ev = { .events = wanted ? EPOLLOUT : 0, .data.fd = STDOUT_FILENO };

	if (!l->out_is_pollable || wanted == l->out_is_awaited)
		return;
	l->out_is_awaited = wanted;
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, STDOUT_FILENO, &ev);
}

uint64_t loop_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void dispatch(struct loop *l, const struct epoll_event *events, int nr)
{
	uint64_t expirations;
	ssize_t unused;

	for (int i = 0; i < nr; i++) {
		int fd = events[i].data.fd;

		if (fd == l->timer) {
			unused = read(l->timer, &expirations, sizeof(expirations));
			(void)unused;
		} else if (fd == l->signals) {
			on_signal(l);
		} else if (fd == STDOUT_FILENO && events[i].events & (EPOLLERR | EPOLLHUP)) {
			l->out->err = EPIPE;	/* its reader is gone */
			l->stop = true;
		}
	}
}

/* Slower turns while nothing happens and nothing falls due. */
static void set_pace(struct loop *l, uint64_t next_deadline, uint64_t now_ns)
{
	const long slow_ns = l->out ? SLOW_TURN_NS : UNREAD_TURN_NS;
	bool is_slow = capture_is_quiet(l->capture) &&
		       (!next_deadline || next_deadline > now_ns + slow_ns);

	if (is_slow == l->is_slow)
		return;
	l->is_slow = is_slow;
	set_timer(l->timer, is_slow ? slow_ns : TURN_NS);
}

void loop_turn(struct loop *l, uint64_t next_deadline)
{
	struct epoll_event events[8];
	uint64_t now_ns;
	int nr;

	await_out(l);
	nr = epoll_wait(l->epoll, events, sizeof(events) / sizeof(*events), -1);
	dispatch(l, events, nr);
	if (!capture_drain(l->capture, next_deadline))
		l->stop = true;
	now_ns = loop_now_ns();
	set_pace(l, next_deadline, now_ns);
	if (now_ns - l->watched_ns >= WATCH_NS) {
		capture_watch(l->capture);
		l->watched_ns = now_ns;
	}
	if (l->until_ns && now_ns >= l->until_ns)
		l->stop = true;
}

/* ---- starting ---- */

/* Maps, programs and links, each twice; the rest is little. */
#define DESCRIPTORS_NEEDED	64

/* Of a file that it could not open libbpf says anything but that. */
static int why_not(int err)
{
	struct rlimit files = {};

	getrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_cur < DESCRIPTORS_NEEDED ? -EMFILE : err;
}

static int cannot_trace(const struct features *f, int err)
{
	err = why_not(err);
	if (err == -EPERM && feature_lacks_memlock(f)) {
		log_error("cannot load the BPF programs: %s; on kernel %s their maps count as "
			  "locked memory: ulimit -l unlimited, or give it CAP_SYS_RESOURCE",
			  strerror(-err), f->release);
		return STATUS_NOT_PERMITTED;
	}
	if (err == -EPERM) {
		log_error("cannot load the BPF programs: %s; it takes CAP_BPF and CAP_PERFMON "
			  "in the first user namespace", strerror(-err));
		return STATUS_NOT_PERMITTED;
	}
	if (err == -EMFILE)
		log_error("cannot load the BPF programs: %s; allow it %d of them (ulimit -n)",
			  strerror(-err), DESCRIPTORS_NEEDED);
	else
		log_error("cannot load the BPF programs: %s; -v shows what the kernel said",
			  strerror(-err));
	return STATUS_ERROR;
}

static int check_features(struct kernel_btf *btf, struct features *f, bool traces)
{
	static const struct { const char *name; bool needed; } tracepoints[TRACEPOINT_MAX] = {
#define X(id, name, least, needed) { name, needed },
		TRACEPOINTS(X)
#undef X
	};
	const char *missing = feature_missing_capability();
	int err;

	if (missing) {
		log_error("cannot trace: %s is missing; run as root, or give it CAP_BPF and "
			  "CAP_PERFMON", missing);
		return STATUS_NOT_PERMITTED;
	}
	err = kernel_btf_open(btf);
	if (err == -ENOMEM || err == -EMFILE || err == -ENFILE) {
		log_error("cannot read the kernel's BTF, /sys/kernel/btf/vmlinux: %s; it takes "
			  "some 20 MB and a file descriptor", strerror(-err));
		return STATUS_ERROR;
	}
	if (err) {
		log_error("cannot trace: this kernel shows no BTF in /sys/kernel/btf/vmlinux (%s); "
			  "it needs CONFIG_DEBUG_INFO_BTF=y", strerror(-err));
		return STATUS_NO_FEATURE;
	}
	feature_probe(btf, f);
	for (int i = 0; i < TRACEPOINT_MAX && traces; i++) {
		if (f->arguments[i] || !tracepoints[i].needed)
			continue;
		log_error("cannot trace: kernel %s has no tracepoint %s as synfin knows it; "
			  "5.10 and newer have", f->release, tracepoints[i].name);
		return STATUS_NO_FEATURE;
	}
	return 0;
}

/* For tests of the losses themselves; not part of the interface. */
static uint32_t debug_number(const char *name)
{
	const char *text = secure_getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

int loop_start(struct loop *l, const struct options *opt, const struct capture_config *config,
	       record_fn fn, void *ctx)
{
	CLEANUP(kernel_btf_close) struct kernel_btf btf = {};
	int err;

	l->config = *config;
	l->config.netns = opt->netns;
	l->config.ring_size = opt->ring_size;
	if (!config->census_only)
		l->config.censuses |= 1u << WIRE_CENSUS_LIVES;
	l->config.debug_slow = debug_number("SYNFIN_DEBUG_SLOW");
	l->config.debug_no_twin = debug_number("SYNFIN_DEBUG_NO_TWIN");
	l->config.owners &= !debug_number("SYNFIN_DEBUG_NO_OWNERS");
	capture_set_log();
	err = check_features(&btf, &l->features, !config->census_only);
	if (err)
		return err;
	l->features.preempts |= debug_number("SYNFIN_DEBUG_PREEMPTS");
	err = capture_open(&l->config, &btf, &l->features, fn, ctx, &l->capture);
	if (!err)
		err = capture_start(l->capture, &btf);
	if (err)
		return cannot_trace(&l->features, err);
	if (config->census_only)
		return 0;
	err = watch(l, capture_fd(l->capture), EPOLLIN);
	if (err) {
		log_error("cannot poll the ring buffer: %s", strerror(-err));
		return STATUS_ERROR;
	}
	return 0;
}
