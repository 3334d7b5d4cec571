#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench - what synfin costs, beside doing nothing and beside its peers.

Everything is measured in pairs, A B A B in one run, in a network namespace of its
own; what is printed are medians, and how far the rounds lay apart. A speed that
stands alone is worth nothing on a shared machine: read the ratios. Peers are
measured where Debian's packages have put them (libbpf-tools, bpftrace); they trace
the whole host, so run this on a quiet one. Needs root.

BENCH_DIR names the tree that was built (build), QUICK=1 takes two minutes.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kernel"))
sys.dont_write_bytecode = True

import bpf                  # noqa: E402
from netns import Netns     # noqa: E402

TREE = pathlib.Path(os.environ.get("BENCH_DIR", HERE.parents[1] / "build")).resolve()
SYNFIN, STORM, BENCH = TREE / "synfin", TREE / "tests/storm", TREE / "tests/bench"
QUICK = bool(os.environ.get("QUICK"))
ROUNDS = 3 if QUICK else 7
# Peers read the tracepoints' numbers from tracefs, which may not be mounted: for them alone it is.
PEER = ["unshare", "-m", "sh", "-c", 'mount -t tracefs none /sys/kernel/tracing 2>/dev/null; exec "$@"', "sh"]
STORM_SIZE = 6000 if QUICK else 20000
MIX = "client_fin,server_fin_small,both_fin,client_linger0,refused"


class Tracer:
    """A program that traces while the `with` block runs; afterwards what it cost."""

    def __init__(self, words, output, ready=rb"tracing", env=None):
        self.words, self.output, self.ready, self.env = [str(word) for word in words], output, ready, env

    def __enter__(self):
        self._said = tempfile.TemporaryFile()
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=out, stderr=self._said,
                                            env=os.environ | (self.env or {}))
        self._await()
        self._before = self._cpu_s()
        return self

    def _await(self):
        """Until it says that it traces; those who say nothing get two seconds."""
        end = time.monotonic() + (20 if self.ready else 2)
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.words}: ended with {self.process.returncode}: {self.said()}")
            if self.ready and (re.search(self.ready, self.said()) or re.search(self.ready, self.written())):
                return
            time.sleep(0.02)

    def said(self):
        self._said.seek(0)
        return self._said.read()

    def written(self):
        return pathlib.Path(self.output).read_bytes()

    def _cpu_s(self):
        """What its threads have run until now."""
        files = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(file.read_text(encoding="ascii").split()[0]) for file in files) / 1e9

    def __exit__(self, *_):
        time.sleep(0.3)     # what is under way reaches it
        self.cpu_s = self._cpu_s() - self._before
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def spread(values):
    return f"{min(values):.4g}..{max(values):.4g}"


def storm(network, size):
    """What the storm says of itself."""
    done = subprocess.run([STORM, "-N", network.name, "-n", str(size), "-m", MIX, "-q"], capture_output=True,
                          text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


class Loop:
    """A program of this directory that measures a round each time it is asked to."""

    def __init__(self, network, *words):
        self._process = subprocess.Popen(["ip", "netns", "exec", network.name, BENCH / words[0], *words[1:]],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.round_ns()

    def round_ns(self):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self):
        self._process.stdin.close()
        self._process.wait()


# ---- per transition ----

def transitions(network, directory):
    """CPU nanoseconds that one transition takes more when it is traced."""
    rows, loop = [], Loop(network, "transitions", "100" if QUICK else "300")
    for name, words in (("trace -o json > file", ["trace", "-o", "json"]), ("conns -o json > file", ["conns", "-o", "json"])):
        plain, traced = [], []
        for _ in range(ROUNDS):
            plain.append(loop.round_ns())
            with Tracer([SYNFIN, *words, "-N", network.name], f"{directory}/out"):
                traced.append(loop.round_ns())
        more = [b - a for a, b in zip(plain, traced)]
        rows.append((f"transition, {name}", statistics.median(more), "ns", spread(more)))
    loop.end()
    return rows


# ---- owners ----

def owners(network, directory):
    """What it takes to know whose a socket is: CPU nanoseconds more, paired."""
    command = [SYNFIN, "trace", "-o", "json", "-N", network.name]
    nobody = {"SYNFIN_DEBUG_NO_OWNERS": "1"}

    def least(loop):
        """Of many short rounds: whatever else happened took longer."""
        return min(loop.round_ns() for _ in range(20))

    def traced(loop, env=None):
        with Tracer(command, f"{directory}/out", env=env):
            return least(loop)

    def hooked(loop):
        link = bpf.attach_raw(bpf.load(bpf.RAW_TRACEPOINT, bpf.returns(0)), "tcp_rcv_space_adjust")
        ns = least(loop)
        os.close(link)
        return ns

    def row(name, words, without, with_it):
        loop = Loop(network, *words)
        more = [-without(loop) + with_it(loop) for _ in range(ROUNDS)]
        loop.end()
        return name, statistics.median(more), "ns", spread(more)

    return [
        row("recv() whose owner is known, trace -o json", ["receives"], least, traced),
        row("recv(), an empty program on its tracepoint", ["receives"], least, hooked),
        row("transition that tells its process, against none", ["transitions", "5"],
            lambda loop: traced(loop, nobody), traced),
    ]


# ---- storms ----

def lives_told(text):
    return sum(json.loads(line)["event"] == "connection" for line in text.splitlines())


def wrong_owners(text, pid):
    owners = collections.Counter()
    for line in text.splitlines():
        record = json.loads(line)
        if record["event"] == "connection" and "pid" in record:
            owners[record["pid"] == pid] += 1
    return owners[False], owners[True]


def tools(network, directory):
    """name -> (Tracer, what its output told: lives, wrong owners; None: it tells none)."""
    listed = {
        "conns -o json": ([SYNFIN, "conns", "-o", "json", "-N", network.name], rb"tracing", "json"),
        "trace -o json": ([SYNFIN, "trace", "-o", "json", "-N", network.name], rb"tracing", None),
        "conns, table": ([SYNFIN, "conns", "-N", network.name], rb"tracing", None),
    }
    if "export" in subprocess.run([SYNFIN, "--help"], capture_output=True, text=True, check=True).stdout:
        listed["export"] = ([SYNFIN, "export", "-N", network.name, "--textfile", f"{directory}/synfin.prom"], rb"tracing", None)
    if shutil.which("tcpstates"):
        listed["tcpstates (libbpf-tools)"] = ([*PEER, *["tcpstates"]], rb"SKADDR", "tcpstates")
    if shutil.which("tcplife"):
        listed["tcplife (libbpf-tools)"] = ([*PEER, *["tcplife"]], rb"PID", "tcplife")
    if shutil.which("bpftrace") and not QUICK:
        program = "tracepoint:sock:inet_sock_set_state { @[args->oldstate, args->newstate] = count(); }"
        listed["bpftrace, count by state"] = ([*PEER, *["bpftrace", "-e", program]], rb"Attaching", None)
    return listed


def columns(text):
    """Rows of a peer's table, by its header."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return [dict(zip(lines[0], line)) for line in lines[1:] if len(line) >= len(lines[0]) - 1]


def told(form, text, pid):
    """Lives told, and how many of the owners named are wrong."""
    if form == "json":
        wrong, right = wrong_owners(text, pid)
        return lives_told(text), f"{wrong} of {wrong + right}"
    rows = columns(text)
    if form == "tcpstates":
        rows = [row for row in rows if "SKADDR" in row]
        ends = sum(row.get("NEWSTATE") == "CLOSE" for row in rows)
        wrong = sum(row.get("PID") != str(pid) for row in rows)
        return ends, f"{wrong} of {len(rows)} rows"
    if form == "tcplife":
        wrong = sum(row.get("PID") != str(pid) for row in rows)
        return len(rows), f"{wrong} of {len(rows)}"
    return None, ""


def storms(network, directory):
    rows, base = [], []
    for name, (words, ready, form) in tools(network, directory).items():
        ratios, costs, lives, owners = [], [], [], ""
        for _ in range(ROUNDS):
            plain = float(storm(network, STORM_SIZE)["rate"])
            tracer = Tracer(words, f"{directory}/out", ready)
            try:
                with tracer:
                    truth = storm(network, STORM_SIZE)
            except RuntimeError as error:
                rows.append((f"storm, {name}", None, "", f"did not start: {error}"[:90]))
                break
            made = int(truth["attempts"])
            base.append(plain)
            ratios.append(float(truth["rate"]) / plain)
            costs.append(tracer.cpu_s * 1e6 / made)
            count, owners = told(form, tracer.written().decode(errors="replace"), int(truth["pid"]))
            ends = sum(int(value) for key, value in truth.items() if re.match(r"(active|passive)\.", key))
            if count is not None and ends:
                lives.append(count / ends)
        if not ratios:
            continue
        rows.append((f"storm, {name}: rate / untraced", statistics.median(ratios), "", spread(ratios)))
        rows.append((f"storm, {name}: own CPU a connection", statistics.median(costs), "us", spread(costs)))
        if lives:
            rows.append((f"storm, {name}: told / made", statistics.median(lives), "", f"wrong owners {owners}"))
    rows.insert(0, ("storm, untraced", statistics.median(base), "conn/s", spread(base)))
    return rows


# ---- engine and idle ----

def engine(network, directory):
    recording, rows = f"{directory}/storm.rec", collections.defaultdict(list)
    with Tracer([SYNFIN, "conns", "-N", network.name, "--write", recording, "-o", "csv"], f"{directory}/out"):
        storm(network, STORM_SIZE)
    runs = [["replay", recording]] * ROUNDS + [["live", "1000000"], ["churn", "1000000"]]
    for words in runs:
        done = subprocess.run([BENCH / "engine", *words], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            rows[line.split()[0]].append(float(line.split()[1]))
    return [(f"engine, {name.replace('_', ' ')}", statistics.median(values), "", spread(values))
            for name, values in rows.items() if name not in ("replay_records", "replay_lives")]


def idle(network, directory):
    seconds = 5 if QUICK else 30
    with Tracer([SYNFIN, "conns", "-N", network.name], f"{directory}/out") as tracer:
        time.sleep(seconds)
    return [("idle, conns: share of a core", 100 * tracer.cpu_s / seconds, "%", f"{seconds} s")]


def main():
    if os.geteuid():
        print("bench: needs root", file=sys.stderr)
        return 1
    parts = {part.__name__: part for part in (transitions, owners, storms, engine, idle)}
    wanted = sys.argv[1:] or list(parts)
    print(f"{os.uname().release}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {ROUNDS} paired rounds")
    print(f"{'':54} {'median':>12} {'':7} rounds")
    with Netns() as network, tempfile.TemporaryDirectory(prefix="synfin-bench-") as directory:
        for name in wanted:
            for what, value, unit, note in parts[name](network, directory):
                print(f"{what:54} {'-' if value is None else format(value, '12.4g'):>12} {unit:7} {note}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
