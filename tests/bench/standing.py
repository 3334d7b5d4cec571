# SPDX-License-Identifier: GPL-2.0-or-later
"""What does not hang on how much happens: the engine alone, memory, censuses, a
scrape, an idle host."""

import collections
import contextlib
import re
import statistics
import subprocess
import time
import urllib.request

from netns import Netns
from tracer import BENCH, QUICK, ROUNDS, SYNFIN, TIMEWAITS, Tracer, cpu_s, row, spread, storm
from storms import MIX, SIZE

UNITS = {"records_per_s": "", "bytes_each": "bytes", "pause_us": "us", "growth_bytes": "bytes", "us": "us"}


def measured(*words):
    """What a program of ours says, as {name: value}."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
    return {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}


def peak_kb(words):
    """The most memory that a command had, as far as it was seen; getrusage() has what forked it, too."""
    child = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while child.poll() is None:
        with contextlib.suppress(OSError, ProcessLookupError), open(f"/proc/{child.pid}/status", encoding="ascii") as file:
            if found := re.search(r"^VmHWM:\s+(\d+)", file.read(), re.MULTILINE):
                peak = int(found[1])
        time.sleep(0.002)
    return peak


def unit_of(name):
    return next(unit for end, unit in UNITS.items() if name.endswith(end))


def engine(network, directory):
    recording, rows = f"{directory}/storm.rec", collections.defaultdict(list)
    with Tracer([SYNFIN, "conns", "-N", network.name, "--write", recording, "-o", "csv"], f"{directory}/out"):
        storm(network, SIZE, MIX)
    runs = [["replay", recording], ["metrics", recording]] * ROUNDS
    runs += [["live", "1000000"], ["ledger", "200000"], ["ledger", "1048576"], ["churn", "1000000" if QUICK else "2000000"]]
    for words in runs:
        for name, value in measured(BENCH / "engine", *words).items():
            if words[1] != recording:
                rows[f"{name} {words[1]}"].append(value)
            elif name.endswith("_per_s"):
                rows[name].append(value)
    return [row(f"engine, {name.replace('_', ' ')}", values, unit_of(name.split()[0])) for name, values in rows.items()]


def explain(network, directory):
    """Ladders of a recording: what those of 100 000 connections take, both ends of each."""
    recording, size = f"{directory}/ladders.rec", 20000 if QUICK else 100000
    with Tracer([SYNFIN, "conns", "-N", network.name, "--write", recording], f"{directory}/out"):
        storm(network, size, MIX)
    return [row(f"explain of 100 000 connections, {form}",
                [cpu_s([SYNFIN, "explain", "-q", "-o", form, "--read", recording]) *
                 100000 / size for _ in range(ROUNDS)], "s")
            for form in ("table", "json", "mermaid")]


def filled(stack, count):
    """A namespace with so many sockets in TIME_WAIT, for a minute."""
    network = stack.enter_context(Netns())
    for name, value in (("tcp_max_tw_buckets", 4 * count), ("ip_local_port_range", "1024 65000"), ("tcp_tw_reuse", 0)):
        network.sysctl(name, value)
    subprocess.run(["ip", "netns", "exec", network.name, TIMEWAITS, str(count)], check=True)
    return network


def census(network, directory, stack):
    count = 50000 if QUICK else 200000
    there = filled(stack, count)
    inside = ["ip", "netns", "exec", there.name]
    commands = {
        "ss -tan": [*inside, "ss", "-tan"],
        "timewait, once": [SYNFIN, "timewait", "-o", "json", "-N", there.name],
        "timewait, once, of an empty namespace": [SYNFIN, "timewait", "-o", "json", "-N", network.name],
    }
    costs = {name: [] for name in commands}
    for _ in range(3 if QUICK else 6):
        for name, words in commands.items():
            costs[name].append(1e3 * cpu_s(words))
    ratios = [b / a for a, b in zip(costs["ss -tan"], costs["timewait, once"])]
    rows = [row(f"{count} in TIME_WAIT, {name}", values, "ms") for name, values in costs.items()]
    rows.append(row("timewait / ss -tan", ratios))
    gauges = measured(*inside, BENCH / "gauge")
    return rows + [row(f"{name.replace('_us', '').replace('_', ', ')}, CPU of a reading", [value], "us", f"of {count}")
                   for name, value in gauges.items()]


def crowd(network, directory, stack):
    """Connections that nobody accepted and whose clients closed, as a server leaves them that
    hangs: what a census of them takes. For a minute there is a mini-socket of each, too."""
    count = 50000 if QUICK else 500000
    there = stack.enter_context(Netns())
    for name, value in (("tcp_max_tw_buckets", 4 * count), ("ip_local_port_range", "1024 65000"), ("tcp_tw_reuse", 0)):
        there.sysctl(name, value)
    subprocess.run(["ip", "netns", "exec", there.name, "sysctl", "-qw", f"net.core.somaxconn={count}"], check=True)
    inside = ["ip", "netns", "exec", there.name]
    held = subprocess.Popen([*inside, BENCH / "unaccepted", str(count)], stdout=subprocess.PIPE)
    stack.callback(lambda: (held.kill(), held.wait()))
    held.stdout.readline()
    rows = []
    for name, words in (("ss -tan", [*inside, "ss", "-tan"]), ("timewait", [SYNFIN, "timewait", "-N", there.name]),
                        ("conns --stuck", [SYNFIN, "conns", "--stuck", "--older", "1s", "-N", there.name])):
        rows.append((f"{count} in CLOSE_WAIT, {name}", 1e3 * cpu_s(words), "ms", f"resident at most {peak_kb(words)} kB"))
    return rows


def scrape(network, directory):
    """GET /metrics after a storm: CPU of the daemon, and how long the client waits."""
    with Tracer([SYNFIN, "export", "-N", network.name, "--web.listen-address", "127.0.0.1:0"], f"{directory}/out") as tracer:
        storm(network, SIZE, MIX)
        port = int(re.search(rb"127\.0\.0\.1:(\d+)", tracer.said() + tracer.written())[1])
        waits, before, size = [], tracer._cpu_s(), 0
        for _ in range(100):
            begun = time.monotonic()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                size = len(answer.read())
            waits.append(1e3 * (time.monotonic() - begun))
        cpu_ms = 1e3 * (tracer._cpu_s() - before) / len(waits)
        resident = tracer.resident_kb()
    return [("scrape, CPU of export", cpu_ms, "ms", f"{size} bytes, 100 in a row"), row("scrape, until it is read", waits, "ms"),
            ("export, resident", resident, "kB", f"after a storm of {SIZE}")]


def memory(network, directory):
    """Of the daemon, over a million short connections, once it has touched all of its tables."""
    counts, seen = (10000, 10000) if QUICK else (700000, 1000000), []
    with Tracer([SYNFIN, "export", "-N", network.name, "--textfile", f"{directory}/synfin.prom"], f"{directory}/out") as tracer:
        for count in counts:
            for some in [100000] * (count // 100000) or [count]:
                storm(network, some, "client_linger0,server_linger0,refused")
            seen.append(tracer.resident_kb())
    return [("resident memory, growth", seen[1] - seen[0], "kB",
             f"{counts[1]} connections without TIME_WAIT, after {counts[0]}; {seen[1]} kB")]


def idle(network, directory):
    seconds = 5 if QUICK else 30
    rows = []
    for name, words in (("conns", []), ("export", ["--textfile", f"{directory}/synfin.prom"])):
        with Tracer([SYNFIN, name, "-N", network.name, *words], f"{directory}/out") as tracer:
            time.sleep(1)
            tracer._before = tracer._cpu_s()
            time.sleep(seconds)
            rows.append((f"idle, {name}: share of a core", 100 * (tracer._cpu_s() - tracer._before) / seconds, "%", f"{seconds} s"))
    return rows
