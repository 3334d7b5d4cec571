# SPDX-License-Identifier: GPL-2.0-or-later
"""What a case is, and how it fails.

A case is a function decorated with @case. It gets a Synfin (synfin.py) and
runs in a process of its own, so it may leave sockets open and change its own
namespaces. Its name is a sentence: what a user can rely on.
"""


class Failed(Exception):
    """synfin did not do what it must."""


class Skipped(Exception):
    """The case cannot be run here, and why."""


class Case:
    def __init__(self, function, alone, sanitized):
        noun = function.__module__.removeprefix("cases_")
        self.name = f"{noun}: {function.__name__.replace('_', ' ')}"
        self.function, self.alone, self.sanitized = function, alone, sanitized


CASES = []


def case(function=None, *, alone=False, sanitized=True):
    """
    Register a case. alone: it measures time, so nothing runs beside it. Not sanitized: such a
    binary brings its own malloc() and wants to be the first library, which is in its way.
    """
    if not function:
        return lambda function: case(function, alone=alone, sanitized=sanitized)
    CASES.append(Case(function, alone, sanitized))
    return function


def check(truth, told):
    if not truth:
        raise Failed(told)


def equal(got, expected, what):
    check(got == expected, f"{what}: {got!r}, not {expected!r}")


def same_bytes(got, expected, what):
    """Of two outputs, name the first line that differs."""
    if got == expected:
        return
    got, expected = got.splitlines(), expected.splitlines()
    for number, (one, other) in enumerate(zip(got, expected), 1):
        if one != other:
            raise Failed(f"{what}: line {number} is\n{one}\nand not\n{other}")
    raise Failed(f"{what}: {len(got)} lines, not {len(expected)}")


def each(function, inputs):
    """Call function(*input) for every input; Failed tells of all that failed."""
    wrong = []
    for one in inputs:
        try:
            function(*one)
        except Failed as failed:
            wrong.append(f"{one[0]!r}: {failed}")
    check(not wrong, "\n".join(wrong))
