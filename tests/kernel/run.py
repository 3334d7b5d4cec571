#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drive the real kernel through every corner of TCP, and check what synfin
says about it. Needs root. Prints TAP; exits 1 if a scenario fails.

A PATTERN selects the scenarios whose name contains it (or matches it, if it
has a * or ?). SYNFIN names the binary, by default build/synfin.
"""

import argparse
import fnmatch
import importlib
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import sys
import time
import traceback

sys.dont_write_bytecode = True     # leave nothing in the tree

import lab
import netns
import tracer

_LIMIT = 90             # seconds that a scenario may take at most


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-l", "--list", action="store_true", help="list the scenarios")
    parser.add_argument("-j", "--jobs", type=int, default=16, help="how many run at once (16)")
    parser.add_argument("-n", "--drive-only", action="store_true",
                        help="drive the kernel without a tracer: are the scenarios themselves right?")
    parser.add_argument("-k", "--keep", action="store_true", help="keep and name the recordings of failures")
    parser.add_argument("pattern", nargs="*")
    return parser.parse_args()


def selected(patterns):
    for file in sorted(pathlib.Path(__file__).parent.glob("scenarios_*.py")):
        importlib.import_module(file.stem)
    return [case for case in lab.CASES if not patterns or any(
        fnmatch.fnmatch(case.name, pattern) if set(pattern) & set("*?") else pattern in case.name
        for pattern in patterns)]


def perform(case, options, answer):
    """In a process of its own: send (verdict, lines of explanation)."""
    try:
        wrong = lab.Lab(case.family, case.options["raw"]).run(
            case.function, **case.options, drive_only=options.drive_only, keep=options.keep)
        answer.send(("not ok" if wrong else "ok", wrong))
    except lab.Skip as reason:
        answer.send(("skip", [str(reason)]))
    except BaseException as error:
        told = [str(error)] if isinstance(error, tracer.TracerFailed) else traceback.format_exc().splitlines()
        answer.send(("not ok", told))


class Running:
    """A scenario that runs in a child process."""

    def __init__(self, case, options):
        self.case, self.deadline = case, time.monotonic() + _LIMIT
        self.answer, far = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.Process(target=perform, args=(case, options, far))
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


def run_all(cases, options):
    """Yield (case, (verdict, lines)) as they end, the long ones begun first."""
    waiting = sorted(cases, key=lambda case: case.seconds)
    running = []
    try:
        while waiting or running:
            while waiting and len(running) < options.jobs:
                running.append(Running(waiting.pop(), options))
            ready = multiprocessing.connection.wait([one.answer for one in running], timeout=1)
            for one in [one for one in running if one.answer in ready or time.monotonic() > one.deadline]:
                running.remove(one)
                yield one.case, one.result()
    finally:
        for one in running:
            one.result()


def main():
    options = arguments()
    cases = selected(options.pattern)
    if options.list:
        print("\n".join(case.name for case in cases))
        return 0
    if not options.drive_only and not os.access(tracer.binary(), os.X_OK):
        sys.exit(f"run.py: no {tracer.binary()}: run make first, or name it in SYNFIN")
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, (case, (verdict, lines)) in enumerate(run_all(cases, options), 1):
        if verdict == "skip":
            print(f"ok {number} - {case.name} # SKIP {lines[0]}", flush=True)
            continue
        failed += verdict != "ok"
        print(f"{verdict} {number} - {case.name}", *(f"# {line}" for line in lines), sep="\n", flush=True)
    print(f"# {len(cases) - failed} of {len(cases)} as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
