/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.h - a decoded record: the wire structs themselves, after decode() has
 * checked every member.  hdr.kind says which member is the one.
 */
#ifndef SYNFIN_EVENT_H
#define SYNFIN_EVENT_H

#include <stdbool.h>
#include <linux/types.h>
#include "wire.h"

union event {
	struct wire_hdr		hdr;
	struct wire_state	state;
	struct wire_retransmit	retransmit;
	struct wire_synack	synack;
	struct wire_reset	reset;
	struct wire_tw_segment	tw_segment;
	struct wire_dropped	dropped;
	struct wire_claim	claim;
	struct wire_start	start;
	struct wire_prefixes	prefixes;
	struct wire_reason	reason;
	struct wire_clock	clock;
	struct wire_tick	tick;
	struct wire_lost	lost;
	struct wire_end		end;
	struct wire_census	census;
	struct wire_owner_of	owner_of;
	struct wire_census_end	census_end;
	struct wire_owner_seen	owner_seen;
	struct wire_process	process;
	struct wire_cgroup	cgroup;
	struct wire_netns_name	netns_name;
	struct wire_mini	mini;
	struct wire_mini_group	mini_group;
	struct wire_mini_ports	mini_ports;
	struct wire_mini_pool	mini_pool;
	struct wire_socket	socket;
	struct wire_listener	listener;
	struct wire_request	request;
	struct wire_aged	aged;
	struct wire_netns_facts	facts;
};

/* Else one is not known yet, or wiped already. */
static inline bool tuple_has_ports(const struct wire_tuple *t)
{
	return t->lport && t->rport;
}

#endif
