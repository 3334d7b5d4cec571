# SPDX-License-Identifier: GPL-2.0-or-later
"""A `synfin export` in a namespace of its own, and what it serves."""

import collections
import http.client
import os
import re
import signal
import subprocess
import tempfile
import time

SYNFIN = os.environ.get("SYNFIN", "build/synfin")
STORM = os.environ.get("STORM", "build/tests/storm")


def as_nobody(capabilities):
    """What runs a program as a user who may read nothing but his own, with these capabilities."""
    listed = ",".join(f"+{name.lower()}" for name in capabilities)
    return ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", listed,
            "--ambient-caps", listed]


# Of the storm's kinds all but the one whose truth is not exact (tests/kernel/storm.py).
MIX = "*_fin*,half_close*,*_unread,client_*,server_linger0,late_data,refused"

_SAMPLE = re.compile(r'^(\w+)(?:\{(.*?)\})? (\S+)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """(name, labels as a frozenset of pairs) -> value."""
    ret = {}
    for line in text.splitlines():
        if line and line[0] != "#":
            name, labels, value = _SAMPLE.match(line).groups()
            ret[name, frozenset(_LABEL.findall(labels or ""))] = float(value)
    return ret


class Netns:
    """A network namespace, for the length of a `with` block."""

    def __init__(self, suffix):
        self.name = f"synfin-export-{os.getpid()}-{suffix}"

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        return self.name

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)


class Exporter:
    """Runs, and serves on a port of its own; ended where the `with` block ends."""

    def __init__(self, *args, listen=True, within=(), env=None):
        self.errors = tempfile.NamedTemporaryFile(prefix="synfin-export-")
        address = ["--web.listen-address", "127.0.0.1:0"] if listen else []
        self.process = subprocess.Popen([*within, SYNFIN, "export", *address, *args],
                                        stdout=subprocess.DEVNULL, stderr=self.errors,
                                        env={**os.environ, **(env or {})})
        self.port = None
        self._await_tracing()
        found = re.search(r"metrics on https?://\S*?:(\d+)/", self.said())
        if found:
            self.port = int(found[1])

    def _await_tracing(self):
        deadline = time.monotonic() + 60
        while "tracing" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"never said 'tracing', but: {self.said()}")
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def said(self):
        with open(self.errors.name, encoding="utf-8") as file:
            return file.read()

    def stop(self):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def get(self, path="/metrics", method="GET", headers=None, timeout=10):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def metrics(self, headers=None):
        status, _, body = self.get(headers=headers)
        if status != 200:
            raise RuntimeError(f"/metrics answers {status}")
        return parse(body.decode())


class Storm:
    """A storm that was made in a namespace, and its truth."""

    def __init__(self, netns, *args):
        done = subprocess.run([STORM, "-N", netns, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
        self.status, self.stderr = done.returncode, done.stderr
        self.truth = dict(line.split("=", 1) for line in done.stdout.split() if "=" in line)

    def number(self, key):
        return int(self.truth.get(key, 0))

    def expected(self):
        """What the metrics must say of it: (name, labels) -> value. Closes of `both_fin` are one, by `any`."""
        ret = collections.Counter()

        def add(name, number, **labels):
            ret[name, frozenset(labels.items())] += number

        for key, value in self.truth.items():
            role, _, rest = key.partition(".")
            if role not in ("active", "passive"):
                continue
            outcome, _, end = rest.partition(".")
            add("synfin_handshakes_total", int(value), role=role)
            if outcome == "established":
                close, closed_by = end.split(".")
                add("synfin_connections_closed_total", int(value), close=close, closed_by=closed_by)
                for histogram in "handshake", "connection":
                    add(f"synfin_{histogram}_duration_seconds_count", int(value), role=role)
            else:
                add("synfin_handshake_failures_total", int(value), role=role, reason=outcome)
        return ret

    def wrong(self, samples):
        """Where the samples, by (name, labels), are not its truth."""
        if self.status:
            yield f"the storm's truth is not exact, exit {self.status}: {self.stderr}"
        expected = self.expected()
        families = {name for name, _ in expected}
        found = collections.Counter()
        for (name, labels), value in samples.items():
            if name in families:
                found[name, labels] += value
        closed = "synfin_connections_closed_total"
        for key, number in [(key, n) for key, n in expected.items() if ("closed_by", "any") in key[1]]:
            del expected[key]       # any side: only the sum over the sides is certain
            sides = [key for key in found if key[0] == closed and ("close", "fin") in key[1]]
            sum_expected = number + sum(expected.pop(key, 0) for key in sides)
            sum_found = sum(found.pop(key) for key in sides)
            if sum_expected != sum_found:
                yield f"{closed} of fin: {sum_found}, not {sum_expected}"
        for key in sorted(expected.keys() | found.keys(), key=str):
            if expected[key] != found[key]:
                yield f"{key[0]}{dict(key[1])}: {found[key]:g}, not {expected[key]}"
        yield from self._wrong_sums(samples)

    def _wrong_sums(self, samples):
        def total(name, **labels):
            return sum(value for (found, pairs), value in samples.items()
                       if found == name and labels.items() <= dict(pairs).items())

        sums = [
            ("resets sent", total("synfin_resets_sent_total"), "mib.OutRsts"),
            ("retransmits", total("synfin_retransmits_total"), "mib.RetransSegs"),
            ("transitions to syn_sent", total("synfin_state_transitions_total", to="syn_sent"), "mib.ActiveOpens"),
            ("births of children", total("synfin_state_transitions_total", to="syn_recv"), "mib.PassiveOpens"),
            ("entries into TIME_WAIT", total("synfin_time_wait_created_total"), "summary.close_fin"),
        ]
        for what, found, key in sums:
            number = self.number(key) / (2 if key == "summary.close_fin" else 1)
            if what.startswith("entries"):
                both = total("synfin_connections_closed_total", close="fin", closed_by="both")
                number += both / 2      # then both ends enter it
            if found != number:
                yield f"{what}: {found:g}, not {number:g} ({key})"
        for name in "synfin_events_lost_total", "synfin_lifecycles_incomplete_total", "synfin_connections_unseen_total":
            if total(name):
                yield f"{name} is {total(name):g}"
