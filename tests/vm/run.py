#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots kernels of Debian's and runs the kernel tests in each, with one static
binary. Two machines at a time. Prints TAP and a table; exits 1 if a test failed.

Nothing is installed: kernels, QEMU and what else is needed are fetched from the
mirror that this machine's apt uses, and kept in a folder. What cannot be had is
skipped, with the reason. A guest that dies before it says a word of synfin is
booted once more, and if it dies again, too, that is told apart from a failure.
"""

import argparse
import concurrent.futures
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True     # leave nothing in the tree

import image
import kernels
from guest import Guest, Qemu, backports
from packages import Apt, Unavailable, architecture, release, unpack

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT = "5.10 6.1 6.12 6.18 newest"
# A machine runs one group of checks, so that no machine is the last for long.
GROUPS = (("scenarios",), ("doctor", "existing", "storm", "audit"))
CHECKS = [check for group in sorted(GROUPS, key=len, reverse=True) for check in group]
LIMIT = 900             # seconds that a machine may run
MACHINES = 2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", "--kernels", default=DEFAULT, help=f"which kernels, in Debian's words ({DEFAULT})")
    parser.add_argument("-c", "--checks", default=" ".join(CHECKS), help="which checks (all)")
    parser.add_argument("-p", "--pattern", default="", help="only scenarios whose names contain this")
    parser.add_argument("-s", "--synfin", default="build/synfin-static", help="the static binary")
    parser.add_argument("-S", "--storm", default="build/tests/storm-static", help="the storm generator, static")
    parser.add_argument("-d", "--folder", default="build/vm", help="where what was fetched is kept")
    parser.add_argument("-v", "--verbose", action="store_true", help="what a failed test said, in full")
    return parser.parse_args()


class Plan:
    """A kernel and one group of checks: booted, and once more if the machine died."""

    def __init__(self, qemu, unpacked, base, checks, options):
        self.kernel, self.checks, self.unpacked = unpacked.kernel, checks, unpacked
        self._qemu, self._base, self._options = qemu, base, options
        self.guest, self.boots = None, 0

    def run(self):
        words = f"patterns={self._options.pattern.replace(' ', ',')}" if self._options.pattern else ""
        archives = [self._base, image.of_kernel(self.unpacked.modules())]
        for self.boots in (1, 2):
            self.guest = Guest(self._qemu, self.unpacked.image, archives, self.checks, words).run(LIMIT)
            if not self.guest.never_came_up():
                break
        return self


def furnish(options, arch):
    """(QEMU, the kernels' apt, the archive that all share)."""
    folder = options.folder
    own = release()
    tools = Apt(os.path.join(folder, "tools"), [own, f"{own}-updates", f"{own}-security", f"{own}-backports"],
                arch, installed=True)
    tools.update()
    qemu = Qemu(tools, backports(), arch, folder)
    busybox = os.path.join(folder, "busybox")
    if not os.path.exists(busybox):
        unpack(tools.download("busybox-static"), busybox + ".new")
        os.rename(busybox + ".new", busybox)
    base = image.base(HERE, next(path for path in (f"{busybox}/usr/bin/busybox", f"{busybox}/bin/busybox")
                                 if os.path.exists(path)),
                      {"synfin/synfin": options.synfin, "synfin/storm": options.storm})
    return qemu, base


def find_kernels(options, arch):
    """Those that can be had, and [(wanted, why not)]."""
    wanted = options.kernels.split()
    suites = kernels.SUITES
    apt = Apt(os.path.join(options.folder, "kernels-" + arch), suites, arch)
    apt.update()
    found, missing = [], []
    for one in wanted:
        try:
            kernel = kernels.find(apt, one, arch)
            if kernel.version not in [other.kernel.version for other in found]:
                found.append(kernels.Unpacked(apt, kernel, os.path.join(options.folder, "kernels-" + arch)))
        except Unavailable as reason:
            missing.append((one, str(reason)))
    return found, missing


# ---- telling ----

class Tap:
    def __init__(self):
        self.number, self.failed = 0, False

    def tell(self, name, wrong, lines=(), skip=None):
        self.number += 1
        self.failed = self.failed or wrong
        directive = f" # SKIP {skip}" if skip else ""
        print(f"{'not ok' if wrong else 'ok'} {self.number} - {name}{directive}", *(f"# {line}" for line in lines),
              sep="\n", flush=True)


def tell_plan(tap, plan, verbose):
    """A line for each check of a machine that has run."""
    dead = plan.guest.never_came_up()
    if plan.boots > 1:
        print(f"# {plan.kernel.version}: never came up, and was booted again", flush=True)
    for name in plan.checks:
        title = f"{plan.kernel.version}: {name}"
        check = plan.guest.checks.get(name)
        if dead:
            tap.tell(title, True, ["infrastructure, not synfin: it never came up, twice", *dead])
        elif not check:
            tap.tell(title, True, ["never began: the machine died, or its time was over", *plan.guest.last_lines()])
        else:
            lines = [f"skipped: {text}" for text in check.skipped]
            for test, explained in check.wrong():
                lines += [f"FAILED: {test}", *(f"    {text}" for text in explained[:None if verbose else 25])]
            tap.tell(f"{title}: {check.passed} tests", bool(check.wrong()), lines)


def cell(plans, name):
    plan = next((plan for plan in plans if name in plan.checks), None)
    check = plan and plan.guest and plan.guest.checks.get(name)
    if not plan:
        return "-"
    if not check or check.status is None:
        return "never came up" if plan.guest and plan.guest.never_came_up() else "cut off"
    told = f"{check.passed} ok"
    if wrong := check.wrong():
        told += f", {len(wrong)} FAILED"
    if check.skipped:
        told += f", {len(check.skipped)} skipped"
    return f"{told}, {check.seconds:.0f} s"


def table(done, checks):
    """Kernels by checks, for people."""
    rows = [["KERNEL", *(check.upper() for check in checks), "MACHINES"]]
    for version in dict.fromkeys(plan.kernel.version for plan in done):
        plans = [plan for plan in done if plan.kernel.version == version]
        rows.append([version, *(cell(plans, check) for check in checks),
                     f"{sum(plan.guest.seconds for plan in plans):.0f} s"])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]


def groups_of(checks):
    return [tuple(check for check in group if check in checks) for group in GROUPS if set(group) & set(checks)]


def run(options, tap):
    begun = time.monotonic()
    arch = architecture()
    checks = [check for check in CHECKS if check in options.checks.split()]
    qemu, base = furnish(options, arch)
    found, missing = find_kernels(options, arch)
    plans = [Plan(qemu, unpacked, base, group, options)
             for group in groups_of(checks) for unpacked in found]
    print(f"1..{len(found) * len(checks) + len(missing)}", flush=True)
    for wanted, why in missing:
        tap.tell(f"Linux {wanted}", False, skip=why)
    with concurrent.futures.ThreadPoolExecutor(MACHINES) as pool:
        for future in concurrent.futures.as_completed([pool.submit(plan.run) for plan in plans]):
            tell_plan(tap, future.result(), options.verbose)
    print(*table([plan for unpacked in found for plan in plans if plan.unpacked is unpacked], checks), sep="\n")
    print(f"  in {time.monotonic() - begun:.0f} s", flush=True)


def main():
    options, tap = arguments(), Tap()
    for program in (options.synfin, options.storm):
        if not os.access(program, os.X_OK):
            sys.exit(f"run.py: no {program}: run make test-vm, or name it")
    try:
        run(options, tap)
    except Unavailable as reason:
        print("1..1")
        tap.tell("kernels in virtual machines", False, skip=str(reason))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
