# SPDX-License-Identifier: GPL-2.0-or-later
"""Families that are there only if they are asked for: of single addresses and ports, and by cgroup."""

import os
import time

import cgroup1
from cgroup2 import Tree
from exporter import Exporter, Netns
from traffic import Traffic, sysctl

OPT_IN = ("synfin_time_wait_remote_sockets", "synfin_time_wait_local_sockets", "synfin_ephemeral_port_usage_ratio", "synfin_cgroup_")


def family(exporter, name):
    """Values of the labels, in the order of the labels' names -> value."""
    return {tuple(value for _, value in sorted(labels)): value
            for (found, labels), value in exporter.metrics().items() if found == name}


def until(wrong, seconds=15):
    """What is wrong, although a census had time to come."""
    deadline = time.monotonic() + seconds
    while (ret := wrong()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return ret


def only_if_asked_for():
    """no family of addresses or cgroups is there unless it is asked for"""
    with Netns("plain") as netns, Exporter("-N", netns) as exporter:
        text = exporter.get()[2].decode()
        yield from (f"there is {name}" for name in OPT_IN if name in text)


def top_k():
    """--metrics.top-k tells who has most in TIME_WAIT, and the fullest port spaces, and the rest together"""
    with Netns("top") as netns, Traffic(netns) as traffic, Exporter("-N", netns, "--metrics.top-k", "1") as exporter:
        def differs(remotes, lports, spaces):
            home, found = "127.0.0.1", [family(exporter, name) for name in OPT_IN[:3]]
            expected = [{(home if port != "other" else "other", port): n for port, n in remotes.items()},
                        {(port,): n for port, n in lports.items()},
                        {(home, home, port): ratio for port, ratio in spaces.items()}]
            return [f"{found}, not {expected}"] if found != expected else []

        sysctl(netns, ip_local_port_range="40000 40099", tcp_tw_reuse=0)
        traffic.do("a, b, c, d = [serve(port=port) for port in (5001, 5002, 5003, 5004)]")
        traffic.do("close_first(a, 6); close_first(b, 4); close_first(c, 2); close_first(d, 5, 1)")
        yield from until(lambda: differs({"5001": 6, "other": 11}, {"5004": 5, "other": 12}, {"5001": 0.06}))
        traffic.do("close_first(b, 5)")     # 5001 is still among twice as many
        yield from until(lambda: differs({"5001": 6, "5002": 9, "other": 7}, {"5004": 5, "other": 17},
                                         {"5001": 0.06, "5002": 0.09}))
        traffic.do("close_first(c, 8)")     # and now it is not
        yield from until(lambda: differs({"5002": 9, "5003": 10, "other": 11}, {"5004": 5, "other": 25},
                                         {"5002": 0.09, "5003": 0.1}))


ID = "3f2a9c8d1e2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5"
_DOCKER = f"docker-{ID}.scope"


def move(traffic, tree, name):
    """Its sockets are made there from now on. The cgroup's id."""
    directory = tree.make(name)
    procs = os.open("cgroup.procs", os.O_WRONLY, dir_fd=directory)
    os.write(procs, str(traffic.process.pid).encode())
    os.close(procs)
    ret = os.fstat(directory).st_ino
    os.close(directory)
    return str(ret)


def total(values):
    return sum(values.values())


def told_of(exporter, web, docker):
    """Where what is told of the two cgroups is not what was made."""
    found = [family(exporter, f"synfin_cgroup_{name}") for name in ("sockets", "handshake_failures_total")]
    expected = [{(web, "listen"): 2, (web, "established"): 8, (docker, "established"): 2,
                 (docker, "syn_sent"): 2}, {(docker, "refused"): 1}]
    if [{key: n for key, n in one.items() if n} for one in found] != expected:
        yield f"{found}, not {expected}"
    again = family(exporter, "synfin_cgroup_retransmits_total")
    all_of_them = family(exporter, "synfin_retransmits_total")
    if not again.get((docker,)) or abs(total(again) - total(all_of_them)) > 1:  # one may have come meanwhile
        yield f"retransmits: {again}, and in all {all_of_them}"


def infos_of(exporter, tree, web, docker):
    found = family(exporter, "synfin_cgroup_info")
    expected = {("", "web.service"): (web, "", f"{tree.path}/web.service"),
                (ID, _DOCKER): (docker, "", f"{tree.path}/{_DOCKER}")}
    for (container, unit), (cgroup, pod, path) in expected.items():
        if found.get((cgroup, container, path, pod, unit)) != 1:
            yield f"no info of {path}: {found}"


def in_tree(tree):
    with Netns("cgroups") as netns, Traffic(netns) as traffic, \
            Exporter("-N", netns, "--metrics.group-by", "cgroup") as exporter:
        web = move(traffic, tree, "web.service")
        traffic.do("l, full = serve(), serve(0); [pair(l) for _ in range(3)]")
        docker = move(traffic, tree, _DOCKER)
        traffic.do("pair(l)")
        # one waits for accept(), two send their SYN again and again
        traffic.do("[try_connect(full) for _ in range(3)]; c = socket.socket(); c.connect_ex(('127.0.0.1', 1))")
        time.sleep(1.5)
        yield from until(lambda: list(told_of(exporter, web, docker)))
        yield from infos_of(exporter, tree, web, docker)
        for number in range(205):
            move(traffic, tree, f"many/{number}")
            traffic.do("serve()")

        def capped():
            listening = {key: n for key, n in family(exporter, "synfin_cgroup_sockets").items() if key[1] == "listen"}
            infos = family(exporter, "synfin_cgroup_info")
            if len(infos) != 200 or total(listening) != 207 or listening.get(("other", "listen")) != 7:
                yield f"of 207 cgroups {len(infos)} have names, {listening.get(('other', 'listen'))} of {total(listening)}"
        yield from until(lambda: list(capped()))
        traffic.do("for one in held: one.close() if hasattr(one, 'close') else [end.close() for end in one]")
        tree.remove(_DOCKER)
        time.sleep(6)       # a count without it
        yield from infos_of(exporter, tree, web, docker)


def cgroups():
    """--metrics.group-by cgroup tells whose sockets, failures and retransmits they are, of at most 200"""
    with Tree() as tree:
        yield from in_tree(tree)


def version_1():
    """where there are cgroups of version 1, too, a container that is only there has its own sockets"""
    with cgroup1.Tree() as tree:
        yield from in_tree_of_version_1(tree)


def in_tree_of_version_1(tree):
    path = f"{tree.path}/docker/{ID}"
    with Netns("version1") as netns, Traffic(netns) as before, Traffic(netns) as traffic:
        for one in before, traffic:
            move(one, tree, f"docker/{ID}")
        before.do("l = serve(); pair(l)")
        with Exporter("-N", netns, "--metrics.group-by", "cgroup") as exporter:
            traffic.do("l = serve(); [pair(l) for _ in range(3)]; c = socket.socket(); c.connect_ex(('127.0.0.1', 1))")

            def differs():
                infos = {path: (cgroup, container) for (cgroup, container, path, _, _), one in
                         family(exporter, "synfin_cgroup_info").items() if one == 1}
                cgroup, container = infos.get(path, ("none", ""))
                sockets = {state: n for (where, state), n in family(exporter, "synfin_cgroup_sockets").items() if where == cgroup and n}
                failures = family(exporter, "synfin_cgroup_handshake_failures_total")
                if not cgroup.startswith("v1-") or container != ID or "/" in infos:
                    yield f"no info of {path}: {infos}"
                if sockets != {"listen": 2, "established": 8} or failures.get((cgroup, "refused")) != 1:
                    yield f"of it there are {sockets} and {failures}"
            yield from until(lambda: list(differs()))


TESTS = [only_if_asked_for, top_k, cgroups, version_1]
