# SPDX-License-Identifier: GPL-2.0-or-later
"""Ends by RST, sent or received, by kill, and in silence."""

import os
import socket

from expect import SERVER, chain, reset, retransmit
from lab import MAPPED, V4, V6, scenario
from match import ANY_US, Repeated, between, one_of
from peer import ACK, FIN, RST, SYN
from sockets import TCP_REPAIR, disconnect, linger, option, states_here, unacked, wait_for_sockets, wait_for_state
from wait import wait_until

ACTIVE = "close syn_sent established"
PASSIVE = "listen syn_recv established"
BY_US = dict(close="reset_sent", closed_by="local")
BY_PEER = dict(close="reset_received", closed_by="remote")
RESET = dict(error="ECONNRESET", close="reset_received")


def _client_was_reset(lab, before="established", **keys):
    """The client's life over lo when the server resets it."""
    keys = {**RESET, "closed_by": "remote", **keys}
    lab.active(chain(f"{ACTIVE} {before}" if before != "established" else ACTIVE),
               reset("received", before), chain(f"{before} close"), **keys)


def _server_was_reset(lab, before="established", **keys):
    keys = {**RESET, "closed_by": "remote", **keys}
    lab.passive(chain(f"{PASSIVE} {before}" if before != "established" else PASSIVE),
                reset("received", before), chain(f"{before} close"), **keys)


# -- sent --------------------------------------------------------------------

@scenario(V4, V6, MAPPED)
def linger_0_sends_a_rst(lab):
    client, _ = lab.pair()
    linger(client, 0)
    client.close()
    lab.active(chain(f"{ACTIVE} close"), reset("sent", "close", "tcp_state"), **BY_US, close_reason="linger0")
    _server_was_reset(lab)


@scenario(V4, V6)
def linger_0_after_the_peers_fin_is_closed_by_the_peer(lab):
    client, server = lab.pair()
    server.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    wait_for_state(server, "fin_wait2")
    linger(client, 0)
    client.close()
    lab.active(chain(f"{ACTIVE} close_wait close"), reset("sent", "close", "tcp_state"),
               close="reset_sent", close_reason="linger0", closed_by="remote")
    lab.passive(chain(f"{PASSIVE} fin_wait1 fin_wait2"), reset("received", "fin_wait2"), chain("fin_wait2 close", cause="reset"),
                **RESET, closed_by="local")


@scenario(V4, V6, raw=True)
def linger_0_in_fin_wait1_sends_a_rst(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    linger(client, 0)
    client.close()
    peer.wait_for(RST | ACK)
    lab.active(chain(f"{ACTIVE} fin_wait1 close"), reset("sent", "close", "tcp_state"),
               **BY_US, close_reason="linger0")


@scenario(V4, V6, raw=True)
def linger_0_in_fin_wait2_sends_a_rst(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_state(client, "fin_wait2")
    linger(client, 0)
    client.close()
    peer.expect(RST | ACK)
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2 close", cause="reset"), reset("sent", "close", "tcp_state"),
               **BY_US, close_reason="linger0")


@scenario(V4, V6, raw=True)
def linger_0_in_last_ack_sends_nothing_and_is_an_orderly_end(lab):
    client, peer = lab.client_and_peer()
    peer.send(FIN | ACK)
    assert client.recv(1) == b""
    client.shutdown(socket.SHUT_WR)
    peer.wait_for(FIN | ACK)
    linger(client, 0)
    client.close()
    peer.expect_nothing(0.1)
    lab.active(chain(f"{ACTIVE} close_wait last_ack close"), close="fin", closed_by="remote")


@scenario(V4, V6, raw=True)
def linger_0_in_closing_sends_nothing_and_skips_time_wait(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    first = peer.expect(FIN | ACK)
    peer.send(FIN | ACK, ack=first.seq)
    peer.expect(ACK)
    linger(client, 0)
    client.close()
    peer.expect_nothing(0.1)
    lab.active(chain(f"{ACTIVE} fin_wait1 closing close"), close="fin", closed_by="both")


@scenario(V4, V6, raw=True)
def a_negative_linger2_resets_at_the_ack_of_the_fin(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_LINGER2, -1)
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    peer.wait_for(RST)
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2 close", cause="reset"), reset("sent", "close", "tcp_abort_on_data"),
               **BY_US, close_reason="linger2")


@scenario(V4, V6, raw=True)
def a_negative_linger2_resets_at_the_close_in_fin_wait2(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_LINGER2, -1)
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_state(client, "fin_wait2")
    client.close()
    peer.expect(RST | ACK)
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2 close", cause="reset"), reset("sent", "close", "tcp_abort_on_linger"),
               **BY_US, close_reason="linger2")


@scenario(V4, V6, MAPPED)
def a_close_with_unread_data_resets(lab):
    client, server = lab.pair()
    client.sendall(b"unread")
    wait_until(lambda: unacked(client) == 0, "ACK")
    server.close()
    _client_was_reset(lab, tx_bytes=6, tx_segs=1)
    lab.passive(chain(f"{PASSIVE} close"), reset("sent", "close", "tcp_abort_on_close"),
                **BY_US, close_reason="unread_data", rx_bytes=6, rx_segs=1)


@scenario(V4, V6, MAPPED)
def a_close_with_unread_data_after_shutdown_resets(lab):
    client, server = lab.pair()
    client.sendall(b"unread")
    server.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    wait_for_state(server, "fin_wait2")
    server.close()
    # The RST in CLOSE_WAIT is EPIPE.
    _client_was_reset(lab, "close_wait", error="EPIPE", tx_bytes=6, tx_segs=1)
    lab.passive(chain(f"{PASSIVE} fin_wait1 fin_wait2 close", cause="reset"), reset("sent", "close", "tcp_abort_on_close"),
                **BY_US, close_reason="unread_data", rx_bytes=6, rx_segs=1)


@scenario(V4, V6, raw=True)
def a_close_with_unread_data_in_fin_wait1_resets(lab):
    client, peer = lab.client_and_peer()
    peer.send(ACK, b"unread")
    peer.expect(ACK)
    client.shutdown(socket.SHUT_WR)
    peer.wait_for(FIN | ACK)
    client.close()
    peer.wait_for(RST | ACK)
    lab.active(chain(f"{ACTIVE} fin_wait1 close"), reset("sent", "close", "tcp_abort_on_close"),
               **BY_US, close_reason="unread_data", rx_bytes=6, rx_segs=1)


@scenario(V4, V6, raw=True)
def a_close_with_unread_data_after_the_peers_fin_resets(lab):
    client, peer = lab.client_and_peer()
    peer.send(ACK, b"unread")
    peer.send(FIN | ACK)
    wait_for_state(client, "close_wait")
    client.close()
    peer.wait_for(RST | ACK)
    lab.active(chain(f"{ACTIVE} close_wait close"), reset("sent", "close", "tcp_abort_on_close"),
               close="reset_sent", closed_by="remote", close_reason="unread_data", rx_bytes=6, rx_segs=1)


@scenario(V4, V6, raw=True)
def a_close_with_unread_data_in_last_ack_resets(lab):
    client, peer = lab.client_and_peer()
    peer.send(ACK, b"unread")
    peer.send(FIN | ACK)
    wait_for_state(client, "close_wait")
    client.shutdown(socket.SHUT_WR)
    peer.wait_for(FIN | ACK)
    client.close()
    peer.wait_for(RST | ACK)
    lab.active(chain(f"{ACTIVE} close_wait last_ack close"), reset("sent", "close", "tcp_abort_on_close"),
               close="reset_sent", closed_by="remote", close_reason="unread_data", rx_bytes=6, rx_segs=1)


@scenario(V4, V6, raw=True)
def a_close_with_unread_data_in_closing_resets(lab):
    client, peer = lab.client_and_peer()
    peer.send(ACK, b"unread")
    peer.expect(ACK)
    client.shutdown(socket.SHUT_WR)
    first = peer.wait_for(FIN | ACK)
    peer.send(FIN | ACK, ack=first.seq)
    wait_for_state(client, "closing")
    client.close()
    peer.wait_for(RST | ACK)
    lab.active(chain(f"{ACTIVE} fin_wait1 closing close"), reset("sent", "close", "tcp_abort_on_close"),
               close="reset_sent", closed_by="both", close_reason="unread_data", rx_bytes=6, rx_segs=1)


@scenario(V4, V6, raw=True)
def data_after_close_looks_like_a_received_rst_and_is_none(lab):
    client, peer = lab.client_and_peer()
    client.close()
    first = peer.expect(FIN | ACK)
    peer.send(ACK, b"too late", ack=first.seq)
    peer.expect(RST)
    lab.active(chain(f"{ACTIVE} fin_wait1 close"), reset("sent", "close", "tcp_abort_on_data"),
               **BY_US, close_reason="data_after_close", rx_bytes=one_of(0, 8), rx_segs=1)


@scenario(V4, V6, raw=True)
def a_fin_with_data_after_close_resets_too(lab):
    client, peer = lab.client_and_peer()
    client.close()
    first = peer.expect(FIN | ACK)
    peer.send(FIN | ACK, b"too late", ack=first.seq)
    peer.expect(RST)
    lab.active(chain(f"{ACTIVE} fin_wait1 close"), reset("sent", "close", "tcp_abort_on_data"),
               **BY_US, close_reason="data_after_close", rx_bytes=one_of(0, 8), rx_segs=1)


@scenario(V4, V6, raw=True)
def data_with_the_ack_of_the_fin_resets_too(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK, b"too late")
    peer.expect(RST)
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2 close", cause="reset"), reset("sent", "close", "tcp_abort_on_data"),
               **BY_US, close_reason="data_after_close", rx_bytes=one_of(0, 8), rx_segs=1)


@scenario(V4, V6, raw=True)
def data_to_a_socket_shut_down_both_ways_resets(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_RDWR)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_state(client, "fin_wait2")
    peer.send(ACK, b"too late")
    peer.expect(RST)
    client.close()
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2 close", cause="reset"), reset("sent", "close", "tcp_abort_on_data"),
               **BY_US, close_reason="data_after_close", rx_bytes=one_of(0, 8), rx_segs=1)


@scenario(V4, V6, raw=True)
def data_to_a_socket_shut_down_both_ways_in_fin_wait1_resets(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_RDWR)
    first = peer.expect(FIN | ACK)
    peer.send(ACK, b"too late", ack=first.seq)
    peer.expect(RST)
    client.close()
    lab.active(chain(f"{ACTIVE} fin_wait1 close"), reset("sent", "close", "tcp_abort_on_data"),
               **BY_US, close_reason="data_after_close", rx_bytes=one_of(0, 8), rx_segs=1)


@scenario(V4, V6)
def a_disconnect_resets_and_the_socket_lives_again(lab):
    listener = lab.listen()
    client = lab.connect()
    lab.accept(listener)
    disconnect(client)
    client.connect(lab.at(lab.remote, SERVER))
    lab.close_in_turn(client, lab.accept(listener))
    lab.active(chain(f"{ACTIVE} close"), reset("sent", "close", "tcp_state"), **BY_US, close_reason="disconnect")
    _server_was_reset(lab)
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2 time_wait"), close="fin", closed_by="local")
    lab.passive(chain(f"{PASSIVE} close_wait last_ack close"), close="fin", closed_by="remote")


@scenario(V4, V6, raw=True)
def a_disconnect_in_fin_wait1_resets(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    disconnect(client)
    peer.wait_for(RST | ACK)
    lab.active(chain(f"{ACTIVE} fin_wait1 close"), reset("sent", "close", "tcp_state"),
               **BY_US, close_reason="disconnect")


@scenario(V4, V6, raw=True)
def a_disconnect_in_fin_wait2_resets(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_state(client, "fin_wait2")
    disconnect(client)
    peer.wait_for(RST | ACK)
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2 close", cause="reset"), reset("sent", "close", "tcp_state"),
               **BY_US, close_reason="disconnect")


@scenario(V4, V6, raw=True)
def a_disconnect_after_the_peers_fin_is_closed_by_the_peer(lab):
    client, peer = lab.client_and_peer()
    peer.send(FIN | ACK)
    assert client.recv(1) == b""
    disconnect(client)
    peer.wait_for(RST | ACK)
    lab.active(chain(f"{ACTIVE} close_wait close"), reset("sent", "close", "tcp_state"),
               close="reset_sent", close_reason="disconnect", closed_by="remote")


@scenario(V4, V6, MAPPED)
def a_listener_that_closes_resets_its_waiting_children(lab):
    listener = lab.listen()
    for _ in range(2):
        lab.connect()
    wait_for_sockets("established", 4)
    listener.close()
    for _ in range(2):
        _client_was_reset(lab)
        lab.passive(chain(f"{PASSIVE} close"), reset("sent", "close", "tcp_state"),
                    **BY_US, close_reason="listener_closed")
    lab.of_listener(dict(event="state", old="listen", new="close", in_old_us=ANY_US))


# -- received ------------------------------------------------------------------

@scenario(V4, V6, raw=True)
def a_rst_in_syn_sent_is_a_refusal(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.send(RST | ACK, seq=0)
    assert lab.finish_connect(client) == "ECONNREFUSED"
    client.close()
    lab.active(chain("close syn_sent"), reset("received", "syn_sent"), chain("syn_sent close"),
               outcome="refused", error="ECONNREFUSED", **BY_PEER)


@scenario(V4, V6, MAPPED, raw=True)
def a_rst_in_established_is_received(lab):
    client, peer = lab.client_and_peer()
    peer.send(RST)
    wait_for_state(client, "close")
    client.close()
    _client_was_reset(lab)


@scenario(V4, V6, raw=True)
def a_rst_in_fin_wait1_is_received(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(RST)
    wait_for_state(client, "close")
    client.close()
    _client_was_reset(lab, "fin_wait1", closed_by="local")


@scenario(V4, V6, raw=True)
def a_rst_to_a_socket_shut_down_both_ways_is_received(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_RDWR)
    peer.expect(FIN | ACK)
    peer.send(RST)
    wait_for_state(client, "close")
    client.close()
    _client_was_reset(lab, "fin_wait1", closed_by="local")


@scenario(V4, V6, raw=True)
def a_rst_before_accept_is_received(lab):
    lab.listen()
    peer = lab.peer(5555, SERVER).connect()
    wait_for_sockets("established")
    peer.send(RST)
    _server_was_reset(lab, rport=5555)


@scenario(V4, V6, raw=True)
def a_rst_to_an_orphan_in_fin_wait1_is_received(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(RST)
    peer.expect_nothing(0.1)
    _client_was_reset(lab, "fin_wait1", closed_by="local")


@scenario(V4, V6, raw=True)
def a_rst_in_fin_wait2_is_received(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    peer.send(RST)
    wait_for_state(client, "close")
    client.close()
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2"), reset("received", "fin_wait2"), chain("fin_wait2 close", cause="reset"),
               **RESET, closed_by="local")


@scenario(V4, V6, raw=True)
def a_rst_to_an_orphan_in_a_long_fin_wait2_is_received(lab):
    client, peer = lab.client_and_peer()
    option(client, socket.TCP_LINGER2, 100)
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    peer.send(RST)
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2"), reset("received", "fin_wait2"), chain("fin_wait2 close", cause="reset"),
               **RESET, closed_by="local")


@scenario(V4, V6, raw=True)
def a_rst_in_close_wait_is_a_broken_pipe(lab):
    client, peer = lab.client_and_peer()
    peer.send(FIN | ACK)
    wait_for_state(client, "close_wait")
    peer.send(RST)
    wait_for_state(client, "close")
    client.close()
    _client_was_reset(lab, "close_wait", error="EPIPE")


@scenario(V4, V6, raw=True)
def a_rst_in_last_ack_is_received(lab):
    client, peer = lab.client_and_peer()
    peer.send(FIN | ACK)
    wait_for_state(client, "close_wait")
    client.close()
    peer.wait_for(FIN | ACK)
    peer.send(RST)
    lab.active(chain(f"{ACTIVE} close_wait last_ack"), reset("received", "last_ack"), chain("last_ack close"),
               **RESET, closed_by="remote")


@scenario(V4, V6, raw=True)
def a_rst_in_closing_is_received(lab):
    client, peer = lab.client_and_peer()
    client.close()
    first = peer.expect(FIN | ACK)
    peer.send(FIN | ACK, ack=first.seq)
    peer.expect(ACK)
    peer.send(RST)
    lab.active(chain(f"{ACTIVE} fin_wait1 closing"), reset("received", "closing"), chain("closing close"),
               **RESET, closed_by="both")


@scenario(V4, V6, raw=True)
def a_rst_out_of_sequence_is_challenged_and_not_believed(lab):
    client, peer = lab.client_and_peer()
    peer.send(RST, seq=peer.snd_nxt + 100)
    peer.expect(ACK)
    lab.close_by_kernel(client, peer)
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2 time_wait"), close="fin", closed_by="local")


# -- killed, and silent ----------------------------------------------------------

@scenario(V4, V6, MAPPED)
def a_killed_connection_resets_its_peer(lab):
    lab.pair()
    lab.kill("sport", "=", f":{SERVER}")
    _client_was_reset(lab)
    lab.passive(chain(PASSIVE), reset("sent", "established", "tcp_state"), chain("established close"),
                error="ECONNABORTED", close="killed", closed_by="local")


@scenario(V4, V6, raw=True)
def a_connect_that_is_killed_never_was(lab):
    peer = lab.peer()
    lab.start_connect()
    peer.expect(SYN)
    lab.kill("state", "syn-sent")
    lab.active(chain("close syn_sent close"), outcome="killed", error="ECONNABORTED",
               close="killed", closed_by="local")


@scenario(V4, V6, raw=True)
def a_connection_killed_in_close_wait_was_closed_by_the_peer(lab):
    client, peer = lab.client_and_peer()
    peer.send(FIN | ACK)
    wait_for_state(client, "close_wait")
    lab.kill("state", "close-wait")
    # contract: "killed is local", whoever sent a FIN before.
    lab.active(chain(f"{ACTIVE} close_wait"), reset("sent", "close_wait", "tcp_state"), chain("close_wait close"),
               error="ECONNABORTED", close="killed", closed_by="local")


@scenario(V4, V6, raw=True)
def an_orphan_killed_in_fin_wait1_resets(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    lab.kill("state", "fin-wait-1")
    if "fin_wait1" in states_here():
        lab.skip("this kernel kills no orphans")
    sent_again = Repeated(retransmit("fin", one_of("rto", "tlp"), "fin_wait1", 1), 0, 2)   # until ss has begun
    lab.active(chain(f"{ACTIVE} fin_wait1"), sent_again, reset("sent", "fin_wait1", "tcp_state"),
               chain("fin_wait1 close"), error="ECONNABORTED", close="killed", closed_by="local",
               fin_retrans=between(0, 2))


@scenario(V4, V6, raw=True)
def a_connection_killed_in_fin_wait2_has_no_cause(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_state(client, "fin_wait2")
    lab.kill("state", "fin-wait-2")
    lab.active(chain(f"{ACTIVE} fin_wait1 fin_wait2"), reset("sent", "fin_wait2", "tcp_state"),
               chain("fin_wait2 close"), error="ECONNABORTED", close="killed", closed_by="local")


@scenario(V4, V6, raw=True)
def a_socket_closed_under_repair_ends_in_silence(lab):
    client, peer = lab.client_and_peer()
    option(client, TCP_REPAIR, 1)
    client.close()
    peer.expect_nothing(0.1)
    lab.active(chain(f"{ACTIVE} close"), close="silent")


@scenario(V4, V6)
def an_mptcp_connection_that_is_aborted_gives_no_reason(lab):
    if not os.path.exists("/proc/sys/net/mptcp/enabled"):
        lab.skip("this kernel has no MPTCP")
    lab.netns.sysctl("net.mptcp.enabled", 1)
    listener = lab.listen(protocol=socket.IPPROTO_MPTCP)
    client = lab.socket(socket.IPPROTO_MPTCP)
    client.connect(lab.at(lab.remote, SERVER))
    server = lab.accept(listener)
    client.sendall(b"question")
    server.recv(100)
    linger(client, 0)
    client.close()
    try:
        wait_for_sockets("established", 0, seconds=5)
    except TimeoutError:
        lab.skip("this kernel closes no subflow of a connection that is aborted")
    _server_was_reset(lab, rx_bytes=8, rx_segs=1)
    # MPTCP sends its RST before it closes the subflow, whatever the reason.
    lab.active(chain(ACTIVE), reset("sent", "established", "tcp_abort_on_close"), chain("established close"),
               **BY_US, tx_bytes=8, tx_segs=1)
