# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that traces while a `with` block runs, and what it cost; and what the
benchmarks share."""

import os
import pathlib
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kernel"))
sys.dont_write_bytecode = True

TREE = pathlib.Path(os.environ.get("BENCH_DIR", HERE.parents[1] / "build")).resolve()
SYNFIN, STORM, BENCH = TREE / "synfin", TREE / "tests/storm", TREE / "tests/bench"
TIMEWAITS = TREE / "tests/timewaits"
QUICK = bool(os.environ.get("QUICK"))
ROUNDS = 3 if QUICK else 6


def spread(values):
    return f"{min(values):.4g}..{max(values):.4g}"


def row(name, values, unit="", note=None):
    """A line of the table: the median of the rounds, and how far they lay apart."""
    return name, statistics.median(values), unit, spread(values) if note is None else note


def cpu_s(words):
    """CPU seconds of a command, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in words], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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

    def resident_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def __exit__(self, *_):
        time.sleep(0.3)     # what is under way reaches it
        self.cpu_s = self._cpu_s() - self._before
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Loop:
    """A program of this directory that measures a round each time it is asked to."""

    def __init__(self, network, *words, cpu=None):
        pinned = [] if cpu is None else ["taskset", "-c", str(cpu)]
        self._process = subprocess.Popen(["ip", "netns", "exec", network.name, *pinned, BENCH / words[0], *words[1:]],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.round_ns()

    def begin(self):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def result_ns(self):
        return float(self._process.stdout.readline())

    def round_ns(self):
        self.begin()
        return self.result_ns()

    def least_ns(self, rounds=20):
        """Of many short rounds: whatever else happened took longer."""
        return min(self.round_ns() for _ in range(rounds))

    def end(self):
        self._process.stdin.close()
        self._process.wait()


def storm(network, size, mix, *words):
    """What the storm says of itself."""
    done = subprocess.run([STORM, "-N", network.name, "-n", str(size), "-m", mix, "-q", *words],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):   # 1: its own truth is not exact
        raise RuntimeError(f"storm: {done.stderr}")
    truth = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return truth | {"ends": sum(int(value) for key, value in truth.items()
                                if re.match(r"(active|passive)\.", key))}
