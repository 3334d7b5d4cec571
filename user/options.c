// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "duration.h"
#include "filter_args.h"
#include "filter_explain.h"
#include "filter_parse.h"
#include "help.h"
#include "log.h"
#include "portset.h"
#include "process_lookup.h"
#include "scenario.h"
#include "topk.h"
#include "usage.h"

#define KEY_LONG_ONLY	256	/* argp's key of a flag without a letter: this + its id */
#define RING_SIZE_MAX	(1u << 30)
#define LIST_SIZE	256
#define ELEMENT_MAX	32	/* bytes of a bad port that a message repeats */

struct parse {
	struct options opt;
	struct filter_args filter;
	bool named;	/* the command was */
	uint64_t given;	/* bits by enum flag */
	int next;	/* state->next behind the last thing that was understood */
	int status;	/* what options_parse() will return */
};

/* Flags that contradict each other, and why. */
static const struct {
	enum flag a, b;
	const char *why;
} conflicts[] = {
	{ FLAG_WRITE, FLAG_READ, "what is read is a recording already" },
	{ FLAG_RING_SIZE, FLAG_READ, "reading a recording takes no ring buffer" },
	{ FLAG_SCENARIOS, FLAG_READ, "the scenarios are recordings already" },
	{ FLAG_SCENARIOS, FLAG_WRITE, "the scenarios are recordings already" },
	{ FLAG_SCENARIOS, FLAG_NETNS, "the scenarios are of no network namespace" },
	{ FLAG_SCENARIOS, FLAG_RING_SIZE, "reading a recording takes no ring buffer" },
	{ FLAG_SCENARIOS, FLAG_LIVE, "the scenarios are over, and told as a whole" },
	{ FLAG_INTERVAL, FLAG_READ, "a recording has its own" },
	{ FLAG_STUCK, FLAG_EXISTING, "what is stuck existed before" },
	{ FLAG_STUCK, FLAG_DURATION, "nothing is waited for" },
	{ FLAG_STUCK, FLAG_FAILED, "what is stuck has not ended" },
	{ FLAG_STUCK, FLAG_SLOW, "nobody saw its handshake" },
};

static int set_ports(const struct cli_flag *flag, const char *arg, struct wire_ports *ret)
{
	const char *bad = arg, *right;
	int err, len;

	err = portset_parse(arg, ret, &bad);
	if (!err)
		return 0;
	if (err == -E2BIG)
		return usage_error_flag(flag, arg, "more than %d separate ranges; "
					"give fewer and wider ones", WIRE_RANGES);
	len = strcspn(bad, ",");
	if (err == -EINVAL)
		right = "a port or a range of ports";
	else if (memchr(bad, '-', len))
		right = "a range within 1-65535, low to high";
	else
		right = "a port from 1 to 65535";
	return usage_error_flag(flag, arg, "\"%.*s\" is not %s; write PORTS like 80,443,8000-8099",
				len < ELEMENT_MAX ? len : ELEMENT_MAX, bad, right);
}

static int set_duration(const struct cli_flag *flag, const char *arg, uint64_t *ret)
{
	uint64_t ns;
	int err;

	err = duration_parse(arg, &ns);
	if (err == -ERANGE)
		return usage_error_flag(flag, arg, "longer than 292 years; leave it out");
	if (err)
		return usage_error_flag(flag, arg,
					"not a duration; write it like 10, 10s, 500ms, 2m or 1h");
	if (!ns)
		return usage_error_flag(flag, arg, "no time at all; give more, or leave it out");
	*ret = ns;
	return 0;
}

/* Digits and what follows them.  Returns -EINVAL or -ERANGE. */
static int parse_number(const char *text, uint64_t *ret, const char **rest)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	*rest = end;
	return -errno;
}

static int set_count(const struct cli_flag *flag, const char *arg, uint64_t *ret)
{
	const char *rest;
	uint64_t n;
	int err;

	err = parse_number(arg, &n, &rest);
	if (err == -EINVAL || *rest)
		return usage_error_flag(flag, arg, "not a number of records; write digits only");
	if (err)
		return usage_error_flag(flag, arg, "more than can be counted; leave it out");
	if (!n)
		return usage_error_flag(flag, arg, "no record at all; give more, or leave it out");
	*ret = n;
	return 0;
}

/* What is given takes the place of the preset. */
static int add_address(struct parse *p, const struct cli_flag *flag, const char *arg)
{
	struct options *opt = &p->opt;

	if (listen_check(arg))
		return usage_error_flag(flag, arg, "not an address; write HOST:PORT, :PORT or "
					"[IPV6]:PORT");
	if (opt->listen_is_preset)
		opt->nr_listen = 0;
	if (opt->nr_listen == LISTEN_MAX)
		return usage_error_flag(flag, arg, "more than %d addresses; give fewer, or :PORT "
					"for all", LISTEN_MAX);
	opt->listen_is_preset = !(p->given & 1ULL << flag->id);
	opt->listen[opt->nr_listen++] = arg;
	return 0;
}

static int set_path(const struct cli_flag *flag, const char *arg, const char **ret)
{
	if (arg[0] != '/' || !strcmp(arg, "/") || strpbrk(arg, "?#% \t"))
		return usage_error_flag(flag, arg, "not a path; write it like %s", flag->preset);
	*ret = arg;
	return 0;
}

static int set_max_requests(const struct cli_flag *flag, const char *arg, unsigned int *ret)
{
	const char *rest;
	uint64_t n;

	if (parse_number(arg, &n, &rest) || *rest || n > UINT32_MAX)
		return usage_error_flag(flag, arg, "not a number of requests; write digits only");
	*ret = n;
	return 0;
}

static int set_top_k(const struct cli_flag *flag, const char *arg, unsigned int *ret)
{
	const char *rest;
	uint64_t n;

	if (parse_number(arg, &n, &rest) || *rest || n > TOPK_MAX)
		return usage_error_flag(flag, arg, "not a number of series; write 0, which is "
					"none, to %u", TOPK_MAX);
	*ret = n;
	return 0;
}

/* Bytes.  Returns -EINVAL or -ERANGE. */
static int parse_size(const char *text, uint64_t *ret)
{
	static const char suffixes[] = "KMG";
	const char *rest;
	uint64_t n;
	int err;

	err = parse_number(text, &n, &rest);
	if (err == -EINVAL)
		return -EINVAL;
	if (*rest) {
		const char *suffix = strchr(suffixes, *rest);

		if (!suffix || rest[1])
			return -EINVAL;
		if (__builtin_mul_overflow(n, 1ULL << 10 * (suffix - suffixes + 1), &n))
			return -ERANGE;
	}
	if (!err)
		*ret = n;
	return err;
}

static int set_ring_size(const struct cli_flag *flag, const char *arg, uint32_t *ret)
{
	uint64_t page = sysconf(_SC_PAGESIZE), size;
	int err;

	err = parse_size(arg, &size);
	if (err == -EINVAL)
		return usage_error_flag(flag, arg, "not a size; write it like 64K, 16M or 1G");
	if (err || size < page || size > RING_SIZE_MAX || (size & (size - 1)))
		return usage_error_flag(flag, arg, "not a power of two from %lluK to 1G; "
					"take for example %s",
					(unsigned long long)page / 1024, flag->preset);
	*ret = size;
	return 0;
}

static int set_text(const struct cli_flag *flag, const char *arg, const char **ret)
{
	if (!*arg)
		return usage_error_flag(flag, arg, "%s is empty; give one, or leave it out",
					flag->metavar);
	*ret = arg;
	return 0;
}

/* A directory of the file system is not meant, and taken for one it is never found. */
static int set_cgroup(const struct cli_flag *flag, const char *arg, const char **ret)
{
	static const char mountpoint[] = "/sys/fs/cgroup";
	size_t len = strlen(mountpoint);

	if (!strncmp(arg, mountpoint, len) && (!arg[len] || arg[len] == '/'))
		return usage_error_flag(flag, arg, "begins where cgroups are mounted; leave %s "
					"out", mountpoint);
	if (*arg && !cgroup_may_be_path(arg))
		return usage_error_flag(flag, arg, "no path of a cgroup; write it as in "
					"/proc/PID/cgroup, like /system.slice/nginx.service");
	return set_text(flag, arg, ret);
}

static int set_unit(const struct cli_flag *flag, const char *arg, const char **ret)
{
	if (*arg && !cgroup_may_be_unit(arg))
		return usage_error_flag(flag, arg, "no name of a unit with processes; write one "
					"like nginx.service, a slice as --cgroup /NAME.slice");
	return set_text(flag, arg, ret);
}

static int set_container(const struct cli_flag *flag, const char *arg, const char **ret)
{
	if (*arg && !cgroup_may_be_container(arg))
		return usage_error_flag(flag, arg, "neither an id nor a name; write %d hexadecimal "
					"digits or more of the id, or LXC's name of it",
					CGROUP_ID_LEAST);
	return set_text(flag, arg, ret);
}

static int set_choice(const struct parse *p, const struct cli_flag *flag, const char *arg,
		      unsigned int *ret)
{
	uint32_t choices = cli_choices(flag->id, p->opt.command);
	char list[LIST_SIZE];

	for (uint32_t left = choices; left; left &= left - 1) {
		unsigned int choice = __builtin_ctz(left);

		if (!strcmp(cli_choice_name(flag->id, choice), arg)) {
			*ret = choice;
			return 0;
		}
	}
	cli_list_choices(flag->id, choices, list, sizeof(list));
	return usage_error_flag(flag, arg, "not what \"%s\" knows as %s; write %s",
				cli_commands[p->opt.command].name, flag->metavar, list);
}

/* A pipe that was closed is nobody's error. */
static int done_printing(void)
{
	if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
		return OPTIONS_DONE;
	log_error("writing to stdout: %s; send it elsewhere", strerror(errno));
	return STATUS_ERROR;
}

static int print_help(const struct parse *p)
{
	help_print(stdout, p->opt.command, p->named);
	return done_printing();
}

static int print_version(void)
{
	printf("synfin %s\n", SYNFIN_VERSION);
	return done_printing();
}

/* Gives a flag its meaning.  Returns as options_parse(); the last of several counts. */
static int set_flag(struct parse *p, const struct cli_flag *flag, const char *arg)
{
	struct options *opt = &p->opt;
	unsigned int choice = 0;
	int status = 0;

	switch (flag->id) {
	case FLAG_IPV4:
	case FLAG_IPV6:		break;	/* see family_of() */
	case FLAG_LOCALPORT:	return set_ports(flag, arg, &opt->lports);
	case FLAG_REMOTEPORT:	return set_ports(flag, arg, &opt->rports);
	case FLAG_PID:		return filter_args_set_pid(&p->filter, flag, arg);
	case FLAG_UID:		return filter_args_set_uid(&p->filter, flag, arg);
	case FLAG_COMM:		return filter_args_set_comm(&p->filter, flag, arg);
	case FLAG_FAILED:	p->filter.failed = true; break;
	case FLAG_SLOW:
		p->filter.slow = true;
		return set_duration(flag, arg, &p->filter.slow_ns);
	case FLAG_EXPLAIN_FILTER:	break;	/* when all is known */
	case FLAG_NETNS:	return set_text(flag, arg, &opt->netns);
	case FLAG_CGROUP:	return set_cgroup(flag, arg, &opt->cgroups.under);
	case FLAG_UNIT:		return set_unit(flag, arg, &opt->cgroups.unit);
	case FLAG_CONTAINER:	return set_container(flag, arg, &opt->cgroups.container);
	case FLAG_DURATION:	return set_duration(flag, arg, &opt->duration_ns);
	case FLAG_INTERVAL:	return set_duration(flag, arg, &opt->interval_ns);
	case FLAG_OLDER:	return set_duration(flag, arg, &opt->older_ns);
	case FLAG_CLOSE_WAIT_STALE: return set_duration(flag, arg, &opt->close_wait_stale_ns);
	case FLAG_STUCK:	opt->stuck = true; break;
	case FLAG_COUNT:	return set_count(flag, arg, &opt->count);
	case FLAG_OUTPUT:
		status = set_choice(p, flag, arg, &choice);
		opt->format = choice;
		break;
	case FLAG_COLOR:
		status = set_choice(p, flag, arg, &choice);
		opt->color = choice;
		break;
	case FLAG_QUIET:	opt->quiet = true; break;
	case FLAG_VERBOSE:	opt->verbose = true; break;
	case FLAG_WRITE:	return set_text(flag, arg, &opt->write_path);
	case FLAG_READ:		return set_text(flag, arg, &opt->read_path);
	case FLAG_RING_SIZE:	return set_ring_size(flag, arg, &opt->ring_size);
	case FLAG_EXISTING:	opt->existing = true; break;
	case FLAG_STRICT:	opt->strict = true; break;
	case FLAG_ABSOLUTE:	opt->absolute = true; break;
	case FLAG_LIVE:		opt->live = true; break;
	case FLAG_SCENARIOS:	opt->scenarios = true; break;
	case FLAG_WEB_LISTEN_ADDRESS:	return add_address(p, flag, arg);
	case FLAG_WEB_TELEMETRY_PATH:	return set_path(flag, arg, &opt->telemetry_path);
	case FLAG_WEB_CONFIG_FILE:	return set_text(flag, arg, &opt->web_config_path);
	case FLAG_WEB_MAX_REQUESTS:	return set_max_requests(flag, arg, &opt->max_requests);
	case FLAG_METRICS_TOP_K:	return set_top_k(flag, arg, &opt->top_k);
	case FLAG_METRICS_GROUP_BY:	/* there is but one */
		opt->by_cgroup = true;
		return set_choice(p, flag, arg, &choice);
	case FLAG_TEXTFILE:	return set_text(flag, arg, &opt->textfile_path);
	case FLAG_HELP:		return print_help(p);
	case FLAG_VERSION:	return print_version();
	case FLAG_MAX:		break;
	}
	return status;
}

static int key_of(const struct cli_flag *flag)
{
	return flag->letter ? flag->letter : KEY_LONG_ONLY + (int)flag->id;
}

static const struct cli_flag *flag_of_key(int key)
{
	for (int i = 0; i < FLAG_MAX; i++) {
		if (key_of(&cli_flags[i]) == key)
			return &cli_flags[i];
	}
	return NULL;
}

/*
 * getopt() stopped and argp does not say at what.  It has moved on past the
 * argument, unless letters were left in it: then it stands where it stood.
 */
static const char *culprit(const struct parse *p, const struct argp_state *state)
{
	return state->argv[state->next > p->next ? state->next - 1 : state->next];
}

static int take_scenario(struct parse *p, const char *word)
{
	char list[LIST_SIZE];

	if (scenario_named(word)) {
		p->opt.scenario = word;
		return 0;
	}
	scenario_list(list, sizeof(list));
	return usage_error("--scenarios", word, "no such scenario; write %s", list);
}

/* Behind --scenarios it is the name of one. */
static int take_word(struct parse *p, const char *word)
{
	if (p->opt.scenarios && !p->opt.scenario)
		return take_scenario(p, word);
	if (!cli_takes_filter(p->opt.command))
		return usage_error_word(p->opt.command, word);
	return filter_args_add(&p->filter, word);
}

static error_t on_key(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	const struct cli_flag *flag;

	if (key == ARGP_KEY_ARG) {
		p->next = state->next;
		p->status = take_word(p, arg);
	} else if (key == ARGP_KEY_ERROR) {
		if (!p->status)
			p->status = usage_error_option(p->opt.command, culprit(p, state));
	} else {
		flag = flag_of_key(key);
		if (!flag)
			return ARGP_ERR_UNKNOWN;
		p->given |= 1ULL << flag->id;
		p->next = state->next;
		p->status = set_flag(p, flag, arg);
	}
	return p->status ? ECANCELED : 0;
}

static void argp_options_of(enum command command, struct argp_option ret[FLAG_MAX + 1])
{
	int n = 0;

	for (int i = 0; i < FLAG_MAX; i++) {
		const struct cli_flag *flag = &cli_flags[i];

		if (cli_takes(command, i))
			ret[n++] = (struct argp_option){
				.name = flag->spelling + strlen("--"),
				.key = key_of(flag),
				.arg = flag->metavar,
				.doc = flag->help,
			};
	}
	ret[n] = (struct argp_option){};
}

static bool was_given(const struct parse *p, enum flag flag)
{
	return p->given & 1ULL << flag;
}

static int family_of(const struct parse *p)
{
	bool v4 = was_given(p, FLAG_IPV4), v6 = was_given(p, FLAG_IPV6);

	return v4 == v6 ? 0 : v4 ? 4 : 6;
}

/* Flags that mean nothing without another, with these commands, and why. */
static const struct {
	enum flag a, needs;
	uint32_t commands;	/* bits by enum command */
	const char *why;
} needs[] = {
	{ FLAG_OLDER, FLAG_STUCK, 1u << CMD_CONNS, "says how long who is stuck has been" },
	{ FLAG_DURATION, FLAG_INTERVAL, 1u << CMD_TIMEWAIT | 1u << CMD_LISTEN,
	  "there is nothing to wait for otherwise" },
};

static int check_needs(const struct parse *p)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct cli_flag *a = &cli_flags[needs[i].a];
		const struct cli_flag *b = &cli_flags[needs[i].needs];
		char what[80];

		if (!was_given(p, a->id) || was_given(p, b->id) ||
		    !(needs[i].commands >> p->opt.command & 1) || was_given(p, FLAG_READ))
			continue;
		snprintf(what, sizeof(what), "%s without %s", a->spelling, b->spelling);
		return usage_error(what, NULL, "%s; give both, or neither", needs[i].why);
	}
	return 0;
}

static int check_conflicts(const struct parse *p)
{
	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++) {
		const struct cli_flag *a = &cli_flags[conflicts[i].a];
		const struct cli_flag *b = &cli_flags[conflicts[i].b];
		char what[80];

		if (!was_given(p, a->id) || !was_given(p, b->id))
			continue;
		snprintf(what, sizeof(what), "%s with %s", a->spelling, b->spelling);
		return usage_error(what, NULL, "%s; leave one of them out", conflicts[i].why);
	}
	return check_needs(p);
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* The first word, unless it is an option, or begins a filter of the first command. */
static int take_command(struct parse *p, int *argc, char ***argv)
{
	const char *word;

	if (*argc < 2 || is_option((*argv)[1]))
		return 0;
	word = (*argv)[1];
	if (cli_command_named(word, &p->opt.command))
		return filter_begins(word) ? 0 : usage_error_command(word);
	p->named = true;
	(*argc)--;
	(*argv)++;
	return 0;
}

static int set_presets(struct parse *p)
{
	int status = 0;

	for (int i = 0; i < FLAG_MAX && !status; i++) {
		if (cli_flags[i].preset && cli_takes(p->opt.command, i))
			status = set_flag(p, &cli_flags[i], cli_flags[i].preset);
	}
	return status;
}

/* In order, so that of several mistakes the first is told, and --help ends it there. */
static int parse_flags(struct parse *p, int argc, char **argv)
{
	struct argp_option options[FLAG_MAX + 1];
	const struct argp argp = { .options = options, .parser = on_key };
	error_t err;

	argp_options_of(p->opt.command, options);
	err = argp_parse(&argp, argc, argv, ARGP_SILENT | ARGP_IN_ORDER, NULL, p);
	if (p->status)
		return p->status;
	if (err) {
		log_error("reading the command line: %s; try again", strerror(err));
		return STATUS_ERROR;
	}
	return check_conflicts(p);
}

static int print_explanation(const struct parse *p)
{
	filter_explain(stdout, &p->opt, process_lookup_has_cgroups());
	return done_printing();
}

/* Once everything has been read. */
static int finish(struct parse *p)
{
	int status;

	p->opt.family = family_of(p);
	status = filter_args_build(&p->filter, &p->opt.filter);
	if (status)
		return status;
	p->opt.bound = filter_bound(&p->opt.filter);
	if (p->opt.command == CMD_LISTEN)
		p->opt.bound = filter_bound_of_listeners(&p->opt.bound);
	return was_given(p, FLAG_EXPLAIN_FILTER) ? print_explanation(p) : 0;
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct parse p = { .next = 1 };
	int status;

	status = take_command(&p, &argc, &argv);
	if (status)
		return status;
	status = set_presets(&p);
	if (status)
		return status;
	if (argc > 1) {
		status = parse_flags(&p, argc, argv);
		if (status)
			return status;
	}
	status = finish(&p);
	if (status)
		return status;
	*ret = p.opt;
	return 0;
}
