// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   ```mermaid
 *   sequenceDiagram
 *       participant L as client 10.0.0.1:41234<br/>curl[812]
 *       participant R as server 10.0.0.2:443<br/>not seen
 *       Note left of L: SYN_SENT
 *       L->>R: SYN seq=J
 *       Note right of R: (SYN_RECV)
 *       R->>L: SYN,ACK seq=K ack=J+1, +0.429 ms
 *       L-->>R: ACK ack=K+1 (inferred)
 *   ```
 */
#include "mermaid.h"

#include <string.h>

#include "label.h"
#include "sentence.h"

#define NOTE_COLUMNS	60	/* a longer note is broken */
#define LABEL_SIZE	128

static const char lanes[] = { [LEFT] = 'L', [RIGHT] = 'R' };

/* What Mermaid takes for its own, or a browser, or the fence, as an entity. */
static void escaped(struct text *t, const char *s, size_t len)
{
	static const char special[] = "#;<>&\"`%\\{}";

	for (size_t i = 0; i < len; i++) {
		if (!strchr(special, s[i])) {
			text_char(t, s[i]);
			continue;
		}
		text_char(t, '#');
		text_uint(t, (unsigned char)s[i]);
		text_char(t, ';');
	}
}

/* Broken at blanks, as no renderer does it by itself. */
static void broken(struct text *t, const char *s, size_t len)
{
	size_t column = 0, word;

	for (size_t i = 0; i < len; i += word + 1) {
		const char *blank = memchr(s + i, ' ', len - i);

		word = blank ? (size_t)(blank - s) - i : len - i;
		if (column && column + 1 + word > NOTE_COLUMNS) {
			text_str(t, "<br/>");
			column = 0;
		} else if (column) {
			text_char(t, ' ');
		}
		escaped(t, s + i, word);
		column += word + 1;
	}
}

/* ---- above ---- */

static void participant(struct text *t, const struct ladder *l, enum lane lane)
{
	enum lane local = ladder_local(l);
	const struct view *v = l->ends[lane];
	const struct wire_tuple *tuple = &l->ends[local]->tuple;
	char comm[4 * WIRE_COMM_LEN];
	struct text visible = text_into(comm, sizeof(comm));
	uint16_t port = lane == local ? tuple->lport : tuple->rport;

	text_str(t, "    participant ");
	text_char(t, lanes[lane]);
	text_str(t, " as ");
	text_str(t, label_end(l, lane));
	text_str(t, tuple->family == 6 ? " [" : " ");
	text_addr(t, lane == local ? tuple->laddr : tuple->raddr, tuple->family);
	text_str(t, tuple->family == 6 ? "]:" : ":");
	if (port)
		text_uint(t, port);
	else
		text_char(t, '*');
	if (!v)
		text_str(t, "<br/>not seen");
	if (v && v->owner.from) {
		text_visible(&visible, v->owner.comm, strlen(v->owner.comm));
		text_str(t, "<br/>");
		escaped(t, comm, visible.p - comm);
		text_char(t, '[');
		text_uint(t, v->owner.pid);
		text_char(t, ']');
	}
	text_char(t, '\n');
}

/* ---- arrows ---- */

static void state(struct text *t, const struct arrow *a, enum lane lane)
{
	bool guess = a->flags & (lane == LEFT ? AR_GUESS_LEFT : AR_GUESS_RIGHT);

	if (!a->entered[lane])
		return;
	text_str(t, lane == LEFT ? "    Note left of L: " : "    Note right of R: ");
	text_str(t, guess ? "(" : "");
	label_state(t, a->entered[lane]);
	text_str(t, guess ? ")\n" : "\n");
}

static void label(struct text *t, const struct ladder *l, const struct arrow *a, bool absolute)
{
	char buf[LABEL_SIZE];
	struct text plain = text_into(buf, sizeof(buf));

	label_arrow(&plain, l, a, absolute);
	escaped(t, buf, plain.p - buf);
}

static const char *line_of(const struct arrow *a)
{
	if (a->flags & AR_ABSENT)
		return "--x";
	return arrow_is_inferred(a) ? "-->>" : "->>";
}

static void segment(struct text *t, const struct ladder *l, const struct arrow *a,
		    uint64_t last_ns, bool absolute)
{
	state(t, a, a->from);
	text_str(t, "    ");
	text_char(t, lanes[a->from]);
	text_str(t, line_of(a));
	text_char(t, lanes[a->from == LEFT ? RIGHT : LEFT]);
	text_str(t, ": ");
	label(t, l, a, absolute);
	if (arrow_is_inferred(a)) {
		text_str(t, " (inferred)");
	} else if (!(a->flags & AR_UNTIMED) && last_ns) {
		text_str(t, ", +");
		label_ms(t, a->at_ns > last_ns ? a->at_ns - last_ns : 0);
		text_str(t, " ms");
	}
	text_char(t, '\n');
	state(t, a, a->from == LEFT ? RIGHT : LEFT);
}

static void note(struct text *t, const struct ladder *l, const struct arrow *a, bool absolute)
{
	char buf[LABEL_SIZE];
	struct text plain = text_into(buf, sizeof(buf));

	label_arrow(&plain, l, a, absolute);
	if (a->kind == ARROW_TIME_WAIT) {
		text_str(t, a->from == LEFT ? "    Note left of L: " : "    Note right of R: ");
		text_str(t, "TIME_WAIT ");
	} else if (plain.p > buf) {
		text_str(t, "    Note over L,R: ");
	}
	if (plain.p > buf) {
		escaped(t, buf, plain.p - buf);
		text_char(t, '\n');
	}
	for (enum lane lane = LEFT; lane <= RIGHT; lane++)
		state(t, a, lane);
}

static unsigned int arrows(struct text *t, const struct telling *part, bool absolute)
{
	const struct ladder *l = part->ladder;
	uint64_t last_ns = 0;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < l->nr; i++) {
		const struct arrow *a = &l->arrows[i];

		if (!telling_has(part, a))
			continue;
		nr++;
		if (a->kind > ARROW_SEGMENT) {
			note(t, l, a, absolute);
			continue;
		}
		segment(t, l, a, last_ns, absolute);
		if (!(a->flags & AR_UNTIMED) && !arrow_is_inferred(a))
			last_ns = a->at_ns;
	}
	return nr;
}

static void verdict(struct text *t, const struct ladder *l)
{
	char buf[SENTENCE_MAX];
	struct text plain = text_into(buf, sizeof(buf));

	sentence_write(&plain, l);
	text_str(t, "    Note over L,R: ");
	broken(t, buf, plain.p - buf);
	text_char(t, '\n');
}

unsigned int mermaid_write(struct text *t, const struct telling *part, bool absolute)
{
	unsigned int nr;

	text_str(t, "```mermaid\nsequenceDiagram\n");
	for (enum lane lane = LEFT; lane <= RIGHT; lane++)
		participant(t, part->ladder, lane);
	nr = arrows(t, part, absolute);
	if (part->over)
		verdict(t, part->ladder);
	text_str(t, "```\n");
	return part->over ? nr + 1 : nr;
}
