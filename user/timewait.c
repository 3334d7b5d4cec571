// SPDX-License-Identifier: GPL-2.0-or-later
#include "timewait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull

#define RUN		1024u	/* ports; a power of two */
#define CHUNK		4096u	/* entries: little is lost to whole pages */
#define PLACE_BUCKETS	1024u
#define FIRST_PLACES	16u

/* Too few are there: this long before a census is asked for, and again at the most. */
#define SHORT_NS	(2 * NSEC_PER_SEC)
#define PATIENCE_NS	(5 * NSEC_PER_SEC)
#define PATIENCE_MAX_NS	(300 * NSEC_PER_SEC)

#define FIRST_BUCKETS	65536u	/* 80 pages with their traces, touched as entries come */

/* There are at most three buckets for two entries. */
_Static_assert(sizeof(struct mini) + 3 * (sizeof(uint32_t) + sizeof(uint8_t)) / 2 <= MINI_SIZE,
	       "as the header says");

static struct mini *at(const struct timewait *t, uint32_t i)
{
	return &t->chunks[i / CHUNK][i % CHUNK];
}

/* ---- namespaces ---- */

static uint16_t *place_bucket(const struct timewait *t, uint32_t netns)
{
	return &t->place_buckets[(netns * 0x9e3779b9u) >> 16 & (PLACE_BUCKETS - 1)];
}

struct tw_place *timewait_place(const struct timewait *t, uint32_t netns)
{
	uint16_t i = *place_bucket(t, netns);

	while (i && t->places[i - 1].netns != netns)
		i = t->places[i - 1].next;
	return i ? &t->places[i - 1] : NULL;
}

struct tw_place *timewait_place_of(const struct timewait *t, const struct mini *m)
{
	return &t->places[m->place - 1];
}

static bool is_empty(const struct tw_place *p)
{
	return !p->time_wait && !p->fin_wait2 && !p->doubtful;
}

static void add_up(struct tw_place *sum, const struct tw_place *p)
{
	sum->entered += p->entered;
	sum->corrections += p->corrections;
	for (unsigned int i = 0; i < END_MAX; i++)
		sum->ended[i] += p->ended[i];
	sum->time_wait += p->time_wait;
	sum->fin_wait2 += p->fin_wait2;
	sum->overdue += p->overdue;
	sum->doubtful += p->doubtful;
	if (p->most_off > sum->most_off)
		sum->most_off = p->most_off;
}

void timewait_sum(const struct timewait *t, struct tw_place *ret)
{
	*ret = (struct tw_place){};
	add_up(ret, &t->gone);
	for (uint32_t i = 0; i < t->nr_places; i++)
		add_up(ret, &t->places[i]);
}

/* One in which nothing is left makes room. */
static struct tw_place *vacate(struct timewait *t)
{
	struct tw_place *p = t->places;
	uint16_t *link;

	while (p < t->places + t->nr_places && !is_empty(p))
		p++;
	if (p == t->places + t->nr_places)
		return NULL;
	add_up(&t->gone, p);
	link = place_bucket(t, p->netns);
	while (&t->places[*link - 1] != p)
		link = &t->places[*link - 1].next;
	*link = p->next;
	return p;
}

static bool grow_places(struct timewait *t)
{
	uint32_t size = t->size_places ? t->size_places * 2 : FIRST_PLACES;
	struct tw_place *places = calloc(size, sizeof(*places));

	if (!places)
		return false;
	if (t->nr_places)
		memcpy(places, t->places, t->nr_places * sizeof(*places));
	free(t->places);
	t->places = places;
	t->size_places = size;
	return true;
}

static struct tw_place *add_place(struct timewait *t, uint32_t netns)
{
	uint16_t *head = place_bucket(t, netns);
	struct tw_place *p;

	if (t->nr_places == PLACES_MAX)
		p = vacate(t);
	else if (t->nr_places < t->size_places || grow_places(t))
		p = &t->places[t->nr_places++];
	else
		p = NULL;
	if (!p)
		return NULL;
	*p = (struct tw_place){ .netns = netns, .next = *head };
	*head = p - t->places + 1;
	return p;
}

static void count(struct tw_place *p, unsigned int flags, int by)
{
	if (flags & MINI_DOUBTFUL) {
		p->doubtful += by;
		return;
	}
	if (flags & MINI_PARKED)
		p->fin_wait2 += by;
	else
		p->time_wait += by;
	if (flags & MINI_OVERDUE)
		p->overdue += by;
}

void timewait_mark(struct timewait *t, struct mini *m, unsigned int flags)
{
	struct tw_place *p = timewait_place_of(t, m);

	count(p, m->flags, -1);
	m->flags = flags;
	count(p, m->flags, 1);
}

/* ---- by tuple ---- */

/*
 * Buckets come one by one (linear hashing): where the one that the hash asks for is
 * not there yet, its entries are in the one that will be split for it.
 */
static uint32_t bucket_at(const struct timewait *t, uint32_t hash)
{
	uint32_t i = hash & t->mask;

	return i < t->nr_buckets ? i : i & t->mask >> 1;
}

/* Where a tuple is kept, and its bit of the bucket's traces. */
struct spot {
	uint32_t bucket;
	uint8_t trace;
};

/*
 * Of one peer the port that is drawn is mostly the higher one, and a little above the
 * one before: those in a run of ports have neighbouring buckets, from a place on that
 * nobody knows.  So they share cache lines.
 */
static struct spot spot(const struct timewait *t, uint16_t place, const uint8_t *laddr,
			const uint8_t *raddr, uint16_t lport, uint16_t rport)
{
	uint32_t drawn = lport > rport ? lport : rport;
	uint32_t run = (uint32_t)lport << 16 | rport;
	uint64_t hash;

	run &= lport > rport ? ~((uint32_t)(RUN - 1) << 16) : ~(uint32_t)(RUN - 1);
	hash = hash_word(t->seed, (uint64_t)place << 32 | run);
	hash = hash_words(hash, laddr, 16);
	hash = hash_words(hash, raddr, 16);
	return (struct spot){ bucket_at(t, (hash >> 16) + drawn % RUN), 1u << (hash >> 61) };
}

static struct spot spot_of(const struct timewait *t, const struct mini *m)
{
	return spot(t, m->place, m->laddr, m->raddr, m->lport, m->rport);
}

static void chain(struct timewait *t, struct mini *m)
{
	struct spot s = spot_of(t, m);

	m->next = t->buckets[s.bucket];
	t->buckets[s.bucket] = m->self + 1;
	t->traces[s.bucket] |= s.trace;
}

/* Who has gone leaves its trace until the bucket is empty. */
static void unchain(struct timewait *t, const struct mini *m)
{
	uint32_t bucket = spot_of(t, m).bucket, *link = &t->buckets[bucket];

	while (*link != m->self + 1)
		link = &at(t, *link - 1)->next;
	*link = m->next;
	if (!t->buckets[bucket])
		t->traces[bucket] = 0;
}

/* One bucket more: it takes over what is its own. */
static void split(struct timewait *t)
{
	uint32_t from, i;

	if (t->nr_buckets > t->mask)
		t->mask = t->mask * 2 + 1;
	from = t->nr_buckets++ & t->mask >> 1;
	i = t->buckets[from];
	t->buckets[from] = 0;
	t->traces[from] = 0;
	while (i) {
		struct mini *m = at(t, i - 1);

		i = m->next;
		chain(t, m);
	}
}

/* Three for two entries, as they come, so that there is no pause; they stay. */
static void grow_buckets(struct timewait *t)
{
	while (t->nr_buckets < t->used + t->used / 2 && t->nr_buckets < t->max_buckets)
		split(t);
}

static bool is_on(const struct mini *m, uint16_t place, const struct wire_tuple *tuple)
{
	return m->place == place && m->lport == tuple->lport && m->rport == tuple->rport &&
	       !memcmp(m->laddr, tuple->laddr, sizeof(m->laddr)) &&
	       !memcmp(m->raddr, tuple->raddr, sizeof(m->raddr));
}

struct mini *timewait_find(const struct timewait *t, uint32_t netns,
			   const struct wire_tuple *tuple)
{
	const struct tw_place *p = t->used ? timewait_place(t, netns) : NULL;
	uint16_t place = p ? p - t->places + 1 : 0;
	struct spot s;
	uint32_t i;

	if (!p || is_empty(p))
		return NULL;
	s = spot(t, place, tuple->laddr, tuple->raddr, tuple->lport, tuple->rport);
	if (!(t->traces[s.bucket] & s.trace))
		return NULL;
	i = t->buckets[s.bucket];
	while (i && !is_on(at(t, i - 1), place, tuple))
		i = at(t, i - 1)->next;
	return i ? at(t, i - 1) : NULL;
}

static bool is_mapped(const uint8_t *addr)
{
	static const uint8_t prefix[12] = { [10] = 0xff, 0xff };

	return !memcmp(addr, prefix, sizeof(prefix));
}

struct wire_tuple mini_tuple(const struct mini *m)
{
	struct wire_tuple t = { .lport = m->lport, .rport = m->rport };

	memcpy(t.laddr, m->laddr, sizeof(t.laddr));
	memcpy(t.raddr, m->raddr, sizeof(t.raddr));
	t.family = is_mapped(t.raddr) || is_mapped(t.laddr) ? 4 : 6;
	return t;
}

/* The free list runs through `next`. */
static bool grow(struct timewait *t)
{
	uint32_t n = t->limit - t->allocated;
	struct mini *chunk;

	if (n > CHUNK)
		n = CHUNK;
	if (!n)
		return false;
	chunk = calloc(CHUNK, sizeof(*chunk));
	if (!chunk)
		return false;
	t->chunks[t->allocated / CHUNK] = chunk;
	for (uint32_t i = n; i--;) {
		chunk[i].self = t->allocated + i;
		chunk[i].next = t->free_head;
		t->free_head = chunk[i].self + 1;
	}
	t->allocated += n;
	return true;
}

struct mini *timewait_add(struct timewait *t, uint32_t netns, const struct wire_tuple *tuple,
			  unsigned int flags)
{
	struct tw_place *p = NULL;
	struct mini *m;
	uint32_t self;

	if (t->free_head || grow(t)) {
		p = timewait_place(t, netns);
		if (!p)
			p = add_place(t, netns);
	}
	if (!p) {
		t->unlisted++;
		return NULL;
	}
	self = t->free_head - 1;
	m = at(t, self);
	t->free_head = m->next;
	*m = (struct mini){
		.self = self, .place = p - t->places + 1, .flags = flags,
		.lport = tuple->lport, .rport = tuple->rport,
	};
	memcpy(m->laddr, tuple->laddr, sizeof(m->laddr));
	memcpy(m->raddr, tuple->raddr, sizeof(m->raddr));
	chain(t, m);
	count(p, flags, 1);
	t->used++;
	grow_buckets(t);
	return m;
}

/* ---- the wheel ---- */

/*
 * calc_wheel_index(): a timer of more than 63 * 8^n jiffies fires at the next
 * multiple of 8^(n+1).
 */
void timewait_set_hz(struct timewait *t, uint32_t hz)
{
	uint64_t jiffies = 60ull * hz, granularity = 1;

	while (jiffies >= 63 * granularity)
		granularity *= 8;
	t->late_ns = granularity * NSEC_PER_SEC / hz + 200 * NSEC_PER_MSEC;
}

static void unlink_slot(struct timewait *t, struct mini *m)
{
	if (!m->slot)
		return;
	if (m->earlier)
		at(t, m->earlier - 1)->later = m->later;
	else
		t->wheel[m->slot - 1] = m->later;
	if (m->later)
		at(t, m->later - 1)->earlier = m->earlier;
	m->slot = 0;
	t->turning--;
}

/* What is due already goes where the wheel is. */
static void link_slot(struct timewait *t, struct mini *m, uint64_t due_ns)
{
	uint64_t turn = due_ns >> WHEEL_SHIFT;
	uint32_t *head = &t->wheel[turn % WHEEL_SLOTS];

	if (!t->turning || turn < t->turn)
		t->turn = turn;
	m->slot = turn % WHEEL_SLOTS + 1;
	m->earlier = 0;
	m->later = *head;
	if (m->later)
		at(t, m->later - 1)->earlier = m->self + 1;
	*head = m->self + 1;
	t->turning++;
}

void timewait_arm(struct timewait *t, struct mini *m, uint64_t seen_ns, uint64_t end_ns)
{
	unlink_slot(t, m);
	if (seen_ns > m->seen_ns)
		m->seen_ns = seen_ns;
	m->end_ns = end_ns;
	if (m->flags & MINI_OVERDUE)
		timewait_mark(t, m, m->flags & ~MINI_OVERDUE);
	link_slot(t, m, end_ns);
}

static uint64_t due_of(const struct timewait *t, const struct mini *m)
{
	return m->end_ns + (m->flags & MINI_OVERDUE ? t->late_ns : 0);
}

/* The first of the slot that is due in it, not a turn of the wheel later. */
static struct mini *first_due(const struct timewait *t, uint64_t now_turn)
{
	uint32_t i = t->wheel[t->turn % WHEEL_SLOTS];

	while (i && due_of(t, at(t, i - 1)) >> WHEEL_SHIFT >= now_turn)
		i = at(t, i - 1)->later;
	return i ? at(t, i - 1) : NULL;
}

struct mini *timewait_due(struct timewait *t, uint64_t now_ns)
{
	uint64_t now_turn = now_ns >> WHEEL_SHIFT;
	struct mini *m;

	while (t->turning && t->turn < now_turn) {
		if (now_turn > t->turn + WHEEL_SLOTS)	/* nobody has asked for long */
			t->turn = now_turn - WHEEL_SLOTS;
		m = first_due(t, now_turn);
		if (!m) {
			t->turn++;
			continue;
		}
		unlink_slot(t, m);
		if (m->flags & MINI_OVERDUE)
			return m;
		timewait_mark(t, m, m->flags | MINI_OVERDUE);
		link_slot(t, m, due_of(t, m));
	}
	return NULL;
}

uint64_t timewait_next_deadline(const struct timewait *t)
{
	uint64_t turn = t->turn;

	if (t->settle_ns || !t->turning)
		return t->settle_ns;
	while (!t->wheel[turn % WHEEL_SLOTS])
		turn++;
	return (turn + 1) << WHEEL_SHIFT;
}

/* ---- entries ---- */

void timewait_remove(struct timewait *t, struct mini *m)
{
	unlink_slot(t, m);
	ownerset_drop(&t->owners, m->owner);
	count(timewait_place_of(t, m), m->flags, -1);
	unchain(t, m);
	m->place = 0;
	m->next = t->free_head;
	t->free_head = m->self + 1;
	t->used--;
}

/* From the entry at i on. */
static struct mini *in_use(const struct timewait *t, uint32_t i)
{
	while (i < t->allocated && !at(t, i)->place)
		i++;
	return i < t->allocated ? at(t, i) : NULL;
}

struct mini *timewait_next(const struct timewait *t, const struct mini *m)
{
	return in_use(t, m ? m->self + 1 : 0);
}

void timewait_set_owner(struct timewait *t, struct mini *m, const struct owner *owner,
			uint64_t cgroup)
{
	uint32_t old = m->owner;

	m->owner = ownerset_take(&t->owners, owner, cgroup);
	ownerset_drop(&t->owners, old);
}

const struct ownership *timewait_owner(const struct timewait *t, const struct mini *m)
{
	return ownerset_at(&t->owners, m->owner);
}

int timewait_init(struct timewait *t, uint32_t limit)
{
	struct timewait new = { .limit = limit };

	if (!limit || limit > 1u << 30)
		return -EINVAL;
	for (new.max_buckets = 1; new.max_buckets < limit;)
		new.max_buckets *= 2;
	new.nr_buckets = new.max_buckets < FIRST_BUCKETS ? new.max_buckets : FIRST_BUCKETS;
	new.mask = new.nr_buckets - 1;
	timewait_set_hz(&new, 1000);
	/* Untouched pages of these cost nothing. */
	new.buckets = calloc(new.max_buckets, sizeof(*new.buckets));
	new.traces = calloc(new.max_buckets, sizeof(*new.traces));
	new.chunks = calloc(limit / CHUNK + 1, sizeof(*new.chunks));
	new.place_buckets = calloc(PLACE_BUCKETS, sizeof(*new.place_buckets));
	if (!new.buckets || !new.traces || !new.chunks || !new.place_buckets) {
		timewait_deinit(&new);
		return -ENOMEM;
	}
	*t = new;
	return 0;
}

void timewait_deinit(struct timewait *t)
{
	for (uint32_t i = 0; t->chunks && i < t->allocated; i += CHUNK)
		free(t->chunks[i / CHUNK]);
	free(t->chunks);
	free(t->buckets);
	free(t->traces);
	free(t->places);
	free(t->place_buckets);
	ownerset_deinit(&t->owners);
	memset(t, 0, sizeof(*t));
}

void timewait_seed(struct timewait *t, uint64_t seed)
{
	if (!t->used)
		t->seed = seed;
}

/* ---- the census ---- */

void timewait_met(struct mini *m, uint64_t seen_ns)
{
	if (seen_ns > m->seen_ns)
		m->seen_ns = seen_ns;
}

void timewait_census_end(struct timewait *t, uint32_t netns, uint64_t start_ns, uint64_t end_ns)
{
	struct tw_place *p = timewait_place(t, netns);

	if (!p)
		p = add_place(t, netns);
	if (!p)
		return;
	p->census_start_ns = start_ns;
	p->census_end_ns = end_ns;
	if (end_ns > t->settle_ns)
		t->settle_ns = end_ns;
	t->cursor = 0;
}

bool timewait_is_missing(const struct timewait *t, const struct mini *m)
{
	return m->seen_ns < timewait_place_of(t, m)->census_start_ns;
}

static bool is_contradicted(const struct timewait *t, const struct mini *m)
{
	return timewait_place_of(t, m)->census_end_ns &&
	       (timewait_is_missing(t, m) || m->flags & (MINI_FOUND | MINI_MET_TW));
}

static void settled(struct timewait *t)
{
	for (uint32_t i = 0; i < t->nr_places; i++) {
		struct tw_place *p = &t->places[i];

		if (!p->census_end_ns)
			continue;
		p->counted_off = true;
		p->census_start_ns = p->census_end_ns = p->short_ns = 0;
	}
	t->settle_ns = 0;
	t->cursor = 0;
}

struct mini *timewait_unsettled(struct timewait *t, uint64_t now_ns)
{
	struct mini *m;

	if (!t->settle_ns || now_ns < t->settle_ns)
		return NULL;
	while ((m = in_use(t, t->cursor))) {
		t->cursor = m->self + 1;
		if (is_contradicted(t, m))
			return m;
	}
	settled(t);
	return NULL;
}

/* ---- the kernel's own count ---- */

void timewait_read(struct timewait *t, uint32_t netns, uint32_t kernel, uint32_t limit,
		   uint64_t at_ns)
{
	struct tw_place *p = timewait_place(t, netns);

	if (!p)
		p = kernel ? add_place(t, netns) : NULL;
	if (!p)
		return;
	p->read_ns = at_ns;
	p->kernel = kernel;
	if (limit)
		p->limit = limit;
	p->off = (int32_t)(kernel - (p->time_wait + p->fin_wait2));
	if ((uint32_t)(p->off < 0 ? -p->off : p->off) > p->most_off)
		p->most_off = p->off < 0 ? -p->off : p->off;
	if (kernel >= p->time_wait + p->fin_wait2 - p->overdue)
		p->short_ns = 0;
	else if (!p->short_ns)
		p->short_ns = at_ns;
	t->is_short |= p->short_ns;
}

static bool is_in_doubt(const struct tw_place *p, uint64_t now_ns)
{
	return p->short_ns && now_ns >= p->short_ns + SHORT_NS &&
	       (!p->asked_ns || now_ns >= p->asked_ns + p->patience_ns);
}

uint32_t timewait_doubt(struct timewait *t, uint64_t now_ns)
{
	bool is_short = false;

	for (uint32_t i = 0; i < t->nr_places && t->is_short; i++) {
		struct tw_place *p = &t->places[i];

		is_short |= p->short_ns;
		if (!is_in_doubt(p, now_ns))
			continue;
		p->asked_ns = now_ns;
		p->patience_ns = p->patience_ns ? p->patience_ns * 2 : PATIENCE_NS;
		if (p->patience_ns > PATIENCE_MAX_NS)
			p->patience_ns = PATIENCE_MAX_NS;
		return p->netns;
	}
	t->is_short = is_short;
	return 0;
}
