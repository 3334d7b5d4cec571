/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - formatting into a buffer of the caller's: the writers of the hot
 * path.  Nothing is allocated; what does not fit sets `full` and is cut, and the
 * caller decides.  Not terminated.  Pure.
 */
#ifndef SYNFIN_TEXT_H
#define SYNFIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	char *p, *end;
	bool full;
};

/* What was written is [buf, t.p). */
static inline struct text text_into(char *buf, size_t size)
{
	return (struct text){ .p = buf, .end = buf + size };
}

static inline void text_char(struct text *t, char c)
{
	if (t->p == t->end)
		t->full = true;
	else
		*t->p++ = c;
}

static inline void text_bytes(struct text *t, const char *bytes, size_t len)
{
	size_t room = t->end - t->p;

	if (len > room) {
		t->full = true;
		len = room;
	}
	memcpy(t->p, bytes, len);
	t->p += len;
}

/* The first len of TEXT_BLOCK bytes: where all of them fit, a copy without a loop. */
#define TEXT_BLOCK	32
static inline void text_block(struct text *t, const char *bytes, size_t len)
{
	if (t->end - t->p < TEXT_BLOCK) {
		text_bytes(t, bytes, len);
		return;
	}
	memcpy(t->p, bytes, TEXT_BLOCK);
	t->p += len;
}

void text_str(struct text *t, const char *s);
void text_uint(struct text *t, uint64_t u);
void text_int(struct text *t, int64_t i);
/* At least `digits` digits, zeros in front. */
void text_uint_padded(struct text *t, uint64_t u, unsigned int digits);
void text_hex16(struct text *t, uint64_t u);

/* 16 bytes in network order; family 4: ::ffff:a.b.c.d as a.b.c.d. */
void text_addr(struct text *t, const uint8_t *addr, unsigned int family);

/* Length of the UTF-8 character at p (RFC 3629: no surrogates, none too long), or 0. */
size_t text_utf8_len(const uint8_t *p, size_t left);

/* RFC 3339, UTC, nine digits, Z.  CLOCK_REALTIME nanoseconds. */
void text_time_utc(struct text *t, uint64_t ns);

/*
 * Any bytes as a JSON string with its quotes: control characters escaped,
 * bytes that are not UTF-8 replaced by U+FFFD.
 */
void text_json_string(struct text *t, const char *bytes, size_t len);

/*
 * Any bytes as a field of RFC 4180, in quotes where it needs them; "" is a text
 * that is known and empty.  CSV has no escapes: control characters (a line
 * break would split the record for line-wise tools) and bytes that are not
 * UTF-8 are replaced by U+FFFD.
 */
void text_csv_field(struct text *t, const char *bytes, size_t len);

/* Any bytes for a terminal: whatever is not printable ASCII as \xNN. */
void text_visible(struct text *t, const char *bytes, size_t len);

#endif
