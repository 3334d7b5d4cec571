#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`synfin export` on the real kernel: what it serves is the truth of a storm, and
no client brings it down. Needs root and no packages. SYNFIN and STORM name the
programs. TAP.
"""

import collections
import gzip
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "kernel"))
import cost                                     # noqa: E402
import groups                                   # noqa: E402
import suite                                    # noqa: E402
import web                                      # noqa: E402
from attempts import Skip                       # noqa: E402
from exporter import MIX, STORM, SYNFIN, Exporter, Netns, Storm, as_nobody, parse     # noqa: E402
from traffic import Traffic, sysctl            # noqa: E402

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}


def settled(exporter):
    """What is left of a storm when its last verdicts have come."""
    time.sleep(0.3)
    return exporter.metrics()


def sockets(samples):
    return {dict(labels)["state"]: value for (name, labels), value in samples.items() if name == "synfin_sockets"}


def kernels_minis(netns):
    """What the kernel has in TIME_WAIT and as FIN_WAIT2 mini-sockets."""
    text = subprocess.run(["ip", "netns", "exec", netns, "cat", "/proc/net/sockstat"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    return int(re.search(r"^TCP:.* tw (\d+)", text, re.MULTILINE)[1])


def wrong_minis(netns, samples):
    """Where the ledger is not what the kernel has. Nothing may be going on."""
    states = sockets(samples)
    there, found = kernels_minis(netns), states["time_wait"] + states["fin_wait2"]
    if there != found:
        yield f"{found:g} mini-sockets, and the kernel has {there}"
    removed = sum(n for (name, _), n in samples.items() if name == "synfin_time_wait_removed_total")
    created = samples["synfin_time_wait_created_total", frozenset()]
    if created - removed != states["time_wait"]:
        yield f"{created:g} TIME_WAIT created, {removed:g} removed, but {states['time_wait']:g} are there"
    if samples["synfin_reconcile_corrections_total", frozenset()]:
        yield "the ledger had to be corrected"


def storm_is_counted():
    """what it counts of a storm is the storm's truth"""
    with Netns("storm") as netns, Exporter("-N", netns) as exporter:
        storm = Storm(netns, "-n", "10000", "-t", "2", "-d", "4", "-46M", "-m", MIX)
        samples = settled(exporter)
        yield from storm.wrong(samples)
        yield from wrong_minis(netns, samples)
        alive = {state: n for state, n in sockets(samples).items() if n and state != "time_wait"}
        if alive:
            yield f"sockets, long after the storm: {alive}"
        if exporter.stop():
            yield f"exit status {exporter.process.returncode}: {exporter.said()}"


def overflow_keeps_the_kernels_counters():
    """in a ring of one page transitions, handshakes and resets stay exact, and the lives add up"""
    with Netns("tiny") as netns, Exporter("-N", netns, "--ring-size", "4K") as exporter:
        storm = Storm(netns, "-n", "10000", "-m", MIX)
        deadline = time.monotonic() + 15
        while True:     # until a census has settled what was lost
            time.sleep(0.5)
            samples = exporter.metrics()
            sums = added_up(samples)
            if sums["handshakes"] == sums["told"] or time.monotonic() > deadline:
                break
        expected = storm.expected()
        for role in "active", "passive":
            key = "synfin_handshakes_total", frozenset({("role", role)})
            if samples[key] != expected[key]:
                yield f"handshakes {role}: {samples[key]:g}, not {expected[key]}"
        resets = sum(value for (name, _), value in samples.items() if name == "synfin_resets_sent_total")
        if resets != storm.number("mib.OutRsts"):
            yield f"resets sent: {resets:g}, not {storm.number('mib.OutRsts')}"
        if not samples["synfin_events_lost_total", frozenset({("reason", "ring")})]:
            yield "no record was lost: this test showed nothing"
        if sums["handshakes"] != sums["told"]:
            yield f"{sums}"


def what_is_kept_back_is_corrected():
    """a transition that the kernel keeps back puts synfin_sockets wrong until the next census, and no longer"""
    env = {"SYNFIN_DEBUG_SLOW": "500", "SYNFIN_DEBUG_NO_TWIN": "1"}
    with Netns("kept-back") as netns, Traffic(netns) as traffic, Exporter("-N", netns, env=env) as exporter:
        traffic.do("l = serve()")
        traffic.do("for _ in range(10): pair(l)")

        def wrong_sockets():
            found = {state: n for state, n in sockets(exporter.metrics()).items() if n and state != "time_wait"}
            return found if found != {"listen": 1, "established": 20} else None

        for _ in range(5):
            Storm(netns, "-n", "15000", "-m", MIX)
            if wrong_sockets():
                break
        else:
            raise Skip("nothing was kept back: this test showed nothing")
        deadline = time.monotonic() + 20
        while (wrong := wrong_sockets()) and time.monotonic() < deadline:
            time.sleep(0.2)
        samples = exporter.metrics()
        if wrong:
            yield f"sockets: {wrong}"
        if not samples["synfin_events_lost_total", frozenset({("reason", "nested")})]:
            yield "no record was lost: this test showed nothing"
        if not samples["synfin_reconcile_corrections_total", frozenset()]:
            yield "synfin_reconcile_corrections_total is 0"


def a_start_with_losses():
    """if what is there cannot be counted off at the start, since the ring is full, it is counted off later"""
    with Netns("late-gauge") as netns, Traffic(netns) as traffic:
        traffic.do("l = serve()")
        traffic.do("for _ in range(10): pair(l)")
        with subprocess.Popen([STORM, "-N", netns, "-n", "200000", "-m", MIX], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as storm:
            time.sleep(0.3)
            with Exporter("-N", netns, "--ring-size", "4K") as exporter:
                first = exporter.said()
                storm.terminate()
                storm.wait()
                deadline = time.monotonic() + 20
                while time.monotonic() < deadline:
                    found = {state: n for state, n in sockets(exporter.metrics()).items() if n}
                    if {**found, "time_wait": 0, "fin_wait2": 0} == {
                            "listen": 1, "established": 20, "time_wait": 0, "fin_wait2": 0}:
                        break
                    time.sleep(0.2)
                else:
                    yield f"sockets: {found}; {exporter.said()}"
                if "there is no synfin_sockets" not in first:
                    raise Skip("it could be counted off at once: this test showed nothing")


def added_up(samples):
    """What stands in docs/metrics.md: the sum, when nothing is open any more but for a mini-socket."""
    def total(name, *without):
        return sum(value for (found, labels), value in samples.items()
                   if found == name and dict(labels).get("reason") not in without)

    parts = {part: total(f"synfin_{part}_total", "no_ack", "not_accepted") for part in (
        "handshakes", "handshake_failures", "connections_closed", "lifecycles_incomplete", "connections_unseen")}
    parts["tracked"] = total("synfin_connections_tracked")
    return parts | {"told": sum(parts.values()) - parts["handshakes"]}


def kernels_counters(netns):
    """TcpExt of a namespace, by name."""
    text = subprocess.run(["ip", "netns", "exec", netns, "cat", "/proc/net/netstat"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    names, values = [line.split()[1:] for line in text.splitlines() if line.startswith("TcpExt:")]
    return dict(zip(names, map(int, values)))


def awaited(exporter, expected, seconds=15):
    """Where the samples without labels are not these, although a census had time to come."""
    deadline = time.monotonic() + seconds
    while True:
        samples = exporter.metrics()
        wrong = [f"{name}: {samples.get((name, frozenset()))}, not {value}" for name, value in expected.items()
                 if samples.get((name, frozenset())) != value]
        if not wrong or time.monotonic() > deadline:
            return wrong
        time.sleep(0.2)


COUNTERS = {"synfin_time_wait_overflows_total": "TCPTimeWaitOverflow", "synfin_listen_overflows_total": "ListenOverflows",
            "synfin_listen_drops_total": "ListenDrops", "synfin_syn_cookies_sent_total": "SyncookiesSent"}


def the_kernels_counters_are_told():
    """what the kernel counts of a namespace is told, from the start on, and stays when the namespace is gone"""
    with Netns("counters") as netns, Traffic(netns) as traffic:
        sysctl(netns, tcp_max_tw_buckets=3)
        overflow = ("l = serve(0)", "for _ in range(4): try_connect(l)")
        for line in ("a = serve()", "for _ in range(5):\tpair(a)[0].shutdown(1); held.pop()[1].close()", *overflow):
            traffic.do(line)
        before = kernels_counters(netns)
        with Exporter() as exporter:
            first = exporter.metrics()
            for line in ("for _ in range(6):\tpair(a)[0].shutdown(1); held.pop()[1].close()", *overflow):
                traffic.do(line)
            sysctl(netns, tcp_syncookies=2)
            traffic.do("for _ in range(3): pair(a)")
            now = kernels_counters(netns)
            grown = {name: now[counter] - before[counter] for name, counter in COUNTERS.items()}
            if not all(grown.values()):
                yield f"nothing happened: {grown}"
            for name, counter in COUNTERS.items():
                if before[counter] and first[name, frozenset()] >= before[counter]:
                    yield f"{name} begins with {first[name, frozenset()]:g}"
            yield from at_least(exporter, grown)
            traffic.process.stdin.close()
            traffic.process.wait()
            subprocess.run(["ip", "netns", "del", netns], check=True)
            time.sleep(6)      # a census without it
            yield from at_least(exporter, grown)
            subprocess.run(["ip", "netns", "add", netns], check=True)


def a_namespace_in_the_place_of_another():
    """a namespace that has the number of one that is gone: its census alone settles the ledger, not one of all"""
    name, numbers = f"synfin-export-{os.getpid()}-again", []
    with Exporter("-v", "-N", "all") as exporter:
        for _ in range(2):
            with Netns("again") as netns, Traffic(netns) as traffic:
                assert netns == name
                numbers.append(os.stat(f"/run/netns/{name}").st_ino)
                traffic.do("l = serve()")
                traffic.do("close_first(l, 50)")
                for _ in range(30 if len(numbers) == 2 else 0):     # so that the kernel's count is read
                    traffic.do("close_first(l, 1)")
                    time.sleep(0.2)
            time.sleep(1)   # until it is really gone
        said = exporter.said()
        if numbers[0] != numbers[1]:
            raise Skip(f"the numbers are not the same: {numbers}")
        if "the census of lives in 1 network" not in said:
            yield f"no census was made: {said}"


def patience(samples):
    """Seconds until a census must have come: with many namespaces, not all of them this test's, they are far apart."""
    took = samples.get(("synfin_collector_duration_seconds", frozenset({("collector", "ports")})), 0)
    return min(15 + 400 * took, 120)


def at_least(exporter, expected):
    """Other namespaces may add to it."""
    deadline = time.monotonic() + patience(exporter.metrics())
    while True:
        samples = exporter.metrics()
        wrong = [f"{name}: {samples[name, frozenset()]:g}, less than {value}" for name, value in expected.items()
                 if samples[name, frozenset()] < value]
        if not wrong or time.monotonic() > deadline:
            return wrong
        time.sleep(0.2)


def port_space_and_close_wait():
    """the fullest port space, and what stays in CLOSE_WAIT, are what was made, before the start and after"""
    with Netns("ports") as netns, Traffic(netns) as traffic:
        sysctl(netns, ip_local_port_range="40000 40099", ip_local_reserved_ports="40010-40029", tcp_max_tw_buckets=77)
        for line in ("a = serve()", "b = serve()", "for _ in range(3): pair(b)", "for _ in range(8): pair(a)",
                     "held[-1][1].shutdown(1)"):
            traffic.do(line)
        made = time.monotonic()
        with Exporter("-N", netns, "--close-wait-stale", "2s") as exporter:
            yield from awaited(exporter, {
                "synfin_ephemeral_ports": 80, "synfin_ephemeral_port_usage_max_ratio": 0.1,
                "synfin_time_wait_sockets_limit": 77, "synfin_close_wait_stale_sockets": 0}, 0)
            for line in ("for _ in range(8): pair(a)", "held[-1][1].shutdown(1)", "held[-2][1].shutdown(1)"):
                traffic.do(line)
            yield from awaited(exporter, {
                "synfin_ephemeral_port_usage_max_ratio": 0.2, "synfin_close_wait_stale_sockets": 3})
            age = exporter.metrics()["synfin_close_wait_oldest_age_seconds", frozenset()]
            if not 2 <= age <= time.monotonic() - made + 0.1:
                yield f"the oldest in CLOSE_WAIT is {age} s old, {time.monotonic() - made:.1f} s after it was made"
            traffic.do("held[-1][0].send(b'x'); [end.close() for ends in held[2:] for end in ends]")
            yield from awaited(exporter, {
                "synfin_close_wait_stale_sockets": 0, "synfin_close_wait_oldest_age_seconds": 0})
            collectors = {dict(labels)["collector"]: value for (name, labels), value in exporter.metrics().items()
                          if name == "synfin_collector_success"}
            if collectors != {"census": 1, "ports": 1, "listeners": 1, "close_wait": 1}:
                yield f"collectors: {collectors}"


def accept_queues():
    """each accept queue and its limit are told, those that share a port as one, and at most 50 of them"""
    with Netns("queues") as netns, Traffic(netns) as traffic:
        for line in ("l = serve(7)", "for _ in range(3): try_connect(l)",
                     "def share(): l = socket.create_server(('::1', 4430), family=socket.AF_INET6, reuse_port=True, "
                     "backlog=9); held.append(l)", "share(); share()"):
            traffic.do(line)
        with Exporter("-N", netns) as exporter:
            def family(name):
                return {tuple(value for _, value in sorted(labels)): value for (found, labels), value
                        in exporter.metrics().items() if found == f"synfin_listen_accept_queue{name}_sockets"}

            def by_port(name):
                return {port if port == "4430" else addr: value for (addr, port), value in family(name).items()}

            if by_port("") != {"127.0.0.1": 3, "4430": 0}:
                yield f"queues: {family('')}"
            if by_port("_limit") != {"127.0.0.1": 7, "4430": 18}:
                yield f"limits: {family('_limit')}"
            traffic.do("for _ in range(60): serve(1)")
            deadline = time.monotonic() + 15
            while ("other", "other") not in family("") and time.monotonic() < deadline:
                time.sleep(0.2)
            limits = family("_limit")
            if len(limits) != 51 or limits["other", "other"] != 12 or sum(limits.values()) != 7 + 18 + 60:
                yield f"of 62 listening sockets: {limits}"


def existing_sockets_are_in_the_gauge():
    """synfin_sockets has what was there before, and follows what comes and goes"""
    with Netns("gauge") as netns:
        script = ("import socket, sys\n"
                  "l = socket.create_server(('127.0.0.1', 0))\n"
                  "pairs = []\n"
                  "def add(n):\n"
                  "    for _ in range(n):\n"
                  "        c = socket.create_connection(l.getsockname()); pairs.append((c, l.accept()[0]))\n"
                  "add(5)\n"
                  "for line in sys.stdin:\n"
                  "    exec(line); print('done', flush=True)\n")
        with subprocess.Popen(["ip", "netns", "exec", netns, sys.executable, "-uc", script], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as traffic:
            def do(line):
                traffic.stdin.write(line + "\n")
                traffic.stdin.flush()
                traffic.stdout.readline()

            do("pass")
            with Exporter("-N", netns) as exporter:
                def expect(**states):
                    deadline = time.monotonic() + 2     # an ACK may be delayed
                    while True:
                        found = {state: n for state, n in sockets(exporter.metrics()).items() if n}
                        if found == states:
                            return
                        if time.monotonic() > deadline:
                            break
                        time.sleep(0.02)
                    yield f"sockets: {found}, not {states}"

                yield from expect(listen=1, established=10)
                do("add(3)")
                yield from expect(listen=1, established=16)
                do("pairs[0][0].shutdown(socket.SHUT_WR)")
                yield from expect(listen=1, established=14, fin_wait2=1, close_wait=1)
                do("pairs[0][1].close()")
                do("l.close()")
                yield from expect(established=14, time_wait=1)
                yield from wrong_minis(netns, exporter.metrics())
                traffic.stdin.close()


def both_formats():
    """classic text and OpenMetrics tell the same, compressed or not"""
    with Netns("formats") as netns, Exporter("-N", netns) as exporter:
        Storm(netns, "-n", "100", "-m", MIX)
        time.sleep(0.3)
        _, classic_headers, classic = exporter.get()
        _, headers, open_metrics = exporter.get(headers=OPENMETRICS)
        _, packed_headers, packed = exporter.get(headers={"Accept-Encoding": "gzip"})
        if classic_headers["Content-Type"] != "text/plain; version=0.0.4; charset=utf-8":
            yield f"classic: {classic_headers['Content-Type']}"
        if headers["Content-Type"] != "application/openmetrics-text; version=1.0.0; charset=utf-8":
            yield f"OpenMetrics: {headers['Content-Type']}"
        if not open_metrics.endswith(b"\n# EOF\n"):
            yield "OpenMetrics without # EOF"
        if packed_headers["Content-Encoding"] != "gzip" or len(packed) * 3 > len(classic):
            yield f"not compressed: {len(packed)} of {len(classic)} bytes"

        def stable(text):
            return {(name, frozenset((key, value.removesuffix(".0") if key == "le" else value)
                                     for key, value in labels)): value
                    for (name, labels), value in parse(text.decode()).items()
                    if not name.startswith(("process_", "synfin_ringbuf_used"))}

        if not stable(classic) == stable(open_metrics) == stable(gzip.decompress(packed)):
            yield "they differ"
        if b'# {conn="' not in open_metrics or b'{conn="' in classic:
            yield "exemplars stand in OpenMetrics, and there only"


def pages():
    """there are a landing page, /-/healthy and /-/ready; the rest is 404, other methods 405"""
    with Netns("pages") as netns, Exporter("-N", netns, "--web.telemetry-path", "/m") as exporter:
        expected = [("/", "GET", 200), ("/m", "GET", 200), ("/m", "HEAD", 200), ("/-/healthy", "GET", 200),
                    ("/-/ready", "GET", 200), ("/metrics", "GET", 404), ("/m/", "GET", 404), ("/m?x=y", "GET", 200),
                    ("/../m", "GET", 404), ("/m", "POST", 405), ("/", "DELETE", 405)]
        for path, method, status in expected:
            found, _, body = exporter.get(path, method)
            if found != status:
                yield f"{method} {path}: {found}, not {status}"
            if method == "HEAD" and body:
                yield f"HEAD has a body of {len(body)} bytes"
        page = exporter.get("/")[2].decode()
        for link in '"/m"', '"/-/healthy"', '"/-/ready"':
            if f"href={link}" not in page:
                yield f"no link to {link} on the landing page"


def raw(exporter, data, timeout=3):
    """What comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", exporter.port), timeout=timeout) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(65536)
        except OSError:
            return b""


def garbage():
    """garbage is answered by an error or a closed connection, and nothing else happens"""
    inputs = [b"\0" * 100, b"GET\r\n\r\n", b"GET /metrics\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
              b"GET /metrics HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
              b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
              b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" + b"z" * 1000,
              b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
              b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", os.urandom(5000), b"\r\n" * 1000]
    with Netns("garbage") as netns, Exporter("-N", netns) as exporter:
        for data in inputs:
            answer = raw(exporter, data)
            if answer.startswith(b"HTTP/1.1 200") and not data.startswith(b"GET /metrics"):
                yield f"{data[:40]!r} is answered by {answer[:40]!r}"
            if exporter.process.poll() is not None:
                yield f"{data[:40]!r} ended it: {exporter.said()}"
                return
        if exporter.get()[0] != 200:
            yield "it does not serve any more"
        yield from spoken_of(exporter)


def spoken_of(exporter):
    """Clients are no reason to say anything."""
    said = [line for line in exporter.said().splitlines() if "tracing" not in line and "metrics on" not in line]
    if said:
        yield f"said {said}"


def begin_connect(exporter):
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    made.connect_ex(("127.0.0.1", exporter.port))
    return made


def a_thousand_connections():
    """a thousand connections that say nothing do not keep a scrape away, nor a record"""
    with Netns("crowd") as netns, Exporter("-N", netns) as exporter:
        crowd = [begin_connect(exporter) for _ in range(1000)]
        storm = Storm(netns, "-n", "2000", "-m", MIX)
        began = time.monotonic()
        status = exporter.get(timeout=30)[0]
        took = time.monotonic() - began
        if status != 200 or took > 20:
            yield f"a scrape got {status} after {took:.1f} s"
        for connection in crowd:
            connection.close()
        yield from storm.wrong(settled(exporter))


def a_thousand_at_once():
    """of a thousand scrapes at once each is answered, refused, cut off or waits, and no record is lost"""
    with Netns("at-once") as netns, Exporter("-N", netns) as exporter:
        crowd = [begin_connect(exporter) for _ in range(1000)]
        for connection in crowd:
            try:
                connection.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            except OSError:     # refused already, or not accepted yet
                pass
        storm = Storm(netns, "-n", "2000", "-m", MIX)
        answers, waiting, deadline = collections.Counter(), set(crowd), time.monotonic() + 10
        while waiting and time.monotonic() < deadline:
            for connection in list(waiting):
                try:
                    answers[connection.recv(12)] += 1
                except BlockingIOError:
                    continue
                except OSError:
                    answers[b""] += 1
                waiting.remove(connection)
            time.sleep(0.05)
        print(f"# {dict(answers)}, {len(waiting)} still wait", flush=True)
        for connection in crowd:
            connection.close()
        if not answers[b"HTTP/1.1 200"] or set(answers) - {b"HTTP/1.1 200", b"HTTP/1.1 503", b""}:
            yield f"answers: {answers}"
        deadline = time.monotonic() + 20
        while (status := exporter.get()[0]) != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        if status != 200:
            yield f"afterwards: {status}"
        yield from storm.wrong(settled(exporter))


def scraped_all_the_time():
    """scrapes in a loop, of both formats, from four sides, lose no record of a storm, and each is whole"""
    formats, over, found = [{}, OPENMETRICS, {"Accept-Encoding": "gzip"}], threading.Event(), collections.Counter()
    with Netns("scraped") as netns, Exporter("-N", netns) as exporter:
        def scrape(number):
            while not over.is_set():
                status, headers, body = exporter.get(headers=formats[number % len(formats)])
                text = gzip.decompress(body) if headers["Content-Encoding"] == "gzip" else body
                whole = text.endswith(b"# EOF\n") if number % len(formats) == 1 else b"\nsynfin_" in text
                found["whole" if status == 200 and whole else status] += 1

        threads = [threading.Thread(target=scrape, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            storm = Storm(netns, "-n", "10000", "-m", MIX)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        samples = settled(exporter)
        print(f"# scraped {found['whole']} times", flush=True)
        if set(found) != {"whole"} or found["whole"] < 20:
            yield f"scrapes: {dict(found)}"
        lost = {dict(labels)["reason"]: n for (name, labels), n in samples.items() if name == "synfin_events_lost_total"}
        if any(lost.values()):
            yield f"lost: {lost}"
        yield from storm.wrong(samples)


def slow_readers():
    """who sends or reads slowly is cut off, and holds up nobody"""
    with Netns("slow") as netns, Exporter("-N", netns) as exporter:
        slow = []
        for number in range(100):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.connect(("127.0.0.1", exporter.port))
            request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
            connection.sendall(request * 20 if number % 2 else request[:-3])
            slow.append(connection)
        storm = Storm(netns, "-n", "2000", "-m", MIX)
        deadline = time.monotonic() + 20
        while (status := exporter.get()[0]) != 200 and time.monotonic() < deadline:
            if status != 503:
                yield f"a scrape is answered by {status}"
            time.sleep(0.2)
        if status != 200:
            yield "no scrape got through"
        yield from storm.wrong(settled(exporter))
        for connection in slow:
            connection.close()


def hang_ups():
    """who hangs up in the middle of an answer, or of a request, leaves nothing behind"""
    with Netns("hang-up") as netns, Exporter("-N", netns) as exporter:
        open_before = exporter.metrics()["process_open_fds", frozenset()]
        for number in range(300):
            with socket.create_connection(("127.0.0.1", exporter.port)) as scraper:
                scraper.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", number % 2, 0))
                scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 5 if number % 3 else b"GET /met")
                if number % 3 and number % 5 == 0:
                    scraper.recv(10)
        storm = Storm(netns, "-n", "2000", "-m", MIX)
        time.sleep(1.2)     # they are looked at once a second
        samples = settled(exporter)
        yield from storm.wrong(samples)
        if samples["process_open_fds", frozenset()] != open_before:
            yield f"{samples['process_open_fds', frozenset()]:g} descriptors, not {open_before:g}"
        yield from spoken_of(exporter)


def max_requests():
    """more scrapes than --web.max-requests at a time are refused, and later ones are not"""
    with Netns("max") as netns, Exporter("-N", netns, "--web.max-requests", "1") as exporter:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            slow.connect(("127.0.0.1", exporter.port))
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 400)
            time.sleep(0.5)
            if exporter.get()[0] != 503:
                yield "a second scrape is answered, although one is under way"
            if exporter.get("/-/healthy")[0] != 200:
                yield "/-/healthy counts as a scrape"
        time.sleep(0.3)
        if exporter.get()[0] != 200:
            yield "it does not serve any more"


def refused(args, *words):
    """An error of one line, and exit status 1."""
    done = subprocess.run([SYNFIN, "export", "-N", "self", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=20, check=False)
    lines = [line for line in done.stderr.splitlines() if "metrics on" not in line]
    if done.returncode != 1 or len(lines) != 1 or "; " not in lines[0] or any(word not in lines[0] for word in words):
        yield f"{args}: exit status {done.returncode}, {done.stderr!r}"


def bad_places():
    """a port that is taken, an address of another host, a directory that is not there: one line, exit status 1"""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield from refused(["--web.listen-address", f"127.0.0.1:{taken.getsockname()[1]}"], "in use")
    yield from refused(["--web.listen-address", "192.0.2.1:1"], "192.0.2.1:1")
    yield from refused(["--web.listen-address", "no.such.host.invalid:1"], "host")
    yield from refused(["--textfile", "/nonexistent/x.prom"], "/nonexistent/x.prom", "No such file")


def textfile():
    """--textfile alone needs no port, and is whole, at the start and at the end; what a killed one left goes"""
    with Netns("textfile") as netns, tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "synfin.prom")
        pathlib.Path(f"{path}.new").write_text("half", encoding="utf-8")
        with Exporter("-N", netns, "--textfile", path, listen=False) as exporter:
            if "metrics on" in exporter.said():
                yield "it serves HTTP all the same"
            with open(path, encoding="utf-8") as file:
                first = parse(file.read())
            storm = Storm(netns, "-n", "500", "-m", MIX)
            time.sleep(0.3)
            if exporter.stop():
                yield f"exit status {exporter.process.returncode}"
        with open(path, encoding="utf-8") as file:
            yield from storm.wrong(parse(file.read()))
        if any(value for (name, _), value in first.items() if name == "synfin_handshakes_total"):
            yield "it had counted something before the storm"
        if os.listdir(directory) != ["synfin.prom"]:
            yield f"left behind: {os.listdir(directory)}"


def full_disk():
    """a full disk is told once, and tracing goes on"""
    with Netns("full") as netns, tempfile.TemporaryDirectory() as directory:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=10", "none", directory], check=True)
        try:
            path = os.path.join(directory, "synfin.prom")
            with Exporter("-N", netns, "--textfile", path) as exporter:
                storm = Storm(netns, "-n", "500", "-m", MIX)
                samples = settled(exporter)
                told = [line for line in exporter.said().splitlines() if "No space left" in line]
                if len(told) != 1:
                    yield f"told {len(told)} times: {exporter.said()}"
                if samples["synfin_collector_success", frozenset({("collector", "textfile")})]:
                    yield "synfin_collector_success says 1"
                yield from storm.wrong(samples)
            if os.listdir(directory):
                yield f"left behind: {os.listdir(directory)}"
        finally:
            subprocess.run(["umount", directory], check=True)


def deployed_capabilities():
    """What the unit and the DaemonSet give, which must be the same."""
    deploy = pathlib.Path(__file__).parents[2] / "deploy"
    unit = (deploy / "systemd/synfin-export.service").read_text()
    daemonset = (deploy / "kubernetes/daemonset.yaml").read_text()
    given = [set(re.search(f"^{name}=(.*)$", unit, re.MULTILINE)[1].replace("CAP_", "").split())
             for name in ("AmbientCapabilities", "CapabilityBoundingSet")]
    given.append(set(re.findall(r'"(\w+)"', re.search(r"add: \[(.*)\]", daemonset)[1])))
    return given


def capabilities():
    """the capabilities in deploy/ are what it takes, and none too many"""
    first, *others = deployed_capabilities()
    if any(other != first for other in others):
        yield f"unit and DaemonSet differ: {first} {others}"

    def census(given):      # of a host that has more than one namespace
        with Netns("another"), Exporter(within=as_nobody(given)) as exporter:
            samples = exporter.metrics()
            return bool(sockets(samples)), samples["synfin_collector_success", frozenset({("collector", "census")})]

    if census(first) != (True, 1):
        yield "with them not all sockets are counted off"
    if census(first - {"SYS_ADMIN"}) != (False, 0):
        yield "without SYS_ADMIN it says that all were"
    for needed in "BPF", "PERFMON":
        try:
            census(first - {needed, "SYS_ADMIN"})
            yield f"it traces without {needed}"
        except RuntimeError:
            pass


# Listens, forks as systemd would, and tells what the child reported to it.
_SYSTEMD = """
import os, socket, sys
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); notify.bind('\\0' + sys.argv[1])
web = socket.create_server(('127.0.0.1', 0)); print(web.getsockname()[1], flush=True)
pid = os.fork()
if not pid:
    os.dup2(web.fileno(), 3, inheritable=True)
    os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET='@' + sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
web.close()
print(notify.recv(1000).decode().split()[0], flush=True)
sys.stdin.readline(); os.kill(pid, 15)
print(notify.recv(1000).decode().split()[0], os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def systemd():
    """the socket that systemd hands over is served, and systemd is told when it is ready and when it stops"""
    with Netns("systemd") as netns, subprocess.Popen(
            [sys.executable, "-c", _SYSTEMD, f"synfin-{os.getpid()}", os.path.abspath(SYNFIN), "export", "-N", netns],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        port = int(parent.stdout.readline())
        said = [parent.stdout.readline().strip()]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /-/ready HTTP/1.0\r\n\r\n")
            answer = connection.recv(1000)
        rest, errors = parent.communicate("\n", timeout=20)
        said.append(rest.strip())
        if said != ["READY=1", "STOPPING=1 0"]:
            yield f"systemd heard {said}: {errors}"
        if b" 200 " not in answer:
            yield f"/-/ready answers {answer!r}"
        if "10047" in errors:
            yield f"it serves elsewhere, too: {errors}"


TESTS = [what_is_kept_back_is_corrected, storm_is_counted, overflow_keeps_the_kernels_counters, a_start_with_losses,
         existing_sockets_are_in_the_gauge, port_space_and_close_wait, accept_queues, both_formats, pages, garbage,
         a_thousand_connections, a_thousand_at_once, scraped_all_the_time, slow_readers, hang_ups, max_requests,
         bad_places, textfile, full_disk, systemd, *web.TESTS, *groups.TESTS]

# They look at every namespace, the machine's or what they cost.
ALONE = [the_kernels_counters_are_told, a_namespace_in_the_place_of_another, capabilities, *cost.TESTS]


def main():
    def wanted(tests):
        return [test for test in tests if not sys.argv[1:] or re.search(sys.argv[1], test.__name__)]

    return suite.run(wanted(ALONE), side_by_side=wanted(TESTS))


if __name__ == "__main__":
    sys.exit(main())
