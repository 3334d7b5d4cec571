#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drive the real kernel through every corner of TCP, and check what synfin
says about it. Needs root. Prints TAP; exits 1 if a scenario fails.

A PATTERN selects the scenarios whose name contains it (or matches it, if it
has a * or ?). SYNFIN names the binary, by default build/synfin.

Each has a tracer of its own, or with --share one with others: starting it is what
costs most where processors are emulated.

A scenario that fails is tried again; what was wrong at first is printed and
counted all the same. For there are kernels that run no BPF program in the
context of process 1, and tell nobody: an event of a timer that happens to
interrupt it is lost.
"""

import argparse
import contextlib
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
import features
import golden
import invariants
import lab
import netns
import tracer
from wait import PATIENCE

_LIMIT = 4.5 * PATIENCE  # seconds that a scenario may take at most
_ATTEMPTS = 3
AT_ITS_END = "at its end"
_KEPT = os.path.join(tempfile.gettempdir(), "synfin-failed")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-1", "--one-family", action="store_true",
                        help="each scenario in one of its address families, taken in turn")
    parser.add_argument("-l", "--list", action="store_true", help="list the scenarios")
    parser.add_argument("-j", "--jobs", type=int, default=16, help="how many run at once (16)")
    parser.add_argument("-s", "--share", type=int, metavar="COUNT", default=0,
                        help="so many scenarios share a tracer of all namespaces")
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


def perform(case, trace, answer):
    """In a process of its own: send (verdict, lines of explanation)."""
    try:
        bench = lab.Lab(case.family, case.options["raw"])
        wrong = bench.run(case.function, trace, **case.options)
        answer.send(("not ok" if wrong else "ok", wrong))
    except attempts.Skip as reason:
        answer.send(("skip", [str(reason)]))
    except tracer.TracerFailed as error:
        answer.send(("not ok", str(error).splitlines()))
    except BaseException:
        answer.send(("not ok", traceback.format_exc().splitlines()))


class Group:
    """Scenarios that share a tracer, which stops once all have come to their ends. Who came
    first waits for the last: nobody enters late, or the first one's TIME_WAIT would expire."""

    _OPEN = 15      # seconds

    def __init__(self, size):
        self.room, self._busy, self._waiting = size, 0, []
        self._until = time.monotonic() + self._OPEN
        self._directory = tempfile.TemporaryDirectory(prefix="synfin-")
        self._tracer = tracer.Tracer("all", self._directory.name).__enter__()

    def enter(self):
        self.room -= 1
        self._busy += 1

    def view(self, netns, answer):
        """For one of them, in its process."""
        def stop():
            answer.send((AT_ITS_END, []))
            if wrong := answer.recv():
                raise tracer.TracerFailed("\n".join(["the tracer that it shared:", *wrong]))
        return tracer.Share(self._directory.name, netns.inode, stop)

    def leave(self, answer=None):
        """One has come to its end, and waits for the tracer's if there is an answer to give."""
        self._busy -= 1
        self._waiting += [answer] if answer else []

    def has_room(self):
        return self.room > 0 and time.monotonic() < self._until

    def is_done(self):
        return not self._busy and not self.has_room()

    def stop(self):
        """Once none is busy: let go those that wait."""
        try:
            wrong = self._misjudged(*self._tracer.stop())
        except tracer.TracerFailed as error:
            wrong = str(error).splitlines()
        self._tracer.__exit__()
        for answer in self._waiting:
            with contextlib.suppress(BrokenPipeError):
                answer.send(wrong)
        self._waiting = []

    def _misjudged(self, trace, conns):
        """Where a kernel may lose an event, whoever misses one fails by himself: it need only be told."""
        told = [view[-1].get("lost_nested", 0) for view in (trace, conns) if view]
        if any(told) and features.preempts_programs():
            print(f"# events lost, as told: {told}", flush=True)
            for view in trace, conns:
                view[-1]["lost_nested"] = 0
        return invariants.misjudged(trace, conns)

    def remove(self):
        self._directory.cleanup()


class Running:
    """A scenario that runs in a child process, with a tracer of its own or its group's."""

    def __init__(self, case, group, drive_only):
        self.case, self.deadline = case, time.monotonic() + _LIMIT
        self._directory = tempfile.TemporaryDirectory(prefix="synfin-")
        self.answer, far = multiprocessing.Pipe()
        self.group, self.waits = group, False
        if group:
            group.enter()
        trace = lambda netns: (None if drive_only else group.view(netns, far) if group
                               else tracer.Tracer(netns.name, self._directory.name))
        self._process = multiprocessing.Process(target=perform, args=(case, trace, far))
        self._process.start()
        far.close()

    def wait_for_the_group(self):
        self.deadline += _LIMIT
        self.group.leave(self.answer)
        self.group, self.waits = None, True

    def result(self):
        """What it answered; it is ended here if it has not ended itself."""
        if self.answer.poll():
            try:
                verdict = self.answer.recv()
            except EOFError:
                verdict = ("not ok", ["the scenario's process died"])
        else:
            verdict = (None, [])
        if verdict[0] == AT_ITS_END:
            self.wait_for_the_group()
            return None
        if not verdict[0]:
            self._process.kill()
            verdict = ("not ok", [f"no end after {_LIMIT} s"])
        self._process.join()
        netns.remove_all_of(self._process.pid)
        if self.group:
            self.group.leave()
        return verdict

    def leave(self, directory, name):
        """Keep the recording, if there is one and it is wanted; nothing else."""
        recording = os.path.join(self._directory.name, "recording")
        if directory and os.path.exists(recording):
            os.makedirs(directory, exist_ok=True)
            shutil.copyfile(recording, os.path.join(directory, name + ".rec"))
        self._directory.cleanup()


def finish(one, options):
    """The verdict of a scenario, its recording kept if it is asked for; None: it is yet to come."""
    if not (found := one.result()):
        return None
    verdict, lines = found
    if verdict == "ok" and options.golden:
        one.leave(options.golden, golden.NAMES[one.case.name])
    else:
        one.leave(_KEPT if verdict == "not ok" and options.keep else None, one.case.kebab)
    return verdict, lines


class Groups:
    """Those that are open, for a run of scenarios; without --share there is none."""

    def __init__(self, size):
        self._size, self._all, self._open = size, [], []

    def with_room(self, case):
        if not self._size or case.alone:
            return None
        if not self._open or not self._open[-1].has_room():
            self._open.append(Group(self._size))
            self._all.append(self._open[-1])
        return self._open[-1]

    def close(self):
        """Nobody else comes."""
        for group in self._open:
            group.room = 0

    def stop_those_done(self):
        for group in [group for group in self._open if group.is_done()]:
            self._open.remove(group)
            group.stop()

    def remove(self):
        for group in self._all:
            group.remove()


def run_all(cases, options):
    """Yield (case, verdict, lines) as they end, the long ones begun first."""
    waiting = sorted(cases, key=lambda case: case.seconds)
    running, groups = [], Groups(options.share)
    try:
        while waiting or running:
            while waiting and sum(not one.waits for one in running) < options.jobs:
                case = waiting.pop()
                running.append(Running(case, groups.with_room(case), options.drive_only))
            if not waiting:
                groups.close()
            groups.stop_those_done()
            ready = multiprocessing.connection.wait([one.answer for one in running], timeout=1)
            for one in [one for one in running if one.answer in ready or time.monotonic() > one.deadline]:
                if verdict := finish(one, options):
                    running.remove(one)
                    yield one.case, *verdict
    finally:
        for one in running:
            finish(one, options)
        groups.remove()


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
    if not options.drive_only:
        features.missing()      # once for all, who inherit it
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
