// SPDX-License-Identifier: GPL-2.0-or-later
#include "board_text.h"

#include "human.h"
#include "label.h"
#include "tcp_state.h"

#define NSEC_PER_USEC	1000

void board_rate(struct text *t, uint64_t per_s)
{
	if (per_s < 10000 && per_s % 1000 >= 100) {
		text_uint(t, per_s / 1000);
		text_char(t, '.');
		text_uint(t, per_s % 1000 / 100);
	} else if (per_s && per_s < 100) {
		text_str(t, "<.1");
	} else {
		human_bytes(t, per_s / 1000);
	}
	text_str(t, "/s");
}

void board_count(struct text *t, uint64_t count)
{
	if (count != BOARD_UNKNOWN)
		human_bytes(t, count);
}

void board_duration(struct text *t, uint64_t ns)
{
	if (ns != BOARD_UNKNOWN)
		human_duration(t, ns / NSEC_PER_USEC);
}

static bool is_any(const uint8_t addr[16], unsigned int family)
{
	for (unsigned int i = family == 4 ? 12 : 0; i < 16; i++) {
		if (addr[i])
			return false;
	}
	return true;
}

void board_endpoint(struct text *t, const uint8_t addr[16], unsigned int family, uint16_t port)
{
	if (is_any(addr, family)) {
		text_str(t, family == 6 ? "[::]" : "0.0.0.0");
	} else {
		if (family == 6)
			text_char(t, '[');
		text_addr(t, addr, family);
		if (family == 6)
			text_char(t, ']');
	}
	text_char(t, ':');
	if (port)
		text_uint(t, port);
	else
		text_char(t, '*');
}

void board_name(struct text *t, const char *name)
{
	text_visible(t, name, strlen(name));
}

void board_process(struct text *t, const struct owner *o)
{
	if (!o->from)
		return;
	text_visible(t, o->comm, strnlen(o->comm, sizeof(o->comm)));
	text_char(t, '[');
	text_uint(t, o->pid);
	text_char(t, ']');
	if (o->from == OWNER_LISTEN)
		text_char(t, '?');
}

void board_state(struct text *t, unsigned int state)
{
	label_state(t, state);
}

static const char *error_of(uint16_t err)
{
	return err ? strerrorname_np(err) : NULL;
}

/* ECONNREFUSED, as conns has it; where there is no error, the outcome. */
static void put_failure(struct text *t, const struct board_trouble *x)
{
	const char *error = error_of(x->err), *outcome = outcome_text(x->outcome);

	text_str(t, error ? error : outcome ? outcome : "failed");
}

/* RST sent: linger0; RST received; timeout: keepalive; killed */
static void put_end(struct text *t, const struct board_trouble *x)
{
	const char *reason = reason_text(x->reason), *close = close_text(x->close);

	if (x->close == CLOSE_RESET_SENT)
		close = "RST sent";
	else if (x->close == CLOSE_RESET_RECEIVED)
		close = "RST received";
	else if (x->close == CLOSE_ORPHAN)
		close = "no FIN came";
	text_str(t, close ? close : "?");
	if (!reason)
		return;
	text_str(t, ": ");
	text_str(t, reason);
}

void board_trouble(struct text *t, const struct board_trouble *x)
{
	switch ((enum trouble_kind)x->kind) {
	case TROUBLE_PENDING:
		board_state(t, x->state);
		text_str(t, " now");
		break;
	case TROUBLE_FAILED:
		put_failure(t, x);
		break;
	case TROUBLE_ENDED:
		put_end(t, x);
		break;
	case TROUBLE_SLOW:
		text_str(t, "slow handshake");
		break;
	}
}

/* Of those that are like each other what they have in common: where the service is. */
void board_where(struct text *t, const struct board_trouble *x, const char *to, const char *from)
{
	const struct wire_tuple *tuple = &x->tuple;
	bool passive = x->role == ROLE_PASSIVE;
	bool together = x->kind == TROUBLE_FAILED || x->kind == TROUBLE_ENDED;
	bool active = x->role == ROLE_ACTIVE ||
		      (x->kind == TROUBLE_PENDING && x->state == TS_SYN_SENT);

	text_str(t, active ? to : passive ? from : "--");
	text_char(t, ' ');
	if (passive && together)
		board_endpoint(t, tuple->laddr, tuple->family, tuple->lport);
	else
		board_endpoint(t, tuple->raddr, tuple->family, tuple->rport);
	if (!passive || together)
		return;
	text_str(t, " at :");
	text_uint(t, tuple->lport);
}

void board_space(struct text *t, const struct board_space *s)
{
	static const uint8_t nowhere[16];

	if (s->is_rest) {
		text_str(t, "all others");
		return;
	}
	text_addr(t, s->tuple.laddr, s->tuple.family);
	text_str(t, " -> ");
	if (!s->tuple.rport && !memcmp(s->tuple.raddr, nowhere, sizeof(nowhere)))
		text_str(t, "anywhere (bind)");
	else
		board_endpoint(t, s->tuple.raddr, s->tuple.family, s->tuple.rport);
}

uint64_t board_share(uint64_t part, uint64_t of)
{
	if (!of || of == BOARD_UNKNOWN || part == BOARD_UNKNOWN)
		return BOARD_UNKNOWN;
	return part * 1000 / of;
}
