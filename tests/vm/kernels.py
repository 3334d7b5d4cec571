# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels by what people call them: "5.10", "6.12.107", "newest". Which packages
they are is found in the suites' lists, where point releases come and go.
"""

import lzma
import os
import re
import shutil

from packages import Unavailable, architecture, natural, unpack

# Wherever Debian publishes kernels, the oldest suite first; one that is gone is left out.
SUITES = ("bullseye", "bullseye-security", "bookworm", "bookworm-security", "bookworm-backports",
          "trixie", "trixie-security", "trixie-backports", "sid")
NEWEST = "newest"

# What the tests want of a kernel and Debian builds as modules; what is not there is left out.
MODULES = """crc32c_generic libcrc32c crc32c_cryptoapi nfnetlink nf_tables nf_reject_ipv4 nf_reject_ipv6 nft_reject
	nft_reject_inet nft_numgen veth dummy inet_diag tcp_diag sch_netem sch_tbf tcp_bbr""".split()


class Kernel:
    """A kernel's packages: one of the old kind, or since 6.19 an image and its modules apart."""

    def __init__(self, version, packages, arch):
        self.version, self.packages = version, packages
        self.name = version if arch == architecture() else f"{version} {arch}"


def _versions(apt, arch):
    """version -> packages, of all kernels with modules in the flavour for virtual machines."""
    flavour = f"-cloud-{arch}"
    names = set(apt.names("linux-image-")) | set(apt.names("linux-binary-")) | set(apt.names("linux-modules-"))
    found = {}
    for name in names:
        match = re.fullmatch(rf"linux-(image|binary)-(\d.*){re.escape(flavour)}", name)
        if not match:
            continue
        kind, version = match.groups()
        if kind == "binary":
            modules = f"linux-modules-{version}{flavour}"
            found[version] = [name, modules] if modules in names else None
        else:
            found.setdefault(version, [name])
    return found


def find(apt, wanted, arch):
    """The kernel that is meant; of several the last point release."""
    versions = _versions(apt, arch)
    whole = {version: packages for version, packages in versions.items() if packages}
    for version in sorted(whole, key=natural, reverse=True):
        if wanted == NEWEST or re.match(rf"{re.escape(wanted)}(?!\d)", version):
            return Kernel(version, whole[version], arch)
    if any(re.match(rf"{re.escape(wanted)}(?!\d)", version) for version in versions):
        raise Unavailable(f"Linux {wanted}: the mirror no longer has its modules")
    raise Unavailable(f"Linux {wanted}: the mirror has none")


class Unpacked:
    """A kernel's files in a folder of the cache."""

    def __init__(self, apt, kernel, folder):
        self.kernel = kernel
        self._root = os.path.join(folder, kernel.version)
        if not os.path.exists(os.path.join(self._root, "whole")):
            shutil.rmtree(self._root, ignore_errors=True)
            for package in kernel.packages:
                unpack(apt.download(package), self._root)
            open(os.path.join(self._root, "whole"), "w").close()
        self.image = self._find(lambda name: name.startswith("vmlinuz"))

    def _find(self, matches):
        for path, _, names in os.walk(self._root):
            for name in names:
                if matches(name):
                    return os.path.join(path, name)
        raise Unavailable(f"Linux {self.kernel.version}: a file is not in its packages")

    def modules(self):
        """(file name, contents) in the order in which they can be inserted."""
        files = {}
        for path, _, names in os.walk(self._root):
            for name in names:
                if match := re.fullmatch(r"(.*)\.ko(\.xz)?", name):
                    files[match[1].replace("-", "_")] = os.path.join(path, name)
        ordered = {}
        for name in MODULES:
            _insert(name, files, ordered)
        return [(f"{name}.ko", contents) for name, contents in ordered.items()]


def _insert(name, files, ordered):
    """The module and before it those that it names as needed."""
    if name in ordered or name not in files:
        return
    opener = lzma.open if files[name].endswith(".xz") else open
    with opener(files[name], "rb") as file:
        contents = file.read()
    needed = re.search(rb"\0depends=([^\0]*)\0", contents)
    for other in (needed[1].decode().split(",") if needed else ()):
        _insert(other.replace("-", "_"), files, ordered)
    ordered[name] = contents
