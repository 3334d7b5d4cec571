# SPDX-License-Identifier: GPL-2.0-or-later
"""What a transition, a recv(), a retransmit and a reset take more when they are traced."""

import os
import subprocess

import tracer
from tracer import ROUNDS, SYNFIN, QUICK, Loop, Tracer, row, storm

import bpf


def transitions(network, directory):
    """CPU nanoseconds that one transition takes more when it is traced."""
    command = {"trace": ["trace", "-o", "json"], "export": ["export", "--textfile", f"{directory}/synfin.prom"]}
    loop, more = Loop(network, "transitions", "5"), {name: [] for name in command}
    for _ in range(ROUNDS):
        for name, words in command.items():
            plain = loop.least_ns(40)
            with Tracer([SYNFIN, *words, "-N", network.name], f"{directory}/out"):
                more[name].append(loop.least_ns(40) - plain)
    loop.end()
    return [row(f"transition (in a loop of two), {name}", values, "ns") for name, values in more.items()]


def owners(network, directory):
    """What it takes to know whose a socket is."""
    command = [SYNFIN, "trace", "-o", "json", "-N", network.name]

    def traced(loop, env=None):
        with Tracer(command, f"{directory}/out", env=env):
            return loop.least_ns()

    def hooked(loop):
        link = bpf.attach_raw(bpf.load(bpf.RAW_TRACEPOINT, bpf.returns(0)), "tcp_rcv_space_adjust")
        ns = loop.least_ns()
        os.close(link)
        return ns

    def nobody(loop):
        return traced(loop, {"SYNFIN_DEBUG_NO_OWNERS": "1"})

    def paired(name, words, without, with_it):
        loop = Loop(network, *words)
        more = [-without(loop) + with_it(loop) for _ in range(ROUNDS)]
        loop.end()
        return row(name, more, "ns")

    return [
        paired("recv() whose owner is known", ["receives"], Loop.least_ns, traced),
        paired("recv(), when nobody asks for owners", ["receives"], Loop.least_ns, nobody),
        paired("recv(), an empty program on its tracepoint", ["receives"], Loop.least_ns, hooked),
        paired("transition that tells its process, against none", ["transitions", "5"], nobody, traced),
    ]


class Timed:
    """The kernel's own account of how long programs run (bpf_stats), while the block runs."""

    def __enter__(self):
        self._first = max((program["id"] for program in bpf.programs()), default=0)
        self._stats = bpf.enable_stats()
        return self

    def runs(self):
        """name -> (ns a run, runs), of synfin's programs that were loaded meanwhile."""
        return {program["name"]: (program["run_time_ns"] / program["run_cnt"], program["run_cnt"])
                for program in bpf.programs(self._first) if program["run_cnt"] and program["name"]}

    def __exit__(self, *_):
        os.close(self._stats)


def lose(network, share):
    """Of the segments that reach this namespace."""
    network.nft(f"table inet bench {{ chain in {{ type filter hook input priority 0; "
                f"meta l4proto tcp numgen random mod 100 < {share} drop; }}; }}")


def rare(network, directory):
    """Programs that run seldom, by bpf_stats: less what an empty one shows there."""
    rounds = {"on_set_state": [], "on_retransmit": [], "on_send_reset": [], "on_receive_rese": [], "on_kfree_skb": []}
    counts, empty = dict.fromkeys(rounds, 0), []
    lose(network, 3)
    for _ in range(ROUNDS):
        with Timed() as timed:
            nothing = bpf.load(bpf.RAW_TRACEPOINT, bpf.returns(0))
            link = bpf.attach_raw(nothing, "inet_sock_set_state")
            with Tracer([SYNFIN, "trace", "-o", "json", "-N", network.name], f"{directory}/out"):
                storm(network, 300 if QUICK else 600, "client_fin_64k,client_linger0,refused", "-s", "5")
                of_nothing = bpf.info(nothing)
                runs = timed.runs()
            empty.append(of_nothing["run_time_ns"] / of_nothing["run_cnt"])
            os.close(link)
            os.close(nothing)
        for name, values in rounds.items():
            if name in runs:
                values.append(runs[name][0] - empty[-1])
                counts[name] += runs[name][1]
    network.nft("delete table inet bench")
    return [row("an empty program, by bpf_stats", empty, "ns")] + \
           [row(f"{name}, by bpf_stats, less that", values, "ns", f"{tracer.spread(values)}, {counts[name]} runs")
            for name, values in rounds.items() if values]
