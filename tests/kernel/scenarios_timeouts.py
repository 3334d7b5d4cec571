# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that the kernel gives up."""

import socket

from expect import chain, reset, retransmit
from lab import NO_TLP, V4, V6, scenario
from match import Repeated, between
from peer import ACK, FIN, HOST_UNREACHABLE, RST
from sockets import option, unacked, wait_for_state
from wait import wait_until

OPEN = "close syn_sent established"
GIVEN_UP = dict(error="ETIMEDOUT", close="timeout", close_reason="retransmits")
QUICK = dict(raw=True, rto=0.2, seconds=4)
A_FEW = between(1, 8)


def _a_few(phase, state, len=0):
    """How many there are is the timer's affair, and the machine's."""
    return Repeated(retransmit(phase, "rto", state, 1, len), 1, 8)


@scenario(V4, V6, **QUICK, sysctl=[NO_TLP, ("tcp_retries2", 2)])
def data_that_is_never_acknowledged_times_out(lab):
    client, peer = lab.client_and_peer()
    client.sendall(b"hello")
    wait_for_state(client, "close")
    client.close()
    lab.active(chain(OPEN), _a_few("data", "established", 5), chain("established close"), **GIVEN_UP,
               data_retrans=A_FEW, tx_segs=between(2, 9))


@scenario(V4, V6, **QUICK, sysctl=[NO_TLP])
def a_user_timeout_gives_up_early(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_USER_TIMEOUT, 500)
    client.sendall(b"hello")
    wait_for_state(client, "close")
    client.close()
    lab.active(chain(OPEN), _a_few("data", "established", 5), chain("established close"), **GIVEN_UP,
               data_retrans=A_FEW, tx_segs=between(2, 9))


@scenario(V4, V6, **QUICK, sysctl=[NO_TLP])
def an_icmp_error_on_the_way_is_the_errno_of_the_timeout(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_USER_TIMEOUT, 2000)
    client.sendall(b"hello")
    peer.expect(ACK, b"hello")
    peer.unreachable(HOST_UNREACHABLE)
    wait_for_state(client, "close")
    client.close()
    lab.active(chain(OPEN), _a_few("data", "established", 5), chain("established close"),
               error="EHOSTUNREACH", close="timeout", close_reason="retransmits",
               data_retrans=A_FEW, tx_segs=between(2, 9))


@scenario(V4, V6, raw=True, seconds=3)
def a_dead_peer_is_found_by_keepalive(lab):
    client, peer = lab.client_and_peer()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
        option(client, name, 1)
    peer.expect(ACK)                # the probe
    peer.expect(RST | ACK)
    client.close()
    # Its RST is the end of a timeout, not a reset that anyone asked for.
    lab.active(chain(OPEN), reset("sent", "established", "tcp_keepalive_timeout"), chain("established close"),
               error="ETIMEDOUT", close="timeout", close_reason="keepalive")


@scenario(V4, V6, raw=True, seconds=5)
def a_window_that_stays_shut_times_out(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_USER_TIMEOUT, 1000)
    client.sendall(b"hello")
    peer.expect(ACK, b"hello")
    peer.send(ACK, window=0)
    wait_until(lambda: unacked(client) == 0, "ACK")
    client.sendall(b"more")
    wait_for_state(client, "close")
    client.close()
    lab.active(chain(f"{OPEN} close"), error="ETIMEDOUT", close="timeout", close_reason="zero_window",
               tx_bytes=5, tx_segs=1)


@scenario(V4, V6, **QUICK, sysctl=[NO_TLP, ("tcp_orphan_retries", 2)])
def an_orphan_whose_fin_is_never_acknowledged_times_out(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    # contract: closed_by is absent for a timeout before any FIN; here was one.
    lab.active(chain(f"{OPEN} fin_wait1"), _a_few("fin", "fin_wait1"), chain("fin_wait1 close"), **GIVEN_UP,
               closed_by="local", fin_retrans=A_FEW)


@scenario(V4, V6, **QUICK, sysctl=[NO_TLP, ("tcp_orphan_retries", 2)])
def a_last_ack_that_never_comes_times_out(lab):
    client, peer = lab.client_and_peer()
    peer.send(FIN | ACK)
    wait_for_state(client, "close_wait")
    client.close()
    peer.wait_for(FIN | ACK)
    lab.active(chain(f"{OPEN} close_wait last_ack"), _a_few("fin", "last_ack"), chain("last_ack close"),
               **GIVEN_UP, closed_by="remote", fin_retrans=A_FEW)


@scenario(V4, V6, raw=True, rto=0.5, seconds=5, sysctl=[("tcp_orphan_retries", 2)])
def an_orphan_that_meets_a_shut_window_times_out(lab):
    client, peer = lab.client_and_peer()
    client.sendall(b"hello")
    peer.expect(ACK, b"hello")
    peer.send(ACK, window=0)
    wait_until(lambda: unacked(client) == 0, "ACK")
    client.sendall(b"more")
    client.close()
    # The FIN waits behind the data and is never sent, yet the state moves on.
    lab.active(chain(f"{OPEN} fin_wait1 close"), error="ETIMEDOUT", close="timeout",
               close_reason="zero_window", closed_by="local", tx_bytes=5, tx_segs=1)


@scenario(V4, V6, raw=True)
def a_syn_dropped_on_the_way_out_is_an_attempt_all_the_same(lab):
    lab.peer()
    lab.drop("tcp dport 80", hook="output")
    client = lab.start_connect()
    client.close()
    lab.active(chain("close syn_sent close"), outcome="aborted", close="silent")
