// SPDX-License-Identifier: GPL-2.0-or-later
#include "process.h"

#include <string.h>

#include "hash.h"

uint64_t process_id(uint32_t pid, uint32_t born, const char *comm)
{
	uint64_t words[1 + WIRE_COMM_LEN / sizeof(uint64_t)] = { (uint64_t)pid << 32 | born };
	const char *end = memchr(comm, 0, WIRE_COMM_LEN);

	memcpy(&words[1], comm, end ? end - comm : WIRE_COMM_LEN);
	return hash_words(0, words, sizeof(words));
}

/* Behind the texts. */
static size_t cgroup_at(size_t texts)
{
	const size_t mask = _Alignof(struct cgroup) - 1;

	return (offsetof(struct process, text) + texts + mask) & ~mask;
}

size_t process_size(const struct wire_process *ev)
{
	size_t texts = (size_t)ev->exe_len + ev->cmdline_len;

	if (!ev->cgroup_len)
		return sizeof(struct process) + texts;
	return cgroup_at(texts) + sizeof(struct cgroup) + ev->cgroup_len + 1;
}

static void init_cgroup(struct process *p, const struct wire_process *ev)
{
	size_t texts = (size_t)ev->exe_len + ev->cmdline_len;
	char path[WIRE_PATH_LEN];

	memcpy(path, ev->text + texts, ev->cgroup_len);
	path[ev->cgroup_len] = 0;
	cgroup_init((struct cgroup *)((char *)p + cgroup_at(texts)), path);
}

void process_init(struct process *p, const struct wire_process *ev)
{
	p->pid = ev->pid;
	p->born = ev->born;
	memcpy(p->comm, ev->comm, sizeof(p->comm));
	p->exe_len = ev->exe_len;
	p->cmdline_len = ev->cmdline_len;
	p->cgroup_len = ev->cgroup_len;
	memcpy(p->text, ev->text, ev->exe_len + ev->cmdline_len);
	if (ev->cgroup_len)
		init_cgroup(p, ev);
}

const struct cgroup *process_cgroup(const struct process *p)
{
	size_t at = cgroup_at((size_t)p->exe_len + p->cmdline_len);

	return p->cgroup_len ? (const struct cgroup *)((const char *)p + at) : NULL;
}

bool process_is(const struct process *p, uint32_t pid, uint32_t born, const char *comm)
{
	return p->pid == pid && p->born == born && !strcmp(p->comm, comm);
}
