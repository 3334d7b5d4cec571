// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "decode.h"
#include "sample_events.h"

/* A kind that is missing here fails the_kinds_known_here_are_decodes. */
static const uint16_t sizes[WIRE_KIND_MAX] = {
	[WIRE_STATE]	  = sizeof(struct wire_state),
	[WIRE_RETRANSMIT] = sizeof(struct wire_retransmit),
	[WIRE_SYNACK]	  = sizeof(struct wire_synack),
	[WIRE_RESET]	  = sizeof(struct wire_reset),
	[WIRE_TW_SEGMENT] = sizeof(struct wire_tw_segment),
	[WIRE_DROPPED]	  = sizeof(struct wire_dropped),
	[WIRE_CLAIM]	  = sizeof(struct wire_claim),
	[WIRE_START]	  = sizeof(struct wire_start),
	[WIRE_PREFIXES]	  = sizeof(struct wire_prefixes),
	[WIRE_REASON]	  = sizeof(struct wire_reason),
	[WIRE_CLOCK]	  = sizeof(struct wire_clock),
	[WIRE_TICK]	  = sizeof(struct wire_tick),
	[WIRE_LOST]	  = sizeof(struct wire_lost),
	[WIRE_END]	  = sizeof(struct wire_end),
	[WIRE_CENSUS]	  = sizeof(struct wire_census),
	[WIRE_OWNER]	  = sizeof(struct wire_owner_of),
	[WIRE_CENSUS_END] = sizeof(struct wire_census_end),
	[WIRE_OWNER_SEEN] = sizeof(struct wire_owner_seen),
	[WIRE_PROCESS]	  = offsetof(struct wire_process, text) + 8,	/* with short texts */
	[WIRE_CGROUP]	  = offsetof(struct wire_cgroup, path) + 8,	/* with a short path */
	[WIRE_NETNS_NAME] = sizeof(struct wire_netns_name),
	[WIRE_MINI]	  = sizeof(struct wire_mini),
	[WIRE_AGED]	  = sizeof(struct wire_aged),
	[WIRE_LISTENER]	  = sizeof(struct wire_listener),
	[WIRE_NETNS_FACTS] = sizeof(struct wire_netns_facts),
	[WIRE_REQUEST]	  = sizeof(struct wire_request),
	[WIRE_SOCKET]	  = sizeof(struct wire_socket),
	[WIRE_MINI_GROUP] = sizeof(struct wire_mini_group),
	[WIRE_MINI_PORTS] = sizeof(struct wire_mini_ports),
	[WIRE_MINI_POOL]  = sizeof(struct wire_mini_pool),
};

/* Its length depends on its text. */
static bool ends_with_text(enum wire_kind kind)
{
	return kind == WIRE_CGROUP || kind == WIRE_PROCESS;
}

/* A record of the kind with which nothing is wrong. */
static union event good(enum wire_kind kind)
{
	union event ev = {};

	switch (kind) {
	case WIRE_STATE:
		ev.state = state_of(T0, 1, TS_CLOSE, TS_SYN_SENT);
		break;
	case WIRE_RETRANSMIT:
		ev.retransmit = retransmit_of(T0, 1, TS_ESTABLISHED);
		break;
	case WIRE_SYNACK:
		ev.synack = synack_of(T0, 1);
		break;
	case WIRE_RESET:
		ev.reset = reset_of(T0, 1, TS_ESTABLISHED, 0);
		break;
	case WIRE_TW_SEGMENT:
		ev.tw_segment = segment_of(T0, 1, TS_TIME_WAIT, 1);
		break;
	case WIRE_START:
		ev.start = start_of(T0);
		break;
	case WIRE_CENSUS:
		ev.census.tuple = tuple_of(1);
		ev.census.state = TS_ESTABLISHED;
		break;
	case WIRE_CGROUP:
		ev.cgroup = (struct wire_cgroup){ .id = 7, .path = "/a.slic" };
		break;
	case WIRE_MINI:
		ev.mini = (struct wire_mini){ .tuple = tuple_of(1), .substate = TS_TIME_WAIT };
		break;
	case WIRE_PREFIXES:
		ev.prefixes.raddrs.len = 1;
		ev.prefixes.raddrs.prefix[0].wanted = true;
		break;
	case WIRE_SOCKET:
		ev.socket = (struct wire_socket){ .tuple = tuple_of(1), .state = TS_ESTABLISHED };
		break;
	case WIRE_MINI_POOL:
		ev.mini_pool.family = 6;
		break;
	case WIRE_CLAIM:	/* they begin alike */
	case WIRE_MINI_GROUP:
	case WIRE_DROPPED:
	case WIRE_LISTENER:
	case WIRE_REQUEST:
		ev.request.tuple = tuple_of(1);
		break;
	case WIRE_AGED:
		ev.aged = (struct wire_aged){ .tuple = tuple_of(1), .state = TS_CLOSE_WAIT };
		break;
	case WIRE_REASON:
	case WIRE_CLOCK:
	case WIRE_NETNS_FACTS:
	case WIRE_MINI_PORTS:
	case WIRE_TICK:
	case WIRE_LOST:
	case WIRE_END:
	case WIRE_OWNER:
	case WIRE_OWNER_SEEN:
	case WIRE_CENSUS_END:
	case WIRE_PROCESS:
	case WIRE_NETNS_NAME:
	case WIRE_KIND_MAX:
		break;
	}
	ev.hdr = hdr_of(kind, sizes[kind], T0, 1);
	return ev;
}

/* From a buffer that ends with len: whoever reads beyond is caught by ASan. */
static int decode_exactly(const void *bytes, size_t len, union event *ret)
{
	void *copy = malloc(len ? len : 1);
	const union event *there = NULL;
	int err;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	err = decode(copy, len, ret);
	assert_int_equal(decode_in_place(copy, len, &there), err);
	assert_ptr_equal(there, err ? NULL : copy);
	free(copy);
	return err;
}

static void assert_taken(const union event *ev)
{
	union event ret;

	memset(&ret, 0xaa, sizeof(ret));
	assert_int_equal(decode_exactly(ev, ev->hdr.len, &ret), 0);
	assert_memory_equal(&ret, ev, ev->hdr.len);
}

static void assert_refused_at(const union event *ev, size_t len, int err)
{
	union event ret, before;

	memset(&ret, 0xaa, sizeof(ret));
	before = ret;
	assert_int_equal(decode_exactly(ev, len, &ret), err);
	assert_memory_equal(&ret, &before, sizeof(ret));
}

static void assert_refused(const union event *ev)
{
	assert_refused_at(ev, ev->hdr.len, -EBADMSG);
}

/* The numbers have gaps. */
static int next_kind(int kind)
{
	do {
		kind++;
	} while (kind < WIRE_KIND_MAX && !sizes[kind]);
	return kind;
}

#define FOR_EACH_KIND(kind) \
	for (int kind = next_kind(0); kind < WIRE_KIND_MAX; kind = next_kind(kind))

static void the_kinds_known_here_are_decodes(void **state)
{
	for (int kind = 0; kind <= UINT8_MAX; kind++) {
		struct wire_hdr hdr = hdr_of(kind, 1, T0, 1);
		bool known = kind < WIRE_KIND_MAX && sizes[kind];
		union event ret;

		assert_int_equal(decode_exactly(&hdr, sizeof(hdr), &ret),
				 known ? -EBADMSG : -ENOTSUP);
		if (known)
			assert_in_range(sizes[kind], sizeof(struct wire_hdr), sizeof(union event));
	}
}

static void a_good_record_of_each_kind_is_taken_as_it_is(void **state)
{
	FOR_EACH_KIND(kind) {
		union event ev = good(kind);

		assert_taken(&ev);
	}
}

static void nothing_shorter_than_its_kind_is_taken(void **state)
{
	FOR_EACH_KIND(kind) {
		union event ev = good(kind);

		for (size_t len = 0; len < sizes[kind]; len++)
			assert_refused_at(&ev, len, -EBADMSG);
	}
}

static void no_other_length_than_its_kinds_is_taken(void **state)
{
	FOR_EACH_KIND(kind) {
		union event ev = good(kind);

		unsigned int step = 1;	/* of those beyond twice its own some: they take long */

		for (unsigned int len = 0; len <= UINT16_MAX; len += step) {
			step = len < 2 * sizes[kind] ? 1 : 31;
			ev.hdr.len = len;
			if (len != sizes[kind] && !ends_with_text(kind))
				assert_refused_at(&ev, sizeof(ev), -EBADMSG);
		}
	}
}

static void what_follows_a_record_is_not_its_business(void **state)
{
	FOR_EACH_KIND(kind) {
		union event ev = good(kind), ret;

		memset((char *)&ev + sizes[kind], 0xee, sizeof(ev) - sizes[kind]);
		memset(&ret, 0xaa, sizeof(ret));
		assert_int_equal(decode(&ev, sizeof(ev), &ret), 0);
		assert_memory_equal(&ret, &ev, sizes[kind]);
	}
}

static void a_record_need_not_be_aligned(void **state)
{
	char bytes[sizeof(union event) + 8];
	union event ev = good(WIRE_STATE), ret;

	for (unsigned int at = 0; at < 8; at++) {
		memcpy(bytes + at, &ev, ev.hdr.len);
		assert_int_equal(decode(bytes + at, ev.hdr.len, &ret), 0);
		assert_memory_equal(&ret, &ev, ev.hdr.len);
	}
}

static void unknown_kinds_are_told_from_damage(void **state)
{
	union event ev = good(WIRE_STATE);

	for (unsigned int kind = 0; kind <= UINT8_MAX; kind++) {
		if (kind < WIRE_KIND_MAX && sizes[kind])
			continue;
		ev.hdr.kind = kind;
		assert_refused_at(&ev, ev.hdr.len, -ENOTSUP);
	}
}

/* Of another version nothing else is known, its kinds and lengths neither. */
static void a_time_that_no_clock_shows_is_refused(void **state)
{
	union event ev = good(WIRE_TICK);

	ev.hdr.ts_ns = INT64_MAX;
	assert_taken(&ev);
	ev.hdr.ts_ns = 1ull << 63;
	assert_refused(&ev);
	ev.hdr.ts_ns = UINT64_MAX;
	assert_refused(&ev);
}

static void other_versions_are_refused_first(void **state)
{
	union event ev = good(WIRE_STATE);

	for (unsigned int version = 0; version <= UINT8_MAX; version++) {
		if (version == WIRE_VERSION)
			continue;
		ev.hdr.version = version;
		ev.hdr.kind = WIRE_STATE;
		assert_refused_at(&ev, sizes[WIRE_STATE], -EPROTO);
		ev.hdr.kind = UINT8_MAX;
		assert_refused_at(&ev, sizes[WIRE_STATE], -EPROTO);
		assert_refused_at(&ev, sizeof(struct wire_hdr), -EPROTO);
	}
}

/* ---- members ---- */

/* Every value of one byte of the kind: those from lo to hi, and `also`, are taken. */
static void assert_byte(enum wire_kind kind, size_t at, unsigned int lo, unsigned int hi,
			unsigned int also)
{
	union event ev = good(kind);

	for (unsigned int value = 0; value <= UINT8_MAX; value++) {
		((uint8_t *)&ev)[at] = value;
		if ((value >= lo && value <= hi) || value == also)
			assert_taken(&ev);
		else
			assert_refused(&ev);
	}
}

#define AT(path)	offsetof(union event, path)

static void a_transition_is_between_states_1_to_13(void **state)
{
	assert_byte(WIRE_STATE, AT(state.oldstate), 1, 13, 1);
	assert_byte(WIRE_STATE, AT(state.newstate), 1, 13, 1);
	assert_byte(WIRE_RETRANSMIT, AT(retransmit.state), 1, 13, 1);
}

static void a_reset_may_have_no_state(void **state)
{
	assert_byte(WIRE_RESET, AT(reset.state), 0, 13, 0);
	assert_byte(WIRE_TW_SEGMENT, AT(tw_segment.substate), 0, 13, 0);
}

static void a_census_met_a_state(void **state)
{
	assert_byte(WIRE_CENSUS, AT(census.state), 1, 13, 1);
}

static void a_mini_socket_is_in_one_of_two_states(void **state)
{
	assert_byte(WIRE_MINI, AT(mini.substate), 5, 6, 5);
}

static void other_censuses_meet_states_too(void **state)
{
	assert_byte(WIRE_SOCKET, AT(socket.state), 1, 13, 1);
	assert_byte(WIRE_AGED, AT(aged.state), 1, 13, 1);
}

static void families_are_4_and_6(void **state)
{
	assert_byte(WIRE_STATE, AT(state.tuple.family), 4, 4, 6);
	assert_byte(WIRE_RETRANSMIT, AT(retransmit.tuple.family), 4, 4, 6);
	assert_byte(WIRE_SYNACK, AT(synack.tuple.family), 4, 4, 6);
	assert_byte(WIRE_RESET, AT(reset.tuple.family), 4, 4, 6);
	assert_byte(WIRE_TW_SEGMENT, AT(tw_segment.tuple.family), 4, 4, 6);
	assert_byte(WIRE_DROPPED, AT(dropped.tuple.family), 4, 4, 6);
	assert_byte(WIRE_CLAIM, AT(claim.tuple.family), 4, 4, 6);
	assert_byte(WIRE_CENSUS, AT(census.tuple.family), 4, 4, 6);
	assert_byte(WIRE_MINI, AT(mini.tuple.family), 4, 4, 6);
	assert_byte(WIRE_SOCKET, AT(socket.tuple.family), 4, 4, 6);
	assert_byte(WIRE_MINI_GROUP, AT(mini_group.tuple.family), 4, 4, 6);
	assert_byte(WIRE_MINI_POOL, AT(mini_pool.family), 4, 4, 6);
	assert_byte(WIRE_LISTENER, AT(listener.tuple.family), 4, 4, 6);
	assert_byte(WIRE_REQUEST, AT(request.tuple.family), 4, 4, 6);
	assert_byte(WIRE_AGED, AT(aged.tuple.family), 4, 4, 6);
}

static void local_ports_come_by_64(void **state)
{
	union event ev = good(WIRE_MINI_PORTS);

	for (uint32_t first = 0; first < 70000; first += 16) {
		ev.mini_ports.first = first;
		if (first % 64 == 0 && first <= 65472)
			assert_taken(&ev);
		else
			assert_refused(&ev);
	}
	ev.mini_ports.first = -64u;
	assert_refused(&ev);
}

static void text_without_an_end_is_refused(void **state)
{
	union event ev = good(WIRE_STATE);

	memset(ev.state.owner.comm, 'x', sizeof(ev.state.owner.comm));
	assert_refused(&ev);
	ev.state.owner.comm[sizeof(ev.state.owner.comm) - 1] = 0;
	assert_taken(&ev);
	ev = good(WIRE_START);
	memset(ev.start.release, 'x', sizeof(ev.start.release));
	assert_refused(&ev);
	ev = good(WIRE_START);
	memset(ev.start.netns, 'x', sizeof(ev.start.netns));
	assert_refused(&ev);
	ev = good(WIRE_REASON);
	memset(ev.reason.name, 'x', sizeof(ev.reason.name));
	assert_refused(&ev);
	ev = good(WIRE_OWNER);
	memset(ev.owner_of.owner.comm, 'x', sizeof(ev.owner_of.owner.comm));
	assert_refused(&ev);
	ev = good(WIRE_OWNER_SEEN);
	memset(ev.owner_seen.owner.comm, 'x', sizeof(ev.owner_seen.owner.comm));
	assert_refused(&ev);
}

/* It goes into JSON as it is. */
static void a_reason_is_a_word(void **state)
{
	static const char *const bad[] = { "a b", "a\"b", "A", "a\n", "\xbd", "a-b" };
	union event ev = good(WIRE_REASON);

	strcpy(ev.reason.name, "tcp_abort_on_close2");
	assert_taken(&ev);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		strcpy(ev.reason.name, bad[i]);
		assert_refused(&ev);
	}
}

static void text_in_a_census_has_an_end_too(void **state)
{
	union event ev = good(WIRE_CENSUS);

	memset(ev.census.owner.comm, 'x', sizeof(ev.census.owner.comm));
	assert_refused(&ev);
	ev = good(WIRE_LISTENER);
	memset(ev.listener.owner.comm, 'x', sizeof(ev.listener.owner.comm));
	assert_refused(&ev);
	ev = good(WIRE_AGED);
	memset(ev.aged.owner.comm, 'x', sizeof(ev.aged.owner.comm));
	assert_refused(&ev);
}

static void a_failed_retransmit_has_an_errno(void **state)
{
	union event ev = good(WIRE_RETRANSMIT);
	static const int32_t taken[] = { 0, -1, -EAGAIN, -4095 };
	static const int32_t refused[] = { 1, EAGAIN, -4096, INT32_MIN, INT32_MAX };

	for (unsigned int i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		ev.retransmit.error = taken[i];
		assert_taken(&ev);
	}
	for (unsigned int i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		ev.retransmit.error = refused[i];
		assert_refused(&ev);
	}
}

/* The engine divides by it. */
static void hz_is_between_1_and_10000(void **state)
{
	union event ev = good(WIRE_START);
	static const uint32_t taken[] = { 1, 100, 250, 300, 1000, 10000 };

	for (unsigned int i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		ev.start.hz = taken[i];
		assert_taken(&ev);
	}
	ev.start.hz = 0;
	assert_refused(&ev);
	ev.start.hz = 10001;
	assert_refused(&ev);
	ev.start.hz = UINT32_MAX;
	assert_refused(&ev);
}

static void the_scope_of_a_recording_is_checked(void **state)
{
	union event ev = good(WIRE_START);

	ev.start.scope.family = 6;
	assert_taken(&ev);
	ev.start.scope.family = 5;
	assert_refused(&ev);
	ev.start.scope.family = 0;
	ev.start.scope.lports.len = WIRE_RANGES;
	assert_taken(&ev);
	ev.start.scope.lports.len = WIRE_RANGES + 1;
	assert_refused(&ev);
	ev.start.scope.lports.len = UINT32_MAX;
	assert_refused(&ev);
}

static void a_range_of_ports_that_runs_backwards_is_refused(void **state)
{
	union event ev = good(WIRE_START);

	ev.start.scope.rports.len = 2;
	ev.start.scope.rports.range[0].lo = ev.start.scope.rports.range[0].hi = 80;
	ev.start.scope.rports.range[1].lo = 90;
	ev.start.scope.rports.range[1].hi = 89;
	assert_refused(&ev);
	ev.start.scope.rports.range[1].hi = 90;
	assert_taken(&ev);
	ev.start.scope.rports.range[2].lo = 1;	/* beyond len: nobody's */
	assert_taken(&ev);
	ev.start.scope.rports.range[0].lo++;
	assert_refused(&ev);
}

static void a_loss_is_somewhere(void **state)
{
	union event ev = good(WIRE_LOST);

	for (uint32_t where = 0; where < WIRE_LOST_PLACES; where++) {
		ev.lost.where = where;
		assert_taken(&ev);
	}
	ev.lost.where = WIRE_LOST_PLACES;
	assert_refused(&ev);
	ev.lost.where = UINT32_MAX;
	assert_refused(&ev);
}

/* ---- records that end with their text ---- */

static union event with_path(const char *path, size_t len)
{
	union event ev = good(WIRE_CGROUP);

	memset(ev.cgroup.path, 0, sizeof(ev.cgroup.path));
	memcpy(ev.cgroup.path, path, strlen(path));
	ev.hdr.len = len;
	return ev;
}

#define PATH_AT	offsetof(struct wire_cgroup, path)

static void a_path_takes_as_much_of_its_record_as_it_needs(void **state)
{
	char longest[WIRE_PATH_LEN];
	union event ev;

	for (size_t len = 1; len < sizeof(longest); len++) {
		memset(longest, '/', len);
		longest[len] = 0;
		ev = with_path(longest, (PATH_AT + len + 1 + 7) / 8 * 8);
		assert_taken(&ev);
	}
}

static void a_path_that_is_not_known_is_empty(void **state)
{
	union event ev = with_path("", PATH_AT + 8);

	assert_taken(&ev);
}

static void a_record_that_ends_with_text_is_no_longer_than_its_kind(void **state)
{
	union event ev = with_path("/", sizeof(struct wire_cgroup));

	assert_taken(&ev);
	for (size_t len = 0; len < UINT16_MAX; len++) {
		ev.hdr.len = len;
		if (len <= PATH_AT || len > sizeof(struct wire_cgroup) || len % 8)
			assert_refused_at(&ev, sizeof(ev), -EBADMSG);
	}
}

static void text_ends_within_its_record_not_behind_it(void **state)
{
	union event ev = with_path("/234567", PATH_AT + 8);

	assert_taken(&ev);
	ev = with_path("/2345678", PATH_AT + 8);
	assert_refused_at(&ev, sizeof(ev), -EBADMSG);
	ev.hdr.len += 8;
	assert_taken(&ev);
	ev = good(WIRE_NETNS_NAME);
	memset(ev.netns_name.name, 'x', sizeof(ev.netns_name.name));
	assert_refused(&ev);
}

static void a_path_begins_at_the_root(void **state)
{
	union event ev = with_path("a", PATH_AT + 8);

	assert_refused(&ev);
}

static union event with_texts(uint16_t exe_len, uint16_t cmdline_len, size_t len)
{
	union event ev = good(WIRE_PROCESS);

	ev.process.exe_len = exe_len;
	ev.process.cmdline_len = cmdline_len;
	ev.hdr.len = offsetof(struct wire_process, text) + len;
	return ev;
}

static void of_a_process_both_texts_are_within_their_bounds_and_the_record(void **state)
{
	const struct { uint16_t exe, cmdline; size_t len; } taken[] = {
		{ 0, 0, 0 }, { 3, 5, 8 }, { 8, 0, 8 }, { 0, 8, 8 }, { 3, 6, 16 },
		{ WIRE_EXE_LEN, WIRE_CMDLINE_LEN, WIRE_EXE_LEN + WIRE_CMDLINE_LEN },
	}, refused[] = {
		{ 1, 0, 0 }, { 0, 1, 0 }, { 3, 6, 8 }, { UINT16_MAX, UINT16_MAX, 8 },
		{ WIRE_EXE_LEN + 1, 0, WIRE_EXE_LEN + 8 },
		{ 0, WIRE_CMDLINE_LEN + 1, WIRE_CMDLINE_LEN + 8 },
	};

	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		union event ev = with_texts(taken[i].exe, taken[i].cmdline, taken[i].len);

		assert_taken(&ev);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		union event ev = with_texts(refused[i].exe, refused[i].cmdline, refused[i].len);

		assert_refused(&ev);
	}
}

static void of_a_process_the_cgroup_is_a_path_behind_its_texts(void **state)
{
	union event ev = with_texts(3, 4, 16);

	memcpy(ev.process.text, "exeline/web/nginx", 16);
	ev.process.cgroup_len = 9;
	assert_taken(&ev);
	ev.process.cgroup_len = 10;		/* beyond the record */
	assert_refused(&ev);
	ev.process.cgroup_len = 9;
	ev.process.text[7] = 'x';
	assert_refused(&ev);
	ev.process.text[7] = '/';
	ev.process.text[9] = 0;
	assert_refused(&ev);
	ev = with_texts(0, 0, WIRE_PATH_LEN);
	memset(ev.process.text, '/', WIRE_PATH_LEN);
	ev.process.cgroup_len = WIRE_PATH_LEN - 1;
	assert_taken(&ev);
	ev.process.cgroup_len = WIRE_PATH_LEN;
	assert_refused(&ev);
}

static void a_processs_name_has_an_end(void **state)
{
	union event ev = good(WIRE_PROCESS);

	memset(ev.process.comm, 'x', sizeof(ev.process.comm));
	assert_refused(&ev);
}

/* ---- any bytes at all ---- */

static bool promises_hold(const union event *ev)
{
	switch ((enum wire_kind)ev->hdr.kind) {
	case WIRE_STATE:
		return ev->state.oldstate >= 1 && ev->state.oldstate <= 13 &&
		       ev->state.newstate >= 1 && ev->state.newstate <= 13 &&
		       memchr(ev->state.owner.comm, 0, WIRE_COMM_LEN);
	case WIRE_RETRANSMIT:
		return ev->retransmit.state >= 1 && ev->retransmit.state <= 13;
	case WIRE_RESET:
		return ev->reset.state <= 13;
	case WIRE_TW_SEGMENT:
		return ev->tw_segment.substate <= 13;
	case WIRE_START:
		return ev->start.hz && ev->start.scope.lports.len <= WIRE_RANGES &&
		       memchr(ev->start.release, 0, sizeof(ev->start.release));
	case WIRE_PREFIXES:
		return ev->prefixes.laddrs.len <= WIRE_PREFIXES_MAX &&
		       ev->prefixes.raddrs.len <= WIRE_PREFIXES_MAX;
	case WIRE_REASON:
		return memchr(ev->reason.name, 0, WIRE_NAME_LEN);
	case WIRE_LOST:
		return ev->lost.where < WIRE_LOST_PLACES;
	case WIRE_CENSUS:
		return ev->census.state >= 1 && ev->census.state <= 13;
	case WIRE_PROCESS:
		return memchr(ev->process.comm, 0, WIRE_COMM_LEN) &&
		       offsetof(struct wire_process, text) + ev->process.exe_len +
		       ev->process.cmdline_len + ev->process.cgroup_len <= ev->hdr.len;
	case WIRE_CGROUP:
		return memchr(ev->cgroup.path, 0, ev->hdr.len - offsetof(struct wire_cgroup, path));
	case WIRE_NETNS_NAME:
		return memchr(ev->netns_name.name, 0, sizeof(ev->netns_name.name));
	case WIRE_MINI:
		return ev->mini.substate == 5 || ev->mini.substate == 6;
	case WIRE_MINI_PORTS:
		return ev->mini_ports.first + 63 <= UINT16_MAX;
	case WIRE_SOCKET:
		return ev->socket.state >= 1 && ev->socket.state <= 13;
	case WIRE_AGED:
		return ev->aged.state >= 1 && ev->aged.state <= 13 &&
		       memchr(ev->aged.owner.comm, 0, WIRE_COMM_LEN);
	case WIRE_LISTENER:
		return memchr(ev->listener.owner.comm, 0, WIRE_COMM_LEN);
	case WIRE_MINI_GROUP:
	case WIRE_MINI_POOL:
	case WIRE_REQUEST:
	case WIRE_NETNS_FACTS:
	case WIRE_SYNACK:
	case WIRE_DROPPED:
	case WIRE_CLAIM:
	case WIRE_CLOCK:
	case WIRE_TICK:
	case WIRE_END:
	case WIRE_OWNER:
	case WIRE_OWNER_SEEN:
	case WIRE_CENSUS_END:
	case WIRE_KIND_MAX:
		break;
	}
	return true;
}

static void assert_total(const void *bytes, size_t len)
{
	union event ret;
	int err = decode_exactly(bytes, len, &ret);

	assert_true(!err || err == -EBADMSG || err == -EPROTO || err == -ENOTSUP);
	if (!err)
		assert_true(promises_hold(&ret));
}

static void random_bytes_are_an_event_or_an_error(void **state)
{
	uint64_t seed = 1, bytes[sizeof(union event) / 8 + 1];

	for (int i = 0; i < 5000; i++) {
		for (unsigned int w = 0; w < sizeof(bytes) / 8; w++)
			bytes[w] = random_next(&seed);
		assert_total(bytes, random_below(&seed, sizeof(bytes) + 1));
	}
}

/* Random bytes seldom get past the header: so begin with a good one. */
static void good_records_with_a_few_bytes_changed_are_an_event_or_an_error(void **state)
{
	uint64_t seed = 2;

	for (int i = 0; i < 5000; i++) {
		union event ev = good(next_kind(random_below(&seed, WIRE_KIND_MAX - 1)));
		unsigned int len = ev.hdr.len, changes = 1 + random_below(&seed, 8);

		while (changes--)
			((uint8_t *)&ev)[random_below(&seed, len)] = random_next(&seed);
		assert_total(&ev, len);
	}
}

static void a_set_of_addresses_is_one(void **state)
{
	union event ev = good(WIRE_PREFIXES);
	struct wire_addrs *addrs[] = { &ev.prefixes.laddrs, &ev.prefixes.raddrs };

	for (unsigned int i = 0; i < 2; i++) {
		*addrs[i] = (struct wire_addrs){ .len = WIRE_PREFIXES_MAX };
		assert_taken(&ev);
		addrs[i]->prefix[WIRE_PREFIXES_MAX - 1].len = 128;
		addrs[i]->prefix[WIRE_PREFIXES_MAX - 1].wanted = 1;
		assert_taken(&ev);
		addrs[i]->prefix[WIRE_PREFIXES_MAX - 1].len = 129;
		assert_refused(&ev);
		addrs[i]->prefix[WIRE_PREFIXES_MAX - 1].len = 0;
		addrs[i]->prefix[WIRE_PREFIXES_MAX - 1].wanted = 2;
		assert_refused(&ev);
		addrs[i]->prefix[WIRE_PREFIXES_MAX - 1].wanted = 0;
		addrs[i]->len++;
		assert_refused(&ev);
		*addrs[i] = (struct wire_addrs){};
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kinds_known_here_are_decodes),
		cmocka_unit_test(a_good_record_of_each_kind_is_taken_as_it_is),
		cmocka_unit_test(nothing_shorter_than_its_kind_is_taken),
		cmocka_unit_test(no_other_length_than_its_kinds_is_taken),
		cmocka_unit_test(what_follows_a_record_is_not_its_business),
		cmocka_unit_test(a_record_need_not_be_aligned),
		cmocka_unit_test(unknown_kinds_are_told_from_damage),
		cmocka_unit_test(a_time_that_no_clock_shows_is_refused),
		cmocka_unit_test(other_versions_are_refused_first),
		cmocka_unit_test(a_transition_is_between_states_1_to_13),
		cmocka_unit_test(a_reset_may_have_no_state),
		cmocka_unit_test(a_census_met_a_state),
		cmocka_unit_test(a_mini_socket_is_in_one_of_two_states),
		cmocka_unit_test(other_censuses_meet_states_too),
		cmocka_unit_test(families_are_4_and_6),
		cmocka_unit_test(local_ports_come_by_64),
		cmocka_unit_test(text_without_an_end_is_refused),
		cmocka_unit_test(a_reason_is_a_word),
		cmocka_unit_test(text_in_a_census_has_an_end_too),
		cmocka_unit_test(a_failed_retransmit_has_an_errno),
		cmocka_unit_test(hz_is_between_1_and_10000),
		cmocka_unit_test(the_scope_of_a_recording_is_checked),
		cmocka_unit_test(a_range_of_ports_that_runs_backwards_is_refused),
		cmocka_unit_test(a_loss_is_somewhere),
		cmocka_unit_test(a_path_takes_as_much_of_its_record_as_it_needs),
		cmocka_unit_test(a_path_that_is_not_known_is_empty),
		cmocka_unit_test(a_record_that_ends_with_text_is_no_longer_than_its_kind),
		cmocka_unit_test(text_ends_within_its_record_not_behind_it),
		cmocka_unit_test(a_path_begins_at_the_root),
		cmocka_unit_test(of_a_process_both_texts_are_within_their_bounds_and_the_record),
		cmocka_unit_test(of_a_process_the_cgroup_is_a_path_behind_its_texts),
		cmocka_unit_test(a_processs_name_has_an_end),
		cmocka_unit_test(random_bytes_are_an_event_or_an_error),
		cmocka_unit_test(a_set_of_addresses_is_one),
		cmocka_unit_test(good_records_with_a_few_bytes_changed_are_an_event_or_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
