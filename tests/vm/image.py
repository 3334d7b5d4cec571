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
import sys
import tempfile

from packages import Unavailable, natural

# Programs of this machine that the tests run, besides busybox.
PROGRAMS = ("ip", "ss", "tc", "nft", "unshare", "setpriv", "prlimit")
PACKAGES = ["iproute2", "nftables", "util-linux", "dash", "python3"]      # that have them
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

class Root:
    """Where programs, libraries and Python are taken from: this machine's "/", or a
    folder in which another architecture's packages are unpacked."""

    def __init__(self, path="/"):
        self._path = path

    def __call__(self, inside):
        """Its path here; an absolute link stays within."""
        path = os.path.join(self._path, inside.lstrip("/"))
        if os.path.islink(path) and os.path.isabs(os.readlink(path)):
            return self(os.readlink(path))
        return path

    def find(self, name, folders):
        for folder in folders:
            if os.path.exists(self(os.path.join(folder, name))):
                return os.path.join(folder, name)
        raise Unavailable(f"the guest's programs: no {name} in {self._path}")

    def program(self, name):
        return self.find(name, ("usr/sbin", "usr/bin", "sbin", "bin"))

    def _library_folders(self):
        return [path.removeprefix(self._path).lstrip("/") for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu", "lib")
                for path in sorted(glob.glob(self(pattern)))]

    def needed(self, inside):
        """Every library that it takes, the dynamic linker included."""
        found, open_ends = {}, [inside]
        while open_ends:
            told = subprocess.run(["readelf", "-Wld", self(open_ends.pop())], capture_output=True, text=True,
                                  check=False).stdout
            for linker in re.findall(r"program interpreter: (\S+)\]", told):
                found.setdefault(linker.lstrip("/"))
            for name in re.findall(r"\(NEEDED\).*\[(\S+)\]", told):
                if not name.startswith("ld-linux"):
                    library = self.find(name, self._library_folders())
                    if library not in found:
                        found[library] = None
                        open_ends.append(library)
        return list(found)


def _add_program(archive, root, inside, path=None):
    """path: where it is in the guest, if not where it is here."""
    archive.file(path or inside, root(inside))
    for library in root.needed(inside):
        archive.file(library, root(library))


# ---- Python ----

def _stdlib(root):
    """Of the newest version that the root has."""
    found = glob.glob(root("usr/lib/python3.*/os.py"))
    if not found:
        raise Unavailable("the guest's programs: no Python")
    return os.path.dirname(max(found, key=natural))


def _imported(scripts, folder, stdlib):
    """Source or library files of all modules that the scripts import."""
    finder = modulefinder.ModuleFinder(path=[folder, stdlib, os.path.join(stdlib, "lib-dynload")],
                                       excludes=["test", "tkinter", "pydoc", "ssl"])
    with tempfile.NamedTemporaryFile("w", suffix=".py") as always:
        always.write("".join(f"import {name}\n" for name in ALWAYS))
        always.flush()
        for script in (*scripts, always.name):
            finder.run_script(script)
    files = {module.__file__ for module in finder.modules.values() if module.__file__}
    # Libraries of another architecture are not what this Python looks for.
    files.update(path for name in finder.badmodules for path in glob.glob(f"{stdlib}/lib-dynload/{name}.*.so"))
    return files - {always.name}


def _add_source(archive, path, source, version):
    """With its compiled form, which the guest need not check, if this Python makes it."""
    archive.file(path, source)
    if version != f"{sys.version_info.major}.{sys.version_info.minor}":
        return
    folder, name = os.path.split(path)
    with tempfile.NamedTemporaryFile() as compiled:
        py_compile.compile(source, compiled.name, doraise=True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        archive.file(os.path.join(folder, "__pycache__", f"{os.path.splitext(name)[0]}.{sys.implementation.cache_tag}.pyc"),
                     compiled.name)


def _add_python(archive, root, tests):
    """The interpreter, the tests, and what they import."""
    stdlib = _stdlib(root)
    version = os.path.basename(stdlib).removeprefix("python")
    scripts = sorted(glob.glob(os.path.join(tests, "*.py")))
    _add_program(archive, root, root.program(f"python{version}"), "usr/bin/python3")
    for script in scripts:
        _add_source(archive, f"synfin/tests/kernel/{os.path.basename(script)}", script, version)
    for file in sorted(_imported(scripts, tests, stdlib)):
        inside = os.path.relpath(file, root("/"))
        if file.startswith(tests):
            continue
        if file.endswith(".py"):
            _add_source(archive, inside, file, version)
        else:
            _add_program(archive, root, inside)


# ---- the whole ----

def base(here, root, programs):
    """The archive that all kernels of an architecture share: programs of the root's,
    and others, {path in the guest: file}, which are static."""
    archive = Archive()
    for folder in ("proc", "sys", "dev", "tmp", "run/netns", "root", "var", "etc"):
        archive.folder(folder)
    archive.device("dev/console", 5, 1)
    # busybox's own shell would prefer its applets
    _add_program(archive, root, root.program("dash"), "bin/sh")
    for name in PROGRAMS:
        _add_program(archive, root, root.program(name), f"usr/bin/{name}")
    for name in APPLETS:
        archive.link(f"bin/{name}", "busybox")
    archive.contents("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    archive.contents("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    archive.file("init", os.path.join(here, "init"))
    for path, file in programs.items():
        archive.file(path, file)
    _add_python(archive, root, os.path.join(os.path.dirname(here), "kernel"))
    return archive.finished()


def of_kernel(modules):
    """A kernel's own archive: its modules, and the order in which they go in."""
    archive = Archive()
    for name, contents in modules:
        archive.contents(f"modules/{name}", contents)
    archive.contents("modules/order", "".join(f"{name}\n" for name, _ in modules).encode())
    return archive.finished()
