/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario.h - recordings of textbook cases that are built in, for whoever wants
 * to see them without root and without a kernel: explain --scenarios.  Made by
 * the kernel tests on a real kernel, and stripped (tests/golden/scenarios).
 */
#ifndef SYNFIN_SCENARIO_H
#define SYNFIN_SCENARIO_H

#include <stddef.h>

/* id, name and recording (user/scenarios/NAME.rec), title, what is to be seen */
#define SCENARIOS(X)										\
	X(handshake, "handshake", "The handshake",						\
	  "SYN, SYN-ACK, ACK: each end tells its initial sequence number, and hears that the "	\
	  "other one has it.")									\
	X(third_ack_lost, "third-ack-lost", "A lost third ACK",					\
	  "The client believes it is connected, the server is not: it sends its SYN-ACK "	\
	  "again, and the answer to that completes the handshake.")				\
	X(old_duplicate_syn, "old-duplicate-syn", "An old duplicate SYN",			\
	  "While the client's SYN is lost, one of an earlier connection arrives, and the "	\
	  "server answers that. The client knows better, and sends RST (RFC 9293, figure 8).")	\
	X(refused, "refused", "Nobody listens",							\
	  "The SYN is answered with RST, and connect() fails at once: ECONNREFUSED.")		\
	X(four_way_close, "four-way-close", "A close in four segments",				\
	  "Each direction has a FIN of its own, and an ACK for it. Who closes first keeps "	\
	  "TIME_WAIT.")										\
	X(half_close, "half-close", "Half-closed, with data",					\
	  "The client has nothing more to say, and says so, but it still listens: the reply "	\
	  "comes after its FIN.")								\
	X(simultaneous_close, "simultaneous-close", "Both close at once",			\
	  "The FINs cross. Both ends pass through CLOSING, and both keep TIME_WAIT.")		\
	X(reset, "reset", "A reset instead of a close",						\
	  "The server closes without having read what came. Its kernel tells the client so "	\
	  "by RST: the data is lost.")							\
	X(last_ack_lost, "last-ack-lost", "A lost last ACK",					\
	  "What TIME_WAIT is for: the server's FIN comes again, and somebody is still there "	\
	  "to answer it.")

struct scenario {
	const char *name, *title, *text;
	const char *begin, *end;	/* of the recording */
};

extern const struct scenario scenarios[];	/* ends with name == NULL */

/* NULL: there is no such scenario. */
const struct scenario *scenario_named(const char *name);

/* Their names, like "a, b or c"; cut to size. */
void scenario_list(char *buf, size_t size);

#endif
