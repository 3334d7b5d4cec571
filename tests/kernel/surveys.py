# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of timewait, listen and conns --stuck have in common."""

import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

import netns
import suite
from peer import Peer, Wire
from wait import PATIENCE, wait_until

SYNFIN = os.environ.get("SYNFIN", "build/synfin")
LOCAL, NEAR, FAR = "127.0.0.1", "10.0.0.1", "10.0.0.2"

_lock = threading.Lock()


@contextlib.contextmanager
def new_netns(**sysctls):
    with _lock:     # namespaces are numbered
        made = netns.Netns()
    with made:
        for name, value in sysctls.items():
            made.sysctl(name, value)
        yield made


class Far:
    """The far end of a veth pair, where no kernel answers: only peers made here do."""

    def __init__(self, stack, near):
        self._stack = stack
        self._netns = stack.enter_context(new_netns())
        self._netns.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        netns.join(near, self._netns)
        near.ip("address", "add", f"{NEAR}/24", "dev", "veth0")
        near.ip("neighbour", "add", FAR, "lladdr", netns.mac(self._netns), "dev", "veth0", "nud", "permanent")
        self._wire = Wire(netns.mac(self._netns), netns.mac(near), FAR, NEAR)

    def peer(self, port, to_port=None, **options):
        with self._netns.inside():
            made = Peer(self._wire, port, to_port, **options)
        self._stack.callback(made.close)
        return made


def listen(port, backlog=4096, address=LOCAL, *options):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    for option in (socket.SO_REUSEADDR, *options):
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    made.bind((address, port))
    made.listen(backlog)
    return made


def records(output):
    return [json.loads(line) for line in output.splitlines()]


TIMES = ("time", "left_us_buckets", "reusable", "reusable_if_enabled")  # a later census has others


def unrecorded(place, words):
    """The records without a recording: then the kernel counts mini-sockets, where it can, and
    tells of each only if they are to be recorded."""
    done = subprocess.run([SYNFIN, *words, "-o", "json", "-N", place.name], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(f"synfin {' '.join(words)}: {done.returncode}: {done.stderr.strip()}")
    return told(records(done.stdout))


def without_times(found):
    return [{key: value for key, value in record.items() if key not in TIMES} for record in found]


def only(found, others):
    return [record for record in found if record not in others]


def synfin(place, *words):
    """Run it on a namespace, and its recording through it again, and once more without a
    recording: the records of all, which have to be the same."""
    counted = unrecorded(place, words) if words[0] == "timewait" else None
    with tempfile.TemporaryDirectory(prefix="synfin-") as directory:
        recording = os.path.join(directory, "recording")
        done = subprocess.run([SYNFIN, *words, "-o", "json", "-N", place.name, "--write", recording],
                              capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"synfin {' '.join(words)}: {done.returncode}: {done.stderr.strip()}")
        again = subprocess.run([SYNFIN, *without_interval(words), "-o", "json", "--read", recording],
                               capture_output=True, text=True, timeout=60)
    if told(records(again.stdout)) != told(records(done.stdout)):
        raise RuntimeError(f"synfin {' '.join(words)}: the replayed output is not the live one: "
                           f"{again.stdout} {again.stderr}")
    if counted is None:
        return told(records(done.stdout))
    one_by_one, counted_too = (without_times(found) for found in (told(records(done.stdout)), counted))
    if counted_too != one_by_one:
        raise RuntimeError(f"synfin {' '.join(words)}: counted in the kernel there is {only(counted_too, one_by_one)}, "
                           f"and told one by one {only(one_by_one, counted_too)}")
    return counted


def without_interval(words):
    words = list(words)
    if "-i" in words:
        at = words.index("-i")
        del words[at:at + 2]
    return words


def told(found):
    """Without the summary, which tells how long it took."""
    return [record for record in found if record["event"] != "summary"]


def of(found, event, **keys):
    return [record for record in found
            if record["event"] == event and all(record.get(key) == value for key, value in keys.items())]


class Repeating:
    """synfin with -i, until the block ends."""

    def __init__(self, place, *words):
        self._found = []
        self._watchdog = threading.Timer(3 * PATIENCE, lambda: self._process.kill())
        self._process = subprocess.Popen([SYNFIN, *words, "-o", "json", "-N", place.name], text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        self._watchdog.start()
        while "tracing" not in (line := self._process.stderr.readline()):
            if not line:
                raise RuntimeError("synfin ended before the word 'tracing'")
        return self

    def until(self, happened):
        """What was told until one was told for which happened(record)."""
        while line := self._process.stdout.readline():
            self._found += records(line)
            if happened(self._found[-1]):
                return self._found
        raise RuntimeError("synfin ended before that")

    def records(self):
        self._process.terminate()
        return told(self._found + records(self._process.communicate(timeout=60)[0]))

    def __exit__(self, *_):
        self._watchdog.cancel()
        self._process.kill()
        self._process.wait()


def run(tests):
    """Side by side; TAP. A test yields what is wrong. On the command line those that are
    wanted, all if none is named."""
    return suite.run([], side_by_side=[guarded(test) for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]])


def guarded(test):
    """What it raises is wrong, too."""
    @functools.wraps(test)
    def yielding():
        try:
            yield from test()
        except Exception as error:
            yield f"{type(error).__name__}: {error}"

    return yielding


__all__ = ["FAR", "Far", "LOCAL", "NEAR", "Repeating", "SYNFIN", "listen", "new_netns", "of", "records", "run", "synfin",
           "told", "wait_until"]
