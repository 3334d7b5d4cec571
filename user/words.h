/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words.h - the closed vocabularies of contract.md 2: each one list, from which
 * come the enum, the text, the summary's keys and the man page.  The first of
 * each enum, _NONE = 0, means: not known, and its text is NULL.
 */
#ifndef SYNFIN_WORDS_H
#define SYNFIN_WORDS_H

#define OUTCOME_WORDS(X)			\
	X(ESTABLISHED, "established")		\
	X(REFUSED, "refused")			\
	X(TIMEOUT, "timeout")			\
	X(KILLED, "killed")			\
	X(UNREACHABLE, "unreachable")		\
	X(NO_PORT, "no_port")			\
	X(ABORTED, "aborted")			\
	X(NOT_ACCEPTED, "not_accepted")		\
	X(NO_ACK, "no_ack")			\
	X(OTHER, "other")

#define CLOSE_WORDS(X)				\
	X(FIN, "fin")				\
	X(RESET_SENT, "reset_sent")		\
	X(RESET_RECEIVED, "reset_received")	\
	X(TIMEOUT, "timeout")			\
	X(KILLED, "killed")			\
	X(ORPHAN, "orphan")			\
	X(SILENT, "silent")			\
	X(STILL_OPEN, "still_open")

#define REASON_WORDS(X)				\
	X(UNREAD_DATA, "unread_data")		\
	X(LINGER0, "linger0")			\
	X(DISCONNECT, "disconnect")		\
	X(DATA_AFTER_CLOSE, "data_after_close")	\
	X(LINGER2, "linger2")			\
	X(LISTENER_CLOSED, "listener_closed")	\
	X(MEMORY, "memory")			\
	X(KEEPALIVE, "keepalive")		\
	X(RETRANSMITS, "retransmits")		\
	X(ZERO_WINDOW, "zero_window")

#define SIDE_WORDS(X)				\
	X(LOCAL, "local")			\
	X(REMOTE, "remote")			\
	X(BOTH, "both")

#define ROLE_WORDS(X)				\
	X(ACTIVE, "active")			\
	X(PASSIVE, "passive")			\
	X(LISTENER, "listener")

/* The best proof first: see owner.h. */
#define OWNER_WORDS(X)				\
	X(CONNECT, "connect")			\
	X(READ, "read")				\
	X(FD, "fd")				\
	X(LISTEN, "listen")			\
	X(CLOSE, "close")

#define PHASE_WORDS(X)				\
	X(SYN, "syn")				\
	X(SYNACK, "synack")			\
	X(DATA, "data")				\
	X(FIN, "fin")

#define RETRANSMIT_WORDS(X)			\
	X(RTO, "rto")				\
	X(FAST, "fast")				\
	X(TLP, "tlp")				\
	X(DUP_SYN, "dup_syn")

/* Up to SEGMENT they go from one end to the other; the others are notes. */
#define ARROW_WORDS(X)				\
	X(SYN, "syn")				\
	X(SYNACK, "synack")			\
	X(ACK, "ack")				\
	X(DATA, "data")				\
	X(FIN, "fin")				\
	X(RST, "rst")				\
	X(SEGMENT, "segment")			\
	X(STATE, "state")			\
	X(HALF_CLOSED, "half_closed")		\
	X(TIME_WAIT, "time_wait")		\
	X(HOLE, "hole")				\
	X(END, "end")				\
	X(VERDICT, "verdict")

#define END_WORDS(X)				\
	X(OVERFLOW, "overflow")			\
	X(ORPHAN, "orphan")			\
	X(RESET, "reset")			\
	X(EXPIRED, "expired")			\
	X(REUSED, "reused")			\
	X(EARLY, "early")

#define LOST_WORDS(X)				\
	X(RING, "ring")				\
	X(NESTED, "nested")			\
	X(SINK, "sink")				\
	X(TABLE, "table")

#define BY_WORDS(X)				\
	X(REMOTE, "remote")			\
	X(LOCAL_PORT, "local_port")		\
	X(OWNER, "owner")

#define WORDS(X)				\
	X(by, BY)				\
	X(outcome, OUTCOME)			\
	X(close, CLOSE)				\
	X(reason, REASON)			\
	X(side, SIDE)				\
	X(role, ROLE)				\
	X(owner, OWNER)				\
	X(phase, PHASE)				\
	X(retransmit, RETRANSMIT)		\
	X(arrow, ARROW)				\
	X(end, END)				\
	X(lost, LOST)

#define E(name, text) WORD_ENUM(name),
#define WORD_ENUM(name) OUTCOME_##name
enum outcome_word { OUTCOME_NONE, OUTCOME_WORDS(E) OUTCOME_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) CLOSE_##name
enum close_word { CLOSE_NONE, CLOSE_WORDS(E) CLOSE_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) REASON_##name
enum reason_word { REASON_NONE, REASON_WORDS(E) REASON_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) SIDE_##name
enum side_word { SIDE_NONE, SIDE_WORDS(E) SIDE_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) ROLE_##name
enum role_word { ROLE_NONE, ROLE_WORDS(E) ROLE_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) OWNER_##name
enum owner_word { OWNER_NONE, OWNER_WORDS(E) OWNER_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) PHASE_##name
enum phase_word { PHASE_NONE, PHASE_WORDS(E) PHASE_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) RETRANSMIT_##name
enum retransmit_word { RETRANSMIT_NONE, RETRANSMIT_WORDS(E) RETRANSMIT_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) ARROW_##name
enum arrow_word { ARROW_NONE, ARROW_WORDS(E) ARROW_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) END_##name
enum end_word { END_NONE, END_WORDS(E) END_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) LOST_##name
enum lost_word { LOST_NONE, LOST_WORDS(E) LOST_MAX };
#undef WORD_ENUM
#define WORD_ENUM(name) BY_##name
enum by_word { BY_NONE, BY_WORDS(E) BY_MAX };
#undef WORD_ENUM
#undef E

/* outcome_text(OUTCOME_REFUSED) is "refused"; NULL for _NONE. */
#define X(lower, upper) const char *lower##_text(enum lower##_word w);
WORDS(X)
#undef X

#endif
