# SPDX-License-Identifier: GPL-2.0-or-later
"""What must hold in every run, whatever was driven: the records agree with
each other (broken) and with the kernel's own counters (uncounted)."""

import collections
import datetime

import features
from match import TIME

_STATES = set("established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close "
              "close_wait last_ack listen closing".split())


def broken(trace, conns, netns):
    """Rules of the contract that these two views of a namespace break, one line each."""
    wrong = []
    for view, records in (("trace", trace), ("conns", conns)):
        wrong += [f"{view}: {text}" for one in records if one["event"] != "summary" for text in _common(one, netns)]
    lives, _ = lives_of(trace)
    connections = _connections(conns)
    for lines in lives:
        wrong += _line_by_line(lines)
    for one in connections:
        wrong += adds_up(one)
    return wrong + [*_as_traced(connections, lives)]


def misjudged(trace, conns):
    """What is wrong with the summaries of two whole runs."""
    for view, records in (("trace", trace), ("conns", conns)):
        if not records or [one["event"] for one in records].index("summary") != len(records) - 1:
            return [f"{view}: the summary is not the last record"]
    return [*_summary_of_trace(trace), *_summary_of_conns(conns, _connections(conns))]


def _connections(conns):
    return [one for one in conns if one["event"] == "connection"]


def lives_of(trace):
    """The lines of each life, and the lines that name no socket.

    A second connect() on one socket keeps its cookie and begins a new life.
    """
    lives, current, strays = [], {}, []
    for line in trace:
        conn = line.get("conn")
        if line["event"] == "summary":
            continue
        if conn is None:
            strays.append(line)
        elif conn not in current or line.get("new") == "syn_sent":
            current[conn] = [line]
            lives.append(current[conn])
        else:
            current[conn].append(line)
    return lives, strays


def uncounted(trace, conns, before, after):
    """Where the two views differ from the kernel's counters, which were read
    before and after the end of the run: a timer may fire in between."""
    ours, theirs = _counts(trace, conns), [_kernels_counts(counters) for counters in (before, after)]
    return [f"{name}: the kernel counted {theirs[0][name]} to {theirs[1][name]}, synfin {count}"
            for name, count in ours.items() if name not in _incomparable() and not theirs[0][name] <= count <= theirs[1][name]]


def _counts(trace, conns):
    steps = collections.Counter((line["old"], line["new"]) for line in trace if line["event"] == "state")
    ends = [one for one in conns if one["event"] == "connection"]
    return {
        "ActiveOpens": steps["close", "syn_sent"] - sum(one.get("outcome") == "no_port" for one in ends),
        "PassiveOpens": steps["listen", "syn_recv"],
        "EstabResets": steps["established", "close"] + steps["close_wait", "close"],
        "OutRsts": sum(line.get("direction") == "sent" for line in trace),
        "RetransSegs": _segments_sent_again(trace),
        # Asked for: got, parked, or refused because the table was full.
        "TIME_WAIT": sum(one.get("time_wait", True) or "fin_wait2_orphan" in one for one in ends),
    }


def _incomparable():
    """What this kernel does not tell all of, or counts at another time."""
    ret = set()
    if not features.names_reset_reasons():
        ret.add("OutRsts")
    if not features.counts_time_wait_at_its_entry():
        ret.add("TIME_WAIT")
    return ret


def _kernels_counts(counters):
    """The same, of the kernel; it counts attempts that failed to go out, too."""
    counts = {name: counters[f"Tcp.{name}"] for name in ("ActiveOpens", "PassiveOpens", "EstabResets", "OutRsts")}
    counts["RetransSegs"] = counters["Tcp.RetransSegs"] - counters["TcpExt.TCPRetransFail"]
    counts["TIME_WAIT"] = sum(counters[f"TcpExt.{name}"] for name in ("TW", "TWKilled", "TCPTimeWaitOverflow"))
    return counts


def _segments_sent_again(trace):
    return sum(line["segs"] for line in trace if line["event"] == "retransmit" and "error" not in line)


def ns(time):
    """A record's time in nanoseconds since the epoch."""
    seconds = datetime.datetime.fromisoformat(time[:19] + "+00:00").timestamp()
    return int(seconds) * 1_000_000_000 + int(time[20:29])


def _common(one, netns):
    if not TIME == one.get("time") or one.get("v") != 1:
        yield f"bad time or v: {one}"
    if one.get("netns", netns) != netns:
        yield f"of another namespace: {one}"
    if "conn" in one and "laddr" in one and not _address_fits(one):
        yield f"address and family disagree: {one}"


def _address_fits(one):
    return all((":" in one[key]) == (one["family"] == 6) and not one[key].startswith("::ffff:")
               for key in ("laddr", "raddr") if key in one)


def _line_by_line(lines):
    """Within one socket: time never goes back, each state follows the last."""
    before, state, entered = 0, None, None
    for line in lines:
        now = ns(line["time"])
        if now < before:
            yield f"time goes back at {line}"
        before = now
        if line["event"] != "state":
            continue
        if {line["old"], line["new"]} - _STATES or line["old"] == line["new"]:
            yield f"no transition: {line}"
        if state is not None and line["old"] != state:
            yield f"after {state} comes {line['old']} -> {line['new']}"
        if "in_old_us" in line and entered is not None and abs((now - entered) // 1000 - line["in_old_us"]) > 1:
            yield f"in_old_us {line['in_old_us']}, but {now - entered} ns since the state was entered: {line}"
        state, entered = line["new"], now


def adds_up(one):
    """The durations of a connection record agree with each other."""
    if "duration_us" in one:
        lasted = (ns(one["time"]) - ns(one["start"])) // 1000
        if abs(lasted - one["duration_us"]) > 1:
            yield f"duration_us {one['duration_us']}, but time - start is {lasted}"
        if "path_us" in one and abs(sum(one["path_us"]) - lasted) > len(one["path_us"]) + 1:
            yield f"path_us adds up to {sum(one['path_us'])}, but the life lasted {lasted}"
    if one.get("teardown_us", 0) > one.get("duration_us", one.get("teardown_us", 0)):
        yield "teardown_us is more than duration_us"
    if "path_us" in one and len(one["path_us"]) != len(one["path"]) - (one["path"][-1:] == ["time_wait"]):
        yield f"path {one['path']} does not fit path_us {one['path_us']}"
    if one.get("role") == "active" and "handshake_us" in one and "path_us" in one:
        if abs(sum(one["path_us"][:one["path"].index("established")]) - one["handshake_us"]) > 2:
            yield "handshake_us is not the time before established"


def _as_traced(connections, lives):
    """Each life in trace has one record in conns, and it says the same; but
    a half-open request that has not ended yet has none."""
    unpaired = collections.defaultdict(list)
    for one in connections:
        unpaired[one["conn"]].append(one)
    for lines in lives:
        if lines[0].get("new") == "listen":
            continue
        if not unpaired[lines[0]["conn"]]:
            if any(line["event"] == "state" for line in lines):
                yield f"no connection record for the life that began with {lines[0]}"
            continue
        yield from _same(unpaired[lines[0]["conn"]].pop(0), lines)
    for one in (one for left in unpaired.values() for one in left):
        yield f"a connection record without a life in the trace: {one}"


def _same(one, lines):
    path = [line["new"] for line in lines if line["event"] == "state" and line["new"] != "close"]
    if one["path"] != (path or ["syn_recv"]):
        yield f"path {one['path']}, but the trace has {path}"
    count = collections.Counter()
    for line in lines:
        if line["event"] == "retransmit" and "error" not in line:
            count[line["phase"]] += line["segs"]
    for phase in ("syn", "synack", "data", "fin"):
        if one.get(f"{phase}_retrans", 0) != count[phase]:
            yield f"{phase}_retrans {one.get(f'{phase}_retrans')}, but the trace has {count[phase]}"


def _summary_of_trace(trace):
    counts = collections.Counter(f"{line['event']}s" for line in trace)
    yield from _summary(trace, dict(transitions=counts["states"], resets=counts["resets"],
                                    retransmits=_segments_sent_again(trace)))


def _summary_of_conns(conns, connections):
    counts = collections.Counter(f"{key}_{one[key]}" for one in connections for key in ("outcome", "close") if key in one)
    words = {key for key in conns[-1] if key.startswith(("outcome_", "close_"))}
    yield from _summary(conns, {key: counts[key] for key in words | set(counts)})
    yield from _summary(conns, dict(connections=len(connections),
                                    incomplete=sum(not one["complete"] for one in connections)))


def _summary(records, printed):
    """The summary counts what was printed, and nothing was lost."""
    nothing = dict.fromkeys(("connections_unseen", "lost_ring", "lost_nested", "lost_table", "lost_sink"), 0)
    for key, count in (nothing | printed).items():
        if records[-1].get(key) != count:
            yield f"summary: {key} is {records[-1].get(key)}, not {count}"
