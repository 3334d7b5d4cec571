// SPDX-License-Identifier: GPL-2.0-or-later
#include "process.h"

#include <string.h>

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len--)
		hash = (hash ^ *p++) * 0x100000001b3ull;
	return hash;
}

uint64_t process_id(uint32_t pid, uint32_t born, const char *comm)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	hash = mix(hash, &pid, sizeof(pid));
	hash = mix(hash, &born, sizeof(born));
	return mix(hash, comm, strlen(comm));
}

size_t process_size(const struct wire_process *ev)
{
	return sizeof(struct process) + ev->exe_len + ev->cmdline_len;
}

void process_init(struct process *p, const struct wire_process *ev)
{
	p->pid = ev->pid;
	p->born = ev->born;
	memcpy(p->comm, ev->comm, sizeof(p->comm));
	p->exe_len = ev->exe_len;
	p->cmdline_len = ev->cmdline_len;
	memcpy(p->text, ev->text, ev->exe_len + ev->cmdline_len);
}

bool process_is(const struct process *p, uint32_t pid, uint32_t born, const char *comm)
{
	return p->pid == pid && p->born == born && !strcmp(p->comm, comm);
}
