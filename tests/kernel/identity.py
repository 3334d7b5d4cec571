# SPDX-License-Identifier: GPL-2.0-or-later
"""What ties synfin's records to sockets of a test: the cookie; on kernels that tell
it to no tracer the addresses, which then must be one life's alone.
"""

import contextlib

import features
from sockets import cookie


def of_socket(made, peer=None):
    """peer: whom a socket that is not connected yet asks to be."""
    if features.has_cookies():
        return cookie(made)
    with contextlib.suppress(OSError):
        peer = made.getpeername()
    return _of_addresses(_text(made.getsockname()), _text(peer) if peer else None)


def of_line(line, cookie_text):
    """Of a line of `ss -Hn`, and what it says behind sk:."""
    if features.has_cookies():
        return f"{int(cookie_text, 16):016x}"
    return _of_addresses(*line.split()[2:4])


def of_records(records):
    """conn -> the same; the first of a life's records need not know its addresses."""
    found = {}
    for one in records:
        conn = one.get("conn")
        if conn is None:
            continue
        if features.has_cookies():
            found[conn] = conn
        elif one.get("role") == "listener":
            found[conn] = _of_addresses(f"{one['laddr']}:{one['lport']}", None)
        elif "lport" in one and "rport" in one:
            found[conn] = _of_addresses(f"{one['laddr']}:{one['lport']}", f"{one['raddr']}:{one['rport']}")
    return found


def _text(address):
    return f"{address[0]}:{address[1]}"


def _of_addresses(local, remote):
    return f"{local} {remote or '*'}"
