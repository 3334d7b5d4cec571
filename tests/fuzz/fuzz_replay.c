// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any file given to --read: the whole way from its bytes to what is printed, in
 * every format.  The sum of its bytes chooses command and format.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "replay.h"
#include "screen.h"
#include "session.h"

static int file_with(const uint8_t *data, size_t size, char *path, size_t path_size)
{
	int fd = memfd_create("recording", 0);

	CLAIM(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, path_size, "/proc/self/fd/%d", fd);
	return fd;
}

static bool never_pause(void *ctx)
{
	return true;
}

/* Of the formats that the command has. */
static enum format format_of(enum command command, uint8_t choice)
{
	enum format format = choice % FORMAT_MAX;

	return cli_commands[command].formats >> format & 1 ? format : FORMAT_TABLE;
}

static void draw_one(void *ctx, const struct telling *t)
{
	CLAIM(draw_alone(ctx, t) <= DRAW_SIZE);
}

/* As somebody who looks at everything. */
static void look_at(struct session *s)
{
	static struct board board;
	struct draw draw = { .width = 80, .utf8 = true };
	struct grid grid = {};

	monitor_board(s->monitor, s->last_ns, &board);
	CLAIM(!draw_init(&draw) && !grid_resize(&grid, 120, 40));
	for (unsigned int i = 0; i < PANEL_MAX; i++) {
		struct look look = { .panel = i, .utf8 = i % 2 };

		screen_draw(&grid, &board, &look);
	}
	for (unsigned int i = 0; i < board.nr_troubles; i++)
		monitor_ladder(s->monitor, board.troubles[i].handle, 0, draw_one, &draw);
	for (unsigned int i = 0; i < board.nr_conns; i++)
		monitor_ladder(s->monitor, 0, board.conns[i].id, draw_one, &draw);
	for (unsigned int i = 0; i < grid.width * grid.height; i++)
		CLAIM(grid.cells[i].c >= ' ' && grid.cells[i].c != 0x7f);
	grid_deinit(&grid);
	draw_deinit(&draw);
}

static void run(struct replay *replay, uint8_t choice, int out)
{
	static const enum command commands[] = { CMD_TRACE, CMD_CONNS, CMD_EXPLAIN, CMD_TOP };
	enum command command = commands[choice % 4];
	const struct options opt = {
		.command = command, .format = format_of(command, choice / 4),
		.live = choice & 32, .existing = choice & 64,
		.color = choice & 128 ? COLOR_ALWAYS : COLOR_NEVER, .netns = "all",
		.quiet = true, .read_path = "recording",
	};
	const struct scope all = {};
	struct session s = {};

	CLAIM(!session_init(&s, &opt, &all, out, true));
	replay_run(replay, session_record, never_pause, &s);
	if (s.monitor) {
		monitor_walk(s.monitor);
		look_at(&s);
	}
	session_finish(&s);
	CLAIM(!s.out.err && !s.out.dropped && !s.out.len);
	CLAIM(!s.engine.conns.used);
	session_deinit(&s);
}

static uint8_t sum_of(const uint8_t *data, size_t size)
{
	uint8_t sum = 0;

	while (size--)
		sum += *data++;
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int out = -1;
	struct replay *replay;
	uint32_t version;
	char path[64];
	int fd;

	if (out < 0)
		out = open("/dev/null", O_WRONLY);
	fd = file_with(data, size, path, sizeof(path));
	if (!replay_open(path, &replay, &version)) {
		run(replay, sum_of(data, size), out);
		replay_destroy(replay);
	}
	close(fd);
	return 0;
}
