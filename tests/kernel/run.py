#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drive the real kernel through every corner of TCP, and check what synfin
says about it. Needs root. Prints TAP; exits 1 if a scenario fails.

A PATTERN selects the scenarios whose name contains it (or matches it, if it
has a * or ?). SYNFIN names the binary, by default build/synfin.

A scenario that fails is tried again; what was wrong at first is printed and
counted all the same. For there are kernels that run no BPF program in the
context of process 1, and tell nobody: an event of a timer that happens to
interrupt it is lost.
"""

import argparse
import fnmatch
import importlib
import itertools
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True     # leave nothing in the tree

import attempts
import golden
import lab
import netns
import tracer
from wait import PATIENCE

_LIMIT = 4.5 * PATIENCE  # seconds that a scenario may take at most
_ATTEMPTS = 3
_KEPT = os.path.join(tempfile.gettempdir(), "synfin-failed")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-1", "--one-family", action="store_true",
                        help="each scenario in one of its address families, taken in turn")
    parser.add_argument("-l", "--list", action="store_true", help="list the scenarios")
    parser.add_argument("-j", "--jobs", type=int, default=16, help="how many run at once (16)")
    parser.add_argument("-n", "--drive-only", action="store_true",
                        help="drive the kernel without a tracer: are the scenarios themselves right?")
    parser.add_argument("-k", "--keep", action="store_true", help=f"keep the recordings of failures in {_KEPT}")
    parser.add_argument("-g", "--golden", metavar="DIR",
                        help="run what golden.py lists, and keep its recordings as DIR/NAME.rec")
    parser.add_argument("pattern", nargs="*")
    return parser.parse_args()


def selected(options):
    for file in sorted(pathlib.Path(__file__).parent.glob("scenarios_*.py")):
        importlib.import_module(file.stem)
    cases = golden.cases(lab.CASES) if options.golden else one_family(lab.CASES) if options.one_family else lab.CASES
    return [case for case in cases if not options.pattern or any(
        fnmatch.fnmatch(case.name, pattern) if set(pattern) & set("*?") else pattern in case.name
        for pattern in options.pattern)]


def one_family(cases):
    """Of the cases of each scenario one: the first, then the second of the next, and so on."""
    scenarios = [list(group) for _, group in itertools.groupby(cases, key=lambda case: case.function)]
    return [group[number % len(group)] for number, group in enumerate(scenarios)]


def perform(case, directory, drive_only, answer):
    """In a process of its own: send (verdict, lines of explanation)."""
    try:
        bench = lab.Lab(case.family, case.options["raw"])
        wrong = bench.run(case.function, directory, **case.options, drive_only=drive_only)
        answer.send(("not ok" if wrong else "ok", wrong))
    except attempts.Skip as reason:
        answer.send(("skip", [str(reason)]))
    except tracer.TracerFailed as error:
        answer.send(("not ok", str(error).splitlines()))
    except BaseException:
        answer.send(("not ok", traceback.format_exc().splitlines()))


class Running:
    """A scenario that runs in a child process."""

    def __init__(self, case, drive_only):
        self.case, self.deadline = case, time.monotonic() + _LIMIT
        self._directory = tempfile.TemporaryDirectory(prefix="synfin-")
        self.answer, far = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.Process(target=perform, args=(case, self._directory.name, drive_only, far))
        self._process.start()
        far.close()

    def result(self):
        """What it answered; it is ended here if it has not ended itself."""
        if self.answer.poll():
            try:
                verdict = self.answer.recv()
            except EOFError:
                verdict = ("not ok", ["the scenario's process died"])
        else:
            self._process.kill()
            verdict = ("not ok", [f"no end after {_LIMIT} s"])
        self._process.join()
        netns.remove_all_of(self._process.pid)
        return verdict

    def leave(self, directory, name):
        """Keep the recording, if there is one and it is wanted; nothing else."""
        recording = os.path.join(self._directory.name, "recording")
        if directory and os.path.exists(recording):
            os.makedirs(directory, exist_ok=True)
            shutil.copyfile(recording, os.path.join(directory, name + ".rec"))
        self._directory.cleanup()


def finish(one, options):
    """The verdict of a scenario, its recording kept if it is asked for."""
    verdict, lines = one.result()
    if verdict == "ok" and options.golden:
        one.leave(options.golden, golden.NAMES[one.case.name])
    else:
        one.leave(_KEPT if verdict == "not ok" and options.keep else None, one.case.kebab)
    return verdict, lines


def run_all(cases, options):
    """Yield (case, verdict, lines) as they end, the long ones begun first."""
    waiting = sorted(cases, key=lambda case: case.seconds)
    running = []
    try:
        while waiting or running:
            while waiting and len(running) < options.jobs:
                running.append(Running(waiting.pop(), options.drive_only))
            ready = multiprocessing.connection.wait([one.answer for one in running], timeout=1)
            for one in [one for one in running if one.answer in ready or time.monotonic() > one.deadline]:
                running.remove(one)
                yield one.case, *finish(one, options)
    finally:
        for one in running:
            finish(one, options)


def tell(what, lines):
    print(what, *(f"# {line}" for line in lines), sep="\n", flush=True)


def attempt(cases, options, numbers, last):
    """Run them, and print the verdicts that stand; the cases that failed."""
    failed = []
    for case, verdict, lines in run_all(cases, options):
        if verdict == "not ok":
            failed.append(case)
        if verdict == "skip":
            tell(f"ok {next(numbers)} - {case.name} # SKIP {lines[0]}", [])
        elif verdict == "ok" or last:
            tell(f"{verdict} {next(numbers)} - {case.name}", lines)
        else:
            tell(f"# failed, will be tried again: {case.name}", lines)
    return failed


def main():
    options = arguments()
    cases = selected(options)
    if options.list:
        print("\n".join(case.name for case in cases))
        return 0
    if not options.drive_only and not os.access(tracer.binary(), os.X_OK):
        sys.exit(f"run.py: no {tracer.binary()}: run make first, or name it in SYNFIN")
    print(f"1..{len(cases)}", flush=True)
    numbers, failed, doubtful = itertools.count(1), cases, set()
    for number in range(_ATTEMPTS):
        failed = attempt(failed, options, numbers, number == _ATTEMPTS - 1)
        doubtful.update(failed)
    print(f"# {len(cases) - len(failed)} of {len(cases)} as expected, "
          f"{len(doubtful) - len(failed)} of them not at once")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
