// SPDX-License-Identifier: GPL-2.0-or-later
/* What top's screen shows of a board, and what keys do: no terminal is needed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "digest.h"
#include "panel.h"
#include "sample_events.h"
#include "screen.h"

static struct grid grid;
static struct board board;
static struct look look_at;

/* ---- a board ---- */

static struct board_trouble trouble_of(enum trouble_kind kind, uint32_t n)
{
	return (struct board_trouble){
		.kind = kind, .role = ROLE_ACTIVE, .outcome = OUTCOME_REFUSED,
		.err = ECONNREFUSED, .netns = 1, .handle = 100 + n, .id = n,
		.tuple = tuple_of(n), .count = 10 * n, .per_s = 1000 * n, .last_ns = T0,
		.handshake_ns = n * MSEC,
		.owner = { .pid = 812, .from = OWNER_CONNECT, .comm = "nginx" },
	};
}

static void busy_board(void)
{
	board = (struct board){
		.host = "db7", .scope = "all namespaces", .cpu = 123, .exact = true,
		.has_sockets = true, .has_places = true, .has_listeners = true,
		.start_ns = T0, .at_ns = T0 + 125 * SEC,
		.active_per_s = 298000, .passive_per_s = 14000, .failed_per_s = 2000,
		.listening = { 14, 3, 17 },
		.nr_troubles = 3, .nr_owners = 1, .nr_listeners = 1, .nr_spaces = 1,
		.nr_places = 1, .nr_conns = 1, .all_conns = 1,
	};
	board.sockets[TS_LISTEN] = 14;
	board.sockets[TS_ESTABLISHED] = 1234;
	board.sockets[TS_TIME_WAIT] = 28010;
	board.per_s[TS_CLOSE][TS_SYN_SENT] = 298000;
	board.per_s[TS_SYN_SENT][TS_CLOSE] = 2000;
	for (uint64_t i = 0; i < 40; i++)
		series_add(&board.rates[RATE_OPENS], i * 1000);
	for (uint32_t n = 1; n <= 3; n++)
		board.troubles[n - 1] = trouble_of(TROUBLE_FAILED, n);
	board.owners[0] = (struct board_owner){
		.comm = "nginx", .pid = 812, .open = 1234, .close_wait = 5, .where = "web.service",
	};
	board.listeners[0] = (struct board_listener){
		.tuple = tuple_of(1), .queue = 129, .limit = 128, .oldest_ns = BOARD_UNKNOWN,
	};
	board.spaces[0] = (struct board_space){
		.tuple = tuple_of(1), .used = 27000, .time_wait = 26000, .capacity = 28232,
		.full_in_ms = 12300,
	};
	board.conns[0] = (struct board_conn){
		.tuple = tuple_of(1), .state = TS_ESTABLISHED, .role = ROLE_PASSIVE, .id = 77,
		.start_ns = T0, .since_ns = T0 + SEC,
	};
	board.places[0] = (struct board_place){
		.netns = 1, .name = "web", .count = 28010, .limit = 65536, .per_s = 1204000,
		.left = { [10] = 5, [11] = 10 },
	};
}

static uint64_t marked(void)
{
	struct look_mark mark;

	look_marked(&look_at, &board, &mark);
	return mark.handle ? mark.handle : mark.id;
}

static void draw(unsigned int width, unsigned int height)
{
	assert_int_equal(grid_resize(&grid, width, height), 0);
	screen_draw(&grid, &board, &look_at);
}

static int begin(void **state)
{
	look_at = (struct look){};
	busy_board();
	return 0;
}

static int end(void **state)
{
	grid_deinit(&grid);
	return 0;
}

/* ---- what is seen ---- */

/* A line as ASCII, what is none as ?; valid until the next call. */
static const char *line(unsigned int y)
{
	static char buf[1024];
	unsigned int x;

	for (x = 0; x < grid.width; x++)
		buf[x] = grid_cell(&grid, x, y)->c < 0x7f ? grid_cell(&grid, x, y)->c : '?';
	while (x && buf[x - 1] == ' ')
		x--;
	buf[x] = 0;
	return buf;
}

static int find(const char *what)
{
	for (unsigned int y = 0; y < grid.height; y++) {
		if (strstr(line(y), what))
			return y;
	}
	return -1;
}

static void assert_seen(const char *what)
{
	if (find(what) >= 0)
		return;
	for (unsigned int y = 0; y < grid.height; y++)
		print_message("|%s\n", line(y));
	fail_msg("not on the screen: %s", what);
}

static enum ink ink_of(const char *what)
{
	int y = find(what);

	assert_true(y >= 0);
	return grid_cell(&grid, strstr(line(y), what) - line(y), y)->ink;
}

static void press(const char *keys)
{
	for (; *keys; keys++)
		look_press(&look_at, &board, *keys);
}

/* ---- tests: the picture ---- */

static void everything_that_matters_is_there_at_80x24(void **state)
{
	draw(80, 24);
	assert_string_equal(line(1), " opens         39/s ****#####@@@@@ active 298/s  passive 14/s"
				     "  failed 2/s");
	assert_seen(" retransmits    0/s");
	assert_seen("1 failed and slow  3");
	assert_seen("q quit  ? help  Tab list  / filter  s sort");
}

static void the_first_line_says_what_is_watched_and_what_was_lost(void **state)
{
	draw(80, 24);
	assert_non_null(strstr(line(0), "synfin top  all namespaces  "));
	assert_non_null(strstr(line(0), "up 2m05s  cpu 1.2%  nothing lost"));
	board.lost[LOST_RING] = 120;
	draw(80, 24);
	assert_non_null(strstr(line(0), "LOST 120 ring"));
	assert_int_equal(ink_of("LOST"), INK_FAILURE);
}

static void the_states_are_a_diagram_with_counts_and_flow(void **state)
{
	draw(80, 24);
	assert_string_equal(line(5),
		" LISTEN       14 -   0/s-> SYN_RECV     0 -   0/s-.");
	assert_string_equal(line(6),
		"                                                  +-> ESTABLISHED  1.2k");
	assert_string_equal(line(7),
		" CLOSE           - 298/s-> SYN_SENT     0 -   0/s-'        |");
	assert_string_equal(line(8),
		" .---------------------------------------------------------'");
	assert_string_equal(line(9),
		" +-   0/s-> FIN_WAIT1     0 -   0/s-> FIN_WAIT2     0 -   0/s-> TIME_WAIT   28k");
	assert_string_equal(line(10),
		" |                          '   0/s-> CLOSING       0 -   0/s---'");
	assert_string_equal(line(11),
		" '-   0/s-> CLOSE_WAIT    0 -   0/s-> LAST_ACK      0 -   0/s-> CLOSE");
	assert_string_equal(line(12), " else to CLOSE  SYN_SENT 2/s");
}

static void what_is_not_known_is_no_zero(void **state)
{
	board.has_sockets = false;
	board.rates[RATE_OPENS].nr = 0;
	draw(80, 24);
	assert_seen(" opens            -");
	assert_seen("active -  passive -  failed -");
	assert_string_equal(line(6),
		"                                                  +-> ESTABLISHED     ?");
	assert_string_equal(line(12), " else to CLOSE");
	assert_non_null(strstr(line(5), "LISTEN        ?"));
}

static void the_worst_stands_above_the_lists(void **state)
{
	draw(80, 24);
	assert_seen(" TIME_WAIT  28k of 65k #####..... 42%  left 0s|          =@|60s");
	assert_seen(" ports      10.0.0.1 -> 10.0.0.2:443 ########## 95% of 28k ports, "
		    "full in 12.3s");
	assert_seen(" listeners  10.0.0.1:40001 accept queue 129 of 128, FULL  dropped so far 17");
	assert_int_equal(ink_of("95%"), INK_FAILURE);
	assert_int_equal(ink_of(", full in"), INK_WARNING);
}

static void every_list_comes_to_the_front(void **state)
{
	static const char *const seen[] = {
		"ECONNREFUSED         -> 10.0.0.2:443", "nginx[812]",
		"10.0.0.1:40001                 129 full", "10.0.0.1 -> 10.0.0.2:443",
		"namespace  web", "ESTABLISHED <- 10.0.0.2:443",
	};

	for (unsigned int i = 0; i < PANEL_MAX; i++) {
		press((char[]){ '1' + i, 0 });
		draw(80, 24);
		assert_seen(seen[i]);
		assert_non_null(strstr(line(16), panels[i].title));
		press("\t");
		assert_int_equal(look_at.panel, (i + 1) % PANEL_MAX);
	}
}

static void a_bigger_terminal_shows_more_lists(void **state)
{
	draw(80, 24);
	assert_true(find("5 TIME_WAIT") < 0);
	draw(200, 50);
	for (unsigned int i = 0; i < PANEL_MAX; i++) {
		char title[40];

		snprintf(title, sizeof(title), "%u %s", i + 1, panels[i].title);
		assert_seen(title);
	}
	draw(140, 50);
	press("2");
	draw(140, 50);
	assert_seen("web.service");	/* a column that 80 have no room for */
}

static void nothing_is_drawn_outside_of_any_size(void **state)
{
	for (unsigned int width = 1; width < 260; width += 7) {
		for (unsigned int height = 1; height < 70; height += 3) {
			look_at.utf8 = width % 2;
			look_at.panel = height % PANEL_MAX;
			draw(width, height);	/* the sanitizers watch */
			if (width > 10 && (width < SCREEN_WIDTH || height < SCREEN_HEIGHT))
				assert_int_equal(strncmp(line(0), "too small:", 10), 0);
		}
	}
}

static void too_small_a_terminal_is_told_what_it_takes(void **state)
{
	draw(63, 24);
	assert_string_equal(line(0), "too small: 63x24, top takes 64x18");
	draw(64, 17);
	assert_string_equal(line(0), "too small: 64x17, top takes 64x18");
	draw(64, 18);
	assert_seen("1 failed and slow  3");
	assert_seen("ESTABLISHED 1.2k +0");
	assert_seen("nothing lost");
}

static void without_utf8_there_is_ascii_only(void **state)
{
	draw(200, 50);
	for (unsigned int i = 0; i < grid.width * grid.height; i++)
		assert_true(grid.cells[i].c < 0x7f);
	look_at.utf8 = true;
	draw(200, 50);
	assert_int_equal(grid_cell(&grid, 1, 1)->c, 'o');
	assert_true(find("?") >= 0);	/* as line() has what is no ASCII */
}

static void a_name_cannot_speak_to_the_terminal(void **state)
{
	memcpy(board.troubles[2].owner.comm, "\033[2Jevil\x9b\n", 11);
	memcpy(board.owners[0].comm, "a\033]0;b\a", 8);
	memcpy(board.places[0].name, "\033cnet", 6);
	for (unsigned int i = 0; i < PANEL_MAX; i++) {
		look_at.panel = i;
		draw(200, 50);
		for (unsigned int c = 0; c < grid.width * grid.height; c++)
			assert_true(grid.cells[c].c >= ' ' && grid.cells[c].c != 0x7f &&
				    !(grid.cells[c].c >= 0x80 && grid.cells[c].c < 0xa0));
	}
	assert_seen("\\x1b[2J");
	assert_seen("a\\x1b]0;b\\x07[812]");
}

static void a_grid_takes_nothing_but_printable_characters(void **state)
{
	assert_int_equal(grid_resize(&grid, 10, 1), 0);
	grid_bytes(&grid, INK_PLAIN, "\033\x07\xc2\x9b\xff\xe2\x82\xac" "a", 9);
	assert_string_equal(line(0), "?????a");	/* the euro sign is line()'s ? */
	assert_int_equal(grid_cell(&grid, 4, 0)->c, 0x20ac);
	assert_int_equal(grid_cell(&grid, 0, 0)->c, '?');
}

static void what_is_too_long_keeps_both_ends(void **state)
{
	struct wire_tuple *t = &board.troubles[2].tuple;

	t->family = 6;
	memset(t->raddr, 0xab, 16);
	draw(80, 24);
	assert_seen("-> [abab:a~b:abab]:443");
}

/* ---- tests: keys ---- */

static unsigned int first_line_of(enum panel_id id)
{
	struct panel_lines lines;

	panel_lines(&look_at, id, &board, &lines);
	assert_true(lines.nr > 0);
	return lines.index[0];
}

static void what_fails_most_often_now_comes_first(void **state)
{
	board.troubles[0] = trouble_of(TROUBLE_SLOW, 9);
	board.troubles[1].last_ns = board.at_ns;
	assert_int_equal(first_line_of(PANEL_TROUBLES), 2);
}

static void s_sorts_and_r_turns_it_round(void **state)
{
	press("s");	/* by COUNT, the first that can be sorted by */
	assert_int_equal(first_line_of(PANEL_TROUBLES), 2);
	press("r");
	assert_int_equal(first_line_of(PANEL_TROUBLES), 0);
	draw(80, 24);
	assert_seen("^COUNT");
	press("S");
	assert_int_equal(look_at.sort[PANEL_TROUBLES], 0);
	press("SsssssssssSS");	/* never a column that has no order */
	assert_true(!look_at.sort[PANEL_TROUBLES] ||
		    panels[PANEL_TROUBLES].columns[look_at.sort[PANEL_TROUBLES] - 1].key);
}

static void a_filter_works_while_it_is_typed(void **state)
{
	board.troubles[1].tuple.rport = 5432;
	press("/543");
	draw(80, 24);
	assert_seen("1 failed and slow  1 of 3");
	assert_seen("10.0.0.2:5432");
	press("9");
	draw(80, 24);
	assert_seen("no line has what the filter wants");
	look_press(&look_at, &board, LOOK_BACKSPACE);
	press("\n");	/* kept */
	assert_false(look_at.typing);
	draw(80, 24);
	assert_seen("/543  filters; Esc drops it");
	press("q");	/* a command again */
	look_press(&look_at, &board, LOOK_ESCAPE);
	assert_int_equal(look_at.len, 0);
}

static void what_is_typed_into_a_filter_is_no_command(void **state)
{
	look_press(&look_at, &board, '/');
	assert_int_equal(look_press(&look_at, &board, 'q'), LOOK_DONE);
	assert_string_equal(look_at.filter, "q");
	for (unsigned int i = 0; i < 2 * LOOK_FILTER; i++)
		look_press(&look_at, &board, 'x');
	assert_int_equal(strlen(look_at.filter), LOOK_FILTER - 1);
	assert_int_equal(look_press(&look_at, &board, LOOK_ESCAPE), LOOK_DONE);
	assert_int_equal(look_press(&look_at, &board, 'q'), LOOK_QUIT);
}

static void a_line_stays_marked_when_others_overtake_it(void **state)
{
	for (unsigned int i = 0; i < 3; i++)
		board.troubles[i].tuple.rport = 100 + i;	/* or they have one name */
	look_press(&look_at, &board, LOOK_DOWN);
	assert_int_equal(marked(), 102);
	board.troubles[0].per_s = 99000;
	assert_int_equal(marked(), 102);
	look_press(&look_at, &board, LOOK_END);
	assert_int_equal(marked(), 102);	/* it has become the last */
	look_press(&look_at, &board, LOOK_HOME);
	assert_int_equal(marked(), 101);
}

static void enter_wants_the_ladder_of_what_is_marked(void **state)
{
	assert_int_equal(look_press(&look_at, &board, LOOK_ENTER), LOOK_EXPAND);
	assert_int_equal(marked(), 103);
	press("2");
	assert_int_equal(look_press(&look_at, &board, LOOK_ENTER), LOOK_DONE);
	assert_non_null(look_at.message);
	press("6");
	assert_int_equal(look_press(&look_at, &board, LOOK_ENTER), LOOK_EXPAND);
	assert_int_equal(marked(), 77);
	board.nr_troubles = 0;
	press("1");
	assert_int_equal(look_press(&look_at, &board, LOOK_ENTER), LOOK_DONE);
}

static void a_ladder_is_in_front_until_a_key_is_pressed(void **state)
{
	static const char text[] = "10.0.0.1 -> 10.0.0.2\nsecond line\n";

	look_at.ladder = text;
	look_at.ladder_len = sizeof(text) - 1;
	draw(80, 24);
	assert_string_equal(line(2), " 10.0.0.1 -> 10.0.0.2");
	assert_string_equal(line(3), " second line");
	assert_true(find("failed and slow") < 0);
	assert_int_equal(look_press(&look_at, &board, 'q'), LOOK_DONE);	/* closes it only */
	assert_null(look_at.ladder);
}

static void help_explains_every_list_and_scrolls(void **state)
{
	press("?");
	draw(80, 24);
	assert_seen("filter: only lines that contain what you type");
	look_press(&look_at, &board, LOOK_PAGE_DOWN);
	draw(80, 24);
	assert_true(look_at.scroll > 0);
	assert_seen("TIME_WAIT         each namespace's table");
	press("x");
	assert_false(look_at.help);
}

static void pause_is_told(void **state)
{
	press("p");
	assert_true(look_at.paused);
	draw(80, 24);
	assert_non_null(strstr(line(0), "PAUSED"));
	press(" ");
	assert_false(look_at.paused);
}

/* ---- tests: the digest ---- */

static void a_digest_is_ascii_and_fits_a_ticket(void **state)
{
	static char buf[DIGEST_SIZE + 1];
	struct text t = text_into(buf, DIGEST_SIZE);
	unsigned int column = 0;

	board.counts.transitions[TS_CLOSE][TS_SYN_SENT] = 37402;
	board.counts.outcomes[OUTCOME_REFUSED] = 60;
	board.counts.closes[CLOSE_FIN] = 37000;
	digest_write(&t, &board);
	assert_false(t.full);
	*t.p = 0;
	assert_non_null(strstr(buf, "synfin top on db7, all namespaces, 1970-01-01T00:18:45"));
	assert_non_null(strstr(buf, "opened       37402 active\n"));
	assert_non_null(strstr(buf, "failed       60 refused\n"));
	assert_non_null(strstr(buf, "37000 fin"));
	assert_non_null(strstr(buf, "lost         nothing; synfin itself took 1.23 % of a core\n"));
	assert_non_null(strstr(buf, "ECONNREFUSED"));
	assert_non_null(strstr(buf, "129 full"));
	for (const char *c = buf; c < t.p; c++) {
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
		column = *c == '\n' ? 0 : column + 1;
		assert_true(column <= DIGEST_WIDTH + 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
		T(the_first_line_says_what_is_watched_and_what_was_lost),
		T(everything_that_matters_is_there_at_80x24),
		T(the_states_are_a_diagram_with_counts_and_flow),
		T(what_is_not_known_is_no_zero),
		T(the_worst_stands_above_the_lists),
		T(every_list_comes_to_the_front),
		T(a_bigger_terminal_shows_more_lists),
		T(nothing_is_drawn_outside_of_any_size),
		T(too_small_a_terminal_is_told_what_it_takes),
		T(without_utf8_there_is_ascii_only),
		T(a_name_cannot_speak_to_the_terminal),
		T(a_grid_takes_nothing_but_printable_characters),
		T(what_is_too_long_keeps_both_ends),
		T(what_fails_most_often_now_comes_first),
		T(s_sorts_and_r_turns_it_round),
		T(a_filter_works_while_it_is_typed),
		T(what_is_typed_into_a_filter_is_no_command),
		T(a_line_stays_marked_when_others_overtake_it),
		T(enter_wants_the_ladder_of_what_is_marked),
		T(a_ladder_is_in_front_until_a_key_is_pressed),
		T(help_explains_every_list_and_scrolls),
		T(pause_is_told),
		T(a_digest_is_ascii_and_fits_a_ticket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
