// SPDX-License-Identifier: GPL-2.0-or-later
#include "row.h"

#include <string.h>

#include "lifecycle.h"
#include "tw_table.h"

#define NSEC_PER_USEC	1000ull
#define NSEC_PER_MSEC	1000000ull

static void set_uint(struct row *row, enum field f, uint64_t u)
{
	row_set(row, f)->u = u;
}

static void set_word(struct row *row, enum field f, const char *text)
{
	if (text)
		row_set(row, f)->text = text;
}

static void set_text(struct row *row, enum field f, const char *text)
{
	struct value *v = row_set(row, f);

	v->text = text;
	v->len = strlen(text);
}

static void set_state(struct row *row, enum field f, unsigned int state)
{
	if (state)
		set_word(row, f, tcp_state_name(state));
}

static void set_us(struct row *row, enum field f, uint64_t ns)
{
	if (ns != UNKNOWN_NS)
		set_uint(row, f, ns / NSEC_PER_USEC);
}

/* errno's name; one that has none here is still an error. */
static void set_errno(struct row *row, enum field f, int err)
{
	const char *name = err ? strerrorname_np(err) : NULL;

	if (err)
		set_word(row, f, name ? name : "EUNKNOWN");
}

static void set_endpoint(struct row *row, const uint8_t *addr, uint16_t port, uint8_t family,
			 enum field addr_field, enum field port_field)
{
	struct value *v = row_set(row, addr_field);

	v->addr = addr;
	v->len = family;
	if (port)
		set_uint(row, port_field, port);
}

/* A listener has no peer, and of a socket that was disconnected it is wiped. */
static void set_tuple(struct row *row, const struct wire_tuple *t)
{
	set_uint(row, F_FAMILY, t->family);
	set_endpoint(row, t->laddr, t->lport, t->family, F_LADDR, F_LPORT);
	if (t->rport)
		set_endpoint(row, t->raddr, t->rport, t->family, F_RADDR, F_RPORT);
}

static void set_owner(struct row *row, const struct owner *o)
{
	struct value *comm;

	if (!o->from)
		return;
	set_uint(row, F_PID, o->pid);
	comm = row_set(row, F_COMM);
	comm->text = o->comm;
	comm->len = strlen(o->comm);
	set_uint(row, F_UID, o->uid);
	set_word(row, F_OWNER_FROM, owner_text(o->from));
}

/* Of no bytes: not known. */
static void set_bytes(struct row *row, enum field f, const char *bytes, uint32_t len)
{
	struct value *v;

	if (!len)
		return;
	v = row_set(row, f);
	v->text = bytes;
	v->len = len;
}

static void set_process(struct row *row, const struct process *p)
{
	set_bytes(row, F_EXE, p->text, p->exe_len);
	set_bytes(row, F_CMDLINE, p->text + p->exe_len, p->cmdline_len);
}

static void set_part(struct row *row, enum field f, const struct cgroup *c, struct cgroup_part part)
{
	set_bytes(row, f, c->path + part.at, part.len);
}

static void set_cgroup(struct row *row, const struct cgroup *c)
{
	set_bytes(row, F_CGROUP, c->path, c->path_len);
	set_part(row, F_UNIT, c, c->unit);
	set_part(row, F_CONTAINER_ID, c, c->container_id);
	if (c->pod_uid[0])
		set_text(row, F_POD_UID, c->pod_uid);
}

/* What all records have; event is contract.md's name of the kind. */
static void set_common(struct row *row, const struct report *r, const char *event)
{
	set_uint(row, F_TIME, r->at_ns + r->clock_ns);
	set_uint(row, F_V, RECORD_VERSION);
	set_word(row, F_EVENT, event);
	if (r->id)
		set_uint(row, F_CONN, r->id);
	if (r->netns)
		set_uint(row, F_NETNS, r->netns);
	if (r->tuple)
		set_tuple(row, r->tuple);
	set_word(row, F_ROLE, role_text(r->role));
	if (r->owner)
		set_owner(row, r->owner);
	if (r->existing)
		set_uint(row, F_EXISTING, true);
	if (r->process)
		set_process(row, r->process);
	if (r->cgroup)
		set_cgroup(row, r->cgroup);
	row->netns_name = r->netns_name;
}

static void set_state_event(struct row *row, const struct report *r)
{
	set_common(row, r, "state");
	set_state(row, F_OLD, r->state.old);
	set_state(row, F_NEW, r->state.new);
	set_us(row, F_IN_OLD, r->state.in_old_ns);
	set_word(row, F_CAUSE, end_text(r->state.cause));
}

static void set_late_segment(struct row *row, const struct report *r)
{
	set_common(row, r, "late_segment");
	set_uint(row, F_FLAGS, r->late.tcp_flags | (r->late.payload ? FIELD_FLAG_DATA : 0));
	set_state(row, F_STATE, r->late.state);
}

static void set_retransmit(struct row *row, const struct report *r)
{
	const struct report_retransmit *x = &r->retransmit;

	set_common(row, r, "retransmit");
	set_word(row, F_PHASE, phase_text(x->phase));
	set_word(row, F_CAUSE, retransmit_text(x->cause));
	set_state(row, F_STATE, x->state);
	set_uint(row, F_SEGS, x->segs);
	if (x->has_seq) {
		set_uint(row, F_SEQ, x->seq);
		set_uint(row, F_LEN, x->len);
	}
	set_errno(row, F_ERROR, x->err);
}

static void set_reset(struct row *row, const struct report *r)
{
	set_common(row, r, "reset");
	set_word(row, F_DIRECTION, r->reset.received ? "received" : "sent");
	set_word(row, F_REASON, r->reset.reason);
	set_state(row, F_STATE, r->reset.state);
}

static void set_path(struct row *row, const struct conn *c, bool timed)
{
	struct value *v = row_set(row, F_PATH);

	v->states = c->path;
	v->len = c->path_len;
	if (!timed)
		return;
	v = row_set(row, F_PATH_US);
	v->list = c->path_ns;
	v->len = c->path_len;
	if (v->len && c->path[v->len - 1] == TS_TIME_WAIT)
		v->len--;
}

/* Only a socket that was seen to close was sampled. */
static void set_traffic(struct row *row, const struct conn *c)
{
	uint64_t bytes;

	if ((c->stage != STAGE_VERDICT && c->stage != STAGE_PARKED) ||
	    !(c->end.flags & ENDING_SAMPLED))
		return;
	if (life_tx_bytes(c, &bytes))
		set_uint(row, F_TX_BYTES, bytes);
	if (life_rx_bytes(c, &bytes))
		set_uint(row, F_RX_BYTES, bytes);
	set_uint(row, F_TX_SEGS, c->end.data_segs_out);
	set_uint(row, F_RX_SEGS, c->end.data_segs_in);
	if (c->end.srtt_us8)
		set_uint(row, F_SRTT, c->end.srtt_us8 >> 3);
	if (c->end.min_rtt_us != UINT32_MAX)
		set_uint(row, F_MIN_RTT, c->end.min_rtt_us);
}

static void set_verdict(struct row *row, const struct conn *c, const struct verdict *v)
{
	set_word(row, F_OUTCOME, outcome_text(v->outcome));
	set_errno(row, F_ERROR, v->err);
	set_word(row, F_CLOSE, close_text(v->close));
	set_word(row, F_CLOSE_REASON, reason_text(v->reason));
	set_word(row, F_CLOSED_BY, side_text(v->closed_by));
	if (v->time_wait != TRI_UNKNOWN)
		set_uint(row, F_TIME_WAIT, v->time_wait == TRI_YES);
	if (c->stage == STAGE_PARKED)
		set_uint(row, F_FIN_WAIT2_ORPHAN, true);
}

static void set_connection(struct row *row, const struct report *r)
{
	const struct report_connection *x = &r->connection;
	const struct conn *c = r->conn;

	set_common(row, r, "connection");
	if (c->start_ns && !(c->flags & CONN_EXISTING))
		set_uint(row, F_START, x->start_ns + r->clock_ns);
	set_verdict(row, c, &x->verdict);
	set_us(row, F_HANDSHAKE, x->handshake_ns);
	set_uint(row, F_SYN_RETRANS, c->retransmits[PHASE_SYN]);
	set_uint(row, F_SYNACK_RETRANS, c->retransmits[PHASE_SYNACK]);
	set_uint(row, F_DATA_RETRANS, c->retransmits[PHASE_DATA]);
	set_uint(row, F_FIN_RETRANS, c->retransmits[PHASE_FIN]);
	set_path(row, c, x->has_path_ns);
	set_us(row, F_DURATION, x->duration_ns);
	set_us(row, F_TEARDOWN, x->teardown_ns);
	set_traffic(row, c);
	set_uint(row, F_COMPLETE, x->complete);
	if (!x->complete && c->missed && !(c->flags & CONN_EXISTING))
		set_uint(row, F_MISSED, c->missed);
}

static void set_lost(struct row *row, const struct report *r)
{
	set_common(row, r, "lost");
	set_uint(row, F_COUNT, r->lost.count);
	set_word(row, F_WHERE, lost_text(r->lost.where));
}

/* ---- of a census ---- */

static void set_count(struct row *row, enum field f, uint64_t count)
{
	if (count != UNKNOWN_COUNT)
		set_uint(row, f, count);
}

static void set_time_wait(struct row *row, const struct report *r)
{
	const struct report_time_wait *x = &r->time_wait;
	struct value *left;

	set_common(row, r, "time_wait");
	set_uint(row, F_COUNT, x->count);
	set_uint(row, F_FIN_WAIT2, x->fin_wait2);
	set_count(row, F_LIMIT, x->limit);
	set_count(row, F_ENTERED, x->entered_milli_s);
	left = row_set(row, F_LEFT);
	left->list = x->left;
	left->len = TW_STEPS;
	set_count(row, F_OVERFLOWS, x->overflows);
	set_count(row, F_TW_REUSE, x->tw_reuse);
}

/* A group of all that are not told apart has no key. */
static void set_tw_group(struct row *row, const struct report *r)
{
	const struct report_tw_group *x = &r->tw_group;
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	uint8_t family = x->addr && !memcmp(x->addr, mapped, sizeof(mapped)) ? 4 : 6;

	set_common(row, r, "time_wait_group");
	set_word(row, F_BY, by_text(x->by));
	if (x->addr) {
		set_uint(row, F_FAMILY, family);
		set_endpoint(row, x->addr, 0, family, F_RADDR, F_RPORT);
	} else if (x->lport) {
		set_uint(row, F_LPORT, x->lport);
	}
	set_uint(row, F_COUNT, x->count);
	set_uint(row, F_RATIO, x->of ? x->count * 1000000 / x->of : 0);
}

static void set_port_space(struct row *row, const struct report *r)
{
	const struct report_port_space *x = &r->port_space;

	set_common(row, r, "port_space");
	set_uint(row, F_USED, x->used);
	set_uint(row, F_USED_TIME_WAIT, x->time_wait);
	if (r->tuple && r->tuple->rport) {
		set_uint(row, F_REUSABLE, x->reusable);
		set_uint(row, F_STAMPED, x->stamped);
	}
	set_count(row, F_CAPACITY, x->capacity);
	if (x->capacity != UNKNOWN_COUNT && x->capacity)
		set_uint(row, F_RATIO, x->used * 1000000 / x->capacity);
	set_count(row, F_FULL_IN, x->full_in_ms);
}

static void set_listener(struct row *row, const struct report *r)
{
	const struct report_listener *x = &r->listener;

	set_common(row, r, "listener");
	set_uint(row, F_ACCEPT_QUEUE, x->accept_queue);
	set_uint(row, F_ACCEPT_LIMIT, x->accept_queue_limit);
	set_uint(row, F_HALF_OPEN, x->half_open);
	set_uint(row, F_HALF_OPEN_ACKED, x->acked);
	set_us(row, F_HALF_OPEN_OLDEST, x->oldest_ns);
	set_uint(row, F_SYNACK_RETRANS, x->synack_retrans);
	set_uint(row, F_DROPS, x->drops);
}

static void set_listeners(struct row *row, const struct report *r)
{
	const struct report_listeners *x = &r->listeners;

	set_common(row, r, "listeners");
	set_uint(row, F_COUNT, x->count);
	set_count(row, F_LISTEN_OVERFLOWS, x->overflows);
	set_count(row, F_LISTEN_DROPS, x->drops);
	set_count(row, F_COOKIES_SENT, x->cookies_sent);
	set_count(row, F_COOKIES_RECV, x->cookies_recv);
	set_count(row, F_COOKIES_FAILED, x->cookies_failed);
}

static void set_socket(struct row *row, const struct report *r)
{
	const struct report_socket *x = &r->socket;

	set_common(row, r, "socket");
	set_state(row, F_STATE, x->state);
	set_us(row, F_AGE, x->age_ns);
	if (x->has_fd)
		set_uint(row, F_FD, x->fd);
	if (x->orphan)
		set_uint(row, F_ORPHAN, true);
}

void row_from_report(struct row *row, const struct report *r)
{
	row_clear(row);
	switch (r->kind) {
	case REPORT_TIME_WAIT:
		set_time_wait(row, r);
		break;
	case REPORT_TW_GROUP:
		set_tw_group(row, r);
		break;
	case REPORT_PORT_SPACE:
		set_port_space(row, r);
		break;
	case REPORT_LISTENER:
		set_listener(row, r);
		break;
	case REPORT_LISTENERS:
		set_listeners(row, r);
		break;
	case REPORT_SOCKET:
		set_socket(row, r);
		break;
	case REPORT_STATE:
		set_state_event(row, r);
		break;
	case REPORT_LATE_SEGMENT:
		set_late_segment(row, r);
		break;
	case REPORT_RETRANSMIT:
		set_retransmit(row, r);
		break;
	case REPORT_RESET:
		set_reset(row, r);
		break;
	case REPORT_CONNECTION:
		set_connection(row, r);
		break;
	case REPORT_LOST:
		set_lost(row, r);
		break;
	case REPORT_KINDS:
		break;
	}
}

/* ---- ladders ---- */

/* Relative to the initial one of its end, as in tcpdump; of a SYN that is 0. */
static void set_number(struct row *row, enum field f, const struct ladder *l, enum lane lane,
		       uint32_t number, bool absolute)
{
	uint32_t isn;

	if (absolute)
		set_uint(row, f, number);
	else if (ladder_isn(l, lane, &isn))
		set_uint(row, f, number - isn);
}

static void set_numbers(struct row *row, const struct ladder *l, const struct arrow *a,
			bool absolute)
{
	enum lane from = a->from, to = from == LEFT ? RIGHT : LEFT;
	bool opens = a->kind == ARROW_SYN || a->kind == ARROW_SYNACK;
	uint32_t isn;

	if (opens && !absolute)
		set_uint(row, F_SEQ, 0);
	else if (opens && ladder_isn(l, from, &isn))
		set_uint(row, F_SEQ, isn);
	else if (a->flags & AR_SEQ && !opens)
		set_number(row, F_SEQ, l, from, a->seq, absolute);
	if (a->flags & AR_ACK)
		set_number(row, F_ACK, l, to, a->ack, absolute);
	if (a->len)
		set_uint(row, F_LEN, a->len);
	if (a->segs)
		set_uint(row, F_SEGS, a->segs);
}

static void set_ends(struct row *row, const struct ladder *l, const uint8_t states[2])
{
	enum lane local = ladder_local(l), far = local == LEFT ? RIGHT : LEFT;
	const struct view *v = l->ends[local], *m = l->ends[far];

	set_uint(row, F_CONN, v->id);
	if (m)
		set_uint(row, F_PEER_CONN, m->id);
	if (v->netns)
		set_uint(row, F_NETNS, v->netns);
	set_tuple(row, &v->tuple);
	set_word(row, F_ROLE, role_text(v->role));
	set_owner(row, &v->owner);
	set_state(row, F_STATE, states[local]);
	set_state(row, F_PEER_STATE, states[far]);
	if (states[far] && !m)
		set_uint(row, F_PEER_INFERRED, true);
	if (v->existing)
		set_uint(row, F_EXISTING, true);
	else if (v->start_ns)
		set_uint(row, F_START, v->start_ns + v->clock_ns);
}

void row_from_arrow(struct row *row, const struct ladder_row *r)
{
	const struct ladder *l = r->ladder;
	const struct arrow *a = r->arrow;
	enum lane local = ladder_local(l);
	struct value *text;

	row_clear(row);
	set_uint(row, F_TIME, a->at_ns + l->ends[local]->clock_ns);
	set_uint(row, F_V, RECORD_VERSION);
	set_word(row, F_EVENT, "arrow");
	set_ends(row, l, r->states);
	set_word(row, F_KIND, arrow_text(a->kind));
	if (a->kind != ARROW_VERDICT)
		set_word(row, F_FROM, side_text(a->from == local ? SIDE_LOCAL : SIDE_REMOTE));
	set_word(row, F_CAUSE, a->end ? end_text(a->end) : retransmit_text(a->cause));
	set_word(row, F_REASON, a->reason);
	if (a->kind <= ARROW_SEGMENT)
		set_numbers(row, l, a, r->absolute);
	if (a->flags & AR_AGAIN)
		set_uint(row, F_AGAIN, a->times);
	if (a->flags & AR_ABSENT)
		set_uint(row, F_ARRIVED, false);
	set_uint(row, F_INFERRED, arrow_is_inferred(a));
	if (a->for_ns)
		set_uint(row, F_FOR, a->for_ns / NSEC_PER_USEC);
	if (a->missed)
		set_uint(row, F_MISSED, a->missed);
	set_errno(row, F_ERROR, a->err);
	if (!r->text)
		return;
	text = row_set(row, F_TEXT);
	text->text = r->text;
	text->len = r->text_len;
}

void row_add_cgroup(struct row *row, const struct cgroup *c)
{
	set_cgroup(row, c);
}

void row_from_check(struct row *row, const struct check *c, uint64_t time_ns)
{
	row_clear(row);
	set_uint(row, F_TIME, time_ns);
	set_uint(row, F_V, RECORD_VERSION);
	set_word(row, F_EVENT, "check");
	set_word(row, F_FEATURE, c->feature);
	if (c->state != CHECK_UNKNOWN)
		set_uint(row, F_IS_OK, c->state == CHECK_OK);
	set_text(row, F_NEEDS, c->needs);
	if (c->cure)
		set_text(row, F_CURE, c->cure);
}

static void set_int(struct row *row, enum field f, int64_t i)
{
	row_set(row, f)->i = i;
}

void row_from_audit(struct row *row, const struct audit_row *a, uint32_t netns, uint64_t time_ns)
{
	row_clear(row);
	set_uint(row, F_TIME, time_ns);
	set_uint(row, F_V, RECORD_VERSION);
	set_word(row, F_EVENT, "audit");
	set_uint(row, F_NETNS, netns);
	set_word(row, F_COUNTER, a->counter);
	if (a->has_kernel)
		set_int(row, F_KERNEL, a->kernel);
	set_word(row, F_WHY, a->why);
	if (a->why)
		return;
	set_int(row, F_TRACED, a->traced);
	set_int(row, F_RESIDUAL, a->residual);
}

void row_from_audit_end(struct row *row, uint64_t time_ns, uint64_t ms, uint64_t lost_ring,
			uint64_t lost_nested)
{
	row_clear(row);
	set_uint(row, F_TIME, time_ns);
	set_uint(row, F_V, RECORD_VERSION);
	set_word(row, F_EVENT, "summary");
	set_uint(row, F_SECONDS, ms);
	set_uint(row, F_LOST_RING, lost_ring);
	set_uint(row, F_LOST_NESTED, lost_nested);
}

void row_from_survey_end(struct row *row, uint64_t time_ns, uint64_t ms, uint64_t lost_sink)
{
	row_clear(row);
	set_uint(row, F_TIME, time_ns);
	set_uint(row, F_V, RECORD_VERSION);
	set_word(row, F_EVENT, "summary");
	set_uint(row, F_SECONDS, ms);
	set_uint(row, F_LOST_SINK, lost_sink);
}

void row_from_tally(struct row *row, const struct tally *t)
{
	row_clear(row);
	set_uint(row, F_TIME, t->last_ns);
	set_uint(row, F_V, RECORD_VERSION);
	set_word(row, F_EVENT, "summary");
	set_uint(row, F_SECONDS, t->last_ns > t->first_ns ?
		 (t->last_ns - t->first_ns) / NSEC_PER_MSEC : 0);
	set_uint(row, F_TRANSITIONS, t->transitions);
	set_uint(row, F_RETRANSMITS, t->retransmits);
	set_uint(row, F_RESETS, t->resets);
	set_uint(row, F_CONNECTIONS, t->connections);
	set_uint(row, F_UNSEEN, t->unseen);
	set_uint(row, F_INCOMPLETE, t->incomplete);
	set_uint(row, F_LOST_RING, t->lost[LOST_RING]);
	set_uint(row, F_LOST_NESTED, t->lost[LOST_NESTED]);
	set_uint(row, F_LOST_TABLE, t->lost[LOST_TABLE]);
	set_uint(row, F_LOST_SINK, t->lost[LOST_SINK]);
	set_uint(row, F_OWNERS_UNKNOWN, t->owners_unknown);
	for (unsigned int w = 1; w < OUTCOME_MAX; w++)
		set_uint(row, F_OUTCOME_ESTABLISHED + w - 1, t->outcomes[w]);
	for (unsigned int w = 1; w < CLOSE_MAX; w++)
		set_uint(row, F_CLOSE_FIN + w - 1, t->closes[w]);
}
