// SPDX-License-Identifier: GPL-2.0-or-later
#include "vocabulary.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcp_state.h"

#define NSEC_PER_USEC	1000
#define NSEC_PER_SEC	1000000000ll
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* ---- words ---- */

bool words_split(struct words *w, char *line)
{
	char *rest = NULL, *word = strtok_r(line, " \t", &rest);

	w->nr = w->next = 0;
	while (word && w->nr < WORDS_MAX) {
		w->at[w->nr++] = word;
		word = strtok_r(NULL, " \t", &rest);
	}
	return !word;
}

char *words_take(struct words *w)
{
	return w->next < w->nr ? w->at[w->next++] : NULL;
}

char *words_peek(const struct words *w)
{
	return w->next < w->nr ? w->at[w->next] : "";
}

/* ---- values ---- */

bool parse_number(const char *text, int64_t *ret)
{
	char *end;

	*ret = strtoll(text, &end, 0);
	return end != text && !*end;
}

bool parse_duration(const char *text, int64_t *ret)
{
	static const struct { const char *unit; double ns; } units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 },
		{ "h", 3600e9 },
	};
	char *unit;
	double n = strtod(text, &unit);

	for (unsigned int i = 0; unit != text && i < ARRAY_SIZE(units); i++) {
		if (strcmp(unit, units[i].unit))
			continue;
		*ret = llround(n * units[i].ns);
		return true;
	}
	return false;
}

bool parse_tcp_state(const char *text, int64_t *ret)
{
	for (unsigned int i = 1; i < TS_MAX; i++) {
		if (strcasecmp(text, tcp_state_name(i)))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static bool parse_errno(const char *text, int64_t *ret)
{
	for (int i = 1; i < 4096; i++) {
		const char *name = strerrorname_np(i);

		if (!name || strcmp(text, name))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* IPv4 as ::ffff:a.b.c.d, as wire.h wants it. */
bool parse_addr(const char *text, struct wire_tuple *t, uint8_t *addr)
{
	char mapped[64];

	t->family = strchr(text, ':') ? 6 : 4;
	snprintf(mapped, sizeof(mapped), "%s%s", t->family == 4 ? "::ffff:" : "", text);
	return inet_pton(AF_INET6, mapped, addr) == 1;
}

bool parse_tcp_flags(const char *text, uint8_t *flags, bool *data)
{
	static const struct { const char *word; uint8_t bits; } all[] = {
		{ "fin", TH_FIN }, { "syn", TH_SYN }, { "rst", TH_RST }, { "ack", TH_ACK },
		{ "synack", TH_SYN | TH_ACK }, { "data", 0 },
	};
	size_t len;

	for (*flags = 0, *data = false; *text; text += len + (text[len] == '|')) {
		unsigned int i = 0;

		len = strcspn(text, "|");
		while (i < ARRAY_SIZE(all) &&
		       (strlen(all[i].word) != len || strncmp(all[i].word, text, len)))
			i++;
		if (i == ARRAY_SIZE(all))
			return false;
		*flags |= all[i].bits;
		*data |= !all[i].bits;
	}
	return true;
}

static const struct { uint32_t id; const char *name; } reasons[] = {
	{ 1, "no_socket" }, { 6, "tcp_flags" }, { 7, "tcp_invalid_ack_sequence" },
	{ 8, "tcp_abort_on_data" }, { 9, "tcp_timewait_socket" }, { 11, "tcp_abort_on_close" },
	{ 12, "tcp_abort_on_linger" }, { 13, "tcp_abort_on_memory" }, { 14, "tcp_state" },
	{ 15, "tcp_keepalive_timeout" },
};

const char *reason_name(unsigned int i, uint32_t *id)
{
	if (i >= ARRAY_SIZE(reasons))
		return NULL;
	*id = reasons[i].id;
	return reasons[i].name;
}

/* ---- key=value: a member of a record ---- */

enum unit {
	NUMBER,
	USEC,		/* a duration, kept in microseconds */
	USEC8,		/* the same, shifted as the kernel does */
	JIFFIES,
	AT_USEC,	/* a time of the scenario */
	AT_NSEC,
	ERRNO,
	MINUS_ERRNO,
	STATE,
	REASON,
	TEXT,
};

struct member {
	const char *key;
	uint16_t offset;	/* in union event */
	uint8_t size;
	uint8_t unit;
};

#define MEMBER(kind, key, path, unit) \
	{ key, offsetof(struct wire_##kind, path), sizeof(((struct wire_##kind *)0)->path), unit }

/* unacked, unread and len stand in for what script.c makes of them. */
static const struct member state_members[] = {
	MEMBER(state, "acked", sample.bytes_acked, NUMBER),
	MEMBER(state, "received", sample.bytes_received, NUMBER),
	MEMBER(state, "unacked", sample.write_seq, NUMBER),
	MEMBER(state, "unread", sample.rcv_nxt, NUMBER),
	MEMBER(state, "segs_out", sample.segs_out, NUMBER),
	MEMBER(state, "tx_segs", sample.data_segs_out, NUMBER),
	MEMBER(state, "rx_segs", sample.data_segs_in, NUMBER),
	MEMBER(state, "total_retrans", sample.total_retrans, NUMBER),
	MEMBER(state, "srtt", sample.srtt_us8, USEC8),
	MEMBER(state, "srtt8", sample.srtt_us8, NUMBER),
	MEMBER(state, "min_rtt", sample.min_rtt_us, USEC),
	MEMBER(state, "err", sample.err, ERRNO),
	MEMBER(state, "err_soft", sample.err_soft, ERRNO),
	MEMBER(state, "shutdown", sample.shutdown, NUMBER),
	MEMBER(state, "probes", sample.probes_out, NUMBER),
	MEMBER(state, "retransmits", sample.retransmits, NUMBER),
	MEMBER(state, "lingertime", sample.lingertime, JIFFIES),
	MEMBER(state, "linger2", sample.linger2, JIFFIES),
	MEMBER(state, "rto", sample.rto, JIFFIES),
	MEMBER(state, "fin_timeout", sample.fin_timeout, JIFFIES),
	MEMBER(state, "tw", sample.tw_count, NUMBER),
	MEMBER(state, "tw_limit", sample.tw_limit, NUMBER),
	MEMBER(state, "pid", owner.pid, NUMBER),
	MEMBER(state, "uid", owner.uid, NUMBER),
	MEMBER(state, "comm", owner.comm, TEXT),
	MEMBER(state, "cgroup", owner.cgroup, NUMBER),
	MEMBER(state, "born", born, NUMBER),
	{}
};

static const struct member retransmit_members[] = {
	MEMBER(retransmit, "seq", seq, NUMBER),
	MEMBER(retransmit, "len", end_seq, NUMBER),
	MEMBER(retransmit, "segs", segs, NUMBER),
	MEMBER(retransmit, "err", error, MINUS_ERRNO),
	MEMBER(retransmit, "state", state, STATE),
	MEMBER(retransmit, "ca", ca_state, NUMBER),
	MEMBER(retransmit, "retransmits", retransmits, NUMBER),
	MEMBER(retransmit, "pending", pending, NUMBER),
	{}
};

static const struct member synack_members[] = {
	MEMBER(synack, "first", snt_synack_us, AT_USEC),
	MEMBER(synack, "timeout", timeout, JIFFIES),
	MEMBER(synack, "retrans", num_retrans, NUMBER),
	MEMBER(synack, "timeouts", num_timeout, NUMBER),
	{}
};

static const struct member reset_members[] = {
	MEMBER(reset, "state", state, STATE),
	MEMBER(reset, "shutdown", shutdown, NUMBER),
	MEMBER(reset, "reason", reason, REASON),
	{}
};

static const struct member tw_segment_members[] = {
	MEMBER(tw_segment, "payload", payload, NUMBER),
	MEMBER(tw_segment, "substate", substate, STATE),
	{}
};

static const struct member dropped_members[] = {
	MEMBER(dropped, "seq", seq, NUMBER),
	MEMBER(dropped, "len", end_seq, NUMBER),
	{}
};

static const struct member claim_members[] = {
	MEMBER(claim, "since", since_ns, AT_NSEC),
	{}
};

static const struct member end_members[] = {
	MEMBER(end, "births", births, NUMBER),
	{}
};

static const struct member census_members[] = {
	MEMBER(census, "pid", owner.pid, NUMBER),
	MEMBER(census, "uid", owner.uid, NUMBER),
	MEMBER(census, "comm", owner.comm, TEXT),
	MEMBER(census, "cgroup", owner.cgroup, NUMBER),
	MEMBER(census, "first", snt_synack_us, AT_USEC),
	MEMBER(census, "timeout", timeout, JIFFIES),
	MEMBER(census, "retrans", num_retrans, NUMBER),
	MEMBER(census, "timeouts", num_timeout, NUMBER),
	{}
};

static const struct member mini_members[] = {
	MEMBER(mini, "left", left, JIFFIES),
	{}
};

static const struct member owner_members[] = {
	MEMBER(owner_of, "pid", owner.pid, NUMBER),
	MEMBER(owner_of, "uid", owner.uid, NUMBER),
	MEMBER(owner_of, "comm", owner.comm, TEXT),
	MEMBER(owner_of, "fd", fd, NUMBER),
	MEMBER(owner_of, "born", born, NUMBER),
	{}
};

static const struct member owner_seen_members[] = {
	MEMBER(owner_seen, "pid", owner.pid, NUMBER),
	MEMBER(owner_seen, "uid", owner.uid, NUMBER),
	MEMBER(owner_seen, "comm", owner.comm, TEXT),
	MEMBER(owner_seen, "born", born, NUMBER),
	{}
};

static const struct member census_end_members[] = {
	MEMBER(census_end, "since", start_ns, AT_NSEC),
	{}
};

static const struct member hdr_members[] = {
	MEMBER(hdr, "cookie", cookie, NUMBER),
	MEMBER(hdr, "sock", sock, NUMBER),
	MEMBER(hdr, "netns", netns, NUMBER),
	{}
};

static const struct member tuple_members[] = {
	MEMBER(tuple, "lport", lport, NUMBER),
	MEMBER(tuple, "rport", rport, NUMBER),
	{}
};

static bool parse_reason(const char *text, int64_t *ret)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strcmp(text, reasons[i].name))
			continue;
		*ret = reasons[i].id;
		return true;
	}
	return parse_number(text, ret);
}

/* A plain number passes as it is. */
static bool parse_time(enum unit unit, uint32_t hz, const char *text, int64_t *ret)
{
	if (parse_number(text, ret))
		return true;
	if (!parse_duration(text, ret))
		return false;
	if (unit == JIFFIES) {
		*ret = *ret * hz / NSEC_PER_SEC;
		return true;
	}
	if (unit == AT_USEC || unit == AT_NSEC)
		*ret += TRACE_MONOTONIC_NS;
	if (unit != AT_NSEC)
		*ret = *ret / NSEC_PER_USEC << (unit == USEC8 ? 3 : 0);
	return true;
}

static bool parse_value(enum unit unit, uint32_t hz, const char *text, int64_t *ret)
{
	switch (unit) {
	case NUMBER:
	case TEXT:
		return parse_number(text, ret);
	case USEC:
	case USEC8:
	case JIFFIES:
	case AT_USEC:
	case AT_NSEC:
		return parse_time(unit, hz, text, ret);
	case ERRNO:
		return parse_errno(text, ret);
	case MINUS_ERRNO:
		if (!parse_errno(text, ret))
			return false;
		*ret = -*ret;
		return true;
	case STATE:
		return parse_tcp_state(text, ret) || parse_number(text, ret);
	case REASON:
		return parse_reason(text, ret);
	}
	return false;
}

static void store(void *to, uint8_t size, int64_t value)
{
	switch (size) {
	case sizeof(__u8):
		*(__u8 *)to = value;
		break;
	case sizeof(__u16):
		*(__u16 *)to = value;
		break;
	case sizeof(__u32):
		*(__u32 *)to = value;
		break;
	case sizeof(__u64):
		*(__u64 *)to = value;
		break;
	}
}

static bool set_member(const struct member *m, uint32_t hz, void *record, const char *key,
		       const char *text)
{
	int64_t value;

	while (m->key && strcmp(m->key, key))
		m++;
	if (!m->key)
		return false;
	if (m->unit == TEXT) {
		snprintf((char *)record + m->offset, m->size, "%s", text);
		return true;
	}
	if (!parse_value(m->unit, hz, text, &value))
		return false;
	store((char *)record + m->offset, m->size, value);
	return true;
}

/* ---- words alone: flags ---- */

struct flag {
	const char *word;
	uint16_t offset;
	uint8_t size;
	uint16_t bits;
};

#define FLAG(kind, word, path, bits) \
	{ word, offsetof(struct wire_##kind, path), sizeof(((struct wire_##kind *)0)->path), bits }

/* close() shuts both ways, and leaves an orphan; linger-0 is a matter of close(). */
static const struct flag state_flags[] = {
	FLAG(state, "done", sample.flags, WIRE_S_DONE),
	FLAG(state, "dead", sample.flags, WIRE_S_DEAD | WIRE_S_NO_SOCKET),
	FLAG(state, "dead", sample.shutdown, 3),
	FLAG(state, "closed", sample.shutdown, 3),
	FLAG(state, "linger0", sample.flags, WIRE_S_LINGER),
	FLAG(state, "linger0", sample.shutdown, 3),
	FLAG(state, "no_socket", sample.flags, WIRE_S_NO_SOCKET),
	FLAG(state, "mptcp", sample.flags, WIRE_S_MPTCP),
	{}
};

static const struct flag synack_flags[] = {
	FLAG(synack, "timer", flags, WIRE_SA_TIMER),
	FLAG(synack, "dup", flags, 0),
	FLAG(synack, "fastopen", flags, WIRE_SA_FASTOPEN),
	FLAG(synack, "acked", flags, WIRE_SA_ACKED),
	{}
};

static const struct flag reset_flags[] = {
	FLAG(reset, "sent", flags, 0),
	FLAG(reset, "received", flags, WIRE_R_RECEIVED),
	FLAG(reset, "reply", flags, WIRE_R_REPLY),
	FLAG(reset, "no_sock", flags, WIRE_R_NO_SOCK | WIRE_R_REPLY),
	FLAG(reset, "listener", flags, WIRE_R_LISTENER | WIRE_R_REPLY),
	FLAG(reset, "mini", flags, WIRE_R_MINI | WIRE_R_REPLY),
	{}
};

static const struct flag tw_segment_flags[] = {
	FLAG(tw_segment, "no_mini", flags, WIRE_TW_NO_MINI),
	FLAG(tw_segment, "gone", flags, WIRE_TW_GONE),
	FLAG(tw_segment, "stays", flags, WIRE_TW_STAYS),
	{}
};

static const struct flag dropped_flags[] = {
	FLAG(dropped, "rfc1337", flags, WIRE_D_RFC1337),
	{}
};

static const struct flag claim_flags[] = {
	FLAG(claim, "birth", flags, WIRE_CL_BIRTH),
	FLAG(claim, "row", flags, WIRE_CL_ROW),
	{}
};

static const struct flag census_flags[] = {
	FLAG(census, "mini", flags, WIRE_C_MINI),
	FLAG(census, "acked", flags, WIRE_C_ACKED),
	{}
};

static const struct flag mini_flags[] = {
	FLAG(mini, "shared", flags, WIRE_M_SHARED),
	{}
};

static bool set_flags(const struct flag *f, void *record, const char *word)
{
	bool found = false;

	for (; f && f->word; f++) {
		char *to = (char *)record + f->offset;

		if (strcmp(f->word, word))
			continue;
		if (f->size == sizeof(__u8))
			*(__u8 *)to |= f->bits;
		else
			*(__u16 *)to |= f->bits;
		found = true;
	}
	return found;
}

/* ---- a record of any kind ---- */

static struct form {
	const struct member *members;
	const struct flag *flags;
	uint16_t tuple;		/* its offset; 0: has none */
} const forms[WIRE_KIND_MAX] = {
	[WIRE_STATE] = { state_members, state_flags, offsetof(struct wire_state, tuple) },
	[WIRE_RETRANSMIT] = { retransmit_members, NULL, offsetof(struct wire_retransmit, tuple) },
	[WIRE_SYNACK] = { synack_members, synack_flags, offsetof(struct wire_synack, tuple) },
	[WIRE_RESET] = { reset_members, reset_flags, offsetof(struct wire_reset, tuple) },
	[WIRE_TW_SEGMENT] = { tw_segment_members, tw_segment_flags,
			      offsetof(struct wire_tw_segment, tuple) },
	[WIRE_DROPPED] = { dropped_members, dropped_flags, offsetof(struct wire_dropped, tuple) },
	[WIRE_CLAIM] = { claim_members, claim_flags, offsetof(struct wire_claim, tuple) },
	[WIRE_END] = { end_members, NULL, 0 },
	[WIRE_CENSUS] = { census_members, census_flags, offsetof(struct wire_census, tuple) },
	[WIRE_OWNER] = { owner_members, NULL, 0 },
	[WIRE_OWNER_SEEN] = { owner_seen_members, NULL, 0 },
	[WIRE_CENSUS_END] = { census_end_members, NULL, 0 },
	[WIRE_MINI] = { mini_members, mini_flags, offsetof(struct wire_mini, tuple) },
};

static bool set_identity(struct wire_hdr *hdr, struct wire_tuple *t, const char *key,
			 const char *text)
{
	if (!strcmp(key, "laddr"))
		return parse_addr(text, t, t->laddr);
	if (!strcmp(key, "raddr"))
		return parse_addr(text, t, t->raddr);
	return set_member(tuple_members, 0, t, key, text) ||
	       set_member(hdr_members, 0, hdr, key, text);
}

const char *fill_event(union event *ev, uint32_t hz, struct words *w)
{
	const struct form *f = &forms[ev->hdr.kind];
	struct wire_tuple none, *t = f->tuple ? (void *)((char *)ev + f->tuple) : &none;
	char *word, *value;

	while ((word = words_take(w))) {
		value = strchr(word, '=');
		if (!value) {
			if (!set_flags(f->flags, ev, word))
				return word;
			continue;
		}
		*value++ = 0;
		if (!(f->members && set_member(f->members, hz, ev, word, value)) &&
		    !set_identity(&ev->hdr, t, word, value))
			return word;
		if (f->members == reset_members && !strcmp(word, "reason"))
			ev->reset.flags |= WIRE_R_REASON;
	}
	return NULL;
}

const char *fill_identity(struct wire_hdr *hdr, struct wire_tuple *t, struct words *w)
{
	char *word, *value;

	while ((word = words_take(w))) {
		value = strchr(word, '=');
		if (!value)
			return word;
		*value++ = 0;
		if (!set_identity(hdr, t, word, value))
			return word;
	}
	return NULL;
}
