# SPDX-License-Identifier: GPL-2.0-or-later
"""A live run of synfin that records, and replays of it."""

import ctypes
import json
import os
import re
import signal
import subprocess
import time

from wait import PATIENCE, wait_until

SYNFIN = os.environ.get("SYNFIN", "build/synfin")
_CENSUS = re.compile(r"the census of [a-z ]+ in \d+ network namespaces took (\d+) us")
_libc = ctypes.CDLL(None)


class Synfin:
    """A live run that records; afterwards its records, and replays of it."""

    def __init__(self, netns, directory, *words, live=()):
        """live: words that a replay does not take."""
        self._words = words
        self._recording = os.path.join(directory, "recording")
        self._errors = os.path.join(directory, "err")
        self._output = os.path.join(directory, "out")
        begun = time.monotonic()
        with open(self._output, "wb") as out, open(self._errors, "wb") as err:
            self._process = subprocess.Popen(
                [SYNFIN, *words, *live, "-v", "-o", "json", "-N", netns.name, "--write", self._recording],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                preexec_fn=lambda: _libc.prctl(1, signal.SIGKILL))
        try:
            wait_until(lambda: "tracing" in self.stderr, "word 'tracing'")
        except TimeoutError:
            self._process.kill()
            raise
        self.started_in, self.started = time.monotonic() - begun, time.time_ns()
        self.status = None

    @property
    def stderr(self):
        with open(self._errors, encoding="utf-8") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            self._process.kill()
            self._process.wait()

    def output(self):
        with open(self._output, "rb") as file:
            return file.read()

    def stop(self):
        self._process.send_signal(signal.SIGINT)
        self.status = self._process.wait(3 * PATIENCE)
        return records(self.output())

    def replay(self, *words):
        return subprocess.run([SYNFIN, *words, "-o", "json", "--read", self._recording], check=True,
                              stdout=subprocess.PIPE).stdout

    def wrong(self):
        """What must be so of every run."""
        if self.status:
            yield f"exit status {self.status}: {self.stderr}"
        if self.replay(*self._words) != self.output():
            yield "the replayed output is not the live one"
        summary = records(self.output())[-1]
        for key in ("lost_ring", "lost_nested", "lost_table", "lost_sink", "connections_unseen"):
            if summary[key]:
                yield f"summary: {key} is {summary[key]}"

    def census_us(self):
        return int(_CENSUS.search(self.stderr)[1])


def records(output):
    return [json.loads(line) for line in output.splitlines()]
