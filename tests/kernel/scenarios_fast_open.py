# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Fast Open: the child is there from the SYN on, with data, in syn_recv."""

import socket
import time

from expect import SERVER, chain, reset, retransmit
from lab import V4, V6, scenario
from match import ABSENT, ANY_US, Optional, at_least
from peer import ACK, FIN, RST, SYN
from sockets import option

SERVER_ONLY = [("tcp_fastopen", 0x602)]
ACTIVE_CLOSER = "fin_wait1 fin_wait2 time_wait"
LOCAL = dict(close="fin", closed_by="local")
REMOTE = dict(close="fin", closed_by="remote")
EARLY = dict(rx_bytes=5, rx_segs=1)


def _fast_open(lab):
    """A listener, and a raw client whose SYN with data was accepted."""
    listener = lab.listen()
    option(listener, socket.TCP_FASTOPEN, 5)
    peer = lab.peer(5555, SERVER)
    peer.send(SYN, b"early")
    peer.expect(SYN | ACK)
    return listener, peer


@scenario(V4, V6, sysctl=[("tcp_fastopen", 0x607)])
def a_fast_open_delivers_data_in_syn_recv(lab):
    listener = lab.listen()
    option(listener, socket.TCP_FASTOPEN, 5)
    client = lab.socket()
    client.sendto(b"early", socket.MSG_FASTOPEN, lab.at(lab.remote, SERVER))
    server = lab.accept(listener)
    assert server.recv(100) == b"early"
    lab.close_in_turn(client, server)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 time_wait"), **LOCAL, tx_bytes=5, tx_segs=1)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), **REMOTE, **EARLY)


@scenario(V4, V6, raw=True, sysctl=SERVER_ONLY)
def a_slow_fast_open_is_known_from_its_syn(lab):
    listener, peer = _fast_open(lab)
    time.sleep(0.2)
    peer.send(ACK)
    server = lab.accept(listener)
    server.recv(100)
    lab.close_by_peer(server, peer)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555, **REMOTE, **EARLY,
                handshake_us=at_least(0.2))


@scenario(V4, V6, raw=True, sysctl=SERVER_ONLY)
def a_fast_open_that_is_reset_before_the_third_ack_is_refused(lab):
    _, peer = _fast_open(lab)
    peer.send(RST)
    lab.passive(chain("listen syn_recv"), reset("received", "syn_recv"), chain("syn_recv close"), rport=5555,
                outcome="refused", error="ECONNRESET", close="reset_received", closed_by="remote",
                **EARLY)


@scenario(V4, V6, raw=True, sysctl=SERVER_ONLY)
def a_fast_open_closed_before_the_third_ack_goes_to_fin_wait1(lab):
    listener, peer = _fast_open(lab)
    server = lab.accept(listener)
    assert server.recv(100) == b"early"
    server.close()
    peer.wait_for(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    # It was accepted and used: established, though never in that state; its
    # handshake has no end.
    lab.passive(chain("listen syn_recv fin_wait1 fin_wait2 time_wait"), rport=5555, **LOCAL, **EARLY,
                handshake_us=ABSENT)


@scenario(V4, V6, raw=True, sysctl=SERVER_ONLY)
def a_shutdown_before_the_third_ack_sends_the_fin_after_it(lab):
    listener, peer = _fast_open(lab)
    server = lab.accept(listener)
    server.recv(100)
    server.shutdown(socket.SHUT_WR)
    peer.send(ACK)
    peer.wait_for(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.passive(chain(f"listen syn_recv established {ACTIVE_CLOSER}"), rport=5555, **LOCAL, **EARLY)


@scenario(V4, V6, raw=True, seconds=2, sysctl=SERVER_ONLY)
def a_syn_ack_of_the_child_is_sent_again(lab):
    listener, peer = _fast_open(lab)
    peer.expect(SYN | ACK)
    peer.send(ACK)
    server = lab.accept(listener)
    server.recv(100)
    lab.close_by_peer(server, peer)
    # Without timestamps nobody knows which of the two was acknowledged.
    lab.passive(chain("listen syn_recv"), retransmit("synack", ABSENT, "syn_recv", 0),
                chain("syn_recv established close_wait last_ack close"), rport=5555, **REMOTE, **EARLY,
                synack_retrans=1, handshake_us=at_least(1), srtt_us=Optional(ANY_US), min_rtt_us=Optional(ANY_US))


@scenario(V4, V6, raw=True, sysctl=SERVER_ONLY)
def a_child_closed_with_unread_data_resets(lab):
    listener, peer = _fast_open(lab)
    lab.accept(listener).close()
    peer.wait_for(RST | ACK)
    lab.passive(chain("listen syn_recv close"), reset("sent", "close", "tcp_abort_on_close"), rport=5555,
                outcome="aborted", close="reset_sent", close_reason="unread_data", closed_by="local", **EARLY)


@scenario(V4, V6, raw=True, sysctl=SERVER_ONLY)
def a_child_whose_listener_closes_is_reset(lab):
    listener, peer = _fast_open(lab)
    listener.close()
    peer.wait_for(RST | ACK)
    lab.of_listener(dict(event="state", old="listen", new="close", in_old_us=ANY_US))
    lab.passive(chain("listen syn_recv close"), reset("sent", "close", "tcp_state"), rport=5555,
                outcome="aborted", close="reset_sent", close_reason="listener_closed", closed_by="local", **EARLY)


@scenario(V4, V6, raw=True, sysctl=SERVER_ONLY)
def a_child_killed_before_the_third_ack_never_was(lab):
    listener, peer = _fast_open(lab)
    lab.accept(listener)
    lab.kill("state", "syn-recv")
    peer.wait_for(RST | ACK)
    lab.passive(chain("listen syn_recv"), reset("sent", "syn_recv", "tcp_state"), chain("syn_recv close"), rport=5555,
                outcome="killed", error="ECONNABORTED", close="killed", closed_by="local", **EARLY)
