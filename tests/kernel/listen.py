#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""listen: queues of listening sockets against what was made to wait in them, by raw peers
that begin handshakes and do not end them, and by servers that do not accept.

Needs root. Prints TAP. SYNFIN names the program.
"""

import contextlib
import os
import socket
import sys
import time

sys.dont_write_bytecode = True     # leave nothing in the tree

from peer import ACK, SYN
from process import Process
from sockets import cookie
from surveys import LOCAL, NEAR, Far, listen, new_netns, of, run, synfin, wait_until

FLOOD = 40


def half_open(place):
    return len(place.ss("-Htan", "state", "syn-recv").splitlines())


def listener_at(found, port):
    one, = of(found, "listener", lport=port)
    return one


def expect(one, **keys):
    """What of the record is otherwise."""
    wrong = {key: one.get(key) for key, value in keys.items() if one.get(key) != value}
    if wrong:
        yield f"{wrong} instead of {keys}: {one}"


def flood():
    """half-open requests are counted at their listening socket, with the age of the oldest and the SYN-ACKs"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns(tcp_syncookies=0))
        far = Far(stack, place)
        with place.inside():
            stack.enter_context(listen(8080, address=NEAR, backlog=256))
            stack.enter_context(listen(9090, address=NEAR, backlog=256))
        begun = time.monotonic()
        for port in range(FLOOD):
            far.peer(20000 + port, 8080).send(SYN)
        wait_until(lambda: half_open(place) == FLOOD, f"{FLOOD} half-open")
        far.peer(30000, 9090).send(SYN)
        wait_until(lambda: half_open(place) == FLOOD + 1, "one more")
        early = synfin(place, "listen")
        wait_until(lambda: place.counters()["TcpExt.TCPSynRetrans"] > FLOOD, "every SYN-ACK sent again")
        before = time.monotonic()
        late = synfin(place, "listen")
    yield from expect(listener_at(early, 8080), half_open=FLOOD, half_open_acked=0, accept_queue=0,
                      accept_queue_limit=256, drops=0)
    yield from expect(listener_at(early, 9090), half_open=1, half_open_acked=0)
    one = listener_at(late, 8080)
    yield from expect(one, half_open=FLOOD)
    if one["synack_retrans"] < FLOOD:
        yield f"each SYN-ACK was sent again: {one}"
    if not (before - begun) * 1e6 * 0.5 <= one["half_open_oldest_us"] <= (time.monotonic() - begun) * 1e6:
        yield f"the oldest is of {before - begun:.3f} s ago: {one}"
    totals, = of(late, "listeners")
    yield from expect(totals, count=2, listen_overflows=0, listen_drops=0)


def slow_accept():
    """a server that does not accept has a full accept queue, and requests whose ACK came"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns(tcp_syncookies=0))
        far = Far(stack, place)
        with place.inside():
            stack.enter_context(listen(8080, address=NEAR, backlog=4))
        for number in range(4):
            far.peer(20000 + number, 8080).connect()
        late = [far.peer(21000 + number, 8080) for number in range(3)]
        for peer in late:       # there is room for one more
            peer.send(SYN)
            peer.expect(SYN | ACK)
        for peer in late:
            peer.send(ACK)
        wait_until(lambda: place.counters()["TcpExt.ListenOverflows"] >= 2, "third ACKs dropped")
        found = synfin(place, "listen")
        after = place.counters()
    one = listener_at(found, 8080)
    yield from expect(one, accept_queue=5, accept_queue_limit=4, half_open=2, half_open_acked=2)
    if one["drops"] < 2:
        yield f"two ACKs were dropped: {one}"
    totals, = of(found, "listeners")
    for key, name in (("listen_overflows", "ListenOverflows"), ("listen_drops", "ListenDrops")):
        if not 2 <= totals[key] <= after[f"TcpExt.{name}"]:
            yield f"{name} is {after[f'TcpExt.{name}']}: {totals}"


def cookies():
    """SYN cookies are counted, and leave no request"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns(tcp_syncookies=2))
        far = Far(stack, place)
        with place.inside():
            stack.enter_context(listen(8080, address=NEAR))
        peer = far.peer(20000, 8080)
        peer.connect()
        far.peer(20001, 8080).send(SYN)
        wait_until(lambda: place.counters()["TcpExt.SyncookiesSent"] == 2, "two cookies")
        wait_until(lambda: place.counters()["TcpExt.SyncookiesRecv"] == 1, "one of them back")
        found = synfin(place, "listen")
    yield from expect(listener_at(found, 8080), half_open=0, accept_queue=1)
    yield from expect(of(found, "listeners")[0], syncookies_sent=2, syncookies_recv=1, syncookies_failed=0)


def serve(port):
    def function(pipe):
        with listen(port) as made:
            pipe.send(cookie(made))
            pipe.recv()
    return function


def owners():
    """each listening socket has the process that holds it, of two on one port each its own"""
    with new_netns() as place, contextlib.ExitStack() as stack:
        servers = {}
        for name, port in (("one", 7001), ("two", 7002)):
            servers[name] = server = Process(place, name, serve(port))
            stack.callback(server.end)
            server.conn = server.answer()
        with place.inside():
            shared = [stack.enter_context(listen(7003, 4, LOCAL, socket.SO_REUSEPORT)) for _ in range(2)]
            waiting = []
            while len(waiting) < 3:
                waiting.append(stack.enter_context(socket.create_connection((LOCAL, 7003))))
        found = synfin(place, "listen")
        for name, port in (("one", 7001), ("two", 7002)):
            server = servers[name]
            yield from expect(listener_at(found, port), pid=server.pid, comm=name, uid=os.getuid(), owner_from="fd",
                              conn=server.conn, laddr=LOCAL, role="listener", netns=place.inode)
        both = of(found, "listener", lport=7003)
        if {one["conn"] for one in both} != {cookie(one) for one in shared} or sum(one["accept_queue"] for one in both) != 3:
            yield f"not 3 waiting at two sockets: {both}"


def dual_stack():
    """a listening socket on :: has the requests and connections of both families; filters choose"""
    with new_netns() as place, contextlib.ExitStack() as stack:
        with place.inside():
            stack.enter_context(listen(8080, address="::"))
            stack.enter_context(listen(9090))
            for address in (LOCAL, "::1", "::1"):
                stack.enter_context(socket.create_connection((address, 8080)))
        found = synfin(place, "listen")
        yield from expect(listener_at(found, 8080), laddr="::", family=6, accept_queue=3)
        for words, ports in ((["-4"], [9090]), (["-6"], [8080]), (["-L", "9000-10000"], [9090]),
                             (["sport = :9090 or sport = :1"], [9090]), (["src ::"], [8080]),
                             (["src 127.0.0.1"], [9090]), (["not", "src", "0.0.0.0/0"], [8080]),
                             (["dport != :443 sport > 8080"], [9090]), (["dst 10/8"], []), (["state established"], []),
                             (["-p", str(os.getpid()), "sport", "8080"], [8080]), (["-p", "1"], [])):
            told = of(synfin(place, "listen", *words), "listener")
            if [one["lport"] for one in told] != ports:
                yield f"{words}: {told} instead of {ports}"
            whole = {one["conn"]: {**one, "time": ""} for one in of(found, "listener")}
            if any({**one, "time": ""} != whole[one["conn"]] for one in told):
                yield f"{words}: a filter changed what is said: {told} instead of {found}"


def nobody():
    """where nobody listens there is no listener, and the totals are told all the same"""
    with new_netns() as place:
        found = synfin(place, "listen")
        if of(found, "listener") or [one["count"] for one in of(found, "listeners")] != [0]:
            yield f"{found}"


if __name__ == "__main__":
    sys.exit(run([flood, slow_accept, cookies, owners, dual_stack, nobody]))
