# SPDX-License-Identifier: GPL-2.0-or-later
"""Cgroups that a test makes for itself, below the one that it is in.

A tree is a `with` block: its directories are gone when the block ends, and
nothing outside of it is ever changed. Names may be any bytes.
"""

import contextlib
import os
import stat

from attempts import Skip
from wait import wait_until


class NoCgroups(Skip):
    """Why this host lets the tests make none."""


def _mountpoint():
    """Where the cgroup v2 hierarchy is mounted from its root on, alone or beside v1's."""
    with open("/proc/self/mountinfo") as lines:
        for line in lines:
            mount, rest = line.split(" - ")
            if rest.split()[0] == "cgroup2":
                path = mount.split()[4]
                if os.stat(path).st_ino == 1:
                    return path
    raise NoCgroups("no cgroup v2 hierarchy is mounted here from its root on")


def _own():
    with open("/proc/self/cgroup") as lines:
        for line in lines:
            if line.startswith("0::"):
                return line.rstrip("\n")[3:].rstrip("/")
    raise NoCgroups("this process is in no cgroup of version 2")


class Tree:
    """`path` is its own, as synfin tells paths: from the hierarchy's root."""

    def __init__(self, mountpoint=None, own=None):
        if mountpoint is None:
            mountpoint, own = _mountpoint(), _own()
        self.path = f"{own}/synfin-test-{os.getpid()}"
        self._home = os.open(mountpoint + (own or "/"), os.O_PATH)
        self._root = None

    def __enter__(self):
        name = os.path.basename(self.path)
        try:
            os.mkdir(name, dir_fd=self._home)
        except OSError as error:
            raise NoCgroups(f"cannot make a cgroup in {_own() or '/'}: {error.strerror}") from None
        self._root = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._home)
        return self

    def __exit__(self, *_):
        _empty(self._root)
        os.close(self._root)
        _remove(os.path.basename(self.path), self._home)
        os.close(self._home)

    def make(self, name):
        """The cgroup's directory, for enter(). Step by step: the path may be longer
        than the kernel takes at once."""
        here = os.dup(self._root)
        for part in os.fsencode(name).split(b"/"):
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=here)
            there = os.open(part, os.O_PATH, dir_fd=here)
            os.close(here)
            here = there
        return here

    def remove(self, name):
        _remove(os.fsencode(name), self._root)

    def leave(self):
        """This process, back to where it began."""
        enter(self._home)


def enter(directory):
    """This process, from now on: its sockets that are made before keep theirs."""
    procs = os.open("cgroup.procs", os.O_WRONLY, dir_fd=directory)
    os.write(procs, b"0")
    os.close(procs)


def _remove(name, where):
    """As soon as the last process has left."""
    def done():
        try:
            os.rmdir(name, dir_fd=where)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True
    wait_until(done, f"end of cgroup {name}")


def _empty(directory):
    """From the leaves up."""
    for name in map(os.fsencode, os.listdir(directory)):
        if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
            _empty(below)
            os.close(below)
            _remove(name, directory)
