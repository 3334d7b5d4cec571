// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "outline.h"
#include "tcp_state.h"

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
	[WIRE_PROCESS]	  = sizeof(struct wire_process),
	[WIRE_CGROUP]	  = sizeof(struct wire_cgroup),
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

/* Kinds that end with their text: what is before it. */
static const uint16_t text_at[WIRE_KIND_MAX] = {
	[WIRE_PROCESS] = offsetof(struct wire_process, text),
	[WIRE_CGROUP] = offsetof(struct wire_cgroup, path),
};

static bool is_length(const struct wire_hdr *hdr)
{
	if (text_at[hdr->kind])
		return hdr->len >= text_at[hdr->kind] && hdr->len <= sizes[hdr->kind] &&
		       hdr->len % 8 == 0;
	return hdr->len == sizes[hdr->kind];
}

static bool is_state(unsigned int s)
{
	return s > TS_NONE && s < TS_MAX;
}

static bool is_state_or_none(unsigned int s)
{
	return s < TS_MAX;
}

static bool is_tuple(const struct wire_tuple *t)
{
	return t->family == 4 || t->family == 6;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, 0, size);
}

static bool has_zero_byte(uint64_t w)
{
	return (w - 0x0101010101010101ull) & ~w & 0x8080808080808080ull;
}

/* As is_text(), of what nearly every record has. */
static bool is_comm(const struct wire_owner *o)
{
	uint64_t w[2];

	_Static_assert(sizeof(w) == sizeof(o->comm), "in two words");
	memcpy(w, o->comm, sizeof(w));
	return has_zero_byte(w[0]) || has_zero_byte(w[1]);
}

/* Printed as it is. */
static bool is_word(const char *text, size_t size)
{
	if (!is_text(text, size))
		return false;
	for (; *text; text++) {
		if (*text != '_' && (*text < 'a' || *text > 'z') && (*text < '0' || *text > '9'))
			return false;
	}
	return true;
}

static bool is_portset(const struct wire_ports *p)
{
	if (p->len > WIRE_RANGES)
		return false;
	for (uint32_t i = 0; i < p->len; i++) {
		if (p->range[i].lo > p->range[i].hi)
			return false;
	}
	return true;
}

static bool is_addrset(const struct wire_addrs *a)
{
	if (a->len > WIRE_PREFIXES_MAX)
		return false;
	for (uint32_t i = 0; i < a->len; i++) {
		if (a->prefix[i].len > 128 || a->prefix[i].wanted > 1)
			return false;
	}
	return true;
}

static bool is_start(const struct wire_start *s)
{
	return is_text(s->release, sizeof(s->release)) &&
	       is_text(s->netns, sizeof(s->netns)) && s->hz >= 1 && s->hz <= 10000 &&
	       (!s->scope.family || s->scope.family == 4 || s->scope.family == 6) &&
	       is_portset(&s->scope.lports) && is_portset(&s->scope.rports);
}

/* Up to the end of the record. */
static bool is_text_at_end(const union event *ev)
{
	uint16_t at = text_at[ev->hdr.kind];

	return is_text((const char *)ev + at, ev->hdr.len - at);
}

static bool is_process(const struct wire_process *p)
{
	size_t at = (size_t)p->exe_len + p->cmdline_len;
	const char *path;

	if (!is_text(p->comm, sizeof(p->comm)) || p->exe_len > WIRE_EXE_LEN ||
	    p->cmdline_len > WIRE_CMDLINE_LEN || p->cgroup_len >= WIRE_PATH_LEN ||
	    offsetof(struct wire_process, text) + at + p->cgroup_len > p->hdr.len)
		return false;
	path = p->text + at;
	return !p->cgroup_len || (*path == '/' && !memchr(path, 0, p->cgroup_len));
}

static bool is_path(const struct wire_cgroup *c)
{
	return !c->path[0] || c->path[0] == '/';
}

static bool is_transition(const struct wire_state *s)
{
	return is_tuple(&s->tuple) && is_state(s->oldstate) && is_state(s->newstate) &&
	       is_comm(&s->owner);
}

static OUTLINE bool others_in_range(const union event *ev)
{
	switch ((enum wire_kind)ev->hdr.kind) {
	case WIRE_RETRANSMIT:
		return is_tuple(&ev->retransmit.tuple) && is_state(ev->retransmit.state) &&
		       ev->retransmit.error <= 0 && ev->retransmit.error > -4096;
	case WIRE_SYNACK:
		return is_tuple(&ev->synack.tuple);
	case WIRE_RESET:
		return is_tuple(&ev->reset.tuple) && is_state_or_none(ev->reset.state);
	case WIRE_DROPPED:
		return is_tuple(&ev->dropped.tuple);
	case WIRE_CLAIM:
		return is_tuple(&ev->claim.tuple);
	case WIRE_TW_SEGMENT:
		return is_tuple(&ev->tw_segment.tuple) &&
		       is_state_or_none(ev->tw_segment.substate);
	case WIRE_START:
		return is_start(&ev->start);
	case WIRE_PREFIXES:
		return is_addrset(&ev->prefixes.laddrs) && is_addrset(&ev->prefixes.raddrs);
	case WIRE_REASON:
		return is_word(ev->reason.name, sizeof(ev->reason.name));
	case WIRE_LOST:
		return ev->lost.where < WIRE_LOST_PLACES;
	case WIRE_CENSUS:
		return is_tuple(&ev->census.tuple) && is_state(ev->census.state) &&
		       is_comm(&ev->census.owner);
	case WIRE_MINI:
		return is_tuple(&ev->mini.tuple) &&
		       (ev->mini.substate == TS_TIME_WAIT || ev->mini.substate == TS_FIN_WAIT2);
	case WIRE_MINI_GROUP:
		return is_tuple(&ev->mini_group.tuple);
	case WIRE_MINI_PORTS:
		return ev->mini_ports.first % 64 == 0 && ev->mini_ports.first <= UINT16_MAX;
	case WIRE_MINI_POOL:
		return ev->mini_pool.family == 4 || ev->mini_pool.family == 6;
	case WIRE_SOCKET:
		return is_tuple(&ev->socket.tuple) && is_state(ev->socket.state);
	case WIRE_LISTENER:
		return is_tuple(&ev->listener.tuple) &&
		       is_comm(&ev->listener.owner);
	case WIRE_REQUEST:
		return is_tuple(&ev->request.tuple);
	case WIRE_AGED:
		return is_tuple(&ev->aged.tuple) && is_state(ev->aged.state) &&
		       is_comm(&ev->aged.owner);
	case WIRE_OWNER:
		return is_comm(&ev->owner_of.owner);
	case WIRE_PROCESS:
		return is_process(&ev->process);
	case WIRE_CGROUP:
		return is_text_at_end(ev) && is_path(&ev->cgroup);
	case WIRE_NETNS_NAME:
		return is_text(ev->netns_name.name, sizeof(ev->netns_name.name));
	case WIRE_OWNER_SEEN:
		return is_comm(&ev->owner_seen.owner);
	case WIRE_CENSUS_END:
		return ev->census_end.which < WIRE_CENSUS_KINDS;
	case WIRE_STATE:
	case WIRE_NETNS_FACTS:
	case WIRE_CLOCK:
	case WIRE_TICK:
	case WIRE_END:
	case WIRE_KIND_MAX:
		break;
	}
	return true;
}

/* Nearly all are transitions. */
static bool members_in_range(const union event *ev)
{
	if (ev->hdr.kind == WIRE_STATE)
		return is_transition(&ev->state);
	return others_in_range(ev);
}

size_t decode_size(unsigned int kind)
{
	return kind < WIRE_KIND_MAX ? sizes[kind] : 0;
}

static int check_header(const struct wire_hdr *hdr, size_t len)
{
	if (hdr->version != WIRE_VERSION)
		return -EPROTO;
	if (hdr->kind >= WIRE_KIND_MAX || !sizes[hdr->kind])
		return -ENOTSUP;
	/* No clock goes that far; and what is added to a time does not wrap then. */
	if (hdr->ts_ns >> 63)
		return -EBADMSG;
	return is_length(hdr) && len >= hdr->len ? 0 : -EBADMSG;
}

int decode_in_place(const void *buf, size_t len, const union event **ret)
{
	const union event *ev = buf;
	int err;

	if (len < sizeof(ev->hdr))
		return -EBADMSG;
	err = check_header(&ev->hdr, len);
	if (err)
		return err;
	if (!members_in_range(ev))
		return -EBADMSG;
	*ret = ev;
	return 0;
}

int decode(const void *buf, size_t len, union event *ret)
{
	union event ev;
	int err;

	if (len < sizeof(ev.hdr))
		return -EBADMSG;
	memcpy(&ev.hdr, buf, sizeof(ev.hdr));
	err = check_header(&ev.hdr, len);
	if (err)
		return err;
	memcpy(&ev, buf, ev.hdr.len);
	if (!members_in_range(&ev))
		return -EBADMSG;
	memcpy(ret, &ev, ev.hdr.len);
	return 0;
}
