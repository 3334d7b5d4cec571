// SPDX-License-Identifier: GPL-2.0-or-later
#include "owner_sums.h"

#include <string.h>

#include "lifecycle.h"
#include "tcp_state.h"

#define OWNERS_MAX	1024u
#define NSEC_PER_MSEC	1000000ull
#define SHORT_ID	12	/* as docker ps shows it */

struct owner_key {
	char comm[WIRE_COMM_LEN];
	uint64_t cgroup;	/* names_group_of() */
};

struct owner_sum {
	struct owner_key key;
	struct board_owner board;
	uint64_t round;		/* whose counts `open` and `close_wait` are */
	uint64_t sampled;	/* ended, at the last sample */
	uint32_t born;
	bool are_many;
};

int owner_sums_init(struct owner_sums *s)
{
	*s = (struct owner_sums){};
	return keytab_init(&s->table, sizeof(struct owner_key), sizeof(struct owner_sum),
			   OWNERS_MAX);
}

void owner_sums_deinit(struct owner_sums *s)
{
	keytab_deinit(&s->table);
}

/* Who has open sockets, or had lives that ended lately. */
static bool is_worth_it(const void *entry, const void *ctx)
{
	const struct owner_sum *sum = entry;
	const uint64_t *round = ctx;

	return (sum->round == *round && sum->board.open) || sum->board.per_s;
}

/* 3f2a9c8d1e2b, the container; else nginx.service */
static void put_where(char ret[BOARD_NAME], const struct cgroup *c)
{
	struct cgroup_part part;
	size_t len;

	ret[0] = 0;
	if (!c)
		return;
	part = c->container_id.len ? c->container_id : c->unit;
	len = c->container_id.len && c->id_is_hash ? SHORT_ID : part.len;
	len = len < BOARD_NAME ? len : BOARD_NAME - 1;
	memcpy(ret, c->path + part.at, len);
	ret[len] = 0;
}

/* process: o, if more is known of it. */
static struct owner_sum *sum_of(struct owner_sums *s, struct names *names, const struct owner *o,
				uint64_t cgroup, const struct process *process)
{
	struct owner_key key = {};
	struct owner_sum *sum;

	if (!o || !o->from)
		return NULL;
	key.cgroup = names_group_of(names, cgroup, process);
	memcpy(key.comm, o->comm, sizeof(key.comm));
	sum = keytab_add(&s->table, &key);
	if (!sum) {
		keytab_filter(&s->table, is_worth_it, &s->round);
		sum = keytab_add(&s->table, &key);
	}
	if (!sum) {
		s->rest++;
		return NULL;
	}
	if (!sum->board.pid && !sum->are_many) {
		memcpy(sum->board.comm, key.comm, sizeof(key.comm));
		sum->board.pid = o->pid;
		sum->born = o->born;
		if (key.cgroup & CGROUP_V1)
			put_where(sum->board.where, process_cgroup(process));
	} else if (sum->board.pid != o->pid || sum->born != o->born) {
		sum->are_many = true;
		sum->board.pid = 0;
	}
	return sum;
}

/* ---- lives that ended ---- */

static void count_verdict(struct board_owner *b, const struct verdict *v)
{
	if (v->outcome != OUTCOME_NONE && v->outcome != OUTCOME_ESTABLISHED)
		b->failed++;
	else if (v->close != CLOSE_NONE && v->close != CLOSE_FIN)
		b->abnormal++;
	b->time_wait += v->time_wait == TRI_YES;
}

void owner_sums_ended(struct owner_sums *s, struct names *names, const struct report *r)
{
	const struct conn *c = r->conn;
	struct owner_sum *sum;
	uint64_t bytes;

	if (r->connection.verdict.close == CLOSE_STILL_OPEN)
		return;
	sum = sum_of(s, names, r->owner, c->cgroup, r->process);
	if (!sum)
		return;
	sum->board.ended++;
	count_verdict(&sum->board, &r->connection.verdict);
	for (unsigned int i = 0; i < PHASE_MAX; i++)
		sum->board.retransmits += c->retransmits[i];
	if (life_tx_bytes(c, &bytes))
		sum->board.tx_bytes += bytes;
	if (life_rx_bytes(c, &bytes))
		sum->board.rx_bytes += bytes;
}

/* ---- open sockets ---- */

void owner_sums_begin(struct owner_sums *s)
{
	s->round++;
}

void owner_sums_count(struct owner_sums *s, struct names *names, const struct conn *c)
{
	struct owner_sum *sum;

	if (c->stage != STAGE_OPEN)
		return;
	sum = sum_of(s, names, &c->owner, c->cgroup, names_process(names, &c->owner));
	if (!sum)
		return;
	if (sum->round != s->round) {
		sum->round = s->round;
		sum->board.open = sum->board.close_wait = 0;
	}
	sum->board.open++;
	sum->board.close_wait += c->state == TS_CLOSE_WAIT;
}

void owner_sums_sample(struct owner_sums *s, uint64_t between_ns)
{
	uint64_t ms = between_ns / NSEC_PER_MSEC;

	for (uint32_t i = 0; i < s->table.nr; i++) {
		struct owner_sum *sum = keytab_at(&s->table, i);

		if (ms)
			sum->board.per_s = (sum->board.ended - sum->sampled) * 1000000 / ms;
		sum->sampled = sum->board.ended;
		if (sum->round != s->round)
			sum->board.open = sum->board.close_wait = 0;
	}
}

/* ---- what is shown ---- */

static uint64_t weight(const struct board_owner *b)
{
	return b->open + b->ended;
}

unsigned int owner_sums_copy(const struct owner_sums *s, struct names *names,
			     struct board_owner ret[BOARD_OWNERS])
{
	uint64_t cgroups[BOARD_OWNERS];
	unsigned int nr = 0;

	for (uint32_t i = 0; i < s->table.nr; i++) {
		const struct owner_sum *sum = keytab_at(&s->table, i);
		unsigned int at = nr;

		while (at && weight(&ret[at - 1]) < weight(&sum->board)) {
			if (at < BOARD_OWNERS) {
				ret[at] = ret[at - 1];
				cgroups[at] = cgroups[at - 1];
			}
			at--;
		}
		if (at == BOARD_OWNERS || !weight(&sum->board))
			continue;
		ret[at] = sum->board;
		cgroups[at] = sum->key.cgroup;
		nr += nr < BOARD_OWNERS;
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (!(cgroups[i] & CGROUP_V1))
			put_where(ret[i].where, names_cgroup(names, cgroups[i]));
	}
	return nr;
}
