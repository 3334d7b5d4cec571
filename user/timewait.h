/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timewait.h - the ledger of mini-sockets: what the kernel keeps of a connection
 * that closed first, in TIME_WAIT for 60 s, or in FIN_WAIT2 until the peer's FIN
 * comes.  Nothing announces what becomes of them, so the ledger keeps what is
 * known: since when, until when, and whose they were.  By namespace and tuple,
 * which are unique among what the kernel has in its table.  Pure: imports nothing
 * but memory functions.
 *
 * At most `limit` entries of MINI_SIZE bytes, and PLACES_MAX namespaces that have
 * any at a time; what has no room is counted (unlisted) and not kept.  Entering,
 * finding, re-arming and expiring take constant time, whatever the number: a wheel
 * of slots of a quarter of a second.
 *
 * Times are CLOCK_MONOTONIC nanoseconds; 0 is "not known".
 */
#ifndef SYNFIN_TIMEWAIT_H
#define SYNFIN_TIMEWAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ownerset.h"

/* TCP_TIMEWAIT_LEN, include/net/tcp.h */
#define TIME_WAIT_NS	(60 * 1000000000ull)

/* What an entry may take at most, its share of the tables included. */
#define MINI_SIZE	128
#define PLACES_MAX	16384u

#define WHEEL_SLOTS	512u
#define WHEEL_SHIFT	28	/* of 0.27 s: the wheel goes round in 137 s */

enum mini_flags {
	MINI_PARKED	= 1 << 0,	/* FIN_WAIT2; else TIME_WAIT */
	MINI_DOUBTFUL	= 1 << 1,	/* the table was full: it is there, or it is not */
	MINI_UNTOLD	= 1 << 2,	/* its connection was told to have closed: so is its end */
	MINI_EXISTING	= 1 << 3,	/* older than the trace */
	MINI_OVERDUE	= 1 << 4,	/* its time is up; the kernel's timer may be late */
	/* what a census that is not settled yet has to say */
	MINI_FOUND	= 1 << 5,	/* it was not in the ledger */
	MINI_MET_TW	= 1 << 6,	/* in TIME_WAIT */
	MINI_REPLACED	= 1 << 7,	/* a socket on its tuple */
};

struct mini {
	/* the ledger's own */
	uint32_t self, next;	/* its place in the table; the next of its bucket: + 1 */
	uint32_t earlier, later;	/* in its slot: + 1 */
	uint16_t slot;		/* + 1; 0: not in the wheel */
	uint16_t place;		/* of its namespace: + 1; 0: not in use */
	uint32_t owner;		/* in the ownerset */
	uint8_t  laddr[16], raddr[16];
	uint16_t lport, rport;
	uint8_t  flags;		/* enum mini_flags; set by timewait_mark() */

	/* its user's */
	uint8_t  role;		/* enum role_word */
	bool	 has_rcv_nxt;
	uint32_t rcv_nxt;	/* what it expects next of the peer */
	uint32_t conn;		/* parked: the connection's place in its table + 1; 0: none */
	uint64_t id;		/* what `conn` prints; 0: not known */
	uint64_t since_ns;	/* in TIME_WAIT since; parked: in FIN_WAIT2 */
	uint64_t told_ns;	/* time of its last line */
	int64_t  clock_ns;	/* realtime - monotonic, of its life */
	/* set by timewait_arm() and timewait_met() */
	uint64_t seen_ns;	/* the latest proof that it was there */
	uint64_t end_ns;	/* when its timer falls due, as far as is known */
};

/* A namespace. */
struct tw_place {
	uint32_t netns;
	uint16_t next;		/* in its bucket: + 1 */
	bool counted_off;	/* a census was there */
	/* what there is, as far as is known; doubtful ones are in the last only */
	uint32_t time_wait, fin_wait2;
	uint32_t overdue;	/* of both: the kernel may have let them go */
	uint32_t doubtful;
	/* since the start */
	uint64_t entered;	/* TIME_WAIT, as far as it was seen */
	uint64_t ended[END_MAX];	/* TIME_WAIT, by cause; END_NONE: not known */
	uint64_t corrections;	/* entries that a census put right */
	/* a census that is not settled yet */
	uint64_t census_start_ns, census_end_ns;
	/* the kernel's own count, when it was last told; both kinds */
	uint64_t read_ns;
	uint32_t kernel, limit;
	int32_t  off;		/* less what the ledger had */
	uint32_t most_off;	/* the farthest that it was, either way */
	uint64_t short_ns;	/* it has been less than it can be since then; 0: it is not */
	uint64_t asked_ns, patience_ns;	/* for a census, and not again before */
};

struct timewait {
	uint32_t limit, used, allocated;
	uint32_t nr_buckets, max_buckets;	/* in use; a power of two */
	uint32_t mask;		/* the least 2^n - 1 that they fit under */
	uint32_t *buckets;	/* their first entries: + 1 */
	uint8_t *traces;	/* of each bucket, a bit for each entry */
	struct mini **chunks;
	uint32_t free_head;
	uint64_t seed;
	uint32_t wheel[WHEEL_SLOTS];
	uint64_t turn;		/* slots before this one are done */
	uint32_t turning;	/* entries in the wheel */
	uint64_t late_ns;	/* how late the kernel's timer may be */
	uint64_t settle_ns;	/* when the censuses can be settled; 0: there are none */
	uint32_t cursor;	/* of the entries that were looked at for that */
	struct tw_place *places;
	uint32_t nr_places, size_places;
	uint16_t *place_buckets;
	bool is_short;		/* a namespace may be in doubt */
	struct tw_place gone;	/* sums over namespaces that had to make room */
	struct ownerset owners;
	uint64_t unlisted;	/* for which there was no room */
};

/* limit: at least 1, at most 2^30.  -EINVAL, or -ENOMEM and nothing to free. */
int timewait_init(struct timewait *t, uint32_t limit);
void timewait_deinit(struct timewait *t);

/* The kernel's HZ, before the first entry: timers are as late as its wheel is coarse. */
void timewait_set_hz(struct timewait *t, uint32_t hz);

/* A number that nobody knows who could choose the tuples; heeded while it is empty. */
void timewait_seed(struct timewait *t, uint64_t seed);

/* ---- entries ---- */

/* NULL: there is none. */
struct mini *timewait_find(const struct timewait *t, uint32_t netns,
			   const struct wire_tuple *tuple);

/*
 * A zeroed entry on a tuple that has none, with these flags; in no slot yet.
 * NULL: there is no room, which is counted.
 */
struct mini *timewait_add(struct timewait *t, uint32_t netns, const struct wire_tuple *tuple,
			  unsigned int flags);

void timewait_remove(struct timewait *t, struct mini *m);

/* The flags are these from now on. */
void timewait_mark(struct timewait *t, struct mini *m, unsigned int flags);

/* It is there at seen_ns, until end_ns; it is not overdue then. */
void timewait_arm(struct timewait *t, struct mini *m, uint64_t seen_ns, uint64_t end_ns);

/*
 * One whose end has passed for sure, out of the wheel; NULL: none.  To be called
 * until then, and each time the caller removes it or arms it again.
 */
struct mini *timewait_due(struct timewait *t, uint64_t now_ns);

/* When timewait_due() or timewait_unsettled() wants to be called; 0: never. */
uint64_t timewait_next_deadline(const struct timewait *t);

/* From the first (after NULL) to the last, in no order; NULL: that was the last. */
struct mini *timewait_next(const struct timewait *t, const struct mini *m);

void timewait_set_owner(struct timewait *t, struct mini *m, const struct owner *owner,
			uint64_t cgroup);
const struct ownership *timewait_owner(const struct timewait *t, const struct mini *m);

struct wire_tuple mini_tuple(const struct mini *m);

/* ---- namespaces ---- */

/* NULL: it has, and had, none. */
struct tw_place *timewait_place(const struct timewait *t, uint32_t netns);
struct tw_place *timewait_place_of(const struct timewait *t, const struct mini *m);

/* All namespaces together, those that made room included; of ret only what can be added. */
void timewait_sum(const struct timewait *t, struct tw_place *ret);

/* ---- the census ---- */

/* It is there at seen_ns. */
void timewait_met(struct mini *m, uint64_t seen_ns);

/* It is over, and whoever was there all the time since start_ns was met. */
void timewait_census_end(struct timewait *t, uint32_t netns, uint64_t start_ns, uint64_t end_ns);

/*
 * Once all is known that is older than the censuses: one that they contradict,
 * NULL: no more.  Each is returned once: missing (timewait_is_missing()), or found
 * there, or met in TIME_WAIT while it is parked.
 */
struct mini *timewait_unsettled(struct timewait *t, uint64_t now_ns);

/* Of an entry that timewait_unsettled() has just returned. */
bool timewait_is_missing(const struct timewait *t, const struct mini *m);

/* ---- the kernel's own count ---- */

/* Of mini-sockets, both kinds, and their limit (0: not known). */
void timewait_read(struct timewait *t, uint32_t netns, uint32_t count, uint32_t limit,
		   uint64_t at_ns);

/* A namespace whose census is wanted, since too few are there; 0: none. */
uint32_t timewait_doubt(struct timewait *t, uint64_t now_ns);

#endif
