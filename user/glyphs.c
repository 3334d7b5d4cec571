// SPDX-License-Identifier: GPL-2.0-or-later
#include "glyphs.h"

const struct glyphs glyphs_ascii = {
	.spark = { " ", ".", ":", "-", "=", "+", "*", "#", "@" },
	.full = "#", .empty = ".",
	.line = "-", .head = ">", .down = "|",
	.corner_top = ".", .corner_bottom = "'", .tee = "+",
	.top_left = ".", .bottom_left = "'", .bottom_tee = "'",
	.to = "->", .from = "<-",
	.cut = "~", .sorted_down = "v", .sorted_up = "^",
};

const struct glyphs glyphs_unicode = {
	.spark = { " ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587",
		   "\u2588" },
	.full = "\u2588", .empty = "\u2591",
	.line = "\u2500", .head = "\u25ba", .down = "\u2502",
	.corner_top = "\u2510", .corner_bottom = "\u2518", .tee = "\u251c",
	.top_left = "\u250c", .bottom_left = "\u2514", .bottom_tee = "\u2518",
	.to = "->", .from = "<-",
	.cut = "\u2026", .sorted_down = "\u25bc", .sorted_up = "\u25b2",
};
