#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Filters on the same traffic: what each shows, live, is what is said of it here in
Python of the lines that an unfiltered run shows; and a replay of its recording, and
the filter on the unfiltered run's recording, show the same. What the kernel decides
is not in the recording.

Needs root. Prints TAP. SYNFIN names the program.
"""

import collections
import concurrent.futures
import contextlib
import ipaddress
import os
import socket
import struct
import sys
import tempfile

sys.dont_write_bytecode = True     # leave nothing in the tree

import features
import suite
from load import EMULATED
from netns import Netns
from process import Process
from recorded import Synfin, records
from wait import PATIENCE, wait_until

WEB, ALT, SIX, SLOW, NOBODY = 7001, 7002, 7003, 7005, 7009
BOUND = 7100            # a client's own port, known before it connects
USER = 1234
LINGER_0 = struct.pack("ii", 1, 0)
NFT = f"""table inet loss {{
 chain input {{
  type filter hook input priority 0;
  tcp dport {SLOW} tcp flags & (syn|ack) == syn drop
 }}
}}
"""


# ---- the traffic ----

def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(pipe):
    """Listen, and answer each connection until its end; told to, close first."""
    listeners = []
    for address, port in (("::", WEB), ("127.0.0.0", ALT), ("::1", SIX), ("127.0.0.1", SLOW)):
        made = socket.socket(family_of(address))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address == "::":
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind((address if address != "127.0.0.0" else "0.0.0.0", port))
        made.listen()
        listeners.append(made)
    pipe.send("listening")
    by_port = {made.getsockname()[1]: made for made in listeners}
    while True:
        word = pipe.recv()
        if word == "end":
            break
        port, closes_first = word
        accepted = by_port[port].accept()[0]
        with contextlib.suppress(ConnectionResetError):
            if accepted.recv(10) == b"hello" and not closes_first:
                accepted.recv(10)
        accepted.close()
        pipe.send("closed")
    for made in listeners:
        made.close()
    pipe.send("done")
    pipe.recv()


def connect_as_told(user):
    """Each word is (source or None, its port or 0, address, port, how it ends)."""
    def function(pipe):
        if user:
            os.setuid(user)
        while True:
            word = pipe.recv()
            if word == "end":
                return
            pipe.send(connect(*word))
    return function


def connect(source, own_port, address, port, end):
    made = socket.socket(family_of(address))
    made.settimeout(PATIENCE)
    if source or own_port:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((source or ("::" if ":" in address else "0.0.0.0"), own_port))
    try:
        made.connect((address, port))
    except ConnectionRefusedError:
        made.close()
        return "refused"
    made.send(b"hello")
    if end == "server":
        made.recv(10)
    elif end == "reset":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    made.close()
    return "closed"


# who, source, own port, address, port, how it ends
PLAN = [
    ("alpha", None, 0, "127.0.0.1", WEB, "client"), ("alpha", None, 0, "127.1.0.1", WEB, "client"),
    ("beta", None, 0, "127.1.0.2", WEB, "server"), ("beta", "127.0.0.9", 0, "127.1.0.1", ALT, "client"),
    ("alpha", "127.0.0.9", BOUND, "127.0.0.1", ALT, "reset"), ("alpha", None, 0, "::1", WEB, "client"),
    ("beta", None, 0, "::1", SIX, "server"), ("alpha", None, 0, "2001:db8::1", WEB, "client"),
    ("beta", "2001:db8::1", 0, "2001:db8:1::1", WEB, "reset"), ("beta", None, 0, "::ffff:127.1.0.1", WEB, "client"),
    ("alpha", None, 0, "127.0.0.1", NOBODY, "client"), ("beta", None, 0, "2001:db8::1", NOBODY, "client"),
]


class Traffic:
    """The processes, and what they do; owners are known by their names."""

    def __init__(self, netns):
        self.netns = netns
        for address in ("2001:db8::1/128", "2001:db8:1::1/128"):
            netns.ip("address", "add", address, "dev", "lo", "nodad")
        self.alpha = Process(netns, "alpha", connect_as_told(0))
        self.beta = Process(netns, "beta-with-a-long", connect_as_told(USER))
        self.server = Process(netns, "serves", serve)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in (self.alpha, self.beta, self.server):
            one.end()

    def run(self):
        self.server.answer()
        for who, source, own_port, address, port, end in PLAN:
            client = self.alpha if who == "alpha" else self.beta
            client.say((source, own_port, address, port, end))
            if port != NOBODY:
                self.server.say((port, end == "server"))
                self.server.answer()
            client.answer()
        self._slowly()
        self.server.say("end")
        self.server.answer()

    def _slowly(self):
        """A handshake whose first SYN is lost."""
        self.netns.nft(NFT)
        self.alpha.say((None, 0, "127.0.0.1", SLOW, "client"))
        with self.netns.inside():
            wait_until(lambda: any(line.split()[3] == "02" for line in list(open("/proc/thread-self/net/tcp"))[1:]),
                       "a SYN")
        self.netns.nft("delete table inet loss\n")
        self.server.say((SLOW, False))
        self.server.answer()
        self.alpha.answer()


# ---- what a line is about ----

class Seen:
    """A record, with what became known of its life; of a listening socket there is no remote end."""

    def __init__(self, record, life):
        ends = {**life, **record}
        self.record, self.lport = record, ends.get("lport")
        self.listens = ends.get("role") == "listener"
        self.rport = None if self.listens else ends.get("rport")
        self.laddr = ipaddress.ip_address(ends["laddr"])
        self.raddr = None if self.listens or "raddr" not in ends else ipaddress.ip_address(ends["raddr"])
        self.pid, self.comm, self.uid = (record.get(key) for key in ("pid", "comm", "uid"))
        self.states = set(self._states())

    def _states(self):
        record = self.record
        if record["event"] == "state":
            return [record["old"], record["new"]]
        if record["event"] != "connection":
            return [record["state"]] if "state" in record else []
        ended = record.get("close") not in (None, "still_open") and record.get("time_wait") is False
        return record["path"] + ["close"] * ended

    def to(self, *networks):
        return self._is_in(self.raddr, networks)

    def of(self, *networks):
        return self._is_in(self.laddr, networks)

    @staticmethod
    def _is_in(address, networks):
        if address is None:
            return False
        return any(address in ipaddress.ip_network(one) for one in networks)

    def was(self, *states):
        return bool(self.states & set(states))

    def failed(self):
        outcome, close = self.record.get("outcome"), self.record.get("close")
        return outcome not in (None, "established") or close not in (None, "fin", "still_open")

    def slow(self, us):
        return self.record.get("handshake_us", 0) > us


V4, V6 = "0.0.0.0/0", "::/0"
ALL, SOME, NONE = "all", "some", "none"     # of it the kernel decides

# words, what it means, how much of it the kernel decides
OF_BOTH = [
    (f"dport = :{WEB}", lambda x: x.rport == WEB, ALL),
    (f"dport != :{WEB}", lambda x: x.rport != WEB, ALL),
    (f"sport = :{WEB} or sport = :{ALT}", lambda x: x.lport in (WEB, ALT), ALL),
    (f"sport >= {ALT} and not sport = :{SIX}", lambda x: x.lport >= ALT and x.lport != SIX, ALL),
    (f"sport = :{BOUND}", lambda x: x.lport == BOUND, ALL),
    ("dst 127.1.0.0/16", lambda x: x.to("127.1.0.0/16"), ALL),
    ("src 127.0.0.0/24 dst 127.1/16", lambda x: x.of("127.0.0.0/24") and x.to("127.1.0.0/16"), ALL),
    ("src 127.1.0.0/16", lambda x: x.of("127.1.0.0/16"), ALL),     # its owner is who listens on ::
    ("dst 127/8 and not dst 127.1/16", lambda x: x.to("127.0.0.0/8") and not x.to("127.1.0.0/16"), ALL),
    ("not dst 127.0.0.0/8", lambda x: not x.to("127.0.0.0/8"), ALL),
    ("dst 2001:db8::/32", lambda x: x.to("2001:db8::/32"), ALL),
    ("src inet6:* and not src ::1", lambda x: x.of(V6) and not x.of("::1/128"), ALL),
    ("dst inet:*", lambda x: x.to(V4), ALL),
    ("src 0.0.0.0", lambda x: x.of("0.0.0.0/32"), ALL),
    (f"dst [2001:db8::1]:{WEB} or dst 127.1.0.1:{ALT}",
     lambda x: (x.to("2001:db8::1/128") and x.rport == WEB) or (x.to("127.1.0.1/32") and x.rport == ALT), SOME),
    (f"sport = :{WEB} or dst 127.1.0.1", lambda x: x.lport == WEB or x.to("127.1.0.1/32"), NONE),
    (f"sport >= 30000 or dport = :{NOBODY}", lambda x: x.lport >= 30000 or x.rport == NOBODY, NONE),
    (f"not ( sport = :{WEB} or dport = :{WEB} )", lambda x: x.lport != WEB and x.rport != WEB, SOME),
    ("state time-wait", lambda x: x.was("time_wait"), NONE),
    (f"state fin-wait-1 state fin-wait-2 dport = :{WEB}",
     lambda x: x.was("fin_wait1", "fin_wait2") and x.rport == WEB, SOME),
    ("exclude established exclude listening", lambda x: not x.was("established", "listen"), NONE),
    ("state listening", lambda x: x.was("listen"), NONE),
    (f"( state syn-sent dport = :{NOBODY} ) or ( state last-ack )",
     lambda x: (x.was("syn_sent") and x.rport == NOBODY) or x.was("last_ack"), NONE),
    (f"-L {WEB},{ALT} state connected dst 127/8",
     lambda x: x.lport in (WEB, ALT) and not x.listens and x.to("127.0.0.0/8") and x.was(
         *"established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close_wait last_ack closing".split()), SOME),
    ("-6 not dst ::1", lambda x: x.of(V6) and not x.to("::1/128"), ALL),
    ("--comm beta-with-a-long", lambda x: x.comm == "beta-with-a-lon", NONE),
    (f"-u {USER} dport = :{WEB}", lambda x: x.uid == USER and x.rport == WEB, SOME),
    ("--comm serves not sport = :7003", lambda x: x.comm == "serves" and x.lport != SIX, SOME),
]
OF_LIVES = [
    ("--failed", lambda x: x.failed(), NONE),
    ("--slow 500ms", lambda x: x.slow(500_000), NONE),
    ("--failed --slow 500ms", lambda x: x.failed() or x.slow(500_000), NONE),
    ("--failed dst 127/8", lambda x: x.failed() and x.to("127.0.0.0/8"), SOME),
]

if EMULATED:    # a run takes seconds to start, and memory
    OF_BOTH, OF_LIVES = OF_BOTH[3::4], OF_LIVES[:2]


# ---- runs, and what is wrong with them ----

def is_own(key, value):
    """A conn of synfin's own, before Linux 5.12: it numbers what it is shown."""
    return key == "conn" and int(value, 16) >> 63


def untimed(record):
    """Without what every tracer measures for itself."""
    return tuple((key, value) for key, value in in_full(record)
                 if key not in ("time", "start") and not key.endswith("_us"))


def lines(output):
    return [record for record in records(output) if record["event"] != "summary"]


def chosen(whole, wants):
    """Of an unfiltered run's lines."""
    lives = {}
    for record in whole:
        lives.setdefault(record.get("conn"), {}).update(record)
    lives.pop(None, None)
    return [one for one in whole if wants(Seen(one, lives.get(one.get("conn"), {})))]


def differences(told, wanted, how=untimed):
    """Whatever their order: a line that waits is told later."""
    told, wanted = (collections.Counter(map(how, these)) for these in (told, wanted))
    for name, these in (("told, not wanted", told - wanted), ("wanted, not told", wanted - told)):
        for record, count in these.items():
            yield f"{name}, {count} times: {dict(record) if how is untimed else record}"


def connected(records_):
    return [one for one in records_ if one.get("role") != "listener"]


def in_full(record):
    return tuple(sorted((key, str(value)) for key, value in record.items() if not is_own(key, value)))


def wrong_run(words, wants, decided, filtered, unfiltered, command):
    """Of a filter: live, replayed, on the whole recording, and what the recording holds."""
    words = tuple(words.split())
    whole = lines(unfiltered.replay(command))
    wanted = chosen(whole, wants)
    if not 0 < len(wanted) < len(whole):
        yield f"{len(wanted)} of {len(whole)} lines: this traffic does not show it"
    yield from differences(lines(filtered.output()), wanted)
    yield from filtered.wrong()
    yield from (f"on the whole recording: {one}" for one in
                differences(lines(unfiltered.replay(command, *words)), wanted, in_full))
    recorded = lines(filtered.replay(command))
    if decided == ALL:  # listening sockets are kept for the sake of their connections
        yield from (f"in the recording: {one}" for one in
                    differences(connected(without_births(recorded, wanted)), connected(wanted)))
    elif (len(recorded) == len(whole)) != (decided == NONE):
        yield f"{len(recorded)} of {len(whole)} lines are in the recording, of {len(wanted)} that are shown"


def without_births(recorded, wanted):
    """Where they do not tell the peer, a filter of peers has to let all of them pass."""
    known = set(map(untimed, wanted))
    return [one for one in recorded
            if features.births_tell_the_peer() or untimed(one) in known or not is_birth(one)]


def is_birth(record):
    """Of a child, before it is known whose."""
    return record.get("old") in ("listen", "syn_recv")


def wrong_lives(words, wants, filtered, unfiltered):
    """The lives of a run that traced events: a filter shows whole lives or none."""
    wanted = chosen(lines(unfiltered.replay("conns")), wants)
    yield from (f"its lives: {one}" for one in
                differences(lines(filtered.replay("conns", *words.split())), wanted))


class Runs:
    """An unfiltered run and one for each filter, all of the same traffic."""

    def __init__(self):
        self.of = {}

    def trace(self, stack, netns, directory):
        wanted = [("trace", words) for words, *_ in [("", None)] + OF_BOTH] + [("conns", words) for words, *_ in OF_LIVES]
        for number, _ in enumerate(wanted):
            os.mkdir(f"{directory}/{number}")

        def start(number):
            command, words = wanted[number]
            return Synfin(netns, f"{directory}/{number}", command, *words.split(), live=("--ring-size", "256K"))

        # The kernel ends a run with the thread that began it: the threads have to stay.
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1 if EMULATED else 4))
        for (command, words), made in zip(wanted, pool.map(start, range(len(wanted)))):
            self.of[command, words] = stack.enter_context(made)
        return self

    def stop(self):
        for one in self.of.values():
            one.stop()


def all_of_it():
    """each filter shows what it says: live, in its replay, and on the whole recording"""
    with contextlib.ExitStack() as stack:
        netns = stack.enter_context(Netns())
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="synfin-"))
        runs = Runs().trace(stack, netns, directory)
        with Traffic(netns) as traffic:
            traffic.run()
            owners = {"-p": traffic.alpha.pid}
        unfiltered = runs.of["trace", ""]
        wait_until(lambda: len([one for one in lines(unfiltered.output()) if one.get("new") == "close"]) >= len(PLAN),
                   "ends of what was begun")
        runs.stop()
        yield from unfiltered.wrong()
        for words, wants, decided in OF_BOTH:
            filtered = runs.of["trace", words]
            for one in wrong_run(words, wants, decided, filtered, unfiltered, "trace"):
                yield f"{words}: {one}"
            for one in wrong_lives(words, wants, filtered, unfiltered):
                yield f"{words}: {one}"
        for words, wants, decided in OF_LIVES:
            for one in wrong_run(words, wants, decided, runs.of["conns", words], unfiltered, "conns"):
                yield f"{words}: {one}"
        yield from wrong_owner(unfiltered, owners["-p"])
        shown = len(lines(unfiltered.output()))
        print(f"# {len(OF_BOTH) + len(OF_LIVES)} filters of {shown} lines")


def wrong_owner(unfiltered, pid):
    """-p, of which the number is known only now."""
    for command in ("trace", "conns"):
        whole = lines(unfiltered.replay(command))
        wanted = chosen(whole, lambda x: x.pid == pid)
        if not 0 < len(wanted) < len(whole):
            yield f"-p: {len(wanted)} of {len(whole)} lines"
        for one in differences(lines(unfiltered.replay(command, "-p", str(pid))), wanted, in_full):
            yield f"-p: {one}"


def main():
    return suite.run([all_of_it])


if __name__ == "__main__":
    sys.exit(main())
