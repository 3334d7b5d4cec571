# SPDX-License-Identifier: GPL-2.0-or-later
"""Without the rights, without BTF, and with a namespace that is none."""

import os

import namespaces
import traffic
from case import case, each, equal
from synfin import as_nobody

def _not_permitted(done, *words):
    equal(done.error(3, *words).stdout, b"", "stdout")


@case
def without_rights_it_names_the_first_capability(synfin):
    for command in "trace", "conns":
        _not_permitted(synfin.run(command, within=as_nobody()), "CAP_BPF")


@case
def with_one_capability_it_names_the_other(synfin):
    _not_permitted(synfin.run(within=as_nobody("bpf")), "CAP_PERFMON is missing")
    _not_permitted(synfin.run(within=as_nobody("perfmon")), "CAP_BPF is missing")


@case
def root_without_capabilities_is_not_permitted(synfin):
    _not_permitted(synfin.run(within=["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]), "CAP_BPF")


@case
def root_in_a_user_namespace_is_not_permitted(synfin):
    """Its capabilities are worth nothing outside, and the message says which are needed."""
    _not_permitted(synfin.run(within=["unshare", "-Ur"]), "CAP_BPF")


@case
def two_capabilities_are_enough(synfin):
    namespaces.own_network()
    with synfin.trace("-o", "json", "-N", "self", within=as_nobody("bpf", "perfmon")) as tracer:
        traffic.refuse(7001)
        done = tracer.stop().expect(0).quiet()
    equal([(one["old"], one["new"]) for one in done.events("state")],
          [("close", "syn_sent"), ("syn_sent", "close")], "transitions")
    equal(done.events("state")[0].get("pid"), os.getpid(), "pid")


@case
def a_namespace_that_must_not_be_opened_names_the_capability(synfin):
    done = synfin.run("-N", "pid:1", within=as_nobody("bpf", "perfmon"))
    _not_permitted(done, "pid:1", "CAP_SYS_PTRACE")


@case
def a_kernel_without_btf_is_told(synfin):
    namespaces.mount_tmpfs("/sys/kernel/btf")
    equal(synfin.run().error(4, "BTF", "CONFIG_DEBUG_INFO_BTF").stdout, b"", "stdout")


@case
def a_namespace_that_does_not_exist_is_told(synfin):
    def told(name, *words):
        equal(synfin.run("-N", name).error(1, name, *words).stdout, b"", "stdout")

    each(told, [
        ("nosuch", "/run/netns/nosuch", "No such file"), ("pid:1x", "process number"), ("pid:", "process number"),
        ("pid:-1", "process number"), ("pid:0", "process number"), ("pid:99999999999999999999", "process number"),
        ("pid:999999999", "No such"), ("/etc/passwd", "no network namespace"), ("/", "no network namespace"),
        ("/proc/self/ns/mnt", "no network namespace"), (synfin.path("missing"), "No such file"),
        (os.path.relpath("/etc/passwd"), "no network namespace"),
    ])


@case
def a_namespaces_path_that_is_too_long_is_not_what_it_begins_with(synfin):
    for command in "trace", "timewait", "audit", "export":
        done = synfin.run(command, "-N", "/proc/self/ns/net".rjust(4095, "/") + "x")
        equal(done.error(1, "-N", "4096 bytes is too long").stdout, b"", "stdout")


def _traces(synfin, name, network):
    with synfin.trace("-o", "json", "-N", name) as tracer:
        traffic.refuse(7001)
        done = tracer.stop().expect(0).quiet()
    equal([one["netns"] for one in done.events("state")], [namespaces.inode(network)] * 2, "netns of the transitions")


@case
def a_namespace_may_be_given_in_every_way(synfin):
    network = namespaces.own_network()
    os.symlink(network, synfin.path("link"))
    each(lambda name: _traces(synfin, name, network),
         [("self",), (network,), (f"pid:{os.getpid()}",), (synfin.path("link"),)])


@case
def a_namespaces_path_may_be_long(synfin):
    network, deep = namespaces.own_network(), synfin.path("/".join(["d" * 100] * 4))
    os.makedirs(deep)
    os.symlink(network, f"{deep}/net")
    _traces(synfin, f"{deep}/net", network)
