# SPDX-License-Identifier: GPL-2.0-or-later
"""Storms, untraced and traced in turn by synfin and by its peers; and those that are
worst: all closed in one burst, and beside processes that take every CPU."""

import collections
import json
import os
import resource
import shutil
import subprocess

from netns import Netns
from tracer import QUICK, ROUNDS, SYNFIN, Tracer, row, spread, storm

SIZE = 4000 if QUICK else 10000
MIX = "client_fin,server_fin_small,both_fin,client_linger0,refused"
EXACT = "client_fin,server_fin_small,client_linger0,server_linger0,*_unread,refused"   # who closes is known
# Peers read the tracepoints' numbers from tracefs, which may not be mounted: for them alone it is.
PEER = ["unshare", "-m", "sh", "-c", 'mount -t tracefs none /sys/kernel/tracing 2>/dev/null; exec "$@"', "sh"]
COUNT = """tracepoint:sock:inet_sock_set_state { @[args->oldstate, args->newstate] = count(); }"""
PRINT = """tracepoint:sock:inet_sock_set_state { printf("%d %s %d %d %d %d\\n", pid, comm,
    args->sport, args->dport, args->oldstate, args->newstate); }"""


# ---- what was told: (of what was made, wrong owners of those named); None: it tells none ----

def told_by_conns(text, truth):
    lives = [record for record in map(json.loads, text.splitlines()) if record["event"] == "connection"]
    wrong = sum(life.get("pid", int(truth["pid"])) != int(truth["pid"]) for life in lives)
    return len(lives) / truth["ends"], f"{wrong} of {sum('pid' in life for life in lives)}"


def told_by_trace(text, truth):
    records = [record for record in map(json.loads, text.splitlines()) if record["event"] == "state"]
    ends = sum(record["new"] == "close" and record["old"] not in ("time_wait", "listen") or
               record["new"] == "time_wait" for record in records)
    wrong = sum(record.get("pid", int(truth["pid"])) != int(truth["pid"]) for record in records)
    return ends / truth["ends"], f"{wrong} of {sum('pid' in record for record in records)} rows"


def columns(text, truth):
    """Rows of a peer's table that are about the storm's ports, as (pid, rest of the line)."""
    ports = {value for key, value in truth.items() if "port." in key}
    for words in map(str.split, text.splitlines()):
        if ports & set(words):
            yield words


def told_by_tcpstates(text, truth):
    rows = [words for words in columns(text, truth) if words[-3] == "->"]
    ends = sum(words[-2] == "CLOSE" and words[-4] != "LISTEN" for words in rows)
    wrong = sum(words[1] != truth["pid"] for words in rows)
    return ends / truth["ends"], f"{wrong} of {len(rows)} rows"


def told_by_tcplife(text, truth):
    rows = list(columns(text, truth))
    return len(rows) / truth["ends"], f"{sum(words[0] != truth['pid'] for words in rows)} of {len(rows)} rows"


def told_by_bpftrace(text, truth):
    rows = [words for words in columns(text, truth) if len(words) == 6]
    ends = sum(words[5] == "7" and words[4] != "10" for words in rows)
    return ends / truth["ends"], f"{sum(words[0] != truth['pid'] for words in rows)} of {len(rows)} rows"


def told_by_ss(text, truth):
    return sum(1 for _ in columns(text.replace(":", " "), truth)) / truth["ends"], "names none"


def told_by_conntrack(text, truth):
    """It knows flows, not sockets: one for both ends."""
    new = sum("[NEW]" in line for line in text.splitlines())
    return new / int(truth["attempts"]), "names none"


def nothing(text, truth):
    return None


class Tool:
    def __init__(self, name, words, told=nothing, ready=rb"tracing", seldom=False, network=None):
        self.name, self.words, self.told, self.ready = name, words, told, ready
        self.seldom, self.network = seldom, network


def inside(network, *words):
    return ["ip", "netns", "exec", network.name, *words]


def with_conntrack(stack):
    """A namespace in which connections are tracked, which has a cost of its own."""
    network = stack.enter_context(Netns())
    network.nft("table inet bench { chain in { type filter hook input priority 0; ct state new accept; }; }")
    return network


def tools(network, directory, stack):
    ours = ["-N", network.name]
    yield Tool("conns -o json", [SYNFIN, "conns", "-o", "json", *ours], told_by_conns)
    yield Tool("trace -o json", [SYNFIN, "trace", "-o", "json", *ours], told_by_trace)
    yield Tool("conns, table", [SYNFIN, "conns", *ours], seldom=True)
    yield Tool("export", [SYNFIN, "export", "--textfile", f"{directory}/synfin.prom", *ours])
    if shutil.which("tcpstates"):
        yield Tool("tcpstates (libbpf-tools)", [*PEER, "tcpstates"], told_by_tcpstates, rb"SKADDR")
    if shutil.which("tcplife"):
        yield Tool("tcplife (libbpf-tools)", [*PEER, "tcplife"], told_by_tcplife, rb"PID")
    if shutil.which("bpftrace"):
        yield Tool("bpftrace, a line each", [*PEER, "bpftrace", "-e", PRINT], told_by_bpftrace, rb"Attaching", seldom=True)
        yield Tool("bpftrace, counts", [*PEER, "bpftrace", "-e", COUNT], ready=rb"Attaching", seldom=True)
    yield Tool("ss -E", inside(network, "ss", "-EtnH"), told_by_ss, None)
    if shutil.which("conntrack"):
        tracked = with_conntrack(stack)
        yield Tool("conntrack -E", inside(tracked, "conntrack", "-E", "-o", "timestamp"), told_by_conntrack, None,
                   seldom=True, network=tracked)


class Rounds:
    """One tool beside nothing, in turn."""

    def __init__(self):
        self.base, self.ratios, self.costs, self.shares, self.wrong = [], [], [], [], ""

    def add(self, tool, network, directory):
        plain = float(storm(network, SIZE, MIX)["rate"])
        with Tracer(tool.words, f"{directory}/out", tool.ready) as tracer:
            truth = storm(tool.network or network, SIZE, MIX)
        told = tool.told(tracer.written().decode(errors="replace"), truth)
        self.base.append(plain)
        self.ratios.append(float(truth["rate"]) / plain)
        self.costs.append(tracer.cpu_s * 1e6 / int(truth["attempts"]))
        if told:
            self.shares.append(told[0])
            self.wrong = told[1]

    def rows(self, name):
        yield row(f"storm, {name}: rate / untraced", self.ratios)
        yield row(f"storm, {name}: own CPU a connection", self.costs, "us")
        if self.shares:
            yield row(f"storm, {name}: told / made", self.shares, "",
                      f"{spread(self.shares)}, wrong owners {self.wrong}")


def storms(network, directory, stack):
    """Rows as they come; ours in all rounds, a peer in half of them."""
    base = []
    for tool in tools(network, directory, stack):
        if QUICK and tool.seldom:
            continue
        rounds = Rounds()
        try:
            for _ in range(ROUNDS if SYNFIN in tool.words else (ROUNDS + 1) // 2):
                rounds.add(tool, network, directory)
        except RuntimeError as error:
            yield f"storm, {tool.name}", None, "", f"did not start: {error}"[:90]
            continue
        base += rounds.base
        yield from rounds.rows(tool.name)
    yield row("storm, untraced", base, "conn/s")


# ---- the worst ----

def lives_differ(text, truth):
    """By role, outcome, close and who closed, how many more or fewer than the storm made."""
    told = collections.Counter()
    for life in map(json.loads, text.splitlines()):
        if life["event"] != "connection":
            continue
        words = [life["role"], life["outcome"]]
        if life["outcome"] == "established":
            words += [life["close"], life.get("closed_by", "-")]
        told[".".join(words)] += 1
    made = {key: int(value) for key, value in truth.items() if key.split(".")[0] in ("active", "passive")}
    return sum(abs(told[key] - made.get(key, 0)) for key in told.keys() | made.keys())


def told_right(network, directory, size, *words, mix=EXACT):
    """(records lost, lives told / made, lives that are wrong or incomplete, wrong owners) of a storm."""
    with Tracer([SYNFIN, "conns", "-o", "json", "-N", network.name], f"{directory}/out") as tracer:
        truth = storm(network, size, mix, *words)
    text = tracer.written().decode()
    said = json.loads(text.splitlines()[-1])
    lost = sum(value for key, value in said.items() if key.startswith("lost_"))
    lives, wrong = told_by_conns(text, truth)
    return lost, lives, said["incomplete"] + lives_differ(text, truth), wrong


def told_rows(name, results):
    yield row(f"{name}: records lost", [lost for lost, *_ in results], "", f"{len(results)} runs")
    yield row(f"{name}: told / made", [lives for _, lives, *_ in results], "", f"wrong owners {results[-1][3]}")
    yield row(f"{name}: lives told wrong", [wrong for *_, wrong, _ in results], "", "incomplete, or not as the storm ended them")


def most_open():
    """Connections that a storm may hold open here: a descriptor each in a thread that may have them all."""
    return min(15000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 2100)


def burst(network, directory):
    size = most_open()
    held = [told_right(network, directory, size, "-H", str(size), mix="client_fin_small,server_fin_small,client_linger0")
            for _ in range(1 if QUICK else 3)]
    return list(told_rows(f"{size} held open, closed in one burst", held))


def beside_busy(network, directory):
    """With one more process on each core that never sleeps."""
    busy = [subprocess.Popen(["timeout", "120", "sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count())]
    try:
        results = [told_right(network, directory, 2 * SIZE) for _ in range(1 if QUICK else 3)]
    finally:
        for process in busy:
            process.terminate()
            process.wait()
    return list(told_rows("storm beside a busy process per core", results))
