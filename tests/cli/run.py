#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user meets at synfin's edges: wrong command lines, broken files,
missing rights, slow readers, signals. Needs root. Prints TAP; exits 1 if a
case fails.

A PATTERN selects the cases whose name contains it (or matches it, if it has
a * or ?). SYNFIN names the binary, by default build/synfin; SYNFIN_ASAN one
built with -fsanitize=address,undefined, on which everything is run as well.
"""

import argparse
import fnmatch
import importlib
import itertools
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True     # leave nothing in the tree

from case import CASES, Failed, Skipped
from synfin import Synfin

_HERE = pathlib.Path(__file__).resolve().parent
_LIMIT = 120            # seconds that a case may take at most: four times what the longest does
_LARGEST = 1 << 28      # bytes of a file that a case may write


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-l", "--list", action="store_true", help="list the cases")
    parser.add_argument("-j", "--jobs", type=int, default=8, help="how many run at once (8)")
    parser.add_argument("pattern", nargs="*")
    return parser.parse_args()


def selected(patterns):
    for file in sorted(_HERE.glob("cases_*.py")):
        importlib.import_module(file.stem)
    return [case for case in CASES if not patterns or any(
        fnmatch.fnmatch(case.name, pattern) if set(pattern) & set("*?") else pattern in case.name
        for pattern in patterns)]


def binaries(directory):
    """What is to be tested, where any user may run it: {name: path}."""
    found = {"": os.environ.get("SYNFIN", str(_HERE.parent.parent / "build" / "synfin"))}
    if os.environ.get("SYNFIN_ASAN"):
        found[" (asan)"] = os.environ["SYNFIN_ASAN"]
    for number, (name, binary) in enumerate(found.items()):
        if not os.access(binary, os.X_OK):
            sys.exit(f"run.py: no {binary}: run make first, or name it in SYNFIN")
        os.mkdir(f"{directory}/{number}", 0o755)
        found[name] = shutil.copy(binary, f"{directory}/{number}/synfin")
    return found


def build_storm(directory):
    path = f"{directory}/storm"
    subprocess.run(["gcc", "-O2", "-std=gnu11", "-pthread", "-o", path, *_HERE.parent.glob("load/*.c")], check=True)
    return path


def perform(case, synfin):
    """(whether it went as expected, lines of explanation, why it was skipped)"""
    try:
        case.function(synfin)
        return True, [], None
    except Skipped as skipped:
        return True, [], str(skipped)
    except Failed as failed:
        return False, str(failed).splitlines(), None
    except BaseException:
        return False, traceback.format_exc().splitlines(), None


class Job:
    """A case that runs in a child process, the first of a session of its own."""

    def __init__(self, name, case, synfin):
        self.name, self.deadline = name, time.monotonic() + _LIMIT
        self.answer, far = os.pipe()
        self._directory = synfin.directory
        os.mkdir(synfin.directory, 0o711)
        self._pid = os.fork()
        if not self._pid:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST, _LARGEST))
            with os.fdopen(far, "w") as file:
                json.dump(perform(case, synfin), file)
            os._exit(0)
        os.close(far)

    def result(self, answered):
        """What it answered. Whatever it left behind ends here: its session, then its directory."""
        with os.fdopen(self.answer) as file:
            told = (json.loads(file.read() or '[false, ["the process of the case died"], null]') if answered
                    else (False, [f"no end after {_LIMIT} s"], None))
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        shutil.rmtree(self._directory)
        return told


def run_all(todo, jobs):
    """Start (name, case, synfin) in turn; yield (name, good, lines, skipped) as they end."""
    todo, running = list(todo), []
    try:
        while todo or running:
            while todo and len(running) < jobs:
                running.append(Job(*todo.pop(0)))
            ready, _, _ = select.select([job.answer for job in running], [], [], 1)
            for job in [job for job in running if job.answer in ready or time.monotonic() > job.deadline]:
                running.remove(job)
                yield job.name, *job.result(job.answer in ready)
    finally:
        for job in running:
            job.result(False)


def planned(cases, directory):
    """Of every case and binary (name, case, synfin)."""
    storm = build_storm(directory)
    places = (f"{directory}/case{number}" for number in itertools.count(1))
    for suffix, binary in binaries(directory).items():
        for case in cases:
            if case.sanitized or not suffix:
                yield case.name + suffix, case, Synfin(binary, storm, next(places))


def report(results, total):
    """Print TAP; how many failed."""
    failed = 0
    print(f"1..{total}", flush=True)
    for number, (name, good, lines, skipped) in enumerate(results, 1):
        failed += not good
        why = f" # SKIP {skipped}" if skipped else ""
        print(f"{'ok' if good else 'not ok'} {number} - {name}{why}", *(f"# {line}" for line in lines), sep="\n", flush=True)
    print(f"# {total - failed} of {total} as expected")
    return failed


def run_in(directory, cases, jobs):
    os.chmod(directory, 0o711)
    todo = list(planned(cases, directory))
    together = [one for one in todo if not one[1].alone]
    alone = [one for one in todo if one[1].alone]

    def results():
        yield from run_all(together, jobs)
        yield from run_all(alone, 1)

    return report(results(), len(todo))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))     # not without ending what was started
    options = arguments()
    cases = selected(options.pattern)
    if options.list:
        print("\n".join(case.name for case in cases))
        return 0
    with tempfile.TemporaryDirectory(prefix="synfin-cli-") as directory:
        return 1 if run_in(directory, cases, options.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
