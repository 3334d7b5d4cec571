/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h - what the command line consists of: commands, flags, formats, exit
 * codes, each one list.  Parser, --help, man page and completions come from
 * here and nowhere else.  Constant; parses nothing, prints nothing.
 *
 * One more flag is a row of FLAGS and a case of set_flag() in options.c; one
 * more command is a row of COMMANDS and its bit in the rows of its flags.
 */
#ifndef SYNFIN_CLI_H
#define SYNFIN_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef SYNFIN_VERSION
#define SYNFIN_VERSION "0.1.0"
#endif

#define FORMATS(X)		\
	X(TABLE, "table")	\
	X(JSON, "json")		\
	X(CSV, "csv")		\
	X(MERMAID, "mermaid")

#define COLORS(X)		\
	X(AUTO, "auto")		\
	X(ALWAYS, "always")	\
	X(NEVER, "never")

#define GROUP_BYS(X)		\
	X(CGROUP, "cgroup")

/* id, name, formats (F), what it prints; the first is the default */
#define COMMANDS(X, F)										\
	X(TRACE, "trace", F(TABLE) | F(JSON) | F(CSV),					\
	  "one line per event: state transitions, retransmits, resets")				\
	X(CONNS, "conns", F(TABLE) | F(JSON) | F(CSV),					\
	  "one line per connection, when its life is over")					\
	X(EXPLAIN, "explain", F(TABLE) | F(JSON) | F(CSV) | F(MERMAID),			\
	  "one ladder per connection: who sent what, numbers, states")				\
	X(TOP, "top", 0,									\
	  "the host on a full screen: states, rates, what fails, what is slow")	\
	X(TIMEWAIT, "timewait", F(TABLE) | F(JSON) | F(CSV),				\
	  "sockets in TIME_WAIT, and port space: whose, how many, for how long")		\
	X(LISTEN, "listen", F(TABLE) | F(JSON) | F(CSV),				\
	  "listening sockets: accept queue, half-open connections, drops")			\
	X(DOCTOR, "doctor", F(TABLE) | F(JSON),						\
	  "what this kernel and these privileges allow, and each cure")			\
	X(AUDIT, "audit", F(TABLE) | F(JSON),						\
	  "what was traced, held against the kernel's own counters")				\
	X(EXPORT, "export", 0,									\
	  "nothing: serves metrics over HTTP, or writes them to a file")

/* id, heading in --help */
#define FLAG_GROUPS(X)			\
	X(SOCKETS, "Which sockets")	\
	X(STOP, "When to stop")		\
	X(OUTPUT, "Output")		\
	X(RECORDING, "Recordings")	\
	X(LOSS, "Losses")		\
	X(EXPORT, "Export")		\
	X(ABOUT, "About")

/* Sets of commands, for the rows below (C: one command's bit). */
#define OF_TRACES(C)	(C(TRACE) | C(CONNS) | C(EXPLAIN))
#define OF_SURVEYS(C)	(C(TIMEWAIT) | C(LISTEN))
#define OF_SOCKETS(C)	(OF_TRACES(C) | OF_SURVEYS(C))
#define OF_LIVES(C)	(C(CONNS) | C(EXPLAIN))
#define OF_PLACES(C)	(OF_TRACES(C) | C(TOP) | C(LISTEN))
#define OF_SEEN(C)	(OF_SOCKETS(C) | C(TOP))
#define OF_FILTER(C)	(OF_SEEN(C))	/* a trailing FILTER, too */
#define OF_KERNEL(C)	(OF_SEEN(C) | C(AUDIT) | C(EXPORT))
#define OF_RECORDS(C)	(OF_SOCKETS(C) | C(AUDIT) | C(DOCTOR))
#define OF_EVERY(C)	(OF_RECORDS(C) | C(TOP) | C(EXPORT))

/*
 * id, letter or 0, long name, metavar or NULL, default or NULL, the commands
 * that take it (C), group, help; within a group in the order of --help.  What
 * may be chosen from and the default are added to the help where it is printed.
 */
#define FLAGS(X, C)										\
	X(IPV4, '4', "ipv4", NULL, NULL, OF_SEEN(C), SOCKETS,				\
	  "IPv4 only, IPv4-mapped IPv6 addresses included")					\
	X(IPV6, '6', "ipv6", NULL, NULL, OF_SEEN(C), SOCKETS,				\
	  "IPv6 only; with -4 both, as without either")						\
	X(LOCALPORT, 'L', "localport", "PORTS", NULL, OF_SEEN(C), SOCKETS,			\
	  "these local ports: a comma list with ranges, like 80,443,8000-8099")			\
	X(REMOTEPORT, 'D', "remoteport", "PORTS", NULL,						\
	  OF_TRACES(C) | C(TOP) | C(TIMEWAIT), SOCKETS,					\
	  "these remote ports, likewise")							\
	X(PID, 'p', "pid", "PID", NULL, OF_PLACES(C), SOCKETS,					\
	  "owned by this process, its threads included")					\
	X(COMM, 0, "comm", "NAME", NULL, OF_PLACES(C), SOCKETS,					\
	  "owned by processes of this name")							\
	X(UID, 'u', "uid", "UID", NULL, OF_PLACES(C), SOCKETS,					\
	  "owned by this user, a number or a name")						\
	X(FAILED, 0, "failed", NULL, NULL, OF_LIVES(C), SOCKETS,				\
	  "failed handshakes and abnormal ends only")						\
	X(SLOW, 0, "slow", "DURATION", NULL, OF_LIVES(C), SOCKETS,				\
	  "handshakes slower than this only; with --failed either")				\
	X(NETNS, 'N', "netns", "NETNS", "all", OF_KERNEL(C), SOCKETS,				\
	  "network namespace: all, self, a name under /run/netns, a path, or pid:PID")		\
	X(CGROUP, 0, "cgroup", "PATH", NULL, OF_PLACES(C), SOCKETS,				\
	  "sockets of this cgroup and of those below it, like /system.slice")			\
	X(UNIT, 0, "unit", "NAME", NULL, OF_PLACES(C), SOCKETS,				\
	  "sockets of this systemd unit, with or without .service")				\
	X(CONTAINER, 0, "container", "ID", NULL, OF_PLACES(C), SOCKETS,			\
	  "sockets of this container: 4 digits of its id or more, or its name under LXC")	\
	X(EXISTING, 0, "existing", NULL, NULL, OF_TRACES(C), SOCKETS,				\
	  "also report what existed before the start")						\
	X(STUCK, 0, "stuck", NULL, NULL, C(CONNS), SOCKETS,					\
	  "trace nothing; print who is long in CLOSE_WAIT, FIN_WAIT2, LAST_ACK, SYN_SENT")	\
	X(OLDER, 0, "older", "DURATION", "60s", C(CONNS), SOCKETS,				\
	  "with --stuck: for at least this time")						\
	X(EXPLAIN_FILTER, 0, "explain-filter", NULL, NULL, OF_FILTER(C), SOCKETS,		\
	  "print what of all that the kernel decides and what user space, and exit")		\
	X(DURATION, 'd', "duration", "DURATION", NULL, OF_KERNEL(C), STOP,			\
	  "after this time, like 10, 10s, 500ms or 2m; under --read the recording's time")	\
	X(INTERVAL, 'i', "interval", "INTERVAL", NULL, OF_SURVEYS(C) | C(TOP), STOP,	\
	  "again and again, this time apart, like 1s, as top does; timewait traces in between") \
	X(COUNT, 'c', "count", "COUNT", NULL, OF_SOCKETS(C), STOP,				\
	  "after this many records")								\
	X(OUTPUT, 'o', "output", "FORMAT", "table", OF_RECORDS(C), OUTPUT,			\
	  "form of the records")								\
	X(COLOR, 0, "color", "WHEN", "auto", OF_SEEN(C), OUTPUT,				\
	  "colour in tables, auto honouring NO_COLOR")						\
	X(ABSOLUTE, 0, "absolute", NULL, NULL, C(EXPLAIN), OUTPUT,				\
	  "sequence numbers as they are on the wire, not from the initial ones")		\
	X(LIVE, 0, "live", NULL, NULL, C(EXPLAIN), OUTPUT,					\
	  "arrow by arrow as it happens, not each connection when it ends")			\
	X(QUIET, 'q', "quiet", NULL, NULL, OF_EVERY(C), OUTPUT,				\
	  "nothing but errors on stderr")							\
	X(VERBOSE, 'v', "verbose", NULL, NULL, OF_EVERY(C), OUTPUT,				\
	  "say more on stderr; trace, conns: and of owners their exe and cmdline")		\
	X(WRITE, 0, "write", "FILE", NULL, OF_SEEN(C), RECORDING,				\
	  "also record the kernel's raw records in FILE")					\
	X(READ, 0, "read", "FILE", NULL, OF_SEEN(C), RECORDING,				\
	  "run on the recording in FILE instead of the kernel; needs no root")			\
	X(SCENARIOS, 0, "scenarios", NULL, NULL, C(EXPLAIN), RECORDING,				\
	  "show recordings that are built in, or the one whose NAME comes behind")		\
	X(RING_SIZE, 0, "ring-size", "SIZE", "16M",						\
	  OF_TRACES(C) | C(TOP) | C(TIMEWAIT) | C(AUDIT) | C(EXPORT), LOSS,			\
	  "the kernel's ring buffer: a power of two from one page to 1G, like 64K")		\
	X(STRICT, 0, "strict", NULL, NULL, OF_TRACES(C) | C(TOP), LOSS,				\
	  "exit with 5 if any record was lost")							\
	X(WEB_LISTEN_ADDRESS, 0, "web.listen-address", "ADDRESS", "127.0.0.1:10047",		\
	  C(EXPORT), EXPORT,									\
	  "serve here: HOST:PORT, :PORT or [IPV6]:PORT; may be repeated; port 0 picks one")	\
	X(WEB_TELEMETRY_PATH, 0, "web.telemetry-path", "PATH", "/metrics", C(EXPORT), EXPORT,	\
	  "path of the metrics")								\
	X(WEB_CONFIG_FILE, 0, "web.config.file", "FILE", NULL, C(EXPORT), EXPORT,		\
	  "TLS and users with passwords, in the YAML of Prometheus' exporters")			\
	X(WEB_MAX_REQUESTS, 0, "web.max-requests", "COUNT", "40", C(EXPORT), EXPORT,		\
	  "answer at most this many scrapes at a time; 0: no limit")				\
	X(METRICS_TOP_K, 0, "metrics.top-k", "COUNT", "0", C(EXPORT), EXPORT,			\
	  "tell of this many addresses and ports apart: who has most in TIME_WAIT, and "	\
	  "where ports run out; at most 50")							\
	X(METRICS_GROUP_BY, 0, "metrics.group-by", "GROUP", NULL, C(EXPORT), EXPORT,		\
	  "tell also of sockets, failures and retransmits by")					\
	X(CLOSE_WAIT_STALE, 0, "close-wait-stale", "DURATION", "60s", C(EXPORT), EXPORT,	\
	  "a socket that is in CLOSE_WAIT for this time is stale")				\
	X(TEXTFILE, 0, "textfile", "FILE", NULL, C(EXPORT), EXPORT,				\
	  "write the metrics to FILE, too, or instead unless an address is given")		\
	X(HELP, 'h', "help", NULL, NULL, OF_EVERY(C), ABOUT,					\
	  "print this and exit")								\
	X(VERSION, 'V', "version", NULL, NULL, OF_EVERY(C), ABOUT,				\
	  "print the version and exit")

/* form, what it is; FILTER is made of these (filter_parse.h) */
#define FILTER_FORMS(X)									\
	X("state NAME", "established, time-wait, connected, ...; in front, any number of them")	\
	X("exclude NAME", "what state NAME would show is left out")			\
	X("src HOST, dst HOST", "ADDRESS, ADDRESS/PREFIX, :PORT or ADDRESS:PORT")	\
	X("sport OP PORT, dport OP PORT", "OP is =, !=, <, >, <= or >=")		\
	X("not, and, or, ( )", "in this order; two conditions side by side are an and")

/* code, name, when */
#define EXIT_STATUSES(X)					\
	X(0, OK, "done, also after SIGINT or SIGTERM")		\
	X(1, ERROR, "runtime error")				\
	X(2, USAGE, "wrong command line")			\
	X(3, NOT_PERMITTED, "not permitted")			\
	X(4, NO_FEATURE, "this kernel lacks a feature")		\
	X(5, LOST, "records were lost, under --strict")		\
	X(6, DIFFERS, "audit found a difference")

/* command, line, what it does; the lines are parsed by a test */
#define EXAMPLES(X)										\
	X(TRACE, "synfin -D 443 -N self",							\
	  "what happens to connections to port 443 in this network namespace")			\
	X(TRACE, "synfin trace -o json -c 100 --strict",					\
	  "the next 100 events as JSON, exit code 5 if any was lost")				\
	X(CONNS, "synfin conns -L 80,8000-8099 -d 1m",						\
	  "connections to these local ports that end within a minute")				\
	X(CONNS, "synfin conns --read monday.rec -4",						\
	  "the IPv4 connections of a recording")						\
	X(CONNS, "synfin conns --failed --slow 200ms dst 10.0.0.0/8",				\
	  "what goes wrong, or takes long, towards this network")				\
	X(CONNS, "synfin conns --stuck --older 10m",						\
	  "which process leaks sockets: those in CLOSE_WAIT and the like for ten minutes")	\
	X(EXPLAIN, "synfin explain -N self -D 443 --live",					\
	  "how connections to port 443 open, live and close, arrow by arrow")			\
	X(EXPLAIN, "synfin explain --scenarios",						\
	  "how TCP opens and closes, on recordings that are built in")				\
	X(TOP, "synfin top",									\
	  "what TCP is doing on this host, on a screen; q leaves a summary for a ticket")	\
	X(TOP, "synfin top -d 10 -N self",							\
	  "that summary of ten seconds, where there is no terminal")				\
	X(TIMEWAIT, "synfin timewait",								\
	  "how many are in TIME_WAIT, of whom, and which destination is short of ports")	\
	X(TIMEWAIT, "synfin timewait -i 1 -o json",						\
	  "the same every second, with rates and when the ports run out, for scripts")		\
	X(LISTEN, "synfin listen -L 443",							\
	  "what waits at port 443: for accept(), and for the third ACK")			\
	X(LISTEN, "synfin listen -i 2 -o csv",							\
	  "all listening sockets, every two seconds, for a spreadsheet")			\
	X(DOCTOR, "synfin doctor",								\
	  "whether tracing will work here, and what would be missing")				\
	X(DOCTOR, "synfin doctor -o json",							\
	  "the same for scripts, one object a feature")						\
	X(AUDIT, "synfin audit -d 1m",								\
	  "whether the trace of the next minute misses anything, in any network namespace")	\
	X(AUDIT, "synfin audit -N self -o json",						\
	  "the same of this network namespace, for scripts, until Ctrl-C")			\
	X(EXPORT, "synfin export",								\
	  "metrics of every network namespace on http://127.0.0.1:10047/metrics")		\
	X(EXPORT, "synfin export --textfile /var/lib/node_exporter/synfin.prom",		\
	  "for node_exporter's textfile collector, without a port")

#define X(id, ...) FORMAT_##id,
enum format { FORMATS(X) FORMAT_MAX };
#undef X
#define X(id, ...) COLOR_##id,
enum color { COLORS(X) COLOR_MAX };
#undef X
#define X(id, ...) GROUP_BY_##id,
enum group_by { GROUP_BYS(X) GROUP_BY_MAX };
#undef X
#define X(id, ...) CMD_##id,
enum command { COMMANDS(X, ) CMD_MAX };
#undef X
#define X(id, ...) GROUP_##id,
enum flag_group { FLAG_GROUPS(X) GROUP_MAX };
#undef X
#define X(id, ...) FLAG_##id,
enum flag { FLAGS(X, ) FLAG_MAX };
#undef X
#define X(code, name, ...) STATUS_##name = code,
enum exit_status { EXIT_STATUSES(X) };
#undef X

struct cli_command {
	const char *name, *what;
	uint32_t formats;	/* bits by enum format */
};

struct cli_flag {
	enum flag id;
	enum flag_group group;
	uint32_t commands;	/* bits by enum command */
	char letter;		/* 0: none */
	const char *spelling;	/* "--read" */
	const char *metavar;	/* NULL: takes no value */
	const char *preset;	/* the default, as it would be typed; NULL: none */
	const char *help;
};

struct cli_form { const char *form, *what; };
struct cli_status { int code; const char *when; };
struct cli_example { enum command command; const char *line, *what; };

extern const struct cli_command cli_commands[CMD_MAX];
extern const struct cli_flag cli_flags[FLAG_MAX];
extern const char *const cli_groups[GROUP_MAX];
extern const struct cli_form cli_filter_forms[];	/* ends with form == NULL */
extern const struct cli_status cli_statuses[];	/* ends with when == NULL */
extern const struct cli_example cli_examples[];	/* ends with line == NULL */

bool cli_takes(enum command command, enum flag flag);
bool cli_takes_filter(enum command command);

/* Returns 0 and sets *ret, or -ENOENT. */
int cli_command_named(const char *name, enum command *ret);

/*
 * A flag whose value is one of a few words: which of them command has, as bits
 * of the word's enum (enum format, ...), and the words.  No bits: free text.
 */
uint32_t cli_choices(enum flag flag, enum command command);
const char *cli_choice_name(enum flag flag, unsigned int choice);

/* Names of the choices, commands or flags in mask, like "a, b or c"; cut to size. */
void cli_list_choices(enum flag flag, uint32_t mask, char *buf, size_t size);
void cli_list_commands(uint32_t mask, char *buf, size_t size);
void cli_list_flags(uint64_t mask, char *buf, size_t size);

#endif
