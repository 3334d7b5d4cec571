# SPDX-License-Identifier: GPL-2.0-or-later
"""Cgroups of version 1, likewise (cgroup2.py): in one hierarchy, systemd's own if
there is one.
"""

import os

import cgroup2

# Any of them does; cpuset's lets nobody in before it is furnished.
_CONTROLLERS = ("name=systemd", "pids", "freezer", "devices", "memory")


def _mountpoints():
    """{controllers: where they are mounted from the root on}"""
    found = {}
    with open("/proc/self/mountinfo") as lines:
        for line in lines:
            mount, rest = line.split(" - ")
            kind, _, options = rest.split()[:3]
            root, path = mount.split()[3:5]
            if kind == "cgroup" and root == "/":
                found.update((one, path) for one in options.split(","))
    return found


def _own_paths():
    with open("/proc/self/cgroup") as lines:
        return {one: path.rstrip("/") for _, names, path in (line.rstrip("\n").split(":", 2) for line in lines)
                for one in names.split(",")}


def _home():
    """(mountpoint, own path) of the first of them that there is."""
    mounted, own = _mountpoints(), _own_paths()
    for one in _CONTROLLERS:
        if one in mounted and one in own:
            return mounted[one], own[one]
    raise cgroup2.NoCgroups("no hierarchy of version 1 is mounted here from its root on")


def is_used():
    return any(names for names in _own_paths())


def out_of_sight(directory):
    """What to run a program under that shall see no version 1 (proc(5), /proc/PID/cgroup)."""
    if not is_used():
        return ()
    shown = os.path.join(directory, "cgroup")
    with open("/proc/self/cgroup") as lines, open(shown, "w") as file:
        file.writelines(line for line in lines if line.startswith("0::"))
    return ("unshare", "--mount", "sh", "-c", f"mount --bind {shown} /proc/$$/cgroup && exec \"$@\"", "sh")


class Tree(cgroup2.Tree):
    def __init__(self):
        mountpoint, own = _home()
        super().__init__(mountpoint, own)
