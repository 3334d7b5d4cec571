# SPDX-License-Identifier: GPL-2.0-or-later
"""Simultaneous opens: an active socket that passes through syn_recv."""

import socket

from expect import chain, reset, retransmit
from lab import V4, V6, scenario
from match import ABSENT, Repeated, between
from peer import ACK, FIN, RST, SYN
from sockets import disconnect

LOCAL = dict(close="fin", closed_by="local")


def _in_syn_recv(lab):
    """A client whose SYN has met the peer's, and the peer."""
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    return client, peer


def _acknowledge(peer):
    """The SYN again, with its ACK; kernels before 6.11 drop that, and want an ACK alone."""
    peer.send(SYN | ACK, seq=peer.isn)
    peer.send(ACK)


@scenario(V4, V6, raw=True)
def a_simultaneous_open_is_active(lab):
    client, peer = _in_syn_recv(lab)
    _acknowledge(peer)
    assert lab.finish_connect(client) is None
    lab.close_by_kernel(client, peer)
    lab.active(chain("close syn_sent syn_recv established fin_wait1 fin_wait2 time_wait"), **LOCAL)


@scenario(V4, V6)
def a_socket_connected_to_itself_opens_and_closes_simultaneously(lab):
    alone = lab.connect(port=4000, bind=4000)
    alone.sendall(b"echo")
    assert alone.recv(100) == b"echo"
    alone.close()
    lab.active(chain("close syn_sent syn_recv established fin_wait1 closing time_wait"), bound=True,
               lport=4000, rport=4000, close="fin", closed_by="both", tx_bytes=4, rx_bytes=4, tx_segs=1, rx_segs=1)


@scenario(V4, V6, raw=True)
def a_rst_in_syn_recv_of_a_simultaneous_open_is_a_refusal(lab):
    client, peer = _in_syn_recv(lab)
    peer.send(RST)
    # Linux tells a simultaneous opener that it was refused: ECONNRESET, not ECONNREFUSED.
    assert lab.finish_connect(client) == "ECONNRESET"
    client.close()
    lab.active(chain("close syn_sent syn_recv"), reset("received", "syn_recv"), chain("syn_recv close"),
               outcome="refused", error="ECONNRESET", close="reset_received", closed_by="remote")


@scenario(V4, V6, raw=True, seconds=2)
def a_syn_ack_of_a_simultaneous_open_sent_again_is_a_syn_ack(lab):
    client, peer = _in_syn_recv(lab)
    peer.expect(SYN | ACK)
    _acknowledge(peer)
    assert lab.finish_connect(client) is None
    lab.close_by_kernel(client, peer)
    lab.active(chain("close syn_sent syn_recv"), retransmit("synack", "rto", "syn_recv", 0),
               chain("syn_recv established fin_wait1 fin_wait2 time_wait"), **LOCAL, synack_retrans=1)


@scenario(V4, V6, raw=True, seconds=5, sysctl=[("tcp_syn_retries", 1), ("tcp_syn_linear_timeouts", 0)])
def a_syn_ack_that_is_never_acknowledged_times_out(lab):
    client, _ = _in_syn_recv(lab)
    assert lab.finish_connect(client) == "ETIMEDOUT"
    client.close()
    # How many are sent is a matter of elapsed time, too.
    lab.active(chain("close syn_sent syn_recv"), Repeated(retransmit("synack", "rto", "syn_recv", 0), 1, 3),
               chain("syn_recv close"), outcome="timeout", error="ETIMEDOUT", close="timeout",
               synack_retrans=between(1, 3))


@scenario(V4, V6, raw=True)
def a_close_in_syn_recv_is_a_fin_without_established(lab):
    client, peer = _in_syn_recv(lab)
    client.close()
    _acknowledge(peer)
    peer.wait_for(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain("close syn_sent syn_recv fin_wait1 fin_wait2 time_wait"), **LOCAL, handshake_us=ABSENT)


@scenario(V4, V6, raw=True)
def a_shutdown_in_syn_recv_waits_for_the_ack(lab):
    client, peer = _in_syn_recv(lab)
    client.shutdown(socket.SHUT_WR)
    _acknowledge(peer)
    peer.wait_for(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain("close syn_sent syn_recv established fin_wait1 fin_wait2 time_wait"), **LOCAL)


@scenario(V4, V6, raw=True)
def a_disconnect_in_syn_recv_resets(lab):
    client, peer = _in_syn_recv(lab)
    disconnect(client)
    peer.wait_for(RST | ACK)
    lab.active(chain("close syn_sent syn_recv close"), reset("sent", "close", "tcp_state"),
               outcome="aborted", close="reset_sent", close_reason="disconnect", closed_by="local")
