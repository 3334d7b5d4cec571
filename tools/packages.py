# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's packages without installing one: a private apt configuration, whose
mirror is the one that this machine's own apt uses.

Lists and archives are kept in a folder; a list is asked for again after a day.
"""

import os
import re
import subprocess
import time

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LISTS_LAST = 24 * 3600          # seconds
_until = None                   # by time.monotonic()


class Unavailable(Exception):
    """Not to be had here: no mirror, no such package, no such program, no time."""


def end_in(seconds):
    """What is asked of a mirror from now on ends in this time, or is unavailable."""
    global _until
    _until = time.monotonic() + seconds


def _run(words, what, **options):
    left = max(0, _until - time.monotonic()) if _until else None
    try:
        return subprocess.run(words, check=True, text=True, stdin=subprocess.DEVNULL, timeout=left,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options).stdout
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what}: {words[0]} did not come to its end in time") from None
    except FileNotFoundError:
        raise Unavailable(f"{what}: no {words[0]} on this machine") from None
    except subprocess.CalledProcessError as error:
        wrong = [line for line in error.stderr.splitlines() if line.startswith("E:")] or [error.stderr.strip()]
        raise Unavailable(f"{what}: {words[0]} failed: {wrong[0]}") from None


def release():
    """The code name of the Debian that this machine runs."""
    with open("/etc/os-release", encoding="utf-8") as file:
        keys = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    return keys.get("VERSION_CODENAME", "").strip('"')


def architecture():
    return _run(["dpkg", "--print-architecture"], "architecture").strip()


def mirrors():
    """{"": Debian's URI, "-security": that of its security archive}, as apt has them."""
    lines = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
                 "the mirror")
    found = {}
    for uri, suite in (line.split(" ", 1) for line in lines.splitlines()):
        if suite in (release(), f"{release()}-security"):
            found.setdefault(suite.removeprefix(release()), uri)
    if "" not in found:
        raise Unavailable("the mirror: apt's own sources name none of Debian")
    return found


def natural(name):
    """A key that sorts 5.10.0-9 before 5.10.0-46."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", name)]


class Apt:
    """A private apt: lists, archives and status of its own, in a folder.

    installed: what this machine has counts as there; else nothing does.
    """

    def __init__(self, folder, suites, arch, installed=False):
        self._folder, self._suites, self._arch = os.path.abspath(folder), suites, arch
        self._installed, self._names = installed, None
        self._conf = os.path.join(self._folder, "apt.conf")

    def _path(self, *words):
        return os.path.join(self._folder, *words)

    def update(self):
        """The suites' lists of packages, if they are not fresh."""
        stamp = self._path("updated")
        wanted = " ".join(self._suites)
        if os.path.exists(stamp) and time.time() - os.stat(stamp).st_mtime < LISTS_LAST:
            with open(stamp, encoding="utf-8") as file:
                if file.read() == wanted:
                    return
        self._fetch_lists()
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(wanted)

    def _fetch_lists(self):
        """A suite that the mirror no longer has is left out; of all the others one is enough."""
        try:
            self._update(self._suites)
        except Unavailable as reason:
            there = [suite for suite in self._suites if self._is_there(suite)]
            if not there:
                raise reason
            self._update(there)

    def _is_there(self, suite):
        try:
            self._update([suite])
        except Unavailable:
            return False
        return True

    def _update(self, suites):
        self._configure(suites)
        self._apt("get", "update", what="the lists of packages")

    def _configure(self, suites):
        uris = mirrors()
        for folder in ("lists/partial", "cache/archives/partial", "none"):
            os.makedirs(self._path(folder), exist_ok=True)
        open(self._path("no-status"), "w").close()
        with open(self._path("sources.list"), "w", encoding="utf-8") as file:
            for suite in suites:
                uri = uris.get("-security" if suite.endswith("-security") else "")
                if uri:
                    file.write(f"deb [signed-by={KEYRING} arch={self._arch}] {uri} {suite} main\n")
        status = "/var/lib/dpkg/status" if self._installed else self._path("no-status")
        settings = {
            "Dir::Etc::sourcelist": self._path("sources.list"), "Dir::Etc::sourceparts": self._path("none"),
            "Dir::Etc::preferences": self._path("none/file"), "Dir::Etc::preferencesparts": self._path("none"),
            "Dir::State::lists": self._path("lists"), "Dir::State::status": status,
            "Dir::Cache": self._path("cache"), "APT::Architecture": self._arch, "APT::Sandbox::User": "root",
            "Acquire::Languages": "none", "Acquire::Retries": "3", "APT::Install-Recommends": "false",
            "Debug::NoLocking": "true", "Acquire::Check-Valid-Until": "false",
        }
        with open(self._conf, "w", encoding="utf-8") as file:
            file.writelines(f'{name} "{value}";\n' for name, value in settings.items())
            file.write(f'#clear APT::Architectures;\nAPT::Architectures {{ "{self._arch}"; }};\n')
            file.write('Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";\n')

    def _apt(self, tool, *words, what, cwd=None):
        # Files of this machine's say otherwise in containers, and reading the lists takes seconds.
        kept = [f"-oDir::Cache::{name}={name}.bin" for name in ("pkgcache", "srcpkgcache")]
        return _run([f"apt-{tool}", *kept, *words], what, cwd=cwd, env={**os.environ, "APT_CONFIG": self._conf})

    def names(self, beginning):
        """Every package whose name begins so."""
        if self._names is None:
            self._names = self._apt("cache", "pkgnames", what="names of packages").split()
        return [name for name in self._names if name.startswith(beginning)]

    def download(self, name):
        """The package's archive, fetched unless it is here already."""
        folder = self._path("debs")
        os.makedirs(folder, exist_ok=True)
        for line in self._apt("get", "--print-uris", "download", name, what=name).splitlines():
            file = os.path.join(folder, line.split()[1])
            if not os.path.exists(file):
                self._apt("get", "-q", "download", name, what=name, cwd=folder)
            return file
        raise Unavailable(f"{name}: apt-get names no archive")

    def download_missing(self, names, suite):
        """Archives of packages and of all that they need and is not there."""
        self._apt("get", "-q", "-y", "--download-only", "-t", suite, "install", *names, what=" ".join(names))
        folder = self._path("cache/archives")
        return sorted(os.path.join(folder, file) for file in os.listdir(folder) if file.endswith(".deb"))


def unpack(archive, folder):
    os.makedirs(folder, exist_ok=True)
    _run(["dpkg", "-x", archive, folder], archive)
