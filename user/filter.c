// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter.h"

#include <string.h>

#include "addrset.h"
#include "report.h"

int filter_add(struct filter *f, const struct filter_node *node)
{
	if (f->len == FILTER_NODES)
		return -1;
	f->node[f->len] = *node;
	return f->len++;
}

int filter_join(struct filter *f, enum filter_kind kind, int a, int b)
{
	return filter_add(f, &(struct filter_node){ .kind = kind, .a = a, .b = b });
}

/* ---- the tests ---- */

static enum filter_answer answer(bool yes)
{
	return yes ? FILTER_YES : FILTER_NO;
}

static enum filter_answer ask_addr(const struct filter_node *n, const struct filter_facts *facts)
{
	const uint8_t *addr;

	if (facts->listener && n->remote)
		return FILTER_NO;
	if (!facts->tuple)
		return FILTER_MAYBE;
	addr = n->remote ? facts->tuple->raddr : facts->tuple->laddr;
	if (addr_is_unspecified(addr) && !facts->listener)
		return FILTER_MAYBE;
	return answer(addr_in_prefix(addr, n->addr, n->len));
}

static enum filter_answer ask_port(const struct filter_node *n, const struct filter_facts *facts)
{
	uint16_t port;

	if (facts->listener && n->remote)
		return FILTER_NO;
	if (!facts->tuple)
		return FILTER_MAYBE;
	port = n->remote ? facts->tuple->rport : facts->tuple->lport;
	if (!port)
		return FILTER_MAYBE;
	return answer(n->ports.lo <= port && port <= n->ports.hi);
}

static bool is_owner(const struct filter_node *n, const struct owner *o)
{
	if (!o || !o->from)
		return false;
	if (n->kind == FILTER_PID)
		return o->pid == n->pid;
	if (n->kind == FILTER_UID)
		return o->uid == n->uid;
	return !strcmp(o->comm, n->comm);
}

/* given: of the nodes before it. */
static enum filter_answer ask_node(const struct filter_node *n, const struct filter_facts *facts,
				   const uint8_t *given)
{
	switch ((enum filter_kind)n->kind) {
	case FILTER_ANY:
		break;
	case FILTER_ADDR:
		return ask_addr(n, facts);
	case FILTER_PORT:
		return ask_port(n, facts);
	case FILTER_STATE:
		return answer(facts->states & n->states);
	case FILTER_PID:
	case FILTER_UID:
	case FILTER_COMM:
		return answer(is_owner(n, facts->owner));
	case FILTER_FAILED:
		return answer(facts->failed);
	case FILTER_SLOW:
		return answer(facts->handshake_ns != UNKNOWN_NS &&
			      facts->handshake_ns > n->slow_ns);
	case FILTER_NOT:
		return FILTER_YES - given[n->a];
	case FILTER_AND:
		return given[n->a] < given[n->b] ? given[n->a] : given[n->b];
	case FILTER_OR:
		return given[n->a] > given[n->b] ? given[n->a] : given[n->b];
	}
	return FILTER_YES;
}

enum filter_answer filter_ask(const struct filter *f, const struct filter_facts *facts)
{
	uint8_t given[FILTER_NODES];

	if (!f->len)
		return FILTER_YES;
	for (unsigned int i = 0; i < f->len; i++)
		given[i] = ask_node(&f->node[i], facts, given);
	return given[f->len - 1];
}

bool filter_match(const struct filter *f, const struct filter_facts *facts)
{
	return filter_ask(f, facts) == FILTER_YES;
}
