# SPDX-License-Identifier: GPL-2.0-or-later
"""Readers that leave, that are slow, that are not there."""

import contextlib
import json
import os
import pathlib
import pty
import signal
import statistics
import threading
import time

import namespaces
import recording
import traffic
from case import case, check, equal, same_bytes
from synfin import redirected


class _Pipe:
    """What synfin writes into, and this process reads from."""

    def __init__(self):
        self.near, self.far = os.pipe()

    def leave(self):
        os.close(self.near)

    def read_all(self):
        found = bytearray()
        while part := os.read(self.near, 1 << 16):
            found += part
        return bytes(found)


def _into_pipe(synfin, *args):
    pipe = _Pipe()
    tracer = synfin.trace(*args, stdout=pipe.far)
    os.close(pipe.far)
    return pipe, tracer


@case
def a_reader_that_leaves_under_load_ends_it_quietly(synfin):
    network = namespaces.own_network()
    for form in "table", "json", "csv":
        pipe, tracer = _into_pipe(synfin, "-o", form, "-N", network)
        with tracer, traffic.Storm(synfin, "-n", "3000", "-r", "3000"):
            os.read(pipe.near, 100)
            pipe.leave()
            tracer.done(2).expect(0).quiet()


@case
def a_reader_that_leaves_when_nothing_happens_ends_it_quietly(synfin):
    pipe, tracer = _into_pipe(synfin, "conns", "-o", "json", "-N", namespaces.own_network())
    with tracer:
        pipe.leave()
        tracer.done(2).expect(0).quiet()


@case
def head_ends_it_quietly(synfin):
    """As a shell does it; of a replay that fills the pipe, too."""
    path, head = synfin.path("made.synfin"), ["bash", "-o", "pipefail", "-c", '"$@" | head -1', "bash"]
    network = namespaces.own_network()
    with synfin.launch("-N", network, within=head) as pipeline:
        pipeline.tracing()
        traffic.refuse(*range(7001, 7051))
        pipeline.done(2).expect(0).quiet()
    recording.make(synfin, load=("-n", "500"))
    for form in "table", "json", "csv":
        done = synfin.run("-o", form, "--read", path, within=head).expect(0).quiet()
        equal(len(done.lines()), 1, "lines")


def _lost(records, where):
    return sum(record["count"] for record in records if record["event"] == "lost" and record["where"] == where)


@case
def a_reader_that_stalls_gets_whole_lines_and_the_losses_told(synfin):
    network, path = namespaces.own_network(), synfin.path("recording")
    pipe, tracer = _into_pipe(synfin, "-o", "json", "-N", network, "--write", path)
    with tracer:
        traffic.storm(synfin, "-n", "5000", "-s", "5")
        time.sleep(2)
        threading.Timer(0.3, tracer.process.send_signal, [signal.SIGINT]).start()
        output = pipe.read_all()
        tracer.done().expect(0).quiet()
    records = [json.loads(line) for line in output.splitlines()]
    summary, lost = records[-1], _lost(records, "sink")
    equal(summary["event"], "summary", "the last record")
    check(lost > 0, "nothing was lost: the load is too small for this test")
    equal(summary["lost_sink"], lost, "lost_sink of the summary, of the lost lines")
    replayed = synfin.run("-o", "json", "--read", path).expect(0).lines()
    told = [line for line in output.decode().splitlines() if '"event":"lost"' not in line]
    whole = [line for line in replayed if '"event":"lost"' not in line]
    equal(len(told) + lost, len(whole), "lines told and lines lost, together")
    check(set(told[:-1]) <= set(whole), "a line was told that the replay does not have")


@case
def a_full_device_is_told(synfin):
    network = namespaces.own_network()
    for form in "table", "json", "csv":
        with synfin.launch("-o", form, "-N", network, within=redirected(">/dev/full")) as tracer:
            tracer.tracing()
            traffic.refuse(7001)
            tracer.done(3).error(1, "stdout", "No space left")


@case
def a_full_device_is_told_by_a_replay(synfin):
    network, path = namespaces.own_network(), synfin.path("recording")
    with synfin.trace("-N", network, "--write", path) as tracer:
        traffic.refuse(7001)
        tracer.stop().expect(0)
    for form in "table", "json", "csv":
        synfin.run("-q", "-o", form, "--read", path, within=redirected(">/dev/full")).error(
            1, "stdout", "No space left")


@case
def a_closed_stdout_is_told(synfin):
    network = namespaces.own_network()
    for form in "table", "json":
        done = synfin.run("-o", form, "-N", network, within=redirected(">&-"), limit=3)
        done.error(1, "stdout", "closed")


@case
def a_closed_stdout_is_told_by_a_replay(synfin):
    network, path = namespaces.own_network(), synfin.path("recording")
    with synfin.trace("-N", network, "--write", path) as tracer:
        traffic.refuse(7001)
        tracer.stop().expect(0)
    done = synfin.run("-o", "json", "--read", path, within=redirected(">&-"), limit=3)
    done.error(1, "stdout", "closed")


def _links(pid):
    """How many BPF links a process holds."""
    found = 0
    with contextlib.suppress(OSError):
        for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
            found += "link_id:" in path.read_text(encoding="ascii")
    return found


def _until_attached(pid):
    """Where nobody says so: its links are there, and no more of them come."""
    links = -1
    for _ in range(60):
        before, links = links, _links(pid)
        if links == before > 0:
            return
        time.sleep(0.5)
    check(False, f"it does not attach: {links} links")


@case
def a_closed_stderr_changes_nothing(synfin):
    network, path = namespaces.own_network(), synfin.path("recording")
    for closed in "2>&-", "<&- 2>&-":
        with synfin.launch("-o", "json", "-N", network, "--write", path, within=redirected(closed)) as tracer:
            _until_attached(tracer.process.pid)
            traffic.refuse(7001)
            done = tracer.stop().expect(0)
        equal(done.summary()["transitions"], 2, "transitions")
        same_bytes(synfin.run("-o", "json", "--read", path).expect(0).stdout, done.stdout, "the replay")


@case
def a_second_signal_ends_it_even_if_the_reader_stalls(synfin):
    pipe, tracer = _into_pipe(synfin, "-o", "json", "-N", namespaces.own_network())
    with tracer:
        traffic.refuse(*range(7001, 7301))
        tracer.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        check(tracer.process.poll() is None, "it did not wait for its reader, or the load is too small for this test")
        tracer.process.send_signal(signal.SIGINT)
        tracer.done(2)
    check(pipe.read_all(), "nothing came")


def _is_non_blocking(tracer):
    """Of the open file that is its stdout, and that it shares with whoever started it."""
    with open(f"/proc/{tracer.process.pid}/fdinfo/1") as file:
        flags = next(line.split()[1] for line in file if line.startswith("flags:"))
    return bool(int(flags, 8) & os.O_NONBLOCK)


@case
def a_shared_stdout_stays_blocking(synfin):
    network = namespaces.own_network()
    for far in os.pipe()[1], pty.openpty()[1]:
        with synfin.trace("-N", network, stdout=far) as tracer:
            traffic.refuse(7001)
            time.sleep(0.2)
            check(not _is_non_blocking(tracer), "its stdout was made non-blocking")
            tracer.stop().expect(0)


@case(alone=True)
def a_record_reaches_a_pipe_within_100_ms(synfin):
    pipe, tracer = _into_pipe(synfin, "-o", "json", "-N", namespaces.own_network())
    took = []
    with tracer:
        for turn in range(9):
            time.sleep(0.05 + turn * 0.007)
            began = time.monotonic()
            traffic.refuse(7001)
            os.read(pipe.near, 1 << 16)
            took.append(time.monotonic() - began)
        tracer.stop().expect(0)
    check(statistics.median(took) < 0.1, f"seconds: {', '.join(f'{one:.3f}' for one in took)}")
