#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Storms of mixed connections at full speed, held against their exact truth.

tests/load/storm.c says how many lives of each kind it made; synfin must have
reported just these, each once, complete, and have lost nothing. Prints TAP.
Needs root. SYNFIN and STORM name the programs; words are the tests to run, if not all.
"""

import collections
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import features
import suite
from attempts import Skip
from load import EMULATED, scaled
from wait import PATIENCE

SYNFIN = os.environ.get("SYNFIN", "build/synfin")
STORM = os.environ.get("STORM", "build/tests/storm")
COUNT = scaled(20000)

# Turns that make a program slow; with fewer connections it takes more to be interrupted.
SLOW = "1500" if EMULATED else "500"
# The kind whose truth is not exact: now and then its RST is lost on a socket that
# is just becoming a FIN_WAIT2 mini, which then lives on (ss shows it, too).
INEXACT = "late_linger0"
MIX = "*_fin*,half_close*,*_unread,client_*,server_linger0,refused"
if features.names_reset_reasons():      # else data for a parked mini-socket, and its RST, are not seen
    MIX += ",late_data"


class Storm:
    """One storm in a namespace of its own, traced by `synfin conns`."""

    def __init__(self, name, storm_args, synfin_args=(), env=None, stopped=False):
        self.stopped = stopped      # the reader stands still while the storm is on
        self.netns = f"synfin-storm-{os.getpid()}-{name}"
        self.directory = tempfile.mkdtemp(prefix="synfin-storm-")
        self.recording = os.path.join(self.directory, "storm.rec")
        self.env = {**os.environ, **(env or {})}
        subprocess.run(["ip", "netns", "add", self.netns], check=True)
        try:
            subprocess.run(["ip", "-n", self.netns, "link", "set", "lo", "up"], check=True)
            self._run(storm_args, synfin_args)
        finally:
            subprocess.run(["ip", "netns", "del", self.netns], check=True)

    def _run(self, storm_args, synfin_args):
        output = os.path.join(self.directory, "out.jsonl")
        errors = os.path.join(self.directory, "err")
        with open(output, "wb") as out, open(errors, "wb") as err:
            tracer = subprocess.Popen(
                [SYNFIN, "conns", "-v", "-o", "json", "-N", self.netns,
                 "--write", self.recording, *synfin_args], stdout=out, stderr=err, env=self.env)
            try:
                wait_for(errors, "tracing")
                if self.stopped:
                    tracer.send_signal(signal.SIGSTOP)
                storm = subprocess.run([STORM, "-N", self.netns, *storm_args], check=False,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                time.sleep(0.5)     # the last resets, and the verdicts that wait for them
            finally:
                tracer.send_signal(signal.SIGCONT)
                tracer.send_signal(signal.SIGINT)
                self.status = tracer.wait(timeout=60)
        with open(output, "rb") as file:
            self.output = file.read()
        with open(errors, encoding="utf-8") as file:
            self.stderr = file.read()
        self.storm_status, self.storm_stderr = storm.returncode, storm.stderr
        self.truth = dict(line.split("=", 1) for line in storm.stdout.split() if "=" in line)
        records = [json.loads(line) for line in self.output.splitlines()]
        self.summary = records[-1]
        self.lives = [r for r in records if r["event"] == "connection"]

    def remove(self):
        for name in os.listdir(self.directory):
            os.unlink(os.path.join(self.directory, name))
        os.rmdir(self.directory)


def wait_for(path, word):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with open(path, encoding="utf-8") as file:
            if word in file.read():
                return
        time.sleep(0.02)
    raise TimeoutError(f"synfin never said {word!r}")


def counted(storm):
    """The lives that synfin told, in the storm's own keys."""
    told = collections.Counter()
    either = {storm.truth.get("port.both_fin"), storm.truth.get("dual_port.both_fin")}
    for life in storm.lives:
        key = [life.get("role", "-"), life.get("outcome", "-")]
        if life.get("outcome") == "established":
            port = life["lport"] if life.get("role") == "passive" else life["rport"]
            key += [life.get("close", "-"), "any" if str(port) in either else life.get("closed_by", "-")]
        told[".".join(key)] += 1
        if "close_reason" in life:
            told[f"reason.{life.get('role', '-')}.{life['close_reason']}"] += 1
        told[f"family.{life.get('role', '-')}.{life['family']}"] += 1
    return told


def wrong_counts(storm):
    told = counted(storm)
    truth = {key: int(value) for key, value in storm.truth.items()
             if key.split(".")[0] in ("active", "passive", "reason", "family")}
    for key in sorted(truth.keys() | told.keys()):
        if truth.get(key, 0) != told[key]:
            yield f"{key}: the storm made {truth.get(key, 0)}, synfin told {told[key]}"


def wrong_lives(storm):
    seen = set()
    for life in storm.lives:
        name = (life["conn"], life.get("start"))
        if name in seen:
            yield f"told twice: {life}"
        seen.add(name)
        if not life["complete"]:
            yield f"not complete: {life}"
        if life.get("role") == "active" and life.get("pid") != int(storm.truth["pid"]):
            yield f"wrong owner: {life}"
        if life.get("comm", "storm") != "storm":
            yield f"wrong comm: {life}"


def wrong_summary(storm):
    for key in ("lost_ring", "lost_nested", "lost_table", "lost_sink", "connections_unseen",
                "incomplete"):
        if storm.summary[key]:
            yield f"summary: {key} is {storm.summary[key]}"
    if storm.summary["connections"] != len(storm.lives):
        yield f"summary: {storm.summary['connections']} connections, {len(storm.lives)} printed"


def wrong_run(storm):
    if storm.status:
        yield f"synfin exited with {storm.status}: {storm.stderr}"
    if storm.storm_status:
        yield f"the storm's truth is not exact, exit {storm.storm_status}: {storm.storm_stderr}"
    replay = subprocess.run([SYNFIN, "conns", "-o", "json", "--read", storm.recording],
                            stdout=subprocess.PIPE, check=False)
    if replay.stdout != storm.output:
        yield "the replayed output is not the live one"


def all_wrong(storm):
    for find in (wrong_run, wrong_summary, wrong_counts, wrong_lives):
        yield from find(storm)


def twins_took(storm):
    """How many nested hits the twins took, as -v tells."""
    words = storm.stderr.split(" hits of a program")[0].split()
    return int(words[-1])


def need_the_guard():
    if not features.has_guard():
        raise Skip("this kernel skips no program while it runs")


def mixed_kinds():
    """a storm of mixed kinds at full speed is told exactly"""
    storm = Storm("mixed", ["-n", str(COUNT), "-t", "2", "-d", "4", "-46M", "-m", MIX])
    yield from all_wrong(storm)
    if len(storm.lives) < COUNT:
        yield f"only {len(storm.lives)} lives"
    storm.remove()


def one_burst():
    """connections held open and closed in one burst are told exactly"""
    storm = Storm("burst", ["-n", str(scaled(12000)), "-H", str(scaled(4000)), "-d", "4", "-m", MIX])
    yield from all_wrong(storm)
    storm.remove()


def slow_program():
    """with a slow program, which is often interrupted by itself, nothing is lost or told twice"""
    yield from slow_storm({})


def as_if_preempted():
    """so it is with the marks and the copies that preempted tasks need"""
    need_the_guard()
    if features.release() < (6, 18):
        raise Skip("this kernel, which does not need them, takes minutes to load them (6.12; 6.18 and 7.3 do not)")
    yield from slow_storm({"SYNFIN_DEBUG_PREEMPTS": "1"})


def slow_storm(env):
    storm = Storm("slow", ["-n", str(scaled(15000)), "-m", MIX], env={"SYNFIN_DEBUG_SLOW": SLOW, **env})
    if storm.summary["lost_nested"] and features.preempts_programs():
        raise Skip(f"up to {storm.summary['lost_nested']} events were lost, as told: tasks are preempted here")
    yield from all_wrong(storm)
    if features.has_guard() and not twins_took(storm):
        if EMULATED:
            raise Skip("nothing was nested: an emulated processor is seldom interrupted so")
        yield "nothing was nested: this test showed nothing"
    if not features.has_guard() and twins_took(storm):
        yield f"{twins_took(storm)} hits were taken by twins, though the kernel skips none"
    storm.remove()


def without_twins():
    """without the twins the same loss is seen, counted, and marks the lives"""
    need_the_guard()
    storm = Storm("no-twin", ["-n", str(scaled(15000)), "-m", MIX], ["--strict"],
                  {"SYNFIN_DEBUG_SLOW": SLOW, "SYNFIN_DEBUG_NO_TWIN": "1"})
    if not storm.summary["lost_nested"]:
        if EMULATED:
            raise Skip("nothing was nested: an emulated processor is seldom interrupted so")
        yield "no record was lost: this test showed nothing"
    if storm.status != 5:
        yield f"exit status {storm.status} under --strict"
    told = sum(r["count"] for r in map(json.loads, storm.output.splitlines())
               if r["event"] == "lost")
    if told != storm.summary["lost_nested"]:
        yield f"lost records tell of {told}, the summary of {storm.summary['lost_nested']}"
    storm.remove()


def tiny_ring():
    """with a ring of one page every connection is told complete, incomplete, or counted unseen"""
    yield from added_up(Storm("tiny", ["-n", str(scaled(20000)), "-m", MIX], ["--ring-size", "4K"]))


def stopped_reader():
    """so it is if the reader is stopped and continued"""
    yield from added_up(Storm("stopped", ["-n", str(scaled(10000)), "-m", MIX], ["--ring-size", "1M"],
                              stopped=True))


def added_up(storm):
    """After losses: what is wrong with the sum, and with what is told of each life."""
    made, told = int(storm.truth["summary.connections"]), storm.summary
    if not told["lost_ring"]:
        if EMULATED:
            raise Skip("an emulated processor does not fill the ring")
        yield "no record was lost: this test showed nothing"
    if told["connections"] != len(storm.lives):
        yield f"{told['connections']} connections in the summary, {len(storm.lives)} printed"
    if made != told["connections"] + told["connections_unseen"]:
        yield (f"{made} made, {told['connections']} told,"
               f" {told['connections_unseen']} counted as unseen")
    for life in storm.lives:
        if life["complete"] and life["close"] == "still_open":
            yield f"still open, long after the storm: {life}"
        if not life["complete"] and {"duration_us", "path_us"} & life.keys():
            yield f"a duration across a hole: {life}"
        if not life["complete"] and not life.get("missed"):
            yield f"incomplete, and nothing missed: {life}"
    storm.remove()


def main():
    tests = [mixed_kinds, one_burst, slow_program, as_if_preempted, without_twins, tiny_ring, stopped_reader]
    return suite.run([test for test in tests if test.__name__ in sys.argv[1:] or not sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
