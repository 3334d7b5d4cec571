// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   # HELP synfin_handshakes_total Handshakes begun: ...
 *   # TYPE synfin_handshakes_total counter
 *   synfin_handshakes_total{role="active"} 3
 *
 * OpenMetrics wants the order TYPE, UNIT, HELP, no _total in them, every le as a
 * float, and an # EOF; exemplars exist only there.
 */
#include "exposition.h"

#include <string.h>

#include "cli.h"
#include "metric.h"
#include "revision.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))
#define NSEC_PER_SEC	1000000000ull

struct writer {
	struct text *t;
	const struct exposition *x;
	bool openmetrics;
	enum metric family;
	bool has_head;		/* of this family */
	struct tw_place minis;	/* of all namespaces */
};

/* ---- samples ---- */

/* Without trailing zeros, which the classic form has none of and OpenMetrics one. */
static void seconds(struct text *t, uint64_t ns, bool as_float)
{
	uint64_t fraction = ns % NSEC_PER_SEC;
	unsigned int digits = 9;

	text_uint(t, ns / NSEC_PER_SEC);
	if (!fraction) {
		text_str(t, as_float ? ".0" : "");
		return;
	}
	while (fraction % 10 == 0) {
		fraction /= 10;
		digits--;
	}
	text_char(t, '.');
	text_uint_padded(t, fraction, digits);
}

/* "_total" is part of a counter's samples, in OpenMetrics not of its family. */
static size_t family_len(const struct writer *w, const struct metric_spec *spec)
{
	size_t len = strlen(spec->name);

	return w->openmetrics && spec->type == METRIC_COUNTER ? len - strlen("_total") : len;
}

static void line(struct writer *w, const char *keyword, const struct metric_spec *spec,
		 const char *text)
{
	text_str(w->t, "# ");
	text_str(w->t, keyword);
	text_char(w->t, ' ');
	text_bytes(w->t, spec->name, family_len(w, spec));
	text_char(w->t, ' ');
	text_str(w->t, text);
	text_char(w->t, '\n');
}

static void head(struct writer *w)
{
	const struct metric_spec *spec = &metric_specs[w->family];

	if (w->has_head)
		return;
	w->has_head = true;
	if (!w->openmetrics) {
		line(w, "HELP", spec, spec->help);
		line(w, "TYPE", spec, metric_types[spec->type]);
		return;
	}
	line(w, "TYPE", spec, metric_types[spec->type]);
	if (spec->unit)
		line(w, "UNIT", spec, metric_units[spec->unit]);
	line(w, "HELP", spec, spec->help);
}

/* Of a label's value; whoever reads it refuses all of a text that is not UTF-8. */
static size_t character(struct text *t, const uint8_t *p, size_t left)
{
	size_t len = text_utf8_len(p, left);

	if (!len)
		text_str(t, "\xef\xbf\xbd");
	else if (*p == '\n')
		text_str(t, "\\n");
	else if (*p == '\\' || *p == '"')
		text_bytes(t, (const char[]){ '\\', *p }, 2);
	else
		text_bytes(t, (const char *)p, len);
	return len ? len : 1;
}

static void label(struct text *t, const char *name, size_t len, const char *value)
{
	text_bytes(t, name, len);
	text_str(t, "=\"");
	for (const char *end = value + strlen(value); value < end;)
		value += character(t, (const uint8_t *)value, end - value);
	text_char(t, '"');
}

/* values: one for each label of the family. */
static void labels(struct text *t, const char *names, const char *const *values)
{
	for (const char *name = names; *name; values++) {
		size_t len = strcspn(name, " ");

		if (name != names)
			text_char(t, ',');
		label(t, name, len, *values);
		name += len + strspn(name + len, " ");
	}
}

static void name_and_labels(struct writer *w, const char *const *values)
{
	const struct metric_spec *spec = &metric_specs[w->family];

	head(w);
	text_str(w->t, spec->name);
	if (*spec->labels) {
		text_char(w->t, '{');
		labels(w->t, spec->labels, values);
		text_char(w->t, '}');
	}
	text_char(w->t, ' ');
}

#define LABELS(...)	((const char *const[]){ __VA_ARGS__ })
#define NO_LABELS	NULL

/* Values of labels that are made for the line. */
#define VALUE_LEN	48
#define ADDR(addr, family)	addr_value((char[VALUE_LEN]){}, addr, family)
#define UINT(value)		uint_value((char[VALUE_LEN]){}, value)

static const char *addr_value(char *buf, const uint8_t *addr, unsigned int family)
{
	struct text t = text_into(buf, VALUE_LEN - 1);

	text_addr(&t, addr, family);
	*t.p = 0;
	return buf;
}

static const char *uint_value(char *buf, uint64_t value)
{
	struct text t = text_into(buf, VALUE_LEN - 1);

	text_uint(&t, value);
	*t.p = 0;
	return buf;
}

static void count(struct writer *w, const char *const *values, uint64_t value)
{
	name_and_labels(w, values);
	text_uint(w->t, value);
	text_char(w->t, '\n');
}

static void count_seconds(struct writer *w, const char *const *values, uint64_t ns)
{
	name_and_labels(w, values);
	seconds(w->t, ns, false);
	text_char(w->t, '\n');
}

static void exemplar(struct writer *w, const struct exemplar *e)
{
	if (!w->openmetrics || !e || !e->id)
		return;
	text_str(w->t, " # {conn=\"");
	text_hex16(w->t, e->id);
	text_str(w->t, "\"} ");
	seconds(w->t, e->value_ns, true);
	text_char(w->t, ' ');
	seconds(w->t, e->at_ns, true);
}

static void part(struct writer *w, const char *suffix, const char *const *values)
{
	const struct metric_spec *spec = &metric_specs[w->family];

	text_str(w->t, spec->name);
	text_str(w->t, suffix);
	text_char(w->t, '{');
	labels(w->t, spec->labels, values);
}

/* examples: one a bucket, or NULL. */
static void histogram(struct writer *w, const char *const *values, const struct histogram *h,
		      const struct histogram_edges *edges, const struct exemplar *examples)
{
	uint64_t sum = 0;

	head(w);
	for (unsigned int i = 0; i <= edges->nr; i++) {
		sum += h->buckets[i];
		part(w, "_bucket", values);
		text_str(w->t, ",le=\"");
		if (i == edges->nr)
			text_str(w->t, "+Inf");
		else
			seconds(w->t, edges->ns[i], w->openmetrics);
		text_str(w->t, "\"} ");
		text_uint(w->t, sum);
		exemplar(w, examples ? &examples[i] : NULL);
		text_char(w->t, '\n');
	}
	part(w, "_sum", values);
	text_str(w->t, "} ");
	seconds(w->t, h->sum_ns, false);
	text_char(w->t, '\n');
	part(w, "_count", values);
	text_str(w->t, "} ");
	text_uint(w->t, h->count);
	text_char(w->t, '\n');
}

/* ---- families of the kernel's counters ---- */

static void state_transitions(struct writer *w)
{
	const struct metrics *m = w->x->metrics;

	for (unsigned int from = 1; from < TS_MAX; from++) {
		for (unsigned int to = 1; to < TS_MAX; to++) {
			uint64_t n = m->transitions[from][to];

			/* The end of TIME_WAIT is not counted; the others are told with 0, too. */
			if (n || (from != TS_TIME_WAIT && tcp_state_distance(from, to) == 1))
				count(w, LABELS(tcp_state_name(from), tcp_state_name(to)), n);
		}
	}
}

static void handshakes(struct writer *w)
{
	for (unsigned int role = ROLE_ACTIVE; role <= ROLE_PASSIVE; role++)
		count(w, LABELS(role_text(role)), w->x->metrics->handshakes[role]);
}

static void sockets(struct writer *w)
{
	static const uint8_t states[] = {
		TS_ESTABLISHED, TS_SYN_SENT, TS_SYN_RECV, TS_FIN_WAIT1, TS_FIN_WAIT2,
		TS_CLOSE_WAIT, TS_LAST_ACK, TS_LISTEN, TS_CLOSING,
	};

	if (!w->x->metrics->has_sockets || w->x->minis->unlisted)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++)
		count(w, LABELS(tcp_state_name(states[i])),
		      metrics_sockets(w->x->metrics, states[i]) +
		      (states[i] == TS_FIN_WAIT2 ? w->minis.fin_wait2 : 0));
	count(w, LABELS(tcp_state_name(TS_TIME_WAIT)), w->minis.time_wait);
}

static void time_wait_created(struct writer *w)
{
	const struct metrics *m = w->x->metrics;

	count(w, NO_LABELS, m->transitions[TS_FIN_WAIT2][TS_TIME_WAIT] +
			    m->transitions[TS_CLOSING][TS_TIME_WAIT]);
}

static void time_wait_removed(struct writer *w)
{
	const uint64_t *n = w->minis.ended;

	for (unsigned int cause = 1; cause < END_MAX; cause++) {
		if (n[cause] || cause >= END_RESET)	/* the others are not of TIME_WAIT */
			count(w, LABELS(end_text(cause)), n[cause]);
	}
	if (n[END_NONE])
		count(w, LABELS("unknown"), n[END_NONE]);
}

static void gauge(struct writer *w, uint64_t value)
{
	if (value != GAUGES_NOT_KNOWN)
		count(w, NO_LABELS, value);
}

static void time_wait_overflows(struct writer *w)
{
	gauge(w, gauges_counter(w->x->gauges, WIRE_F_TW_OVERFLOWS));
}

static void time_wait_limit(struct writer *w)
{
	gauge(w, w->x->gauges->ports.tw_limit);
}

static bool has_tops(const struct writer *w)
{
	return w->x->gauges->tops.k && w->x->gauges->has_tops;
}

static void remote_time_waits(struct writer *w)
{
	const struct tops *tops = &w->x->gauges->tops;

	for (unsigned int i = 0; has_tops(w) && i < tops->remotes.nr; i++) {
		const struct topk_told *told = &tops->remotes.told[i];
		struct tops_remote key;

		memcpy(&key, told->key, sizeof(key));
		count(w, LABELS(ADDR(key.addr, key.family), UINT(key.port)), told->value);
	}
	if (has_tops(w))
		count(w, LABELS("other", "other"), tops->remotes.rest);
}

static void local_time_waits(struct writer *w)
{
	const struct tops *tops = &w->x->gauges->tops;

	for (unsigned int i = 0; has_tops(w) && i < tops->lports.nr; i++) {
		const struct topk_told *told = &tops->lports.told[i];
		uint64_t port;

		memcpy(&port, told->key, sizeof(port));
		count(w, LABELS(UINT(port)), told->value);
	}
	if (has_tops(w))
		count(w, LABELS("other"), tops->lports.rest);
}

static void port_usage(struct writer *w)
{
	const struct tops *tops = &w->x->gauges->tops;

	for (unsigned int i = 0; has_tops(w) && i < tops->spaces.nr; i++) {
		const struct topk_told *told = &tops->spaces.told[i];
		struct tops_space key;

		memcpy(&key, told->key, sizeof(key));
		if (key.is_pool)
			count_seconds(w, LABELS(ADDR(key.laddr, key.family), "any", "any"),
				      told->value);
		else
			count_seconds(w, LABELS(ADDR(key.laddr, key.family),
						ADDR(key.raddr, key.family), UINT(key.rport)),
				      told->value);
	}
}

static void ephemeral_ports(struct writer *w)
{
	gauge(w, w->x->gauges->ports.ports);
}

/* Parts of a thousand million are written as nanoseconds are. */
static void port_usage_max(struct writer *w)
{
	if (w->x->gauges->ports.usage_ppb != GAUGES_NOT_KNOWN)
		count_seconds(w, NO_LABELS, w->x->gauges->ports.usage_ppb);
}

/* limits: else the queues. */
static void accept_queues_of(struct writer *w, bool limits)
{
	const struct gauges *g = w->x->gauges;

	if (!g->has_queues)
		return;
	for (uint32_t i = 0; i < g->queues.table.nr; i++) {
		const struct accept_queue *q = keytab_at(&g->queues.table, i);

		count(w, LABELS(ADDR(q->key.addr, q->key.family), UINT(q->key.port)),
		      limits ? q->limit : q->queue);
	}
	if (g->queues.nr_rest)
		count(w, LABELS("other", "other"),
		      limits ? g->queues.rest_limit : g->queues.rest_queue);
}

static void accept_queue(struct writer *w)
{
	accept_queues_of(w, false);
}

static void accept_queue_limit(struct writer *w)
{
	accept_queues_of(w, true);
}

static void listen_overflows(struct writer *w)
{
	gauge(w, gauges_counter(w->x->gauges, WIRE_F_LISTEN_OVERFLOWS));
}

static void listen_drops(struct writer *w)
{
	gauge(w, gauges_counter(w->x->gauges, WIRE_F_LISTEN_DROPS));
}

static void syn_cookies_sent(struct writer *w)
{
	gauge(w, gauges_counter(w->x->gauges, WIRE_F_COOKIES_SENT));
}

static void close_wait_stale(struct writer *w)
{
	gauge(w, w->x->gauges->close_wait.stale);
}

static void close_wait_oldest(struct writer *w)
{
	if (w->x->gauges->close_wait.oldest_ns != GAUGES_NOT_KNOWN)
		count_seconds(w, NO_LABELS, w->x->gauges->close_wait.oldest_ns);
}

static void port_exhaustions(struct writer *w)
{
	count(w, NO_LABELS, w->x->metrics->kernel.no_port);
}

static void retransmits(struct writer *w)
{
	const __u64 *n = w->x->metrics->kernel.retransmits;

	count(w, LABELS(phase_text(PHASE_SYN)), n[WIRE_SYN]);
	count(w, LABELS(phase_text(PHASE_SYNACK)), n[WIRE_SYNACK_PHASE]);
	count(w, LABELS(phase_text(PHASE_DATA)), n[WIRE_DATA]);
	count(w, LABELS(phase_text(PHASE_FIN)), n[WIRE_FIN]);
}

static void resets_sent(struct writer *w)
{
	const __u64 *n = w->x->metrics->kernel.resets_sent;
	unsigned int last = WIRE_RESET_REASONS - 1, named = 0;

	for (unsigned int i = 0; i < last; i++) {
		const char *name = w->x->reasons[i];

		if (!*name || !strcmp(name, "max"))	/* the enum's end, no reason */
			continue;
		named++;
		count(w, LABELS(name), n[i]);
	}
	if (!named)
		count(w, LABELS("unknown"), n[last]);
	else if (n[last])
		count(w, LABELS("other"), n[last]);
}

static void resets_received(struct writer *w)
{
	static const uint16_t usual = 1u << TS_ESTABLISHED | 1u << TS_SYN_SENT |
				      1u << TS_SYN_RECV | 1u << TS_FIN_WAIT1 |
				      1u << TS_FIN_WAIT2 | 1u << TS_CLOSE_WAIT |
				      1u << TS_LAST_ACK | 1u << TS_CLOSING;
	const uint64_t *n = w->x->metrics->resets_received;

	for (unsigned int s = 1; s < TS_MAX; s++) {
		if (n[s] || usual & 1u << s)
			count(w, LABELS(tcp_state_name(s)), n[s]);
	}
}

/* ---- families of lives ---- */

/* What can be; whatever else came is told, too. */
static bool can_fail(enum role_word role, enum outcome_word how)
{
	bool passive_only = how == OUTCOME_NO_ACK || how == OUTCOME_NOT_ACCEPTED;

	if (how == OUTCOME_NONE || how == OUTCOME_ESTABLISHED)
		return false;
	return role == ROLE_PASSIVE ? how != OUTCOME_NO_PORT : !passive_only;
}

static void handshake_failures(struct writer *w)
{
	for (unsigned int role = ROLE_ACTIVE; role <= ROLE_PASSIVE; role++) {
		for (unsigned int how = 1; how < OUTCOME_MAX; how++) {
			uint64_t n = w->x->metrics->failures[role][how];

			if (n || can_fail(role, how))
				count(w, LABELS(role_text(role), outcome_text(how)), n);
		}
	}
}

static void handshake_duration(struct writer *w)
{
	const struct metrics *m = w->x->metrics;

	for (unsigned int role = ROLE_ACTIVE; role <= ROLE_PASSIVE; role++)
		histogram(w, LABELS(role_text(role)), &m->handshake[role], &handshake_edges,
			  m->exemplars[role]);
}

static const char *side_or_none(enum side_word side)
{
	return side ? side_text(side) : "none";
}

static bool can_close(enum close_word how, enum side_word side)
{
	switch (how) {
	case CLOSE_FIN:
	case CLOSE_RESET_SENT:
	case CLOSE_RESET_RECEIVED:
		return side != SIDE_NONE;
	case CLOSE_TIMEOUT:
		return side != SIDE_BOTH;
	case CLOSE_KILLED:
	case CLOSE_ORPHAN:
		return side == SIDE_LOCAL;
	case CLOSE_SILENT:
		return side == SIDE_NONE;
	case CLOSE_NONE:
	case CLOSE_STILL_OPEN:
	case CLOSE_MAX:
		break;
	}
	return false;
}

static void connections_closed(struct writer *w)
{
	for (unsigned int how = 1; how < CLOSE_MAX; how++) {
		for (unsigned int side = 0; side < SIDE_MAX; side++) {
			uint64_t n = w->x->metrics->closes[how][side];

			if (n || can_close(how, side))
				count(w, LABELS(close_text(how), side_or_none(side)), n);
		}
	}
}

static void connection_duration(struct writer *w)
{
	for (unsigned int role = ROLE_ACTIVE; role <= ROLE_PASSIVE; role++)
		histogram(w, LABELS(role_text(role)), &w->x->metrics->duration[role],
			  &duration_edges, NULL);
}

static void teardown_duration(struct writer *w)
{
	for (unsigned int side = SIDE_LOCAL; side < SIDE_MAX; side++)
		histogram(w, LABELS(side_text(side)), &w->x->metrics->teardown[side],
			  &teardown_edges, NULL);
}

static void lifecycles_incomplete(struct writer *w)
{
	for (unsigned int i = 0; i < INCOMPLETE_MAX; i++)
		count(w, LABELS(incomplete_text(i)), w->x->metrics->incomplete[i]);
}

static void connections_unseen(struct writer *w)
{
	count(w, NO_LABELS, w->x->metrics->unseen);
}

static void reconcile_corrections(struct writer *w)
{
	count(w, NO_LABELS, w->minis.corrections + w->x->metrics->corrections);
}

static void connections_tracked(struct writer *w)
{
	count(w, NO_LABELS, w->x->tracked);
}

/* ---- families by cgroup ---- */

static const char *part_of(const struct cgroup *c, struct cgroup_part part, char *buf)
{
	memcpy(buf, c->path + part.at, part.len);
	buf[part.len] = 0;
	return buf;
}

/* As the kernel numbers them; those of version 1, which it does not, by their paths. */
#define CGROUP_ID(group)	cgroup_id((char[VALUE_LEN]){}, (group)->id)

static const char *cgroup_id(char *buf, uint64_t id)
{
	struct text t = text_into(buf, VALUE_LEN - 1);

	if (!(id & CGROUP_V1))
		return uint_value(buf, id);
	text_str(&t, "v1-");
	text_hex16(&t, id);
	*t.p = 0;
	return buf;
}

static void cgroup_info(struct writer *w)
{
	const struct groups *g = w->x->groups;

	for (uint32_t i = 0; g && i < g->table.nr; i++) {
		const struct group *group = groups_at(g, i);
		const struct cgroup *c = group->cgroup;
		char unit[WIRE_PATH_LEN], container[WIRE_PATH_LEN];

		if (c)
			count(w, LABELS(CGROUP_ID(group), c->path, part_of(c, c->unit, unit),
					part_of(c, c->container_id, container), c->pod_uid), 1);
	}
}

/* each: of every cgroup, of other, and of those of which it is not known, if there are any. */
static void of_cgroups(struct writer *w, void (*each)(struct writer *w, const char *id,
						       const struct group *group))
{
	const struct groups *g = w->x->groups;

	for (uint32_t i = 0; g && i < g->table.nr; i++)
		each(w, CGROUP_ID(groups_at(g, i)), groups_at(g, i));
	if (g)
		each(w, "other", &g->other);
	if (g)
		each(w, "unknown", &g->unknown);
}

static void sockets_of_cgroup(struct writer *w, const char *id, const struct group *group)
{
	for (unsigned int s = 1; s < TS_MAX; s++) {
		if (group->states >> s & 1)
			count(w, LABELS(id, tcp_state_name(s)), group->sockets[s]);
	}
}

static void cgroup_sockets(struct writer *w)
{
	if (w->x->metrics->has_sockets && !w->x->minis->unlisted)
		of_cgroups(w, sockets_of_cgroup);
}

static void failures_of_cgroup(struct writer *w, const char *id, const struct group *group)
{
	for (unsigned int how = 1; how < OUTCOME_MAX; how++) {
		if (group->reasons >> how & 1)
			count(w, LABELS(id, outcome_text(how)), group->failures[how]);
	}
}

static void cgroup_failures(struct writer *w)
{
	of_cgroups(w, failures_of_cgroup);
}

static void retransmits_of_cgroup(struct writer *w, const char *id, const struct group *group)
{
	count(w, LABELS(id), group->retransmits);
}

static void cgroup_retransmits(struct writer *w)
{
	of_cgroups(w, retransmits_of_cgroup);
}

/* ---- families about synfin itself ---- */

static void build_info(struct writer *w)
{
	count(w, LABELS(SYNFIN_VERSION, SYNFIN_REVISION, w->x->self->libbpf), 1);
}

static void events(struct writer *w)
{
	static const struct { enum wire_kind kind; const char *name; } kinds[] = {
		{ WIRE_STATE, "state" }, { WIRE_RETRANSMIT, "retransmit" },
		{ WIRE_SYNACK, "synack" }, { WIRE_RESET, "reset" },
		{ WIRE_TW_SEGMENT, "late_segment" }, { WIRE_DROPPED, "dropped_segment" },
		{ WIRE_CENSUS, "census" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		count(w, LABELS(kinds[i].name), w->x->metrics->events[kinds[i].kind]);
}

static void events_lost(struct writer *w)
{
	static const enum lost_word places[] = { LOST_RING, LOST_NESTED, LOST_TABLE };

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		count(w, LABELS(lost_text(places[i])), w->x->metrics->lost[places[i]]);
}

static void ringbuf_used(struct writer *w)
{
	count(w, NO_LABELS, w->x->self->ring_used);
}

static void ringbuf_size(struct writer *w)
{
	count(w, NO_LABELS, w->x->self->ring_size);
}

static void map_entries(struct writer *w)
{
	for (unsigned int i = 0; i < w->x->self->nr_maps; i++)
		count(w, LABELS(w->x->self->maps[i].name), w->x->self->maps[i].entries);
}

static void map_entries_limit(struct writer *w)
{
	for (unsigned int i = 0; i < w->x->self->nr_maps; i++)
		count(w, LABELS(w->x->self->maps[i].name), w->x->self->maps[i].limit);
}

static void program_attached(struct writer *w)
{
	for (unsigned int i = 0; i < w->x->self->nr_programs; i++)
		count(w, LABELS(w->x->self->programs[i].name), w->x->self->programs[i].attached);
}

static void program_runs(struct writer *w)
{
	for (unsigned int i = 0; w->x->self->has_runs && i < w->x->self->nr_programs; i++)
		count(w, LABELS(w->x->self->programs[i].name), w->x->self->programs[i].runs);
}

static void program_run_seconds(struct writer *w)
{
	for (unsigned int i = 0; w->x->self->has_runs && i < w->x->self->nr_programs; i++)
		count_seconds(w, LABELS(w->x->self->programs[i].name),
			      w->x->self->programs[i].run_ns);
}

static void sink_events(struct writer *w)
{
	count(w, LABELS("metrics"), w->x->metrics->reports);
}

/* Called by the engine and done when that goes on: there is nothing that it could drop. */
static void sink_dropped(struct writer *w)
{
	count(w, LABELS("metrics"), 0);
}

static const char *const collector_names[] = {
#define X(id, name) [COLLECTOR_##id] = name,
	SELF_COLLECTORS(X)
#undef X
};

static void collector_duration(struct writer *w)
{
	for (unsigned int i = 0; i < COLLECTOR_MAX; i++) {
		const struct self_collector *c = &w->x->self->collectors[i];

		if (c->ran)
			count_seconds(w, LABELS(collector_names[i]), c->duration_ns);
	}
}

static void collector_success(struct writer *w)
{
	for (unsigned int i = 0; i < COLLECTOR_MAX; i++) {
		const struct self_collector *c = &w->x->self->collectors[i];

		if (c->ran)
			count(w, LABELS(collector_names[i]), c->ok);
	}
}

static void process_cpu(struct writer *w)
{
	count_seconds(w, NO_LABELS, w->x->self->process.cpu_ns);
}

static void process_open_fds(struct writer *w)
{
	count(w, NO_LABELS, w->x->self->process.open_fds);
}

static void process_max_fds(struct writer *w)
{
	count(w, NO_LABELS, w->x->self->process.max_fds);
}

static void process_virtual(struct writer *w)
{
	count(w, NO_LABELS, w->x->self->process.virtual_bytes);
}

static void process_resident(struct writer *w)
{
	count(w, NO_LABELS, w->x->self->process.resident_bytes);
}

static void process_start(struct writer *w)
{
	count_seconds(w, NO_LABELS, w->x->self->process.start_ns);
}

static void (*const families[METRIC_MAX])(struct writer *w) = {
	[M_BUILD_INFO] = build_info,
	[M_STATE_TRANSITIONS] = state_transitions,
	[M_HANDSHAKES] = handshakes,
	[M_HANDSHAKE_FAILURES] = handshake_failures,
	[M_HANDSHAKE_DURATION] = handshake_duration,
	[M_CONNECTIONS_CLOSED] = connections_closed,
	[M_CONNECTION_DURATION] = connection_duration,
	[M_TEARDOWN_DURATION] = teardown_duration,
	[M_SOCKETS] = sockets,
	[M_TIME_WAIT_CREATED] = time_wait_created,
	[M_TIME_WAIT_REMOVED] = time_wait_removed,
	[M_TIME_WAIT_OVERFLOWS] = time_wait_overflows,
	[M_TIME_WAIT_LIMIT] = time_wait_limit,
	[M_TIME_WAIT_REMOTE] = remote_time_waits,
	[M_TIME_WAIT_LOCAL] = local_time_waits,
	[M_EPHEMERAL_PORTS] = ephemeral_ports,
	[M_PORT_USAGE_MAX] = port_usage_max,
	[M_PORT_USAGE] = port_usage,
	[M_PORT_EXHAUSTIONS] = port_exhaustions,
	[M_ACCEPT_QUEUE] = accept_queue,
	[M_ACCEPT_QUEUE_LIMIT] = accept_queue_limit,
	[M_LISTEN_OVERFLOWS] = listen_overflows,
	[M_LISTEN_DROPS] = listen_drops,
	[M_SYN_COOKIES_SENT] = syn_cookies_sent,
	[M_CLOSE_WAIT_STALE] = close_wait_stale,
	[M_CLOSE_WAIT_OLDEST] = close_wait_oldest,
	[M_RETRANSMITS] = retransmits,
	[M_RESETS_SENT] = resets_sent,
	[M_RESETS_RECEIVED] = resets_received,
	[M_EVENTS] = events,
	[M_EVENTS_LOST] = events_lost,
	[M_LIFECYCLES_INCOMPLETE] = lifecycles_incomplete,
	[M_CONNECTIONS_UNSEEN] = connections_unseen,
	[M_RECONCILE_CORRECTIONS] = reconcile_corrections,
	[M_CONNECTIONS_TRACKED] = connections_tracked,
	[M_RINGBUF_USED] = ringbuf_used,
	[M_RINGBUF_SIZE] = ringbuf_size,
	[M_MAP_ENTRIES] = map_entries,
	[M_MAP_ENTRIES_LIMIT] = map_entries_limit,
	[M_PROGRAM_ATTACHED] = program_attached,
	[M_PROGRAM_RUNS] = program_runs,
	[M_PROGRAM_RUN_SECONDS] = program_run_seconds,
	[M_SINK_EVENTS] = sink_events,
	[M_SINK_DROPPED] = sink_dropped,
	[M_COLLECTOR_DURATION] = collector_duration,
	[M_COLLECTOR_SUCCESS] = collector_success,
	[M_CGROUP_INFO] = cgroup_info,
	[M_CGROUP_SOCKETS] = cgroup_sockets,
	[M_CGROUP_FAILURES] = cgroup_failures,
	[M_CGROUP_RETRANSMITS] = cgroup_retransmits,
	[M_PROCESS_CPU] = process_cpu,
	[M_PROCESS_OPEN_FDS] = process_open_fds,
	[M_PROCESS_MAX_FDS] = process_max_fds,
	[M_PROCESS_VIRTUAL] = process_virtual,
	[M_PROCESS_RESIDENT] = process_resident,
	[M_PROCESS_START] = process_start,
};

void exposition_write(struct text *t, const struct exposition *x, enum exposition_format format)
{
	struct writer w = {
		.t = t, .x = x, .openmetrics = format == EXPOSITION_OPENMETRICS,
	};

	timewait_sum(x->minis, &w.minis);
	for (w.family = 0; w.family < METRIC_MAX; w.family++) {
		w.has_head = false;
		families[w.family](&w);
	}
	if (w.openmetrics)
		text_str(t, "# EOF\n");
}
