# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine that runs checks and is gone: QEMU without any hardware help,
one processor, no disk, no network; its console is what it says.
"""

import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from packages import Unavailable, unpack

# By Debian's name of the architecture: QEMU's package, its program, the machine and its console.
MACHINES = {
    "amd64": ("qemu-system-x86", "qemu-system-x86_64", ["-M", "q35", "-cpu", "max"], "ttyS0"),
    "arm64": ("qemu-system-arm", "qemu-system-aarch64",
              ["-M", "virt,gic-version=3", "-cpu", "neoverse-n1"], "ttyAMA0"),
}
MEMORY = "1024"         # MB; less leaves little room for orphans and socket buffers
BOOT = 150              # seconds; what has not come up then never will
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
TAP = re.compile(r"(not )?ok\b\s*\d*\s*-?\s*(.*?)\s*(?:#\s*SKIP\b\s*(.*))?$", re.IGNORECASE)


class Qemu:
    """The program with what it needs, unpacked in a folder and installed nowhere."""

    def __init__(self, apt, suite, arch, folder):
        package, program, self._machine, self.console = MACHINES[arch]
        self._root = os.path.join(folder, package)
        if not os.path.exists(os.path.join(self._root, "whole")):
            shutil.rmtree(self._root, ignore_errors=True)
            apt.update()
            for archive in apt.download_missing([package], suite):
                unpack(archive, self._root)
            open(os.path.join(self._root, "whole"), "w").close()
        self._program = os.path.join(self._root, "usr/bin", program)
        if not os.access(self._program, os.X_OK):       # it is installed, and not too old
            self._program = shutil.which(program)
        if not self._program:
            raise Unavailable(f"{package} brought no {program} into {self._root}; if that was copied from elsewhere, remove it")

    def command(self, kernel, initrd, words):
        shares = [os.path.join(self._root, "usr/share", name) for name in ("qemu", "seabios")]
        return [self._program, *(part for share in shares for part in ("-L", share)), *self._machine,
                "-accel", "tcg", "-m", MEMORY, "-nodefaults", "-display", "none", "-monitor", "none",
                "-serial", "stdio", "-no-reboot", "-kernel", kernel, "-initrd", initrd,
                "-append", f"console={self.console} quiet loglevel=4 panic=-1 {words}"]

    def environment(self):
        libraries = [path for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu")
                     for path in glob.glob(os.path.join(self._root, pattern))]
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}


class Check:
    """What a guest said of one check: TAP, and how it ended."""

    def __init__(self, name):
        self.name = name
        self.passed, self.failed, self.skipped, self.planned = 0, [], [], None
        self.status = self.seconds = None
        self._showing = []

    def line(self, text):
        if plan := re.match(r"1\.\.(\d+)", text):
            self.planned = int(plan[1])
        elif found := TAP.match(text):
            wrong, name, why = found.groups()
            self._showing = []
            if why is not None:
                self.skipped.append(f"{name}: {why}")
            elif wrong:
                self.failed.append((name, self._showing))
            else:
                self.passed += 1
        else:
            self._showing.append(text)

    def end(self, status, begun, ended):
        self.status, self.seconds = status, ended - begun

    def wrong(self):
        """What is wrong as a whole: (test, lines that explain it)."""
        wrong = list(self.failed)
        told = self.passed + len(self.failed) + len(self.skipped)
        if self.status is None:
            wrong.append((self.name, ["the machine died, or its time was over", *self._showing[-20:]]))
        elif told != self.planned:
            wrong.append((self.name, [f"planned {self.planned} tests, told of {told}", *self._showing[-20:]]))
        elif self.status and not self.failed:
            wrong.append((self.name, [f"exit status {self.status}, though no test failed"]))
        return wrong


def _kill(process):
    """Popen's own would reap it, and what it used be lost."""
    os.kill(process.pid, signal.SIGKILL)


class Guest:
    """One boot, its console kept in the file `log`. After run(): release is None if
    it never came up, checks holds what it said of each, and is_cut_off whether its
    time was over."""

    def __init__(self, qemu, kernel, archives, checks, log, words=""):
        self._qemu, self._kernel, self._archives, self._log = qemu, kernel, archives, log
        self._words = f"checks={','.join(checks)} {words}"
        self.wanted, self.checks = checks, {}
        self.release = self.seconds = self.cpu_seconds = None
        self.is_cut_off = self._ended = False
        self._tail = []

    def run(self, limit):
        begun = time.monotonic()
        with tempfile.NamedTemporaryFile(prefix="synfin-vm-") as initrd:
            for archive in self._archives:
                initrd.write(archive)
            initrd.flush()
            process = subprocess.Popen(self._qemu.command(self._kernel, initrd.name, self._words),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       env=self._qemu.environment(),
                                       preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))
            timers = [threading.Timer(limit, self._cut_off, [process]), threading.Timer(BOOT, self._give_up, [process])]
            for timer in timers:
                timer.daemon = True
                timer.start()
            try:
                with open(self._log, "wb", buffering=0) as log:
                    self._listen(process.stdout, log, begun)
            finally:
                for timer in timers:
                    timer.cancel()
                _kill(process)
                _, process.returncode, used = os.wait4(process.pid, 0)
        self.cpu_seconds = used.ru_utime + used.ru_stime
        self.seconds = time.monotonic() - begun
        return self

    def _cut_off(self, process):
        self.is_cut_off = True
        _kill(process)

    def _give_up(self, process):
        if not self.release:
            _kill(process)

    def _listen(self, console, log, begun):
        check = None
        for raw in console:
            log.write(b"%7.2f %s" % (time.monotonic() - begun, raw))
            text = raw.decode(errors="replace").rstrip("\r\n")
            self._tail = self._tail[-30:] + [text]
            words = text.split()
            if text.startswith("GUEST "):
                self.release = words[1]
            elif text.startswith("CHECK "):
                check = self.checks[words[1]] = Check(words[1])
            elif text.startswith("DONE ") and check:
                check.end(int(words[2]), float(words[3]), float(words[4]))
                check = None
            elif text == "END":
                self._ended = True
            elif check:
                check.line(text)

    def died(self):
        """Before its checks were through, and of itself."""
        return not self._ended and not self.is_cut_off

    def never_came_up(self):
        """Why this says nothing of synfin: the console's last lines; or None."""
        return None if self.release else self._tail

    def last_lines(self):
        return self._tail


def backports():
    """The suite that QEMU is taken from: 7.2 of Debian 12 corrupts its guests now and then."""
    from packages import release
    if release() == "bookworm":
        return "bookworm-backports"
    if not release():
        raise Unavailable("QEMU: this is no Debian")
    return release()
