# SPDX-License-Identifier: GPL-2.0-or-later
"""Listening sockets: full accept queues, and listeners that come and go."""

import errno
import socket
import time

import features
from expect import SERVER, chain, reset, retransmit, state
from lab import MAPPED, PURE_ACKS, V4, V6, scenario
from match import ABSENT, ANY_US, Optional, at_least
from peer import ACK, RST, SYN
from sockets import unacked, wait_for_sockets

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


@scenario(V4, V6, seconds=3, sysctl=[NO_COOKIES, ("tcp_syn_retries", 1), ("tcp_syn_linear_timeouts", 0)])
def a_syn_that_finds_the_queue_full_is_lost_without_a_word(lab):
    lab.listen(backlog=0)
    lab.connect()
    late = lab.start_connect()
    assert lab.finish_connect(late) == "ETIMEDOUT"
    late.close()
    lab.wait_for_count("TcpExt.ListenOverflows", 2)
    lab.active(chain("close syn_sent established"), close="still_open")
    lab.passive(chain(PASSIVE), close="still_open")
    lab.active(chain("close syn_sent"), retransmit("syn", "rto", "syn_sent", 0), chain("syn_sent close"),
               outcome="timeout", error="ETIMEDOUT", close="timeout", syn_retrans=1)


@scenario(V4, V6, seconds=9, sysctl=[NO_COOKIES, ("tcp_synack_retries", 2)])
def a_client_that_is_not_accepted_is_reset_when_it_writes(lab):
    # For the client it was a connection. Its third ACK came with the first SYN-ACK that was sent
    # again, and found the queue full; the second tells.
    lab.listen(backlog=2)
    lab.drop(f"tcp sport 4000 {PURE_ACKS}")
    late = lab.connect(bind=4000)
    for _ in range(3):
        lab.connect()
    lab.lose_nothing()
    wait_for_sockets("established", 7)
    lab.wait_for_count("TcpExt.ListenOverflows")
    wait_for_sockets("syn_recv", 0)
    time.sleep(1)       # which synfin adds before it gives the request up
    late.send(b"is anybody there?")
    wait_for_sockets("established", 6)
    for _ in range(3):
        lab.active(chain("close syn_sent established"), close="still_open")
        lab.passive(chain(PASSIVE), close="still_open")
    lab.active(chain("close syn_sent established"), reset("received", "established"), chain("established close"),
               bound=True, lport=4000, error="ECONNRESET", close="reset_received", closed_by="remote", tx_segs=1)
    lab.half_open([retransmit("synack", "rto", "syn_recv", 0)] * 2, outcome="not_accepted", close="silent",
                  synack_retrans=2)
    lab.stray_reset("tcp_flags", "listen")


@scenario(V4, V6, raw=True)
def a_third_ack_after_the_listener_closed_finds_nobody(lab):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    listener.close()
    peer.send(ACK)
    peer.expect(RST)
    lab.of_listener(state("listen", "close", in_old_us=ANY_US))
    lab.stray_reset("no_socket", rport=5555)


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
    if not features.has_cookies():      # then nothing says that it is the same socket
        lab.of_listener(state("listen", "close", in_old_us=ANY_US))
        lab.expect_listener(state("close", "listen"))
        return
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


@scenario(V4, V6)
def a_listener_that_stops_may_connect(lab):
    stopped = lab.listen(port=4000)
    stopped.shutdown(socket.SHUT_RDWR)
    lab.of_listener(state("listen", "close", in_old_us=ANY_US), port=4000)
    listener = lab.listen()
    stopped.connect(lab.at(lab.remote, SERVER))
    lab.close_in_turn(stopped, lab.accept(listener))
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 time_wait"), bound=True, lport=4000,
               close="fin", closed_by="local")
    lab.passive(chain(f"{PASSIVE} close_wait last_ack close"), rport=4000, close="fin", closed_by="remote")


@scenario(V4, V6)
def a_killed_listener_resets_its_children(lab):
    lab.listen()
    lab.connect()
    wait_for_sockets("established", 2)
    lab.kill("state", "listening")
    lab.of_listener(state("listen", "close", in_old_us=ANY_US))
    lab.active(chain("close syn_sent established"), reset("received", "established"), chain("established close"),
               error="ECONNRESET", close="reset_received", closed_by="remote")
    lab.passive(chain(f"{PASSIVE} close"), reset("sent", "close", "tcp_state"),
                close="reset_sent", close_reason="listener_closed", closed_by="local")


@scenario(V4, V6, raw=True, sysctl=[("tcp_migrate_req", 1)])
def a_child_moves_on_when_its_listener_closes(lab):
    if not features.moves_children():
        lab.skip("this kernel moves no children")
    listeners = [lab.socket() for _ in range(2)]
    for one in listeners:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(lab.at(lab.local, SERVER))
        one.listen(8)
    peer = lab.peer(5555, SERVER).connect()
    wait_for_sockets("established")
    listeners.sort(key=unacked)         # of a listener: how many wait to be accepted
    listeners[1].close()
    lab.close_by_peer(lab.accept(listeners[0]), peer)
    lab.expect_listener(state("close", "listen"))
    lab.expect_listener(state("close", "listen"), state("listen", "close", in_old_us=ANY_US))
    lab.passive(chain(f"{PASSIVE} close_wait last_ack close"), rport=5555, close="fin", closed_by="remote")
