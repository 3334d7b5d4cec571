#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hours of mixed storms, a minute each, while synfin traces, exports and audits: make
soak MINUTES=30 RATE=1000. Needs root. Prints a line a minute, and exits 1 unless
nothing was lost, every count was the storm's truth and the kernel's, and memory,
descriptors, table and ledger are as large at the end as they were at the beginning.

Between storms nothing is alive but what waits in TIME_WAIT: that is when it is measured.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True     # leave nothing in the tree
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "export"))

from exporter import MIX, SYNFIN, Exporter, Netns, Storm       # noqa: E402

STORM_SECONDS, PAUSE = 48, 5   # the pause: what the kernel lets go 2 s late is gone
WARM = 2                # minutes until all that is ever needed has been: TIME_WAIT takes one
ROOM = 2 << 20          # bytes that memory may be larger by: what malloc() splits differently
# Tables of a fixed size are touched bit by bit: that of the connections when as many
# sockets have been as it has buckets.
TABLES, BUCKETS = 8 << 20, 1 << 20
WAITING = 8 << 20       # and what waits for a reader of conns who is late, at most
COLUMNS = ("minute", "made", "told", "conns MB", "export MB", "conns fds", "export fds", "tracked",
           "ledger", "kernel has", "lost", "audited", "wrong")


def status_of(pid):
    """(bytes resident, descriptors)"""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    # A census under way has some of its own.
    least = min(descriptors(pid) for _ in range(5))
    return pages * os.sysconf("SC_PAGE_SIZE"), least


def descriptors(pid):
    time.sleep(0.2)
    return len(os.listdir(f"/proc/{pid}/fd"))


def total(samples, *names, **labels):
    return sum(value for (name, pairs), value in samples.items()
               if name in names and labels.items() <= dict(pairs).items())


def minis_of_the_kernel(netns):
    text = subprocess.run(["ip", "netns", "exec", netns, "cat", "/proc/net/sockstat"],
                          capture_output=True, text=True, check=True).stdout
    return int(text.split(" tw ")[1].split()[0])


class Tracer:
    """`synfin conns` for the whole time, and how many lives it has told."""

    def __init__(self, netns):
        self._errors = tempfile.NamedTemporaryFile(prefix="synfin-soak-")
        self.process = subprocess.Popen([SYNFIN, "conns", "-o", "json", "--strict", "-N", netns],
                                        stdout=subprocess.PIPE, stderr=self._errors)
        self.lives, self.last = 0, b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        deadline = time.monotonic() + 60
        while "tracing" not in pathlib.Path(self._errors.name).read_text(encoding="utf-8"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError("conns never said 'tracing'")
            time.sleep(0.05)

    def _read(self):
        for line in self.process.stdout:
            self.lives += b'"event":"connection"' in line
            self.last = line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self._reader.join()
        self.process.wait()

    def stop(self):
        """Its exit code, and its summary."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(60)
        self._reader.join()
        return status, json.loads(self.last)


class Soak:
    def __init__(self, netns, exporter, tracer, rate):
        self.netns, self.exporter, self.tracer, self.rate = netns, exporter, tracer, rate
        self.rows, self.wrong, self._told, self._before = [], [], 0, exporter.metrics()

    def _scrape(self, over):
        while not over.wait(1):
            self.exporter.get()

    def _storm(self):
        over = threading.Event()
        scraper = threading.Thread(target=self._scrape, args=(over,))
        scraper.start()
        try:
            return Storm(self.netns, "-n", str(STORM_SECONDS * self.rate), "-r", str(self.rate), "-t", "2",
                         "-s", str(STORM_SECONDS + 10), "-d", "8", "-46M", "-m", MIX)
        finally:
            over.set()
            scraper.join()

    def minute(self):
        """One storm; a row of the table."""
        began = time.monotonic()
        audit = subprocess.Popen([SYNFIN, "audit", "-q", "-o", "json", "-N", self.netns],
                                 stdout=subprocess.PIPE, text=True)
        time.sleep(2)       # audit is there
        storm = self._storm()
        time.sleep(PAUSE)
        audit.send_signal(signal.SIGINT)
        rows = [json.loads(line) for line in audit.communicate(timeout=60)[0].splitlines()]
        self._measure(storm, audit.returncode, [row for row in rows if row["event"] == "audit"])
        time.sleep(max(0, 60 - (time.monotonic() - began)))

    def _measure(self, storm, audited, counters):
        samples = self.exporter.metrics()
        moved = {key: value - self._before.get(key, 0) for key, value in samples.items()}
        wrong = [*storm.wrong(moved)]
        wrong += [f"audit: {row}" for row in counters if row.get("residual")]
        if audited:
            wrong.append(f"audit exited with {audited}")
        told, made = self.tracer.lives - self._told, storm.number("summary.connections")
        if told != made:
            wrong.append(f"{made} lives made, {told} told")
        conns, export = status_of(self.tracer.process.pid), status_of(self.exporter.process.pid)
        ledger = total(samples, "synfin_sockets", state="time_wait") + total(samples, "synfin_sockets", state="fin_wait2")
        row = (len(self.rows) + 1, made, told, conns[0], export[0], conns[1], export[1],
               total(samples, "synfin_connections_tracked"), ledger, minis_of_the_kernel(self.netns),
               total(samples, "synfin_events_lost_total", "synfin_connections_unseen_total",
                     "synfin_sink_dropped_events_total", "synfin_lifecycles_incomplete_total"),
               len([row for row in counters if row.get("residual") == 0]), len(wrong))
        self.rows.append(row)
        for text in wrong:
            print(f"# {text}", flush=True)
        self.wrong += [f"minute {row[0]}: {text}" for text in wrong]
        self._told, self._before = self.tracer.lives, samples
        print(shown(row), flush=True)


def shown(row):
    cells = [f"{cell / (1 << 20):.1f}" if name.endswith("MB") else f"{cell:.0f}" for name, cell in zip(COLUMNS, row)]
    return " ".join(cell.rjust(len(name)) for name, cell in zip(COLUMNS, cells))


def warm(rows):
    """The first row from which on memory must not grow, and by how much it may."""
    made = 0
    for number, row in enumerate(rows):
        made += row[1]
        if made >= BUCKETS and number >= WARM and number < len(rows) - 1:
            return number, ROOM
    return min(WARM, len(rows)) - 1, ROOM + TABLES


def not_flat(rows, may_miss):
    """Where the rows after the first ones grow."""
    first, room = warm(rows)
    column = {name: [row[number] for row in rows[first:]] for number, name in enumerate(COLUMNS)}
    for name, more in ("conns MB", WAITING), ("export MB", 0):
        if max(column[name]) > column[name][0] + room + more:
            yield f"{name} grew from {column[name][0]} to {max(column[name])} bytes"
    for name in ("conns fds", "export fds"):
        if max(column[name]) > column[name][0]:
            yield f"{name} grew from {column[name][0]} to {max(column[name])}"
    for row in rows:
        found = dict(zip(COLUMNS, row))
        if max(found["lost"], found["tracked"]) > may_miss:
            yield f"minute {row[0]}: {found['lost']:.0f} lost, {found['tracked']:.0f} still tracked"
        # one is read after the other, and they expire
        if abs(found["ledger"] - found["kernel has"]) > 0.02 * found["kernel has"] + 5:
            yield f"minute {row[0]}: {found['ledger']:.0f} in the ledger, of {found['kernel has']} in the kernel"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=int, default=1000, help="connections a second (1000)")
    parser.add_argument("--may-miss", type=int, default=0, metavar="N",
                        help="events of a million lives for which the kernel runs no program, of no tracer:"
                        " one was met that does so while PID 1 is current (0)")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)    # a shell may ignore it in the background
    with Netns("soak") as netns, Exporter("-N", netns) as exporter, Tracer(netns) as tracer:
        soak = Soak(netns, exporter, tracer, options.rate)
        print(" ".join(COLUMNS), flush=True)
        for _ in range(options.minutes):
            soak.minute()
        status, summary = tracer.stop()
        lives = sum(row[1] for row in soak.rows)
        may_miss = options.may_miss * lives // 1_000_000
        wrong = ([] if may_miss else soak.wrong) + list(not_flat(soak.rows, may_miss))
        if status or any(summary[key] for key in summary if key.startswith("lost_")):
            wrong.append(f"conns exited with {status}: {summary}")
        if abs(lives - tracer.lives - summary["connections_unseen"]) > may_miss or summary["incomplete"] > may_miss:
            wrong.append(f"{lives} lives made, {tracer.lives} told, {summary['connections_unseen']} counted as unseen,"
                         f" {summary['incomplete']} incomplete")
        if exporter.stop():
            wrong.append(f"export exited with {exporter.process.returncode}: {exporter.said()}")
    for text in wrong:
        print(f"wrong: {text}")
    print(f"{lives} lives in {len(soak.rows)} minutes, {summary['incomplete']} of them incomplete: "
          f"{'flat, nothing lost' if not wrong else 'NOT as it must be'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
