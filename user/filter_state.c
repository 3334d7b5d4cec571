// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter_state.h"

#include <string.h>
#include <strings.h>

#include "tcp_state.h"

#define S(name)		(1u << TS_##name)
#define S_ALL		(S(ESTABLISHED) | S(SYN_SENT) | S(SYN_RECV) | S(FIN_WAIT1) |	\
			 S(FIN_WAIT2) | S(TIME_WAIT) | S(CLOSE) | S(CLOSE_WAIT) |	\
			 S(LAST_ACK) | S(LISTEN) | S(CLOSING))

/*
 * Of a set the first name is the one that is printed.  scan_state() in ss.c has
 * most; the others are what ss and the kernel print.
 */
static const struct { const char *name; uint32_t states; } names[] = {
	{ "established", S(ESTABLISHED) }, { "estab", S(ESTABLISHED) },
	{ "syn-sent", S(SYN_SENT) },
	{ "syn-recv", S(SYN_RECV) }, { "syn-rcv", S(SYN_RECV) },
	{ "fin-wait-1", S(FIN_WAIT1) }, { "fin-wait1", S(FIN_WAIT1) },
	{ "fin-wait-2", S(FIN_WAIT2) }, { "fin-wait2", S(FIN_WAIT2) },
	{ "time-wait", S(TIME_WAIT) },
	{ "closed", S(CLOSE) }, { "close", S(CLOSE) }, { "unconnected", S(CLOSE) },
	{ "unconn", S(CLOSE) },
	{ "close-wait", S(CLOSE_WAIT) },
	{ "last-ack", S(LAST_ACK) },
	{ "listening", S(LISTEN) }, { "listen", S(LISTEN) },
	{ "closing", S(CLOSING) },
	{ "all", S_ALL },
	{ "connected", S_ALL & ~(S(CLOSE) | S(LISTEN)) },
	{ "synchronized", S_ALL & ~(S(CLOSE) | S(LISTEN) | S(SYN_SENT)) },
	{ "bucket", S(SYN_RECV) | S(TIME_WAIT) },
	{ "big", S_ALL & ~(S(SYN_RECV) | S(TIME_WAIT)) },
};

#define NAMES	(sizeof(names) / sizeof(*names))

uint32_t filter_states_named(const char *name, size_t len)
{
	char copy[16];

	if (len >= sizeof(copy))
		return 0;
	for (size_t i = 0; i < len; i++)
		copy[i] = name[i] == '_' ? '-' : name[i];
	copy[len] = 0;
	for (size_t i = 0; i < NAMES; i++) {
		if (!strcasecmp(names[i].name, copy))
			return names[i].states;
	}
	return 0;
}

const char *filter_states_name(uint32_t states)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (names[i].states == states)
			return names[i].name;
	}
	return NULL;
}
