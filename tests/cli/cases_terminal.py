# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables on terminals of two widths, and their colours."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

import namespaces
import traffic
from case import case, check, equal, same_bytes

_COLOR = re.compile(r"\033\[\d*m")


class _Terminal:
    """A terminal of some width, and what was shown on it."""

    def __init__(self, columns, reads=True):
        self._near, self.far = pty.openpty()
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        self._shown = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        if reads:
            self.read_on()

    def read_on(self):
        self._reader.start()

    def _read(self):
        try:
            while part := os.read(self._near, 1 << 16):
                self._shown += part
        except OSError:     # EIO: nobody has it open any more
            pass

    def lines(self):
        os.close(self.far)
        self._reader.join()
        return self._shown.decode().replace("\r\n", "\n").splitlines()


def _shown(synfin, columns, *args, env=None, load=("-n", "150", "-r", "2000")):
    """What a terminal shows of a load, with its colours."""
    terminal = _Terminal(columns)
    with synfin.trace(*args, "-N", namespaces.own_network(), stdout=terminal.far, env=env) as tracer:
        traffic.storm(synfin, *load)
        _by_address()
        traffic.settle()
        tracer.stop().expect(0)
    return terminal.lines()


def _by_address(address="192.168.100.200"):
    """An address as long as usual ones are."""
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    listening = traffic.listener(443, address)
    for _ in range(5):
        traffic.exchange(listening, address)
    listening.close()


def _fits(synfin, command, columns):
    shown = [_COLOR.sub("", line) for line in _shown(synfin, columns, command)]
    check(len(shown) > 150, f"{len(shown)} lines")
    header = shown[0].split()
    check(header[0] == "TIME" and "REMOTE" in header, f"the first line is no header: {shown[0]!r}")
    equal(sum("REMOTE" in line for line in shown), 1, "headers")
    long = [line for line in shown if len(line) > columns]
    check(not long, "\n".join([f"{len(long)} of {len(shown)} lines are longer than {columns}:", *long[:5]]))


@case
def events_fit_80_columns(synfin):
    _fits(synfin, "trace", 80)


@case
def events_fit_140_columns(synfin):
    _fits(synfin, "trace", 140)


@case
def connections_fit_80_columns(synfin):
    _fits(synfin, "conns", 80)


@case
def connections_fit_140_columns(synfin):
    _fits(synfin, "conns", 140)


@case
def a_terminal_that_stands_still_does_not_hold_it_up(synfin):
    """Ctrl-S, Ctrl-Q: nothing is lost, though the ring holds but a third of it; every line comes whole."""
    network, path, terminal = namespaces.own_network(), synfin.path("recording"), _Terminal(80, reads=False)
    with synfin.trace("-N", network, "--ring-size", "1M", "--write", path, stdout=terminal.far) as tracer:
        traffic.storm(synfin, "-n", "1500", "-r", "2000")
        terminal.read_on()
        traffic.settle()
        said = tracer.stop().expect(0).stderr
    check("LOST" not in said, said)
    shown = [_COLOR.sub("", line).split()[0] for line in terminal.lines()]
    told = [line.split()[0] for line in synfin.run("--read", path).expect(0).lines()]
    check(len(told) > 5000, f"{len(told)} lines: the load is too small for this test")
    same_bytes("\n".join(shown), "\n".join(time[:12] for time in told), "the times on the terminal")


def _has_color(synfin, *args, env=None):
    return any(_COLOR.search(line) for line in _shown(synfin, 80, "conns", *args, env=env, load=("-n", "20")))


@case
def a_terminal_has_colour_unless_it_is_not_wanted(synfin):
    check(_has_color(synfin), "no colour on a terminal")
    check(_has_color(synfin, env={"NO_COLOR": ""}), "no colour with an empty NO_COLOR")
    check(not _has_color(synfin, env={"NO_COLOR": "1"}), "colour in spite of NO_COLOR")
    check(not _has_color(synfin, "--color", "never"), "colour in spite of --color never")
    check(_has_color(synfin, "--color", "always", env={"NO_COLOR": "1"}), "NO_COLOR beats --color always")


@case
def a_file_has_no_colour_unless_it_is_wanted(synfin):
    network, path = namespaces.own_network(), synfin.path("recording")
    with synfin.trace("-N", network, "--write", path) as tracer:
        traffic.refuse(7001)
        check(b"\033" not in tracer.stop().expect(0).stdout, "colour in a file")
    for words, expected in ([], False), (["--color", "auto"], False), (["--color", "always"], True):
        equal(b"\033[" in synfin.run("--read", path, *words).expect(0).stdout, expected, f"colour with {words}")
    check(b"\033" not in synfin.run("--read", path, "-o", "json", "--color", "always").expect(0).stdout,
          "colour in JSON")
