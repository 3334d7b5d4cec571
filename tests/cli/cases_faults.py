# SPDX-License-Identifier: GPL-2.0-or-later
"""What fails around it: memory, descriptors, the program itself, killed or beside another one."""

import pathlib
import signal
import subprocess
import time

import namespaces
import recording
import traffic
from case import Failed, case, check, equal

_SCARCE = pathlib.Path(__file__).resolve().parent / "scarce.c"
_PORTS = range(7001, 7041)


def _scarce(synfin):
    """The library that makes one allocation fail."""
    library = synfin.path("scarce.so")
    subprocess.run(["gcc", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, _SCARCE], check=True)
    return library


def _allocations(synfin, library, *args):
    """How many the run makes."""
    count = synfin.path("count")
    synfin.run(*args, env={"LD_PRELOAD": library, "SCARCE_COUNT": count}).expect(0)
    return int(recording.read(count))


def _ways(synfin, library, *args):
    """The ways of calls by which the run comes to allocate: [STACK:NUMBER, whether through libbpf]."""
    path = synfin.path("ways")
    synfin.run(*args, env={"LD_PRELOAD": library, "SCARCE_STACKS": path}).expect(0)
    lines = recording.read(path).decode().splitlines()
    return [(line.split()[0], line.endswith("libbpf")) for line in sorted(lines)]


def _survives(synfin, library, which, *args, what="memory"):
    """The run, if it does all the same; else it says in one line why not. which: SCARCE_AT or SCARCE_BY."""
    name = "SCARCE_BY" if ":" in str(which) else "SCARCE_AT"
    done = synfin.run(*args, env={"LD_PRELOAD": library, name: str(which)})
    if done.status == 0:
        return done
    try:
        done.error(1, what)
    except Failed as failed:
        raise Failed(f"allocation {which} of {' '.join(args)}: {failed}") from None
    return None


def _same_but_names(got, expected, number):
    """What could not be remembered is not known."""
    equal(len(got), len(expected), f"records with allocation {number} failing")
    for one, other in zip(got, expected):
        differ = {key for key in one | other if one.get(key) != other.get(key)}
        check(differ <= {"cgroup", "unit"} and not differ & set(one),
              f"with allocation {number} failing {sorted(differ)} differ")


@case(sanitized=False)
def any_allocation_of_a_replay_may_fail(synfin):
    """What is printed then is what is printed without, or the error says why there is less."""
    recording.make(synfin, load=("-n", "20", "-m", recording.MIX))
    args = "conns", "-o", "json", "--read", synfin.path("made.synfin")
    library, whole = _scarce(synfin), synfin.run(*args).expect(0)
    total = _allocations(synfin, library, *args)
    check(total > 5, f"{total} allocations")
    for number in range(1, total + 1):
        done = _survives(synfin, library, number, *args)
        if done and not done.summary()["lost_table"]:
            _same_but_names(done.records(), whole.records(), number)


@case(sanitized=False)
def any_allocation_of_a_replay_may_fail_whatever_is_made_of_it(synfin):
    recording.make(synfin, load=("-n", "20", "-m", recording.MIX))
    library = _scarce(synfin)
    for words in (["trace"], ["trace", "-o", "csv"], ["explain"], ["explain", "-o", "mermaid"], ["explain", "-o", "json"],
                  ["timewait"], ["listen"], ["conns", "--stuck"], ["conns", "src = 127.0.0.1 and not sport = :1"]):
        args = *words, "--read", synfin.path("made.synfin")
        for number in range(1, _allocations(synfin, library, *args) + 1):
            _survives(synfin, library, number, *args)


def _any_may_fail(synfin, args, libbpf, part=0, parts=1):
    """
    By each way of calls that leads to one: the first of its allocations, and of synfin's own
    the last, too. What failed in libbpf it does not always tell.
    """
    namespaces.own_network()
    library, args = _scarce(synfin), [word.replace("DIRECTORY", synfin.directory) for word in (*args, "-q", "-N", "self")]
    ways = [(way, in_libbpf) for way, in_libbpf in _ways(synfin, library, *args) if libbpf or not in_libbpf]
    check(len(ways) > 10, f"{len(ways)} ways to allocate")
    for way, in_libbpf in ways[part::parts]:
        stack, number = way.split(":")
        for which in sorted({1, 1 if in_libbpf else int(number)}):
            _survives(synfin, library, f"{stack}:{which}", *args, what=": ")


def _allocation_cases():
    """A case each, so that they run side by side."""
    def register(name, *how):
        def function(synfin):
            _any_may_fail(synfin, *how)
        function.__name__, function.__module__ = f"any_allocation_of_{name}_may_fail", __name__
        case(function, sanitized=False)

    def in_parts(parts, name, words, libbpf=False):
        for part in range(parts):
            register(f"{name}_({part + 1}_of_{parts})", words.split(), libbpf, part, parts)

    in_parts(4, "a_run", "conns -d 1ms", libbpf=True)
    # of another command those that are not libbpf's, which are the same
    for words in "trace -d 1ms -o json", "explain -d 1ms", "audit -d 1ms":
        in_parts(2, words.split()[0], words)
    for words in "timewait", "listen", "conns --stuck":
        register(words.replace(" ", "_"), words.split(), False)
    in_parts(4, "export", "export -d 1ms --web.listen-address 127.0.0.1:0 --metrics.group-by cgroup")
    in_parts(4, "export_textfile", "export -d 1ms --textfile DIRECTORY/made.prom")


_allocation_cases()


@case(sanitized=False)
def without_memory_it_says_so(synfin):
    """From the least on that its libraries take: with less it is the loader that complains."""

    def within(limit):
        return ["prlimit", f"--as={limit}000000"]

    least = next(limit for limit in range(8, 64, 2) if not synfin.run("--version", within=within(limit)).status)
    for limit in least, least + 4, least + 12:
        done = synfin.run("conns", "-N", "self", "-d", "1ms", within=within(limit))
        if done.status:
            done.error(1, "memory")


@case
def without_descriptors_it_says_so(synfin):
    namespaces.own_network()
    for limit in range(4, 40, 3):
        done = synfin.run("conns", "-q", "-N", "self", "-d", "1ms", within=["prlimit", f"--nofile={limit}"])
        if done.status:
            done.error(1, "Too many open files")


def _program_ids(pid):
    """Of the BPF programs that a process holds."""
    found = set()
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        for line in path.read_text(encoding="ascii").splitlines():
            if line.startswith("prog_id:"):
                found.add(int(line.split()[1]))
    return found


def _loaded():
    listed = subprocess.run(["bpftool", "prog", "list"], check=True, capture_output=True, text=True).stdout
    return {int(line.split(":")[0]) for line in listed.splitlines() if line[:1].isdigit()}


@case
def killed_it_leaves_nothing_behind(synfin):
    namespaces.own_network()
    for wait_s in 0, 0.03, 0.1, 0.3:
        with synfin.trace("-o", "json", "-N", "self") as tracer:
            held = _program_ids(tracer.process.pid)
            check(held and held <= _loaded(), f"its programs {held} are not loaded")
            traffic.refuse(*_PORTS)
            time.sleep(wait_s)
            tracer.process.kill()
            equal(tracer.done().status, -signal.SIGKILL, "exit status")
        deadline = time.monotonic() + 5     # after a grace period
        while held & _loaded() and time.monotonic() < deadline:
            time.sleep(0.05)
        check(not held & _loaded(), f"still loaded: {held & _loaded()}")


@case
def two_at_once_tell_the_same(synfin):
    namespaces.own_network()
    with synfin.trace("conns", "-o", "json", "-N", "self") as one, synfin.trace("conns", "-o", "json", "-N", "self") as other:
        traffic.refuse(*_PORTS)
        told = [tracer.stop().expect(0).events("connection") for tracer in (one, other)]
    equal(len(told[0]), len(_PORTS), "connections")
    for one, other in zip(*told):   # each reads the clock for itself
        differ = {key for key in one | other if one.get(key) != other.get(key)}
        check(differ <= {"time", "start", "path_us", "duration_us", "teardown_us"}, f"they differ in {sorted(differ)}")


@case
def a_signal_at_any_moment_ends_it_in_good_order(synfin):
    """From before it traces until after; what it wrote is whole lines."""
    namespaces.own_network()
    for number in range(24):
        with synfin.launch("-o", "json", "-N", "self") as tracer:
            time.sleep(number * 0.012)
            done = tracer.stop((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3])
        check(done.status in (0, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP), f"exit code {done.status}")
        if done.status == 0:
            done.summary()
        elif "tracing" in done.stderr:
            raise Failed(f"killed although it traced: {done.status}")
