// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of panel.h. */
#include "panel.h"

#include "board_text.h"
#include "tcp_state.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))
#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull
#define COLUMNS(a)	.columns = a, .nr = ARRAY_SIZE(a)

/* A figure that is 0 is there, but of no interest. */
static void number(struct panel_cell *c, uint64_t count)
{
	if (!count)
		c->ink = INK_FAINT;
	board_count(&c->text, count);
}

static void rate(struct panel_cell *c, uint64_t per_s)
{
	if (!per_s)
		c->ink = INK_FAINT;
	board_rate(&c->text, per_s);
}

static void alarming(struct panel_cell *c, uint64_t count, enum ink ink)
{
	number(c, count);
	if (count && count != BOARD_UNKNOWN)
		c->ink = ink;
}

/* ########.. 79% */
static void bar(struct panel_cell *c, uint64_t share)
{
	unsigned int columns = c->width > 5 ? c->width - 5 : 0, full;

	if (share == BOARD_UNKNOWN)
		return;
	c->ink = share >= 950 ? INK_FAILURE : share >= 800 ? INK_WARNING : INK_PLAIN;
	full = share >= 1000 ? columns : (share * columns + 999) / 1000;
	for (unsigned int i = 0; i < columns && c->width < 100; i++)
		text_str(&c->text, i < full ? c->g->full : c->g->empty);
	text_char(&c->text, ' ');
	for (uint64_t digits = 100; digits > 1 && share / 10 < digits; digits /= 10)
		text_char(&c->text, ' ');
	text_uint(&c->text, share / 10);
	text_char(&c->text, '%');
}

static void netns_of(struct panel_cell *c, const struct board *b, uint32_t netns)
{
	c->ink = INK_FAINT;
	for (unsigned int i = 0; i < b->nr_places; i++) {
		if (b->places[i].netns == netns && b->places[i].name[0]) {
			board_name(&c->text, b->places[i].name);
			return;
		}
	}
	text_uint(&c->text, netns);
}

static uint64_t known(uint64_t value)
{
	return value == BOARD_UNKNOWN ? 0 : value;
}

/* ---- failed and slow ---- */

static void t_what(struct panel_cell *c, const struct board *b, unsigned int i)
{
	static const enum ink inks[] = {
		[TROUBLE_PENDING] = INK_WARNING, [TROUBLE_FAILED] = INK_FAILURE,
		[TROUBLE_ENDED] = INK_PLAIN, [TROUBLE_SLOW] = INK_PLAIN,
	};

	c->ink = inks[b->troubles[i].kind];
	board_trouble(&c->text, &b->troubles[i]);
}

static void t_where(struct panel_cell *c, const struct board *b, unsigned int i)
{
	board_where(&c->text, &b->troubles[i], c->g->to, c->g->from);
}

static void t_count(struct panel_cell *c, const struct board *b, unsigned int i)
{
	board_count(&c->text, b->troubles[i].count);
}

static void t_rate(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct board_trouble *x = &b->troubles[i];

	if (x->kind == TROUBLE_FAILED || x->kind == TROUBLE_ENDED)
		rate(c, x->per_s);
}

static void t_took(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (known(b->troubles[i].handshake_ns) >= NSEC_PER_SEC)
		c->ink = INK_WARNING;
	board_duration(&c->text, b->troubles[i].handshake_ns);
}

static void t_again(struct panel_cell *c, const struct board *b, unsigned int i)
{
	alarming(c, b->troubles[i].syn_again + b->troubles[i].synack_again, INK_WARNING);
}

static uint64_t t_age(const struct board *b, unsigned int i)
{
	return b->at_ns > b->troubles[i].last_ns ? b->at_ns - b->troubles[i].last_ns : 0;
}

static void t_ago(struct panel_cell *c, const struct board *b, unsigned int i)
{
	uint64_t s = t_age(b, i) / NSEC_PER_SEC;

	c->ink = INK_FAINT;
	if (b->troubles[i].kind == TROUBLE_PENDING)
		return;
	if (s < 60) {
		text_uint(&c->text, s);
		text_char(&c->text, 's');
	} else {
		board_duration(&c->text, s * NSEC_PER_SEC);
	}
}

static void t_process(struct panel_cell *c, const struct board *b, unsigned int i)
{
	board_process(&c->text, &b->troubles[i].owner);
}

static void t_netns(struct panel_cell *c, const struct board *b, unsigned int i)
{
	netns_of(c, b, b->troubles[i].netns);
}

static uint64_t t_count_key(const struct board *b, unsigned int i)
{
	return b->troubles[i].count;
}

static uint64_t t_rate_key(const struct board *b, unsigned int i)
{
	return b->troubles[i].per_s;
}

static uint64_t t_took_key(const struct board *b, unsigned int i)
{
	return known(b->troubles[i].handshake_ns);
}

static uint64_t t_again_key(const struct board *b, unsigned int i)
{
	return b->troubles[i].syn_again + b->troubles[i].synack_again;
}

/* What happened last comes first. */
static uint64_t t_ago_key(const struct board *b, unsigned int i)
{
	return UINT64_MAX - t_age(b, i);
}

#define LESS(value, most)	((value) < (most) ? (value) : (most))

/*
 * What fails now, the most often first; what failed before, the last first; what is
 * under way; slow ones; abnormal ends, among which there are many that mean nothing.
 */
static uint64_t t_order(const struct board *b, unsigned int i)
{
	static const uint8_t weights[] = {
		[TROUBLE_FAILED] = 4, [TROUBLE_PENDING] = 3, [TROUBLE_SLOW] = 2,
		[TROUBLE_ENDED] = 1,
	};
	const struct board_trouble *x = &b->troubles[i];
	uint64_t seconds = t_age(b, i) / NSEC_PER_SEC;
	uint64_t freshness = 0xfffff - LESS(seconds, 0xfffffull);

	if (x->kind == TROUBLE_PENDING || x->kind == TROUBLE_SLOW)
		freshness = LESS(known(x->handshake_ns) / NSEC_PER_MSEC, 0xfffffull);
	return (uint64_t)weights[x->kind] << 60 | LESS(x->per_s, 0xffffffffull) << 20 | freshness;
}

static const struct panel_column troubles[] = {
	{ "WHAT", 20, 0, .fills = true, .names = true, .render = t_what },
	{ "WHERE", 21, 0, .fills = true, .names = true, .render = t_where },
	{ "COUNT", 5, 0, true, .render = t_count, .key = t_count_key },
	{ "PER S", 6, 1, true, .render = t_rate, .key = t_rate_key },
	{ "TOOK", 6, 0, true, .render = t_took, .key = t_took_key },
	{ "AGAIN", 6, 3, true, .render = t_again, .key = t_again_key },
	{ "AGO", 6, 2, true, .render = t_ago, .key = t_ago_key },
	{ "PROCESS", 16, 1, .names = true, .render = t_process },
	{ "NETNS", 12, 4, .names = true, .render = t_netns },
};

static unsigned int troubles_nr(const struct board *b)
{
	return b->nr_troubles;
}

/* ---- owners ---- */

static void o_process(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct board_owner *o = &b->owners[i];

	text_visible(&c->text, o->comm, strnlen(o->comm, sizeof(o->comm)));
	text_char(&c->text, '[');
	if (o->pid)
		text_uint(&c->text, o->pid);
	else
		text_char(&c->text, '*');
	text_char(&c->text, ']');
}

static void o_where(struct panel_cell *c, const struct board *b, unsigned int i)
{
	c->ink = INK_FAINT;
	board_name(&c->text, b->owners[i].where);
}

/* header, width, rank, member, how it is shown */
#define OWNER_FIGURES(X)						\
	X("OPEN", 6, 0, open, number)					\
	X("CLOSE_WAIT", 10, 1, close_wait, warn)			\
	X("ENDED", 6, 0, ended, number)					\
	X("PER S", 6, 0, per_s, rate)					\
	X("FAILED", 6, 0, failed, fail)					\
	X("ABNORMAL", 8, 1, abnormal, number)				\
	X("RETR", 5, 2, retransmits, number)				\
	X("TW", 5, 3, time_wait, number)				\
	X("TX", 5, 3, tx_bytes, number)					\
	X("RX", 5, 3, rx_bytes, number)

static void warn(struct panel_cell *c, uint64_t count)
{
	alarming(c, count, INK_WARNING);
}

static void fail(struct panel_cell *c, uint64_t count)
{
	alarming(c, count, INK_FAILURE);
}

#define X(header, width, rank, member, show)						\
static void o_##member(struct panel_cell *c, const struct board *b, unsigned int i)	\
{											\
	show(c, b->owners[i].member);							\
}											\
static uint64_t o_##member##_key(const struct board *b, unsigned int i)		\
{											\
	return b->owners[i].member;							\
}
OWNER_FIGURES(X)
#undef X

static const struct panel_column owners[] = {
	{ "PROCESS", 18, 0, .fills = true, .names = true, .render = o_process },
#define X(header, width, rank, member, show)						\
	{ header, width, rank, true, .render = o_##member, .key = o_##member##_key },
	OWNER_FIGURES(X)
#undef X
	{ "WHERE", 16, 4, .names = true, .render = o_where },
};

static unsigned int owners_nr(const struct board *b)
{
	return b->nr_owners;
}

/* ---- listeners ---- */

static void l_where(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct wire_tuple *t = &b->listeners[i].tuple;

	board_endpoint(&c->text, t->laddr, t->family, t->lport);
}

static bool l_is_full(const struct board_listener *l)
{
	return l->queue > l->limit;
}

static void l_queue(struct panel_cell *c, const struct board *b, unsigned int i)
{
	number(c, b->listeners[i].queue);
	if (!l_is_full(&b->listeners[i]))
		return;
	c->ink = INK_FAILURE;
	text_str(&c->text, " full");
}

static void l_limit(struct panel_cell *c, const struct board *b, unsigned int i)
{
	c->ink = INK_FAINT;
	board_count(&c->text, b->listeners[i].limit);
}

static void l_bar(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct board_listener *l = &b->listeners[i];

	bar(c, board_share(l->queue, l->limit + 1));
}

static void l_half_open(struct panel_cell *c, const struct board *b, unsigned int i)
{
	number(c, b->listeners[i].half_open);
}

static void l_acked(struct panel_cell *c, const struct board *b, unsigned int i)
{
	warn(c, b->listeners[i].acked);
}

static void l_oldest(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (b->listeners[i].half_open)
		board_duration(&c->text, b->listeners[i].oldest_ns);
}

static void l_drops(struct panel_cell *c, const struct board *b, unsigned int i)
{
	warn(c, b->listeners[i].drops);
}

static void l_process(struct panel_cell *c, const struct board *b, unsigned int i)
{
	struct owner o = b->listeners[i].owner;

	if (o.from == OWNER_LISTEN)	/* here it is no stand-in */
		o.from = OWNER_FD;
	board_process(&c->text, &o);
}

static void l_netns(struct panel_cell *c, const struct board *b, unsigned int i)
{
	netns_of(c, b, b->listeners[i].netns);
}

static uint64_t l_queue_key(const struct board *b, unsigned int i)
{
	return b->listeners[i].queue;
}

static uint64_t l_half_open_key(const struct board *b, unsigned int i)
{
	return b->listeners[i].half_open;
}

static uint64_t l_acked_key(const struct board *b, unsigned int i)
{
	return b->listeners[i].acked;
}

static uint64_t l_oldest_key(const struct board *b, unsigned int i)
{
	return known(b->listeners[i].oldest_ns);
}

static uint64_t l_drops_key(const struct board *b, unsigned int i)
{
	return b->listeners[i].drops;
}

static const struct panel_column listeners[] = {
	{ "LISTENING", 21, 0, .fills = true, .names = true, .render = l_where },
	{ "ACCEPT", 9, 0, true, .render = l_queue, .key = l_queue_key },
	{ "LIMIT", 6, 0, true, .render = l_limit },
	{ "FULL", 13, 2, true, .render = l_bar },
	{ "HALF-OPEN", 9, 0, true, .render = l_half_open, .key = l_half_open_key },
	{ "ACKED", 6, 3, true, .render = l_acked, .key = l_acked_key },
	{ "OLDEST", 7, 3, true, .render = l_oldest, .key = l_oldest_key },
	{ "DROPS", 6, 0, true, .render = l_drops, .key = l_drops_key },
	{ "PROCESS", 16, 1, .names = true, .render = l_process },
	{ "NETNS", 12, 4, .names = true, .render = l_netns },
};

static unsigned int listeners_nr(const struct board *b)
{
	return b->nr_listeners;
}

/* ---- port space ---- */

static void s_where(struct panel_cell *c, const struct board *b, unsigned int i)
{
	board_space(&c->text, &b->spaces[i]);
}

static uint64_t s_share(const struct board *b, unsigned int i)
{
	return board_share(b->spaces[i].used, b->spaces[i].capacity);
}

static void s_used(struct panel_cell *c, const struct board *b, unsigned int i)
{
	number(c, b->spaces[i].used);
}

static void s_capacity(struct panel_cell *c, const struct board *b, unsigned int i)
{
	c->ink = INK_FAINT;
	board_count(&c->text, b->spaces[i].capacity);
}

static void s_bar(struct panel_cell *c, const struct board *b, unsigned int i)
{
	bar(c, s_share(b, i));
}

static void s_time_wait(struct panel_cell *c, const struct board *b, unsigned int i)
{
	number(c, b->spaces[i].time_wait);
}

static void s_reusable(struct panel_cell *c, const struct board *b, unsigned int i)
{
	number(c, b->spaces[i].reusable);
}

static void s_full_in(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (b->spaces[i].full_in_ms == BOARD_UNKNOWN)
		return;
	c->ink = INK_WARNING;
	board_duration(&c->text, b->spaces[i].full_in_ms * NSEC_PER_MSEC);
}

static void s_netns(struct panel_cell *c, const struct board *b, unsigned int i)
{
	netns_of(c, b, b->spaces[i].netns);
}

static uint64_t s_used_key(const struct board *b, unsigned int i)
{
	return b->spaces[i].used;
}

static uint64_t s_share_key(const struct board *b, unsigned int i)
{
	return known(s_share(b, i));
}

static uint64_t s_time_wait_key(const struct board *b, unsigned int i)
{
	return b->spaces[i].time_wait;
}

/* The sooner the first. */
static uint64_t s_full_in_key(const struct board *b, unsigned int i)
{
	return UINT64_MAX - b->spaces[i].full_in_ms;
}

static const struct panel_column spaces[] = {
	{ "FROM, TO", 32, 0, .fills = true, .names = true, .render = s_where },
	{ "USED", 6, 0, true, .render = s_used, .key = s_used_key },
	{ "OF", 6, 0, true, .render = s_capacity },
	{ "FULL", 15, 0, true, .render = s_bar, .key = s_share_key },
	{ "FULL IN", 7, 0, true, .render = s_full_in, .key = s_full_in_key },
	{ "TIME_WAIT", 9, 1, true, .render = s_time_wait, .key = s_time_wait_key },
	{ "REUSABLE", 8, 2, true, .render = s_reusable },
	{ "NETNS", 12, 3, .names = true, .render = s_netns },
};

static unsigned int spaces_nr(const struct board *b)
{
	return b->nr_spaces;
}

/* ---- TIME_WAIT: namespaces, then groups ---- */

static const struct board_place *p_place(const struct board *b, unsigned int i)
{
	return i < b->nr_places ? &b->places[i] : NULL;
}

static const struct board_group *p_group(const struct board *b, unsigned int i)
{
	return &b->groups[i - b->nr_places];
}

static void p_what(struct panel_cell *c, const struct board *b, unsigned int i)
{
	static const char *const what[BY_MAX] = {
		[BY_REMOTE] = "remote", [BY_LOCAL_PORT] = "local port", [BY_OWNER] = "owner",
	};

	text_str(&c->text, p_place(b, i) ? "namespace" : what[p_group(b, i)->by]);
}

static void p_whose(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct board_group *g;

	if (p_place(b, i)) {
		netns_of(c, b, b->places[i].netns);
		c->ink = INK_PLAIN;
		return;
	}
	g = p_group(b, i);
	if (g->by == BY_REMOTE) {
		bool v4 = !memcmp(g->addr, (uint8_t[12]){ [10] = 0xff, 0xff }, 12);

		text_addr(&c->text, g->addr, v4 ? 4 : 6);
	} else if (g->by == BY_LOCAL_PORT) {
		text_char(&c->text, ':');
		text_uint(&c->text, g->lport);
	} else {
		board_process(&c->text, &g->owner);
	}
}

static uint64_t p_count_key(const struct board *b, unsigned int i)
{
	return p_place(b, i) ? b->places[i].count : p_group(b, i)->count;
}

static void p_count(struct panel_cell *c, const struct board *b, unsigned int i)
{
	number(c, p_count_key(b, i));
}

static void p_of(struct panel_cell *c, const struct board *b, unsigned int i)
{
	c->ink = INK_FAINT;
	board_count(&c->text, p_place(b, i) ? b->places[i].limit : p_group(b, i)->of);
}

static void p_bar(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct board_place *p = p_place(b, i);

	if (p) {
		bar(c, board_share(p->count + p->fin_wait2, p->limit));
		return;
	}
	bar(c, board_share(p_group(b, i)->count, p_group(b, i)->of));
	c->ink = INK_PLAIN;
}

static void p_strip(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct board_place *p = p_place(b, i);
	uint64_t most = 0;

	if (!p)
		return;
	for (unsigned int k = 0; k < TW_STEPS; k++)
		most = p->left[k] > most ? p->left[k] : most;
	for (unsigned int k = 0; k < TW_STEPS; k++)
		text_str(&c->text, c->g->spark[most ? (p->left[k] * 8 + most - 1) / most : 0]);
}

static void p_rate(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (p_place(b, i) && b->places[i].per_s != BOARD_UNKNOWN)
		rate(c, b->places[i].per_s);
}

static void p_fin_wait2(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (p_place(b, i))
		number(c, b->places[i].fin_wait2);
}

static void p_overflows(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (p_place(b, i))
		warn(c, b->places[i].overflows);
}

static void p_netns(struct panel_cell *c, const struct board *b, unsigned int i)
{
	netns_of(c, b, p_place(b, i) ? b->places[i].netns : p_group(b, i)->netns);
}

static const struct panel_column places[] = {
	{ "BY", 10, 0, .names = true, .render = p_what },
	{ "WHOSE", 17, 0, .fills = true, .names = true, .render = p_whose },
	{ "COUNT", 6, 0, true, .render = p_count, .key = p_count_key },
	{ "OF", 6, 0, true, .render = p_of },
	{ "SHARE", 13, 0, true, .render = p_bar },
	{ "0s..60s LEFT", 12, 0, .render = p_strip },
	{ "PER S", 6, 0, true, .render = p_rate },
	{ "FIN_WAIT2", 9, 2, true, .render = p_fin_wait2 },
	{ "OVERFLOWS", 9, 2, true, .render = p_overflows },
	{ "NETNS", 12, 3, .names = true, .render = p_netns },
};

static unsigned int places_nr(const struct board *b)
{
	return b->nr_places + b->nr_groups;
}

/* ---- connections that are open ---- */

static void c_state(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (b->conns[i].state != TS_ESTABLISHED)
		c->ink = INK_WARNING;
	board_state(&c->text, b->conns[i].state);
}

static void c_local(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct wire_tuple *t = &b->conns[i].tuple;

	board_endpoint(&c->text, t->laddr, t->family, t->lport);
}

static void c_remote(struct panel_cell *c, const struct board *b, unsigned int i)
{
	const struct wire_tuple *t = &b->conns[i].tuple;
	uint8_t role = b->conns[i].role;

	text_str(&c->text, role == ROLE_ACTIVE ? c->g->to :
			   role == ROLE_PASSIVE ? c->g->from : "--");
	text_char(&c->text, ' ');
	board_endpoint(&c->text, t->raddr, t->family, t->rport);
}

static uint64_t since(const struct board *b, uint64_t begin_ns)
{
	return begin_ns && begin_ns < b->at_ns ? b->at_ns - begin_ns : 0;
}

static uint64_t c_age_key(const struct board *b, unsigned int i)
{
	return since(b, b->conns[i].start_ns);
}

static uint64_t c_in_state_key(const struct board *b, unsigned int i)
{
	return since(b, b->conns[i].since_ns);
}

static void c_age(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (b->conns[i].start_ns)
		board_duration(&c->text, c_age_key(b, i));
}

static void c_in_state(struct panel_cell *c, const struct board *b, unsigned int i)
{
	if (b->conns[i].since_ns)
		board_duration(&c->text, c_in_state_key(b, i));
}

static uint64_t c_again_key(const struct board *b, unsigned int i)
{
	return b->conns[i].again;
}

static void c_again(struct panel_cell *c, const struct board *b, unsigned int i)
{
	warn(c, b->conns[i].again);
}

static void c_process(struct panel_cell *c, const struct board *b, unsigned int i)
{
	board_process(&c->text, &b->conns[i].owner);
}

static void c_netns(struct panel_cell *c, const struct board *b, unsigned int i)
{
	netns_of(c, b, b->conns[i].netns);
}

static const struct panel_column conns[] = {
	{ "STATE", 11, 0, .render = c_state },
	{ "LOCAL", 21, 3, .fills = true, .names = true, .render = c_local },
	{ "REMOTE", 24, 0, .fills = true, .names = true, .render = c_remote },
	{ "AGE", 6, 0, true, .render = c_age, .key = c_age_key },
	{ "IN STATE", 8, 0, true, .render = c_in_state, .key = c_in_state_key },
	{ "AGAIN", 6, 2, true, .render = c_again, .key = c_again_key },
	{ "PROCESS", 16, 1, .render = c_process },
	{ "NETNS", 12, 4, .names = true, .render = c_netns },
};

/* Those that open come first, then those that close. */
static uint64_t c_order(const struct board *b, unsigned int i)
{
	switch (b->conns[i].state) {
	case TS_SYN_SENT:
	case TS_SYN_RECV:
		return 2;
	case TS_ESTABLISHED:
		return 0;
	default:
		return 1;
	}
}

static unsigned int conns_nr(const struct board *b)
{
	return b->nr_conns;
}

const struct panel panels[PANEL_MAX] = {
	[PANEL_TROUBLES] = { "failed and slow", "nothing failed, nothing was slow",
		COLUMNS(troubles), .lines = troubles_nr, .order = t_order },
	[PANEL_OWNERS] = { "owners", "no owner is known yet",
		COLUMNS(owners), .lines = owners_nr },
	[PANEL_LISTENERS] = { "listeners", "nobody listens",
		COLUMNS(listeners), .lines = listeners_nr },
	[PANEL_SPACES] = { "port space", "no local port is taken",
		COLUMNS(spaces), .lines = spaces_nr },
	[PANEL_PLACES] = { "TIME_WAIT", "none has been counted yet",
		COLUMNS(places), .lines = places_nr },
	[PANEL_CONNS] = { "connections", "none is open",
		COLUMNS(conns), .lines = conns_nr, .order = c_order },
};

_Static_assert(ARRAY_SIZE(troubles) <= PANEL_COLUMNS && ARRAY_SIZE(owners) <= PANEL_COLUMNS &&
	       ARRAY_SIZE(listeners) <= PANEL_COLUMNS && ARRAY_SIZE(spaces) <= PANEL_COLUMNS &&
	       ARRAY_SIZE(places) <= PANEL_COLUMNS &&
	       ARRAY_SIZE(conns) <= PANEL_COLUMNS, "a line's cells are on the stack");
_Static_assert(BOARD_TROUBLES <= PANEL_LINES && BOARD_OWNERS <= PANEL_LINES &&
	       BOARD_LISTENERS <= PANEL_LINES && BOARD_SPACES <= PANEL_LINES &&
	       BOARD_PLACES + BOARD_GROUPS <= PANEL_LINES &&
	       BOARD_CONNS <= PANEL_LINES, "lines are on the stack");
