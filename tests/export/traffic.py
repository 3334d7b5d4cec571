# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets in a namespace, made one line of Python at a time, and its sysctls."""

import subprocess
import sys

# A line is done in the namespace, and `done` comes back.
_TRAFFIC = """
import socket, sys
held = []
def serve(backlog=100, port=0):
    l = socket.create_server(('127.0.0.1', port), backlog=backlog); held.append(l); return l
def pair(l):
    c = socket.create_connection(l.getsockname()); held.append((c, l.accept()[0])); return held[-1]
def close_first(l, n, first=0):
    for _ in range(n):
        ends = pair(l); held.pop(); ends[first].close(); ends[1 - first].close()
def try_connect(l):
    c = socket.socket(); c.setblocking(False); c.connect_ex(l.getsockname()); held.append(c)
for line in sys.stdin:
    exec(line); print('done', flush=True)
"""


class Traffic:
    """Who does in a namespace what it is told, a line of Python at a time."""

    def __init__(self, netns):
        self.process = subprocess.Popen(["ip", "netns", "exec", netns, sys.executable, "-uc", _TRAFFIC], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def do(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def sysctl(netns, **values):
    for name, value in values.items():
        subprocess.run(["ip", "netns", "exec", netns, "sysctl", "-qw", f"net.ipv4.{name}={value}"], check=True)
