# SPDX-License-Identifier: GPL-2.0-or-later
"""Running the tests of a program and printing TAP.

A test is a function that yields what is wrong, a line each, and raises Skip where it
cannot be run; its name in the output is its docstring.
"""

import contextlib
import io
import multiprocessing
from multiprocessing.connection import wait

from attempts import Skip, attempts

_AT_A_TIME = 4      # most of what those tests do is waiting
_TOLD = 20          # lines of what is wrong

_FORK = multiprocessing.get_context("fork")


def _outcome(test):
    """(what is wrong, why it was skipped)"""
    try:
        return attempts(test), None
    except Skip as reason:
        return [], str(reason)


def _answer(test, pipe):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        outcome = _outcome(test)
    pipe.send((*outcome, printed.getvalue()))


def _in_turn(tests):
    for test in tests:
        yield test, *_outcome(test), ""


def _side_by_side(tests):
    """Each in a process of its own; as they end, what it printed too."""
    waiting, running = list(tests), {}
    while waiting or running:
        while waiting and len(running) < _AT_A_TIME:
            ours, its = _FORK.Pipe(duplex=False)
            process = _FORK.Process(target=_answer, args=(waiting[0], its))
            process.start()
            its.close()
            running[ours] = waiting.pop(0), process
        for pipe in wait(list(running)):
            test, process = running.pop(pipe)
            try:
                wrong, skipped, printed = pipe.recv()
            except EOFError:    # its traceback is on stderr
                wrong, skipped, printed = ["its process ended without an answer"], None, ""
            pipe.close()
            process.join()
            yield test, wrong, skipped, printed


def run(tests, side_by_side=()):
    """Those side by side first, then the others one by one. The exit status, 1 if one failed."""
    failed = False
    print(f"1..{len(tests) + len(side_by_side)}", flush=True)
    outcomes = [_side_by_side(side_by_side), _in_turn(tests)]
    for number, (test, wrong, skipped, printed) in enumerate((one for some in outcomes for one in some), 1):
        print(printed, end="")
        if skipped:
            print(f"ok {number} - {test.__doc__} # SKIP {skipped}", flush=True)
            continue
        print(f"{'not ok' if wrong else 'ok'} {number} - {test.__doc__}")
        for line in wrong[:_TOLD]:
            print(f"# {line}".replace("\n", " "))
        print(end="", flush=True)
        failed = failed or bool(wrong)
    return 1 if failed else 0
