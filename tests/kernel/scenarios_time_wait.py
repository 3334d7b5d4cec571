# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of TIME_WAIT, and of sockets parked in FIN_WAIT2."""

import socket
import time

import features
from expect import SERVER, chain, late_segment, reset
from lab import V4, V6, scenario
from match import ABSENT, at_least
from peer import ACK, FIN, RST, SYN
from sockets import disconnect, wait_for_sockets

ACTIVE = "close syn_sent established fin_wait1 fin_wait2"
PASSIVE = "listen syn_recv established fin_wait1 fin_wait2"
LOCAL = dict(close="fin", closed_by="local")
REMOTE = dict(close="fin", closed_by="remote")
PARKED = dict(fin_wait2_orphan=True)


def _in_time_wait(lab):
    """A raw peer whose client is in TIME_WAIT."""
    client, peer = lab.client_and_peer()
    lab.close_by_kernel(client, peer)
    wait_for_sockets("time_wait")
    return peer


def _parked(lab):
    """A raw peer whose client is parked in FIN_WAIT2."""
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    return peer


@scenario(V4, V6, raw=True)
def the_peers_fin_again_means_that_our_last_ack_was_lost(lab):
    peer = _in_time_wait(lab)
    peer.send(FIN | ACK, seq=peer.snd_nxt - 1)
    peer.expect(ACK)
    lab.active(chain(f"{ACTIVE} time_wait"), late_segment("fin ack", "time_wait"), **LOCAL)


@scenario(V4, V6, raw=True)
def a_late_ack_meets_time_wait(lab):
    peer = _in_time_wait(lab)
    peer.send(ACK)
    lab.active(chain(f"{ACTIVE} time_wait"), late_segment("ack", "time_wait"), **LOCAL)


@scenario(V4, V6, raw=True)
def late_data_meets_time_wait(lab):
    peer = _in_time_wait(lab)
    peer.send(ACK, b"late", seq=peer.snd_nxt - 1)
    peer.expect(ACK)
    lab.active(chain(f"{ACTIVE} time_wait"), late_segment("ack data", "time_wait"), **LOCAL)


@scenario(V4, V6, raw=True)
def a_rst_ends_time_wait(lab):
    peer = _in_time_wait(lab)
    peer.send(RST)
    lab.active(chain(f"{ACTIVE} time_wait"), late_segment("rst", "time_wait"),
               chain("time_wait close", cause="reset"), **LOCAL)


@scenario(V4, V6, raw=True)
def a_rst_out_of_sequence_does_not_end_time_wait(lab):
    peer = _in_time_wait(lab)
    peer.send(RST, seq=peer.snd_nxt + 1)
    peer.send(FIN | ACK, seq=peer.snd_nxt - 1)
    peer.expect(ACK)
    lab.active(chain(f"{ACTIVE} time_wait"), late_segment("rst", "time_wait"),
               late_segment("fin ack", "time_wait"), **LOCAL)


@scenario(V4, V6, raw=True, sysctl=[("tcp_rfc1337", 1)])
def a_rst_does_not_end_time_wait_under_rfc1337(lab):
    peer = _in_time_wait(lab)
    peer.send(RST)
    peer.send(FIN | ACK, seq=peer.snd_nxt - 1)
    peer.expect(ACK)
    lab.active(chain(f"{ACTIVE} time_wait"), late_segment("rst", "time_wait"),
               late_segment("fin ack", "time_wait"), **LOCAL)


@scenario(V4, V6, raw=True)
def a_new_syn_on_the_tuple_replaces_time_wait(lab):
    server, peer = lab.server_and_peer()
    lab.close_by_kernel(server, peer)
    wait_for_sockets("time_wait")
    lab.peer(5555, SERVER, isn=500_000).connect()
    # It ended with the SYN, and was known to have with the third ACK.
    lab.passive(chain(f"{PASSIVE} time_wait"), chain("time_wait close", cause="reused", in_old_us=ABSENT),
                rport=5555, **LOCAL)
    lab.passive(chain("listen syn_recv established"), rport=5555, close="still_open")


@scenario(V4, V6, raw=True)
def an_old_syn_meets_time_wait_and_is_only_acknowledged(lab):
    server, peer = lab.server_and_peer()
    lab.close_by_kernel(server, peer)
    wait_for_sockets("time_wait")
    peer.send(SYN, seq=peer.isn - 100)
    peer.expect(ACK)
    # contract: flags are fin, rst, ack, data; a bare SYN has none of them.
    lab.passive(chain(f"{PASSIVE} time_wait"), late_segment("", "time_wait"), rport=5555, **LOCAL)


@scenario(V4, V6, seconds=2, sysctl=[("ip_local_port_range", "40000 40000"), ("tcp_tw_reuse", 1)])
def a_connect_reuses_time_wait(lab):
    listener = lab.listen()
    client = lab.connect()
    lab.close_in_turn(client, lab.accept(listener))
    time.sleep(1.2)                 # tcp_tw_reuse_delay
    client = lab.connect()
    lab.close_in_turn(client, lab.accept(listener))
    for end in [chain("time_wait close", cause="reused", in_old_us=at_least(1.1))], []:
        lab.active(chain(f"{ACTIVE} time_wait"), *end, lport=40000, **LOCAL)
        lab.passive(chain("listen syn_recv established close_wait last_ack close"), rport=40000, **REMOTE)


@scenario(V4, V6)
def a_port_used_again_is_a_new_connection(lab):
    listener = lab.listen()
    for _ in range(2):
        client = lab.connect(bind=4000)
        lab.close_in_turn(lab.accept(listener), client)
    for end in [chain("time_wait close", cause="reused", in_old_us=ABSENT)], []:
        lab.active(chain("close syn_sent established close_wait last_ack close"), bound=True, lport=4000, **REMOTE)
        lab.passive(chain(f"{PASSIVE} time_wait"), *end, rport=4000, **LOCAL)


@scenario(V4, V6, raw=True, sysctl=[("tcp_max_tw_buckets", 2)])
def a_full_table_leaves_time_wait_unknown(lab):
    for _ in range(4):
        lab.close_by_kernel(*lab.client_and_peer())
    # The second takes the last place, and reads the same gauge as those that
    # find none: whether it is in TIME_WAIT cannot be known either.
    lab.active(chain(f"{ACTIVE} time_wait"), **LOCAL)
    for _ in range(3):
        lab.active(chain(f"{ACTIVE} close", cause="overflow"), **LOCAL, time_wait=ABSENT)


@scenario(V4, V6, raw=True, sysctl=[("tcp_max_tw_buckets", 1)])
def a_full_table_leaves_time_wait_unknown_after_closing_too(lab):
    lab.close_by_kernel(*lab.client_and_peer())
    client, peer = lab.client_and_peer()
    client.close()
    first = peer.expect(FIN | ACK)
    peer.send(FIN | ACK, ack=first.seq)
    peer.expect(ACK)
    peer.send(ACK)
    lab.active(chain(f"{ACTIVE} close", cause="overflow"), **LOCAL, time_wait=ABSENT)
    lab.active(chain("close syn_sent established fin_wait1 closing close", cause="overflow"),
               close="fin", closed_by="both", time_wait=ABSENT)


@scenario(V4, V6, raw=True, sysctl=[("tcp_max_tw_buckets", 1)])
def a_full_table_has_no_room_to_park(lab):
    lab.close_by_kernel(*lab.client_and_peer())
    client, peer = lab.client_and_peer()
    client.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    lab.active(chain(f"{ACTIVE} close", cause="overflow"), **LOCAL, time_wait=ABSENT)
    lab.active(chain(f"{ACTIVE} close", cause="overflow"), close="orphan", closed_by="local", time_wait=ABSENT)


@scenario(V4, V6, raw=True)
def a_late_fin_of_the_last_life_keeps_its_own_addresses(lab):
    client, peer = lab.client_and_peer()
    client.shutdown(socket.SHUT_WR)
    peer.expect(FIN | ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    wait_for_sockets("time_wait")
    disconnect(client)
    other = lab.peer(81)
    lab.start_connect(81, made=client)
    other.accept()
    assert lab.finish_connect(client) is None
    peer.send(FIN | ACK, seq=peer.snd_nxt - 1)
    peer.expect(ACK)
    late = late_segment("fin ack", "time_wait") | dict(rport=SERVER)
    # Both lives have the socket's cookie, if there is one.
    first, second = ([], [late]) if features.has_cookies() else ([late], [])
    lab.active(chain(f"{ACTIVE} time_wait"), *first, **LOCAL)
    lab.active(chain("close syn_sent established"), *second, rport=81, close="still_open")


@scenario(V4, V6, raw=True, seconds=8)
def time_wait_that_is_killed_has_ended_early(lab):
    for _ in range(2):
        lab.close_by_kernel(*lab.client_and_peer())
    wait_for_sockets("time_wait", 2)
    lab.kill("state", "time-wait")
    # Nobody says that they are gone, but the next to close shows that they are.
    lab.close_by_kernel(*lab.client_and_peer())
    for end in [chain("time_wait close", cause="early")], [chain("time_wait close", cause="early")], []:
        lab.active(chain(f"{ACTIVE} time_wait"), *end, **LOCAL)


@scenario(V4, V6, raw=True, seconds=70, alone=True)
def time_wait_expires_after_a_minute(lab):
    peer = _in_time_wait(lab)
    time.sleep(1)
    peer.send(FIN | ACK, seq=peer.snd_nxt - 1)      # and begins anew
    peer.expect(ACK)
    time.sleep(58)
    wait_for_sockets("time_wait", 0)
    lab.active(chain(f"{ACTIVE} time_wait"), late_segment("fin ack", "time_wait"),
               chain("time_wait close", cause="expired"), **LOCAL)


# -- parked in FIN_WAIT2 -------------------------------------------------------

@scenario(V4, V6, raw=True)
def an_ack_to_a_parked_socket_changes_nothing(lab):
    peer = _parked(lab)
    peer.send(ACK)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    lab.active(chain(ACTIVE), late_segment("ack", "fin_wait2"), chain("fin_wait2 time_wait"), **LOCAL, **PARKED)


@scenario(V4, V6, raw=True)
def the_fin_to_a_parked_socket_again_is_late(lab):
    peer = _parked(lab)
    peer.send(FIN | ACK)
    peer.expect(ACK)
    peer.send(FIN | ACK, seq=peer.snd_nxt - 1)
    peer.expect(ACK)
    lab.active(chain(f"{ACTIVE} time_wait"), late_segment("fin ack", "time_wait"), **LOCAL, **PARKED)


@scenario(V4, V6, raw=True)
def a_rst_to_a_parked_socket_ends_it(lab):
    peer = _parked(lab)
    peer.send(RST)
    # No errno: there is no socket left to hold it.
    lab.active(chain(ACTIVE), late_segment("rst", "fin_wait2"), chain("fin_wait2 close", cause="reset"),
               close="reset_received", closed_by="local", **PARKED)


@scenario(V4, V6, raw=True)
def data_to_a_parked_socket_is_answered_by_rst(lab):
    peer = _parked(lab)
    peer.send(ACK, b"too late")
    peer.expect(RST)
    _reset_when_parked(lab, "ack data")


@scenario(V4, V6, raw=True)
def a_fin_with_data_to_a_parked_socket_is_answered_by_rst(lab):
    peer = _parked(lab)
    peer.send(FIN | ACK, b"too late")
    peer.expect(RST)
    _reset_when_parked(lab, "fin ack data")


def _dies_unseen():
    """Neither the segment that ends a parked socket is told, nor the RST that answers it."""
    return not features.names_mini_sockets() and not features.names_reset_reasons()


def _reset_when_parked(lab, flags):
    if _dies_unseen() and "fin" not in flags:
        lab.active(chain(ACTIVE), close="orphan", closed_by="local", **PARKED)
        return
    lab.active(chain(ACTIVE), reset("sent", "fin_wait2", "tcp_timewait_socket"), late_segment(flags, "fin_wait2"),
               chain("fin_wait2 close", cause="reset"),
               close="reset_sent", close_reason="data_after_close", closed_by="local", **PARKED)


@scenario(V4, V6, raw=True)
def a_fin_behind_lost_data_is_answered_by_rst(lab):
    peer = _parked(lab)
    peer.send(FIN | ACK, seq=peer.snd_nxt + 5)
    peer.expect(RST)
    _reset_when_parked(lab, "fin ack")


@scenario(V4, V6, raw=True)
def a_new_syn_to_a_parked_socket_is_no_data_after_close(lab):
    server, peer = lab.server_and_peer()
    server.close()
    peer.expect(FIN | ACK)
    peer.send(ACK)
    wait_for_sockets("fin_wait2")
    peer.send(SYN, seq=peer.snd_nxt + 1000)
    peer.expect(RST | ACK)
    if _dies_unseen():
        lab.passive(chain(PASSIVE), rport=5555, close="orphan", closed_by="local", **PARKED)
        return
    lab.passive(chain(PASSIVE), reset("sent", "fin_wait2", "tcp_timewait_socket"), late_segment("", "fin_wait2"),
                chain("fin_wait2 close", cause="reset"), rport=5555, close="reset_sent", closed_by="local", **PARKED)


@scenario(V4, V6, raw=True, seconds=6, sysctl=[("tcp_fin_timeout", 1)])
def a_parked_socket_that_is_killed_is_an_orphan(lab):
    _parked(lab)
    lab.kill("state", "fin-wait-2")
    # Nobody says that it is gone: its time runs out.
    lab.active(chain(f"{ACTIVE} close", cause="orphan"), close="orphan", closed_by="local", **PARKED)
