// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey.h"

#include <string.h>

#include "fact.h"
#include "report_facts.h"
#include "scope.h"
#include "tcp_state.h"

#define NETNS_MAX	4096	/* as many as a census visits: netns.c */
#define NSEC_PER_MSEC	1000000ull

/* Entries into TIME_WAIT since the namespace was last told about. */
struct survey_rate {
	uint64_t netns;		/* key */
	uint64_t entered;
	uint64_t since_ns;	/* 0: never told */
};

struct survey_netns {
	uint64_t netns;		/* key */
	uint64_t listeners;
	struct wire_netns_facts facts;
};

/* ---- what is common to all ---- */

static void send(struct survey *s, struct report *r, uint64_t at_ns, uint32_t netns)
{
	r->at_ns = at_ns;
	r->clock_ns = s->clock_ns;
	r->netns = netns;
	r->netns_name = names_netns(s->config.names, netns);
	s->config.report(s->config.ctx, r);
}

static uint64_t fact_in(const struct wire_netns_facts *facts, enum wire_fact which)
{
	return fact_or(facts, which, UNKNOWN_COUNT);
}

static const struct wire_netns_facts *facts_here(const struct survey *s)
{
	return s->has_facts && s->facts.hdr.netns == s->netns ? &s->facts : NULL;
}

static bool in_scope(const struct survey *s, uint32_t netns, const struct wire_tuple *t)
{
	return scope_has(&s->config.scope, netns, t);
}

/* Of a socket that is only counted; whose it is nobody can tell. */
static bool is_asked_for(const struct survey *s, const struct wire_hdr *hdr,
			 const struct wire_tuple *t, enum tcp_state state)
{
	const struct filter_facts facts = { .tuple = t, .states = facts_state(state) };

	return in_scope(s, hdr->netns, t) && filter_match(s->config.filter, &facts);
}

static bool wants_netns(const struct survey *s, uint32_t netns)
{
	return scope_has_netns(&s->config.scope, netns);
}

static void enter(struct survey *s, const struct wire_hdr *hdr)
{
	if (!s->in_census) {
		s->in_census = true;
		ports_begin(&s->ports, hdr->ts_ns);
	}
	if (s->in_netns && s->netns == hdr->netns)
		return;
	s->in_netns = true;
	s->netns = hdr->netns;
	tw_table_clear(&s->tw);
	ports_enter(&s->ports, s->netns, s->hz, facts_here(s));
}

/* ---- TIME_WAIT and port space ---- */

static void on_mini(struct survey *s, const struct wire_mini *mini)
{
	if (!is_asked_for(s, &mini->hdr, &mini->tuple, mini->substate))
		return;
	enter(s, &mini->hdr);
	tw_table_add(&s->tw, mini, s->hz);
	ports_add_mini(&s->ports, mini);
}

static void on_socket(struct survey *s, const struct wire_socket *socket)
{
	if (!wants_netns(s, socket->hdr.netns) ||
	    (socket->state != TS_LISTEN &&
	     !is_asked_for(s, &socket->hdr, &socket->tuple, socket->state)))
		return;
	enter(s, &socket->hdr);
	ports_add_socket(&s->ports, socket);
}

/* The kernel looked at the scope, and was asked for totals only without a filter. */
static void on_counted(struct survey *s, const union event *ev)
{
	if (!wants_netns(s, ev->hdr.netns))
		return;
	enter(s, &ev->hdr);
	if (ev->hdr.kind == WIRE_MINI_GROUP) {
		tw_table_add_group(&s->tw, &ev->mini_group);
		ports_add_group(&s->ports, &ev->mini_group);
	} else if (ev->hdr.kind == WIRE_MINI_PORTS) {
		tw_table_add_ports(&s->tw, &ev->mini_ports);
	} else {
		ports_add_pool(&s->ports, &ev->mini_pool);
	}
}

/* A census of lives knows the same of a socket, but for its bucket. */
static void on_life(struct survey *s, const struct wire_census *row)
{
	struct wire_socket socket = {
		.hdr = row->hdr, .tuple = row->tuple, .state = row->state,
		.flags = WIRE_M_SHARED,
	};

	if (row->flags & WIRE_C_MINI || row->state == TS_NEW_SYN_RECV)
		return;
	on_socket(s, &socket);
}

static uint64_t rate_of(struct survey *s, uint64_t now_ns)
{
	const uint64_t key = s->netns;
	struct survey_rate *rate = keytab_add(&s->rates, &key);
	uint64_t ret = UNKNOWN_COUNT;

	if (!rate)
		return ret;
	if (s->config.repeats && rate->since_ns && now_ns - rate->since_ns >= NSEC_PER_MSEC)
		ret = rate->entered * 1000000 / ((now_ns - rate->since_ns) / NSEC_PER_MSEC);
	rate->entered = 0;
	rate->since_ns = now_ns;
	return ret;
}

static void tell_time_wait(struct survey *s, uint64_t now_ns)
{
	struct report r = { .kind = REPORT_TIME_WAIT, .time_wait = {
		.count = s->tw.count, .fin_wait2 = s->tw.fin_wait2,
		.limit = fact_in(facts_here(s), WIRE_F_TW_LIMIT),
		.overflows = fact_in(facts_here(s), WIRE_F_TW_OVERFLOWS),
		.tw_reuse = fact_in(facts_here(s), WIRE_F_TW_REUSE),
		.entered_milli_s = rate_of(s, now_ns), .left = s->tw.left,
	} };

	send(s, &r, now_ns, s->netns);
}

static const struct cgroup *cgroup_of(const struct survey *s, uint64_t id, const struct owner *o)
{
	return names_cgroup_of(s->config.names, id, names_process(s->config.names, o));
}

static void tell_group(struct survey *s, uint64_t now_ns, enum by_word by,
		       const struct tw_group *group, uint64_t rest)
{
	struct report r = { .kind = REPORT_TW_GROUP, .tw_group = {
		.by = by, .rest = !group, .count = rest, .of = s->tw.count,
	} };

	if (group) {
		r.tw_group.addr = group->addr;
		r.tw_group.lport = group->lport;
		r.tw_group.count = group->count;
	}
	if (group && group->owner) {
		r.owner = &group->owner->owner;
		r.cgroup = cgroup_of(s, group->owner->cgroup, &group->owner->owner);
	}
	send(s, &r, now_ns, s->netns);
}

/* Where people read, nothing is said of ports that were drawn at random. */
static void tell_lports(struct survey *s, uint64_t now_ns, struct tw_group *groups)
{
	uint64_t rest;
	unsigned int nr = tw_table_lports(&s->tw, s->config.groups, groups, &rest);
	bool any = !s->config.least_lport;

	for (unsigned int i = 0; i < nr; i++) {
		if (groups[i].count < s->config.least_lport) {
			rest += groups[i].count;
			continue;
		}
		tell_group(s, now_ns, BY_LOCAL_PORT, &groups[i], 0);
		any = true;
	}
	if (rest && any)
		tell_group(s, now_ns, BY_LOCAL_PORT, NULL, rest);
}

/* Who closed them, of those whose close was seen; the others are the rest. */
static void tell_owners(struct survey *s, uint64_t since_ns, uint64_t now_ns,
			struct tw_group *groups)
{
	uint64_t told = 0;
	unsigned int nr;

	if (!s->config.ledger)
		return;
	nr = tw_owners_of(&s->owners, s->config.ledger, s->netns, since_ns, s->config.filter,
			  s->config.groups, groups);
	for (unsigned int i = 0; i < nr; i++) {
		tell_group(s, now_ns, BY_OWNER, &groups[i], 0);
		told += groups[i].count;
	}
	if (nr && told < s->tw.count)
		tell_group(s, now_ns, BY_OWNER, NULL, s->tw.count - told);
}

static void tell_groups(struct survey *s, uint64_t since_ns, uint64_t now_ns)
{
	struct tw_group groups[SURVEY_GROUPS_MAX];
	unsigned int nr, n = s->config.groups;
	uint64_t rest;

	nr = tw_table_remotes(&s->tw, n, groups, &rest);
	for (unsigned int i = 0; i < nr; i++)
		tell_group(s, now_ns, BY_REMOTE, &groups[i], 0);
	if (rest)
		tell_group(s, now_ns, BY_REMOTE, NULL, rest);
	tell_lports(s, now_ns, groups);
	tell_owners(s, since_ns, now_ns, groups);
}

static void tell_space(struct survey *s, uint64_t now_ns, const struct port_space *space)
{
	struct wire_tuple tuple = { .rport = space->key.rport, .family = space->family };
	uint64_t full_in_ms = ports_full_in_ms(&s->ports, space);
	struct report r = { .kind = REPORT_PORT_SPACE, .tuple = &tuple, .port_space = {
		.used = space->used, .time_wait = space->time_wait,
		.reusable = space->reusable, .stamped = space->stamped,
		.capacity = s->ports.has_range ? s->ports.capacity : UNKNOWN_COUNT,
		.full_in_ms = full_in_ms == PORTS_NEVER || !s->config.repeats ?
			      UNKNOWN_COUNT : full_in_ms,
	} };

	memcpy(tuple.laddr, space->key.laddr, sizeof(tuple.laddr));
	memcpy(tuple.raddr, space->key.raddr, sizeof(tuple.raddr));
	send(s, &r, now_ns, s->netns);
}

static void tell_spaces(struct survey *s, uint64_t now_ns)
{
	struct port_space *spaces[SURVEY_GROUPS_MAX];
	unsigned int nr = ports_leave(&s->ports, s->config.groups, spaces);
	struct report r = { .kind = REPORT_PORT_SPACE, .port_space = {
		.used = s->ports.rest, .time_wait = s->ports.rest_time_wait,
		.capacity = UNKNOWN_COUNT, .full_in_ms = UNKNOWN_COUNT,
	} };

	for (unsigned int i = 0; i < nr; i++)
		tell_space(s, now_ns, spaces[i]);
	if (s->ports.rest)
		send(s, &r, now_ns, s->netns);
}

void survey_entered(struct survey *s, uint32_t netns)
{
	const uint64_t key = netns;
	struct survey_rate *rate = keytab_add(&s->rates, &key);

	if (rate)
		rate->entered++;
}

/* ---- listening sockets ---- */

static struct survey_netns *netns_of(struct survey *s, uint32_t netns)
{
	const uint64_t key = netns;

	return keytab_add(&s->netns_facts, &key);
}

static void on_listener(struct survey *s, const struct wire_listener *listener)
{
	struct survey_netns *n;

	/* It has no remote port that could be asked for, but its connections do. */
	if (!scope_asks_for_listener(&s->config.scope, listener->hdr.netns, &listener->tuple))
		return;
	n = netns_of(s, listener->hdr.netns);
	if (n)
		n->listeners++;
	queues_add_listener(&s->queues, listener);
}

static void tell_listener(struct survey *s, uint64_t now_ns, const struct queue *q)
{
	struct report r = {
		.kind = REPORT_LISTENER, .id = q->listener.hdr.cookie, .role = ROLE_LISTENER,
		.tuple = &q->listener.tuple, .owner = q->owner.from ? &q->owner : NULL,
		.cgroup = cgroup_of(s, q->listener.owner.cgroup, &q->owner),
		.listener = {
			.accept_queue = q->listener.queue, .accept_queue_limit = q->listener.limit,
			.half_open = q->half_open, .acked = q->acked,
			.synack_retrans = q->synack_retrans, .drops = q->listener.drops,
			.oldest_ns = q->oldest_ns && q->oldest_ns <= now_ns ?
				     now_ns - q->oldest_ns : UNKNOWN_NS,
		},
	};

	send(s, &r, now_ns, q->listener.hdr.netns);
}

static void tell_netns_listeners(struct survey *s, uint64_t now_ns, const struct survey_netns *n)
{
	const struct wire_netns_facts *facts = n->facts.hdr.len ? &n->facts : NULL;
	struct report r = { .kind = REPORT_LISTENERS, .listeners = {
		.count = n->listeners,
		.overflows = fact_in(facts, WIRE_F_LISTEN_OVERFLOWS),
		.drops = fact_in(facts, WIRE_F_LISTEN_DROPS),
		.cookies_sent = fact_in(facts, WIRE_F_COOKIES_SENT),
		.cookies_recv = fact_in(facts, WIRE_F_COOKIES_RECV),
		.cookies_failed = fact_in(facts, WIRE_F_COOKIES_FAILED),
	} };

	send(s, &r, now_ns, n->netns);
}

static void tell_listeners(struct survey *s, uint64_t now_ns)
{
	for (uint32_t i = 0; i < s->queues.table.nr; i++)
		tell_listener(s, now_ns, keytab_at(&s->queues.table, i));
	for (uint32_t i = 0; i < s->netns_facts.nr; i++)
		tell_netns_listeners(s, now_ns, keytab_at(&s->netns_facts, i));
	queues_clear(&s->queues);
	keytab_clear(&s->netns_facts);
}

/* ---- stuck sockets ---- */

static void tell_stuck(struct survey *s, uint64_t now_ns)
{
	stuck_sort(&s->stuck);
	for (uint32_t i = 0; i < s->stuck.table.nr; i++) {
		const struct stuck_socket *x = stuck_at(&s->stuck, i);
		struct report r = {
			.kind = REPORT_SOCKET, .id = x->aged.hdr.cookie, .tuple = &x->aged.tuple,
			.owner = x->owner.from ? &x->owner : NULL,
			.cgroup = cgroup_of(s, x->aged.owner.cgroup, &x->owner),
			.socket = {
				.state = x->aged.state, .age_ns = x->age_ns,
				.orphan = x->aged.flags & WIRE_A_ORPHAN,
				.has_fd = x->owner.from, .fd = x->fd,
			},
		};

		send(s, &r, now_ns, x->aged.hdr.netns);
	}
}

/* ---- the course of a census ---- */

static void on_facts(struct survey *s, const struct wire_netns_facts *facts)
{
	struct survey_netns *n;

	if (!wants_netns(s, facts->hdr.netns))
		return;
	s->facts = *facts;
	s->has_facts = true;
	if (s->config.of == SURVEY_TIME_WAIT) {
		s->in_netns = false;
		enter(s, &facts->hdr);
	}
	n = s->config.of == SURVEY_LISTENERS ? netns_of(s, facts->hdr.netns) : NULL;
	if (n)
		n->facts = *facts;
}

static void leave_netns(struct survey *s, const struct wire_census_end *end)
{
	uint64_t now_ns = end->hdr.ts_ns;

	if (s->config.of != SURVEY_TIME_WAIT || !wants_netns(s, end->hdr.netns))
		return;
	enter(s, &end->hdr);	/* of an empty one there was no row */
	tell_time_wait(s, now_ns);
	tell_groups(s, end->start_ns, now_ns);
	tell_spaces(s, now_ns);
	s->in_netns = false;
	s->has_facts = false;
}

static void end_census(struct survey *s, uint64_t now_ns)
{
	s->untold = s->queues.rest + s->stuck.rest;
	s->undated = s->stuck.undated;
	switch (s->config.of) {
	case SURVEY_TIME_WAIT:
		if (s->in_census)
			ports_end(&s->ports);
		break;
	case SURVEY_LISTENERS:
		tell_listeners(s, now_ns);
		break;
	case SURVEY_STUCK:
		tell_stuck(s, now_ns);
		stuck_clear(&s->stuck);
		break;
	}
	s->in_census = s->in_netns = s->has_facts = false;
}

/* Whether a census of this kind is one that tells what is wanted. */
static bool is_ours(const struct survey *s, enum wire_census_which which)
{
	switch (s->config.of) {
	case SURVEY_TIME_WAIT:
		return which == WIRE_CENSUS_PORTS ||
		       (which == WIRE_CENSUS_LIVES && !s->saw_ports);
	case SURVEY_LISTENERS:
		return which == WIRE_CENSUS_LISTENERS;
	case SURVEY_STUCK:
		return which == WIRE_CENSUS_AGED;
	}
	return false;
}

static void on_census_end(struct survey *s, const struct wire_census_end *end)
{
	if (end->which == WIRE_CENSUS_PORTS)
		s->saw_ports = true;
	if (!is_ours(s, end->which)) {
		s->in_census = s->in_netns = s->has_facts = false;
		return;
	}
	if (end->hdr.netns)
		leave_netns(s, end);
	else
		end_census(s, end->hdr.ts_ns);
}

static void on_owner_of(struct survey *s, const struct wire_owner_of *owner)
{
	if (s->config.of == SURVEY_LISTENERS)
		queues_add_owner(&s->queues, owner);
	else if (s->config.of == SURVEY_STUCK)
		stuck_add_owner(&s->stuck, owner);
}

static void on_start(struct survey *s, const struct wire_start *start)
{
	s->hz = start->hz;
	s->seed = start->hdr.ts_ns;
	s->tw.remotes.seed = s->ports.spaces.seed = s->ports.pools.seed = s->seed;
}

static void on_row(struct survey *s, const union event *ev)
{
	bool time_wait = s->config.of == SURVEY_TIME_WAIT;

	if (ev->hdr.kind == WIRE_MINI && time_wait)
		on_mini(s, &ev->mini);
	else if (ev->hdr.kind == WIRE_SOCKET && time_wait)
		on_socket(s, &ev->socket);
	else if (ev->hdr.kind == WIRE_CENSUS && time_wait && !s->saw_ports)
		on_life(s, &ev->census);
	else if (ev->hdr.kind == WIRE_LISTENER && s->config.of == SURVEY_LISTENERS)
		on_listener(s, &ev->listener);
	else if (ev->hdr.kind == WIRE_REQUEST && s->config.of == SURVEY_LISTENERS)
		queues_add_request(&s->queues, &ev->request);
	else if (ev->hdr.kind == WIRE_AGED && s->config.of == SURVEY_STUCK &&
		 in_scope(s, ev->hdr.netns, &ev->aged.tuple))
		stuck_add(&s->stuck, &ev->aged, s->hz);
}

void survey_feed(struct survey *s, const union event *ev)
{
	switch ((enum wire_kind)ev->hdr.kind) {
	case WIRE_START:
		on_start(s, &ev->start);
		break;
	case WIRE_CLOCK:
		s->clock_ns = ev->clock.offset_ns;
		break;
	case WIRE_NETNS_FACTS:
		on_facts(s, &ev->facts);
		break;
	case WIRE_MINI_GROUP:
	case WIRE_MINI_PORTS:
	case WIRE_MINI_POOL:
		if (s->config.of == SURVEY_TIME_WAIT)
			on_counted(s, ev);
		break;
	case WIRE_MINI:
	case WIRE_SOCKET:
	case WIRE_CENSUS:
	case WIRE_LISTENER:
	case WIRE_REQUEST:
	case WIRE_AGED:
		on_row(s, ev);
		break;
	case WIRE_OWNER:
		on_owner_of(s, &ev->owner_of);
		break;
	case WIRE_CENSUS_END:
		on_census_end(s, &ev->census_end);
		break;
	default:	/* whatever is traced is the engine's */
		break;
	}
}

/* ---- setup ---- */

int survey_init(struct survey *s, const struct survey_config *config)
{
	int err;

	*s = (struct survey){ .config = *config, .hz = 1000 };
	if (s->config.groups > SURVEY_GROUPS_MAX)
		s->config.groups = SURVEY_GROUPS_MAX;
	err = tw_table_init(&s->tw);
	if (!err)
		err = tw_owners_init(&s->owners);
	if (!err)
		err = ports_init(&s->ports);
	if (!err)
		err = keytab_init(&s->rates, sizeof(uint64_t), sizeof(struct survey_rate),
				  NETNS_MAX);
	if (!err)
		err = queues_init(&s->queues);
	if (!err)
		err = keytab_init(&s->netns_facts, sizeof(uint64_t), sizeof(struct survey_netns),
				  NETNS_MAX);
	if (!err)
		err = stuck_init(&s->stuck, config->older_ns);
	if (err)
		survey_deinit(s);
	return err;
}

void survey_deinit(struct survey *s)
{
	tw_table_deinit(&s->tw);
	tw_owners_deinit(&s->owners);
	ports_deinit(&s->ports);
	keytab_deinit(&s->rates);
	queues_deinit(&s->queues);
	keytab_deinit(&s->netns_facts);
	stuck_deinit(&s->stuck);
}
