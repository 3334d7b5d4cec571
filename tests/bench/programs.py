# SPDX-License-Identifier: GPL-2.0-or-later
"""What a transition, a recv(), a retransmit and a reset take more when they are traced."""

import contextlib
import os
import socket
import statistics
import time

import tracer
from tracer import ROUNDS, SYNFIN, QUICK, Loop, Tracer, row, storm

import bpf
import cgroup1


EMPTY = "an empty program"
RARE = ("on_retransmit", "on_send_reset", "on_receive_rese", "on_kfree_skb")
TURNS = 25 if QUICK else 150


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


@contextlib.contextmanager
def alone(program, ring=None):
    """One of synfin's, without the synfin that loaded it."""
    link = bpf.attach_again(program)
    try:
        yield
    finally:
        os.close(link)
        if ring:
            ring.empty()


@contextlib.contextmanager
def taken(loop, network, directory, name, *words, env=None):
    """(one program of a synfin that has seen the loop and ended, its ring). It sees no cgroups of version 1,
    for which it would ask more."""
    words = [*cgroup1.out_of_sight(directory), SYNFIN, "trace", "-o", "json", "-N", network.name, *words]
    with Tracer(words, f"{directory}/out", env=env) as traced:
        loop.round_ns()
        time.sleep(0.3)
        program, ring = bpf.program_named(traced.process.pid, name), bpf.Ring(traced.process.pid)
    try:
        yield program, ring
    finally:
        ring.close()
        os.close(program)


def alternate(loop, variants):
    """name -> the least of a few short rounds each time that what it stands for was attached, in turns."""
    told = {name: [] for name in variants}
    for turn in range(TURNS):
        names = list(variants)
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            with variants[name]():
                told[name].append(loop.least_ns(6))
    return told


def more(name, told, of, than):
    """How much more one takes than another: of the quieter quarter; and the middle half of the pairs."""
    first = [statistics.quantiles(told[one], n=4)[0] for one in (of, than)]
    low, middle, high = statistics.quantiles([a - b for a, b in zip(told[of], told[than])], n=4)
    return row(name, [first[0] - first[1]], "ns", f"{TURNS} turns; pairs {low:.1f} {middle:.1f} {high:.1f}")


def received(network, directory):
    """What it takes a recv() that its owner is known."""
    loop = Loop(network, "receives", "2000")
    with taken(loop, network, directory, "on_read") as (on_read, _):
        told = alternate(loop, {
            "plain": contextlib.nullcontext,
            "empty": lambda: attached("tcp_rcv_space_adjust"),
            "ours": lambda: alone(on_read),
        })
    loop.end()
    return [
        row("recv(), untraced", [statistics.quantiles(told["plain"], n=4)[0]], "ns", "lower quartile"),
        more("recv(), an empty program on its tracepoint: more", told, "empty", "plain"),
        more("recv() whose owner is known: more", told, "ours", "plain"),
        more("recv() whose owner is known: more than an empty program", told, "ours", "empty"),
    ]


def proven(network, directory):
    """What it takes a transition to tell its process, as every one of this loop does."""
    loop = Loop(network, "transitions", "1")
    with taken(loop, network, directory, "on_set_state") as (whole, ring), \
            taken(loop, network, directory, "on_set_state", env={"SYNFIN_DEBUG_NO_OWNERS": "1"}) as (without, other):
        told = alternate(loop, {
            "plain": contextlib.nullcontext,
            "empty": lambda: attached("inet_sock_set_state"),
            "without": lambda: alone(without, other),
            "whole": lambda: alone(whole, ring),
        })
    loop.end()
    return [
        row("transition, untraced", [statistics.quantiles(told["plain"], n=4)[0]], "ns", "lower quartile"),
        more("transition, an empty program: more", told, "empty", "plain"),
        more("transition, on_set_state alone: more", told, "whole", "plain"),
        more("transition that tells its process: more than without", told, "whole", "without"),
    ]


def sieved(network, directory):
    """What --cgroup makes of it, whether the kernel drops it for that or not."""
    loop = Loop(network, "transitions", "1")
    with taken(loop, network, directory, "on_set_state") as (whole, ring), \
            taken(loop, network, directory, "on_set_state", "--cgroup", "/") as (asked, second), \
            taken(loop, network, directory, "on_set_state", "--cgroup", "/nosuch") as (dropped, third):
        told = alternate(loop, {
            "plain": contextlib.nullcontext,
            "whole": lambda: alone(whole, ring),
            "asked": lambda: alone(asked, second),
            "dropped": lambda: alone(dropped, third),
        })
    loop.end()
    return [
        more("transition of a cgroup that --cgroup asks for: more", told, "asked", "whole"),
        more("transition of one that the kernel drops: more than untraced", told, "dropped", "plain"),
    ]


def unasked(network, directory):
    """And a recv() while synfin traces, but nobody asks for owners."""
    loop, values = Loop(network, "receives"), []
    for _ in range(ROUNDS):
        plain = loop.least_ns()
        with Tracer([SYNFIN, "trace", "-o", "json", "-N", network.name], f"{directory}/out", env={"SYNFIN_DEBUG_NO_OWNERS": "1"}):
            values.append(loop.least_ns() - plain)
    loop.end()
    return [row("recv(), when nobody asks for owners: more", values, "ns")]


def owners(network, directory):
    """What it takes to know whose a socket is."""
    for part in received, proven, sieved, unasked:
        yield from part(network, directory)


def runs_of(traced):
    """name -> (ns a run, runs), of a tracer's programs."""
    return {program["name"]: (program["run_time_ns"] / program["run_cnt"], program["run_cnt"])
            for program in bpf.programs_of(traced.process.pid) if program["run_cnt"]}


def lose(network, share):
    """Of the segments that reach this namespace."""
    network.nft(f"table inet bench {{ chain in {{ type filter hook input priority 0; "
                f"meta l4proto tcp numgen random mod 100 < {share} drop; }}; }}")


def unanswered(network, count=2000):
    """As many connects at once whose SYN is lost: it is sent again a second later, and the sockets go."""
    network.nft("table inet unanswered { chain in { type filter hook input priority 0; tcp dport 9 drop; }; }")
    with network.inside(), contextlib.ExitStack() as sockets:
        for _ in range(count):
            client = sockets.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", 9))
        time.sleep(1.5)
    network.nft("delete table inet unanswered")


def by_stats(network, directory, names, work):
    """(what an empty program shows, in ns a run of each round; name -> (the same less that, runs) of synfin's that ran)."""
    rounds, empty = {name: [] for name in names}, []
    counts = dict.fromkeys(names, 0)
    stats = bpf.enable_stats()      # as long as it is open
    for _ in range(ROUNDS):
        with attached("inet_sock_set_state") as nothing, \
                Tracer([SYNFIN, "trace", "-o", "json", "-N", network.name], f"{directory}/out") as traced:
            work()
            of_nothing, runs = bpf.info(nothing), runs_of(traced)
        empty.append(of_nothing["run_time_ns"] / of_nothing["run_cnt"])
        for name, values in rounds.items():
            if name in runs:
                values.append(runs[name][0] - empty[-1])
                counts[name] += runs[name][1]
    os.close(stats)
    return empty, {name: (values, counts[name]) for name, values in rounds.items() if values}


def rare(network, directory):
    """Programs that run seldom, by bpf_stats: each time from memory, and a thousand times at once."""
    lose(network, 3)
    empty, seldom = by_stats(network, directory, (*RARE, "on_set_state"),
                             lambda: storm(network, 300 if QUICK else 600, "client_fin_64k,client_linger0,refused", "-s", "5"))
    network.nft("delete table inet bench")

    def crowd():
        unanswered(network)
        storm(network, 2000, "client_linger0,refused")

    _, often = by_stats(network, directory, RARE, crowd)
    return [row("an empty program, by bpf_stats", empty, "ns")] + \
           [row(f"{name}{how}, by bpf_stats, less that", values, "ns", f"{tracer.spread(values)}, {runs} runs")
            for how, of in (("", seldom), (" in a crowd", often)) for name, (values, runs) in of.items()]
