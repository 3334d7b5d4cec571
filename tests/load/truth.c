// SPDX-License-Identifier: GPL-2.0-or-later
#include "truth.h"

#include <string.h>

#define MAX_LINES 128

/* key=value lines that add up, in the order of their first appearance. */
struct lines {
	struct line {
		char key[64];
		unsigned long count;
	} line[MAX_LINES];
	size_t nr;
};

static void lines_add(struct lines *lines, const char *key, unsigned long count)
{
	size_t i = 0;

	while (i < lines->nr && strcmp(lines->line[i].key, key))
		i++;
	if (i == MAX_LINES)
		return;
	if (i == lines->nr) {
		snprintf(lines->line[i].key, sizeof(lines->line[i].key), "%s", key);
		lines->nr++;
	}
	lines->line[i].count += count;
}

static void lines_print(FILE *out, const struct lines *lines)
{
	for (size_t i = 0; i < lines->nr; i++)
		fprintf(out, "%s=%lu\n", lines->line[i].key, lines->line[i].count);
}

static unsigned long results(const struct tally *tally, size_t kind, enum result result)
{
	unsigned long sum = 0;

	for (int family = 0; family < NR_FAMILIES; family++)
		sum += tally->nr[kind][family][result];
	return sum;
}

static unsigned long all_results(const struct tally *tally, enum result result)
{
	unsigned long sum = 0;

	for (size_t kind = 0; kind < nr_kinds; kind++)
		sum += results(tally, kind, result);
	return sum;
}

unsigned long truth_connected(const struct tally *client)
{
	unsigned long sum = 0;

	for (size_t kind = 0; kind < nr_kinds; kind++)
		if (kinds[kind].server != S_NONE)
			sum += results(client, kind, R_DONE) + results(client, kind, R_ODD);
	return sum;
}

unsigned long truth_attempts(const struct tally *client)
{
	unsigned long sum = 0;

	for (int result = 0; result < NR_RESULTS; result++)
		sum += all_results(client, result);
	return sum;
}

static unsigned long unexpected_active(const struct tally *client)
{
	return all_results(client, R_ODD) + all_results(client, R_FAILED);
}

/* Odd ones, and those that the server never accepted or never saw the end of. */
static unsigned long unexpected_passive(const struct tally *client, const struct tally *server)
{
	return truth_connected(client) - all_results(server, R_DONE);
}

unsigned long truth_unexpected(const struct tally *client, const struct tally *server)
{
	return unexpected_active(client) + unexpected_passive(client, server);
}

static int family_word(enum family family)
{
	return family == F_V6 ? 6 : 4;
}

/* @count lives of @role: what each of the records must say, and their sums. */
static void add_lives(struct lines *lives, struct lines *sums, const char *role,
		      const struct life *life, enum family family, unsigned long count)
{
	char key[64];

	if (!count)
		return;
	if (life->close)
		snprintf(key, sizeof(key), "%s.%s.%s.%s", role, life->outcome, life->close,
			 life->closed_by);
	else
		snprintf(key, sizeof(key), "%s.%s", role, life->outcome);
	lines_add(lives, key, count);

	if (life->reason) {
		snprintf(key, sizeof(key), "reason.%s.%s", role, life->reason);
		lines_add(sums, key, count);
	}
	snprintf(key, sizeof(key), "family.%s.%d", role, family_word(family));
	lines_add(sums, key, count);
	snprintf(key, sizeof(key), "summary.outcome_%s", life->outcome);
	lines_add(sums, key, count);
	if (life->close) {
		snprintf(key, sizeof(key), "summary.close_%s", life->close);
		lines_add(sums, key, count);
	}
	lines_add(sums, "summary.connections", count);
}

static void add_kind(struct lines *lives, struct lines *sums, size_t kind, enum family family,
		     const struct tally *client, const struct tally *server)
{
	static const struct life failed[NR_RESULTS] = {
		[R_NO_PORT] = { .outcome = "no_port" },
		[R_REFUSED] = { .outcome = "refused" },
		[R_TIMEOUT] = { .outcome = "timeout" },
	};
	const unsigned long *nr = client->nr[kind][family];

	add_lives(lives, sums, "active", &kinds[kind].active, family, nr[R_DONE]);
	for (int result = 0; result < NR_RESULTS; result++)
		if (failed[result].outcome)
			add_lives(lives, sums, "active", &failed[result], family, nr[result]);
	if (kinds[kind].passive.outcome)
		add_lives(lives, sums, "passive", &kinds[kind].passive, family,
			  server->nr[kind][family][R_DONE]);
}

static void print_kind(FILE *out, size_t kind, const struct tally *client)
{
	const struct kind *row = &kinds[kind];
	unsigned long done = results(client, kind, R_DONE);

	if (!done)
		return;
	fprintf(out, "kind.%s=%lu\nport.%s=%zu\n", row->name, done, row->name, PORT_BASE + kind);
	if (client->nr[kind][F_DUAL][R_DONE])
		fprintf(out, "dual_port.%s=%zu\n", row->name, PORT_DUAL + kind);
	/* with a RST it is chance how much the peer had acknowledged before */
	if (row->active.close && !strcmp(row->active.close, "fin"))
		fprintf(out, "tx.active.%s=%zu\ntx.passive.%s=%zu\n", row->name, row->request,
			row->name, row->greeting + row->reply);
}

void truth_print(FILE *out, const struct tally *client, const struct tally *server)
{
	struct lines lives = { .nr = 0 }, sums = { .nr = 0 };

	for (size_t kind = 0; kind < nr_kinds; kind++) {
		print_kind(out, kind, client);
		for (int family = 0; family < NR_FAMILIES; family++)
			add_kind(&lives, &sums, kind, family, client, server);
	}
	lines_print(out, &lives);
	lines_print(out, &sums);
	fprintf(out, "unexpected.active=%lu\n", unexpected_active(client));
	fprintf(out, "unexpected.passive=%lu\n", unexpected_passive(client, server));
}

/* A local failure (no port) is no ActiveOpens. */
static void foretell(const struct tally *client, const struct tally *server, unsigned long *ret)
{
	unsigned long refused = all_results(client, R_REFUSED);
	unsigned long timeouts = all_results(client, R_TIMEOUT);

	memset(ret, 0, NR_COUNTERS * sizeof(*ret));
	ret[MIB_ActiveOpens] =
		all_results(client, R_DONE) + all_results(client, R_ODD) + refused + timeouts;
	ret[MIB_PassiveOpens] = all_results(server, R_DONE) + all_results(server, R_ODD);
	ret[MIB_AttemptFails] = refused + timeouts;
	ret[MIB_OutRsts] = refused;
	for (size_t kind = 0; kind < nr_kinds; kind++) {
		unsigned long done = results(client, kind, R_DONE);

		ret[MIB_EstabResets] += done * kinds[kind].estab_resets;
		ret[MIB_OutRsts] += done * kinds[kind].out_rsts;
		if (kinds[kind].client == C_REFUSED)
			ret[MIB_AttemptFails] += done;
	}
}

/* The others are printed for information: a retransmission, say, does not change the truth. */
static bool foretold(enum counter counter)
{
	return counter == MIB_ActiveOpens || counter == MIB_PassiveOpens ||
	       counter == MIB_AttemptFails || counter == MIB_EstabResets ||
	       counter == MIB_OutRsts || counter == MIB_EmbryonicRsts ||
	       counter == MIB_ListenDrops || counter == MIB_TCPTimeWaitOverflow ||
	       counter == MIB_CurrEstab || counter == MIB_TCPAbortOnMemory;
}

/*
 * OutRsts is a lower bound. On more than one CPU an ACK that the delayed-ACK
 * timer sent waits in one CPU's backlog while close() sends the FIN on another.
 * It is old when it comes, the peer's TIME_WAIT answers it with an ACK, that
 * finds the socket gone, and its RST ends the TIME_WAIT. No life is touched.
 */
static bool agrees(enum counter counter, unsigned long growth, unsigned long expected)
{
	return counter == MIB_OutRsts ? growth >= expected : growth == expected;
}

unsigned int truth_mib_differences(const struct tally *client, const struct tally *server,
				   const struct counters *before, const struct counters *after)
{
	unsigned long expected[NR_COUNTERS];
	unsigned int differences = 0;

	foretell(client, server, expected);
	for (int i = 0; i < NR_COUNTERS; i++) {
		unsigned long growth = after->value[i] - before->value[i];

		if (foretold(i) && !agrees(i, growth, expected[i]))
			differences++;
	}
	return differences;
}

void truth_print_mib(FILE *out, const struct tally *client, const struct tally *server,
		     const struct counters *before, const struct counters *after)
{
	unsigned long expected[NR_COUNTERS];

	foretell(client, server, expected);
	for (int i = 0; i < NR_COUNTERS; i++)
		fprintf(out, "mib.%s=%ld\n", counter_names[i],
			(long)(after->value[i] - before->value[i]));
	for (int i = 0; i < NR_COUNTERS; i++)
		if (foretold(i))
			fprintf(out, "expect.%s=%lu\n", counter_names[i], expected[i]);
	fprintf(out, "stray_rsts=%ld\n",
		(long)(after->value[MIB_OutRsts] - before->value[MIB_OutRsts] -
		       expected[MIB_OutRsts]));
}
