// SPDX-License-Identifier: GPL-2.0-or-later
#include "gauges.h"

#include <string.h>

#include "age.h"
#include "tcp_state.h"

#define PPB		1000000000ull

/* Of each namespace: that many spaces are not forgotten when there is no room for all. */
#define SPACES_KEPT	16

static const struct gauges_ports ports_unknown = {
	GAUGES_NOT_KNOWN, GAUGES_NOT_KNOWN, GAUGES_NOT_KNOWN,
};
static const struct gauges_close_wait close_wait_unknown = { GAUGES_NOT_KNOWN, GAUGES_NOT_KNOWN };

int gauges_init(struct gauges *g, uint64_t stale_ns, unsigned int top_k, struct conntab *conns)
{
	int err;

	*g = (struct gauges){
		.stale_ns = stale_ns, .conns = conns, .hz = 1000,
		.ports = ports_unknown, .close_wait = close_wait_unknown,
	};
	err = ports_init(&g->space);
	if (!err)
		err = netns_sums_init(&g->sums);
	if (!err)
		err = accept_queues_init(&g->queues);
	if (!err)
		err = tops_init(&g->tops, top_k);
	if (err)
		gauges_deinit(g);
	return err;
}

void gauges_deinit(struct gauges *g)
{
	ports_deinit(&g->space);
	netns_sums_deinit(&g->sums);
	accept_queues_deinit(&g->queues);
	tops_deinit(&g->tops);
}

/* ---- port space ---- */

static void lower(uint64_t *least, uint64_t value)
{
	if (value < *least)
		*least = value;
}

static void on_facts(struct gauges *g, const struct wire_netns_facts *facts)
{
	netns_sums_add(&g->sums, facts);
	if (facts->known >> WIRE_F_TW_LIMIT & 1)
		lower(&g->next_ports.tw_limit, facts->values[WIRE_F_TW_LIMIT]);
	ports_enter(&g->space, facts->hdr.netns, g->hz, facts);
	g->next_capacities += g->space.capacity;
}

/* Some of which nothing is known could be the fullest. */
static bool is_whole(const struct ports *p)
{
	return p->capacity && !p->rest;
}

static void leave_netns(struct gauges *g)
{
	struct gauges_ports *next = &g->next_ports;
	struct port_space *kept[SPACES_KEPT];
	uint64_t usage;

	ports_leave(&g->space, SPACES_KEPT, kept);
	tops_leave(&g->tops, &g->space);
	if (g->space.capacity)
		lower(&next->ports, g->space.capacity);
	if (!is_whole(&g->space)) {
		next->usage_ppb = GAUGES_NOT_KNOWN;
		return;
	}
	usage = ports_most_taken(&g->space) * PPB / g->space.capacity;
	if (usage > next->usage_ppb)	/* and so not if it is unknown */
		next->usage_ppb = usage;
}

static void on_mini(struct gauges *g, const struct wire_mini *mini)
{
	g->met_minis = true;
	ports_add_mini(&g->space, mini);
	tops_add_mini(&g->tops, mini);
}

static void on_port_event(struct gauges *g, const union event *ev)
{
	if (ev->hdr.kind == WIRE_NETNS_FACTS)
		on_facts(g, &ev->facts);
	else if (ev->hdr.kind == WIRE_SOCKET)
		ports_add_socket(&g->space, &ev->socket);
	else if (ev->hdr.kind == WIRE_MINI)
		on_mini(g, &ev->mini);
	else if (ev->hdr.kind == WIRE_CENSUS_END && ev->hdr.netns)
		leave_netns(g);
}

/* ---- CLOSE_WAIT ---- */

/* Since when, by the transition, if that was seen; else what the socket itself proves. */
static uint64_t age_of(struct gauges *g, const struct wire_aged *row)
{
	const uint64_t key = row->hdr.cookie ? row->hdr.cookie : row->hdr.sock;
	const struct conn *c = g->conns ? conntab_find(g->conns, key) : NULL;
	uint64_t age_ns = age_at_least(row, g->hz);

	if (age_ns == AGE_UNKNOWN)
		age_ns = 0;
	if (!c || c->stage != STAGE_OPEN || c->state != row->state || !c->since_ns ||
	    c->netns != row->hdr.netns || memcmp(&c->tuple, &row->tuple, sizeof(c->tuple)) ||
	    c->since_ns > row->hdr.ts_ns)
		return age_ns;
	return row->hdr.ts_ns - c->since_ns > age_ns ? row->hdr.ts_ns - c->since_ns : age_ns;
}

static void on_aged(struct gauges *g, const struct wire_aged *row)
{
	struct gauges_close_wait *next = &g->next_close_wait;
	uint64_t age_ns;

	if (row->state != TS_CLOSE_WAIT)
		return;
	age_ns = age_of(g, row);
	next->stale += age_ns >= g->stale_ns;
	if (age_ns > next->oldest_ns)
		next->oldest_ns = age_ns;
}

/* ---- the course of a census ---- */

void gauges_begin(struct gauges *g, enum wire_census_which which, uint64_t at_ns)
{
	g->in_census = true;
	g->which = which;
	g->begun_ns = at_ns;
	g->next_ports = ports_unknown;
	g->next_ports.usage_ppb = 0;
	g->next_capacities = 0;
	g->facts_only = false;
	g->next_close_wait = (struct gauges_close_wait){};
	if (which == WIRE_CENSUS_LISTENERS)
		accept_queues_begin(&g->queues);
	if (which != WIRE_CENSUS_PORTS)
		return;
	g->met_minis = false;
	ports_begin(&g->space, at_ns);
	tops_begin(&g->tops);
}

void gauges_begin_facts(struct gauges *g, uint64_t at_ns)
{
	g->in_census = g->facts_only = true;
	g->which = WIRE_CENSUS_PORTS;
	g->begun_ns = at_ns;
	g->next_ports = ports_unknown;
	g->next_capacities = 0;
}

bool gauges_would_keep(const struct gauges *g, enum wire_census_which which)
{
	if (which == WIRE_CENSUS_PORTS)
		return g->has_sums && g->capacities && !g->met_minis;
	return which == WIRE_CENSUS_LISTENERS && g->has_queues &&
	       accept_queues_are_empty(&g->queues);
}

void gauges_no_close_wait(struct gauges *g)
{
	g->close_wait = (struct gauges_close_wait){};
}

/* When it began is nothing that a stranger knows to the nanosecond. */
static void on_start(struct gauges *g, const struct wire_start *start)
{
	g->hz = start->hz;
	g->space.spaces.seed = g->space.pools.seed = start->hdr.ts_ns;
	tops_seed(&g->tops, start->hdr.ts_ns);
}

void gauges_feed(struct gauges *g, const union event *ev)
{
	if (ev->hdr.kind == WIRE_START)
		on_start(g, &ev->start);
	else if (!g->in_census || (g->facts_only && ev->hdr.kind != WIRE_NETNS_FACTS))
		return;
	else if (g->which == WIRE_CENSUS_PORTS)
		on_port_event(g, ev);
	else if (g->which == WIRE_CENSUS_AGED && ev->hdr.kind == WIRE_AGED)
		on_aged(g, &ev->aged);
	else if (g->which == WIRE_CENSUS_LISTENERS && ev->hdr.kind == WIRE_LISTENER)
		accept_queues_add(&g->queues, &ev->listener);
}

static void end_ports(struct gauges *g, bool whole)
{
	if (whole) {
		netns_sums_end_round(&g->sums);
		tops_end(&g->tops, g->begun_ns);
	}
	g->has_sums = g->has_tops = whole;
	g->capacities = whole ? g->next_capacities : 0;
	if (g->next_ports.ports == GAUGES_NOT_KNOWN)
		g->next_ports.usage_ppb = GAUGES_NOT_KNOWN;
	g->ports = whole ? g->next_ports : ports_unknown;
	ports_end(&g->space);
}

/* Of other capacities the shares that were counted off are others. */
static void end_facts(struct gauges *g, bool whole)
{
	if (whole)
		netns_sums_end_round(&g->sums);
	g->has_sums = whole;
	g->ports.tw_limit = whole ? g->next_ports.tw_limit : GAUGES_NOT_KNOWN;
	if (g->capacities != g->next_capacities)
		g->capacities = 0;
}

static void end_listeners(struct gauges *g, bool whole)
{
	if (whole)
		accept_queues_end(&g->queues);
	g->has_queues = whole;
}

void gauges_end(struct gauges *g, bool whole)
{
	if (g->facts_only)
		end_facts(g, whole);
	else if (g->which == WIRE_CENSUS_PORTS)
		end_ports(g, whole);
	else if (g->which == WIRE_CENSUS_AGED)
		g->close_wait = whole ? g->next_close_wait : close_wait_unknown;
	else if (g->which == WIRE_CENSUS_LISTENERS)
		end_listeners(g, whole);
	g->in_census = g->facts_only = false;
}

uint64_t gauges_counter(const struct gauges *g, enum wire_fact fact)
{
	return g->has_sums && g->sums.known >> fact & 1 ? g->sums.sums[fact] : GAUGES_NOT_KNOWN;
}
