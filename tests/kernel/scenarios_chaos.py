# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers that obey no rule, and many connections at once: nobody can say what
should happen, but every life is reported once and all counts agree."""

import random
import socket
import threading
import time

from expect import SERVER
from lab import V4, V6, scenario
from peer import ACK, FIN, PSH, RST, SYN, Unexpected
from sockets import linger


# What timers do depends on the machine; here it is about what peers do.
NO_TIMERS = dict(rto=60, sysctl=[("tcp_early_retrans", 0), ("tcp_synack_retries", 0)])


@scenario(V4, V6, raw=True, seconds=5, **NO_TIMERS)
def a_peer_that_sends_anything_breaks_no_rule(lab):
    rng = random.Random(20240229)
    listener = lab.listen(backlog=64)
    listener.setblocking(False)
    deadline = time.monotonic() + 4
    port = 5000
    while time.monotonic() < deadline:
        port += 1
        _misbehave_as_client(lab, rng, listener, port)
        _misbehave_as_server(lab, rng, port + 20_000)      # where no client's segments come late
    lab.expect_any_lives()


def _misbehave_as_client(lab, rng, listener, port):
    peer = lab.peer(port, SERVER)
    try:
        peer.connect()
        server = lab.accept(listener)
    except (Unexpected, BlockingIOError):
        return
    _send_anything(rng, peer, server)


def _misbehave_as_server(lab, rng, port):
    peer = lab.peer(port)
    client = lab.start_connect(port)
    peer.expect(SYN)
    if rng.random() < 0.8:
        peer.send(SYN | ACK)
    _send_anything(rng, peer, client)


def _send_anything(rng, peer, made):
    """Some segments of any kind, the owner's own deeds in between."""
    for _ in range(rng.randrange(12)):
        peer.wait(0.001)
        near = peer.snd_nxt + rng.choice((0, 0, 0, 0, -1, 1, 100, 1 << 20))
        peer.send(rng.choice((SYN, FIN | ACK, RST, ACK, ACK, PSH | ACK, SYN | ACK, FIN, 0, FIN | SYN | RST)),
                  rng.choice((b"", b"", b"x", b"y" * 1000)),
                  seq=None if near == peer.snd_nxt else near,
                  ack=peer.rcv_nxt + rng.choice((0, 0, 0, -1, 1, 1 << 20)), window=rng.choice((0, 1, 65535)))
        _do_anything(rng, made)
    made.close()


def _do_anything(rng, made):
    try:
        made.setblocking(False)
        deed = rng.randrange(8)
        if deed == 0:
            made.send(b"z" * 100)
        elif deed == 1:
            made.recv(10)
        elif deed == 2:
            made.shutdown(socket.SHUT_WR)
        elif deed == 3:
            linger(made, 0)
        elif deed == 4:
            made.close()
    except OSError:
        pass


@scenario(V4, V6, rto=0.2, seconds=4)
def a_path_that_loses_much_delivers_all(lab):
    client, server = lab.pair()
    lab.drop("numgen random mod 100 < 8")

    def send():
        client.sendall(b"x" * 2_000_000)
        client.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    while server.recv(65536):
        pass
    sender.join()
    lab.lose_nothing()
    server.close()
    assert client.recv(1) == b""
    lab.expect_any_lives()


@scenario(V4, V6, seconds=4)
def a_storm_of_connections_is_reported_to_the_last(lab):
    listener = lab.listen(backlog=64)
    for number in range(800):
        client = lab.connect()
        server = lab.accept(listener)
        _end_somehow(number % 6, client, server)
    lab.expect_any_lives()


def _end_somehow(way, client, server):
    first, second = (client, server) if way % 2 else (server, client)
    if way < 2:
        first.close()
    elif way < 4:
        first.sendall(b"unread")
        second.close()
    else:
        linger(first, 0)
        first.close()
    first.close()
    second.close()
