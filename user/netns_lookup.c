// SPDX-License-Identifier: GPL-2.0-or-later
#include "netns_lookup.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

#define DIRECTORY	"/run/netns"

/* A host with more has namespaces that nobody knows by their names. */
#define NAMES_MAX	4096

struct named {
	uint32_t inode;
	char name[NAME_MAX + 1];
};

/* By inode, each once; a namespace with several names goes by the first. */
struct list {
	struct named *at;
	unsigned int nr, size;
	struct timespec changed;	/* the directory, before it was read */
	bool unsettled;		/* it has files that are no namespace, yet or any more */
};

struct netns_lookup {
	struct list list;
};

static void list_deinit(struct list *list)
{
	free(list->at);
}

static int by_inode_and_name(const void *left, const void *right)
{
	const struct named *a = left, *b = right;

	return a->inode != b->inode ? (a->inode > b->inode ? 1 : -1) : strcmp(a->name, b->name);
}

static const struct named *find(const struct list *list, uint32_t inode)
{
	unsigned int lo = 0, hi = list->nr;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (list->at[mid].inode < inode)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < list->nr && list->at[lo].inode == inode ? &list->at[lo] : NULL;
}

static int add(struct list *list, uint32_t inode, const char *name)
{
	if (list->nr == list->size) {
		unsigned int size = list->size ? 2 * list->size : 16;
		struct named *at = reallocarray(list->at, size, sizeof(*at));

		if (!at)
			return -ENOMEM;
		list->at = at;
		list->size = size;
	}
	list->at[list->nr].inode = inode;
	snprintf(list->at[list->nr++].name, sizeof(list->at->name), "%s", name);
	return 0;
}

static void sort(struct list *list)
{
	unsigned int nr = 0;

	if (list->nr)
		qsort(list->at, list->nr, sizeof(*list->at), by_inode_and_name);
	for (unsigned int i = 0; i < list->nr; i++) {
		if (!nr || list->at[nr - 1].inode != list->at[i].inode)
			list->at[nr++] = list->at[i];
	}
	list->nr = nr;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* A name is made as a file first, which its namespace is then mounted on. */
static int read_names(struct list *list)
{
	CLEANUP(closedirp) DIR *dir = opendir(DIRECTORY);
	const struct dirent *entry;
	struct stat nsfs, st;
	int err = 0;

	if (!dir || stat("/proc/self/ns/net", &nsfs))
		return 0;
	while (!err && list->nr < NAMES_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0))
			continue;
		if (st.st_dev == nsfs.st_dev)
			err = add(list, st.st_ino, entry->d_name);
		else
			list->unsettled = true;
	}
	sort(list);
	return err;
}

static void tell_changes(const struct list *old, const struct list *new, netns_named_fn changed,
			 void *ctx)
{
	for (unsigned int i = 0; i < old->nr; i++) {
		if (!find(new, old->at[i].inode))
			changed(ctx, old->at[i].inode, "");
	}
	for (unsigned int i = 0; i < new->nr; i++) {
		const struct named *before = find(old, new->at[i].inode);

		if (!before || strcmp(before->name, new->at[i].name))
			changed(ctx, new->at[i].inode, new->at[i].name);
	}
}

void netns_lookup_refresh(struct netns_lookup *l, netns_named_fn changed, void *ctx)
{
	CLEANUP(list_deinit) struct list old = {};
	struct list new = {};
	struct stat st = {};	/* all zero: there is no such directory */

	if (stat(DIRECTORY, &st))
		st = (struct stat){};
	if (!l->list.unsettled && st.st_mtim.tv_sec == l->list.changed.tv_sec &&
	    st.st_mtim.tv_nsec == l->list.changed.tv_nsec)
		return;
	new.changed = st.st_mtim;
	if (read_names(&new)) {
		list_deinit(&new);
		return;
	}
	old = l->list;
	l->list = new;
	tell_changes(&old, &new, changed, ctx);
}

const char *netns_lookup_name(const struct netns_lookup *l, uint32_t inode)
{
	const struct named *found = find(&l->list, inode);

	return found ? found->name : "";
}

int netns_lookup_open(struct netns_lookup **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void netns_lookup_close(struct netns_lookup *l)
{
	if (!l)
		return;
	list_deinit(&l->list);
	free(l);
}
