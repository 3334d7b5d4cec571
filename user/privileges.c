// SPDX-License-Identifier: GPL-2.0-or-later
#include "privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

#include "feature.h"
#include "log.h"

#define EVERY_SET	(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE)

static uint64_t bit(unsigned int cap)
{
	return 1ull << cap;
}

static uint64_t permitted(void)
{
	uint64_t ret = 0;

	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (capng_have_capability(CAPNG_PERMITTED, cap))
			ret |= bit(cap);
	}
	return ret;
}

static int set_effective(uint64_t caps)
{
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
		capng_update(caps & bit(cap) ? CAPNG_ADD : CAPNG_DROP, CAPNG_EFFECTIVE, cap);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/* Tried out, with nothing in hand.  CAP_SYS_ADMIN stands for it. */
static int bpf_capability(uint64_t have, uint64_t *ret)
{
	int err = set_effective(0);

	if (err)
		return err;
	*ret = 0;
	if (feature_try_bpf() == -EPERM)
		*ret = have & bit(CAP_BPF) ? bit(CAP_BPF) : have & bit(CAP_SYS_ADMIN);
	return 0;
}

static uint64_t kept(const struct rest *rest)
{
	uint64_t ret = 0;

#define X(cap, wanted) ret |= wanted ? bit(cap) : 0;
	KEPT_CAPABILITIES(X)
#undef X
	return ret;
}

/* The bounding set takes CAP_SETPCAP to change, and matters only to who has it. */
static int apply(uint64_t keep, bool bounds)
{
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (keep & bit(cap))
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
		else
			capng_update(CAPNG_DROP, EVERY_SET, cap);
	}
	capng_clear(CAPNG_SELECT_AMBIENT);
	if (bounds)
		capng_clear(CAPNG_SELECT_BOUNDS);
	return capng_apply(bounds ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
}

static int drop(const struct rest *rest)
{
	uint64_t have, bpf;
	int err;

	if (capng_get_caps_process())
		return -errno;
	have = permitted();
	err = bpf_capability(have, &bpf);
	if (err)
		return err;
	if (have & bit(CAP_SETPCAP))	/* in hand again, for the bounding set */
		err = set_effective(bit(CAP_SETPCAP));
	if (err)
		return err;
	if (apply(have & (kept(rest) | bpf), have & bit(CAP_SETPCAP)))
		return -EPERM;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

void privileges_drop(const struct rest *rest)
{
	int err = drop(rest);

	if (err)
		log_info("cannot give up the privileges that are needed no more: %s; the run goes "
			 "on with them", strerror(-err));
}

struct rest privileges_rest(const struct options *opt)
{
	bool others = strcmp(opt->netns, "self");
	bool in_proc = !strcmp(opt->netns, "all") || !strncmp(opt->netns, "pid:", 4) ||
		       !strncmp(opt->netns, "/proc/", 6);
	bool programs = opt->verbose && (opt->command == CMD_TRACE || opt->command == CMD_CONNS);

	return (struct rest){
		.enters_netns = others,
		.finds_cgroups = others && (opt->command != CMD_EXPORT || opt->by_cgroup),
		.looks_into_proc = in_proc || programs,
		.writes_files = opt->textfile_path || opt->web_config_path,
	};
}
