#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots kernels of Debian's and runs the kernel tests in each, with one static
binary. Two machines at a time. Prints TAP and a table; exits 1 if a test failed.

Nothing is installed: kernels, QEMU and what else is needed are fetched from the
mirror that this machine's apt uses, and kept in a folder. What cannot be had is
skipped, with the reason. A guest that dies is booted once more; one that dies again
before it says a word of synfin is told apart from a failure.
"""

import argparse
import concurrent.futures
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True     # leave nothing in the tree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../../tools"))

import image
import kernels
from guest import Guest, Qemu, backports
from packages import Apt, Unavailable, architecture, end_in, natural, release, unpack

DEFAULT = "5.10 6.1 6.12 6.18 newest"
# A machine runs one group of checks, so that no machine is the last for long; each kernel
# begins with the first of these, while others are still fetched.
EVERYWHERE = (("scenarios",), ("rights", "storm", "audit"))
# What differs between kernels in these differs between the first and the last. Of a
# list of kernels those run them, of this machine's architecture, unless -c names them.
AT_THE_ENDS = ("doctor", "existing", "filters", "cgroups", "timewait")
CHECKS = [*AT_THE_ENDS, *EVERYWHERE[1], *EVERYWHERE[0]]
SHORT = "rights scenarios storm audit"      # in one machine, and of the last three a few tests


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", "--kernels", default=DEFAULT, help=f"which kernels, in Debian's words, ARCH: before it if it is not this one's ({DEFAULT})")
    parser.add_argument("-c", "--checks", help=f"which checks, on each kernel (all; {', '.join(AT_THE_ENDS)} on the first and the last)")
    parser.add_argument("-p", "--pattern", default="", help="only scenarios whose names contain this")
    parser.add_argument("-q", "--quick", action="store_true", help=f"a few tests of each: {SHORT}")
    parser.add_argument("-s", "--synfin", default="build/synfin-static", help="the static binary")
    parser.add_argument("-S", "--storm", default="build/tests/storm-static", help="the storm generator, static")
    parser.add_argument("-d", "--folder", default="build/vm", help="where what was fetched is kept")
    parser.add_argument("-l", "--limit", type=int, default=900, help="seconds that a machine may run (900)")
    parser.add_argument("-t", "--time", type=int, default=24 * 3600, help="seconds that all may take; what has not begun then is skipped")
    parser.add_argument("-m", "--machines", type=int, default=2, help="machines at a time (2)")
    parser.add_argument("-v", "--verbose", action="store_true", help="what a failed test said, in full")
    options = parser.parse_args()
    options.chosen = bool(options.checks)
    options.checks = [check for check in CHECKS
                      if check in (options.checks or (SHORT if options.quick else " ".join(CHECKS))).split()]
    options.until = time.monotonic() + options.time
    return options


class Plan:
    """A kernel and one group of checks: booted, and once more if the machine died."""

    def __init__(self, furniture, unpacked, checks, options):
        self.kernel, self.checks, self.unpacked = unpacked.kernel, checks, unpacked
        self._furniture, self._options = furniture, options
        self.guest, self.boots, self.deaths = None, 0, []

    def run(self):
        """Leaves guest None if there was no time for it."""
        archives = [self._furniture.base, image.of_kernel(self.unpacked.modules())]
        while self.boots < 2 and self._left() > 0:
            self.boots += 1
            self.guest = Guest(self._furniture.qemu, self.unpacked.image, archives, self.checks, self._log(), self._words())
            self.guest.run(min(self._options.limit, self._left()))
            if not self.guest.died():
                break
            self.deaths.append("never came up" if self.guest.never_came_up() else "died in the midst of it")
        return self

    def _left(self):
        return self._options.until - time.monotonic()

    def _log(self):
        name = f"{self.kernel.name}-{self.checks[0]}-{self.boots}.log".replace(" ", "-")
        return os.path.join(self._options.folder, name)

    def _words(self):
        words = ["quick=1"] if self._options.quick else []
        if self._options.pattern:
            words.append(f"patterns={self._options.pattern.replace(' ', ',')}")
        return " ".join(words)


class Furniture:
    """What the kernels of one architecture share: QEMU, their apt, an archive."""

    def __init__(self, options, arch):
        self._options, self._arch = options, arch
        self._folder = os.path.join(options.folder, arch)
        own = release()
        suites = [own, f"{own}-updates", f"{own}-security", f"{own}-backports"]
        tools = Apt(os.path.join(options.folder, "tools"), suites, architecture(), installed=True)
        self.qemu = Qemu(tools, backports(), arch, options.folder)
        self._apt = Apt(os.path.join(self._folder, "kernels"), kernels.SUITES, arch)
        self._apt.update()
        guests = Apt(os.path.join(self._folder, "guest"), suites[:3], arch)
        guests.update()
        self.base = image.base(HERE, self._root(guests, own), {
            "bin/busybox": self._busybox(guests), "synfin/synfin": self._binary(options.synfin),
            "synfin/storm": self._binary(options.storm)})

    def _binary(self, path):
        """The one that was built for the architecture, beside this machine's own."""
        if self._arch != architecture():
            path = os.path.join(os.path.dirname(self._options.synfin), self._arch,
                                os.path.relpath(path, os.path.dirname(self._options.synfin)))
        if not os.access(path, os.X_OK):
            raise Unavailable(f"no {path}, which make test-vm builds")
        return path

    def _busybox(self, apt):
        folder = os.path.join(self._folder, "busybox")
        if not os.path.exists(folder):
            unpack(apt.download("busybox-static"), folder + ".new")
            os.rename(folder + ".new", folder)
        return next(path for path in (f"{folder}/usr/bin/busybox", f"{folder}/bin/busybox") if os.path.exists(path))

    def _root(self, apt, suite):
        """This machine's own, or another architecture's packages unpacked."""
        if self._arch == architecture():
            return image.Root()
        folder = os.path.join(self._folder, "root")
        if not os.path.exists(folder):
            for archive in apt.download_missing(image.PACKAGES, suite):
                unpack(archive, folder + ".new")
            os.rename(folder + ".new", folder)
        return image.Root(folder)

    def unpacked(self, wanted):
        return kernels.Unpacked(self._apt, kernels.find(self._apt, wanted, self._arch), self._folder)


def find_kernels(options, missing):
    """Those that can be had, with what they share, as they come; to missing (wanted, why not)."""
    versions, furniture = set(), {}
    for one in options.kernels.split():
        arch, _, wanted = one.rpartition(":")
        arch = arch or architecture()
        try:
            if arch not in furniture:
                furniture[arch] = Furniture(options, arch)
            unpacked = furniture[arch].unpacked(wanted)
        except Unavailable as reason:
            missing.append((one, str(reason)))
            continue
        if unpacked.kernel.name not in versions:
            versions.add(unpacked.kernel.name)
            yield furniture[arch], unpacked


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
    for number, death in enumerate(plan.deaths, 1):
        again = ", and was booted again" if number == 1 else ""
        print(f"  {plan.kernel.name}, {plan.checks[0]}: the machine {death}{again}", flush=True)
    for name in plan.checks:
        tell_check(tap, plan, name, verbose)


def tell_check(tap, plan, name, verbose):
    title, guest = f"{plan.kernel.name}: {name}", plan.guest
    check = guest and guest.checks.get(name)
    if not check and (not guest or guest.is_cut_off):
        tap.tell(title, False, skip="no time was left")
    elif guest.never_came_up():
        tap.tell(title, True, [f"infrastructure, not synfin: it never came up, boots: {plan.boots}", *guest.last_lines()])
    elif not check:
        tap.tell(title, True, [f"never began: the machine died, boots: {plan.boots}", *guest.last_lines()])
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
    if not check and (not plan.guest or plan.guest.is_cut_off):
        return "no time"
    if not check or check.status is None:
        return "never came up" if plan.guest.never_came_up() else "cut off" if plan.guest.is_cut_off else "died"
    told = f"{check.passed} ok"
    if wrong := check.wrong():
        told += f", {len(wrong)} FAILED"
    if check.skipped:
        told += f", {len(check.skipped)} skipped"
    return f"{told}, {check.seconds:.0f} s"


def table(done, checks):
    """Kernels by checks, for people."""
    rows = [["KERNEL", *(check.upper() for check in checks), "MACHINES", "CPU"]]
    for version in dict.fromkeys(plan.kernel.name for plan in done):
        plans = [plan for plan in done if plan.kernel.name == version]
        rows.append([version, *(cell(plans, check) for check in checks),
                     *(f"{sum(getattr(plan.guest, name) for plan in plans if plan.guest):.0f} s"
                       for name in ("seconds", "cpu_seconds"))])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]


def plans_of(options, found, group):
    if checks := tuple(check for check in group if check in options.checks):
        yield from (Plan(furniture, unpacked, checks, options) for furniture, unpacked in found)


def all_plans(options, found, missing):
    """A machine for each kernel as soon as it is found; then the others, of the last and
    the foreign kernels first, which take longest."""
    for one in find_kernels(options, missing):
        found.append(one)
        yield from plans_of(options, [one], CHECKS if options.quick else EVERYWHERE[0])
    if not options.quick:
        yield from plans_of(options, reversed(found if options.chosen else at_the_ends(found)), AT_THE_ENDS)
        yield from plans_of(options, reversed(found), EVERYWHERE[1])


def at_the_ends(found):
    own = [one for one in found if one[1].kernel.name == one[1].kernel.version]
    by_age = sorted(own, key=lambda one: natural(one[1].kernel.version))
    return [by_age[0], by_age[-1]] if len(by_age) > 1 else by_age


def run(options, tap):
    begun, found, missing, plans = time.monotonic(), [], [], []
    with concurrent.futures.ThreadPoolExecutor(options.machines) as pool:
        running = []
        for plan in all_plans(options, found, missing):
            plans.append(plan)
            running.append(pool.submit(plan.run))
        print(f"1..{sum(len(plan.checks) for plan in plans) + len(missing)}", flush=True)
        for wanted, why in missing:
            tap.tell(f"Linux {wanted}", False, skip=why)
        for future in concurrent.futures.as_completed(running):
            tell_plan(tap, future.result(), options.verbose)
    print(*table([plan for _, unpacked in found for plan in plans if plan.unpacked is unpacked], options.checks), sep="\n")
    print(f"  in {time.monotonic() - begun:.0f} s", flush=True)


def main():
    options, tap = arguments(), Tap()
    end_in(options.time)
    try:
        run(options, tap)
    except Unavailable as reason:
        print("1..1")
        tap.tell("kernels in virtual machines", False, skip=str(reason))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
