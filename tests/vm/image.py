# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's file system: an initramfs with the tests, what they run, and the
part of Python's standard library that they import.

An archive is written as cpio's "newc" format wants it; several of them, one
after the other, are one initramfs.
"""

import glob
import io
import modulefinder
import os
import py_compile
import re
import stat
import subprocess
import sysconfig
import tempfile

from packages import Unavailable

# Programs of this machine that the tests run, besides busybox.
PROGRAMS = ("ip", "ss", "tc", "nft", "unshare", "setpriv")
APPLETS = """mount mkdir cat echo sleep poweroff reboot uname insmod ln rm cp ls dmesg date head tail sed grep
	sysctl ps kill cut free tr""".split()
# What Python imports without being asked, or by a name made up at run time.
ALWAYS = ("encodings.idna", "encodings.ascii", "encodings.latin_1", "encodings.utf_8", "site", "multiprocessing",
          "multiprocessing.popen_fork", "multiprocessing.queues", "multiprocessing.connection")


class Archive:
    """A cpio archive under construction; parents of what is added are made."""

    def __init__(self):
        self._out, self._there, self._inode = io.BytesIO(), set(), 0

    def _entry(self, path, mode, contents=b"", device=(0, 0)):
        self._inode += 1
        name = path.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(contents), 0, 0, *device, len(name), 0)
        self._out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + name)
        self._pad()
        self._out.write(contents)
        self._pad()

    def _pad(self):
        self._out.write(b"\0" * (-self._out.tell() % 4))

    def _is_new(self, path):
        parent = os.path.dirname(path)
        if parent:
            self.folder(parent)
        new = path not in self._there
        self._there.add(path)
        return new

    def folder(self, path):
        if self._is_new(path):
            self._entry(path, stat.S_IFDIR | 0o755)

    def link(self, path, target):
        if self._is_new(path):
            self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, major, minor):
        if self._is_new(path):
            self._entry(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def contents(self, path, contents, executable=False):
        if self._is_new(path):
            self._entry(path, stat.S_IFREG | (0o755 if executable else 0o644), contents)

    def file(self, path, source):
        with open(source, "rb") as file:
            self.contents(path, file.read(), os.access(source, os.X_OK))

    def finished(self):
        self._entry("TRAILER!!!", 0)
        return self._out.getvalue()


# ---- programs and their libraries ----

def _which(name):
    for folder in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        if os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    raise Unavailable(f"the guest's programs: no {name} on this machine")


def _libraries(file):
    """Paths of what the dynamic linker loads for it, itself included."""
    listed = subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def _add_program(archive, path, source):
    archive.file(path, source)
    for library in _libraries(source):
        archive.file(library.lstrip("/"), library)


# ---- Python ----

def _imported(scripts, folder):
    """Source or library files of all modules that the scripts import."""
    finder = modulefinder.ModuleFinder(path=[folder, *_python_path()], excludes=["test", "tkinter", "pydoc", "ssl"])
    with tempfile.NamedTemporaryFile("w", suffix=".py") as always:
        always.write("".join(f"import {name}\n" for name in ALWAYS))
        always.flush()
        for script in (*scripts, always.name):
            finder.run_script(script)
    files = {module.__file__ for module in finder.modules.values() if module.__file__}
    return files - {always.name}


def _python_path():
    stdlib = sysconfig.get_path("stdlib")
    return [stdlib, os.path.join(stdlib, "lib-dynload")]


def _add_source(archive, path, source):
    """With its compiled form, which the guest need not check."""
    archive.file(path, source)
    folder, name = os.path.split(path)
    tag = f"{os.path.splitext(name)[0]}.cpython-{sysconfig.get_config_var('py_version_nodot')}.pyc"
    with tempfile.NamedTemporaryFile() as compiled:
        py_compile.compile(source, compiled.name, doraise=True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        archive.file(os.path.join(folder, "__pycache__", tag), compiled.name)


def _add_python(archive, scripts, folder):
    _add_program(archive, "usr/bin/python3", _which("python3"))
    for file in sorted(_imported(scripts, folder)):
        if file.startswith(folder):
            continue
        if file.endswith(".py"):
            _add_source(archive, file.lstrip("/"), file)
        else:
            _add_program(archive, file.lstrip("/"), file)


# ---- the whole ----

def base(here, busybox, programs):
    """The archive that all kernels share. programs: {path in the guest: file}."""
    archive = Archive()
    for folder in ("proc", "sys", "dev", "tmp", "run/netns", "root", "var", "etc"):
        archive.folder(folder)
    archive.device("dev/console", 5, 1)
    archive.file("bin/busybox", busybox)
    _add_program(archive, "bin/sh", _which("dash"))     # busybox's own would prefer its applets
    for name in PROGRAMS:
        _add_program(archive, f"usr/bin/{name}", _which(name))
    for name in APPLETS:
        archive.link(f"bin/{name}", "busybox")
    archive.contents("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    archive.contents("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    archive.file("init", os.path.join(here, "init"))
    for path, file in programs.items():
        _add_program(archive, path, file)
    tests = os.path.join(os.path.dirname(here), "kernel")
    sources = sorted(glob.glob(os.path.join(tests, "*.py")))
    for source in sources:
        _add_source(archive, f"synfin/tests/kernel/{os.path.basename(source)}", source)
    _add_python(archive, sources, tests)
    return archive.finished()


def of_kernel(modules):
    """A kernel's own archive: its modules, and the order in which they go in."""
    archive = Archive()
    for name, contents in modules:
        archive.contents(f"modules/{name}", contents)
    archive.contents("modules/order", "".join(f"{name}\n" for name, _ in modules).encode())
    return archive.finished()
