#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A hostile peer: raw packets from the far end of a veth pair (raw.c) against a
server (serve.c), while synfin traces, exports and audits, and an honest storm runs
over the loopback. Needs root. Prints TAP. SYNFIN, STORM, RAW and SERVE name the
programs; a PATTERN selects tests by name.

Whatever the peer does: nothing crashes, memory stays in bounds, every honest life is
told as it was, every connection that the server accepted is told once, nothing is
lost, and the kernel's own counters agree.
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True     # leave nothing in the tree
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kernel"))

import invariants                   # noqa: E402
import netns                        # noqa: E402
import storm                        # noqa: E402
import suite                        # noqa: E402
from load import LOAD, scaled             # noqa: E402
from wait import wait_until         # noqa: E402

SYNFIN, STORM = storm.SYNFIN, storm.STORM
RAW = os.environ.get("RAW", "build/tests/raw")
SERVE = os.environ.get("SERVE", "build/tests/serve")
# By family: the host under attack, its way out, and the length of their prefix.
NEAR, FAR = {4: "10.66.0.1", 6: "fd66::1"}, {4: "10.66.0.2", 6: "fd66::2"}
LENGTH = {4: 24, 6: 64}
PATIENT, PORTS = 9001, (9001, 9002, 9003)       # ports.h
HONEST_RATE, HONEST_SECONDS = 400, 3        # connections a second, and how long

MB = 1 << 20
# What a tracer may hold: its buffers, and what it takes to remember a life (synfin(8), NOTES).
BASE, EACH, ROOM = 48 * MB, 512, 8 * MB


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) << 10


class Run:
    """Started by `with` inside a namespace; stopped by a signal, where the block ends or before."""

    def __init__(self, directory, name, words, says, where=None):
        self.out, self.err = directory / f"{name}.out", directory / f"{name}.err"
        within = ["ip", "netns", "exec", where.name] if where else []
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([*within, *words], stdout=out, stderr=err)
        self._says, self.largest = says, 0

    def __enter__(self):
        try:
            wait_until(lambda: self._says in self.said() or self.process.poll() is not None, self._says)
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}: {self.said()}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def said(self):
        return self.out.read_text() + self.err.read_text()

    def stop(self):
        """Its exit code; negative if it crashed."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)

    def records(self):
        with open(self.out, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class Truth:
    """What the storm says it made, for storm.wrong_counts()."""

    def __init__(self, text, lives):
        self.truth = dict(line.split("=", 1) for line in text.split() if "=" in line)
        self.lives = lives

    def is_exact(self):
        return self.truth.get("unexpected.active") == self.truth.get("unexpected.passive") == "0"


def numbers(text):
    return {name: int(value) for name, value in re.findall(r"^([\w.]+)=(\d+)$", text, re.MULTILINE)}


class Siege:
    """One attack on a server in a namespace, and what was told of it."""

    def __init__(self, way, count, seconds=HONEST_SECONDS, sysctls=(), backlog=4096, expires=0, family=4):
        """expires: seconds until the host has forgotten the attack; then it comes once more."""
        self.way, self.count, self.seconds, self.backlog = way, scaled(count), seconds, backlog
        self.sysctls, self.expires, self.family = sysctls, expires, family
        self.address = NEAR[family]
        with contextlib.ExitStack() as stack:
            self._furnish(stack)
            self._run(stack)

    def _furnish(self, stack):
        self.near, self.far = stack.enter_context(netns.Netns()), stack.enter_context(netns.Netns())
        netns.join(self.near, self.far)
        for name, value in (("ip_local_port_range", "10000 65535"), ("tcp_max_syn_backlog", 262144),
                            ("net.core.somaxconn", 262144), *self.sysctls):
            self.near.sysctl(name, value)
        way_out = FAR[self.family]
        self.near.ip("address", "add", f"{self.address}/{LENGTH[self.family]}", "dev", "veth0", *(["nodad"] if self.family == 6 else []))
        self.near.ip("neighbour", "add", way_out, "lladdr", netns.mac(self.far), "dev", "veth0", "nud", "permanent")
        self.near.ip(f"-{self.family}", "route", "add", "default", "via", way_out)
        self.directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="synfin-hostile-")))

    def _run(self, stack):
        server = stack.enter_context(
            Run(self.directory, "serve", [SERVE, str(self.backlog), str(self.family)], "serving", self.near))
        tracers = {name: stack.enter_context(
            Run(self.directory, name, [SYNFIN, name, *words, "-N", self.near.name], "tracing"))
            for name, words in (("audit", ["-o", "json"]), ("conns", ["-o", "json", "--strict"]),
                                ("export", ["--web.listen-address", "127.0.0.1:0"]))}
        self.rss = []       # before and after each round, by name

        def weigh():
            self.rss.append({name: rss(tracers[name].process.pid) for name in ("conns", "export")})

        weigh()
        before = self.near.counters()
        with self._storm() as honest, self._attack(1) as attacker:
            self.raw, made = numbers(attacker.communicate()[0]), honest.communicate()[0]
        weigh()
        if self.expires:
            time.sleep(self.expires)
            self._attack(2).communicate()
            weigh()
            time.sleep(self.expires)
        after = self.near.counters()
        self.moved = lambda name: after[name] - before[name]
        server.stop()
        time.sleep(0.5)     # the last verdicts
        self.exits = {name: run.stop() for name, run in tracers.items()}
        self.errors = "".join(run.err.read_text() for run in tracers.values())
        self.accepted = numbers(server.out.read_text())
        self.audit, records = tracers["audit"].records(), tracers["conns"].records()
        self.summary = records[-1]
        self.lives = [one for one in records if one["event"] == "connection"]
        self.honest = Truth(made, [one for one in self.lives if one["laddr"] != self.address])

    def _attack(self, seed):
        return subprocess.Popen(
            ["ip", "netns", "exec", self.far.name, RAW, self.way, netns.mac(self.near), self.address,
             str(self.count), str(self.seconds), str(seed)], stdout=subprocess.PIPE, text=True)

    def _storm(self):
        return subprocess.Popen(
            [STORM, "-N", self.near.name, "-k", "-q", "-n", str(scaled(HONEST_RATE * HONEST_SECONDS)),
             "-r", str(HONEST_RATE), "-d", "4", f"-{self.family}", "-m", storm.MIX],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def attacked(self, outcome):
        return [one for one in self.lives if one["laddr"] == self.address and one["outcome"] == outcome]


# ---- what must hold, whatever the peer did ----

def wrong_runs(siege):
    for name, status in siege.exits.items():
        if status:
            yield f"{name} exited with {status}: {siege.errors[-600:]}"
    for key in ("lost_ring", "lost_nested", "lost_table", "lost_sink", "connections_unseen", "incomplete"):
        if siege.summary[key]:
            yield f"summary: {key} is {siege.summary[key]}"
    for row in siege.audit:
        if row["event"] == "audit" and row.get("residual"):
            yield f"audit differs: {row}"


def wrong_memory(siege):
    """However often it comes: the half-open ones of one round are the most at a time."""
    alive = min(len(siege.lives), siege.count)
    for name, began in siege.rss[0].items():
        largest = max(weight[name] for weight in siege.rss)
        if began > BASE or largest > began + EACH * alive + ROOM:
            yield f"{name}: {began / MB:.1f} MB resident, then {largest / MB:.1f} MB, for {alive} lives at a time"


def wrong_lives(siege):
    if not siege.honest.is_exact():
        yield "the honest storm did not go as planned: this showed nothing"
    yield from storm.wrong_counts(siege.honest)
    names = collections.Counter((one["conn"], one["start"]) for one in siege.lives)
    yield from (f"told {count} times: {name}" for name, count in names.items() if count > 1)
    for one in siege.lives:
        yield from invariants.adds_up(one)
        if one["laddr"] == siege.address and one["role"] != "passive":
            yield f"nobody made this: {one}"
        if one["family"] != siege.family:
            yield f"not of IPv{siege.family}: {one}"
    for port in PORTS:
        told = sum(one["lport"] == port for one in siege.attacked("established"))
        if told != siege.accepted[f"accepted.{port}"]:
            yield f"port {port}: {siege.accepted[f'accepted.{port}']} accepted, {told} told"


def withstood(siege, least_whole=0):
    """All that is wrong; and whether the attack was one."""
    print(f"# {siege.way}, IPv{siege.family}: {siege.raw['sent']} segments, {siege.raw['whole']} handshakes;"
          f" {sum(siege.accepted.values())} accepted, {len(siege.attacked('no_ack'))} without an ACK;"
          f" {len(siege.honest.lives)} honest lives; resident MB " +
          ", ".join(f"{name} {' -> '.join(f'{weight[name] / MB:.1f}' for weight in siege.rss)}"
                    for name in siege.rss[0]), flush=True)
    yield from wrong_runs(siege)
    yield from wrong_memory(siege)
    yield from wrong_lives(siege)
    if siege.raw["whole"] < least_whole * LOAD:
        yield f"only {siege.raw['whole']} handshakes: this showed nothing"


# ---- the tests ----

def any_segments():
    """segments of any flags, numbers, options, lengths and checksums: every life is told right"""
    yield from withstood(Siege("random", 120_000), 500)


def floods_of_resets():
    """so it is in a flood of RSTs"""
    yield from withstood(Siege("rst", 150_000), 1000)


def any_segments_of_ipv6():
    """any segments of IPv6, some behind an extension header: so it is there"""
    yield from withstood(Siege("random", 120_000, family=6), 500)


def floods_of_resets_of_ipv6():
    """and in a flood of RSTs of IPv6"""
    yield from withstood(Siege("rst", 150_000, family=6), 1000)


def all_kept(count, family):
    # Fast, so that the timers of many expire in one go: fewer may meet PID 1 (attempts.py).
    siege = Siege("syn", count, 2, expires=4, backlog=262144, family=family,
                  sysctls=(("tcp_syncookies", 0), ("tcp_synack_retries", 1)))
    yield from withstood(siege)
    # What was faster than the link never came to be a request; each that did was answered twice.
    told, answered = len(siege.attacked("no_ack")), siege.moved("TcpExt.TCPSynRetrans")
    answered -= sum(one["syn_retrans"] + one["synack_retrans"] for one in siege.honest.lives)
    if told != answered or told < 0.6 * 2 * siege.count:
        yield f"{2 * siege.count} SYNs in two rounds, {answered} answered again, {told} told as never answered"


def flood_of_syns():
    """100000 SYNs of spoofed tuples, each one kept: each is told as never answered, in memory that is used again"""
    yield from all_kept(100_000, 4)


def flood_of_syns_of_ipv6():
    """and so are 40000 of IPv6"""
    yield from all_kept(40_000, 6)


def flood_of_syns_with_cookies():
    """against SYN cookies they leave nothing behind, and honest lives are told right"""
    yield from withstood(Siege("syn", 100_000, backlog=128, sysctls=(("tcp_max_syn_backlog", 128),)))


def tiny_windows():
    """thousands of peers whose window is a byte"""
    yield from withstood(Siege("tiny", 3000), 3000)


def ports_used_again():
    """tuples opened anew as soon as they are closed: every life of each is told, and who closed it"""
    siege = Siege("reuse", 1)
    yield from withstood(siege, 1000)
    for one in siege.attacked("established"):
        if one["lport"] != PATIENT or one["close"] == "still_open":
            continue
        # The peer's FIN came first, and no packet of it was ever a RST.
        if (one["close"], one.get("closed_by"), one.get("time_wait")) != ("fin", "remote", False):
            yield f"ended otherwise: {one}"


TESTS = [any_segments, floods_of_resets, flood_of_syns, flood_of_syns_with_cookies, tiny_windows, ports_used_again,
         any_segments_of_ipv6, floods_of_resets_of_ipv6, flood_of_syns_of_ipv6]


def main():
    return suite.run([test for test in TESTS if all(word in test.__name__ for word in sys.argv[1:])])


if __name__ == "__main__":
    sys.exit(main())
