# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes whose names are meant to do harm."""

import csv
import ctypes
import io
import re

import namespaces
import traffic
from case import case, check, each, equal

_PR_SET_NAME = 15
_NAMES = [b"\033[31mred\033[0m", b'a"b\\c/\'', b"new\nline\r\ttab", b"\xff\xfe\x80bad",
          "\u00e9\u20ac\U0001f600".encode(), b"c1\xc2\x9b31m", b"=1+1,;x", b"\x7f\x01\x1f\x07",
          b"]0;title\007", b" ", b"{\"comm\":1}", b"cut\xe2\x82", b"NaN", b"null", b"-", b"a,b", b"fifteen bytes!!"]


def _read(name):
    """As UTF-8, with U+FFFD for each byte that is none."""
    return re.sub("[\udc80-\udcff]", "\ufffd", name.decode(errors="surrogateescape"))


def _connect_as(name, port):
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name, 0, 0, 0)
    traffic.refuse(port)


def _recorded(synfin):
    """Two transitions by a process of each name: its port tells which."""
    network = namespaces.own_network()
    with synfin.trace("-o", "json", "-N", network, "--write", synfin.path("recording")) as tracer:
        for port, name in enumerate(_NAMES, 7001):
            _connect_as(name, port)
        return tracer.stop().expect(0)


def _printable(text, kind):
    check(not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f]", text), f"{kind} has a raw control character: {text!r}")


@case
def names_are_whole_in_json_and_harmless(synfin):
    done = _recorded(synfin)
    text = done.stdout.decode("utf-8")
    _printable(text, "JSON")
    named = {one["rport"]: one.get("comm") for one in done.events("state")}
    each(lambda name, port: equal(named[port], _read(name), "comm"),
         [(name, port) for port, name in enumerate(_NAMES, 7001)])


@case
def names_are_harmless_in_csv(synfin):
    _recorded(synfin)
    for command in "trace", "conns":
        text = synfin.run(command, "-o", "csv", "--read", synfin.path("recording")).expect(0).stdout.decode("utf-8")
        _printable(text, "CSV")
        rows = list(csv.DictReader(io.StringIO(text)))
        equal({None in row or None in row.values() for row in rows}, {False}, "rows longer or shorter than the header")
        named = {row["rport"]: row["comm"] for row in rows if row["comm"]}
        for port, name in enumerate(_NAMES, 7001):
            equal(named[str(port)], re.sub("[\0-\x1f\x7f-\x9f]", "\ufffd", _read(name)), "comm")


@case
def names_are_harmless_in_tables(synfin):
    lines = len(_recorded(synfin).events("state", "reset"))
    for command, expected in ("trace", lines), ("conns", len(_NAMES)):
        for color in "never", "always":
            done = synfin.run(command, "--color", color, "--read", synfin.path("recording")).expect(0)
            text = re.sub(r"\033\[\d*m", "", done.stdout.decode()) if color == "always" else done.stdout.decode()
            check(re.fullmatch(r"[ -~\n]*", text), f"a table has more than ASCII: {text!r}")
            equal(len(done.lines()), expected + 1, "lines, with the header")
            check(r"\x1b[31mred\x1b[0m" in text, "the first name is not shown")
