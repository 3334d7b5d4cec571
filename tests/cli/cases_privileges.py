# SPDX-License-Identifier: GPL-2.0-or-later
"""What is left of the privileges once it traces, and that it is enough."""

import os
import re

import namespaces
import traffic
from case import case, check, each, equal
from synfin import as_nobody

# include/uapi/linux/capability.h
_DAC_OVERRIDE, _DAC_READ_SEARCH, _SYS_PTRACE, _SYS_ADMIN = 1 << 1, 1 << 2, 1 << 19, 1 << 21
_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def _status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)


def _sets(pid):
    status = _status(pid)
    equal(status["NoNewPrivs"], "1", "NoNewPrivs")
    return {name: int(status[name], 16) for name in _SETS}


def _left(synfin, expected, *args, within=()):
    with synfin.trace(*args, within=within) as tracer:
        sets = _sets(tracer.process.pid)
        tracer.stop().expect(0)
    equal({name: hex(sets[name]) for name in ("CapPrm", "CapEff")},
          {"CapPrm": hex(expected), "CapEff": hex(expected)}, "what is left")
    equal([sets["CapInh"], sets["CapAmb"]], [0, 0], "what an execve() would inherit")
    if not within:      # to change the bounding set takes CAP_SETPCAP
        equal(sets["CapBnd"], 0, "the bounding set")


@case
def in_its_own_namespace_nothing_is_left(synfin):
    namespaces.own_network()
    each(lambda command: _left(synfin, 0, command, "-N", "self"), [("trace",), ("conns",), ("audit",)])


@case
def nothing_is_left_of_another_users_either(synfin):
    namespaces.own_network()
    _left(synfin, 0, "conns", "-N", "self", within=as_nobody("bpf", "perfmon"))


@case
def other_namespaces_leave_what_finds_and_enters_them(synfin):
    network = namespaces.own_network()
    os.symlink(network, synfin.path("link"))
    _left(synfin, _SYS_ADMIN | _DAC_READ_SEARCH, "conns", "-N", synfin.path("link"))
    _left(synfin, _SYS_ADMIN | _DAC_READ_SEARCH | _SYS_PTRACE, "conns", "-N", network)
    _left(synfin, _SYS_ADMIN | _DAC_READ_SEARCH | _SYS_PTRACE, "conns")
    _left(synfin, _SYS_ADMIN | _SYS_PTRACE, "audit")


@case
def a_textfile_leaves_what_writes_it_anywhere(synfin):
    namespaces.own_network()
    _left(synfin, 0, "export", "-N", "self", "--web.listen-address", "127.0.0.1:0")
    _left(synfin, _DAC_OVERRIDE, "export", "-N", "self", "--textfile", synfin.path("synfin.prom"))


@case
def metrics_by_cgroup_leave_what_finds_cgroups(synfin):
    network = namespaces.own_network()
    os.symlink(network, synfin.path("link"))
    export = "export", "-N", synfin.path("link"), "--web.listen-address", "127.0.0.1:0"
    _left(synfin, _SYS_ADMIN, *export)
    _left(synfin, _SYS_ADMIN | _DAC_READ_SEARCH, *export, "--metrics.group-by", "cgroup")


def _told_census_after_losses(synfin, *args, within=()):
    with synfin.trace("conns", "-v", "--ring-size", "4K", "-o", "json", *args, within=within) as tracer:
        traffic.storm(synfin, "-n", "2000")
        done = tracer.stop().expect(0)
    check(done.summary()["lost_ring"], "nothing was lost")
    equal(len(re.findall(r"the census of [a-z ]+ in 1 network namespaces took", done.stderr)), 2, "censuses")
    check("cannot be counted off" not in done.stderr, done.stderr)


@case
def losses_are_settled_without_privileges(synfin):
    namespaces.own_network()
    _told_census_after_losses(synfin, "-N", "self")
    _told_census_after_losses(synfin, "-N", "self", within=as_nobody("bpf", "perfmon"))
