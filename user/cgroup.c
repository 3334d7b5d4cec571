// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup.h"

#include <string.h>

#define HASH_LEN	64
#define NAME_LEN	255	/* of a directory, at most */
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

size_t cgroup_size(const char *path)
{
	return sizeof(struct cgroup) + strlen(path) + 1;
}

/* ---- components ---- */

struct component {
	const char *at;
	size_t len;
};

/* The one above; the first has none. */
static bool go_up(const char *path, struct component *c)
{
	const char *end = c->at;

	while (end > path && end[-1] == '/')
		end--;
	c->at = end;
	while (c->at > path && c->at[-1] != '/')
		c->at--;
	c->len = end - c->at;
	return c->len;
}

static bool is(const struct component *c, const char *text)
{
	return c->len == strlen(text) && !memcmp(c->at, text, c->len);
}

static bool ends_with(const struct component *c, const char *text)
{
	size_t len = strlen(text);

	return c->len >= len && !memcmp(c->at + c->len - len, text, len);
}

static bool begins_with(const struct component *c, const char *text)
{
	size_t len = strlen(text);

	return c->len >= len && !memcmp(c->at, text, len);
}

static void cut_front(struct component *c, size_t len)
{
	c->at += len;
	c->len -= len;
}

/* ---- characters ---- */

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f'))
			return false;
	}
	return true;
}

/* Of units, machines and LXC containers. */
static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'z') &&
		    !(text[i] >= 'A' && text[i] <= 'Z') && !memchr(":-_.\\@", text[i], 6))
			return false;
	}
	return len;
}

/* ---- units ---- */

/* Those that have processes of their own, and those that have none. */
static const char *const unit_types[] = { ".service", ".scope", ".socket", ".mount", ".swap" };
static const char *const other_types[] = {
	".slice", ".target", ".timer", ".path", ".device", ".automount",
};

#define SERVICE	0	/* what a name without a type is */

static bool has_type(const struct component *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(unit_types); i++) {
		if (ends_with(c, unit_types[i]))
			return true;
	}
	return false;
}

/* A template is no unit: it has to have an instance. */
static bool has_instance(const struct component *name)
{
	const char *at = memchr(name->at, '@', name->len);

	return !at || (at > name->at && at + 1 < name->at + name->len);
}

static bool is_unit(const struct component *c)
{
	struct component name = *c;

	if (!has_type(c) || c->len > NAME_LEN)
		return false;
	while (name.at[--name.len] != '.')	/* where the type begins */
		;
	return is_name(name.at, name.len) && has_instance(&name);
}

/* systemd puts a _ in front of what cgroupfs would take for a file, and of what has one. */
static void find_unit(const char *path, struct component c, struct cgroup *ret)
{
	if (begins_with(&c, "_"))
		cut_front(&c, 1);
	if (is_unit(&c))
		ret->unit = (struct cgroup_part){ c.at - path, c.len };
}

/* ---- containers ---- */

enum form { HASH, NAME };

/*
 * A directory PREFIX id SUFFIX, in `parent` (NULL: anywhere; else its whole path)
 * and with `child` on the way (NULL: anything, or nothing).  A prefix that begins
 * with * may have anything in front.
 */
static const struct pattern {
	const char *parent, *prefix;
	enum form form;
	const char *suffix, *child;
} patterns[] = {
	/* systemd makes the cgroup, as a scope */
	{ NULL, "docker-", HASH, ".scope", NULL },
	{ NULL, "cri-containerd-", HASH, ".scope", NULL },
	{ NULL, "crio-", HASH, ".scope", NULL },
	{ NULL, "libpod-", HASH, ".scope", NULL },	/* Podman */
	{ NULL, "nerdctl-", HASH, ".scope", NULL },
	/* the runtime does: docker/, kubepods/podUID/, libpod_parent/, what --cgroup-parent says */
	{ NULL, "", HASH, "", NULL },
	{ NULL, "crio-", HASH, "", NULL },
	{ NULL, "libpod-", HASH, "", NULL },
	{ NULL, "libpod-payload-", HASH, "", NULL },	/* --cgroups=split, Quadlet */
	/* it makes by itself what it was told to ask systemd for: slice:prefix:id */
	{ NULL, "*:cri-containerd:", HASH, "", NULL },
	{ NULL, "*:crio:", HASH, "", NULL },
	/* LXC and Incus; before LXC 4; Proxmox */
	{ NULL, "lxc.payload.", NAME, "", NULL },
	{ "/lxc.payload", "", NAME, "", NULL },
	{ "/lxc", "", NAME, "", NULL },
	/* systemd-nspawn, whose own process is beside its payload; so virtual machines are none */
	{ NULL, "machine-", NAME, ".scope", "payload" },
	{ NULL, "systemd-nspawn@", NAME, ".service", "payload" },
};

static bool has_form(enum form form, const struct component *id)
{
	return form == NAME ? is_name(id->at, id->len) && id->len <= NAME_LEN :
			      id->len == HASH_LEN && is_hex(id->at, id->len);
}

/* Of a component its id, if it has this pattern. */
static bool cut_id(const struct pattern *p, const struct component *c, struct component *id)
{
	struct component front = *c;

	*id = *c;
	if (!ends_with(c, p->suffix))
		return false;
	id->len -= strlen(p->suffix);
	if (*p->prefix == '*') {
		front.len = id->len > HASH_LEN ? id->len - HASH_LEN : 0;
		cut_front(id, front.len);
		return ends_with(&front, p->prefix + 1) && has_form(p->form, id);
	}
	if (!begins_with(id, p->prefix))
		return false;
	cut_front(id, strlen(p->prefix));
	return has_form(p->form, id);
}

static bool is_in(const char *path, const struct component *c, const char *parent)
{
	size_t len = strlen(parent);

	return (size_t)(c->at - path) == len + 1 && !memcmp(path, parent, len);
}

static void find_container(const char *path, const struct component *c,
			   const struct component *child, struct cgroup *ret)
{
	struct component id;

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		const struct pattern *p = &patterns[i];

		if ((p->parent && !is_in(path, c, p->parent)) ||
		    (p->child && !is(child, p->child)) || !cut_id(p, c, &id))
			continue;
		ret->container_id = (struct cgroup_part){ id.at - path, id.len };
		ret->id_is_hash = p->form == HASH;
		return;
	}
}

/* ---- pods ---- */

/* With dashes, or with underscores where a slice's name has dashes for slashes. */
static bool is_uuid(const struct component *c)
{
	for (size_t i = 0; i < c->len; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (c->at[i] != '-' && c->at[i] != '_')
				return false;
		} else if (!is_hex(c->at + i, 1)) {
			return false;
		}
	}
	return c->len == 36;
}

/* What follows "pod".  Of a static pod it is a hash of its manifest. */
static bool keep_uid(const struct component *uid, struct cgroup *ret)
{
	if (!is_uuid(uid) && !(uid->len == 32 && is_hex(uid->at, uid->len)))
		return false;
	for (size_t i = 0; i < uid->len; i++)
		ret->pod_uid[i] = uid->at[i] == '_' ? '-' : uid->at[i];
	return true;
}

/* kubepods-burstable-podUID.slice; what is above it stands in front: kubelet-kubepods-... */
static bool find_pod_slice(const struct component *c, struct cgroup *ret)
{
	static const char *const prefixes[] = {
		"kubepods-pod", "kubepods-burstable-pod", "kubepods-besteffort-pod",
	};
	const char *colon = memchr(c->at, ':', c->len);	/* ...slice:cri-containerd:ID */
	struct component name = { c->at, colon ? (size_t)(colon - c->at) : c->len };
	const char *dash;

	if (!ends_with(&name, ".slice"))
		return false;
	name.len -= strlen(".slice");
	while (!begins_with(&name, "kubepods-")) {
		dash = memchr(name.at, '-', name.len);
		if (!dash)
			return false;
		cut_front(&name, dash + 1 - name.at);
	}
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!begins_with(&name, prefixes[i]))
			continue;
		cut_front(&name, strlen(prefixes[i]));
		return keep_uid(&name, ret);
	}
	return false;
}

/* kubepods/podUID, kubepods/burstable/podUID */
static bool find_pod_directory(const char *path, const struct component *c, struct cgroup *ret)
{
	struct component uid = *c, above = *c;

	if (!begins_with(c, "pod") || !go_up(path, &above))
		return false;
	cut_front(&uid, strlen("pod"));
	if ((is(&above, "burstable") || is(&above, "besteffort")) && !go_up(path, &above))
		return false;
	return is(&above, "kubepods") && keep_uid(&uid, ret);
}

/* ---- the path ---- */

/* From the innermost directory up: the first of each kind is the one. */
void cgroup_init(struct cgroup *ret, const char *path)
{
	size_t len = strlen(path);
	struct component c, child = { path, 0 };

	*ret = (struct cgroup){ .path_len = len };
	memcpy(ret->path, path, len + 1);
	path = ret->path;
	for (c = (struct component){ path + len, 0 }; go_up(path, &c); child = c) {
		if (!ret->unit.len)
			find_unit(path, c, ret);
		if (!ret->container_id.len)
			find_container(path, &c, &child, ret);
		if (!ret->pod_uid[0] && !find_pod_slice(&c, ret))
			find_pod_directory(path, &c, ret);
	}
}

/* ---- what is asked for ---- */

static size_t without_slashes(const char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	return len;
}

bool cgroup_is_under(const struct cgroup *c, const char *path)
{
	size_t len = without_slashes(path);

	return c && c->path_len >= len && !memcmp(c->path, path, len) &&
	       (!c->path[len] || c->path[len] == '/');
}

static struct component part_of(const struct cgroup *c, struct cgroup_part part)
{
	return (struct component){ c->path + part.at, part.len };
}

bool cgroup_has_unit(const struct cgroup *c, const char *name)
{
	struct component unit;

	if (!c || !c->unit.len)
		return false;
	unit = part_of(c, c->unit);
	if (is(&unit, name))
		return true;
	if (!ends_with(&unit, unit_types[SERVICE]))
		return false;
	unit.len -= strlen(unit_types[SERVICE]);
	return is(&unit, name);
}

bool cgroup_has_container(const struct cgroup *c, const char *id)
{
	struct component own;

	if (!c || !c->container_id.len)
		return false;
	own = part_of(c, c->container_id);
	if (!c->id_is_hash)
		return is(&own, id);
	return strlen(id) >= CGROUP_ID_LEAST && begins_with(&own, id);
}

bool cgroup_terms_any(const struct cgroup_terms *t)
{
	return t->under || t->unit || t->container;
}

bool cgroup_satisfies(const struct cgroup *c, const struct cgroup_terms *t)
{
	return (!t->under || cgroup_is_under(c, t->under)) &&
	       (!t->unit || cgroup_has_unit(c, t->unit)) &&
	       (!t->container || cgroup_has_container(c, t->container));
}

bool cgroup_may_be_path(const char *path)
{
	size_t len = without_slashes(path);
	struct component c = { path + len, 0 };

	if (*path != '/')
		return false;
	for (size_t i = 0; i + 1 < len; i++) {
		if (path[i] == '/' && path[i + 1] == '/')
			return false;
	}
	while (go_up(path, &c)) {
		if (is(&c, ".") || is(&c, "..") || c.len > NAME_LEN)
			return false;
	}
	return true;
}

bool cgroup_may_be_unit(const char *name)
{
	struct component unit = { name, strlen(name) };

	if (is_unit(&unit))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(other_types); i++) {
		if (ends_with(&unit, other_types[i]))
			return false;
	}
	return is_name(unit.at, unit.len) && has_instance(&unit) && !has_type(&unit) &&
	       unit.len + strlen(unit_types[SERVICE]) <= NAME_LEN;
}

bool cgroup_may_be_container(const char *id)
{
	size_t len = strlen(id);

	return is_name(id, len) && len <= NAME_LEN;
}
