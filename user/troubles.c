// SPDX-License-Identifier: GPL-2.0-or-later
#include "troubles.h"

#include <errno.h>
#include <string.h>

#include "tcp_state.h"

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull

#define GROUPS_MAX	(BOARD_TROUBLES - TROUBLES_PENDING - TROUBLES_SLOW)
#define LADDERS_A_SECOND	20u

/* What has not been seen for so long is past. */
#define GROUP_NS	(600 * NSEC_PER_SEC)
#define CROWDED_NS	(30 * NSEC_PER_SEC)	/* likewise, when there is no room for more */
#define SLOW_NS		(300 * NSEC_PER_SEC)
#define PENDING_NS	(180 * NSEC_PER_SEC)	/* a SYN is given up after 131 s */

/* Of the end that many connections have in common. */
struct trouble_key {
	uint8_t addr[16];
	uint32_t netns;
	uint16_t port, err;
	uint8_t kind, role, outcome, close, reason;
	uint8_t pad[3];
};

struct trouble_group {
	struct trouble_key key;
	struct trouble trouble;
};

_Static_assert(sizeof(struct trouble_key) % 8 == 0, "a key of keytab's");

int troubles_init(struct troubles *t)
{
	*t = (struct troubles){};
	return keytab_init(&t->groups, sizeof(struct trouble_key), sizeof(struct trouble_group),
			   GROUPS_MAX);
}

void troubles_deinit(struct troubles *t)
{
	for (uint32_t i = 0; i < t->groups.nr; i++) {
		struct trouble_group *group = keytab_at(&t->groups, i);

		ladder_copy_destroy(group->trouble.ladder);
	}
	for (unsigned int i = 0; i < t->nr_pending; i++)
		ladder_copy_destroy(t->pending[i].ladder);
	for (unsigned int i = 0; i < t->nr_slow; i++)
		ladder_copy_destroy(t->slow[i].ladder);
	keytab_deinit(&t->groups);
	*t = (struct troubles){};
}

/* ---- one of them ---- */

/* The last one of its kind is r's. */
static void describe(struct troubles *t, struct trouble *x, const struct report *r)
{
	struct board_trouble *b = &x->board;
	const struct conn *c = r->conn;

	if (!b->handle)
		b->handle = ++t->handles;
	b->id = r->id;
	b->role = c->role;
	b->netns = c->netns;
	b->tuple = c->tuple;
	b->owner = r->owner ? *r->owner : (struct owner){};
	b->last_ns = r->at_ns;
	b->syn_again = c->retransmits[PHASE_SYN];
	b->synack_again = c->retransmits[PHASE_SYNACK];
	b->handshake_ns = c->flags & CONN_HANDSHAKE ? c->handshake_ns : BOARD_UNKNOWN;
	x->start_ns = c->synack_ns ? c->synack_ns : c->start_ns;
}

static void drop(struct trouble *list, unsigned int *nr, unsigned int i)
{
	ladder_copy_destroy(list[i].ladder);
	list[i] = list[--*nr];
}

static struct trouble *find(struct trouble *list, unsigned int nr, uint64_t id)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (list[i].board.id == id)
			return &list[i];
	}
	return NULL;
}

/* ---- handshakes under way ---- */

static void on_retransmit(struct troubles *t, const struct report *r)
{
	struct trouble *x;

	if ((r->retransmit.phase != PHASE_SYN && r->retransmit.phase != PHASE_SYNACK) ||
	    !r->conn || !r->id)
		return;
	x = find(t->pending, t->nr_pending, r->id);
	if (!x && t->nr_pending == TROUBLES_PENDING)
		return;
	if (!x) {
		x = &t->pending[t->nr_pending++];
		*x = (struct trouble){ .board = { .kind = TROUBLE_PENDING, .count = 1 } };
	}
	describe(t, x, r);
	x->board.state = r->retransmit.phase == PHASE_SYN ? TS_SYN_SENT : TS_SYN_RECV;
}

static void end_pending(struct troubles *t, const struct report *r)
{
	struct trouble *x = t->nr_pending ? find(t->pending, t->nr_pending, r->id) : NULL;

	if (x)
		drop(t->pending, &t->nr_pending, x - t->pending);
}

/* ---- slow ones ---- */

static struct trouble *fastest(struct troubles *t)
{
	struct trouble *ret = &t->slow[0];

	for (unsigned int i = 1; i < t->nr_slow; i++) {
		if (t->slow[i].board.handshake_ns < ret->board.handshake_ns)
			ret = &t->slow[i];
	}
	return ret;
}

static void consider_slow(struct troubles *t, const struct report *r)
{
	const struct conn *c = r->conn;
	struct trouble *x;

	if (!c || !(c->flags & CONN_HANDSHAKE) || c->flags & (CONN_GAP | CONN_EXISTING) ||
	    c->handshake_ns < TROUBLES_SLOW_NS)
		return;
	if (t->nr_slow < TROUBLES_SLOW) {
		x = &t->slow[t->nr_slow++];
	} else {
		x = fastest(t);
		if (x->board.handshake_ns >= c->handshake_ns)
			return;
		ladder_copy_destroy(x->ladder);
	}
	*x = (struct trouble){};
	describe(t, x, r);
	x->board.kind = TROUBLE_SLOW;
	x->board.outcome = OUTCOME_ESTABLISHED;
	x->board.count = 1;
}

static void on_state(struct troubles *t, const struct report *r)
{
	bool was_opening = r->state.old == TS_SYN_SENT || r->state.old == TS_SYN_RECV;

	if (!was_opening || r->state.new == TS_SYN_RECV)
		return;
	end_pending(t, r);
	if (r->state.new != TS_CLOSE)
		consider_slow(t, r);
}

/* ---- ends ---- */

static bool is_orderly(const struct verdict *v)
{
	return v->close == CLOSE_NONE || v->close == CLOSE_FIN || v->close == CLOSE_STILL_OPEN;
}

static bool has_failed(const struct verdict *v)
{
	return v->outcome != OUTCOME_NONE && v->outcome != OUTCOME_ESTABLISHED;
}

/* Of who was called the port stands for a service, not that of who called. */
static struct trouble_key key_of(const struct report *r)
{
	const struct verdict *v = &r->connection.verdict;
	const struct wire_tuple *tuple = &r->conn->tuple;
	bool passive = r->conn->role == ROLE_PASSIVE;
	struct trouble_key key = {
		.netns = r->conn->netns, .port = passive ? tuple->lport : tuple->rport,
		.err = v->err, .role = r->conn->role, .outcome = v->outcome,
		.kind = has_failed(v) ? TROUBLE_FAILED : TROUBLE_ENDED,
	};

	if (key.kind == TROUBLE_ENDED) {
		key.close = v->close;
		key.reason = v->reason;
	}
	memcpy(key.addr, passive ? tuple->laddr : tuple->raddr, sizeof(key.addr));
	return key;
}

static bool is_recent(const void *entry, const void *ctx)
{
	const struct trouble_group *group = entry;
	const uint64_t *since_ns = ctx;
	bool ret = group->trouble.board.last_ns >= *since_ns;

	if (!ret)
		ladder_copy_destroy(group->trouble.ladder);
	return ret;
}

static void forget_groups(struct troubles *t, uint64_t now_ns, uint64_t after_ns)
{
	const uint64_t since_ns = now_ns > after_ns ? now_ns - after_ns : 0;

	keytab_filter(&t->groups, is_recent, &since_ns);
}

static struct trouble_group *group_of(struct troubles *t, const struct report *r)
{
	const struct trouble_key key = key_of(r);
	struct trouble_group *group = keytab_add(&t->groups, &key);

	if (group)
		return group;
	forget_groups(t, r->at_ns, CROWDED_NS);
	return keytab_add(&t->groups, &key);
}

static void on_connection(struct troubles *t, const struct report *r)
{
	const struct verdict *v = &r->connection.verdict;
	struct trouble_group *group;
	struct board_trouble *b;

	if (v->close == CLOSE_STILL_OPEN)	/* the run ends, not the handshake */
		return;
	end_pending(t, r);
	if (!has_failed(v) && is_orderly(v))
		return;
	group = group_of(t, r);
	if (!group) {
		t->ungrouped++;
		return;
	}
	describe(t, &group->trouble, r);
	b = &group->trouble.board;
	b->kind = group->key.kind;
	b->outcome = v->outcome;
	b->close = group->key.close;
	b->reason = group->key.reason;
	b->err = v->err;
	b->count++;
	if (b->kind == TROUBLE_FAILED && group->trouble.start_ns &&
	    r->at_ns > group->trouble.start_ns)
		b->handshake_ns = r->at_ns - group->trouble.start_ns;
}

void troubles_report(struct troubles *t, const struct report *r)
{
	if (r->kind == REPORT_RETRANSMIT)
		on_retransmit(t, r);
	else if (r->kind == REPORT_STATE)
		on_state(t, r);
	else if (r->kind == REPORT_CONNECTION)
		on_connection(t, r);
}

/* ---- ladders ---- */

static bool is_wanted(const struct trouble *x, uint64_t id)
{
	return x->wanted == id;
}

static bool has_handle(const struct trouble *x, uint64_t handle)
{
	return x->board.handle == handle;
}

static struct trouble *find_any(struct troubles *t,
				bool (*is)(const struct trouble *x, uint64_t value), uint64_t value)
{
	for (unsigned int i = 0; i < t->nr_slow; i++) {
		if (is(&t->slow[i], value))
			return &t->slow[i];
	}
	for (unsigned int i = 0; i < t->nr_pending; i++) {
		if (is(&t->pending[i], value))
			return &t->pending[i];
	}
	for (uint32_t i = 0; i < t->groups.nr; i++) {
		struct trouble_group *group = keytab_at(&t->groups, i);

		if (is(&group->trouble, value))
			return &group->trouble;
	}
	return NULL;
}

/* Whose last one this is: of a crowd one in a second is enough. */
static struct trouble *trouble_of(struct troubles *t, const struct report *r)
{
	const struct verdict *v = &r->connection.verdict;
	struct trouble_key key;
	struct trouble_group *group;

	if (!has_failed(v) && is_orderly(v))
		return find(t->slow, t->nr_slow, r->id);
	key = key_of(r);
	group = keytab_find(&t->groups, &key);
	if (!group || (group->trouble.wanted &&
		       r->at_ns - group->trouble.wanted_ns < NSEC_PER_SEC))
		return NULL;
	return &group->trouble;
}

bool troubles_want_ladder(struct troubles *t, const struct report *r)
{
	struct trouble *x = r->kind == REPORT_CONNECTION ? trouble_of(t, r) : NULL;

	if (!x)
		return false;
	if (t->second != r->at_ns / NSEC_PER_SEC) {
		t->second = r->at_ns / NSEC_PER_SEC;
		t->nr_ladders = 0;
	}
	if (t->nr_ladders++ >= LADDERS_A_SECOND)
		return false;
	x->wanted = r->id;
	x->wanted_ns = r->at_ns;
	return true;
}

void troubles_take_ladder(struct troubles *t, uint64_t id, const struct telling *telling)
{
	struct trouble *x = find_any(t, is_wanted, id);

	if (!x)
		return;
	ladder_copy_destroy(x->ladder);
	x->ladder = ladder_copy_create(telling);
}

const struct telling *troubles_ladder(struct troubles *t, uint64_t handle, uint64_t *id)
{
	struct trouble *x = find_any(t, has_handle, handle);

	*id = x ? x->board.id : 0;
	return x && x->ladder ? &x->ladder->telling : NULL;
}

/* ---- the course of time ---- */

static void forget_old(struct trouble *list, unsigned int *nr, uint64_t now_ns, uint64_t after_ns)
{
	for (unsigned int i = *nr; i-- > 0;) {
		if (list[i].board.last_ns + after_ns < now_ns)
			drop(list, nr, i);
	}
}

void troubles_sample(struct troubles *t, uint64_t now_ns, uint64_t between_ns)
{
	uint64_t ms = between_ns / NSEC_PER_MSEC;

	for (uint32_t i = 0; i < t->groups.nr; i++) {
		struct trouble_group *group = keytab_at(&t->groups, i);
		struct trouble *x = &group->trouble;

		x->board.per_s = ms ? (x->board.count - x->sampled) * 1000000 / ms : 0;
		x->sampled = x->board.count;
	}
	forget_groups(t, now_ns, GROUP_NS);
	forget_old(t->slow, &t->nr_slow, now_ns, SLOW_NS);
	forget_old(t->pending, &t->nr_pending, now_ns, PENDING_NS);
}

unsigned int troubles_copy(const struct troubles *t, uint64_t now_ns,
			   struct board_trouble ret[BOARD_TROUBLES])
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < t->nr_pending; i++) {
		const struct trouble *x = &t->pending[i];

		ret[nr] = x->board;
		if (x->start_ns && now_ns > x->start_ns)
			ret[nr].handshake_ns = now_ns - x->start_ns;
		nr++;
	}
	for (unsigned int i = 0; i < t->nr_slow; i++)
		ret[nr++] = t->slow[i].board;
	for (uint32_t i = 0; i < t->groups.nr; i++) {
		const struct trouble_group *group = keytab_at(&t->groups, i);

		ret[nr++] = group->trouble.board;
	}
	return nr;
}
