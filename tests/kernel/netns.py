# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces that a test makes for itself.

A namespace is a `with` block: it is gone when the block ends, however it
ends. Nothing outside the namespaces made here is ever changed.

setns() works on one thread. Sockets stay in the namespace they were made
in, and threads and children started inside a namespace begin there.
"""

import contextlib
import ctypes
import os
import subprocess

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_made = 0


def command(*words, stdin=None):
    """Run a command; its stdout, or an exception that quotes its stderr."""
    done = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _setns(fd):
    if _libc.setns(fd, _CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


class Netns:
    """A named network namespace with the loopback up."""

    def __init__(self):
        global _made
        _made += 1
        self.name = f"{prefix(os.getpid())}{_made}"
        self.path = f"/run/netns/{self.name}"

    def __enter__(self):
        command("ip", "netns", "add", self.name)
        try:
            self.ip("link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        remove(self.name)

    @property
    def inode(self):
        return os.stat(self.path).st_ino

    @contextlib.contextmanager
    def inside(self):
        """This thread, inside the namespace until the block ends."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            _setns(there)
            yield self
        finally:
            _setns(before)
            os.close(there)
            os.close(before)

    def sysctl(self, name, value):
        """Set a sysctl of this namespace; a bare name is one of net.ipv4."""
        if "." not in name:
            name = f"net.ipv4.{name}"
        with self.inside(), open(f"/proc/sys/{name.replace('.', '/')}", "w") as file:
            file.write(str(value))

    def ip(self, *words):
        return command("ip", "-n", self.name, *words)

    def ss(self, *words):
        return command("ip", "netns", "exec", self.name, "ss", *words)

    def nft(self, rules):
        command("ip", "netns", "exec", self.name, "nft", "-f", "-", stdin=rules)

    def run(self, function):
        """Start function() in a child process inside the namespace; its pid.

        The child ends with the function: 0 if it returned, 1 if it raised.
        """
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            with self.inside():
                function()
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(status)

    def counters(self):
        """The kernel's own counters: {"Tcp.ActiveOpens": 3, ...}."""
        found = {}
        with self.inside():
            for file in ("snmp", "netstat"):
                with open(f"/proc/thread-self/net/{file}") as lines:
                    for names, values in zip(lines, lines):
                        group, *names = names.split()
                        for name, value in zip(names, values.split()[1:]):
                            found[f"{group[:-1]}.{name}"] = int(value)
        return found


def prefix(pid):
    """How the namespaces made by a process are named."""
    return f"synfin-{pid}-"


def remove(name):
    subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


def remove_all_of(pid):
    """Remove what a process that was killed has left behind."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/run/netns"):
            if name.startswith(prefix(pid)):
                remove(name)


def join(one, other):
    """Join two namespaces by a veth pair; both ends are called veth0, up,
    and without addresses. Segments leave one by one, not as a large one."""
    one.ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", other.name)
    for end in (one, other):
        end.ip("link", "set", "veth0", "up", "gso_max_segs", "1")


def mac(netns):
    return netns.ip("-brief", "link", "show", "veth0").split()[2]
