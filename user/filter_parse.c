// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter_parse.h"

#include <errno.h>
#include <string.h>

#include "filter_host.h"
#include "filter_state.h"

#define DEPTH_MAX	64	/* of parentheses and nots: what recursion has to bear */

/* ---- words ---- */

enum token_kind {
	T_END, T_OPEN, T_CLOSE, T_NOT, T_AND, T_OR,
	T_EQ, T_NE, T_LT, T_GT, T_LE, T_GE,
	T_STATE, T_EXCLUDE, T_SRC, T_DST, T_SPORT, T_DPORT,
	T_DEV, T_FWMARK, T_CGROUP, T_AUTOBOUND,
	T_WORD,
};

struct token {
	enum token_kind kind;
	size_t at, len;
};

/* Those made of marks stand for themselves wherever they are; longer ones first. */
static const struct { const char *text; enum token_kind kind; } marks[] = {
	{ "&&", T_AND }, { "||", T_OR }, { "==", T_EQ }, { "!=", T_NE }, { "<=", T_LE },
	{ ">=", T_GE }, { "&", T_AND }, { "|", T_OR }, { "=", T_EQ }, { "!", T_NOT },
	{ "<", T_LT }, { ">", T_GT }, { "(", T_OPEN }, { ")", T_CLOSE },
}, keywords[] = {
	{ "and", T_AND }, { "or", T_OR }, { "not", T_NOT }, { "eq", T_EQ }, { "ne", T_NE },
	{ "neq", T_NE }, { "lt", T_LT }, { "gt", T_GT }, { "le", T_LE }, { "leq", T_LE },
	{ "ge", T_GE }, { "geq", T_GE }, { "state", T_STATE }, { "exclude", T_EXCLUDE },
	{ "excl", T_EXCLUDE }, { "src", T_SRC }, { "dst", T_DST }, { "sport", T_SPORT },
	{ "dport", T_DPORT }, { "dev", T_DEV }, { "fwmark", T_FWMARK },
	{ "cgroup", T_CGROUP }, { "autobound", T_AUTOBOUND },
};

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

struct parser {
	const char *text;
	struct token token;	/* the one that is looked at */
	unsigned int depth;
	filter_service_fn service;
	struct filter *filter;
	struct filter_error *error;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct token mark_at(const char *text, size_t at)
{
	for (size_t i = 0; i < COUNT(marks); i++) {
		size_t len = strlen(marks[i].text);

		if (!strncmp(text + at, marks[i].text, len))
			return (struct token){ marks[i].kind, at, len };
	}
	return (struct token){ T_END, at, 0 };
}

static struct token token_at(const char *text, size_t at)
{
	struct token ret;

	while (is_blank(text[at]))
		at++;
	ret = mark_at(text, at);
	if (ret.len || !text[at])
		return ret;
	ret.kind = T_WORD;
	while (text[at + ret.len] && !is_blank(text[at + ret.len]) &&
	       !mark_at(text, at + ret.len).len)
		ret.len++;
	for (size_t i = 0; i < COUNT(keywords); i++) {
		if (strlen(keywords[i].text) == ret.len &&
		    !strncmp(text + at, keywords[i].text, ret.len))
			ret.kind = keywords[i].kind;
	}
	return ret;
}

static struct token take(struct parser *p)
{
	struct token ret = p->token;

	p->token = token_at(p->text, ret.at + ret.len);
	return ret;
}

static bool take_if(struct parser *p, enum token_kind kind)
{
	if (p->token.kind != kind)
		return false;
	take(p);
	return true;
}

/* Of the first error; returns what a function that parses returns then. */
static int fail(struct parser *p, enum filter_problem problem, struct token token)
{
	*p->error = (struct filter_error){ problem, token.at, token.len };
	return -1;
}

/* ---- nodes: all that make one return its index, or -1 after fail() ---- */

static int add(struct parser *p, const struct filter_node *node, struct token token)
{
	int ret = filter_add(p->filter, node);

	return ret < 0 ? fail(p, FILTER_P_MANY, token) : ret;
}

static int join(struct parser *p, enum filter_kind kind, int a, int b, struct token token)
{
	return add(p, &(struct filter_node){ .kind = kind, .a = a, .b = b }, token);
}

static int negate(struct parser *p, int a, bool negated, struct token token)
{
	return a < 0 || !negated ? a : join(p, FILTER_NOT, a, 0, token);
}

/* ---- states ---- */

/* A run of state A, or of exclude A: those that it names. */
static uint32_t take_run(struct parser *p, enum token_kind kind)
{
	uint32_t states = 0, one;
	struct token name;

	while (take_if(p, kind)) {
		name = take(p);
		one = filter_states_named(p->text + name.at, name.len);
		if (!one) {
			fail(p, FILTER_P_STATE_NAME, name);
			return 0;
		}
		states |= one;
	}
	return states;
}

/* state A state B exclude C: (A or B) and not C.  The first excludes begin with all. */
static int parse_states(struct parser *p)
{
	struct token first = p->token;
	int ret = -1;

	while (p->token.kind == T_STATE || p->token.kind == T_EXCLUDE) {
		bool excludes = p->token.kind == T_EXCLUDE;
		struct filter_node node = { .kind = FILTER_STATE };
		int one;

		node.states = take_run(p, p->token.kind);
		if (!node.states)
			return -1;
		one = negate(p, add(p, &node, first), excludes, first);
		if (one < 0 || ret < 0)
			ret = one;
		else
			ret = join(p, excludes ? FILTER_AND : FILTER_OR, ret, one, first);
		if (ret < 0)
			return -1;
	}
	return ret;
}

/* ---- tests ---- */

static struct token take_operator(struct parser *p)
{
	if (p->token.kind >= T_EQ && p->token.kind <= T_GE)
		return take(p);
	return (struct token){ T_EQ, p->token.at, 0 };
}

static int add_addr(struct parser *p, const struct filter_host *host, bool remote,
		    struct token token)
{
	struct filter_node node = { .kind = FILTER_ADDR, .remote = remote, .len = host->len };

	memcpy(node.addr, host->addr, sizeof(node.addr));
	return add(p, &node, token);
}

static int add_ports(struct parser *p, uint16_t lo, uint16_t hi, bool remote, struct token token)
{
	return add(p, &(struct filter_node){ .kind = FILTER_PORT, .remote = remote,
					     .ports = { lo, hi } }, token);
}

/* By what stands there: an address, a port (which has been compared already), both, any. */
static int add_host(struct parser *p, const struct filter_host *host, int port, bool remote,
		    struct token token)
{
	int addr = -1;

	if (host->has_addr) {
		addr = add_addr(p, host, remote, token);
		if (addr < 0)
			return -1;
	}
	if (!host->has_addr && port < 0)
		return add(p, &(struct filter_node){ .kind = FILTER_ANY }, token);
	if (!host->has_addr || port < 0)
		return host->has_addr ? addr : port;
	return join(p, FILTER_AND, addr, port, token);
}

static int parse_addr_test(struct parser *p, bool remote)
{
	struct token op = take_operator(p), word = p->token;
	enum filter_problem problem;
	struct filter_host host;
	int port = -1;

	if (op.kind != T_EQ && op.kind != T_NE)
		return fail(p, FILTER_P_HOST_OPERATOR, op);
	if (word.kind < T_STATE)
		return fail(p, FILTER_P_ADDRESS, word);
	take(p);
	problem = filter_host_parse(p->text + word.at, word.len, false, p->service, &host);
	if (problem)
		return fail(p, problem, word);
	if (!host.has_addr && !host.has_port && op.kind == T_NE)
		return fail(p, FILTER_P_ADDRESS_ANY, word);
	if (host.has_port) {
		port = add_ports(p, host.port, host.port, remote, word);
		if (port < 0)
			return -1;
	}
	return negate(p, add_host(p, &host, port, remote, word), op.kind == T_NE, op);
}

static int parse_port_test(struct parser *p, bool remote)
{
	struct token op = take_operator(p), word = p->token;
	enum filter_problem problem;
	struct filter_host host;
	uint32_t lo, hi;
	int port = -1;

	if (word.kind < T_STATE)
		return fail(p, FILTER_P_PORT, word);
	take(p);
	problem = filter_host_parse(p->text + word.at, word.len, true, p->service, &host);
	if (problem)
		return fail(p, problem, word);
	if (!host.has_port && op.kind != T_EQ)
		return fail(p, FILTER_P_PORT_ANY, word);
	lo = op.kind == T_LT || op.kind == T_LE ? 1 : host.port + (op.kind == T_GT);
	hi = op.kind == T_GT || op.kind == T_GE ? 65535 : host.port - (op.kind == T_LT);
	if (host.has_port && lo > hi)
		return fail(p, FILTER_P_PORT_NONE, word);
	if (host.has_port) {
		port = add_ports(p, lo, hi, remote, word);
		if (port < 0)
			return -1;
	}
	return negate(p, add_host(p, &host, port, remote, word), op.kind == T_NE, op);
}

/* ---- expressions ---- */

static int parse_level(struct parser *p);

static int parse_group(struct parser *p)
{
	struct token open = take(p);
	int ret = parse_level(p);

	if (ret < 0)
		return -1;
	if (!take_if(p, T_CLOSE))
		return fail(p, FILTER_P_OPEN, open);
	return ret;
}

static int parse_unary(struct parser *p);

static int parse_not(struct parser *p)
{
	struct token token = take(p);

	return negate(p, parse_unary(p), true, token);
}

static int parse_test(struct parser *p)
{
	static const enum filter_problem problems[T_WORD + 1] = {
		[T_STATE] = FILTER_P_STATE_LATE, [T_EXCLUDE] = FILTER_P_STATE_LATE,
		[T_DEV] = FILTER_P_DEV, [T_FWMARK] = FILTER_P_FWMARK,
		[T_CGROUP] = FILTER_P_CGROUP, [T_AUTOBOUND] = FILTER_P_AUTOBOUND,
		[T_CLOSE] = FILTER_P_CLOSE,
	};
	struct token token = take(p);

	switch (token.kind) {
	case T_SRC:
	case T_DST:
		return parse_addr_test(p, token.kind == T_DST);
	case T_SPORT:
	case T_DPORT:
		return parse_port_test(p, token.kind == T_DPORT);
	default:
		break;
	}
	if (token.kind == T_CLOSE && p->depth > 1)	/* it does close something */
		return fail(p, FILTER_P_CONDITION, token);
	return fail(p, problems[token.kind] ?: FILTER_P_CONDITION, token);
}

static int parse_unary(struct parser *p)
{
	int ret;

	if (++p->depth > DEPTH_MAX)
		return fail(p, FILTER_P_DEEP, p->token);
	if (p->token.kind == T_OPEN)
		ret = parse_group(p);
	else
		ret = p->token.kind == T_NOT ? parse_not(p) : parse_test(p);
	p->depth--;
	return ret;
}

static bool ends_and_list(const struct parser *p)
{
	return p->token.kind == T_END || p->token.kind == T_CLOSE || p->token.kind == T_OR;
}

static int parse_and_list(struct parser *p)
{
	int ret = parse_unary(p), next;

	while (ret >= 0 && !ends_and_list(p)) {
		struct token token = p->token;

		take_if(p, T_AND);
		next = parse_unary(p);
		ret = next < 0 ? -1 : join(p, FILTER_AND, ret, next, token);
	}
	return ret;
}

/* joined: to states by an `and`, which an `or` behind it would make ambiguous. */
static int parse_or_list(struct parser *p, bool joined)
{
	int ret = parse_and_list(p), next;

	while (ret >= 0 && p->token.kind == T_OR) {
		struct token token = take(p);

		if (joined)
			return fail(p, FILTER_P_STATE_OR, token);
		next = parse_and_list(p);
		ret = next < 0 ? -1 : join(p, FILTER_OR, ret, next, token);
	}
	return ret;
}

/* All of it, or what stands in parentheses. */
static int parse_level(struct parser *p)
{
	struct token token = p->token;
	int states, rest;
	bool joined;

	if (token.kind != T_STATE && token.kind != T_EXCLUDE)
		return parse_or_list(p, false);
	states = parse_states(p);
	if (states < 0 || p->token.kind == T_END || p->token.kind == T_CLOSE)
		return states;
	if (p->token.kind == T_OR)
		return fail(p, FILTER_P_STATE_OR, p->token);
	joined = take_if(p, T_AND);
	rest = parse_or_list(p, joined);
	return rest < 0 ? -1 : join(p, FILTER_AND, states, rest, token);
}

int filter_parse(const char *text, filter_service_fn service, struct filter *ret,
		 struct filter_error *error)
{
	struct parser p = { .text = text, .token = token_at(text, 0), .service = service,
			    .filter = ret, .error = error };

	*ret = (struct filter){};
	*error = (struct filter_error){};
	if (p.token.kind == T_END)
		return 0;
	if (parse_level(&p) < 0)
		return -EINVAL;
	if (p.token.kind == T_END)
		return 0;
	fail(&p, FILTER_P_CLOSE, p.token);
	return -EINVAL;
}

bool filter_begins(const char *word)
{
	enum token_kind kind = token_at(word, 0).kind;

	return kind != T_END && kind != T_WORD;
}

const char *filter_problem_text(enum filter_problem problem)
{
	static const char *const texts[] = {
#define X(id, text, cure) [FILTER_P_##id] = text,
		FILTER_PROBLEMS(X)
#undef X
	};

	return texts[problem];
}

const char *filter_problem_cure(enum filter_problem problem)
{
	static const char *const cures[] = {
#define X(id, text, cure) [FILTER_P_##id] = cure,
		FILTER_PROBLEMS(X)
#undef X
	};

	return cures[problem];
}
