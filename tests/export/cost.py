# SPDX-License-Identifier: GPL-2.0-or-later
"""What `synfin export` takes: memory, and CPU time of a scrape."""

import contextlib
import re
import time

from exporter import Exporter, Netns
from traffic import Traffic, sysctl

SOCKETS = 10000
HELD_BY_ONE = 400       # connections of a process: both ends are descriptors of its own, 1024 of which it may have
MEMORY_MAX_KB = 16 * 1024
SCRAPES, SCRAPE_MAX_MS = 50, 5
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}


def resident_kb(pid, ring):
    """Without the ring, whose pages the kernel maps twice and at once; or of the ring alone."""
    ret, is_ring = 0, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as lines:
        for line in lines:
            if re.match("[0-9a-f]+-[0-9a-f]+ ", line):
                is_ring = "bpf-map" in line
            elif line.startswith("Rss:") and is_ring == ring:
                ret += int(line.split()[1])
    return ret


def cpu_ms(exporter):
    return exporter.metrics()["process_cpu_seconds_total", frozenset()] * 1000


def memory_and_scrapes():
    """at 10 000 live connections it takes 16 MB beside the ring, and 5 ms for a scrape"""
    with Netns("cost") as netns, Exporter("-N", netns) as exporter, contextlib.ExitStack() as stack:
        sysctl(netns, ip_local_port_range="1024 65000")
        for _ in range(0, SOCKETS // 2, HELD_BY_ONE):
            traffic = stack.enter_context(Traffic(netns))
            traffic.do("l = serve()")
            traffic.do(f"for _ in range({HELD_BY_ONE}): pair(l)")
        pid, headers = exporter.process.pid, OPENMETRICS
        before, began = cpu_ms(exporter), time.monotonic()
        for _ in range(SCRAPES):
            exporter.get(headers=headers)
        took = (cpu_ms(exporter) - before) / SCRAPES
        tracked = exporter.metrics()["synfin_connections_tracked", frozenset()]
        own, ring = resident_kb(pid, False), resident_kb(pid, True)
        print(f"# {tracked:g} connections: {own / 1024:.1f} MB, and {ring / 1024:.1f} MB of ring and counters;"
              f" {took:.2f} ms a scrape, what else it did in {time.monotonic() - began:.1f} s included", flush=True)
        if tracked < SOCKETS:
            yield f"only {tracked:g} connections"
        if own > MEMORY_MAX_KB:
            yield f"{own} KB resident"
        if took > SCRAPE_MAX_MS:
            yield f"{took:.2f} ms a scrape"


IDLE_S, IDLE_MAX = 20, 0.005     # measured: 0.0008 and 0.0012, on a machine that was busy with something else


def idle():
    """where nothing happens no socket is looked at again and again, and it takes next to nothing"""
    with Netns("idle") as netns, Traffic(netns) as traffic, Exporter("-v", "-N", netns) as exporter:
        traffic.do("l = serve(); pair(l)")
        time.sleep(11)      # until that is known by censuses
        walked = re.findall(r"the census of ([a-z ]+) in", exporter.said())
        before, began = cpu_ms(exporter), time.monotonic()
        time.sleep(IDLE_S)
        share = (cpu_ms(exporter) - before) / 1000 / (time.monotonic() - began)
        later = re.findall(r"the census of ([a-z ]+) in", exporter.said())[len(walked):]
        print(f"# idle: {share:.4%} of a core", flush=True)
        if not {"lives", "ports", "listeners", "states that last"} <= set(walked):
            yield f"only {walked} were counted off"
        if set(later) != {"facts"}:
            yield f"these again, within {IDLE_S} s: {later}"
        if share > IDLE_MAX:
            yield f"{share:.4%} of a core"


TESTS = [memory_and_scrapes, idle]
