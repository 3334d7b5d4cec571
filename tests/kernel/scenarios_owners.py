# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose connection it is, where a softirq would name somebody else.

Over lo the sender's own system call delivers its segments, so the server's
transitions happen while the client runs, and the other way round.
"""

import os
import threading

from expect import chain
from lab import MAPPED, V4, V6, scenario
from sockets import wait_for_sockets

ACTIVE = "close syn_sent established fin_wait1 fin_wait2 time_wait"
PASSIVE = "listen syn_recv established close_wait last_ack close"
LOCAL = dict(close="fin", closed_by="local")
REMOTE = dict(close="fin", closed_by="remote")


@scenario(V4, V6, MAPPED)
def the_client_is_never_named_as_the_server(lab):
    listener = lab.listen()

    def connect():
        client = lab.connect()
        client.sendall(b"question")
        client.shutdown(1)
        assert client.recv(100) == b"answer" and client.recv(100) == b""
        client.close()

    pid = lab.process(connect, "test-client")
    server = lab.accept(listener)
    assert server.recv(100) == b"question" and server.recv(100) == b""
    server.sendall(b"answer")
    server.close()
    lab.wait(pid)
    lab.active(chain(ACTIVE), owner=pid, **LOCAL, tx_bytes=8, tx_segs=1, rx_bytes=6, rx_segs=1)
    lab.passive(chain(PASSIVE), **REMOTE, tx_bytes=6, tx_segs=1, rx_bytes=8, rx_segs=1)


@scenario(V4, V6)
def a_process_that_accepts_for_its_parent_owns_the_connection(lab):
    listener = lab.listen()

    def serve():
        server, _ = listener.accept()
        assert server.recv(100) == b"question" and server.recv(100) == b""
        server.close()

    pid = lab.process(serve, "test-worker")
    client = lab.connect()
    client.sendall(b"question")
    client.shutdown(1)
    assert client.recv(1) == b""
    client.close()
    lab.wait(pid)
    lab.active(chain(ACTIVE), **LOCAL, tx_bytes=8, tx_segs=1)
    # Until it is proved who accepted, the listener's owner may stand in.
    lab.passive(chain(PASSIVE), owner=pid, **REMOTE, rx_bytes=8, rx_segs=1)


@scenario(V4, V6)
def who_closes_last_does_not_become_the_owner(lab):
    client, server = lab.pair()
    go_r, go_w = os.pipe()

    def close():
        os.read(go_r, 1)            # not before the parent has closed its own
        client.close()

    pid = lab.process(close, "test-closer")
    client.close()
    os.write(go_w, b"!")
    lab.wait(pid)
    assert server.recv(1) == b""
    wait_for_sockets("fin_wait2")
    server.close()
    lab.active(chain(ACTIVE), fin_wait2_orphan=True, **LOCAL)
    lab.passive(chain(PASSIVE), **REMOTE)


@scenario(V4, V6)
def a_threads_connection_is_its_process_s(lab):
    listener = lab.listen()
    clients = []

    def connect():
        with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as file:
            file.write("test-thread")
        clients.append(lab.connect())

    thread = threading.Thread(target=connect)
    thread.start()
    thread.join()
    lab.close_in_turn(clients[0], lab.accept(listener))
    lab.active(chain(ACTIVE), **LOCAL)
    lab.passive(chain(PASSIVE), **REMOTE)
