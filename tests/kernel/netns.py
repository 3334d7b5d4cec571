# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces that a test makes for itself.

A namespace is a `with` block: it is gone when the block ends, however it
ends. Nothing outside the namespaces made here is ever changed.

setns() works on one thread. Sockets stay in the namespace they were made
in, and threads and children started inside a namespace begin there.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
import subprocess

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SHARED, _MNT_DETACH = 0x1000, 0x4000, 1 << 20, 2
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_DIRECTORY = "/run/netns"
_HERE = "/proc/thread-self/ns/net"
_UP = "link set veth0 up gso_max_segs 1"
_made = 0


def command(*words, stdin=None):
    """Run a command; its stdout, or an exception that quotes its stderr."""
    done = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _call(name, *args):
    """A function of the C library's; an exception if it fails."""
    if getattr(_libc, name)(*(arg.encode() if isinstance(arg, str) else arg for arg in args)):
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def _setns(fd):
    _call("setns", fd, _CLONE_NEWNET)


def _mount(source, target, flags):
    _call("mount", source, target, "none", ctypes.c_ulong(flags), None)


def _furnish_directory():
    """As ip-netns(8) does: what is mounted there, and gone again, is so everywhere.
    Only a mount can be shared, so it is made one, once."""
    os.makedirs(_DIRECTORY, exist_ok=True)
    with _one_at_a_time():
        try:
            _mount("", _DIRECTORY, _MS_SHARED | _MS_REC)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            _mount(_DIRECTORY, _DIRECTORY, _MS_BIND | _MS_REC)
            _mount("", _DIRECTORY, _MS_SHARED | _MS_REC)


@contextlib.contextmanager
def _one_at_a_time():
    """ip locks the directory for it, too: two would make two mounts."""
    directory = os.open(_DIRECTORY, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_:
        request = fcntl.ioctl(any_, _SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", request)[1]
        fcntl.ioctl(any_, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def _add(path):
    """What `ip netns add` does, and `ip link set lo up` there: where processors are
    emulated a process costs more than all that a scenario does."""
    _furnish_directory()
    before = os.open(_HERE, os.O_RDONLY)
    try:
        _call("unshare", _CLONE_NEWNET)
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o444))
        _mount(_HERE, path, _MS_BIND)
        _raise_loopback()
    finally:
        _setns(before)
        os.close(before)


class Netns:
    """A named network namespace with the loopback up."""

    def __init__(self):
        global _made
        _made += 1
        self.name = f"{prefix(os.getpid())}{_made}"
        self.path = f"{_DIRECTORY}/{self.name}"

    def __enter__(self):
        try:
            _add(self.path)
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
        before = os.open(_HERE, os.O_RDONLY)
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

    def ip_batch(self, *lines):
        """One process for many commands."""
        command("ip", "-n", self.name, "-batch", "-", stdin="".join(line + "\n" for line in lines))

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
    path = f"{_DIRECTORY}/{name}"
    with contextlib.suppress(OSError):
        _call("umount2", path, _MNT_DETACH)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_all_of(pid):
    """Remove what a process that was killed has left behind."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(_DIRECTORY):
            if name.startswith(prefix(pid)):
                remove(name)


def join(one, other):
    """Join two namespaces by a veth pair; both ends are called veth0, up,
    and without addresses. Segments leave one by one, not as a large one."""
    one.ip_batch(f"link add veth0 address {mac(one)} type veth peer name veth0 address {mac(other)} netns {other.name}",
                 _UP)
    other.ip_batch(_UP)


def mac(netns):
    """Of its end of the pair: as many as there are namespaces."""
    number = int(netns.name.rsplit("-", 1)[1])
    return ":".join(f"{byte:02x}" for byte in (2, *number.to_bytes(5, "big")))
