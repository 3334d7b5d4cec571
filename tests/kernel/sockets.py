# SPDX-License-Identifier: GPL-2.0-or-later
"""What Python's sockets lack, and the names of the states."""

import ctypes
import socket
import struct
import sys

from wait import PATIENCE, wait_until

TCP_REPAIR = 19
_SO_COOKIE = 57
_STATES = [None, *("established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close close_wait last_ack "
                   "listen closing").split()]
_libc = ctypes.CDLL(None, use_errno=True)


def linger(made, seconds):
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, seconds))


def option(made, name, value):
    made.setsockopt(socket.IPPROTO_TCP, name, value)


def tcp_state(made):
    """The state that a socket is in, by TCP_INFO."""
    return _STATES[made.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]]


def unacked(made):
    """How many of its segments are not acknowledged yet, by TCP_INFO."""
    return struct.unpack("I", made.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)[24:])[0]


def wait_for_state(made, name):
    wait_until(lambda: tcp_state(made) == name, f"a socket in {name}")


def states_here():
    """The states of all sockets in this thread's namespace, half-open ones as
    syn_recv, mini-sockets as what they stand for."""
    found = []
    for name in ("tcp", "tcp6"):
        with open(f"/proc/thread-self/net/{name}") as table:
            found += [_STATES[int(line.split()[3], 16)] for line in list(table)[1:]]
    return found


def wait_for_sockets(name, count=1, seconds=PATIENCE):
    """Until there are just so many sockets in this state."""
    wait_until(lambda: states_here().count(name) == count, f"{count} sockets in {name}", seconds)


def disconnect(made):
    """connect() to AF_UNSPEC."""
    address = struct.pack("H14x", socket.AF_UNSPEC)
    if _libc.connect(made.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), "disconnect")


def cookie(made):
    """What synfin prints as conn."""
    raw = made.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, 8)
    return f"{int.from_bytes(raw, sys.byteorder):016x}"
