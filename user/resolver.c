// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolver.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup_lookup.h"
#include "cleanup.h"
#include "lifecycle.h"
#include "log.h"
#include "netns_lookup.h"
#include "process.h"
#include "process_lookup.h"
#include "tcp_state.h"

/* Names of namespaces that come and go are looked for this often. */
#define REFRESH_NS	1000000000ull

struct resolver {
	struct resolver_next next;
	struct cgroup_lookup *cgroups;	/* NULL: no cgroup v2 is mounted */
	struct netns_lookup *netns;
	unsigned int processes;		/* what is told of them: enum process_wanted */
	bool has_v1;			/* cgroups of version 1 */
	struct sieve *sieve;		/* NULL: all passes */
	uint64_t left_out;		/* records */
	uint64_t asked, in_vain;	/* /proc, of processes */
	uint64_t refreshed_ns, now_ns;	/* of the record at hand */
	struct wire_cgroup cgroup;	/* made here */
	struct wire_netns_name netns_name;
	struct wire_process process;
};

/* What is inserted has the time of the record that it is for: neither is too late alone. */
static struct wire_hdr header(const struct resolver *r, enum wire_kind kind, size_t len)
{
	return (struct wire_hdr){
		.ts_ns = r->now_ns, .len = len, .kind = kind, .version = WIRE_VERSION,
	};
}

static void hand_on(struct resolver *r, const void *rec, size_t len)
{
	r->next.record(r->next.ctx, rec, len);
}

/* ---- cgroups ---- */

static void need_cgroup(struct resolver *r, uint64_t id)
{
	struct wire_cgroup *rec = &r->cgroup;
	size_t len;
	int err;

	if (!id || !r->cgroups || r->next.knows(r->next.ctx, WIRE_CGROUP, id))
		return;
	err = cgroup_lookup_path(r->cgroups, id, r->now_ns, rec->path, sizeof(rec->path));
	if (err == -EAGAIN)
		return;
	/* Whoever is in version 1 only is in this root; it says nothing about him. */
	if (err || (r->has_v1 && !strcmp(rec->path, "/")))
		rec->path[0] = 0;
	len = strlen(rec->path) + 1;
	memset(rec->path + len, 0, -len % 8);
	len = offsetof(struct wire_cgroup, path) + (len + 7) / 8 * 8;
	rec->hdr = header(r, WIRE_CGROUP, len);
	rec->id = id;
	hand_on(r, rec, len);
}

/* ---- network namespaces ---- */

static void tell_netns(struct resolver *r, uint32_t inode, const char *name)
{
	struct wire_netns_name *rec = &r->netns_name;

	rec->hdr = header(r, WIRE_NETNS_NAME, sizeof(*rec));
	rec->hdr.netns = inode;
	strncpy(rec->name, name, sizeof(rec->name) - 1);	/* zeros behind it */
	hand_on(r, rec, sizeof(*rec));
}

static void netns_changed(void *ctx, uint32_t inode, const char *name)
{
	struct resolver *r = ctx;

	if (r->next.knows(r->next.ctx, WIRE_NETNS_NAME, inode))
		tell_netns(r, inode, name);
}

static void refresh_netns(struct resolver *r)
{
	r->refreshed_ns = r->now_ns;
	netns_lookup_refresh(r->netns, netns_changed, r);
}

static void need_netns(struct resolver *r, uint32_t inode)
{
	if (!inode)
		return;
	if (r->now_ns > r->refreshed_ns + REFRESH_NS)
		refresh_netns(r);
	if (r->next.knows(r->next.ctx, WIRE_NETNS_NAME, inode))
		return;
	refresh_netns(r);
	tell_netns(r, inode, netns_lookup_name(r->netns, inode));
}

/* ---- processes ---- */

static void need_process(struct resolver *r, const struct wire_owner *o, uint32_t born)
{
	struct wire_process *rec = &r->process;
	size_t len;

	if (!r->processes || !o->pid || !born || !memchr(o->comm, 0, sizeof(o->comm)) ||
	    r->next.knows(r->next.ctx, WIRE_PROCESS, process_id(o->pid, born, o->comm)))
		return;
	r->asked++;
	r->in_vain += process_lookup(o->pid, born, o->comm, r->processes, rec) != 0;
	rec->pid = o->pid;
	rec->born = born;
	memcpy(rec->comm, o->comm, sizeof(rec->comm));
	len = rec->exe_len + rec->cmdline_len + rec->cgroup_len;
	memset(rec->text + len, 0, -len % 8);
	len = offsetof(struct wire_process, text) + (len + 7) / 8 * 8;
	rec->hdr = header(r, WIRE_PROCESS, len);
	hand_on(r, rec, len);
}

/* ---- what is left out ---- */

static bool is_left_out(struct resolver *r, uint64_t cgroup)
{
	enum wire_judged verdict;
	struct wire_cgroup *rec = &r->cgroup;
	int err;

	if (!r->sieve || !r->cgroups || !cgroup)
		return false;
	verdict = sieve_verdict(r->sieve, cgroup);
	if (verdict == WIRE_J_NONE) {
		err = cgroup_lookup_path(r->cgroups, cgroup, r->now_ns, rec->path,
					 sizeof(rec->path));
		verdict = sieve_judge(r->sieve, cgroup, err ? NULL : rec->path);
	}
	return verdict == WIRE_J_DROPS;
}

/* As in the kernel, but for births, which are told anyhow. */
static bool claims(const struct wire_state *ev)
{
	return (ev->oldstate == TS_SYN_SENT && !life_found_no_port(ev)) ||
	       ev->oldstate == TS_SYN_RECV;
}

static bool claim(struct resolver *r, const struct wire_hdr *hdr, const struct wire_tuple *tuple,
		  unsigned int flags)
{
	struct wire_claim rec = { .hdr = *hdr, .tuple = *tuple, .flags = flags };

	rec.hdr.kind = WIRE_CLAIM;
	rec.hdr.len = sizeof(rec);
	rec.hdr.cookie = rec.hdr.sock = 0;
	return r->next.record(r->next.ctx, &rec, sizeof(rec));
}

/* connect() may not get the port that it wants; a raw clone has no peer yet. */
static bool claim_birth(struct resolver *r, const struct wire_state *ev)
{
	struct wire_tuple tuple = ev->tuple;

	if (ev->oldstate == TS_CLOSE)
		tuple.lport = 0;
	return claim(r, &ev->hdr, &tuple, WIRE_CL_BIRTH);
}

/* What is said of a socket that is left out. */
static bool tell_claim(struct resolver *r, const void *rec)
{
	const struct wire_state *ev = rec;
	const struct wire_census *row = rec;

	r->left_out++;
	if (ev->hdr.kind == WIRE_CENSUS && row->state != TS_LISTEN)
		return claim(r, &row->hdr, &row->tuple, WIRE_CL_ROW);
	if (ev->hdr.kind != WIRE_STATE)
		return true;
	if (life_is_birth(ev->oldstate, ev->newstate))
		return claim_birth(r, ev);
	return !claims(ev) || claim(r, &ev->hdr, &ev->tuple, 0);
}

/* ---- the stage ---- */

/* What a record says of the owner. */
struct said {
	const struct wire_owner *owner;	/* NULL: nothing */
	uint32_t born;
};

#define SAID(type)	\
	(len == sizeof(struct type) ? &((const struct type *)rec)->owner : NULL)
#define BORN(type)	\
	(len == sizeof(struct type) ? ((const struct type *)rec)->born : 0)

static struct said said_in(const void *rec, size_t len)
{
	const struct wire_hdr *hdr = rec;

	switch ((enum wire_kind)hdr->kind) {
	case WIRE_STATE:
		return (struct said){ SAID(wire_state), BORN(wire_state) };
	case WIRE_OWNER:
		return (struct said){ SAID(wire_owner_of), BORN(wire_owner_of) };
	case WIRE_OWNER_SEEN:
		return (struct said){ SAID(wire_owner_seen), BORN(wire_owner_seen) };
	case WIRE_CENSUS:
		return (struct said){ SAID(wire_census), 0 };
	case WIRE_LISTENER:
		return (struct said){ SAID(wire_listener), 0 };
	case WIRE_AGED:
		return (struct said){ SAID(wire_aged), 0 };
	default:
		return (struct said){};
	}
}

bool resolver_record(void *ctx, const void *rec, size_t len)
{
	const struct said said = said_in(rec, len);
	const struct wire_hdr *hdr = rec;
	struct resolver *r = ctx;

	r->now_ns = hdr->ts_ns;
	if (said.owner && is_left_out(r, said.owner->cgroup))
		return tell_claim(r, rec);
	need_netns(r, hdr->netns);
	if (said.owner) {
		need_cgroup(r, said.owner->cgroup);
		need_process(r, said.owner, said.born);
	}
	return r->next.record(r->next.ctx, rec, len);
}

static void resolver_destroyp(struct resolver **r)
{
	resolver_destroy(*r);
}

int resolver_create(const struct resolver_next *next, bool programs, struct resolver **ret)
{
	CLEANUP(resolver_destroyp) struct resolver *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->next = *next;
	r->has_v1 = process_lookup_has_cgroups();
	r->processes = (programs ? PROCESS_PROGRAM : 0) | (r->has_v1 ? PROCESS_CGROUP : 0);
	err = netns_lookup_open(&r->netns);
	if (err)
		return err;
	err = cgroup_lookup_open(&r->cgroups);
	if (err == -ENOMEM)
		return err;
	if (err)
		log_debug("cgroups have no names: %s", err == -ENOENT ?
			  "no cgroup v2 hierarchy is mounted here" : strerror(-err));
	*ret = TAKE(r);
	return 0;
}

void resolver_sift(struct resolver *r, struct sieve *s)
{
	r->sieve = s;
}

bool resolver_has_v1(const struct resolver *r)
{
	return r->has_v1;
}

bool resolver_asks_for_processes(const struct resolver *r)
{
	return r->processes;
}

void resolver_destroy(struct resolver *r)
{
	if (!r)
		return;
	if (r->cgroups) {
		struct cgroup_lookup_counts n = cgroup_lookup_counts(r->cgroups);

		log_debug("%llu cgroups were looked up, %llu of them in vain, in %llu walks",
			  (unsigned long long)n.lookups, (unsigned long long)n.unknown,
			  (unsigned long long)n.walks);
	}
	if (r->sieve)
		log_debug("%llu cgroups are not asked for; %llu records of their sockets came all "
			  "the same", (unsigned long long)r->sieve->dropped,
			  (unsigned long long)r->left_out);
	if (r->processes)
		log_debug("%llu processes were looked up, %llu of them in vain",
			  (unsigned long long)r->asked, (unsigned long long)r->in_vain);
	cgroup_lookup_close(r->cgroups);
	netns_lookup_close(r->netns);
	free(r);
}
