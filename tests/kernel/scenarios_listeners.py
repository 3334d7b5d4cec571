# SPDX-License-Identifier: GPL-2.0-or-later
"""Listening sockets: full accept queues, and listeners that come and go."""

import errno
import socket

from expect import SERVER, chain, retransmit, state
from lab import MAPPED, V4, V6, scenario
from match import ABSENT, ANY_US, Optional, at_least
from peer import ACK, RST, SYN

PASSIVE = "listen syn_recv established"
NO_COOKIES = ("tcp_syncookies", 0)


def _full_queue(lab):
    """A listener with a full accept queue, and the peer whose third ACK came
    too late; its SYN had to come before, for a full queue drops SYNs."""
    listener = lab.listen(backlog=2)
    peers = [lab.peer(5000 + number, SERVER) for number in range(4)]
    for peer in peers[:2]:
        peer.connect()
    for peer in peers[2:]:
        peer.send(SYN)
        peer.expect(SYN | ACK)
    for peer in peers[2:]:
        peer.send(ACK)
    for number in range(3):
        lab.passive(chain(PASSIVE), rport=5000 + number, close="still_open")
    return listener, peers[3]


@scenario(V4, V6, raw=True, seconds=5, sysctl=[NO_COOKIES, ("tcp_synack_retries", 1)])
def a_third_ack_that_finds_the_queue_full_to_the_end_is_not_accepted(lab):
    _, peer = _full_queue(lab)
    peer.expect(SYN | ACK)
    lab.outlast_the_request()
    lab.half_open(retransmit("synack", "rto", "syn_recv", 0), rport=5003, outcome="not_accepted",
                  close="silent", synack_retrans=1)


@scenario(V4, V6, raw=True, seconds=2, sysctl=[NO_COOKIES])
def a_place_in_the_queue_comes_with_the_next_ack(lab):
    listener, peer = _full_queue(lab)
    lab.wait_for_count("TcpExt.ListenOverflows")
    lab.accept(listener)
    peer.expect(SYN | ACK)
    peer.send(ACK)
    lab.passive(retransmit("synack", "rto", "syn_recv", 0), chain(PASSIVE), rport=5003, close="still_open",
                synack_retrans=1, handshake_us=at_least(1))


@scenario(V4, V6, raw=True, sysctl=[NO_COOKIES, ("tcp_abort_on_overflow", 1)])
def abort_on_overflow_resets_for_the_listener(lab):
    _, peer = _full_queue(lab)
    peer.expect(RST)
    lab.stray_reset("invalid_syn", "listen", rport=5003)


@scenario(V4, V6, MAPPED)
def a_listener_that_stops_may_start_again(lab):
    listener = lab.listen()
    listener.shutdown(socket.SHUT_RDWR)
    listener.listen(1)
    for step in ("listen close", "close listen"):
        old, new = step.split()
        # The second listen(): its first event, or one more? Either is right.
        timed = ANY_US if old == "listen" else Optional(ANY_US)
        lab.of_listener(state(old, new, in_old_us=timed))


@scenario(V4, V6)
def a_listener_without_a_port_of_its_own_has_none_at_first(lab):
    listener = lab.socket()
    listener.listen(1)
    port = listener.getsockname()[1]
    listener.close()
    anywhere = "0.0.0.0" if lab.family == 4 else "::"
    lab.expect_listener(state("close", "listen"), state("listen", "close", in_old_us=ANY_US, lport=port),
                        laddr=anywhere, lport=ABSENT)


@scenario(V4, V6)
def a_listen_that_fails_is_closed_at_once(lab):
    first, second = lab.socket(), lab.socket()
    for one in (first, second):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(lab.at(lab.local, SERVER))
    first.listen(1)
    try:
        second.listen(1)
        raise AssertionError("two listeners on one port")
    except OSError as error:
        assert error.errno == errno.EADDRINUSE
    lab.expect_listener(state("close", "listen"))
    lab.expect_listener(state("close", "listen"), state("listen", "close", in_old_us=ANY_US))


@scenario(V4, V6)
def a_socket_that_never_connects_says_nothing(lab):
    lab.socket().close()
    bound = lab.socket()
    bound.bind(lab.at(lab.local, 4000))
    bound.close()
