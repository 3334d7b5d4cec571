# SPDX-License-Identifier: GPL-2.0-or-later
"""What stays in the kernel when synfin is gone: nothing."""

import json
import os
import signal
import subprocess
import time

import namespaces
from case import case, check, equal

_BPFFS = "/sys/fs/bpf"


def _listed(kind):
    """All BPF objects of a kind: {id: name}. bpftool gives up where one goes while it lists them."""
    for _ in range(20):
        done = subprocess.run(["bpftool", "-j", kind, "show"], capture_output=True)
        if not done.returncode:
            return {one["id"]: one.get("name") for one in json.loads(done.stdout)}
        time.sleep(0.05)
    raise RuntimeError(f"bpftool {kind} show: {done.stdout.decode()} {done.stderr.decode()}")


def _held_by(pid):
    """The BPF objects of a process, by its descriptors: {(kind, id)}."""
    held = set()
    for number in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{number}") as file:
            info = dict(line.rstrip("\n").split(":", 1) for line in file if ":" in line)
        held |= {(kind, int(info[f"{kind}_id"])) for kind in ("prog", "map", "link") if f"{kind}_id" in info}
    return held


def _left(held):
    there = {kind: _listed(kind) for kind in ("prog", "map", "link")}
    return {(kind, number, there[kind][number]) for kind, number in held if number in there[kind]}


def _pinned():
    return {os.path.join(place, name) for place, _, names in os.walk(_BPFFS) for name in names}


def _nothing_stays(synfin, number):
    before = _pinned()
    with synfin.trace("-N", namespaces.own_network()) as tracer:
        held = _held_by(tracer.process.pid)
        names = {name for _, _, name in _left(held)}
        check("on_set_state" in names, f"the test does not see the programs: {names}")
        equal({one for one in _pinned() - before if "synfin" in one or "on_" in one}, set(), "pinned")
        tracer.process.send_signal(number)
        tracer.process.wait()
    deadline = time.monotonic() + 5
    while _left(held) and time.monotonic() < deadline:     # freed after a grace period
        time.sleep(0.1)
    equal(_left(held), set(), "BPF objects that are still there after 5 s")


@case
def nothing_stays_after_a_kill(synfin):
    _nothing_stays(synfin, signal.SIGKILL)


@case
def nothing_stays_after_an_orderly_end(synfin):
    _nothing_stays(synfin, signal.SIGINT)
