# SPDX-License-Identifier: GPL-2.0-or-later
"""Expected records: plain dicts in which some values are matchers.

An expected record is whole: a key that is not in it must be absent. Owner
and cgroup keys are the exception; lab.py checks those by their own rule.
"""

import re


class Matcher:
    """A value that varies from run to run."""

    def __init__(self, name, test):
        self.name, self.test = name, test

    def __eq__(self, value):
        return bool(self.test(value))

    def __repr__(self):
        return self.name


class Optional:
    """A key that may be absent, and otherwise has this value."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, value):
        return self.value == value

    def __repr__(self):
        return f"optional({self.value})"


class Repeated:
    """A trace line that comes between `least` and `most` times."""

    def __init__(self, line, least, most):
        self.line, self.least, self.most = line, least, most


ABSENT = object()       # in keyword arguments: take this key out again


def between(low, high):
    return Matcher(f"between({low}, {high})", lambda value: type(value) is int and low <= value <= high)


def one_of(*values):
    return Matcher(f"one_of{values}", lambda value: value in values)


def matching(name, pattern):
    return Matcher(name, lambda value: isinstance(value, str) and re.fullmatch(pattern, value))


def at_least(seconds):
    """A duration in microseconds: how much longer is the machine's affair."""
    return between(int(seconds * 1_000_000), 60_000_000)


ANY_US = Matcher("ANY_US", lambda value: type(value) is int and value >= 0)
PORT = between(1, 65535)
COOKIE = matching("COOKIE", "[0-9a-f]{16}")
TIME = matching("TIME", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


def durations(count):
    """A list of so many durations."""
    return Matcher(f"durations({count})", lambda value:
                   isinstance(value, list) and len(value) == count and all(ANY_US == us for us in value))


def record(*parts, **keys):
    """Dicts and keyword arguments into one dict, less the ABSENT keys."""
    whole = {}
    for part in (*parts, keys):
        whole.update(part)
    return {key: value for key, value in whole.items() if value is not ABSENT}


def differences(expected, actual):
    """What is wrong with an actual record, one line for each key."""
    wrong = []
    for key, value in expected.items():
        if key not in actual:
            if not isinstance(value, Optional):
                wrong.append(f"{key}: expected {value!r}, is absent")
        elif not value == actual[key]:
            wrong.append(f"{key}: expected {value!r}, got {actual[key]!r}")
    wrong += [f"{key}: expected none, got {actual[key]!r}" for key in actual if key not in expected]
    return wrong


def differences_of_lists(expected, actual, show):
    """Align lines one by one; show(line) is how a line is printed."""
    wrong, rest = [], list(actual)
    for line in expected:
        repeated = line if isinstance(line, Repeated) else Repeated(line, 1, 1)
        count = 0
        while count < repeated.most and rest and not differences(repeated.line, rest[0]):
            rest.pop(0)
            count += 1
        if count >= repeated.least:
            continue
        if not rest:
            wrong.append(f"missing: {show(repeated.line)}")
            continue
        got = rest.pop(0)
        wrong.append(f"expected: {show(repeated.line)}")
        wrong.append(f"     got: {show(got)}")
        wrong += [f"          {text}" for text in differences(repeated.line, got)]
    wrong += [f"unexpected: {show(line)}" for line in rest]
    return wrong


def pair_up(expected, actual, compare):
    """Pair each expected thing with the actual one that differs least.

    Yields (expected or None, actual or None, differences).
    """
    table = [(len(wrong), e, a, wrong)
             for e, one in enumerate(expected) for a, other in enumerate(actual)
             for wrong in [compare(one, other)]]
    left_e, left_a = set(range(len(expected))), set(range(len(actual)))
    for _, e, a, wrong in sorted(table, key=lambda row: row[:3]):
        if e in left_e and a in left_a:
            left_e.remove(e)
            left_a.remove(a)
            yield expected[e], actual[a], wrong
    for e in sorted(left_e):
        yield expected[e], None, ["missing"]
    for a in sorted(left_a):
        yield None, actual[a], ["unexpected"]
