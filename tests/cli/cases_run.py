# SPDX-License-Identifier: GPL-2.0-or-later
"""How a run begins, how it ends, what it says of losses."""

import re
import signal
import statistics
import time

import namespaces
import traffic
from case import case, check, equal, same_bytes

_PORTS = range(7001, 7011)      # two transitions and two resets each
_REMOTE = {"table": "127.0.0.1:{}", "json": '"rport":{},', "csv": "127.0.0.1,{},"}


@case(alone=True)
def it_says_tracing_within_a_second(synfin):
    network, took = namespaces.own_network(), []
    for command in "trace", "conns", "trace":
        with synfin.launch(command, "-N", network) as tracer:
            took.append(tracer.tracing())
            tracer.stop().expect(0)
    check(statistics.median(took) < 1, f"seconds: {took}")


@case
def quiet_silences_everything_but_errors(synfin):
    network = namespaces.own_network()
    for form in "table", "csv", "json":
        equal(synfin.run("-q", "-o", form, "-N", network, "-d", "100ms").expect(0).stderr, "", "stderr")
    synfin.run("-q", "-N", "nosuch").error(1, "nosuch")


@case
def verbose_traces_as_well(synfin):
    done = synfin.run("-v", "-o", "json", "-N", namespaces.own_network(), "-d", "100ms").expect(0)
    check("tracing" in done.stderr, f"stderr: {done.stderr!r}")
    done.summary()


@case
def the_summary_is_where_the_format_puts_it(synfin):
    network = namespaces.own_network()
    for command in "trace", "conns":
        for form in "table", "csv", "json":
            with synfin.trace(command, "-o", form, "-N", network) as tracer:
                traffic.refuse(*_PORTS)
                done = tracer.stop().expect(0)
            if form == "json":
                done.quiet()
                equal(done.summary()["outcome_refused"], len(_PORTS), "outcome_refused")
                continue
            check(f"{len(_PORTS)} refused" in done.stderr, f"stderr has no summary: {done.stderr!r}")
            check("summary" not in done.stdout.decode(), "the summary is on stdout")


@case
def a_signal_ends_it_in_good_order(synfin):
    """What happened before is told, in every format."""
    network = namespaces.own_network()
    for number, form in (signal.SIGINT, "table"), (signal.SIGTERM, "json"), (signal.SIGHUP, "csv"):
        with synfin.trace("-o", form, "-N", network) as tracer:
            traffic.refuse(*_PORTS)
            told = [line for line in tracer.stop(number).expect(0).lines() if not re.search("RST|reset", line)]
        for port in _PORTS:
            equal(sum(_REMOTE[form].format(port) in line for line in told), 2, f"transitions to port {port} in {form}")


@case
def a_signal_that_its_parent_ignores_is_ignored(synfin):
    """nohup."""
    with synfin.trace("-o", "json", "-N", namespaces.own_network(), within=["nohup"]) as tracer:
        tracer.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        check(tracer.process.poll() is None, "SIGHUP ended it under nohup")
        tracer.stop().expect(0)


@case
def a_duration_ends_it(synfin):
    network = namespaces.own_network()
    with synfin.trace("-o", "json", "-N", network, "-d", "1") as tracer:
        began = time.monotonic()
        traffic.refuse(*_PORTS)
        done = tracer.done().expect(0).quiet()
        took = time.monotonic() - began
    check(0.8 < took < 2, f"-d 1 took {took:.2f} s")
    equal(done.summary()["transitions"], 2 * len(_PORTS), "transitions")
    check(0.95 <= done.summary()["seconds"] <= 1.05, f"seconds of the summary: {done.summary()['seconds']}")


@case
def a_duration_means_the_recordings_time_in_a_replay(synfin):
    network, path = namespaces.own_network(), synfin.path("recording")
    with synfin.trace("-o", "json", "-N", network, "-d", "1", "--write", path) as tracer:
        for _ in range(15):
            traffic.refuse(7001)
            time.sleep(0.1)
        live = tracer.done().expect(0)
    for words in ["-d", "1"], [], ["-d", "1h"]:
        same_bytes(synfin.run("-o", "json", "--read", path, *words).expect(0).stdout, live.stdout, f"replay {words}")
    half = synfin.run("-o", "json", "--read", path, "-d", "500ms").expect(0)
    same_bytes("\n".join(half.lines()[:-1]), "\n".join(live.lines()[:len(half.lines()) - 1]), "the first half")
    check(5 < len(half.lines()) < len(live.lines()) - 5, f"{len(half.lines())} of {len(live.lines())} lines in 500 ms")
    equal(half.summary()["seconds"], 0.5, "seconds of the half")


@case
def a_count_ends_it_after_just_so_many_records(synfin):
    network = namespaces.own_network()
    for command in "trace", "conns":
        for form in "json", "csv", "table":
            path = synfin.path(f"{command}-{form}")
            with synfin.trace(command, "-o", form, "-N", network, "-c", "5", "--write", path) as tracer:
                traffic.refuse(*_PORTS)
                live = tracer.done(3).expect(0)
            equal(len(live.lines()), 6, "lines: 5 records and a header or a summary")
            replay = synfin.run(command, "-o", form, "-c", "5", "--read", path).expect(0)
            same_bytes(replay.stdout, live.stdout, f"{command} -o {form}, replayed")


def _lost_lines(records):
    return {f"lost_{place}": sum(one["count"] for one in records if one["event"] == "lost" and one["where"] == place)
            for place in ("ring", "nested", "sink", "table")}


@case
def losses_are_told_and_strict_makes_them_an_error(synfin):
    network, path = namespaces.own_network(), synfin.path("recording")
    with synfin.trace("-o", "json", "-N", network, "--ring-size", "4096", "--strict", "--write", path) as tracer:
        traffic.storm(synfin, "-n", "1500")
        traffic.settle()
        done = tracer.stop().error(5, "--strict", "--ring-size")
    summary, lines = done.summary(), _lost_lines(done.records())
    check(lines["lost_ring"] > 0, "nothing was lost in a ring of one page")
    equal({place: summary[place] for place in lines}, lines, "losses of the summary, of the lost lines")
    same_bytes(synfin.run("-o", "json", "--strict", "--read", path).error(5, "--strict").stdout, done.stdout, "replay")
    synfin.run("-o", "json", "--read", path).expect(0).quiet()
    for form in "table", "csv":
        said = synfin.run("-o", form, "--read", path).expect(0).stderr
        check(f"{lines['lost_ring']} record" in said, f"-o {form}: the summary does not tell of the losses: {said!r}")


@case
def strict_is_content_when_nothing_was_lost(synfin):
    with synfin.trace("-o", "json", "-N", namespaces.own_network(), "--strict") as tracer:
        traffic.storm(synfin, "-n", "100", "-r", "1000")
        traffic.settle()
        done = tracer.stop().expect(0).quiet()
    equal([done.summary()[key] for key in _lost_lines([])], [0, 0, 0, 0], "losses")
