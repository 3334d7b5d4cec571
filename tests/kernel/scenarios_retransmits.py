# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments sent again: what was lost, and what made the kernel notice."""

import socket

from expect import chain, retransmit
from lab import NO_TLP, V4, V6, scenario
from match import Repeated, between
from peer import ACK, FIN
from sockets import option, wait_for_state

OPEN = "close syn_sent established"
TO_TIME_WAIT = "established fin_wait1 fin_wait2 time_wait"
LOCAL = dict(close="fin", closed_by="local")


@scenario(V4, V6, raw=True, seconds=2, sysctl=[NO_TLP])
def lost_data_is_sent_again_at_the_rto(lab):
    client, peer = lab.client_and_peer()
    client.sendall(b"hello")
    peer.expect(ACK, b"hello")
    peer.expect(ACK, b"hello")
    peer.send(ACK)
    lab.close_by_kernel(client, peer)
    # tx_segs counts every data segment that was sent, as the kernel does.
    lab.active(chain(OPEN), retransmit("data", "rto", "established", 1, 5), chain(TO_TIME_WAIT), **LOCAL,
               data_retrans=1, tx_bytes=5, tx_segs=2)


@scenario(V4, V6, raw=True)
def a_lost_tail_is_probed_by_tlp(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_NODELAY, 1)
    client.send(b"one")
    client.send(b"two")
    peer.expect(ACK, b"one")
    peer.expect(ACK, b"two")
    peer.expect(ACK, b"two")
    peer.send(ACK)
    lab.close_by_kernel(client, peer)
    lab.active(chain(OPEN), retransmit("data", "tlp", "established", 4, 3), chain(TO_TIME_WAIT), **LOCAL,
               data_retrans=1, tx_bytes=6, tx_segs=3)


@scenario(V4, V6, raw=True, seconds=2, sysctl=[NO_TLP])
def a_hole_that_sacks_show_is_filled_fast(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_NODELAY, 1)
    first = peer.rcv_nxt
    for letter in (b"a", b"b", b"c", b"d"):
        client.send(letter * 100)
        peer.expect(ACK, letter * 100)
    for received in (200, 300, 400):
        peer.send(ACK, ack=first, sack=[(first + 100, first + received)])
    peer.expect(ACK, b"a" * 100)
    peer.send(ACK)
    lab.close_by_kernel(client, peer)
    lab.active(chain(OPEN), retransmit("data", "fast", "established", 1, 100), chain(TO_TIME_WAIT), **LOCAL,
               data_retrans=1, tx_bytes=400, tx_segs=5)


@scenario(V4, V6, raw=True, seconds=2, sysctl=[NO_TLP])
def a_lost_fin_of_the_active_closer_is_sent_again(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.expect(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain(f"{OPEN} fin_wait1"), retransmit("fin", "rto", "fin_wait1", 1),
               chain("fin_wait1 fin_wait2 time_wait"), **LOCAL, fin_retrans=1)


@scenario(V4, V6, raw=True, seconds=2, sysctl=[NO_TLP])
def a_lost_fin_of_the_passive_closer_is_sent_again(lab):
    client, peer = lab.client_and_peer()
    peer.send(FIN | ACK)
    wait_for_state(client, "close_wait")
    client.close()
    peer.wait_for(FIN | ACK)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    lab.active(chain(f"{OPEN} close_wait last_ack"), retransmit("fin", "rto", "last_ack", 1),
               chain("last_ack close"), close="fin", closed_by="remote", fin_retrans=1)


@scenario(V4, V6, raw=True, seconds=2, sysctl=[NO_TLP])
def data_with_fin_sent_again_is_data(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_CORK, 1)
    client.sendall(b"bye")
    client.close()
    peer.expect(FIN | ACK, b"bye")
    peer.expect(FIN | ACK, b"bye")
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain(f"{OPEN} fin_wait1"), retransmit("data", "rto", "fin_wait1", 1, 3),
               chain("fin_wait1 fin_wait2 time_wait"), **LOCAL, data_retrans=1, tx_bytes=3, tx_segs=2)


@scenario(V4, V6, raw=True, seconds=2, sysctl=[NO_TLP])
def the_server_counts_its_sequence_from_its_syn_ack(lab):
    server, peer = lab.server_and_peer()
    server.sendall(b"hello")
    peer.expect(ACK, b"hello")
    peer.send(ACK)
    server.sendall(b"again")
    peer.expect(ACK, b"again")
    peer.expect(ACK, b"again")
    peer.send(ACK)
    lab.close_by_kernel(server, peer)
    lab.passive(chain("listen syn_recv established"), retransmit("data", "rto", "established", 6, 5),
                chain(TO_TIME_WAIT), rport=5555, **LOCAL, data_retrans=1, tx_bytes=10, tx_segs=3)


@scenario(V4, V6, raw=True, seconds=4, sysctl=[NO_TLP])
def an_attempt_that_fails_to_go_out_is_shown_and_not_counted(lab):
    client, peer = lab.client_and_peer()
    client.sendall(b"hello")
    peer.expect(ACK, b"hello")
    lab.drop("tcp dport 80", hook="output")
    lab.wait_for_count("TcpExt.TCPRetransFail")
    lab.lose_nothing()
    peer.expect(ACK, b"hello")
    peer.send(ACK)
    lab.close_by_kernel(client, peer)
    lab.active(chain(OPEN), retransmit("data", "rto", "established", 1, 5, error="EPERM"),
               retransmit("data", "rto", "established", 1, 5),
               chain(TO_TIME_WAIT), **LOCAL, data_retrans=1, tx_bytes=5, tx_segs=3)


@scenario(V4, V6, raw=True, seconds=4, sysctl=[NO_TLP])
def an_attempt_that_the_queue_drops_is_shown_and_not_counted(lab):
    client, peer = lab.client_and_peer()
    client.sendall(b"hello")
    peer.expect(ACK, b"hello")
    lab.shut_the_queue()
    lab.wait_for_count("TcpExt.TCPRetransFail")
    lab.open_the_queue()
    peer.expect(ACK, b"hello")
    peer.send(ACK)
    lab.close_by_kernel(client, peer)
    # The kernel says NET_XMIT_DROP, which is no errno; to others it says ENOBUFS.
    lab.active(chain(OPEN), Repeated(retransmit("data", "rto", "established", 1, 5, error="ENOBUFS"), 1, 4),
               retransmit("data", "rto", "established", 1, 5), chain(TO_TIME_WAIT), **LOCAL,
               data_retrans=1, tx_bytes=5, tx_segs=between(3, 6))
