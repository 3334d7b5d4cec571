// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cgroup.h"
#include "sample_events.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* As runtimes make them: sha256 in hex. */
#define ID	"3f2a9c8d1e2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5"
#define NODE	"d0c5e2b1a49382716050f0e0d0c0b0a0908070605040302010fedcba98765432"
#define DASHED	"2f9e3c6a-7b1d-4e52-9a0c-5d8f1e2b3c4d"
#define SCORED	"2f9e3c6a_7b1d_4e52_9a0c_5d8f1e2b3c4d"
#define MANIFEST "0123456789abcdef0123456789abcdef"

/* ---- layouts ---- */

/* NULL: there is none. */
static const struct layout {
	const char *whose, *path, *unit, *container_id, *pod_uid;
} layouts[] = {
	/* systemd: systemd.slice(5), file-hierarchy of a booted Debian 12 */
	{ "the root", "/", NULL, NULL, NULL },
	{ "PID 1", "/init.scope", "init.scope", NULL, NULL },
	{ "a service", "/system.slice/nginx.service", "nginx.service", NULL, NULL },
	{ "an instance of a template", "/system.slice/system-getty.slice/getty@tty1.service",
	  "getty@tty1.service", NULL, NULL },
	{ "an instance with an escaped name",
	  "/system.slice/system-openvpn.slice/openvpn@site\\x2da.service",
	  "openvpn@site\\x2da.service", NULL, NULL },
	{ "a login session", "/user.slice/user-1000.slice/session-3.scope", "session-3.scope",
	  NULL, NULL },
	{ "a user's manager", "/user.slice/user-1000.slice/user@1000.service/init.scope",
	  "init.scope", NULL, NULL },
	{ "a user's service",
	  "/user.slice/user-1000.slice/user@1000.service/app.slice/pipewire.service",
	  "pipewire.service", NULL, NULL },
	{ "a desktop application", "/user.slice/user-1000.slice/user@1000.service/app.slice/"
	  "app-gnome-firefox-4711.scope", "app-gnome-firefox-4711.scope", NULL, NULL },
	{ "a cgroup of a service's own", "/system.slice/docker.service/supervisor",
	  "docker.service", NULL, NULL },
	{ "a socket's command", "/system.slice/dbus.socket", "dbus.socket", NULL, NULL },
	{ "a mount helper", "/system.slice/srv-data.mount", "srv-data.mount", NULL, NULL },
	{ "a slice alone", "/user.slice/user-1000.slice", NULL, NULL, NULL },
	{ "a service that cgroupfs would take for a file", "/system.slice/_memory.service",
	  "memory.service", NULL, NULL },

	/* Docker: docs.docker.com/config/containers/runmetrics, dockerd(8) --cgroup-parent */
	{ "Docker, cgroupfs", "/docker/" ID, NULL, ID, NULL },
	{ "Docker, systemd", "/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID, NULL },
	{ "Docker, --cgroup-parent", "/actions_job/" ID, NULL, ID, NULL },
	{ "Docker, --cgroup-parent, systemd", "/ci.slice/ci-jobs.slice/docker-" ID ".scope",
	  "docker-" ID ".scope", ID, NULL },
	{ "Docker, rootless", "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID
	  ".scope", "docker-" ID ".scope", ID, NULL },
	{ "Docker, systemd in the container", "/docker/" ID "/system.slice/nginx.service",
	  "nginx.service", ID, NULL },
	{ "Docker in Docker", "/docker/" NODE "/docker/" ID, NULL, ID, NULL },
	{ "Amazon ECS on EC2", "/ecs/" MANIFEST "/" ID, NULL, ID, NULL },
	{ "Amazon ECS on EC2, cgroup v2", "/ecstasks.slice/ecstasks-" MANIFEST ".slice/docker-" ID
	  ".scope", "docker-" ID ".scope", ID, NULL },

	/* containerd's namespaces are directories */
	{ "nerdctl, cgroupfs", "/default/" ID, NULL, ID, NULL },
	{ "nerdctl, systemd", "/system.slice/nerdctl-" ID ".scope", "nerdctl-" ID ".scope", ID,
	  NULL },

	/* Podman: podman-run(1) --cgroups, libpod's cgroup manager */
	{ "Podman, systemd", "/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope",
	  ID, NULL },
	{ "Podman, before 4", "/machine.slice/libpod-" ID ".scope", "libpod-" ID ".scope", ID,
	  NULL },
	{ "Podman, cgroupfs", "/libpod_parent/libpod-" ID, NULL, ID, NULL },
	{ "Podman, rootless", "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
	  ".scope/container", "libpod-" ID ".scope", ID, NULL },
	{ "Podman, in a pod", "/machine.slice/machine-libpod_pod_" NODE ".slice/"
	  "libpod-" ID ".scope", "libpod-" ID ".scope", ID, NULL },
	{ "Podman, Quadlet", "/system.slice/web.service/libpod-payload-" ID, "web.service", ID,
	  NULL },
	{ "Podman's monitor", "/machine.slice/libpod-conmon-" ID ".scope",
	  "libpod-conmon-" ID ".scope", NULL, NULL },

	/* Kubernetes: kubelet's cm/cgroup_manager_linux.go, each runtime's CRI */
	{ "Kubernetes, cgroupfs, guaranteed", "/kubepods/pod" DASHED "/" ID, NULL, ID, DASHED },
	{ "Kubernetes, cgroupfs, burstable", "/kubepods/burstable/pod" DASHED "/" ID, NULL, ID,
	  DASHED },
	{ "Kubernetes, cgroupfs, best effort", "/kubepods/besteffort/pod" DASHED "/" ID, NULL, ID,
	  DASHED },
	{ "Kubernetes, cgroupfs, static pod", "/kubepods/burstable/pod" MANIFEST "/" ID, NULL, ID,
	  MANIFEST },
	{ "Kubernetes, cgroupfs, --cgroup-root", "/kubelet/kubepods/burstable/pod" DASHED "/" ID,
	  NULL, ID, DASHED },
	{ "containerd, systemd, guaranteed", "/kubepods.slice/kubepods-pod" SCORED ".slice/"
	  "cri-containerd-" ID ".scope", "cri-containerd-" ID ".scope", ID, DASHED },
	{ "containerd, systemd, burstable", "/kubepods.slice/kubepods-burstable.slice/"
	  "kubepods-burstable-pod" SCORED ".slice/cri-containerd-" ID ".scope",
	  "cri-containerd-" ID ".scope", ID, DASHED },
	{ "containerd, systemd, best effort", "/kubepods.slice/kubepods-besteffort.slice/"
	  "kubepods-besteffort-pod" SCORED ".slice/cri-containerd-" ID ".scope",
	  "cri-containerd-" ID ".scope", ID, DASHED },
	{ "containerd, systemd, static pod", "/kubepods.slice/kubepods-burstable.slice/"
	  "kubepods-burstable-pod" MANIFEST ".slice/cri-containerd-" ID ".scope",
	  "cri-containerd-" ID ".scope", ID, MANIFEST },
	{ "containerd without SystemdCgroup under a kubelet with it",
	  "/system.slice/containerd.service/kubepods-burstable-pod" SCORED ".slice:cri-containerd:"
	  ID, "containerd.service", ID, DASHED },
	{ "CRI-O, systemd", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" SCORED
	  ".slice/crio-" ID ".scope", "crio-" ID ".scope", ID, DASHED },
	{ "CRI-O, systemd, crun", "/kubepods.slice/kubepods-besteffort.slice/"
	  "kubepods-besteffort-pod" SCORED ".slice/crio-" ID ".scope/container",
	  "crio-" ID ".scope", ID, DASHED },
	{ "CRI-O, cgroupfs under a kubelet with systemd", "/kubepods-besteffort-pod" SCORED
	  ".slice:crio:" ID, NULL, ID, DASHED },
	{ "CRI-O, cgroupfs", "/kubepods/burstable/pod" DASHED "/crio-" ID, NULL, ID, DASHED },
	{ "CRI-O's monitor", "/kubepods.slice/kubepods-burstable.slice/"
	  "kubepods-burstable-pod" SCORED ".slice/crio-conmon-" ID ".scope",
	  "crio-conmon-" ID ".scope", NULL, DASHED },
	{ "Docker under Kubernetes, systemd", "/kubepods.slice/kubepods-pod" SCORED ".slice/docker-"
	  ID ".scope", "docker-" ID ".scope", ID, DASHED },
	{ "a pod alone", "/kubepods/burstable/pod" DASHED, NULL, NULL, DASHED },
	{ "a systemd container in a pod", "/kubepods.slice/kubepods-pod" SCORED ".slice/"
	  "cri-containerd-" ID ".scope/system.slice/sshd.service", "sshd.service", ID, DASHED },
	{ "Docker in a pod", "/kubepods/burstable/pod" DASHED "/" NODE "/docker/" ID, NULL, ID,
	  DASHED },
	{ "kind, cgroupfs", "/docker/" NODE "/kubelet/kubepods/burstable/pod" DASHED "/" ID, NULL,
	  ID, DASHED },
	{ "kind, systemd", "/system.slice/docker-" NODE ".scope/kubelet.slice/"
	  "kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod"
	  SCORED ".slice/cri-containerd-" ID ".scope", "cri-containerd-" ID ".scope", ID, DASHED },
	{ "the kubelet of kind", "/docker/" NODE "/kubelet.slice/kubelet.service",
	  "kubelet.service", NODE, NULL },
	{ "minikube in Docker", "/docker/" NODE "/kubepods.slice/kubepods-besteffort.slice/"
	  "kubepods-besteffort-pod" SCORED ".slice/docker-" ID ".scope", "docker-" ID ".scope", ID,
	  DASHED },

	/* LXC: lxc.container.conf(5), lxc.cgroup.dir; pct(1) of Proxmox VE */
	{ "LXC", "/lxc.payload.web", NULL, "web", NULL },
	{ "LXC, systemd in it", "/lxc.payload.web/system.slice/nginx.service", "nginx.service",
	  "web", NULL },
	{ "LXC 3", "/lxc.payload/web/init.scope", "init.scope", "web", NULL },
	{ "LXC 2", "/lxc/web", NULL, "web", NULL },
	{ "Proxmox VE", "/lxc/101/ns/system.slice/nginx.service", "nginx.service", "101", NULL },
	{ "LXC's monitor", "/lxc.monitor.web", NULL, NULL, NULL },
	{ "Docker in LXC", "/lxc.payload.web/docker/" ID, NULL, ID, NULL },

	/* systemd-nspawn(1), machinectl(1) */
	{ "nspawn as a service", "/machine.slice/systemd-nspawn@web.service/payload/system.slice/"
	  "nginx.service", "nginx.service", "web", NULL },
	{ "nspawn itself", "/machine.slice/systemd-nspawn@web.service/supervisor",
	  "systemd-nspawn@web.service", NULL, NULL },
	{ "nspawn from a shell", "/machine.slice/machine-web.scope/payload/init.scope",
	  "init.scope", "web", NULL },
	{ "a virtual machine", "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator",
	  "machine-qemu\\x2d1\\x2dweb.scope", NULL, NULL },
};

/* From memory of just its size: whoever reads or writes beyond is caught by ASan. */
static struct cgroup *parse(const char *path)
{
	struct cgroup *c = malloc(cgroup_size(path));

	assert_non_null(c);
	memset(c, 0xee, cgroup_size(path));
	cgroup_init(c, path);
	return c;
}

static void assert_part(const struct cgroup *c, struct cgroup_part part, const char *expected)
{
	char text[512] = {};

	if (!expected) {
		assert_int_equal(part.len, 0);
		return;
	}
	assert_in_range(part.len, 1, sizeof(text) - 1);
	memcpy(text, c->path + part.at, part.len);
	assert_string_equal(text, expected);
}

static void assert_layout(void **state)
{
	const struct layout *l = *state;
	struct cgroup *c = parse(l->path);

	assert_string_equal(c->path, l->path);
	assert_int_equal(c->path_len, strlen(l->path));
	assert_part(c, c->unit, l->unit);
	assert_part(c, c->container_id, l->container_id);
	assert_int_equal(c->id_is_hash, c->container_id.len == 64);
	assert_string_equal(c->pod_uid, l->pod_uid ? l->pod_uid : "");
	free(c);
}

/* ---- what only looks like it ---- */

static void assert_no_container(const char *path)
{
	struct cgroup *c = parse(path);

	assert_int_equal(c->container_id.len, 0);
	free(c);
}

static void a_name_that_only_resembles_a_containers_is_none(void **state)
{
	assert_no_container("/system.slice/docker-web.scope");
	assert_no_container("/system.slice/docker.service");
	assert_no_container("/system.slice/my-docker-" ID ".scope");
	assert_no_container("/system.slice/docker-" ID ".service");
	assert_no_container("/system.slice/docker-" ID);
	assert_no_container("/system.slice/docker-" ID "0.scope");
	assert_no_container("/system.slice/docker-" ID ".scope.d");
	assert_no_container("/system.slice/" ID ".scope");
	assert_no_container("/docker/" ID "0");
	assert_no_container("/docker/x" ID);
	assert_no_container("/docker");
	assert_no_container("/docker/web");
	assert_no_container("/kubepods/burstable/pod" DASHED "/web");
	assert_no_container("/a:docker:" ID);
	assert_no_container("/acri-containerd:" ID);
}

static void hashes_are_of_64_lower_case_digits(void **state)
{
	char path[] = "/docker/" ID;

	for (size_t i = strlen("/docker/"); i < strlen(path); i++) {
		char was = path[i];

		path[i] = 'A';
		assert_no_container(path);
		path[i] = 'g';
		assert_no_container(path);
		path[i] = was;
	}
	path[sizeof(path) - 2] = 0;
	assert_no_container(path);
}

static void lxcs_directories_are_at_the_root(void **state)
{
	assert_no_container("/system.slice/lxc/web");
	assert_no_container("/xlxc/web");
	assert_no_container("/lxc");
	assert_no_container("/lxc.payload");
	assert_no_container("/lxc.payload.");
	assert_no_container("/lxc.payloadx/web");
	assert_no_container("/lxc.payload.a b");
}

static void a_machine_has_a_payload(void **state)
{
	assert_no_container("/machine.slice/machine-web.scope");
	assert_no_container("/machine.slice/machine-web.scope/payload2");
	assert_no_container("/machine.slice/machine-.scope/payload");
	assert_no_container("/machine.slice/systemd-nspawn@.service/payload");
}

static void assert_no_pod(const char *path)
{
	struct cgroup *c = parse(path);

	assert_string_equal(c->pod_uid, "");
	free(c);
}

static void a_name_that_only_resembles_a_pods_is_none(void **state)
{
	assert_no_pod("/kubepods.slice/kubepods-burstable.slice");
	assert_no_pod("/kubepods.slice/kubepods-burstable-podweb.slice");
	assert_no_pod("/kubepods.slice/kubepods-burstable-pod.slice");
	assert_no_pod("/kubepods.slice/kubepods-burstable-pod" SCORED ".scope");
	assert_no_pod("/kubepods.slice/kubepods-other-pod" SCORED ".slice");
	assert_no_pod("/kubepods.slice/kubepods-burstable-pod" SCORED "0.slice");
	assert_no_pod("/mykubepods-burstable-pod" SCORED ".slice");
	assert_no_pod("/kubepods/burstable/pod2F9E3C6A-7B1D-4E52-9A0C-5D8F1E2B3C4D");
	assert_no_pod("/kubepods/burstable/pod2f9e3c6a.7b1d.4e52.9a0c.5d8f1e2b3c4d");
	assert_no_pod("/kubepods/other/pod" DASHED);
	assert_no_pod("/system.slice/burstable/pod" DASHED);
	assert_no_pod("/pod" DASHED);
	assert_no_pod("/kubepods/pod");
	assert_no_pod("/kubepods/po");
}

static void assert_no_unit(const char *path)
{
	struct cgroup *c = parse(path);

	assert_int_equal(c->unit.len, 0);
	free(c);
}

static void a_name_that_only_resembles_a_units_is_none(void **state)
{
	char longest[300] = "/";

	assert_no_unit("/nginx");
	assert_no_unit("/.service");
	assert_no_unit("/_.service");
	assert_no_unit("/nginx.service.d");
	assert_no_unit("/nginx.Service");
	assert_no_unit("/getty@.service");
	assert_no_unit("/@tty1.service");
	assert_no_unit("/a b.service");
	assert_no_unit("/a\033[31m.service");
	assert_no_unit("/\xff.service");
	assert_no_unit("/backup.timer");
	memset(longest + 1, 'a', 255);
	memcpy(longest + 1 + 247, ".service", sizeof(".service"));
	free(parse(longest));
	memmove(longest + 2, longest + 1, 256);
	assert_no_unit(longest);
}

/* ---- what is asked for ---- */

static bool is_under(const char *path, const char *asked)
{
	struct cgroup *c = parse(path);
	bool ret = cgroup_is_under(c, asked);

	free(c);
	return ret;
}

static void a_path_is_asked_for_by_whole_directories(void **state)
{
	assert_true(is_under("/system.slice/nginx.service", "/"));
	assert_true(is_under("/system.slice/nginx.service", "/system.slice"));
	assert_true(is_under("/system.slice/nginx.service", "/system.slice/"));
	assert_true(is_under("/system.slice/nginx.service", "/system.slice/nginx.service"));
	assert_true(is_under("/system.slice/nginx.service", "/system.slice/nginx.service//"));
	assert_false(is_under("/system.slice/nginx.service", "/system.slice/nginx"));
	assert_false(is_under("/system.slice/nginx.service", "/system"));
	assert_false(is_under("/system.slice/nginx.service", "/system.slice/nginx.service/x"));
	assert_false(is_under("/system.slice", "/system.slice2"));
	assert_true(is_under("/", "/"));
	assert_false(is_under("/", "/a"));
}

static bool has_unit(const char *path, const char *asked)
{
	struct cgroup *c = parse(path);
	bool ret = cgroup_has_unit(c, asked);

	free(c);
	return ret;
}

static void a_unit_is_asked_for_with_its_type_or_without(void **state)
{
	assert_true(has_unit("/system.slice/nginx.service", "nginx.service"));
	assert_true(has_unit("/system.slice/nginx.service", "nginx"));
	assert_true(has_unit("/system.slice/nginx.service/worker", "nginx"));
	assert_false(has_unit("/system.slice/nginx.service", "nginx.scope"));
	assert_false(has_unit("/system.slice/nginx.service", "ngin"));
	assert_false(has_unit("/system.slice/nginx.service", "nginx."));
	assert_false(has_unit("/system.slice/nginx.service", "xnginx"));
	assert_false(has_unit("/system.slice/nginx.service", ""));
	assert_true(has_unit("/user.slice/session-3.scope", "session-3.scope"));
	assert_false(has_unit("/user.slice/session-3.scope", "session-3"));
	assert_false(has_unit("/docker", "docker"));
}

static bool has_container(const char *path, const char *asked)
{
	struct cgroup *c = parse(path);
	bool ret = cgroup_has_container(c, asked);

	free(c);
	return ret;
}

static void a_container_is_asked_for_by_the_beginning_of_its_id(void **state)
{
	assert_true(has_container("/docker/" ID, ID));
	assert_true(has_container("/docker/" ID, "3f2a9c8d1e2b"));
	assert_true(has_container("/docker/" ID, "3f2a"));
	assert_false(has_container("/docker/" ID, "3f2"));
	assert_false(has_container("/docker/" ID, ""));
	assert_false(has_container("/docker/" ID, "3f2b"));
	assert_false(has_container("/docker/" ID, "f2a9"));
	assert_false(has_container("/docker/" ID, ID "0"));
	assert_false(has_container("/system.slice", "3f2a"));
}

static void and_by_the_whole_of_its_name(void **state)
{
	assert_true(has_container("/lxc/101", "101"));
	assert_false(has_container("/lxc/1011", "101"));
	assert_false(has_container("/lxc.payload.web-10", "web-1"));
	assert_true(has_container("/lxc.payload.web-10", "web-10"));
}

static void what_is_not_known_is_not_what_is_asked_for(void **state)
{
	assert_false(cgroup_is_under(NULL, "/"));
	assert_false(cgroup_has_unit(NULL, "nginx"));
	assert_false(cgroup_has_container(NULL, ID));
}

static void only_what_there_can_be_may_be_asked_for(void **state)
{
	static const char *const bad_paths[] = {
		"", "a", "./a", "/a//b", "/a/./b", "/..", "/a/../b", "//a",
	};
	static const char *const bad_units[] = {
		"", ".service", "a b", "a/b", "x.slice", "x.target", "x.timer", "foo@",
		"foo@.service", "@a", "\033",
	};
	static const char *const good_units[] = {
		"nginx", "nginx.service", "getty@tty1", "a.b", "session-3.scope", "dbus.socket",
		"a\\x2db.service",
	};
	char longest[257] = "/";

	for (size_t i = 0; i < ARRAY_SIZE(bad_paths); i++)
		assert_false(cgroup_may_be_path(bad_paths[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad_units); i++)
		assert_false(cgroup_may_be_unit(bad_units[i]));
	for (size_t i = 0; i < ARRAY_SIZE(good_units); i++)
		assert_true(cgroup_may_be_unit(good_units[i]));
	assert_true(cgroup_may_be_path("/"));
	assert_true(cgroup_may_be_path("/a/"));
	assert_true(cgroup_may_be_path("/\xff b"));
	memset(longest + 1, 'a', 255);
	assert_true(cgroup_may_be_path(longest));
	assert_false(cgroup_may_be_unit(longest + 1));
	assert_true(cgroup_may_be_container(longest + 1));
	longest[0] = 'a';
	assert_false(cgroup_may_be_container(longest));
	assert_false(cgroup_may_be_container(""));
	assert_false(cgroup_may_be_container("a b"));
	assert_true(cgroup_may_be_unit(longest + 9));
	assert_false(cgroup_may_be_unit(longest + 8));
}

/* ---- whatever somebody calls a directory ---- */

static void a_path_of_any_bytes_is_kept_as_it_is(void **state)
{
	static const char *const paths[] = {
		"", "/", "//", "/a//b/", "a", "/\033]0;x\007", "/a\nb", "/\xc3\x28/\xff", "/..",
		"/./docker/../" ID,
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct cgroup *c = parse(paths[i]);

		assert_string_equal(c->path, paths[i]);
		free(c);
	}
}

static void a_path_as_long_as_the_kernels_is_understood(void **state)
{
	char path[4096] = "/docker/" ID;
	struct cgroup *c;

	while (strlen(path) + 2 < sizeof(path))
		strcat(path, "/a");
	c = parse(path);
	assert_part(c, c->container_id, ID);
	free(c);
}

/* Of the pieces that mean something, in any order. */
static void any_mixture_is_understood_within_its_bounds(void **state)
{
	static const char *const pieces[] = {
		"/", "-", ".", ":", "_", "@", "pod", "kubepods", "kubepods-", "burstable", ".slice",
		".scope", ".service", "docker", "docker-", "crio-", "libpod-", ID, DASHED, SCORED,
		MANIFEST, "lxc.payload.", "lxc", "machine-", "payload", "systemd-nspawn@",
		":cri-containerd:", "\xff", "a",
	};
	uint64_t seed = 1;

	for (int i = 0; i < 100000; i++) {
		char path[1024] = "/";
		struct cgroup *c;

		for (unsigned int n = random_below(&seed, 12); n; n--)
			strcat(path, pieces[random_below(&seed, sizeof(pieces) / sizeof(*pieces))]);
		c = parse(path);
		assert_in_range(c->unit.at + c->unit.len, 0, strlen(path));
		assert_in_range(c->container_id.at + c->container_id.len, 0, strlen(path));
		assert_true(memchr(c->pod_uid, 0, sizeof(c->pod_uid)));
		assert_null(memchr(path + c->unit.at, '/', c->unit.len));
		assert_null(memchr(path + c->container_id.at, '/', c->container_id.len));
		free(c);
	}
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(a_name_that_only_resembles_a_containers_is_none),
		cmocka_unit_test(hashes_are_of_64_lower_case_digits),
		cmocka_unit_test(lxcs_directories_are_at_the_root),
		cmocka_unit_test(a_machine_has_a_payload),
		cmocka_unit_test(a_name_that_only_resembles_a_pods_is_none),
		cmocka_unit_test(a_name_that_only_resembles_a_units_is_none),
		cmocka_unit_test(a_path_is_asked_for_by_whole_directories),
		cmocka_unit_test(a_unit_is_asked_for_with_its_type_or_without),
		cmocka_unit_test(a_container_is_asked_for_by_the_beginning_of_its_id),
		cmocka_unit_test(and_by_the_whole_of_its_name),
		cmocka_unit_test(what_is_not_known_is_not_what_is_asked_for),
		cmocka_unit_test(only_what_there_can_be_may_be_asked_for),
		cmocka_unit_test(a_path_of_any_bytes_is_kept_as_it_is),
		cmocka_unit_test(a_path_as_long_as_the_kernels_is_understood),
		cmocka_unit_test(any_mixture_is_understood_within_its_bounds),
	};
	static struct CMUnitTest tests[ARRAY_SIZE(layouts) + ARRAY_SIZE(others)];

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		tests[i] = (struct CMUnitTest){ layouts[i].whose, assert_layout, NULL, NULL,
						(void *)&layouts[i] };
	memcpy(tests + ARRAY_SIZE(layouts), others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
