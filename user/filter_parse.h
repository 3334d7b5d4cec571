/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_parse.h - text in, a filter out: the grammar of ss(8), iproute2's
 * misc/ssfilter.y, and what of it synfin cannot decide is an error of its own.
 *
 *	filter := [STATES [and]] [or-list]
 *	STATES := state NAME | exclude NAME, any number of them
 *	or-list := and-list { or and-list }
 *	and-list := unary { [and] unary }
 *	unary := not unary | "(" filter ")" | test
 *	test := (src | dst) [= | !=] HOST | (sport | dport) [COMPARISON] PORT
 *
 * `and` binds tighter than `or`, as ss(8) says.  States stand first, in all of it
 * or in parentheses, and hold for all behind them there; `state A state B` is
 * either, `exclude` leaves out what `state` would show.
 *
 * Beyond ss: parentheses and operators need no blanks around them, states may
 * stand in parentheses, states go by the kernel's names, too, addresses take !=.
 * Names of hosts are not resolved.
 */
#ifndef SYNFIN_FILTER_PARSE_H
#define SYNFIN_FILTER_PARSE_H

#include <stddef.h>
#include "filter.h"

/* id, what is wrong with the word, what to write instead */
#define FILTER_PROBLEMS(X)								\
	X(CONDITION, "is no condition",							\
	  "write src, dst, sport, dport, not or a parenthesis, and state only in front") \
	X(STATE_LATE, "stands behind something else",					\
	  "write states first, or first in parentheses of their own")			\
	X(STATE_OR, "stands behind state, which holds for all that follows",		\
	  "put the states in parentheses of their own")					\
	X(STATE_NAME, "is no state",							\
	  "write established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, "	\
	  "closed, close-wait, last-ack, listening, closing, all, connected, "		\
	  "synchronized, bucket or big")						\
	X(HOST_OPERATOR, "does not compare addresses", "write = or !=, or a prefix")	\
	X(ADDRESS, "is no address",							\
	  "write one like 10.0.0.1, 10.0.0.0/8, [2001:db8::1]:443 or *; "		\
	  "names are not resolved")							\
	X(ADDRESS_PORT, "is no address",						\
	  "write a port like dport = :443, a network like 10/8")			\
	X(ADDRESS_ANY, "is every address", "write one of them, or =")			\
	X(PREFIX, "has a prefix length that its address does not",			\
	  "write /0 to /32 for IPv4, /0 to /128 for IPv6")				\
	X(BRACKET, "has a bracket without the other",					\
	  "write IPv6 with a port like [2001:db8::1]:443")				\
	X(FAMILY, "is of a family that TCP has not", "write inet: or inet6:, or leave it out") \
	X(PORT, "is no port",								\
	  "write 1 to 65535, or a service of /etc/services, like :443 or :https")	\
	X(PORT_ANY, "is every port, and compares to none", "write a port, or =")	\
	X(PORT_NONE, "is true of no port", "write another comparison")			\
	X(DEV, "is not known of a TCP event",						\
	  "leave it out; -N takes a network namespace")					\
	X(FWMARK, "is not known of a TCP event", "leave it out")			\
	X(CGROUP, "is no part of a filter here", "write --cgroup PATH before it")	\
	X(AUTOBOUND, "is not known of a TCP event",					\
	  "write sport >= :32768, or what ip_local_port_range says")			\
	X(OPEN, "is never closed", "write a ) behind it")				\
	X(CLOSE, "closes nothing", "leave it out, or write a ( before it")		\
	X(MANY, "is one condition too many", "write fewer")				\
	X(DEEP, "is nested too deeply", "write fewer parentheses")

enum filter_problem {
	FILTER_FINE,
#define X(id, ...) FILTER_P_##id,
	FILTER_PROBLEMS(X)
#undef X
};

/* The word that is wrong is text[at .. at + len); len 0: the text ends too early. */
struct filter_error {
	enum filter_problem problem;
	size_t at, len;
};

/* The port of a service, or -1. */
typedef int (*filter_service_fn)(const char *name);

/*
 * 0 and *ret; or -EINVAL, *error, and *ret undefined.  A text without a word is a
 * filter that everything satisfies.
 */
int filter_parse(const char *text, filter_service_fn service, struct filter *ret,
		 struct filter_error *error);

/* Whether an expression can begin with this word: what is no command may be one. */
bool filter_begins(const char *word);

/* "is no port", "write 1 to 65535, ..." */
const char *filter_problem_text(enum filter_problem problem);
const char *filter_problem_cure(enum filter_problem problem);

#endif
