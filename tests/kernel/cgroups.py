#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose cgroup: sockets of processes in cgroups of the test's own, held against
what the processes know.

Needs root, and a cgroup v2 hierarchy in which it may make directories: else all
is skipped, and why is told. Prints TAP. SYNFIN names the program; arguments are tests.
"""

import collections
import contextlib
import ctypes
import functools
import json
import multiprocessing
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True     # leave nothing in the tree

import cgroup1
import suite
from cgroup2 import Tree, enter
from load import EMULATED
from netns import Netns, command, remove
from wait import PATIENCE

SYNFIN = os.environ.get("SYNFIN", "build/synfin")
SO_COOKIE = 57
LOCAL = "127.0.0.1"
ROUNDS = 40             # of what has to be fast enough
STORM = 100 if EMULATED else 1000       # connections, one after the other
MANY = 10_000           # all at a time
FILE_HEADER = 16        # recording.h
STATE, CLAIM = 1, 41    # enum wire_kind
KEYS = ("cgroup", "unit", "container_id", "pod_uid")
LEFT_OUT = re.compile(r"(\d+) cgroups are not asked for; (\d+) records")
LOOKED_UP = re.compile(r"(\d+) cgroups were looked up, (\d+) of them in vain, in (\d+) walks")

ID = "3f2a9c8d1e2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5"
OTHER_ID = "3f2b9c8d1e2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5"
UID = "2f9e3c6a-7b1d-4e52-9a0c-5d8f1e2b3c4d"
_POD = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + UID.replace("-", "_")
# What synfin has to say of the sockets in a cgroup of this name.
LAYOUTS = {
    "web.service": {"unit": "web.service"},
    f"docker-{ID}.scope": {"unit": f"docker-{ID}.scope", "container_id": ID},
    f"{_POD}.slice/cri-containerd-{OTHER_ID}.scope": {
        "unit": f"cri-containerd-{OTHER_ID}.scope", "container_id": OTHER_ID, "pod_uid": UID},
    f"web.service/docker/{ID}": {"unit": "web.service", "container_id": ID},
    "web": {},
    "docker-web.scope": {"unit": "docker-web.scope"},
}

_libc = ctypes.CDLL(None)


# ---- processes ----

class Actor:
    """A child inside a namespace that does what it is told; each word is a method below."""

    def __init__(self, netns):
        self._pipe, far = multiprocessing.Pipe()
        self.pid = netns.run(lambda: self._play(far))
        far.close()

    def _play(self, pipe):
        _libc.prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG
        self._pipe.close()
        self._held, self._listener = [], None
        while True:
            word, *args = pipe.recv()
            try:
                pipe.send(getattr(self, "_" + word)(*args))
            except Exception as error:      # for whoever told it
                pipe.send(error)

    def do(self, word, *args):
        self.begin(word, *args)
        return self.answer()

    def begin(self, word, *args):
        self._pipe.send((word, *args))

    def answer(self, patience=PATIENCE):
        if not self._pipe.poll(patience):
            raise TimeoutError(f"no answer for {patience} s")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = None

    def _enter(self, tree, name):
        directory = tree.make(name)
        enter(directory)
        os.close(directory)

    def _leave(self, tree):
        tree.leave()

    def _listen(self, port):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((LOCAL, port))
        self._listener.listen(4096)

    def _accept(self):
        return self._hold(self._listener.accept()[0])

    def _connect(self, port, own_port=0):
        made = socket.socket()
        if own_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((LOCAL, own_port))
        made.connect((LOCAL, port))
        return self._hold(made)

    def _hold(self, made):
        self._held.append(made)
        return self._cookie(made)

    def _close(self):
        """Who is told first closes first."""
        while self._held:
            self._held.pop(0).close()

    def _serve(self, count):
        """So many connections, until their ends; whose they were."""
        return [self._outlast(self._listener.accept()[0]) for _ in range(count)]

    def _call(self, port, count):
        """Likewise, one after the other."""
        return [self._ask(socket.create_connection((LOCAL, port))) for _ in range(count)]

    @staticmethod
    def _cookie(made):
        return f"{int.from_bytes(made.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), sys.byteorder):016x}"

    def _outlast(self, made):
        with made:
            made.recv(8)
            return self._cookie(made)

    def _ask(self, made):
        with made:
            made.send(b"question")
            return self._cookie(made)

    def _storm(self, port, count):
        for _ in range(count):
            self._connect(port)
            self._accept()
            self._close()


# ---- synfin ----

class Synfin:
    """A `with` block in which it runs; then its records, and the same from its recording."""

    def __init__(self, stack, netns, *words, within=(), everywhere=False, version_2=False):
        self._directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="synfin-"))
        self._hidden = cgroup1.out_of_sight(self._directory) if version_2 else ()
        self._words, self._within = words, within
        self._scope = ("-N", "all" if everywhere else "self" if within else netns.name)
        self._recording = os.path.join(self._directory, "recording")
        self.stdout = self.stderr = b""
        stack.enter_context(self)

    def __enter__(self):
        self._process = subprocess.Popen(
            [*self._within, *self._hidden, SYNFIN, *self._words, *self._format(), *self._scope, "-v", "--write", self._recording],
            stdin=subprocess.DEVNULL, stdout=open(self._path("stdout"), "wb"), stderr=subprocess.PIPE,
            preexec_fn=lambda: _libc.prctl(1, signal.SIGKILL))
        self._wait_for_the_word(b"tracing")
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def _path(self, name):
        return os.path.join(self._directory, name)

    def _format(self):
        return () if "-o" in self._words else ("-o", "json")

    def _wait_for_the_word(self, word):
        fd, deadline = self._process.stderr.fileno(), time.monotonic() + PATIENCE
        while word not in self.stderr:
            ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
            text = os.read(fd, 4096) if ready else b""
            if not text:
                raise RuntimeError(f"synfin never said {word}, but: {self.stderr.decode()}")
            self.stderr += text

    def stop(self):
        time.sleep(0.2)         # verdicts wait 50 ms
        self._process.send_signal(signal.SIGINT)
        self.stderr += self._process.communicate(timeout=PATIENCE)[1]
        with open(self._path("stdout"), "rb") as file:
            self.stdout = file.read()
        return self

    def records(self):
        return [json.loads(line) for line in self.stdout.splitlines()]

    def replay(self, *words):
        done = subprocess.run([SYNFIN, *(words or self._words), *self._format(), "--read", self._recording],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
        if done.returncode:
            raise RuntimeError(f"--read: {done.stderr.decode()}")
        return done.stdout

    def wrong(self):
        if self._process.returncode:
            yield f"exit status {self._process.returncode}: {self.stderr.decode()}"
        if self.replay() != self.stdout:
            yield "the replayed output is not the live one"

    def recorded(self):
        """How many records of each kind there are in the recording."""
        with open(self._recording, "rb") as file:
            recording = file.read()
        counts, at = collections.Counter(), FILE_HEADER
        while at < len(recording):
            length, kind = struct.unpack_from("=HB", recording, at + 28)    # struct wire_hdr
            counts[kind] += 1
            at += length
        return counts

    def left_out(self):
        """(cgroups, records of theirs that came all the same)"""
        return tuple(map(int, LEFT_OUT.search(self.stderr.decode()).groups()))

    def looked_up(self):
        """(all, in vain, walks)"""
        return tuple(map(int, LOOKED_UP.search(self.stderr.decode()).groups()))


def places(records):
    """conn -> what each of its records says of its cgroup, in order."""
    ret = {}
    for record in records:
        if "conn" in record:
            ret.setdefault(record["conn"], []).append({key: record[key] for key in KEYS if key in record})
    return ret


def place(tree, name):
    return {"cgroup": f"{tree.path}/{name}", **LAYOUTS.get(name, {})}


def wrong_places(told, expected):
    """expected: {conn: place}. All records of a connection say the same."""
    for conn, one in expected.items():
        found = told.get(conn, [])
        if not found:
            yield f"{conn} is not told; it is in {one}"
        for other in found:
            if other != one:
                yield f"{conn} is in {other}, not in {one}"


class Stage:
    """What every test needs, and its end."""

    def __init__(self, stack):
        self._stack = stack
        self.tree = stack.enter_context(Tree())
        self.netns = stack.enter_context(Netns())

    def actor(self, name=None):
        """In the cgroup of that name, if there is one."""
        made = Actor(self.netns)
        self._stack.callback(made.end)
        if name is not None:
            made.do("enter", self.tree, name)
        return made

    def tree_of_version_1(self):
        return self._stack.enter_context(cgroup1.Tree())

    def synfin(self, *words, **where):
        return Synfin(self._stack, self.netns, *words, **where)


# ---- the tests ----

def talk(server, port, clients):
    """Each client to the server once, and closed: {conn: which actor's}."""
    ret = {}
    server.do("listen", port)
    for client in clients:
        ret[client.do("connect", port)] = client
        ret[server.do("accept")] = server
        client.do("close")
        server.do("close")
    return ret


def each_socket(stage):
    """every record of a socket says the cgroup that it was made in, and what that is called"""
    synfins = [stage.synfin("trace"), stage.synfin("conns")]
    expected = {}
    actors = {name: stage.actor(name) for name in LAYOUTS}
    for number, (name, server) in enumerate(actors.items()):
        for conn, whose in talk(server, 7000 + number, actors.values()).items():
            expected[conn] = place(stage.tree, next(n for n, one in actors.items() if one is whose))
    for synfin in synfins:
        yield from wrong_places(places(synfin.stop().records()), expected)
        yield from synfin.wrong()
    if synfins[0].looked_up()[0] > len(LAYOUTS) + 1:        # and whoever else is in the namespace
        yield f"looked up more than once: {synfins[0].looked_up()}"


def without_privileges(stage):
    """without privileges the tree is walked, and the same comes out"""
    synfin = stage.synfin("conns", within=("ip", "netns", "exec", stage.netns.name))
    actors = {name: stage.actor(name) for name in LAYOUTS}
    expected = {}
    for number, (name, server) in enumerate(actors.items()):
        for conn, whose in talk(server, 7000 + number, [server]).items():
            expected[conn] = place(stage.tree, name)
    yield from wrong_places(places(synfin.stop().records()), expected)
    yield from synfin.wrong()
    if not synfin.looked_up()[2]:
        yield f"nothing was walked: this test shows nothing: {synfin.stderr.decode()}"


def moved(stage):
    """a socket keeps its cgroup when its process moves, and the next one has the new"""
    synfin = stage.synfin("trace")
    server, client = stage.actor("web.service"), stage.actor("web")
    server.do("listen", 7000)
    before = {client.do("connect", 7000): "web", server.do("accept"): "web.service"}
    client.do("enter", stage.tree, "docker-web.scope")
    server.do("enter", stage.tree, "web")
    after = {client.do("connect", 7000): "docker-web.scope",
             server.do("accept"): "web.service"}       # its listener's, which is older
    for actor in client, server:
        actor.do("close")
    told = places(synfin.stop().records())
    yield from wrong_places(told, {conn: place(stage.tree, name) for conn, name in {**before, **after}.items()})
    yield from synfin.wrong()


def removed(stage):
    """of a cgroup that is removed its sockets keep the name, to their end and in a recording"""
    synfin = stage.synfin("conns")
    server, client = stage.actor(), stage.actor("web.service")
    server.do("listen", 7000)
    conn = client.do("connect", 7000)
    server.do("accept")
    time.sleep(0.3)         # for synfin to look
    client.do("leave", stage.tree)
    stage.tree.remove("web.service")
    client.do("close")
    server.do("close")
    yield from wrong_places(places(synfin.stop().records()), {conn: place(stage.tree, "web.service")})
    yield from synfin.wrong()


def short_lived(stage):
    """a cgroup that lives for one connection is mostly seen in time; else nothing is said, and nothing wrong"""
    synfin = stage.synfin("conns")
    server, client = stage.actor(), stage.actor()
    server.do("listen", 7000)
    expected = {}
    for number in range(ROUNDS):
        name = f"job-{number}.service"
        client.do("enter", stage.tree, name)
        conn = client.do("connect", 7000)
        server.do("accept")
        expected[conn] = {"cgroup": f"{stage.tree.path}/{name}", "unit": name}
        client.do("leave", stage.tree)
        stage.tree.remove(name)
        client.do("close")
        server.do("close")
    told = places(synfin.stop().records())
    known = {conn: one for conn, one in expected.items() if told.get(conn) != [{}]}
    yield from wrong_places(told, known)
    yield from synfin.wrong()
    print(f"# {len(known)} of {ROUNDS} cgroups that live for a connection were seen in time")
    if len(known) < ROUNDS / 8:         # not woken for it, synfin sees one at the most
        yield f"only {len(known)} of {ROUNDS} were seen in time: is the reader woken?"


def existing(stage):
    """sockets that existed before have theirs, listeners too; of one that was removed it is not known"""
    server, client, gone = stage.actor("web.service"), stage.actor("web"), stage.actor("gone")
    server.do("listen", 7000)
    expected = {client.do("connect", 7000): place(stage.tree, "web"),
                server.do("accept"): place(stage.tree, "web.service"), gone.do("connect", 7000): {}}
    server.do("accept")
    gone.do("leave", stage.tree)
    stage.tree.remove("gone")
    synfin = stage.synfin("trace", "--existing")
    for actor in client, gone, server:
        actor.do("close")
    server.end()
    told = places(synfin.stop().records())
    yield from wrong_places(told, expected)
    listeners = [record for record in synfin.records() if record.get("role") == "listener"]
    if [record.get("unit") for record in listeners] != ["web.service"]:
        yield f"the listener: {listeners}"
    yield from synfin.wrong()


FILTERS = {
    "--cgroup": {"{path}": lambda one: True, "{path}/web.service": lambda one: "/web.service" in one["cgroup"],
                 "{path}/web": lambda one: one["cgroup"].endswith("/web"), "{path}/we": lambda one: False,
                 "{path}/kubepods.slice/": lambda one: "kubepods" in one["cgroup"], "/nosuch": lambda one: False},
    "--unit": {"web": lambda one: one.get("unit") == "web.service",
               "docker-web.scope": lambda one: one.get("unit") == "docker-web.scope",
               "docker-web": lambda one: False},
    "--container": {ID: lambda one: one.get("container_id") == ID, ID[:12]: lambda one: one.get("container_id") == ID,
                    "3f2b": lambda one: one.get("container_id") == OTHER_ID, "3f2": lambda one: False,
                    "web": lambda one: False},
}


def untimed(output):
    """What every tracer measures for itself is left out."""
    for record in map(json.loads, output.splitlines()):
        if record["event"] == "connection":
            yield {key: value for key, value in record.items()
                   if key not in ("time", "start") and not key.endswith("_us") and not is_own(key, value)}


def is_own(key, value):
    """A conn of synfin's own, before Linux 5.12: it numbers what it is shown."""
    return key == "conn" and int(value, 16) >> 63


def filters(stage):
    """a filter leaves out whole lives and changes none, live and of a recording"""
    yield from wrong_filters(stage)


def filters_in_the_kernel(stage):
    """so it does where version 2 is all there is, and the kernel drops what is not asked for"""
    yield from wrong_filters(stage, version_2=True)


def wrong_filters(stage, **where):
    whole = stage.synfin("conns")
    asked = {}
    for flag, values in FILTERS.items():
        for value, wants in list(values.items())[::2 if where else 1]:
            words = (flag, value.format(path=stage.tree.path))
            asked[words] = (wants, stage.synfin("conns", *words, **where))
    actors = {name: stage.actor(name) for name in LAYOUTS}
    for number, server in enumerate(actors.values()):
        talk(server, 7000 + number, actors.values())
    time.sleep(0.2)
    lives = [record for record in untimed(whole.stop().stdout) if "cgroup" in record]
    if len(lives) != 2 * len(LAYOUTS) ** 2:
        yield f"{len(lives)} lives: this test shows nothing"
    for words, (wants, synfin) in asked.items():
        wanted = [one for one in lives if wants(one)]
        for what, output in ("live", synfin.stop().stdout), ("--read", whole.replay("conns", *words)):
            told = list(untimed(output))
            if sorted(map(str, told)) != sorted(map(str, wanted)):
                yield f"{' '.join(words)} ({what}): {len(told)} told, {len(wanted)} wanted"
            summary = json.loads(output.splitlines()[-1])
            if summary["connections"] != len(wanted) or summary["connections_unseen"]:
                yield f"{' '.join(words)} ({what}): {summary}"
        yield from synfin.wrong()


def busy(stage):
    """of cgroups that nobody asks for the kernel drops nearly all, and who is asked for is told in full"""
    server, busy = stage.actor("web.service"), stage.actor("web")
    server.do("listen", 7000)
    conns, trace, whole = (stage.synfin(*words, version_2=True) for words in (
        ("conns", "--unit", "web"), ("trace", "--unit", "web"), ("conns",)))
    busy.do("listen", 7001)
    busy.do("storm", 7001, 20)
    time.sleep(0.3)         # for synfin to look
    server.begin("serve", STORM // 2)
    busy.do("call", 7000, STORM // 2)       # the other ends are nobody's who is asked for
    served = server.answer(10 * PATIENCE)
    busy.do("storm", 7001, STORM)
    job = stage.actor("job.service")
    job.do("call", 7000, 0)
    job.do("listen", 7002)
    job.do("storm", 7002, 3)
    lives = [one for one in untimed(whole.stop().stdout) if one.get("unit") == "web.service"]
    told = list(untimed(conns.stop().stdout))
    if len(lives) != len(served) or sorted(map(str, told)) != sorted(map(str, lives)):
        yield f"{len(told)} lives told, {len(lives)} wanted, {len(served)} served"
    if not all(one.get("complete") and one.get("role") == "passive" and one.get("pid") == server.pid for one in told):
        yield f"not all of them in full: {[one for one in told if not one.get('complete')][:3]}"
    summary = conns.records()[-1]
    if summary["connections"] != len(served) or summary["connections_unseen"]:
        yield f"{summary}"
    transitions = [record for record in trace.stop().records() if record["event"] == "state"]
    if len(transitions) < 4 * len(served) or any(one.get("unit") != "web.service" for one in transitions):
        yield f"{len(transitions)} transitions: {[one for one in transitions if one.get('unit') != 'web.service'][:3]}"
    yield from wrong_drops(conns, whole, len(served))
    yield from (one for synfin in (conns, trace, whole) for one in synfin.wrong())


def wrong_drops(filtered, whole, served):
    """Of what was recorded: of each life that is left out at most that its tuple is taken."""
    few, all_ = filtered.recorded(), whole.recorded()
    cgroups, came = filtered.left_out()
    print(f"# {all_[STATE]} transitions, {few[STATE]} with the filter, and {few[CLAIM]} claims; "
          f"{came} records of {cgroups} cgroups came all the same")
    if not cgroups or came > 1000:
        yield f"{came} records of {cgroups} cgroups came all the same"
    if few[STATE] > 8 * served or all_[STATE] < few[STATE] + 8 * STORM:
        yield f"{few[STATE]} of {all_[STATE]} transitions were recorded: this test shows nothing, or the kernel drops nothing"


def reused(stage):
    """TIME_WAIT ends when a socket takes its place that nobody asked for"""
    synfin = stage.synfin("trace", "--unit", "web", version_2=True)
    server, client, other = stage.actor("web"), stage.actor("web.service"), stage.actor("docker-web.scope")
    server.do("listen", 7000)
    client.do("connect", 7000, 6000)
    server.do("accept")
    client.do("close")
    server.do("close")
    other.do("listen", 7001)
    other.do("storm", 7001, 1)      # its cgroup is known
    time.sleep(2.2)         # tcp_twsk_unique()
    try:
        other.do("connect", 7000, 6000)
    except OSError as error:
        print(f"# the port is not given away here: {error}")
        return
    server.do("accept")
    ends = [record.get("cause") for record in synfin.stop().records()
            if record.get("lport") == 6000 and record.get("old") == "time_wait"]
    if ends != ["reused"]:
        yield f"its TIME_WAIT ends: {ends}"
    if not synfin.left_out()[0]:
        yield "nobody is left out: this test shows nothing"
    yield from synfin.wrong()


def storm(stage):
    """a thousand connections of three cgroups take three look-ups"""
    synfin = stage.synfin("conns")
    for number, name in enumerate(("web", "web.service", "docker-web.scope")):
        actor = stage.actor(name)
        actor.do("listen", 7000 + number)
        actor.do("storm", 7000 + number, STORM // 3)
    told = places(synfin.stop().records())
    counts = synfin.looked_up()
    if len(told) < 2 * (STORM // 3) * 3 or not all(one[0].get("cgroup") for one in told.values()):
        yield f"{len(told)} lives told: this test shows nothing"
    if counts != (3, 0, 0):
        yield f"looked up, in vain, walks: {counts}"
    yield from synfin.wrong()


def many(stage):
    """of 10 000 connections under load, between containers and services, no cgroup is wrong"""
    servers = [(stage.actor(name), name) for name in (f"docker-{ID}.scope", f"{_POD}.slice/cri-containerd-{OTHER_ID}.scope")]
    clients = [(stage.actor(name), name) for name in ("web.service", f"docker-{ID}.scope", f"web.service/docker/{ID}", "web")]
    for number, (server, _) in enumerate(servers):
        server.do("listen", 7000 + number)
    synfin = stage.synfin("conns")
    for server, _ in servers:
        server.begin("serve", MANY // len(servers))
    for number, (client, _) in enumerate(clients):
        client.begin("call", 7000 + number % len(servers), MANY // len(clients))
    expected = {conn: place(stage.tree, name) for actor, name in clients + servers for conn in actor.answer(10 * PATIENCE)}
    told = places(synfin.stop().records())
    known = {conn: one for conn, one in expected.items() if told.get(conn) != [{}]}
    yield from wrong_places(told, known)
    yield from synfin.wrong()
    print(f"# {len(expected)} sockets, of {len(expected) - len(known)} of them the cgroup is not known")
    if len(expected) != 2 * MANY or len(known) < 0.999 * len(expected):
        yield f"of {len(expected)} sockets only {len(known)} have one: this test shows nothing"


# As os.mkdir() takes them, and as JSON has them.
HOSTILE = {
    b"\x1b[31mred\x1b[0m": "\x1b[31mred\x1b[0m",
    b"\xff\xfe": "\ufffd\ufffd",
    b"\xc3\xa9t\xc3\xa9": "\u00e9t\u00e9",
    b"a b\"c\\d,e\t": "a b\"c\\d,e\t",
    b"web (deleted)": "web (deleted)",
    b"docker-" + ID.encode() + b".scope\x7f": f"docker-{ID}.scope\x7f",
    b"x" * 255: "x" * 255,
    b"/".join([b"d" * 250] * 15): "/".join(["d" * 250] * 15),
}


def hostile(stage):
    """whatever a cgroup is called, it stays one line of text and moves no cursor"""
    json_out, table, csv = stage.synfin("conns"), stage.synfin("conns", "-o", "table"), \
        stage.synfin("conns", "-o", "csv")
    server = stage.actor()
    server.do("listen", 7000)
    expected = {}
    for name, text in HOSTILE.items():
        client = stage.actor(name)
        expected[client.do("connect", 7000)] = {"cgroup": f"{stage.tree.path}/{text}"}
        server.do("accept")
        client.do("close")
        server.do("close")
    deep = stage.actor(b"/".join([b"d" * 250] * 17))       # longer than any path
    expected[deep.do("connect", 7000)] = {}
    server.do("accept")
    deep.do("close")
    server.do("close")
    yield from wrong_places(places(json_out.stop().records()), expected)
    for synfin in table, csv:
        bad = set(synfin.stop().stdout) - set(range(32, 127)) - {10} - set("\ufffd\u00e9".encode())
        if bad:
            yield f"{synfin._words}: bytes {bad}"
    for synfin in json_out, table, csv:
        yield from synfin.wrong()


# Of version 1, of version 2 (None: where this test is), and whether the first is told.
VERSIONS = [(f"docker/{ID}", None, True), (f"docker/{ID}", "containerd.service", True), ("web", "web.service", False),
            (f"docker/{OTHER_ID}", f"docker-{ID}.scope", False)]


def version_1(stage):
    """where there is version 1, too, a container that is only there is known by its processes"""
    tree, expected = stage.tree_of_version_1(), {}
    before = [stage.synfin("conns"), stage.synfin("conns", "--container", ID[:12])]
    actors = []
    for number, (old, new, is_told) in enumerate(VERSIONS):
        actor = stage.actor(new)
        actor.do("enter", tree, old)
        actor.do("listen", 7000 + number)
        where = {"cgroup": f"{tree.path}/{old}", "container_id": old.split("/")[-1]} if is_told else place(stage.tree, new)
        expected.update((actor.do(word, *args), where) for word, *args in (("connect", 7000 + number), ("accept",)))
        actors.append(actor)
    time.sleep(0.3)         # for synfin to look
    after = stage.synfin("conns", "--existing")
    for actor in actors:
        actor.do("close")
        actor.do("leave", tree)
    for synfin in (before[0], after):
        yield from wrong_places(places(synfin.stop().records()), expected)
        yield from synfin.wrong()
    told = places(before[1].stop().records())
    if told.keys() != {conn for conn, where in expected.items() if where.get("container_id") == ID}:
        yield f"--container {ID[:12]}: {told} of {expected}"


def namespace(stage):
    """a table of several namespaces tells each by its name, and by another one a second after it has that"""
    synfin = stage.synfin("conns", "-o", "table", everywhere=True)
    one = stage.synfin("conns", "-o", "table")
    actor = stage.actor("web.service")
    old, new = stage.netns.name, stage.netns.name + "-new"
    talk(actor, 7000, [actor])
    command("ip", "netns", "attach", new, str(actor.pid))
    try:
        command("ip", "netns", "del", old)
        time.sleep(1.2)
        talk(actor, 7001, [actor])
        told = re.findall(f"web.service, netns ({old}.*)", synfin.stop().stdout.decode())
    finally:
        remove(new)
    if told != [old, old, new, new]:
        yield f"told: {told}"
    if b", netns" in one.stop().stdout:
        yield f"told, though it is the only one: {one.stdout.decode()}"
    yield from synfin.wrong()
    yield from one.wrong()


def played(test):
    """The test on a stage of its own."""
    @functools.wraps(test)
    def on_stage():
        with contextlib.ExitStack() as stack:
            try:
                yield from test(Stage(stack))
            except (OSError, RuntimeError) as error:
                yield f"{error!r}: {traceback.format_exc()}"

    return on_stage


def main():
    tests = [each_socket, without_privileges, moved, removed, short_lived, existing, filters, filters_in_the_kernel, busy,
             reused, storm, many, hostile, version_1, namespace]
    return suite.run([played(test) for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
