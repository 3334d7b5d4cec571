// SPDX-License-Identifier: GPL-2.0-or-later
#include "value.h"

#include <netinet/tcp.h>

#include "outline.h"
#include "tcp_state.h"

#define NSEC_PER_USEC	1000

static const struct { unsigned int flag; const char *text; } segment_flags[] = {
	{ TH_FIN, "fin" }, { TH_RST, "rst" }, { TH_ACK, "ack" }, { FIELD_FLAG_DATA, "data" },
};

static void mark(struct text *t, char c)
{
	if (c)
		text_char(t, c);
}

static void word(struct text *t, const struct value_form *form, const char *text)
{
	mark(t, form->quote);
	text_str(t, text);
	mark(t, form->quote);
}

static OUTLINE void states(struct text *t, const struct value_form *form, const struct value *v)
{
	mark(t, form->open);
	for (uint32_t i = 0; i < v->len; i++) {
		if (i)
			mark(t, form->between);
		word(t, form, tcp_state_name(v->states[i]));
	}
	mark(t, form->close);
}

static OUTLINE void numbers(struct text *t, const struct value_form *form, const struct value *v,
			    uint64_t unit)
{
	mark(t, form->open);
	for (uint32_t i = 0; i < v->len; i++) {
		if (i)
			mark(t, form->between);
		text_uint(t, v->list[i] / unit);
	}
	mark(t, form->close);
}

static OUTLINE void flags(struct text *t, const struct value_form *form, uint64_t set)
{
	bool first = true;

	mark(t, form->open);
	for (unsigned int i = 0; i < sizeof(segment_flags) / sizeof(*segment_flags); i++) {
		if (!(set & segment_flags[i].flag))
			continue;
		if (!first)
			mark(t, form->between);
		first = false;
		word(t, form, segment_flags[i].text);
	}
	mark(t, form->close);
}

void value_write(struct text *t, const struct value_form *form, enum field_type type,
		 const struct value *v)
{
	switch (type) {
	case FT_TIME:
		mark(t, form->quote);
		text_time_utc(t, v->u);
		mark(t, form->quote);
		break;
	case FT_UINT:
	case FT_US:
		text_uint(t, v->u);
		break;
	case FT_INT:
		text_int(t, v->i);
		break;
	case FT_SECONDS:
	case FT_MILLI:
		text_uint(t, v->u / 1000);
		text_char(t, '.');
		text_uint_padded(t, v->u % 1000, 3);
		break;
	case FT_MICRO:
		text_uint(t, v->u / 1000000);
		text_char(t, '.');
		text_uint_padded(t, v->u % 1000000, 6);
		break;
	case FT_BOOL:
		text_str(t, v->u ? "true" : "false");
		break;
	case FT_ID:
		mark(t, form->quote);
		text_hex16(t, v->u);
		mark(t, form->quote);
		break;
	case FT_TEXT:
		form->text(t, v->text, v->len);
		break;
	case FT_WORD:
		word(t, form, v->text);
		break;
	case FT_ADDR:
		mark(t, form->quote);
		text_addr(t, v->addr, v->len);
		mark(t, form->quote);
		break;
	case FT_STATES:
		states(t, form, v);
		break;
	case FT_US_LIST:
		numbers(t, form, v, NSEC_PER_USEC);
		break;
	case FT_COUNTS:
		numbers(t, form, v, 1);
		break;
	case FT_FLAGS:
		flags(t, form, v->u);
		break;
	}
}
