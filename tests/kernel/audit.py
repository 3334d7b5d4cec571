#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`synfin audit` on the running kernel: storms of mixed connections and every
kind of trouble, in which it must find no difference, and a tracer made to lose
events, in which it must. Prints TAP. Needs root. SYNFIN and STORM name the
programs; --runs says how often the storm is held against the kernel's counters.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True     # leave nothing in the tree

import features
import netns
from attempts import Skip, attempts
from load import EMULATED, scaled
from wait import wait_until

SYNFIN = os.environ.get("SYNFIN", "build/synfin")
STORM = os.environ.get("STORM", "build/tests/storm")
TIME_WAIT = "TcpExt.TW+TWKilled+TCPTimeWaitOverflow"

# Ports of the troubles, each with the rule that makes it one.
SYN_LOST, SYN_UNSENT, SYNACK_LOST, DATA_LOST, UNREACHABLE = range(7001, 7006)
RULES = f"""
table inet trouble {{
  chain output {{
    type filter hook output priority 0;
    tcp dport {SYN_UNSENT} drop
  }}
  chain input {{
    type filter hook input priority 0;
    tcp dport {SYN_LOST} drop
    tcp sport {SYNACK_LOST} tcp flags & (syn | ack) == syn | ack drop
    tcp dport {DATA_LOST} tcp flags & psh == psh numgen random mod 100 < 30 drop
    tcp dport {UNREACHABLE} reject with icmpx host-unreachable
  }}
}}
"""
SYNACKS_PASS = "delete table inet trouble"


class Audit:
    """A run of `synfin audit` in a namespace: begun by `with`, ended with it."""

    def __init__(self, *words, env=None):
        self._words, self._env = words, {**os.environ, **(env or {})}

    def __enter__(self):
        self._out, self._err = tempfile.TemporaryFile("w+"), tempfile.NamedTemporaryFile("w+")
        self._process = subprocess.Popen([SYNFIN, "audit", *self._words], stdout=self._out,
                                         stderr=self._err, env=self._env)
        try:
            wait_until(lambda: "tracing" in self.stderr(), "word of tracing")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self.finish()

    def finish(self):
        self.status = self._process.wait(timeout=60)
        self._out.seek(0)
        self.stdout = self._out.read()

    def stderr(self):
        with open(self._err.name, encoding="utf-8") as file:
            return file.read()

    def records(self):
        return [json.loads(line) for line in self.stdout.splitlines()]

    def rows(self):
        return {r["counter"]: r for r in self.records() if r["event"] == "audit"}


def storm(ns, *words, check=True):
    done = subprocess.run([STORM, "-N", ns.name, *words], capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"storm: exit {done.returncode}: {done.stderr}")
    return done


# ---- troubles; each inside the namespace, in a process of its own ----

def connecting(port, host="127.0.0.1"):
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex((host, port))
    return sock


def listening(port, backlog=16):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(backlog)
    return sock


def failed(sock):
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def connected(port):
    """Both ends of a connection."""
    listener = listening(port)
    client = socket.create_connection(("127.0.0.1", port))
    server, _ = listener.accept()
    return client, server


def lost_syns():
    """SYNs lost on the way, and SYNs that never went out, until they time out; one is closed before."""
    waiting = [connecting(port) for port in (SYN_LOST, SYN_UNSENT) for _ in range(5)]
    connecting(SYN_LOST).close()
    for sock in waiting:
        wait_until(lambda: failed(sock), "end of a connect()")


def lost_synacks():
    """SYN-ACKs sent again; when they pass at last, the one who asked is gone and resets."""
    listener = listening(SYNACK_LOST)
    waiting = [connecting(SYNACK_LOST) for _ in range(5)]
    time.sleep(1.3)
    for sock in waiting[1:]:
        sock.close()
    subprocess.run(["nft", SYNACKS_PASS], check=True)
    wait_until(lambda: embryonic_resets() >= 4, "reset of a request")
    listener.close()


def embryonic_resets():
    with open("/proc/thread-self/net/netstat", encoding="ascii") as lines:
        names, values = next(lines).split(), next(lines).split()
    return int(values[names.index("EmbryonicRsts")])


def lost_data():
    client, server = connected(DATA_LOST)
    for _ in range(20):
        client.sendall(b"x" * 3000)
        server.recv(65536)
    client.close()
    while server.recv(65536):
        pass


def full_accept_queue():
    listener = listening(7010, backlog=2)
    waiting = [connecting(7010) for _ in range(10)]
    time.sleep(2)
    for sock in waiting:
        sock.close()
    listener.close()        # purges those that nobody accepted


def no_port():
    """A second connect() from the same port to the same place."""
    listener = listening(7011)
    client = socket.create_connection(("127.0.0.1", 7011))
    second = socket.socket()
    second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.suppress(OSError):
        second.bind(("127.0.0.1", client.getsockname()[1]))
    for _ in range(3):
        with contextlib.suppress(OSError):
            second.connect(("127.0.0.1", 7011))
    listener.close()


def unreachable():
    for _ in range(5):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", UNREACHABLE), timeout=5)


def parked(linger2):
    """An orphan in FIN_WAIT2 with its time set; the peer's FIN never comes while it lives."""
    client, server = connected(7020 + linger2)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, linger2)
    client.close()
    time.sleep(1.6)
    server.close()


def reset_when_parked():
    """Data for an orphan in FIN_WAIT2, which is a mini-socket by then, or is not."""
    for _ in range(20):
        client, server = connected(7012)
        client.close()
        with contextlib.suppress(OSError):
            server.sendall(b"too late")
            server.sendall(b"too late")
        server.close()


def killed():
    client, _ = connected(7013)
    waiting = connecting(SYN_LOST)
    for sock in (client, waiting):
        subprocess.run(["ss", "-K", "sport", f"= :{sock.getsockname()[1]}"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def refused_at_the_listener():
    """Simultaneous open with itself, and what a listener that closes does."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 7014))
    sock.connect(("127.0.0.1", 7014))
    sock.close()


TROUBLES = (lost_syns, lost_synacks, lost_data, full_accept_queue, no_port, unreachable,
            lambda: parked(61), lambda: parked(-1), reset_when_parked, killed,
            refused_at_the_listener)


def all_troubles(ns):
    """Begins them; the function that it returns waits for their end."""
    ns.sysctl("tcp_syn_retries", 1)
    ns.nft(RULES)
    children = [ns.run(trouble) for trouble in TROUBLES]

    def finish():
        for trouble, child in zip(TROUBLES, children):
            _, status = os.waitpid(child, 0)
            if status:
                raise RuntimeError(f"{trouble.__name__} did not go as planned")
    return finish


# ---- the tests ----

def not_held():
    """Counters that this kernel gives nothing to hold against."""
    ret = set()
    if not features.names_reset_reasons():
        ret.add("Tcp.OutRsts")
    if not features.counts_time_wait_at_its_entry():
        ret.add(TIME_WAIT)
    return ret


def differences(audit):
    for row in audit.rows().values():
        if "why" in row:
            if row["counter"] not in not_held():
                yield f"not held: {row}"
        elif row["residual"]:
            yield f"differs: {row}"
    if audit.status:
        yield f"exit status {audit.status}: {audit.stderr()}"


def too_little(audit, least):
    for counter, number in least.items():
        if "why" not in audit.rows()[counter] and audit.rows()[counter]["kernel"] < scaled(number):
            yield f"{counter} moved by less than {scaled(number)}: this test showed nothing"


def trouble(number, least):
    """One storm with trouble; what is wrong."""
    with netns.Netns() as ns:
        with Audit("-N", ns.name, "-o", "json") as audit:
            finish = all_troubles(ns)
            # its own account does not add up with others in its namespace
            storm(ns, "-n", str(scaled(15000)), "-d", "4", "-46M", check=False)
            finish()
            time.sleep(0.3)
    print(f"# run {number}:", ", ".join(
        f"{name} {row['kernel']}" for name, row in audit.rows().items() if row.get("kernel")),
        flush=True)
    return [*differences(audit), *too_little(audit, least)]


def everything(runs):
    """a storm and every kind of trouble: no difference"""
    least = {"Tcp.ActiveOpens": 15000, "Tcp.PassiveOpens": 12000, "Tcp.AttemptFails": 500,
             "Tcp.EstabResets": 5000, "Tcp.RetransSegs": 20, "Tcp.OutRsts": 3000,
             "TcpExt.TCPSynRetrans": 15, TIME_WAIT: 5000}
    for number in range(1, runs + 1):
        wrong = attempts(lambda number=number: trouble(number, least))
        yield from (f"run {number}: {line}" for line in wrong)


def one_run(audit_words, load, env=None, sysctls=()):
    with netns.Netns() as ns:
        for name, value in sysctls:
            ns.sysctl(name, value)
        with Audit("-N", ns.name, "-o", "json", *audit_words, env=env) as audit:
            load(ns)
            time.sleep(0.3)
    return audit


def full_time_wait_table():
    """a TIME_WAIT table that overflows: no difference"""
    def load(ns):
        before = ns.counters()["TcpExt.TCPTimeWaitOverflow"]
        storm(ns, "-k", "-n", str(scaled(5000)), "-d", "4", check=False)
        overflows.append(ns.counters()["TcpExt.TCPTimeWaitOverflow"] - before)
    overflows = []
    audit = one_run((), load, sysctls=(("tcp_max_tw_buckets", 20), ("ip_local_port_range", "1024 65535")))
    yield from differences(audit)
    if overflows[0] < scaled(1000):
        yield f"only {overflows[0]} overflows: this test showed nothing"


def lossy_path():
    """a storm over a path that delays and loses (netem): no difference"""
    def load(ns):
        try:
            netns.command("tc", "-n", ns.name, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "2ms", "loss", "3%")
        except RuntimeError as error:
            raise Skip(f"this kernel has no netem: {error}") from None
        # its own account knows of no losses
        storm(ns, "-n", str(scaled(2000)), "-t", "8", "-s", "20", "-m", "*_fin*,half_close*,*_unread", check=False)
        time.sleep(1)
    audit = one_run((), load)
    yield from differences(audit)
    yield from too_little(audit, {"Tcp.ActiveOpens": 400, "Tcp.RetransSegs": 40, "TcpExt.TCPSynRetrans": 4})


def busy_edges():
    """connections come and go while it begins and ends: no difference"""
    count, rate = (30000, 500) if EMULATED else (12000, 4000)    # it has to outlast what it is held against
    with netns.Netns() as ns:
        load = subprocess.Popen([STORM, "-N", ns.name, "-n", str(count), "-r", str(rate), "-q"],
                                stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: ns.counters()["Tcp.ActiveOpens"] > 100, "storm")
            with Audit("-N", ns.name, "-o", "json", "-d", "1") as audit:
                audit.finish()
            if load.poll() is not None:
                yield "the storm was over too soon: this test showed nothing"
        finally:
            load.terminate()
            load.wait(timeout=60)
    yield from differences(audit)
    yield from too_little(audit, {"Tcp.ActiveOpens": 500})


def without_twins():
    """events that are lost are found, and named: exit 6"""
    if not features.has_guard():
        raise Skip("this kernel skips no program: nothing can be lost so")
    for _ in range(8):      # how often it is nested is the machine's mood
        audit = one_run((), lambda ns: storm(ns, "-n", str(scaled(15000))),
                        env={"SYNFIN_DEBUG_SLOW": "500", "SYNFIN_DEBUG_NO_TWIN": "1"})
        if audit.records()[-1]["lost_nested"]:
            break
    wrong = [row["counter"] for row in audit.rows().values() if row.get("residual")]
    if audit.status != 6:
        yield f"exit status {audit.status}: {audit.stderr()}"
    if not wrong or not audit.records()[-1]["lost_nested"]:
        yield "nothing was lost: this test showed nothing"
    for counter in wrong:
        if counter not in audit.stderr():
            yield f"stderr does not name {counter}: {audit.stderr()}"


def with_twins(runs):
    """the same with the twins: no difference"""
    for number in range(1, runs + 1):
        audit = one_run((), lambda ns: storm(ns, "-n", str(scaled(15000))), env={"SYNFIN_DEBUG_SLOW": "500"})
        lost = audit.records()[-1]["lost_nested"]
        if lost and features.preempts_programs():
            raise Skip(f"up to {lost} events were lost, as told: tasks are preempted here")
        yield from (f"run {number}: {line}" for line in differences(audit))


def tiny_ring():
    """a ring that overflows does not matter: what is counted is exact"""
    audit = one_run(("--ring-size", "4K"), lambda ns: storm(ns, "-n", str(scaled(10000))))
    wrong = list(differences(audit))
    yield from wrong
    if not audit.records()[-1]["lost_ring"]:
        if EMULATED and not wrong:
            raise Skip("an emulated processor does not fill it")
        yield "the ring did not overflow: this test showed nothing"


def records():
    """every record has the keys it was promised, and the summary is the last"""
    audit = one_run(("-d", "0.2s"), lambda ns: None)
    *rows, summary = audit.records()
    for row in rows:
        told = ["why"] if row["counter"] in not_held() else ["traced", "residual"]
        if list(row) != ["time", "v", "event", "netns", "counter", "kernel", *told]:
            yield f"keys: {row}"
    if list(summary) != ["time", "v", "event", "seconds", "lost_ring", "lost_nested"]:
        yield f"keys: {summary}"
    if len({row["counter"] for row in rows}) != len(rows) or len(rows) < 16:
        yield f"{len(rows)} rows"


def namespaces_that_come_and_go():
    """a namespace that came or went says why, has no figures, and does not count"""
    with netns.Netns() as stays:
        gone = netns.Netns()
        with gone:
            inodes = {gone.inode: "went"}
            with Audit("-o", "json") as audit:
                netns.remove(gone.name)
                new = netns.Netns()
                with new:
                    inodes[new.inode] = "came"
                    audit.__exit__()
        rows = [row for row in audit.records() if row["event"] == "audit"]
        for inode, word in inodes.items():
            told = [row for row in rows if row["netns"] == inode]
            if not told or any(word not in row.get("why", "") for row in told):
                yield f"{word}: {told}"
            if any({"traced", "residual"} & row.keys() for row in told):
                yield f"figures of a namespace that {word}: {told}"
        held = [row for row in rows if row["netns"] == stays.inode]
        if not held or any(row.get("residual") != 0 for row in held if row["counter"] not in not_held()):
            yield f"the one that stayed: {held}"


def command_line():
    """a table for people; what it does not take is a usage error, no such namespace an error"""
    def run(*words):
        return subprocess.run([SYNFIN, "audit", *words], capture_output=True, text=True, timeout=30)
    for words, status in ((("-c", "1"), 2), (("-4",), 2), (("--strict",), 2), (("--read", "x"), 2),
                          (("-L", "80"), 2), (("--existing",), 2), (("-o", "csv"), 2), (("--nosuch",), 2),
                          (("-N", "nosuch"), 1), (("-h",), 0)):
        done = run(*words)
        if done.returncode != status or (status and len(done.stderr.splitlines()) != 1):
            yield f"{words}: exit {done.returncode}: {done.stderr}"
    with netns.Netns() as ns:
        done = run("-N", ns.name, "-d", "200ms")
        quiet = run("-N", ns.name, "-d", "200ms", "-q")
    header, *lines = done.stdout.splitlines()
    if header.split() != ["NETNS", "COUNTER", "KERNEL", "TRACED", "RESIDUAL"]:
        yield f"header: {header}"
    held = [line for line in lines if not set(line.split()[1:2]) & not_held()]
    if any(len(line) != len(header) or line.split()[2:] != ["0", "0", "0"] for line in held):
        yield f"lines: {lines}"
    told = f"{len(held)} counters agree"
    if len(lines) != 16 or done.returncode or quiet.returncode or quiet.stderr or told not in done.stderr:
        yield f"stderr: {done.stderr}, quiet: {quiet.stderr}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-r", "--runs", type=int, default=5, help="storms with trouble (5)")
    parser.add_argument("-t", "--twins", type=int, default=0,
                        help="storms with slow programs, whose twins have much to do (0)")
    parser.add_argument("test", nargs="*", help="which tests (all)")
    options = parser.parse_args()
    tests = [(everything, (options.runs,)), (full_time_wait_table, ()), (lossy_path, ()), (busy_edges, ()),
             (without_twins, ()), (tiny_ring, ()), (records, ()),
             (namespaces_that_come_and_go, ()), (command_line, ())]
    if options.twins:
        tests.append((with_twins, (options.twins,)))
    tests = [(test, words) for test, words in tests if test.__name__ in options.test or not options.test]
    failures = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (test, words) in enumerate(tests, 1):
        try:
            wrong = list(test(*words)) if test is everything else attempts(lambda: test(*words))
        except Skip as reason:
            print(f"ok {number} - {test.__doc__} # SKIP {reason}", flush=True)
            continue
        except (RuntimeError, TimeoutError, OSError) as error:
            wrong = [f"{type(error).__name__}: {error}"]
        print(f"{'not ok' if wrong else 'ok'} {number} - {test.__doc__}")
        for line in wrong[:20]:
            print("#", line.replace("\n", " "))
        sys.stdout.flush()
        failures += bool(wrong)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
