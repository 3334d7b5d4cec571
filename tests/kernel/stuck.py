#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""conns --stuck: sockets that processes leak, and those whose peers are gone, each with
its owner, its descriptor, and an age that is never more than it is.

Needs root. Prints TAP. SYNFIN names the program.
"""

import contextlib
import os
import socket
import sys
import time

sys.dont_write_bytecode = True     # leave nothing in the tree

from peer import ACK, FIN, SYN
from process import Process
from sockets import cookie, wait_for_sockets, wait_for_state
from surveys import FAR, LOCAL, NEAR, Far, listen, new_netns, of, run, synfin

JIFFY = 0.011       # at 100 Hz, and then some
OLD = 1.0


def stuck(place, older="500ms", *words):
    return synfin(place, "conns", "--stuck", "--older", older, *words)


def wrong_age(one, began, until, exact=True):
    """began, until: when it came into its state, and when synfin had ended."""
    age, most = one["age_us"] / 1e6, until - began
    if age > most + JIFFY:
        yield f"older than {most:.3f} s: {one}"
    if exact and age < OLD * 0.9:
        yield f"it was {OLD} s and more: {one}"


def leak(port, count):
    """Accepts, and never closes what its peers have closed."""
    def function(pipe):
        with listen(port) as listener:
            pipe.send("listening")
            held = [listener.accept()[0] for _ in range(count)]
            pipe.send([(one.fileno(), cookie(one)) for one in held])
            pipe.recv()
    return function


def close_wait():
    """a server that leaks is found with pid and descriptors, by the age of its CLOSE_WAIT"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns())
        server = Process(place, "leaky", leak(7000, 3))
        stack.callback(server.end)
        server.answer()
        with place.inside():
            clients = [stack.enter_context(socket.create_connection((LOCAL, 7000))) for _ in range(3)]
            held = dict(server.answer())
            began = time.monotonic()
            for client in clients:
                client.shutdown(socket.SHUT_WR)
            wait_for_sockets("close_wait", 3)
        time.sleep(OLD)
        found = stuck(place)
        until = time.monotonic()
        young = stuck(place, "1h")
    leaked = of(found, "socket", state="close_wait")
    if {one.get("fd"): one["conn"] for one in leaked} != held:
        yield f"not the descriptors {held}: {leaked}"
    for one in leaked:
        if (one.get("pid"), one.get("comm"), one.get("owner_from"), one["lport"]) != (server.pid, "leaky", "fd", 7000):
            yield f"not leaky[{server.pid}]: {one}"
        if "orphan" in one:
            yield f"it has an owner: {one}"
        yield from wrong_age(one, began, until)
    half = of(found, "socket", state="fin_wait2")
    if {one.get("pid") for one in half} != {os.getpid()} or len(half) != 3:
        yield f"the other ends are mine, in FIN_WAIT2: {half}"
    for one in half:
        yield from wrong_age(one, began, until)
    if len(found) != 6 or young:
        yield f"more than these: {found} {young}"


def syn_sent():
    """a connect() that nobody answers"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns())
        Far(stack, place)
        began = time.monotonic()
        with place.inside():
            made = stack.enter_context(socket.socket())
            made.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                made.connect((FAR, 443))
        time.sleep(OLD)
        found = stuck(place)
        until = time.monotonic()
        if len(found) != 1:
            yield f"not one: {found}"
            return
        one, = found
        keys = {"state": "syn_sent", "conn": cookie(made), "raddr": FAR, "rport": 443, "fd": made.fileno(),
                "pid": os.getpid(), "laddr": NEAR, "netns": place.inode, "family": 4}
        wrong = {key: one.get(key) for key, value in keys.items() if one.get(key) != value}
        if wrong:
            yield f"{wrong}: {one}"
        yield from wrong_age(one, began, until)


def orphans():
    """closed sockets whose peers are silent: an orphan has no owner, and says so"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns())
        far = Far(stack, place)
        with place.inside():
            listener = stack.enter_context(listen(8080, address=NEAR))
            first = far.peer(20000, 8080).connect()
            closing = listener.accept()[0]
            second = far.peer(20001, 8080).connect()
            last = listener.accept()[0]
            began = time.monotonic()
            closing.close()                     # FIN_WAIT1: nobody acknowledges its FIN
            second.send(FIN | ACK)
            wait_for_state(last, "close_wait")
            last.close()                        # LAST_ACK: likewise
            first.expect(FIN | ACK)
            wait_for_sockets("fin_wait1")
            wait_for_sockets("last_ack")
        time.sleep(2 * OLD)
        found = stuck(place, "1s")
        until = time.monotonic()
    if sorted(one["state"] for one in found) != ["fin_wait1", "last_ack"]:
        yield f"not these two: {found}"
    for one in found:
        if one.get("orphan") is not True or {"pid", "comm", "fd", "owner_from"} & one.keys():
            yield f"nobody has it: {one}"
        yield from wrong_age(one, began, until)


def retransmits_before():
    """timeouts from before the close are not taken for the FIN's"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns())
        far = Far(stack, place)
        with place.inside():
            listener = stack.enter_context(listen(8080, address=NEAR))
            peer = far.peer(20000, 8080).connect()
            made = listener.accept()[0]
            made.send(b"data that nobody acknowledges")
            for _ in range(3):                  # the first, and two timeouts
                peer.expect(ACK)
            peer.send(ACK)
            began = time.monotonic()
            made.close()
            peer.wait_for(FIN | ACK)
            wait_for_sockets("fin_wait1")
        found = stuck(place, "1ms")
        until = time.monotonic()
    if [one["state"] for one in found] != ["fin_wait1"]:
        yield f"not in FIN_WAIT1: {found}"
    for one in found:
        yield from wrong_age(one, began, until, exact=False)


def healthy():
    """connections that are open, and those that are over, are not stuck; filters choose"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns())
        with place.inside():
            held = []
            for port in (7001, 7002):
                listener = stack.enter_context(listen(port))
                client = stack.enter_context(socket.create_connection((LOCAL, port)))
                server = stack.enter_context(listener.accept()[0])
                held.append((client, server))
            time.sleep(0.1)
            open_ones = stuck(place, "1ms")
            for client, _ in held:
                client.shutdown(socket.SHUT_WR)
            wait_for_sockets("close_wait", 2)
        time.sleep(0.1)
        for words, count in (([], 4), (["-L", "7001"], 1), (["-D", "7001"], 1), (["-6"], 0),
                             (["sport = :7001 or dport = :7001"], 2), (["state close-wait"], 2),
                             (["-p", str(os.getpid()), "exclude", "close-wait"], 2), (["-p", "1"], 0)):
            found = stuck(place, "50ms", *words)
            if len(found) != count:
                yield f"{words}: {len(found)} instead of {count}: {found}"
    if open_ones:
        yield f"stuck, though open: {open_ones}"


if __name__ == "__main__":
    sys.exit(run([close_wait, syn_sent, orphans, retransmits_before, healthy]))
