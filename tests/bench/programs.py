# SPDX-License-Identifier: GPL-2.0-or-later
"""What a transition, a recv(), a retransmit and a reset take more when they are traced."""

import contextlib
import os
import statistics

import tracer
from tracer import ROUNDS, SYNFIN, QUICK, Loop, Tracer, row, storm

import bpf


EMPTY = "an empty program"


@contextlib.contextmanager
def attached(tracepoint):
    """A program that does nothing, on a tracepoint; its descriptor."""
    program = bpf.load(bpf.RAW_TRACEPOINT, bpf.returns(0))
    link = bpf.attach_raw(program, tracepoint)
    try:
        yield program
    finally:
        os.close(link)
        os.close(program)


def transitions(network, directory):
    """CPU nanoseconds that one transition takes more when it is traced."""
    command = {"trace": ["trace", "-o", "json"], "export": ["export", "--textfile", f"{directory}/synfin.prom"]}
    loop, plain, more = Loop(network, "transitions", "2"), [], {name: [] for name in [EMPTY, *command]}

    def paired(name, tracer):
        plain.append(loop.least_ns(60))
        with tracer:
            more[name].append(loop.least_ns(60) - plain[-1])

    for _ in range(ROUNDS):
        paired(EMPTY, attached("inet_sock_set_state"))
        for name, words in command.items():
            paired(name, Tracer([SYNFIN, *words, "-N", network.name], f"{directory}/out"))
    loop.end()
    return [row("transition, untraced", plain, "ns")] + \
           [row(f"transition, {name}: more", values, "ns") for name, values in more.items()] + \
           [row("transition, trace: more / untraced", [b / a for a, b in zip(plain[1::3], more["trace"])])]


def contention(network, directory):
    """The same on one CPU, and on all at once: what they lose to each other for want of one ring each."""
    loops = [Loop(network, "transitions", "20", cpu=cpu) for cpu in range(os.cpu_count())]
    command = [SYNFIN, "export", "--textfile", f"{directory}/synfin.prom", "-N", network.name]

    def together(some):
        def once():
            for loop in some:
                loop.begin()
            return statistics.mean(loop.result_ns() for loop in some)
        return min(once() for _ in range(10))

    more = {1: [], len(loops): []}
    for _ in range(ROUNDS):
        for count, values in more.items():
            plain = together(loops[:count])
            with Tracer(command, f"{directory}/out"):
                values.append(together(loops[:count]) - plain)
    for loop in loops:
        loop.end()
    return [row(f"transition, export: more, on {count} CPUs at once", values, "ns") for count, values in more.items()]


def owners(network, directory):
    """What it takes to know whose a socket is."""
    command = [SYNFIN, "trace", "-o", "json", "-N", network.name]

    def traced(loop, env=None):
        with Tracer(command, f"{directory}/out", env=env):
            return loop.least_ns()

    def hooked(loop):
        with attached("tcp_rcv_space_adjust"):
            return loop.least_ns()

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


def runs_of(traced):
    """name -> (ns a run, runs), of a tracer's programs."""
    return {program["name"]: (program["run_time_ns"] / program["run_cnt"], program["run_cnt"])
            for program in bpf.programs_of(traced.process.pid) if program["run_cnt"]}


def lose(network, share):
    """Of the segments that reach this namespace."""
    network.nft(f"table inet bench {{ chain in {{ type filter hook input priority 0; "
                f"meta l4proto tcp numgen random mod 100 < {share} drop; }}; }}")


def rare(network, directory):
    """Programs that run seldom, by bpf_stats: less what an empty one shows there."""
    rounds = {"on_set_state": [], "on_retransmit": [], "on_send_reset": [], "on_receive_rese": [], "on_kfree_skb": []}
    counts, empty = dict.fromkeys(rounds, 0), []
    stats = bpf.enable_stats()      # as long as it is open
    lose(network, 3)
    for _ in range(ROUNDS):
        with attached("inet_sock_set_state") as nothing, \
                Tracer([SYNFIN, "trace", "-o", "json"], f"{directory}/out") as traced:
            storm(network, 300 if QUICK else 600, "client_fin_64k,client_linger0,refused", "-s", "5")
            of_nothing, runs = bpf.info(nothing), runs_of(traced)
        empty.append(of_nothing["run_time_ns"] / of_nothing["run_cnt"])
        for name, values in rounds.items():
            if name in runs:
                values.append(runs[name][0] - empty[-1])
                counts[name] += runs[name][1]
    os.close(stats)
    network.nft("delete table inet bench")
    return [row("an empty program, by bpf_stats", empty, "ns")] + \
           [row(f"{name}, by bpf_stats, less that", values, "ns", f"{tracer.spread(values)}, {counts[name]} runs")
            for name, values in rounds.items() if values]
