import errno, socket, time, os, threading, random
from expect import SERVER, chain, reset, retransmit, state, late_segment
from lab import MAPPED, V4, V6, scenario
from match import ABSENT, ANY_US, Optional, Repeated, at_least, between, one_of, PORT
from peer import ACK, FIN, RST, SYN, PSH
from sockets import *
from wait import wait_until

@scenario(V4, V6)
def a_connect_without_a_route_says_nothing(lab):
    made = lab.socket()
    address = "192.0.2.1" if lab.family == 4 else "2001:db8::1"
    assert made.connect_ex((address, 80)) == errno.ENETUNREACH
    made.close()

@scenario(V4, V6, raw=True, seconds=5, sysctl=[("tcp_syn_retries", 1), ("tcp_syn_linear_timeouts", 0)])
def a_simultaneous_open_that_is_never_acknowledged_times_out(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    assert lab.finish_connect(client) == "ETIMEDOUT"
    client.close()
    lab.active(chain("close syn_sent syn_recv"), Repeated(retransmit("synack", "rto", "syn_recv", 0), 1, 3), chain("syn_recv close"),
               outcome="timeout", error="ETIMEDOUT", close="timeout", synack_retrans=between(1, 3))

@scenario(V4, V6)
def a_bound_socket_that_connects_again_knows_its_port(lab):
    client = lab.socket()
    client.bind(lab.at(lab.local, 4000))
    assert client.connect_ex(lab.at(lab.remote, SERVER)) == errno.ECONNREFUSED
    listener = lab.listen()
    client.connect(lab.at(lab.remote, SERVER))
    lab.close_in_turn(client, lab.accept(listener))
    lab.active(chain("close syn_sent"), reset("received", "syn_sent"), chain("syn_sent close"), bound=True, lport=4000,
               outcome="refused", error="ECONNREFUSED", close="reset_received", closed_by="remote")
    lab.stray_reset(rport=4000)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 time_wait"), bound=True, lport=4000, close="fin", closed_by="local")
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=4000, close="fin", closed_by="remote")

@scenario(V4, V6, raw=True)
def a_socket_closed_in_syn_recv_sends_its_fin(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    client.close()
    peer.send(SYN | ACK, seq=peer.isn)
    peer.wait_for(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain("close syn_sent syn_recv fin_wait1 fin_wait2 time_wait"), close="fin", closed_by="local", handshake_us=ABSENT)

@scenario(V4, V6, raw=True)
def a_shutdown_in_syn_recv_waits_for_the_ack(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    client.shutdown(socket.SHUT_WR)
    peer.send(SYN | ACK, seq=peer.isn)
    peer.wait_for(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain("close syn_sent syn_recv established fin_wait1 fin_wait2 time_wait"), close="fin", closed_by="local")

def _fast_open(lab, data=b"early"):
    listener = lab.listen()
    option(listener, socket.TCP_FASTOPEN, 5)
    peer = lab.peer(5555, SERVER)
    peer.send(SYN, data)
    peer.expect(SYN | ACK)
    return listener, peer

@scenario(V4, V6, raw=True, sysctl=[("tcp_fastopen", 0x602)])
def a_fast_open_closed_with_unread_data_is_reset(lab):
    listener, peer = _fast_open(lab)
    lab.accept(listener).close()
    peer.wait_for(RST | ACK)
    lab.passive(chain("listen syn_recv close"), reset("sent", "close", "tcp_abort_on_close"), rport=5555,
                outcome="aborted", close="reset_sent", close_reason="unread_data", closed_by="local", rx_bytes=5, rx_segs=1)

@scenario(V4, V6, raw=True, sysctl=[("tcp_fastopen", 0x602)])
def a_fast_open_whose_listener_closes_is_reset(lab):
    listener, peer = _fast_open(lab)
    listener.close()
    peer.wait_for(RST | ACK)
    lab.of_listener(dict(event="state", old="listen", new="close", in_old_us=ANY_US))
    lab.passive(chain("listen syn_recv close"), reset("sent", "close", "tcp_state"), rport=5555,
                outcome="aborted", close="reset_sent", close_reason="listener_closed", closed_by="local", rx_bytes=5, rx_segs=1)

@scenario(V4, V6, raw=True, seconds=2, sysctl=[("tcp_fastopen", 0x602)])
def a_fast_opens_syn_ack_is_sent_again(lab):
    listener, peer = _fast_open(lab)
    peer.expect(SYN | ACK)
    peer.send(ACK)
    server = lab.accept(listener)
    server.recv(100)
    lab.close_by_peer(server, peer)
    lab.passive(chain("listen syn_recv"), retransmit("synack", ABSENT, "syn_recv", 0), chain("syn_recv established close_wait last_ack close"),
                rport=5555, close="fin", closed_by="remote", rx_bytes=5, rx_segs=1, synack_retrans=1, handshake_us=at_least(1), srtt_us=Optional(ANY_US), min_rtt_us=Optional(ANY_US))

@scenario(V4, V6, raw=True, sysctl=[("tcp_fastopen", 0x602)])
def a_fast_open_shut_down_before_the_third_ack_has_one_owner(lab):
    listener, peer = _fast_open(lab)
    server = lab.accept(listener)
    server.recv(100)
    server.shutdown(socket.SHUT_WR)
    peer.send(ACK)
    peer.wait_for(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.passive(chain("listen syn_recv established fin_wait1 fin_wait2 time_wait"), rport=5555, close="fin", closed_by="local", rx_bytes=5, rx_segs=1)

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
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555, close="fin", closed_by="remote")

@scenario(V4, V6)
def a_close_that_lingers_until_the_fin_is_acknowledged(lab):
    client, server = lab.pair()
    linger(client, 5)
    t = threading.Thread(target=client.close)
    t.start()
    assert server.recv(1) == b""
    server.close()
    t.join()
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 time_wait"), close="fin", closed_by="local", fin_wait2_orphan=Optional(True))
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), close="fin", closed_by="remote")

@scenario(V4, V6, raw=True, sysctl=[("tcp_max_tw_buckets", 1)])
def a_full_table_has_no_room_to_park(lab):
    lab.close_by_kernel(*lab.client_and_peer())
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 close", cause="overflow"), close="fin", closed_by="local", time_wait=ABSENT)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2"), state("fin_wait2", "close", cause="overflow"), close="orphan", closed_by="local", time_wait=ABSENT)

@scenario(V4, V6, raw=True, sysctl=[("tcp_max_tw_buckets", 1)])
def a_full_table_after_a_simultaneous_close(lab):
    lab.close_by_kernel(*lab.client_and_peer())
    client, peer = lab.client_and_peer()
    client.close()
    first = peer.expect(FIN | ACK)
    peer.send(FIN | ACK, ack=first.seq)
    peer.expect(ACK)
    peer.send(ACK)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 close", cause="overflow"), close="fin", closed_by="local", time_wait=ABSENT)
    lab.active(chain("close syn_sent established fin_wait1 closing close"), close="fin", closed_by="both", time_wait=ABSENT)

@scenario(V4, V6, raw=True)
def a_fin_with_data_to_an_orphan_in_fin_wait1_is_data_after_close(lab):
    client, peer = lab.client_and_peer()
    client.close()
    first = peer.expect(FIN | ACK)
    peer.send(FIN | ACK, b"too late", ack=first.seq)
    peer.expect(RST)
    lab.active(chain("close syn_sent established fin_wait1 close"), reset("sent", "close", "tcp_abort_on_data"),
               close="reset_sent", closed_by="local", close_reason="data_after_close", rx_bytes=one_of(0, 8), rx_segs=1)

@scenario(V4, V6, raw=True)
def data_to_a_socket_shut_down_both_ways_in_fin_wait1_resets(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_RDWR)
    first = peer.expect(FIN | ACK)
    peer.send(ACK, b"too late", ack=first.seq)
    peer.expect(RST)
    client.close()
    lab.active(chain("close syn_sent established fin_wait1 close"), reset("sent", "close", "tcp_abort_on_data"),
               close="reset_sent", closed_by="local", close_reason="data_after_close", rx_bytes=one_of(0, 8), rx_segs=1)

@scenario(V4, V6, raw=True)
def a_rst_to_a_socket_shut_down_both_ways_is_received(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_RDWR)
    peer.expect(FIN | ACK)
    peer.send(RST)
    wait_for_state(client, "close")
    client.close()
    lab.active(chain("close syn_sent established fin_wait1"), reset("received", "fin_wait1"), chain("fin_wait1 close"),
               close="reset_received", closed_by="local", error="ECONNRESET")

def _kill(lab, *w):
    killed = lab.netns.ss("-K", "-t", "-n", "-H", *w)
    assert killed.strip()

@scenario(V4, V6, raw=True, seconds=6, sysctl=[("tcp_fin_timeout", 1)])
def a_parked_socket_that_is_killed_is_an_orphan(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    _kill(lab, "state", "fin-wait-2")
    wait_for_sockets("fin_wait2", 0)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 close", cause="orphan"), close="orphan", closed_by="local", fin_wait2_orphan=True)

@scenario(V4, V6)
def a_killed_listener_resets_its_children(lab):
    listener = lab.listen()
    lab.connect()
    wait_for_sockets("established", 2)
    _kill(lab, "state", "listening")
    lab.of_listener(dict(event="state", old="listen", new="close", in_old_us=ANY_US))
    lab.active(chain("close syn_sent established"), reset("received", "established"), chain("established close"), close="reset_received", error="ECONNRESET", closed_by="remote")
    lab.passive(chain("listen syn_recv established close"), reset("sent", "close", "tcp_state"), close="reset_sent", close_reason="listener_closed", closed_by="local")

@scenario(V4, V6, raw=True)
def a_killed_orphan_in_fin_wait1(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    _kill(lab, "state", "fin-wait-1")
    lab.active(chain("close syn_sent established fin_wait1"), reset("sent", "fin_wait1", "tcp_state"), chain("fin_wait1 close"),
                error="ECONNABORTED", close="killed", closed_by="local")

@scenario(V4, V6, raw=True)
def a_killed_fin_wait2(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(1)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_state(client, "fin_wait2")
    _kill(lab, "state", "fin-wait-2")
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2"), reset("sent", "fin_wait2", "tcp_state"), chain("fin_wait2 close"),
                error="ECONNABORTED", close="killed", closed_by="local")

@scenario(V4, V6, raw=True)
def a_child_reset_before_it_is_accepted(lab):
    listener = lab.listen()
    peer = lab.peer(5555, SERVER).connect()
    wait_for_sockets("established")
    peer.send(RST)
    lab.passive(chain("listen syn_recv established"), reset("received", "established"), chain("established close"), rport=5555, close="reset_received", error="ECONNRESET", closed_by="remote")

@scenario(V4, V6, raw=True, sysctl=[("tcp_migrate_req", 1)])
def a_child_migrates_when_its_listener_closes(lab):
    a, b = lab.socket(), lab.socket()
    for one in (a, b):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(lab.at(lab.local, SERVER))
        one.listen(8)
        lab.expect_listener(state("close", "listen"))
    peer = lab.peer(5555, SERVER).connect()
    wait_for_sockets("established")
    a.setblocking(False); b.setblocking(False)
    mine, other = (a, b) if struct_unacked(a) else (b, a)
    mine.close()
    other.setblocking(True)
    server = lab.accept(other)
    lab.close_by_peer(server, peer)
    lab._lives[0].lines.append({**lab._lives[0].lines[0], **state("listen", "close", in_old_us=ANY_US)})
    lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=5555, close="fin", closed_by="remote")

def struct_unacked(l):
    return unacked(l)

@scenario(V4, V6, raw=True)
def a_new_syn_on_a_parked_tuple_is_answered_by_rst(lab):
    server, peer = lab.server_and_peer()
    server.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    peer.send(SYN, seq=peer.snd_nxt + 1000)
    peer.expect(RST | ACK)
    lab.passive(chain("listen syn_recv established fin_wait1 fin_wait2"), reset("sent", "fin_wait2", "tcp_timewait_socket"), late_segment("", "fin_wait2"),
               chain("fin_wait2 close", cause="reset"), rport=5555,
               close="reset_sent", closed_by="local", fin_wait2_orphan=True)

@scenario(V4, V6, raw=True, seconds=4, sysctl=[("tcp_early_retrans", 0)])
def an_attempt_dropped_by_the_qdisc_failed(lab):
    client, peer = lab.client_and_peer()
    client.sendall(b"hello")
    peer.expect(ACK, b"hello")
    from netns import command
    command("tc", "-n", lab.netns.name, "qdisc", "add", "dev", "veth0", "root", "tbf", "rate", "8bit", "burst", "10", "limit", "10")
    lab.wait_for_count("TcpExt.TCPRetransFail")
    command("tc", "-n", lab.netns.name, "qdisc", "del", "dev", "veth0", "root")
    peer.expect(ACK, b"hello")
    peer.send(ACK)
    lab.close_by_kernel(client, peer)
    lab.active(chain("close syn_sent established"), Repeated(retransmit("data", "rto", "established", 1, 5, error="ENOBUFS"),1,20),
               retransmit("data", "rto", "established", 1, 5),
               chain("established fin_wait1 fin_wait2 time_wait"), close="fin", closed_by="local", data_retrans=1, tx_bytes=5, tx_segs=between(2, 20))

@scenario(V4, V6, rto=0.2)
def a_lossy_path(lab):
    client, server = lab.pair()
    lab.netns.nft("table inet loss {\n chain c { type filter hook input priority 0;\n numgen random mod 100 < 8 drop\n }\n}\n")
    def send():
        client.sendall(b"x" * 2_000_000)
        client.shutdown(1)
    t = threading.Thread(target=send); t.start()
    while server.recv(65536):
        pass
    t.join()
    server.close()
    client.recv(1)
    lab.lose_nothing()
    client.close()
    lab.expect_any_lives()

@scenario(V4, V6)
def an_mptcp_fastclose(lab):
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
    time.sleep(.3)
    server.close()
    lab.expect_any_lives()

@scenario(V4, V6, raw=True)
def a_synack_with_data(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.send(SYN | ACK)
    peer.expect(ACK)
    peer.send(ACK, b"data")
    peer.expect(ACK)
    client.setblocking(True)
    assert client.recv(100) == b"data"
    lab.close_by_kernel(client, peer)
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 time_wait"), close="fin", closed_by="local", rx_bytes=4, rx_segs=1)

@scenario(V4, V6, raw=True)
def a_disconnect_in_syn_recv_resets(lab):
    peer = lab.peer()
    client = lab.start_connect()
    peer.expect(SYN)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    disconnect(client)
    peer.wait_for(RST | ACK)
    lab.active(chain("close syn_sent syn_recv close"), reset("sent", "close", "tcp_state"), outcome="aborted", close="reset_sent", close_reason="disconnect", closed_by="local")

@scenario(V4, V6, raw=True)
def a_rst_to_the_orphan_in_closing(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_RDWR)
    first = peer.expect(FIN | ACK)
    peer.send(FIN | ACK, ack=first.seq)
    peer.expect(ACK)
    peer.send(RST)
    wait_for_state(client, "close")
    lab.active(chain("close syn_sent established fin_wait1 closing"), reset("received", "closing"), chain("closing close"),
               close="reset_received", closed_by="both", error="ECONNRESET")
    client.close()

@scenario(V4, V6, raw=True)
def time_wait_killed(lab):
    client, peer = lab.client_and_peer()
    lab.close_by_kernel(client, peer)
    wait_for_sockets("time_wait")
    _kill(lab, "state", "time-wait")
    lab.active(chain("close syn_sent established fin_wait1 fin_wait2 time_wait"), close="fin", closed_by="local")

@scenario(V4, V6, raw=True)
def a_parked_socket_meets_an_old_fin_number(lab):
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    peer.send(FIN | ACK, seq=peer.snd_nxt + 5)
    peer.wait(0.1)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.expect_any_lives()

@scenario(V4, V6, raw=True, sysctl=[("tcp_fastopen", 0x602)])
def a_fast_open_that_is_killed(lab):
    listener, peer = _fast_open(lab)
    server = lab.accept(listener)
    _kill(lab, "state", "syn-recv")
    peer.wait_for(RST | ACK)
    lab.passive(chain("listen syn_recv"), reset("sent", "syn_recv", "tcp_state"), chain("syn_recv close"), rport=5555, outcome="killed", error="ECONNABORTED",
                close="killed", closed_by="local", rx_bytes=5, rx_segs=1)
