# SPDX-License-Identifier: GPL-2.0-or-later
"""What Python's sockets lack, and the names of the states."""

import ctypes
import socket
import struct
import time

TCP_REPAIR = 19
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


def wait_for_state(made, name, seconds=5):
    deadline = time.monotonic() + seconds
    while tcp_state(made) != name:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the socket is in {tcp_state(made)}, not in {name}")
        time.sleep(0.005)


def disconnect(made):
    """connect() to AF_UNSPEC."""
    address = struct.pack("H14x", socket.AF_UNSPEC)
    if _libc.connect(made.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), "disconnect")
