# SPDX-License-Identifier: GPL-2.0-or-later
"""Families that are there only if they are asked for: of single addresses and ports."""

import time

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


TESTS = [only_if_asked_for, top_k]
