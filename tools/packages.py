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


class Unavailable(Exception):
    """Not to be had here: no mirror, no such package, no such program."""


def _run(words, what, **options):
    try:
        return subprocess.run(words, check=True, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options).stdout
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
        self._installed = installed
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
        self._configure()
        self._apt("get", "update", what="the lists of packages")
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(wanted)

    def _configure(self):
        uris = mirrors()
        for folder in ("lists/partial", "cache/archives/partial", "none"):
            os.makedirs(self._path(folder), exist_ok=True)
        open(self._path("no-status"), "w").close()
        with open(self._path("sources.list"), "w", encoding="utf-8") as file:
            for suite in self._suites:
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
        return _run([f"apt-{tool}", *words], what, cwd=cwd, env={**os.environ, "APT_CONFIG": self._conf})

    def names(self, beginning):
        """Every package whose name begins so."""
        return self._apt("cache", "pkgnames", beginning, what=beginning).split()

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
