# SPDX-License-Identifier: GPL-2.0-or-later
"""timewait, listen and conns --stuck: their options, and where they may not look."""

import socket

import namespaces
import recording
from case import case, check, each, equal
from synfin import as_nobody

COMMANDS = (["timewait"], ["listen"], ["conns", "--stuck"])


def _wrong(synfin, inputs):
    def refused(words, *said):
        done = synfin.run(*words).error(2, *said)
        equal(done.stdout, b"", "stdout")
        done.cure()
    each(refused, inputs)


@case
def what_says_nothing_alone_is_refused(synfin):
    _wrong(synfin, [
        (["conns", "--older", "5s"], "--older without --stuck"),
        (["timewait", "-d", "5"], "--duration without --interval"), (["listen", "-d", "5"], "--duration", "--interval"),
        (["conns", "--stuck", "--existing"], "--stuck with --existing"),
        (["conns", "--stuck", "-d", "5"], "--stuck with --duration"),
        (["timewait", "-i", "1", "--read", "x"], "--interval with --read"),
        (["trace", "--stuck"], "--stuck"), (["trace", "-i", "1"], "-i"), (["listen", "-D", "80"], "-D"),
        (["timewait", "--existing"], "--existing"), (["listen", "--strict"], "--strict"),
    ])


@case
def bad_intervals_and_ages_are_refused(synfin):
    bad = ["0", "-1", "1x", "", "99999999999999999999", "nan"]
    _wrong(synfin, [(["timewait", "-i", text], "-i") for text in bad] +
           [(["conns", "--stuck", "--older", text], "--older") for text in bad])


@case
def without_rights_they_name_the_capability(synfin):
    for words in COMMANDS:
        done = synfin.run(*words, within=as_nobody())
        equal(done.error(3, "CAP_BPF").stdout, b"", "stdout")


@case
def two_capabilities_are_enough_for_the_own_namespace(synfin):
    namespaces.own_network()
    with socket.create_server(("127.0.0.1", 7001)):
        for words in COMMANDS:
            synfin.run(*words, "-o", "json", "-N", "self", within=as_nobody("bpf", "perfmon")).expect(0).quiet()
        done = synfin.run("listen", "-o", "json", "-N", "self", within=as_nobody("bpf", "perfmon")).expect(0)
    equal([one["lport"] for one in done.events("listener")], [7001], "listening")


@case
def namespaces_that_may_not_be_entered_are_told(synfin):
    name = synfin.path("namespace")
    namespaces.own_network()
    namespaces.named(name)
    namespaces.own_network()
    for words in COMMANDS:
        done = synfin.run(*words, "-o", "json", "-N", name, within=as_nobody("bpf", "perfmon")).expect(0)
        check("CAP_SYS_ADMIN" in done.stderr, f"not told: {done.stderr!r}")
        equal([one["event"] for one in done.records()], ["summary"], "records")


@case
def a_namespace_that_is_gone_is_told(synfin):
    for words in COMMANDS:
        equal(synfin.run(*words, "-N", "no-such-name").error(1, "no-such-name").stdout, b"", "stdout")


@case
def every_format_is_there_and_the_reader_may_leave(synfin):
    name = namespaces.own_network()
    with socket.create_server(("127.0.0.1", 7001)):
        for words in COMMANDS:
            table = synfin.run(*words, "-N", name).expect(0).quiet()
            check(table.lines()[0].split()[0] in ("TIME", "LISTENING", "STATE"), f"no header: {table.stdout}")
            csv = synfin.run(*words, "-N", name, "-o", "csv").expect(0).quiet()
            equal(len({line.count(",") for line in csv.lines()}), 1, "widths of CSV")
            closed = synfin.run(*words, "-N", name, within=["sh", "-c", 'exec "$@" | true', "sh"])
            equal((closed.status, closed.stderr), (0, ""), "after a closed pipe")


@case
def a_broken_recording_is_told_up_to_where_it_breaks(synfin):
    name, path = namespaces.own_network(), synfin.path("recording")
    with socket.create_server(("127.0.0.1", 7001)):
        synfin.run("listen", "-o", "json", "-N", name, "--write", path).expect(0)
    whole = recording.read(path)
    recording.write(path, whole[:-20])
    done = synfin.run("listen", "-o", "json", "--read", path)
    equal(done.status, 1, "exit status")
    check("breaks off" in done.stderr, f"{done.stderr}")
    equal([one["lport"] for one in done.events("listener")], [7001], "what was told")


@case
def a_recording_without_a_census_tells_nothing_and_is_no_error(synfin):
    name, path = namespaces.own_network(), synfin.path("recording")
    synfin.run("conns", "--stuck", "-o", "json", "-N", name, "--write", path).expect(0)
    for words in (["timewait"], ["listen"]):
        done = synfin.run(*words, "-o", "json", "--read", path).expect(0)
        equal([one["event"] for one in done.records()], ["summary"], "records")
