// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The identities are kernel-facts 7.  Each function adds up what the trace has
 * to say about its row, so far:
 *
 *   plus   what the kernel must have counted,
 *   minus  what of it turned out not to be,
 *   maybe  what it may have counted in addition: the trace cannot tell.
 *
 * Each of the three only grows.
 */
#include "audit.h"

#include "mib.h"
#include "tcp_state.h"

struct sums {
	uint64_t plus, minus, maybe;
};

struct spec {
	const char *name;
	uint32_t kernel, others;	/* bits by enum audit_mib */
	enum tcp_state state;		/* of a conservation law */
	void (*add_up)(const struct spec *spec, const struct audit_netns *ns,
		       const struct audit_reading *r, struct sums *s);
};

#define ADD_UP(name)									\
	static void name(const struct spec *spec, const struct audit_netns *ns,		\
			 const struct audit_reading *r, struct sums *s)

static uint64_t moved(const struct audit_reading *r, enum tcp_state from, enum tcp_state to)
{
	return r->traced.transitions[from][to];
}

ADD_UP(active_opens)
{
	s->plus = moved(r, TS_CLOSE, TS_SYN_SENT);
	s->minus = r->traced.no_port;
}

ADD_UP(passive_opens)
{
	s->plus = moved(r, TS_LISTEN, TS_SYN_RECV);
}

/*
 * A RST or SYN that ends a request is a failed attempt without any event; it is an
 * embryonic reset, too.  But the reset that the kernel itself sends for a full
 * accept queue (tcp_abort_on_overflow) is an embryonic reset only.  A RST to a TFO
 * child is counted for the request and for the child, if that is in SYN_RECV still.
 */
ADD_UP(attempt_fails)
{
	uint64_t embryonic = r->mibs.values[MIB_EMBRYONIC_RSTS];

	s->plus = r->traced.attempt_fails + (ns->overflow_resets ? 0 : embryonic);
	s->maybe = (ns->overflow_resets ? embryonic : 0) + moved(r, TS_SYN_RECV, TS_CLOSE) +
		   moved(r, TS_SYN_RECV, TS_FIN_WAIT1);
}

ADD_UP(estab_resets)
{
	s->plus = moved(r, TS_ESTABLISHED, TS_CLOSE) + moved(r, TS_CLOSE_WAIT, TS_CLOSE);
}

/*
 * __tcp_retransmit_skb() counts before it transmits, and then those that did not go
 * out once more, apart.  SYN-ACKs of requests are counted only if they went out.
 */
ADD_UP(retrans_segs)
{
	for (int phase = 0; phase < WIRE_PHASES; phase++)
		s->plus += r->traced.retransmits[phase];
	s->plus += r->mibs.values[MIB_RETRANS_FAIL];
}

/* Of those that did not go out nobody says how many were SYNs. */
ADD_UP(syn_retrans)
{
	s->plus = r->traced.retransmits[WIRE_SYN] + r->traced.retransmits[WIRE_SYNACK_PHASE];
	s->maybe = r->mibs.values[MIB_RETRANS_FAIL];
}

/* tcp_send_active_reset() counts it even if there is no memory for it. */
ADD_UP(out_rsts)
{
	for (unsigned int i = 0; i < WIRE_RESET_REASONS; i++)
		s->plus += r->traced.resets_sent[i];
	s->maybe = r->mibs.values[MIB_ABORT_FAILED];
}

ADD_UP(time_wait_entries)
{
	s->plus = moved(r, TS_FIN_WAIT2, TS_TIME_WAIT) + moved(r, TS_CLOSING, TS_TIME_WAIT) +
		  r->traced.parked;
	s->minus = r->traced.unparked;
}

ADD_UP(flow)
{
	for (unsigned int other = 0; other < WIRE_STATES; other++) {
		if (other == spec->state)
			continue;
		s->plus += r->traced.transitions[other][spec->state];
		s->minus += r->traced.transitions[spec->state][other];
	}
}

static const struct spec specs[AUDIT_MAX] = {
#define KERNEL(id) (1u << MIB_##id)
#define X(id, name, kernel, others, state, add_up) \
	[AUDIT_##id] = { name, kernel, others, state, add_up },
	AUDIT_COUNTERS(X, KERNEL)
#undef X
#undef KERNEL
};

_Static_assert(MIB_MAX <= 32, "sets of counters are 32-bit masks");

void audit_read_mibs(const char *text, size_t len, struct audit_mibs *ret)
{
	static const char *const names[MIB_MAX] = {
#define X(id, name) name,
		AUDIT_MIBS(X)
#undef X
	};

	*ret = (struct audit_mibs){};
	for (int i = 0; i < MIB_MAX; i++) {
		if (!mib_find(text, len, names[i], &ret->values[i]))
			ret->known |= 1u << i;
	}
}

/* ---- the verdict ---- */

static bool knows(const struct audit_edge *e, uint32_t mibs)
{
	return !(mibs & ~(e->before.mibs.known & e->mibs.known & e->after.mibs.known));
}

static bool has_kernels_side(const struct spec *spec, const struct audit_netns *ns)
{
	if (ns->why)
		return false;
	if (spec->state)
		return ns->start.has_sockets && ns->end.has_sockets;
	return knows(&ns->start, spec->kernel) && knows(&ns->end, spec->kernel);
}

static uint64_t kernels_side(const struct spec *spec, const struct audit_edge *e)
{
	uint64_t sum = spec->state ? e->sockets[spec->state] : 0;

	for (int i = 0; i < MIB_MAX; i++)
		sum += spec->kernel >> i & 1 ? e->mibs.values[i] : 0;
	return sum;
}

/* Why there is nothing to hold it against; NULL: there is. */
static const char *why_not(enum audit_counter which, const struct audit_netns *ns,
			   const struct audit_kernel *kernel)
{
	const struct spec *spec = &specs[which];

	if (ns->why)
		return ns->why;
	if (spec->state && !has_kernels_side(spec, ns))
		return "its sockets could not be counted off";
	if (!knows(&ns->start, spec->kernel | spec->others) ||
	    !knows(&ns->end, spec->kernel | spec->others))
		return "this kernel has no such counter";
	if (which == AUDIT_OUT_RSTS && !kernel->announces_every_reset)
		return "up to 6.9 the kernel announces only the resets of full sockets";
	if (which == AUDIT_TIME_WAIT && !kernel->counts_tw_entries)
		return "up to 5.17 the kernel counts those that have ended";
	return NULL;
}

static struct sums add_up(const struct spec *spec, const struct audit_netns *ns,
			  const struct audit_reading *r)
{
	struct sums s = {};

	spec->add_up(spec, ns, r, &s);
	return s;
}

/*
 * At an edge the truth is at least plus as read before, less minus as read after,
 * and at most the other way round; over the run the two edges' doubts add up.
 */
static void compare(const struct spec *spec, const struct audit_netns *ns, struct audit_row *row)
{
	struct sums a = add_up(spec, ns, &ns->start.before), b = add_up(spec, ns, &ns->start.after);
	struct sums c = add_up(spec, ns, &ns->end.before), d = add_up(spec, ns, &ns->end.after);
	int64_t least = (c.plus - d.minus) - (b.plus - a.minus);
	int64_t most = (d.plus - c.minus) - (a.plus - b.minus) + (d.maybe - a.maybe);

	row->traced = (d.plus - d.minus) - (b.plus - b.minus);
	row->residual = row->kernel < least ? row->kernel - least :
			row->kernel > most ? row->kernel - most : 0;
}

void audit_judge(enum audit_counter which, const struct audit_netns *ns,
		 const struct audit_kernel *kernel, struct audit_row *ret)
{
	const struct spec *spec = &specs[which];

	*ret = (struct audit_row){
		.counter = spec->name, .why = why_not(which, ns, kernel),
		.has_kernel = has_kernels_side(spec, ns),
	};
	if (ret->has_kernel)
		ret->kernel = kernels_side(spec, &ns->end) - kernels_side(spec, &ns->start);
	if (!ret->why)
		compare(spec, ns, ret);
}
