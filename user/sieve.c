// SPDX-License-Identifier: GPL-2.0-or-later
#include "sieve.h"

#include <limits.h>

struct entry {
	uint64_t id;		/* key */
	uint32_t verdict;	/* enum wire_judged */
	uint32_t is_told;
};

bool sieve_is_for(const struct options *opt, bool has_v1)
{
	bool traces = opt->command == CMD_TRACE || (opt->command == CMD_CONNS && !opt->stuck);

	return traces && !opt->read_path && !has_v1 && cgroup_terms_any(&opt->cgroups);
}

int sieve_init(struct sieve *s, const struct cgroup_terms *terms, sieve_tell_fn tell, void *ctx)
{
	*s = (struct sieve){ .terms = *terms, .tell = tell, .ctx = ctx };
	return keytab_init(&s->verdicts, sizeof(uint64_t), sizeof(struct entry), SIEVE_CGROUPS);
}

void sieve_deinit(struct sieve *s)
{
	keytab_deinit(&s->verdicts);
}

static bool is_asked_for(const struct sieve *s, const char *path)
{
	_Alignas(struct cgroup) char memory[sizeof(struct cgroup) + PATH_MAX];
	struct cgroup *c = (struct cgroup *)memory;

	if (cgroup_size(path) > sizeof(memory))
		return true;
	cgroup_init(c, path);
	return cgroup_satisfies(c, &s->terms);
}

/* What the kernel does not forget it goes on doing, which is right. */
static void forget_all(struct sieve *s)
{
	for (uint32_t i = 0; i < s->verdicts.nr; i++) {
		const struct entry *entry = keytab_at(&s->verdicts, i);

		if (entry->is_told)
			s->tell(s->ctx, entry->id, WIRE_J_NONE);
	}
	keytab_clear(&s->verdicts);
}

enum wire_judged sieve_verdict(const struct sieve *s, uint64_t id)
{
	const struct entry *entry = keytab_find(&s->verdicts, &id);

	return entry ? entry->verdict : WIRE_J_NONE;
}

enum wire_judged sieve_judge(struct sieve *s, uint64_t id, const char *path)
{
	struct entry *entry = keytab_add(&s->verdicts, &id);

	if (!entry) {
		forget_all(s);
		entry = keytab_add(&s->verdicts, &id);
	}
	entry->verdict = !path || is_asked_for(s, path) ? WIRE_J_PASSES : WIRE_J_DROPS;
	entry->is_told = path && !s->tell(s->ctx, id, entry->verdict);
	if (!entry->is_told)
		entry->verdict = WIRE_J_PASSES;
	s->dropped += entry->verdict == WIRE_J_DROPS;
	return entry->verdict;
}
