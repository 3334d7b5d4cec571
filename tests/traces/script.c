// SPDX-License-Identifier: GPL-2.0-or-later
#include "script.h"

#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_bound.h"
#include "filter_parse.h"
#include "portset.h"
#include "tcp_state.h"
#include "words.h"

#define NSEC_PER_USEC	1000
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

static bool fail(struct script *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->error, sizeof(s->error), format, args);
	va_end(args);
	return false;
}

/* The first sequence number of #n, either way. */
static uint32_t isn_of(uint64_t n)
{
	return n * 100000;
}

/* n 0: of no socket. */
static void begin(const struct script *s, unsigned int n, enum wire_kind kind, uint16_t len,
		  union event *ev)
{
	ev->hdr.version = WIRE_VERSION;
	ev->hdr.kind = kind;
	ev->hdr.len = len;
	ev->hdr.cookie = s->has_cookies ? n : 0;
	ev->hdr.sock = n * 0x1000;
	ev->hdr.netns = s->sockets[n].netns;
}

/* The rest of the line. */
static bool fill(struct script *s, union event *ev, struct words *w)
{
	const char *word = fill_event(ev, s->hz, w);

	return !word || fail(s, "what is %s?", word);
}

/* ---- transitions ---- */

static void default_sample(const struct script *s, const struct script_socket *sk,
			   const struct wire_state *ev, struct wire_sample *sample)
{
	*sample = (struct wire_sample){
		.flags = WIRE_S_VALID, .segs_out = 3, .min_rtt_us = UINT32_MAX,
	};
	if (!sk->passive && ev->oldstate != TS_CLOSE && ev->oldstate != TS_SYN_SENT)
		sample->bytes_acked = 1;
	if (ev->oldstate == TS_SYN_SENT && ev->newstate == TS_ESTABLISHED)
		sample->bytes_acked = 1;
	if (ev->newstate != TS_CLOSE)
		return;
	sample->flags |= WIRE_S_TW_GAUGE;
	sample->tw_count = 1;
	sample->tw_limit = 65536;
	sample->rto = s->hz / 5;
	sample->fin_timeout = s->hz * 60;
}

/* kernel-facts 1a: the local port is chosen after 7->2, a listener has no peer. */
static void default_tuple(const struct script_socket *sk, const struct wire_state *ev,
			  struct wire_tuple *t)
{
	bool listens = ev->newstate == TS_LISTEN ||
		       (ev->oldstate == TS_LISTEN && ev->newstate == TS_CLOSE);

	*t = sk->tuple;
	if (ev->oldstate == TS_CLOSE && ev->newstate == TS_SYN_SENT)
		t->lport = 0;
	if (!listens)
		return;
	t->rport = 0;
	memset(t->raddr, 0, sizeof(t->raddr));
}

/* From what is unacked and unread to sequence numbers. */
static void number_sample(const struct script_socket *sk, uint64_t n, struct wire_sample *sample)
{
	sample->snd_una = isn_of(n) + (uint32_t)sample->bytes_acked + sk->passive;
	sample->write_seq += sample->snd_una;
	sample->snd_nxt = sample->write_seq;
	sample->copied_seq = isn_of(n) + 1;
	sample->rcv_nxt += sample->copied_seq + (sample->flags & WIRE_S_DONE ? 1 : 0);
}

/* Up to 6.14 a child is announced before its identity is written. */
static void make_raw_clone(struct wire_state *ev)
{
	ev->hdr.cookie = 0;
	ev->tuple.rport = 0;
	memset(ev->tuple.raddr, 0, sizeof(ev->tuple.raddr));
}

static bool is_child(const struct wire_state *ev)
{
	return ev->oldstate == TS_LISTEN && ev->newstate == TS_SYN_RECV;
}

static bool fill_state(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	struct script_socket *sk = &s->sockets[n];
	bool raw = !strcmp(words_peek(w), "raw");

	if (ev->state.oldstate == TS_CLOSE || is_child(&ev->state))
		sk->passive = is_child(&ev->state);
	default_sample(s, sk, &ev->state, &ev->state.sample);
	default_tuple(sk, &ev->state, &ev->state.tuple);
	w->next += raw;
	if (!fill(s, ev, w))
		return false;
	if (is_child(&ev->state))	/* BPF sends none: the listener's numbers */
		memset(&ev->state.sample, 0, sizeof(ev->state.sample));
	else
		number_sample(sk, n, &ev->state.sample);
	if (raw)
		make_raw_clone(&ev->state);
	sk->state = ev->state.newstate;
	s->births += is_child(&ev->state) || ev->state.newstate == TS_SYN_SENT;
	return true;
}

static bool parse_state(struct script *s, unsigned int n, const char *old, struct words *w,
			union event *ev)
{
	const char *arrow = words_take(w), *new = words_take(w);
	int64_t from, to;

	if (!n || !new || strcmp(arrow, ">") || !parse_tcp_state(old, &from) ||
	    !parse_tcp_state(new, &to))
		return fail(s, "expected #N OLD > NEW");
	begin(s, n, WIRE_STATE, sizeof(ev->state), ev);
	ev->state.oldstate = from;
	ev->state.newstate = to;
	return fill_state(s, n, w, ev);
}

/* ---- the other events ---- */

/* seq is relative, end_seq holds the length: as in the expectation. */
static bool parse_retransmit(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	struct wire_retransmit *rec = &ev->retransmit;
	const char *flags = words_take(w);
	bool data;

	if (!flags || !parse_tcp_flags(flags, &rec->tcp_flags, &data))
		return fail(s, "RETX of what?");
	begin(s, n, WIRE_RETRANSMIT, sizeof(*rec), ev);
	rec->tuple = s->sockets[n].tuple;
	rec->state = s->sockets[n].state;
	rec->segs = 1;
	rec->seq = rec->tcp_flags & TH_SYN ? 0 : 1;
	rec->end_seq = data ? 100 : 0;
	if (!fill(s, ev, w))
		return false;
	rec->seq += isn_of(n);
	rec->end_seq += rec->seq + !!(rec->tcp_flags & TH_SYN) + !!(rec->tcp_flags & TH_FIN);
	return true;
}

/* Its address is the request's, not the child's. */
static bool parse_synack(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	begin(s, n, WIRE_SYNACK, sizeof(ev->synack), ev);
	ev->hdr.sock += 0x800;
	ev->synack.tuple = s->sockets[n].tuple;
	ev->synack.snt_synack_us = TRACE_MONOTONIC_NS / NSEC_PER_USEC;
	ev->synack.snt_isn = isn_of(n);
	ev->synack.timeout = s->hz;
	return fill(s, ev, w);
}

static bool parse_reset(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	begin(s, n, WIRE_RESET, sizeof(ev->reset), ev);
	ev->reset.tuple = s->sockets[n].tuple;
	ev->reset.state = s->sockets[n].state;
	if (!fill(s, ev, w))
		return false;
	if (ev->reset.flags & WIRE_R_NO_SOCK)
		ev->hdr.cookie = ev->hdr.sock = ev->reset.state = 0;
	return true;
}

static bool parse_segment(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	const char *flags = words_take(w);
	bool data;

	if (!flags || !parse_tcp_flags(flags, &ev->tw_segment.tcp_flags, &data))
		return fail(s, "SEGMENT with what?");
	begin(s, n, WIRE_TW_SEGMENT, sizeof(ev->tw_segment), ev);
	ev->tw_segment.tuple = s->sockets[n].tuple;
	ev->tw_segment.payload = data ? 100 : 0;
	if (!fill(s, ev, w))
		return false;
	if (ev->tw_segment.flags & WIRE_TW_NO_MINI)
		ev->hdr.cookie = ev->hdr.sock = ev->tw_segment.substate = 0;
	return true;
}

/* seq is relative to what is expected next if nothing was received, as in number_sample(). */
static bool parse_dropped(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	struct wire_dropped *rec = &ev->dropped;
	const char *flags = words_take(w);
	bool data;

	if (!flags || !parse_tcp_flags(flags, &rec->tcp_flags, &data))
		return fail(s, "DROPPED with what?");
	begin(s, n, WIRE_DROPPED, sizeof(*rec), ev);
	ev->hdr.cookie = ev->hdr.sock = 0;
	rec->tuple = s->sockets[n].tuple;
	rec->end_seq = data ? 100 : 0;
	if (!fill(s, ev, w))
		return false;
	rec->seq += isn_of(n) + 1;
	rec->end_seq += rec->seq + !!(rec->tcp_flags & TH_SYN) + !!(rec->tcp_flags & TH_FIN);
	return true;
}

/* Of a socket that is left out: no identity. */
static bool parse_claim(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	begin(s, n, WIRE_CLAIM, sizeof(ev->claim), ev);
	ev->hdr.cookie = ev->hdr.sock = 0;
	ev->claim.tuple = s->sockets[n].tuple;
	if (!fill(s, ev, w))
		return false;
	s->births += ev->claim.flags & WIRE_CL_BIRTH;
	return true;
}

static bool parse_tick(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	begin(s, n, WIRE_TICK, sizeof(ev->tick), ev);
	return fill(s, ev, w);
}

static bool parse_lost(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	const char *where = words_take(w), *count = words_take(w);
	int64_t value;

	begin(s, n, WIRE_LOST, sizeof(ev->lost), ev);
	if (!count || !parse_number(count, &value))
		return fail(s, "LOST where, and how many?");
	ev->lost.count = value;
	for (unsigned int i = 1; i < LOST_MAX; i++) {
		if (strcmp(where, lost_text(i)))
			continue;
		ev->lost.where = i - 1;	/* enum wire_lost_where has no _NONE */
		return true;
	}
	return fail(s, "LOST where? %s", where);
}

static bool parse_end(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	begin(s, n, WIRE_END, sizeof(ev->end), ev);
	ev->end.births = s->births;
	return fill(s, ev, w);
}

/* ---- the census ---- */

static bool parse_census(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	const char *state = words_take(w);
	int64_t value;

	if (!n || !state || !parse_tcp_state(state, &value))
		return fail(s, "CENSUS met what?");
	begin(s, n, WIRE_CENSUS, sizeof(ev->census), ev);
	ev->census.tuple = s->sockets[n].tuple;
	ev->census.state = s->sockets[n].state = value;
	ev->census.snt_synack_us = TRACE_MONOTONIC_NS / NSEC_PER_USEC;
	ev->census.timeout = s->hz;
	if (value == TS_LISTEN) {
		ev->census.tuple.rport = 0;
		memset(ev->census.tuple.raddr, 0, sizeof(ev->census.tuple.raddr));
	}
	return fill(s, ev, w);
}

static bool parse_mini(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	const char *state = words_take(w);
	int64_t value;

	if (!n || !state || !parse_tcp_state(state, &value))
		return fail(s, "MINI in which state?");
	begin(s, n, WIRE_MINI, sizeof(ev->mini), ev);
	ev->mini.tuple = s->sockets[n].tuple;
	ev->mini.substate = value;
	ev->mini.left = 60 * s->hz;
	return fill(s, ev, w);
}

static bool parse_owner(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	begin(s, n, WIRE_OWNER, sizeof(ev->owner_of), ev);
	return fill(s, ev, w);
}

static bool parse_owner_seen(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	begin(s, n, WIRE_OWNER_SEEN, sizeof(ev->owner_seen), ev);
	return fill(s, ev, w);
}

static bool parse_census_end(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	begin(s, n, WIRE_CENSUS_END, sizeof(ev->census_end), ev);
	ev->hdr.netns = 1;
	ev->census_end.start_ns = ev->hdr.ts_ns;
	return fill(s, ev, w);
}

/* By how much the wall clock is off what it was at first. */
static bool parse_clock(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	const char *step = words_take(w);
	int64_t ns;

	begin(s, n, WIRE_CLOCK, sizeof(ev->clock), ev);
	if (!step || !parse_duration(step, &ns))
		return fail(s, "CLOCK by how much?");
	ev->clock.offset_ns = TRACE_REALTIME_NS - TRACE_MONOTONIC_NS + ns;
	return true;
}

/* ---- names ---- */

/* Without a path it is gone. */
static bool parse_cgroup(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	const char *id = words_take(w), *path = words_take(w);
	int64_t value;

	if (!id || !parse_number(id, &value))
		return fail(s, "CGROUP with what number?");
	begin(s, n, WIRE_CGROUP, sizeof(ev->cgroup), ev);
	ev->cgroup.id = value;
	snprintf(ev->cgroup.path, sizeof(ev->cgroup.path), "%s", path ? path : "");
	return fill(s, ev, w);
}

/* Without texts it was gone, or had another name. */
static bool parse_process(struct script *s, unsigned int n, struct words *w, union event *ev)
{
	const char *pid = words_take(w), *born = words_take(w), *comm = words_take(w);
	const char *exe = words_take(w), *cmdline = words_take(w);
	struct wire_process *p = &ev->process;
	int64_t of_pid, of_born;

	if (!comm || !parse_number(pid, &of_pid) || !parse_number(born, &of_born))
		return fail(s, "PROCESS of what pid, birth and name?");
	begin(s, n, WIRE_PROCESS, sizeof(*p), ev);
	p->pid = of_pid;
	p->born = of_born;
	snprintf(p->comm, sizeof(p->comm), "%s", comm);
	p->exe_len = exe ? snprintf(p->text, WIRE_EXE_LEN, "%s", exe) : 0;
	p->cmdline_len = cmdline ? snprintf(p->text + p->exe_len, WIRE_CMDLINE_LEN, "%s", cmdline) :
				   0;
	return fill(s, ev, w);
}

static const struct {
	const char *word;
	bool (*parse)(struct script *s, unsigned int n, struct words *w, union event *ev);
} verbs[] = {
	{ "RETX", parse_retransmit }, { "SYNACK", parse_synack }, { "RST", parse_reset },
	{ "SEGMENT", parse_segment }, { "DROPPED", parse_dropped }, { "TICK", parse_tick },
	{ "LOST", parse_lost }, { "END", parse_end }, { "CLOCK", parse_clock },
	{ "CENSUS", parse_census }, { "MINI", parse_mini }, { "OWNER", parse_owner },
	{ "CENSUS_END", parse_census_end }, { "CGROUP", parse_cgroup },
	{ "USED", parse_owner_seen }, { "PROCESS", parse_process }, { "CLAIM", parse_claim },
};

static bool take_socket(struct script *s, struct words *w, unsigned int *ret)
{
	*ret = 0;
	if (*words_peek(w) != '#')
		return true;
	*ret = strtoul(words_take(w) + 1, NULL, 10);
	if (!*ret || *ret >= SCRIPT_SOCKETS)
		return fail(s, "no such socket");
	return true;
}

bool script_event(struct script *s, struct words *w, union event *ret)
{
	const char *time = words_take(w), *verb;
	unsigned int n;
	int64_t at_ns;

	*ret = (union event){};
	if (!parse_duration(time, &at_ns))
		return fail(s, "no time: %s", time);
	ret->hdr.ts_ns = TRACE_MONOTONIC_NS + at_ns;
	if (!take_socket(s, w, &n))
		return false;
	verb = words_take(w);
	if (!verb)
		return fail(s, "nothing happens");
	for (unsigned int i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(verb, verbs[i].word))
			return verbs[i].parse(s, n, w, ret);
	}
	return parse_state(s, n, verb, w, ret);
}

/* ---- before the first and after the last ---- */

bool script_preamble(const struct script *s, unsigned int i, union event *ret)
{
	const char *name;
	uint32_t id;

	*ret = (union event){ .hdr.ts_ns = TRACE_MONOTONIC_NS };
	if (i == 0) {
		begin(s, 0, WIRE_START, sizeof(ret->start), ret);
		ret->start.hz = s->hz;
		ret->start.scope = s->recorded.sockets;
		return true;
	}
	if (i == 1) {
		begin(s, 0, WIRE_PREFIXES, sizeof(ret->prefixes), ret);
		ret->prefixes.laddrs = s->recorded.laddrs;
		ret->prefixes.raddrs = s->recorded.raddrs;
		return true;
	}
	if (i == 2) {
		begin(s, 0, WIRE_CLOCK, sizeof(ret->clock), ret);
		ret->clock.offset_ns = TRACE_REALTIME_NS - TRACE_MONOTONIC_NS;
		return true;
	}
	name = reason_name(i - 3, &id);
	if (!name)
		return false;
	begin(s, 0, WIRE_REASON, sizeof(ret->reason), ret);
	ret->reason.id = id;
	snprintf(ret->reason.name, sizeof(ret->reason.name), "%s", name);
	return true;
}

void script_end(const struct script *s, uint64_t ts_ns, union event *ret)
{
	*ret = (union event){ .hdr.ts_ns = ts_ns };
	begin(s, 0, WIRE_END, sizeof(ret->end), ret);
	ret->end.births = s->births;
}

/* ---- directives ---- */

static bool parse_scope_word(const char *word, struct wire_scope *scope)
{
	const char *value = strchr(word, '=');
	int64_t n = 0;

	if (!value++)
		return false;
	if (!strncmp(word, "lports=", value - word))
		return !portset_parse(value, &scope->lports, NULL);
	if (!strncmp(word, "rports=", value - word))
		return !portset_parse(value, &scope->rports, NULL);
	if (!parse_number(value, &n))
		return false;
	if (!strncmp(word, "family=", value - word))
		scope->family = n;
	else if (!strncmp(word, "netns=", value - word))
		scope->netns = n;
	else
		return false;
	return true;
}

static bool parse_scope(struct script *s, struct words *w, struct wire_scope *scope)
{
	const char *word;

	while ((word = words_take(w))) {
		if (!parse_scope_word(word, scope))
			return fail(s, "no scope: %s", word);
	}
	return true;
}

static int no_service(const char *name)
{
	return -1;
}

/* The rest of the line is an expression; the scope is narrowed by it, as main() does. */
static bool parse_filter(struct script *s, struct words *w, struct filter *f, struct scope *scope)
{
	struct filter_bound bound;
	struct filter_error error;
	char text[512] = "";
	const char *word;

	while ((word = words_take(w))) {
		strncat(text, " ", sizeof(text) - strlen(text) - 1);
		strncat(text, word, sizeof(text) - strlen(text) - 1);
	}
	if (filter_parse(text, no_service, f, &error))
		return fail(s, "no filter: %s", text + error.at);
	bound = filter_bound(f);
	filter_bound_scope(&bound, scope);
	return true;
}

static bool parse_socket(struct script *s, struct words *w)
{
	struct wire_hdr hdr;
	const char *word;
	unsigned int n;

	if (!take_socket(s, w, &n))
		return false;
	if (!n)
		return fail(s, "socket which?");
	hdr.netns = s->sockets[n].netns;
	word = fill_identity(&hdr, &s->sockets[n].tuple, w);
	s->sockets[n].netns = hdr.netns;
	return !word || fail(s, "what is %s?", word);
}

static bool parse_kernel(struct script *s, struct words *w)
{
	char *word;

	while ((word = words_take(w))) {
		if (!strcmp(word, "no_cookies"))
			s->has_cookies = false;
		else if (!strncmp(word, "hz=", 3))
			s->hz = strtoul(word + 3, NULL, 10);
		else
			return fail(s, "what is %s?", word);
	}
	return true;
}

bool script_directive(struct script *s, struct words *w)
{
	const char *word = words_take(w);
	struct filter recorded;

	if (!strcmp(word, "kernel"))
		return parse_kernel(s, w);
	if (!strcmp(word, "socket"))
		return parse_socket(s, w);
	if (!strcmp(word, "wanted"))
		return parse_scope(s, w, &s->wanted.sockets);
	if (!strcmp(word, "recorded"))
		return parse_scope(s, w, &s->recorded.sockets);
	if (!strcmp(word, "filter"))
		return parse_filter(s, w, &s->filter, &s->wanted);
	if (!strcmp(word, "recorded_filter"))
		return parse_filter(s, w, &recorded, &s->recorded);
	if (!strcmp(word, "table")) {
		s->table = strtoul(words_peek(w), NULL, 10);
		return true;
	}
	return fail(s, "no such directive: %s", word);
}

void script_init(struct script *s)
{
	*s = (struct script){ .hz = 1000, .table = 1000, .has_cookies = true };
	for (unsigned int n = 1; n < SCRIPT_SOCKETS; n++) {
		struct script_socket *sk = &s->sockets[n];

		sk->netns = 1;
		sk->state = TS_CLOSE;
		parse_addr("10.0.0.1", &sk->tuple, sk->tuple.laddr);
		parse_addr("10.0.0.2", &sk->tuple, sk->tuple.raddr);
		sk->tuple.lport = 40000 + n;
		sk->tuple.rport = 443;
	}
}
