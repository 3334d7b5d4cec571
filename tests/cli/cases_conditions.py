# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine at its worst: memory and descriptors that end while it traces, a clock
that is set, a suspension, what it looks up gone before it looks, and SIGKILL."""

import contextlib
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import time

import namespaces
import recording
import traffic
from case import Failed, Skipped, case, check, equal, same_bytes
from cases_faults import _loaded, _program_ids

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "kernel"))
import cgroup2          # noqa: E402

_SHIFTED = pathlib.Path(__file__).resolve().parent / "shifted.c"
_MIX = recording.MIX
_SUSPENDED = float(os.environ.get("SYNFIN_SUSPENDED", "3"))     # seconds; a minute has been tried
_MB = 1 << 20
_HOME = os.open("/proc/self/ns/net", os.O_RDONLY)       # where sysctls of the whole host are to be seen


def _storm(synfin, *options):
    """How many lives it made."""
    done = subprocess.run(["nsenter", f"--net=/proc/self/fd/{_HOME}", synfin.storm, "-q", "-N", f"/proc/{os.getpid()}/ns/net", "-m", _MIX, *options],
                          capture_output=True, text=True, timeout=50, pass_fds=[_HOME])
    truth = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    equal(truth.get("unexpected.active"), "0", f"ends that did not go as planned: {done.stderr!r}")
    return int(truth["summary.connections"])


def _nothing_lost(done, made):
    summary = done.expect(0).summary()
    lost = {key: number for key, number in summary.items() if key.startswith("lost_") or key == "connections_unseen"}
    check(not any(lost.values()), f"lost: {lost}")
    equal(summary["connections"], made, "connections told")
    equal(len(done.events("connection")), made, "connections printed")


@case
def suspended_it_tells_what_happened_meanwhile(synfin):
    namespaces.own_network()
    with synfin.trace("conns", "-o", "json", "--strict", "-N", "self") as tracer:
        tracer.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        made = _storm(synfin, "-n", "2000", "-r", "2000")
        time.sleep(max(0, _SUSPENDED - (time.monotonic() - began)))
        tracer.process.send_signal(signal.SIGCONT)
        traffic.settle()
        _nothing_lost(tracer.stop(), made)


@case(sanitized=False)
def memory_that_ends_in_a_storm_costs_what_is_counted(synfin):
    """Address space, as ulimit -v has it: the table cannot grow."""
    namespaces.own_network()
    with synfin.trace("conns", "-o", "json", "-N", "self") as tracer:
        with open(f"/proc/{tracer.process.pid}/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.prlimit(tracer.process.pid, resource.RLIMIT_AS, (now + _MB // 2, now + _MB // 2))
        made = _storm(synfin, "-n", "9000", "-H", "3000")
        traffic.settle()
        done = tracer.stop().expect(0)
    summary = done.summary()
    check(summary["lost_table"] > 0, "the table found room: this test showed nothing")
    equal(sum(one["count"] for one in done.events("lost") if one["where"] == "table"), summary["lost_table"],
          "lost lines of the table")
    whole = sum(one["complete"] for one in done.events("connection"))
    check(whole + summary["lost_table"] >= made, f"{made} made, but {whole} whole and {summary['lost_table']} lost")
    check(whole < made, "all were told: this test showed nothing")
    for one in done.events("connection"):
        check(one["complete"] or not {"duration_us", "path_us"} & one.keys(), f"a duration across a hole: {one}")


@contextlib.contextmanager
def _memory_cgroup():
    """A cgroup whose memory can be bounded: its directory, and the file for the bound."""
    for root, bound in ("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"):
        path = f"{root}/synfin-test-{os.getpid()}"
        try:
            os.mkdir(path)
        except OSError:
            continue
        if os.path.exists(f"{path}/{bound}"):
            break
        os.rmdir(path)
    else:
        raise Skipped("no cgroup with a bound of memory can be made here")
    try:
        yield path, f"{path}/{bound}"
    finally:
        deadline = time.monotonic() + 5
        while os.path.exists(path) and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.rmdir(path)
            time.sleep(0.05)


def _inside(path):
    return ["sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', path]


@case(sanitized=False)
def in_a_small_cgroup_a_storm_is_told_to_the_last(synfin):
    namespaces.own_network()
    with _memory_cgroup() as (path, bound):
        with open(bound, "w", encoding="ascii") as file:
            file.write(str(96 * _MB))
        with synfin.trace("conns", "-o", "json", "--strict", "-N", "self", within=_inside(path)) as tracer:
            made = _storm(synfin, "-n", "9000", "-H", "3000")
            traffic.settle()
            _nothing_lost(tracer.stop(), made)


@case(sanitized=False)
def what_the_kernel_kills_for_its_memory_leaves_nothing_behind(synfin):
    namespaces.own_network()
    with _memory_cgroup() as (path, bound):
        with synfin.trace("conns", "-o", "json", "-N", "self", within=_inside(path)) as tracer:
            held = _program_ids(tracer.process.pid)
            usage = bound.replace("limit_in", "usage_in").replace("memory.max", "memory.current")
            with open(usage, encoding="ascii") as file:
                now = int(file.read())
            with contextlib.suppress(OSError), open(bound, "w", encoding="ascii") as file:
                file.write(str(now + _MB // 4))
            _storm(synfin, "-n", "9000", "-H", "3000")
            status = tracer.process.poll()
            if status is None:
                raise Skipped("this kernel found the memory elsewhere")
            equal(status, -signal.SIGKILL, "exit status")
    _all_gone(held)


def _all_gone(held):
    check(held, "it held no program: this test showed nothing")
    deadline = time.monotonic() + 5     # after a grace period
    while held & _loaded() and time.monotonic() < deadline:
        time.sleep(0.05)
    check(not held & _loaded(), f"still loaded: {held & _loaded()}")


@case
def killed_at_any_moment_it_leaves_nothing_behind(synfin):
    namespaces.own_network()
    pinned, seen, moments = _pinned(), set(), [0.02 + number * 0.06 for number in range(16)]
    while moments:
        moment = moments.pop(0)
        if not moments and not seen and moment < 10:    # slow today: later, too
            moments.append(2 * moment)
        with synfin.launch("conns", "-q", "-N", "self") as tracer:
            time.sleep(moment)
            tracer.process.send_signal(signal.SIGSTOP)
            with contextlib.suppress(OSError):
                seen |= _program_ids(tracer.process.pid)
            tracer.process.kill()
            equal(tracer.done().status, -signal.SIGKILL, "exit status")
    _all_gone(seen)
    equal(_pinned(), pinned, "what is pinned")


def _pinned():
    return sorted(str(path) for path in pathlib.Path("/sys/fs/bpf").rglob("*"))


def _cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _metrics(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        answer = b""
        while part := client.recv(1 << 16):
            answer += part
    check(answer.startswith(b"HTTP/1.1 200"), f"not 200: {answer[:80]!r}")
    lines = (line.rsplit(" ", 1) for line in answer.decode().splitlines() if line.startswith("synfin_"))
    return {name: float(value) for name, value in lines}


@case
def without_descriptors_it_traces_on_and_serves_when_there_are_some(synfin):
    network = namespaces.own_network()
    with synfin.trace("export", "-N", network, "--web.listen-address", "127.0.0.1:0") as exporter:
        port = int(exporter.said().split(b"/metrics")[0].rsplit(b":", 1)[1])
        pid = exporter.process.pid
        before = _metrics(port)["synfin_handshakes_total{role=\"active\"}"]
        time.sleep(0.3)
        held = len(os.listdir(f"/proc/{pid}/fd")) + 2
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (held, held))
        crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
        cpu_s = _cpu_s(pid)
        traffic.refuse(*range(7001, 7041))
        time.sleep(1)
        check(_cpu_s(pid) - cpu_s < 0.5, f"{_cpu_s(pid) - cpu_s:.2f} s of CPU in a second without descriptors")
        for one in crowd:
            one.close()
        time.sleep(1.5)
        after = _metrics(port)["synfin_handshakes_total{role=\"active\"}"]
        # those of the crowd and of the two scrapes are in this namespace, too
        equal(after - before, 40 + 12 + 1, "handshakes")
        exporter.stop().expect(0)


def _shifted(synfin):
    library = synfin.path("shifted.so")
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library, _SHIFTED], check=True)
    return library


@case(sanitized=False)
def a_clock_that_is_set_back_changes_no_duration(synfin):
    network, path, by = namespaces.own_network(), synfin.path("recording"), synfin.path("by")
    listening = traffic.listener(7000)
    with synfin.trace("conns", "-o", "json", "-N", network, "--write", path,
                      env={"LD_PRELOAD": _shifted(synfin), "SHIFTED_BY": by}) as tracer:
        traffic.refuse(*range(7001, 7011))
        client = socket.create_connection(("127.0.0.1", 7000))
        server = listening.accept()[0]
        time.sleep(0.5)
        with open(f"{by}.new", "w", encoding="ascii") as file:
            file.write("-3600")
        os.rename(f"{by}.new", by)
        time.sleep(2.5)         # until it has looked at the clock
        client.close()
        server.close()
        traffic.refuse(*range(7011, 7021))
        traffic.settle()
        done = tracer.stop().expect(0).quiet()
    lives = done.events("connection")
    equal(len(lives), 22, "lives")
    hours = {one["time"][:13] for one in lives}
    check(len(hours) >= 2, f"it never saw that the clock was set: {hours}")
    for one in lives:
        check(one["start"] <= one["time"], f"it ends before it starts: {one}")
        lasted = 3_000_000 if 7000 in (one["lport"], one["rport"]) else 0
        check(lasted <= one["duration_us"] < lasted + 2_000_000, f"a duration of {one['duration_us']} us: {one}")
    same_bytes(synfin.run("conns", "-o", "json", "--read", path).expect(0).stdout, done.stdout, "the replay")


def _short_life(port, cgroup):
    """A process in a namespace and a cgroup of its own that all are gone as soon as it has connected."""
    pid = os.fork()
    if not pid:
        with contextlib.suppress(OSError):
            cgroup()
        namespaces.own_network()
        traffic.refuse(port)
        os._exit(0)
    os.waitpid(pid, 0)


@case
def what_is_gone_before_it_is_looked_up_is_told_all_the_same(synfin):
    port, number = 800 + os.getpid() % 200, 40      # no ephemeral one of another namespace
    with contextlib.ExitStack() as stack:
        try:
            tree = stack.enter_context(cgroup2.Tree())
        except cgroup2.NoCgroups:
            tree = None
        with synfin.trace("conns", "-o", "json", "--strict", "-D", str(port)) as tracer:
            for one in range(number):
                home = f"/sys/fs/cgroup/unified{tree.path}/{one}" if tree else ""
                _short_life(port, lambda: _enter(home))
                with contextlib.suppress(OSError):
                    os.rmdir(home)
            traffic.settle()
            done = tracer.stop().expect(0).quiet()
    summary, lives = done.summary(), done.events("connection")
    equal([len(lives), summary["outcome_refused"]], [number, number], "lives told")
    equal(len({one["netns"] for one in lives} - {namespaces.inode("/proc/self/ns/net")}) > 0, True, "other namespaces")
    for one in lives:
        check("pid" in one and one["owner_from"] == "connect", f"whose it was, connect() knows: {one}")


def _enter(path):
    os.mkdir(path)
    with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")
