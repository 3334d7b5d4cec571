// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcp_state.h"

#define NSEC_PER_MSEC	1000000ull
#define SAMPLE_NS	1000000000ull	/* of a recording */
#define GROUPS_A_NETNS	6	/* of a kind that are told apart in each namespace */

/* ---- what is counted ---- */

static void count_transition(struct board_counts *counts, const struct report_state *state)
{
	counts->transitions[state->old][state->new]++;
}

static void count_retransmit(struct board_counts *counts, const struct report_retransmit *again)
{
	if (!again->err && again->phase)
		counts->retransmits[again->phase - PHASE_SYN] += again->segs;
}

static void count_reset(struct board_counts *counts, const struct report_reset *reset)
{
	if (reset->received)
		counts->resets_received++;
	else
		counts->resets_sent++;
}

/* Not counted: what the kernel counts itself. */
static void count_report(struct monitor *m, const struct report *r)
{
	struct board_counts *counts = &m->board.counts;

	if (m->config.exact)
		return;
	if (r->kind == REPORT_STATE)
		count_transition(counts, &r->state);
	else if (r->kind == REPORT_RETRANSMIT)
		count_retransmit(counts, &r->retransmit);
	else if (r->kind == REPORT_RESET)
		count_reset(counts, &r->reset);
}

static void count_life(struct monitor *m, const struct report *r)
{
	const struct verdict *v = &r->connection.verdict;

	if (v->close == CLOSE_STILL_OPEN)
		return;
	owner_sums_ended(&m->owners, &m->config.engine->names, r);
	if (r->conn->flags & CONN_EXISTING)
		return;
	m->board.connections++;
	m->board.incomplete += !r->connection.complete;
	m->board.counts.outcomes[v->outcome]++;
	if (v->outcome == OUTCOME_ESTABLISHED)	/* of the others it says nothing more */
		m->board.counts.closes[v->close]++;
}

void monitor_report(struct monitor *m, const struct report *r, bool asked_for)
{
	bool wants_ladder = false;

	if (m->config.exact)
		metrics_report(&m->metrics, r);
	if (asked_for) {
		count_report(m, r);
		troubles_report(&m->troubles, r);
		wants_ladder = troubles_want_ladder(&m->troubles, r);
		if (r->kind == REPORT_CONNECTION)
			count_life(m, r);
		if (r->kind == REPORT_LOST)
			m->board.lost[r->lost.where] += r->lost.count;
	}
	explain_report(&m->explain, r, wants_ladder);
}

/* ---- the kernel's own counts ---- */

void monitor_kernel(struct monitor *m, const struct wire_counters *counters)
{
	struct board_counts *counts = &m->board.counts;

	metrics_kernel(&m->metrics, counters);
	memcpy(counts->transitions, m->metrics.transitions, sizeof(counts->transitions));
	memcpy(counts->retransmits, counters->retransmits, sizeof(counts->retransmits));
	counts->resets_sent = counts->resets_received = 0;
	for (unsigned int i = 0; i < WIRE_RESET_REASONS; i++)
		counts->resets_sent += counters->resets_sent[i];
	for (unsigned int i = 0; i < WIRE_STATES; i++)
		counts->resets_received += m->metrics.resets_received[i];
}

void monitor_count_off(struct monitor *m, const struct wire_counters *counters)
{
	uint64_t off;

	metrics_count_off(&m->metrics, counters, &m->config.engine->conns, &off);
}

static void fill_conn(struct board_conn *ret, const struct conn *c)
{
	*ret = (struct board_conn){
		.tuple = c->tuple, .netns = c->netns, .state = c->state, .role = c->role,
		.owner = c->owner, .id = c->id, .since_ns = c->since_ns,
		.start_ns = c->flags & CONN_EXISTING ? 0 : c->start_ns,
	};
	for (unsigned int i = 0; i < PHASE_MAX; i++)
		ret->again += c->retransmits[i];
}

/* The table has those that something happened to last at its end. */
static void fill_conns(struct monitor *m)
{
	struct board *b = &m->board;

	b->nr_conns = b->all_conns < BOARD_CONNS ? b->all_conns : BOARD_CONNS;
	for (unsigned int i = 0; i < b->nr_conns; i++)
		fill_conn(&b->conns[i], m->last[(b->all_conns - 1 - i) % BOARD_CONNS]);
}

void monitor_walk(struct monitor *m)
{
	struct conntab *conns = &m->config.engine->conns;

	memset(m->walked, 0, sizeof(m->walked));
	m->board.all_conns = 0;
	owner_sums_begin(&m->owners);
	for (struct conn *c = conntab_oldest(conns); c; c = conntab_newer(conns, c)) {
		if ((c->stage != STAGE_OPEN && c->stage != STAGE_LISTENER) ||
		    !m->config.wants(m->config.ctx, c))
			continue;
		m->walked[c->state]++;
		owner_sums_count(&m->owners, &m->config.engine->names, c);
		if (c->stage == STAGE_OPEN)
			m->last[m->board.all_conns++ % BOARD_CONNS] = c;
	}
	fill_conns(m);
	m->has_walked = true;
}

/* ---- rates ---- */

static uint64_t per_s(uint64_t now, uint64_t before, uint64_t between_ms)
{
	return now > before && between_ms ? (now - before) * 1000000 / between_ms : 0;
}

/* Each life once: an attempt, or a connection that left for TIME_WAIT or for good. */
static uint64_t closes_of(const uint64_t transitions[WIRE_STATES][WIRE_STATES])
{
	uint64_t sum = 0;

	for (unsigned int from = 0; from < WIRE_STATES; from++) {
		if (from != TS_TIME_WAIT && from != TS_LISTEN)
			sum += transitions[from][TS_CLOSE] + transitions[from][TS_TIME_WAIT];
	}
	return sum;
}

static uint64_t opens_of(const uint64_t transitions[WIRE_STATES][WIRE_STATES])
{
	return transitions[TS_CLOSE][TS_SYN_SENT] + transitions[TS_LISTEN][TS_SYN_RECV];
}

static uint64_t failures_of(const struct board_counts *counts)
{
	uint64_t sum = 0;

	for (unsigned int i = OUTCOME_NONE + 1; i < OUTCOME_MAX; i++)
		sum += i == OUTCOME_ESTABLISHED ? 0 : counts->outcomes[i];
	return sum;
}

static uint64_t time_waits_that_ended(const struct monitor *m)
{
	struct tw_place sum;
	uint64_t ret = 0;

	timewait_sum(&m->config.engine->minis, &sum);
	for (unsigned int i = 0; i < END_MAX; i++)
		ret += sum.ended[i];
	return ret;
}

static void rate_edges(struct monitor *m, uint64_t ms)
{
	struct board *b = &m->board;

	for (unsigned int from = 0; from < WIRE_STATES; from++) {
		for (unsigned int to = 0; to < WIRE_STATES; to++)
			b->per_s[from][to] = per_s(b->counts.transitions[from][to],
						   m->sampled.transitions[from][to], ms);
	}
	b->active_per_s = b->per_s[TS_CLOSE][TS_SYN_SENT];
	b->passive_per_s = b->per_s[TS_LISTEN][TS_SYN_RECV];
}

static void rate_retransmits(struct monitor *m, uint64_t ms)
{
	struct board *b = &m->board;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < WIRE_PHASES; i++) {
		b->retransmits_per_s[i] = per_s(b->counts.retransmits[i],
						m->sampled.retransmits[i], ms);
		sum += b->retransmits_per_s[i];
	}
	series_add(&b->rates[RATE_RETRANSMITS], sum);
}

static void rate_resets(struct monitor *m, uint64_t ms)
{
	struct board *b = &m->board;

	b->resets_sent_per_s = per_s(b->counts.resets_sent, m->sampled.resets_sent, ms);
	b->resets_received_per_s = per_s(b->counts.resets_received,
					 m->sampled.resets_received, ms);
	series_add(&b->rates[RATE_RESETS], b->resets_sent_per_s + b->resets_received_per_s);
}

void monitor_sample(struct monitor *m, uint64_t now_ns)
{
	const uint64_t between_ns = m->sampled_ns ? now_ns - m->sampled_ns : 0;
	const uint64_t ms = between_ns / NSEC_PER_MSEC;
	const uint64_t ended_tw = time_waits_that_ended(m);
	struct board *b = &m->board;

	if (ms) {
		rate_edges(m, ms);
		rate_retransmits(m, ms);
		rate_resets(m, ms);
		b->failed_per_s = per_s(failures_of(&b->counts), failures_of(&m->sampled), ms);
		b->left_time_wait_per_s = per_s(ended_tw, m->ended_tw, ms);
		series_add(&b->rates[RATE_OPENS], per_s(opens_of(b->counts.transitions),
							opens_of(m->sampled.transitions), ms));
		series_add(&b->rates[RATE_CLOSES],
			   per_s(closes_of(b->counts.transitions),
				 closes_of(m->sampled.transitions), ms));
	}
	m->sampled = b->counts;
	m->sampled_ns = now_ns;
	m->ended_tw = ended_tw;
	troubles_sample(&m->troubles, now_ns, between_ns);
	owner_sums_sample(&m->owners, between_ns);
}

/* ---- censuses ---- */

static void put_name(char ret[BOARD_NAME], const char *name)
{
	size_t len = name ? strlen(name) : 0;

	len = len < BOARD_NAME ? len : BOARD_NAME - 1;
	memcpy(ret, name ? name : "", len);
	ret[len] = 0;
}

static void on_place(struct board *b, const struct report *r)
{
	const struct report_time_wait *tw = &r->time_wait;
	struct board_place place = {
		.netns = r->netns, .count = tw->count, .fin_wait2 = tw->fin_wait2,
		.limit = tw->limit, .overflows = tw->overflows, .per_s = tw->entered_milli_s,
	};
	unsigned int at = b->nr_places;

	put_name(place.name, r->netns_name);
	memcpy(place.left, tw->left, sizeof(place.left));
	while (at && b->places[at - 1].count < place.count) {
		if (at < BOARD_PLACES)
			b->places[at] = b->places[at - 1];
		at--;
	}
	if (at == BOARD_PLACES)
		return;
	b->places[at] = place;
	b->nr_places += b->nr_places < BOARD_PLACES;
}

static void on_group(struct board *b, const struct report *r)
{
	struct board_group *group = &b->groups[b->nr_groups];

	if (b->nr_groups == BOARD_GROUPS || r->tw_group.rest)
		return;
	b->nr_groups++;
	*group = (struct board_group){
		.netns = r->netns, .by = r->tw_group.by, .lport = r->tw_group.lport,
		.count = r->tw_group.count, .of = r->tw_group.of,
	};
	if (r->tw_group.addr)
		memcpy(group->addr, r->tw_group.addr, sizeof(group->addr));
	if (r->owner)
		group->owner = *r->owner;
}

/* Thousandths of what there is. */
static uint64_t fullness(const struct board_space *s)
{
	return s->capacity && s->capacity != BOARD_UNKNOWN ? s->used * 1000 / s->capacity : 0;
}

static void on_space(struct board *b, const struct report *r)
{
	const struct report_port_space *ports = &r->port_space;
	struct board_space space = {
		.netns = r->netns, .is_rest = !r->tuple, .used = ports->used,
		.time_wait = ports->time_wait, .reusable = ports->reusable,
		.capacity = ports->capacity, .full_in_ms = ports->full_in_ms,
	};
	unsigned int at = b->nr_spaces;

	if (r->tuple)
		space.tuple = *r->tuple;
	while (at && fullness(&b->spaces[at - 1]) < fullness(&space)) {
		if (at < BOARD_SPACES)
			b->spaces[at] = b->spaces[at - 1];
		at--;
	}
	if (at == BOARD_SPACES)
		return;
	b->spaces[at] = space;
	b->nr_spaces += b->nr_spaces < BOARD_SPACES;
}

/* The one that most waits at, against what it takes; then where most is lost. */
static bool is_worse(const struct board_listener *a, const struct board_listener *b)
{
	uint64_t full_a = a->queue * (b->limit + 1), full_b = b->queue * (a->limit + 1);

	if (full_a != full_b)
		return full_a > full_b;
	if (a->drops != b->drops)
		return a->drops > b->drops;
	return a->half_open > b->half_open;
}

/* A census that comes often does not ask who has it open; the engine may know. */
static const struct owner *owner_of(struct monitor *m, const struct report *r)
{
	const struct conn *c = r->owner || !r->id ? NULL :
			       conntab_find(&m->config.engine->conns, r->id);

	return r->owner ? r->owner : c && c->owner.from ? &c->owner : NULL;
}

static void on_listener(struct board *b, const struct report *r, const struct owner *owner)
{
	const struct report_listener *l = &r->listener;
	struct board_listener listener = {
		.tuple = *r->tuple, .netns = r->netns, .queue = l->accept_queue,
		.limit = l->accept_queue_limit, .half_open = l->half_open, .acked = l->acked,
		.synack_again = l->synack_retrans, .drops = l->drops, .oldest_ns = l->oldest_ns,
	};
	unsigned int at = b->nr_listeners;

	if (owner)
		listener.owner = *owner;
	while (at && is_worse(&listener, &b->listeners[at - 1])) {
		if (at < BOARD_LISTENERS)
			b->listeners[at] = b->listeners[at - 1];
		at--;
	}
	if (at == BOARD_LISTENERS)
		return;
	b->listeners[at] = listener;
	b->nr_listeners += b->nr_listeners < BOARD_LISTENERS;
}

static void add(uint64_t *sum, uint64_t count)
{
	if (count != UNKNOWN_COUNT)
		*sum = *sum == BOARD_UNKNOWN ? count : *sum + count;
}

static void on_listeners(struct board *b, const struct report *r)
{
	b->listening.sockets += r->listeners.count;
	add(&b->listening.overflows, r->listeners.overflows);
	add(&b->listening.drops, r->listeners.drops);
}

static void on_survey(void *ctx, const struct report *r)
{
	struct monitor *m = ctx;
	const struct owner *owner = r->kind == REPORT_LISTENER ? owner_of(m, r) : NULL;
	const struct filter_facts facts = {
		.tuple = r->tuple, .owner = owner, .listener = true, .states = 1u << TS_LISTEN,
	};

	if (r->kind == REPORT_TIME_WAIT)
		on_place(&m->next, r);
	else if (r->kind == REPORT_TW_GROUP)
		on_group(&m->next, r);
	else if (r->kind == REPORT_PORT_SPACE)
		on_space(&m->next, r);
	else if (r->kind == REPORT_LISTENER && filter_match(m->config.filter, &facts))
		on_listener(&m->next, r, owner);
	else if (r->kind == REPORT_LISTENERS)
		on_listeners(&m->next, r);
}

static void take_places(struct monitor *m)
{
	struct board *b = &m->board, *next = &m->next;

	memcpy(b->places, next->places, sizeof(b->places));
	memcpy(b->groups, next->groups, sizeof(b->groups));
	memcpy(b->spaces, next->spaces, sizeof(b->spaces));
	b->nr_places = next->nr_places;
	b->nr_groups = next->nr_groups;
	b->nr_spaces = next->nr_spaces;
	b->has_places = true;
	next->nr_places = next->nr_groups = next->nr_spaces = 0;
}

static void take_listeners(struct monitor *m)
{
	struct board *b = &m->board, *next = &m->next;

	memcpy(b->listeners, next->listeners, sizeof(b->listeners));
	b->nr_listeners = next->nr_listeners;
	b->listening = next->listening;
	b->has_listeners = true;
	next->nr_listeners = 0;
	next->listening = (struct board_listening){ 0, BOARD_UNKNOWN, BOARD_UNKNOWN };
}

/* The surveys tell at the end of a census, or of a namespace of it. */
static void on_census_end(struct monitor *m, const struct wire_census_end *end)
{
	if (end->hdr.netns)
		return;
	if (end->which == WIRE_CENSUS_PORTS || m->next.nr_places)
		take_places(m);
	if (end->which == WIRE_CENSUS_LISTENERS)
		take_listeners(m);
}

/* Full sockets by the kernel's counters, or as they were counted off; and the ledger's. */
static void fill_sockets(const struct monitor *m, struct board *b)
{
	struct tw_place minis;

	b->has_sockets = m->config.exact ? m->metrics.has_sockets : m->has_walked;
	for (unsigned int i = 0; i < WIRE_STATES && b->has_sockets; i++)
		b->sockets[i] = m->config.exact ? metrics_sockets(&m->metrics, i) : m->walked[i];
	if (!m->config.exact && !m->board.recorded && b->has_places) {	/* those asked for */
		b->sockets[TS_TIME_WAIT] = b->minis = 0;
		for (unsigned int i = 0; i < b->nr_places; i++) {
			b->sockets[TS_TIME_WAIT] += b->places[i].count;
			b->minis += b->places[i].fin_wait2;
		}
	} else {
		timewait_sum(&m->config.engine->minis, &minis);
		b->sockets[TS_TIME_WAIT] = minis.time_wait;
		b->minis = minis.fin_wait2;
	}
	b->sockets[TS_FIN_WAIT2] += b->minis;
}

/* With the run end all lives; what was open last is what is told. */
static void end(struct monitor *m, uint64_t now_ns)
{
	monitor_walk(m);
	if (!m->board.rates[RATE_OPENS].nr)	/* too short for one */
		monitor_sample(m, now_ns);
	owner_sums_sample(&m->owners, 0);
	fill_sockets(m, &m->board);
	m->ended = true;
}

void monitor_event(struct monitor *m, const union event *ev)
{
	if (ev->hdr.kind == WIRE_START)
		m->board.start_ns = ev->hdr.ts_ns;
	if (ev->hdr.kind == WIRE_CLOCK)
		m->board.clock_ns = ev->clock.offset_ns;
	if (m->config.exact)
		metrics_event(&m->metrics, ev);
	survey_feed(&m->time_wait, ev);
	survey_feed(&m->listening, ev);
	if (ev->hdr.kind == WIRE_CENSUS_END)
		on_census_end(m, &ev->census_end);
	if (m->board.recorded && ev->hdr.ts_ns >= m->sampled_ns + SAMPLE_NS)
		monitor_sample(m, ev->hdr.ts_ns);
	if (ev->hdr.kind == WIRE_END)
		end(m, ev->hdr.ts_ns);
}

/* ---- what is shown ---- */

void monitor_board(struct monitor *m, uint64_t now_ns, struct board *ret)
{
	struct board *b = &m->board;
	const struct engine *e = m->config.engine;
	uint64_t known = e->births + e->adopted;

	b->at_ns = now_ns;
	b->exact = m->config.exact;
	b->unseen = e->births_counted > known ? e->births_counted - known : 0;
	if (!m->ended)
		fill_sockets(m, b);
	b->nr_troubles = troubles_copy(&m->troubles, now_ns, b->troubles);
	b->nr_owners = owner_sums_copy(&m->owners, &m->config.engine->names, b->owners);
	*ret = *b;
}

/* ---- ladders ---- */

static void on_ladder(void *ctx, const struct telling *t)
{
	struct monitor *m = ctx;

	for (enum lane lane = LEFT; lane <= RIGHT; lane++) {
		if (t->ladder->ends[lane])
			troubles_take_ladder(&m->troubles, t->ladder->ends[lane]->id, t);
	}
}

bool monitor_ladder(struct monitor *m, uint64_t handle, uint64_t id, tell_fn tell, void *ctx)
{
	const struct telling *t = handle ? troubles_ladder(&m->troubles, handle, &id) : NULL;

	if (!t)
		return id && explain_now(&m->explain, id, tell, ctx);
	tell(ctx, t);
	return true;
}

uint64_t monitor_next_deadline(const struct monitor *m)
{
	return explain_next_deadline(&m->explain);
}

void monitor_advance(struct monitor *m, uint64_t now_ns)
{
	explain_advance(&m->explain, now_ns);
}

/* ---- setup ---- */

static int init_surveys(struct monitor *m)
{
	struct survey_config config = {
		.of = SURVEY_TIME_WAIT, .scope = m->config.scope, .filter = m->config.filter,
		.groups = GROUPS_A_NETNS, .least_lport = 2, .repeats = true,
		.names = &m->config.engine->names, .ledger = &m->config.engine->minis,
		.report = on_survey, .ctx = m,
	};
	int err = survey_init(&m->time_wait, &config);

	if (err)
		return err;
	config.of = SURVEY_LISTENERS;
	err = survey_init(&m->listening, &config);
	if (err)
		survey_deinit(&m->time_wait);
	return err;
}

static int init_parts(struct monitor *m)
{
	int err = explain_init(&m->explain, PACE_END, false, on_ladder, m);

	if (err)
		return err;
	err = troubles_init(&m->troubles);
	if (!err)
		err = owner_sums_init(&m->owners);
	if (!err)
		err = init_surveys(m);
	if (err) {
		owner_sums_deinit(&m->owners);
		troubles_deinit(&m->troubles);
		explain_deinit(&m->explain);
	}
	return err;
}

int monitor_create(const struct monitor_config *config, struct monitor **ret)
{
	struct monitor *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->config = *config;
	m->board.cpu = BOARD_UNKNOWN;
	m->next.listening = (struct board_listening){ 0, BOARD_UNKNOWN, BOARD_UNKNOWN };
	err = init_parts(m);
	if (err) {
		free(m);
		return err;
	}
	*ret = m;
	return 0;
}

void monitor_destroy(struct monitor *m)
{
	if (!m)
		return;
	survey_deinit(&m->time_wait);
	survey_deinit(&m->listening);
	owner_sums_deinit(&m->owners);
	troubles_deinit(&m->troubles);
	explain_deinit(&m->explain);
	free(m);
}
