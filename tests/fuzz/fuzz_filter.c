// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text as a filter: it is understood or its fault is told where it is.  What is
 * understood reads back as the same, and the kernel's part of it rejects no socket
 * that it accepts: those are made of the bytes behind the text's NUL.
 */
#include <string.h>

#include "filter_bound.h"
#include "filter_parse.h"
#include "filter_text.h"
#include "fuzz.h"
#include "sample_filters.h"

#define TEXT_MAX	2048

static int service(const char *name)
{
	return strlen(name) == 4 ? 80 : -1;
}

static void check_error(const char *text, const struct filter_error *error)
{
	CLAIM(error->problem);
	CLAIM(filter_problem_text(error->problem) && filter_problem_cure(error->problem));
	CLAIM(error->at + error->len <= strlen(text));
}

static void check_text(const struct filter *f)
{
	static char buf[64 * TEXT_MAX];
	struct text t = text_into(buf, sizeof(buf) - 1);
	struct filter_error error;
	struct filter again;

	filter_text(f, f->len - 1, &t);
	CLAIM(!t.full);
	*t.p = 0;
	CLAIM(!filter_parse(buf, service, &again, &error) || error.problem == FILTER_P_DEEP);
	CLAIM(error.problem || is_same_filter(f, &again));
}

static void check_socket(const struct filter *f, const struct scope *scope, struct input *in)
{
	uint8_t how = take_byte(in);
	bool listener = how & 1;
	struct wire_tuple t = { .family = how & 2 ? 4 : 6 };
	struct filter_facts facts = { .tuple = &t, .listener = listener };
	uint64_t seed = 1 + take_byte(in);

	random_address(&seed, t.family == 4, t.laddr);
	random_address(&seed, t.family == 4, t.raddr);
	t.lport = take_byte(in);
	t.rport = listener ? 0 : take_byte(in);
	facts.states = take_byte(in) << 1;
	if (listener)
		memset(t.raddr + (t.family == 4 ? 12 : 0), 0, t.family == 4 ? 4 : 16);
	if (filter_match(f, &facts))
		CLAIM(listener ? scope_asks_for_listener(scope, 1, &t) : scope_has(scope, 1, &t));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct filter_error error = {};
	struct filter_bound bound;
	struct scope scope = {};
	char text[TEXT_MAX];
	struct input in;
	struct filter f;
	size_t len;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	len = strlen(text);
	in = (struct input){ data + len, size - len };
	if (filter_parse(text, service, &f, &error)) {
		check_error(text, &error);
		return 0;
	}
	CLAIM(f.len <= FILTER_NODES);
	if (!f.len)
		return 0;
	check_text(&f);
	bound = filter_bound(&f);
	filter_bound_scope(&bound, &scope);
	while (in.left)
		check_socket(&f, &scope, &in);
	return 0;
}
