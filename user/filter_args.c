// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter_args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "filter_parse.h"
#include "usage.h"

int filter_args_add(struct filter_args *args, const char *word)
{
	size_t len = strlen(word);

	if (len + 1 >= sizeof(args->text) - args->len)
		return usage_error("the filter", NULL, "longer than %zu bytes; write fewer "
				   "conditions", sizeof(args->text) - 1);
	if (args->len)
		args->text[args->len++] = ' ';
	memcpy(args->text + args->len, word, len);
	args->len += len;
	args->text[args->len] = 0;
	return 0;
}

/* Digits and nothing else.  False, too, if it is more than max. */
static bool parse_id(const char *text, unsigned long max, uint32_t *ret)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || n > max)
		return false;
	*ret = n;
	return true;
}

int filter_args_set_pid(struct filter_args *args, const struct cli_flag *flag, const char *arg)
{
	if (parse_id(arg, INT32_MAX, &args->pid) && args->pid)
		return 0;
	return usage_error_flag(flag, arg, "not a process number; write it like 812; ps shows "
				"them");
}

int filter_args_set_uid(struct filter_args *args, const struct cli_flag *flag, const char *arg)
{
	const struct passwd *user;

	args->has_uid = true;
	if (parse_id(arg, UINT32_MAX - 1, &args->uid))
		return 0;
	user = getpwnam(arg);
	if (!user)
		return usage_error_flag(flag, arg, "no such user; write a name or a number, as "
					"id(1) shows them");
	args->uid = user->pw_uid;
	return 0;
}

/* The kernel keeps no more of a name: what is longer is meant as it is kept. */
int filter_args_set_comm(struct filter_args *args, const struct cli_flag *flag, const char *arg)
{
	if (!*arg)
		return usage_error_flag(flag, arg, "%s is empty; give one, or leave it out",
					flag->metavar);
	memset(args->comm, 0, sizeof(args->comm));
	memcpy(args->comm, arg, strnlen(arg, sizeof(args->comm) - 1));
	return 0;
}

static int service_port(const char *name)
{
	const struct servent *service = getservbyname(name, "tcp");

	return service ? ntohs(service->s_port) : -1;
}

/* And also.  whole: its index so far, -1: nothing. */
static int and_also(struct filter *f, int whole, int node)
{
	return whole < 0 || node < 0 ? node : filter_join(f, FILTER_AND, whole, node);
}

/* Either is what is looked for when things go wrong: with both, lives that are one of them. */
static int add_trouble(const struct filter_args *args, struct filter *f)
{
	const struct filter_node failed = { .kind = FILTER_FAILED };
	const struct filter_node slow = { .kind = FILTER_SLOW, .slow_ns = args->slow_ns };
	int a;

	if (!args->failed)
		return filter_add(f, &slow);
	a = filter_add(f, &failed);
	return args->slow ? filter_join(f, FILTER_OR, a, filter_add(f, &slow)) : a;
}

/* The flags; false: there is no room for them. */
static bool add_flags(const struct filter_args *args, struct filter *f)
{
	struct filter_node pid = { .kind = FILTER_PID, .pid = args->pid };
	struct filter_node uid = { .kind = FILTER_UID, .uid = args->uid };
	struct filter_node comm = { .kind = FILTER_COMM };
	int nr = !!args->pid + args->has_uid + !!*args->comm + args->failed + args->slow;
	int whole = f->len - 1;

	if (f->len + 2 * nr > FILTER_NODES)	/* each with what joins it */
		return false;
	memcpy(comm.comm, args->comm, sizeof(comm.comm));
	if (args->pid)
		whole = and_also(f, whole, filter_add(f, &pid));
	if (args->has_uid)
		whole = and_also(f, whole, filter_add(f, &uid));
	if (*args->comm)
		whole = and_also(f, whole, filter_add(f, &comm));
	if (args->failed || args->slow)
		and_also(f, whole, add_trouble(args, f));
	return true;
}

int filter_args_build(const struct filter_args *args, struct filter *ret)
{
	struct filter_error error;

	if (filter_parse(args->text, service_port, ret, &error))
		return usage_error_filter(args->text, &error);
	if (!add_flags(args, ret))
		return usage_error("the filter", NULL, "has no room for the flags beside it; write "
				   "fewer conditions");
	return 0;
}
