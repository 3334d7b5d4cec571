# SPDX-License-Identifier: GPL-2.0-or-later
"""One live synfin for a scenario, and both of its views.

`trace` runs in the background and records; afterwards the recording is
replayed by `trace`, whose output must be the live one byte for byte, and by
`conns`. So a scenario costs one process in the kernel.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import time

from wait import PATIENCE, wait_until

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_PR_SET_PDEATHSIG = 1
_SETTLED = 0.2          # lines come within 100 ms, verdicts wait 50 ms of event time
_libc = ctypes.CDLL(None)


def binary():
    return os.environ.get("SYNFIN", os.path.join(_ROOT, "build", "synfin"))


class TracerFailed(Exception):
    """synfin did not do what every run of it must do."""


class Tracer:
    """A `with` block in which `synfin trace` runs on one namespace."""

    def __init__(self, netns, directory):
        self._recording = os.path.join(directory, "recording")
        self._stdout = os.path.join(directory, "trace.jsonl")
        self._netns = netns

    def __enter__(self):
        with open(self._stdout, "wb") as stdout:
            self._process = subprocess.Popen(
                [binary(), "trace", "-o", "json", "--write", self._recording,
                 "-N", self._netns, "--ring-size", "4M"],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))
        self._wait_for_the_word("tracing")
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def settle(self, complete):
        """Until trace has printed what is awaited, and for more that may come."""
        seen = None

        def printed_all():
            nonlocal seen
            before, seen = seen, os.stat(self._stdout).st_size
            return seen != before and complete(_parse(self._live()))

        with contextlib.suppress(TimeoutError):         # what was printed will tell
            wait_until(printed_all, "complete trace", PATIENCE / 2)
        time.sleep(_SETTLED)

    def stop(self):
        """Stop it and replay: (trace records, conns records)."""
        self._process.send_signal(signal.SIGINT)
        try:
            _, stderr = self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise TracerFailed(f"synfin did not stop within {PATIENCE} s of SIGINT") from None
        if self._process.returncode or stderr:
            raise TracerFailed(f"exit code {self._process.returncode}, stderr: {stderr.decode()}")
        live, replayed = self._live(), self._replay("trace")
        if replayed != live:
            raise TracerFailed(f"the replayed trace differs from the live one: {_first_difference(live, replayed)}")
        return _parse(live), _parse(self._replay("conns"))

    def _live(self):
        with open(self._stdout, "rb") as file:
            return file.read()

    def _replay(self, what):
        done = subprocess.run([binary(), what, "-o", "json", "--read", self._recording],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
        if done.returncode or done.stderr:
            raise TracerFailed(f"{what} --read: exit code {done.returncode}, stderr: {done.stderr.decode()}")
        return done.stdout

    def _wait_for_the_word(self, word):
        said, deadline = b"", time.monotonic() + PATIENCE
        stderr = self._process.stderr.fileno()
        while word.encode() not in said:
            ready, _, _ = select.select([stderr], [], [], max(0, deadline - time.monotonic()))
            text = os.read(stderr, 4096) if ready else b""
            if not text:
                self.__exit__()
                raise TracerFailed(f"synfin never said '{word}', but: {said.decode()!r}")
            said += text


def _parse(output):
    """Every line is one JSON object, and no value is null, "" or nested."""
    records = []
    for line in output.decode().splitlines(keepends=True):
        if not line.endswith("\n"):                     # the rest is still to come
            break
        record = json.loads(line)
        for key, value in record.items():
            members = value if isinstance(value, list) else [value]
            if not all(isinstance(member, (str, int, float)) and member != "" for member in members):
                raise TracerFailed(f"{key} has no right value: {line}")
        records.append(record)
    return records


def _first_difference(live, replayed):
    live, replayed = live.decode().splitlines(), replayed.decode().splitlines()
    for number, (one, other) in enumerate(zip(live, replayed), 1):
        if one != other:
            return f"line {number}\n live {one}\n read {other}"
    return f"{len(live)} lines live, {len(replayed)} replayed"
