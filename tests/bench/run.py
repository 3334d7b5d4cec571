#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench - what synfin costs, beside doing nothing and beside its peers.

Everything is measured in pairs, A B A B in one run, in network namespaces of its
own; what is printed are medians, and how far the rounds lay apart. A speed that
stands alone is worth nothing on a shared machine: read the ratios. Peers are
measured where Debian's packages have put them (libbpf-tools, bpftrace, conntrack);
they trace the whole host, so run this on a quiet one. Needs root.

BENCH_DIR names the tree that was built (build), QUICK=1 takes two minutes or three.
Arguments are parts of it: storms, census, ...
RESULTS.md says what came of it.
"""

import contextlib
import inspect
import os
import sys
import tempfile

import tracer
import programs
import standing
import storms

from netns import Netns

PARTS = (programs.transitions, programs.contention, programs.owners, programs.rare, storms.storms, storms.burst, storms.beside_busy,
         standing.engine, standing.explain, standing.census, standing.crowd, standing.scrape, standing.memory, standing.idle)


def rows_of(part, stack):
    """A part has a namespace and a directory; who makes more of them gets the stack, too."""
    arguments = [stack.enter_context(Netns()), stack.enter_context(tempfile.TemporaryDirectory(prefix="synfin-bench-")), stack]
    return part(*arguments[:len(inspect.signature(part).parameters)])


def main():
    if os.geteuid():
        print("bench: needs root", file=sys.stderr)
        return 1
    wanted = sys.argv[1:] or [part.__name__ for part in PARTS]
    print(f"{os.uname().release}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {tracer.ROUNDS} paired rounds")
    print(f"{'':58} {'median':>10} {'':7} rounds")
    for part in PARTS:
        if part.__name__ not in wanted:
            continue
        with contextlib.ExitStack() as stack:
            for what, value, unit, note in rows_of(part, stack):
                print(f"{what:58} {'-' if value is None else format(value, '10.4g'):>10} {unit:7} {note}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
