# SPDX-License-Identifier: GPL-2.0-or-later
"""How a connection opens, or does not."""

import errno
import os
import socket
import time

import features
from expect import SERVER, chain, reset, retransmit
from lab import MAPPED, V4, V6, scenario
from match import ABSENT, COOKIE, at_least
from peer import ACK, FIN, HOST_UNREACHABLE, PORT_UNREACHABLE, RST, SYN
from sockets import cookie, disconnect, linger, option

ACTIVE_CLOSER = "fin_wait1 fin_wait2 time_wait"
ORDERLY_LOCAL = dict(close="fin", closed_by="local")
ORDERLY_REMOTE = dict(close="fin", closed_by="remote")


@scenario(V4, V6, MAPPED)
def both_ends_of_an_ordinary_connection_are_reported(lab):
    client, server = lab.pair()
    client.sendall(b"question")
    server.recv(100)
    server.sendall(b"answer")
    client.recv(100)
    cookies = [cookie(end) if features.has_cookies() else COOKIE for end in (client, server)]
    port = client.getsockname()[1]
    lab.close_in_turn(client, server)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 time_wait"),
               conn=cookies[0], lport=port, **ORDERLY_LOCAL,
               tx_bytes=8, tx_segs=1, rx_bytes=6, rx_segs=1)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"),
                conn=cookies[1], rport=port, **ORDERLY_REMOTE,
                tx_bytes=6, tx_segs=1, rx_bytes=8, rx_segs=1)


@scenario(V4, V6, MAPPED)
def a_connect_that_nobody_listens_for_is_refused(lab):
    client = lab.socket()
    assert client.connect_ex(lab.at(lab.remote, SERVER)) == errno.ECONNREFUSED
    client.close()
    lab.active(chain("close syn_sent"), reset("received", "syn_sent"), chain("syn_sent close"),
               outcome="refused", error="ECONNREFUSED", close="reset_received", closed_by="remote")
    lab.stray_reset()


@scenario(V4, V6, MAPPED)
def the_port_of_a_bound_socket_is_known_from_the_start(lab):
    client = lab.socket()
    client.bind(lab.at(lab.local, 4000))
    assert client.connect_ex(lab.at(lab.remote, SERVER)) == errno.ECONNREFUSED
    client.close()
    lab.active(chain("close syn_sent"), reset("received", "syn_sent"), chain("syn_sent close"), bound=True,
               lport=4000, outcome="refused", error="ECONNREFUSED", close="reset_received", closed_by="remote")
    lab.stray_reset(rport=4000)


@scenario(V4, V6, MAPPED, raw=True)
def an_icmp_host_unreachable_makes_it_unreachable(lab):
    _answer_by_icmp(lab, HOST_UNREACHABLE, "EHOSTUNREACH")


@scenario(V4, V6, raw=True)
def an_icmp_port_unreachable_is_no_refusal(lab):
    # The errno is that of a RST: only the RST itself tells them apart.
    _answer_by_icmp(lab, PORT_UNREACHABLE, "ECONNREFUSED")


def _answer_by_icmp(lab, kind, error):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.unreachable(kind)
    assert lab.finish_connect(client) == error
    client.close()
    lab.active(chain("close syn_sent close"), outcome="unreachable", error=error, close="silent")


@scenario(V4, V6, raw=True, seconds=4, sysctl=[("tcp_syn_retries", 1), ("tcp_syn_linear_timeouts", 0)])
def a_syn_that_is_never_answered_times_out(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.expect(SYN)
    assert lab.finish_connect(client) == "ETIMEDOUT"
    client.close()
    lab.active(chain("close syn_sent"), retransmit("syn", "rto", "syn_sent", 0), chain("syn_sent close"),
               outcome="timeout", error="ETIMEDOUT", close="timeout", syn_retrans=1)


@scenario(V4, V6, raw=True, seconds=2)
def a_syn_lost_once_makes_a_slow_handshake(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.accept()
    assert lab.finish_connect(client) is None
    lab.close_by_kernel(client, peer)
    lab.active(chain("close syn_sent"), retransmit("syn", "rto", "syn_sent", 0),
               chain(f"syn_sent established {ACTIVE_CLOSER}"),
               **ORDERLY_LOCAL, syn_retrans=1, handshake_us=at_least(1))


@scenario(V4, V6, raw=True)
def a_socket_closed_in_syn_sent_is_aborted(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    client.close()
    peer.expect_nothing(0.1)
    lab.active(chain("close syn_sent close"), outcome="aborted", close="silent")


@scenario(V4, V6, raw=True)
def a_socket_disconnected_in_syn_sent_is_aborted(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    disconnect(client)
    peer.expect_nothing(0.1)
    lab.active(chain("close syn_sent close"), outcome="aborted", close="silent")


@scenario(V4, V6, sysctl=[("ip_local_port_range", "40000 40000")])
def a_connect_without_a_port_left_is_no_port(lab):
    client, server = lab.pair()
    second = lab.socket()
    assert second.connect_ex(lab.at(lab.remote, SERVER)) == errno.EADDRNOTAVAIL
    second.close()
    lab.close_in_turn(client, server)
    _ordinary(lab, lport=40000)
    # No port was ever chosen: lport stays absent to the end.
    lab.active(chain("close syn_sent close", lport=ABSENT), lport=ABSENT, outcome="no_port", close="silent")


@scenario(V4, V6)
def a_bound_tuple_that_is_in_use_is_no_port(lab):
    client = lab.listen() and lab.connect(bind=4000)
    second = lab.socket()
    second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    second.bind(lab.at(lab.local, 4000))
    assert second.connect_ex(lab.at(lab.remote, SERVER)) == errno.EADDRNOTAVAIL
    second.close()
    linger(client, 0)
    client.close()
    lab.active(chain("close syn_sent established close"), reset("sent", "close", "tcp_state"), bound=True,
               lport=4000, close="reset_sent", close_reason="linger0", closed_by="local")
    _reset_passive(lab, rport=4000)
    lab.active(chain("close syn_sent close"), bound=True, lport=4000, outcome="no_port", close="silent")


@scenario(V4, V6)
def a_refused_socket_that_connects_again_has_two_lives(lab):
    client = lab.socket()
    assert client.connect_ex(lab.at(lab.remote, SERVER)) == errno.ECONNREFUSED
    listener = lab.listen()
    client.connect(lab.at(lab.remote, SERVER))
    lab.close_in_turn(client, lab.accept(listener))
    lab.active(chain("close syn_sent"), reset("received", "syn_sent"), chain("syn_sent close"),
               outcome="refused", error="ECONNREFUSED", close="reset_received", closed_by="remote")
    lab.stray_reset()
    # in_old_us is absent at the first event of each life.
    _ordinary(lab)


@scenario(V4, V6)
def a_bound_socket_that_connects_again_keeps_its_port(lab):
    client = lab.socket()
    client.bind(lab.at(lab.local, 4000))
    assert client.connect_ex(lab.at(lab.remote, SERVER)) == errno.ECONNREFUSED
    listener = lab.listen()
    client.connect(lab.at(lab.remote, SERVER))
    lab.close_in_turn(client, lab.accept(listener))
    lab.active(chain("close syn_sent"), reset("received", "syn_sent"), chain("syn_sent close"), bound=True,
               lport=4000, outcome="refused", error="ECONNREFUSED", close="reset_received", closed_by="remote")
    lab.stray_reset(rport=4000)
    lab.active(chain(f"close syn_sent established {ACTIVE_CLOSER}"), bound=True, lport=4000, **ORDERLY_LOCAL)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=4000, **ORDERLY_REMOTE)


@scenario(V4, V6)
def a_connect_without_a_route_says_nothing(lab):
    address = {4: "192.0.2.1", 6: "2001:db8::1"}[lab.family]
    assert lab.socket().connect_ex(lab.at(address, SERVER)) == errno.ENETUNREACH


@scenario(V4, V6, raw=True)
def a_bad_ack_in_syn_sent_is_answered_by_rst_and_survived(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.send(SYN | ACK, ack=peer.rcv_nxt + 1000)
    peer.expect(RST)
    peer.expect(SYN)    # at once: tcp_rcv_synsent_state_process() sets the timer to its least
    peer.send(SYN | ACK, seq=peer.isn)
    assert lab.finish_connect(client) is None
    peer.expect(ACK)
    lab.close_by_kernel(client, peer)
    lab.active(chain("close syn_sent"), reset("sent", "syn_sent", "tcp_invalid_ack_sequence"),
               retransmit("syn", "rto", "syn_sent", 0), chain(f"syn_sent established {ACTIVE_CLOSER}"),
               syn_retrans=1, **ORDERLY_LOCAL)


@scenario(V4, V6, raw=True)
def a_slow_third_ack_is_a_slow_handshake(lab):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    time.sleep(0.3)
    peer.send(ACK)
    lab.close_by_peer(lab.accept(listener), peer)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555, **ORDERLY_REMOTE,
                handshake_us=at_least(0.3))


@scenario(V4, V6, raw=True)
def a_third_ack_with_data_opens_and_delivers(lab):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.send(ACK, b"first")
    server = lab.accept(listener)
    assert server.recv(100) == b"first"
    lab.close_by_peer(server, peer)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555, **ORDERLY_REMOTE,
                rx_bytes=5, rx_segs=1)


@scenario(V4, V6, raw=True, seconds=2)
def a_late_third_ack_counts_from_the_first_syn_ack(lab):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.expect(SYN | ACK)
    time.sleep(0.1)
    peer.send(ACK)
    lab.close_by_peer(lab.accept(listener), peer)
    lab.passive(retransmit("synack", "rto", "syn_recv", 0),
                chain("listen syn_recv established close_wait last_ack close"), rport=5555, **ORDERLY_REMOTE,
                synack_retrans=1, handshake_us=at_least(1.1))


@scenario(V4, V6, raw=True)
def a_syn_sent_twice_resends_the_syn_ack(lab):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    time.sleep(0.1)
    peer.send(SYN, seq=peer.isn)
    peer.expect(SYN | ACK)
    peer.send(ACK)
    lab.close_by_peer(lab.accept(listener), peer)
    lab.passive(retransmit("synack", "dup_syn", "syn_recv", 0),
                chain("listen syn_recv established close_wait last_ack close"), rport=5555, **ORDERLY_REMOTE,
                synack_retrans=1, handshake_us=at_least(0.1))


@scenario(V4, V6, raw=True, seconds=5, sysctl=[("tcp_synack_retries", 1)])
def a_request_whose_third_ack_never_comes_is_no_ack(lab):
    lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.expect(SYN | ACK)
    lab.outlast_the_request()
    lab.half_open(retransmit("synack", "rto", "syn_recv", 0), rport=5555, outcome="no_ack", synack_retrans=1)


@scenario(V4, V6, raw=True, seconds=5)
def a_rst_to_a_request_is_no_ack_too(lab):
    # Seen only because its SYN-ACK was sent again; its RST is not seen at all.
    lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.expect(SYN | ACK)
    peer.send(RST)
    lab.outlast_the_request()
    lab.half_open(retransmit("synack", "rto", "syn_recv", 0), rport=5555, outcome="no_ack", synack_retrans=1)


@scenario(V4, V6, raw=True)
def a_request_that_is_reset_at_once_leaves_nothing(lab):
    lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.send(RST)
    peer.expect_nothing(0.1)


@scenario(V4, V6, raw=True)
def a_request_that_is_killed_leaves_nothing(lab):
    lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    lab.kill("state", "syn-recv")
    peer.expect_nothing(0.1)


@scenario(V4, V6, raw=True)
def a_bad_ack_to_a_request_is_answered_by_the_listener(lab):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.send(ACK, ack=peer.rcv_nxt + 1000)
    peer.expect(RST)
    peer.send(ACK)
    lab.close_by_peer(lab.accept(listener), peer)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555, **ORDERLY_REMOTE)
    lab.stray_reset("tcp_flags", "listen", rport=5555)


@scenario(V4, V6, raw=True, sysctl=[("tcp_syncookies", 2)])
def a_syn_cookie_without_timestamps_hides_the_handshake(lab):
    _open_by_cookie(lab, False, dict(handshake_us=ABSENT))


@scenario(V4, V6, raw=True, sysctl=[("tcp_syncookies", 2)])
def a_syn_cookie_with_timestamps_tells_the_handshake(lab):
    _open_by_cookie(lab, True, dict(handshake_us=at_least(0.09)))


def _open_by_cookie(lab, timestamps, handshake):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER, timestamps=timestamps)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    time.sleep(0.1)
    peer.send(ACK)
    lab.close_by_peer(lab.accept(listener), peer)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555,
                **ORDERLY_REMOTE, **handshake)


@scenario(V4, V6, raw=True)
def a_deferred_accept_opens_with_the_first_data(lab):
    listener = lab.listen()
    option(listener, socket.TCP_DEFER_ACCEPT, 5)
    peer = lab.peer(5555, SERVER).connect()
    time.sleep(0.2)
    peer.send(ACK, b"data")
    server = lab.accept(listener)
    server.recv(100)
    lab.close_by_peer(server, peer)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555, **ORDERLY_REMOTE,
                rx_bytes=4, rx_segs=1, handshake_us=at_least(0.2))


@scenario(V4, V6, raw=True)
def a_third_ack_with_fin_opens_and_half_closes(lab):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.send(FIN | ACK)
    server = lab.accept(listener)
    assert server.recv(1) == b""
    server.close()
    peer.wait_for(FIN | ACK)
    peer.send(ACK)
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555, **ORDERLY_REMOTE)


@scenario(V4, V6)
def an_mptcp_connection_is_reported_as_its_subflow(lab):
    if not os.path.exists("/proc/sys/net/mptcp/enabled"):
        lab.skip("this kernel has no MPTCP")
    lab.netns.sysctl("net.mptcp.enabled", 1)
    listener = lab.listen(protocol=socket.IPPROTO_MPTCP)
    client = lab.socket(socket.IPPROTO_MPTCP)
    client.connect(lab.at(lab.remote, SERVER))
    server = lab.accept(listener)
    client.sendall(b"question")
    server.recv(100)
    client.close()
    server.recv(100)
    server.close()
    _ordinary(lab, dict(tx_bytes=8, tx_segs=1), dict(rx_bytes=8, rx_segs=1))


def _ordinary(lab, client=(), server=(), **both):
    """Both lives of a connection over lo that the client closed first."""
    keys = {"lport": both["lport"]} if "lport" in both else {}
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 time_wait"),
               **ORDERLY_LOCAL, **keys, **dict(client))
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), **ORDERLY_REMOTE, **dict(server))


def _reset_passive(lab, **keys):
    """The server's life when the client has reset it."""
    lab.passive(chain("listen syn_recv established"), reset("received", "established"), chain("established close"),
                error="ECONNRESET", close="reset_received", closed_by="remote", **keys)
