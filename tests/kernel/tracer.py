# SPDX-License-Identifier: GPL-2.0-or-later
"""One live synfin for a scenario, or for several at a time, and both of its views.

`trace` runs in the background and records; afterwards the recording is
replayed by `trace`, whose output must be the live one byte for byte, and by
`conns`. So a scenario costs one process in the kernel, or a part of one.
"""

import contextlib
import ctypes
import datetime
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
    """A `with` block in which `synfin trace` runs on one namespace, or on "all"."""

    whole = True        # what it has to say, the summary included

    def __init__(self, netns, directory):
        self._recording = os.path.join(directory, "recording")
        self._stdout = trace_in(directory)
        self._conns = conns_in(directory)
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
        conns = self._replay("conns")
        with open(self._conns, "wb") as file:
            file.write(conns)
        return _parse(live), _parse(conns)

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


class Share:
    """What a scenario sees of the tracer of all namespaces that others use, too: the
    lines of its own. stop() says that it has come to its end, waits until the tracer
    is stopped, and raises what was wrong with that."""

    whole = False

    def __init__(self, directory, inode, stop):
        self._trace = _Lines(trace_in(directory), inode)
        self._conns = _Lines(conns_in(directory), inode)
        self._stop = stop

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def settle(self, complete):
        seen = None

        def printed_all():
            nonlocal seen
            before, seen = seen, len(self._trace.records())
            return seen != before and complete(self._trace.records())

        with contextlib.suppress(TimeoutError):
            wait_until(printed_all, "complete trace", PATIENCE / 2)
        time.sleep(_SETTLED)

    def stop(self):
        self._stop()
        return self._trace.records(), self._conns.records()


class _Lines:
    """The records of one namespace in a file that grows; not those of one before it,
    which had the same number and whose sockets are older, whenever their end is told."""

    def __init__(self, path, inode):
        self._path, self._mark = path, b'"netns":%d,' % inode
        self._since = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
        self._offset, self._rest, self._records, self._strangers = 0, b"", [], set()

    def records(self):
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        self._offset += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        here = _parse(b"".join(line + b"\n" for line in lines if self._mark in line))
        self._records = self._records + [one for one in here if self._is_own(one)]
        return self._records

    def _is_own(self, one):
        if one["time"] < self._since or "existing" in one:
            self._strangers.add(one.get("conn", "none"))
            return False
        return one.get("conn") not in self._strangers


def trace_in(directory):
    return os.path.join(directory, "trace.jsonl")


def conns_in(directory):
    return os.path.join(directory, "conns.jsonl")


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
