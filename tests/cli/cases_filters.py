# SPDX-License-Identifier: GPL-2.0-or-later
"""-4 -6 -L -D -N and expressions that the kernel decides alone: only what is wanted,
and that as without a filter. More of expressions is in tests/kernel/filters.py."""

import contextlib
import os

import namespaces
import recording
import traffic
from case import case, check, equal

_V4, _V6, _DUAL, _REFUSED, _CLIENT = 7001, 7002, 7003, 7004, 7101
_FILTERS = {
    "-4": lambda one: one["family"] == 4,
    "-6": lambda one: one["family"] == 6,
    "-4 -6": lambda one: True,
    f"-L {_V4}": lambda one: one["lport"] == _V4,
    f"-L {_V4},{_DUAL}-{_REFUSED}": lambda one: one["lport"] in (_V4, _DUAL, _REFUSED),
    f"-L {_CLIENT}": lambda one: one["lport"] == _CLIENT,
    "-L 30000-65535": lambda one: one["lport"] >= 30000,
    f"-D {_V4}": lambda one: one.get("rport") == _V4,
    f"-D {_V6}-{_REFUSED}": lambda one: one.get("rport") in (_V6, _DUAL, _REFUSED),
    f"-D {_CLIENT}": lambda one: one.get("rport") == _CLIENT,
    f"-4 -L {_DUAL}": lambda one: one["family"] == 4 and one["lport"] == _DUAL,
    f"-L {_CLIENT} -D {_DUAL}": lambda one: one["lport"] == _CLIENT and one.get("rport") == _DUAL,
    "-L 9999": lambda one: False,
    f"sport = :{_V4}": lambda one: one["lport"] == _V4,
    f"-L {_V4},{_DUAL} not dport = :{_CLIENT}": lambda one: (one["lport"] in (_V4, _DUAL)
                                                            and one.get("rport") != _CLIENT),
}


def _traffic():
    """Of all sorts: IPv4, IPv6, mapped, refused; once with a client's port that is known before."""
    v4, v6, dual = traffic.listener(_V4), traffic.listener(_V6, "::1"), traffic.listener(_DUAL, "::", dual=True)
    traffic.exchange(v4)
    traffic.exchange(v6)
    traffic.exchange(dual, "::1", _CLIENT)
    traffic.exchange(dual, "127.0.0.1")
    traffic.exchange(dual, "::ffff:127.0.0.1")
    traffic.abort(v4)
    traffic.abort(v6)
    traffic.refuse(_REFUSED)
    traffic.refuse(_REFUSED, address="::1")
    traffic.settle()
    for one in v4, v6, dual:
        one.close()
    traffic.settle()


def _untimed(record):
    """A record without what every tracer measures for itself."""
    return {key: value for key, value in record.items() if key not in ("time", "start") and not key.endswith("_us")}


def _wanted(whole, wants):
    """Of the records without a filter those of lives that match it, by what became known of them."""
    known = {}
    for one in whole:
        known.setdefault(one.get("conn"), {}).update(one)
    return [_untimed(one) for one in whole if wants(known[one["conn"]] if "conn" in one else one)]


def _told(done):
    return [_untimed(one) for one in done.expect(0).records() if one["event"] != "summary"]


def _short(record):
    keys = ("event", "family", "role", "lport", "rport", "old", "new", "outcome", "close")
    return " ".join(f"{key}={record[key]}" for key in keys if key in record)


def _differences(told, wanted):
    """Lines, whatever their order: it is not what is asked here."""
    return ([f"  told, not wanted: {_short(one)}" for one in told if one not in wanted]
            + [f"  wanted, not told: {_short(one)}" for one in wanted if one not in told]
            + ["  told more than once"] * (len(told) > len(wanted) and all(one in wanted for one in told)))


def _live(synfin, command):
    """Of the same traffic the run without a filter, and with each: (Done, {filter: Done})."""
    network = namespaces.own_network()
    with contextlib.ExitStack() as stack:
        def start(name, *words):
            return stack.enter_context(synfin.trace(command, "-o", "json", "-N", network, "--ring-size", "256K",
                                                    "--write", synfin.path(name), *words))
        unfiltered = start("whole")
        running = {words: start(words, *words.split()) for words in _FILTERS}
        _traffic()
        return unfiltered.stop(), {words: tracer.stop() for words, tracer in running.items()}


def _filtered_alike(synfin, command):
    """Live, in the replay of a filtered recording, and in a filtered replay of the whole."""
    unfiltered, live = _live(synfin, command)
    whole = [one for one in unfiltered.expect(0).records() if one["event"] != "summary"]
    check(len(whole) > 15, f"{len(whole)} records: the load is too small for this test")
    wrong = []
    for words, wants in _FILTERS.items():
        wanted = _wanted(whole, wants)
        runs = {"live": live[words],
                "its recording replayed": synfin.run(command, "-o", "json", "--read", synfin.path(words)),
                "the whole replayed": synfin.run(command, "-o", "json", *words.split(), "--read", synfin.path("whole"))}
        for how, done in runs.items():
            differences = _differences(_told(done), wanted)
            wrong += [f"{words}, {how}:", *differences] if differences else []
    check(not wrong, "\n".join(wrong))


@case
def a_filter_shows_just_the_wanted_events(synfin):
    _filtered_alike(synfin, "trace")


@case
def a_filter_shows_just_the_wanted_connections(synfin):
    _filtered_alike(synfin, "conns")


@case
def a_mapped_address_is_told_as_ipv4(synfin):
    with synfin.trace("-4", "-o", "json", "-N", namespaces.own_network()) as tracer:
        traffic.exchange(traffic.listener(_DUAL, "::", dual=True), "::ffff:127.0.0.1")
        traffic.settle()
        told = [one for one in tracer.stop().expect(0).events("state") if one["new"] != "listen"]
    check(len(told) > 8, f"{len(told)} transitions")
    equal({(one["family"], one["laddr"], one["raddr"]) for one in told}, {(4, "127.0.0.1", "127.0.0.1")}, "endpoints")


@case
def a_filter_for_a_namespace_leaves_out_the_others(synfin):
    first = namespaces.own_network()
    with synfin.trace("-o", "json", "-N", first, "--write", synfin.path("one")) as one, \
            synfin.trace("-o", "json", "-D", f"{_V6},{_REFUSED}") as every:
        inode = namespaces.inode(first)
        traffic.refuse(_REFUSED)
        namespaces.own_network()
        other = namespaces.inode("/proc/self/ns/net")
        traffic.refuse(_V6)
        told, whole = one.stop().expect(0), every.stop().expect(0)
    equal({(each["netns"], each["rport"]) for each in told.events("state")}, {(inode, _REFUSED)}, "with -N")
    seen = {(each["netns"], each["rport"]) for each in whole.events("state") if each["netns"] in (inode, other)}
    equal(seen, {(inode, _REFUSED), (other, _V6)}, "with -N all")
    again = synfin.run("-o", "json", "--read", synfin.path("one")).expect(0)
    equal(again.stdout, told.stdout, "the replay")


@case
def a_recordings_namespace_goes_by_the_name_it_had(synfin):
    whole, run = recording.make(synfin)
    path = recording.write(synfin.path("again"), whole)
    name = f"/proc/{os.getpid()}/ns/net"
    equal(synfin.run("-o", "json", "-N", name, "--read", path).expect(0).stdout, run.stdout, "the replay")
    synfin.run("-o", "json", "-N", "nosuch", "--read", path).error(1, "nosuch")
