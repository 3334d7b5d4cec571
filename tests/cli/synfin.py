# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of synfin, and what they left."""

import json
import os
import re
import signal
import subprocess
import time

from case import Failed, check, equal

_SANITIZED = {"ASAN_OPTIONS": "exitcode=98", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=98"}
_LIMIT = 20     # seconds; what takes longer hangs


class Done:
    """A run that has ended."""

    def __init__(self, status, stdout, stderr):
        self.status, self.stdout = status, stdout
        self.stderr = stderr.decode(errors="backslashreplace")
        check(status != 98 and "Sanitizer" not in self.stderr and "runtime error:" not in self.stderr,
              f"a sanitizer stopped it:\n{self.stderr}")

    def expect(self, status):
        check(self.status == status, f"exit code {self.status}, not {status}; stderr: {self.stderr!r}")
        return self

    def quiet(self):
        """Nothing on stderr but that it traces."""
        equal([line for line in self.stderr.splitlines() if "tracing" not in line], [], "stderr")
        return self

    def error(self, status, *words):
        """One line said what went wrong."""
        self.expect(status)
        said = [line for line in self.stderr.splitlines() if "tracing" not in line]
        check(len(said) == 1, f"{len(said)} lines on stderr, not 1: {self.stderr!r}")
        check(re.fullmatch("synfin: [ -~]+", said[0]), f"not 'synfin: ...', or not printable: {said[0]!r}")
        for word in words:
            check(word in said[0], f"does not say '{word}': {said[0]}")
        return self

    def cure(self):
        """The last line says what to do about it, after a semicolon."""
        last = self.stderr.splitlines()[-1]
        check("; " in last, f"names no cure: {last}")

    def lines(self):
        check(self.stdout[-1:] in (b"", b"\n"), f"stdout ends within a line: {self.stdout[-80:]!r}")
        return self.stdout.decode().splitlines()

    def records(self):
        """The records of -o json."""
        try:
            return [json.loads(line) for line in self.lines()]
        except ValueError as error:
            raise Failed(f"stdout is not JSON lines in UTF-8: {error}") from None

    def events(self, *names):
        return [record for record in self.records() if record["event"] in names]

    def summary(self):
        records = self.records()
        check(records and records[-1]["event"] == "summary", f"the last record is no summary: {records[-1:]}")
        equal(sum(record["event"] == "summary" for record in records), 1, "summaries")
        return records[-1]


class Running:
    """A run; it is killed where the `with` block ends."""

    def __init__(self, words, stdout, stderr, env):
        """stdout: a path, to be read back, or a descriptor, which is the caller's."""
        self._stdout, self._stderr = stdout, stderr
        environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        with open(os.dup(stdout) if isinstance(stdout, int) else stdout, "wb") as out, open(stderr, "wb") as err:
            self.began = time.monotonic()
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=environ | _SANITIZED | env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def said(self):
        with open(self._stderr, "rb") as file:
            return file.read()

    def tracing(self):
        """Wait for the word; how many seconds it took."""
        while b"tracing" not in self.said():
            if self.process.poll() is not None or time.monotonic() - self.began > _LIMIT:
                raise Failed(f"never said 'tracing', but: {self.said()!r}, exit code {self.process.poll()}")
            time.sleep(0.005)
        return time.monotonic() - self.began

    def done(self, limit=_LIMIT):
        """Wait for the end."""
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"no end after {limit} s; stderr: {self.said()!r}") from None
        output = b""
        if isinstance(self._stdout, str):
            with open(self._stdout, "rb") as file:
                output = file.read()
        return Done(status, output, self.said())

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.done()


class Synfin:
    """A binary, and a directory for what its runs write."""

    def __init__(self, binary, storm, directory):
        self.binary, self.storm, self.directory = binary, storm, directory
        self._runs = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def launch(self, *args, within=(), stdout=None, env=None):
        """Start it. within: a command that runs it; stdout: a descriptor instead of a file."""
        self._runs += 1
        out, err = self.path(f"{self._runs}.out"), self.path(f"{self._runs}.err")
        return Running([*within, self.binary, *args], out if stdout is None else stdout, err, env or {})

    def trace(self, *args, **how):
        """Start it and wait until it traces."""
        running = self.launch(*args, **how)
        try:
            running.tracing()
        except BaseException:
            running.__exit__()
            raise
        return running

    def run(self, *args, limit=_LIMIT, **how):
        with self.launch(*args, **how) as running:
            return running.done(limit)


_NOBODY = 65534


def as_nobody(*capabilities):
    """A command that runs another as nobody, with these capabilities only."""
    listed = ",".join(f"+{name}" for name in capabilities)
    ambient = ["--inh-caps", listed, "--ambient-caps", listed] if capabilities else []
    return ["setpriv", "--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups", *ambient]


def give_to_nobody(path):
    os.chown(path, _NOBODY, _NOBODY)


def redirected(redirection):
    """A command that runs another one with a redirection of the shell's."""
    return ["sh", "-c", f'exec "$@" {redirection}', "sh"]
