// SPDX-License-Identifier: GPL-2.0-or-later
/* One object a line: {"time":"2026-11-21T02:00:00.123456789Z","v":1,"event":"state",...} */
#include "sink.h"

#include "value.h"

static const struct { char text[TEXT_BLOCK]; uint8_t len; } keys[F_MAX] = {
#define X(name, key, type, commands) [F_##name] = { ",\"" key "\":", sizeof(",\"" key "\":") - 1 },
	FIELDS
#undef X
};

static const struct value_form form = {
	.quote = '"', .open = '[', .between = ',', .close = ']', .text = text_json_string,
};

static void json_row(struct sink *s, struct text *t, const struct row *row)
{
	char *start = t->p;

	(void)s;
	for (unsigned int w = 0; w < ROW_WORDS; w++) {
		for (uint64_t bits = row->has[w]; bits; bits &= bits - 1) {
			enum field f = w * 64 + __builtin_ctzll(bits);

			text_block(t, keys[f].text, keys[f].len);
			value_write(t, &form, field_specs[f].type, &row->values[f]);
		}
	}
	*start = '{';	/* where the first key's comma is */
	text_char(t, '}');
}

const struct sink_ops sink_json = { .name = "json", .summary = true, .row = json_row };
