// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcp_state.h"

#define NSEC_PER_MSEC	1000000ull
#define NSEC_PER_SEC	1000000000ull

/* For the other end to end, too. */
#define PAIR_WAIT_NS	NSEC_PER_SEC
/* Live: for the other end's record of the same segment. */
#define LIVE_WAIT_NS	(10 * NSEC_PER_MSEC)

#define BUCKETS		EXPLAIN_VIEWS

/* ---- lists ---- */

static void list_append(struct explain *e, enum view_stage stage, struct view *v)
{
	struct view_list *list = &e->lists[stage];

	v->stage = stage;
	v->newer = NULL;
	v->older = list->newest;
	*(v->older ? &v->older->newer : &list->oldest) = v;
	list->newest = v;
	list->nr++;
}

static void list_remove(struct explain *e, struct view *v)
{
	struct view_list *list = &e->lists[v->stage];

	*(v->older ? &v->older->newer : &list->oldest) = v->newer;
	*(v->newer ? &v->newer->older : &list->newest) = v->older;
	list->nr--;
}

/* To the front: it is due before all others. */
static void list_push(struct explain *e, struct view *v, enum view_stage stage)
{
	struct view_list *list = &e->lists[stage];

	list_remove(e, v);
	v->stage = stage;
	v->older = NULL;
	v->newer = list->oldest;
	*(v->newer ? &v->newer->older : &list->newest) = v;
	list->oldest = v;
	list->nr++;
}

static void list_move(struct explain *e, struct view *v, enum view_stage stage)
{
	list_remove(e, v);
	list_append(e, stage, v);
}

/* ---- by identity ---- */

static uint32_t bucket_of(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15ull >> 32 & (BUCKETS - 1);
}

static struct view *find(const struct explain *e, uint64_t id)
{
	struct view *v = e->ids[bucket_of(id)];

	while (v && v->id != id)
		v = v->same_id;
	return v;
}

static void ids_insert(struct explain *e, struct view *v)
{
	struct view **head = &e->ids[bucket_of(v->id)];

	v->same_id = *head;
	*head = v;
	v->is_in_ids = true;
}

static void ids_remove(struct explain *e, struct view *v)
{
	struct view **link = &e->ids[bucket_of(v->id)];

	if (!v->is_in_ids)
		return;
	while (*link != v)
		link = &(*link)->same_id;
	*link = v->same_id;
	v->is_in_ids = false;
}

/* ---- by tuple: the same key for both ends ---- */

static uint64_t end_key(const uint8_t addr[16], uint16_t port)
{
	uint64_t words[2];

	memcpy(words, addr, sizeof(words));
	return (words[0] * 31 + words[1] * 0xff51afd7ed558ccdull + port) * 0x9e3779b97f4a7c15ull;
}

static struct view **pair_bucket(const struct explain *e, const struct wire_tuple *t)
{
	uint64_t key = end_key(t->laddr, t->lport) + end_key(t->raddr, t->rport);

	return &e->pairs[bucket_of(key ^ key >> 32)];
}

static void pairs_insert(struct explain *e, struct view *v)
{
	struct view **head = pair_bucket(e, &v->tuple);

	v->same_pair = *head;
	*head = v;
	v->is_in_pairs = true;
}

static void pairs_remove(struct explain *e, struct view *v)
{
	struct view **link = pair_bucket(e, &v->tuple);

	if (!v->is_in_pairs)
		return;
	while (*link != v)
		link = &(*link)->same_pair;
	*link = v->same_pair;
	v->is_in_pairs = false;
}

static bool is_swapped(const struct wire_tuple *a, const struct wire_tuple *b)
{
	return a->lport == b->rport && a->rport == b->lport &&
	       !memcmp(a->laddr, b->raddr, sizeof(a->laddr)) &&
	       !memcmp(a->raddr, b->laddr, sizeof(a->raddr));
}

/* Each end's first number is the other's peer's; what is not known does not speak against it. */
static bool numbers_match(const struct view *a, const struct view *b)
{
	return !(a->has_isn && b->has_irs && a->isn != b->irs) &&
	       !(a->has_irs && b->has_isn && a->irs != b->isn);
}

static bool overlap(const struct view *a, const struct view *b)
{
	return !(a->ended && a->end_ns < b->start_ns) && !(b->ended && b->end_ns < a->start_ns);
}

/* The other end, if it is on this host, and the two are told in one. */
static struct view *mate_of(const struct explain *e, const struct view *v)
{
	struct view *m;

	if (!v->is_in_pairs || v->alone)
		return NULL;
	for (m = *pair_bucket(e, &v->tuple); m; m = m->same_pair) {
		if (m != v && !m->alone && is_swapped(&v->tuple, &m->tuple) &&
		    numbers_match(v, m) && overlap(v, m))
			return m;
	}
	return NULL;
}

/* ---- coming and going ---- */

static void forget(struct explain *e, struct view *v)
{
	ids_remove(e, v);
	pairs_remove(e, v);
	list_remove(e, v);
	view_forget_steps(v, &e->budget);
	free(v);
}

static void evict(struct explain *e)
{
	struct view *v = e->lists[VIEW_OPEN].oldest;

	if (!v)
		v = e->lists[VIEW_FRESH].oldest;
	if (!v)
		v = e->lists[VIEW_WAITS].oldest;
	e->forgotten++;
	forget(e, v);
}

static struct view *make(struct explain *e, uint64_t id)
{
	struct view *v;

	if (e->lists[VIEW_OPEN].nr + e->lists[VIEW_FRESH].nr + e->lists[VIEW_WAITS].nr >=
	    EXPLAIN_VIEWS)
		evict(e);
	v = calloc(1, sizeof(*v));
	if (!v) {
		e->forgotten++;
		return NULL;
	}
	v->id = id;
	ids_insert(e, v);
	list_append(e, VIEW_OPEN, v);
	return v;
}

/* It has been told to its end; what a TIME_WAIT meets may still come. */
static void retire(struct explain *e, struct view *v)
{
	if (v->state != TS_TIME_WAIT || !v->is_in_ids || !v->wanted) {
		forget(e, v);
		return;
	}
	pairs_remove(e, v);
	view_forget_steps(v, &e->budget);
	v->alone = v->end_told = true;
	list_move(e, v, VIEW_TOLD);
	if (e->lists[VIEW_TOLD].nr > EXPLAIN_TOLD)
		forget(e, e->lists[VIEW_TOLD].oldest);
}

/* ---- telling ---- */

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void mark_told(struct view *v, uint64_t until_ns)
{
	v->told_ns = until_ns;
	for (unsigned int i = 0; i < v->nr && v->steps[i].heard_ns <= until_ns; i++)
		v->told_at_ns = later(v->told_at_ns, v->steps[i].at_ns);
}

static void tell_part(struct explain *e, struct view *v, struct view *m, uint64_t until_ns,
		      bool over)
{
	struct telling t = {
		.ladder = &e->ladder, .until_ns = until_ns, .over = over,
		.after_ns = later(v->told_ns, m ? m->told_ns : 0),
	};

	if (!v->wanted && !(m && m->wanted))
		return;
	ladder_build(&e->ladder, v, m);
	if (e->ladder.nr)
		e->tell(e->ctx, &t);
	mark_told(v, until_ns);
	if (m)
		mark_told(m, until_ns);
}

/* The other end goes on; what comes of it is told on its own. */
static void part(struct explain *e, struct view *m)
{
	m->alone = true;
	pairs_remove(e, m);
	view_forget_steps(m, &e->budget);
}

static void tell_end(struct explain *e, struct view *v)
{
	struct view *m = mate_of(e, v);

	tell_part(e, v, m, e->now_ns, true);
	if (m && m->ended)
		retire(e, m);
	else if (m)
		part(e, m);
	retire(e, v);
}

/* The first that has not been told; 0: all has. */
static uint64_t first_untold(const struct view *v)
{
	for (unsigned int i = 0; i < v->nr; i++) {
		if (v->steps[i].heard_ns > v->told_ns)
			return v->steps[i].heard_ns;
	}
	return v->ended && v->end_heard_ns > v->told_ns ? v->end_heard_ns : 0;
}

/* What a TIME_WAIT met after its ladder was told. */
static void tell_afterwards(struct explain *e, struct view *v)
{
	tell_part(e, v, NULL, e->now_ns, true);
	view_forget_steps(v, &e->budget);
	if (v->state == TS_TIME_WAIT)
		list_move(e, v, VIEW_TOLD);
	else
		forget(e, v);
}

/* Live: a view, or both, up to what is old enough to be whole. */
static void tell_fresh(struct explain *e, struct view *v)
{
	struct view *m = mate_of(e, v);
	uint64_t until_ns = e->now_ns - LIVE_WAIT_NS, untold_ns;
	bool ended = v->ended && v->end_heard_ns <= until_ns;
	bool over = ended && (!m || (m->ended && m->end_heard_ns <= until_ns));

	tell_part(e, v, m, until_ns, over);
	if (over) {
		if (m)
			retire(e, m);
		retire(e, v);
		return;
	}
	untold_ns = first_untold(v);
	v->wait_until_ns = untold_ns + LIVE_WAIT_NS;
	if (untold_ns) {
		list_move(e, v, VIEW_FRESH);
	} else if (ended) {
		v->wait_until_ns = v->end_heard_ns + PAIR_WAIT_NS;
		list_move(e, v, VIEW_WAITS);
	} else {
		list_move(e, v, VIEW_OPEN);
		if (v->nr >= VIEW_SINGLE && !m)	/* room for what is to come */
			view_forget_steps(v, &e->budget);
	}
}

void explain_advance(struct explain *e, uint64_t now_ns)
{
	struct view *v;

	e->now_ns = later(e->now_ns, now_ns);
	while ((v = e->lists[VIEW_FRESH].oldest) && v->wait_until_ns <= e->now_ns) {
		if (v->end_told)
			tell_afterwards(e, v);
		else
			tell_fresh(e, v);
	}
	if (e->pace == PACE_RUN)
		return;
	while ((v = e->lists[VIEW_WAITS].oldest) && v->wait_until_ns <= e->now_ns)
		tell_end(e, v);
}

uint64_t explain_next_deadline(const struct explain *e)
{
	const struct view *fresh = e->lists[VIEW_FRESH].oldest;
	const struct view *waits = e->pace == PACE_RUN ? NULL : e->lists[VIEW_WAITS].oldest;

	if (!fresh || !waits)
		return fresh ? fresh->wait_until_ns : waits ? waits->wait_until_ns : 0;
	return fresh->wait_until_ns < waits->wait_until_ns ? fresh->wait_until_ns :
							     waits->wait_until_ns;
}

bool explain_now(struct explain *e, uint64_t id, tell_fn tell, void *ctx)
{
	const struct view *v = find(e, id);
	const struct view *m = v ? mate_of(e, v) : NULL;
	const struct telling t = {
		.ladder = &e->ladder, .until_ns = e->now_ns,
		.over = v && v->ended && (!m || m->ended),
	};

	if (!v || v->end_told)
		return false;
	ladder_build(&e->ladder, v, m);
	if (e->ladder.nr)
		tell(ctx, &t);
	return e->ladder.nr;
}

void explain_finish(struct explain *e)
{
	struct view *v;

	while ((v = e->lists[VIEW_FRESH].oldest)) {
		if (v->end_told)
			tell_afterwards(e, v);
		else if (v->ended)
			list_move(e, v, VIEW_WAITS);
		else
			forget(e, v);
	}
	while ((v = e->lists[VIEW_WAITS].oldest))
		tell_end(e, v);
}

/* ---- reports ---- */

static bool is_birth(const struct report *r)
{
	return r->kind == REPORT_STATE &&
	       (r->state.old == TS_LISTEN ||
		(r->state.old == TS_CLOSE && r->state.new == TS_SYN_SENT));
}

/* A socket begins a new life: what is known under its name is the old one. */
static void take_name(struct explain *e, struct view *v)
{
	ids_remove(e, v);
	if (v->end_told || !v->ended)
		forget(e, v);
}

/* v: what goes by its name, or NULL. */
static struct view *view_of_conn(struct explain *e, const struct report *r, struct view *v)
{
	if (v && (v->ended || (is_birth(r) && v->state))) {
		take_name(e, v);
		v = NULL;
	}
	if (v || (r->conn->flags & CONN_EXISTING && !e->existing))
		return v;
	if (r->kind == REPORT_CONNECTION && r->conn->stage != STAGE_REQUEST)
		return NULL;	/* nothing was seen of it but that it is there */
	return make(e, r->id);
}

static struct view *view_of(struct explain *e, const struct report *r)
{
	struct view *v = find(e, r->id);
	bool is_over = r->kind == REPORT_STATE && !r->conn && r->state.new == TS_CLOSE;

	/* TIME_WAIT has run its course: nobody needs to be told. */
	if (v && is_over && (r->state.cause == END_EXPIRED || !r->state.cause)) {
		if (v->end_told)
			forget(e, v);
		return NULL;
	}
	if (!r->conn)
		return v;
	return view_of_conn(e, r, v);
}


static void on_end(struct explain *e, struct view *v)
{
	const struct view *m = mate_of(e, v);

	if (e->pace == PACE_END && (!m || m->ended)) {
		tell_end(e, v);
		return;
	}
	v->wait_until_ns = v->end_heard_ns + PAIR_WAIT_NS;
	list_move(e, v, VIEW_WAITS);
}

static void on_step(struct explain *e, struct view *v)
{
	if (v->stage == VIEW_TOLD) {	/* when all that this record tells of it is there */
		v->wait_until_ns = 0;
		list_push(e, v, VIEW_FRESH);
	} else if (e->pace == PACE_LIVE && v->stage == VIEW_OPEN) {
		v->wait_until_ns = first_untold(v) + LIVE_WAIT_NS;
		list_move(e, v, VIEW_FRESH);
	} else if (v->stage == VIEW_OPEN) {
		list_move(e, v, VIEW_OPEN);
	}
}

void explain_report(struct explain *e, const struct report *r, bool asked_for)
{
	struct view *v;

	if (!r->id || (r->conn && r->conn->role == ROLE_LISTENER))
		return;
	e->now_ns = later(e->now_ns, r->at_ns);
	v = view_of(e, r);
	if (!v)
		return;
	view_report(v, r, e->now_ns, &e->budget);
	if (asked_for && (r->kind == REPORT_CONNECTION || e->pace == PACE_LIVE))
		v->wanted = true;
	if (!v->is_in_pairs && !v->alone && tuple_has_ports(&v->tuple))
		pairs_insert(e, v);
	if (r->kind == REPORT_CONNECTION && e->pace != PACE_LIVE)
		on_end(e, v);
	else
		on_step(e, v);
}

int explain_init(struct explain *e, enum explain_pace pace, bool existing, tell_fn fn, void *ctx)
{
	memset(e, 0, sizeof(*e));
	e->ids = calloc(BUCKETS, sizeof(*e->ids));
	e->pairs = calloc(BUCKETS, sizeof(*e->pairs));
	if (!e->ids || !e->pairs) {
		explain_deinit(e);
		return -ENOMEM;
	}
	e->pace = pace;
	e->existing = existing;
	e->tell = fn;
	e->ctx = ctx;
	e->budget = EXPLAIN_STEPS;
	return 0;
}

void explain_deinit(struct explain *e)
{
	for (unsigned int i = 0; i < VIEW_STAGES && e->ids; i++) {
		while (e->lists[i].oldest)
			forget(e, e->lists[i].oldest);
	}
	free(e->ids);
	free(e->pairs);
	e->ids = e->pairs = NULL;
}
