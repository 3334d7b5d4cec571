#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An unprivileged user with ambient capabilities, while kernel.perf_event_paranoid
is as strict as Debian (3) and Ubuntu (4) have it: CAP_BPF and CAP_PERFMON are enough to trace, and what is missing is named.

Changes that sysctl of the whole machine for as long as it runs, so only on one of
its own (SYNFIN_ALONE). Needs root. Prints TAP. SYNFIN names the program.
"""

import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True     # leave nothing in the tree

import suite
from attempts import Skip
from load import EMULATED
from netns import Netns
from wait import PATIENCE, wait_until

SYNFIN = os.path.abspath(os.environ.get("SYNFIN", "build/synfin"))
PARANOID = "/proc/sys/kernel/perf_event_paranoid"
STRICT = ("3",) if EMULATED else ("3", "4")
MEMLOCK = "--memlock=65536"         # before 5.11 less than the maps take
CLOSED = 7001                       # a port


def as_nobody(*capabilities):
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if capabilities:
        wanted = ",".join(f"+{name}" for name in capabilities)
        words += [f"--inh-caps={wanted}", f"--ambient-caps={wanted}"]
    return words


@contextlib.contextmanager
def program():
    """A copy where nobody may run it."""
    with tempfile.TemporaryDirectory(prefix="synfin-rights-") as directory:
        os.chmod(directory, 0o755)
        yield shutil.copy(SYNFIN, directory)


@contextlib.contextmanager
def paranoid(value):
    with open(PARANOID, encoding="ascii") as file:
        before = file.read()
    try:
        with open(PARANOID, "w", encoding="ascii") as file:
            file.write(value)
        yield
    finally:
        with open(PARANOID, "w", encoding="ascii") as file:
            file.write(before)


def refused_connection(before, command):
    """(exit status, records, stderr) of a run that sees one connect() to a closed port."""
    with program() as binary, Netns() as netns, netns.inside(), tempfile.TemporaryFile() as out, \
            tempfile.NamedTemporaryFile("w+") as err:
        process = subprocess.Popen([*before, binary, command, "-o", "json", "-N", "self"], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=err)
        try:
            wait_until(lambda: process.poll() is not None or b"tracing" in os.pread(err.fileno(), 4096, 0),
                       "word 'tracing'")
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", CLOSED))
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
        out.seek(0)
        return process.returncode, [json.loads(line) for line in out], os.pread(err.fileno(), 4096, 0).decode()


def enough():
    """with CAP_BPF and CAP_PERFMON an unprivileged user traces"""
    before = ["prlimit", "--memlock=unlimited", *as_nobody("bpf", "perfmon")]
    for value in STRICT:
        with paranoid(value):
            status, lines, stderr = refused_connection(before, "trace")
            conns_status, conns, conns_stderr = refused_connection(before, "conns")
        states = [(line["old"], line["new"], line.get("pid")) for line in lines if line["event"] == "state"]
        if status or states != [("close", "syn_sent", os.getpid()), ("syn_sent", "close", os.getpid())]:
            yield f"{value}: trace: exit status {status}, {states}, {stderr}"
        ends = [(one.get("outcome"), one.get("pid")) for one in conns if one["event"] == "connection"]
        if conns_status or ends != [("refused", os.getpid())]:
            yield f"{value}: conns: exit status {conns_status}, {ends}, {conns_stderr}"


def named(before, *words):
    """The error of `synfin trace`: one line, exit status 3, with these words in it."""
    with program() as binary:
        done = subprocess.run([*before, binary, "trace", "-N", "self", "-d", "100ms"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=PATIENCE)
    if done.returncode != 3 or done.stdout or len(done.stderr.splitlines()) != 1:
        yield f"{before}: exit status {done.returncode}: {done.stderr}"
    for word in words:
        if word not in done.stderr:
            yield f"{before}: {word} is not named: {done.stderr}"


def what_is_missing():
    """with nothing, or one of the two, the error names what is missing"""
    for value in STRICT:
        with paranoid(value):
            yield from named(as_nobody(), "CAP_BPF is missing", "CAP_PERFMON")
            yield from named(as_nobody("bpf"), "CAP_PERFMON is missing")
            yield from named(as_nobody("perfmon"), "CAP_BPF is missing")


def of_the_doctor():
    """the doctor tells the setting, and that it stands in nobody's way who has both"""
    for value in STRICT:
        with paranoid(value), program() as binary:
            done = subprocess.run(["prlimit", "--memlock=unlimited", *as_nobody("bpf", "perfmon"), binary, "doctor", "-v"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=PATIENCE)
        if done.returncode or "tracing will work" not in done.stderr:
            yield f"{value}: exit status {done.returncode}: {done.stderr}"
        if f"perf_event_paranoid: {value}" not in done.stderr:
            yield f"{value}: not told: {done.stderr}"


def locked_memory():
    """without room for locked memory it traces, or names what is missing where that counts"""
    before = ["prlimit", MEMLOCK, *as_nobody("bpf", "perfmon")]
    with program() as binary:
        done = subprocess.run([*before, binary, "doctor", "-o", "json"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=PATIENCE)
    checks = {one["feature"]: one for one in map(json.loads, done.stdout.splitlines())}
    if checks["memlock"]["ok"]:
        status, lines, stderr = refused_connection(before, "trace")
        if status or not any(line["event"] == "state" for line in lines):
            yield f"the doctor finds enough, but: exit status {status}: {stderr}"
    else:
        yield from named(before, "locked memory", "ulimit -l", "CAP_SYS_RESOURCE")


def only_alone(test):
    @functools.wraps(test)
    def on_its_own_machine():
        if not os.environ.get("SYNFIN_ALONE"):
            raise Skip("it changes a setting of the whole machine")
        yield from test()

    return on_its_own_machine


def main():
    return suite.run([only_alone(test) for test in (enough, what_is_missing, of_the_doctor, locked_memory)])


if __name__ == "__main__":
    sys.exit(main())
