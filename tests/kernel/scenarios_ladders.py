# SPDX-License-Identifier: GPL-2.0-or-later
"""What textbooks draw of TCP, with both ends in the kernel: most of these are
what `synfin explain --scenarios` shows."""

import socket
import struct
import time

from expect import SERVER, chain, late_segment, reset, retransmit
from lab import NO_TLP, PURE_ACKS, V4, V6, scenario
from match import Optional, Repeated, at_least, between, one_of
from peer import SYN, checksum
from sockets import wait_for_sockets, wait_for_state

ACTIVE = "close syn_sent established fin_wait1 fin_wait2 time_wait"
PASSIVE = "listen syn_recv established close_wait last_ack close"
LOCAL = dict(close="fin", closed_by="local")
REMOTE = dict(close="fin", closed_by="remote")


@scenario(V4, V6)
def a_handshake_and_no_more_is_still_open(lab):
    lab.pair()
    time.sleep(0.1)
    lab.active(chain("close syn_sent established"), close="still_open")
    lab.passive(chain("listen syn_recv established"), close="still_open")


@scenario(V4, V6, seconds=2)
def a_third_ack_that_is_lost_is_made_up_for_by_the_second_syn_ack(lab):
    listener = lab.listen()
    lab.drop(PURE_ACKS)
    client = lab.connect()
    time.sleep(0.1)
    lab.lose_nothing()
    lab.close_in_turn(client, lab.accept(listener))
    lab.active(chain(ACTIVE), **LOCAL)
    lab.passive(retransmit("synack", "rto", "syn_recv", 0), chain(PASSIVE), **REMOTE,
                synack_retrans=1, handshake_us=at_least(0.9))


@scenario(V4, V6, seconds=10, sysctl=[("tcp_synack_retries", 2)])
def a_client_whose_third_acks_are_lost_believes_it_is_connected(lab):
    lab.listen()
    lab.drop(PURE_ACKS)
    lab.connect()
    time.sleep(9.5)     # 1, 2 and 4 s, and what synfin adds before it gives the request up
    lab.active(chain("close syn_sent established"), close="still_open")
    lab.half_open([retransmit("synack", "rto", "syn_recv", 0)] * 2, outcome="no_ack", synack_retrans=2)


@scenario(V4, V6, seconds=5, sysctl=[("tcp_synack_retries", 1)])
def a_client_whose_third_acks_are_lost_is_reset_when_it_writes(lab):
    # It was told that it is connected: this is no refusal.
    lab.listen()
    lab.drop(PURE_ACKS)
    client = lab.connect()
    wait_for_sockets("syn_recv", 0)
    time.sleep(1)       # which synfin adds before it gives the request up
    lab.lose_nothing()
    client.send(b"is anybody there?")
    wait_for_sockets("established", 0)
    lab.active(chain("close syn_sent established"), reset("received", "established"), chain("established close"),
               error="ECONNRESET", close="reset_received", closed_by="remote", tx_segs=1)
    lab.half_open(retransmit("synack", "rto", "syn_recv", 0), outcome="no_ack", synack_retrans=1)
    lab.stray_reset("tcp_flags", "listen")


@scenario(V4, seconds=2)
def an_old_duplicate_syn_is_undone_by_a_rst(lab):
    """RFC 9293, figure 8."""
    listener = lab.listen()
    lab.drop(f"tcp dport {SERVER} tcp flags & (syn | ack) == syn")
    client = lab.start_connect(bind=4000)
    time.sleep(0.05)
    lab.lose_nothing()
    _old_syn(lab, 4000)
    assert lab.finish_connect(client) is None
    lab.close_in_turn(client, lab.accept(listener))
    lab.active(chain("close syn_sent"), reset("sent", "syn_sent", "tcp_invalid_ack_sequence"),
               retransmit("syn", "rto", "syn_sent", 0),
               chain("syn_sent established fin_wait1 fin_wait2 time_wait"), bound=True, lport=4000, **LOCAL,
               syn_retrans=1)
    lab.passive(chain(PASSIVE), rport=4000, **REMOTE)


def _old_syn(lab, port):
    """A SYN of an earlier connection, which the network has kept for long."""
    addresses = socket.inet_aton(lab.local) + socket.inet_aton(lab.remote)
    segment = bytearray(struct.pack("!HHIIBBHHH", port, SERVER, 90, 0, 5 << 4, SYN, 65535, 0, 0))
    struct.pack_into("!H", segment, 16, checksum(addresses + struct.pack("!HH", socket.IPPROTO_TCP, 20) + segment))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.sendto(segment, (lab.remote, 0))


@scenario(V4, V6)
def a_close_in_four_segments_has_its_ack_apart(lab):
    client, server = lab.pair()
    client.sendall(b"request")
    assert server.recv(100) == b"request"
    server.sendall(b"the reply")
    assert client.recv(100) == b"the reply"
    client.shutdown(socket.SHUT_WR)
    wait_for_state(client, "fin_wait2")     # once the delayed ACK has come
    server.close()
    while client.recv(100):
        pass
    client.close()
    lab.active(chain(ACTIVE), **LOCAL, tx_bytes=7, tx_segs=1, rx_bytes=9, rx_segs=1)
    lab.passive(chain(PASSIVE), **REMOTE, tx_bytes=9, tx_segs=1, rx_bytes=7, rx_segs=1)


@scenario(V4, V6, sysctl=[NO_TLP])
def fins_that_cross_take_both_ends_through_closing(lab):
    client, server = lab.pair()
    lab.slow_down()     # each FIN is still on its way when the other is sent
    client.close()
    server.close()
    wait_for_sockets("time_wait", 2)
    lab.active(chain("close syn_sent established fin_wait1 closing time_wait"), close="fin", closed_by="both")
    lab.passive(chain("listen syn_recv established fin_wait1 closing time_wait"), close="fin", closed_by="both")


@scenario(V4, V6, seconds=2)
def a_last_ack_that_is_lost_is_asked_for_by_the_fin_again(lab):
    client, server = lab.pair()
    client.close()
    wait_for_sockets("fin_wait2")
    lab.drop(PURE_ACKS)
    server.close()
    wait_for_sockets("time_wait")
    lab.lose_nothing()
    wait_for_sockets("last_ack", 0)
    # How often it asks is the machine's affair, too.
    lab.active(chain(ACTIVE), Repeated(late_segment("fin ack", "time_wait"), 1, 4), **LOCAL, fin_wait2_orphan=Optional(True))
    lab.passive(chain("listen syn_recv established close_wait last_ack"),
                Repeated(retransmit("fin", one_of("rto", "tlp"), "last_ack", 1), 1, 4), chain("last_ack close"), **REMOTE,
                fin_retrans=between(1, 4))
