// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter_text.h"

#include <string.h>

#include "addrset.h"
#include "filter_state.h"

/* A set that has no name is a state A state B ... */
static void put_states(struct text *t, const char *word, uint32_t states)
{
	const char *blank = "";

	for (uint32_t left = states; left; left &= left - 1) {
		uint32_t one = filter_states_name(states) ? states : left & -left;

		text_str(t, blank);
		text_str(t, word);
		text_char(t, ' ');
		text_str(t, filter_states_name(one));
		blank = " ";
		if (one == states)
			return;
	}
}

static void put_prefix(struct text *t, const uint8_t *addr, unsigned int len)
{
	bool v4 = addr_is_v4(addr) && len >= ADDR_V4_BITS;

	text_addr(t, addr, v4 ? 4 : 6);
	if (len == 128)
		return;
	text_char(t, '/');
	text_uint(t, v4 ? len - ADDR_V4_BITS : len);
}

static void put_port_test(struct text *t, const struct filter_node *n)
{
	text_str(t, n->remote ? "dport " : "sport ");
	if (n->ports.lo == n->ports.hi)
		text_str(t, "= :");
	else
		text_str(t, n->ports.hi == 65535 ? ">= :" : "<= :");
	text_uint(t, n->ports.hi == 65535 ? n->ports.lo : n->ports.hi);
}

static void put_duration(struct text *t, uint64_t ns)
{
	bool whole = !(ns % 1000000000);

	text_uint(t, ns / (whole ? 1000000000 : 1000000));
	if (ns % 1000000) {
		text_char(t, '.');
		text_uint_padded(t, ns % 1000000, 6);
	}
	text_str(t, whole ? "s" : "ms");
}

/* inside: something is around it, so that states take parentheses. */
static void put_test(struct text *t, const struct filter_node *n, const char *state_word,
		     bool inside)
{
	switch ((enum filter_kind)n->kind) {
	case FILTER_ANY:
		text_str(t, "src *");
		break;
	case FILTER_ADDR:
		text_str(t, n->remote ? "dst " : "src ");
		put_prefix(t, n->addr, n->len);
		break;
	case FILTER_PORT:
		put_port_test(t, n);
		break;
	case FILTER_STATE:
		text_str(t, inside ? "( " : "");
		put_states(t, state_word, n->states);
		text_str(t, inside ? " )" : "");
		break;
	case FILTER_PID:
		text_str(t, "-p ");
		text_uint(t, n->pid);
		break;
	case FILTER_UID:
		text_str(t, "-u ");
		text_uint(t, n->uid);
		break;
	case FILTER_COMM:
		text_str(t, "--comm ");
		text_visible(t, n->comm, strlen(n->comm));
		break;
	case FILTER_FAILED:
		text_str(t, "--failed");
		break;
	case FILTER_SLOW:
		text_str(t, "--slow ");
		put_duration(t, n->slow_ns);
		break;
	case FILTER_NOT:
	case FILTER_AND:
	case FILTER_OR:
		break;
	}
}

static void put(const struct filter *f, unsigned int node, bool inside, struct text *t);

/* Operators associate to the left: on the right their own kind takes parentheses, too. */
static void put_operand(const struct filter *f, unsigned int node, bool parentheses,
			struct text *t)
{
	text_str(t, parentheses ? "( " : "");
	put(f, node, true, t);
	text_str(t, parentheses ? " )" : "");
}

static void put(const struct filter *f, unsigned int node, bool inside, struct text *t)
{
	const struct filter_node *n = &f->node[node];
	unsigned int kind = n->kind, a = f->node[n->a].kind, b = f->node[n->b].kind;

	if (kind == FILTER_NOT && a == FILTER_STATE) {
		put_test(t, &f->node[n->a], "exclude", inside);
	} else if (kind == FILTER_NOT) {
		text_str(t, "not ");
		put_operand(f, n->a, a == FILTER_AND || a == FILTER_OR, t);
	} else if (kind == FILTER_AND) {
		put_operand(f, n->a, a == FILTER_OR, t);
		text_str(t, " and ");
		put_operand(f, n->b, b == FILTER_OR || b == FILTER_AND, t);
	} else if (kind == FILTER_OR) {
		put_operand(f, n->a, false, t);
		text_str(t, " or ");
		put_operand(f, n->b, b == FILTER_OR, t);
	} else {
		put_test(t, n, "state", inside);
	}
}

void filter_text(const struct filter *f, unsigned int node, struct text *t)
{
	put(f, node, false, t);
}

/* ---- sets ---- */

void filter_text_ports(const struct wire_ports *ports, struct text *t)
{
	for (uint32_t i = 0; i < ports->len; i++) {
		text_str(t, i ? "," : "");
		text_uint(t, ports->range[i].lo);
		if (ports->range[i].lo == ports->range[i].hi)
			continue;
		text_char(t, '-');
		text_uint(t, ports->range[i].hi);
	}
}

void filter_text_addrs(const struct wire_addrs *addrs, struct text *t)
{
	for (uint32_t i = 0; i < addrs->len; i++) {
		const struct wire_prefix *p = &addrs->prefix[i];

		text_str(t, i ? ", " : "");
		text_str(t, p->wanted ? "" : "not ");
		put_prefix(t, p->addr, p->len);
	}
}
