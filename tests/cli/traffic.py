# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections over the loopback of this process's network namespace."""

import contextlib
import os
import socket
import struct
import subprocess
import time

from case import check


def refuse(*ports, address="127.0.0.1"):
    """connect() to ports where nobody listens: when it returns, all is over."""
    for port in ports:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((address, port)).close()


def listener(port, address="127.0.0.1", dual=False):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, dualstack_ipv6=dual)


def exchange(listening, address=None, local_port=0):
    """A connection to a listener that the client closes first."""
    address = address or listening.getsockname()[0]
    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if local_port:
        client.bind(("", local_port))
    client.connect((address, listening.getsockname()[1]))
    server = listening.accept()[0]
    client.sendall(b"request")
    client.close()
    while server.recv(100):
        pass
    server.close()


def abort(listening):
    """A connection that the client resets."""
    client = socket.create_connection(listening.getsockname()[:2])
    server = listening.accept()[0]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()


def settle():
    """Longer than a verdict takes, and than a delayed ACK."""
    time.sleep(0.3)


class Storm:
    """Mixed load from tests/load/storm; it is killed where the `with` block ends."""

    def __init__(self, synfin, *options):
        self._process = subprocess.Popen([synfin.storm, "-q", "-N", f"/proc/{os.getpid()}/ns/net", *options],
                                         stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def end(self, seconds=40):
        # 1: not every connection went as storm planned it, which is no matter here
        check(self._process.wait(seconds) in (0, 1), "storm could not run")


def storm(synfin, *options):
    with Storm(synfin, *options) as running:
        running.end()
