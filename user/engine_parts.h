/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_parts.h - what the files that the engine is made of share; nobody else
 * includes it.  engine.c: records in, identity, scope.  minis.c: mini-sockets.
 * listeners.c: listening sockets.  ends.c: how lives end.  tell.c: reports out.
 * Pure, as the whole is.
 */
#ifndef SYNFIN_ENGINE_PARTS_H
#define SYNFIN_ENGINE_PARTS_H

#include <stddef.h>

#include "engine.h"
#include "tcp_state.h"

#define TCPHDR_FIN	0x01
#define TCPHDR_SYN	0x02
#define TCPHDR_RST	0x04
#define TCPHDR_ACK	0x10

/* ---- engine.c ---- */

bool engine_has(const struct engine *e, uint32_t netns, const struct wire_tuple *t);

/* Whether a port that is still to come could put it out of scope. */
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

/* ---- minis.c ---- */

/* It is, or may be, a FIN_WAIT2 mini-socket. */
bool mini_is(const struct conn *c);

/* A segment met a mini-socket. */
void mini_on_segment(struct engine *e, const union event *event);

/* The mini-socket of c sent a reset. */
void mini_on_reset(struct engine *e, const union event *event, struct conn *c);

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

/* The run is over. */
void end_with_run(struct engine *e, struct conn *c, uint64_t now_ns);

/* ---- tell.c ---- */

/* c: NULL if there is none in the table. */
void tell(struct engine *e, struct conn *c, struct report *r);

struct report tell_about(const struct conn *c, enum report_kind kind, uint64_t at_ns);

/* Of a socket that is not in the table: what the record itself says. */
struct report tell_about_event(const struct engine *e, const union event *ev,
			       const struct wire_tuple *tuple, enum report_kind kind);

void tell_state(struct engine *e, struct conn *c, uint64_t at_ns, struct report_state state);
void tell_birth(struct engine *e, struct conn *c, uint64_t at_ns);
void tell_connection(struct engine *e, struct conn *c, const struct verdict *v, uint64_t at_ns);
void tell_reset(struct engine *e, const union event *event, struct conn *c);
void tell_lost(struct engine *e, enum lost_word where, uint64_t count, uint64_t at_ns);

#endif
