#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What existed before the start: thousands of connections, in the midst of new
ones, and sockets in every state, held against ss and the processes' own truth.

Needs root. Prints TAP. SYNFIN names the program.
"""

import collections
import contextlib
import os
import re
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True     # leave nothing in the tree

import features
import identity
import suite
from load import EMULATED, scaled
from netns import Netns, command
from process import Process
from recorded import Synfin, records
from sockets import states_here, wait_for_state
from wait import PATIENCE, wait_until

CONNECTIONS = scaled(5000)
FIRST_PORT = 10000      # of the new connections' own
HELD = scaled(300)      # new connections that are open at any time: the census meets them
PAUSE = 0.005 if EMULATED else 0    # seconds between them: a processor that is emulated has other work
CENSUS_US = 100_000
STARTS = 1 if EMULATED else 10
UNKNOWN_OF_EXISTING = {"start", "duration_us", "handshake_us", "role", "missed"}
LOCAL = "127.0.0.1"


def listen(port):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((LOCAL, port))
    made.listen(4096)
    return made


# ---- what the processes do ----

def serve(port, count):
    """Accept so many, answer, hold them until told, then read each to its end."""
    def function(pipe):
        with listen(port) as listener:
            pipe.send("listening")
            held = [listener.accept()[0] for _ in range(count)]
        pipe.send("accepted")
        for one in held:
            one.recv(1)
            one.close()
        pipe.send("closed")
        pipe.recv()
    return function


def hold(port, count):
    """Connect so many, hold them until told, then close each."""
    def function(pipe):
        held = [socket.create_connection((LOCAL, port)) for _ in range(count)]
        pipe.send("connected")
        pipe.recv()
        for one in held:
            one.close()
        pipe.send("closed")
        pipe.recv()
    return function


def be_busy(port):
    """Connections without a pause, some of them open at any time, until told to
    stop; then tell what both ends of each are known by, and the time before its connect()."""
    def function(pipe):
        lives, held = [], collections.deque()
        with listen(port) as listener:
            pipe.send("listening")
            while not pipe.poll():
                before = time.time_ns()
                client = connect_from(FIRST_PORT + len(lives), port)
                server, _ = listener.accept()
                lives.append((before, identity.of_socket(client), identity.of_socket(server)))
                held.append((client, server))
                if len(held) > HELD:
                    close_in_turn(*held.popleft())
                time.sleep(PAUSE)
        for pair in held:
            close_in_turn(*pair)
        pipe.send(lives)
        pipe.recv()
    return function


def connect_from(own_port, port):
    """From a port that no other has had where that is what it is known by."""
    made = socket.socket()
    if not features.has_cookies():
        made.bind((LOCAL, own_port))
    made.connect((LOCAL, port))
    return made


def close_in_turn(first, second):
    first.shutdown(socket.SHUT_WR)
    second.recv(1)
    second.close()
    first.recv(1)
    first.close()


def by_identity(lives):
    ret, known = {}, identity.of_records(lives)
    for life in lives:
        if life["event"] == "connection":
            ret.setdefault(known.get(life["conn"]), []).append(life)
    return ret


# ---- 1: many, in the midst of new ones ----

def sockets_of(netns, *filters):
    """What a socket is known by -> the line of ss."""
    lines = netns.ss("-Hten", *filters).splitlines()
    return {identity.of_line(line, found[1]): line for line in lines if (found := re.search(r"\bsk:([0-9a-f]+)", line))}


def wrong_existing(existing, told, server, client):
    for conn, line in existing.items():
        lives = told.get(conn, [])
        if len(lives) != 1:
            yield f"told {len(lives)} times: {line} {lives}"
            continue
        life = lives[0]
        owner = server if life["lport"] == 7000 else client
        if life.get("existing") is not True or life["complete"] is not False:
            yield f"not as existing: {life}"
        if UNKNOWN_OF_EXISTING & life.keys():
            yield f"knows {UNKNOWN_OF_EXISTING & life.keys()}: {life}"
        if (life.get("pid"), life.get("comm"), life.get("owner_from")) != (owner.pid, owner.comm, "fd"):
            yield f"owner is not {owner.comm}[{owner.pid}] from fd: {life}"
        if life["path"][0] != "established" or life.get("close") != "fin":
            yield f"wrong path or end: {life}"


def wrong_new(lives, told, born, started):
    """born: whose birth was seen. Of the others only those of around the start may be told."""
    for before, *ends in lives:
        for conn in ends:
            found = told.get(conn, [])
            if len(found) > 1:
                yield f"told {len(found)} times: {found}"
            elif not found:
                if before > started or conn in born:
                    yield f"a new one is not told: {conn}"
            elif conn in born:
                if "existing" in found[0] or found[0]["complete"] is not True:
                    yield f"a new one is not complete: {found[0]}"
            elif before > started:
                yield f"its birth was not seen: {found[0]}"
            elif found[0].get("existing") is not True or found[0]["complete"]:
                yield f"neither new nor existing: {found[0]}"


def best_start(netns, directory):
    """(seconds from exec to the word tracing, us of the census), of a few starts the best:
    others use this machine, too."""
    best = None
    for _ in range(STARTS):
        with Synfin(netns, directory, "conns", "--existing") as synfin:
            synfin.stop()
            this = (synfin.started_in, synfin.census_us())
        best = this if best is None or this[1] < best[1] else best
        if best[1] < CENSUS_US / 2 and best[0] < 0.5:
            break
    return best


def many(stack, netns, directory):
    server = Process(netns, "serves", serve(7000, CONNECTIONS))
    stack.callback(server.end)
    server.answer()
    client = Process(netns, "holds", hold(7000, CONNECTIONS))
    stack.callback(client.end)
    client.answer()
    server.answer()
    busy = Process(netns, "busy", be_busy(7001))
    stack.callback(busy.end)
    busy.answer()
    existing = sockets_of(netns, "state", "established", "( sport = :7000 or dport = :7000 )")
    speed = best_start(netns, directory)
    synfin = stack.enter_context(Synfin(netns, directory, "conns", "--existing"))
    time.sleep(0.5)
    client.say("close")
    client.answer()
    server.answer()
    busy.say("stop")
    lives = busy.answer()
    time.sleep(0.5)
    return server, client, existing, lives, speed, synfin, by_identity(synfin.stop())


def thousands():
    """each of 10000 existing sockets is told once, among new ones that are each told once and whole"""
    with contextlib.ExitStack() as stack:
        netns = stack.enter_context(Netns())
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="synfin-"))
        server, client, existing, lives, speed, synfin, told = many(stack, netns, directory)
        if len(existing) != 2 * CONNECTIONS:
            yield f"{len(existing)} sockets to begin with: this test shows nothing"
        trace = records(synfin.replay("trace"))
        known = identity.of_records(trace)
        born = {known.get(record["conn"]) for record in trace
                if record["event"] == "state" and record["new"] in ("syn_sent", "syn_recv")}
        yield from synfin.wrong()
        yield from wrong_existing(existing, told, server, client)
        yield from wrong_new(lives, told, born, synfin.started)
        strangers = told.keys() - existing.keys() - {conn for _, *ends in lives for conn in ends}
        for conn in strangers:
            yield f"told, and never was: {told[conn]}"
        started_in, census_us = speed
        print(f"# {len(existing)} existing sockets, {len(lives)} new connections; tracing"
              f" {started_in * 1000:.0f} ms after exec, {census_us / 1000:.0f} ms of them the census")
        if EMULATED:
            return
        if census_us >= CENSUS_US:
            yield f"the census took {census_us} us"
        if started_in >= 1 + census_us / 1e6:
            yield f"tracing only after {started_in:.3f} s"


# ---- 2 and 3: a few, in every state ----

class Few:
    """Sockets in a namespace, each known by what it stands for."""

    def __init__(self, netns):
        self.netns, self.conns = netns, {}      # name -> what it is known by
        self._open = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for made in self._open:
            made.close()

    def keep(self, name, made):
        if name:
            self.conns[name] = identity.of_socket(made)
        made.settimeout(PATIENCE)
        self._open.append(made)
        return made

    def connect(self, name, port):
        return self.keep(name, socket.create_connection((LOCAL, port), PATIENCE))

    def pair(self, port, client, server):
        with listen(port) as listener:
            return self.connect(client, port), self.keep(server, listener.accept()[0])

    def name_of(self, known):
        return {known: name for name, known in self.conns.items()}.get(known)

    def named(self, lines):
        """(name or None, line) of each line that synfin printed."""
        known = identity.of_records(lines)
        return [(self.name_of(known.get(line.get("conn"))), line) for line in lines]


def only_what_is_wanted():
    """without --existing conns leaves existing sockets out, and trace marks their events"""
    with contextlib.ExitStack() as stack:
        netns = stack.enter_context(Netns())
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="synfin-"))
        few = stack.enter_context(Few(netns))
        with netns.inside():
            old = few.pair(7200, "old client", "old server")
            silent = few.pair(7201, "silent client", "silent server")
            synfin = stack.enter_context(Synfin(netns, directory, "trace"))
            new = few.pair(7202, "new client", "new server")
            close_in_turn(*old)
            close_in_turn(*new)
        time.sleep(0.3)
        trace = synfin.stop()
        del silent
        yield from synfin.wrong()
        for name, record in few.named(trace):
            if record["event"] == "state" and name and record.get("existing") != (True if "old" in name else None):
                yield f"{name}: {record}"
        seen = {name for name, _ in few.named(trace)} - {None}
        if seen != {"old client", "old server", "new client", "new server"}:
            yield f"events of {seen}"
        told = {few.name_of(known) for known in by_identity(records(synfin.replay("conns")))}
        if told != {"new client", "new server"}:
            yield f"without --existing conns tells of {told}"
        told = {few.name_of(known) for known in by_identity(records(synfin.replay("conns", "--existing")))}
        if told != few.conns.keys():
            yield f"with --existing conns tells of {told}"


def lost(*rules):
    """nftables: segments that match are lost, silently."""
    lines = "".join(f"  {rule} drop\n" for rule in rules)
    return f"table inet loss {{\n chain c {{ type filter hook input priority 0;\n{lines} }}\n}}\n"


def in_every_state(few):
    """Leave a socket in each state. Returns what makes them go on to their ends."""
    few.netns.nft(lost("tcp dport 7102 tcp flags & (syn|ack) == syn",           # for syn_sent
                       "tcp dport 7103 tcp flags & (syn|ack) == ack",           # for a half-open request
                       "tcp dport 7104 tcp flags & fin == fin",                 # for fin_wait1
                       "tcp dport 7105 tcp flags & fin == fin",
                       "tcp sport 7107 tcp flags & fin == fin"))                # for last_ack
    listener = few.keep("listen", listen(7100))
    both = few.pair(7101, "established", "established too")
    late = few.keep(None, listen(7102))
    syn_sent = few.keep(None, socket.socket())
    syn_sent.setblocking(False)
    syn_sent.connect_ex((LOCAL, 7102))
    few.conns["syn_sent"] = identity.of_socket(syn_sent, (LOCAL, 7102))
    half = few.keep(None, listen(7103))
    half_open = few.connect("half-open's peer", 7103)
    fin_wait1, its_peer = few.pair(7104, "fin_wait1", "fin_wait1's peer")
    fin_wait1.shutdown(socket.SHUT_WR)
    orphan, orphans_peer = few.pair(7105, "orphan", "orphan's peer")
    orphan.close()
    fin_wait2, close_wait = few.pair(7106, "fin_wait2", "close_wait")
    fin_wait2.shutdown(socket.SHUT_WR)
    wait_for_state(fin_wait2, "fin_wait2")
    waits, last_ack = few.pair(7107, "last_ack's peer", "last_ack")
    waits.shutdown(socket.SHUT_WR)
    wait_for_state(waits, "fin_wait2")
    last_ack.recv(1)
    last_ack.close()
    mini, minis_peer = few.pair(7108, "mini", "mini's peer")
    mini.close()
    close_in_turn(*few.pair(7109, "time_wait", "gone"))

    def go_on():
        command("ip", "netns", "exec", few.netns.name, "nft", "delete", "table", "inet", "loss")
        close_in_turn(*both)
        for one in (its_peer, orphans_peer, close_wait, minis_peer):
            one.recv(1)
            one.close()
        for one in (fin_wait1, fin_wait2, waits):
            one.recv(1)
            one.close()
        half_open.send(b"x")            # or its ACK is nowhere
        few.keep("half-open", half.accept()[0]).recv(1)
        few.keep("syn_sent's peer", late.accept()[0])
        listener.close()
        return (half_open, half), (syn_sent, late)

    return go_on


# name -> (conn's states from the start of the trace on, how it closed)
TOLD = {
    "established": ("established fin_wait1 fin_wait2 time_wait", "fin"),
    "established too": ("established close_wait last_ack", "fin"),
    "syn_sent": ("syn_sent established", "still_open"),
    "half-open's peer": ("established", "still_open"),
    "fin_wait1": ("fin_wait1 fin_wait2 time_wait", "fin"),
    "fin_wait1's peer": ("established close_wait last_ack", "fin"),
    "orphan": ("fin_wait1 fin_wait2 time_wait", "fin"),
    "orphan's peer": ("established close_wait last_ack", "fin"),
    "fin_wait2": ("fin_wait2 time_wait", "fin"),
    "close_wait": ("close_wait last_ack", "fin"),
    "last_ack": ("last_ack", "fin"),
    "last_ack's peer": ("fin_wait2 time_wait", "fin"),
    "mini's peer": ("close_wait last_ack", "fin"),
}
BORN_SINCE = {"half-open", "syn_sent's peer"}
STATES = ["listen", "syn_sent", "syn_recv", "established", "fin_wait1", "fin_wait2", "close_wait", "last_ack",
          "time_wait"]


def wrong_life(name, lives):
    states, close = TOLD[name]
    if len(lives) != 1:
        yield f"{name}: told {len(lives)} times: {lives}"
        return
    life = lives[0]
    if life["path"] != states.split() or life.get("close") != close:
        yield f"{name}: wrong path or end: {life}"
    if life.get("existing") is not True or life["complete"] or UNKNOWN_OF_EXISTING & life.keys():
        yield f"{name}: not as existing: {life}"
    if name not in ("orphan", "last_ack") and (
            life.get("pid") != os.getpid() or life.get("owner_from") not in ("fd", "read")):
        yield f"{name}: wrong owner: {life}"


def wrong_events(name, events):
    """From the first state on each event begins where the one before ended."""
    if not events:
        return
    state = TOLD[name][0].split()[0] if name in TOLD else "listen"
    for event in events:
        if event["old"] != state or event.get("existing") is not True:
            yield f"{name}: in {state}, then {event}"
        state = event["new"]


def every_state():
    """sockets in every state at the start are taken rightly, and what follows has no gap"""
    with contextlib.ExitStack() as stack:
        netns = stack.enter_context(Netns())
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="synfin-"))
        few = stack.enter_context(Few(netns))
        with netns.inside():
            go_on = in_every_state(few)
            wait_until(lambda: all(state in states_here() for state in STATES), f"sockets in {STATES}")
            synfin = stack.enter_context(Synfin(netns, directory, "conns", "--existing"))
            go_on()
            wait_until(lambda: all(by_identity(records(synfin.output())).get(few.conns[name])
                                   for name, (_, close) in TOLD.items() if close == "fin"), "all lives")
        told = by_identity(synfin.stop())
        events = {}
        for name, record in few.named(records(synfin.replay("trace"))):
            if record["event"] == "state":
                events.setdefault(name, []).append(record)
        yield from synfin.wrong()
        for name in TOLD:
            yield from wrong_life(name, told.get(few.conns[name], []))
            yield from wrong_events(name, events.get(name, []))
        for name in BORN_SINCE:
            lives = told.get(few.conns[name], [])
            if len(lives) != 1 or not lives[0]["complete"] or "existing" in lives[0]:
                yield f"{name}: not as new: {lives}"
        if [event["new"] for event in events.get("listen", [])] != ["close"]:
            yield f"the listener: {events.get('listen')}"
        yield from wrong_events("listen", events.get("listen", []))
        strangers = {few.name_of(known) for known in told} - TOLD.keys() - BORN_SINCE
        if strangers:
            yield f"told: {strangers}"


def main():
    return suite.run([thousands, only_what_is_wanted, every_state])


if __name__ == "__main__":
    sys.exit(main())
