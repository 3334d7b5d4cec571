/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample_events.h - records as the kernel sends them, made by hand: for the
 * tests of what is behind decode().
 */
#ifndef SYNFIN_TESTS_SAMPLE_EVENTS_H
#define SYNFIN_TESTS_SAMPLE_EVENTS_H

#include <string.h>

#include "event.h"
#include "tcp_state.h"

#define MSEC	1000000ull
#define SEC	1000000000ull
#define HZ	1000u

/* Any time but 0, which stands for "not known". */
#define T0	(1000 * SEC)

/* 10.0.0.1:40000 + n to 10.0.0.2:443 */
static inline struct wire_tuple tuple_of(uint32_t n)
{
	return (struct wire_tuple){
		.laddr = { [10] = 0xff, 0xff, 10, 0, 0, 1 },
		.raddr = { [10] = 0xff, 0xff, 10, 0, 0, 2 },
		.lport = 40000 + n, .rport = 443, .family = 4,
	};
}

static inline struct wire_hdr hdr_of(enum wire_kind kind, uint16_t len, uint64_t ts_ns,
				     uint64_t cookie)
{
	return (struct wire_hdr){
		.ts_ns = ts_ns, .cookie = cookie, .sock = cookie * 0x1000, .netns = 1,
		.len = len, .kind = kind, .version = WIRE_VERSION,
	};
}

/* All that was sent acknowledged, all that came read, room for TIME_WAIT. */
static inline struct wire_sample healthy_sample(void)
{
	return (struct wire_sample){
		.flags = WIRE_S_VALID | WIRE_S_TW_GAUGE, .snd_una = 101, .write_seq = 101,
		.snd_nxt = 101, .rcv_nxt = 1, .copied_seq = 1, .segs_out = 3,
		.min_rtt_us = UINT32_MAX, .rto = HZ / 5, .fin_timeout = 60 * HZ,
		.tw_count = 1, .tw_limit = 65536,
	};
}

static inline struct wire_state state_of(uint64_t ts_ns, uint64_t cookie, enum tcp_state from,
					 enum tcp_state to)
{
	return (struct wire_state){
		.hdr = hdr_of(WIRE_STATE, sizeof(struct wire_state), ts_ns, cookie),
		.tuple = tuple_of(cookie), .sample = healthy_sample(),
		.oldstate = from, .newstate = to,
	};
}

static inline struct wire_synack synack_of(uint64_t ts_ns, uint64_t cookie)
{
	return (struct wire_synack){
		.hdr = hdr_of(WIRE_SYNACK, sizeof(struct wire_synack), ts_ns, cookie),
		.tuple = tuple_of(cookie), .snt_synack_us = T0 / 1000, .snt_isn = 100,
		.timeout = HZ, .flags = WIRE_SA_TIMER,
	};
}

static inline struct wire_retransmit retransmit_of(uint64_t ts_ns, uint64_t cookie,
						   enum tcp_state state)
{
	return (struct wire_retransmit){
		.hdr = hdr_of(WIRE_RETRANSMIT, sizeof(struct wire_retransmit), ts_ns, cookie),
		.tuple = tuple_of(cookie), .seq = 101, .end_seq = 201, .segs = 1,
		.tcp_flags = 0x10, .state = state,
	};
}

static inline struct wire_reset reset_of(uint64_t ts_ns, uint64_t cookie, enum tcp_state state,
					 uint16_t flags)
{
	return (struct wire_reset){
		.hdr = hdr_of(WIRE_RESET, sizeof(struct wire_reset), ts_ns, cookie),
		.tuple = tuple_of(cookie), .state = state, .flags = flags,
	};
}

static inline struct wire_tw_segment segment_of(uint64_t ts_ns, uint64_t cookie,
						enum tcp_state substate, uint8_t tcp_flags)
{
	return (struct wire_tw_segment){
		.hdr = hdr_of(WIRE_TW_SEGMENT, sizeof(struct wire_tw_segment), ts_ns, cookie),
		.tuple = tuple_of(cookie), .substate = substate, .tcp_flags = tcp_flags,
	};
}

static inline struct wire_dropped dropped_of(uint64_t ts_ns, uint32_t n, uint8_t tcp_flags)
{
	struct wire_dropped rec = {
		.hdr = hdr_of(WIRE_DROPPED, sizeof(rec), ts_ns, 0), .tuple = tuple_of(n),
		.seq = 1, .end_seq = 1 + (tcp_flags & 1), .tcp_flags = tcp_flags,
	};

	return rec;
}

static inline struct wire_mini mini_of_census(uint64_t ts_ns, uint64_t cookie,
					      enum tcp_state substate)
{
	return (struct wire_mini){
		.hdr = hdr_of(WIRE_MINI, sizeof(struct wire_mini), ts_ns, cookie),
		.tuple = tuple_of(cookie), .left = 60 * HZ, .substate = substate,
	};
}

static inline struct wire_census census_of(uint64_t ts_ns, uint64_t cookie, enum tcp_state state)
{
	return (struct wire_census){
		.hdr = hdr_of(WIRE_CENSUS, sizeof(struct wire_census), ts_ns, cookie),
		.tuple = tuple_of(cookie), .state = state, .timeout = HZ,
	};
}

static inline struct wire_census_end census_end_of(uint64_t ts_ns, uint64_t start_ns)
{
	return (struct wire_census_end){
		.hdr = hdr_of(WIRE_CENSUS_END, sizeof(struct wire_census_end), ts_ns, 0),
		.start_ns = start_ns,
	};
}

static inline struct wire_start start_of(uint64_t ts_ns)
{
	return (struct wire_start){
		.hdr = hdr_of(WIRE_START, sizeof(struct wire_start), ts_ns, 0),
		.release = "6.18.44", .netns = "all", .hz = HZ,
	};
}

static inline struct wire_tick tick_of(uint64_t ts_ns)
{
	return (struct wire_tick){
		.hdr = hdr_of(WIRE_TICK, sizeof(struct wire_tick), ts_ns, 0),
	};
}

static inline struct wire_lost lost_of(uint64_t ts_ns, enum wire_lost_where where, uint64_t count)
{
	return (struct wire_lost){
		.hdr = hdr_of(WIRE_LOST, sizeof(struct wire_lost), ts_ns, 0),
		.where = where, .count = count,
	};
}

static inline struct wire_end end_of(uint64_t ts_ns, uint64_t births)
{
	return (struct wire_end){
		.hdr = hdr_of(WIRE_END, sizeof(struct wire_end), ts_ns, 0), .births = births,
	};
}

/* Numbers that are the same in every run: xorshift64*. */
static inline uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dull;
}

static inline uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	return (random_next(seed) >> 32) % limit;
}

#endif
