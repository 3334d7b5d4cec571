// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter_explain.h"

#include <string.h>

#include "addrset.h"
#include "filter_text.h"
#include "portset.h"
#include "sieve.h"

/* Any filter as text: its words again, with parentheses and the longest numbers. */
#define TEXT_SIZE	16384

/* A list under a heading, which is printed with its first line. */
struct list {
	FILE *out;
	const char *heading;
	bool any;
};

static void put(struct list *list, const struct text *t, const char *buf)
{
	if (!list->any)
		fprintf(list->out, "%s\n", list->heading);
	list->any = true;
	fprintf(list->out, "  %.*s\n", (int)(t->p - buf), buf);
}

static void put_str(struct list *list, const char *before, const char *s)
{
	char buf[TEXT_SIZE];
	struct text t = text_into(buf, sizeof(buf));

	text_str(&t, before);
	text_visible(&t, s, strlen(s));
	put(list, &t, buf);
}

static void put_ports(struct list *list, const char *before, const struct wire_ports *ports)
{
	char buf[TEXT_SIZE];
	struct text t = text_into(buf, sizeof(buf));

	if (!ports->len || portset_is_all(ports))
		return;
	text_str(&t, before);
	filter_text_ports(ports, &t);
	put(list, &t, buf);
}

static void put_addrs(struct list *list, const char *before, const struct wire_addrs *addrs)
{
	char buf[TEXT_SIZE];
	struct text t = text_into(buf, sizeof(buf));

	if (addrset_is_all(addrs))
		return;
	text_str(&t, before);
	filter_text_addrs(addrs, &t);
	put(list, &t, buf);
}

static void put_flags(struct list *list, const struct options *opt)
{
	if (strcmp(opt->netns, "all"))
		put_str(list, "-N ", opt->netns);
	if (opt->family)
		put_str(list, "", opt->family == 4 ? "-4" : "-6");
	put_ports(list, "-L ", &opt->lports);
	put_ports(list, "-D ", &opt->rports);
}

static void put_cgroups(struct list *list, const struct cgroup_terms *t)
{
	if (t->under)
		put_str(list, "--cgroup ", t->under);
	if (t->unit)
		put_str(list, "--unit ", t->unit);
	if (t->container)
		put_str(list, "--container ", t->container);
}

/* Of listening sockets the kernel decides nothing about remote ends. */
static bool is_decided(const struct options *opt, unsigned int node)
{
	struct filter_bound bound;

	if (!filter_is_bound(&opt->filter, node))
		return false;
	bound = filter_bound_of(&opt->filter, node);
	return opt->command != CMD_LISTEN || !portset_is_all(&bound.lports) ||
	       !addrset_is_all(&bound.laddrs);
}

/* What has to be true together, from left to right. */
static void put_terms(struct list *list, const struct options *opt, unsigned int node, bool decided)
{
	const struct filter_node *n = &opt->filter.node[node];
	char buf[TEXT_SIZE];
	struct text t = text_into(buf, sizeof(buf));

	if (n->kind == FILTER_AND) {
		put_terms(list, opt, n->a, decided);
		put_terms(list, opt, n->b, decided);
		return;
	}
	if (n->kind == FILTER_ANY || is_decided(opt, node) != decided)
		return;
	filter_text(&opt->filter, node, &t);
	put(list, &t, buf);
}

/* Of the terms that the kernel does not decide alone, what it can tell all the same. */
static void put_bounds(struct list *list, const struct options *opt, unsigned int node)
{
	const struct filter_node *n = &opt->filter.node[node];
	struct filter_bound bound;

	if (n->kind == FILTER_AND) {
		put_bounds(list, opt, n->a);
		put_bounds(list, opt, n->b);
		return;
	}
	if (is_decided(opt, node))
		return;
	bound = filter_bound_of(&opt->filter, node);
	if (opt->command == CMD_LISTEN)
		bound = filter_bound_of_listeners(&bound);
	if (bound.family)
		put_str(list, "", bound.family == 4 ? "IPv4" : "IPv6");
	put_ports(list, "sport ", &bound.lports);
	put_ports(list, "dport ", &bound.rports);
	put_addrs(list, "src ", &bound.laddrs);
	put_addrs(list, "dst ", &bound.raddrs);
}

/* NULL: that of what user space decides. */
static const char *heading_of_cgroups(const struct options *opt, bool has_v1)
{
	if (sieve_is_for(opt, has_v1))
		return "User space decides once for each cgroup, and from then on the kernel:";
	if (has_v1 && sieve_is_for(opt, false))
		return "User space decides, since this host has cgroups of version 1:";
	return NULL;
}

void filter_explain(FILE *out, const struct options *opt, bool has_v1)
{
	struct list kernel = { .out = out, .heading = "The kernel decides:" };
	struct list user = { .out = out, .heading = "User space decides:" };
	struct list cgroups = { .out = out, .heading = heading_of_cgroups(opt, has_v1) };
	struct list most = { .out = out, .heading = "The kernel decides of that:" };
	const struct filter *f = &opt->filter;

	/* One list after the other: a line belongs to the heading above it. */
	put_flags(&kernel, opt);
	if (f->len)
		put_terms(&kernel, opt, f->len - 1, true);
	put_cgroups(cgroups.heading ? &cgroups : &user, &opt->cgroups);
	if (f->len) {
		put_terms(&user, opt, f->len - 1, false);
		put_bounds(&most, opt, f->len - 1);
	}
	if (!kernel.any && !cgroups.any && !user.any)
		fputs("There is nothing to decide: all is wanted.\n", out);
	if (opt->bound.nothing)
		fputs("Nothing can be all of that.\n", out);
}
