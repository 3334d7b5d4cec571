// SPDX-License-Identifier: GPL-2.0-or-later
#include "live.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "cleanup.h"
#include "log.h"

/* A record reaches its reader within 100 ms, whatever the watermark. */
#define TURN_NS		(50 * 1000 * 1000)
#define TURNS_A_WATCH	20

struct loop {
	int epoll, timer, signals;
	struct capture *capture;
	struct session *session;
	uint64_t until_ns;	/* CLOCK_MONOTONIC; 0: no limit */
	bool stop;
	bool out_is_pollable, out_is_awaited;
};

static int watch(struct loop *l, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP };

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(*stop_signals); i++)
		sigaddset(&set, stop_signals[i]);
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

static int start_timer(void)
{
	const struct itimerspec every = { { 0, TURN_NS }, { 0, TURN_NS } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

static void loop_deinit(struct loop *l)
{
	cleanup_close(&l->epoll);
	cleanup_close(&l->timer);
	cleanup_close(&l->signals);
	capture_destroy(l->capture);
}

static int loop_init(struct loop *l, struct session *s)
{
	*l = (struct loop){ .session = s, .epoll = -1, .timer = -1, .signals = -1 };
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = start_timer();
	l->signals = block_signals();
	if (l->epoll < 0 || l->timer < 0 || l->signals < 0)
		return -errno;
	/* A regular file cannot be polled, and needs not be. */
	l->out_is_pollable = !watch(l, STDOUT_FILENO, 0);
	return watch(l, l->timer, EPOLLIN) || watch(l, l->signals, EPOLLIN) ? -errno : 0;
}

/* Told to wait for stdout only while something is left for it. */
static void await_out(struct loop *l)
{
	bool wanted = l->session->out.len;
	struct epoll_event ev = { .events = wanted ? EPOLLOUT : 0, .data.fd = STDOUT_FILENO };

	if (!l->out_is_pollable || wanted == l->out_is_awaited)
		return;
	l->out_is_awaited = wanted;
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, STDOUT_FILENO, &ev);
}

static uint64_t now_ns(void)
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
			l->session->out.err = EPIPE;	/* its reader is gone */
			l->stop = true;
		}
	}
}

static void run(struct loop *l)
{
	struct epoll_event events[8];
	unsigned int turns = 0;

	while (!l->stop && !l->session->enough) {
		int nr = epoll_wait(l->epoll, events, sizeof(events) / sizeof(*events), -1);

		dispatch(l, events, nr);
		if (!capture_drain(l->capture, session_next_deadline(l->session)))
			l->stop = true;
		if (++turns % TURNS_A_WATCH == 0)
			capture_watch(l->capture);
		session_flush(l->session);
		await_out(l);
		if (l->until_ns && now_ns() >= l->until_ns)
			l->stop = true;
	}
}

/* ---- starting ---- */

static int cannot_trace(int err)
{
	log_error("cannot load the BPF programs: %s; -v shows what the kernel said",
		  strerror(-err));
	return err == -EPERM ? STATUS_NOT_PERMITTED : STATUS_ERROR;
}

static int check_features(struct features *f)
{
	static const char *const names[TRACEPOINT_MAX] = {
#define X(id, name, least) name,
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
	err = feature_probe(f);
	if (err) {
		log_error("cannot trace: this kernel shows no BTF in /sys/kernel/btf/vmlinux (%s); "
			  "it needs CONFIG_DEBUG_INFO_BTF=y", strerror(-err));
		return STATUS_NO_FEATURE;
	}
	for (int i = 0; i < TRACEPOINT_MAX; i++) {
		if (f->arguments[i])
			continue;
		log_error("cannot trace: kernel %s has no tracepoint %s as synfin knows it; "
			  "5.10 and newer have", f->release, names[i]);
		return STATUS_NO_FEATURE;
	}
	return 0;
}

static void say_tracing(const struct options *opt)
{
	const char *what = opt->command == CMD_CONNS ? "connections, each when it ends" :
						       "TCP events as they happen";

	if (!strcmp(opt->netns, "all"))
		log_info("tracing %s, in all network namespaces; Ctrl-C stops", what);
	else
		log_info("tracing %s, in network namespace %s; Ctrl-C stops", what, opt->netns);
}

/*
 * What existed before is told from what is born later, whose birth may be lost.
 * Wanted in the output it is a must.
 */
static int count_off(struct capture *c, bool existing)
{
	int err = capture_census(c, existing);

	if (err && existing) {
		log_error("--existing: cannot count off what is there: %s; it takes a kernel of "
			  "5.9 or newer", strerror(-err));
		return err == -EOPNOTSUPP ? STATUS_NO_FEATURE : STATUS_ERROR;
	}
	if (err)
		log_debug("what existed before cannot be counted off: %s", strerror(-err));
	return 0;
}

static int start(struct loop *l, const struct capture_config *config, bool existing)
{
	struct features f;
	int err;

	err = check_features(&f);
	if (err)
		return err;
	err = capture_open(config, &f, session_record, l->session, &l->capture);
	if (err)
		return cannot_trace(err);
	err = capture_start(l->capture);
	if (err)
		return cannot_trace(err);
	err = count_off(l->capture, existing);
	if (err)
		return err;
	err = watch(l, capture_fd(l->capture), EPOLLIN);
	if (err) {
		log_error("cannot poll the ring buffer: %s", strerror(-err));
		return STATUS_ERROR;
	}
	return 0;
}

/* For tests of the losses themselves; not part of the interface. */
static uint32_t debug_number(const char *name)
{
	const char *text = secure_getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

int live_run(struct session *s, const struct options *opt, const struct wire_scope *scope)
{
	const struct capture_config config = {
		.scope = *scope, .netns = opt->netns, .ring_size = opt->ring_size,
		.debug_slow = debug_number("SYNFIN_DEBUG_SLOW"),
		.debug_no_twin = debug_number("SYNFIN_DEBUG_NO_TWIN"),
	};
	CLEANUP(loop_deinit) struct loop l;
	int err;

	err = loop_init(&l, s);
	if (err) {
		log_error("cannot set up the event loop: %s", strerror(-err));
		return STATUS_ERROR;
	}
	err = start(&l, &config, opt->existing);
	if (err)
		return err;
	l.until_ns = s->until_ns;
	if (!s->enough)
		say_tracing(opt);
	session_flush(s);
	run(&l);
	/* Stopped by its time, the run ends there, and so does its recording. */
	capture_stop(l.capture, l.until_ns && now_ns() >= l.until_ns ? l.until_ns : 0);
	return STATUS_OK;
}
