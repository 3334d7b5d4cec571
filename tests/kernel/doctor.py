#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""synfin doctor on this kernel: as root, without privileges, with just enough of
them, and with the kernel's BTF out of sight. Needs root. Prints TAP. SYNFIN
names the program.
"""

import contextlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True     # leave nothing in the tree

from features import OF_THE_KERNEL

SYNFIN = os.path.abspath(os.environ.get("SYNFIN", "build/synfin"))
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
BTF = "/sys/kernel/btf"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
CURABLE = "run as root"


class Doctor:
    """One run, its checks by feature."""

    def __init__(self, *words, before=(), form="json"):
        with tempfile.TemporaryDirectory(prefix="synfin-doctor-") as directory:
            os.chmod(directory, 0o755)
            binary = os.path.join(directory, "synfin")      # where nobody may run it
            shutil.copy(SYNFIN, binary)
            done = subprocess.run([*before, binary, "doctor", "-o", form, *words],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  check=False, timeout=60)
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        self.records = [json.loads(line) for line in done.stdout.splitlines()] if form == "json" else []
        self.ok = {record["feature"]: record.get("ok") for record in self.records}

    def wrong(self, status, *missing):
        """What differs: its exit status, and what it names as missing on stderr."""
        if self.status != status:
            yield f"exit status {self.status} instead of {status}: {self.stderr}"
        for feature in missing:
            if feature not in self.stderr:
                yield f"{feature} is not named: {self.stderr}"
            if self.ok.get(feature) is not False:
                yield f"{feature}: ok is {self.ok.get(feature)}"
        if missing and len(self.stderr.splitlines()) != 1:
            yield f"not one line on stderr: {self.stderr}"
        yield from wrong_records(self)


def wrong_records(run):
    for record in run.records:
        expected = ["time", "v", "event", "feature", "ok", "needs", "cure"]
        if "ok" not in record:
            expected.remove("ok")
        if record.get("ok") is not False:
            expected.remove("cure")
        if list(record) != expected:
            yield f"keys other than {expected}: {record}"
        elif not (record["v"] == 1 and record["event"] == "check" and record["needs"] and record["feature"]
                  and TIME.fullmatch(record["time"]) and record.get("cure") != ""):
            yield f"a wrong value: {record}"
        elif record.get("ok", True) not in (True, False):
            yield f"ok is no bool: {record}"
    if len(run.ok) != len(run.records):
        yield "a feature has two checks"


def as_root():
    """as root nothing that tracing needs is missing"""
    run = Doctor()
    yield from run.wrong(0)
    for feature, ok in run.ok.items():
        if ok is False and feature not in OF_THE_KERNEL:
            yield f"missing: {feature}"
    for feature in ("btf", "ringbuf", "inet_sock_set_state", "tcp_retransmit_skb", "tcp_retransmit_synack",
                    "tcp_send_reset", "tcp_receive_reset", "kfree_skb", "CAP_BPF", "CAP_PERFMON", "bpf"):
        if run.ok.get(feature) is not True:
            yield f"{feature} is not ok"
    if "tracing will work" not in run.stderr:
        yield f"no good news: {run.stderr}"


def as_nobody():
    """without privileges it exits with 3 and names CAP_BPF and CAP_PERFMON"""
    run = Doctor(before=NOBODY)
    yield from run.wrong(3, "CAP_BPF", "CAP_PERFMON")
    if CURABLE not in run.stderr:
        yield f"no cure: {run.stderr}"
    if run.ok.get("btf") is not True:
        yield "the kernel's BTF needs no privilege to be seen"


def with_one_capability():
    """with CAP_BPF alone it names CAP_PERFMON, and only that"""
    run = Doctor(before=[*NOBODY, "--inh-caps=+bpf", "--ambient-caps=+bpf"])
    yield from run.wrong(3, "CAP_PERFMON")
    if "missing: CAP_PERFMON;" not in run.stderr:
        yield run.stderr


def with_both_capabilities():
    """with CAP_BPF and CAP_PERFMON tracing would work, and it does"""
    before = [*NOBODY, "--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon"]
    run = Doctor(before=before)
    yield from run.wrong(0)
    if run.ok.get("CAP_SYS_ADMIN") is not False:
        yield "CAP_SYS_ADMIN is not missing"
    with tempfile.TemporaryDirectory(prefix="synfin-doctor-") as directory:
        os.chmod(directory, 0o755)
        binary = shutil.copy(SYNFIN, directory)
        trace = subprocess.run([*before, binary, "-d", "100ms", "-o", "json", "-N", "self"],
                               capture_output=True, text=True, check=False, timeout=60)
    if trace.returncode:
        yield f"yet synfin trace exits with {trace.returncode}: {trace.stderr}"


def without_btf():
    """with the kernel's BTF out of sight it exits with 4, and names it"""
    hidden = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs none {BTF} && exec "$@"', "sh"]
    run = Doctor(before=hidden)
    yield from run.wrong(4, "btf")
    if run.ok.get("CAP_BPF") is not True or "inet_sock_set_state" not in run.ok:
        yield "the other checks are gone"
    if run.ok.get("inet_sock_set_state") is not None:
        yield "inet_sock_set_state is known without BTF"
    yield from Doctor(before=[*hidden, *NOBODY]).wrong(4, "btf", "CAP_BPF", "CAP_PERFMON")


def in_a_user_namespace():
    """root of a user namespace is told that it is none"""
    run = Doctor(before=["unshare", "-Ur"])
    if "unshare" in run.stderr:
        return
    yield from run.wrong(3, "user_namespace")


def table():
    """the table has a line for each check, aligned, and a cure for what is missing"""
    names = list(Doctor(before=NOBODY).ok)
    run = Doctor(before=NOBODY, form="table")
    lines = run.stdout.splitlines()
    column = lines[0].index("STATE")
    rows = [line for line in lines[1:] if not line.startswith(" ")]
    if [row.split()[0] for row in rows] != names:
        yield "other features than in JSON"
    for row in rows:
        if row[column:].split()[0] not in ("ok", "MISSING", "unknown") or row[column - 1] != " ":
            yield f"not aligned: {row}"
    if sum(" MISSING " in row for row in rows) != sum("cure: " in line for line in lines):
        yield "not a cure for each"
    if max(map(len, lines)) > 100:
        yield "a line has more than 100 columns"


def flags():
    """-q leaves out good news, -v tells what was found; other flags are refused"""
    if Doctor("-q").stderr:
        yield "-q does not"
    if "tcp_send_reset: " not in Doctor("-v").stderr:
        yield "-v does not tell the arguments of a tracepoint"
    for words in (["-d", "1"], ["--read", "x"], ["-N", "self"], ["-o", "csv"]):
        if Doctor(*words).status != 2:
            yield f"{words} is not refused"


def main():
    tests = [as_root, as_nobody, with_one_capability, with_both_capabilities, without_btf, in_a_user_namespace,
             table, flags]
    failed = False
    # Before 5.11 maps count as locked memory, of which nobody has little.
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, [resource.RLIM_INFINITY] * 2)
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        wrong = list(test())
        print(f"{'not ok' if wrong else 'ok'} {number} - {test.__doc__}")
        for line in wrong[:20]:
            print(f"# {line}".replace("\n", " "))
        sys.stdout.flush()
        failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
