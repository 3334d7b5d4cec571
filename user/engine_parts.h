/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_parts.h - what the files that the engine is made of share; nobody else
 * includes it.  engine.c: records in, identity, scope.  requests.c: half-open
 * requests.  minis.c, mini_segment.c and mini_census.c: mini-sockets, what they meet,
 * and who meets them.  listeners.c: listening sockets.  ends.c: how lives end.
 * tell.c: reports out.  Pure, as the whole is.
 */
#ifndef SYNFIN_ENGINE_PARTS_H
#define SYNFIN_ENGINE_PARTS_H

#include <stddef.h>

#include "engine.h"
#include "tcp_state.h"

/* Identities that are no cookies: the top bit is never set in a cookie. */
#define NO_COOKIE	(1ull << 63)

#define TCPHDR_FIN	0x01
#define TCPHDR_SYN	0x02
#define TCPHDR_RST	0x04
#define TCPHDR_ACK	0x10

/* ---- engine.c ---- */

bool engine_has(const struct engine *e, uint32_t netns, const struct wire_tuple *t);

/* Whether a port or an address that is still to come could put it out of scope. */
bool engine_is_undecided(const struct engine *e, const struct wire_tuple *t);

/* NULL: not in the table. */
struct conn *engine_find(struct engine *e, const struct wire_hdr *hdr);

/* NULL: there is no memory even for one.  Else another may have gone for it. */
struct conn *engine_add(struct engine *e, const struct wire_hdr *hdr);

/* Out of the table, without a word. */
void engine_forget(struct engine *e, struct conn *c);

/* Of a socket without a cookie, for good: an identity of synfin's own. */
void engine_ensure_id(struct engine *e, struct conn *c);

/* ---- listeners.c ---- */

/* A transition to or from LISTEN.  c: NULL, or what the table has of the socket. */
void listeners_on_state(struct engine *e, struct conn *c, const struct wire_state *ev);

/* A census met a listening socket. */
void listeners_on_census(struct engine *e, struct conn *c, const struct wire_census *ev);

/* Those that are not seen after now_ns may have gone. */
void listeners_doubt(struct engine *e, uint64_t now_ns);

/* Until it is proved who accepted, whoever listens stands in. */
void listeners_inherit(struct engine *e, struct conn *c);

/* ---- requests.c: half-open requests, of which no state event tells ---- */

/*
 * What a request is found by: its cookie, or the tuple on kernels that give none.
 * Both are its child's; its address is not.
 */
uint64_t request_key(const struct wire_hdr *hdr, const struct wire_tuple *t);

/* NULL: no request of this tuple is in the table. */
struct conn *request_find(struct engine *e, const struct wire_hdr *hdr, const struct wire_tuple *t);

/* ---- minis.c ---- */

/* c is, or may be, a FIN_WAIT2 mini-socket. */
bool mini_is(const struct conn *c);

/* The one that m stands for; NULL: there is none (any more). */
struct conn *mini_conn(struct engine *e, const struct mini *m);

/*
 * c closes, and what becomes of it waits: it may be parked.  True: it was, and the
 * peer's FIN has come; c is gone.
 */
bool mini_on_close(struct engine *e, struct conn *c);

/* c has entered TIME_WAIT; since_ns 0: it is not known when. */
void mini_enter(struct engine *e, const struct conn *c, uint64_t at_ns, uint64_t since_ns);

/* Or there was no room for it; it is told to have closed. */
void mini_enter_perhaps(struct engine *e, const struct conn *c);

/* c, which is parked, was met in TIME_WAIT: it ends.  False: it was not. */
bool mini_has_turned(struct engine *e, struct conn *c);

/* c is open, but was met as a mini-socket (conn.met): it ends, or is parked. */
void mini_end_open(struct engine *e, struct conn *c);

/* c, which is parked, is forgotten: the mini-socket stays.  Or goes, too. */
void mini_unlink(struct engine *e, const struct conn *c);
void mini_forget(struct engine *e, const struct conn *c);

/* A new life was seen on the tuple at at_ns: what was there ended, at end_ns if not 0. */
void mini_claim(struct engine *e, uint32_t netns, const struct wire_tuple *tuple, uint64_t at_ns,
		uint64_t end_ns);

/* It has ended, its line told at at_ns; end_ns as above.  m is gone. */
void mini_end(struct engine *e, struct mini *m, enum end_word cause, uint64_t at_ns,
	      uint64_t end_ns);

/* One that is no connection's goes from FIN_WAIT2 to TIME_WAIT; since_ns 0: not known. */
void mini_turn(struct engine *e, struct mini *m, uint64_t at_ns, uint64_t since_ns);

/* A mini-socket was met.  NULL: no entry; if there is another's, that one has been replaced. */
struct mini *mini_met_on(struct engine *e, const struct wire_hdr *hdr,
			 const struct wire_tuple *tuple);

/* A new entry for it.  NULL: no room. */
struct mini *mini_found(struct engine *e, const struct wire_hdr *hdr,
			const struct wire_tuple *tuple, enum tcp_state substate,
			unsigned int flags);

/* Its connection, which is open for us: its end was lost, or is told next.  NULL: none. */
struct conn *mini_open_of(struct engine *e, const struct wire_hdr *hdr,
			  const struct wire_tuple *tuple);

/* Its connection, in whatever stage.  NULL: it is not in the table. */
struct conn *mini_conn_named(struct engine *e, const struct wire_hdr *hdr,
			     const struct wire_tuple *tuple);

/*
 * The peer's FIN made TIME_WAIT of c, which is parked, and is gone then.  Not seen:
 * it was lost, and its effect shows.
 */
void mini_on_fin(struct engine *e, struct conn *c, uint64_t at_ns, bool seen);

/* ---- mini_segment.c ---- */

/* A segment that met a mini-socket; or, if the kernel does not name one, may have. */
struct arrival {
	const struct wire_hdr *hdr;
	const struct wire_tuple *tuple;
	uint32_t payload;
	uint8_t tcp_flags;
	bool is_named;
	uint8_t flags;		/* if it is: enum wire_tw_flags */
	uint8_t substate;	/* likewise, after it */
	bool ignores_rst;	/* if not: tcp_rfc1337 */
	bool has_seq;
	uint32_t seq, end_seq;
};

void mini_on_segment(struct engine *e, const struct wire_tw_segment *ev);
void mini_on_dropped(struct engine *e, const struct wire_dropped *ev);

/* The mini-socket of c sent a reset. */
void mini_on_reset(struct engine *e, const union event *event, struct conn *c);

/* ---- mini_census.c ---- */

/* A census met a mini-socket; or, as recordings once had them; or something else. */
void mini_on_row(struct engine *e, const struct wire_mini *ev);
void mini_on_old_row(struct engine *e, const struct wire_census *ev);
void mini_on_other_row(struct engine *e, const struct wire_hdr *hdr,
		       const struct wire_tuple *tuple);

/* The kernel told how many mini-sockets a namespace has, and may have (0: not that). */
void mini_on_gauge(struct engine *e, const struct wire_hdr *hdr, uint32_t count, uint32_t limit);

/* What was due, or contradicted by a census. */
void mini_on_tick(struct engine *e, uint64_t now_ns);

/* ---- ends.c: c is gone after these, but the first four may keep it ---- */

/* What was held back until v was known is told. */
void end_release(struct engine *e, struct conn *c, const struct verdict *v);

/* The verdict if it can be told now, which is the end; else it waits. */
void end_conclude(struct engine *e, struct conn *c, bool waited);

/* A FIN_WAIT2 mini-socket takes over. */
void end_park(struct engine *e, struct conn *c);

/* Its deadline has passed. */
void end_due(struct engine *e, struct conn *c, uint64_t now_ns);

/* Its connection record; at_ns: the record's time. */
void end_life(struct engine *e, struct conn *c, const struct verdict *v, uint64_t at_ns);

/* Its FIN_WAIT2 mini-socket has ended; the last transition is told, too. */
void end_parked(struct engine *e, struct conn *c, enum close_word how, uint64_t at_ns);

/* It is over, and nothing told how. */
void end_lost(struct engine *e, struct conn *c, uint64_t now_ns);

/* A new life begins on a socket whose old one is not over for us. */
void end_displaced(struct engine *e, struct conn *c, uint64_t at_ns);

/* The run is over: this may have to be called again until it is gone. */
void end_with_run(struct engine *e, struct conn *c, uint64_t now_ns);

/* ---- tell.c ---- */

/* c: NULL if there is none in the table. */
void tell(struct engine *e, struct conn *c, struct report *r);

struct report tell_about(const struct conn *c, enum report_kind kind, uint64_t at_ns);

/* Of a socket that is not in the table: what the record itself says. */
struct report tell_about_event(const struct engine *e, const struct wire_hdr *hdr,
			       const struct wire_tuple *tuple, enum report_kind kind);

void tell_state(struct engine *e, struct conn *c, uint64_t at_ns, struct report_state state);
void tell_birth(struct engine *e, struct conn *c, uint64_t at_ns, const struct wire_tuple *tuple);
void tell_connection(struct engine *e, struct conn *c, const struct verdict *v, uint64_t at_ns);
void tell_late(struct engine *e, const struct arrival *a, struct conn *c, enum tcp_state state);
void tell_mini_late(struct engine *e, const struct arrival *a, struct mini *m,
		    enum tcp_state state);
void tell_mini_state(struct engine *e, struct mini *m, uint64_t at_ns, struct report_state state);
void tell_reset(struct engine *e, const union event *event, struct conn *c);
void tell_lost(struct engine *e, enum lost_word where, uint64_t count, uint64_t at_ns);

#endif
