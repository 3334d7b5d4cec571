// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sample_events.h"
#include "timewait.h"

/* Timers of 60 s fire up to 4.096 s late at 1000 HZ; the wheel hands out by 0.27 s. */
#define LATE_NS		(4096 * MSEC + 200 * MSEC)
#define SLOT_NS		(1ull << WHEEL_SHIFT)

static struct timewait t;

static int close_ledger(void **state)
{
	timewait_deinit(&t);
	return 0;
}

static void open_ledger(uint32_t limit)
{
	assert_int_equal(timewait_init(&t, limit), 0);
	timewait_set_hz(&t, HZ);
}

static struct mini *add(uint32_t netns, uint32_t n, unsigned int flags)
{
	struct wire_tuple tuple = tuple_of(n);

	return timewait_add(&t, netns, &tuple, flags);
}

static struct mini *find(uint32_t netns, uint32_t n)
{
	struct wire_tuple tuple = tuple_of(n);

	return timewait_find(&t, netns, &tuple);
}

/* In TIME_WAIT since at_ns. */
static struct mini *enter(uint32_t n, uint64_t at_ns)
{
	struct mini *m = add(1, n, 0);

	assert_non_null(m);
	timewait_arm(&t, m, at_ns, at_ns + TIME_WAIT_NS);
	return m;
}

/* ---- sums ---- */

static void sums_are_of_all_namespaces_those_that_made_room_included(void **state)
{
	struct tw_place sum;

	open_ledger(10);
	assert_non_null(add(1, 1, 0));
	assert_non_null(add(2, 1, 0));
	assert_non_null(add(2, 2, MINI_PARKED));
	assert_non_null(add(3, 3, MINI_DOUBTFUL));
	timewait_place(&t, 1)->ended[END_REUSED] = 2;
	timewait_place(&t, 2)->corrections = 1;
	t.gone.ended[END_REUSED] = 3;
	timewait_sum(&t, &sum);
	assert_int_equal(sum.time_wait, 2);
	assert_int_equal(sum.fin_wait2, 1);
	assert_int_equal(sum.doubtful, 1);
	assert_int_equal(sum.ended[END_REUSED], 5);
	assert_int_equal(sum.corrections, 1);
}

/* ---- by tuple ---- */

static void an_entry_is_found_by_namespace_and_tuple(void **state)
{
	struct wire_tuple tuple;
	struct mini *m;

	open_ledger(10);
	assert_null(find(1, 1));
	m = add(1, 1, 0);
	assert_ptr_equal(find(1, 1), m);
	assert_null(find(2, 1));
	assert_null(find(1, 2));
	tuple = tuple_of(1);
	tuple.raddr[15]++;
	assert_null(timewait_find(&t, 1, &tuple));
	tuple = tuple_of(1);
	tuple.laddr[15]++;
	assert_null(timewait_find(&t, 1, &tuple));
	tuple = tuple_of(1);
	tuple.rport++;
	assert_null(timewait_find(&t, 1, &tuple));
	timewait_remove(&t, m);
	assert_null(find(1, 1));
}

static void the_tuple_comes_back_whole(void **state)
{
	struct wire_tuple v4 = tuple_of(7), v6 = v4, got;

	open_ledger(10);
	memset(v6.laddr, 0x20, 16);
	memset(v6.raddr, 0x21, 16);
	v6.family = 6;
	got = mini_tuple(timewait_add(&t, 1, &v4, 0));
	assert_memory_equal(&got, &v4, sizeof(got));
	got = mini_tuple(timewait_add(&t, 1, &v6, 0));
	assert_memory_equal(&got, &v6, sizeof(got));
}

static void the_same_tuple_in_two_namespaces_is_two_entries(void **state)
{
	struct mini *one, *other;

	open_ledger(10);
	one = add(1, 1, 0);
	other = add(2, 1, 0);
	assert_ptr_not_equal(one, other);
	assert_ptr_equal(find(1, 1), one);
	assert_ptr_equal(find(2, 1), other);
	assert_int_equal(timewait_place_of(&t, other)->netns, 2);
}

static void an_entry_has_no_more_than_its_share(void **state)
{
	assert_in_range(sizeof(struct mini) + 2 * sizeof(uint32_t), 1, MINI_SIZE);
	assert_in_range(MINI_SIZE, 1, 128);
}

static void what_has_no_room_is_counted(void **state)
{
	struct mini *m;

	open_ledger(2);
	m = add(1, 1, 0);
	add(1, 2, 0);
	assert_null(add(1, 3, 0));
	assert_int_equal(t.unlisted, 1);
	timewait_remove(&t, m);
	assert_non_null(add(1, 4, 0));
	assert_int_equal(t.used, 2);
	assert_int_equal(t.unlisted, 1);
}

static void ledgers_that_make_no_sense_are_refused(void **state)
{
	assert_int_equal(timewait_init(&t, 0), -EINVAL);
	assert_int_equal(timewait_init(&t, UINT32_MAX), -EINVAL);
	timewait_deinit(&t);
	open_ledger(1);
}

static void a_new_entry_knows_nothing_of_the_one_before(void **state)
{
	struct owner curl = { .pid = 812, .from = OWNER_CONNECT, .comm = "curl" };
	struct mini *m;

	open_ledger(1);
	m = enter(1, T0);
	timewait_set_owner(&t, m, &curl, 9);
	m->id = 5;
	m->conn = 7;
	m->told_ns = 11;
	m->has_rcv_nxt = true;
	timewait_remove(&t, m);
	m = add(1, 1, 0);
	assert_int_equal(m->id, 0);
	assert_int_equal(m->conn, 0);
	assert_int_equal(m->told_ns, 0);
	assert_int_equal(m->end_ns, 0);
	assert_int_equal(m->seen_ns, 0);
	assert_false(m->has_rcv_nxt);
	assert_int_equal(timewait_owner(&t, m)->owner.from, OWNER_NONE);
	assert_int_equal(timewait_owner(&t, m)->cgroup, 0);
}

static void each_entry_is_gone_through_once(void **state)
{
	unsigned int seen = 0;

	open_ledger(5000);
	assert_null(timewait_next(&t, NULL));
	for (uint32_t n = 0; n < 3000; n++)
		enter(n, T0);
	for (uint32_t n = 0; n < 3000; n += 3)
		timewait_remove(&t, find(1, n));
	for (struct mini *m = timewait_next(&t, NULL); m; m = timewait_next(&t, m)) {
		assert_int_not_equal((m->lport - 40000) % 3, 0);
		seen++;
	}
	assert_int_equal(seen, 2000);
}

static void whose_they_were_is_kept_once_for_all(void **state)
{
	struct owner curl = { .pid = 812, .from = OWNER_CONNECT, .comm = "curl" };

	open_ledger(5000);
	for (uint32_t n = 0; n < 3000; n++)
		timewait_set_owner(&t, enter(n, T0), &curl, 9);
	assert_int_equal(ownerset_users(&t.owners, find(1, 1)->owner), 3000);
	assert_int_equal(timewait_owner(&t, find(1, 2999))->owner.pid, 812);
	for (uint32_t n = 0; n < 3000; n++)
		timewait_remove(&t, find(1, n));
	assert_int_equal(t.used, 0);
	assert_int_equal(ownerset_take(&t.owners, &curl, 9), 1);	/* there was none left */
	assert_int_equal(ownerset_users(&t.owners, 1), 1);
}

/* ---- what there is ---- */

static void what_there_is_is_counted_by_kind(void **state)
{
	struct tw_place *p;
	struct mini *m;

	open_ledger(10);
	enter(1, T0);
	m = add(1, 2, MINI_PARKED);
	add(1, 3, MINI_DOUBTFUL);
	add(1, 4, MINI_PARKED | MINI_DOUBTFUL);
	p = timewait_place(&t, 1);
	assert_int_equal(p->time_wait, 1);
	assert_int_equal(p->fin_wait2, 1);
	assert_int_equal(p->doubtful, 2);
	timewait_mark(&t, m, 0);
	assert_int_equal(p->time_wait, 2);
	assert_int_equal(p->fin_wait2, 0);
	timewait_mark(&t, find(1, 3), 0);
	assert_int_equal(p->time_wait, 3);
	timewait_remove(&t, m);
	timewait_remove(&t, find(1, 4));
	assert_int_equal(p->time_wait, 2);
	assert_int_equal(p->doubtful, 0);
	assert_null(timewait_place(&t, 2));
}

static void a_namespace_with_nothing_left_makes_room_for_another(void **state)
{
	open_ledger(PLACES_MAX + 10);
	for (uint32_t netns = 1; netns <= PLACES_MAX; netns++)
		assert_non_null(add(netns, 1, 0));
	assert_null(add(PLACES_MAX + 1, 1, 0));
	assert_int_equal(t.unlisted, 1);
	timewait_place(&t, 77)->entered = 5;
	timewait_place(&t, 77)->ended[END_EXPIRED] = 4;
	timewait_place(&t, 77)->corrections = 3;
	timewait_remove(&t, find(77, 1));
	assert_non_null(add(PLACES_MAX + 1, 1, 0));
	assert_null(timewait_place(&t, 77));
	assert_int_equal(timewait_place(&t, PLACES_MAX + 1)->entered, 0);
	assert_int_equal(t.gone.entered, 5);	/* and what it had counted is not lost */
	assert_int_equal(t.gone.ended[END_EXPIRED], 4);
	assert_int_equal(t.gone.corrections, 3);
	assert_non_null(find(78, 1));
	assert_non_null(find(PLACES_MAX + 1, 1));
}

/* ---- time ---- */

static void an_entry_is_due_when_the_kernels_timer_must_have_fired(void **state)
{
	struct mini *m;

	open_ledger(10);
	m = enter(1, T0);
	assert_null(timewait_due(&t, T0 + TIME_WAIT_NS + LATE_NS));
	assert_ptr_equal(timewait_due(&t, T0 + TIME_WAIT_NS + LATE_NS + SLOT_NS), m);
	assert_null(timewait_due(&t, T0 + TIME_WAIT_NS + LATE_NS + SLOT_NS));
	assert_int_equal(timewait_next_deadline(&t), 0);
}

static void how_late_that_is_depends_on_hz(void **state)
{
	static const struct { uint32_t hz; uint64_t late_ns; } kernels[] = {
		{ 100, 5120 * MSEC }, { 250, 2048 * MSEC }, { 300, 512 * SEC / 300 },
		{ 1000, 4096 * MSEC },
	};

	open_ledger(10);
	for (unsigned int i = 0; i < sizeof(kernels) / sizeof(*kernels); i++) {
		timewait_set_hz(&t, kernels[i].hz);
		assert_int_equal(t.late_ns, kernels[i].late_ns + 200 * MSEC);
	}
}

static void in_between_it_is_overdue_and_may_be_gone(void **state)
{
	struct mini *m;

	open_ledger(10);
	m = enter(1, T0);
	assert_null(timewait_due(&t, T0 + TIME_WAIT_NS - 1));
	assert_false(m->flags & MINI_OVERDUE);
	assert_int_equal(timewait_place(&t, 1)->overdue, 0);
	assert_null(timewait_due(&t, T0 + TIME_WAIT_NS + SLOT_NS));
	assert_true(m->flags & MINI_OVERDUE);
	assert_int_equal(timewait_place(&t, 1)->overdue, 1);
	assert_int_equal(timewait_place(&t, 1)->time_wait, 1);
	timewait_remove(&t, m);
	assert_int_equal(timewait_place(&t, 1)->overdue, 0);
}

static void a_segment_sets_its_timer_anew(void **state)
{
	uint64_t later = T0 + 30 * SEC;
	struct mini *m;

	open_ledger(10);
	m = enter(1, T0);
	timewait_arm(&t, m, later, later + TIME_WAIT_NS);
	assert_null(timewait_due(&t, T0 + TIME_WAIT_NS + LATE_NS + SLOT_NS));
	assert_false(m->flags & MINI_OVERDUE);
	assert_ptr_equal(timewait_due(&t, later + TIME_WAIT_NS + LATE_NS + SLOT_NS), m);
}

static void so_it_does_when_it_is_overdue(void **state)
{
	uint64_t later = T0 + TIME_WAIT_NS + SEC;
	struct mini *m;

	open_ledger(10);
	m = enter(1, T0);
	assert_null(timewait_due(&t, later));
	timewait_arm(&t, m, later, later + TIME_WAIT_NS);
	assert_false(m->flags & MINI_OVERDUE);
	assert_int_equal(timewait_place(&t, 1)->overdue, 0);
	assert_null(timewait_due(&t, T0 + TIME_WAIT_NS + LATE_NS + SLOT_NS));
}

static void one_that_is_due_already_is_handed_out_at_once(void **state)
{
	struct mini *m, *old;

	open_ledger(10);
	m = enter(1, T0);
	assert_null(timewait_due(&t, T0 + 50 * SEC));
	old = enter(2, T0 - 90 * SEC);
	assert_ptr_equal(timewait_due(&t, T0 + 50 * SEC), old);
	timewait_remove(&t, old);
	assert_null(timewait_due(&t, T0 + 50 * SEC));
	assert_ptr_equal(find(1, 1), m);
}

static void a_timer_longer_than_the_wheel_waits_for_its_turn(void **state)
{
	uint64_t end_ns = T0 + 400 * SEC;
	struct mini *m;

	open_ledger(10);
	m = add(1, 1, MINI_PARKED);
	timewait_arm(&t, m, T0, end_ns);
	for (uint64_t now = T0; now <= end_ns + LATE_NS; now += SEC)
		assert_null(timewait_due(&t, now));
	assert_ptr_equal(timewait_due(&t, end_ns + LATE_NS + SLOT_NS), m);
}

static void ticks_at_the_deadlines_are_enough_and_few(void **state)
{
	unsigned int ticks = 0, gone = 0;
	struct mini *m;

	open_ledger(2000);
	for (uint32_t n = 0; n < 1000; n++)
		enter(n, T0 + n * 10 * MSEC);
	while (timewait_next_deadline(&t)) {
		uint64_t now = timewait_next_deadline(&t);

		while ((m = timewait_due(&t, now))) {
			assert_in_range(now - m->end_ns, LATE_NS, LATE_NS + 2 * SLOT_NS);
			timewait_remove(&t, m);
			gone++;
		}
		assert_int_not_equal(timewait_next_deadline(&t), now);
		ticks++;
	}
	assert_int_equal(gone, 1000);
	assert_in_range(ticks, 1, 2 * (10 * SEC / SLOT_NS + 3));
}

static void times_that_make_no_sense_are_survived(void **state)
{
	static const uint64_t times[] = { 0, 1, T0, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX };

	open_ledger(100);
	for (uint32_t n = 0; n < 36; n++) {
		struct mini *m = add(1, n, 0);

		timewait_arm(&t, m, times[n / 6], times[n % 6]);
	}
	for (unsigned int i = 0; i < 6; i++) {
		struct mini *m;

		timewait_next_deadline(&t);
		while ((m = timewait_due(&t, times[i])))
			timewait_remove(&t, m);
	}
}

/* ---- the census ---- */

static void who_was_there_and_was_not_met_is_missing(void **state)
{
	struct mini *met, *missed;

	open_ledger(10);
	met = enter(1, T0);
	missed = enter(2, T0);
	enter(3, T0 + 2 * SEC);		/* younger than the census' beginning */
	timewait_met(met, T0 + SEC + 1);
	timewait_census_end(&t, 1, T0 + SEC, T0 + SEC + 5);
	assert_int_equal(timewait_next_deadline(&t), T0 + SEC + 5);
	assert_null(timewait_unsettled(&t, T0 + SEC));	/* its end may be told still */
	assert_ptr_equal(timewait_unsettled(&t, T0 + SEC + 5), missed);
	assert_true(timewait_is_missing(&t, missed));
	timewait_remove(&t, missed);
	assert_null(timewait_unsettled(&t, T0 + SEC + 5));
	assert_true(timewait_place(&t, 1)->counted_off);
	assert_null(timewait_unsettled(&t, T0 + 9 * SEC));
}

static void a_census_of_another_namespace_says_nothing(void **state)
{
	open_ledger(10);
	enter(1, T0);
	timewait_census_end(&t, 2, T0 + SEC, T0 + SEC + 5);
	assert_null(timewait_unsettled(&t, T0 + 2 * SEC));
	assert_false(timewait_place(&t, 1)->counted_off);
}

static void whoever_was_found_or_has_moved_on_is_told_once(void **state)
{
	struct mini *found, *moved;

	open_ledger(10);
	found = add(1, 1, MINI_FOUND);
	timewait_arm(&t, found, T0 + SEC + 1, T0 + 50 * SEC);
	moved = add(1, 2, MINI_PARKED | MINI_MET_TW);
	timewait_arm(&t, moved, T0 + SEC + 1, T0 + 50 * SEC);
	timewait_census_end(&t, 1, T0 + SEC, T0 + SEC + 5);
	assert_ptr_equal(timewait_unsettled(&t, T0 + 2 * SEC), found);
	assert_false(timewait_is_missing(&t, found));
	assert_ptr_equal(timewait_unsettled(&t, T0 + 2 * SEC), moved);
	assert_null(timewait_unsettled(&t, T0 + 2 * SEC));
}

/* ---- the kernel's own count ---- */

static void the_kernels_count_is_held_against_what_there_is(void **state)
{
	struct tw_place *p, sum;

	open_ledger(10);
	enter(1, T0);
	enter(2, T0);
	timewait_read(&t, 1, 5, 65536, T0 + SEC);
	p = timewait_place(&t, 1);
	assert_int_equal(p->kernel, 5);
	assert_int_equal(p->limit, 65536);
	assert_int_equal(p->off, 3);
	assert_int_equal(timewait_doubt(&t, T0 + 60 * SEC), 0);
	timewait_read(&t, 1, 1, 0, T0 + 2 * SEC);
	assert_int_equal(p->off, -1);
	assert_int_equal(p->limit, 65536);
	assert_int_equal(p->most_off, 3);
	timewait_sum(&t, &sum);
	assert_int_equal(sum.most_off, 3);
	timewait_read(&t, 1, 0, 0, T0 + 3 * SEC);
	assert_int_equal(p->most_off, 3);
	enter(3, T0);
	enter(4, T0);
	timewait_read(&t, 1, 0, 0, T0 + 4 * SEC);
	assert_int_equal(p->off, -4);
	assert_int_equal(p->most_off, 4);
}

static void fewer_than_there_must_be_are_a_reason_to_count_off(void **state)
{
	uint64_t now = T0 + 10 * SEC, asked, waited = 0;

	open_ledger(10);
	enter(1, T0);
	enter(2, T0);
	timewait_read(&t, 1, 1, 0, now);
	assert_int_equal(timewait_doubt(&t, now), 0);	/* not at once: one may be on its way */
	now += 2 * SEC;
	assert_int_equal(timewait_doubt(&t, now), 1);
	assert_int_equal(timewait_doubt(&t, now + SEC), 0);	/* and not again and again */
	for (unsigned int i = 0; i < 10; i++) {
		asked = now;
		while (!timewait_doubt(&t, now))
			now += SEC;
		assert_true(now - asked >= waited);
		waited = now - asked;
	}
	assert_int_equal(waited, 300 * SEC);
}

static void as_many_as_there_should_be_are_none(void **state)
{
	open_ledger(10);
	enter(1, T0);
	enter(2, T0);
	timewait_read(&t, 1, 1, 0, T0 + SEC);
	timewait_read(&t, 1, 2, 0, T0 + 2 * SEC);
	assert_int_equal(timewait_doubt(&t, T0 + 10 * SEC), 0);
}

static void those_that_are_overdue_need_not_be_there(void **state)
{
	uint64_t late = T0 + TIME_WAIT_NS + SEC;

	open_ledger(10);
	enter(1, T0);
	enter(2, T0 + 30 * SEC);
	assert_null(timewait_due(&t, late));
	timewait_read(&t, 1, 1, 0, late);
	assert_int_equal(timewait_doubt(&t, late + 10 * SEC), 0);
	timewait_read(&t, 1, 0, 0, late);
	assert_int_equal(timewait_doubt(&t, late + 10 * SEC), 1);
}

static void a_settled_census_ends_the_doubt(void **state)
{
	open_ledger(10);
	enter(1, T0);
	timewait_read(&t, 1, 0, 0, T0 + SEC);
	assert_int_equal(timewait_doubt(&t, T0 + 4 * SEC), 1);
	timewait_census_end(&t, 1, T0 + 4 * SEC, T0 + 4 * SEC + 5);
	timewait_remove(&t, timewait_unsettled(&t, T0 + 5 * SEC));
	assert_null(timewait_unsettled(&t, T0 + 5 * SEC));
	assert_int_equal(timewait_doubt(&t, T0 + 60 * SEC), 0);
}

/* ---- crowds ---- */

#define MODEL	3000

/* Against an array of what should be there. */
static void a_crowd_comes_and_goes_and_none_is_mixed_up(void **state)
{
	static uint64_t end_ns[MODEL];	/* 0: not there */
	uint64_t seed = 42, now = T0;
	struct mini *m;

	open_ledger(MODEL);
	memset(end_ns, 0, sizeof(end_ns));
	for (unsigned int i = 0; i < 200000; i++) {
		uint32_t n = random_below(&seed, MODEL);

		now += random_below(&seed, 4) * MSEC;
		m = find(1 + n % 7, n);
		assert_true(!m == !end_ns[n]);
		if (!m)
			m = add(1 + n % 7, n, 0);
		m->id = n;
		if (end_ns[n] && !random_below(&seed, 3)) {
			timewait_remove(&t, m);
			end_ns[n] = 0;
			continue;
		}
		end_ns[n] = now + random_below(&seed, 70) * SEC;
		timewait_arm(&t, m, now, end_ns[n]);
		while ((m = timewait_due(&t, now))) {
			assert_int_equal(m->end_ns, end_ns[m->id]);
			assert_true(end_ns[m->id] + LATE_NS <= now);
			end_ns[m->id] = 0;
			timewait_remove(&t, m);
		}
	}
	for (uint32_t n = 0; n < MODEL; n++)
		assert_true(!end_ns[n] || end_ns[n] + LATE_NS + 2 * SLOT_NS > now);
	assert_int_equal(t.unlisted, 0);
}

#ifdef __SANITIZE_ADDRESS__
#define CROWD	50000u
#else
#define CROWD	1000000u
#endif

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* The n-th of the crowd: one server's clients, many addresses. */
static struct wire_tuple client_tuple(uint32_t n)
{
	struct wire_tuple tuple = tuple_of(0);

	tuple.lport = 443;
	tuple.rport = 1024 + n % 60000;
	tuple.raddr[14] = n / 60000;
	return tuple;
}

/* Whatever touches them makes them resident. */
static uint32_t buckets_touched(void)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < t.max_buckets; i++)
		last = t.buckets[i] ? i + 1 : last;
	return last;
}

static void buckets_come_with_the_entries_and_none_is_lost(void **state)
{
	const uint32_t crowds[] = { 600, 3000, 50000, 200000 };
	struct wire_tuple tuple;
	uint32_t nr = 0;

	open_ledger(1 << 20);
	for (unsigned int c = 0; c < sizeof(crowds) / sizeof(*crowds); c++) {
		for (; nr < crowds[c]; nr++) {
			tuple = client_tuple(nr);
			assert_int_equal(timewait_add(&t, 1, &tuple, 0)->self, nr);
		}
		assert_in_range(buckets_touched(), nr, nr < 40000 ? 65536 : nr + nr / 2);
		for (uint32_t i = 0; i < nr; i++) {
			tuple = client_tuple(i);
			assert_int_equal(timewait_find(&t, 1, &tuple)->self, i);
		}
		tuple = client_tuple(nr);
		assert_null(timewait_find(&t, 1, &tuple));
	}
	for (uint32_t i = 0; i < nr; i++) {
		tuple = client_tuple(i);
		timewait_remove(&t, timewait_find(&t, 1, &tuple));
	}
	for (uint32_t i = 0; i < t.max_buckets; i++)
		assert_false(t.traces[i]);
	assert_int_equal(buckets_touched(), 0);
}

/* Figures for whoever looks; that it stays in its bounds is checked. */
static void a_million_enter_and_expire(void **state)
{
	size_t heap = heap_bytes();
	uint64_t at[4], gone = 0;
	struct mini *m;

	open_ledger(CROWD < 1u << 20 ? CROWD : 1u << 20);
	at[0] = cpu_ns();
	for (uint32_t n = 0; n < CROWD; n++) {
		struct owner o = { .pid = n % 50, .from = OWNER_CONNECT, .comm = "nginx" };
		struct wire_tuple tuple = client_tuple(n);

		m = timewait_add(&t, 1, &tuple, 0);
		timewait_set_owner(&t, m, &o, 0);
		timewait_arm(&t, m, T0 + n * 60000ull, T0 + n * 60000ull + TIME_WAIT_NS);
	}
	at[1] = cpu_ns();
	heap = heap_bytes() - heap;
	for (uint32_t n = 0; n < CROWD; n++) {
		struct wire_tuple tuple = client_tuple(n);

		assert_non_null(timewait_find(&t, 1, &tuple));
	}
	at[2] = cpu_ns();
	for (uint64_t now = T0; t.used; now += SLOT_NS) {
		while ((m = timewait_due(&t, now))) {
			timewait_remove(&t, m);
			gone++;
		}
	}
	at[3] = cpu_ns();
	assert_int_equal(gone, CROWD);
	print_message("# %u entries: %llu ns to enter, %llu ns to find, %llu ns to expire, "
		      "%zu bytes, each\n", CROWD, (unsigned long long)(at[1] - at[0]) / CROWD,
		      (unsigned long long)(at[2] - at[1]) / CROWD,
		      (unsigned long long)(at[3] - at[2]) / CROWD, heap / CROWD);
#ifndef __SANITIZE_ADDRESS__
	assert_in_range(heap / CROWD, 1, MINI_SIZE);
#endif
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_ledger)
	const struct CMUnitTest tests[] = {
		TEST(sums_are_of_all_namespaces_those_that_made_room_included),
		TEST(an_entry_is_found_by_namespace_and_tuple),
		TEST(the_tuple_comes_back_whole),
		TEST(the_same_tuple_in_two_namespaces_is_two_entries),
		TEST(an_entry_has_no_more_than_its_share),
		TEST(what_has_no_room_is_counted),
		TEST(ledgers_that_make_no_sense_are_refused),
		TEST(a_new_entry_knows_nothing_of_the_one_before),
		TEST(each_entry_is_gone_through_once),
		TEST(whose_they_were_is_kept_once_for_all),
		TEST(what_there_is_is_counted_by_kind),
		TEST(a_namespace_with_nothing_left_makes_room_for_another),
		TEST(an_entry_is_due_when_the_kernels_timer_must_have_fired),
		TEST(how_late_that_is_depends_on_hz),
		TEST(in_between_it_is_overdue_and_may_be_gone),
		TEST(a_segment_sets_its_timer_anew),
		TEST(so_it_does_when_it_is_overdue),
		TEST(one_that_is_due_already_is_handed_out_at_once),
		TEST(a_timer_longer_than_the_wheel_waits_for_its_turn),
		TEST(ticks_at_the_deadlines_are_enough_and_few),
		TEST(times_that_make_no_sense_are_survived),
		TEST(who_was_there_and_was_not_met_is_missing),
		TEST(a_census_of_another_namespace_says_nothing),
		TEST(whoever_was_found_or_has_moved_on_is_told_once),
		TEST(the_kernels_count_is_held_against_what_there_is),
		TEST(fewer_than_there_must_be_are_a_reason_to_count_off),
		TEST(as_many_as_there_should_be_are_none),
		TEST(those_that_are_overdue_need_not_be_there),
		TEST(a_settled_census_ends_the_doubt),
		TEST(a_crowd_comes_and_goes_and_none_is_mixed_up),
		TEST(buckets_come_with_the_entries_and_none_is_lost),
		TEST(a_million_enter_and_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
