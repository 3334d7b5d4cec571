// SPDX-License-Identifier: GPL-2.0-or-later
#include "top_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"
#include "locale_utf8.h"
#include "log.h"
#include "loop.h"
#include "privileges.h"
#include "resolver.h"
#include "recount.h"
#include "rounds.h"
#include "screen.h"
#include "stderr_hold.h"
#include "terminal.h"

#define NSEC_PER_SEC	1000000000ull
#define INTERVAL_NS	(1 * NSEC_PER_SEC)
#define FIRST_NS	(NSEC_PER_SEC / 4)	/* rates are wanted soon */
#define APART_NS	(2 * NSEC_PER_SEC)	/* censuses of one kind */
#define WALK_TIMES	200	/* of its own time that many apart: half a percent */
#define CENSUSES	(1u << WIRE_CENSUS_PORTS | 1u << WIRE_CENSUS_LISTENERS)

struct top {
	struct session *session;
	const struct options *opt;
	struct monitor *monitor;	/* the session's */
	struct loop loop;
	struct rounds rounds;
	struct recount recount;
	struct stderr_hold hold;
	uint64_t interval_ns, next_ns;	/* of pictures */
	uint64_t walk_ns;		/* when open sockets are counted off next */
	uint64_t cpu_ns, cpu_at_ns, begun_cpu_ns, begun_ns;
	bool on_terminal, is_open, dirty;

	struct board *board;		/* as it is shown */
	struct look look;
	struct grid grid;
	struct draw draw;		/* of the ladder that is shown */
};

/* ---- what is known ---- */

static uint64_t cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NSEC_PER_SEC +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ull;
}

static uint64_t cpu_share(uint64_t cpu, uint64_t time)
{
	return time ? cpu * 10000 / time : 0;
}

static void measure_cpu(struct top *t, uint64_t now_ns)
{
	uint64_t cpu = cpu_ns();

	t->monitor->board.cpu = cpu_share(cpu - t->cpu_ns, now_ns - t->cpu_at_ns);
	t->cpu_ns = cpu;
	t->cpu_at_ns = now_ns;
}

static void read_kernel(struct top *t)
{
	struct wire_counters counters;

	if (!t->monitor->config.exact)
		return;
	capture_counters_sum(t->loop.capture, &counters);
	monitor_kernel(t->monitor, &counters);
}

static void walk(struct top *t, uint64_t now_ns)
{
	uint64_t begun_ns = cpu_ns(), took_ns;

	if (now_ns < t->walk_ns)
		return;
	monitor_walk(t->monitor);
	took_ns = cpu_ns() - begun_ns;
	t->walk_ns = now_ns + took_ns * WALK_TIMES;
}

/* A picture is due. */
static void sample(struct top *t, uint64_t now_ns)
{
	read_kernel(t);
	walk(t, now_ns);
	measure_cpu(t, now_ns);
	monitor_sample(t->monitor, now_ns);
	if (!t->on_terminal) {
		if (t->opt->interval_ns)
			session_print_digest(t->session);
		return;
	}
	if (!t->look.paused)
		monitor_board(t->monitor, now_ns, t->board);
	t->dirty = true;
}

/* ---- keys and pictures ---- */

static void on_ladder(void *ctx, const struct telling *telling)
{
	struct top *t = ctx;

	t->draw.width = t->grid.width - 2;
	t->look.ladder_len = draw_alone(&t->draw, telling);
	t->look.ladder = t->draw.buf;
}

static void expand(struct top *t)
{
	struct look_mark mark;

	look_marked(&t->look, t->board, &mark);
	if (!t->draw.buf && draw_init(&t->draw))
		return;
	if (!monitor_ladder(t->monitor, mark.handle, mark.id, on_ladder, t))
		t->look.message = "its ladder was not kept: it is long over, was older than top, "
				  "or came in a crowd";
}

static void press(struct top *t, uint32_t key)
{
	bool was_paused = t->look.paused;

	switch (look_press(&t->look, t->board, key)) {
	case LOOK_QUIT:
		t->loop.stop = true;
		break;
	case LOOK_EXPAND:
		expand(t);
		break;
	case LOOK_REPAINT:
		terminal_repaint();
		break;
	case LOOK_DONE:
		break;
	}
	if (was_paused && !t->look.paused)
		monitor_board(t->monitor, loop_now_ns(), t->board);
	t->dirty = true;
}

static void resize(struct top *t)
{
	unsigned int width, height;

	terminal_size(&width, &height);
	if (grid_resize(&t->grid, width, height))
		t->loop.stop = true;
	t->dirty = true;
}

static void read_keys(struct top *t)
{
	bool resized = false;
	uint32_t key;

	if (!terminal_is_there()) {
		t->loop.stop = true;
		return;
	}
	while ((key = terminal_key(&resized)) != LOOK_NO_KEY)
		press(t, key);
	if (resized)
		resize(t);
}

static void show(struct top *t)
{
	if (!t->dirty || t->loop.stop)
		return;
	screen_draw(&t->grid, t->board, &t->look);
	t->dirty = !terminal_draw(&t->grid);
}

/* ---- the run ---- */

static void turn(struct top *t)
{
	struct loop *l = &t->loop;
	uint64_t now_ns;

	loop_turn(l, session_next_deadline(t->session));
	now_ns = loop_now_ns();
	capture_recount_netns(l->capture, session_doubt(t->session, now_ns));
	if (t->monitor->config.exact)
		recount_turn(&t->recount, now_ns);
	rounds_turn(&t->rounds, now_ns);
	if (now_ns >= t->next_ns) {
		sample(t, now_ns);
		t->next_ns += t->interval_ns;
		if (t->next_ns <= now_ns)	/* it was held up */
			t->next_ns = now_ns + t->interval_ns;
	}
	if (t->is_open) {
		read_keys(t);
		show(t);
	}
	session_flush(t->session);
}

/* What there is already, so that the first picture has it. */
static void count_off(struct top *t)
{
	const struct rounds_config rounds = { .censuses = CENSUSES, .apart_ns = APART_NS };
	struct capture *capture = t->loop.capture;
	struct wire_counters counters;
	struct capture_state state;
	int err = capture_census(capture, WIRE_CENSUS_LIVES, true);

	capture_drain(capture, 0);
	capture_state(capture, false, &state);
	capture_counters_sum(capture, &counters);
	if (err)
		log_debug("what existed before cannot be counted off: %s", strerror(-err));
	else if (!state.censuses[WIRE_CENSUS_LIVES].left_out && !t->session->engine.forgot)
		monitor_count_off(t->monitor, &counters);
	recount_begin(&t->recount, capture, &t->session->engine, &t->monitor->metrics);
	rounds_begin(&t->rounds, capture, &rounds);
}

static int open_terminal(struct top *t)
{
	const struct terminal_config config = {
		.color = t->session->sink.color, .utf8 = t->look.utf8,
	};
	const char *name = getenv("TERM");
	int err = terminal_open(&config);

	if (err) {
		log_error("cannot use the terminal: TERM is %s: %s; set one that terminfo knows, "
			  "like TERM=xterm, or print text with -d", name ? name : "not set",
			  err == -ENOTTY ? "not one that can be drawn on" : strerror(-err));
		return STATUS_ERROR;
	}
	t->is_open = true;
	stderr_hold_begin(&t->hold);
	loop_watch(&t->loop, STDIN_FILENO);
	resize(t);
	return 0;
}

static void close_terminal(struct top *t)
{
	if (!t->is_open)
		return;
	t->is_open = false;
	if (!terminal_is_there())
		t->session->out.err = EPIPE;	/* its reader is gone */
	terminal_close();
	stderr_hold_end(&t->hold);
}

static void say_tracing(const struct options *opt)
{
	if (!strcmp(opt->netns, "all"))
		log_info("tracing, for top, in all network namespaces; q or Ctrl-C stops");
	else
		log_info("tracing, for top, in network namespace %s; q or Ctrl-C stops",
			 opt->netns);
}

static void begin_clock(struct top *t)
{
	t->begun_ns = t->cpu_at_ns = loop_now_ns();
	t->begun_cpu_ns = t->cpu_ns = cpu_ns();
	read_kernel(t);
	walk(t, t->begun_ns);
	monitor_sample(t->monitor, t->begun_ns);
	monitor_board(t->monitor, t->begun_ns, t->board);
	t->next_ns = t->begun_ns + t->interval_ns;
	if (t->on_terminal && t->interval_ns > FIRST_NS)
		t->next_ns = t->begun_ns + FIRST_NS;
	t->dirty = true;
}

static int watch(struct top *t, const struct scope *scope, struct resolver *resolver)
{
	const struct capture_config config = {
		.scope = *scope, .owners = true, .censuses = CENSUSES,
		.processes = resolver_asks_for_processes(resolver),
	};
	const struct rest rest = privileges_rest(t->opt);
	int err;

	err = loop_start(&t->loop, t->opt, &config, resolver_record, resolver);
	if (err)
		return err;
	count_off(t);
	privileges_drop(&rest);
	t->loop.until_ns = t->session->until_ns;
	if (!t->session->enough)
		say_tracing(t->opt);
	if (t->on_terminal)
		err = open_terminal(t);
	if (err)
		return err;
	begin_clock(t);
	while (!t->loop.stop && !t->session->enough)
		turn(t);
	read_kernel(t);
	capture_stop(t->loop.capture, t->loop.until_ns && loop_now_ns() >= t->loop.until_ns ?
				      t->loop.until_ns : 0);
	read_kernel(t);
	t->monitor->board.cpu = cpu_share(cpu_ns() - t->begun_cpu_ns, loop_now_ns() - t->begun_ns);
	close_terminal(t);
	return 0;
}

/* ---- setup ---- */

static int check_terminal(const struct options *opt, bool *ret)
{
	*ret = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (*ret || opt->duration_ns || opt->interval_ns)
		return 0;
	log_error("top takes a terminal, and %s is none; run it in one (ssh -t), or give -d or -i "
		  "to have text", isatty(STDOUT_FILENO) ? "stdin" : "stdout");
	return STATUS_USAGE;
}

static void top_deinit(struct top *t)
{
	close_terminal(t);
	loop_deinit(&t->loop);
	grid_deinit(&t->grid);
	draw_deinit(&t->draw);
	free(t->board);
}

static void resolver_destroyp(struct resolver **r)
{
	resolver_destroy(*r);
}

int top_run(struct session *s, const struct options *opt, const struct scope *scope)
{
	const struct resolver_next next = { session_record, session_knows, s };
	CLEANUP(resolver_destroyp) struct resolver *resolver = NULL;
	CLEANUP(top_deinit) struct top t = {
		.session = s, .opt = opt, .monitor = s->monitor,
		.loop = { .epoll = -1, .timer = -1, .signals = -1 },
		.interval_ns = opt->interval_ns ? opt->interval_ns : INTERVAL_NS,
		.look.utf8 = locale_is_utf8(),
	};
	int err;

	err = check_terminal(opt, &t.on_terminal);
	if (err)
		return err;
	t.draw.utf8 = t.look.utf8;
	gethostname(s->monitor->board.host, sizeof(s->monitor->board.host) - 1);
	t.board = calloc(1, sizeof(*t.board));
	if (!t.board || resolver_create(&next, false, &resolver)) {
		log_error("cannot start: %s", strerror(ENOMEM));
		return STATUS_ERROR;
	}
	err = loop_init(&t.loop, t.on_terminal ? NULL : &s->out);
	return err ? err : watch(&t, scope, resolver);
}
