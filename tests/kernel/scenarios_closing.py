# SPDX-License-Identifier: GPL-2.0-or-later
"""Orderly ends: both FINs, in every order, and FINs that never come."""

import socket
import threading
import time

from expect import SERVER, chain
from lab import MAPPED, NO_TLP, V4, V6, scenario
from match import ABSENT, PORT, Optional, at_least, between
from peer import ACK, FIN, RST, SYN
from sockets import linger, option, wait_for_sockets, wait_for_state

LOCAL = dict(close="fin", closed_by="local")
REMOTE = dict(close="fin", closed_by="remote")
PARKED = dict(fin_wait2_orphan=True)
ACTIVE = "close syn_sent established fin_wait1 fin_wait2 time_wait"
PASSIVE = "listen syn_recv established close_wait last_ack close"


@scenario(V4, V6, MAPPED)
def a_peer_that_closes_at_once_sends_ack_and_fin_in_one(lab):
    client, server = lab.pair()
    client.close()
    server.close()
    # If this took longer than the 40 ms that an ACK is delayed, it was parked.
    lab.active(chain(ACTIVE), **LOCAL, fin_wait2_orphan=Optional(True))
    lab.passive(chain(PASSIVE), **REMOTE)


@scenario(V4, V6, MAPPED)
def a_peer_that_closes_later_finds_a_parked_socket(lab):
    client, server = lab.pair()
    client.close()
    wait_for_sockets("fin_wait2")
    time.sleep(0.2)
    server.close()
    lab.active(chain(ACTIVE, in_old_us=at_least(0.2)), **LOCAL, **PARKED, teardown_us=at_least(0.2))
    lab.passive(chain(PASSIVE), **REMOTE)


@scenario(V4, V6, MAPPED)
def the_server_is_in_time_wait_if_it_closes_first(lab):
    client, server = lab.pair()
    lab.close_in_turn(server, client)
    lab.active(chain("close syn_sent established close_wait last_ack close"), **REMOTE)
    lab.passive(chain("listen syn_recv established fin_wait1 fin_wait2 time_wait"), **LOCAL)


@scenario(V4, V6, raw=True)
def fin_and_ack_in_one_segment_lead_straight_to_time_wait(lab):
    client, peer = lab.client_and_peer()
    lab.close_by_kernel(client, peer)
    lab.active(chain(ACTIVE), **LOCAL)


@scenario(V4, V6, raw=True)
def ack_first_and_fin_later_park_the_socket_between(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    time.sleep(0.2)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain(ACTIVE, in_old_us=at_least(0.2)), **LOCAL, **PARKED)


@scenario(V4, V6, raw=True)
def a_simultaneous_close_is_closed_by_both(lab):
    client, peer = lab.client_and_peer()
    client.close()
    first = peer.expect(FIN | ACK)
    peer.send(FIN | ACK, ack=first.seq)
    peer.expect(ACK)
    peer.send(ACK)
    lab.active(chain("close syn_sent established fin_wait1 closing time_wait"), close="fin", closed_by="both")


@scenario(V4, V6, raw=True)
def a_socket_shut_down_is_in_time_wait_before_it_is_closed(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    assert client.recv(1) == b""
    wait_for_state(client, "close")
    client.close()
    lab.active(chain(ACTIVE), **LOCAL)


@scenario(V4, V6, raw=True)
def a_socket_shut_down_and_then_closed_is_parked_at_the_close(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_state(client, "fin_wait2")
    client.close()
    time.sleep(0.2)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain(ACTIVE, in_old_us=at_least(0.2)), **LOCAL, **PARKED)


@scenario(V4, V6)
def a_close_that_lingers_is_orderly_too(lab):
    client, server = lab.pair()
    linger(client, 5)
    closer = threading.Thread(target=client.close)
    closer.start()
    assert server.recv(1) == b""
    server.close()
    closer.join()
    lab.active(chain(ACTIVE), **LOCAL, fin_wait2_orphan=Optional(True))
    lab.passive(chain(PASSIVE), **REMOTE)


@scenario(V4, V6, MAPPED)
def data_still_flows_in_half_closed_connections(lab):
    client, server = lab.pair()
    client.sendall(b"request")
    client.shutdown(socket.SHUT_WR)
    assert server.recv(100) == b"request" and server.recv(100) == b""
    server.sendall(b"a" * 1000)
    assert client.recv(1000, socket.MSG_WAITALL) == b"a" * 1000
    server.sendall(b"b" * 1000)
    assert client.recv(1000, socket.MSG_WAITALL) == b"b" * 1000
    server.close()
    assert client.recv(1) == b""
    client.close()
    lab.active(chain(ACTIVE), **LOCAL, tx_bytes=7, tx_segs=1, rx_bytes=2000, rx_segs=2)
    lab.passive(chain(PASSIVE), **REMOTE, tx_bytes=2000, tx_segs=2, rx_bytes=7, rx_segs=1)


@scenario(V4, V6, raw=True)
def data_and_fin_in_one_segment_count_the_data_only(lab):
    client, peer = lab.client_and_peer()
    peer.send(FIN | ACK | 8, b"last words")
    assert client.recv(100) == b"last words"
    client.close()
    peer.wait_for(FIN | ACK)
    peer.send(ACK)
    lab.active(chain("close syn_sent established close_wait last_ack close"), **REMOTE, rx_bytes=10, rx_segs=1)


@scenario(V4, V6, sysctl=[NO_TLP])
def data_still_queued_at_close_is_delivered_first(lab):
    client, server = lab.pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400_000)
    client.sendall(b"x" * 200_000)
    client.close()
    while server.recv(65536):
        pass
    wait_for_sockets("fin_wait2")
    server.close()
    if lab.netns.counters()["TcpExt.TCPRcvQDrop"]:      # 6.18.15 did, and it is sent again
        lab.skip("this kernel offers a window for which it has no memory")
    segments = between(2, 1000)
    lab.active(chain(ACTIVE), **LOCAL, **PARKED, tx_bytes=200_000, tx_segs=segments)
    lab.passive(chain(PASSIVE), **REMOTE, rx_bytes=200_000, rx_segs=segments)


@scenario(V4, V6, raw=True, seconds=5, sysctl=[("tcp_fin_timeout", 1)])
def an_orphan_whose_fin_never_comes_is_an_orphan(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 close", cause="orphan"),
               close="orphan", closed_by="local", **PARKED)


@scenario(V4, V6, raw=True, seconds=5, sysctl=[("tcp_fin_timeout", 1)])
def a_fin_that_comes_too_late_meets_no_socket(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    wait_for_sockets("fin_wait2", 0)
    peer.send(FIN | ACK)
    peer.expect(RST)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 close", cause="orphan"),
               close="orphan", closed_by="local", **PARKED)
    lab.stray_reset(lport=PORT, rport=SERVER)


@scenario(V4, V6, raw=True)
def a_parked_socket_is_an_orphan_at_the_end_of_the_run(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    # Its time is not up: trace has nothing to say after fin_wait2.
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2"),
               close="orphan", closed_by="local", **PARKED)


@scenario(V4, V6)
def what_is_open_at_the_end_of_the_run_is_still_open(lab):
    client, server = lab.pair()
    client.sendall(b"hello")
    server.recv(100)
    lab.active(chain("close syn_sent established"), close="still_open")
    lab.passive(chain("listen syn_recv established"), close="still_open")


@scenario(V4, V6, raw=True, alone=True)
def a_connect_that_waits_at_the_end_of_the_run_is_still_open(lab):
    peer = lab.peer()
    lab.start_connect()
    peer.expect(SYN)
    # Its port was chosen after the one event there was.
    lab.active(chain("close syn_sent"), outcome=ABSENT, close="still_open", lport=ABSENT)


@scenario(V4, V6)
def what_is_half_closed_at_the_end_of_the_run_is_still_open(lab):
    client, server = lab.pair()
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b""
    wait_for_state(client, "fin_wait2")
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2"), close="still_open", closed_by="local")
    lab.passive(chain("listen syn_recv established close_wait"), close="still_open", closed_by="remote")


@scenario(V4, V6, raw=True, seconds=3)
def a_long_linger2_keeps_the_full_socket_in_fin_wait2(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_LINGER2, 61)      # 1 s as a full socket, then 60 s parked
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain(ACTIVE), **LOCAL)


@scenario(V4, V6, raw=True, seconds=7)
def a_long_linger2_parks_the_socket_a_minute_before_its_end(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_LINGER2, 64)
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    time.sleep(5)       # 4 s as a full socket, and 4 s parked
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain(ACTIVE, in_old_us=at_least(5)), **LOCAL, **PARKED)


@scenario(V4, V6, raw=True, seconds=7, sysctl=[("tcp_fin_timeout", 64)])
def a_long_fin_timeout_parks_the_orphan_a_minute_before_its_end(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    time.sleep(5)       # 4 s as a full socket, and 4 s parked
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain(ACTIVE, in_old_us=at_least(5)), **LOCAL, **PARKED)
