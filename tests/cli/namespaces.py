# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces of this process alone; they end with it and its children."""

import ctypes
import os
import subprocess

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _CLONE_NEWNET = 0x20000, 0x40000000


def _unshare(flags):
    if _libc.unshare(flags):
        error = ctypes.get_errno()
        raise OSError(error, f"unshare: {os.strerror(error)}")


def own_network():
    """A network namespace with the loopback up; -N takes its path, which is returned."""
    _unshare(_CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return f"/proc/{os.getpid()}/ns/net"


def named(path):
    """This process's network namespace under a name of its own, which anybody may open."""
    _unshare(_CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with open(path, "w", encoding="utf-8"):
        subprocess.run(["mount", "--bind", f"/proc/{os.getpid()}/ns/net", path], check=True)


def mount_tmpfs(path, options="size=64k"):
    """Over a directory, seen by this process and its children only."""
    _unshare(_CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)


def inode(path):
    return os.stat(path).st_ino
