#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""timewait: its counts against ss and sockstat, its groups and port spaces against what
was made, its forecast against the EADDRNOTAVAIL that comes.

Needs root. Prints TAP. SYNFIN names the program, TIMEWAITS what makes many.
"""

import contextlib
import errno
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True     # leave nothing in the tree

from peer import ACK, FIN, RST, SYN
from surveys import LOCAL, NEAR, SYNFIN, Far, Repeating, listen, new_netns, of, records, run, synfin, told, wait_until

TIMEWAITS = os.environ.get("TIMEWAITS", "build/tests/timewaits")
IP_BIND_ADDRESS_NO_PORT = 24
MANY = 60_000
RANGE = (41000, 41099)
FILL_PER_S = 25


def sockstat(place):
    """(TIME_WAIT and FIN_WAIT2 mini-sockets, by the kernel's own count.)"""
    with place.inside(), open("/proc/thread-self/net/sockstat") as file:
        return int(re.search(r"^TCP:.* tw (\d+)", file.read(), re.MULTILINE)[1])


def by_ss(place, state):
    return len(place.ss("-Htan", "state", state).splitlines())


def connect(port, address=LOCAL, source=None):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if source:
        made.bind(source)
    made.connect((address, port))
    return made


def close_first(first, second):
    """Orderly: the first enters TIME_WAIT."""
    first.shutdown(socket.SHUT_WR)
    second.recv(1)
    second.close()
    first.recv(1)
    first.close()


def finish(port, count, listener, address=LOCAL, by_server=False):
    """So many connections that are over."""
    for _ in range(count):
        client = connect(port, address)
        server, _ = listener.accept()
        close_first(*((server, client) if by_server else (client, server)))


def wrong_count(place, count):
    before = sockstat(place)
    found = synfin(place, "timewait")
    after = sockstat(place)
    tables = of(found, "time_wait")
    if len(tables) != 1 or tables[0]["netns"] != place.inode:
        yield f"not one time_wait of the namespace: {tables}"
        return
    table, = tables
    if not before == after == by_ss(place, "time-wait") == count:
        yield f"{before}, {after} and {by_ss(place, 'time-wait')} instead of {count} were made: this shows nothing"
    if table["count"] != count or table["fin_wait2"] != 0:
        yield f"{count} are there: {table}"
    if len(table["left_us_buckets"]) != 12 or sum(table["left_us_buckets"]) != count:
        yield f"the buckets are not {count} in 12: {table}"
    if table["overflows"] != 0 or "entered_per_s" in table:
        yield f"overflows, or a rate: {table}"
    for by in ("remote", "local_port"):
        groups = of(found, "time_wait_group", by=by)
        if sum(group["count"] for group in groups) != count:
            yield f"groups by {by} do not add up to {count}: {groups}"


def counts():
    """0, 1 and 1000 are counted as ss and sockstat count them"""
    with new_netns(tcp_tw_reuse=0) as place:
        with place.inside():
            listener = listen(8080)
        made = 0
        for count in (0, 1, 1000):
            with place.inside():
                finish(8080, count - made, listener)
            made = count
            yield from wrong_count(place, count)
        with place.inside():
            listener.close()


def many():
    """60000 are counted as ss and sockstat count them"""
    with new_netns(tcp_tw_reuse=0) as place:
        place.sysctl("tcp_max_tw_buckets", 2 * MANY)
        place.sysctl("ip_local_port_range", "1024 65535")
        subprocess.run(["ip", "netns", "exec", place.name, TIMEWAITS, str(MANY)], check=True, timeout=60)
        found = synfin(place, "timewait")
        table, = of(found, "time_wait")
        counted, listed = sockstat(place), by_ss(place, "time-wait")
        if not counted == listed == MANY:
            yield f"{counted} and {listed} instead of {MANY}: this shows nothing"
        if table["count"] + table["fin_wait2"] != counted:
            yield f"{counted} are there: {table}"


def groups():
    """groups by remote address and by local port are what was made, IPv6 and mapped ones too"""
    wanted = {("127.0.0.2", 8080): 3, ("127.0.0.3", 8080): 5, ("::1", 9090): 4, ("::ffff:127.0.0.4", 9090): 2}
    with new_netns(tcp_tw_reuse=0) as place:
        with place.inside(), listen(8080, address="0.0.0.0") as four, listen(9090, address="::") as six:
            for (address, port), count in wanted.items():
                finish(port, count, four if port == 8080 else six, address)
            finish(8080, 7, four, "127.0.0.5", by_server=True)
        found = synfin(place, "timewait")
        remotes = {group["raddr"]: group["count"] for group in of(found, "time_wait_group", by="remote")}
        expected = {"127.0.0.2": 3, "127.0.0.3": 5, "::1": 4, "127.0.0.4": 2}
        expected["127.0.0.1"] = 7       # whom the server waits for
        if remotes != expected:
            yield f"by remote: {remotes} instead of {expected}"
        ports = {group["lport"]: group["count"] for group in of(found, "time_wait_group", by="local_port")}
        if ports.get(8080) != 7 or sum(ports.values()) != 21:
            yield f"by local port: {ports}"
        for words, count in ((["-4"], 17), (["-6"], 4), (["-D", "9090"], 6), (["-L", "8080"], 7),
                             (["dst 127.0.0.2/31"], 8), (["state time-wait not dst 127/8"], 4),
                             (["state fin-wait-2"], 0), (["sport = :8080 or dst ::1"], 11)):
            table, = of(synfin(place, "timewait", *words), "time_wait")
            if table["count"] != count:
                yield f"{words}: {table['count']} instead of {count}"


def no_room():
    """what finds no room where the kernel counts is told all the same"""
    with new_netns(tcp_tw_reuse=0, tcp_max_tw_buckets=20000) as many, new_netns(tcp_tw_reuse=0) as own:
        with many.inside(), listen(8080) as listener:       # more remote addresses than it has groups
            for number in range(9000):
                client = connect(8080, source=(f"127.1.{number // 250}.{number % 250 + 1}", 0))
                close_first(listener.accept()[0], client)
        with own.inside(), listen(8080) as listener:        # more local addresses than it has pools
            for number in range(200):
                address = f"127.1.0.{number % 50 + 1}"
                client = connect(8080, source=(address, 0 if number % 2 else 40000 + number))
                close_first(client, listener.accept()[0])
        for place, count, by in ((many, 9000, "local_port"), (own, 200, "remote")):
            found = synfin(place, "timewait")               # the same as told one by one
            table, = of(found, "time_wait")
            group, = of(found, "time_wait_group", by=by)
            if table["count"] != count or group["count"] != count or sum(table["left_us_buckets"]) != count:
                yield f"{count} are there: {table}, {group}"
        pools = [space for space in of(found, "port_space") if "raddr" not in space and "laddr" in space]
        if sorted(space["used"] for space in pools) != [4] * 50:
            yield f"not 50 pools of 4: {pools}"


def parked():
    """mini-sockets in FIN_WAIT2 are apart from TIME_WAIT, and hold their ports"""
    with new_netns() as place:
        with place.inside(), listen(8080) as listener:
            servers = []
            for _ in range(5):
                client = connect(8080)
                servers.append(listener.accept()[0])
                client.close()
            wait_until(lambda: sockstat(place) == 5, "5 mini-sockets")
            found = synfin(place, "timewait")
            table, = of(found, "time_wait")
            space, = of(found, "port_space")
            for server in servers:
                server.close()
        if (table["count"], table["fin_wait2"], sum(table["left_us_buckets"])) != (0, 5, 0):
            yield f"not 5 in FIN_WAIT2: {table}"
        if (space["used"], space["time_wait"]) != (5, 0):
            yield f"not 5 ports: {space}"


def spaces():
    """each destination has its port space, out of the range less the reserved ports"""
    with new_netns(tcp_tw_reuse=0, ip_local_port_range="41000 41099",
                   ip_local_reserved_ports="41010-41019,41050,50000") as place:
        held = []
        with place.inside(), listen(8080, address="0.0.0.0") as listener:
            for address, live, over in (("127.0.0.2", 10, 5), ("127.0.0.3", 3, 0)):
                for _ in range(live):
                    held += [connect(8080, address), listener.accept()[0]]
                finish(8080, over, listener, address)
            found = synfin(place, "timewait")
            for one in held:
                one.close()
        expected = [("127.0.0.1", "127.0.0.2", 8080, 15, 5, 89), ("127.0.0.1", "127.0.0.3", 8080, 3, 0, 89)]
        got = [tuple(space[key] for key in ("laddr", "raddr", "rport", "used", "time_wait", "capacity"))
               for space in of(found, "port_space")]
        if got != expected:
            yield f"{got} instead of {expected}"
        if [space["ratio"] for space in of(found, "port_space")] != [0.168539, 0.033707]:
            yield f"ratio: {of(found, 'port_space')}"


def pool():
    """what was bound before connect() draws from one pool, unless it said IP_BIND_ADDRESS_NO_PORT"""
    with new_netns(tcp_tw_reuse=0, ip_local_port_range="41000 41099") as place:
        with place.inside(), contextlib.ExitStack() as stack:
            listeners = [stack.enter_context(listen(port)) for port in (8080, 9090)]
            for late in (True, False):
                for port, listener in zip((8080, 9090), listeners):
                    for _ in range(4):
                        made = stack.enter_context(socket.socket())
                        if late:
                            made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                        made.bind((LOCAL, 0))
                        made.connect((LOCAL, port))
                        stack.enter_context(listener.accept()[0])
                found = synfin(place, "timewait")
                pools = [space for space in of(found, "port_space") if "raddr" not in space]
                if late and pools:
                    yield f"a pool, though nobody drew at bind(): {pools}"
            ports = {one.split()[3].rsplit(":")[-1] for one in place.ss("-Htan", "state", "established").splitlines()}
        drawn = len(ports - {"8080", "9090"})
        if len(pools) != 1 or pools[0]["used"] != drawn or pools[0]["capacity"] != 100 or pools[0]["laddr"] != LOCAL:
            yield f"no pool of {drawn} ports: {pools}"
        if sorted(space["used"] for space in of(found, "port_space") if "raddr" in space) != [8, 8]:
            yield f"not 8 towards each: {of(found, 'port_space')}"


def connects(port, most):
    """How many find a local port, at most so many; they are open, and returned."""
    made = []
    while len(made) < most:
        try:
            made.append(connect(port))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            break
    return made


def reuse():
    """what tcp_tw_reuse lets connect() take, or would, is what connect() can take"""
    for stamped in (1, 0):
        with new_netns(tcp_tw_reuse=0, tcp_timestamps=stamped, ip_local_port_range="41000 41009") as place:
            with place.inside(), listen(8080) as listener:
                finish(8080, 10, listener)
                time.sleep(1.1)                 # tcp_tw_reuse_delay
                for sysctl in (0, 2, 1):        # 2: over the loopback only, as here
                    place.sysctl("tcp_tw_reuse", sysctl)
                    space, = of(synfin(place, "timewait"), "port_space")
                    told = space["used"], space["reusable"], space.get("reusable_if_enabled", 0)
                    if told != (10, 10 * stamped * (sysctl > 0), 10 * stamped):
                        yield f"timestamps {stamped}, tcp_tw_reuse {sysctl}: {space}"
                    if sysctl != 2:             # what is taken is no TIME_WAIT any more
                        took = connects(8080, 11)
                        if len(took) != space["reusable"]:
                            yield f"timestamps {stamped}, tcp_tw_reuse {sysctl}: {len(took)} ports were free: {space}"
                        for one in took:
                            one.close()


def fill(listener, ended):
    """Connections that are over at once, at a steady rate, until no port is left."""
    begun = time.time()
    for turn in range(1000):
        time.sleep(max(0, begun + turn / FILL_PER_S - time.time()))
        try:
            client = connect(8080)
        except OSError as error:
            ended.append((time.time(), error.errno))
            return
        close_first(client, listener.accept()[0])


def seconds(record):
    head, _, fraction = record["time"].rstrip("Z").partition(".")
    return time.mktime(time.strptime(head, "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(f"0.{fraction}")


def exhaustion():
    """a range of 100 is full when it was foretold, within 20 %, and then connect() finds no port"""
    ended = []
    with new_netns(tcp_tw_reuse=0, ip_local_port_range="%d %d" % RANGE) as place:
        with Repeating(place, "timewait", "-i", "250ms") as repeating:
            with place.inside(), listen(8080) as listener:
                thread = threading.Thread(target=fill, args=(listener, ended))
                thread.start()      # where its creator is
                thread.join()
            time.sleep(0.5)
            found = repeating.records()
    (full_at, error), = ended
    if error != errno.EADDRNOTAVAIL:
        yield f"connect() failed with {errno.errorcode[error]}"
    forecasts = [space for space in of(found, "port_space") if 30 <= space["used"] <= 80]
    if len(forecasts) < 3:
        yield f"only {len(forecasts)} forecasts: {of(found, 'port_space')}"
    for space in forecasts:
        left = full_at - seconds(space)
        if not abs(space.get("full_in_s", 1e9) - left) <= 0.2 * left + 0.1:
            yield f"{left:.3f} s before it was full: {space}"
    last = of(found, "port_space")[-1]
    if (last["used"], last["time_wait"], last["ratio"]) != (100, 100, 1):
        yield f"full, but: {last}"
    rates = [table["entered_per_s"] for table in of(found, "time_wait") if table.get("entered_per_s")]
    if not rates or not FILL_PER_S * 0.8 < statistics.median(rates) < FILL_PER_S * 1.2:
        yield f"{FILL_PER_S} a second entered: {rates}"
    owners = of(found, "time_wait_group", by="owner")
    if not owners or owners[-1]["count"] != 100 or owners[-1]["pid"] != os.getpid():
        yield f"not 100 of mine: {owners[-1:]}"


def whose_count(table, found):
    """(all, of mine) of one census: the table, and who closed first."""
    return table["count"], sum(group["count"] for group in of(found, "time_wait_group", by="owner", netns=table["netns"])
                               if group["time"] == table["time"] and group.get("pid") == os.getpid())


def ended_early():
    """what a RST, a new SYN, a reuse, or ss -K ended is gone at the next census, in the ledger of owners, too"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(new_netns(tcp_tw_reuse=1, ip_local_port_range="41000 41000"))
        far = Far(stack, place)
        repeating = stack.enter_context(Repeating(place, "timewait", "-i", "200ms"))

        def wait_for(count):
            repeating.until(lambda record: record["event"] == "time_wait" and record["count"] == count)
            found = repeating.until(lambda record: record["event"] == "time_wait")  # all of the one before is told
            tables = of(found, "time_wait")
            if (counted := whose_count(tables[-2], found)) != (count, count) or tables[-1]["count"] != count:
                yield f"not {count} of mine, but {counted}: {tables[-2:]}"

        with place.inside():
            listener = stack.enter_context(listen(8080, address=NEAR))
            peers = [far.peer(20000 + number, 8080).connect() for number in range(6)]
            for peer in peers:
                made = listener.accept()[0]
                made.close()
            for peer in peers:
                peer.expect(FIN | ACK)
                peer.send(FIN | ACK)
                peer.expect(ACK)
            local = stack.enter_context(listen(8080))
            finish(8080, 1, local)
            yield from wait_for(7)
            peers[0].send(RST)
            yield from wait_for(6)
            far.peer(20001, 8080, isn=500_000).send(SYN)
            yield from wait_for(5)
            time.sleep(1.1)             # tcp_tw_reuse_delay
            client = stack.enter_context(connect(8080))
            yield from wait_for(4)
            if not place.ss("-K", "-t", "-n", "-H", "state", "time-wait", "dport", "=", ":20002").strip():
                return                  # this kernel does not kill them
            yield from wait_for(3)
            if client.getsockname()[1] != 41000:
                yield f"no reuse: {client}"


def comings_and_goings():
    """namespaces that come and go meanwhile disturb nothing"""
    over = threading.Event()

    def churn():
        while not over.is_set():
            with new_netns() as place, place.inside(), listen(8080) as listener:
                finish(8080, 3, listener)

    with new_netns(tcp_tw_reuse=0) as steady:
        with steady.inside(), listen(8080) as listener:
            finish(8080, 10, listener)
        threads = [threading.Thread(target=churn) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                done = subprocess.run([SYNFIN, "timewait", "-o", "json"], capture_output=True, text=True)
                if done.returncode or done.stderr:
                    yield f"exit status {done.returncode}: {done.stderr}"
                    continue
                counted = [table["count"] for table in of(records(done.stdout), "time_wait", netns=steady.inode)]
                if counted != [10]:
                    yield f"{counted} instead of one of 10"
        finally:
            over.set()
            for thread in threads:
                thread.join()


def few_descriptors():
    """more namespaces than there are descriptors: all of them if the limit may be raised, else that is told"""
    crowd = 60
    with contextlib.ExitStack() as stack:
        places = [stack.enter_context(new_netns()) for _ in range(crowd)]
        wanted = {place.inode for place in places}

        def tables(limit):
            done = subprocess.run(["prlimit", f"--nofile={limit}", SYNFIN, "timewait", "-o", "json"],
                                  capture_output=True, text=True, timeout=60)
            return done, wanted & {table["netns"] for table in of(records(done.stdout), "time_wait")}

        done, met = tables("40:4096")
        if done.returncode or met != wanted:
            yield f"exit status {done.returncode}, {len(met)} of {crowd}: {done.stderr}"
        done, met = tables("100:100")
        said = re.search(r"only (\d+) network namespaces are looked at, and there are more than ulimit -n", done.stderr)
        if done.returncode or not said or len(met) > int(said[1]) or len(met) == crowd:
            yield f"exit status {done.returncode}, {len(met)} of {crowd}: {done.stderr}"


def changed_range():
    """a port range that is changed meanwhile counts from the next census on"""
    with new_netns(ip_local_port_range="41000 41099") as place:
        with place.inside(), listen(8080) as listener:
            client = connect(8080, source=(LOCAL, 41007))     # in both ranges
            with Repeating(place, "timewait", "-i", "100ms") as repeating:
                repeating.until(lambda record: record.get("capacity") == 100)
                place.sysctl("ip_local_port_range", "41000 41049")
                repeating.until(lambda record: record.get("capacity") == 50)
                found = repeating.records()
            client.close()
        capacities = [space["capacity"] for space in of(found, "port_space")]
        if sorted(set(capacities)) != [50, 100] or capacities != sorted(capacities, reverse=True):
            yield f"{capacities}"


def at_once():
    """libbpf is spared the kernel's BTF, which takes longer than all else"""
    with new_netns() as place:
        for command in (["timewait"], ["timewait", "sport = :80"], ["listen"], ["conns", "--stuck"]):
            done = subprocess.run([SYNFIN, *command, "-v", "-N", place.name], capture_output=True, text=True, timeout=60)
            if done.returncode or "libbpf has to read" in done.stderr or "looked up" not in done.stderr:
                yield f"{command}: exit status {done.returncode}: {done.stderr}"


def without_proc():
    """without /proc what it tells is not known, and the sockets are counted all the same"""
    with new_netns(tcp_tw_reuse=0) as place:
        with place.inside(), listen(8080) as listener:
            finish(8080, 3, listener)
        done = subprocess.run(["ip", "netns", "exec", place.name, "unshare", "-m", "sh", "-c",
                               'mount -t tmpfs none /proc && exec "$@"', "sh",
                               SYNFIN, "timewait", "-N", place.path, "-o", "json"], capture_output=True, text=True)
        found = records(done.stdout)
        if done.returncode or [table["count"] for table in of(found, "time_wait")] != [3]:
            yield f"exit status {done.returncode}: {done.stdout} {done.stderr}"
        elif {"limit", "overflows"} & of(found, "time_wait")[0].keys() or "capacity" in of(found, "port_space")[0]:
            yield f"knows what it cannot: {told(found)}"


if __name__ == "__main__":
    sys.exit(run([counts, many, groups, no_room, parked, spaces, pool, reuse, exhaustion, ended_early, comings_and_goings, few_descriptors,
                  changed_range, at_once, without_proc]))
