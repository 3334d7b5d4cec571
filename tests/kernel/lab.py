# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario works with: a namespace, sockets in it, a far end.

A scenario is a function decorated with @scenario. It drives the kernel
through a corner of TCP and states every life that synfin must report
(expect.py). Its name is a sentence.
"""

import contextlib
import errno
import os
import select
import socket
import struct
import time

import invariants
import netns
from attempts import Skip
from expect import SERVER, Expectations, state
from load import EMULATED
from peer import ACK, FIN, Peer, Wire
from wait import PATIENCE, wait_until

V4, V6, MAPPED = "ipv4", "ipv6", "mapped"

# For drop(): those of the client, without SYN, FIN or RST.
PURE_ACKS = f"tcp dport {SERVER} tcp flags & (fin | syn | rst | ack) == ack"

# For sysctl=: else a tail whose ACK takes some milliseconds is sent again.
NO_TLP = ("tcp_early_retrans", 0)

_SYSCTLS = {"tcp_congestion_control": "reno", "tcp_no_metrics_save": 1, "net.ipv6.conf.all.accept_dad": 0}
_LOOPBACK = {4: ("127.0.0.1", "127.0.0.1"), 6: ("::1", "::1")}
_RAW = {4: ("10.0.0.1", "10.0.0.2"), 6: ("fd00::1", "fd00::2")}


class Case:
    """A scenario in one of its address families."""

    def __init__(self, noun, function, family, options):
        self.function, self.family = function, family
        self.seconds, self.alone = options.pop("seconds"), options.pop("alone")
        self.options = options
        self.name = f"{noun}: {function.__name__.replace('_', ' ')} ({family})"
        self.kebab = f"{noun} {function.__name__} {family}".replace(" ", "-").replace("_", "-")


CASES = []


def scenario(*families, raw=False, sysctl=(), rto=1.0, seconds=1, audited=True, alone=False):
    """Register a scenario.

    raw: the far end is a raw peer on a veth, not the same kernel on lo.
    sysctl: (name, value) pairs of the namespace.
    rto: the least retransmission timeout, in seconds. A peer that waits for its
    CPU must not look like a lost segment; before 6.11, with 0.2 s, it may.
    seconds: about how long it takes, so that long ones are started first.
    audited: the lines of trace must agree with the kernel's own counters.
    alone: the tracer must end when it does, so it shares none.
    """
    def register(function):
        noun = function.__module__.removeprefix("scenarios_")
        for family in families or (V4,):
            options = dict(raw=raw, sysctl=sysctl, rto=rto, seconds=seconds, audited=audited, alone=alone)
            CASES.append(Case(noun, function, family, options))
        return function
    return register


class Lab(Expectations):
    """One scenario's namespace, and what is expected of the tracer in it."""

    def __init__(self, family, raw):
        number = 6 if family == V6 else 4
        super().__init__(number, *(_RAW if raw else _LOOPBACK)[number])
        self.af = socket.AF_INET if family == V4 else socket.AF_INET6
        self._mapped = family == MAPPED
        self.netns = netns.Netns()
        self._wire = self._far = None
        self._open = []

    # -- sockets of the kernel under test ------------------------------------

    def _keep(self, made):
        # Python's own timeouts would make the socket non-blocking.
        for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            made.setsockopt(socket.SOL_SOCKET, direction, struct.pack("ll", int(PATIENCE), 0))
        self._open.append(made)
        return made

    def at(self, address, port):
        """An address as this family's sockets want it."""
        return ("::ffff:" + address if self._mapped else address, port)

    def socket(self, protocol=0):
        """A socket that stays open until the tracer has stopped."""
        return self._keep(socket.socket(self.af, socket.SOCK_STREAM, protocol))

    def listen(self, port=SERVER, backlog=8, protocol=0):
        """A listening socket; its own line in the trace is expected too."""
        listener = self.socket(protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self.at(self.local, port))
        listener.listen(backlog)
        self.expect_listener(state("close", "listen"), lport=port)
        return listener

    def accept(self, listener):
        return self._keep(listener.accept()[0])

    def connect(self, port=SERVER, bind=None):
        """A socket connected to the remote address."""
        made = self.socket()
        if bind:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(self.at(self.local, bind))
        made.connect(self.at(self.remote, port))
        return made

    def start_connect(self, port=SERVER, bind=None, made=None):
        """A socket whose SYN is on its way."""
        made = made or self.socket()
        if bind:
            made.bind(self.at(self.local, bind))
        made.setblocking(False)
        error = made.connect_ex(self.at(self.remote, port))
        if error != errno.EINPROGRESS:
            raise OSError(error, os.strerror(error))
        return made

    def finish_connect(self, made):
        """Wait for the handshake's end; the errno's name, or None."""
        select.select([], [made], [], PATIENCE)
        error = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        made.setblocking(True)
        return errno.errorcode[error] if error else None

    def pair(self):
        """Both ends of a connection over lo: (client, server)."""
        listener = self.listen()
        client = self.connect()
        return client, self.accept(listener)

    # -- the raw peer ----------------------------------------------------------

    def peer(self, port=SERVER, to_port=None, **options):
        with self._far.inside():
            made = Peer(self._wire, port, to_port, **options)
        self._open.append(made)
        return made

    def client_and_peer(self, **options):
        """The kernel's client, connected to a raw server."""
        peer = self.peer(**options)
        client = self.start_connect()
        peer.accept()
        if error := self.finish_connect(client):
            raise RuntimeError(f"connect: {error}")
        return client, peer

    def server_and_peer(self, port=5555, **options):
        """The kernel's server, accepted from a raw client."""
        listener = self.listen()
        peer = self.peer(port, SERVER, **options).connect()
        return self.accept(listener), peer

    # -- ways to end -------------------------------------------------------------

    def close_in_turn(self, first, second):
        """An orderly close over lo: first is the active closer."""
        first.shutdown(socket.SHUT_WR)
        while second.recv(65536):
            pass
        second.close()
        while first.recv(65536):
            pass
        first.close()

    def close_by_kernel(self, made, peer):
        """An orderly close that the kernel begins: it enters TIME_WAIT."""
        made.close()
        peer.wait_for(FIN | ACK)
        peer.send(FIN | ACK)
        peer.expect(ACK)

    def close_by_peer(self, made, peer):
        """An orderly close that the peer begins."""
        peer.send(FIN | ACK)
        while made.recv(65536):
            pass
        made.close()
        peer.wait_for(FIN | ACK)
        peer.send(ACK)

    # -- the network ---------------------------------------------------------------

    def drop(self, match, hook="input"):
        """Lose the segments that match, silently, until lose_nothing()."""
        self.netns.nft(f"table inet loss {{\n chain c {{ type filter hook {hook} priority 0;\n {match} drop\n }}\n}}\n")

    def lose_nothing(self):
        self.netns.nft("delete table inet loss\n")

    def slow_down(self):
        """Segments over lo take some 10 ms each from now on (20 where all is slow), and stand behind others."""
        try:
            netns.command("tc", "-n", self.netns.name, "qdisc", "add", "dev", "lo", "root", "tbf",
                          "rate", "32kbit" if EMULATED else "64kbit", "burst", "100", "limit", "10000")
        except RuntimeError as error:
            self.skip(error)
        with socket.socket(self.af, socket.SOCK_DGRAM) as sink:     # the first would find no queue
            sink.bind(self.at(self.local, 9))
            for _ in range(5):
                sink.sendto(b"", sink.getsockname())

    def shut_the_queue(self):
        """Lose what is sent to the far end, and let the sender know."""
        try:
            self._qdisc("add", "tbf", "rate", "8bit", "burst", "10", "limit", "10")
        except RuntimeError as error:
            self.skip(error)

    def open_the_queue(self):
        self._qdisc("del")

    def _qdisc(self, deed, *words):
        netns.command("tc", "-n", self.netns.name, "qdisc", deed, "dev", "veth0", "root", *words)

    def wait_for_count(self, counter, least=1):
        """Until the kernel has counted so many."""
        wait_until(lambda: self.netns.counters()[counter] >= least, f"{counter} of {least}")

    def kill(self, *filter_words):
        """ss -K of the sockets that match; there must be one."""
        if not self.netns.ss("-K", "-t", "-n", "-H", *filter_words).strip():
            self.skip("this kernel kills no sockets (CONFIG_INET_DIAG_DESTROY)")

    def outlast_the_request(self):
        """From its second SYN-ACK on, which waits 2 s for the ACK."""
        time.sleep(3)

    def skip(self, reason):
        raise Skip(reason)

    def process(self, function, comm):
        """Run function() in a child process of this name; its pid."""
        def begin():
            with open("/proc/self/comm", "w") as file:
                file.write(comm)
            function()
        pid = self.netns.run(begin)
        self._comms[pid] = comm
        return pid

    def wait(self, pid):
        _, status = os.waitpid(pid, 0)
        if status:
            raise RuntimeError(f"the process {self._comms[pid]} failed")

    # -- one run -------------------------------------------------------------------

    def run(self, function, trace, raw, sysctl, rto, audited):
        """Drive the scenario; the problems found, empty if all is right. trace(netns)
        is a tracer of the namespace, or None: then nothing is checked."""
        with contextlib.ExitStack() as stack:
            self._furnish(stack, raw, sysctl, rto)
            stack.callback(self._close_all)     # once the tracer has stopped
            tracer = trace(self.netns)
            if tracer:
                stack.enter_context(tracer)
            with self.netns.inside():
                function(self)
            if not tracer:
                return []
            tracer.settle(lambda trace: not self.problems_of_trace(trace))
            before = self.netns.counters()
            trace, conns = tracer.stop()
            after = self.netns.counters()
        wrong = self.problems_of_conns(conns) + self.problems_of_trace(trace)
        wrong += invariants.broken(trace, conns, self.netns_inode)
        wrong += invariants.misjudged(trace, conns) if tracer.whole else []
        return wrong + (invariants.uncounted(trace, conns, before, after) if audited else [])

    def _furnish(self, stack, raw, sysctl, rto):
        """The namespace as the scenario wants it, until the stack ends."""
        stack.enter_context(self.netns)
        self.netns_inode = self.netns.inode
        with contextlib.suppress(FileNotFoundError):
            self.netns.sysctl("tcp_rto_min_us", int(rto * 1_000_000))
        for name, value in (*_SYSCTLS.items(), *sysctl):
            self._sysctl(name, value)
        if raw:
            self._join_the_far_end(stack)

    def _sysctl(self, name, value):
        """A kernel that does not know it does as it would with 0."""
        try:
            self.netns.sysctl(name, value)
        except FileNotFoundError:
            if value:
                self.skip(f"this kernel has no sysctl {name}")

    def _join_the_far_end(self, stack):
        far = self._far = stack.enter_context(netns.Netns())
        far.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.netns.sysctl("net.ipv6.conf.default.accept_dad", 0)
        netns.join(self.netns, far)
        size = 24 if self.family == 4 else 64
        nodad = "" if self.family == 4 else "nodad"
        self.netns.ip_batch(f"address add {self.local}/{size} dev veth0 {nodad}",
                            f"neighbour add {self.remote} lladdr {netns.mac(far)} dev veth0 nud permanent")
        self._wire = Wire(netns.mac(far), netns.mac(self.netns), self.remote, self.local)

    def _close_all(self):
        for one in self._open:
            one.close()
