# SPDX-License-Identifier: GPL-2.0-or-later
"""One live synfin for a scenario, and both of its views.

`trace` runs in the background and records; afterwards the recording is
replayed by `trace`, whose output must be the live one byte for byte, and by
`conns`. So a scenario costs one process in the kernel.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import time

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def binary():
    return os.environ.get("SYNFIN", os.path.join(_ROOT, "build", "synfin"))


class TracerFailed(Exception):
    """synfin did not do what every run of it must do."""


class Tracer:
    """A running `synfin trace` on one namespace, within a directory."""

    def __init__(self, netns, directory):
        self.recording = os.path.join(directory, "recording.synfin")
        self._stdout = os.path.join(directory, "trace.jsonl")
        self._netns = netns
        self._process = None

    def start(self):
        with open(self._stdout, "wb") as stdout:
            self._process = subprocess.Popen(
                [binary(), "trace", "-o", "json", "--write", self.recording,
                 "-N", self._netns, "--ring-size", "1M"],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))
        self._wait_for_the_word("tracing", 30)

    def stop(self):
        """Stop it and replay: (trace records, conns records)."""
        self._process.send_signal(signal.SIGINT)
        try:
            _, stderr = self._process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TracerFailed("synfin did not stop within 20 s of SIGINT") from None
        if self._process.returncode:
            raise TracerFailed(f"exit code {self._process.returncode}, stderr: {stderr.decode()}")
        with open(self._stdout, "rb") as file:
            live = file.read()
        replayed = self._replay("trace")
        if replayed != live:
            raise TracerFailed(f"the replayed trace differs from the live one: {_first_difference(live, replayed)}")
        return _parse(live), _parse(self._replay("conns"))

    def kill(self):
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _replay(self, what):
        done = subprocess.run([binary(), what, "-o", "json", "--read", self.recording],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        if done.returncode:
            raise TracerFailed(f"{what} --read: exit code {done.returncode}, stderr: {done.stderr.decode()}")
        return done.stdout

    def _wait_for_the_word(self, word, seconds):
        said, deadline = b"", time.monotonic() + seconds
        stderr = self._process.stderr.fileno()
        while word.encode() not in said:
            ready, _, _ = select.select([stderr], [], [], max(0, deadline - time.monotonic()))
            text = os.read(stderr, 4096) if ready else b""
            if not text:
                self.kill()
                raise TracerFailed(f"synfin never said '{word}', but: {said.decode()!r}")
            said += text


def _parse(output):
    """Every line is one JSON object, and no value is null, "" or nested."""
    records = []
    for line in output.decode().splitlines():
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
