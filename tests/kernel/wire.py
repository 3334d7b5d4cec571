#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wire: the numbers of `synfin explain` held against the packets of the same
connections, as a packet socket sees them: where a number is shown, a segment that
has it went that way.

Needs root. Prints TAP. SYNFIN names the program.
"""

import collections
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True     # leave nothing in the tree

from surveys import SYNFIN, listen, new_netns, run

ETH_ALL, OUTGOING = 3, 4
FIN, SYN, RST, ACK = 1, 2, 4, 16
WRAP = 1 << 32
ADDRESSES = {4: "127.0.0.1", 6: "::1"}

Segment = collections.namedtuple("Segment", "flags seq ack len")


# ---- the packets ----

def parse(packet):
    """((source, its port, destination, its port), Segment) of TCP in an IP packet; or None."""
    if packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_TCP:
        begin, end = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
        addresses = [socket.inet_ntop(socket.AF_INET, packet[at:at + 4]) for at in (12, 16)]
    elif packet[0] >> 4 == 6 and packet[6] == socket.IPPROTO_TCP:
        begin, end = 40, 40 + struct.unpack_from("!H", packet, 4)[0]
        addresses = [socket.inet_ntop(socket.AF_INET6, packet[at:at + 16]) for at in (8, 24)]
    else:
        return None
    sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", packet, begin)
    if end == 40 and packet[0] >> 4 == 6:   # a jumbogram; none is this long
        raise RuntimeError("a packet without a length")
    return ((addresses[0], sport, addresses[1], dport),
            Segment(flags & 63, seq, ack, end - begin - (offset >> 4) * 4))


class Sniffer:
    """All segments on the loopback of a namespace, by who sent them to whom, until the block ends."""

    def __init__(self, place):
        with place.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("lo", ETH_ALL))
        self._socket.settimeout(0.2)
        self.sent = collections.defaultdict(list)
        self._over = False
        self._thread = threading.Thread(target=self._read)

    def _read(self):
        while True:
            try:
                packet, address = self._socket.recvfrom(1 << 17)
            except TimeoutError:
                if self._over:
                    return
                continue
            found = parse(packet) if address[2] == OUTGOING else None
            if found:
                self.sent[found[0]].append(found[1])

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._thread.join()
        self._socket.close()


# ---- the connections ----

def pair(family, port):
    listener = listen(port, address=ADDRESSES[family])
    client = socket.create_connection((ADDRESSES[family], port))
    server, _ = listener.accept()
    listener.close()
    return client, server


def send(one, other, count):
    """Payload that has arrived and was read."""
    sender = threading.Thread(target=one.sendall, args=(b"x" * count,))
    sender.start()
    while count:
        count -= len(other.recv(count))
    sender.join()


def close_in_turn(first, second):
    first.shutdown(socket.SHUT_WR)
    assert not second.recv(1)
    time.sleep(0.02)
    second.close()
    assert not first.recv(1)
    first.close()


def orderly(family, port, place):
    client, server = pair(family, port)
    send(client, server, 7)
    send(server, client, 9)
    close_in_turn(client, server)


def server_first(family, port, place):
    client, server = pair(family, port)
    send(client, server, 300000)
    close_in_turn(server, client)


def half_closed(family, port, place):
    client, server = pair(family, port)
    client.shutdown(socket.SHUT_WR)
    assert not server.recv(1)
    send(server, client, 5000)
    server.close()
    assert not client.recv(1)
    client.close()


def at_once(family, port, place):
    client, server = pair(family, port)
    threads = [threading.Thread(target=end.close) for end in (client, server)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def reset(family, port, place):
    client, server = pair(family, port)
    send(client, server, 20)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()


def unread(family, port, place):
    client, server = pair(family, port)
    client.sendall(b"nobody reads it")
    time.sleep(0.02)
    server.close()
    client.close()


def refused(family, port, place):
    made = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET)
    assert made.connect_ex((ADDRESSES[family], port))
    made.close()


def syn_lost(family, port, place):
    """The first SYN does not arrive."""
    place.nft(f"table inet loss {{\n chain c {{ type filter hook input priority 0;\n tcp dport {port} drop\n }}\n}}\n")
    listener = listen(port, address=ADDRESSES[family])
    timer = threading.Timer(0.5, place.nft, ["delete table inet loss\n"])
    timer.start()
    client = socket.create_connection((ADDRESSES[family], port))
    timer.join()
    server, _ = listener.accept()
    listener.close()
    send(client, server, 3)
    close_in_turn(client, server)


KINDS = [orderly, server_first, half_closed, at_once, reset, unread, refused, syn_lost]


def observed(family):
    """(segments, arrows with the numbers of the wire, arrows with relative ones)"""
    with new_netns() as place, tempfile.TemporaryDirectory(prefix="synfin-") as directory:
        recording = os.path.join(directory, "recording")
        process = subprocess.Popen([SYNFIN, "explain", "-o", "json", "--absolute", "-N", place.name, "--write", recording],
                                   text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if "tracing" not in process.stderr.readline():
            raise RuntimeError("synfin does not trace")
        with Sniffer(place) as sniffer, place.inside():
            for number, kind in enumerate(KINDS):
                kind(family, 6000 + number, place)
            time.sleep(0.3)
        process.terminate()
        told = process.communicate(timeout=60)[0]
        relative = subprocess.run([SYNFIN, "explain", "-o", "json", "--read", recording], capture_output=True,
                                  text=True, check=True, timeout=60).stdout
    return sniffer.sent, arrows(told), arrows(relative)


def arrows(text):
    return [arrow for arrow in map(json.loads, text.splitlines()) if arrow["event"] == "arrow"]


# ---- held against each other ----

FLAGS = {"syn": SYN, "synack": SYN | ACK, "ack": ACK, "fin": FIN, "data": ACK}
OF = {"syn": SYN | ACK, "synack": SYN | ACK, "ack": SYN | ACK, "fin": FIN, "data": ACK}


def way(arrow):
    here, there = (arrow["laddr"], arrow["lport"]), (arrow["raddr"], arrow["rport"])
    return here + there if arrow["from"] == "local" else there + here


def initial(sent, direction):
    return next((segment.seq for segment in sent[direction] if segment.flags & SYN), None)


def number_of(arrow, segment):
    """What the arrow would show of it: of a FIN its own number."""
    return (segment.seq + (segment.len if arrow["kind"] == "fin" else 0)) % WRAP


def candidates(arrow, sent):
    kind = arrow["kind"]
    return [segment for segment in sent[way(arrow)]
            if segment.flags & OF[kind] == FLAGS[kind] and (kind != "data" or segment.len)]


def fits(arrow, segment, seq, ack):
    return ((seq is None or number_of(arrow, segment) == seq) and
            (ack is None or (segment.flags & ACK and segment.ack == ack)))


def wrong_data(arrow, sent, seq):
    """All of a sum has to have gone that way, and nothing but that from there on."""
    covered = set()
    for segment in candidates(arrow, sent):
        offset = (segment.seq - seq) % WRAP
        if offset < arrow["len"]:
            covered.add((offset, offset + segment.len))
    end = 0
    for begin, after in sorted(covered):
        if begin <= end:
            end = max(end, after)
    return end < arrow["len"]


def wrong(arrow, sent, seq, ack):
    if arrow["kind"] == "data":
        return seq is not None and not arrow.get("again") and wrong_data(arrow, sent, seq)
    return not any(fits(arrow, segment, seq, ack) for segment in candidates(arrow, sent))


def compare(sent, told, base):
    """base(arrow, of_sender): what is to be added to a number; yields what is wrong."""
    shown = collections.Counter()
    for arrow in told:
        if arrow["kind"] not in FLAGS or not ("seq" in arrow or "ack" in arrow):
            continue
        seq, ack = (None if key not in arrow else (arrow[key] + base(arrow, own)) % WRAP
                    for key, own in (("seq", True), ("ack", False)))
        shown[arrow["kind"], "seq"] += seq is not None
        shown[arrow["kind"], "ack"] += ack is not None
        if wrong(arrow, sent, seq, ack):
            went = "; ".join(f"{s.flags:#x} seq {s.seq} ack {s.ack} len {s.len}" for s in sent[way(arrow)][:12])
            yield f"port {arrow['rport']}: {arrow}: no such segment; sent were {went}"
    print("# shown and held against the wire: " +
          ", ".join(f"{kind} {key} {n}" for (kind, key), n in sorted(shown.items()) if n))
    for kind, key in (("syn", "seq"), ("synack", "seq"), ("synack", "ack"), ("ack", "ack"), ("fin", "seq"),
                      ("fin", "ack"), ("data", "seq")):
        if not shown[kind, key]:
            yield f"no {kind} had a {key}: nothing was compared"


def numbers_agree(family):
    sent, absolute, relative = observed(family)
    yield from compare(sent, absolute, lambda arrow, own: 0)

    def base(arrow, own):
        direction = way(arrow)
        return initial(sent, direction if own else direction[2:] + direction[:2])
    yield from compare(sent, relative, base)


def a_wrong_number_is_found():
    sent, absolute, _ = observed(4)
    for kind, key in (("syn", "seq"), ("synack", "ack"), ("ack", "ack"), ("fin", "seq"), ("fin", "ack"), ("data", "seq")):
        planted = [dict(arrow) for arrow in absolute]
        arrow = next(arrow for arrow in planted if arrow["kind"] == kind and key in arrow)
        arrow[key] = (arrow[key] + 1000003) % WRAP
        if not list(compare(sent, planted, lambda arrow, own: 0)):
            yield f"a {key} of {kind} that is wrong was not found"


def ipv4():
    """IPv4: every number that is shown was on the wire"""
    yield from numbers_agree(4)


def ipv6():
    """IPv6: every number that is shown was on the wire"""
    yield from numbers_agree(6)


def planted():
    """a number that is wrong is found"""
    yield from a_wrong_number_is_found()


if __name__ == "__main__":
    sys.exit(run([ipv4, ipv6, planted]))
